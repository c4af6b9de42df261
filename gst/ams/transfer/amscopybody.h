/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The body of a file that upstream writes to the disk by itself as well
 * (`local-path` of ams-file-begin). It is in memory until it is spilled: then the
 * copy on the disk is read in its place, if that is there and whole. So a queue that
 * is full costs nothing that was recorded.
 *
 * By reference (`by-reference`) no bytes come at all: the file on the disk is it. */

#pragma once

#include "transfer/amsbody.h"

G_BEGIN_DECLS

#define AMS_TYPE_COPY_BODY (ams_copy_body_get_type ())
G_DECLARE_FINAL_TYPE (AmsCopyBody, ams_copy_body, AMS, COPY_BODY, AmsBody)

/* @path: absolute */
AmsBody *ams_copy_body_new (const gchar *path);
const gchar *ams_copy_body_get_path (AmsCopyBody *body);
/* Nothing was appended: the first @size bytes of the copy are the file. FALSE: there is no
 * such copy. Finishes the body. */
gboolean ams_copy_body_refer (AmsCopyBody *body, guint64 size, GError **error);
/* Of a finished body: another name of the copy, or another copy, is read from now on, in
 * place of memory, too. FALSE: there is no such copy; nothing has changed. */
gboolean ams_copy_body_move (AmsCopyBody *body, const gchar *path,
    GError **error);

G_END_DECLS
