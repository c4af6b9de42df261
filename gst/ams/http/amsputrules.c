/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amsputrules.h"

gboolean
ams_put_is_list (AmsFileRole role)
{
  return role == AMS_FILE_ROLE_PLAYLIST || role == AMS_FILE_ROLE_MASTER;
}

gboolean
ams_put_is_guarded (AmsFileRole role)
{
  return role == AMS_FILE_ROLE_PLAYLIST;
}

gboolean
ams_put_is_made_once (AmsFileRole role)
{
  return role == AMS_FILE_ROLE_SEGMENT || role == AMS_FILE_ROLE_INIT ||
      role == AMS_FILE_ROLE_KEY;
}

gboolean
ams_put_is_protected (const AmsPut *put, AmsOverwrite overwrite,
    GHashTable *own)
{
  switch (overwrite) {
    case AMS_OVERWRITE_ALWAYS:
      return FALSE;
    case AMS_OVERWRITE_NEVER:
      return !g_hash_table_contains (own, put->name);
    default:
      return ams_put_is_made_once (put->role);
  }
}

/* The names of segments would fill the memory of a recorder that runs for years. */
void
ams_put_note_own (const AmsPut *put, AmsOverwrite overwrite, GHashTable *own)
{
  if (overwrite == AMS_OVERWRITE_NEVER && !ams_put_is_made_once (put->role))
    g_hash_table_add (own, g_strdup (put->name));
}

const gchar *
ams_put_content_type (const AmsPut *put, const gchar *set)
{
  if (set && set[0] &&
      (put->role == AMS_FILE_ROLE_SEGMENT || put->role == AMS_FILE_ROLE_OTHER))
    return set;
  return put->content_type ? put->content_type
                           : ams_file_content_type (put->role, put->name);
}

const gchar *
ams_put_cache_control (const AmsPut *put, const gchar *segment,
    const gchar *playlist)
{
  const gchar *value = NULL;

  if (ams_put_is_list (put->role))
    value = playlist;
  else if (ams_put_is_made_once (put->role))
    value = segment;
  return value && value[0] ? value : NULL;
}
