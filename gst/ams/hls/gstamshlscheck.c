/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamshlscheck.h"

#include "local/amslocalio.h"
#include "playlist/amsfolder.h"
#include "playlist/amspaths.h"

#include <gio/gio.h>

static gboolean
check_multivariant (const GstAmsHlsSettings *settings,
    const GstAmsHlsOnDisk *disk, GError **error)
{
  const gchar *location = settings->multivariant_location;

  if (!disk->any && ams_paths_escapes (location)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
        "multivariant-location \"%s\" names a file behind the src pad, so it "
        "must be relative and without \"..\"",
        location);
    return FALSE;
  }
  if (*location)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
      "multivariant-location is empty: give it a name, or leave it unset");
  return FALSE;
}

gboolean
gst_ams_hls_check_locations (const GstAmsHlsSettings *settings,
    const GstAmsHlsOnDisk *disk, GError **error)
{
  if (!settings->location || !*settings->location ||
      !settings->playlist_location || !*settings->playlist_location) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
        "location and playlist-location must be set");
    return FALSE;
  }
  if (!disk->any &&
      (ams_paths_escapes (settings->location) ||
          ams_paths_escapes (settings->playlist_location))) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
        "location \"%s\" and playlist-location \"%s\" name files behind the "
        "src pad, so they must be relative and without \"..\"",
        settings->location, settings->playlist_location);
    return FALSE;
  }
  return !settings->multivariant_location ||
      check_multivariant (settings, disk, error);
}

static gboolean
check_folder (const gchar *location, gboolean begins, GError **error)
{
  g_autofree gchar *folder = ams_paths_literal_folder (location);
  g_autoptr (GError) why = NULL;

  if (ams_folder_check (folder, &why) &&
      (!begins || ams_folder_try (folder, &why)))
    return TRUE;
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
      "%s. So \"%s\" cannot be recorded.", why->message, location);
  return FALSE;
}

/* A playlist that is a link is written where that leads. */
static gboolean
check_playlist_folder (const gchar *location, gboolean begins, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autofree gchar *target = ams_local_follow (location, &why);

  if (target)
    return check_folder (target, begins, error);
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE, "%s.",
      why->message);
  return FALSE;
}

gboolean
gst_ams_hls_check_folders (const GstAmsHlsSettings *settings,
    const GstAmsHlsOnDisk *disk, gboolean begins, GError **error)
{
  return (!disk->segments ||
             check_folder (settings->location, begins, error)) &&
      (!disk->playlists ||
          (check_playlist_folder (settings->playlist_location, begins, error) &&
              (!settings->multivariant_location ||
                  check_playlist_folder (settings->multivariant_location,
                      begins, error))));
}

gboolean
gst_ams_hls_check_names (const AmsRecordingConfig *config,
    const gchar *multivariant, const GstAmsHlsOnDisk *disk, const gchar *root,
    GError **error)
{
  g_autofree gchar *within = g_build_filename (root, "x", NULL);
  gsize max = ams_disk_get_name_max (within);

  return (!disk->segments ||
             ams_names_fit (config->location, AMS_NAMES_SEGMENT,
                 config->add_date_time, config->zone, max, error)) &&
      (!disk->playlists ||
          (ams_names_fit (config->playlist_location, AMS_NAMES_PLAYLIST,
               config->add_date_time, config->zone, max, error) &&
              (!multivariant ||
                  ams_names_fit (multivariant, AMS_NAMES_PLAYLIST,
                      config->add_date_time, config->zone, max, error))));
}
