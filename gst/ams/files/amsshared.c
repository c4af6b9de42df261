/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "files/amsshared.h"

#include <sys/mman.h>
#include <unistd.h>

typedef struct
{
  const gchar *start;
  gsize size;
  gboolean is_file;
} Region;

static GMutex lock;
static GArray *regions; /* of Region, by address; NULL: none. Under the lock */

static gint
compare_to_region (gconstpointer region, gconstpointer data)
{
  const Region *r = region;
  const gchar *p = *(const gchar *const *) data;

  if (p < r->start)
    return 1;
  return p >= r->start + r->size ? -1 : 0;
}

static gboolean
find_locked (gconstpointer data, Region *found, guint *at)
{
  if (!regions ||
      !g_array_binary_search (regions, &data, compare_to_region, at))
    return FALSE;
  *found = g_array_index (regions, Region, *at);
  return TRUE;
}

static gboolean
find (gconstpointer data, Region *found)
{
  gboolean is_found;
  guint at;

  g_mutex_lock (&lock);
  is_found = find_locked (data, found, &at);
  g_mutex_unlock (&lock);
  return is_found;
}

static gint
compare_regions (gconstpointer a, gconstpointer b)
{
  const Region *x = a, *y = b;

  return x->start < y->start ? -1 : x->start > y->start;
}

void
ams_shared_add (gconstpointer start, gsize size, gboolean is_file)
{
  Region region = { start, size, is_file };

  g_mutex_lock (&lock);
  if (!regions)
    regions = g_array_new (FALSE, FALSE, sizeof (Region));
  g_array_append_val (regions, region);
  g_array_sort (regions, compare_regions);
  g_mutex_unlock (&lock);
}

gsize
ams_shared_remove (gconstpointer start)
{
  Region found = { 0 };
  guint at;

  g_mutex_lock (&lock);
  if (find_locked (start, &found, &at))
    g_array_remove_index (regions, at);
  if (regions && regions->len == 0)
    g_clear_pointer (&regions, g_array_unref);
  g_mutex_unlock (&lock);
  return found.size;
}

gsize
ams_shared_get_cost (GBytes *bytes)
{
  Region found;
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  return find (data, &found) ? 0 : size;
}

void
ams_shared_let_go (gconstpointer data, gsize length)
{
  gsize page = sysconf (_SC_PAGESIZE), from, to;
  Region found;

  if (!find (data, &found) || !found.is_file)
    return;
  from = (const gchar *) data - found.start;
  to = MIN (from + length, found.size);
  /* Whole pages only, but for those at the region's end. */
  from = (from + page - 1) / page * page;
  to = to == found.size ? to : to / page * page;
  if (from < to)
    madvise ((gpointer) (found.start + from), to - from, MADV_DONTNEED);
}
