/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsplaylist.h"
#include "amsplaylistparser.h"

#include <string.h>

/* AMS_FILES_PAGE_SIZE, which is declared where GStreamer is known. */
#define PAGE_SIZE 4096

/* What decimal EXTINFs need; nothing else that is written here needs more
 * (hls-rules 8). */
#define VERSION 3

#define US_PER_SECOND G_GUINT64_CONSTANT (1000000)

/* Key systems in use at once, far more than there are. */
#define MAX_IN_FORCE 32

/* The text of an event or vod playlist. Versions handed out hold a reference;
 * what they show is never written to again, only the bytes behind it. */
typedef struct
{
  gint refs; /* atomic: a version may be freed by any thread */
  gsize size;
  gchar data[];
} Arena;

typedef struct
{
  AmsPlaylistSegment *segment;
  GString *lines;
  guint discontinuities; /* an earlier playlist may have several in a row */
} LiveSegment;

struct _AmsPlaylist
{
  AmsPlaylistType type;
  guint target_duration;
  guint window;
  guint version;
  guint64 first_sequence;
  guint64 discontinuity_sequence;
  guint length;
  guint64 duration;
  guint64 carry; /* ns that are not yet printed in any EXTINF */
  gboolean encrypted; /* what is added must be said to be clear */
  gboolean ended;
  GString *header; /* what the header has beyond what is kept here */

  /* event, vod */
  Arena *arena;
  gsize used;
  gsize
      published; /* length of the version last rendered; 0: the next extends none */

  /* live */
  GQueue segments; /* LiveSegment */
  GPtrArray *in_force; /* lines of segments that left and still apply */
};

/* ---- arena ---- */

static Arena *
arena_new (gsize size)
{
  Arena *arena = g_malloc (sizeof (Arena) + size);

  arena->refs = 1;
  arena->size = size;
  return arena;
}

static Arena *
arena_ref (Arena *arena)
{
  g_atomic_int_inc (&arena->refs);
  return arena;
}

static void
arena_unref (gpointer data)
{
  Arena *arena = data;

  if (g_atomic_int_dec_and_test (&arena->refs))
    g_free (arena);
}

static void
set_arena (AmsPlaylist *self, Arena *arena)
{
  if (self->arena != NULL)
    arena_unref (self->arena);
  self->arena = arena;
}

/* A new arena even where this one could be extended in place: versions point
 * into it. */
static void
append_text (AmsPlaylist *self, const gchar *text, gsize len)
{
  if (self->used + len > self->arena->size) {
    Arena *larger = arena_new (2 * MAX (self->arena->size, len));

    memcpy (larger->data, self->arena->data, self->used);
    set_arena (self, larger);
  }
  memcpy (self->arena->data + self->used, text, len);
  self->used += len;
}

/* Versions handed out keep the text as it was. */
static void
replace_text (AmsPlaylist *self, gsize start, gsize len, const gchar *text)
{
  Arena *old = arena_ref (self->arena);
  gsize used = self->used;

  set_arena (self, arena_new (old->size + strlen (text)));
  self->used = self->published = 0;
  append_text (self, old->data, start);
  append_text (self, text, strlen (text));
  append_text (self, old->data + start + len, used - start - len);
  arena_unref (old);
}

static void
fill_page (AmsPlaylist *self, gsize left)
{
  g_autofree gchar *line = g_strnfill (left, ' ');

  if (left > 1)
    line[0] = '#';
  line[left - 1] = '\n';
  append_text (self, line, left);
}

/* Adds lines that a reader must see together, see ams_playlist_render(). */
static void
append_group (AmsPlaylist *self, const gchar *text, gsize len)
{
  gsize left = PAGE_SIZE - self->used % PAGE_SIZE;

  if (len > PAGE_SIZE)
    self->published = 0;
  if (self->published > 0 && len > left)
    fill_page (self, left);
  append_text (self, text, len);
}

/* ---- lines ---- */

typedef struct
{
  const gchar *text;
  gsize len; /* without the line end */
  gsize start, end; /* with it */
} Line;

static void
set_line (Line *line, const gchar *text, gsize start, gsize end)
{
  line->text = text + start;
  line->start = start;
  line->end = end;
  line->len = end - start - 1;
  if (line->len > 0 && line->text[line->len - 1] == '\r')
    line->len--;
}

/* @text ends with a line end, as do the parts of it that are given here. */
static gboolean
next_line (const gchar *text, gsize len, gsize *pos, Line *line)
{
  const gchar *newline;

  if (*pos >= len)
    return FALSE;
  newline = memchr (text + *pos, '\n', len - *pos);
  set_line (line, text, *pos, newline - text + 1);
  *pos = line->end;
  return TRUE;
}

static gboolean
previous_line (const gchar *text, gsize *pos, Line *line)
{
  gsize start;

  if (*pos == 0)
    return FALSE;
  for (start = *pos - 1; start > 0 && text[start - 1] != '\n'; start--)
    ;
  set_line (line, text, start, *pos);
  *pos = start;
  return TRUE;
}

static gboolean
line_is (const Line *line, const gchar *tag)
{
  return ams_playlist_line_is (line->text, line->len, tag);
}

static AmsPlaylistLine
classify (const Line *line)
{
  return ams_playlist_line_classify (line->text, line->len);
}

static gboolean
find_header_line (AmsPlaylist *self, const gchar *tag, Line *line)
{
  gsize pos = 0;

  while (next_line (self->arena->data, self->used, &pos, line)) {
    if (classify (line) == AMS_PLAYLIST_LINE_URI)
      return FALSE;
    if (line_is (line, tag))
      return TRUE;
  }
  return FALSE;
}

static void
set_header_number (AmsPlaylist *self, const gchar *tag, guint number)
{
  g_autofree gchar *text = g_strdup_printf ("%s:%u", tag, number);
  g_autofree gchar *whole = g_strconcat (text, "\n", NULL);
  gsize pos = 0;
  Line line;

  if (find_header_line (self, tag, &line))
    replace_text (self, line.start, line.len, text);
  else if (next_line (self->arena->data, self->used, &pos, &line))
    replace_text (self, line.end, 0, whole); /* after #EXTM3U */
}

/* The last line that is @uri, looked for from the end since it is mostly the
 * newest segments that a store gives up. */
static gboolean
find_uri (const gchar *text, gsize *pos, const gchar *uri)
{
  gsize len = strlen (uri);
  Line line;

  while (previous_line (text, pos, &line)) {
    if (line.len == len && memcmp (line.text, uri, len) == 0)
      return TRUE;
  }
  return FALSE;
}

/* *@place: where in @text an EXT-X-GAP for @uri goes, *@marked: it has one. */
static gboolean
find_gap_place (const gchar *text, gsize len, const gchar *uri, gsize *place,
    gboolean *marked)
{
  gsize pos = len;
  Line line;

  *marked = FALSE;
  if (!find_uri (text, &pos, uri))
    return FALSE;
  *place = pos;
  while (previous_line (text, &pos, &line) &&
      classify (&line) != AMS_PLAYLIST_LINE_URI) {
    if (line_is (&line, "#EXT-X-GAP"))
      *marked = TRUE;
    if (line_is (&line, "#EXTINF") ||
        line_is (&line, "#EXT-X-PROGRAM-DATE-TIME"))
      *place = line.start;
  }
  return TRUE;
}

/* ---- writing ---- */

static void
write_header (AmsPlaylist *self, GString *out)
{
  g_string_append_printf (out,
      "#EXTM3U\n#EXT-X-VERSION:%u\n"
      "#EXT-X-TARGETDURATION:%u\n#EXT-X-MEDIA-SEQUENCE:%" G_GUINT64_FORMAT "\n",
      self->version, self->target_duration, self->first_sequence);
  if (self->type == AMS_PLAYLIST_LIVE)
    g_string_append_printf (out,
        "#EXT-X-DISCONTINUITY-SEQUENCE:%" G_GUINT64_FORMAT "\n",
        self->discontinuity_sequence);
  else
    g_string_append_printf (out, "#EXT-X-PLAYLIST-TYPE:%s\n",
        self->type == AMS_PLAYLIST_VOD ? "VOD" : "EVENT");
  g_string_append_len (out, self->header->str, self->header->len);
}

static void
write_date_time (GString *out, gint64 us)
{
  gint64 second = us / G_USEC_PER_SEC - (us % G_USEC_PER_SEC < 0);
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (second);

  if (date == NULL) /* beyond the year 9999 */
    return;
  g_string_append_printf (out,
      "#EXT-X-PROGRAM-DATE-TIME:%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\n",
      g_date_time_get_year (date), g_date_time_get_month (date),
      g_date_time_get_day_of_month (date), g_date_time_get_hour (date),
      g_date_time_get_minute (date), g_date_time_get_second (date),
      (gint) ((us - second * G_USEC_PER_SEC) / 1000));
}

static void
write_segment (AmsPlaylist *self, GString *out,
    const AmsPlaylistSegment *segment, guint64 us)
{
  if (self->encrypted)
    g_string_append (out, "#EXT-X-KEY:METHOD=NONE\n");
  self->encrypted = FALSE;
  if (segment->discontinuity)
    g_string_append (out, "#EXT-X-DISCONTINUITY\n");
  if (segment->gap)
    g_string_append (out, "#EXT-X-GAP\n");
  if (segment->date_time != 0)
    write_date_time (out, segment->date_time);
  g_string_append_printf (out, "#EXTINF:%" G_GUINT64_FORMAT ".%06u,\n%s\n",
      us / US_PER_SECOND, (guint) (us % US_PER_SECOND), segment->uri);
}

/* The header is only written when it is needed: the first sequence number may
 * come late. */
static void
ensure_text (AmsPlaylist *self)
{
  g_autoptr (GString) header = NULL;

  if (self->arena != NULL)
    return;
  header = g_string_new (NULL);
  write_header (self, header);
  self->used = self->published = 0;
  self->arena = arena_new (4 * PAGE_SIZE);
  append_text (self, header->str, header->len);
}

/* ---- live ---- */

static void
free_live_segment (gpointer data)
{
  LiveSegment *live = data;

  g_clear_pointer (&live->segment, ams_playlist_segment_free);
  g_string_free (live->lines, TRUE);
  g_free (live);
}

static guint
count_discontinuities (const GString *lines)
{
  guint count = 0;
  gsize pos = 0;
  Line line;

  while (next_line (lines->str, lines->len, &pos, &line))
    count += line_is (&line, "#EXT-X-DISCONTINUITY");
  return count;
}

/* @segment, @lines: (transfer full) */
static void
push_live (AmsPlaylist *self, AmsPlaylistSegment *segment, GString *lines)
{
  LiveSegment *live = g_new0 (LiveSegment, 1);

  live->segment = segment;
  live->lines = lines;
  live->discontinuities = count_discontinuities (lines);
  g_queue_push_tail (&self->segments, live);
}

/* What a KEY, MAP or BITRATE line replaces begins so; keys of different
 * formats apply at once. */
static gchar *
get_force_prefix (const gchar *line, gchar **format)
{
  const gchar *start = strstr (line, "KEYFORMAT=\""), *end;

  *format = NULL;
  if (g_str_has_prefix (line, "#EXT-X-KEY:") && start != NULL) {
    start += strlen ("KEYFORMAT=\"");
    end = strchr (start, '"');
    if (end != NULL && strncmp (start, "identity\"", 9) != 0)
      *format = g_strndup (start, end - start);
  }
  return g_strndup (line, strcspn (line, ":") + 1);
}

static void
drop_replaced (AmsPlaylist *self, const gchar *line)
{
  g_autofree gchar *format = NULL;
  g_autofree gchar *prefix = get_force_prefix (line, &format);
  gboolean all = g_str_has_prefix (line, "#EXT-X-KEY:METHOD=NONE");
  guint i = self->in_force->len;

  while (i-- > 0) {
    const gchar *other = g_ptr_array_index (self->in_force, i);
    g_autofree gchar *other_format = NULL;
    g_autofree gchar *other_prefix = get_force_prefix (other, &other_format);

    if (g_str_equal (prefix, other_prefix) &&
        (all || g_strcmp0 (format, other_format) == 0))
      g_ptr_array_remove_index (self->in_force, i);
  }
}

/* Lines that apply to later segments too must not leave with theirs. */
static void
keep_in_force (AmsPlaylist *self, const GString *lines)
{
  gsize pos = 0;
  Line line;

  while (next_line (lines->str, lines->len, &pos, &line)) {
    g_autofree gchar *text = NULL;

    if (!line_is (&line, "#EXT-X-KEY") && !line_is (&line, "#EXT-X-MAP") &&
        !line_is (&line, "#EXT-X-BITRATE"))
      continue;
    text = g_strndup (line.text, line.len);
    drop_replaced (self, text);
    if (g_str_has_prefix (text, "#EXT-X-KEY:METHOD=NONE"))
      continue;
    if (self->in_force->len == MAX_IN_FORCE)
      g_ptr_array_remove_index (self->in_force, 0);
    g_ptr_array_add (self->in_force, g_steal_pointer (&text));
  }
}

static gboolean
first_may_leave (AmsPlaylist *self)
{
  LiveSegment *first = g_queue_peek_head (&self->segments);
  guint64 least = US_PER_SECOND * 1000 * 3 * self->target_duration;

  return first != NULL && self->window > 0 && !self->ended &&
      self->length > self->window &&
      self->duration >= least + first->segment->duration;
}

GPtrArray *
ams_playlist_slide (AmsPlaylist *self)
{
  GPtrArray *left = g_ptr_array_new_with_free_func (
      (GDestroyNotify) ams_playlist_segment_free);

  while (first_may_leave (self)) {
    LiveSegment *first = g_queue_pop_head (&self->segments);

    keep_in_force (self, first->lines);
    self->first_sequence++;
    self->discontinuity_sequence += first->discontinuities;
    self->length--;
    self->duration -= first->segment->duration;
    g_ptr_array_add (left, g_steal_pointer (&first->segment));
    free_live_segment (first);
  }
  return left;
}

static GBytes *
render_live (AmsPlaylist *self)
{
  GString *out = g_string_new (NULL);
  GList *item;
  guint i;

  write_header (self, out);
  for (i = 0; i < self->in_force->len; i++)
    g_string_append_printf (out, "%s\n",
        (const gchar *) g_ptr_array_index (self->in_force, i));
  for (item = self->segments.head; item != NULL; item = item->next) {
    LiveSegment *live = item->data;

    g_string_append_len (out, live->lines->str, live->lines->len);
  }
  if (self->ended)
    g_string_append (out, "#EXT-X-ENDLIST\n");
  return g_string_free_to_bytes (out);
}

static gboolean
mark_gap_live (AmsPlaylist *self, const gchar *uri)
{
  GList *item;
  gboolean marked;
  gsize place;

  for (item = self->segments.tail; item != NULL; item = item->prev) {
    LiveSegment *live = item->data;

    if (!find_gap_place (live->lines->str, live->lines->len, uri, &place,
            &marked))
      continue;
    live->segment->gap = TRUE;
    if (!marked)
      g_string_insert (live->lines, place, "#EXT-X-GAP\n");
    return TRUE;
  }
  return FALSE;
}

/* ---- making one ---- */

static AmsPlaylist *
new_playlist (AmsPlaylistType type, guint target_duration, guint window)
{
  AmsPlaylist *self = g_new0 (AmsPlaylist, 1);

  self->type = type;
  self->target_duration = MAX (target_duration, 1);
  self->window = window;
  self->version = VERSION;
  self->header = g_string_new (NULL);
  self->in_force = g_ptr_array_new_with_free_func (g_free);
  g_queue_init (&self->segments);
  return self;
}

AmsPlaylist *
ams_playlist_new (AmsPlaylistType type, guint target_duration, guint window,
    gboolean independent)
{
  AmsPlaylist *self = new_playlist (type, target_duration, window);

  if (independent)
    g_string_append (self->header, "#EXT-X-INDEPENDENT-SEGMENTS\n");
  return self;
}

void
ams_playlist_set_first_sequence (AmsPlaylist *self, guint64 sequence)
{
  g_return_if_fail (self->length == 0 && !self->ended);

  self->first_sequence = sequence;
  set_arena (self, NULL);
}

static gboolean
is_written_anew (const Line *line)
{
  return line_is (line, "#EXTM3U") || line_is (line, "#EXT-X-VERSION") ||
      line_is (line, "#EXT-X-TARGETDURATION") ||
      line_is (line, "#EXT-X-MEDIA-SEQUENCE") ||
      line_is (line, "#EXT-X-DISCONTINUITY-SEQUENCE") ||
      line_is (line, "#EXT-X-PLAYLIST-TYPE");
}

/* Up to the first segment's end, where tags of the playlist and of the segment
 * may alternate. */
static GString *
keep_header (AmsPlaylist *self, const AmsPlaylistParsed *earlier, gsize end)
{
  const gchar *text = g_bytes_get_data (earlier->text, NULL);
  GString *lines = g_string_new (NULL);
  gsize pos = 0;
  Line line;

  while (next_line (text, end, &pos, &line)) {
    gboolean header = classify (&line) == AMS_PLAYLIST_LINE_HEADER ||
        line.start < earlier->header_end;

    if (!is_written_anew (&line))
      g_string_append_len (header ? self->header : lines, line.text,
          line.end - line.start);
  }
  return lines;
}

static void
keep_segment (AmsPlaylist *self, const AmsPlaylistParsed *earlier, guint i)
{
  const gchar *text = g_bytes_get_data (earlier->text, NULL);
  const AmsPlaylistParsedSegment *parsed =
      &g_array_index (earlier->segments, AmsPlaylistParsedSegment, i);
  g_autofree gchar *uri = ams_playlist_parsed_uri (earlier, i);
  GString *lines;

  if (i == 0)
    lines = keep_header (self, earlier, parsed->end);
  else
    lines =
        g_string_new_len (text + parsed->start, parsed->end - parsed->start);
  push_live (self,
      ams_playlist_segment_new (uri, parsed->duration, parsed->date_time,
          parsed->discontinuity, parsed->gap),
      lines);
}

/* Comments behind the last segment, and behind ENDLIST. */
static void
keep_tail (AmsPlaylist *self, const AmsPlaylistParsed *earlier)
{
  LiveSegment *last = g_queue_peek_tail (&self->segments);
  GString *lines = last != NULL ? last->lines : self->header;
  const AmsPlaylistParsedSegment *parsed;
  gsize size;
  const gchar *text = g_bytes_get_data (earlier->text, &size);

  if (last != NULL) {
    parsed = &g_array_index (earlier->segments, AmsPlaylistParsedSegment,
        earlier->segments->len - 1);
    g_string_append_len (lines, text + parsed->end,
        earlier->body_end - parsed->end);
  } else {
    g_string_free (keep_header (self, earlier, earlier->body_end), TRUE);
  }
  g_string_append_len (lines, text + earlier->tail_start,
      size - earlier->tail_start);
}

static void
keep_text (AmsPlaylist *self, const AmsPlaylistParsed *earlier)
{
  gsize size;
  const gchar *text = g_bytes_get_data (earlier->text, &size);

  self->arena = arena_new (size + 4 * PAGE_SIZE);
  append_text (self, text, earlier->body_end);
  append_text (self, text + earlier->tail_start, size - earlier->tail_start);
}

AmsPlaylist *
ams_playlist_continue (const AmsPlaylistParsed *earlier, AmsPlaylistType type,
    guint window)
{
  AmsPlaylist *self = new_playlist (type, earlier->target_duration, window);
  guint i;

  self->version = earlier->version;
  self->first_sequence = earlier->media_sequence;
  self->discontinuity_sequence = earlier->discontinuity_sequence;
  self->length = earlier->segments->len;
  self->encrypted = earlier->encrypted;
  for (i = 0; i < earlier->segments->len; i++) {
    self->duration +=
        g_array_index (earlier->segments, AmsPlaylistParsedSegment, i).duration;
    if (type == AMS_PLAYLIST_LIVE)
      keep_segment (self, earlier, i);
  }
  if (type == AMS_PLAYLIST_LIVE)
    keep_tail (self, earlier);
  else
    keep_text (self, earlier);
  return self;
}

void
ams_playlist_free (AmsPlaylist *self)
{
  set_arena (self, NULL);
  g_queue_clear_full (&self->segments, free_live_segment);
  g_ptr_array_unref (self->in_force);
  g_string_free (self->header, TRUE);
  g_free (self);
}

/* ---- what it holds ---- */

guint
ams_playlist_get_target_duration (AmsPlaylist *self)
{
  return self->target_duration;
}

guint64
ams_playlist_get_next_sequence (AmsPlaylist *self)
{
  return self->first_sequence + self->length;
}

guint64
ams_playlist_get_first_sequence (AmsPlaylist *self)
{
  return self->first_sequence;
}

guint
ams_playlist_get_length (AmsPlaylist *self)
{
  return self->length;
}

guint64
ams_playlist_get_duration (AmsPlaylist *self)
{
  return self->duration;
}

/* What is cut off is not lost: it is printed with the next one, so the sum is
 * never 1 µs off. */
static guint64
take_microseconds (AmsPlaylist *self, guint64 duration)
{
  guint64 ns = duration + self->carry;

  self->carry = ns % 1000;
  return ns / 1000;
}

static gboolean
raise_target (AmsPlaylist *self, guint64 us)
{
  guint64 rounded = (us + US_PER_SECOND / 2) / US_PER_SECOND;

  if (rounded <= self->target_duration)
    return FALSE;
  self->target_duration = MIN (rounded, G_MAXUINT);
  if (self->type != AMS_PLAYLIST_LIVE)
    set_header_number (self, "#EXT-X-TARGETDURATION", self->target_duration);
  return TRUE;
}

static void
raise_version (AmsPlaylist *self)
{
  if (self->version >= VERSION)
    return;
  self->version = VERSION;
  if (self->type != AMS_PLAYLIST_LIVE)
    set_header_number (self, "#EXT-X-VERSION", self->version);
}

gboolean
ams_playlist_add (AmsPlaylist *self, const AmsPlaylistSegment *segment)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  guint64 us = take_microseconds (self, segment->duration);
  gboolean raised;

  g_return_val_if_fail (!self->ended, FALSE);

  if (self->type != AMS_PLAYLIST_LIVE)
    ensure_text (self);
  raised = raise_target (self, us);
  raise_version (self);
  write_segment (self, lines, segment, us);
  self->length++;
  self->duration += segment->duration;
  if (self->type == AMS_PLAYLIST_LIVE)
    push_live (self,
        ams_playlist_segment_new (segment->uri, segment->duration,
            segment->date_time, segment->discontinuity, segment->gap),
        g_steal_pointer (&lines));
  else
    append_group (self, lines->str, lines->len);
  return raised;
}

gboolean
ams_playlist_mark_gap (AmsPlaylist *self, const gchar *uri)
{
  gboolean marked;
  gsize place;

  if (self->type == AMS_PLAYLIST_LIVE)
    return mark_gap_live (self, uri);
  if (self->length == 0 ||
      !find_gap_place (self->arena->data, self->used, uri, &place, &marked))
    return FALSE;
  if (!marked)
    replace_text (self, place, 0, "#EXT-X-GAP\n");
  return TRUE;
}

void
ams_playlist_end (AmsPlaylist *self)
{
  static const gchar line[] = "#EXT-X-ENDLIST\n";

  if (self->ended)
    return;
  self->ended = TRUE;
  if (self->type == AMS_PLAYLIST_LIVE)
    return;
  ensure_text (self);
  append_group (self, line, strlen (line));
}

GBytes *
ams_playlist_render (AmsPlaylist *self, guint64 *extends)
{
  *extends = 0;
  if (self->type == AMS_PLAYLIST_LIVE)
    return render_live (self);
  ensure_text (self);
  *extends = self->published;
  self->published = self->used;
  return g_bytes_new_with_free_func (self->arena->data, self->used, arena_unref,
      arena_ref (self->arena));
}

/* ---- segments ---- */

AmsPlaylistSegment *
ams_playlist_segment_new (const gchar *uri, guint64 duration, gint64 date_time,
    gboolean discontinuity, gboolean gap)
{
  AmsPlaylistSegment *segment = g_new0 (AmsPlaylistSegment, 1);

  segment->uri = g_strdup (uri);
  segment->duration = duration;
  segment->date_time = date_time;
  segment->discontinuity = discontinuity;
  segment->gap = gap;
  return segment;
}

void
ams_playlist_segment_free (AmsPlaylistSegment *segment)
{
  g_free (segment->uri);
  g_free (segment);
}

static void
append_root (GString *out, const gchar *root)
{
  gboolean utf8 = g_utf8_validate (root, -1, NULL);
  const guchar *p;

  for (p = (const guchar *) root; *p != '\0'; p++) {
    gboolean c1 = *p == 0xc2 && p[1] < 0xa0;

    if (c1)
      g_string_append_printf (out, "%%%02X", *p++);
    if (c1 || *p <= ' ' || *p == 0x7f || (*p >= 0x80 && !utf8) ||
        (*p == '#' && out->len == 0))
      g_string_append_printf (out, "%%%02X", *p);
    else
      g_string_append_c (out, *p);
  }
  if (out->len > 0 && out->str[out->len - 1] != '/')
    g_string_append_c (out, '/');
}

gchar *
ams_playlist_uri (const gchar *root, const gchar *name)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean first = TRUE;
  const gchar *p;

  if (root != NULL)
    append_root (out, root);
  for (p = name; *p != '\0'; p++) {
    first = first && *p != '/';
    if (g_ascii_isalnum (*p) || strchr ("-._~!$&'()*+,;=@/", *p) != NULL ||
        (*p == ':' && !first))
      g_string_append_c (out, *p);
    else
      g_string_append_printf (out, "%%%02X", (guchar) *p);
  }
  return g_strdup (out->str);
}
