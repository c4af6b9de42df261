/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Makes the registry that GST_REGISTRY names, with the plugin just built in it.
 * A program of our own, as gst-inspect-1.0 lacks a sanitizer's runtime. */

#include <stdlib.h>
#include <glib/gstdio.h>
#include <gst/gst.h>

int
main (int argc, char **argv)
{
  const gchar *file = g_getenv ("GST_REGISTRY");

  g_return_val_if_fail (file != NULL, EXIT_FAILURE);
  g_unlink (file);
  gst_init (&argc, &argv);

  g_autoptr (GstPlugin) plugin =
      gst_registry_find_plugin (gst_registry_get (), "ams");
  if (plugin == NULL) {
    g_printerr ("The plugin is not in the registry; it could not be loaded.\n");
    return EXIT_FAILURE;
  }
  return g_file_test (file, G_FILE_TEST_EXISTS) ? EXIT_SUCCESS : EXIT_FAILURE;
}
