/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* GET and HEAD. What is large goes a piece at a time: the next is asked for when the client has taken the one
 * before. */

#pragma once

#include "request.h"

G_BEGIN_DECLS

/* @with_data: it is a GET. */
void hls_upload_download (HlsUploadRequest *request, gboolean with_data);

G_END_DECLS
