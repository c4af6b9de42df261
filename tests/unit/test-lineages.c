/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amslineages.h"

/* A version that becomes whole. */
static guint64
hand_over (AmsLineages *lineages, const gchar *name, guint64 extends,
    guint64 size)
{
  guint64 lineage = ams_lineages_begin (lineages, name, extends);

  ams_lineages_hand_over (lineages, name, size);
  return lineage;
}

static void
test_unchanged_nothing_stored_is_none (void)
{
  g_autoptr (AmsLineages) lineages = ams_lineages_new ();
  guint64 first = hand_over (lineages, "p", 0, 10);

  g_assert_cmpuint (ams_lineages_get_unchanged (lineages, "p", first, 10), ==,
      0);
}

static void
test_unchanged_extension_is_what_is_stored (void)
{
  g_autoptr (AmsLineages) lineages = ams_lineages_new ();
  guint64 first = hand_over (lineages, "p", 0, 10);
  guint64 second = hand_over (lineages, "p", 10, 20);

  g_assert_cmpuint (first, ==, second);
  ams_lineages_store (lineages, "p", first, 10);
  g_assert_cmpuint (ams_lineages_get_unchanged (lineages, "p", second, 20), ==,
      10);
}

static void
test_unchanged_skipped_version_counts_from_the_stored (void)
{
  g_autoptr (AmsLineages) lineages = ams_lineages_new ();
  guint64 lineage = hand_over (lineages, "p", 0, 10);

  ams_lineages_store (lineages, "p", lineage, 10);
  hand_over (lineages, "p", 10, 20);
  lineage = hand_over (lineages, "p", 20, 30);
  g_assert_cmpuint (ams_lineages_get_unchanged (lineages, "p", lineage, 30), ==,
      10);
}

static void
test_unchanged_rewritten_is_none (void)
{
  g_autoptr (AmsLineages) lineages = ams_lineages_new ();
  guint64 first = hand_over (lineages, "p", 0, 10);
  guint64 second = hand_over (lineages, "p", 0, 20);

  ams_lineages_store (lineages, "p", first, 10);
  g_assert_cmpuint (ams_lineages_get_unchanged (lineages, "p", second, 20), ==,
      0);
}

static void
test_unchanged_extending_another_size_is_none (void)
{
  g_autoptr (AmsLineages) lineages = ams_lineages_new ();
  guint64 first = hand_over (lineages, "p", 0, 10);
  guint64 second = hand_over (lineages, "p", 9, 20);

  ams_lineages_store (lineages, "p", first, 10);
  g_assert_cmpuint (ams_lineages_get_unchanged (lineages, "p", second, 20), ==,
      0);
}

/* The version before never became whole: nobody knows what its bytes were. */
static void
test_unchanged_after_an_abandoned_version_is_none (void)
{
  g_autoptr (AmsLineages) lineages = ams_lineages_new ();
  guint64 first = hand_over (lineages, "p", 0, 10), third;

  ams_lineages_store (lineages, "p", first, 10);
  ams_lineages_begin (lineages, "p", 10);
  third = hand_over (lineages, "p", 10, 20);
  g_assert_cmpuint (ams_lineages_get_unchanged (lineages, "p", third, 20), ==,
      0);
}

static void
test_unchanged_shorter_than_the_stored_is_none (void)
{
  g_autoptr (AmsLineages) lineages = ams_lineages_new ();
  guint64 lineage = hand_over (lineages, "p", 0, 10);

  hand_over (lineages, "p", 10, 20);
  ams_lineages_store (lineages, "p", lineage, 20);
  g_assert_cmpuint (ams_lineages_get_unchanged (lineages, "p", lineage, 10), ==,
      0);
}

static void
test_unchanged_names_are_apart (void)
{
  g_autoptr (AmsLineages) lineages = ams_lineages_new ();
  guint64 p = hand_over (lineages, "p", 0, 10), q;

  ams_lineages_store (lineages, "p", p, 10);
  q = hand_over (lineages, "q", 10, 20);
  g_assert_cmpuint (ams_lineages_get_unchanged (lineages, "q", q, 20), ==, 0);
}

static void
test_unchanged_removed_is_none (void)
{
  g_autoptr (AmsLineages) lineages = ams_lineages_new ();
  guint64 lineage = hand_over (lineages, "p", 0, 10);

  ams_lineages_store (lineages, "p", lineage, 10);
  ams_lineages_forget (lineages, "p");
  lineage = hand_over (lineages, "p", 10, 20);
  g_assert_cmpuint (ams_lineages_get_unchanged (lineages, "p", lineage, 20), ==,
      0);
}

/* A remove is under way when the next recording of the name begins. */
static void
test_unchanged_removed_in_between_lineages_stay_apart (void)
{
  g_autoptr (AmsLineages) lineages = ams_lineages_new ();
  guint64 before, after;

  hand_over (lineages, "p", 0, 10);
  before = hand_over (lineages, "p", 0, 10);
  ams_lineages_forget (lineages, "p");
  ams_lineages_store (lineages, "p", before, 10);
  for (guint i = 0; i < 3; i++) {
    after = hand_over (lineages, "p", 0, 20);
    g_assert_cmpuint (after, !=, before);
    g_assert_cmpuint (ams_lineages_get_unchanged (lineages, "p", after, 20), ==,
        0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, function) \
  g_test_add_func ("/lineages/unchanged/" path, function)
  ADD ("nothing-stored", test_unchanged_nothing_stored_is_none);
  ADD ("extension", test_unchanged_extension_is_what_is_stored);
  ADD ("skipped-version",
      test_unchanged_skipped_version_counts_from_the_stored);
  ADD ("rewritten", test_unchanged_rewritten_is_none);
  ADD ("extending-another-size", test_unchanged_extending_another_size_is_none);
  ADD ("after-an-abandoned-version",
      test_unchanged_after_an_abandoned_version_is_none);
  ADD ("shorter-than-the-stored",
      test_unchanged_shorter_than_the_stored_is_none);
  ADD ("names-are-apart", test_unchanged_names_are_apart);
  ADD ("removed", test_unchanged_removed_is_none);
  ADD ("removed-in-between",
      test_unchanged_removed_in_between_lineages_stay_apart);
  return g_test_run ();
}
