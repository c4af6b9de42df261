/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The properties that the sinks on HTTP share: their values, types, defaults and
 * descriptions, what may be shown of them, and what they are to the client and the store.
 * No function takes a lock: who owns the settings does. */

#pragma once

#include <gst/gst.h>

#include "http/amshttpoptions.h"
#include "http/amshttpstoreoptions.h"

G_BEGIN_DECLS

typedef enum
{
  GST_AMS_UPLOAD_LIVE,
  GST_AMS_UPLOAD_AT_EOS,
} GstAmsUpload;

typedef struct
{
  /* Without extra_headers, max_connections, chunked, redirect and whatever says who we
   * are. */
  AmsHttpOptions http;
  /* Without url, digest and create_collections. */
  AmsHttpStoreOptions store;
  GstStructure *extra_headers; /* (nullable) */
  gchar *spool_dir, *spool_suffix; /* (nullable) */
  GstAmsUpload upload;
  guint64 playlist_min_interval; /* ns */
} GstAmsHttpSettings;

void gst_ams_http_settings_init (GstAmsHttpSettings *settings);
void gst_ams_http_settings_clear (GstAmsHttpSettings *settings);
void gst_ams_http_settings_copy (GstAmsHttpSettings *to,
    const GstAmsHttpSettings *from);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstAmsHttpSettings,
    gst_ams_http_settings_clear)

/* Whether they are good by themselves, as far as the client does not check them. Makes http.extra_headers of
 * extra_headers. AMS_STORE_ERROR, PERMANENT: a sentence that names the property. */
gboolean gst_ams_http_settings_check (GstAmsHttpSettings *settings,
    GError **error);

/* The properties have the ids 1 to this. */
#define GST_AMS_HTTP_SETTINGS_LAST_ID 25

void gst_ams_http_settings_install (GObjectClass *klass);
/* FALSE: @id is none of these. get: as it may be shown. */
gboolean gst_ams_http_settings_set (GstAmsHttpSettings *settings, guint id,
    const GValue *value);
gboolean gst_ams_http_settings_get (const GstAmsHttpSettings *settings,
    guint id, GValue *value);

G_END_DECLS
