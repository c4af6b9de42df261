/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whether the settings of amshlssink are good: said at the start, while somebody looks,
 * rather than when the first segment is written, or the longest name comes after
 * years. */

#pragma once

#include "gstamshlssettings.h"

G_BEGIN_DECLS

/* What is written to the disk by amshlssink itself. */
typedef struct
{
  gboolean any; /* also if an application has a stream for each file of it */
  gboolean segments;
  gboolean playlists;
} GstAmsHlsOnDisk;

/* @error: of GST_RESOURCE_ERROR, or of whoever found out. */
gboolean gst_ams_hls_check_locations (const GstAmsHlsSettings *settings,
    const GstAmsHlsOnDisk *disk, GError **error);

/* @begins: the folders are needed now, so they are made. */
gboolean gst_ams_hls_check_folders (const GstAmsHlsSettings *settings,
    const GstAmsHlsOnDisk *disk, gboolean begins, GError **error);

/* @root: the folder in which the names of @config are, and that of @multivariant
 * (nullable). */
gboolean gst_ams_hls_check_names (const AmsRecordingConfig *config,
    const gchar *multivariant, const GstAmsHlsOnDisk *disk, const gchar *root,
    GError **error);

G_END_DECLS
