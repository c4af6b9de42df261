/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The lines of a text of which every line is ended. Pure. */

#pragma once

#include "amsplaylistparser.h"

G_BEGIN_DECLS

typedef struct
{
  const gchar *text;
  gsize len; /* without the line end */
  gsize start, end; /* in the text, with it */
} AmsPlaylistTextLine;

/* The line at *@pos, which moves on. FALSE at the end of the text. */
gboolean ams_playlist_next_line (const gchar *text, gsize len, gsize *pos,
    AmsPlaylistTextLine *line);
/* The line before *@pos, which moves back. FALSE at the text's beginning. */
gboolean ams_playlist_previous_line (const gchar *text, gsize *pos,
    AmsPlaylistTextLine *line);

/* Whether the line is the tag @tag, as in "#EXT-X-KEY". */
gboolean ams_playlist_text_line_is (const AmsPlaylistTextLine *line,
    const gchar *tag);
AmsPlaylistLine ams_playlist_text_line_classify (
    const AmsPlaylistTextLine *line);

G_END_DECLS
