/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A store behind amshlssink's src pad that does as it is told, at once, and remembers what
 * it was told. It outlives the pipeline's states. Any thread. */

#pragma once

#include "hls-common.h"

G_BEGIN_DECLS

#define HLS_TYPE_REMOTE (hls_remote_get_type ())
G_DECLARE_FINAL_TYPE (HlsRemote, hls_remote, HLS, REMOTE, GstElement)

typedef enum
{
  HLS_REMOTE_OBEDIENT = 0,
  HLS_REMOTE_CANNOT_LIST = 1 << 0, /* as HTTP without a spool */
  HLS_REMOTE_CANNOT_TELL = 1 << 1, /* no connection: fetching fails, too */
  HLS_REMOTE_CANNOT_TELL_SEGMENTS = 1 << 2,
  HLS_REMOTE_MUTE = 1 << 3, /* it is no store */
  HLS_REMOTE_LATE =
      1 << 4, /* says that it has stored something when it is drained */
  HLS_REMOTE_TAKES_NOTE = 1 << 5, /* of dates, as a spool does */
  HLS_REMOTE_CLOSED = 1 << 6, /* it is being stopped */
  HLS_REMOTE_LISTS_LONGER = 1 << 7, /* than the files are that it has */
} HlsRemoteFaults;

/* In the pipeline, linked to the element's src pad; @write_files is set. */
HlsRemote *hls_add_remote (Hls *hls, const gchar *write_files);
/* Two, each behind a queue, behind a tee. */
void hls_add_remotes (Hls *hls, const gchar *write_files,
    HlsRemote *remotes[2]);
void hls_remote_set_faults (HlsRemote *remote, HlsRemoteFaults faults);
/* It does not answer until it is told FALSE. */
void hls_remote_hold (HlsRemote *remote, gboolean hold);
/* At the next drain it gives up @name. */
void hls_remote_give_up (HlsRemote *remote, const gchar *name);
/* It gives @name up as soon as it has come. */
void hls_remote_refuse (HlsRemote *remote, const gchar *name);

/* What it has under @name. (transfer full) (nullable) */
gchar *hls_remote_dup_text (HlsRemote *remote, const gchar *name);
void hls_remote_assert_same (HlsRemote *remote, const gchar *name,
    const gchar *path);
gboolean hls_remote_has (HlsRemote *remote, const gchar *name);
/* @bytes NULL: removes it. @partial: what a crash has left. */
void hls_remote_set (HlsRemote *remote, const gchar *name, const gchar *bytes,
    gsize size, gboolean partial);

/* What it was told since the last time, a line each: "file NAME", "playlist NAME", both with " heeds NAME" if so,
 * "refer NAME", "refuse NAME", "adopt NAME SIZE", "remove NAME", "fetch NAME", "drain". (transfer full) */
gchar *hls_remote_take_log (HlsRemote *remote);
/* The local path that @name was said to have. (transfer full) (nullable) */
gchar *hls_remote_dup_path (HlsRemote *remote, const gchar *name);

/* What two more segments look like from a store. */
#define HLS_TWO_MORE(a, b) \
  "file s0000" #a ".ts\nplaylist p.m3u8\n" \
  "file s0000" #b ".ts\nplaylist p.m3u8\nplaylist p.m3u8\n"

/* The log's lines about what was fetched, or all others but "drain". (transfer full) */
gchar *hls_remote_take_lines (HlsRemote *remote, gboolean fetches);
void hls_remote_assert_changes (HlsRemote *remote, const gchar *expected);

/* @text up to the line of its @n-th segment. (transfer full) */
gchar *hls_cut_playlist (const gchar *text, guint n);
void hls_put (const gchar *path, const gchar *text);
/* It has the first @n segments, and a playlist of these. */
void hls_remote_leave_behind (HlsRemote *remote, guint n);
/* The disk likewise; @remove: the others' files, too. */
void hls_cut_disk (Hls *hls, guint n, gboolean remove);
/* Five segments on disk and in the store. */
HlsRemote *hls_record_with_remote (Hls *hls);
/* All that the playlist on disk lists is in the store, and the same. */
void hls_remote_assert_whole (Hls *hls, HlsRemote *remote, guint segments);

/* There is one warning, which has @word in it, and no error. */
void hls_expect_warning (Hls *hls, const gchar *word);
/* It does not record, for the one reason that has @word in it; the store has been told nothing. */
void hls_refuse (Hls *hls, HlsRemote *remote, const gchar *word);

G_END_DECLS
