/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Text of subtitles as it comes, into the payload of WebVTT cues. Whatever comes,
 * what is made is valid UTF-8 without blank lines, so that it ends no cue. Hostile
 * input. Pure, no GStreamer. */

#pragma once

#include <glib.h>

#include "media/amsslice.h"

G_BEGIN_DECLS

/* Valid UTF-8 with line ends of one byte and without control characters.
 * *@repaired: it was no UTF-8, and what was wrong is U+FFFD now. (transfer full) */
gchar *ams_vtt_text_repair (AmsSlice text, gboolean *repaired);

/* @text: as ams_vtt_text_repair() makes it. (transfer full) */
gchar *ams_vtt_text_from_plain (const gchar *text);
/* @text: Pango markup, of which bold, italic and underlined are kept. NULL: it is
 * no markup. (transfer full) (nullable) */
gchar *ams_vtt_text_from_markup (const gchar *text);

typedef struct
{
  gint64 start, end; /* ns, as the text has them */
  gchar *settings; /* NULL: none */
  gchar *payload;
} AmsVttTextCue;

void ams_vtt_text_cue_free (AmsVttTextCue *cue);

/* The cues of @text, WebVTT with or without its header; identifiers, notes, styles
 * and regions are left out. Text without any timing is one cue from 0 to 0.
 * *@damaged: a cue was left out.
 * Returns: (transfer full) (element-type AmsVttTextCue) */
GPtrArray *ams_vtt_text_read_cues (const gchar *text, gboolean *damaged);

G_END_DECLS
