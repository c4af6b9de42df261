/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The start of a session: asks the stores behind the segmenter's pads what an
 * earlier one left, and goes on from it. */

#pragma once

#include <gst/gst.h>
#include "amsrecording.h"

G_BEGIN_DECLS

typedef enum
{
  GST_AMS_EXISTING_APPEND,
  GST_AMS_EXISTING_APPEND_OR_NEW,
  GST_AMS_EXISTING_ERROR,
  GST_AMS_EXISTING_OVERWRITE,
} GstAmsExisting;

typedef struct
{
  gboolean continued; /* an earlier playlist goes on */
  guint recovered; /* segments that it had not listed yet */
  GPtrArray *
      adopted; /* (element-type GstEvent) for the pad `local`, before anything else */
} GstAmsRecovered;

void gst_ams_recovered_clear (GstAmsRecovered *recovered);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstAmsRecovered, gst_ams_recovered_clear)

/* @unlistable: a @local that cannot list is no error. Begins @recording at @date_time (µs since 1970 UTC). @local, @remote: src pads, either may be unlinked.
 * Blocks for as long as the stores take to answer. On failure nothing has been touched;
 * @error's domain is GST_RESOURCE_ERROR. */
gboolean gst_ams_recover (AmsRecording *recording, GstPad *local,
    GstPad *remote, GstAmsExisting existing, gboolean unlistable,
    gint64 date_time, GstAmsRecovered *recovered, GError **error);

/* A session with its date in the names has another playlist than the one that a crash left: finishes that one. What is to be handed to
 * @local for it: events and buffers in order. (transfer full) (nullable) (element-type GstMiniObject) */
GPtrArray *gst_ams_recover_other_session (AmsRecording *recording,
    GstPad *local);

G_END_DECLS
