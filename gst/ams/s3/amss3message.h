/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Signs a message as it goes out: for AmsHttpRequest.prepare, so anew for each
 * attempt. */

#pragma once

#include <libsoup/soup.h>

#include "s3/amss3identity.h"
#include "s3/amss3sign.h"

G_BEGIN_DECLS

/* Sets Host, x-amz-date, x-amz-content-sha256, x-amz-security-token and Authorization
 * in place of what a former attempt set. The message's other headers must be there
 * already, and its URI be encoded. @payload_hash: hexadecimal SHA-256 of the body,
 * AMS_S3_EMPTY_SHA256 or AMS_S3_UNSIGNED_PAYLOAD. @now: µs since 1970 UTC, corrected. */
void ams_s3_sign_message (AmsS3Signer *signer, SoupMessage *message,
    const AmsS3Identity *identity, const gchar *region,
    const gchar *payload_hash, gint64 now);

G_END_DECLS
