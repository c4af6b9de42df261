/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "media/amssps.h"

typedef struct
{
  const gchar *what;
  gboolean h265;
  guint depth;
  const gchar *hex;
} Vector;

/* Of x264 and x265, but for those that are made up. */
static const Vector vectors[] = {
  { "high, no B pictures", FALSE, 0,
      "6764000cacb202833f3e0220000003002000000641e28549" },
  { "high, pyramid of B pictures", FALSE, 2,
      "6764000cacd941419f9f011000000300100000030320f1429960" },
  { "constrained baseline", FALSE, 0,
      "6742c00cd901419f9f01100000030010000003"
      "0320f142a480" },
  { "with HRD parameters", FALSE, 2,
      "6764000dacd941419f9f0110000003001000000"
      "3032602001e840007a12930c01e28532c" },
  { "H.265, B pictures", TRUE, 2,
      "420101016000000300900000030000030"
      "03ca00a080b9f79656692"
      "4caf016808000003000800000300c84022" },
  { "H.265, no B pictures", TRUE, 0,
      "42010101600000030090000003000003003ca"
      "00a080b9f7964a924caf01680800000030080000"
      "00c8422" },
  { "a picture parameter set", FALSE, AMS_SPS_DEPTH_UNKNOWN, "68ebe3cb22c0" },
  { "nothing", FALSE, AMS_SPS_DEPTH_UNKNOWN, "" },
  { "main, no VUI", FALSE, AMS_SPS_DEPTH_UNKNOWN, "674d4028ec828140" },
};

static GByteArray *
from_hex (const gchar *hex)
{
  GByteArray *bytes = g_byte_array_new ();

  for (; hex[0] && hex[1]; hex += 2) {
    guint8 byte =
        g_ascii_xdigit_value (hex[0]) << 4 | g_ascii_xdigit_value (hex[1]);

    g_byte_array_append (bytes, &byte, 1);
  }
  return bytes;
}

static void
test_depth (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++) {
    g_autoptr (GByteArray) sps = from_hex (vectors[i].hex);
    const AmsSlice slice = { sps->data, sps->len };

    g_test_message ("%s", vectors[i].what);
    g_assert_cmpuint (ams_sps_get_reorder_depth (slice, vectors[i].h265), ==,
        vectors[i].depth);
  }
}

/* Whatever it is, nothing is read that is not there, and nothing goes on for ever. */
static void
test_damaged_sets_end (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++) {
    g_autoptr (GByteArray) sps = from_hex (vectors[i].hex);

    for (guint size = 0; size < sps->len; size++) {
      g_autofree guint8 *cut = g_memdup2 (sps->data, size);
      const AmsSlice slice = { cut, size };

      ams_sps_get_reorder_depth (slice, vectors[i].h265);
    }
    for (guint at = 1; at < sps->len; at++) {
      const AmsSlice slice = { sps->data, sps->len };

      sps->data[at] ^= 0xff;
      ams_sps_get_reorder_depth (slice, vectors[i].h265);
      sps->data[at] ^= 0xff;
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sps/depth", test_depth);
  g_test_add_func ("/sps/damaged", test_damaged_sets_end);
  return g_test_run ();
}
