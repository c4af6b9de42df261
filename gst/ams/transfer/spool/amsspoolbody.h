/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A body whose bytes go to a file as they come. What the disk does not take stays in
 * memory, is tried again, and can be read meanwhile all the same. No file is open
 * between two reads of a finished body: thousands may wait. */

#pragma once

#include "transfer/amsbody.h"

G_BEGIN_DECLS

#define AMS_TYPE_SPOOL_BODY (ams_spool_body_get_type ())
G_DECLARE_FINAL_TYPE (AmsSpoolBody, ams_spool_body, AMS, SPOOL_BODY, AmsBody)

/* @path: of a file that is not there yet; so are its folders made. */
AmsBody *ams_spool_body_new (const gchar *path);
/* Finished: the first @size of the @written bytes that are in the file. */
AmsBody *ams_spool_body_new_cut (const gchar *path, guint64 written,
    guint64 size);
/* Finished and whole: a file that must be as it was. @mtime: ns since 1970; -1: any */
AmsBody *ams_spool_body_new_whole (const gchar *path, guint64 size,
    gint64 mtime);

/* All bytes are in the file, and nothing else; @sync: on stable storage, under its
 * name. FALSE: not yet; it may be called again. Of a finished body. */
gboolean ams_spool_body_make_whole (AmsSpoolBody *body, gboolean sync,
    GError **error);
/* ns since 1970 */
struct stat;
gint64 ams_spool_body_mtime_of (const struct stat *info);

G_END_DECLS
