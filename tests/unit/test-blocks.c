/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "package/amsblocks.h"

#include <string.h>

static void
add (AmsBlocks *blocks, guint8 value, gsize size)
{
  memset (ams_blocks_add (blocks, size), value, size);
}

static void
assert_block (GBytes *block, guint8 first, gsize size)
{
  g_assert_nonnull (block);
  g_assert_cmpuint (g_bytes_get_size (block), ==, size);
  g_assert_cmpuint (((const guint8 *) g_bytes_get_data (block, NULL))[0], ==,
      first);
  g_bytes_unref (block);
}

static void
test_full_blocks_come_out_in_order (void)
{
  g_autoptr (AmsBlocks) blocks = ams_blocks_new (10);

  add (blocks, 1, 4);
  add (blocks, 2, 6);
  g_assert_null (ams_blocks_take_full (blocks)); /* the next byte ends it */
  add (blocks, 3, 4);
  add (blocks, 4, 7);
  g_assert_cmpuint (ams_blocks_get_size (blocks), ==, 21);
  assert_block (ams_blocks_take_full (blocks), 1, 10);
  assert_block (ams_blocks_take_full (blocks), 3, 4);
  g_assert_null (ams_blocks_take_full (blocks));
  assert_block (ams_blocks_take (blocks), 4, 7);
  g_assert_null (ams_blocks_take (blocks));
  g_assert_cmpuint (ams_blocks_get_size (blocks), ==, 21);
}

/* Records are whole in a block. */
static void
test_records_side_by_side_as_many_as_fit (void)
{
  static const gsize fit[] = { 3, 3, 2, 1 };
  g_autoptr (AmsBlocks) blocks = ams_blocks_new (10);
  gsize left = 9, n;

  add (blocks, 0, 1);
  for (guint i = 0; i < G_N_ELEMENTS (fit); i++) {
    memset (ams_blocks_add_some (blocks, 3, MIN (left, i < 2 ? 9 : 2), &n),
        i + 1, 3 * fit[i]);
    g_assert_cmpuint (n, ==, fit[i]);
    left -= n;
  }
  g_assert_cmpuint (left, ==, 0);
  g_assert_cmpuint (ams_blocks_get_size (blocks), ==, 28);
  assert_block (ams_blocks_take (blocks), 0, 10);
  assert_block (ams_blocks_take (blocks), 2, 9);
  assert_block (ams_blocks_take (blocks), 3, 9);
  g_assert_null (ams_blocks_take (blocks));
}

static void
test_reset_drops_what_was_not_taken (void)
{
  g_autoptr (AmsBlocks) blocks = ams_blocks_new (10);

  add (blocks, 1, 10);
  add (blocks, 2, 3);
  ams_blocks_reset (blocks);
  g_assert_cmpuint (ams_blocks_get_size (blocks), ==, 0);
  g_assert_null (ams_blocks_take (blocks));
  add (blocks, 5, 2);
  assert_block (ams_blocks_take (blocks), 5, 2);
}

static void
test_begun_later_counts_from_there (void)
{
  g_autoptr (AmsBlocks) blocks = ams_blocks_new (10);

  add (blocks, 1, 8);
  assert_block (ams_blocks_take (blocks), 1, 8);
  ams_blocks_begin_at (blocks, 6);
  g_assert_cmpuint (ams_blocks_get_size (blocks), ==, 2);
  add (blocks, 2, 3);
  g_assert_cmpuint (ams_blocks_get_size (blocks), ==, 5);
}

static gpointer
drop (gpointer data)
{
  g_bytes_unref (data);
  return NULL;
}

/* A store may be slower than the recording, and outlive it. */
static void
test_blocks_outlive_what_made_them (void)
{
  AmsBlocks *blocks = ams_blocks_new (AMS_BLOCKS_SIZE);
  GBytes *taken[20];
  GThread *thread;

  for (guint i = 0; i < G_N_ELEMENTS (taken); i++) {
    add (blocks, i, AMS_BLOCKS_SIZE);
    taken[i] = ams_blocks_take (blocks);
  }
  for (guint i = 0; i < 10; i++) {
    thread = g_thread_new ("drop", drop, taken[i]);
    add (blocks, 0xff, AMS_BLOCKS_SIZE);
    g_bytes_unref (ams_blocks_take (blocks));
    g_thread_join (thread);
  }
  ams_blocks_free (blocks);
  for (guint i = 10; i < G_N_ELEMENTS (taken); i++)
    assert_block (taken[i], i, AMS_BLOCKS_SIZE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/blocks/order", test_full_blocks_come_out_in_order);
  g_test_add_func ("/blocks/records", test_records_side_by_side_as_many_as_fit);
  g_test_add_func ("/blocks/reset", test_reset_drops_what_was_not_taken);
  g_test_add_func ("/blocks/begun-later", test_begun_later_counts_from_there);
  g_test_add_func ("/blocks/outlive", test_blocks_outlive_what_made_them);
  return g_test_run ();
}
