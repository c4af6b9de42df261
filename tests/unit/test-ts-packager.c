/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "media/amsmediaerror.h"
#include "package/ts/amstspackager.h"
#include "package/ts/amststables.h"
#include "ts-reader.h"

#include <string.h>

#define VIDEO 0
#define AUDIO 1
#define VIDEO_PID (AMS_TS_FIRST_PID + VIDEO)
#define AUDIO_PID (AMS_TS_FIRST_PID + AUDIO)
#define MS G_GINT64_CONSTANT (1000000)
#define FRAME (40 * MS)
/* Of AAC at 48 kHz, in ns. */
#define AAC_TIME(n) ((n) *G_GINT64_CONSTANT (1024000000000) / 48000)
/* 90 kHz */
#define TICKS(ns) ((ns) *9 / 100000)

static const guint8 avcc[] = { 1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 3, 0x67, 0x64,
  0, 1, 0, 2, 0x68, 0xee };
static const guint8 aac_lc[] = { 0x11, 0x90 };

typedef struct
{
  AmsPackager *packager;
  AmsBlocks *out;
  GByteArray *file; /* the open segment */
  TsReader *reader;
} Fixture;

/* ---- fixture ---- */

static AmsTrack *
new_track (guint id, AmsCodec codec, const guint8 *config, gsize size)
{
  g_autoptr (GBytes) bytes = config ? g_bytes_new (config, size) : NULL;

  return ams_track_new (id, codec, bytes);
}

static GPtrArray *
new_tracks (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) ams_track_free);
}

static void
set_tracks (Fixture *f, GPtrArray *tracks)
{
  g_autoptr (GError) error = NULL;

  ams_packager_set_tracks (f->packager, tracks, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->packager = ams_ts_packager_new ();
  f->out = ams_blocks_new (AMS_TS_BLOCK_SIZE);
  f->file = g_byte_array_new ();
  f->reader = ts_reader_new ();
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_object_unref (f->packager);
  ams_blocks_free (f->out);
  g_byte_array_unref (f->file);
  ts_reader_free (f->reader);
}

static void
use_audio_and_video (Fixture *f)
{
  g_autoptr (GPtrArray) tracks = new_tracks ();

  g_ptr_array_add (tracks,
      new_track (AUDIO, AMS_CODEC_AAC, aac_lc, sizeof aac_lc));
  g_ptr_array_add (tracks,
      new_track (VIDEO, AMS_CODEC_H264, avcc, sizeof avcc));
  set_tracks (f, tracks);
}

static void
use_audio (Fixture *f, AmsCodec codec, const guint8 *config, gsize size)
{
  g_autoptr (GPtrArray) tracks = new_tracks ();

  g_ptr_array_add (tracks, new_track (AUDIO, codec, config, size));
  set_tracks (f, tracks);
}

static void
begin (Fixture *f, gboolean discontinuity)
{
  ams_packager_begin_segment (f->packager, discontinuity, f->out);
}

static void
take_blocks (Fixture *f)
{
  GBytes *block;

  while ((block = ams_blocks_take (f->out))) {
    gsize size;
    const guint8 *data = g_bytes_get_data (block, &size);

    g_byte_array_append (f->file, data, size);
    g_bytes_unref (block);
  }
}

/* The segment is the first @size bytes of what was written. */
static void
end_at (Fixture *f, gsize size)
{
  take_blocks (f);
  g_assert_cmpuint (size, <=, f->file->len);
  ts_reader_read (f->reader, f->file->data, size);
  g_byte_array_set_size (f->file, 0);
  ams_blocks_reset (f->out);
}

static void
end (Fixture *f)
{
  ams_packager_flush (f->packager, f->out);
  end_at (f, ams_blocks_get_size (f->out));
}

static void
add_bytes (Fixture *f, guint track, AmsUnitFlags flags, gint64 pts, gint64 dts,
    gint64 duration, GBytes *payload)
{
  g_autoptr (GError) error = NULL;
  AmsUnit unit = { track, flags, pts, dts, duration, 0, 0, payload };

  ams_packager_add (f->packager, &unit, f->out, &error);
  g_assert_no_error (error);
}

/* A slice of @size bytes behind its length. */
static GBytes *
new_picture (gsize size, gboolean key, guint8 fill)
{
  guint8 *data = g_malloc (size + 4);

  data[0] = size >> 24;
  data[1] = size >> 16;
  data[2] = size >> 8;
  data[3] = size;
  memset (data + 4, fill, size);
  data[4] = key ? 0x65 : 0x41;
  return g_bytes_new_take (data, size + 4);
}

static void
add_picture (Fixture *f, guint n, gboolean key)
{
  g_autoptr (GBytes) payload = new_picture (1000 + n, key, n);

  add_bytes (f, VIDEO, key ? AMS_UNIT_KEY : 0, n * FRAME + 80 * MS, n * FRAME,
      FRAME, payload);
}

static void
add_frame (Fixture *f, guint n, gsize size)
{
  g_autoptr (GBytes) payload = NULL;
  guint8 *data = g_malloc (size);

  memset (data, n, size);
  payload = g_bytes_new_take (data, size);
  add_bytes (f, AUDIO, AMS_UNIT_KEY, AAC_TIME (n), AAC_TIME (n),
      AAC_TIME (n + 1) - AAC_TIME (n), payload);
}

static const ReadPes *
get_pes (Fixture *f, guint i)
{
  g_assert_cmpuint (i, <, f->reader->pes->len);
  return g_ptr_array_index (f->reader->pes, i);
}

static guint
count_pes (Fixture *f, guint16 pid)
{
  guint n = 0;

  for (guint i = 0; i < f->reader->pes->len; i++)
    n += get_pes (f, i)->pid == pid;
  return n;
}

/* ---- pictures ---- */

static void
test_key_picture_has_delimiter_and_parameter_sets (Fixture *f,
    gconstpointer data)
{
  static const guint8 expected[] = { 0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x67,
    0x64, 0, 0, 0, 0, 1, 0x68, 0xee, 0, 0, 1, 0x65, 7, 7 };
  g_autoptr (GBytes) payload = new_picture (3, TRUE, 7);
  const ReadPes *pes;

  use_audio_and_video (f);
  begin (f, FALSE);
  add_bytes (f, VIDEO, AMS_UNIT_KEY, 80 * MS, 0, FRAME, payload);
  end (f);
  pes = get_pes (f, 0);
  g_assert_cmpmem (pes->payload->data, pes->payload->len, expected,
      sizeof expected);
  g_assert_cmpuint (pes->pts - pes->dts, ==, TICKS (80 * MS));
  g_assert_true (pes->random_access);
  g_assert_cmpuint (f->reader->clock_pid, ==, VIDEO_PID);
  g_assert_cmpuint (f->reader->clocks->len, ==, 1);
}

static void
test_what_the_source_says_is_not_said_twice (Fixture *f, gconstpointer data)
{
  static const guint8 unit[] = { 0, 0, 0, 2, 0x09, 0x10, 0, 0, 0, 2, 0x67, 1, 0,
    0, 0, 2, 0x68, 1, 0, 0, 0, 2, 0x65, 1 };
  static const guint8 expected[] = { 0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x67,
    1, 0, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65, 1 };
  g_autoptr (GBytes) payload = g_bytes_new_static (unit, sizeof unit);
  const ReadPes *pes;

  use_audio_and_video (f);
  begin (f, FALSE);
  add_bytes (f, VIDEO, AMS_UNIT_KEY, 0, 0, FRAME, payload);
  end (f);
  pes = get_pes (f, 0);
  g_assert_cmpmem (pes->payload->data, pes->payload->len, expected,
      sizeof expected);
}

/* All rests that a last packet can have, and where PES_packet_length ends. */
static void
test_pictures_of_any_size_come_back (Fixture *f, gconstpointer data)
{
  g_autoptr (GArray) sizes = g_array_new (FALSE, FALSE, sizeof (guint));
  guint i, size;

  for (size = 1; size <= 400; size++)
    g_array_append_val (sizes, size);
  for (size = 65520; size <= 65560; size++)
    g_array_append_val (sizes, size);
  size = 1 << 20;
  g_array_append_val (sizes, size);
  use_audio_and_video (f);
  begin (f, FALSE);
  for (i = 0; i < sizes->len; i++) {
    g_autoptr (GBytes) payload =
        new_picture (g_array_index (sizes, guint, i), i == 0, i);

    add_bytes (f, VIDEO, i == 0 ? AMS_UNIT_KEY : 0, i * FRAME, i * FRAME, FRAME,
        payload);
  }
  end (f);
  g_assert_cmpuint (f->reader->pes->len, ==, sizes->len);
  for (i = 1; i < sizes->len; i++) {
    const ReadPes *pes = get_pes (f, i);
    gsize head = 6 + 3; /* delimiter, start code */

    size = g_array_index (sizes, guint, i);
    g_assert_cmpuint (pes->payload->len, ==, head + size);
    g_assert_cmpuint (pes->payload->data[head], ==, 0x41);
    if (size > 1)
      g_assert_cmpuint (pes->payload->data[head + size - 1], ==, i & 0xff);
    g_assert_false (pes->random_access);
  }
}

/* Slices of any size side by side, no two bytes alike that a packet may confuse. */
static void
test_slices_come_back_byte_for_byte (Fixture *f, gconstpointer data)
{
  static const guint8 start_code[] = { 0, 0, 1 };
  static const guint8 delimiter[] = { 0, 0, 0, 1, 0x09, 0xf0 };
  g_autoptr (GByteArray) expected = g_byte_array_new ();
  g_autoptr (GByteArray) stream = NULL;
  guint32 noise = 1;

  use_audio_and_video (f);
  begin (f, FALSE);
  for (guint i = 0; i < 500; i++) {
    GByteArray *unit = g_byte_array_new ();
    g_autoptr (GBytes) payload = NULL;

    g_byte_array_append (expected, delimiter, sizeof delimiter);
    for (guint j = 0; j < 3; j++) {
      guint size = 2 + i * (j + 1) % 571;
      guint8 length[] = { 0, 0, size >> 8, size & 0xff };
      guint at = unit->len + sizeof length;

      g_byte_array_append (unit, length, sizeof length);
      g_byte_array_set_size (unit, at + size);
      for (guint k = 0; k < size; k++)
        unit->data[at + k] = (noise = noise * 1664525 + 1013904223) >> 24;
      unit->data[at] = 0x41;
      g_byte_array_append (expected, start_code, sizeof start_code);
      g_byte_array_append (expected, unit->data + at, size);
    }
    payload = g_byte_array_free_to_bytes (unit);
    add_bytes (f, VIDEO, 0, i * FRAME, i * FRAME, FRAME, payload);
  }
  end (f);
  stream = ts_reader_get_stream (f->reader, VIDEO_PID);
  g_assert_cmpmem (stream->data, stream->len, expected->data, expected->len);
}

static void
test_damaged_picture_leaves_nothing (Fixture *f, gconstpointer data)
{
  static const guint8 unit[] = { 0, 0, 0, 2, 0x41, 1, 0, 0, 0, 9, 0x41 };
  g_autoptr (GBytes) payload = g_bytes_new_static (unit, sizeof unit);
  g_autoptr (GError) error = NULL;
  AmsUnit damaged = { VIDEO, 0, FRAME, FRAME, FRAME, 0, 0, payload };
  guint64 size;

  use_audio_and_video (f);
  begin (f, FALSE);
  add_picture (f, 0, TRUE);
  size = ams_blocks_get_size (f->out);
  g_assert_false (ams_packager_add (f->packager, &damaged, f->out, &error));
  g_assert_error (error, AMS_MEDIA_ERROR, AMS_MEDIA_ERROR_UNIT);
  g_assert_cmpuint (ams_blocks_get_size (f->out), ==, size);
  add_picture (f, 1, FALSE);
  end (f);
  g_assert_cmpuint (count_pes (f, VIDEO_PID), ==, 2);
}

/* A source that repeats a time, or whose times fall into one tick. */
static void
test_decoding_times_rise (Fixture *f, gconstpointer data)
{
  use_audio_and_video (f);
  begin (f, FALSE);
  for (guint i = 0; i < 5; i++) {
    g_autoptr (GBytes) payload = new_picture (10, i == 0, i);

    add_bytes (f, VIDEO, i == 0 ? AMS_UNIT_KEY : 0, i, i, 0, payload);
  }
  end (f);
  for (guint i = 1; i < 5; i++) {
    g_assert_cmpuint (get_pes (f, i)->dts, >, get_pes (f, i - 1)->dts);
    g_assert_cmpuint (get_pes (f, i)->pts, >=, get_pes (f, i)->dts);
  }
}

/* ---- audio ---- */

/* ISO 13818-1: 33 bits wrap after 26.5 h. Nothing is clipped. */
static void
test_times_wrap (Fixture *f, gconstpointer data)
{
  const gint64 wrap = (G_GINT64_CONSTANT (1) << 33) * 100000 / 9;
  const gint64 start = wrap - 40000 * MS;
  guint64 mask = (G_GUINT64_CONSTANT (1) << 33) - 1;

  use_audio_and_video (f);
  begin (f, FALSE);
  for (guint i = 0; i < 2000; i++) {
    g_autoptr (GBytes) payload = new_picture (20, i % 50 == 0, i);

    add_bytes (f, VIDEO, i % 50 == 0 ? AMS_UNIT_KEY : 0,
        start + i * FRAME + 80 * MS, start + i * FRAME, FRAME, payload);
  }
  end (f);
  for (guint i = 1; i < 2000; i++) {
    guint64 step = get_pes (f, i)->dts - get_pes (f, i - 1)->dts;

    g_assert_cmpuint (step & mask, >=, 3599);
    g_assert_cmpuint (step & mask, <=, 3601);
    g_assert_cmpuint ((get_pes (f, i)->pts - get_pes (f, i)->dts) & mask, <=,
        7201);
  }
}

static void
test_frames_are_aggregated (Fixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) stream = NULL;
  gsize size = 200 + 7;

  use_audio (f, AMS_CODEC_AAC, aac_lc, sizeof aac_lc);
  begin (f, FALSE);
  for (guint i = 0; i < 47; i++)
    add_frame (f, i, 200);
  end (f);
  /* Seven of 21.3 ms are 149 ms, eight would be 171 ms. */
  g_assert_cmpuint (f->reader->pes->len, ==, 7);
  g_assert_cmpuint (f->reader->clock_pid, ==, AUDIO_PID);
  stream = ts_reader_get_stream (f->reader, AUDIO_PID);
  g_assert_cmpuint (stream->len, ==, 47 * size);
  for (guint i = 0; i < 47; i++) {
    const guint8 *frame = stream->data + i * size;

    g_assert_cmpuint (frame[0], ==, 0xff);
    g_assert_cmpuint ((frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5, ==,
        size);
    g_assert_cmpuint (frame[7], ==, i);
  }
  for (guint i = 0; i < 7; i++)
    g_assert_cmpuint (get_pes (f, i)->pts - get_pes (f, 0)->pts, ==,
        TICKS (AAC_TIME (7 * i)));
}

/* Frames that were lost: what follows has a time of its own. */
static void
test_hole_ends_a_group (Fixture *f, gconstpointer data)
{
  use_audio_and_video (f);
  begin (f, FALSE);
  add_frame (f, 0, 100);
  add_frame (f, 1, 100);
  add_frame (f, 3, 100);
  end (f);
  g_assert_cmpuint (f->reader->pes->len, ==, 2);
  g_assert_cmpuint (get_pes (f, 1)->pts - get_pes (f, 0)->pts, ==,
      TICKS (AAC_TIME (3)));
}

static void
test_large_frames_come_back (Fixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) stream = NULL;
  gsize total = 0, size;

  use_audio (f, AMS_CODEC_AAC, aac_lc, sizeof aac_lc);
  begin (f, FALSE);
  for (size = 1; size <= 8191 - 7; size += 61) {
    add_frame (f, size / 61, size);
    total += size + 7;
  }
  end (f);
  stream = ts_reader_get_stream (f->reader, AUDIO_PID);
  g_assert_cmpuint (stream->len, ==, total);
}

static void
test_frame_that_adts_cannot_hold (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) payload = g_bytes_new_take (g_malloc0 (8185), 8185);
  g_autoptr (GError) error = NULL;
  AmsUnit unit = { AUDIO, 0, 0, 0, 20 * MS, 0, 0, payload };

  use_audio (f, AMS_CODEC_AAC, aac_lc, sizeof aac_lc);
  begin (f, FALSE);
  g_assert_false (ams_packager_add (f->packager, &unit, f->out, &error));
  g_assert_error (error, AMS_MEDIA_ERROR, AMS_MEDIA_ERROR_UNIT);
  add_frame (f, 0, 10);
  end (f);
  g_assert_cmpuint (get_pes (f, 0)->payload->len, ==, 17);
}

/* 3.1 in a program_config_element: in each PES packet's first frame. */
static void
test_layout_is_in_the_frames (Fixture *f, gconstpointer data)
{
  static const guint8 config[] = { 0x11, 0x80, 0x04, 0xc8, 0x01, 0x00, 0x01,
    0x00, 0x00 };
  static const guint8 pce[] = { 0xa0, 0x99, 0x00, 0x20, 0x00, 0x20, 0x00,
    0x00 };

  use_audio (f, AMS_CODEC_AAC, config, sizeof config);
  begin (f, FALSE);
  for (guint i = 0; i < 14; i++)
    add_frame (f, i, 50);
  end (f);
  g_assert_cmpuint (f->reader->pes->len, ==, 2);
  for (guint i = 0; i < 2; i++) {
    const ReadPes *pes = get_pes (f, i);

    g_assert_cmpmem (pes->payload->data + 7, sizeof pce, pce, sizeof pce);
    g_assert_cmpuint (pes->payload->len, ==, 7 * (50 + 7) + sizeof pce);
  }
}

static void
test_opus_has_control_headers (Fixture *f, gconstpointer data)
{
  static const guint8 head[19] = "OpusHead\x01\x02";
  static const guint8 first[] = { 0x7f, 0xf0, 0xff, 0x2d, 0x01, 0x38 };
  static const guint8 descriptors[] = { 0x05, 4, 'O', 'p', 'u', 's', 0x7f, 2,
    0x80, 2 };
  g_autoptr (GBytes) payload = g_bytes_new_take (g_malloc0 (300), 300);
  AmsUnit unit = { AUDIO, 0, 0, 0, 20 * MS, 312, 0, payload };
  const ReadStream *stream;
  const ReadPes *pes;

  use_audio (f, AMS_CODEC_OPUS, head, sizeof head);
  begin (f, FALSE);
  for (guint i = 0; i < 7; i++) {
    g_assert_true (ams_packager_add (f->packager, &unit, f->out, NULL));
    unit.pts = unit.dts = (i + 1) * 20 * MS;
    unit.trim_start = 0;
  }
  end (f);
  g_assert_cmpuint (f->reader->pes->len, ==, 2); /* 120 ms at most */
  pes = get_pes (f, 0);
  g_assert_cmpuint (pes->stream_id, ==, 0xbd);
  g_assert_cmpmem (pes->payload->data, sizeof first, first, sizeof first);
  g_assert_cmpuint (pes->payload->len, ==, 6 + 300 + 5 * (4 + 300));
  stream = g_ptr_array_index (f->reader->streams, 0);
  g_assert_cmpuint (stream->type, ==, 0x06);
  g_assert_cmpmem (stream->descriptors->data, stream->descriptors->len,
      descriptors, sizeof descriptors);
}

/* ---- tables ---- */

typedef struct
{
  AmsCodec codec;
  guint rate;
  guint8 type;
  const gchar *registration;
  guint8 stream_id;
} Listed;

static void
test_stream_types (Fixture *f, gconstpointer data)
{
  static const Listed table[] = {
    { AMS_CODEC_MPEG2_VIDEO, 0, 0x02, NULL, 0xe0 },
    { AMS_CODEC_MPEG_AUDIO, 48000, 0x03, NULL, 0xc0 },
    { AMS_CODEC_MPEG_AUDIO, 22050, 0x04, NULL, 0xc0 },
    { AMS_CODEC_AC3, 48000, 0x81, "AC-3", 0xbd },
    { AMS_CODEC_EAC3, 48000, 0x87, "EAC3", 0xbd },
    { AMS_CODEC_DTS, 48000, 0x8a, "DTS1", 0xbd },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GPtrArray) tracks = new_tracks ();
    AmsTrack *track = ams_track_new (AUDIO, table[i].codec, NULL);
    const ReadStream *stream;

    track->rate = table[i].rate;
    g_ptr_array_add (tracks, track);
    set_tracks (f, tracks);
    begin (f, FALSE);
    add_frame (f, i, 100);
    end (f);
    stream = g_ptr_array_index (f->reader->streams, 0);
    g_assert_cmpuint (stream->type, ==, table[i].type);
    g_assert_cmpuint (get_pes (f, i)->stream_id, ==, table[i].stream_id);
    if (table[i].registration)
      g_assert_cmpmem (stream->descriptors->data + 2, 4, table[i].registration,
          4);
    else
      g_assert_cmpuint (stream->descriptors->len, ==, 0);
  }
}

/* hls.js stops reading at a type that it does not know. */
static void
test_tables_list_video_then_aac_first (Fixture *f, gconstpointer data)
{
  static const guint8 language[] = { 0x0a, 4, 'd', 'e', 'u', 0 };
  g_autoptr (GPtrArray) tracks = new_tracks ();
  AmsTrack *aac = new_track (5, AMS_CODEC_AAC, aac_lc, sizeof aac_lc);
  const ReadStream *stream;
  guint version;

  aac->language = g_strdup ("deu");
  g_ptr_array_add (tracks, new_track (1, AMS_CODEC_EAC3, NULL, 0));
  g_ptr_array_add (tracks, aac);
  g_ptr_array_add (tracks, new_track (7, AMS_CODEC_H264, avcc, sizeof avcc));
  set_tracks (f, tracks);
  begin (f, FALSE);
  end (f);
  version = f->reader->pmt_version;
  g_assert_cmpuint (f->reader->streams->len, ==, 3);
  stream = g_ptr_array_index (f->reader->streams, 0);
  g_assert_cmpuint (stream->pid, ==, AMS_TS_FIRST_PID + 7);
  stream = g_ptr_array_index (f->reader->streams, 1);
  g_assert_cmpuint (stream->pid, ==, AMS_TS_FIRST_PID + 5);
  g_assert_cmpmem (stream->descriptors->data, stream->descriptors->len,
      language, sizeof language);
  begin (f, FALSE);
  end (f);
  g_assert_cmpuint (f->reader->pmt_version, ==, version);
  set_tracks (f, tracks);
  begin (f, FALSE);
  end (f);
  g_assert_cmpuint (f->reader->pmt_version, ==, version + 1);
}

typedef struct
{
  AmsCodec codec;
  guint count;
  AmsMediaError code;
  const gchar *says;
} Refused;

static void
test_tracks_that_ts_cannot_carry (Fixture *f, gconstpointer data)
{
  static const Refused table[] = {
    { AMS_CODEC_AV1, 1, AMS_MEDIA_ERROR_UNSUPPORTED, "segment-type=cmaf" },
    { AMS_CODEC_VP9, 1, AMS_MEDIA_ERROR_UNSUPPORTED, "VP9" },
    { AMS_CODEC_H264, 1, AMS_MEDIA_ERROR_CONFIG, "codec_data" },
    { AMS_CODEC_EAC3, 20, AMS_MEDIA_ERROR_UNSUPPORTED, "20 tracks" },
  };

  use_audio_and_video (f);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GPtrArray) tracks = new_tracks ();
    g_autoptr (GError) error = NULL;

    for (guint id = 0; id < table[i].count; id++)
      g_ptr_array_add (tracks, new_track (id, table[i].codec, NULL, 0));
    g_assert_false (ams_packager_set_tracks (f->packager, tracks, &error));
    g_assert_error (error, AMS_MEDIA_ERROR, (gint) table[i].code);
    g_assert_nonnull (strstr (error->message, table[i].says));
  }
  /* What was before goes on. */
  begin (f, FALSE);
  add_picture (f, 0, TRUE);
  end (f);
  g_assert_cmpuint (f->reader->streams->len, ==, 2);
}

/* ---- clock ---- */

static void
check_clocks (Fixture *f, guint64 max_gap)
{
  const GArray *clocks = f->reader->clocks;

  for (guint i = 0; i < clocks->len; i++) {
    const ReadClock *clock = &g_array_index (clocks, ReadClock, i);

    g_assert_cmpuint (clock->pid, ==, f->reader->clock_pid);
    if (i > 0) {
      g_assert_cmpuint (clock->clock, >, clock[-1].clock);
      g_assert_cmpuint (clock->clock - clock[-1].clock, <=, max_gap);
    }
  }
}

static void
test_clock_runs_with_the_video (Fixture *f, gconstpointer data)
{
  guint audio = 0;

  use_audio_and_video (f);
  for (guint segment = 0; segment < 3; segment++) {
    begin (f, FALSE);
    for (guint i = segment * 50; i < (segment + 1) * 50; i++) {
      add_picture (f, i, i % 50 == 0);
      for (; AAC_TIME (audio) < (i + 1) * FRAME; audio++)
        add_frame (f, audio, 150);
    }
    end (f);
  }
  check_clocks (f, 9000);
  for (guint i = 0; i < f->reader->pes->len; i++)
    g_assert_cmpuint (get_pes (f, i)->dts, >=,
        g_array_index (f->reader->clocks, ReadClock, 0).clock);
}

/* A group of 149 ms is longer than two clocks may be apart. */
static void
test_clock_without_video (Fixture *f, gconstpointer data)
{
  use_audio (f, AMS_CODEC_AAC, aac_lc, sizeof aac_lc);
  begin (f, FALSE);
  for (guint i = 0; i < 470; i++)
    add_frame (f, i, 300);
  end (f);
  g_assert_cmpuint (f->reader->clocks->len, >=, 100);
  check_clocks (f, 9000);
  /* Both of a group's 12 packets, one in its middle. */
  for (guint i = 1; i < f->reader->clocks->len; i++) {
    const ReadClock *clock = &g_array_index (f->reader->clocks, ReadClock, i);

    g_assert_cmpuint (clock->offset - clock[-1].offset, <=, 8 * 188);
  }
}

/* The video has stalled: the audio goes on, in segments of its own. */
static void
test_clock_while_the_video_stalls (Fixture *f, gconstpointer data)
{
  use_audio_and_video (f);
  begin (f, FALSE);
  add_picture (f, 0, TRUE);
  add_picture (f, 1, FALSE);
  for (guint i = 0; i < 100; i++)
    add_frame (f, i, 100);
  end (f);
  begin (f, FALSE);
  for (guint i = 100; i < 200; i++)
    add_frame (f, i, 100);
  end (f);
  g_assert_cmpuint (f->reader->clocks->len, >=, 40);
  check_clocks (f, 9000);
}

static void
test_discontinuity_is_in_each_stream (Fixture *f, gconstpointer data)
{
  use_audio_and_video (f);
  for (guint i = 0; i < 2; i++) {
    begin (f, i > 0);
    add_picture (f, 0, TRUE);
    add_frame (f, 0, 10);
    add_picture (f, 1, FALSE);
    end (f);
  }
  g_assert_cmpuint (f->reader->pes->len, ==, 6);
  for (guint i = 0; i < 6; i++) {
    const ReadPes *pes = get_pes (f, i);
    gboolean first = i == 3 || pes == get_pes (f, 5);

    g_assert_cmpint (pes->discontinuity, ==, first);
  }
}

/* ---- marks ---- */

static void
add_both (Fixture *f, guint from, guint to)
{
  for (guint i = from; i < to; i++) {
    add_picture (f, i, i % 4 == 0);
    add_frame (f, i, 100 + i);
  }
}

/* The segment begins at the mark, which was at @size bytes. The file before goes to
 * the reader. */
static void
begin_at_mark (Fixture *f, guint64 size)
{
  take_blocks (f);
  ams_packager_begin_at_mark (f->packager);
  ams_blocks_begin_at (f->out, size);
  ts_reader_read (f->reader, f->file->data, size);
  g_byte_array_remove_range (f->file, 0, size);
}

typedef struct
{
  const gchar *name;
  guint marks[3]; /* units; of which the last is cut at */
  guint late; /* units after that, until it is */
} LateCut;

static const LateCut late_cuts[] = {
  { "at-once", { 0, 0, 4 }, 1 },
  { "after-some", { 0, 0, 4 }, 26 },
  { "after-many-blocks", { 0, 0, 40 }, 800 },
  { "last-of-three", { 4, 12, 24 }, 26 },
};

/* Up to the last mark. Marks end a group of frames, also where they are not cut at. */
static void
add_to_cut (Fixture *f, const LateCut *this)
{
  guint from = 0;

  for (guint i = 0; i < G_N_ELEMENTS (this->marks); i++) {
    if (from > 0)
      ams_packager_mark (f->packager, f->out);
    add_both (f, from, this->marks[i]);
    from = this->marks[i];
  }
}

/* The segment turns out to have ended at a key picture that was written into it:
 * the bytes since are what they would be if that had been known. */
static void
test_late_cut_gives_the_same_bytes (Fixture *f, gconstpointer data)
{
  const LateCut *this = data;
  guint cut = this->marks[2];
  guint64 size;
  Fixture known;

  set_up (&known, NULL);
  use_audio_and_video (f);
  use_audio_and_video (&known);
  begin (f, FALSE);
  begin (&known, FALSE);
  add_to_cut (f, this);
  add_to_cut (&known, this);
  size = ams_packager_mark (f->packager, f->out);
  end (&known);
  begin (&known, FALSE);
  add_both (f, cut, cut + this->late);
  add_both (&known, cut, cut + this->late);
  begin_at_mark (f, size);
  add_both (f, cut + this->late, cut + this->late + 10);
  add_both (&known, cut + this->late, cut + this->late + 10);
  ams_packager_flush (f->packager, f->out);
  ams_packager_flush (known.packager, known.out);
  take_blocks (f);
  take_blocks (&known);
  g_assert_cmpmem (f->file->data, f->file->len, known.file->data,
      known.file->len);
  g_assert_cmpuint (ams_blocks_get_size (f->out), ==, f->file->len);
  end (f);
  g_assert_cmpuint (count_pes (f, VIDEO_PID), ==, cut + this->late + 10);
  tear_down (&known, NULL);
}

static void
test_late_cut_moves_key_pictures (Fixture *f, gconstpointer data)
{
  const GArray *keys;
  guint64 size;

  use_audio_and_video (f);
  begin (f, FALSE);
  add_both (f, 0, 8);
  size = ams_packager_mark (f->packager, f->out);
  add_both (f, 8, 16);
  take_blocks (f);
  ams_packager_begin_at_mark (f->packager);
  keys = ams_packager_get_key_pictures (f->packager);
  g_assert_cmpuint (keys->len, ==, 2);
  for (guint i = 0; i < keys->len; i++) {
    const AmsKeyPicture *key = &g_array_index (keys, AmsKeyPicture, i);

    g_assert_cmpint (key->pts, ==, (8 + 4 * i) * FRAME + 80 * MS);
    g_assert_cmphex (f->file->data[size + key->offset], ==, 0x47);
    g_assert_cmphex (f->file->data[size + key->offset + 1], ==,
        0x40 | VIDEO_PID >> 8);
  }
  /* Behind the tables. */
  g_assert_cmpuint (g_array_index (keys, AmsKeyPicture, 0).offset, ==, 2 * 188);
}

/* Frames that wait when a place is marked are of the file before; those that wait
 * when that is cut at, of the one after. */
static void
test_late_cut_between_frames_of_a_group (Fixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) before = NULL, all = NULL;
  guint64 size;

  use_audio_and_video (f);
  begin (f, FALSE);
  add_picture (f, 0, TRUE);
  for (guint i = 0; i < 3; i++)
    add_frame (f, i, 50);
  size = ams_packager_mark (f->packager, f->out);
  add_picture (f, 4, TRUE);
  for (guint i = 3; i < 8; i++)
    add_frame (f, i, 50);
  begin_at_mark (f, size);
  before = ts_reader_get_stream (f->reader, AUDIO_PID);
  g_assert_cmpuint (before->len, ==, 3 * 57);
  end (f);
  all = ts_reader_get_stream (f->reader, AUDIO_PID);
  g_assert_cmpuint (all->len, ==, 8 * 57);
}

/* Also where the one before is not 100 ms old. */
static void
test_segment_at_a_mark_has_a_clock (Fixture *f, gconstpointer data)
{
  guint64 size;

  use_audio_and_video (f);
  begin (f, FALSE);
  add_picture (f, 0, TRUE);
  size = ams_packager_mark (f->packager, f->out);
  add_frame (f, 1, 50);
  begin_at_mark (f, size);
  end (f);
  g_assert_cmpuint (f->reader->clocks->len, ==, 2);
}

static void
test_key_pictures_are_where_they_are_said_to_be (Fixture *f, gconstpointer data)
{
  const GArray *keys;

  use_audio_and_video (f);
  begin (f, FALSE);
  for (guint i = 0; i < 12; i++)
    add_picture (f, i, i % 5 == 0);
  ams_packager_flush (f->packager, f->out);
  take_blocks (f);
  keys = ams_packager_get_key_pictures (f->packager);
  g_assert_cmpuint (keys->len, ==, 3);
  for (guint i = 0; i < 3; i++) {
    const AmsKeyPicture *key = &g_array_index (keys, AmsKeyPicture, i);
    const guint8 *packet = f->file->data + key->offset;

    g_assert_cmpint (key->pts, ==, i * 5 * FRAME + 80 * MS);
    g_assert_cmpuint (key->size % 188, ==, 0);
    g_assert_cmpuint ((packet[1] & 0x1f) << 8 | packet[2], ==, VIDEO_PID);
    g_assert_cmpuint (packet[1] & 0x40, !=, 0);
    g_assert_cmpuint (packet[5] & 0x40, !=, 0);
    g_assert_cmpuint (packet[key->size + 1] & 0x40, !=, 0);
  }
}

#define ADD(path, test) \
  g_test_add ("/ts-packager/" path, Fixture, NULL, set_up, test, tear_down)

static void
add_late_cuts (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (late_cuts); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/ts-packager/late-cut/%s", late_cuts[i].name);

    g_test_add (path, Fixture, &late_cuts[i], set_up,
        test_late_cut_gives_the_same_bytes, tear_down);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("key", test_key_picture_has_delimiter_and_parameter_sets);
  ADD ("not-twice", test_what_the_source_says_is_not_said_twice);
  ADD ("sizes", test_pictures_of_any_size_come_back);
  ADD ("slices", test_slices_come_back_byte_for_byte);
  ADD ("damaged", test_damaged_picture_leaves_nothing);
  ADD ("rising", test_decoding_times_rise);
  ADD ("wrap", test_times_wrap);
  ADD ("aggregated", test_frames_are_aggregated);
  ADD ("hole", test_hole_ends_a_group);
  ADD ("large-frames", test_large_frames_come_back);
  ADD ("too-large", test_frame_that_adts_cannot_hold);
  ADD ("layout", test_layout_is_in_the_frames);
  ADD ("opus", test_opus_has_control_headers);
  ADD ("types", test_stream_types);
  ADD ("order", test_tables_list_video_then_aac_first);
  ADD ("refused", test_tracks_that_ts_cannot_carry);
  ADD ("clock/video", test_clock_runs_with_the_video);
  ADD ("clock/audio", test_clock_without_video);
  ADD ("clock/stall", test_clock_while_the_video_stalls);
  ADD ("discontinuity", test_discontinuity_is_in_each_stream);
  add_late_cuts ();
  ADD ("late-cut/group", test_late_cut_between_frames_of_a_group);
  ADD ("late-cut/clock", test_segment_at_a_mark_has_a_clock);
  ADD ("late-cut/key-pictures", test_late_cut_moves_key_pictures);
  ADD ("key-pictures", test_key_pictures_are_where_they_are_said_to_be);
  return g_test_run ();
}
