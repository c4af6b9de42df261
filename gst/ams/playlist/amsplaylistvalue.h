/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The values that stand in a playlist's lines, read strictly. Pure. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* s: the longest segment or target duration that is believed, a day */
#define AMS_PLAYLIST_MAX_SECONDS (24 * 60 * 60)

/* A part of a line, without a NUL. */
typedef struct
{
  const gchar *data;
  gsize len;
} AmsPlaylistValue;

gboolean ams_playlist_value_is (AmsPlaylistValue value, const gchar *string);

/* Decimal digits and nothing else, at most @max. */
gboolean ams_playlist_read_integer (AmsPlaylistValue value, guint64 max,
    guint64 *number);

/* "12" or "12.345" seconds, at most a day, into ns. */
gboolean ams_playlist_read_seconds (AmsPlaylistValue value, guint64 *ns);

/* An ISO 8601 date and time into µs since 1970 UTC; 0 for one without a zone,
 * which says nothing. */
gboolean ams_playlist_read_date_time (AmsPlaylistValue value,
    gint64 *date_time);

G_END_DECLS
