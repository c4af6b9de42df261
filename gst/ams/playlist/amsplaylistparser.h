/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads an earlier media playlist back. It is hostile input: bounded, strict. However
 * long it is, neither its text nor its segments are in memory as a whole. Pure, no
 * GStreamer. */

#pragma once

#include <glib.h>
#include "amsplaylisttypes.h"

G_BEGIN_DECLS

/* Bytes: 43 million segments of 100 bytes, eight years of 6 s. */
#define AMS_PLAYLIST_MAX_SIZE G_GUINT64_CONSTANT (0xffffffff)

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

/* Returns: (transfer full), or NULL with an error whose message says the line and what is wrong with it. Refused: sequence numbers or
 * their sum with the number of segments past 2^63, EXTINF that is negative, NaN, infinite, not decimal or longer than a day, a TARGETDURATION of 0
 * or more than a day, repeated header tags, header tags after the first segment, a URI with control characters, lines of more than 64 KiB,
 * text after ENDLIST other than blank lines and comments. CRLF line ends are read. Unknown tags and comments are skipped. */
AmsPlaylistParsed *ams_playlist_parse (GBytes *text, GError **error);
void ams_playlist_parsed_free (AmsPlaylistParsed *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsPlaylistParsed, ams_playlist_parsed_free)

/* (transfer full) The URI of @segment, which is one of @self's. */
gchar *ams_playlist_parsed_dup_uri (const AmsPlaylistParsed *self,
    const AmsPlaylistParsedSegment *segment);

/* Reads the segments of a playlist one after the other, from its text. */
typedef struct _AmsPlaylistIter AmsPlaylistIter;

/* @parsed must outlive it. @first: the index of the segment to begin with; the
 * cost does not depend on it. */
AmsPlaylistIter *ams_playlist_iter_new (const AmsPlaylistParsed *parsed,
    guint first);
void ams_playlist_iter_free (AmsPlaylistIter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsPlaylistIter, ams_playlist_iter_free)

/* (transfer none) (nullable) The next segment, until the next call. NULL: there
 * are no more. */
const AmsPlaylistParsedSegment *ams_playlist_iter_next (AmsPlaylistIter *self);

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
