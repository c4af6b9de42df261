/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amstsscan.h"

#include <stdlib.h>
#include <string.h>

/* Not read: sections that go over several packets (mpegtsmux makes none for
 * one program), CRCs (what a crash leaves is cut off, not changed), scrambled
 * streams. Of several programs, the first counts. */

#define PACKET 188
#define SYNC 0x47
#define N_PIDS 8192
#define NULL_PID 0x1fff

#define PTS_BITS 33
#define PTS_MASK ((G_GINT64_CONSTANT (1) << PTS_BITS) - 1)

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
  guint whole; /* how many of those are known to be whole */
  gint64 last;
  gint64 lead; /* ticks from the first one's DTS to its PTS */
} Track;

typedef struct
{
  const guint8 *data;
  gsize pos; /* of the packet that is looked at */
  guint pmt_pid; /* 0: not known yet */
  gboolean has_pmt;
  guint8 kinds[N_PIDS]; /* StreamKind */
  Track video, audio;

  guint open_pid; /* whose PES is being read; 0: none */
  gsize open_left; /* bytes of it to come; 0: not stated */
  gsize media_end; /* behind the last packet of any stream */
  gsize usable;
} Scan;

typedef struct
{
  guint pid;
  gboolean start;
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

static gboolean
is_audio_format (const guint8 *p)
{
  return memcmp (p, "AC-3", 4) == 0 || memcmp (p, "EAC3", 4) == 0 ||
      memcmp (p, "Opus", 4) == 0 || memcmp (p, "BSSD", 4) == 0;
}

/* What a private stream (type 6) is, say its descriptors. */
static StreamKind
read_descriptors (const guint8 *p, gsize len)
{
  gsize i, n;

  for (i = 0; i + 2 <= len; i += 2 + n) {
    n = p[i + 1];
    if (i + 2 + n > len)
      break;
    if (p[i] == 0x6a || p[i] == 0x7a || p[i] == 0x7b || p[i] == 0x7c)
      return STREAM_AUDIO; /* AC-3, E-AC-3, DTS, AAC in DVB */
    if (p[i] == 0x05 && n >= 4 && is_audio_format (p + i + 2))
      return STREAM_AUDIO;
    if (p[i] == 0x05 && n >= 4 && memcmp (p + i + 2, "HEVC", 4) == 0)
      return STREAM_VIDEO;
  }
  return STREAM_OTHER;
}

static StreamKind
get_kind (guint type, const guint8 *descriptors, gsize len)
{
  switch (type) {
    case 0x01: /* MPEG-1 video */
    case 0x02: /* MPEG-2 video */
    case 0x10: /* MPEG-4 part 2 */
    case 0x1b: /* H.264 */
    case 0x24: /* H.265 */
      return STREAM_VIDEO;
    case 0x03: /* MPEG-1 audio */
    case 0x04: /* MPEG-2 audio */
    case 0x0f: /* AAC, ADTS */
    case 0x11: /* AAC, LATM */
    case 0x81: /* AC-3 */
    case 0x87: /* E-AC-3 */
      return STREAM_AUDIO;
    case 0x06:
      return read_descriptors (descriptors, len);
    default:
      return STREAM_OTHER;
  }
}

static void
add_stream (Scan *self, guint pid, StreamKind kind)
{
  if (pid == 0 || pid == NULL_PID || pid == self->pmt_pid)
    return;
  self->kinds[pid] = kind;
  if (kind == STREAM_VIDEO && self->video.pid == 0)
    self->video.pid = pid;
  if (kind == STREAM_AUDIO && self->audio.pid == 0)
    self->audio.pid = pid;
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
        get_kind (p[i], p + i + 5, n));
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

/* -1: none. */
static gint64
read_pts (const guint8 *p, gsize len)
{
  if (len < 14 || !has_header (p[3]) || (p[6] & 0xc0) != 0x80 ||
      !(p[7] & 0x80) || p[8] < 5)
    return -1;
  return read_time (p + 9);
}

/* Of a PES packet that has a PTS: how much earlier its DTS is. */
static gint64
read_lead (const guint8 *p, gsize len)
{
  if (len < 19 || !(p[7] & 0x40) || p[8] < 10)
    return 0;
  return (read_time (p + 9) - read_time (p + 14)) & PTS_MASK;
}

/* Less than half a turn of 13 hours. */
static gint64
distance (gint64 from, gint64 to)
{
  gint64 step = (to - from) & PTS_MASK;

  return step >> (PTS_BITS - 1) ? step - PTS_MASK - 1 : step;
}

/* Frames are not in the order of their PTS. */
static void
add_time (Track *track, gint64 pts, gint64 lead)
{
  if (track->times->len == 0) {
    track->last = pts;
    track->lead = lead;
  } else {
    track->last += distance (track->last, pts);
  }
  g_array_append_val (track->times, track->last);
}

/* All PES that began end before @end, and all of them are whole. */
static void
commit (Scan *self, gsize end)
{
  self->open_pid = 0;
  self->usable = end;
  self->video.whole = self->video.times->len;
  self->audio.whole = self->audio.times->len;
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
    if (packet->start)
      begin_pes (self, packet);
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

/* @sorted: at least two. */
static gint64
median_distance (const gint64 *sorted, guint n)
{
  g_autofree gint64 *distances = g_new (gint64, n - 1);
  guint i;

  for (i = 0; i + 1 < n; i++)
    distances[i] = sorted[i + 1] - sorted[i];
  qsort (distances, n - 1, sizeof (gint64), compare_times);
  return distances[(n - 1) / 2];
}

static void
measure (const Track *track, AmsTsScan *result)
{
  g_autofree gint64 *times =
      g_memdup2 (track->times->data, track->whole * sizeof (gint64));
  guint n = track->whole;
  gint64 ticks = 0;

  qsort (times, n, sizeof (gint64), compare_times);
  if (n > 1)
    ticks = times[n - 1] - times[0] + median_distance (times, n);
  ticks = MIN (ticks, MAX_TICKS);
  result->frames = n;
  result->first_pts = times[0] & PTS_MASK;
  result->end_pts = (times[0] + ticks) & PTS_MASK;
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
  measure (result->has_video ? &self->video : &self->audio, result);
  return TRUE;
}

static Scan *
scan_new (GBytes *data, gsize *size)
{
  Scan *self = g_new0 (Scan, 1);

  self->data = g_bytes_get_data (data, size);
  self->video.times = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->audio.times = g_array_new (FALSE, FALSE, sizeof (gint64));
  return self;
}

static void
scan_free (Scan *self)
{
  g_array_unref (self->video.times);
  g_array_unref (self->audio.times);
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
    later = distance (first - self->video.lead, get_first (&self->audio));
  head->first_pts = first & PTS_MASK;
  head->start_pts =
      (first + (later < MAX_APART ? MAX (later, 0) : 0)) & PTS_MASK;
  return TRUE;
}
