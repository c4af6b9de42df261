/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Playlists of which all has come and whose names are being read, one after the other, in slices
 * of a few milliseconds: a long one does not hold up other requests. For one thread, whose
 * GMainContext is the default one. */

#pragma once

#include "order.h"
#include "queuetypes.h"

G_BEGIN_DECLS

typedef struct _HlsUploadNaming HlsUploadNaming;

/* The order knows what @task names. @error: (nullable) it is refused. */
typedef void (*HlsUploadNamingDone) (HlsUploadTask *task, const GError *error);

HlsUploadNaming *hls_upload_naming_new (HlsUploadOrder *order,
    HlsUploadNamingDone done);
void hls_upload_naming_free (HlsUploadNaming *naming);

/* A playlist, or a remove, which must not overtake one. If nothing is before it and it is short, it is
 * done within this call. */
void hls_upload_naming_add (HlsUploadNaming *naming, HlsUploadTask *task);
/* FALSE: @task is not in the line. */
gboolean hls_upload_naming_remove (HlsUploadNaming *naming,
    HlsUploadTask *task);
gboolean hls_upload_naming_is_empty (HlsUploadNaming *naming);

G_END_DECLS
