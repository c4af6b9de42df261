/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The names of renditions as they stand in file names, where a template has
 * "{rendition}" (amsnames.h). Pure, no GStreamer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Ant Media's: "360p800kbps"; "360p" or "800kbps" where one of them is 0; "video"
 * where both are. @height: rows; @bit_rate: nominal, bit/s. (transfer full) */
gchar *ams_rendition_name_video (guint height, guint64 bit_rate);

/* "en", or "audio2" without a language. @number: from 1. (transfer full) */
gchar *ams_rendition_name_sound (const gchar *language, guint number);

/* "text_en", as the sound may have the same language, or "text2". (transfer full) */
gchar *ams_rendition_name_text (const gchar *language, guint number);

/* @name, given by hand, for file systems and URIs: letters and digits of any
 * script, "-", "_" and "." stay, anything else becomes "_"; no dot leads or ends,
 * and there are at most 64 bytes. May be empty. (transfer full) */
gchar *ams_rendition_name_clean (const gchar *name);

/* Whether @template_, the value of @property, gives each of the @n renditions
 * @names files of its own, also where a file system takes "HD" and "hd" for the
 * same. FALSE: AMS_NAMES_ERROR_NOT_UNIQUE, in one sentence. */
gboolean ams_rendition_names_check (const gchar *const *names, guint n,
    const gchar *property, const gchar *template_, GError **error);

G_END_DECLS
