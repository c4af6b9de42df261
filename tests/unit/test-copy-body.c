/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amscopybody.h"
#include "transfer/amsstore.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  gchar *path;
  gchar *other;
  AmsBody *body;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree gchar *folder = g_dir_make_tmp ("ams-copy-XXXXXX", NULL);

  f->path = g_build_filename (folder, "a.ts", NULL);
  f->other = g_build_filename (folder, "b.ts", NULL);
  f->body = ams_copy_body_new (f->path);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autofree gchar *folder = g_path_get_dirname (f->path);

  g_clear_object (&f->body);
  g_unlink (f->path);
  g_unlink (f->other);
  g_rmdir (folder);
  g_free (f->path);
  g_free (f->other);
}

static void
set_text (const gchar *path, const gchar *text)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
make_body (Fixture *f, const gchar *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  g_assert_true (ams_body_append (f->body, bytes, NULL));
  ams_body_finish (f->body, strlen (text));
}

static void
assert_read (Fixture *f, const gchar *expected)
{
  guint8 buffer[64];
  gsize at = 0;
  gssize n;

  while ((n = ams_body_read (f->body, at, buffer + at, 3, NULL)) > 0)
    at += n;
  g_assert_cmpint (n, ==, 0);
  g_assert_cmpmem (buffer, at, expected, strlen (expected));
}

static void
assert_lost (Fixture *f, guint64 offset)
{
  g_autoptr (GError) error = NULL;
  guint8 buffer[4];

  g_assert_cmpint (ams_body_read (f->body, offset, buffer, 4, &error), ==, -1);
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_LOST);
  g_assert_nonnull (strstr (error->message, f->path));
}

static guint
count_open (const gchar *path)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const gchar *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *link = g_build_filename ("/proc/self/fd", name, NULL);
    g_autofree gchar *target = g_file_read_link (link, NULL);

    n += g_strcmp0 (target, path) == 0;
  }
  return n;
}

static void
test_without_copy_stays_in_memory (Fixture *f, gconstpointer data)
{
  make_body (f, "0123456789");
  ams_body_spill (f->body);
  g_assert_cmpuint (ams_body_get_held (f->body), ==, 10);
  assert_read (f, "0123456789");
}

static void
test_copy_of_another_size_is_not_taken (Fixture *f, gconstpointer data)
{
  make_body (f, "0123456789");
  set_text (f->path, "012345678");
  ams_body_spill (f->body);
  g_assert_cmpuint (ams_body_get_held (f->body), ==, 10);
}

static void
test_spilled_is_read_from_the_copy (Fixture *f, gconstpointer data)
{
  make_body (f, "0123456789");
  set_text (f->path, "abcdefghij");
  ams_body_spill (f->body);
  g_assert_cmpuint (ams_body_get_held (f->body), ==, 0);
  assert_read (f, "abcdefghij");
  g_assert_cmpuint (count_open (f->path), ==, 0);
}

static void
test_copy_changed_before_reading_is_lost (Fixture *f, gconstpointer data)
{
  make_body (f, "0123456789");
  set_text (f->path, "0123456789");
  ams_body_spill (f->body);
  set_text (f->path, "9876543210");
  assert_lost (f, 0);
}

static void
test_copy_changed_while_reading_is_lost (Fixture *f, gconstpointer data)
{
  guint8 buffer[4];

  make_body (f, "0123456789");
  set_text (f->path, "0123456789");
  ams_body_spill (f->body);
  g_assert_cmpint (ams_body_read (f->body, 0, buffer, 4, NULL), ==, 4);
  g_assert_cmpint (truncate (f->path, 2), ==, 0);
  assert_lost (f, 4);
  g_assert_cmpuint (count_open (f->path), ==, 0);
}

static void
test_copy_removed_while_reading_is_read_on (Fixture *f, gconstpointer data)
{
  guint8 buffer[8];

  make_body (f, "0123456789");
  set_text (f->path, "0123456789");
  ams_body_spill (f->body);
  g_assert_cmpint (ams_body_read (f->body, 0, buffer, 4, NULL), ==, 4);
  g_unlink (f->path);
  g_assert_cmpint (ams_body_read (f->body, 4, buffer, 8, NULL), ==, 6);
  g_assert_cmpmem (buffer, 6, "456789", 6);
}

static void
test_refer_to_nothing_fails (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (ams_copy_body_refer (AMS_COPY_BODY (f->body), 10, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_LOST);
}

static void
test_refer_reads_the_file (Fixture *f, gconstpointer data)
{
  set_text (f->path, "0123456789");
  g_assert_true (ams_copy_body_refer (AMS_COPY_BODY (f->body), 10, NULL));
  g_assert_cmpuint (ams_body_get_size (f->body), ==, 10);
  g_assert_cmpint (ams_body_read (f->body, 0, NULL, 0, NULL), ==, 0);
  assert_read (f, "0123456789");
}

static void
test_move_reads_the_other_name (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  make_body (f, "0123456789");
  g_assert_false (
      ams_copy_body_move (AMS_COPY_BODY (f->body), f->other, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_LOST);
  assert_read (f, "0123456789");
  set_text (f->other, "abcdefghij");
  g_assert_true (ams_copy_body_move (AMS_COPY_BODY (f->body), f->other, NULL));
  g_assert_cmpuint (ams_body_get_held (f->body), ==, 0);
  assert_read (f, "abcdefghij");
}

#define ADD(path, function) \
  g_test_add ("/copy-body/" path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("spill/without-copy-stays-in-memory", test_without_copy_stays_in_memory);
  ADD ("spill/other-size-is-not-taken", test_copy_of_another_size_is_not_taken);
  ADD ("spill/reads-the-copy", test_spilled_is_read_from_the_copy);
  ADD ("changed/before-reading-is-lost",
      test_copy_changed_before_reading_is_lost);
  ADD ("changed/while-reading-is-lost",
      test_copy_changed_while_reading_is_lost);
  ADD ("removed/while-reading-is-read-on",
      test_copy_removed_while_reading_is_read_on);
  ADD ("refer/to-nothing-fails", test_refer_to_nothing_fails);
  ADD ("refer/reads-the-file", test_refer_reads_the_file);
  ADD ("move/reads-the-other-name", test_move_reads_the_other_name);
  return g_test_run ();
}
