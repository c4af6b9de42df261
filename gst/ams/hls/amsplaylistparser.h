/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads an earlier media playlist back. It is hostile input: bounded, strict. Pure, no GStreamer. */

#pragma once

#include <glib.h>
#include "amsplaylist.h"

G_BEGIN_DECLS

/* 64 MiB hold 700 000 segments: seven weeks of 6 s. */
#define AMS_PLAYLIST_MAX_SIZE (64 * 1024 * 1024)

/* Bounds the memory of what was parsed; TOO_LARGE beyond. */
#define AMS_PLAYLIST_MAX_SEGMENTS (2 * 1024 * 1024)

#define AMS_PLAYLIST_PARSER_ERROR (ams_playlist_parser_error_quark ())
GQuark ams_playlist_parser_error_quark (void);

typedef enum
{
  AMS_PLAYLIST_PARSER_ERROR_TOO_LARGE,
  AMS_PLAYLIST_PARSER_ERROR_NOT_A_PLAYLIST, /* no #EXTM3U, BOM, not UTF-8, NUL or control characters */
  AMS_PLAYLIST_PARSER_ERROR_TRUNCATED, /* ends in the middle of a line or between a segment's lines */
  AMS_PLAYLIST_PARSER_ERROR_INVALID, /* a tag that RFC 8216bis does not allow so; the message names line and tag */
  AMS_PLAYLIST_PARSER_ERROR_UNSUPPORTED, /* fine, but not something to be continued: multivariant, I-frames only, parts */
} AmsPlaylistParserError;

typedef struct
{
  gsize
      start; /* of the segment's first own line (tags and comments before EXTINF included) in the text */
  gsize end; /* behind the URI line's end */
  gsize uri_start, uri_len;
  guint64 duration; /* ns */
  gint64 date_time; /* µs since 1970 UTC; 0: none stated, or without a zone */
  gboolean discontinuity;
  gboolean gap;
} AmsPlaylistParsedSegment;

typedef struct _AmsPlaylistParsed
{
  GBytes *text; /* the whole, as it was read */
  gsize
      header_end; /* where the first segment's lines start, or ENDLIST, or the end */
  gsize
      body_end; /* behind the last segment (and any trailing comments), without ENDLIST */
  gsize
      tail_start; /* behind the ENDLIST line: only comments and blank lines; the end when there is none */
  guint version; /* EXT-X-VERSION, 1 when not stated */
  guint target_duration; /* s */
  guint64 media_sequence;
  guint64 discontinuity_sequence;
  gboolean has_type; /* PLAYLIST-TYPE stated */
  AmsPlaylistType type; /* EVENT or VOD as stated; LIVE otherwise */
  gboolean ended; /* EXT-X-ENDLIST */
  gboolean independent;
  gboolean encrypted; /* an EXT-X-KEY other than NONE is in force at the end */
  gboolean
      has_map; /* an EXT-X-MAP is in force at the end; nothing can take it back, so plain TS cannot follow */
  GArray *segments; /* AmsPlaylistParsedSegment */
} AmsPlaylistParsed;

/* Returns: (transfer full), or NULL with an error whose message says the line and what is wrong with it. Refused: sequence numbers or
 * their sum with the number of segments past 2^63, EXTINF that is negative, NaN, infinite, not decimal or longer than a day, a TARGETDURATION of 0
 * or more than a day, repeated header tags, header tags after the first segment, a URI with control characters, lines of more than 64 KiB,
 * text after ENDLIST other than blank lines and comments. CRLF line ends are read. Unknown tags and comments are skipped. */
AmsPlaylistParsed *ams_playlist_parse (GBytes *text, GError **error);
void ams_playlist_parsed_free (AmsPlaylistParsed *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsPlaylistParsed, ams_playlist_parsed_free)

/* (transfer full) the URI of segment @i. */
gchar *ams_playlist_parsed_uri (const AmsPlaylistParsed *self, guint i);

/* Where @self says segment times: the date of its end (last stated date plus the durations since), 0 when it states none. */
gint64 ams_playlist_parsed_end_date (const AmsPlaylistParsed *self);

/* What a line is, for who has to sort the lines of a parsed playlist. */
typedef enum
{
  AMS_PLAYLIST_LINE_URI,
  AMS_PLAYLIST_LINE_COMMENT, /* or blank, or an unknown tag */
  AMS_PLAYLIST_LINE_HEADER, /* a tag about the playlist as a whole */
  AMS_PLAYLIST_LINE_SEGMENT, /* a tag about a segment, or about those from here on */
  AMS_PLAYLIST_LINE_END, /* ENDLIST */
} AmsPlaylistLine;

/* @line: its @len bytes without the line end. */
AmsPlaylistLine ams_playlist_line_classify (const gchar *line, gsize len);

/* Whether @line is the tag @tag, as in "#EXT-X-KEY". */
gboolean ams_playlist_line_is (const gchar *line, gsize len, const gchar *tag);

G_END_DECLS
