/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amslineages.h"

typedef struct
{
  guint64 lineage; /* of the version handed over last */
  guint64 handed_size; /* its size; 0: it never became whole */
  guint64 stored_lineage; /* of the version confirmed last; 0: none */
  guint64 stored_size;
} Playlist;

struct _AmsLineages
{
  GHashTable *playlists; /* name → Playlist */
  guint64 last; /* lineage: none is ever given twice, whatever was forgotten */
};

AmsLineages *
ams_lineages_new (void)
{
  AmsLineages *self = g_new0 (AmsLineages, 1);

  self->playlists =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
ams_lineages_free (AmsLineages *self)
{
  g_hash_table_unref (self->playlists);
  g_free (self);
}

static Playlist *
lookup (AmsLineages *self, const gchar *name)
{
  Playlist *playlist = g_hash_table_lookup (self->playlists, name);

  if (!playlist) {
    playlist = g_new0 (Playlist, 1);
    g_hash_table_insert (self->playlists, g_strdup (name), playlist);
  }
  return playlist;
}

guint64
ams_lineages_begin (AmsLineages *self, const gchar *name, guint64 extends)
{
  Playlist *playlist = lookup (self, name);

  if (extends == 0 || extends != playlist->handed_size)
    playlist->lineage = ++self->last;
  playlist->handed_size = 0;
  return playlist->lineage;
}

void
ams_lineages_hand_over (AmsLineages *self, const gchar *name, guint64 size)
{
  lookup (self, name)->handed_size = size;
}

void
ams_lineages_store (AmsLineages *self, const gchar *name, guint64 lineage,
    guint64 size)
{
  Playlist *playlist = lookup (self, name);

  playlist->stored_lineage = lineage;
  playlist->stored_size = size;
}

void
ams_lineages_forget (AmsLineages *self, const gchar *name)
{
  g_hash_table_remove (self->playlists, name);
}

guint64
ams_lineages_get_unchanged (AmsLineages *self, const gchar *name,
    guint64 lineage, guint64 size)
{
  const Playlist *playlist = lookup (self, name);

  if (playlist->stored_lineage != lineage || playlist->stored_size > size)
    return 0;
  return playlist->stored_size;
}
