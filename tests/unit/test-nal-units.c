/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "media/amsmediaerror.h"
#include "media/amsnalunits.h"

static AmsNalConfig *
read_config (const guint8 *data, gsize size, gboolean h265, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  return ams_nal_config_new (bytes, h265, error);
}

static const guint8 avcc[] = { 1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 3, 0x67, 0x64,
  0, 1, 0, 2, 0x68, 0xee };

static const guint8 hvcc[] = { 1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 0x5d,
  0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0d, /* 2-byte lengths */
  3, 0xa0, 0, 1, 0, 2, 0x40, 1, 0xa1, 0, 1, 0, 2, 0x42, 1, 0xa2, 0, 2, 0, 2,
  0x44, 1, 0, 1, 0x44 };

static void
assert_set (const AmsNalConfig *config, guint i, guint8 first, gsize size)
{
  AmsSlice set = g_array_index (config->parameter_sets, AmsSlice, i);

  g_assert_cmpuint (set.size, ==, size);
  g_assert_cmpuint (set.data[0], ==, first);
  g_assert_cmpint (ams_nal_get_kind (set, config->h265), ==,
      AMS_NAL_PARAMETER_SET);
}

static void
test_avcc (void)
{
  g_autoptr (AmsNalConfig) config =
      read_config (avcc, sizeof avcc, FALSE, NULL);

  g_assert_cmpuint (config->length_size, ==, 4);
  g_assert_cmpuint (config->parameter_sets->len, ==, 2);
  assert_set (config, 0, 0x67, 3);
  assert_set (config, 1, 0x68, 2);
}

static void
test_hvcc (void)
{
  g_autoptr (AmsNalConfig) config = read_config (hvcc, sizeof hvcc, TRUE, NULL);

  g_assert_cmpuint (config->length_size, ==, 2);
  g_assert_cmpuint (config->parameter_sets->len, ==, 4);
  assert_set (config, 0, 0x40, 2);
  assert_set (config, 3, 0x44, 1);
}

/* Whatever is missing at the end. */
static void
test_record_that_is_cut (void)
{
  for (gsize size = 0; size < sizeof hvcc; size++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (read_config (hvcc, size, TRUE, &error));
    g_assert_error (error, AMS_MEDIA_ERROR, AMS_MEDIA_ERROR_CONFIG);
  }
  for (gsize size = 0; size < sizeof avcc; size++)
    g_assert_null (read_config (avcc, size, FALSE, NULL));
}

static void
test_units_follow_their_lengths (void)
{
  static const guint8 data[] = { 0, 0, 0, 2, 0x09, 0xf0, 0, 0, 0, 0, 0, 0, 0, 3,
    0x65, 1, 2 };
  g_autoptr (AmsNalConfig) config =
      read_config (avcc, sizeof avcc, FALSE, NULL);
  AmsSlice rest = { data, sizeof data }, nal;

  g_assert_true (ams_nal_next (config, &rest, &nal));
  g_assert_cmpint (ams_nal_get_kind (nal, FALSE), ==, AMS_NAL_DELIMITER);
  g_assert_true (ams_nal_next (config, &rest, &nal)); /* the empty one is not */
  g_assert_cmpint (ams_nal_get_kind (nal, FALSE), ==,
      AMS_NAL_RANDOM_ACCESS_SLICE);
  g_assert_cmpuint (nal.size, ==, 3);
  g_assert_false (ams_nal_next (config, &rest, &nal));
  g_assert_cmpuint (rest.size, ==, 0);
}

static void
test_length_that_claims_too_much (void)
{
  static const guint8 data[] = { 0, 0, 0, 1, 0x41, 0xff, 0xff, 0xff, 0xff, 0x41,
    0, 0, 0 };
  g_autoptr (AmsNalConfig) config =
      read_config (avcc, sizeof avcc, FALSE, NULL);
  AmsSlice rest = { data, sizeof data }, nal;

  g_assert_true (ams_nal_next (config, &rest, &nal));
  g_assert_false (ams_nal_next (config, &rest, &nal));
  g_assert_cmpuint (rest.size, ==, 8);
  rest = (AmsSlice){ data, 3 };
  g_assert_false (ams_nal_next (config, &rest, &nal));
  g_assert_cmpuint (rest.size, ==, 3);
}

static void
test_kinds (void)
{
  static const struct
  {
    guint8 header;
    gboolean h265;
    AmsNalKind kind;
  } table[] = {
    { 0x41, FALSE, AMS_NAL_SLICE },
    { 0x65, FALSE, AMS_NAL_RANDOM_ACCESS_SLICE },
    { 0x06, FALSE, AMS_NAL_OTHER }, /* SEI */
    { 0x0c, FALSE, AMS_NAL_OTHER }, /* filler */
    { 0x02, TRUE, AMS_NAL_SLICE }, /* TRAIL_R */
    { 0x26, TRUE, AMS_NAL_RANDOM_ACCESS_SLICE }, /* IDR_W_RADL */
    { 0x2a, TRUE, AMS_NAL_RANDOM_ACCESS_SLICE }, /* CRA */
    { 0x46, TRUE, AMS_NAL_DELIMITER }, { 0x4e, TRUE, AMS_NAL_OTHER }, /* SEI */
  };
  const AmsSlice empty = { NULL, 0 };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    const AmsSlice nal = { &table[i].header, 1 };

    g_assert_cmpint (ams_nal_get_kind (nal, table[i].h265), ==, table[i].kind);
  }
  g_assert_cmpint (ams_nal_get_kind (empty, TRUE), ==, AMS_NAL_OTHER);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nal-units/avcc", test_avcc);
  g_test_add_func ("/nal-units/hvcc", test_hvcc);
  g_test_add_func ("/nal-units/cut", test_record_that_is_cut);
  g_test_add_func ("/nal-units/next", test_units_follow_their_lengths);
  g_test_add_func ("/nal-units/length", test_length_that_claims_too_much);
  g_test_add_func ("/nal-units/kinds", test_kinds);
  return g_test_run ();
}
