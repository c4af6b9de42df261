/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "media/amspicture.h"
#include "media/amssps.h"

#include "unit-hex.h"

typedef struct
{
  const gchar *what;
  gboolean h265;
  const gchar *hex; /* a sequence parameter set */
  guint width, height, rate_num, rate_den;
  AmsVideoRange range;
  guint depth;
} Vector;

#define NO_RANGE AMS_VIDEO_RANGE_UNKNOWN
#define SDR AMS_VIDEO_RANGE_SDR
#define HLG AMS_VIDEO_RANGE_HLG
#define PQ AMS_VIDEO_RANGE_PQ
#define NO_DEPTH AMS_SPS_DEPTH_UNKNOWN

/* Of x264 and x265, but for those that are made up; size, rate and transfer are
 * what ffprobe says. */
static const Vector vectors[] = {
  { "1080 rows are cropped", FALSE,
      "6742c028da01e0089f97016a020202800001f480007530078c1950", 1920, 1080,
      30000, 1001, SDR, 0 },
  { "interlaced", FALSE, "6764001eacd940a063f3e022000003000200000300643e28532c",
      640, 360, 25, 1, NO_RANGE, 2 },
  { "4:4:4, 854 columns", FALSE,
      "67f4001f919b281b07bc5f8088000003000800000303c078c18cb0", 854, 480, 60, 1,
      NO_RANGE, 2 },
  { "4:2:2, scaling lists, odd half sizes", FALSE,
      "677a000db6cd9415087888fc0440000003004000000f03c50a6580", 322, 242, 30, 1,
      NO_RANGE, 2 },
  { "HLG, HRD", FALSE,
      "676e0020a6cd9405005bb016a122412800000300080000030323020007a12000f425269c"
      "03c60c6580",
      1280, 720, 50, 1, HLG, 2 },
  { "grey", FALSE, "6764001ef3650280bfe27016c8000003000800000301e078b16cb0",
      640, 360, 30, 1, NO_RANGE, 2 },
  { "no VUI", FALSE, "674d4028f405017fca80", 640, 360, 0, 0, NO_RANGE,
      NO_DEPTH },
  { "H.265, PQ, HRD", TRUE,
      "42010102200000030090000003000003007ba003c08010e4d96566924caf016a12201208"
      "0000030008000003019300a4c370007a12000f4244",
      1920, 1080, 50, 1, PQ, 2 },
  { "H.265, default scaling lists, 1366 columns", TRUE,
      "420101016000000300900000030000030078a002ac80301d796566924e5780b502010204"
      "00000fa40001770020",
      1366, 768, 24000, 1001, SDR, 2 },
  { "H.265, its own scaling lists", TRUE,
      "420101016000000300900000030000030078a002ac80301d796566924fafffcc444455ff"
      "fffffffffffff988888a1208fffffffffffffffe62222284823fffffffffffffff9895e0"
      "2d4080408100000303e900005dc008",
      1366, 768, 24000, 1001, SDR, 2 },
  { "H.265 4:2:2, HLG, 362 rows", TRUE,
      "4201020408000003009d0800000300003f0000b005020171f3b659598acd24995e02d408"
      "480810000003001000000301e080",
      640, 362, 30, 1, HLG, 2 },
  { "H.265 4:4:4, 12.5 a second", TRUE,
      "4201010408000003009e0800000300003f9000a0402d2cb2b349265780b4040000030008"
      "000003006420",
      640, 360, 25, 2, NO_RANGE, 2 },
  { "H.265, predicted picture sets, long-term pictures, PCM, fields, sub-layers",
      TRUE,
      "42010301600000030090000003000003005dc00001600000030090000003000003005aa0"
      "0284802d9a24b964531149224eef4235af44ee6c1612fff00040003f5090e09b6bf00000"
      "0300100000064080",
      1280, 720, 50, 1, SDR, 3 },
};

static AmsSps
read_set (const Vector *vector, gboolean *read)
{
  g_autoptr (GBytes) bytes = bytes_from_hex (vector->hex);
  AmsSps sps;

  *read = ams_sps_read (ams_slice_of_bytes (bytes), vector->h265, &sps);
  return sps;
}

/* An avcC or hvcC record with @n of the sets from @vector on. */
static GBytes *
make_record (const Vector *vector, guint n)
{
  static const guint8 avcc[] = { 1, 0x64, 0, 0x1f, 0xff };
  static const guint8 hvcc[22] = { 1 };
  GByteArray *record = g_byte_array_new ();
  const guint8 arrays[] = { 1, 33, 0, n }, count = 0xe0 | n, no_pps = 0;

  if (vector->h265) {
    g_byte_array_append (record, hvcc, sizeof hvcc);
    g_byte_array_append (record, arrays, sizeof arrays);
  } else {
    g_byte_array_append (record, avcc, sizeof avcc);
    g_byte_array_append (record, &count, 1);
  }
  for (guint i = 0; i < n; i++) {
    g_autoptr (GBytes) set = bytes_from_hex (vector[i].hex);
    const guint8 size[] = { g_bytes_get_size (set) >> 8,
      g_bytes_get_size (set) & 0xff };

    g_byte_array_append (record, size, 2);
    g_byte_array_append (record, g_bytes_get_data (set, NULL),
        g_bytes_get_size (set));
  }
  if (!vector->h265)
    g_byte_array_append (record, &no_pps, 1);
  return g_byte_array_free_to_bytes (record);
}

static gboolean
read_picture (const Vector *vector, guint n, AmsPicture *picture)
{
  g_autoptr (GBytes) record = make_record (vector, n);
  g_autoptr (AmsTrack) track =
      ams_track_new (0, vector->h265 ? AMS_CODEC_H265 : AMS_CODEC_H264, record);

  return ams_picture_read (track, picture);
}

static void
test_picture (gconstpointer data)
{
  const Vector *vector = data;
  AmsPicture picture;
  gboolean read;
  AmsSps sps = read_set (vector, &read);

  g_assert_true (read);
  g_assert_cmpuint (sps.depth, ==, vector->depth);
  g_assert_true (read_picture (vector, 1, &picture));
  g_assert_cmpuint (picture.width, ==, vector->width);
  g_assert_cmpuint (picture.height, ==, vector->height);
  g_assert_cmpuint (picture.rate_num, ==, vector->rate_num);
  g_assert_cmpuint (picture.rate_den, ==, vector->rate_den);
  g_assert_cmpint (picture.range, ==, vector->range);
}

/* "4:4:4, 854 columns" is the largest and fastest, "HLG, HRD" is HLG. */
static void
test_largest_of_all_sets (void)
{
  AmsPicture picture;

  g_assert_true (read_picture (&vectors[1], 4, &picture));
  g_assert_cmpuint (picture.width, ==, 1280);
  g_assert_cmpuint (picture.height, ==, 720);
  g_assert_cmpuint (picture.rate_num, ==, 60);
  g_assert_cmpuint (picture.rate_den, ==, 1);
  g_assert_cmpint (picture.range, ==, HLG);
}

typedef struct
{
  const gchar *what, *hex;
  guint rate_num, rate_den;
} Rate;

static const Rate rates[] = {
  /* 90000 ticks a second, of one each */
  { "the clock of MPEG is no rate",
      "6764001ef3650280bfe27016c800000300080015f90078b16cb0", 0, 0 },
  { "a set that ends in its VUI has no rate", "6764001ef3650280bfe27016c80000",
      0, 0 },
};

static void
test_rates_that_are_none (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    const Vector vector = { .hex = rates[i].hex };
    AmsPicture picture;

    g_test_message ("%s", rates[i].what);
    g_assert_true (read_picture (&vector, 1, &picture));
    g_assert_cmpuint (picture.width, ==, 640);
    g_assert_cmpuint (picture.rate_num, ==, rates[i].rate_num);
    g_assert_cmpuint (picture.rate_den, ==, rates[i].rate_den);
  }
}

/* Every set that is cut before its VUI is damaged, and none is read beyond its
 * end. */
static void
test_cut_sets (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++) {
    g_autoptr (GBytes) whole = bytes_from_hex (vectors[i].hex);
    gboolean was_read = FALSE;

    for (gsize size = 0; size < g_bytes_get_size (whole); size++) {
      g_autofree guint8 *cut =
          g_memdup2 (g_bytes_get_data (whole, NULL), size + 1);
      const AmsSlice slice = { cut, size };
      AmsSps sps;
      gboolean read = ams_sps_read (slice, vectors[i].h265, &sps);

      g_assert_true (read || !was_read);
      was_read = read;
      if (read)
        g_assert_cmpuint (sps.width, ==, vectors[i].width);
    }
  }
}

/* "HLG, HRD" ends in its HRD parameters, after its transfer and its timing. */
static void
test_damaged_vui_says_nothing (void)
{
  g_autoptr (GBytes) whole = bytes_from_hex (vectors[4].hex);
  const AmsSlice slice = { g_bytes_get_data (whole, NULL), 30 };
  AmsSps sps;

  g_assert_true (ams_sps_read (slice, FALSE, &sps));
  g_assert_cmpuint (sps.width, ==, 1280);
  g_assert_cmpuint (sps.transfer, ==, AMS_SPS_TRANSFER_UNKNOWN);
  g_assert_cmpuint (sps.rate_num, ==, 0);
  g_assert_cmpuint (sps.depth, ==, NO_DEPTH);
}

static void
test_flipped_bits_end (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++) {
    g_autoptr (GBytes) whole = bytes_from_hex (vectors[i].hex);
    gsize size = g_bytes_get_size (whole);
    g_autofree guint8 *copy = g_memdup2 (g_bytes_get_data (whole, NULL), size);

    for (gsize bit = 8; bit < size * 8; bit++) {
      const AmsSlice slice = { copy, size };
      AmsSps sps;

      copy[bit / 8] ^= 0x80 >> bit % 8;
      if (ams_sps_read (slice, vectors[i].h265, &sps))
        g_assert_true (sps.width > 0 && sps.height > 0);
      copy[bit / 8] ^= 0x80 >> bit % 8;
    }
  }
}

static void
test_other_codecs_have_none (void)
{
  g_autoptr (GBytes) record = make_record (&vectors[0], 1);
  g_autoptr (AmsTrack) av1 = ams_track_new (0, AMS_CODEC_AV1, record);
  g_autoptr (AmsTrack) bare = ams_track_new (0, AMS_CODEC_H264, NULL);
  g_autoptr (AmsTrack) wrong = ams_track_new (0, AMS_CODEC_H265, record);
  AmsPicture picture;

  g_assert_false (ams_picture_read (av1, &picture));
  g_assert_false (ams_picture_read (bare, &picture));
  g_assert_false (ams_picture_read (wrong, &picture));
}

static void
test_names (void)
{
  g_assert_null (ams_video_range_get_name (AMS_VIDEO_RANGE_UNKNOWN));
  g_assert_cmpstr (ams_video_range_get_name (SDR), ==, "SDR");
  g_assert_cmpstr (ams_video_range_get_name (HLG), ==, "HLG");
  g_assert_cmpstr (ams_video_range_get_name (PQ), ==, "PQ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++) {
    g_autofree gchar *path = g_strconcat ("/picture/", vectors[i].what, NULL);

    g_test_add_data_func (path, &vectors[i], test_picture);
  }
  g_test_add_func ("/picture/several-sets", test_largest_of_all_sets);
  g_test_add_func ("/picture/no-rate", test_rates_that_are_none);
  g_test_add_func ("/picture/cut", test_cut_sets);
  g_test_add_func ("/picture/damaged-vui", test_damaged_vui_says_nothing);
  g_test_add_func ("/picture/flipped", test_flipped_bits_end);
  g_test_add_func ("/picture/other-codecs", test_other_codecs_have_none);
  g_test_add_func ("/picture/range-names", test_names);
  return g_test_run ();
}
