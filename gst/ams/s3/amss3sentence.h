/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Says to people what an S3 store answered, and what to do. Pure. */

#pragma once

#include <gio/gio.h>

#include "s3/amss3error.h"

G_BEGIN_DECLS

/* AMS_STORE_ERROR, of the answer's class. @answer: a failure. */
GError *ams_s3_answer_to_error (const AmsS3Answer *answer,
    const AmsS3Asked *asked);

G_END_DECLS
