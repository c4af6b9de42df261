/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a crash leaves of two segments while bytes move from one to the other. */

#include "config.h"

#include "recording/amsoverlap.h"

/* A packet for each letter: the same for the same letter. */
static GBytes *
make_part (const gchar *letters, gsize more)
{
  GByteArray *data = g_byte_array_new ();

  for (const gchar *letter = letters; *letter; letter++) {
    guint8 packet[188];

    memset (packet, *letter, sizeof packet);
    g_byte_array_append (data, packet, sizeof packet);
  }
  for (gsize i = 0; i < more; i++)
    g_byte_array_append (data, (const guint8 *) "?", 1);
  return g_byte_array_free_to_bytes (data);
}

static const struct
{
  const gchar *name;
  const gchar *earlier, *later;
  AmsOverlap overlap;
  guint packets; /* of the earlier one's own */
} table[] = {
  { "nothing-in-common", "PMabc", "PMdef", AMS_OVERLAP_NONE },
  { "all-was-copied", "PMabPMcd", "PMcd", AMS_OVERLAP_END, 4 },
  { "later-went-on", "PMabPMcd", "PMcdefgh", AMS_OVERLAP_END, 4 },
  { "not-all-was-copied", "PMabPMcdef", "PMcd", AMS_OVERLAP_INSIDE },
  { "tables-and-a-packet", "PMabPMcd", "PMc", AMS_OVERLAP_INSIDE },
  { "tables-alone-tell-nothing", "PMabPMcd", "PM", AMS_OVERLAP_NONE },
  { "tables-at-the-end", "PMabPM", "PMcd", AMS_OVERLAP_NONE },
  { "other-media-behind-the-same-tables", "PMabPMcd", "PMef",
      AMS_OVERLAP_NONE },
  { "differs-further-on", "PMabPMcdx", "PMcdy", AMS_OVERLAP_NONE },
  { "first-of-several-beginnings", "PMaPMbPMc", "PMc", AMS_OVERLAP_END, 6 },
  { "same-segment", "PMabc", "PMabc", AMS_OVERLAP_NONE },
  { "nothing-earlier", "", "PMabc", AMS_OVERLAP_NONE },
  { "nothing-later", "PMabc", "", AMS_OVERLAP_NONE },
};

static void
test_table (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (GBytes) earlier = make_part (table[i].earlier, 0);
  g_autoptr (GBytes) later = make_part (table[i].later, 0);
  guint64 size = 0;

  g_assert_cmpint (ams_overlap_find (earlier, later, &size), ==,
      table[i].overlap);
  if (table[i].overlap == AMS_OVERLAP_END)
    g_assert_cmpuint (size, ==, table[i].packets * 188);
}

/* The later one was cut within a packet. */
static void
test_cut_within_a_packet (void)
{
  g_autoptr (GBytes) earlier = make_part ("PMabPMc", 0);
  g_autoptr (GBytes) later = make_part ("PMc", 90);
  guint64 size;

  g_assert_cmpint (ams_overlap_find (earlier, later, &size), ==,
      AMS_OVERLAP_END);
  g_assert_cmpuint (size, ==, 4 * 188);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree gchar *path = g_strdup_printf ("/overlap/%s", table[i].name);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_table);
  }
  g_test_add_func ("/overlap/cut-within-a-packet", test_cut_within_a_packet);
  return g_test_run ();
}
