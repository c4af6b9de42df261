/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "media/amsaac.h"
#include "media/amsmediaerror.h"

static AmsAacConfig *
read_config (const guint8 *data, gsize size, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);

  return ams_aac_config_new (bytes, error);
}

typedef struct
{
  const gchar *what;
  guint8 data[8];
  gsize size;
  guint object_type, rate, channels;
  gboolean sbr, ps;
} Good;

static const Good good[] = {
  { "LC, 48 kHz, stereo", { 0x11, 0x90 }, 2, 2, 48000, 2, FALSE, FALSE },
  { "LC, 44.1 kHz, 5.1", { 0x12, 0x30 }, 2, 2, 44100, 6, FALSE, FALSE },
  { "LTP, 8 kHz, mono", { 0x25, 0x88 }, 2, 4, 8000, 1, FALSE, FALSE },
  /* The core is AAC-LC at half the rate: ADTS says that, and players find
   * SBR in the frames. */
  { "HE-AAC, said explicitly", { 0x2b, 0x11, 0x88, 0x00 }, 4, 2, 24000, 2, TRUE,
      FALSE },
  { "HE-AAC v2, said explicitly", { 0xeb, 0x09, 0x88, 0x00 }, 4, 2, 24000, 1,
      TRUE, TRUE },
  { "HE-AAC, said behind the core", { 0x13, 0x10, 0x56, 0xe5, 0x98 }, 5, 2,
      24000, 2, FALSE, FALSE },
};

static void
test_config (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (AmsAacConfig) config =
        read_config (good[i].data, good[i].size, &error);

    g_test_message ("%s", good[i].what);
    g_assert_no_error (error);
    g_assert_cmpuint (config->object_type, ==, good[i].object_type);
    g_assert_cmpuint (config->rate, ==, good[i].rate);
    g_assert_cmpuint (config->channels, ==, good[i].channels);
    g_assert_cmpint (config->sbr, ==, good[i].sbr);
    g_assert_cmpint (config->ps, ==, good[i].ps);
    g_assert_null (config->pce);
  }
}

typedef struct
{
  guint8 data[4];
  gsize size;
  AmsMediaError code;
  const gchar *says;
} Bad;

static const Bad bad[] = {
  { { 0xf8, 0xe8, 0x50, 0x00 }, 4, AMS_MEDIA_ERROR_UNSUPPORTED, "AAC-ELD" },
  { { 0xf9, 0x4c, 0x40, 0x00 }, 4, AMS_MEDIA_ERROR_UNSUPPORTED, "xHE-AAC" },
  { { 0xb9, 0x90 }, 2, AMS_MEDIA_ERROR_UNSUPPORTED, "AAC-LD" },
  { { 0x01, 0x90 }, 2, AMS_MEDIA_ERROR_UNSUPPORTED, "object type 0" },
  { { 0x16, 0x90 }, 2, AMS_MEDIA_ERROR_UNSUPPORTED, "sample rate" },
  { { 0x11, 0xd8 }, 2, AMS_MEDIA_ERROR_UNSUPPORTED, "channel layout" },
  { { 0x11 }, 1, AMS_MEDIA_ERROR_CONFIG, "too short" },
  { { 0x17, 0x80, 0x00 }, 3, AMS_MEDIA_ERROR_CONFIG, "too short" },
  { { 0x11, 0x80, 0x04 }, 3, AMS_MEDIA_ERROR_CONFIG, "too short" }, /* PCE */
};

static void
test_config_that_adts_cannot_carry (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (AmsAacConfig) config =
        read_config (bad[i].data, bad[i].size, &error);

    g_test_message ("%s", bad[i].says);
    g_assert_null (config);
    g_assert_error (error, AMS_MEDIA_ERROR, (gint) bad[i].code);
    g_assert_nonnull (strstr (error->message, bad[i].says));
  }
}

/* 3.1: front centre, front pair, one LFE. As FFmpeg's encoder writes it, with the
 * comment "Lavc". */
static void
test_layout_in_a_program_config_element (void)
{
  static const guint8 data[] = { 0x11, 0x80, 0x04, 0xc8, 0x01, 0x00, 0x01, 0x00,
    0x04, 'L', 'a', 'v', 'c' };
  /* 101 in front, 3 bits later than in the configuration; the comment is on
   * whole bytes again. */
  static const guint8 expected[] = { 0xa0, 0x99, 0x00, 0x20, 0x00, 0x20, 0x00,
    0x04, 'L', 'a', 'v', 'c' };
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsAacConfig) config = read_config (data, sizeof data, &error);
  gsize size;
  const guint8 *pce;

  g_assert_no_error (error);
  g_assert_cmpuint (config->channels, ==, 0);
  pce = g_bytes_get_data (config->pce, &size);
  g_assert_cmpmem (pce, size, expected, sizeof expected);
}

static void
test_header (void)
{
  static const guint8 lc[] = { 0x11, 0x90 };
  /* A frame of 371 bytes: as FFmpeg's adts muxer writes it. */
  static const guint8 expected[] = { 0xff, 0xf1, 0x4c, 0x80, 0x2f, 0x5f, 0xfc };
  g_autoptr (AmsAacConfig) config = read_config (lc, sizeof lc, NULL);
  guint8 header[AMS_AAC_ADTS_SIZE];

  g_assert_true (ams_aac_write_adts (config, 371, header));
  g_assert_cmpmem (header, sizeof header, expected, sizeof expected);
  g_assert_true (ams_aac_write_adts (config, 0x1fff - 7, header));
  g_assert_false (ams_aac_write_adts (config, 0x1fff - 6, header));
  g_assert_false (ams_aac_write_adts (config, G_MAXSIZE, header));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/aac/config", test_config);
  g_test_add_func ("/aac/cannot", test_config_that_adts_cannot_carry);
  g_test_add_func ("/aac/pce", test_layout_in_a_program_config_element);
  g_test_add_func ("/aac/header", test_header);
  return g_test_run ();
}
