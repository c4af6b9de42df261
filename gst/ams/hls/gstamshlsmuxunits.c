/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A unit by itself costs the session as much as several: it looks after all tracks,
 * and wakes up the stores. So units wait for others, for a moment. None waits
 * when something depends on it: a keyframe, what that waits for, a thread. And
 * whatever else is said to the session, a tick too, comes after those that wait. */

#include "config.h"

#include "gstamshlsmuxprivate.h"

/* ns: a unit waits for others for so long, by the clock. */
#define MAX_WAIT (AMS_SECOND / 10)

/* ns: clocks are read so often. */
#define CLOCKS_AGE (AMS_SECOND / 10)

static gboolean
is_keyframe (const GstAmsHlsMuxTrack *track, const AmsSessionInput *unit)
{
  return track->video && unit->flags != 0;
}

/* ---- clocks ---- */

static gint64
running_time (GstAmsHlsMux *self)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (GST_ELEMENT (self));

  if (!clock)
    return AMS_TIME_NONE;
  return GST_CLOCK_DIFF (gst_element_get_base_time (GST_ELEMENT (self)),
      gst_clock_get_time (clock));
}

/* In between they go on as the monotonic clock does. A segment's date, which is
 * that of its keyframe, is exact. */
void
gst_ams_hls_mux_read_clocks (GstAmsHlsMux *self, GstAmsHlsMuxTrack *track,
    AmsSessionInput *unit)
{
  gint64 elapsed = unit->arrival - track->clocks_read;

  if (track->clocks_read == 0 || elapsed >= CLOCKS_AGE ||
      is_keyframe (track, unit)) {
    track->clocks_read = unit->arrival;
    track->real_time = g_get_real_time () * 1000;
    track->clock_time = running_time (self);
    elapsed = 0;
  }
  unit->real_time = track->real_time + elapsed;
  unit->clock_time = track->clock_time;
  if (unit->clock_time != AMS_TIME_NONE)
    unit->clock_time += elapsed;
}

/* ---- units ---- */

void
gst_ams_hls_mux_feed_locked (GstAmsHlsMux *self)
{
  for (guint i = 0; i < self->n_units; i++)
    ams_session_take (self->session, self->units[i].track,
        &self->units[i].input);
  self->n_units = 0;
}

void
gst_ams_hls_mux_lock_fed (GstAmsHlsMux *self)
{
  g_mutex_lock (&self->lock);
  if (self->session)
    gst_ams_hls_mux_feed_locked (self);
}

static gboolean
is_due (GstAmsHlsMux *self, const GstAmsHlsMuxTrack *track,
    const AmsSessionInput *unit)
{
  return self->n_units == GST_AMS_HLS_MUX_MAX_UNITS ||
      unit->arrival - self->units[0].input.arrival >= MAX_WAIT ||
      is_keyframe (track, unit) || self->waiting > 0 ||
      ams_session_holds_keyframe (self->session);
}

gboolean
gst_ams_hls_mux_add_unit_locked (GstAmsHlsMux *self,
    const GstAmsHlsMuxTrack *track, const AmsSessionInput *unit)
{
  self->units[self->n_units].track = track->id;
  self->units[self->n_units++].input = *unit;
  if (!is_due (self, track, unit))
    return FALSE;
  gst_ams_hls_mux_feed_locked (self);
  return ams_session_has_next (self->session);
}

void
gst_ams_hls_mux_drop_units_locked (GstAmsHlsMux *self)
{
  for (guint i = 0; i < self->n_units; i++)
    g_bytes_unref (self->units[i].input.payload);
  self->n_units = 0;
}
