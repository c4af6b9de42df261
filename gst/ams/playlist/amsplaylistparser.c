/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsplaylistparser.h"

#include "amsplaylistvalue.h"
#include "files/amsshared.h"

#include <string.h>

#define MAX_LINE (64 * 1024)
/* Bytes that are looked at before their pages are given back. */
#define BLOCK_SIZE (1024 * 1024)
/* Segments between two marks. */
#define MARK_INTERVAL 1024
#define MAX_SEQUENCE (G_GUINT64_CONSTANT (1) << 63)
/* RFC 8216bis goes up to here; what a later one means cannot be known. */
#define MAX_VERSION 12

typedef struct
{
  AmsPlaylistParsed *out;
  const gchar *data;
  gsize size;

  gsize line_start;
  guint line_number;
  guint64 seen; /* header tags, by their place in the table */

  gsize first_start; /* of the first segment's tags; G_MAXSIZE: none yet */
  gsize unknown_start; /* of unknown tags behind the header's; likewise */
  gboolean pending; /* a segment's tags were read, its URI was not */
  gboolean has_extinf;
  AmsPlaylistParsedSegment segment; /* whose lines are read */
  gint64 date; /* the last stated one; 0: none */
  guint64 since_date; /* ns of media since then */
  gboolean has_last; /* out->last became whole with the last line */
} Parser;

typedef gboolean (
    *TagFunc) (Parser *self, AmsPlaylistValue value, GError **error);

typedef struct
{
  const gchar *name;
  AmsPlaylistLine line;
  gboolean has_value;
  TagFunc func; /* NULL: its value is not looked at */
} Tag;

G_DEFINE_QUARK (ams_playlist_parser_error, ams_playlist_parser_error)

static gboolean G_GNUC_PRINTF (4, 5) fail (Parser *self,
    AmsPlaylistParserError code, GError **error, const gchar *format, ...)
{
  g_autofree gchar *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, AMS_PLAYLIST_PARSER_ERROR, code, "line %u: %s",
      self->line_number, what);
  return FALSE;
}

#define fail_invalid(self, error, ...) \
  fail (self, AMS_PLAYLIST_PARSER_ERROR_INVALID, error, __VA_ARGS__)

/* ---- tags ---- */

static gboolean
on_version (Parser *self, AmsPlaylistValue value, GError **error)
{
  guint64 version;

  if (!ams_playlist_read_integer (value, G_MAXUINT64, &version) || version < 1)
    return fail_invalid (self, error, "EXT-X-VERSION is not a version");
  if (version > MAX_VERSION)
    return fail (self, AMS_PLAYLIST_PARSER_ERROR_UNSUPPORTED, error,
        "EXT-X-VERSION is beyond %d", MAX_VERSION);
  self->out->version = version;
  return TRUE;
}

static gboolean
on_target_duration (Parser *self, AmsPlaylistValue value, GError **error)
{
  guint64 seconds;

  if (!ams_playlist_read_integer (value, AMS_PLAYLIST_MAX_SECONDS, &seconds) ||
      seconds < 1)
    return fail_invalid (self, error,
        "EXT-X-TARGETDURATION is not between 1 and %d",
        AMS_PLAYLIST_MAX_SECONDS);
  self->out->target_duration = seconds;
  return TRUE;
}

static gboolean
on_media_sequence (Parser *self, AmsPlaylistValue value, GError **error)
{
  if (!ams_playlist_read_integer (value, MAX_SEQUENCE,
          &self->out->media_sequence))
    return fail_invalid (self, error,
        "EXT-X-MEDIA-SEQUENCE is not a number below 2^63");
  return TRUE;
}

static gboolean
on_discontinuity_sequence (Parser *self, AmsPlaylistValue value, GError **error)
{
  if (!ams_playlist_read_integer (value, MAX_SEQUENCE,
          &self->out->discontinuity_sequence))
    return fail_invalid (self, error,
        "EXT-X-DISCONTINUITY-SEQUENCE is not a number below 2^63");
  if (self->segment.discontinuity)
    return fail_invalid (self, error,
        "EXT-X-DISCONTINUITY-SEQUENCE behind EXT-X-DISCONTINUITY");
  return TRUE;
}

static gboolean
on_playlist_type (Parser *self, AmsPlaylistValue value, GError **error)
{
  self->out->has_type = TRUE;
  if (ams_playlist_value_is (value, "EVENT"))
    self->out->type = AMS_PLAYLIST_EVENT;
  else if (ams_playlist_value_is (value, "VOD"))
    self->out->type = AMS_PLAYLIST_VOD;
  else
    return fail_invalid (self, error,
        "EXT-X-PLAYLIST-TYPE is neither EVENT nor VOD");
  return TRUE;
}

static gboolean
on_independent (Parser *self, AmsPlaylistValue value, GError **error)
{
  self->out->independent = TRUE;
  return TRUE;
}

static gboolean
on_extinf (Parser *self, AmsPlaylistValue value, GError **error)
{
  const gchar *comma = memchr (value.data, ',', value.len);

  if (self->has_extinf)
    return fail_invalid (self, error, "a second EXTINF without a URI between");
  if (comma == NULL)
    return fail_invalid (self, error, "EXTINF without a comma");
  value.len = comma - value.data;
  if (!ams_playlist_read_seconds (value, &self->segment.duration))
    return fail_invalid (self, error,
        "EXTINF is not a decimal number of seconds up to a day");
  self->has_extinf = TRUE;
  return TRUE;
}

static gboolean
on_discontinuity (Parser *self, AmsPlaylistValue value, GError **error)
{
  self->segment.discontinuity = TRUE;
  return TRUE;
}

static gboolean
on_gap (Parser *self, AmsPlaylistValue value, GError **error)
{
  self->segment.gap = TRUE;
  return TRUE;
}

static gboolean
on_date_time (Parser *self, AmsPlaylistValue value, GError **error)
{
  if (!ams_playlist_read_date_time (value, &self->segment.date_time))
    return fail_invalid (self, error,
        "EXT-X-PROGRAM-DATE-TIME is not a date and time");
  return TRUE;
}

/* Attributes are not taken apart: METHOD=NONE stands alone. */
static gboolean
on_key (Parser *self, AmsPlaylistValue value, GError **error)
{
  if (value.len == 0)
    return fail_invalid (self, error, "EXT-X-KEY without attributes");
  self->out->encrypted = !ams_playlist_value_is (value, "METHOD=NONE");
  return TRUE;
}

static gboolean
on_map (Parser *self, AmsPlaylistValue value, GError **error)
{
  if (value.len == 0)
    return fail_invalid (self, error, "EXT-X-MAP without attributes");
  self->out->has_map = TRUE;
  return TRUE;
}

static gboolean
on_unsupported (Parser *self, AmsPlaylistValue value, GError **error)
{
  return fail (self, AMS_PLAYLIST_PARSER_ERROR_UNSUPPORTED, error,
      "not a plain media playlist");
}

/* The first ones are those of every segment. */
static const Tag tags[] = {
  { "#EXTINF", AMS_PLAYLIST_LINE_SEGMENT, TRUE, on_extinf },
  { "#EXT-X-PROGRAM-DATE-TIME", AMS_PLAYLIST_LINE_SEGMENT, TRUE, on_date_time },
  { "#EXT-X-DISCONTINUITY", AMS_PLAYLIST_LINE_SEGMENT, FALSE,
      on_discontinuity },
  { "#EXT-X-GAP", AMS_PLAYLIST_LINE_SEGMENT, FALSE, on_gap },
  { "#EXT-X-BYTERANGE", AMS_PLAYLIST_LINE_SEGMENT, TRUE, NULL },
  { "#EXT-X-KEY", AMS_PLAYLIST_LINE_SEGMENT, TRUE, on_key },
  { "#EXT-X-MAP", AMS_PLAYLIST_LINE_SEGMENT, TRUE, on_map },
  { "#EXT-X-BITRATE", AMS_PLAYLIST_LINE_SEGMENT, TRUE, NULL },
  { "#EXTM3U", AMS_PLAYLIST_LINE_HEADER, FALSE, NULL },
  { "#EXT-X-VERSION", AMS_PLAYLIST_LINE_HEADER, TRUE, on_version },
  { "#EXT-X-TARGETDURATION", AMS_PLAYLIST_LINE_HEADER, TRUE,
      on_target_duration },
  { "#EXT-X-MEDIA-SEQUENCE", AMS_PLAYLIST_LINE_HEADER, TRUE,
      on_media_sequence },
  { "#EXT-X-DISCONTINUITY-SEQUENCE", AMS_PLAYLIST_LINE_HEADER, TRUE,
      on_discontinuity_sequence },
  { "#EXT-X-PLAYLIST-TYPE", AMS_PLAYLIST_LINE_HEADER, TRUE, on_playlist_type },
  { "#EXT-X-INDEPENDENT-SEGMENTS", AMS_PLAYLIST_LINE_HEADER, FALSE,
      on_independent },
  { "#EXT-X-START", AMS_PLAYLIST_LINE_HEADER, TRUE, NULL },
  { "#EXT-X-ALLOW-CACHE", AMS_PLAYLIST_LINE_HEADER, TRUE, NULL },
  { "#EXT-X-ENDLIST", AMS_PLAYLIST_LINE_END, FALSE, NULL },
  { "#EXT-X-I-FRAMES-ONLY", AMS_PLAYLIST_LINE_HEADER, FALSE, on_unsupported },
  { "#EXT-X-DEFINE", AMS_PLAYLIST_LINE_HEADER, TRUE, on_unsupported },
  { "#EXT-X-PART-INF", AMS_PLAYLIST_LINE_HEADER, TRUE, on_unsupported },
  { "#EXT-X-SERVER-CONTROL", AMS_PLAYLIST_LINE_HEADER, TRUE, on_unsupported },
  { "#EXT-X-PART", AMS_PLAYLIST_LINE_SEGMENT, TRUE, on_unsupported },
  { "#EXT-X-SKIP", AMS_PLAYLIST_LINE_SEGMENT, TRUE, on_unsupported },
  { "#EXT-X-PRELOAD-HINT", AMS_PLAYLIST_LINE_SEGMENT, TRUE, on_unsupported },
  { "#EXT-X-RENDITION-REPORT", AMS_PLAYLIST_LINE_SEGMENT, TRUE,
      on_unsupported },
  { "#EXT-X-STREAM-INF", AMS_PLAYLIST_LINE_HEADER, TRUE, on_unsupported },
  { "#EXT-X-I-FRAME-STREAM-INF", AMS_PLAYLIST_LINE_HEADER, TRUE,
      on_unsupported },
  { "#EXT-X-MEDIA", AMS_PLAYLIST_LINE_HEADER, TRUE, on_unsupported },
  { "#EXT-X-SESSION-DATA", AMS_PLAYLIST_LINE_HEADER, TRUE, on_unsupported },
  { "#EXT-X-SESSION-KEY", AMS_PLAYLIST_LINE_HEADER, TRUE, on_unsupported },
  { "#EXT-X-CONTENT-STEERING", AMS_PLAYLIST_LINE_HEADER, TRUE, on_unsupported },
};

G_STATIC_ASSERT (G_N_ELEMENTS (tags) <= 64);

gboolean
ams_playlist_line_is (const gchar *line, gsize len, const gchar *tag)
{
  gsize n = strlen (tag);

  return len >= n && memcmp (line, tag, n) == 0 && (len == n || line[n] == ':');
}

static const Tag *
find_tag (const gchar *line, gsize len)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (tags); i++) {
    if (ams_playlist_line_is (line, len, tags[i].name))
      return &tags[i];
  }
  return NULL;
}

AmsPlaylistLine
ams_playlist_line_classify (const gchar *line, gsize len)
{
  const Tag *tag;

  if (len == 0)
    return AMS_PLAYLIST_LINE_COMMENT;
  if (*line != '#')
    return AMS_PLAYLIST_LINE_URI;
  tag = find_tag (line, len);
  return tag != NULL ? tag->line : AMS_PLAYLIST_LINE_COMMENT;
}

/* ---- lines ---- */

static gboolean
check_header_tag (Parser *self, const Tag *tag, GError **error)
{
  guint64 bit = G_GUINT64_CONSTANT (1) << (tag - tags);

  if (self->seen & bit)
    return fail_invalid (self, error, "%s is there twice", tag->name + 1);
  if (self->out->n_segments > 0)
    return fail_invalid (self, error, "%s behind the first segment",
        tag->name + 1);
  self->seen |= bit;
  self->unknown_start = G_MAXSIZE;
  return TRUE;
}

static void
begin_segment (Parser *self)
{
  if (self->first_start == G_MAXSIZE)
    self->first_start = MIN (self->line_start, self->unknown_start);
  self->pending = TRUE;
}

static gboolean
parse_tag (Parser *self, const Tag *tag, AmsPlaylistValue line, GError **error)
{
  gsize n = strlen (tag->name);
  AmsPlaylistValue value = { line.data + line.len, 0 };

  if (tag->has_value != (line.len > n))
    return fail_invalid (self, error, "%s with%s a value", tag->name + 1,
        tag->has_value ? "out" : "");
  if (line.len > n)
    value = (AmsPlaylistValue){ line.data + n + 1, line.len - n - 1 };
  if (tag->line == AMS_PLAYLIST_LINE_HEADER && tag->func != on_unsupported &&
      !check_header_tag (self, tag, error))
    return FALSE;
  if (tag->line == AMS_PLAYLIST_LINE_SEGMENT)
    begin_segment (self);
  return tag->func == NULL || tag->func (self, value, error);
}

static void
take_segment (Parser *self)
{
  AmsPlaylistParsed *out = self->out;
  const AmsPlaylistParsedSegment *segment = &self->segment;

  if (out->marks && out->n_segments > 0 && out->n_segments % MARK_INTERVAL == 0)
    g_array_append_val (out->marks, segment->start);
  if (segment->date_time != 0) {
    self->date = segment->date_time;
    self->since_date = 0;
  }
  self->since_date += segment->duration;
  out->duration =
      MIN (out->duration, G_MAXUINT64 - segment->duration) + segment->duration;
  out->last = *segment;
  out->n_segments++;
  self->has_last = TRUE;
}

static gboolean
parse_uri (Parser *self, AmsPlaylistValue line, gsize end, GError **error)
{
  if (!self->has_extinf)
    return fail_invalid (self, error, "a URI without EXTINF");
  self->segment.uri_start = line.data - self->data;
  self->segment.uri_len = line.len;
  self->segment.end = end;
  if (self->out->n_segments == 0)
    self->segment.start = self->out->header_end = self->first_start;
  take_segment (self);

  memset (&self->segment, 0, sizeof self->segment);
  self->segment.start = end;
  self->pending = self->has_extinf = FALSE;
  return TRUE;
}

static gboolean
check_complete (Parser *self, const gchar *what, GError **error)
{
  if (!self->pending)
    return TRUE;
  return fail (self, AMS_PLAYLIST_PARSER_ERROR_TRUNCATED, error,
      "%s between the lines of a segment", what);
}

static gboolean
parse_end (Parser *self, gsize end, GError **error)
{
  if (!check_complete (self, "EXT-X-ENDLIST", error))
    return FALSE;
  self->out->ended = TRUE;
  self->out->body_end = self->line_start;
  self->out->tail_start = end;
  return TRUE;
}

/* @end: behind the line's end. */
static gboolean
parse_line (Parser *self, AmsPlaylistValue line, gsize end, GError **error)
{
  const Tag *tag;

  if (line.len > MAX_LINE)
    return fail_invalid (self, error, "longer than %d bytes", MAX_LINE);
  if (line.len == 0)
    return TRUE;
  tag = *line.data == '#' ? find_tag (line.data, line.len) : NULL;
  if (self->out->ended && (tag != NULL || *line.data != '#'))
    return fail_invalid (self, error, "more behind EXT-X-ENDLIST");
  if (*line.data != '#')
    return parse_uri (self, line, end, error);
  if (tag == NULL) {
    if (line.len > 4 && memcmp (line.data, "#EXT", 4) == 0)
      self->unknown_start = MIN (self->unknown_start, self->line_start);
    return TRUE;
  }
  if (!parse_tag (self, tag, line, error))
    return FALSE;
  return tag->line != AMS_PLAYLIST_LINE_END || parse_end (self, end, error);
}

/* hlssink2 and others write no line end behind ENDLIST. */
static gboolean
check_last_line (Parser *self, AmsPlaylistValue line, GError **error)
{
  if (ams_playlist_value_is (line, "#EXT-X-ENDLIST"))
    return TRUE;
  return fail (self, AMS_PLAYLIST_PARSER_ERROR_TRUNCATED, error,
      "the text ends within a line");
}

static gboolean
parse_next_line (Parser *self, GError **error)
{
  const gchar *start = self->data + self->line_start;
  gsize left = self->size - self->line_start;
  const gchar *newline = memchr (start, '\n', left);
  AmsPlaylistValue line = { start,
    newline != NULL ? (gsize) (newline - start) : left };
  gsize end = self->line_start + line.len + (newline != NULL);

  self->line_number++;
  if (newline == NULL && !check_last_line (self, line, error))
    return FALSE;
  if (newline != NULL && line.len > 0 && newline[-1] == '\r')
    line.len--;
  if (!parse_line (self, line, end, error))
    return FALSE;
  self->line_start = end;
  return TRUE;
}

/* ---- the whole ---- */

/* RFC 8216bis 4.1: no control characters but the line ends (C0, DEL, C1). */
static gboolean
has_control_characters (const guchar *data, gsize size)
{
  gsize i;

  for (i = 0; i < size; i++) {
    if (data[i] == '\r' && i + 1 < size && data[i + 1] == '\n')
      continue;
    if ((data[i] < 0x20 && data[i] != '\n') || data[i] == 0x7f ||
        (data[i] == 0xc2 && i + 1 < size && data[i + 1] < 0xa0))
      return TRUE;
  }
  return FALSE;
}

static gboolean
fail_text (const gchar *what, GError **error)
{
  g_set_error (error, AMS_PLAYLIST_PARSER_ERROR,
      AMS_PLAYLIST_PARSER_ERROR_NOT_A_PLAYLIST, "not a playlist: %s", what);
  return FALSE;
}

static gboolean
check_characters (const gchar *data, gsize size, GError **error)
{
  if (!g_utf8_validate_len (data, size, NULL))
    return fail_text ("it is not UTF-8", error);
  if (has_control_characters ((const guchar *) data, size))
    return fail_text ("it has control characters", error);
  return TRUE;
}

/* Behind the last line that ends within the next block, or behind the next line
 * if that is longer. */
static gsize
find_block_end (Parser *self)
{
  const gchar *start = self->data + self->line_start, *newline;
  gsize left = self->size - self->line_start;

  if (left <= BLOCK_SIZE)
    return self->size;
  newline = memrchr (start, '\n', BLOCK_SIZE);
  if (newline == NULL)
    newline = memchr (start + BLOCK_SIZE, '\n', left - BLOCK_SIZE);
  return newline != NULL ? (gsize) (newline + 1 - self->data) : self->size;
}

/* Block by block, however long the text: neither it nor its segments are in
 * memory as a whole. */
static gboolean
parse_lines (Parser *self, GError **error)
{
  while (self->line_start < self->size) {
    gsize start = self->line_start, end = find_block_end (self);

    if (!check_characters (self->data + start, end - start, error))
      return FALSE;
    while (self->line_start < end) {
      if (!parse_next_line (self, error))
        return FALSE;
    }
    ams_shared_let_go (self->data + start, end - start);
  }
  return check_complete (self, "the end", error);
}

static gboolean
check_playlist (Parser *self, GError **error)
{
  if (self->out->target_duration == 0)
    return fail_invalid (self, error, "no EXT-X-TARGETDURATION");
  if (self->out->media_sequence + self->out->n_segments >= MAX_SEQUENCE ||
      self->out->discontinuity_sequence + self->out->n_segments >= MAX_SEQUENCE)
    return fail_invalid (self, error, "sequence numbers beyond 2^63");
  return TRUE;
}

static gboolean
begins_as_playlist (const gchar *data, gsize size)
{
  return size >= 7 && memcmp (data, "#EXTM3U", 7) == 0 &&
      (size == 7 || data[7] == '\n' || data[7] == '\r');
}

/* The cheap checks first: 100 MB of something else are refused at once. */
static gboolean
check_text (const gchar *data, gsize size, GError **error)
{
  if (size > AMS_PLAYLIST_MAX_SIZE) {
    g_set_error (error, AMS_PLAYLIST_PARSER_ERROR,
        AMS_PLAYLIST_PARSER_ERROR_TOO_LARGE,
        "%" G_GSIZE_FORMAT " bytes are more than the %" G_GUINT64_FORMAT
        " a playlist may have",
        size, AMS_PLAYLIST_MAX_SIZE);
    return FALSE;
  }
  if (size >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    return fail_text ("a byte order mark before #EXTM3U", error);
  if (!begins_as_playlist (data, size))
    return fail_text ("it does not begin with #EXTM3U", error);
  return TRUE;
}

static AmsPlaylistParsed *
new_parsed (GBytes *text)
{
  AmsPlaylistParsed *out = g_new0 (AmsPlaylistParsed, 1);

  out->text = g_bytes_ref (text);
  out->version = 1;
  out->type = AMS_PLAYLIST_LIVE;
  out->header_end = G_MAXSIZE;
  out->body_end = out->tail_start = g_bytes_get_size (text);
  out->marks = g_array_new (FALSE, FALSE, sizeof (gsize));
  return out;
}

static void
init_parser (Parser *self, AmsPlaylistParsed *out, GBytes *text)
{
  *self = (Parser){ .out = out,
    .first_start = G_MAXSIZE,
    .unknown_start = G_MAXSIZE };
  self->data = g_bytes_get_data (text, &self->size);
}

AmsPlaylistParsed *
ams_playlist_parse (GBytes *text, GError **error)
{
  g_autoptr (AmsPlaylistParsed) out = new_parsed (text);
  Parser self;

  init_parser (&self, out, text);
  if (!check_text (self.data, self.size, error) ||
      !parse_lines (&self, error) || !check_playlist (&self, error))
    return NULL;
  if (out->header_end == G_MAXSIZE)
    out->header_end = out->body_end;
  if (self.date != 0)
    out->end_date = self.date + (gint64) (self.since_date / 1000);
  return g_steal_pointer (&out);
}

void
ams_playlist_parsed_free (AmsPlaylistParsed *self)
{
  g_bytes_unref (self->text);
  g_array_unref (self->marks);
  g_free (self);
}

gchar *
ams_playlist_parsed_dup_uri (const AmsPlaylistParsed *self,
    const AmsPlaylistParsedSegment *segment)
{
  const gchar *data = g_bytes_get_data (self->text, NULL);

  return g_strndup (data + segment->uri_start, segment->uri_len);
}

/* ---- segments ---- */

struct _AmsPlaylistIter
{
  const AmsPlaylistParsed *parsed;
  AmsPlaylistParsed scratch; /* what the lines say again */
  Parser parser;
  gsize looked_at; /* pages up to here were given back */
};

const AmsPlaylistParsedSegment *
ams_playlist_iter_next (AmsPlaylistIter *self)
{
  Parser *parser = &self->parser;

  if (parser->line_start > self->looked_at + BLOCK_SIZE) {
    ams_shared_let_go (parser->data + self->looked_at,
        parser->line_start - self->looked_at);
    self->looked_at = parser->line_start;
  }
  parser->has_last = FALSE;
  while (!parser->has_last && parser->line_start < self->parsed->body_end) {
    if (!parse_next_line (parser, NULL))
      return NULL;
  }
  return parser->has_last ? &self->scratch.last : NULL;
}

AmsPlaylistIter *
ams_playlist_iter_new (const AmsPlaylistParsed *parsed, guint first)
{
  AmsPlaylistIter *self = g_new0 (AmsPlaylistIter, 1);
  guint mark = MIN (first / MARK_INTERVAL, parsed->marks->len);
  guint i;

  self->parsed = parsed;
  init_parser (&self->parser, &self->scratch, parsed->text);
  if (mark > 0) {
    self->parser.line_start = self->parser.segment.start =
        g_array_index (parsed->marks, gsize, mark - 1);
    self->scratch.n_segments = mark * MARK_INTERVAL;
  }
  self->looked_at = self->parser.line_start;
  for (i = mark * MARK_INTERVAL; i < first; i++)
    ams_playlist_iter_next (self);
  return self;
}

void
ams_playlist_iter_free (AmsPlaylistIter *self)
{
  g_free (self);
}
