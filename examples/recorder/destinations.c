/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "destinations.h"

#include <string.h>

/* They would be on a command line, where others see them. */
static const gchar *const secrets[] = { "user-pw", "bearer-token", "proxy-pw",
  "access-key", "secret-access-key", "session-token", "sse-customer-key",
  "extra-headers", NULL };

static void
destination_free (Destination *self)
{
  gst_clear_object (&self->element);
  g_free (self->name);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Destination, destination_free)

/* ---- what is shown ---- */

/* Where the host begins; *@user: what is in front of it, (nullable). Passwords may have been written with any
 * character, so the last @ counts. */
static const gchar *
skip_user (const gchar *url, gchar **user)
{
  const gchar *begin = strstr (url, "://");
  const gchar *at;

  begin = begin ? begin + 3 : url;
  at = strrchr (begin, '@');
  if (user)
    *user = at ? g_strndup (begin, at - begin) : NULL;
  return at ? at + 1 : begin;
}

gchar *
url_to_show (const gchar *url)
{
  const gchar *scheme = strstr (url, "://");
  const gchar *host = skip_user (url, NULL);
  g_autofree gchar *rest = g_strndup (host, strcspn (host, "?#"));
  gchar *key;

  if (!scheme)
    return g_strdup (url);
  /* The last word of an RTMP URL is often a key. */
  key = g_str_has_prefix (url, "rtmp") ? strrchr (rest, '/') : NULL;
  if (key && strchr (rest, '/') != key)
    *key = 0;
  return g_strdup_printf ("%.*s://%s%s", (int) (scheme - url), url, rest,
      key && !*key ? "/***" : "");
}

static void
hide (GString *text, const gchar *secret)
{
  if (secret && *secret)
    g_string_replace (text, secret, "***", 0);
}

gchar *
hide_secrets (const gchar *text, const gchar *url)
{
  GString *shown = g_string_new (text);
  g_autofree gchar *user = NULL;
  g_autofree gchar *safe = url_to_show (url);
  const gchar *query = strchr (url, '?');
  const gchar *host = skip_user (url, &user);

  g_string_replace (shown, url, safe, 0);
  if (query)
    hide (shown, query + 1);
  if (user)
    hide (shown, user);
  if (g_str_has_prefix (url, "rtmp") &&
      strrchr (host, '/') != strchr (host, '/'))
    hide (shown, strrchr (host, '/') + 1);
  return g_string_free (shown, FALSE);
}

/* ---- building ---- */

static gboolean
set_property (GstElement *element, const gchar *word, gboolean public,
    GError **error)
{
  g_auto (GStrv) parts = g_strsplit (word, "=", 2);
  GParamSpec *spec = parts[1]
      ? g_object_class_find_property (G_OBJECT_GET_CLASS (element), parts[0])
      : NULL;
  g_auto (GValue) value = G_VALUE_INIT;

  if (!parts[1])
    return options_fail (error,
        "Behind the URL of --to come words PROPERTY=VALUE, and \"%s\" is none.",
        word);
  if (!spec || !(spec->flags & G_PARAM_WRITABLE))
    return options_fail (error, "%s has no property \"%s\" that could be set.",
        G_OBJECT_TYPE_NAME (element), parts[0]);
  if (public && g_strv_contains (secrets, parts[0]))
    return options_fail (error,
        "Other users see a command line: say %s in the environment, in AMSHLS_TO.",
        parts[0]);
  g_value_init (&value, G_PARAM_SPEC_VALUE_TYPE (spec));
  if (!gst_value_deserialize_with_pspec (&value, parts[1], spec))
    return options_fail (error, "The property %s cannot be \"%s\".", parts[0],
        parts[1]);
  g_object_set_property (G_OBJECT (element), parts[0], &value);
  return TRUE;
}

static gboolean
set_spool (GstElement *element, const gchar *shown, const Options *options)
{
  g_autofree gchar *sum =
      g_compute_checksum_for_string (G_CHECKSUM_SHA256, shown, -1);
  g_autofree gchar *folder = NULL;

  if (!options->spool_dir)
    return TRUE;
  sum[12] = 0;
  folder = g_build_filename (options->spool_dir, sum, NULL);
  g_object_set (element, "spool-dir", folder, NULL);
  return TRUE;
}

/* A folder's URL ends in "/"; whoever left that out meant it. */
static gchar *
folder_url (const gchar *url)
{
  return g_str_has_suffix (url, "/") || strchr (url, '?')
      ? g_strdup (url)
      : g_strconcat (url, "/", NULL);
}

/* FALSE: the element is missing. */
static gboolean
make_put (Destination *self, const gchar *factory, const gchar *location,
    const Options *options, GError **error)
{
  self->element = gst_element_factory_make (factory, NULL);
  if (!self->element)
    return options_fail (error,
        "The element \"%s\" is missing: install amshls, or set GST_PLUGIN_PATH to where its plugin is.",
        factory);
  gst_object_ref_sink (self->element);
  g_object_set (self->element, "location", location, "drain-timeout",
      (gint64) options->drain_timeout * GST_SECOND, NULL);
  return TRUE;
}

static Destination *
new_server (const gchar *to, gboolean public, const Options *options,
    GError **error)
{
  g_auto (GStrv) words = NULL;
  g_autofree gchar *url = NULL;
  g_autoptr (Destination) self = g_new0 (Destination, 1);
  guint i;

  if (!g_shell_parse_argv (to, NULL, &words, error))
    return NULL;
  url = folder_url (words[0]);
  self->name = url_to_show (url);
  if (!make_put (self,
          g_str_has_prefix (url, "s3://") ? "amss3put" : "amshttpput", url,
          options, error))
    return NULL;
  set_spool (self->element, self->name, options);
  for (i = 1; words[i]; i++)
    if (!set_property (self->element, words[i], public, error))
      return NULL;
  return g_steal_pointer (&self);
}

/* The first is amshlssink's own; the others get what that writes. */
static Destination *
new_folder (const gchar *path, gboolean first, const Options *options,
    GError **error)
{
  g_autoptr (Destination) self = g_new0 (Destination, 1);
  g_autofree gchar *local = g_str_has_prefix (path, "file://")
      ? g_filename_from_uri (path, NULL, NULL)
      : NULL;

  /* Names of files are counted from an absolute folder, so that they are the same at each destination. */
  self->name = g_canonicalize_filename (local ? local : path, NULL);
  if (!first && !make_put (self, "amsfileput", self->name, options, error))
    return NULL;
  return g_steal_pointer (&self);
}

static gboolean
is_known (const gchar *to)
{
  return !strstr (to, "://") || g_str_has_prefix (to, "http://") ||
      g_str_has_prefix (to, "https://") || g_str_has_prefix (to, "s3://") ||
      g_str_has_prefix (to, "file://");
}

static const Destination *
find_named (GPtrArray *all, const gchar *name)
{
  guint i;

  for (i = 0; i < all->len; i++)
    if (g_str_equal (((Destination *) g_ptr_array_index (all, i))->name, name))
      return g_ptr_array_index (all, i);
  return NULL;
}

static const Destination *
find_folder (GPtrArray *all)
{
  guint i;

  for (i = 0; i < all->len; i++)
    if (!((Destination *) g_ptr_array_index (all, i))->element)
      return g_ptr_array_index (all, i);
  return NULL;
}

static gboolean
add (GPtrArray *all, const gchar *to, gboolean public, const Options *options,
    GError **error)
{
  gboolean folder = !strstr (to, "://") || g_str_has_prefix (to, "file://");
  g_autofree gchar *shown = url_to_show (to);
  g_autoptr (Destination) made = NULL;

  if (!is_known (to))
    return options_fail (error,
        "--to takes a folder, http://, https:// or s3://, not \"%s\".", shown);
  made = folder ? new_folder (to, !find_folder (all), options, error)
                : new_server (to, public, options, error);
  if (!made)
    return FALSE;
  if (find_named (all, made->name))
    return options_fail (error, "--to names \"%s\" twice.", made->name);
  g_ptr_array_add (all, g_steal_pointer (&made));
  return TRUE;
}

static void
set_names (GstElement *hls, const Options *options, const Destination *folder)
{
  g_autofree gchar *segments = folder
      ? g_build_filename (folder->name, options->segments, NULL)
      : g_strdup (options->segments);
  g_autofree gchar *playlist = folder
      ? g_build_filename (folder->name, options->playlist, NULL)
      : g_strdup (options->playlist);

  g_object_set (hls, "location", segments, "playlist-location", playlist, NULL);
  gst_util_set_object_arg (G_OBJECT (hls), "write-files",
      folder ? "always" : "never");
}

/* A queue to each, so that the one does not wait for the other. */
static void
link_put (GstBin *pipeline, GstElement *tee, GstElement *put)
{
  GstElement *queue = gst_element_factory_make ("queue", NULL);

  gst_bin_add_many (pipeline, queue, put, NULL);
  gst_element_link_many (tee, queue, put, NULL);
}

static void
link_all (GstBin *pipeline, GstElement *hls, GPtrArray *all)
{
  GstElement *tee = NULL;
  guint i;

  for (i = 0; i < all->len; i++) {
    const Destination *to = g_ptr_array_index (all, i);

    if (!to->element)
      continue;
    if (!tee) {
      tee = gst_element_factory_make ("tee", NULL);
      gst_bin_add (pipeline, tee);
      gst_element_link_pads (hls, "src", tee, "sink");
    }
    link_put (pipeline, tee, to->element);
  }
}

GPtrArray *
destinations_build (GstBin *pipeline, GstElement *hls, const Options *options,
    GError **error)
{
  g_autoptr (GPtrArray) all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) destination_free);
  guint i;

  for (i = 0; i < options->to->len; i++)
    if (!add (all, g_ptr_array_index (options->to, i), i < options->public_to,
            options, error))
      return NULL;
  set_names (hls, options, find_folder (all));
  link_all (pipeline, hls, all);
  return g_steal_pointer (&all);
}

const Destination *
destinations_find (GPtrArray *self, GstMessage *message)
{
  GstObject *src = GST_MESSAGE_SRC (message);
  guint i;

  for (i = 0; i < self->len; i++) {
    const Destination *to = g_ptr_array_index (self, i);

    if (to->element && src &&
        (src == GST_OBJECT (to->element) ||
            gst_object_has_as_ancestor (src, GST_OBJECT (to->element))))
      return to;
  }
  return NULL;
}
