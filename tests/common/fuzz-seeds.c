/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* main() of a fuzz target in a build without libFuzzer: each file of the
 * folders and files named on the command line goes through it once. */

#include <stdlib.h>
#include <glib.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static guint
run_path (const gchar *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  g_autofree gchar *data = NULL;
  const gchar *name;
  gsize size;
  guint n = 0;

  if (dir != NULL) {
    while ((name = g_dir_read_name (dir)) != NULL) {
      g_autofree gchar *child = g_build_filename (path, name, NULL);
      n += run_path (child);
    }
    return n;
  }
  if (!g_file_get_contents (path, &data, &size, NULL))
    return 0;
  LLVMFuzzerTestOneInput ((const guint8 *) data, size);
  return 1;
}

int
main (int argc, char **argv)
{
  guint n = 0;

  LLVMFuzzerTestOneInput ((const guint8 *) "", 0);
  for (int i = 1; i < argc; i++)
    n += run_path (argv[i]);
  g_print ("%u seeds\n", n);
  return EXIT_SUCCESS;
}
