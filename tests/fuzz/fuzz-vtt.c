/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Texts, each behind a byte that says its format, its time and its duration, and a
 * NUL at its end: each segment is UTF-8, and has an arrow and a blank line for each
 * of its cues, and no other ones. */

#include <string.h>

#include "package/vtt/amsvtt.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define SECOND G_GINT64_CONSTANT (1000000000)

static guint
count (const gchar *text, const gchar *part)
{
  guint n = 0;

  for (; (text = strstr (text, part)); text += strlen (part))
    n++;
  return n;
}

static void
check_cut (AmsVtt *vtt, gint64 start)
{
  g_autoptr (GBytes) bytes = ams_vtt_cut (vtt, start, start + 4 * SECOND);
  g_autofree gchar *text =
      g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  g_assert_cmpuint (strlen (text), ==, g_bytes_get_size (bytes));
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_true (g_str_has_prefix (text, "WEBVTT\nX-TIMESTAMP-MAP="));
  g_assert_true (g_str_has_suffix (text, "\n\n"));
  g_assert_cmpuint (count (text, "\n\n"), ==, 1 + count (text, "-->"));
  g_assert_null (strchr (text, '\r'));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (AmsVtt) vtt = ams_vtt_new ();
  AmsSlice rest = { data, size }, text;
  guint32 first;

  while (ams_slice_take_number (&rest, 1, &first)) {
    const guint8 *nul =
        rest.size > 0 ? memchr (rest.data, '\0', rest.size) : NULL;

    if (!nul)
      nul = rest.data + rest.size;
    ams_slice_take (&rest, nul - rest.data, &text);
    ams_vtt_add (vtt, MIN (first & 3, AMS_VTT_CUES), text,
        (first >> 2 & 7) * SECOND, (first >> 5) * SECOND / 2);
    ams_slice_take (&rest, 1, &text);
  }
  for (guint i = 0; i < 4; i++)
    check_cut (vtt, i * 4 * SECOND);
  return 0;
}
