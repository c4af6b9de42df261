/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "files/amsgather.h"
#include "files/amsshared.h"

#define LARGE (AMS_GATHER_MEMORY + 12345)

static guint8
byte_at (gsize i)
{
  return i * 7 + i / 4099;
}

static guint8 *
make_bytes (gsize size)
{
  guint8 *bytes = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    bytes[i] = byte_at (i);
  return bytes;
}

static GBytes *
gather (gsize size, const gchar *folder)
{
  AmsGather *self = ams_gather_new (folder);
  g_autofree guint8 *bytes = make_bytes (size);
  GBytes *gathered;
  gint errnum;

  for (gsize at = 0; at < size; at += 100003)
    ams_gather_add (self, bytes + at, MIN (size - at, 100003));
  g_assert_cmpuint (ams_gather_get_size (self), ==, size);
  gathered = ams_gather_free_to_bytes (self, &errnum);
  g_assert_cmpint (errnum, ==, 0);
  g_assert_cmpmem (g_bytes_get_data (gathered, NULL),
      g_bytes_get_size (gathered), bytes, size);
  return gathered;
}

static void
test_small_in_memory (void)
{
  g_autoptr (GBytes) bytes = gather (AMS_GATHER_MEMORY, NULL);

  g_assert_cmpuint (ams_shared_get_cost (bytes), ==, AMS_GATHER_MEMORY);
}

static void
test_large_costs_nothing (void)
{
  g_autoptr (GBytes) bytes = gather (LARGE, NULL);
  g_autoptr (GBytes) part = g_bytes_new_from_bytes (bytes, 4097, 100);
  const guint8 *data = g_bytes_get_data (bytes, NULL);

  g_assert_cmpuint (ams_shared_get_cost (bytes), ==, 0);
  g_assert_cmpuint (ams_shared_get_cost (part), ==, 0);
  ams_shared_let_go (data, LARGE);
  ams_shared_let_go (data + 5, 100000);
  g_assert_cmpuint (data[5], ==, byte_at (5));
  g_assert_cmpuint (data[LARGE - 1], ==, byte_at (LARGE - 1));
}

/* What is no mapped file must not be touched. */
static void
test_let_go_of_memory_keeps_it (void)
{
  g_autofree guint8 *bytes = make_bytes (1000000);
  g_autofree guint8 *same = make_bytes (1000000);

  ams_shared_let_go (bytes, 1000000);
  ams_shared_add (bytes, 1000000, FALSE);
  ams_shared_let_go (bytes, 1000000);
  g_assert_cmpuint (ams_shared_remove (bytes), ==, 1000000);
  g_assert_cmpmem (bytes, 1000000, same, 1000000);
}

/* Nothing of it can be seen, or stays. */
static void
test_folder_stays_empty (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("gather-XXXXXX", NULL);
  G_GNUC_UNUSED g_autoptr (GBytes) bytes = gather (LARGE, folder);

  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
test_no_folder_elsewhere (void)
{
  g_autoptr (GBytes) bytes = gather (LARGE, "/nowhere/at/all");

  g_assert_cmpuint (g_bytes_get_size (bytes), ==, LARGE);
}

/* From a descriptor, which may be shorter than was said. */
static void
test_descriptor_as_far_as_it_goes (void)
{
  static const gsize sizes[] = { 10, 1000, LARGE };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree gchar *path = NULL;
    gint fd = g_file_open_tmp ("gather-XXXXXX", &path, NULL), errnum;
    g_autofree guint8 *bytes = make_bytes (sizes[i]);
    AmsGather *self = ams_gather_new (NULL);
    g_autoptr (GBytes) gathered = NULL;
    guint64 added;

    g_assert_cmpint (write (fd, bytes, sizes[i]), ==, sizes[i]);
    lseek (fd, 0, SEEK_SET);
    g_assert_cmpint (ams_gather_add_fd (self, fd, sizes[i] + 5, &added), ==, 0);
    g_assert_cmpuint (added, ==, sizes[i]);
    gathered = ams_gather_free_to_bytes (self, &errnum);
    g_assert_cmpmem (g_bytes_get_data (gathered, NULL),
        g_bytes_get_size (gathered), bytes, sizes[i]);
    close (fd);
    g_unlink (path);
  }
}

/* No unnamed file can be as large: it goes on in memory. */
static void
test_full_disk_in_memory (void)
{
  if (g_test_subprocess ()) {
    g_autoptr (GBytes) bytes = NULL;
    struct rlimit limit = { AMS_GATHER_MEMORY + 1000, RLIM_INFINITY };

    signal (SIGXFSZ, SIG_IGN);
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
    bytes = gather (LARGE + 5000000, NULL);
    g_assert_cmpuint (ams_shared_get_cost (bytes), ==,
        g_bytes_get_size (bytes));
    return;
  }
  g_test_trap_subprocess ("/gather/full-disk/in-memory", 0, 0);
  g_test_trap_assert_passed ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gather/small/in-memory", test_small_in_memory);
  g_test_add_func ("/gather/large/costs-nothing", test_large_costs_nothing);
  g_test_add_func ("/gather/let-go/of-memory-keeps-it",
      test_let_go_of_memory_keeps_it);
  g_test_add_func ("/gather/folder/stays-empty", test_folder_stays_empty);
  g_test_add_func ("/gather/no-folder/elsewhere", test_no_folder_elsewhere);
  g_test_add_func ("/gather/descriptor/as-far-as-it-goes",
      test_descriptor_as_far_as_it_goes);
  g_test_add_func ("/gather/full-disk/in-memory", test_full_disk_in_memory);
  return g_test_run ();
}
