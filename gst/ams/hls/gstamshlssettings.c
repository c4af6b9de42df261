/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamshlssettings.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define DEFAULT_LOCATION "segment%05d.ts"
#define DEFAULT_PLAYLIST_LOCATION "playlist.m3u8"
#define DEFAULT_MULTIVARIANT_LOCATION NULL
#define DEFAULT_PLAYLIST_ROOT NULL
#define DEFAULT_TARGET_DURATION 6
#define DEFAULT_PLAYLIST_TYPE AMS_PLAYLIST_EVENT
#define DEFAULT_PLAYLIST_LENGTH 6
#define DEFAULT_MAX_FILES 0
#define DEFAULT_EXISTING GST_AMS_EXISTING_APPEND
#define DEFAULT_WHEN_BUSY GST_AMS_WHEN_BUSY_ERROR
#define DEFAULT_START_INDEX 0
#define DEFAULT_ADD_DATE_TIME FALSE
#define DEFAULT_TIME_ZONE "UTC"
#define DEFAULT_PROGRAM_DATE_TIME TRUE
#define DEFAULT_PROGRAM_DATE_TIME_REFERENCE AMS_DATE_PIPELINE
#define DEFAULT_ENABLE_ENDLIST TRUE
#define DEFAULT_SEND_KEYFRAME_REQUESTS TRUE
#define DEFAULT_ALIGN_TO_CLOCK FALSE
#define DEFAULT_STALL_TIMEOUT (2 * GST_SECOND)
#define DEFAULT_DISCONTINUITY_THRESHOLD (2 * GST_SECOND)
#define DEFAULT_WRITE_FILES GST_AMS_WRITE_FILES_AUTO
#define DEFAULT_FSYNC TRUE
#define DEFAULT_DELETE_ON_ENDED FALSE
#define DEFAULT_DELETE_DELAY 0

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_PLAYLIST_LOCATION,
  PROP_PLAYLIST_ROOT,
  PROP_TARGET_DURATION,
  PROP_PLAYLIST_TYPE,
  PROP_PLAYLIST_LENGTH,
  PROP_MAX_FILES,
  PROP_EXISTING,
  PROP_START_INDEX,
  PROP_ADD_DATE_TIME,
  PROP_TIME_ZONE,
  PROP_PROGRAM_DATE_TIME,
  PROP_PROGRAM_DATE_TIME_REFERENCE,
  PROP_ENABLE_ENDLIST,
  PROP_SEND_KEYFRAME_REQUESTS,
  PROP_ALIGN_TO_CLOCK,
  PROP_STALL_TIMEOUT,
  PROP_DISCONTINUITY_THRESHOLD,
  PROP_WRITE_FILES,
  PROP_FSYNC,
  PROP_DELETE_ON_ENDED,
  PROP_DELETE_DELAY,
  PROP_WHEN_BUSY,
  PROP_MULTIVARIANT_LOCATION,
};

G_STATIC_ASSERT (PROP_MULTIVARIANT_LOCATION == GST_AMS_HLS_SETTINGS_LAST_ID);

#define GST_TYPE_AMS_HLS_SINK_PLAYLIST_TYPE (playlist_type_get_type ())
static GType
playlist_type_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { AMS_PLAYLIST_EVENT, "Everything is listed and kept", "event" },
    { AMS_PLAYLIST_LIVE, "A window that slides with the stream", "live" },
    { AMS_PLAYLIST_VOD, "Appears, whole, when the recording has ended", "vod" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstAmsHlsSinkPlaylistType", values));
  return type;
}

#define GST_TYPE_AMS_HLS_SINK_EXISTING (existing_get_type ())
static GType
existing_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_AMS_EXISTING_APPEND, "Continue it; fail if it cannot be read",
        "append" },
    { GST_AMS_EXISTING_APPEND_OR_NEW,
        "Continue it; if it cannot be, record beside it, the date and time "
        "added to the names",
        "append-or-new" },
    { GST_AMS_EXISTING_ERROR, "Fail", "error" },
    { GST_AMS_EXISTING_OVERWRITE, "Overwrite it", "overwrite" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstAmsHlsSinkExisting", values));
  return type;
}

#define GST_TYPE_AMS_HLS_SINK_WHEN_BUSY (when_busy_get_type ())
static GType
when_busy_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_AMS_WHEN_BUSY_ERROR, "Fail; existing=append-or-new records beside it",
        "error" },
    { GST_AMS_WHEN_BUSY_WAIT,
        "Hold what comes in, and go on when the other has ended", "wait" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstAmsHlsSinkWhenBusy", values));
  return type;
}

#define GST_TYPE_AMS_HLS_SINK_DATE_REFERENCE (date_reference_get_type ())
static GType
date_reference_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { AMS_DATE_PIPELINE,
        "The pipeline's clock, tied to the system's when the recording "
        "starts",
        "pipeline" },
    { AMS_DATE_SYSTEM, "The system's clock, at each segment", "system" },
    { AMS_DATE_REFERENCE,
        "GstReferenceTimestampMeta (timestamp/x-ntp or x-unix) of the "
        "segment's first frame; where there is none, as pipeline",
        "buffer-reference-timestamp" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstAmsHlsSinkDateTimeReference", values));
  return type;
}

#define GST_TYPE_AMS_HLS_SINK_WRITE_FILES (write_files_get_type ())
static GType
write_files_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_AMS_WRITE_FILES_AUTO, "Unless the src pad is linked", "auto" },
    { GST_AMS_WRITE_FILES_ALWAYS, "Also when the src pad is linked", "always" },
    { GST_AMS_WRITE_FILES_NEVER, "Only to the src pad", "never" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstAmsHlsSinkWriteFiles", values));
  return type;
}

void
gst_ams_hls_settings_init (GstAmsHlsSettings *settings)
{
  settings->location = g_strdup (DEFAULT_LOCATION);
  settings->playlist_location = g_strdup (DEFAULT_PLAYLIST_LOCATION);
  settings->multivariant_location = g_strdup (DEFAULT_MULTIVARIANT_LOCATION);
  settings->playlist_root = g_strdup (DEFAULT_PLAYLIST_ROOT);
  settings->target_duration = DEFAULT_TARGET_DURATION;
  settings->playlist_type = DEFAULT_PLAYLIST_TYPE;
  settings->playlist_length = DEFAULT_PLAYLIST_LENGTH;
  settings->max_files = DEFAULT_MAX_FILES;
  settings->existing = DEFAULT_EXISTING;
  settings->when_busy = DEFAULT_WHEN_BUSY;
  settings->start_index = DEFAULT_START_INDEX;
  settings->add_date_time = DEFAULT_ADD_DATE_TIME;
  settings->time_zone = g_strdup (DEFAULT_TIME_ZONE);
  settings->program_date_time = DEFAULT_PROGRAM_DATE_TIME;
  settings->date_reference = DEFAULT_PROGRAM_DATE_TIME_REFERENCE;
  settings->enable_endlist = DEFAULT_ENABLE_ENDLIST;
  settings->send_keyframe_requests = DEFAULT_SEND_KEYFRAME_REQUESTS;
  settings->align_to_clock = DEFAULT_ALIGN_TO_CLOCK;
  settings->stall_timeout = DEFAULT_STALL_TIMEOUT;
  settings->discontinuity_threshold = DEFAULT_DISCONTINUITY_THRESHOLD;
  settings->write_files = DEFAULT_WRITE_FILES;
  settings->fsync = DEFAULT_FSYNC;
  settings->delete_on_ended = DEFAULT_DELETE_ON_ENDED;
  settings->delete_delay = DEFAULT_DELETE_DELAY;
}

void
gst_ams_hls_settings_clear (GstAmsHlsSettings *settings)
{
  g_clear_pointer (&settings->location, g_free);
  g_clear_pointer (&settings->playlist_location, g_free);
  g_clear_pointer (&settings->multivariant_location, g_free);
  g_clear_pointer (&settings->playlist_root, g_free);
  g_clear_pointer (&settings->time_zone, g_free);
}

void
gst_ams_hls_settings_copy (const GstAmsHlsSettings *settings,
    GstAmsHlsSettings *copy)
{
  *copy = *settings;
  copy->location = g_strdup (settings->location);
  copy->playlist_location = g_strdup (settings->playlist_location);
  copy->multivariant_location = g_strdup (settings->multivariant_location);
  copy->playlist_root = g_strdup (settings->playlist_root);
  copy->time_zone = g_strdup (settings->time_zone);
}

/* GLib takes whatever file has the name for a time zone. */
static gboolean
is_zone_file (const gchar *name)
{
  const gchar *folder = g_getenv ("TZDIR");
  g_autofree gchar *path =
      g_build_filename (folder ? folder : "/usr/share/zoneinfo", name, NULL);
  gchar magic[4] = "";
  FILE *file;

  if (g_path_is_absolute (name) || strstr (name, "..") ||
      !g_file_test (path, G_FILE_TEST_IS_REGULAR) ||
      !(file = g_fopen (path, "rbe")))
    return FALSE;
  if (fread (magic, 1, sizeof magic, file) != sizeof magic)
    magic[0] = 0;
  fclose (file);
  return memcmp (magic, "TZif", sizeof magic) == 0;
}

GTimeZone *
gst_ams_hls_settings_get_zone (const GstAmsHlsSettings *settings,
    GError **error)
{
  const gchar *name = settings->time_zone;
  GTimeZone *zone = NULL;

  if (name &&
      (g_str_equal (name, "UTC") || g_str_equal (name, "Z") ||
          strchr ("+-", name[0]) || g_ascii_isdigit (name[0]) ||
          is_zone_file (name)) &&
      *name)
    zone = g_time_zone_new_identifier (name);
  if (!zone)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "time-zone \"%s\" is not known: use a name such as "
        "\"Europe/Berlin\", \"UTC\" or an offset such as \"+02:00\".",
        name ? name : "");
  return zone;
}

static void
set_string (gchar **string, const GValue *value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

gboolean
gst_ams_hls_settings_set (GstAmsHlsSettings *settings, guint id,
    const GValue *value)
{
  switch (id) {
    case PROP_LOCATION:
      set_string (&settings->location, value);
      break;
    case PROP_PLAYLIST_LOCATION:
      set_string (&settings->playlist_location, value);
      break;
    case PROP_MULTIVARIANT_LOCATION:
      set_string (&settings->multivariant_location, value);
      break;
    case PROP_PLAYLIST_ROOT:
      set_string (&settings->playlist_root, value);
      break;
    case PROP_TARGET_DURATION:
      settings->target_duration = g_value_get_uint (value);
      break;
    case PROP_PLAYLIST_TYPE:
      settings->playlist_type = g_value_get_enum (value);
      break;
    case PROP_PLAYLIST_LENGTH:
      settings->playlist_length = g_value_get_uint (value);
      break;
    case PROP_MAX_FILES:
      settings->max_files = g_value_get_uint (value);
      break;
    case PROP_EXISTING:
      settings->existing = g_value_get_enum (value);
      break;
    case PROP_START_INDEX:
      settings->start_index = g_value_get_uint64 (value);
      break;
    case PROP_ADD_DATE_TIME:
      settings->add_date_time = g_value_get_boolean (value);
      break;
    case PROP_TIME_ZONE:
      set_string (&settings->time_zone, value);
      break;
    case PROP_PROGRAM_DATE_TIME:
      settings->program_date_time = g_value_get_boolean (value);
      break;
    case PROP_PROGRAM_DATE_TIME_REFERENCE:
      settings->date_reference = g_value_get_enum (value);
      break;
    case PROP_ENABLE_ENDLIST:
      settings->enable_endlist = g_value_get_boolean (value);
      break;
    case PROP_SEND_KEYFRAME_REQUESTS:
      settings->send_keyframe_requests = g_value_get_boolean (value);
      break;
    case PROP_ALIGN_TO_CLOCK:
      settings->align_to_clock = g_value_get_boolean (value);
      break;
    case PROP_STALL_TIMEOUT:
      settings->stall_timeout = g_value_get_uint64 (value);
      break;
    case PROP_DISCONTINUITY_THRESHOLD:
      settings->discontinuity_threshold = g_value_get_uint64 (value);
      break;
    case PROP_WRITE_FILES:
      settings->write_files = g_value_get_enum (value);
      break;
    case PROP_FSYNC:
      settings->fsync = g_value_get_boolean (value);
      break;
    case PROP_DELETE_ON_ENDED:
      settings->delete_on_ended = g_value_get_boolean (value);
      break;
    case PROP_DELETE_DELAY:
      settings->delete_delay = g_value_get_uint (value);
      break;
    case PROP_WHEN_BUSY:
      settings->when_busy = g_value_get_enum (value);
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

gboolean
gst_ams_hls_settings_get (const GstAmsHlsSettings *settings, guint id,
    GValue *value)
{
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string (value, settings->location);
      break;
    case PROP_PLAYLIST_LOCATION:
      g_value_set_string (value, settings->playlist_location);
      break;
    case PROP_MULTIVARIANT_LOCATION:
      g_value_set_string (value, settings->multivariant_location);
      break;
    case PROP_PLAYLIST_ROOT:
      g_value_set_string (value, settings->playlist_root);
      break;
    case PROP_TARGET_DURATION:
      g_value_set_uint (value, settings->target_duration);
      break;
    case PROP_PLAYLIST_TYPE:
      g_value_set_enum (value, settings->playlist_type);
      break;
    case PROP_PLAYLIST_LENGTH:
      g_value_set_uint (value, settings->playlist_length);
      break;
    case PROP_MAX_FILES:
      g_value_set_uint (value, settings->max_files);
      break;
    case PROP_EXISTING:
      g_value_set_enum (value, settings->existing);
      break;
    case PROP_START_INDEX:
      g_value_set_uint64 (value, settings->start_index);
      break;
    case PROP_ADD_DATE_TIME:
      g_value_set_boolean (value, settings->add_date_time);
      break;
    case PROP_TIME_ZONE:
      g_value_set_string (value, settings->time_zone);
      break;
    case PROP_PROGRAM_DATE_TIME:
      g_value_set_boolean (value, settings->program_date_time);
      break;
    case PROP_PROGRAM_DATE_TIME_REFERENCE:
      g_value_set_enum (value, settings->date_reference);
      break;
    case PROP_ENABLE_ENDLIST:
      g_value_set_boolean (value, settings->enable_endlist);
      break;
    case PROP_SEND_KEYFRAME_REQUESTS:
      g_value_set_boolean (value, settings->send_keyframe_requests);
      break;
    case PROP_ALIGN_TO_CLOCK:
      g_value_set_boolean (value, settings->align_to_clock);
      break;
    case PROP_STALL_TIMEOUT:
      g_value_set_uint64 (value, settings->stall_timeout);
      break;
    case PROP_DISCONTINUITY_THRESHOLD:
      g_value_set_uint64 (value, settings->discontinuity_threshold);
      break;
    case PROP_WRITE_FILES:
      g_value_set_enum (value, settings->write_files);
      break;
    case PROP_FSYNC:
      g_value_set_boolean (value, settings->fsync);
      break;
    case PROP_DELETE_ON_ENDED:
      g_value_set_boolean (value, settings->delete_on_ended);
      break;
    case PROP_DELETE_DELAY:
      g_value_set_uint (value, settings->delete_delay);
      break;
    case PROP_WHEN_BUSY:
      g_value_set_enum (value, settings->when_busy);
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

#define PARAM_FLAGS \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

static void
install_name_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "Template of the segments' file names: %d or %05d is the number, "
          "{session:FORMAT} and {segment:FORMAT} the date and time at which "
          "the recording and the segment began (FORMAT as in "
          "g_date_time_format(), plus %L: ms). Folders are created. It must "
          "give each segment a name of its own.",
          DEFAULT_LOCATION, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_PLAYLIST_LOCATION,
      g_param_spec_string ("playlist-location", "Playlist location",
          "Template of the playlist's file name; {session:FORMAT} as in "
          "location",
          DEFAULT_PLAYLIST_LOCATION, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_MULTIVARIANT_LOCATION,
      g_param_spec_string ("multivariant-location", "Multivariant location",
          "Template of the name of a multivariant playlist (master) above the "
          "playlist, which says bit rate, codecs, resolution, frame rate and "
          "captions of it; {session:FORMAT} as in location. An absolute one: in the "
          "folder that location and playlist-location have in common, or below. "
          "Unset: none",
          DEFAULT_MULTIVARIANT_LOCATION, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_PLAYLIST_ROOT,
      g_param_spec_string ("playlist-root", "Playlist root",
          "URI that is put before the segments' names in the playlist, e.g. "
          "https://example.com/hls; unset: they are relative to the playlist",
          DEFAULT_PLAYLIST_ROOT, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_START_INDEX,
      g_param_spec_uint64 ("start-index", "Start index",
          "Number, and media sequence number, of the very first segment of a "
          "new recording",
          0, G_MAXINT64, DEFAULT_START_INDEX, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_ADD_DATE_TIME,
      g_param_spec_boolean ("add-date-time", "Add date and time",
          "Put the recording's date and time, as in "
          "\"-2026-11-22_10-46-04.509\", behind the base name of playlist and "
          "segments: each recording is one of its own (Ant Media Server's "
          "addDateTimeToHlsFileName)",
          DEFAULT_ADD_DATE_TIME, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_TIME_ZONE,
      g_param_spec_string ("time-zone", "Time zone",
          "Zone of the dates and times in file names: \"UTC\", a name such as "
          "\"Europe/Berlin\", or an offset such as \"+02:00\". The playlist's "
          "are always UTC.",
          DEFAULT_TIME_ZONE, PARAM_FLAGS));
}

static void
install_playlist_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_TARGET_DURATION,
      g_param_spec_uint ("target-duration", "Target duration",
          "Longest duration of a segment, in seconds (EXT-X-TARGETDURATION). "
          "A promise: segments end at the last keyframe that keeps it.",
          1, 86400, DEFAULT_TARGET_DURATION, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_PLAYLIST_TYPE,
      g_param_spec_enum ("playlist-type", "Playlist type",
          "What the playlist lists", GST_TYPE_AMS_HLS_SINK_PLAYLIST_TYPE,
          DEFAULT_PLAYLIST_TYPE, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_PLAYLIST_LENGTH,
      g_param_spec_uint ("playlist-length", "Playlist length",
          "Segments that a live playlist lists (0: all); never less than "
          "three target durations (RFC 8216, 6.2.2)",
          0, G_MAXUINT, DEFAULT_PLAYLIST_LENGTH, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_MAX_FILES,
      g_param_spec_uint ("max-files", "Max files",
          "Segments of a live playlist that are kept (0: all). One that left "
          "the playlist is deleted no sooner than its duration plus that of "
          "the longest playlist that listed it (RFC 8216, 6.2.2).",
          0, G_MAXUINT, DEFAULT_MAX_FILES, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_EXISTING,
      g_param_spec_enum ("existing", "Existing",
          "What to do with an earlier recording of the same name",
          GST_TYPE_AMS_HLS_SINK_EXISTING, DEFAULT_EXISTING, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_WHEN_BUSY,
      g_param_spec_enum ("when-busy", "When busy",
          "What to do when another recorder writes this recording",
          GST_TYPE_AMS_HLS_SINK_WHEN_BUSY, DEFAULT_WHEN_BUSY, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_PROGRAM_DATE_TIME,
      g_param_spec_boolean ("program-date-time", "Program date time",
          "Give each segment an EXT-X-PROGRAM-DATE-TIME",
          DEFAULT_PROGRAM_DATE_TIME, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_PROGRAM_DATE_TIME_REFERENCE,
      g_param_spec_enum ("program-date-time-reference",
          "Program date time reference",
          "Where dates and times, in the playlist and in names, come from",
          GST_TYPE_AMS_HLS_SINK_DATE_REFERENCE,
          DEFAULT_PROGRAM_DATE_TIME_REFERENCE, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_ENABLE_ENDLIST,
      g_param_spec_boolean ("enable-endlist", "Enable endlist",
          "Write EXT-X-ENDLIST when the recording ends (a later session that "
          "continues it takes it away again)",
          DEFAULT_ENABLE_ENDLIST, PARAM_FLAGS));
}

static void
install_cut_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_SEND_KEYFRAME_REQUESTS,
      g_param_spec_boolean ("send-keyframe-requests", "Send keyframe requests",
          "Ask the encoder for a keyframe where a segment should end",
          DEFAULT_SEND_KEYFRAME_REQUESTS, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_ALIGN_TO_CLOCK,
      g_param_spec_boolean ("align-to-clock", "Align to clock",
          "End segments where the wall-clock time is a multiple of the target "
          "duration (12:00:00, 12:00:06, …)",
          DEFAULT_ALIGN_TO_CLOCK, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_STALL_TIMEOUT,
      g_param_spec_uint64 ("stall-timeout", "Stall timeout",
          "How long, in ns, a track may send nothing, while another gets ahead "
          "of it by as much, before the recording goes on without it",
          0, G_MAXINT64, DEFAULT_STALL_TIMEOUT, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_DISCONTINUITY_THRESHOLD,
      g_param_spec_uint64 ("discontinuity-threshold", "Discontinuity threshold",
          "A longer step forward of time stamps, in ns, is kept if the clock or "
          "the other track agrees; else it is a jump, and makes an "
          "EXT-X-DISCONTINUITY",
          0, G_MAXINT64, DEFAULT_DISCONTINUITY_THRESHOLD, PARAM_FLAGS));
}

static void
install_file_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_WRITE_FILES,
      g_param_spec_enum ("write-files", "Write files",
          "When to write the recording to disk",
          GST_TYPE_AMS_HLS_SINK_WRITE_FILES, DEFAULT_WRITE_FILES, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_FSYNC,
      g_param_spec_boolean ("fsync", "fsync",
          "Have segments and playlists on stable storage before they are "
          "announced; without, a power failure may cost what was announced",
          DEFAULT_FSYNC, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_DELETE_ON_ENDED,
      g_param_spec_boolean ("delete-on-ended", "Delete on ended",
          "When the recording has ended, delete the files that this session "
          "wrote, and no others (Ant Media Server's deleteHLSFilesOnEnded)",
          DEFAULT_DELETE_ON_ENDED, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_DELETE_DELAY,
      g_param_spec_uint ("delete-delay", "Delete delay",
          "Seconds between the end and the deletion; the element must be kept "
          "in PAUSED or PLAYING for as long",
          0, G_MAXUINT, DEFAULT_DELETE_DELAY, PARAM_FLAGS));
}

void
gst_ams_hls_settings_install (GObjectClass *klass)
{
  install_name_properties (klass);
  install_playlist_properties (klass);
  install_cut_properties (klass);
  install_file_properties (klass);

  gst_type_mark_as_plugin_api (GST_TYPE_AMS_HLS_SINK_PLAYLIST_TYPE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_AMS_HLS_SINK_EXISTING, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_AMS_HLS_SINK_WHEN_BUSY, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_AMS_HLS_SINK_DATE_REFERENCE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_AMS_HLS_SINK_WRITE_FILES, 0);
}

AmsRecordingConfig *
gst_ams_hls_settings_make_recording (const GstAmsHlsSettings *settings,
    const gchar *name, const gchar *playlist_name, GError **error)
{
  g_autoptr (AmsRecordingConfig) config = ams_recording_config_new ();

  config->zone = gst_ams_hls_settings_get_zone (settings, error);
  if (!config->zone)
    return NULL;
  config->location = g_strdup (name);
  config->playlist_location = g_strdup (playlist_name);
  config->playlist_root = g_strdup (settings->playlist_root);
  config->add_date_time = settings->add_date_time;
  config->type = settings->playlist_type;
  config->target_duration = settings->target_duration;
  config->playlist_length = settings->playlist_length;
  config->max_files = settings->max_files;
  config->start_index = settings->start_index;
  config->program_date_time = settings->program_date_time;
  config->endlist = settings->enable_endlist;
  config->independent = TRUE;
  config->remember_files = settings->delete_on_ended;
  return g_steal_pointer (&config);
}
