/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsplaylistwindow.h"

#include "amsplaylistline.h"
#include "amsplaylisttext.h"

#include <string.h>

/* Key systems in use at once, far more than there are. */
#define MAX_IN_FORCE 32

typedef struct
{
  AmsPlaylistSegment *segment;
  GString *lines;
  guint discontinuities; /* an earlier playlist may have several in a row */
} LiveSegment;

struct _AmsPlaylistWindow
{
  GQueue segments; /* of LiveSegment */
  GPtrArray *in_force; /* lines of segments that left and still apply */
};

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
  AmsPlaylistTextLine line;

  while (ams_playlist_next_line (lines->str, lines->len, &pos, &line))
    count += ams_playlist_text_line_is (&line, "#EXT-X-DISCONTINUITY");
  return count;
}

void
ams_playlist_window_push (AmsPlaylistWindow *self, AmsPlaylistSegment *segment,
    GString *lines)
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
drop_replaced (AmsPlaylistWindow *self, const gchar *line)
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
keep_in_force (AmsPlaylistWindow *self, const GString *lines)
{
  gsize pos = 0;
  AmsPlaylistTextLine line;

  while (ams_playlist_next_line (lines->str, lines->len, &pos, &line)) {
    g_autofree gchar *text = NULL;

    if (!ams_playlist_text_line_is (&line, "#EXT-X-KEY") &&
        !ams_playlist_text_line_is (&line, "#EXT-X-MAP") &&
        !ams_playlist_text_line_is (&line, "#EXT-X-BITRATE"))
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

const AmsPlaylistSegment *
ams_playlist_window_peek (AmsPlaylistWindow *self)
{
  LiveSegment *first = g_queue_peek_head (&self->segments);

  return first != NULL ? first->segment : NULL;
}

AmsPlaylistSegment *
ams_playlist_window_pop (AmsPlaylistWindow *self, guint *discontinuities)
{
  LiveSegment *first = g_queue_pop_head (&self->segments);
  AmsPlaylistSegment *segment = g_steal_pointer (&first->segment);

  keep_in_force (self, first->lines);
  *discontinuities = first->discontinuities;
  free_live_segment (first);
  return segment;
}

GString *
ams_playlist_window_get_last_lines (AmsPlaylistWindow *self)
{
  LiveSegment *last = g_queue_peek_tail (&self->segments);

  return last != NULL ? last->lines : NULL;
}

void
ams_playlist_window_write (AmsPlaylistWindow *self, GString *out)
{
  GList *item;
  guint i;

  for (i = 0; i < self->in_force->len; i++)
    g_string_append_printf (out, "%s\n",
        (const gchar *) g_ptr_array_index (self->in_force, i));
  for (item = self->segments.head; item != NULL; item = item->next) {
    LiveSegment *live = item->data;

    g_string_append_len (out, live->lines->str, live->lines->len);
  }
}

static gboolean
is_entry (GList *item, const gchar *uri)
{
  LiveSegment *live = item->data;

  return g_str_equal (live->segment->uri, uri);
}

/* The last entry of @uri. Those before it, as long as they are entries of it, are
 * byte ranges of the same file. */
static GList *
find_last (AmsPlaylistWindow *self, const gchar *uri)
{
  GList *item = self->segments.tail;

  while (item != NULL && !is_entry (item, uri))
    item = item->prev;
  return item;
}

static void
mark_entry (LiveSegment *live)
{
  gboolean marked;
  gsize place;

  live->segment->gap = TRUE;
  if (ams_playlist_find_gap_place (live->lines->str, live->lines->len,
          live->segment->uri, &place, &marked) &&
      !marked)
    g_string_insert (live->lines, place, "#EXT-X-GAP\n");
}

gboolean
ams_playlist_window_mark_gap (AmsPlaylistWindow *self, const gchar *uri)
{
  GList *last = find_last (self, uri);

  for (GList *item = last; item != NULL && is_entry (item, uri);
       item = item->prev)
    mark_entry (item->data);
  return last != NULL;
}

static void
rename_entry (LiveSegment *live, const gchar *new_uri)
{
  gsize start;

  if (ams_playlist_find_uri (live->lines->str, live->lines->len,
          live->segment->uri, &start)) {
    g_string_erase (live->lines, start, strlen (live->segment->uri));
    g_string_insert (live->lines, start, new_uri);
  }
  g_free (live->segment->uri);
  live->segment->uri = g_strdup (new_uri);
}

gboolean
ams_playlist_window_rename (AmsPlaylistWindow *self, const gchar *uri,
    const gchar *new_uri)
{
  GList *last = find_last (self, uri);

  for (GList *item = last, *before; item != NULL && is_entry (item, uri);
       item = before) {
    before = item->prev;
    rename_entry (item->data, new_uri);
  }
  return last != NULL;
}

AmsPlaylistWindow *
ams_playlist_window_new (void)
{
  AmsPlaylistWindow *self = g_new0 (AmsPlaylistWindow, 1);

  self->in_force = g_ptr_array_new_with_free_func (g_free);
  g_queue_init (&self->segments);
  return self;
}

void
ams_playlist_window_free (AmsPlaylistWindow *self)
{
  g_queue_clear_full (&self->segments, free_live_segment);
  g_ptr_array_unref (self->in_force);
  g_free (self);
}
