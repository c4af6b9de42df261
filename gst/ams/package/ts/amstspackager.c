/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "package/ts/amstspackager.h"

#include <string.h>

#include "media/amsmediaerror.h"
#include "package/ts/amstsframing.h"
#include "package/ts/amstspackets.h"
#include "package/ts/amststables.h"

/* Time 0 of the recording is this many ticks: a first DTS that lies before its
 * PTS, and the clock in front of that, stay above 0. */
#define TIME_BASE (AMS_TS_TIME_BASE * 9 / 100000)
/* The clock runs ahead of the decoding times by what a large picture may take
 * to arrive; at most 1 s (ISO 13818-1, 2.4.2.6). */
#define CLOCK_DELAY (AMS_TS_CLOCK_RATE / 2)
/* Between two PCRs (ISO 13818-1, 2.7.2). */
#define MAX_CLOCK_GAP (AMS_TS_CLOCK_RATE / 10)

#define MAX_GROUP_TIME AMS_PACKAGER_MAX_DELAY
/* "Encapsulation of Opus in MPEG-TS", 4.1. */
#define MAX_OPUS_GROUP_TIME (120 * G_GINT64_CONSTANT (1000000))
#define MAX_GROUP_SIZE 60000 /* of 65535 that PES_packet_length can say */
/* Players count on from a group's first frame: ns that a frame may be off. */
#define MAX_GROUP_DRIFT (2 * G_GINT64_CONSTANT (1000000))

#define PES_PREFIX_SIZE 9
#define PES_TIME_SIZE 5
#define MAX_PES_HEADER (PES_PREFIX_SIZE + 2 * PES_TIME_SIZE)
/* What PES_packet_length counts begins behind it. */
#define PES_LENGTH_END 6

/* What goes on when the tracks are set anew. */
typedef struct
{
  AmsTsPid pid;
  gint64 last_dts; /* ticks */
  gboolean has_dts;
  gboolean discontinuity; /* to be said in its next packet */
} StreamState;

typedef struct
{
  AmsTrack *track;
  AmsTsFraming *framing;
  /* Frames of audio that one PES packet is going to carry. */
  GByteArray *group;
  gint64 group_pts, group_end; /* ns */
} Stream;

struct _AmsTsPackager
{
  GObject parent;

  GPtrArray *streams; /* Stream, as the PMT lists them */
  Stream *by_id[AMS_TRACK_MAX_ID + 1]; /* NULL: no such track */
  Stream *clock; /* the one whose packets carry the PCR */
  StreamState states[AMS_TRACK_MAX_ID + 1]; /* by id */
  AmsTsSection pat, pmt;
  guint version; /* of the PMT */
  AmsTsPid pat_pid, pmt_pid;
  /* ticks: the decoding time for which the last PCR was written */
  gint64 last_clock;
  gboolean has_clock;
  gboolean wants_clock; /* no PCR is in this segment, or since the mark, yet */
  GArray *pieces; /* AmsSlice, of the PES packet that is being written */
  GArray *keys; /* AmsKeyPicture, of the open segment */
  guint64 mark_size; /* bytes of the open segment up to the mark */
  guint mark_keys; /* key pictures of it, likewise */
};

static void packager_init (AmsPackagerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmsTsPackager, ams_ts_packager, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (AMS_TYPE_PACKAGER, packager_init))

static StreamState *
get_state (AmsTsPackager *self, const Stream *stream)
{
  return &self->states[stream->track->id];
}

/* ---- time ---- */

/* Ticks of 90 kHz; the remainder is apart, for the product not to overflow. */
static gint64
to_ticks (gint64 time)
{
  return TIME_BASE + time / 100000 * 9 + time % 100000 * 9 / 100000;
}

/* A time stamp of 33 bits with its marker bits (ISO 13818-1, 2.4.3.7). */
static void
write_time (guint8 *p, guint8 prefix, gint64 ticks)
{
  guint64 time = (guint64) ticks & AMS_TS_TIME_MASK;

  p[0] = prefix << 4 | (time >> 30 & 0x07) << 1 | 1;
  p[1] = time >> 22 & 0xff;
  p[2] = (time >> 15 & 0x7f) << 1 | 1;
  p[3] = time >> 7 & 0xff;
  p[4] = (time & 0x7f) << 1 | 1;
}

/* Strictly rising, also where two times of the source fall into one tick. */
static gint64
next_dts (StreamState *state, gint64 ticks)
{
  if (state->has_dts && ticks <= state->last_dts)
    ticks = state->last_dts + 1;
  state->last_dts = ticks;
  state->has_dts = TRUE;
  return ticks;
}

/* ---- PES packets ---- */

/* @size: of the payload; 0: not stated, as it may be for video only. Returns: how long the
 * header is. */
static gsize
make_header (guint8 header[MAX_PES_HEADER], guint8 stream_id, gint64 pts,
    gint64 dts, gsize size)
{
  guint times = pts == dts ? 1 : 2;
  gsize header_size = PES_PREFIX_SIZE + times * PES_TIME_SIZE;
  gsize length = size > 0 ? header_size - PES_LENGTH_END + size : 0;

  header[0] = header[1] = 0;
  header[2] = 1;
  header[3] = stream_id;
  header[4] = length >> 8;
  header[5] = length & 0xff;
  header[6] = 0x84; /* '10', data_alignment_indicator */
  header[7] = times == 1 ? 0x80 : 0xc0;
  header[8] = times * PES_TIME_SIZE;
  write_time (header + PES_PREFIX_SIZE, times == 1 ? 2 : 3, pts);
  if (times == 2)
    write_time (header + PES_PREFIX_SIZE + PES_TIME_SIZE, 1, dts);
  return header_size;
}

/* The first of self->pieces is for the header. */
static void
write_pes (AmsTsPackager *self, Stream *stream, gint64 pts, gint64 dts,
    gsize size, AmsTsAdaptation *adaptation, AmsBlocks *out)
{
  StreamState *state = get_state (self, stream);
  guint8 header[MAX_PES_HEADER];
  AmsSlice *first = &g_array_index (self->pieces, AmsSlice, 0);

  first->data = header;
  first->size = make_header (header,
      ams_ts_get_stream_id (stream->track->codec), pts, dts, size);
  adaptation->discontinuity = state->discontinuity;
  state->discontinuity = FALSE;
  ams_ts_write_pes (&state->pid, adaptation, first, self->pieces->len, out);
}

static void
begin_pieces (AmsTsPackager *self)
{
  g_array_set_size (self->pieces, 1);
}

/* ---- the clock ---- */

/* Whether a PCR is due with what is decoded at @ticks, as the next chance comes
 * only @duration later. */
static gboolean
clock_is_due (AmsTsPackager *self, gint64 ticks, gint64 duration)
{
  return self->wants_clock ||
      ticks + duration - self->last_clock > MAX_CLOCK_GAP;
}

static void
set_clock (AmsTsPackager *self, gint64 ticks)
{
  self->last_clock = ticks;
  self->has_clock = TRUE;
  self->wants_clock = FALSE;
}

/* While the stream with the clock has nothing, what other streams carry goes by
 * packets of its PID that have a PCR alone. */
static void
keep_clock (AmsTsPackager *self, const Stream *stream, const AmsUnit *unit,
    AmsBlocks *out)
{
  gint64 ticks = to_ticks (unit->dts);
  gint64 duration = to_ticks (unit->duration) - TIME_BASE;

  if (stream == self->clock || !clock_is_due (self, ticks, duration) ||
      (self->has_clock && ticks <= self->last_clock))
    return;
  ams_ts_write_clock (&get_state (self, self->clock)->pid, ticks - CLOCK_DELAY,
      out);
  set_clock (self, ticks);
}

/* ---- pictures ---- */

static gint64
picture_duration (const StreamState *state, const AmsUnit *unit, gint64 dts)
{
  if (unit->duration > 0)
    return to_ticks (unit->duration) - TIME_BASE;
  return state->has_dts ? dts - state->last_dts : 0;
}

static void
add_clock (AmsTsPackager *self, Stream *stream, const AmsUnit *unit, gint64 dts,
    gint64 duration, AmsTsAdaptation *adaptation)
{
  if (stream != self->clock)
    return;
  if (!(unit->flags & AMS_UNIT_KEY) && !clock_is_due (self, dts, duration))
    return;
  adaptation->n_clocks = 1;
  adaptation->clock = dts - CLOCK_DELAY;
  set_clock (self, dts);
}

static void
note_key (AmsTsPackager *self, guint64 offset, const AmsUnit *unit,
    AmsBlocks *out)
{
  const AmsKeyPicture key = { offset, ams_blocks_get_size (out) - offset,
    unit->pts };

  g_array_append_val (self->keys, key);
}

static gboolean
add_picture (AmsTsPackager *self, Stream *stream, const AmsUnit *unit,
    AmsBlocks *out, GError **error)
{
  StreamState *state = get_state (self, stream);
  guint64 offset = ams_blocks_get_size (out);
  AmsTsAdaptation adaptation = { 0 };
  gint64 dts = to_ticks (unit->dts), duration;

  begin_pieces (self);
  if (!ams_ts_framing_add_picture (stream->framing, unit, self->pieces, error))
    return FALSE;
  duration = picture_duration (state, unit, dts);
  dts = next_dts (state, dts);
  adaptation.random_access = (unit->flags & AMS_UNIT_KEY) != 0;
  add_clock (self, stream, unit, dts, duration, &adaptation);
  write_pes (self, stream, MAX (to_ticks (unit->pts), dts), dts, 0, &adaptation,
      out);
  if (unit->flags & AMS_UNIT_KEY)
    note_key (self, offset, unit, out);
  return TRUE;
}

/* ---- groups of audio frames ---- */

/* A group that lasts longer than PCRs may be apart has several. */
static void
add_group_clocks (AmsTsPackager *self, const Stream *stream, gint64 dts,
    AmsTsAdaptation *adaptation)
{
  gint64 span = to_ticks (stream->group_end) - to_ticks (stream->group_pts);

  if (stream != self->clock)
    return;
  adaptation->n_clocks = span / MAX_CLOCK_GAP + 1;
  adaptation->clock = dts - CLOCK_DELAY;
  adaptation->clock_step = span / adaptation->n_clocks;
  adaptation->random_access = TRUE;
  set_clock (self, dts + adaptation->clock_step * (adaptation->n_clocks - 1));
}

static void
write_group (AmsTsPackager *self, Stream *stream, AmsBlocks *out)
{
  const AmsSlice frames = { stream->group->data, stream->group->len };
  AmsTsAdaptation adaptation = { 0 };
  gint64 dts;

  if (frames.size == 0)
    return;
  dts = next_dts (get_state (self, stream), to_ticks (stream->group_pts));
  begin_pieces (self);
  g_array_append_val (self->pieces, frames);
  add_group_clocks (self, stream, dts, &adaptation);
  write_pes (self, stream, dts, dts, frames.size, &adaptation, out);
  g_byte_array_set_size (stream->group, 0);
}

static gint64
max_group_time (const Stream *stream)
{
  return stream->track->codec == AMS_CODEC_OPUS ? MAX_OPUS_GROUP_TIME
                                                : MAX_GROUP_TIME;
}

static gint64
frame_duration (const Stream *stream, const AmsUnit *unit)
{
  if (unit->duration > 0)
    return unit->duration;
  return ams_ts_framing_get_frame_duration (stream->framing);
}

static gboolean
fits_into_group (const Stream *stream, const AmsUnit *unit)
{
  gint64 drift = unit->pts - stream->group_end;

  return ABS (drift) <= MAX_GROUP_DRIFT &&
      stream->group->len + g_bytes_get_size (unit->payload) <= MAX_GROUP_SIZE &&
      unit->pts + frame_duration (stream, unit) - stream->group_pts <=
      max_group_time (stream);
}

static gboolean
add_frame (AmsTsPackager *self, Stream *stream, const AmsUnit *unit,
    AmsBlocks *out, GError **error)
{
  if (stream->group->len > 0 && !fits_into_group (stream, unit))
    write_group (self, stream, out);
  if (stream->group->len == 0)
    stream->group_pts = unit->pts;
  if (!ams_ts_framing_add_frame (stream->framing, unit, stream->group, error))
    return FALSE;
  stream->group_end = unit->pts + frame_duration (stream, unit);
  if (stream->group_end == unit->pts)
    write_group (self, stream, out);
  return TRUE;
}

/* ---- tracks ---- */

static void
stream_free (Stream *stream)
{
  g_clear_pointer (&stream->track, ams_track_free);
  g_clear_pointer (&stream->framing, ams_ts_framing_free);
  g_byte_array_unref (stream->group);
  g_free (stream);
}

static Stream *
stream_new (const AmsTrack *track, GError **error)
{
  g_autoptr (AmsTsFraming) framing = ams_ts_framing_new (track, error);
  Stream *stream;

  if (!framing)
    return NULL;
  stream = g_new0 (Stream, 1);
  stream->track = ams_track_copy (track);
  stream->framing = g_steal_pointer (&framing);
  stream->group = g_byte_array_new ();
  return stream;
}

/* Some players stop reading the table at a stream type that they do not know
 * (E-AC-3, HEVC in a light build of hls.js), and take the first of each kind. */
static guint
get_rank (const AmsTrack *track)
{
  if (ams_codec_get_kind (track->codec) == AMS_TRACK_VIDEO)
    return 0;
  switch (track->codec) {
    case AMS_CODEC_AAC:
    case AMS_CODEC_MPEG_AUDIO:
      return 1;
    case AMS_CODEC_AC3:
      return 2;
    default:
      return 3;
  }
}

static gint
compare_tracks (gconstpointer a, gconstpointer b)
{
  const AmsTrack *one = *(const AmsTrack *const *) a;
  const AmsTrack *other = *(const AmsTrack *const *) b;
  guint rank = get_rank (one), other_rank = get_rank (other);

  if (rank != other_rank)
    return rank < other_rank ? -1 : 1;
  return one->id < other->id ? -1 : one->id > other->id;
}

/* (transfer full) (nullable) (element-type Stream), in the order of @tracks. */
static GPtrArray *
make_streams (GPtrArray *tracks, GError **error)
{
  g_autoptr (GPtrArray) streams =
      g_ptr_array_new_with_free_func ((GDestroyNotify) stream_free);

  for (guint i = 0; i < tracks->len; i++) {
    Stream *stream = stream_new (g_ptr_array_index (tracks, i), error);

    if (!stream)
      return NULL;
    g_ptr_array_add (streams, stream);
  }
  return g_steal_pointer (&streams);
}

static void
use_streams (AmsTsPackager *self, GPtrArray *streams)
{
  g_ptr_array_unref (self->streams);
  self->streams = streams;
  memset (self->by_id, 0, sizeof self->by_id);
  for (guint i = 0; i < streams->len; i++) {
    Stream *stream = g_ptr_array_index (streams, i);

    self->by_id[stream->track->id] = stream;
    get_state (self, stream)->pid.pid = AMS_TS_FIRST_PID + stream->track->id;
  }
  self->clock = streams->len > 0 ? g_ptr_array_index (streams, 0) : NULL;
}

static gboolean
ams_ts_packager_check_track (AmsPackager *packager, const AmsTrack *track,
    GError **error)
{
  g_autoptr (AmsTsFraming) framing = ams_ts_framing_new (track, error);

  return framing != NULL;
}

static gboolean
ams_ts_packager_set_tracks (AmsPackager *packager, GPtrArray *tracks,
    GError **error)
{
  AmsTsPackager *self = AMS_TS_PACKAGER (packager);
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  g_autoptr (GPtrArray) streams = NULL;
  const AmsTrack *first;
  AmsTsSection pmt;

  g_return_val_if_fail (tracks->len > 0, FALSE);
  g_ptr_array_extend (sorted, tracks, NULL, NULL);
  g_ptr_array_sort (sorted, compare_tracks);
  first = g_ptr_array_index (sorted, 0);
  streams = make_streams (sorted, error);
  if (!streams ||
      !ams_ts_make_pmt (&pmt, self->version + 1, sorted, first->id, error))
    return FALSE;
  self->version++;
  self->pmt = pmt;
  use_streams (self, g_steal_pointer (&streams));
  return TRUE;
}

/* ---- segments ---- */

static void
write_tables (AmsTsPackager *self, AmsBlocks *out)
{
  ams_ts_write_section (&self->pat_pid, self->pat.data, self->pat.size, out);
  ams_ts_write_section (&self->pmt_pid, self->pmt.data, self->pmt.size, out);
}

static void
ams_ts_packager_begin_segment (AmsPackager *packager, gboolean discontinuity,
    AmsBlocks *out)
{
  AmsTsPackager *self = AMS_TS_PACKAGER (packager);

  g_array_set_size (self->keys, 0);
  self->wants_clock = TRUE;
  if (discontinuity)
    self->has_clock = FALSE;
  for (guint i = 0; discontinuity && i < self->streams->len; i++) {
    StreamState *state = get_state (self, g_ptr_array_index (self->streams, i));

    state->discontinuity = TRUE;
    state->has_dts = FALSE;
  }
  write_tables (self, out);
}

static gboolean
ams_ts_packager_add (AmsPackager *packager, const AmsUnit *unit, AmsBlocks *out,
    GError **error)
{
  AmsTsPackager *self = AMS_TS_PACKAGER (packager);
  Stream *stream;

  g_return_val_if_fail (unit->track <= AMS_TRACK_MAX_ID, FALSE);
  stream = self->by_id[unit->track];
  g_return_val_if_fail (stream != NULL, FALSE);
  keep_clock (self, stream, unit, out);
  if (ams_codec_get_kind (stream->track->codec) == AMS_TRACK_VIDEO)
    return add_picture (self, stream, unit, out, error);
  return add_frame (self, stream, unit, out, error);
}

static void
ams_ts_packager_flush (AmsPackager *packager, AmsBlocks *out)
{
  AmsTsPackager *self = AMS_TS_PACKAGER (packager);

  for (guint i = 0; i < self->streams->len; i++)
    write_group (self, g_ptr_array_index (self->streams, i), out);
}

/* ---- marks ---- */

/* Tables may be repeated, and a PCR comes with the next unit that can carry one. */
static void
ams_ts_packager_mark (AmsPackager *packager, AmsBlocks *out)
{
  AmsTsPackager *self = AMS_TS_PACKAGER (packager);

  self->mark_size = ams_blocks_get_size (out);
  self->mark_keys = self->keys->len;
  self->wants_clock = TRUE;
  write_tables (self, out);
}

static void
ams_ts_packager_begin_at_mark (AmsPackager *packager)
{
  AmsTsPackager *self = AMS_TS_PACKAGER (packager);

  g_array_remove_range (self->keys, 0, self->mark_keys);
  for (guint i = 0; i < self->keys->len; i++)
    g_array_index (self->keys, AmsKeyPicture, i).offset -= self->mark_size;
}

static const GArray *
ams_ts_packager_get_key_pictures (AmsPackager *packager)
{
  return AMS_TS_PACKAGER (packager)->keys;
}

/* ---- object ---- */

static void
packager_init (AmsPackagerInterface *iface)
{
  iface->check_track = ams_ts_packager_check_track;
  iface->set_tracks = ams_ts_packager_set_tracks;
  iface->begin_segment = ams_ts_packager_begin_segment;
  iface->add = ams_ts_packager_add;
  iface->flush = ams_ts_packager_flush;
  iface->mark = ams_ts_packager_mark;
  iface->begin_at_mark = ams_ts_packager_begin_at_mark;
  iface->get_key_pictures = ams_ts_packager_get_key_pictures;
}

static void
ams_ts_packager_finalize (GObject *object)
{
  AmsTsPackager *self = AMS_TS_PACKAGER (object);

  g_ptr_array_unref (self->streams);
  g_array_unref (self->pieces);
  g_array_unref (self->keys);
  G_OBJECT_CLASS (ams_ts_packager_parent_class)->finalize (object);
}

static void
ams_ts_packager_class_init (AmsTsPackagerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ams_ts_packager_finalize;
}

static void
ams_ts_packager_init (AmsTsPackager *self)
{
  self->streams = g_ptr_array_new ();
  self->pieces = g_array_new (FALSE, FALSE, sizeof (AmsSlice));
  self->keys = g_array_new (FALSE, FALSE, sizeof (AmsKeyPicture));
  self->pat_pid.pid = AMS_TS_PAT_PID;
  self->pmt_pid.pid = AMS_TS_PMT_PID;
  ams_ts_make_pat (&self->pat, 0);
}

AmsPackager *
ams_ts_packager_new (void)
{
  return g_object_new (AMS_TYPE_TS_PACKAGER, NULL);
}
