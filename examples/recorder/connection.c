/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "connection.h"

#include <gst/base/gstbasesrc.h>
#include <stdlib.h>
#include <string.h>

#define UDP_BUFFER (2 * 1024 * 1024)

typedef struct
{
  const gchar *scheme;
  const gchar *element;
  const gchar *demuxer; /* (nullable): it has a pad for each stream itself */
  gboolean live;
  gboolean own_times; /* its times begin with the connection */
} Kind;

static const Kind kinds[] = {
  { "rtsp", "rtspsrc", NULL, TRUE, FALSE },
  { "rtsps", "rtspsrc", NULL, TRUE, FALSE },
  { "rtmp", "rtmp2src", "flvdemux", TRUE, TRUE },
  { "rtmps", "rtmp2src", "flvdemux", TRUE, TRUE },
  { "srt", "srtsrc", "tsdemux", TRUE, TRUE },
  { "udp", "udpsrc", "tsdemux", TRUE, TRUE },
  { "file", "filesrc", "parsebin", FALSE, FALSE },
  { "test", NULL, NULL, TRUE, FALSE },
};

static const Kind *
find_kind (const gchar *uri)
{
  g_autofree gchar *scheme = g_uri_parse_scheme (uri);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (scheme && g_ascii_strcasecmp (scheme, kinds[i].scheme) == 0)
      return &kinds[i];
  return NULL;
}

gboolean
connection_check_uri (const gchar *uri, GError **error)
{
  if (find_kind (uri))
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "The source must be a file or a URL that begins with rtsp, rtsps, rtmp, rtmps, srt, udp, file or test, as in rtsp://camera/stream.");
  return FALSE;
}

gboolean
connection_is_live (const gchar *uri)
{
  return find_kind (uri)->live;
}

gboolean
connection_has_own_times (const gchar *uri)
{
  return find_kind (uri)->own_times;
}

gboolean
connection_is_passive (const gchar *uri)
{
  return g_str_equal (find_kind (uri)->scheme, "udp") ||
      strstr (uri, "mode=listener");
}

static void
set_up_rtsp (const SourceSettings *self, GstElement *element)
{
  const gchar *transport = self->rtsp_transport;

  g_object_set (element, "location", self->uri, "latency", self->latency,
      "tcp-timeout", (guint64) self->timeout * G_USEC_PER_SEC, "timeout",
      (guint64) self->timeout * G_USEC_PER_SEC, "add-reference-timestamp-meta",
      self->camera_clock, NULL);
  if (g_str_equal (transport, "tcp"))
    gst_util_set_object_arg (G_OBJECT (element), "protocols", "tcp");
  else if (g_str_equal (transport, "udp"))
    gst_util_set_object_arg (G_OBJECT (element), "protocols", "udp+udp-mcast");
}

static void
set_up_udp (const SourceSettings *self, GstElement *element)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/mpegts, systemstream=(boolean)true, packetsize=(int)188");

  g_object_set (element, "uri", self->uri, "buffer-size", UDP_BUFFER, "caps",
      caps, NULL);
}

static void
set_up_srt (const SourceSettings *self, GstElement *element)
{
  g_object_set (element, "uri", self->uri, "latency", self->latency,
      "keep-listening", FALSE, NULL);
  /* It would try on its own, and nobody would know. */
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element),
          "auto-reconnect"))
    g_object_set (element, "auto-reconnect", FALSE, NULL);
}

/* Else tsdemux bends the stream's times after those at which packets arrive, and
 * they come out uneven. */
static void
leave_times_alone (GstElement *element)
{
  gst_base_src_set_format (GST_BASE_SRC (element), GST_FORMAT_BYTES);
  gst_base_src_set_do_timestamp (GST_BASE_SRC (element), FALSE);
}

static gboolean
set_up_file (const SourceSettings *self, GstElement *element, GError **error)
{
  g_autofree gchar *path = g_filename_from_uri (self->uri, NULL, error);

  g_object_set (element, "location", path, NULL);
  return path != NULL;
}

static gboolean
set_up (const SourceSettings *self, GstElement *element, GError **error)
{
  const gchar *name = find_kind (self->uri)->element;

  if (g_str_equal (name, "rtspsrc"))
    set_up_rtsp (self, element);
  else if (g_str_equal (name, "udpsrc"))
    set_up_udp (self, element);
  else if (g_str_equal (name, "srtsrc"))
    set_up_srt (self, element);
  else if (g_str_equal (name, "rtmp2src"))
    g_object_set (element, "location", self->uri, "timeout", self->timeout,
        "idle-timeout", self->timeout, NULL);
  else
    return set_up_file (self, element, error);
  if (g_str_equal (name, "udpsrc") || g_str_equal (name, "srtsrc"))
    leave_times_alone (element);
  return TRUE;
}

static GstElement *
add (GstBin *bin, const gchar *factory, GError **error)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (element)
    gst_bin_add (bin, element);
  else
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        "The GStreamer element \"%s\" is missing; install the package that "
        "brings it (Debian: %s).",
        factory, stream_package (factory));
  return element;
}

static gboolean
build (GstBin *bin, const SourceSettings *self, GstElement **demuxer,
    GError **error)
{
  const Kind *kind = find_kind (self->uri);
  GstElement *element = add (bin, kind->element, error);
  GstElement *last =
      element && kind->demuxer ? add (bin, kind->demuxer, error) : element;

  if (!last || !set_up (self, element, error))
    return FALSE;
  if (last != element)
    gst_element_link (element, last);
  *demuxer = last;
  return TRUE;
}

/* A number of the query of test://?width=320&height=240&rate=30. */
static gint
test_number (const SourceSettings *self, const gchar *name, gint otherwise)
{
  g_autoptr (GUri) uri = g_uri_parse (self->uri, G_URI_FLAGS_NONE, NULL);
  const gchar *query = uri ? g_uri_get_query (uri) : NULL;
  g_autoptr (GHashTable) words = query
      ? g_uri_parse_params (query, -1, "&", G_URI_PARAMS_NONE, NULL)
      : NULL;
  const gchar *value = words ? g_hash_table_lookup (words, name) : NULL;

  return value ? CLAMP (atoi (value), 1, 7680) : otherwise;
}

/* Returns: (transfer full) (nullable) the pad of what is not encoded yet */
static GstPad *
build_test_stream (GstBin *bin, const gchar *source, GstCaps *caps,
    GError **error)
{
  GstElement *from = add (bin, source, error);
  GstElement *filter = from ? add (bin, "capsfilter", error) : NULL;

  if (!filter)
    return NULL;
  g_object_set (from, "is-live", TRUE, NULL);
  g_object_set (filter, "caps", caps, NULL);
  gst_element_link (from, filter);
  return gst_element_get_static_pad (filter, "src");
}

static gboolean
build_test (GstBin *bin, const SourceSettings *self, GstPad **pads,
    GError **error)
{
  g_autoptr (GstCaps) picture =
      gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "I420",
          "width", G_TYPE_INT, test_number (self, "width", 640), "height",
          G_TYPE_INT, test_number (self, "height", 360), "framerate",
          GST_TYPE_FRACTION, test_number (self, "rate", 25), 1, NULL);
  g_autoptr (GstCaps) tone =
      gst_caps_from_string ("audio/x-raw, rate=(int)48000, channels=(int)2");

  pads[0] = build_test_stream (bin, "videotestsrc", picture, error);
  if (pads[0])
    pads[1] = build_test_stream (bin, "audiotestsrc", tone, error);
  return pads[0] && pads[1];
}

gboolean
connection_build (GstBin *bin, const SourceSettings *settings,
    GstElement **demuxer, GstPad **pads, GError **error)
{
  *demuxer = NULL;
  pads[0] = pads[1] = NULL;
  if (!find_kind (settings->uri)->element)
    return build_test (bin, settings, pads, error);
  return build (bin, settings, demuxer, error);
}
