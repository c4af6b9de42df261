/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A body that is written to a hidden part file beside its final name as the data
 * come. What cannot be written stays in memory, and is tried again from the byte
 * where it stopped: a disk that was full loses nothing once it has room. */

#pragma once

#include "local/amslocalio.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean sync; /* on stable storage before it counts as stored */
  gboolean overwrite; /* files with the name are replaced */
} AmsLocalOptions;

#define AMS_TYPE_PART_BODY (ams_part_body_get_type ())
G_DECLARE_FINAL_TYPE (AmsPartBody, ams_part_body, AMS, PART_BODY, AmsBody)

/* A part file that is there already (a crash left it and nobody adopted it) is
 * never deleted: it is renamed to .NAME.part.1 or the next number that is free. */
AmsBody *ams_part_body_new (const gchar *path, const AmsLocalOptions *options);

/* Makes the finished body the file. What has been done already is not done again
 * when it is called again after an error. */
/* It is to be published as @path, another name in the same folder. */
void ams_part_body_set_path (AmsPartBody *body, const gchar *path);
gboolean ams_part_body_publish (AmsPartBody *body, GError **error);

G_END_DECLS
