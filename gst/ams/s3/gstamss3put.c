/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-amss3put
 * @title: amss3put
 * @short_description: delivers files to a bucket at S3 or what speaks its protocol
 * @see_also: amshlssink, amshttpput
 *
 * Takes the file stream of amshlssink's `src` pad and puts each file as an object into
 * #GstAmsS3Put:bucket, at AWS or at whatever speaks its protocol at #GstAmsS3Put:endpoint: MinIO, Ceph,
 * R2, Google, Backblaze, Wasabi … Given ordinary data instead, all of it up to EOS is one object.
 *
 * - The streaming thread never waits for the network: files are handed over and delivered by a thread of
 *   their own. What is on its way is in memory, up to #GstAmsPutSink:max-queue-bytes, or with
 *   #GstAmsHttpSink:spool-dir on disk, where it survives a crash and is sent at the next start.
 * - A playlist is put when the bucket has confirmed every object that it names, never before.
 * - What fails is tried again, for ever if #GstAmsPutSink:retry-for does not say otherwise.
 * - Segments that are in the bucket already are not replaced (#GstAmsHttpSink:overwrite).
 * - A playlist that another recorder has written meanwhile is not replaced, either: one ERROR (BUSY), nothing more is
 *   put, and what is not delivered stays in the spool.
 * - Each object's SHA-256 is signed and its MD5 sent along (#GstAmsS3Put:checksum): what arrives changed is refused by the server.
 * - Objects from #GstAmsS3Put:multipart-threshold on go in parts.
 * - EOS waits for the delivery, #GstAmsPutSink:drain-timeout long.
 *
 * An object's key is #GstAmsS3Put:key-prefix and the file's name, joined as they are, so a folder's prefix ends in `/`. Data have no name:
 * #GstAmsS3Put:location gives it. `location=s3://bucket/key` is bucket, prefix and name in one; ending in `/` it is for a file stream.
 * The element is also what GStreamer makes of an `s3://` URI (of the aws command's form; awss3sink's has a region in it) to write to.
 *
 * Where #GstAmsS3Put:endpoint is unset, `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, the profile's `services` and its `endpoint_url` are
 * looked at in this order (`AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true` forbids that); where #GstAmsHttpSink:ssl-ca-file is, `AWS_CA_BUNDLE` and
 * the profile's `ca_bundle`.
 *
 * ## Credentials
 *
 * Found as AWS's tools find them, the first that is there: #GstAmsS3Put:access-key, #GstAmsS3Put:secret-access-key and
 * #GstAmsS3Put:session-token; `AWS_ACCESS_KEY_ID` and its companions; the profile (#GstAmsS3Put:profile, `AWS_PROFILE`) in
 * `~/.aws/credentials` and `~/.aws/config`, also with `credential_process`; a web identity
 * (`AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`); the container's service; the machine's (IMDSv2). Temporary ones are
 * renewed before they expire. Keys, tokens and the customer key can be set and not be read. (A launch line is logged by
 * GStreamer as it was written, though, and other users can see it in the list of processes: better set the environment or a profile.)
 *
 * ## Messages
 *
 * Element messages:
 *
 * - `ams-file-uploaded`: the bucket has the file. `name` (string), `role` (string: `segment`, `init`, `key`,
 *   `playlist`, `master`, `other`), `size` (uint64, bytes), `version` (uint64, of a playlist; else 0).
 * - `ams-file-retrying`: an attempt failed, and there will be another. `name`, `role`, `attempts` (uint, made so
 *   far), `delay` (uint64, ns until the next), `reason` (string).
 * - `ams-file-failed`: the file was given up for good. `name`, `role`, `reason`.
 *
 * A fault is a WARNING when it begins, or an ERROR with #GstAmsPutSink:on-error `error`, and an INFO when it is
 * over, all in the RESOURCE domain: NOT_AUTHORIZED (401, 403, 407), NOT_FOUND (404), NO_SPACE_LEFT (507), BUSY (another recorder), else WRITE.
 * Their details are `failure` (string: the class of failure), `name` (string: the file that it struck first) and
 * `http-status-code` (uint, as far as there was an answer). With #GstAmsS3Put:probe, what makes it impossible to put
 * anything is an ERROR at the start. Properties that will not do are an ERROR, SETTINGS, when the element leaves NULL.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -e videotestsrc is-live=true ! video/x-raw,format=I420 ! x264enc tune=zerolatency key-int-max=60 ! amshlssink name=h location=%05d.ts playlist-location=index.m3u8 h.src ! amss3put endpoint=http://127.0.0.1:7480 bucket=rec key-prefix=cam1/ spool-dir=spool
 * ]| Records into a bucket of a Ceph gateway. While that cannot be reached the files wait in the spool; the same line sends them after a crash, too.
 * |[
 * gst-launch-1.0 filesrc location=film.mp4 ! amss3put bucket=films region=eu-central-1 location=film.mp4 content-type=video/mp4 probe=true spool-dir=/var/tmp/films
 * ]| Puts one file into a bucket at AWS, in parts if it is large. (Without a spool it may be max-queue-bytes long.)
 * |[
 * gst-launch-1.0 -e videotestsrc is-live=true ! video/x-raw,format=I420 ! x264enc tune=zerolatency key-int-max=60 ! h264parse ! splitmuxsink muxer=mpegtsmux sink="amss3put bucket=rec profile=camera" location=s3://rec/cam1/f%02d.ts max-size-time=6000000000
 * ]| One object for each fragment of splitmuxsink.
 *
 * Since: 0.1
 */

#include "config.h"

#include "s3/gstamss3put.h"

#include "files/amslatesetting.h"

#include "s3/amss3key.h"
#include "s3/amss3store.h"
#include "s3/gstamss3settings.h"

#define UPLOADS_FILE "s3-uploads-%.16s"
/* The same bucket, whichever region's endpoint leads to it. */
#define AWS_ORIGIN "https://s3.amazonaws.com"

struct _GstAmsS3Put
{
  GstAmsHttpSink parent;

  GstAmsS3Settings settings; /* under the object lock */
};

/* s3:// */

static GstURIType
uri_get_type (GType type)
{
  return GST_URI_SINK;
}

static const gchar *const *
uri_get_protocols (GType type)
{
  static const gchar *const protocols[] = { "s3", NULL };

  return protocols;
}

static gchar *
uri_get_uri (GstURIHandler *handler)
{
  GstAmsS3Put *self = GST_AMS_S3_PUT (handler);
  gchar *uri;

  GST_OBJECT_LOCK (self);
  uri = gst_ams_s3_settings_dup_uri (&self->settings);
  GST_OBJECT_UNLOCK (self);
  return uri;
}

static gboolean
uri_set_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  g_autofree gchar *bucket = NULL, *key = NULL;
  g_autoptr (GError) fault = NULL;
  GstState state;

  GST_OBJECT_LOCK (handler);
  state = GST_STATE (handler);
  GST_OBJECT_UNLOCK (handler);
  if (state > GST_STATE_READY) {
    g_set_error_literal (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
        "The URI can only be set while the element is stopped");
    return FALSE;
  }
  if (!ams_s3_uri_parse (uri, &bucket, &key, &fault)) {
    g_set_error_literal (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
        fault->message);
    return FALSE;
  }
  g_object_set (handler, "location", uri, NULL);
  return TRUE;
}

static void
uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = uri_get_type;
  handler->get_protocols = uri_get_protocols;
  handler->get_uri = uri_get_uri;
  handler->set_uri = uri_set_uri;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (GstAmsS3Put, gst_ams_s3_put,
    GST_TYPE_AMS_HTTP_SINK,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, uri_handler_init))
GST_ELEMENT_REGISTER_DEFINE (amss3put, "amss3put", GST_RANK_NONE,
    GST_TYPE_AMS_S3_PUT);

static void
copy_settings (GstAmsS3Put *self, GstAmsS3Settings *copy)
{
  GST_OBJECT_LOCK (self);
  gst_ams_s3_settings_copy (copy, &self->settings);
  GST_OBJECT_UNLOCK (self);
}

/* Where files go */

static void
free_options (gpointer options)
{
  ams_s3_store_options_clear (options);
  g_free (options);
}

/* Of the shared properties. */
static void
take_shared (const AmsHttpStoreOptions *shared, AmsS3StoreOptions *options)
{
  options->overwrite = shared->overwrite;
  options->guard_lists = TRUE;
  options->verify = shared->verify;
  options->gzip_playlists = shared->gzip_playlists;
  options->content_type = g_strdup (shared->content_type);
  options->segment_cache_control = g_strdup (shared->segment_cache_control);
  options->playlist_cache_control = g_strdup (shared->playlist_cache_control);
  options->notify_url = g_strdup (shared->notify_url);
}

/* What the signer says itself. */
static gboolean
check_extra_headers (GStrv headers, GError **error)
{
  static const gchar *const own[] = { "Authorization", "x-amz-content-sha256",
    "x-amz-date", "x-amz-security-token" };

  for (guint i = 0; headers && headers[i]; i += 2) {
    for (guint j = 0; j < G_N_ELEMENTS (own); j++) {
      if (g_ascii_strcasecmp (headers[i], own[j]) != 0)
        continue;
      g_propagate_error (error,
          ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
              "extra-headers may not have “%s” in it, which the signature "
              "makes: set access-key and secret-access-key",
              own[j]));
      return FALSE;
    }
  }
  return TRUE;
}

/* As in the path, whatever addressing is: it identifies, and is not asked. */
static gchar *
make_destination (const AmsS3StoreOptions *options)
{
  g_autoptr (AmsS3Endpoint) aws = ams_s3_endpoint_parse (AWS_ORIGIN, NULL);
  g_autoptr (GUri) uri =
      ams_s3_endpoint_to_uri (options->endpoint ? options->endpoint : aws,
          AMS_S3_ADDRESSING_PATH, options->bucket, options->prefix, NULL);

  return g_uri_to_string (uri);
}

/* One for each destination of a spool, whose uploads only its own settings can abort. */
static gchar *
make_uploads_file (GstAmsS3Put *self, const gchar *destination)
{
  g_autofree gchar *spool = NULL, *name = NULL, *hash = NULL;

  g_object_get (self, "spool-dir", &spool, NULL);
  if (!spool || !*spool)
    return NULL;
  hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, destination, -1);
  name = g_strdup_printf (UPLOADS_FILE, hash);
  return g_build_filename (spool, name, NULL);
}

static void
set_target (GstAmsS3Put *self, GstAmsHttpTarget *target,
    AmsS3StoreOptions *options)
{
  target->scheme =
      g_strdup (options->endpoint ? options->endpoint->scheme : "https");
  target->location = g_strconcat ("s3://", options->bucket, "/",
      options->prefix, target->name, NULL);
  target->destination = make_destination (options);
  options->uploads_file = make_uploads_file (self, target->destination);
  /* A list of authorities takes 4 MiB: not where nothing would use it. */
  if (!target->http.ssl_ca_file && strcmp (target->scheme, "https") == 0)
    target->http.ssl_ca_file = g_strdup (options->credentials.ca_file);
}

static gboolean
gst_ams_s3_put_resolve (GstAmsHttpSink *sink, GstAmsHttpTarget *target,
    GError **error)
{
  GstAmsS3Put *self = GST_AMS_S3_PUT (sink);
  AmsS3StoreOptions *options = g_new0 (AmsS3StoreOptions, 1);
  g_auto (GStrv) envp = g_get_environ ();
  g_auto (GstAmsS3Settings) settings = { NULL };

  copy_settings (self, &settings);
  ams_s3_store_options_init (options);
  target->own = options;
  target->free_own = free_options;
  take_shared (&target->store, options);
  if (!gst_ams_s3_settings_resolve (&settings, options, &target->name, error) ||
      !check_extra_headers (target->http.extra_headers, error) ||
      !gst_ams_s3_credentials_check (&options->credentials, envp, error))
    return FALSE;
  set_target (self, target, options);
  return TRUE;
}

static AmsStore *
gst_ams_s3_put_make_store (GstAmsHttpSink *sink, const GstAmsHttpTarget *target,
    AmsHttpClient *client, GError **error)
{
  return ams_s3_store_new (client, target->own);
}

static gboolean
gst_ams_s3_put_configure (GstAmsPutSink *sink, AmsDeliveryConfig *config,
    GError **error)
{
  GstAmsS3Put *self = GST_AMS_S3_PUT (sink);

  GST_OBJECT_LOCK (self);
  config->probe = self->settings.probe;
  GST_OBJECT_UNLOCK (self);
  return GST_AMS_PUT_SINK_CLASS (gst_ams_s3_put_parent_class)
      ->configure (sink, config, error);
}

/* Properties */

static void
gst_ams_s3_put_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  gboolean known;

  ams_warn_late_setting (GST_ELEMENT (object), value, pspec);
  GST_OBJECT_LOCK (object);
  known =
      gst_ams_s3_settings_set (&GST_AMS_S3_PUT (object)->settings, id, value);
  GST_OBJECT_UNLOCK (object);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_ams_s3_put_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  gboolean known;

  GST_OBJECT_LOCK (object);
  known =
      gst_ams_s3_settings_get (&GST_AMS_S3_PUT (object)->settings, id, value);
  GST_OBJECT_UNLOCK (object);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_ams_s3_put_finalize (GObject *object)
{
  gst_ams_s3_settings_clear (&GST_AMS_S3_PUT (object)->settings);
  G_OBJECT_CLASS (gst_ams_s3_put_parent_class)->finalize (object);
}

static void
gst_ams_s3_put_class_init (GstAmsS3PutClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = gst_ams_s3_put_set_property;
  object_class->get_property = gst_ams_s3_put_get_property;
  object_class->finalize = gst_ams_s3_put_finalize;
  gst_ams_s3_settings_install (object_class);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "S3 put",
      "Sink/Network",
      "Delivers files (amshlssink's, or all data up to EOS as one) to a bucket "
      "of S3 or what speaks its protocol: in order, again until they are there",
      "The amshls developers");
  GST_AMS_PUT_SINK_CLASS (klass)->configure = gst_ams_s3_put_configure;
  GST_AMS_HTTP_SINK_CLASS (klass)->resolve = gst_ams_s3_put_resolve;
  GST_AMS_HTTP_SINK_CLASS (klass)->make_store = gst_ams_s3_put_make_store;
}

static void
gst_ams_s3_put_init (GstAmsS3Put *self)
{
  gst_ams_s3_settings_init (&self->settings);
}
