/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The folder that a spool is in:
 *
 *   lock                            of all that is in it
 *   media.example.com-3f2a9c1d…/    one for each destination
 *     destination                   which that is, for people
 *     journal
 *     7                             bodies, by id
 *     note-7                        what the journal says of that one (amsspoolnote.h)
 *     given-up/7-a.ts               what is not sent, but not thrown away
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  gint lock;
  gchar *path; /* of the destination's folder */
  gchar *notice; /* (nullable) see ams_spool_get_notice() */
} AmsSpoolFolder;

AmsSpoolFolder *ams_spool_folder_open (const gchar *path,
    const gchar *destination, GError **error);
void ams_spool_folder_close (AmsSpoolFolder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsSpoolFolder, ams_spool_folder_close)

gchar *ams_spool_folder_get_journal (AmsSpoolFolder *folder);
/* The file of a body. (transfer full) */
gchar *ams_spool_folder_get_path (AmsSpoolFolder *folder, guint64 id);
/* Whether @name is that of a body's file. */
gboolean ams_spool_folder_is_id (const gchar *name, guint64 *id);
/* The ids of those that are there. (transfer full) (element-type guint64) */
GArray *ams_spool_folder_list (AmsSpoolFolder *folder);
/* One that is not there is removed. */
void ams_spool_folder_remove (AmsSpoolFolder *folder, guint64 id);
/* Renames it, which takes no room, to say that it is settled where the journal cannot: @nick is the fate. Then makes room,
 * if the file has no other name. */
void ams_spool_folder_mark (AmsSpoolFolder *folder, guint64 id,
    const gchar *nick);
void ams_spool_folder_unmark (AmsSpoolFolder *folder, guint64 id,
    const gchar *nick);
/* The ids that are marked so. (transfer full) (element-type guint64) */
GArray *ams_spool_folder_list_marked (AmsSpoolFolder *folder,
    const gchar *nick);
/* Moves it to `given-up`. @name: (nullable) of the file to be stored. One that is not there
 * is no error. */
gboolean ams_spool_folder_give_up (AmsSpoolFolder *folder, guint64 id,
    const gchar *name, GError **error);

G_END_DECLS
