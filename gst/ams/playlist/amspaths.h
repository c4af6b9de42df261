/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Folders, file names and the URIs that stand for them in a playlist. Pure, no
 * GStreamer, touches no file. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Location templates, as they were set. */
typedef struct
{
  const gchar *location;
  const gchar *playlist;
  const gchar *multivariant; /* (nullable) */
} AmsPathsTemplates;

/* The folder that location and playlist are both in (no template in it), and what is relative to
 * it. */
typedef struct
{
  gchar *root;
  gchar *location;
  gchar *playlist;
  gchar *multivariant; /* (nullable) */
} AmsPaths;

void ams_paths_clear (AmsPaths *paths);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AmsPaths, ams_paths_clear)

/* Relative locations without ".." stay as they are, and the root is ".": the names that a
 * store behind the src pad sees are those that were written. FALSE when one is absolute and
 * another is not, ".." comes behind a template, or the multivariant playlist is not below the
 * root, or is the playlist. */
gboolean ams_paths_split (const AmsPathsTemplates *templates, AmsPaths *paths,
    GError **error);

/* Whether @location is absolute or leads out of the current folder. */
gboolean ams_paths_escapes (const gchar *location);

/* The folder part of @location that has no template in it; "." where there is
 * none. (transfer full) */
gchar *ams_paths_literal_folder (const gchar *location);

/* The relative path from the folder of @from to @to: "a/list.m3u8", "a/b/1.ts"
 * gives "b/1.ts". (transfer full) */
gchar *ams_paths_relative (const gchar *from, const gchar *to);

/* The name that @uri, found in the playlist @playlist, stands for; NULL when it is none
 * of ours (absolute, another root, leads out). @root: the prefix that the playlist's URIs have, or NULL. (transfer full) (nullable) */
gchar *ams_paths_name_of_uri (const gchar *playlist, const gchar *root,
    const gchar *uri);

/* A hidden file beside @name: "a/list.m3u8", ".journal" gives "a/.list.m3u8.journal". Where that has
 * more bytes than file systems take, a hash stands for the name. (transfer full) */
gchar *ams_paths_hidden (const gchar *name, const gchar *suffix);

G_END_DECLS
