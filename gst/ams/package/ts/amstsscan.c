/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amstsscan.h"

#include "amsaudioframes.h"

#include <stdlib.h>
#include <string.h>

/* Not read: sections that go over several packets (neither this packager nor
 * 0.1.0's mpegtsmux makes any), CRCs (what a crash leaves is cut off, not changed), scrambled
 * streams. Of several programs, the first counts. */

#define PACKET 188
#define SYNC 0x47
#define N_PIDS 8192
#define NULL_PID 0x1fff

#define PTS_BITS 33
#define PTS_MASK ((G_GINT64_CONSTANT (1) << PTS_BITS) - 1)

/* Bytes: a PES packet of audio says its length in 16 bits. */
#define MAX_AUDIO_PES (64 * 1024)

/* Ticks: sound that goes on for longer than this after the last picture, or begins as much
 * before the first one, shows that there was no picture then, or that one stayed. */
#define MAX_ALONE (90000 / 4)

/* Hostile timestamps can claim any length; six years are enough for none. */
#define MAX_TICKS (G_GINT64_CONSTANT (1) << 44)

typedef enum
{
  STREAM_NONE,
  STREAM_OTHER,
  STREAM_AUDIO,
  STREAM_VIDEO,
} StreamKind;

/* The timestamps of one elementary stream, unwrapped. */
typedef struct
{
  guint pid; /* 0: there is none */
  GArray *times; /* gint64, of each PES that began */
  GArray *leads; /* gint64, ticks from the DTS of each to its PTS */
  GArray *lengths; /* gint64, ticks that each lasts; 0: not known */
  guint whole; /* how many of those are known to be whole */
  gint64 last;
} Track;

typedef struct
{
  const guint8 *data;
  gsize pos; /* of the packet that is looked at */
  guint pmt_pid; /* 0: not known yet */
  gboolean has_pmt;
  guint8 kinds[N_PIDS]; /* StreamKind */
  Track video, audio;
  AmsAudioFrames format; /* of the audio */
  GByteArray *frames; /* the payload of the audio's PES that is being read */

  guint open_pid; /* whose PES is being read; 0: none */
  gsize open_left; /* bytes of it to come; 0: not stated */
  gsize media_end; /* behind the last packet of any stream */
  gsize usable;
} Scan;

typedef struct
{
  guint pid;
  gboolean start;
  gboolean discontinuity; /* discontinuity_indicator */
  const guint8 *payload;
  gsize len;
} Packet;

static guint
read_16 (const guint8 *p)
{
  return p[0] << 8 | p[1];
}

/* ---- packets ---- */

static void
read_packet (const guint8 *p, Packet *packet)
{
  guint control = p[3] >> 4 & 3;
  gsize header = 4;

  if (control & 2)
    header += 1 + p[4];
  packet->pid = read_16 (p + 1) & 0x1fff;
  packet->start = p[1] >> 6 & 1;
  packet->discontinuity = (control & 2) && p[4] > 0 && (p[5] & 0x80);
  packet->payload = p + MIN (header, PACKET);
  packet->len = (control & 1) && header < PACKET ? PACKET - header : 0;
}

/* ---- tables ---- */

/* The part of a section between its header of 8 bytes and its CRC; NULL when
 * it is not @table, or goes on in another packet. */
static const guint8 *
get_section (const Packet *packet, guint table, gsize *len)
{
  const guint8 *p = packet->payload;
  gsize left = packet->len, section;

  if (!packet->start || left < 1 || left - 1 < p[0])
    return NULL;
  left -= 1 + p[0];
  p += 1 + p[0];
  if (left < 12 || p[0] != table)
    return NULL;
  section = (read_16 (p + 1) & 0xfff) + 3;
  if (section < 12 || section > left)
    return NULL;
  *len = section - 12;
  return p + 8;
}

static gboolean
read_pat (Scan *self, const Packet *packet)
{
  gsize len, i;
  const guint8 *p = get_section (packet, 0x00, &len);

  if (p == NULL)
    return FALSE;
  for (i = 0; i + 4 <= len; i += 4) {
    guint pid = read_16 (p + i + 2) & 0x1fff;

    /* Program 0 is the network information table. */
    if (read_16 (p + i) != 0 && pid != 0 && pid != NULL_PID) {
      self->pmt_pid = pid;
      return TRUE;
    }
  }
  return FALSE;
}

typedef struct
{
  StreamKind kind;
  AmsAudioFrames format;
} StreamType;

static const StreamType other_type = { STREAM_OTHER, AMS_AUDIO_FRAMES_UNKNOWN };
static const StreamType video_type = { STREAM_VIDEO, AMS_AUDIO_FRAMES_UNKNOWN };

static StreamType
audio_type (AmsAudioFrames format)
{
  return (StreamType){ STREAM_AUDIO, format };
}

static StreamType
read_registration (const guint8 *p)
{
  if (memcmp (p, "AC-3", 4) == 0 || memcmp (p, "EAC3", 4) == 0)
    return audio_type (AMS_AUDIO_FRAMES_AC3);
  if (memcmp (p, "Opus", 4) == 0)
    return audio_type (AMS_AUDIO_FRAMES_OPUS);
  if (memcmp (p, "BSSD", 4) == 0)
    return audio_type (AMS_AUDIO_FRAMES_UNKNOWN);
  return memcmp (p, "HEVC", 4) == 0 ? video_type : other_type;
}

/* What a private stream (type 6) is, say its descriptors. */
static StreamType
read_descriptors (const guint8 *p, gsize len)
{
  gsize i, n;

  for (i = 0; i + 2 <= len; i += 2 + n) {
    n = p[i + 1];
    if (i + 2 + n > len)
      break;
    if (p[i] == 0x6a || p[i] == 0x7a)
      return audio_type (AMS_AUDIO_FRAMES_AC3); /* and E-AC-3, in DVB */
    if (p[i] == 0x7b || p[i] == 0x7c)
      return audio_type (AMS_AUDIO_FRAMES_UNKNOWN); /* DTS, AAC in DVB */
    if (p[i] == 0x05 && n >= 4 &&
        read_registration (p + i + 2).kind != STREAM_OTHER)
      return read_registration (p + i + 2);
  }
  return other_type;
}

static StreamType
get_type (guint type, const guint8 *descriptors, gsize len)
{
  switch (type) {
    case 0x01: /* MPEG-1 video */
    case 0x02: /* MPEG-2 video */
    case 0x10: /* MPEG-4 part 2 */
    case 0x1b: /* H.264 */
    case 0x24: /* H.265 */
      return video_type;
    case 0x03: /* MPEG-1 audio */
    case 0x04: /* MPEG-2 audio */
      return audio_type (AMS_AUDIO_FRAMES_MPEG);
    case 0x0f: /* AAC, ADTS */
      return audio_type (AMS_AUDIO_FRAMES_ADTS);
    case 0x11: /* AAC, LATM */
      return audio_type (AMS_AUDIO_FRAMES_UNKNOWN);
    case 0x81: /* AC-3 */
    case 0x87: /* E-AC-3 */
      return audio_type (AMS_AUDIO_FRAMES_AC3);
    case 0x06:
      return read_descriptors (descriptors, len);
    default:
      return other_type;
  }
}

static void
add_stream (Scan *self, guint pid, StreamType type)
{
  if (pid == 0 || pid == NULL_PID || pid == self->pmt_pid)
    return;
  self->kinds[pid] = type.kind;
  if (type.kind == STREAM_VIDEO && self->video.pid == 0)
    self->video.pid = pid;
  if (type.kind == STREAM_AUDIO && self->audio.pid == 0) {
    self->audio.pid = pid;
    self->format = type.format;
  }
}

/* Later versions may add streams; the first video and audio stay the ones. */
static gboolean
read_pmt (Scan *self, const Packet *packet)
{
  gsize len, i, n;
  const guint8 *p = get_section (packet, 0x02, &len);

  if (p == NULL || len < 4)
    return FALSE;
  i = 4 + (read_16 (p + 2) & 0xfff);
  for (; i + 5 <= len; i += 5 + n) {
    n = read_16 (p + i + 3) & 0xfff;
    if (i + 5 + n > len)
      break;
    add_stream (self, read_16 (p + i + 1) & 0x1fff,
        get_type (p[i], p + i + 5, n));
  }
  self->has_pmt = TRUE;
  return TRUE;
}

/* ---- PES ---- */

static gboolean
has_header (guint stream_id)
{
  switch (stream_id) {
    case 0xbc: /* program_stream_map */
    case 0xbe: /* padding */
    case 0xbf: /* private_stream_2 */
    case 0xf0:
    case 0xf1:
    case 0xf2:
    case 0xf8:
    case 0xff:
      return FALSE;
    default:
      return TRUE;
  }
}

/* The five bytes of a PTS or DTS. */
static gint64
read_time (const guint8 *p)
{
  return (gint64) (p[0] >> 1 & 7) << 30 | (gint64) p[1] << 22 |
      (p[2] >> 1) << 15 | p[3] << 7 | p[4] >> 1;
}

/* Of a packet that begins a PES. */
static gsize
header_size (const Packet *packet)
{
  const guint8 *p = packet->payload;

  return packet->len >= 9 && has_header (p[3]) ? 9 + p[8] : 6;
}

/* -1: none. */
static gint64
read_pts (const guint8 *p, gsize len)
{
  if (len < 14 || !has_header (p[3]) || (p[6] & 0xc0) != 0x80 ||
      !(p[7] & 0x80) || p[8] < 5)
    return -1;
  return read_time (p + 9);
}

/* From one time stamp to another, less than half a turn of 13 hours away. */
static gint64
distance (gint64 from, gint64 to)
{
  gint64 step = (to - from) & PTS_MASK;

  return step >> (PTS_BITS - 1) ? step - PTS_MASK - 1 : step;
}

/* Of a PES packet that has a PTS: how much earlier its DTS is. */
static gint64
read_lead (const guint8 *p, gsize len)
{
  if (len < 19 || !(p[7] & 0x40) || p[8] < 10)
    return 0;
  return distance (read_time (p + 14), read_time (p + 9));
}

/* Frames are not in the order of their PTS. */
static void
add_time (Track *track, gint64 pts, gint64 lead)
{
  if (track->times->len == 0)
    track->last = pts;
  else
    track->last += distance (track->last, pts);
  g_array_append_val (track->times, track->last);
  g_array_append_val (track->leads, lead);
  g_array_set_size (track->lengths, track->times->len);
}

/* A PES packet without a PTS goes on from the one before it. */
static void
measure_frames (Scan *self)
{
  GArray *lengths = self->audio.lengths;
  gint64 length = ams_audio_frames_time (self->format, self->frames->data,
      self->frames->len);

  if (lengths->len > 0)
    g_array_index (lengths, gint64, lengths->len - 1) += length;
}

/* All PES that began end before @end, and all of them are whole. */
static void
commit (Scan *self, gsize end)
{
  if (self->open_pid == self->audio.pid)
    measure_frames (self);
  self->open_pid = 0;
  self->usable = end;
  self->video.whole = self->video.times->len;
  self->audio.whole = self->audio.times->len;
}

/* @skip: bytes of a header before the frames */
static void
keep_frames (Scan *self, const Packet *packet, gsize skip)
{
  gsize left = self->open_left > 0 ? self->open_left : G_MAXSIZE;
  gsize len = MIN (packet->len, left);

  if (packet->pid != self->open_pid || packet->pid != self->audio.pid ||
      len <= skip || self->frames->len + len > MAX_AUDIO_PES)
    return;
  g_byte_array_append (self->frames, packet->payload + skip, len - skip);
}

static void
read_payload (Scan *self, const Packet *packet)
{
  if (packet->pid != self->open_pid || self->open_left == 0)
    return;
  if (packet->len >= self->open_left)
    commit (self, self->pos + PACKET);
  else
    self->open_left -= packet->len;
}

static void
begin_pes (Scan *self, const Packet *packet)
{
  const guint8 *p = packet->payload;
  gint64 pts;

  if (self->open_pid != 0)
    commit (self, self->media_end);
  if (packet->len < 6 || p[0] != 0 || p[1] != 0 || p[2] != 1)
    return;
  self->open_pid = packet->pid;
  self->open_left = read_16 (p + 4) != 0 ? 6 + read_16 (p + 4) : 0;
  g_byte_array_set_size (self->frames, 0);
  pts = read_pts (p, packet->len);
  if (pts >= 0 && packet->pid == self->video.pid)
    add_time (&self->video, pts, read_lead (p, packet->len));
  else if (pts >= 0 && packet->pid == self->audio.pid)
    add_time (&self->audio, pts, 0);
}

/* ---- the whole ---- */

static void
scan_packet (Scan *self, const Packet *packet, AmsTsScan *result)
{
  gboolean table = FALSE;

  if (packet->len == 0)
    return;
  if (packet->pid == 0) {
    table = read_pat (self, packet);
  } else if (packet->pid == self->pmt_pid) {
    table = read_pmt (self, packet);
  } else if (self->kinds[packet->pid] != STREAM_NONE) {
    if (self->media_end == 0)
      result->discontinuity = packet->discontinuity;
    if (packet->start)
      begin_pes (self, packet);
    keep_frames (self, packet, packet->start ? header_size (packet) : 0);
    read_payload (self, packet);
    self->media_end = self->pos + PACKET;
  }
  if (self->pos == PACKET)
    result->starts_with_tables = table && self->has_pmt;
}

/* Returns: whether all of @size was in sync, whole packets. */
static gboolean
scan_packets (Scan *self, gsize size, AmsTsScan *result)
{
  Packet packet;

  for (; size - self->pos >= PACKET; self->pos += PACKET) {
    if (self->data[self->pos] != SYNC)
      return FALSE;
    read_packet (self->data + self->pos, &packet);
    scan_packet (self, &packet, result);
  }
  return self->pos == size;
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 first = *(const gint64 *) a, second = *(const gint64 *) b;

  return (first > second) - (first < second);
}

/* Between two in decoding order, of a track that has two: what a frame lasts, as far as can
 * be told. Also where the second frame is shown much later than the first. */
static gint64
median_step (const Track *track)
{
  guint n = track->whole - 1, i;
  g_autofree gint64 *steps = g_new (gint64, n);

  for (i = 0; i < n; i++)
    steps[i] = g_array_index (track->times, gint64, i + 1) -
        g_array_index (track->leads, gint64, i + 1) -
        g_array_index (track->times, gint64, i) +
        g_array_index (track->leads, gint64, i);
  qsort (steps, n, sizeof (gint64), compare_times);
  return MAX (steps[n / 2], 0);
}

/* Unwrapped ticks. */
typedef struct
{
  gint64 first, end;
} Span;

static Span
get_span (const Track *track)
{
  const gint64 *times = (const gint64 *) (void *) track->times->data;
  guint first = 0, last = 0;
  gint64 length;

  for (guint i = 1; i < track->whole; i++) {
    if (times[i] < times[first])
      first = i;
    if (times[i] > times[last])
      last = i;
  }
  length = g_array_index (track->lengths, gint64, last);
  if (length == 0 && track->whole > 1)
    length = median_step (track);
  return (Span){ times[first], times[last] + length };
}

/* A picture stays until the next one: while pictures are rare, or have stopped, the sound says
 * how long the segment is. */
static void
widen (Span *video, Span audio)
{
  gint64 shift =
      video->first + distance (video->first, audio.first) - audio.first;

  audio.first += shift;
  audio.end += shift;
  if (audio.first > video->end + MAX_ALONE ||
      audio.end < video->first - MAX_ALONE)
    return;
  if (audio.end > video->end + (video->end > video->first ? MAX_ALONE : 0))
    video->end = audio.end;
  if (audio.first < video->first - MAX_ALONE)
    video->first = audio.first;
}

static void
measure (Scan *self, AmsTsScan *result)
{
  Span span = get_span (result->has_video ? &self->video : &self->audio);
  gint64 ticks;

  if (result->has_video && result->has_audio)
    widen (&span, get_span (&self->audio));
  ticks = MIN (span.end - span.first, MAX_TICKS);
  result->frames = result->has_video ? self->video.whole : self->audio.whole;
  result->first_pts = span.first & PTS_MASK;
  result->end_pts = (span.first + ticks) & PTS_MASK;
  /* 90 kHz: 100000 / 9 ns. */
  result->duration = ticks / 9 * 100000 + ticks % 9 * 100000 / 9;
}

static gboolean
finish (Scan *self, AmsTsScan *result)
{
  result->has_video = self->video.whole > 0;
  result->has_audio = self->audio.whole > 0;
  if (!result->has_video && !result->has_audio)
    return FALSE;
  result->usable = self->usable;
  measure (self, result);
  return TRUE;
}

static void
track_init (Track *track)
{
  track->times = g_array_new (FALSE, FALSE, sizeof (gint64));
  track->leads = g_array_new (FALSE, FALSE, sizeof (gint64));
  track->lengths = g_array_new (FALSE, TRUE, sizeof (gint64));
}

static void
track_clear (Track *track)
{
  g_array_unref (track->times);
  g_array_unref (track->leads);
  g_array_unref (track->lengths);
}

static Scan *
scan_new (GBytes *data, gsize *size)
{
  Scan *self = g_new0 (Scan, 1);

  self->data = g_bytes_get_data (data, size);
  track_init (&self->video);
  track_init (&self->audio);
  self->frames = g_byte_array_new ();
  return self;
}

static void
scan_free (Scan *self)
{
  track_clear (&self->video);
  track_clear (&self->audio);
  g_byte_array_unref (self->frames);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scan, scan_free)

gboolean
ams_ts_scan (GBytes *data, gboolean complete, AmsTsScan *result)
{
  gsize size;
  g_autoptr (Scan) self = scan_new (data, &size);
  gboolean in_sync;

  memset (result, 0, sizeof *result);
  in_sync = scan_packets (self, size, result);
  if (complete && in_sync && self->open_pid != 0)
    commit (self, self->media_end);
  return finish (self, result);
}

/* ---- the head ---- */

/* Ticks: sound that begins later than this after the picture is not read first. */
#define MAX_APART (90000 / 2)

static gint64
get_first (const Track *track)
{
  gint64 first = g_array_index (track->times, gint64, 0);

  for (guint i = 1; i < track->times->len; i++)
    first = MIN (first, g_array_index (track->times, gint64, i));
  return first;
}

gboolean
ams_ts_times_are_near (guint64 a, guint64 b, guint64 tolerance)
{
  guint64 ahead = (b - a) & PTS_MASK;

  return ahead < tolerance || PTS_MASK + 1 - ahead < tolerance;
}

gboolean
ams_ts_scan_head (GBytes *data, AmsTsHead *head)
{
  gsize size;
  g_autoptr (Scan) self = scan_new (data, &size);
  AmsTsScan scan;
  gboolean has_video, has_audio;
  gint64 first, later = 0;

  scan_packets (self, size, &scan);
  has_video = self->video.times->len > 0;
  has_audio = self->audio.times->len > 0;
  if (!has_video && !has_audio)
    return FALSE;
  first = get_first (has_video ? &self->video : &self->audio);
  if (has_video && has_audio)
    later = distance (first - g_array_index (self->video.leads, gint64, 0),
        get_first (&self->audio));
  head->first_pts = first & PTS_MASK;
  head->start_pts =
      (first + (later < MAX_APART ? MAX (later, 0) : 0)) & PTS_MASK;
  return TRUE;
}
