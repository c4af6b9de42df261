/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-amshttpput
 * @title: amshttpput
 * @short_description: delivers files to an HTTP server with PUT
 * @see_also: amshlssink
 *
 * Takes the file stream of amshlssink's `src` pad and puts each file behind
 * #GstAmsHttpPut:location, on any server that takes PUT: WebDAV, nginx, Apache, upload
 * endpoints, CDN ingests. Given ordinary data instead, all of it up to EOS is one file.
 *
 * - The streaming thread never waits for the network: files are handed over and delivered by a thread of
 *   their own. What is on its way is in memory, up to #GstAmsPutSink:max-queue-bytes, or with
 *   #GstAmsHttpSink:spool-dir on disk, where it survives a crash and is sent at the next start.
 * - A playlist is put when the server has confirmed every file that it names, never before.
 * - What fails is tried again, for ever if #GstAmsPutSink:retry-for does not say otherwise. 200, 201 and 204 are success (202
 *   too, though the server has only promised then); redirects are no success.
 * - Segments that the server has already are not replaced (#GstAmsHttpSink:overwrite).
 * - A playlist that another recorder has written meanwhile is not replaced, either: one ERROR (BUSY), nothing more is
 *   put, and what is not delivered stays in the spool.
 * - EOS waits for the delivery, #GstAmsPutSink:drain-timeout long.
 *
 * A location that ends in `/` is a folder, and takes a file stream; one that does not is a file, and takes data. Its
 * `user:password@` is taken for #GstAmsHttpPut:user-id and #GstAmsHttpPut:user-pw. Passwords and
 * tokens can be set and not be read, and #GstAmsHttpPut:location is read back without user and
 * values of its query. (A launch line is logged by GStreamer as it was written, though, and other users can see it in the list of processes.)
 *
 * ## Messages
 *
 * Element messages:
 *
 * - `ams-file-uploaded`: the server has the file. `name` (string), `role` (string: `segment`, `init`, `key`,
 *   `playlist`, `master`, `other`), `size` (uint64, bytes), `version` (uint64, of a playlist; else 0).
 * - `ams-file-retrying`: an attempt failed, and there will be another. `name`, `role`, `attempts` (uint, made so
 *   far), `delay` (uint64, ns until the next), `reason` (string).
 * - `ams-file-failed`: the file was given up for good. `name`, `role`, `reason`.
 *
 * A fault is a WARNING when it begins, or an ERROR with #GstAmsPutSink:on-error `error`, and an INFO when it is
 * over, all in the RESOURCE domain: NOT_AUTHORIZED (401, 403, 407), NOT_FOUND (404), NO_SPACE_LEFT (507), BUSY (another recorder), else WRITE.
 * Their details are `failure` (string: the class of failure), `name` (string: the file that it struck first) and
 * `http-status-code` (uint, as far as there was an answer). Properties that will not do are an ERROR, SETTINGS, when the element leaves NULL.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -e videotestsrc is-live=true ! video/x-raw,format=I420 ! x264enc tune=zerolatency key-int-max=60 ! amshlssink name=h location=%05d.ts playlist-location=index.m3u8 h.src ! amshttpput location=https://media.example.com/cam1/ user-id=cam1 user-pw=secret spool-dir=/var/spool/cam1
 * ]| Records to a server. While that cannot be reached the files wait in the spool; the same line sends them after a crash, too.
 * |[
 * gst-launch-1.0 filesrc location=film.mp4 ! amshttpput location=https://media.example.com/films/film.mp4 bearer-token=secret verify=size spool-dir=/var/tmp/films
 * ]| Puts one file, and looks whether all of it is there. (Without a spool it may be max-queue-bytes long.)
 * |[
 * gst-launch-1.0 -e videotestsrc is-live=true ! video/x-raw,format=I420 ! x264enc tune=zerolatency key-int-max=60 ! h264parse ! splitmuxsink muxer=mpegtsmux sink=amshttpput location=http://127.0.0.1:8080/rec/f%02d.ts max-size-time=6000000000
 * ]| One object for each fragment of splitmuxsink.
 * |[
 * gst-launch-1.0 souphttpsrc location=https://example.com/live.m3u8 ! hlsdemux ! amshttpput location=http://127.0.0.1:8080/copy.ts upload=at-eos
 * ]| Copies a stream as one file.
 *
 * Since: 0.1
 */

#include "config.h"

#include "http/gstamshttpput.h"

#include "files/amslatesetting.h"

#include "http/gstamsfields.h"

#include <string.h>

#define DEFAULT_CREATE_COLLECTIONS FALSE
#define DEFAULT_AUTH AMS_HTTP_AUTH_BASIC
#define DEFAULT_DIGEST AMS_HTTP_DIGEST_NONE
#define DEFAULT_CHUNKED FALSE
#define DEFAULT_REDIRECT AMS_HTTP_REDIRECT_SAFE
#define DEFAULT_REDIRECT_TO_LOCAL FALSE

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_CREATE_COLLECTIONS,
  PROP_USER_ID,
  PROP_USER_PW,
  PROP_BEARER_TOKEN,
  PROP_AUTH,
  PROP_DIGEST,
  PROP_CHUNKED,
  PROP_REDIRECT,
  PROP_REDIRECT_TO_LOCAL,
};

typedef struct
{
  gchar *location;
  gboolean create_collections;
  gchar *user_id, *user_pw;
  gchar *bearer_token;
  AmsHttpAuth auth;
  AmsHttpDigest digest;
  gboolean chunked;
  AmsHttpRedirect redirect;
  gboolean redirect_to_local;
} Settings;

struct _GstAmsHttpPut
{
  GstAmsHttpSink parent;

  Settings settings; /* under the object lock */
};

G_DEFINE_FINAL_TYPE (GstAmsHttpPut, gst_ams_http_put, GST_TYPE_AMS_HTTP_SINK)
GST_ELEMENT_REGISTER_DEFINE (amshttpput, "amshttpput", GST_RANK_NONE,
    GST_TYPE_AMS_HTTP_PUT);

/* clang-format off */
GST_AMS_DEFINE_ENUM (auth_get_type, "GstAmsHttpAuth",
    { AMS_HTTP_AUTH_BASIC, "Sent with the first request", "basic" },
    { AMS_HTTP_AUTH_DIGEST, "When the server asks", "digest" })

GST_AMS_DEFINE_ENUM (digest_get_type, "GstAmsHttpDigest",
    { AMS_HTTP_DIGEST_NONE, "None", "none" },
    { AMS_HTTP_DIGEST_MD5, "Content-MD5", "md5" },
    { AMS_HTTP_DIGEST_SHA256, "Repr-Digest (RFC 9530)", "sha-256" })

GST_AMS_DEFINE_ENUM (redirect_get_type, "GstAmsHttpRedirect",
    { AMS_HTTP_REDIRECT_NEVER, "None: it is a fault", "never" },
    { AMS_HTTP_REDIRECT_SAFE, "307 and 308, which repeat the PUT", "safe" },
    { AMS_HTTP_REDIRECT_PUT, "301 and 302 too, repeating the PUT", "put" })
/* clang-format on */

static const GstAmsField fields[] = {
  [PROP_LOCATION] =
      GST_AMS_FIELD_SHOWN_BY (Settings, ams_http_url_redact, location),
  [PROP_CREATE_COLLECTIONS] =
      GST_AMS_FIELD (Settings, BOOLEAN, create_collections),
  [PROP_USER_ID] = GST_AMS_FIELD (Settings, STRING, user_id),
  [PROP_USER_PW] = GST_AMS_FIELD (Settings, SECRET, user_pw),
  [PROP_BEARER_TOKEN] = GST_AMS_FIELD (Settings, SECRET, bearer_token),
  [PROP_AUTH] = GST_AMS_FIELD (Settings, ENUM, auth),
  [PROP_DIGEST] = GST_AMS_FIELD (Settings, ENUM, digest),
  [PROP_CHUNKED] = GST_AMS_FIELD (Settings, BOOLEAN, chunked),
  [PROP_REDIRECT] = GST_AMS_FIELD (Settings, ENUM, redirect),
  [PROP_REDIRECT_TO_LOCAL] =
      GST_AMS_FIELD (Settings, BOOLEAN, redirect_to_local),
};

/* Settings */

static void
clear_settings (Settings *settings)
{
  gst_ams_fields_clear (settings, fields, G_N_ELEMENTS (fields));
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Settings, clear_settings)

static void
copy_settings (GstAmsHttpPut *self, Settings *copy)
{
  GST_OBJECT_LOCK (self);
  gst_ams_fields_copy (copy, &self->settings, fields, G_N_ELEMENTS (fields));
  GST_OBJECT_UNLOCK (self);
}

static gboolean
refuse (GError **error, const gchar *sentence)
{
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0, "%s", sentence));
  return FALSE;
}

/* From the URL, which must not say anything else than the property. */
static gboolean
take_from_url (gchar **property, gchar **part)
{
  if (*property && *part && strcmp (*property, *part) != 0)
    return FALSE;
  if (!*property)
    *property = g_strdup (*part);
  gst_ams_set_secret (part, NULL);
  return TRUE;
}

/* As far as the client does not check them. */
static gboolean
check_credentials (Settings *settings, AmsHttpUrl *url, GError **error)
{
  if (!take_from_url (&settings->user_id, &url->user))
    return refuse (error,
        "location has a user in it, and user-id is set to another: give one of them");
  if (!take_from_url (&settings->user_pw, &url->password))
    return refuse (error,
        "location has a password in it, and user-pw is set to another: give one of them");
  if (settings->bearer_token && !*settings->bearer_token)
    return refuse (error,
        "bearer-token is empty: set it to the token, or leave it out");
  if (settings->bearer_token && settings->user_id)
    return refuse (error,
        "bearer-token is set as well as a user (user-id, or in location): give one of them");
  return TRUE;
}

/* Takes @settings' strings. */
static void
give_credentials (Settings *settings, AmsHttpOptions *options)
{
  options->user_id = g_steal_pointer (&settings->user_id);
  options->user_pw = g_steal_pointer (&settings->user_pw);
  options->bearer_token = g_steal_pointer (&settings->bearer_token);
  options->auth = settings->auth;
}

/* Where files go */

static AmsHttpUrl *
parse_location (const gchar *location, GError **error)
{
  AmsHttpUrl *url;

  if (!location || !*location) {
    refuse (error,
        "location is not set: give the http:// or https:// URL of a folder, with “/” at its end, or of a file");
    return NULL;
  }
  url = ams_http_url_parse (location, error);
  if (!url)
    g_prefix_error (error, "location: ");
  return url;
}

/* The only thing that can be wrong with it: it is not encoded as names of files are. */
static gboolean
refuse_name (const AmsHttpUrl *url, GError **error)
{
  const gchar *last = strrchr (url->path, '/') + 1;
  g_autofree gchar *decoded = g_uri_unescape_string (last, NULL);
  g_autofree gchar *encoded = decoded && ams_file_name_check (decoded, NULL)
      ? ams_http_url_encode_name (decoded)
      : NULL;
  g_autofree gchar *sentence = NULL;

  if (encoded)
    sentence = g_strdup_printf ("location: write the file’s name “%s” as “%s”",
        last, encoded);
  else
    sentence = g_strdup_printf (
        "location: “%s” is no name that a file may have", last);
  return refuse (error, sentence);
}

/* @url is the folder's afterwards. */
static gboolean
split_location (AmsHttpUrl **url, gchar **name, GError **error)
{
  AmsHttpUrl *folder;

  if (ams_http_url_is_folder (*url))
    return TRUE;
  if (!ams_http_url_split (*url, &folder, name))
    return refuse_name (*url, error);
  ams_http_url_free (*url);
  *url = folder;
  return TRUE;
}

static gboolean
gst_ams_http_put_resolve (GstAmsHttpSink *sink, GstAmsHttpTarget *target,
    GError **error)
{
  g_auto (Settings) settings = { NULL };
  g_autoptr (AmsHttpUrl) url = NULL;

  copy_settings (GST_AMS_HTTP_PUT (sink), &settings);
  url = parse_location (settings.location, error);
  if (!url || !check_credentials (&settings, url, error))
    return FALSE;
  target->location = ams_http_url_to_display (url, NULL);
  if (!split_location (&url, &target->name, error))
    return FALSE;
  give_credentials (&settings, &target->http);
  target->scheme = g_strdup (url->scheme);
  target->destination = ams_http_url_to_destination (url);
  target->http.chunked = settings.chunked;
  target->http.redirect = settings.redirect;
  target->http.redirect_to_local = settings.redirect_to_local;
  target->store.digest = settings.digest;
  target->store.create_collections = settings.create_collections;
  target->store.look_first = target->name != NULL;
  target->store.guard_lists = TRUE;
  target->store.url = g_steal_pointer (&url);
  return TRUE;
}

/* Properties */

static void
gst_ams_http_put_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  gboolean known;

  ams_warn_late_setting (GST_ELEMENT (object), value, pspec);
  GST_OBJECT_LOCK (object);
  known = gst_ams_fields_set (&GST_AMS_HTTP_PUT (object)->settings, fields,
      G_N_ELEMENTS (fields), id, value);
  GST_OBJECT_UNLOCK (object);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_ams_http_put_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  gboolean known;

  GST_OBJECT_LOCK (object);
  known = gst_ams_fields_get (&GST_AMS_HTTP_PUT (object)->settings, fields,
      G_N_ELEMENTS (fields), id, value);
  GST_OBJECT_UNLOCK (object);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

#define PARAM_FLAGS \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define SECRET_FLAGS \
  (G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

static void
install_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "URL (http, https) of the folder, ending in “/”, behind which the "
          "files of a file stream go, or of the file that data become. A "
          "query is sent with each file. Reading it back hides the user and "
          "the values of the query",
          NULL, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_CREATE_COLLECTIONS,
      g_param_spec_boolean ("create-collections", "Create collections",
          "Make folders that are missing (MKCOL; WebDAV)",
          DEFAULT_CREATE_COLLECTIONS, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_USER_ID,
      g_param_spec_string ("user-id", "User", "User at the server", NULL,
          PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_USER_PW,
      g_param_spec_string ("user-pw", "Password",
          "The user's password at the server", NULL, SECRET_FLAGS));
  g_object_class_install_property (klass, PROP_BEARER_TOKEN,
      g_param_spec_string ("bearer-token", "Bearer token",
          "Token with which to identify (RFC 6750), in place of a user", NULL,
          SECRET_FLAGS));
  g_object_class_install_property (klass, PROP_AUTH,
      g_param_spec_enum ("auth", "Authentication",
          "How user and password are sent", auth_get_type (), DEFAULT_AUTH,
          PARAM_FLAGS));
}

static void
install_transfer_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_DIGEST,
      g_param_spec_enum ("digest", "Digest",
          "Digest of the file that is sent with it, for a server that checks",
          digest_get_type (), DEFAULT_DIGEST, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_CHUNKED,
      g_param_spec_boolean ("chunked", "Chunked",
          "Send files with Transfer-Encoding: chunked instead of a "
          "Content-Length; many servers refuse that",
          DEFAULT_CHUNKED, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_REDIRECT,
      g_param_spec_enum ("redirect", "Redirect",
          "Which redirects to follow, five at most, never from https to http, "
          "and without credentials to another host",
          redirect_get_type (), DEFAULT_REDIRECT, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_REDIRECT_TO_LOCAL,
      g_param_spec_boolean ("redirect-to-local", "Redirect to local",
          "Follow redirects of a server elsewhere to a loopback or link-local "
          "address too, where services trust whoever asks from this machine",
          DEFAULT_REDIRECT_TO_LOCAL, PARAM_FLAGS));
}

static void
gst_ams_http_put_finalize (GObject *object)
{
  clear_settings (&GST_AMS_HTTP_PUT (object)->settings);
  G_OBJECT_CLASS (gst_ams_http_put_parent_class)->finalize (object);
}

static void
gst_ams_http_put_class_init (GstAmsHttpPutClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = gst_ams_http_put_set_property;
  object_class->get_property = gst_ams_http_put_get_property;
  object_class->finalize = gst_ams_http_put_finalize;
  install_properties (object_class);
  install_transfer_properties (object_class);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "HTTP put",
      "Sink/Network",
      "Delivers files (amshlssink's, or all data up to EOS as one) to an HTTP "
      "server with PUT: in order, again until they are there",
      "The amshls developers");
  GST_AMS_HTTP_SINK_CLASS (klass)->resolve = gst_ams_http_put_resolve;
  gst_type_mark_as_plugin_api (auth_get_type (), 0);
  gst_type_mark_as_plugin_api (digest_get_type (), 0);
  gst_type_mark_as_plugin_api (redirect_get_type (), 0);
}

static void
gst_ams_http_put_init (GstAmsHttpPut *self)
{
  self->settings = (Settings){
    .create_collections = DEFAULT_CREATE_COLLECTIONS,
    .auth = DEFAULT_AUTH,
    .digest = DEFAULT_DIGEST,
    .chunked = DEFAULT_CHUNKED,
    .redirect = DEFAULT_REDIRECT,
    .redirect_to_local = DEFAULT_REDIRECT_TO_LOCAL,
  };
}
