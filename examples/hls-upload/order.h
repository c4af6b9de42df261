/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The order in which the files of many streams go to one store. Pure: knows no thread, store or
 * clock; times are µs, passed in.
 *
 * AmsSchedule keeps the files of one recording in the order of their hand-over. Here files of many
 * streams come at once, some of them slowly, and nobody says which belong together. But a
 * playlist says what it names, and so it waits for just that:
 * - a playlist waits for each file that it names and that was begun before it and is not stored yet;
 *   if one of these is given up, or was, the playlist fails, unless it says EXT-X-GAP;
 * - files of one name go in the order in which they were whole;
 * - of versions of a playlist that may both go, the newer goes for both;
 * - of versions that wait, only the first and the last are kept: each one between gives way to its
 *   successor when that is handed over. The first stays, because where segments always come faster than they
 *   are stored, one that always gave way would never go;
 * - a remove waits for the playlists of its folder and those above that were handed over before it.
 *
 * A playlist of n entries costs n steps when it is handed over, and a file the number of playlists that
 * wait for it when it ends; nothing else depends on how many wait. */

#pragma once

#include "wait.h"
#include "files/amsfiles.h"

G_BEGIN_DECLS

typedef enum
{
  HLS_UPLOAD_PUT,
  HLS_UPLOAD_REMOVE,
} HlsUploadKind;

struct _HlsUploadJob
{
  HlsUploadKind kind;
  gchar *name;
  AmsFileRole role;
  gpointer data; /* the owner's */
  /* A later version may go in its place. */
  gboolean replaceable;

  /* The order's, for reading only */
  gboolean handed_over;
  gboolean picked; /* it is on its way, out of the line */
  guint waits; /* for so many others */
  gint64 not_before;
  HlsUploadWaits waits_for;
  HlsUploadWaits then; /* jobs that wait for its end */
  HlsUploadWaits named_by; /* playlists that wait for it to be stored */
  HlsUploadJob *previous; /* (nullable) of the same name, which it waits for */
  HlsUploadWait *previous_wait; /* (nullable) that wait */
  HlsUploadJob *later; /* (nullable) of the same name, which waits for it */
  GPtrArray *merged; /* (nullable) earlier versions that end with it */
  gchar *failed; /* (nullable) a file that it names, and that was given up */

  GHashTable *waiting; /* (nullable) while it is named: what waits for it */
  GQueue *queue; /* (nullable) that it stands in */
  GList link; /* there */
  GSequenceIter *delayed; /* (nullable) it waits for its time */
};

/* So many names that were given up are remembered, 100 bytes each: the last ones. */
#define HLS_UPLOAD_MAX_FAILED 100000

typedef struct _HlsUploadOrder HlsUploadOrder;

HlsUploadOrder *hls_upload_order_new (void);
void hls_upload_order_free (HlsUploadOrder *order);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlsUploadOrder, hls_upload_order_free)

/* A file begins to come, or a remove: it has its place. */
HlsUploadJob *hls_upload_order_begin (HlsUploadOrder *order, HlsUploadKind kind,
    const gchar *name, AmsFileRole role);
/* The playlist @job, of which all has come, names this file: it will wait for that. Once for each name,
 * before it is handed over. FALSE: the file was given up, so the playlist must be ended as not
 * stored (@job->failed). */
gboolean hls_upload_order_name (HlsUploadOrder *order, HlsUploadJob *job,
    const gchar *name);
/* Between two calls of that for one playlist others are begun, handed over or ended. */
void hls_upload_order_pause (HlsUploadJob *job);
/* It is whole. Versions that gave way to it are in @job->merged. */
void hls_upload_order_hand_over (HlsUploadOrder *order, HlsUploadJob *job);
/* What may go now, which is then out of the line; NULL: nothing before *@next. */
HlsUploadJob *hls_upload_order_pick (HlsUploadOrder *order, gint64 now,
    gint64 *next);
/* Back into the line. */
void hls_upload_order_retry (HlsUploadOrder *order, HlsUploadJob *job,
    gint64 not_before);
/* Out of the order. Returns the playlists that cannot go because of that, for the caller to end
 * and free them; the versions that were merged into @job and into these are still in
 * their `merged`. (element-type HlsUploadJob) */
GPtrArray *hls_upload_order_end (HlsUploadOrder *order, HlsUploadJob *job,
    gboolean stored);
/* All jobs, out of the order; their merged ones are still in them. (element-type HlsUploadJob) */
GPtrArray *hls_upload_order_end_all (HlsUploadOrder *order);
void hls_upload_job_free (HlsUploadJob *job);

/* Given up in an earlier session. */
void hls_upload_order_add_failed (HlsUploadOrder *order, const gchar *name);

/* Jobs that were begun and have not ended. */
guint hls_upload_order_get_length (HlsUploadOrder *order);
/* How many waits there are; each playlist that waits has one for each file it names that is not stored. For
 * tests. */
guint hls_upload_order_get_waits (HlsUploadOrder *order);

G_END_DECLS
