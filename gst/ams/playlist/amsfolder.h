/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whether a folder can take a recording. Pure, no GStreamer. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* FALSE: @folder cannot be made or written, as far as can be seen without touching
 * anything: the nearest folder that is there refuses that. @error names it. */
gboolean ams_folder_check (const gchar *folder, GError **error);

/* Makes @folder, and a file in it for a moment: some file systems (/proc) look as if they took
 * one. What may pass, as a disk that is full, is no fault here. */
gboolean ams_folder_try (const gchar *folder, GError **error);

G_END_DECLS
