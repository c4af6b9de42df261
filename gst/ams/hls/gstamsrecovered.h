/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the start of a session found out, and what is to be handed over to the stores. */

#pragma once

#include "gstamscatchup.h"
#include "recording/amsendtime.h" /* AMS_TIME_NONE */

G_BEGIN_DECLS

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

G_END_DECLS
