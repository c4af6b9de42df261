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
 * - a remove waits for the playlists of its folder and those above that were handed over before it. */

#pragma once

#include "files/amsfiles.h"

G_BEGIN_DECLS

typedef enum
{
  HLS_UPLOAD_PUT,
  HLS_UPLOAD_REMOVE,
} HlsUploadKind;

typedef struct _HlsUploadJob HlsUploadJob;

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
  guint waits; /* for so many others */
  gint64 not_before;
  GPtrArray *then; /* jobs that wait for its end */
  GPtrArray *named_by; /* playlists that wait for it to be stored */
  GPtrArray *merged; /* earlier versions that end with it */
};

typedef struct _HlsUploadOrder HlsUploadOrder;

HlsUploadOrder *hls_upload_order_new (void);
void hls_upload_order_free (HlsUploadOrder *order);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlsUploadOrder, hls_upload_order_free)

/* A file begins to come, or a remove: it has its place. */
HlsUploadJob *hls_upload_order_begin (HlsUploadOrder *order, HlsUploadKind kind,
    const gchar *name, AmsFileRole role);
/* It is whole. @names: (nullable) (element-type utf8) of a playlist: what it names. FALSE: *@failed
 * (transfer full), which it names, was given up; the job is to be ended as not stored. */
gboolean hls_upload_order_hand_over (HlsUploadOrder *order, HlsUploadJob *job,
    GPtrArray *names, gchar **failed);
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
void hls_upload_job_free (HlsUploadJob *job);

/* Given up in an earlier session. */
void hls_upload_order_add_failed (HlsUploadOrder *order, const gchar *name);

/* Jobs that were begun and have not ended. */
guint hls_upload_order_get_length (HlsUploadOrder *order);

G_END_DECLS
