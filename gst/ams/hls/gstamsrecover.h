/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The start of a session: asks the stores behind the segmenter's pads what an
 * earlier one left, and goes on from it. */

#pragma once

#include <gst/gst.h>
#include "amsrecording.h"
#include "gstamscatchup.h"

G_BEGIN_DECLS

typedef enum
{
  GST_AMS_EXISTING_APPEND,
  GST_AMS_EXISTING_APPEND_OR_NEW,
  GST_AMS_EXISTING_ERROR,
  GST_AMS_EXISTING_OVERWRITE,
} GstAmsExisting;

typedef enum
{
  GST_AMS_WHEN_BUSY_ERROR,
  GST_AMS_WHEN_BUSY_WAIT,
} GstAmsWhenBusy;

typedef struct
{
  gboolean continued; /* an earlier playlist goes on */
  guint recovered; /* segments that it had not listed yet */
  gboolean behind; /* a remote store has an earlier version of it */
  guint answered; /* so many stores are behind `remote` */
  gboolean posted; /* on failure: a store has posted an ERROR about it */
  gboolean
      closed; /* on failure: as a store is being stopped, which is no fault */
  GstAmsHandover handover;
} GstAmsRecovered;

void gst_ams_recovered_clear (GstAmsRecovered *recovered);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstAmsRecovered, gst_ams_recovered_clear)

/* Begins @recording at @date_time (µs since 1970 UTC). Fills in @recovered, which was all 0. On failure nothing has
 * been touched; @error's domain is GST_RESOURCE_ERROR. */
gboolean gst_ams_recover (AmsRecording *recording, const GstAmsStores *stores,
    GstAmsExisting existing, gint64 date_time, GstAmsRecovered *recovered,
    GError **error);

/* A session with its date in the names has another playlist than the one that a crash left on the disk: finishes
 * that one. FALSE: there is none. */
gboolean gst_ams_recover_other_session (AmsRecording *recording,
    const GstAmsStores *stores, GstAmsHandover *handover);

G_END_DECLS
