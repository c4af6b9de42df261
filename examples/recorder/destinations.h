/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where the recording goes: amshlssink's own files for the first folder, an amsfileput for each other one, an
 * amshttpput or amss3put for each server. */

#pragma once

#include <gst/gst.h>

#include "options.h"

typedef struct
{
  gchar *
      name; /* to be shown: the URL without user, password and query, or the folder */
  GstElement *element; /* the put element; (nullable): it is the first folder */
} Destination;

/* Without user, password, query and whatever else in @url may be a secret. (transfer full) */
gchar *url_to_show (const gchar *url);
/* @text with what is secret in @url taken out, should it be there. (transfer full) */
gchar *hide_secrets (const gchar *text, const gchar *url);

/* Sets up @hls, and puts what belongs behind it into @pipeline. Returns: (transfer full) Destination */
GPtrArray *destinations_build (GstBin *pipeline, GstElement *hls,
    const Options *options, GError **error);
/* The one from which @message is; NULL: none of them. */
const Destination *destinations_find (GPtrArray *self, GstMessage *message);
