/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsiframes.h"

struct _AmsIframes
{
  AmsPlaylist *playlist;
  AmsBandwidth *bandwidth;
  gboolean live;
  GQueue lengths; /* live: how many pictures each listed segment has */
  gchar *map; /* (nullable) the one in force */
};

AmsIframes *
ams_iframes_new (AmsPlaylistType type, guint target_duration)
{
  AmsIframes *self = g_new0 (AmsIframes, 1);

  self->playlist = ams_playlist_new (type, target_duration, 0, FALSE);
  ams_playlist_set_iframes_only (self->playlist);
  self->bandwidth = ams_bandwidth_new (target_duration);
  self->live = type == AMS_PLAYLIST_LIVE;
  g_queue_init (&self->lengths);
  return self;
}

void
ams_iframes_free (AmsIframes *self)
{
  ams_playlist_free (self->playlist);
  ams_bandwidth_free (self->bandwidth);
  g_queue_clear (&self->lengths);
  g_free (self->map);
  g_free (self);
}

AmsPlaylist *
ams_iframes_get_playlist (AmsIframes *self)
{
  return self->playlist;
}

static void
add_gap (AmsIframes *self, AmsPlaylistSegment entry)
{
  entry.gap = TRUE;
  entry.map = NULL;
  ams_playlist_add (self->playlist, &entry);
  ams_bandwidth_add_gap (self->bandwidth);
}

static void
add_picture (AmsIframes *self, AmsPlaylistSegment entry,
    const AmsIframe *picture, guint64 duration)
{
  entry.duration = duration;
  entry.range_offset = picture->offset;
  entry.range_size = picture->size;
  ams_playlist_add (self->playlist, &entry);
  ams_bandwidth_add (self->bandwidth, picture->size, duration);
}

/* The map is said once, and so are the date and the discontinuity: they hold for
 * what follows. */
static void
begin_segment (AmsIframes *self, AmsPlaylistSegment *entry)
{
  if (g_strcmp0 (self->map, entry->map) == 0) {
    entry->map = NULL;
    return;
  }
  g_free (self->map);
  self->map = g_strdup (entry->map);
}

static void
continue_segment (AmsPlaylistSegment *entry)
{
  entry->map = NULL;
  entry->date_time = 0;
  entry->discontinuity = FALSE;
}

/* Where the picture @i ends, with what follows it left out that does not come
 * after it. */
static gint64
get_end (const AmsIframe *pictures, guint n, guint *i, gint64 start, gint64 end)
{
  while (++*i < n) {
    if (pictures[*i].pts > start && pictures[*i].pts < end)
      return pictures[*i].pts;
  }
  return end;
}

static guint
add_pictures (AmsIframes *self, const AmsPlaylistSegment *segment, gint64 start,
    const AmsIframe *pictures, guint n)
{
  AmsPlaylistSegment entry = *segment;
  const gint64 segment_end = start + (gint64) segment->duration;
  guint count = 0;

  begin_segment (self, &entry);
  for (guint i = 0; i < n; count++) {
    const AmsIframe *picture = &pictures[i];
    gint64 end = get_end (pictures, n, &i, start, segment_end);

    add_picture (self, entry, picture, end - start);
    continue_segment (&entry);
    start = end;
  }
  return count;
}

void
ams_iframes_add (AmsIframes *self, const AmsPlaylistSegment *segment,
    gint64 start, const AmsIframe *pictures, guint n)
{
  guint count = 1;

  if (segment->gap || n == 0)
    add_gap (self, *segment);
  else
    count = add_pictures (self, segment, start, pictures, n);
  if (self->live)
    g_queue_push_tail (&self->lengths, GUINT_TO_POINTER (count));
}

void
ams_iframes_slide (AmsIframes *self, guint n)
{
  for (; n > 0 && !g_queue_is_empty (&self->lengths); n--)
    ams_playlist_drop (self->playlist,
        GPOINTER_TO_UINT (g_queue_pop_head (&self->lengths)));
}

AmsBitRates
ams_iframes_get_rates (AmsIframes *self)
{
  return ams_bandwidth_get (self->bandwidth);
}
