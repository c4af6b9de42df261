/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the put sinks have in common whose store is spoken to over HTTP: the properties of
 * gstamshttpsettings.h, the spool, what they say when a recording is delivered. */

#pragma once

#include "http/amshttpstore.h"
#include "transfer/gstamsputsink.h"

G_BEGIN_DECLS

#define GST_TYPE_AMS_HTTP_SINK (gst_ams_http_sink_get_type ())
G_DECLARE_DERIVABLE_TYPE (GstAmsHttpSink, gst_ams_http_sink, GST, AMS_HTTP_SINK,
    GstAmsPutSink)

/* Where files go, and how. */
typedef struct
{
  AmsHttpOptions http;
  AmsHttpStoreOptions store;
  gchar *scheme;
  gchar *location; /* as it may be shown */
  gchar *destination; /* what identifies the store to the spool */
  gchar *
      name; /* (nullable) the one file that data become; NULL: a folder, for a file stream */
  gpointer own; /* (nullable) what else the subclass's make_store() needs */
  GDestroyNotify free_own;
} GstAmsHttpTarget;

struct _GstAmsHttpSinkClass
{
  GstAmsPutSinkClass parent_class;

  /* Adds what the subclass's properties say to @target, which has what the shared ones do: everything but the
   * options, and in these chunked, redirect, digest, the credentials and the URL. At NULL→READY, where it is checked only, and at
   * READY→PAUSED. AMS_STORE_ERROR: a sentence that names the property. */
  gboolean (*resolve) (GstAmsHttpSink *sink, GstAmsHttpTarget *target,
      GError **error);

  /* (nullable) The store; NULL: an AmsHttpStore. (transfer full) */
  AmsStore *(*make_store) (GstAmsHttpSink *sink, const GstAmsHttpTarget *target,
      AmsHttpClient *client, GError **error);
};

G_END_DECLS
