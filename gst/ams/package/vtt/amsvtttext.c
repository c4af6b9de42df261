/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "package/vtt/amsvtttext.h"

#include <string.h>

#define ARROW "-->"
#define MS G_GINT64_CONSTANT (1000000)
#define MAX_HOUR_DIGITS 4

/* ---- characters and lines ---- */

#define BYTE_ORDER_MARK 0xfeff

/* Elements that push text may count the NUL that ends it. */
static gsize
get_length (AmsSlice text)
{
  gsize size = text.size;

  while (size > 0 && text.data[size - 1] == '\0')
    size--;
  return size;
}

static gboolean
is_kept (gunichar c)
{
  return c == '\n' || c == '\t' || !g_unichar_iscntrl (c);
}

gchar *
ams_vtt_text_repair (AmsSlice text, gboolean *repaired)
{
  gsize size = get_length (text);
  const gchar *bytes = size > 0 ? (const gchar *) text.data : "";
  g_autofree gchar *valid = g_utf8_make_valid (bytes, size);
  GString *out = g_string_new (NULL);

  *repaired = !g_utf8_validate_len (bytes, size, NULL);
  for (const gchar *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (c == '\r')
      g_string_append (out, p[1] == '\n' ? "" : "\n");
    else if (is_kept (c) && c != BYTE_ORDER_MARK)
      g_string_append_unichar (out, c);
  }
  return g_string_free (out, FALSE);
}

static gboolean
is_blank (const gchar *line)
{
  return line[strspn (line, " \t")] == '\0';
}

/* A blank line would end the cue. */
static gchar *
drop_blank_lines (const gchar *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GString *out = g_string_new (NULL);

  for (guint i = 0; lines[i]; i++) {
    if (is_blank (lines[i]))
      continue;
    if (out->len > 0)
      g_string_append_c (out, '\n');
    g_string_append (out, g_strchomp (lines[i]));
  }
  return g_string_free (out, FALSE);
}

static void
append_escaped (GString *out, const gchar *text, gsize len)
{
  for (gsize i = 0; i < len; i++) {
    if (text[i] == '&')
      g_string_append (out, "&amp;");
    else if (text[i] == '<')
      g_string_append (out, "&lt;");
    else if (text[i] == '>')
      g_string_append (out, "&gt;");
    else
      g_string_append_c (out, text[i]);
  }
}

gchar *
ams_vtt_text_from_plain (const gchar *text)
{
  g_autoptr (GString) out = g_string_new (NULL);

  append_escaped (out, text, strlen (text));
  return drop_blank_lines (out->str);
}

/* ---- Pango markup ---- */

static gboolean
is_shared_tag (const gchar *element)
{
  return g_str_equal (element, "b") || g_str_equal (element, "i") ||
      g_str_equal (element, "u");
}

static void
on_start (GMarkupParseContext *context, const gchar *element,
    const gchar **names, const gchar **values, gpointer out, GError **error)
{
  if (is_shared_tag (element))
    g_string_append_printf (out, "<%s>", element);
}

static void
on_end (GMarkupParseContext *context, const gchar *element, gpointer out,
    GError **error)
{
  if (is_shared_tag (element))
    g_string_append_printf (out, "</%s>", element);
}

static void
on_text (GMarkupParseContext *context, const gchar *text, gsize len,
    gpointer out, GError **error)
{
  append_escaped (out, text, len);
}

gchar *
ams_vtt_text_from_markup (const gchar *text)
{
  static const GMarkupParser parser = { on_start, on_end, on_text };
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GMarkupParseContext) context =
      g_markup_parse_context_new (&parser, 0, out, NULL);

  if (!g_markup_parse_context_parse (context, "<markup>", -1, NULL) ||
      !g_markup_parse_context_parse (context, text, -1, NULL) ||
      !g_markup_parse_context_parse (context, "</markup>", -1, NULL) ||
      !g_markup_parse_context_end_parse (context, NULL))
    return NULL;
  return drop_blank_lines (out->str);
}

/* ---- WebVTT ---- */

void
ams_vtt_text_cue_free (AmsVttTextCue *cue)
{
  g_free (cue->settings);
  g_free (cue->payload);
  g_free (cue);
}

static gboolean
take_digits (const gchar **p, guint min, guint max, guint *number)
{
  guint n = 0;

  for (*number = 0; g_ascii_isdigit (**p) && n < max; ++*p, n++)
    *number = *number * 10 + (**p - '0');
  return n >= min;
}

static gboolean
take_char (const gchar **p, gchar c)
{
  if (**p != c)
    return FALSE;
  ++*p;
  return TRUE;
}

/* "01:02:03.004" or "02:03.004". */
static gboolean
take_time (const gchar **p, gint64 *time)
{
  guint hours = 0, minutes, seconds, ms;

  if (!take_digits (p, 2, MAX_HOUR_DIGITS, &minutes) || !take_char (p, ':') ||
      !take_digits (p, 2, 2, &seconds))
    return FALSE;
  if (take_char (p, ':')) {
    hours = minutes;
    minutes = seconds;
    if (!take_digits (p, 2, 2, &seconds))
      return FALSE;
  }
  if (!take_char (p, '.') || !take_digits (p, 3, 3, &ms) || minutes > 59 ||
      seconds > 59)
    return FALSE;
  *time = (((gint64) hours * 60 + minutes) * 60 + seconds) * 1000 * MS +
      (gint64) ms * MS;
  return TRUE;
}

static void
skip_blanks (const gchar **p)
{
  *p += strspn (*p, " \t");
}

static gboolean
has_arrow (const gchar *line)
{
  return strstr (line, ARROW) != NULL;
}

/* (transfer full) (nullable) */
static AmsVttTextCue *
read_timing (const gchar *p)
{
  AmsVttTextCue cue = { 0 };

  skip_blanks (&p);
  if (!take_time (&p, &cue.start))
    return NULL;
  skip_blanks (&p);
  if (!g_str_has_prefix (p, ARROW))
    return NULL;
  p += strlen (ARROW);
  skip_blanks (&p);
  if (!take_time (&p, &cue.end) || cue.end < cue.start ||
      (*p != '\0' && *p != ' ' && *p != '\t'))
    return NULL;
  skip_blanks (&p);
  if (*p != '\0' && !has_arrow (p))
    cue.settings = g_strchomp (g_strdup (p));
  return g_memdup2 (&cue, sizeof cue);
}

static gboolean
is_left_out (const gchar *line)
{
  static const gchar *const blocks[] = { "WEBVTT", "NOTE", "STYLE", "REGION" };

  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++) {
    gsize len = strlen (blocks[i]);

    if (strncmp (line, blocks[i], len) == 0 &&
        (line[len] == '\0' || line[len] == ' ' || line[len] == '\t'))
      return TRUE;
  }
  return FALSE;
}

/* An arrow that is left in a payload would be taken for a timing. */
static void
append_payload_line (GString *out, const gchar *line)
{
  g_auto (GStrv) parts = g_strsplit (line, ARROW, -1);
  g_autofree gchar *joined = g_strjoinv ("--&gt;", parts);

  if (out->len > 0)
    g_string_append_c (out, '\n');
  g_string_append (out, g_strchomp (joined));
}

static gchar *
read_payload (gchar **lines)
{
  GString *out = g_string_new (NULL);

  for (; *lines && !is_blank (*lines); lines++)
    append_payload_line (out, *lines);
  return g_string_free (out, FALSE);
}

static guint
count_block (gchar **lines)
{
  guint n = 0;

  while (lines[n] && !is_blank (lines[n]))
    n++;
  return n;
}

/* @lines: a block, its timing in its first or second line. */
static void
read_block (gchar **lines, guint n, GPtrArray *cues, gboolean *damaged)
{
  guint timing = has_arrow (lines[0]) ? 0 : 1;
  AmsVttTextCue *cue = NULL;

  if (is_left_out (lines[0]))
    return;
  if (timing < n)
    cue = read_timing (lines[timing]);
  if (!cue) {
    *damaged = TRUE;
    return;
  }
  cue->payload = read_payload (lines + timing + 1);
  g_ptr_array_add (cues, cue);
}

static AmsVttTextCue *
make_untimed (const gchar *text)
{
  AmsVttTextCue *cue = g_new0 (AmsVttTextCue, 1);

  cue->payload = drop_blank_lines (text);
  return cue;
}

GPtrArray *
ams_vtt_text_read_cues (const gchar *text, gboolean *damaged)
{
  GPtrArray *cues =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_vtt_text_cue_free);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint i = 0, n;

  *damaged = FALSE;
  if (!has_arrow (text) && !is_left_out (lines[0] ? lines[0] : "")) {
    g_ptr_array_add (cues, make_untimed (text));
    return cues;
  }
  while (lines[i]) {
    n = count_block (lines + i);
    if (n > 0)
      read_block (lines + i, n, cues, damaged);
    i += n + (lines[i + n] != NULL);
  }
  return cues;
}
