/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A recording belongs to one recorder: before a session looks at what is there, it asks the
 * stores behind the src pads of mux to keep others away. */

#pragma once

#include <gst/gst.h>
#include "files/amsclaim.h"
#include "gstamsask.h"

G_BEGIN_DECLS

typedef enum
{
  GST_AMS_WHEN_BUSY_ERROR,
  GST_AMS_WHEN_BUSY_WAIT,
} GstAmsWhenBusy;

typedef enum
{
  GST_AMS_CLAIM_GRANTED, /* or nobody can tell */
  GST_AMS_CLAIM_BUSY,
  GST_AMS_CLAIM_CLOSED, /* cancelled, or a store is being stopped */
} GstAmsClaimResult;

typedef struct _GstAmsClaimer GstAmsClaimer;

/* @element: whose DEBUG messages these are; it outlives this. */
GstAmsClaimer *gst_ams_claimer_new (GstElement *element);
void gst_ams_claimer_free (GstAmsClaimer *claimer);

/* Ends waiting, now and later, until it is reset. Any thread. TRUE: somebody was waiting. */
gboolean gst_ams_claimer_cancel (GstAmsClaimer *claimer);
void gst_ams_claimer_reset (GstAmsClaimer *claimer);

/* Asks the local store, and the remote ones when that has said yes. Does not wait.
 * @error: of BUSY, in GST_RESOURCE_ERROR. *@posted: if @claim is not tentative, the
 * store that is busy has posted an ERROR. */
GstAmsClaimResult gst_ams_claimer_try (GstAmsClaimer *claimer,
    const GstAmsStores *stores, const AmsClaim *claim, gboolean *posted,
    GError **error);

/* Why it waits: @why. In the thread that asked. */
typedef void (*GstAmsClaimerWaiting) (const gchar *why, gpointer user_data);

/* As try(), but waits until it is granted, or cancelled; @waiting is called once, if it has to.
 * Streaming thread. */
GstAmsClaimResult gst_ams_claimer_wait (GstAmsClaimer *claimer,
    const GstAmsStores *stores, const AmsClaim *claim,
    GstAmsClaimerWaiting waiting, gpointer user_data);

G_END_DECLS
