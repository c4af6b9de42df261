/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The start of a session: asks the stores behind the src pads of mux what an
 * earlier one left, and goes on from it. */

#pragma once

#include <gst/gst.h>
#include "recording/amsjournal.h"
#include "recording/amsrecording.h"
#include "recording/amsrecovery.h"
#include "gstamsclaim.h"
#include "gstamsrecovered.h"

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
  GstAmsExisting existing;
  GstAmsWhenBusy when_busy;
  gint64 date_time; /* when the recording begins, µs since 1970 UTC */
  GstAmsClaimer *claimer;
  GstAmsClaimerWaiting waiting;
  gpointer user_data;
} GstAmsRecoverOptions;

/* Begins @recording. Fills in @recovered, which was all 0. On failure nothing has
 * been touched; @error's domain is GST_RESOURCE_ERROR. */
gboolean gst_ams_recover (AmsRecording *recording, const GstAmsStores *stores,
    const GstAmsRecoverOptions *options, GstAmsRecovered *recovered,
    GError **error);

/* (transfer full) (nullable): there is none, or it is broken. */
AmsJournal *gst_ams_recover_journal (GstPad *local, const gchar *name);

G_END_DECLS
