/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The files that are open at the same time. */

#include "config.h"

#include "transfer/amsdeliveryprivate.h"

static AmsDeliveryLane *
lane_new (void)
{
  AmsDeliveryLane *lane = g_new0 (AmsDeliveryLane, 1);

  g_queue_init (&lane->carried);
  return lane;
}

void
ams_delivery_lane_free (gpointer data)
{
  AmsDeliveryLane *lane = data;

  g_clear_pointer (&lane->open, ams_outgoing_free);
  g_queue_clear_full (&lane->carried, (GDestroyNotify) g_bytes_unref);
  g_free (lane->longer);
  g_free (lane);
}

void
ams_delivery_select (AmsDelivery *self, guint lane)
{
  while (self->lanes->len <= lane)
    g_ptr_array_add (self->lanes, lane_new ());
  self->lane = g_ptr_array_index (self->lanes, lane);
}

AmsOutgoing *
ams_delivery_get_open (AmsDelivery *self, guint lane)
{
  return ((AmsDeliveryLane *) g_ptr_array_index (self->lanes, lane))->open;
}

guint64
ams_delivery_get_open_held (AmsDelivery *self)
{
  guint64 held = 0;

  for (guint i = 0; i < self->lanes->len; i++) {
    const AmsOutgoing *open = ams_delivery_get_open (self, i);

    held += open ? open->held : 0;
  }
  return held;
}

gboolean
ams_delivery_open_drains (AmsDelivery *self)
{
  for (guint i = 0; i < self->lanes->len; i++) {
    const AmsOutgoing *open = ams_delivery_get_open (self, i);

    if (open && ams_body_drains (open->body))
      return TRUE;
  }
  return FALSE;
}

gboolean
ams_delivery_drop_open (AmsDelivery *self)
{
  AmsDeliveryLane *current = self->lane, *largest = NULL;
  guint64 held = 0;

  for (guint i = 0; i < self->lanes->len; i++) {
    AmsDeliveryLane *lane = g_ptr_array_index (self->lanes, i);

    if (lane->open && ams_outgoing_is_droppable (lane->open) &&
        lane->open->held > held) {
      largest = lane;
      held = lane->open->held;
    }
  }
  if (!largest)
    return FALSE;
  self->lane = largest;
  ams_delivery_give_up_open (self);
  self->lane = current;
  return TRUE;
}
