/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsplaylistsegment.h"

#include <string.h>

AmsPlaylistSegment *
ams_playlist_segment_new (const gchar *uri, guint64 duration, gint64 date_time,
    gboolean discontinuity, gboolean gap)
{
  AmsPlaylistSegment *segment = g_new0 (AmsPlaylistSegment, 1);

  segment->uri = g_strdup (uri);
  segment->duration = duration;
  segment->date_time = date_time;
  segment->discontinuity = discontinuity;
  segment->gap = gap;
  return segment;
}

void
ams_playlist_segment_free (AmsPlaylistSegment *segment)
{
  g_free (segment->uri);
  g_free (segment);
}

static void
append_root (GString *out, const gchar *root)
{
  gboolean utf8 = g_utf8_validate (root, -1, NULL);
  const guchar *p;

  for (p = (const guchar *) root; *p != '\0'; p++) {
    gboolean c1 = *p == 0xc2 && p[1] < 0xa0;

    if (c1)
      g_string_append_printf (out, "%%%02X", *p++);
    if (c1 || *p <= ' ' || *p == 0x7f || (*p >= 0x80 && !utf8) ||
        (*p == '#' && out->len == 0))
      g_string_append_printf (out, "%%%02X", *p);
    else
      g_string_append_c (out, *p);
  }
  if (out->len > 0 && out->str[out->len - 1] != '/')
    g_string_append_c (out, '/');
}

gchar *
ams_playlist_uri (const gchar *root, const gchar *name)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean first = TRUE;
  const gchar *p;

  if (root != NULL)
    append_root (out, root);
  for (p = name; *p != '\0'; p++) {
    first = first && *p != '/';
    if (g_ascii_isalnum (*p) || strchr ("-._~!$&'()*+,;=@/", *p) != NULL ||
        (*p == ':' && !first))
      g_string_append_c (out, *p);
    else
      g_string_append_printf (out, "%%%02X", (guchar) *p);
  }
  return g_strdup (out->str);
}
