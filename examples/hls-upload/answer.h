/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Answers: which status an error is, and how it is said, also to who is not done sending. */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Of an error of AMS_STORE_ERROR or HLS_UPLOAD_ERROR. @conditional: the request had If-None-Match. */
guint hls_upload_status_of (const GError *error, gboolean conditional);
/* What is said of it, with its full stop. (transfer full) */
gchar *hls_upload_sentence_of (const GError *error);

/* @challenge: (nullable) of 401. What waits for the answer goes on with it. */
void hls_upload_answer_error (SoupServerMessage *message, guint status,
    const gchar *sentence, guint retry_after, const gchar *challenge);
/* Instead, while the request is still coming: the rest of it is not taken. The connection is closed; its
 * client is given a moment to read why. Nothing may be done with @message afterwards. */
void hls_upload_answer_and_close (SoupServerMessage *message, GSocket *socket,
    guint status, const gchar *sentence, guint retry_after,
    const gchar *challenge);

G_END_DECLS
