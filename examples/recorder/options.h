/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the command line and the environment say. */

#pragma once

#include <glib.h>

typedef struct
{
  gchar *source; /* a URL */
  GPtrArray *to; /* gchar*: WHERE, or WHERE PROPERTY=VALUE … */
  guint
      public_to; /* so many of them are from the command line, which others may see */
  gchar *name;
  gchar *segments;
  gchar *playlist;
  gint target_duration; /* s */
  gchar *playlist_type;
  gint playlist_length;
  gint max_files;
  gchar *existing;
  gboolean add_date_time;
  gchar *clock;
  gchar *spool_dir; /* (nullable): what waits is in memory */
  gboolean no_spool;
  gint drain_timeout; /* s */
  gint stall_timeout; /* s */
  gint reconnect_max; /* s */
  gchar *rtsp_transport;
  gint latency; /* ms */
  gint video_bitrate; /* kbit/s */
  gint audio_bitrate;
  gint duration; /* s; 0: until told to end */
  gboolean json;
  gint progress; /* s; -1: as fits */
} Options;

/* FALSE: it was said why, or what was asked for was shown; *@status is the exit code. */
gboolean options_parse (Options *self, int argc, char **argv, int *status);
/* Sets @error to what is wrong with the command line. Returns: FALSE */
gboolean options_fail (GError **error, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);
void options_clear (Options *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)
