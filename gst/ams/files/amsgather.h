/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Gathers a file that is read piece by piece. A small one is gathered in memory.
 * A larger one goes to an unnamed file and is mapped from there (amsshared.h), so
 * that the kernel can take its pages back: an event playlist of half a gigabyte
 * costs a recorder no more memory than one of 8 MiB. Pure GLib. Any thread. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Up to this size, a file is gathered in memory. */
#define AMS_GATHER_MEMORY (8 * 1024 * 1024)

typedef struct _AmsGather AmsGather;

/* @folder: (nullable) where the unnamed file is made if it can be; the folders
 * for temporary files come next, and memory last. */
AmsGather *ams_gather_new (const gchar *folder);
void ams_gather_free (AmsGather *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsGather, ams_gather_free)

void ams_gather_add (AmsGather *self, gconstpointer data, gsize length);

/* Adds up to @length bytes of @fd, from its position on; fewer at its end only.
 * *@added: how many came. Returns: 0, or an errno. */
gint ams_gather_add_fd (AmsGather *self, gint fd, guint64 length,
    guint64 *added);

guint64 ams_gather_get_size (AmsGather *self);

/* (transfer full) (nullable) What was gathered. NULL: the unnamed file could not
 * be read back, and *@errnum is why. Frees @self. */
GBytes *ams_gather_free_to_bytes (AmsGather *self, gint *errnum);

G_END_DECLS
