/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "hls/amsadts.h"

static void
test_header_of_lc_stereo (void)
{
  /* 48 kHz, a frame of 371 bytes: as FFmpeg's adts muxer writes it. */
  static const guint8 config[] = { 0x11, 0x90 };
  static const guint8 expected[] = { 0xff, 0xf1, 0x4c, 0x80, 0x2f, 0x5f, 0xfc };
  guint8 header[AMS_ADTS_HEADER_SIZE];

  g_assert_true (ams_adts_begin (config, sizeof config, header));
  g_assert_true (ams_adts_set_size (header, 371));
  g_assert_cmpmem (header, sizeof header, expected, sizeof expected);
  /* Another one follows. */
  g_assert_true (ams_adts_set_size (header, 0x1fff - 7));
  g_assert_cmpuint (header[3], ==, 0x83);
  g_assert_cmpuint (header[4], ==, 0xff);
  g_assert_cmpuint (header[5], ==, 0xff);
  g_assert_true (ams_adts_set_size (header, 371));
  g_assert_cmpmem (header, sizeof header, expected, sizeof expected);
}

static void
test_what_adts_cannot_say (void)
{
  static const guint8 configs[][2] = {
    { 0x2b, 0x08 }, /* HE-AAC, said outright */
    { 0x17, 0x88 }, /* a rate that is spelt out */
    { 0x11, 0x80 }, /* channels that are listed elsewhere */
    { 0x01, 0x90 }, /* no object type */
  };
  guint8 header[AMS_ADTS_HEADER_SIZE];

  for (guint i = 0; i < G_N_ELEMENTS (configs); i++)
    g_assert_false (ams_adts_begin (configs[i], 2, header));
  g_assert_false (ams_adts_begin (configs[0], 1, header));
}

static void
test_frame_too_large (void)
{
  static const guint8 config[] = { 0x11, 0x90 };
  guint8 header[AMS_ADTS_HEADER_SIZE];

  g_assert_true (ams_adts_begin (config, sizeof config, header));
  g_assert_false (ams_adts_set_size (header, 0x1fff - 6));
  g_assert_false (ams_adts_set_size (header, G_MAXSIZE));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/adts/header", test_header_of_lc_stereo);
  g_test_add_func ("/adts/cannot", test_what_adts_cannot_say);
  g_test_add_func ("/adts/too-large", test_frame_too_large);
  return g_test_run ();
}
