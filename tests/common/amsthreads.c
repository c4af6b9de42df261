/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "amsthreads.h"

#include <string.h>

#define FOLDER "/proc/self/task"
#define PATIENCE G_TIME_SPAN_MINUTE

/* Adds up @read of the text of each thread's status. */
static guint64
add_up (const gchar *prefix, guint64 (*read) (const gchar *status))
{
  g_autoptr (GDir) dir = g_dir_open (FOLDER, 0, NULL);
  const gchar *task;
  guint64 sum = 0;

  while ((task = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (FOLDER, task, "status", NULL);
    g_autofree gchar *status = NULL;

    /* It may have ended meanwhile. */
    if (g_file_get_contents (path, &status, NULL, NULL) &&
        g_str_has_prefix (status + strlen ("Name:\t"), prefix))
      sum += read (status);
  }
  return sum;
}

static guint64
read_one (const gchar *status)
{
  return 1;
}

static guint64
read_sleeps (const gchar *status)
{
  const gchar *line = strstr (status, "\nvoluntary_ctxt_switches:\t");

  return g_ascii_strtoull (strchr (line, '\t'), NULL, 10);
}

guint
ams_threads_count (const gchar *prefix)
{
  return add_up (prefix, read_one);
}

guint64
ams_threads_count_sleeps (const gchar *prefix)
{
  return add_up (prefix, read_sleeps);
}

void
ams_threads_wait (const gchar *prefix, guint least, guint most)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;
  guint count;

  while ((count = ams_threads_count (prefix)) < least || count > most) {
    if (g_get_monotonic_time () > deadline)
      g_error ("%u threads %s…, not %u to %u", count, prefix, least, most);
    g_thread_yield ();
  }
}
