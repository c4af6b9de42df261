/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "wait.h"

/* Rings */

void
hls_upload_waits_init (HlsUploadWaits *waits)
{
  waits->prev = waits->next = waits;
}

gboolean
hls_upload_waits_is_empty (const HlsUploadWaits *waits)
{
  return waits->next == waits;
}

static void
append (HlsUploadWaits *waits, HlsUploadWaits *place)
{
  place->prev = waits->prev;
  place->next = waits;
  waits->prev->next = place;
  waits->prev = place;
}

static void
take_out (HlsUploadWaits *place)
{
  place->prev->next = place->next;
  place->next->prev = place->prev;
}

/* Edges */

HlsUploadWait *
hls_upload_wait_new (HlsUploadJob *waiter, HlsUploadWaits *of_waiter,
    HlsUploadWaits *of_cause)
{
  HlsUploadWait *wait = g_new (HlsUploadWait, 1);

  wait->waiter = waiter;
  append (of_waiter, &wait->of_waiter);
  append (of_cause, &wait->of_cause);
  return wait;
}

void
hls_upload_wait_free (HlsUploadWait *wait)
{
  take_out (&wait->of_waiter);
  take_out (&wait->of_cause);
  g_free (wait);
}

void
hls_upload_wait_move (HlsUploadWait *wait, HlsUploadWaits *of_cause)
{
  take_out (&wait->of_cause);
  append (of_cause, &wait->of_cause);
}

void
hls_upload_waits_move_all (HlsUploadWaits *from, HlsUploadWaits *to)
{
  if (hls_upload_waits_is_empty (from))
    return;
  from->next->prev = to->prev;
  to->prev->next = from->next;
  from->prev->next = to;
  to->prev = from->prev;
  hls_upload_waits_init (from);
}

/* Walking */

static HlsUploadWait *
waiter_at (const HlsUploadWaits *waits, HlsUploadWaits *place)
{
  return place == waits ? NULL
                        : (HlsUploadWait *) ((guint8 *) place -
                              G_STRUCT_OFFSET (HlsUploadWait, of_waiter));
}

static HlsUploadWait *
cause_at (const HlsUploadWaits *waits, HlsUploadWaits *place)
{
  return place == waits ? NULL
                        : (HlsUploadWait *) ((guint8 *) place -
                              G_STRUCT_OFFSET (HlsUploadWait, of_cause));
}

HlsUploadWait *
hls_upload_waits_first_of_waiter (const HlsUploadWaits *waits)
{
  return waiter_at (waits, waits->next);
}

HlsUploadWait *
hls_upload_waits_first_of_cause (const HlsUploadWaits *waits)
{
  return cause_at (waits, waits->next);
}

HlsUploadWait *
hls_upload_waits_last_of_cause (const HlsUploadWaits *waits)
{
  return cause_at (waits, waits->prev);
}

HlsUploadWait *
hls_upload_wait_next_of_cause (const HlsUploadWaits *waits,
    const HlsUploadWait *wait)
{
  return cause_at (waits, wait->of_cause.next);
}
