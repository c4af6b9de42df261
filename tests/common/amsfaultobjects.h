/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a fault server keeps, and what readers of it would have suffered. No lock:
 * the server's is held. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  GBytes *bytes;
  gchar *etag; /* quoted */
  GDateTime *modified;
  gchar *headers; /* "Name: value\n"…, those that describe it */
  gboolean cut; /* by the server itself */
  GHashTable *listed; /* of a playlist: set of names it lists, gaps left out */
} AmsFaultObject;

typedef struct _AmsFaultObjects AmsFaultObjects;

AmsFaultObjects *ams_fault_objects_new (void);
void ams_fault_objects_free (AmsFaultObjects *objects);

/* (transfer none) (nullable) */
AmsFaultObject *ams_fault_objects_get (AmsFaultObjects *objects,
    const gchar *name);
/* @headers: a request's. @keep is how much of @data is kept. Returns what is there now. */
AmsFaultObject *ams_fault_objects_put (AmsFaultObjects *objects,
    const gchar *name, const gchar *headers, gconstpointer data, gsize size,
    gsize keep);
/* As if it had always been there. */
void ams_fault_objects_preset (AmsFaultObjects *objects, const gchar *name,
    const gchar *headers, gconstpointer data, gsize size);
gboolean ams_fault_objects_remove (AmsFaultObjects *objects, const gchar *name,
    gboolean check);
void ams_fault_objects_clear (AmsFaultObjects *objects);
/* Sorted. (transfer full) */
GStrv ams_fault_objects_dup_names (AmsFaultObjects *objects);

/* Folders: "/cam"; "" is always there. */
gboolean ams_fault_objects_has_folder (AmsFaultObjects *objects,
    const gchar *name);
void ams_fault_objects_add_folder (AmsFaultObjects *objects, const gchar *name);
/* The folder that @name is in. (transfer full) */
gchar *ams_fault_objects_dup_parent (const gchar *name);

/* (transfer full) (nullable) */
gchar *ams_fault_objects_dup_problems (AmsFaultObjects *objects);
void ams_fault_objects_clear_problems (AmsFaultObjects *objects);

/* The value of @name in "Name: value\n"… (transfer full) (nullable) */
gchar *ams_fault_header (const gchar *headers, const gchar *name);

G_END_DECLS
