/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the queue and its parts hand to each other. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _HlsUploadQueue HlsUploadQueue;
typedef struct _HlsUploadTask HlsUploadTask;

/* @error: (nullable) of AMS_STORE_ERROR or HLS_UPLOAD_ERROR; lives during the call. NULL: it
 * is stored or, with a spool, safely on disk. */
typedef void (*HlsUploadDone) (const GError *error, gpointer user_data);

G_END_DECLS
