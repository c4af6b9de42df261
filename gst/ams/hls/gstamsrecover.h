/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The start of a session: asks the stores behind the src pads of mux what an
 * earlier one left, and goes on from it. */

#pragma once

#include <gst/gst.h>
#include "recording/amsendtime.h" /* AMS_TIME_NONE */
#include "recording/amsjournal.h"
#include "recording/amsrecording.h"
#include "recording/amsrecovery.h"
#include "gstamscatchup.h"
#include "gstamsclaim.h"

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
  gboolean was_ended; /* that one */
  guint recovered; /* segments that it had not listed yet */
  gboolean behind; /* a remote store has an earlier version of it */
  /* Where the session's first frame belongs on the scale of the TS time stamps,
   * ns, not wrapped at 33 bits; AMS_TIME_NONE: nothing is continued, or nothing
   * is known (ams_end_time) */
  gint64 end_time;
  guint answered; /* so many stores are behind `remote` */
  gboolean posted; /* on failure: a store has posted an ERROR about it */
  gboolean
      closed; /* on failure: as a store is being stopped, which is no fault */
  GstAmsHandover handover;
} GstAmsRecovered;

void gst_ams_recovered_clear (GstAmsRecovered *recovered);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstAmsRecovered, gst_ams_recovered_clear)

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
