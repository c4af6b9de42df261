/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amshlssink's properties: their values, types, defaults and descriptions. */

#pragma once

#include <gst/gst.h>
#include "playlist/amsplaylist.h"
#include "gstamsrecover.h"
#include "session/amssessiontypes.h"

G_BEGIN_DECLS

typedef enum
{
  GST_AMS_WRITE_FILES_AUTO,
  GST_AMS_WRITE_FILES_ALWAYS,
  GST_AMS_WRITE_FILES_NEVER,
} GstAmsWriteFiles;

typedef struct
{
  gchar *location;
  gchar *playlist_location;
  gchar *multivariant_location; /* (nullable) */
  gchar *playlist_root;
  guint target_duration;
  AmsPlaylistType playlist_type;
  guint playlist_length;
  guint max_files;
  GstAmsExisting existing;
  guint64 start_index;
  gboolean add_date_time;
  gchar *time_zone;
  gboolean program_date_time;
  AmsDateReference date_reference;
  gboolean enable_endlist;
  gboolean send_keyframe_requests;
  gboolean align_to_clock;
  GstClockTime stall_timeout;
  GstClockTime discontinuity_threshold;
  GstAmsWriteFiles write_files;
  gboolean fsync;
  gboolean delete_on_ended;
  guint delete_delay;
  GstAmsWhenBusy when_busy;
} GstAmsHlsSettings;

void gst_ams_hls_settings_init (GstAmsHlsSettings *settings);
void gst_ams_hls_settings_copy (const GstAmsHlsSettings *settings,
    GstAmsHlsSettings *copy);
void gst_ams_hls_settings_clear (GstAmsHlsSettings *settings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstAmsHlsSettings, gst_ams_hls_settings_clear)

/* (transfer full), or NULL: the time zone is not known. */
GTimeZone *gst_ams_hls_settings_get_zone (const GstAmsHlsSettings *settings,
    GError **error);

/* The properties have the ids 1 to this. */
#define GST_AMS_HLS_SETTINGS_LAST_ID 24

void gst_ams_hls_settings_install (GObjectClass *klass);
/* FALSE: @id is none of these. */
gboolean gst_ams_hls_settings_set (GstAmsHlsSettings *settings, guint id,
    const GValue *value);
gboolean gst_ams_hls_settings_get (const GstAmsHlsSettings *settings, guint id,
    GValue *value);

/* What a recording with segments called @name and a playlist called @playlist_name is to
 * be like. (transfer full); NULL: a setting is wrong. */
AmsRecordingConfig *gst_ams_hls_settings_make_recording (
    const GstAmsHlsSettings *settings, const gchar *name,
    const gchar *playlist_name, GError **error);

G_END_DECLS
