/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "package/vtt/amsvtt.h"

#include "media/amstime.h"
#include "package/ts/amstspackager.h"
#include "package/ts/amstspackets.h"
#include "package/vtt/amsvtttext.h"

#define MS G_GINT64_CONSTANT (1000000)
#define HOUR (3600 * AMS_SECOND)

typedef struct
{
  gint64 start;
  gint64 end; /* AMS_TIME_NONE: not known yet */
  gboolean pieces; /* its end was not known: each segment has only its piece */
  gchar *settings; /* (nullable) */
  gchar *payload;
} Cue;

struct _AmsVtt
{
  GPtrArray *cues; /* of Cue, by start */
  gint64 cut; /* where the last segment ended; AMS_TIME_NONE: there is none */
};

const gchar *
ams_vtt_fault_describe (AmsVttFault fault)
{
  static const gchar *const sentences[] = {
    NULL,
    "A subtitle is no valid UTF-8: what is wrong has become U+FFFD",
    "A subtitle is no Pango markup: it is shown as it is",
    "A WebVTT cue has no timing that can be read, and is left out",
    "A subtitle came after its segment was written, and is left out",
    "Too many subtitles are shown at once: one is left out",
  };

  g_return_val_if_fail (fault < G_N_ELEMENTS (sentences), NULL);
  return sentences[fault];
}

static void
free_cue (gpointer data)
{
  Cue *cue = data;

  g_free (cue->settings);
  g_free (cue->payload);
  g_free (cue);
}

AmsVtt *
ams_vtt_new (void)
{
  AmsVtt *self = g_new0 (AmsVtt, 1);

  self->cues = g_ptr_array_new_with_free_func (free_cue);
  self->cut = AMS_TIME_NONE;
  return self;
}

void
ams_vtt_free (AmsVtt *self)
{
  g_ptr_array_unref (self->cues);
  g_free (self);
}

static Cue *
get_cue (AmsVtt *self, guint i)
{
  return g_ptr_array_index (self->cues, i);
}

/* ---- cues that come ---- */

/* What is shown until something else is. */
static void
end_open_cues (AmsVtt *self, gint64 time)
{
  for (guint i = 0; i < self->cues->len; i++) {
    Cue *cue = get_cue (self, i);

    if (cue->end == AMS_TIME_NONE && cue->start < time)
      cue->end = time;
  }
}

static guint
find_place (AmsVtt *self, gint64 start)
{
  guint i = self->cues->len;

  while (i > 0 && get_cue (self, i - 1)->start > start)
    i--;
  return i;
}

static AmsVttFault
add_cue (AmsVtt *self, const gchar *payload, const gchar *settings,
    gint64 start, gint64 duration)
{
  Cue *cue;

  end_open_cues (self, start);
  if (*payload == '\0')
    return AMS_VTT_FINE;
  if (self->cues->len >= AMS_VTT_MAX_CUES)
    return AMS_VTT_TOO_MANY;
  if (duration > 0 && self->cut != AMS_TIME_NONE &&
      start + duration <= self->cut)
    return AMS_VTT_LATE;
  cue = g_new0 (Cue, 1);
  cue->start = start;
  cue->pieces = duration <= 0;
  cue->end = cue->pieces ? AMS_TIME_NONE : start + duration;
  cue->settings = g_strdup (settings);
  cue->payload = g_strdup (payload);
  g_ptr_array_insert (self->cues, find_place (self, start), cue);
  return AMS_VTT_FINE;
}

static AmsVttFault
add_markup (AmsVtt *self, const gchar *text, gint64 start, gint64 duration)
{
  g_autofree gchar *payload = ams_vtt_text_from_markup (text);
  AmsVttFault fault = AMS_VTT_FINE, other;

  if (!payload) {
    payload = ams_vtt_text_from_plain (text);
    fault = AMS_VTT_NO_MARKUP;
  }
  other = add_cue (self, payload, NULL, start, duration);
  return MAX (fault, other);
}

static AmsVttFault
add_plain (AmsVtt *self, const gchar *text, gint64 start, gint64 duration)
{
  g_autofree gchar *payload = ams_vtt_text_from_plain (text);

  return add_cue (self, payload, NULL, start, duration);
}

static AmsVttFault
add_cues (AmsVtt *self, const gchar *text, gint64 start, gint64 duration)
{
  gboolean damaged;
  g_autoptr (GPtrArray) cues = ams_vtt_text_read_cues (text, &damaged);
  AmsVttFault fault = damaged ? AMS_VTT_NO_CUE : AMS_VTT_FINE;

  for (guint i = 0; i < cues->len; i++) {
    const AmsVttTextCue *first = g_ptr_array_index (cues, 0);
    const AmsVttTextCue *cue = g_ptr_array_index (cues, i);
    gint64 own = cue->end - cue->start;
    AmsVttFault other = add_cue (self, cue->payload, cue->settings,
        start + cue->start - first->start, own > 0 ? own : duration);

    fault = MAX (fault, other);
  }
  return fault;
}

AmsVttFault
ams_vtt_add (AmsVtt *self, AmsVttFormat format, AmsSlice text, gint64 start,
    gint64 duration)
{
  gboolean repaired;
  g_autofree gchar *valid = ams_vtt_text_repair (text, &repaired);
  AmsVttFault fault;

  switch (format) {
    case AMS_VTT_MARKUP:
      fault = add_markup (self, valid, start, duration);
      break;
    case AMS_VTT_CUES:
      fault = add_cues (self, valid, start, duration);
      break;
    default:
      fault = add_plain (self, valid, start, duration);
  }
  return fault == AMS_VTT_FINE && repaired ? AMS_VTT_NOT_UTF8 : fault;
}

/* ---- segments ---- */

static gint64
floor_to_hour (gint64 time)
{
  gint64 hours = time / HOUR - (time % HOUR < 0);

  return hours * HOUR;
}

/* What LOCAL:00:00:00.000 of a segment is: a whole hour, at least one before the
 * segment, so that cues that are shown already have a time, and near enough for
 * the 33 bits of a time stamp, which are 26.5 hours, to be unambiguous. */
static gint64
get_base (gint64 start)
{
  return start < 0 ? floor_to_hour (start)
                   : MAX (floor_to_hour (start - HOUR), 0);
}

/* As the packager does it; a whole hour is a whole number of ticks. */
static guint64
to_time_stamp (gint64 base)
{
  gint64 seconds = (base + AMS_TS_TIME_BASE) / AMS_SECOND;

  return (guint64) (seconds * AMS_TS_CLOCK_RATE) & AMS_TS_TIME_MASK;
}

static void
write_time (GString *out, gint64 time)
{
  gint64 ms = MAX (time, 0) / MS;

  g_string_append_printf (out, "%02" G_GINT64_FORMAT ":%02d:%02d.%03d",
      ms / 3600000, (gint) (ms / 60000 % 60), (gint) (ms / 1000 % 60),
      (gint) (ms % 1000));
}

static void
write_cue (GString *out, const Cue *cue, gint64 base, gint64 start, gint64 end)
{
  gint64 from = cue->start, to = cue->end == AMS_TIME_NONE ? end : cue->end;

  if (cue->pieces) {
    from = MAX (from, start);
    to = MIN (to, end);
  }
  from = MAX (from - base, 0);
  to = MAX (to - base, from + MS); /* a cue that ends as it begins is none */
  write_time (out, from);
  g_string_append (out, " --> ");
  write_time (out, to);
  if (cue->settings)
    g_string_append_printf (out, " %s", cue->settings);
  g_string_append_printf (out, "\n%s\n\n", cue->payload);
}

static gboolean
is_over (const Cue *cue, gint64 time)
{
  return cue->end != AMS_TIME_NONE && cue->end <= time;
}

static void
forget (AmsVtt *self, gint64 time)
{
  for (guint i = self->cues->len; i > 0; i--) {
    if (is_over (get_cue (self, i - 1), time))
      g_ptr_array_remove_index (self->cues, i - 1);
  }
}

GBytes *
ams_vtt_cut (AmsVtt *self, gint64 start, gint64 end)
{
  const gint64 base = get_base (start);
  GString *out = g_string_new ("WEBVTT\n");

  g_string_append_printf (out,
      "X-TIMESTAMP-MAP=MPEGTS:%" G_GUINT64_FORMAT ",LOCAL:00:00:00.000\n\n",
      to_time_stamp (base));
  for (guint i = 0; i < self->cues->len; i++) {
    const Cue *cue = get_cue (self, i);

    if (cue->start < end && !is_over (cue, start))
      write_cue (out, cue, base, start, end);
  }
  self->cut = end;
  forget (self, end);
  return g_string_free_to_bytes (out);
}
