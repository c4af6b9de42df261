/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsplaylistparser.h"

#include <string.h>

#define MAX_LINE (64 * 1024)
#define MAX_SECONDS (24 * 60 * 60)
#define MAX_SEQUENCE (G_GUINT64_CONSTANT (1) << 63)
/* RFC 8216bis goes up to here; what a later one means cannot be known. */
#define MAX_VERSION 12
#define NS_PER_SECOND G_GUINT64_CONSTANT (1000000000)

typedef struct
{
  const gchar *data;
  gsize len;
} Text;

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
  AmsPlaylistParsedSegment segment;
} Parser;

typedef gboolean (*TagFunc) (Parser *self, Text value, GError **error);

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

/* ---- values ---- */

static gboolean
text_equals (Text text, const gchar *string)
{
  return text.len == strlen (string) &&
      memcmp (text.data, string, text.len) == 0;
}

/* Decimal digits and nothing else, at most @max. */
static gboolean
read_integer (Text text, guint64 max, guint64 *value)
{
  gsize i;

  *value = 0;
  for (i = 0; i < text.len; i++) {
    if (!g_ascii_isdigit (text.data[i]) ||
        !g_uint64_checked_mul (value, *value, 10) ||
        !g_uint64_checked_add (value, *value, text.data[i] - '0') ||
        *value > max)
      return FALSE;
  }
  return text.len > 0;
}

/* "12" or "12.345" seconds into ns. Not g_ascii_strtod(), which takes "nan",
 * "inf", "0x1p3" and " -1e300"; what is finer than a ns is dropped. */
static gboolean
read_seconds (Text text, guint64 *ns)
{
  const gchar *dot = memchr (text.data, '.', text.len);
  Text whole = { text.data,
    dot != NULL ? (gsize) (dot - text.data) : text.len };
  guint64 seconds, unit = NS_PER_SECOND;
  gsize i;

  if (!read_integer (whole, MAX_SECONDS, &seconds))
    return FALSE;
  *ns = seconds * NS_PER_SECOND;
  if (dot != NULL && whole.len + 1 == text.len)
    return FALSE;
  for (i = whole.len + 1; i < text.len; i++) {
    if (!g_ascii_isdigit (text.data[i]))
      return FALSE;
    unit /= 10;
    *ns += unit * (text.data[i] - '0');
  }
  return *ns <= MAX_SECONDS * NS_PER_SECOND;
}

/* Takes @n digits, in a range, and, if it is not NUL, @separator behind them
 * off the front. */
static gboolean
take_number (Text *text, gsize n, guint min, guint max, gchar separator,
    guint *value)
{
  Text digits = { text->data, n };
  gsize taken = n + (separator != '\0');
  guint64 number;

  if (text->len < taken || !read_integer (digits, max, &number) ||
      number < min || (separator != '\0' && text->data[n] != separator))
    return FALSE;
  *value = number;
  text->data += taken;
  text->len -= taken;
  return TRUE;
}

static gboolean
take_char (Text *text, gchar c)
{
  if (text->len == 0 || *text->data != c)
    return FALSE;
  text->data++;
  text->len--;
  return TRUE;
}

static gboolean
take_fraction (Text *text, guint *us)
{
  guint unit = 1000000;

  *us = 0;
  if (!take_char (text, '.') && !take_char (text, ','))
    return TRUE;
  while (text->len > 0 && g_ascii_isdigit (*text->data)) {
    unit /= 10;
    *us += unit * (*text->data - '0');
    text->data++;
    text->len--;
  }
  return unit < 1000000;
}

/* "Z", "+01", "+0100", "+01:00"; *@known is FALSE when nothing is left. */
static gboolean
take_zone (Text *text, gint64 *offset, gboolean *known)
{
  gboolean west;
  guint hours, minutes = 0;

  *offset = 0;
  *known = text->len > 0;
  if (!*known || take_char (text, 'Z') || take_char (text, 'z'))
    return TRUE;
  west = take_char (text, '-');
  if (!west && !take_char (text, '+'))
    return FALSE;
  if (!take_number (text, 2, 0, 23, '\0', &hours))
    return FALSE;
  take_char (text, ':');
  if (text->len > 0 && !take_number (text, 2, 0, 59, '\0', &minutes))
    return FALSE;
  *offset = (gint64) (hours * 60 + minutes) * (west ? -60 : 60);
  return TRUE;
}

static gint64
to_unix (guint year, guint month, guint day)
{
  GDate date, epoch;

  g_date_clear (&date, 1);
  g_date_clear (&epoch, 1);
  g_date_set_dmy (&date, day, month, year);
  g_date_set_dmy (&epoch, 1, G_DATE_JANUARY, 1970);
  return (gint64) g_date_days_between (&epoch, &date) * 86400;
}

/* µs since 1970 UTC; 0 for a date without a zone, which says nothing. Not
 * g_date_time_new_from_iso8601(): its seconds are a double. */
static gboolean
read_date_time (Text text, gint64 *date_time)
{
  guint year, month, day, hour, minute, second, us;
  gint64 offset;
  gboolean known;

  if (!take_number (&text, 4, 1, 9999, '-', &year) ||
      !take_number (&text, 2, 1, 12, '-', &month) ||
      !take_number (&text, 2, 1, 31, 'T', &day) ||
      !g_date_valid_dmy (day, month, year) ||
      !take_number (&text, 2, 0, 23, ':', &hour) ||
      !take_number (&text, 2, 0, 59, ':', &minute) ||
      !take_number (&text, 2, 0, 60, '\0', &second) ||
      !take_fraction (&text, &us) || !take_zone (&text, &offset, &known) ||
      text.len > 0)
    return FALSE;
  *date_time = 0;
  if (known)
    *date_time = (to_unix (year, month, day) + hour * 3600 + minute * 60 +
                     second - offset) *
            G_USEC_PER_SEC +
        us;
  return TRUE;
}

/* ---- tags ---- */

static gboolean
on_version (Parser *self, Text value, GError **error)
{
  guint64 version;

  if (!read_integer (value, G_MAXUINT64, &version) || version < 1)
    return fail_invalid (self, error, "EXT-X-VERSION is not a version");
  if (version > MAX_VERSION)
    return fail (self, AMS_PLAYLIST_PARSER_ERROR_UNSUPPORTED, error,
        "EXT-X-VERSION is beyond %d", MAX_VERSION);
  self->out->version = version;
  return TRUE;
}

static gboolean
on_target_duration (Parser *self, Text value, GError **error)
{
  guint64 seconds;

  if (!read_integer (value, MAX_SECONDS, &seconds) || seconds < 1)
    return fail_invalid (self, error,
        "EXT-X-TARGETDURATION is not between 1 and %d", MAX_SECONDS);
  self->out->target_duration = seconds;
  return TRUE;
}

static gboolean
on_media_sequence (Parser *self, Text value, GError **error)
{
  if (!read_integer (value, MAX_SEQUENCE, &self->out->media_sequence))
    return fail_invalid (self, error,
        "EXT-X-MEDIA-SEQUENCE is not a number below 2^63");
  return TRUE;
}

static gboolean
on_discontinuity_sequence (Parser *self, Text value, GError **error)
{
  if (!read_integer (value, MAX_SEQUENCE, &self->out->discontinuity_sequence))
    return fail_invalid (self, error,
        "EXT-X-DISCONTINUITY-SEQUENCE is not a number below 2^63");
  if (self->segment.discontinuity)
    return fail_invalid (self, error,
        "EXT-X-DISCONTINUITY-SEQUENCE behind EXT-X-DISCONTINUITY");
  return TRUE;
}

static gboolean
on_playlist_type (Parser *self, Text value, GError **error)
{
  self->out->has_type = TRUE;
  if (text_equals (value, "EVENT"))
    self->out->type = AMS_PLAYLIST_EVENT;
  else if (text_equals (value, "VOD"))
    self->out->type = AMS_PLAYLIST_VOD;
  else
    return fail_invalid (self, error,
        "EXT-X-PLAYLIST-TYPE is neither EVENT nor VOD");
  return TRUE;
}

static gboolean
on_independent (Parser *self, Text value, GError **error)
{
  self->out->independent = TRUE;
  return TRUE;
}

static gboolean
on_extinf (Parser *self, Text value, GError **error)
{
  const gchar *comma = memchr (value.data, ',', value.len);

  if (self->has_extinf)
    return fail_invalid (self, error, "a second EXTINF without a URI between");
  if (comma == NULL)
    return fail_invalid (self, error, "EXTINF without a comma");
  value.len = comma - value.data;
  if (!read_seconds (value, &self->segment.duration))
    return fail_invalid (self, error,
        "EXTINF is not a decimal number of seconds up to a day");
  self->has_extinf = TRUE;
  return TRUE;
}

static gboolean
on_discontinuity (Parser *self, Text value, GError **error)
{
  self->segment.discontinuity = TRUE;
  return TRUE;
}

static gboolean
on_gap (Parser *self, Text value, GError **error)
{
  self->segment.gap = TRUE;
  return TRUE;
}

static gboolean
on_date_time (Parser *self, Text value, GError **error)
{
  if (!read_date_time (value, &self->segment.date_time))
    return fail_invalid (self, error,
        "EXT-X-PROGRAM-DATE-TIME is not a date and time");
  return TRUE;
}

/* Attributes are not taken apart: METHOD=NONE stands alone. */
static gboolean
on_key (Parser *self, Text value, GError **error)
{
  if (value.len == 0)
    return fail_invalid (self, error, "EXT-X-KEY without attributes");
  self->out->encrypted = !text_equals (value, "METHOD=NONE");
  return TRUE;
}

static gboolean
on_map (Parser *self, Text value, GError **error)
{
  if (value.len == 0)
    return fail_invalid (self, error, "EXT-X-MAP without attributes");
  self->out->has_map = TRUE;
  return TRUE;
}

static gboolean
on_unsupported (Parser *self, Text value, GError **error)
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
  if (self->out->segments->len > 0)
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
parse_tag (Parser *self, const Tag *tag, Text line, GError **error)
{
  gsize n = strlen (tag->name);
  Text value = { line.data + line.len, 0 };

  if (tag->has_value != (line.len > n))
    return fail_invalid (self, error, "%s with%s a value", tag->name + 1,
        tag->has_value ? "out" : "");
  if (line.len > n)
    value = (Text){ line.data + n + 1, line.len - n - 1 };
  if (tag->line == AMS_PLAYLIST_LINE_HEADER && tag->func != on_unsupported &&
      !check_header_tag (self, tag, error))
    return FALSE;
  if (tag->line == AMS_PLAYLIST_LINE_SEGMENT)
    begin_segment (self);
  return tag->func == NULL || tag->func (self, value, error);
}

static gboolean
parse_uri (Parser *self, Text line, gsize end, GError **error)
{
  GArray *segments = self->out->segments;

  if (!self->has_extinf)
    return fail_invalid (self, error, "a URI without EXTINF");
  if (segments->len == AMS_PLAYLIST_MAX_SEGMENTS)
    return fail (self, AMS_PLAYLIST_PARSER_ERROR_TOO_LARGE, error,
        "more than %d segments", AMS_PLAYLIST_MAX_SEGMENTS);
  self->segment.uri_start = line.data - self->data;
  self->segment.uri_len = line.len;
  self->segment.end = end;
  if (segments->len == 0)
    self->segment.start = self->out->header_end = self->first_start;
  g_array_append_val (segments, self->segment);

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
parse_line (Parser *self, Text line, gsize end, GError **error)
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
check_last_line (Parser *self, Text line, GError **error)
{
  if (text_equals (line, "#EXT-X-ENDLIST"))
    return TRUE;
  return fail (self, AMS_PLAYLIST_PARSER_ERROR_TRUNCATED, error,
      "the text ends within a line");
}

static gboolean
parse_lines (Parser *self, GError **error)
{
  while (self->line_start < self->size) {
    const gchar *start = self->data + self->line_start;
    gsize left = self->size - self->line_start;
    const gchar *newline = memchr (start, '\n', left);
    Text line = { start, newline != NULL ? (gsize) (newline - start) : left };
    gsize end = self->line_start + line.len + (newline != NULL);

    self->line_number++;
    if (newline == NULL && !check_last_line (self, line, error))
      return FALSE;
    if (newline != NULL && line.len > 0 && newline[-1] == '\r')
      line.len--;
    if (!parse_line (self, line, end, error))
      return FALSE;
    self->line_start = end;
  }
  return check_complete (self, "the end", error);
}

/* ---- the whole ---- */

static gboolean
check_playlist (Parser *self, GError **error)
{
  if (self->out->target_duration == 0)
    return fail_invalid (self, error, "no EXT-X-TARGETDURATION");
  if (self->out->media_sequence + self->out->segments->len >= MAX_SEQUENCE ||
      self->out->discontinuity_sequence + self->out->segments->len >=
          MAX_SEQUENCE)
    return fail_invalid (self, error, "sequence numbers beyond 2^63");
  return TRUE;
}

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
begins_as_playlist (const gchar *data, gsize size)
{
  return size >= 7 && memcmp (data, "#EXTM3U", 7) == 0 &&
      (size == 7 || data[7] == '\n' || data[7] == '\r');
}

/* The cheap checks first: 100 MB of something else are refused at once. */
static gboolean
check_text (const gchar *data, gsize size, GError **error)
{
  const gchar *what = NULL;

  if (size > AMS_PLAYLIST_MAX_SIZE) {
    g_set_error (error, AMS_PLAYLIST_PARSER_ERROR,
        AMS_PLAYLIST_PARSER_ERROR_TOO_LARGE,
        "%" G_GSIZE_FORMAT " bytes are more than the %d a playlist may have",
        size, AMS_PLAYLIST_MAX_SIZE);
    return FALSE;
  }
  if (size >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    what = "a byte order mark before #EXTM3U";
  else if (!begins_as_playlist (data, size))
    what = "it does not begin with #EXTM3U";
  else if (!g_utf8_validate_len (data, size, NULL))
    what = "it is not UTF-8";
  else if (has_control_characters ((const guchar *) data, size))
    what = "it has control characters";
  if (what == NULL)
    return TRUE;
  g_set_error (error, AMS_PLAYLIST_PARSER_ERROR,
      AMS_PLAYLIST_PARSER_ERROR_NOT_A_PLAYLIST, "not a playlist: %s", what);
  return FALSE;
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
  out->segments = g_array_new (FALSE, FALSE, sizeof (AmsPlaylistParsedSegment));
  return out;
}

AmsPlaylistParsed *
ams_playlist_parse (GBytes *text, GError **error)
{
  g_autoptr (AmsPlaylistParsed) out = new_parsed (text);
  Parser self = { .out = out,
    .first_start = G_MAXSIZE,
    .unknown_start = G_MAXSIZE };

  self.data = g_bytes_get_data (text, &self.size);
  if (!check_text (self.data, self.size, error) ||
      !parse_lines (&self, error) || !check_playlist (&self, error))
    return NULL;
  if (out->header_end == G_MAXSIZE)
    out->header_end = out->body_end;
  return g_steal_pointer (&out);
}

void
ams_playlist_parsed_free (AmsPlaylistParsed *self)
{
  g_bytes_unref (self->text);
  g_array_unref (self->segments);
  g_free (self);
}

static const AmsPlaylistParsedSegment *
get_segment (const AmsPlaylistParsed *self, guint i)
{
  return &g_array_index (self->segments, AmsPlaylistParsedSegment, i);
}

gchar *
ams_playlist_parsed_uri (const AmsPlaylistParsed *self, guint i)
{
  const AmsPlaylistParsedSegment *segment = get_segment (self, i);
  const gchar *data = g_bytes_get_data (self->text, NULL);

  return g_strndup (data + segment->uri_start, segment->uri_len);
}

gint64
ams_playlist_parsed_end_date (const AmsPlaylistParsed *self)
{
  guint64 duration = 0;
  guint i;

  for (i = self->segments->len; i > 0; i--) {
    const AmsPlaylistParsedSegment *segment = get_segment (self, i - 1);

    duration += segment->duration;
    if (segment->date_time != 0)
      return segment->date_time + (gint64) (duration / 1000);
  }
  return 0;
}
