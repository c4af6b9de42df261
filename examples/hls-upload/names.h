/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the path of a request is the name of. Pure. */

#pragma once

#include "files/amsfiles.h"

G_BEGIN_DECLS

/* Errors that are answers: the code is the HTTP status, the message the sentence. */
#define HLS_UPLOAD_ERROR (hls_upload_error_quark ())
GQuark hls_upload_error_quark (void);

/* What is between the application's name and the file's in a path. */
#define HLS_UPLOAD_FOLDER "/hls-upload/"

/* @path: as it came, percent-encoded: /APP/hls-upload/NAME. @app: (nullable) the only one that is
 * taken, and then it is no part of the name; else the name begins with it. 404: no such path;
 * 400: the name will not do. */
gchar *hls_upload_name_parse (const gchar *path, const gchar *app,
    GError **error);

/* By the end of the name; that it is a master is not seen there. */
AmsFileRole hls_upload_role_of (const gchar *name);

G_END_DECLS
