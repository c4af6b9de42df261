/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "hls/amsnal.h"

/* A string literal as the bytes of an access unit. */
#define UNIT(literal) literal, sizeof literal - 1

#define S4 "\0\0\0\1"
#define S3 "\0\0\1"
#define AUD "\x09\xf0"
#define SPS "\x67\x64\0\x1f\xac"
#define PPS "\x68\xee\x3c"
#define SEI "\x06\5\1\x80"
#define IDR "\x65\x88\x84"
#define SLICE_I "\x41\x88\x84"

typedef struct
{
  const gchar *name;
  const gchar *data;
  gsize size;
  gboolean expected;
} H264;

static const H264 h264[] = {
  { "idr-alone/yes", UNIT (S4 IDR), TRUE },
  { "idr-short-code/yes", UNIT (S3 IDR), TRUE },
  { "idr-behind-all/yes", UNIT (S4 AUD S4 SPS S4 PPS S4 SEI S4 IDR), TRUE },
  { "idr-behind-all-short-codes/yes", UNIT (S4 AUD S3 SPS S3 PPS S3 SEI S3 IDR),
      TRUE },
  { "non-idr-i/no", UNIT (S4 AUD S4 SPS S4 PPS S4 SEI S4 SLICE_I), FALSE },
  { "non-idr-short-code/no", UNIT (S3 SLICE_I), FALSE },
  { "first-slice-counts/no", UNIT (S4 SLICE_I S4 IDR), FALSE },
  { "first-slice-counts/yes", UNIT (S4 IDR S4 SLICE_I), TRUE },
  { "partition-a/no", UNIT (S4 "\x42\x88"), FALSE },
  { "zeros-in-front/yes", UNIT ("\0\0\0\0\0" S4 IDR), TRUE },
  { "ones-in-payload/yes", UNIT (S4 "\x06\1\1\1\0\1\1" S4 IDR), TRUE },
  { "no-slice/no", UNIT (S4 AUD S4 SPS S4 PPS), FALSE },
  { "header-only/yes", UNIT (S3 "\x65"), TRUE },
  { "cut-in-start-code/no", UNIT (S4 SPS S4 PPS "\0\0"), FALSE },
  { "cut-behind-start-code/no", UNIT (S4 SPS S3), FALSE },
  { "empty/no", UNIT (""), FALSE },
  { "one-byte/no", UNIT ("\1"), FALSE },
  { "three-bytes/no", UNIT (S3), FALSE },
  { "no-start-code/no", UNIT (IDR IDR IDR), FALSE },
  { "length-prefixed/no", UNIT ("\0\0\0\3" IDR), FALSE },
};

/* In a block of exactly its size, so that a sanitizer sees reads beyond. */
static gboolean
look (const gchar *data, gsize size, gboolean h265)
{
  g_autofree guint8 *copy = size > 0 ? g_malloc (size) : NULL;

  if (size > 0)
    memcpy (copy, data, size);
  return ams_nal_is_random_access (copy, size, h265);
}

static void
test_h264 (gconstpointer data)
{
  const H264 *t = data;

  g_assert_cmpint (look (t->data, t->size, FALSE), ==, t->expected);
}

static void
test_h265_types (void)
{
  guint type;

  for (type = 0; type < 32; type++) {
    gchar unit[] = S4 "\x46\1\x50" S3 "\x42\1\1" S4 "\0\1\xaf";

    /* Access unit delimiter, SPS, then a slice of the type. */
    unit[sizeof unit - 4] = type << 1;
    g_assert_cmpint (look (unit, sizeof unit - 1, TRUE), ==,
        type >= 16 && type <= 23);
  }
}

static void
test_h265_no_slice (void)
{
  g_assert_false (look (UNIT (S4 "\x40\1" S4 "\x42\1" S4 "\x4e\1"), TRUE));
}

static void
test_cut_anywhere (void)
{
  static const gchar unit[] = S4 AUD S4 SPS S4 PPS S3 IDR;
  gsize header = sizeof unit - 1 - strlen (IDR), size;

  for (size = 0; size < sizeof unit; size++)
    g_assert_cmpint (look (unit, size, FALSE), ==, size > header);
}

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (h264); i++) {
    g_autofree gchar *path = g_strconcat ("/nal-h264/", h264[i].name, NULL);

    g_test_add_data_func (path, &h264[i], test_h264);
  }
  g_test_add_func ("/nal-h264/cut-anywhere/no-overread", test_cut_anywhere);
  g_test_add_func ("/nal-h265/slice-types/irap-only", test_h265_types);
  g_test_add_func ("/nal-h265/no-slice/no", test_h265_no_slice);
  return g_test_run ();
}
