/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-amsfileput
 * @title: amsfileput
 * @short_description: delivers files to another folder
 * @see_also: amshlssink, amshttpput, amss3put
 *
 * Takes the file stream of amshlssink's `src` pad and writes each file below #GstAmsFilePut:location: a second disk, or
 * a file system of the network, beside the folder to which amshlssink writes by itself. Both recordings are the same, byte for byte.
 *
 * - The streaming thread never waits for the disk. What that does not take is in memory, up to
 *   #GstAmsPutSink:max-queue-bytes; where amshlssink writes the same files to a disk of its own, they are read from there instead.
 * - A file appears under its name as a whole; a playlist does when all that it names is there.
 * - What fails (the disk is full, the server is gone) is tried again, for ever if #GstAmsPutSink:retry-for does not say otherwise. After
 *   a crash the next start brings what is missing, if amshlssink's own folder has it.
 * - A file that is there with other bytes is not replaced (#GstAmsFilePut:overwrite).
 * - EOS waits for the delivery, #GstAmsPutSink:drain-timeout long.
 *
 * A file system that hangs, as one of the network does when its server is gone, holds up this element alone: what comes meanwhile is in memory,
 * and when that is full the oldest segments are given up (#GstAmsPutSink:queue-policy is `drop-oldest`). Mount it so that it fails instead (NFS: `soft`).
 *
 * ## Messages
 *
 * Element messages:
 *
 * - `ams-file-uploaded`: the file is there. `name` (string), `role` (string: `segment`, `init`, `key`,
 *   `playlist`, `master`, `other`), `size` (uint64, bytes), `version` (uint64, of a playlist; else 0).
 * - `ams-file-retrying`: an attempt failed, and there will be another. `name`, `role`, `attempts` (uint, made so
 *   far), `delay` (uint64, ns until the next), `reason` (string).
 * - `ams-file-failed`: the file was given up for good. `name`, `role`, `reason`.
 *
 * A fault is a WARNING when it begins, or an ERROR with #GstAmsPutSink:on-error `error`, and an INFO when it is
 * over, all in the RESOURCE domain: NO_SPACE_LEFT, else WRITE. A recording that another recorder writes there is an ERROR, BUSY, and nothing
 * of this one goes there.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -e videotestsrc is-live=true ! video/x-raw,format=I420 ! x264enc tune=zerolatency key-int-max=60 ! amshlssink name=h location=/srv/a/%05d.ts playlist-location=/srv/a/index.m3u8 write-files=always h.src ! amsfileput location=/srv/b
 * ]| Records to two disks.
 *
 * Since: 0.1
 */

#include "config.h"

#include "local/gstamsfileput.h"

#include "files/amslatesetting.h"

#include "local/amslocalstore.h"

/* How long a disk may take for what is queued when nobody has drained the sink
 * before it is stopped. */
#define STOP_GRACE (G_TIME_SPAN_SECOND / 2)

#define DEFAULT_FSYNC TRUE
#define DEFAULT_OVERWRITE FALSE

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_FSYNC,
  PROP_OVERWRITE,
};

struct _GstAmsFilePut
{
  GstAmsPutSink parent;

  /* Under the object lock. */
  gchar *location; /* (nullable) as it was set */
  AmsLocalOptions options;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (AMS_FILES_CAPS));

G_DEFINE_FINAL_TYPE (GstAmsFilePut, gst_ams_file_put, GST_TYPE_AMS_PUT_SINK)

GST_ELEMENT_REGISTER_DEFINE (amsfileput, "amsfileput", GST_RANK_NONE,
    GST_TYPE_AMS_FILE_PUT)

/* (transfer full) (nullable) */
static gchar *
folder_of_uri (const gchar *uri)
{
  g_autofree gchar *host = NULL;
  g_autofree gchar *folder = g_filename_from_uri (uri, &host, NULL);

  if (host && *host && g_ascii_strcasecmp (host, "localhost") != 0)
    return NULL;
  return g_steal_pointer (&folder);
}

/* (transfer full) (nullable) */
static gchar *
folder_of (const gchar *location, GError **error)
{
  gchar *folder;

  if (!location || !*location) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "location is not set: name the folder to which the files go.");
    return NULL;
  }
  if (!gst_uri_is_valid (location))
    return g_canonicalize_filename (location, NULL);
  folder = folder_of_uri (location);
  if (!folder)
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "location “%s” is no folder of this machine: set a path or a file:// URI. (amshttpput and amss3put deliver to servers.)",
        location);
  return folder;
}

/* (transfer full) (nullable) */
static gchar *
read_settings (GstAmsFilePut *self, AmsLocalOptions *options, GError **error)
{
  g_autofree gchar *location = NULL;

  GST_OBJECT_LOCK (self);
  location = g_strdup (self->location);
  *options = self->options;
  GST_OBJECT_UNLOCK (self);
  return folder_of (location, error);
}

static gboolean
gst_ams_file_put_check (GstAmsPutSink *sink, GError **error)
{
  AmsLocalOptions options;
  g_autofree gchar *folder =
      read_settings (GST_AMS_FILE_PUT (sink), &options, error);

  return folder != NULL;
}

static AmsStore *
gst_ams_file_put_create_store (GstAmsPutSink *sink, GError **error)
{
  AmsLocalOptions options;
  g_autofree gchar *folder =
      read_settings (GST_AMS_FILE_PUT (sink), &options, error);

  return folder ? ams_local_store_new (folder, &options) : NULL;
}

static gboolean
gst_ams_file_put_check_file (GstAmsPutSink *sink, const AmsFileBegin *begin,
    GError **error)
{
  AmsLocalOptions options;
  g_autofree gchar *folder =
      read_settings (GST_AMS_FILE_PUT (sink), &options, error);

  return folder && ams_local_check_name (folder, begin->name, error);
}

static const gchar *
gst_ams_file_put_get_lost_advice (GstAmsPutSink *sink)
{
  return "the disk does not take them. Make room there, or mend what the warning "
         "before this one names; with write-files=always of amshlssink the next "
         "start copies what is missing; a longer drain-timeout leaves more time";
}

static void
gst_ams_file_put_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstAmsFilePut *self = GST_AMS_FILE_PUT (object);

  ams_warn_late_setting (GST_ELEMENT (object), value, pspec);
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_free (self->location);
      self->location = g_value_dup_string (value);
      break;
    case PROP_FSYNC:
      self->options.sync = g_value_get_boolean (value);
      break;
    case PROP_OVERWRITE:
      self->options.overwrite = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_ams_file_put_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstAmsFilePut *self = GST_AMS_FILE_PUT (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string (value, self->location);
      break;
    case PROP_FSYNC:
      g_value_set_boolean (value, self->options.sync);
      break;
    case PROP_OVERWRITE:
      g_value_set_boolean (value, self->options.overwrite);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_ams_file_put_finalize (GObject *object)
{
  g_free (GST_AMS_FILE_PUT (object)->location);
  G_OBJECT_CLASS (gst_ams_file_put_parent_class)->finalize (object);
}

#define SETTABLE \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

static void
install_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "The folder below which the files go, as a path or a file:// URI; it "
          "is made if it is not there",
          NULL, SETTABLE));
  g_object_class_install_property (klass, PROP_FSYNC,
      g_param_spec_boolean ("fsync", "fsync",
          "Have each file on stable storage before it counts as stored; without, "
          "a power failure may cost what a playlist lists",
          DEFAULT_FSYNC, SETTABLE));
  g_object_class_install_property (klass, PROP_OVERWRITE,
      g_param_spec_boolean ("overwrite", "Overwrite",
          "Replace segments that are there with other bytes", DEFAULT_OVERWRITE,
          SETTABLE));
}

static void
gst_ams_file_put_class_init (GstAmsFilePutClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstAmsPutSinkClass *put_class = GST_AMS_PUT_SINK_CLASS (klass);

  object_class->set_property = gst_ams_file_put_set_property;
  object_class->get_property = gst_ams_file_put_get_property;
  object_class->finalize = gst_ams_file_put_finalize;
  install_properties (object_class);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "File put", "Sink/File",
      "Delivers the files of amshlssink to another folder", "amshls");
  put_class->check = gst_ams_file_put_check;
  put_class->create_store = gst_ams_file_put_create_store;
  put_class->check_file = gst_ams_file_put_check_file;
  put_class->get_lost_advice = gst_ams_file_put_get_lost_advice;
  put_class->stop_grace = STOP_GRACE;
}

static void
gst_ams_file_put_init (GstAmsFilePut *self)
{
  self->options = (AmsLocalOptions){ DEFAULT_FSYNC, DEFAULT_OVERWRITE };
  /* A disk that hangs must not hold up the others behind the same tee. */
  g_object_set (self, "queue-policy", AMS_QUEUE_DROP_OLDEST, NULL);
}
