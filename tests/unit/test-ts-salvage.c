/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the MPEG-TS packager has written, torn at every byte: the scan keeps all PES packets
 * that are whole, and says how long they last. */

#include <string.h>

#include "package/ts/amstsscan.h"
#include "media/amstrack.h"
#include "package/ts/amstspackager.h"

#define PACKET 188
#define VIDEO 0
#define AUDIO 1
#define MS G_GINT64_CONSTANT (1000000)
#define FRAME (40 * MS)
#define SECOND (1000 * MS)
#define HALF (500 * MS)
#define WRAP_NS (G_GINT64_CONSTANT (8589934592) * 100000 / 9)
#define PTS_MASK ((G_GUINT64_CONSTANT (1) << 33) - 1)
/* Time 0 of the packager, 90 kHz. */
#define BASE 900000
/* ns: two ticks of 90 kHz, and what they are rounded to. */
#define ROUNDING 25000
/* As in amstsscan.c. */
#define MAX_ALONE (250 * MS)

static const guint8 avcc[] = { 1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 3, 0x67, 0x64,
  0, 1, 0, 2, 0x68, 0xee };
static const guint8 aac_lc[] = { 0x11, 0x90 };
/* Explicit SBR: the core's 24 kHz count. */
static const guint8 he_aac[] = { 0x2b, 0x11, 0x88, 0x00 };
static const guint8 opus_head[] = { 'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1,
  2, 0x38, 1, 0x80, 0xbb, 0, 0, 0, 0, 0 };

/* ---- media ---- */

typedef struct
{
  AmsCodec codec;
  const guint8 *config;
  gsize config_size;
  guint8 header[8]; /* the beginning of each frame */
  gsize size;
  guint samples, rate;
} Sound;

static const Sound aac = { AMS_CODEC_AAC, aac_lc, sizeof aac_lc, { 0 }, 160,
  1024, 48000 };
static const Sound aac_sbr = { AMS_CODEC_AAC, he_aac, sizeof he_aac, { 0 }, 150,
  1024, 24000 };
static const Sound mp3 = { AMS_CODEC_MPEG_AUDIO, NULL, 0,
  { 0xff, 0xfb, 0x94, 0 }, 384, 1152, 48000 };
static const Sound ac3 = { AMS_CODEC_AC3, NULL, 0,
  { 0x0b, 0x77, 0, 0, 0x14, 0x40 }, 768, 1536, 48000 };
static const Sound eac3 = { AMS_CODEC_EAC3, NULL, 0,
  { 0x0b, 0x77, 0x01, 0x7f, 0x30, 0x80 }, 768, 1536, 48000 };
static const Sound opus = { AMS_CODEC_OPUS, opus_head, sizeof opus_head,
  { 0xfc }, 150, 960, 48000 };

typedef struct
{
  const gchar *name;
  const Sound *sound; /* NULL: none */
  guint pictures; /* 40 ms from one to the next */
  gboolean reordered; /* I P B B P B B … */
  gint64 time; /* ns, of the sound */
  gint64 start; /* ns */
} Case;

static const Case cases[] = {
  { "video-and-aac", &aac, 13, FALSE, HALF, 0 },
  { "reordered-video-and-aac", &aac, 13, TRUE, HALF, 0 },
  { "reordered-video", NULL, 13, TRUE, 0, 0 },
  { "video-and-ac3", &ac3, 10, FALSE, 400 * MS, 0 },
  { "one-picture-and-aac", &aac, 1, FALSE, SECOND, 0 },
  { "pictures-end-before-aac", &aac, 5, FALSE, SECOND, 0 },
  { "before-the-wrap", &aac, 13, TRUE, HALF, WRAP_NS - 10 * SECOND - FRAME },
  { "aac", &aac, 0, FALSE, HALF, 0 },
  { "aac-before-the-wrap", &aac, 0, FALSE, HALF,
      WRAP_NS - 10 * SECOND - 250 * MS },
  { "he-aac", &aac_sbr, 0, FALSE, HALF, 0 },
  { "mp3", &mp3, 0, FALSE, HALF, 0 },
  { "ac3", &ac3, 0, FALSE, HALF, 0 },
  { "eac3", &eac3, 0, FALSE, HALF, 0 },
  { "opus", &opus, 0, FALSE, HALF, 0 },
};

/* A PES packet of the file. */
typedef struct
{
  gboolean video;
  gsize start, end; /* bytes */
  gint64 first_pts, end_pts; /* ns */
} Wrote;

typedef struct
{
  const Case *c;
  AmsPackager *packager;
  AmsBlocks *out;
  GByteArray *file;
  GArray *wrote; /* Wrote */
  Wrote group; /* frames that are not written yet */
} Maker;

static void
add_track (GPtrArray *tracks, guint id, AmsCodec codec, const guint8 *config,
    gsize size)
{
  g_autoptr (GBytes) bytes = config ? g_bytes_new (config, size) : NULL;

  g_ptr_array_add (tracks, ams_track_new (id, codec, bytes));
}

static void
set_tracks (Maker *m)
{
  g_autoptr (GPtrArray) tracks =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_track_free);
  g_autoptr (GError) error = NULL;

  if (m->c->pictures > 0)
    add_track (tracks, VIDEO, AMS_CODEC_H264, avcc, sizeof avcc);
  if (m->c->sound)
    add_track (tracks, AUDIO, m->c->sound->codec, m->c->sound->config,
        m->c->sound->config_size);
  ams_packager_set_tracks (m->packager, tracks, &error);
  g_assert_no_error (error);
}

/* What was written since the file had @before bytes is @pes, and perhaps a
 * packet with a PCR alone in front of it. Returns: whether it is there. */
static gboolean
note_written (Maker *m, Wrote pes)
{
  gsize before = m->file->len;
  GBytes *block;

  while ((block = ams_blocks_take (m->out))) {
    g_byte_array_append (m->file, g_bytes_get_data (block, NULL),
        g_bytes_get_size (block));
    g_bytes_unref (block);
  }
  for (pes.start = before; pes.start < m->file->len; pes.start += PACKET) {
    if (m->file->data[pes.start + 1] & 0x40) {
      pes.end = m->file->len;
      g_array_append_val (m->wrote, pes);
      return TRUE;
    }
  }
  return FALSE;
}

static void
add_unit (Maker *m, guint track, AmsUnitFlags flags, gint64 pts, gint64 dts,
    gint64 duration, guint8 *data, gsize size)
{
  g_autoptr (GBytes) payload = g_bytes_new_take (data, size);
  g_autoptr (GError) error = NULL;
  AmsUnit unit = { track, flags, pts, dts, duration, 0, 0, payload };

  ams_packager_add (m->packager, &unit, m->out, &error);
  g_assert_no_error (error);
}

static void
add_picture (Maker *m, guint i)
{
  static const gint shift[] = { 0, 2, -1, -1 };
  gint64 dts = m->c->start + i * FRAME;
  gint64 pts = dts;
  gsize size = i == 0 ? 900 : 60 + 97 * (i % 5);
  guint8 *data = g_malloc0 (size + 4);

  if (m->c->reordered)
    pts += (2 + (i > 0 ? shift[1 + (i - 1) % 3] : 0)) * FRAME;
  data[2] = size >> 8;
  data[3] = size;
  data[4] = i == 0 ? 0x65 : 0x41;
  add_unit (m, VIDEO, i == 0 ? AMS_UNIT_KEY : 0, pts, dts, FRAME, data,
      size + 4);
  g_assert_true (note_written (m, (Wrote){ TRUE, 0, 0, pts, pts + FRAME }));
}

static gint64
frame_time (const Maker *m, guint n)
{
  return m->c->start + n * SECOND * m->c->sound->samples / m->c->sound->rate;
}

static void
add_frame (Maker *m, guint n)
{
  const Sound *sound = m->c->sound;
  gint64 pts = frame_time (m, n), end = frame_time (m, n + 1);
  guint8 *data = g_malloc0 (sound->size);

  memcpy (data, sound->header, sizeof sound->header);
  add_unit (m, AUDIO, AMS_UNIT_KEY, pts, pts, end - pts, data, sound->size);
  if (note_written (m, m->group) || m->group.end_pts == G_MININT64)
    m->group.first_pts = pts;
  m->group.end_pts = end;
}

static void
make (Maker *m, const Case *c)
{
  guint picture = 0, frame = 0;

  m->c = c;
  m->packager = ams_ts_packager_new ();
  m->out = ams_blocks_new (AMS_TS_BLOCK_SIZE);
  m->file = g_byte_array_new ();
  m->wrote = g_array_new (FALSE, FALSE, sizeof (Wrote));
  m->group.end_pts = G_MININT64;
  set_tracks (m);
  ams_packager_begin_segment (m->packager, FALSE, m->out);
  note_written (m, (Wrote){ 0 });
  g_array_set_size (m->wrote, 0);
  while (picture < c->pictures ||
      (c->sound && frame_time (m, frame) < c->start + c->time)) {
    if (picture < c->pictures &&
        (!c->sound || c->start + picture * FRAME <= frame_time (m, frame)))
      add_picture (m, picture++);
    else
      add_frame (m, frame++);
  }
  ams_packager_flush (m->packager, m->out);
  note_written (m, m->group);
}

static void
clear (Maker *m)
{
  g_object_unref (m->packager);
  ams_blocks_free (m->out);
  g_byte_array_unref (m->file);
  g_array_unref (m->wrote);
}

/* ---- what is expected ---- */

typedef struct
{
  gsize usable;
  gint64 first, end; /* ns */
} Expected;

/* The length of a picture is not said: it is whole once something follows. */
static gboolean
is_whole (const Maker *m, guint i, gsize size)
{
  const Wrote *pes = &g_array_index (m->wrote, Wrote, i);

  if (!pes->video)
    return pes->end <= size;
  return i + 1 < m->wrote->len && pes[1].start + PACKET <= size;
}

static void
add_to (Expected *span, const Wrote *pes)
{
  span->first = MIN (span->first, pes->first_pts);
  span->end = MAX (span->end, pes->end_pts);
}

static Expected
expect (const Maker *m, gsize size)
{
  Expected video = { 0, G_MAXINT64, G_MININT64 };
  Expected audio = video, *all;
  guint pictures = 0;

  for (guint i = 0; i < m->wrote->len && is_whole (m, i, size); i++) {
    const Wrote *pes = &g_array_index (m->wrote, Wrote, i);

    add_to (pes->video ? &video : &audio, pes);
    pictures += pes->video;
    video.usable = audio.usable = pes->end;
  }
  all = pictures > 0 ? &video : &audio;
  /* How long the only picture lasts is not known. */
  if (pictures == 1)
    video.end = video.first;
  if (pictures > 0 && audio.end > video.end + (pictures > 1 ? MAX_ALONE : 0))
    video.end = audio.end;
  return *all;
}

static guint64
ticks (gint64 time)
{
  return (BASE + (guint64) time / 100000 * 9 +
             (guint64) time % 100000 * 9 / 100000) &
      PTS_MASK;
}

static void
assert_near (guint64 a, guint64 b)
{
  guint64 difference = (a - b) & PTS_MASK;

  g_assert_cmpuint (MIN (difference, PTS_MASK + 1 - difference), <=, 2);
}

static void
test_torn_anywhere (gconstpointer data)
{
  Maker m = { NULL };
  gsize size;

  make (&m, data);
  for (size = 0; size <= m.file->len; size++) {
    g_autoptr (GBytes) torn = g_bytes_new_static (m.file->data, size);
    Expected expected = expect (&m, size);
    AmsTsScan scan;

    g_assert_cmpint (ams_ts_scan (torn, FALSE, &scan), ==, expected.usable > 0);
    g_assert_cmpuint (scan.usable, ==, expected.usable);
    if (expected.usable == 0)
      continue;
    if (ABS ((gint64) scan.duration - (expected.end - expected.first)) >
        ROUNDING)
      g_error ("%" G_GSIZE_FORMAT " of %u bytes: %" G_GUINT64_FORMAT
               " ns, not %" G_GINT64_FORMAT,
          size, m.file->len, scan.duration, expected.end - expected.first);
    assert_near (scan.first_pts, ticks (expected.first));
    assert_near (scan.end_pts, ticks (expected.end));
  }
  clear (&m);
}

/* Closed properly, its last picture is there as well. */
static void
test_whole (gconstpointer data)
{
  Maker m = { NULL };
  g_autoptr (GBytes) bytes = NULL;
  AmsTsScan scan;
  AmsTsHead head;
  gint64 first = G_MAXINT64, end = G_MININT64;

  make (&m, data);
  bytes = g_bytes_new_static (m.file->data, m.file->len);
  for (guint i = 0; i < m.wrote->len; i++) {
    const Wrote *pes = &g_array_index (m.wrote, Wrote, i);

    if (!pes->video && m.c->pictures > 0)
      continue;
    first = MIN (first, pes->first_pts);
    end = MAX (end, pes->end_pts);
  }
  g_assert_true (ams_ts_scan (bytes, TRUE, &scan));
  g_assert_cmpuint (scan.usable, ==, m.file->len);
  assert_near (scan.first_pts, ticks (first));
  if (m.c->pictures == 0 || m.c->pictures > 9)
    assert_near (scan.end_pts, ticks (end));
  g_assert_true (ams_ts_scan_head (bytes, &head));
  assert_near (head.first_pts, ticks (first));
  clear (&m);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *torn = g_strconcat ("/torn/", cases[i].name, NULL);
    g_autofree gchar *whole = g_strconcat ("/whole/", cases[i].name, NULL);

    g_test_add_data_func (torn, &cases[i], test_torn_anywhere);
    g_test_add_data_func (whole, &cases[i], test_whole);
  }
  return g_test_run ();
}
