/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a playlist that is written and one that is read back have in common. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AMS_PLAYLIST_EVENT,
  AMS_PLAYLIST_LIVE,
  AMS_PLAYLIST_VOD,
} AmsPlaylistType;

/* A segment of a playlist that was read back. Its lines are bytes of the
 * playlist's text. */
typedef struct
{
  /* Of the segment's first own line, tags and comments before EXTINF included */
  gsize start;
  /* Just after the line end of the URI */
  gsize end;
  gsize uri_start, uri_len;
  guint64 duration; /* ns */
  gint64 date_time; /* µs since 1970 UTC; 0: none stated, or without a zone */
  gboolean discontinuity;
  gboolean gap;
} AmsPlaylistParsedSegment;

/* A playlist that was read back, but for its segments: there may be millions of
 * them, so they are read from the text again each time (AmsPlaylistIter). */
typedef struct
{
  GBytes *text; /* the whole, as it was read */
  /* Where the first segment's lines start, or ENDLIST, or the end */
  gsize header_end;
  /* After the last segment and any trailing comments, without ENDLIST */
  gsize body_end;
  /* After the ENDLIST line: only comments and blank lines follow. The end of the
   * text when there is no ENDLIST. */
  gsize tail_start;
  guint version; /* EXT-X-VERSION, 1 when not stated */
  guint target_duration; /* s */
  guint64 media_sequence;
  guint64 discontinuity_sequence;
  gboolean has_type; /* PLAYLIST-TYPE stated */
  AmsPlaylistType type; /* EVENT or VOD as stated; LIVE otherwise */
  gboolean ended; /* EXT-X-ENDLIST */
  gboolean independent;
  gboolean encrypted; /* an EXT-X-KEY other than NONE is in force at the end */
  /* An EXT-X-MAP is in force at the end. Nothing can take it back, so plain TS
   * cannot follow. */
  gboolean has_map;

  guint n_segments;
  guint64 duration; /* ns, of all segments; G_MAXUINT64 if it is more */
  /* µs since 1970 UTC: the last stated date plus the durations since, so where
   * the last segment ends. 0: no date is stated. */
  gint64 end_date;
  AmsPlaylistParsedSegment
      last; /* the last segment; all 0 when there is none */
  GArray *marks; /* of gsize: where every so many segments start */
} AmsPlaylistParsed;

G_END_DECLS
