/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Uploads of several parts that are under way, which cost money until they are completed
 * or aborted: noted in a file, so that a crash leaves none behind. */

#pragma once

#include "s3/amss3xml.h"

G_BEGIN_DECLS

typedef struct _AmsS3Uploads AmsS3Uploads;

/* @file: (nullable) what it lists of @bucket is left over from a crash. */
AmsS3Uploads *ams_s3_uploads_new (const gchar *file, const gchar *bucket);
void ams_s3_uploads_free (AmsS3Uploads *uploads);

/* It is begun. */
void ams_s3_uploads_add (AmsS3Uploads *uploads, const gchar *key,
    const gchar *upload_id);
/* It is completed or aborted. */
void ams_s3_uploads_remove (AmsS3Uploads *uploads, const gchar *key,
    const gchar *upload_id);
/* Nobody will complete it. */
void ams_s3_uploads_orphan (AmsS3Uploads *uploads, const gchar *key,
    const gchar *upload_id);
/* The next that is to be aborted, once in this object's life: what fails stays in the file.
 * (transfer full) (nullable) */
AmsS3Upload *ams_s3_uploads_take (AmsS3Uploads *uploads);

G_END_DECLS
