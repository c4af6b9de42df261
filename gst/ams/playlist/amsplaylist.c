/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsplaylist.h"

#include "amsplaylistline.h"
#include "amsplaylistparser.h"
#include "amsplaylisttext.h"
#include "amsplaylistwindow.h"
#include "files/amsgather.h"

#include <string.h>

/* AMS_FILES_PAGE_SIZE, which is declared where GStreamer is known. */
#define PAGE_SIZE 4096

/* What decimal EXTINFs need, what byte ranges and I-frames need, and what EXT-X-MAP
 * needs among I-frames and elsewhere (hls-rules 8). */
#define VERSION 3
#define VERSION_RANGES 4
#define VERSION_MAP_OF_IFRAMES 5
#define VERSION_MAP 6

#define US_PER_SECOND G_GUINT64_CONSTANT (1000000)

#define INDEPENDENT "#EXT-X-INDEPENDENT-SEGMENTS"

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
  gboolean iframes_only;
  gboolean ended;
  GString *header; /* what the header has beyond what is kept here */

  /* event, vod */
  AmsPlaylistText *text; /* NULL: the header is not written yet */
  /* Length of the version last rendered; 0: the next one extends none */
  gsize published;

  /* live */
  AmsPlaylistWindow *segments;
};

static void
fill_page (AmsPlaylist *self, gsize left)
{
  g_autofree gchar *line = g_strnfill (left, ' ');

  if (left > 1)
    line[0] = '#';
  line[left - 1] = '\n';
  ams_playlist_text_add (self->text, line, left);
}

/* Adds lines that a reader must see together, see ams_playlist_render(). */
static void
append_group (AmsPlaylist *self, const gchar *text, gsize len)
{
  gsize left = PAGE_SIZE - ams_playlist_text_get_size (self->text) % PAGE_SIZE;

  if (len > PAGE_SIZE)
    self->published = 0;
  if (self->published > 0 && len > left)
    fill_page (self, left);
  ams_playlist_text_add (self->text, text, len);
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
  if (segment->map)
    g_string_append_printf (out, "#EXT-X-MAP:URI=\"%s\"\n", segment->map);
  if (segment->gap)
    g_string_append (out, "#EXT-X-GAP\n");
  if (segment->date_time != 0)
    write_date_time (out, segment->date_time);
  g_string_append_printf (out, "#EXTINF:%" G_GUINT64_FORMAT ".%06u,\n",
      us / US_PER_SECOND, (guint) (us % US_PER_SECOND));
  if (segment->range_size > 0)
    g_string_append_printf (out,
        "#EXT-X-BYTERANGE:%" G_GUINT64_FORMAT "@%" G_GUINT64_FORMAT "\n",
        segment->range_size, segment->range_offset);
  g_string_append_printf (out, "%s\n", segment->uri);
}

/* The header is only written when it is needed: the first sequence number may
 * come late. */
static void
ensure_text (AmsPlaylist *self)
{
  g_autoptr (GString) header = NULL;

  if (self->text != NULL)
    return;
  header = g_string_new (NULL);
  write_header (self, header);
  self->published = 0;
  self->text = ams_playlist_text_new ();
  ams_playlist_text_add (self->text, header->str, header->len);
}

/* ---- live ---- */

static gboolean
first_may_leave (AmsPlaylist *self)
{
  const AmsPlaylistSegment *first = ams_playlist_window_peek (self->segments);
  guint64 least = US_PER_SECOND * 1000 * 3 * self->target_duration;

  return first != NULL && self->window > 0 && !self->ended &&
      self->length > self->window && self->duration >= least + first->duration;
}

static AmsPlaylistSegment *
pop_first (AmsPlaylist *self)
{
  guint discontinuities;
  AmsPlaylistSegment *first =
      ams_playlist_window_pop (self->segments, &discontinuities);

  self->first_sequence++;
  self->discontinuity_sequence += discontinuities;
  self->length--;
  self->duration -= first->duration;
  return first;
}

GPtrArray *
ams_playlist_slide (AmsPlaylist *self)
{
  GPtrArray *left = g_ptr_array_new_with_free_func (
      (GDestroyNotify) ams_playlist_segment_free);

  while (first_may_leave (self))
    g_ptr_array_add (left, pop_first (self));
  return left;
}

void
ams_playlist_drop (AmsPlaylist *self, guint n)
{
  g_return_if_fail (self->type == AMS_PLAYLIST_LIVE && n <= self->length);

  while (n-- > 0)
    ams_playlist_segment_free (pop_first (self));
}

static GPtrArray *
render_live (AmsPlaylist *self)
{
  GPtrArray *pieces =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  GString *out = g_string_new (NULL);

  write_header (self, out);
  ams_playlist_window_write (self->segments, out);
  if (self->ended)
    g_string_append (out, "#EXT-X-ENDLIST\n");
  g_ptr_array_add (pieces, g_string_free_to_bytes (out));
  return pieces;
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
  self->segments = ams_playlist_window_new ();
  return self;
}

AmsPlaylist *
ams_playlist_new (AmsPlaylistType type, guint target_duration, guint window,
    gboolean independent)
{
  AmsPlaylist *self = new_playlist (type, target_duration, window);

  if (independent)
    g_string_append (self->header, INDEPENDENT "\n");
  return self;
}

void
ams_playlist_set_iframes_only (AmsPlaylist *self)
{
  g_return_if_fail (self->length == 0 && !self->ended);

  self->iframes_only = TRUE;
  self->version = VERSION_RANGES;
  g_string_append (self->header, "#EXT-X-I-FRAMES-ONLY\n");
}

void
ams_playlist_set_first_sequence (AmsPlaylist *self, guint64 sequence)
{
  g_return_if_fail (self->length == 0 && !self->ended);

  self->first_sequence = sequence;
  g_clear_pointer (&self->text, ams_playlist_text_free);
}

static gboolean
is_written_anew (const AmsPlaylistTextLine *line)
{
  return ams_playlist_text_line_is (line, "#EXTM3U") ||
      ams_playlist_text_line_is (line, "#EXT-X-VERSION") ||
      ams_playlist_text_line_is (line, "#EXT-X-TARGETDURATION") ||
      ams_playlist_text_line_is (line, "#EXT-X-MEDIA-SEQUENCE") ||
      ams_playlist_text_line_is (line, "#EXT-X-DISCONTINUITY-SEQUENCE") ||
      ams_playlist_text_line_is (line, "#EXT-X-PLAYLIST-TYPE");
}

/* Up to the first segment's end, where tags of the playlist and of the segment
 * may alternate. */
static GString *
keep_header (AmsPlaylist *self, const AmsPlaylistParsed *earlier, gsize end)
{
  const gchar *text = g_bytes_get_data (earlier->text, NULL);
  GString *lines = g_string_new (NULL);
  gsize pos = 0;
  AmsPlaylistTextLine line;

  while (ams_playlist_next_line (text, end, &pos, &line)) {
    gboolean header =
        ams_playlist_text_line_classify (&line) == AMS_PLAYLIST_LINE_HEADER ||
        line.start < earlier->header_end;

    if (!is_written_anew (&line))
      g_string_append_len (header ? self->header : lines, line.text,
          line.end - line.start);
  }
  return lines;
}

/* @first: it is the first segment. */
static void
keep_segment (AmsPlaylist *self, const AmsPlaylistParsed *earlier,
    const AmsPlaylistParsedSegment *parsed, gboolean first)
{
  const gchar *text = g_bytes_get_data (earlier->text, NULL);
  g_autofree gchar *uri = ams_playlist_parsed_dup_uri (earlier, parsed);
  GString *lines;

  if (first)
    lines = keep_header (self, earlier, parsed->end);
  else
    lines =
        g_string_new_len (text + parsed->start, parsed->end - parsed->start);
  ams_playlist_window_push (self->segments,
      ams_playlist_segment_new (uri, parsed->duration, parsed->date_time,
          parsed->discontinuity, parsed->gap),
      lines);
}

/* Comments behind the last segment, and behind ENDLIST. */
static void
keep_tail (AmsPlaylist *self, const AmsPlaylistParsed *earlier)
{
  GString *last = ams_playlist_window_get_last_lines (self->segments);
  GString *lines = last != NULL ? last : self->header;
  gsize size;
  const gchar *text = g_bytes_get_data (earlier->text, &size);

  if (last != NULL)
    g_string_append_len (lines, text + earlier->last.end,
        earlier->body_end - earlier->last.end);
  else
    g_string_free (keep_header (self, earlier, earlier->body_end), TRUE);
  g_string_append_len (lines, text + earlier->tail_start,
      size - earlier->tail_start);
}

static void
keep_lines (AmsPlaylist *self, const AmsPlaylistParsed *earlier)
{
  g_autoptr (AmsPlaylistIter) segments = ams_playlist_iter_new (earlier, 0);
  const AmsPlaylistParsedSegment *segment;
  gboolean first = TRUE;

  while ((segment = ams_playlist_iter_next (segments))) {
    keep_segment (self, earlier, segment, first);
    first = FALSE;
  }
  keep_tail (self, earlier);
}

static void
keep_text (AmsPlaylist *self, const AmsPlaylistParsed *earlier)
{
  gsize size = g_bytes_get_size (earlier->text);
  g_autoptr (GBytes) body =
      g_bytes_new_from_bytes (earlier->text, 0, earlier->body_end);
  g_autoptr (GBytes) tail = g_bytes_new_from_bytes (earlier->text,
      earlier->tail_start, size - earlier->tail_start);

  self->text = ams_playlist_text_new ();
  ams_playlist_text_add_bytes (self->text, body);
  ams_playlist_text_add_bytes (self->text, tail);
}

AmsPlaylist *
ams_playlist_continue (const AmsPlaylistParsed *earlier, AmsPlaylistType type,
    guint window)
{
  AmsPlaylist *self = new_playlist (type, earlier->target_duration, window);

  self->version = earlier->version;
  self->first_sequence = earlier->media_sequence;
  self->discontinuity_sequence = earlier->discontinuity_sequence;
  self->length = earlier->n_segments;
  self->duration = earlier->duration;
  self->encrypted = earlier->encrypted;
  if (type == AMS_PLAYLIST_LIVE)
    keep_lines (self, earlier);
  else
    keep_text (self, earlier);
  return self;
}

void
ams_playlist_free (AmsPlaylist *self)
{
  g_clear_pointer (&self->text, ams_playlist_text_free);
  ams_playlist_window_free (self->segments);
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

/* What follows is not what the last version began with any more. */
static void
set_header_number (AmsPlaylist *self, const gchar *tag, guint number)
{
  g_autofree gchar *line = g_strdup_printf ("%s:%u", tag, number);

  if (self->type == AMS_PLAYLIST_LIVE)
    return;
  ams_playlist_text_set_header_line (self->text, tag, line);
  self->published = 0;
}

static gboolean
raise_target (AmsPlaylist *self, guint64 seconds)
{
  if (seconds <= self->target_duration)
    return FALSE;
  self->target_duration = MIN (seconds, G_MAXUINT);
  set_header_number (self, "#EXT-X-TARGETDURATION", self->target_duration);
  return TRUE;
}

void
ams_playlist_raise_target_duration (AmsPlaylist *self, guint seconds)
{
  if (self->type != AMS_PLAYLIST_LIVE)
    ensure_text (self);
  raise_target (self, seconds);
}

void
ams_playlist_set_dependent (AmsPlaylist *self)
{
  const gchar *line = strstr (self->header->str, INDEPENDENT "\n");

  if (line)
    g_string_erase (self->header, line - self->header->str,
        strlen (INDEPENDENT "\n"));
  if (self->text &&
      ams_playlist_text_remove_header_line (self->text, INDEPENDENT))
    self->published = 0;
}

static guint
get_needed_version (AmsPlaylist *self, const AmsPlaylistSegment *segment)
{
  if (segment->map)
    return self->iframes_only ? VERSION_MAP_OF_IFRAMES : VERSION_MAP;
  return segment->range_size > 0 ? VERSION_RANGES : VERSION;
}

static void
raise_version (AmsPlaylist *self, guint version)
{
  if (self->version >= version)
    return;
  self->version = version;
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
  raised = raise_target (self, (us + US_PER_SECOND / 2) / US_PER_SECOND);
  raise_version (self, get_needed_version (self, segment));
  write_segment (self, lines, segment, us);
  self->length++;
  self->duration += segment->duration;
  if (self->type == AMS_PLAYLIST_LIVE)
    ams_playlist_window_push (self->segments,
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

  if (self->type == AMS_PLAYLIST_LIVE)
    return ams_playlist_window_mark_gap (self->segments, uri);
  if (self->length == 0 ||
      !ams_playlist_text_mark_gap (self->text, uri, &marked))
    return FALSE;
  if (!marked)
    self->published = 0;
  return TRUE;
}

gboolean
ams_playlist_rename (AmsPlaylist *self, const gchar *uri, const gchar *new_uri)
{
  if (self->type == AMS_PLAYLIST_LIVE)
    return ams_playlist_window_rename (self->segments, uri, new_uri);
  if (self->length == 0 || !ams_playlist_text_rename (self->text, uri, new_uri))
    return FALSE;
  self->published = 0;
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

GPtrArray *
ams_playlist_render (AmsPlaylist *self, guint64 *extends)
{
  *extends = 0;
  if (self->type == AMS_PLAYLIST_LIVE)
    return render_live (self);
  ensure_text (self);
  *extends = self->published;
  self->published = ams_playlist_text_get_size (self->text);
  return ams_playlist_text_get_pieces (self->text);
}

GBytes *
ams_playlist_join (GPtrArray *pieces)
{
  AmsGather *gather;
  gint errnum;
  guint i;

  if (pieces->len == 1)
    return g_bytes_ref (g_ptr_array_index (pieces, 0));
  gather = ams_gather_new (NULL);
  for (i = 0; i < pieces->len; i++) {
    gsize size;
    gconstpointer data =
        g_bytes_get_data (g_ptr_array_index (pieces, i), &size);

    ams_gather_add (gather, data, size);
  }
  return ams_gather_free_to_bytes (gather, &errnum);
}
