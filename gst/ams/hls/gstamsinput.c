/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsinput.h"

#include <gst/audio/audio.h>

#include "gstamscaps.h"
#include "media/amscaptions.h"
#include "media/amsnalunits.h"

/* NTP counts from 1900. */
#define NTP_UNIX_OFFSET (G_GINT64_CONSTANT (2208988800) * GST_SECOND)

/* A unit that is a smaller part of its memory is copied, for that not to be kept
 * as a whole. */
#define LEAST_PART 4

struct _GstAmsInput
{
  GstSegment segment;
  GstCaps *caps;
  AmsCodec codec;
  AmsNalConfig *nal; /* NULL: no H.264 or H.265 */
  gint64 frame_duration; /* by the caps; 0: unknown */
  AmsCaptions *captions; /* NULL: they are not looked for */
};

GstAmsInput *
gst_ams_input_new (void)
{
  GstAmsInput *self = g_new0 (GstAmsInput, 1);

  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  return self;
}

void
gst_ams_input_free (GstAmsInput *self)
{
  gst_clear_caps (&self->caps);
  g_clear_pointer (&self->nal, ams_nal_config_free);
  g_clear_pointer (&self->captions, ams_captions_free);
  g_free (self);
}

void
gst_ams_input_flush (GstAmsInput *self)
{
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
}

void
gst_ams_input_take_segment (GstAmsInput *self, GstEvent *event)
{
  gst_event_copy_segment (event, &self->segment);
}

/* ---- caps ---- */

static gboolean
int_differs (const GstStructure *a, const GstStructure *b, const gchar *field)
{
  gint x = 0, y = 0;

  gst_structure_get_int (a, field, &x);
  gst_structure_get_int (b, field, &y);
  return x != 0 && y != 0 && x != y;
}

/* Whether a decoder that was set up for @a must be set up anew for @b. */
static gboolean
encoding_differs (const GstCaps *a, const GstCaps *b)
{
  static const gchar *const fields[] = { "width", "height", "rate", "channels",
    "mpegversion", "layer" };
  const GstStructure *s = gst_caps_get_structure (a, 0);
  const GstStructure *t = gst_caps_get_structure (b, 0);

  if (!gst_structure_has_name (s, gst_structure_get_name (t)))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    if (int_differs (s, t, fields[i]))
      return TRUE;
  return FALSE;
}

static void
use_caps (GstAmsInput *self, GstCaps *caps, const AmsTrack *track)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  gboolean h265 = track->codec == AMS_CODEC_H265;
  gint num = 0, den = 1;

  gst_caps_replace (&self->caps, caps);
  self->codec = track->codec;
  self->frame_duration = 0;
  if (gst_structure_get_fraction (s, "framerate", &num, &den) && num > 0)
    self->frame_duration = gst_util_uint64_scale (GST_SECOND, den, num);
  g_clear_pointer (&self->nal, ams_nal_config_free);
  if (track->config && (h265 || track->codec == AMS_CODEC_H264))
    self->nal = ams_nal_config_new (track->config, h265, NULL);
}

AmsTrack *
gst_ams_input_take_caps (GstAmsInput *self, GstCaps *caps, gboolean *over,
    GError **error)
{
  AmsTrack *track = gst_ams_caps_to_track (caps, 0, error);

  if (!track)
    return NULL;
  *over = self->caps && encoding_differs (self->caps, caps);
  use_caps (self, caps, track);
  return track;
}

/* ---- buffers ---- */

gint64
gst_ams_input_to_running_time (GstAmsInput *self, GstClockTime time)
{
  guint64 running;
  gint sign;

  if (!GST_CLOCK_TIME_IS_VALID (time))
    return AMS_TIME_NONE;
  if (self->segment.format != GST_FORMAT_TIME)
    return time;
  sign = gst_segment_to_running_time_full (&self->segment, GST_FORMAT_TIME,
      time, &running);
  if (sign == 0)
    return AMS_TIME_NONE;
  return sign > 0 ? (gint64) running : -(gint64) running;
}

/* When it was captured, µs since 1970 UTC; 0: not said. */
static gint64
get_reference_date (GstBuffer *buffer)
{
  GstReferenceTimestampMeta *meta;
  gpointer state = NULL;

  while (
      (meta = (GstReferenceTimestampMeta *) gst_buffer_iterate_meta_filtered (
           buffer, &state, GST_REFERENCE_TIMESTAMP_META_API_TYPE))) {
    const GstStructure *s = gst_caps_get_structure (meta->reference, 0);

    if (gst_structure_has_name (s, "timestamp/x-ntp"))
      return ((gint64) meta->timestamp - NTP_UNIX_OFFSET) / 1000;
    if (gst_structure_has_name (s, "timestamp/x-unix"))
      return meta->timestamp / 1000;
  }
  return 0;
}

/* The memory of a pool is wanted back, and a small part of a large memory keeps all
 * of it. */
static gboolean
may_keep (GstBuffer *buffer)
{
  GstMemory *memory;

  if (buffer->pool || gst_buffer_n_memory (buffer) != 1)
    return FALSE;
  memory = gst_buffer_peek_memory (buffer, 0);
  return gst_memory_is_type (memory, GST_ALLOCATOR_SYSMEM) &&
      memory->maxsize <= memory->size * LEAST_PART;
}

static void
drop_buffer (gpointer data)
{
  gst_buffer_unref (data);
}

/* Memory of the system stays where it is, and nobody writes to what has another
 * reference, so it need not be mapped for as long as it is kept. (transfer full)
 * (nullable) */
static GBytes *
keep_buffer (GstBuffer *buffer)
{
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  GstMapInfo map;
  GBytes *bytes;

  if (!gst_memory_map (memory, &map, GST_MAP_READ))
    return NULL;
  bytes = g_bytes_new_with_free_func (map.data, map.size, drop_buffer,
      gst_buffer_ref (buffer));
  gst_memory_unmap (memory, &map);
  return bytes;
}

/* (transfer full) (nullable) */
static GBytes *
get_payload (GstBuffer *buffer)
{
  gpointer data;
  gsize size;

  if (may_keep (buffer))
    return keep_buffer (buffer);
  gst_buffer_extract_dup (buffer, 0, -1, &data, &size);
  return g_bytes_new_take (data, size);
}

/* h264parse calls every I picture and recovery point a keyframe, which is not
 * enough to begin at for good (hls-rules 13). */
static AmsUnitFlags
get_key_flags (GstAmsInput *self, GstBuffer *buffer, GBytes *payload)
{
  AmsSlice rest = ams_slice_of_bytes (payload), nal;

  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT))
    return ams_codec_get_kind (self->codec) == AMS_TRACK_AUDIO ? AMS_UNIT_KEY
                                                               : 0;
  while (self->nal && ams_nal_next (self->nal, &rest, &nal)) {
    switch (ams_nal_get_kind (nal, self->nal->h265)) {
      case AMS_NAL_RANDOM_ACCESS_SLICE:
        return AMS_UNIT_KEY;
      case AMS_NAL_SLICE:
        return AMS_UNIT_RECOVERY;
      default:
        break;
    }
  }
  return self->nal ? 0 : AMS_UNIT_KEY;
}

static guint16
to_samples (GstFormat format, guint64 value)
{
  return format == GST_FORMAT_DEFAULT ? MIN (value, G_MAXUINT16) : 0;
}

static void
take_clipping (GstBuffer *buffer, AmsSessionInput *unit)
{
  GstAudioClippingMeta *meta = gst_buffer_get_audio_clipping_meta (buffer);

  if (!meta)
    return;
  unit->trim_start = to_samples (meta->format, meta->start);
  unit->trim_end = to_samples (meta->format, meta->end);
}

gboolean
gst_ams_input_take_buffer (GstAmsInput *self, GstBuffer *buffer,
    AmsSessionInput *unit)
{
  unit->payload = get_payload (buffer);
  if (!unit->payload)
    return FALSE;
  unit->flags = get_key_flags (self, buffer, unit->payload);
  unit->pts = gst_ams_input_to_running_time (self, GST_BUFFER_PTS (buffer));
  unit->dts = gst_ams_input_to_running_time (self, GST_BUFFER_DTS (buffer));
  unit->duration = self->frame_duration;
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    unit->duration = MIN (GST_BUFFER_DURATION (buffer), G_MAXINT64);
  unit->discont = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  unit->date_time = get_reference_date (buffer);
  if (self->codec == AMS_CODEC_OPUS)
    take_clipping (buffer, unit);
  return TRUE;
}

void
gst_ams_input_watch_captions (GstAmsInput *self, gboolean watch)
{
  g_clear_pointer (&self->captions, ams_captions_free);
  if (watch)
    self->captions = ams_captions_new ();
}

gboolean
gst_ams_input_find_captions (GstAmsInput *self, const AmsSessionInput *input,
    guint *channels, guint64 *services)
{
  const AmsUnit unit = { .pts = input->pts,
    .dts = input->dts,
    .payload = input->payload };

  if (!self->captions || !self->nal || input->pts == AMS_TIME_NONE ||
      !ams_captions_add (self->captions, self->nal, &unit))
    return FALSE;
  *channels |= ams_captions_get_channels (self->captions);
  *services |= ams_captions_get_services (self->captions);
  return TRUE;
}
