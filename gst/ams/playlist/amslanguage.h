/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Language tags (BCP 47, RFC 5646). Pure, no GStreamer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether @tag is well-formed: "en", "pt-BR", "zh-Hant-TW", "de-CH-1996". The
 * language itself has two or three letters, as nothing longer is registered:
 * "english" is none. */
gboolean ams_language_is_tag (const gchar *tag);

G_END_DECLS
