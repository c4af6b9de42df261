/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a file of the file stream may be called, and what its role and name say of it. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AMS_FILE_ROLE_OTHER,
  AMS_FILE_ROLE_KEY,
  AMS_FILE_ROLE_INIT,
  AMS_FILE_ROLE_SEGMENT,
  AMS_FILE_ROLE_PLAYLIST,
  AMS_FILE_ROLE_MASTER,
} AmsFileRole;

const gchar *ams_file_role_to_string (AmsFileRole role);
gboolean ams_file_role_from_string (const gchar *string, AmsFileRole *role);

/* The Content-Type of a file with this role and name (hls-rules 16). Never
 * NULL. */
const gchar *ams_file_content_type (AmsFileRole role, const gchar *name);

/* Whether @name may be a file's name: UTF-8 without control characters,
 * relative, "/"-separated, no empty, "." or ".." part, at most 1024 bytes. */
gboolean ams_file_name_check (const gchar *name, GError **error);
/* A copy of @name if it may be a file's name. (nullable) (transfer full) */
gchar *ams_file_name_dup (const gchar *name);

G_END_DECLS
