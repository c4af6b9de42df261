/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsplaylistline.h"

#include <string.h>

static void
set_line (AmsPlaylistTextLine *line, const gchar *text, gsize start, gsize end)
{
  line->text = text + start;
  line->start = start;
  line->end = end;
  line->len = end - start - 1;
  if (line->len > 0 && line->text[line->len - 1] == '\r')
    line->len--;
}

gboolean
ams_playlist_next_line (const gchar *text, gsize len, gsize *pos,
    AmsPlaylistTextLine *line)
{
  const gchar *newline;

  if (*pos >= len)
    return FALSE;
  newline = memchr (text + *pos, '\n', len - *pos);
  set_line (line, text, *pos, newline - text + 1);
  *pos = line->end;
  return TRUE;
}

gboolean
ams_playlist_previous_line (const gchar *text, gsize *pos,
    AmsPlaylistTextLine *line)
{
  const gchar *newline;

  if (*pos == 0)
    return FALSE;
  newline = memrchr (text, '\n', *pos - 1);
  set_line (line, text, newline ? (gsize) (newline + 1 - text) : 0, *pos);
  *pos = line->start;
  return TRUE;
}

gboolean
ams_playlist_text_line_is (const AmsPlaylistTextLine *line, const gchar *tag)
{
  return ams_playlist_line_is (line->text, line->len, tag);
}

AmsPlaylistLine
ams_playlist_text_line_classify (const AmsPlaylistTextLine *line)
{
  return ams_playlist_line_classify (line->text, line->len);
}
