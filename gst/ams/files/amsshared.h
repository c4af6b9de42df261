/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Large regions of memory that many versions of a playlist share. Whoever holds a
 * version asks here what it costs him: a region is paid for by its owner, once,
 * however many versions point into it. Pure GLib. Any thread. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @is_file: the region is a read-only mapping of a file, whose pages the kernel
 * can read again. Regions do not overlap. */
void ams_shared_add (gconstpointer start, gsize size, gboolean is_file);
/* Must come before the memory is freed. @start: as it was added. Returns: the
 * region's size. */
gsize ams_shared_remove (gconstpointer start);

/* What holding on to @bytes costs beyond what their owner pays: their size, or 0
 * if they begin in a shared region. */
gsize ams_shared_get_cost (GBytes *bytes);

/* The caller has read these bytes and does not need them soon: if they lie in a
 * mapped file, their pages are given back to the kernel. Otherwise nothing
 * happens. The bytes stay valid in any case. */
void ams_shared_let_go (gconstpointer data, gsize length);

G_END_DECLS
