/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsnamesprivate.h"

#include <string.h>

/* More than a recording has: three years of it, cut each second. */
#define MANY_FILES 99999999
#define MAX_TEMPLATE 4096

/* addDateTimeToHlsFileName. */
#define DATE_TIME "{session:%Y-%m-%d_%H-%M-%S.%L}"

#define RENDITION "{rendition}"

/* What of a segment's date and time a template shows. */
enum
{
  PART_YEAR = 1 << 0,
  PART_MONTH = 1 << 1,
  PART_DAY = 1 << 2,
  PART_DATE = PART_YEAR | PART_MONTH | PART_DAY,
  PART_HALF_DAY_HOUR = 1 << 3,
  PART_HALF_DAY = 1 << 4,
  PART_HOUR = PART_HALF_DAY_HOUR | PART_HALF_DAY,
  PART_MINUTE = 1 << 5,
  PART_SECOND = 1 << 6,
  PART_FRACTION = 1 << 7,
  PART_ALL = (1 << 8) - 1,
};

static const struct
{
  gchar letter;
  guint digits;
  guint parts;
} conversions[] = {
  { 'Y', 4, PART_YEAR },
  { 'y', 2, PART_YEAR },
  { 'G', 4, 0 },
  { 'g', 2, 0 },
  { 'C', 2, 0 },
  { 'm', 2, PART_MONTH },
  { 'b', 0, PART_MONTH },
  { 'B', 0, PART_MONTH },
  { 'h', 0, PART_MONTH },
  { 'd', 2, PART_DAY },
  { 'e', 0, PART_DAY },
  { 'j', 3, PART_MONTH | PART_DAY },
  { 'H', 2, PART_HOUR },
  { 'k', 0, PART_HOUR },
  { 'I', 2, PART_HALF_DAY_HOUR },
  { 'l', 0, PART_HALF_DAY_HOUR },
  { 'p', 0, PART_HALF_DAY },
  { 'P', 0, PART_HALF_DAY },
  { 'M', 2, PART_MINUTE },
  { 'S', 2, PART_SECOND },
  { 'L', 3, PART_FRACTION },
  { 'f', 6, PART_FRACTION },
  { 'u', 1, 0 },
  { 'V', 2, 0 },
  { 'w', 1, 0 },
  { 's', 0, PART_DATE | PART_HOUR | PART_MINUTE | PART_SECOND },
};

G_DEFINE_QUARK (ams_names_error, ams_names_error)

static void
free_token (gpointer data)
{
  AmsNamesToken *token = data;

  g_string_free (token->text, TRUE);
  g_free (token);
}

void
ams_names_free (AmsNames *self)
{
  g_ptr_array_unref (self->tokens);
  g_free (self);
}

/* ---- reading a template ---- */

static AmsNamesToken *
add_token (AmsNames *self, AmsNamesTokenType type)
{
  AmsNamesToken *token = g_new0 (AmsNamesToken, 1);

  token->type = type;
  token->text = g_string_new (NULL);
  g_ptr_array_add (self->tokens, token);
  return token;
}

static void
add_literal (AmsNames *self, gchar c)
{
  AmsNamesToken *last = NULL;

  if (self->tokens->len > 0)
    last = g_ptr_array_index (self->tokens, self->tokens->len - 1);
  if (last == NULL || last->type != AMS_NAMES_TOKEN_LITERAL)
    last = add_token (self, AMS_NAMES_TOKEN_LITERAL);
  g_string_append_c (last->text, c);
}

static gboolean
fail_syntax (GError **error, const gchar *what, const gchar *where)
{
  g_autofree gchar *shown =
      g_utf8_substring (where, 0, MIN (g_utf8_strlen (where, -1), 20));

  g_set_error (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_SYNTAX,
      "%s at \"%s\" in a name template", what, shown);
  return FALSE;
}

/* @p: behind the "%". Returns what follows the conversion. */
static const gchar *
read_number (AmsNames *self, const gchar *p, GError **error)
{
  const gchar *start = p - 1;
  gboolean zero = *p == '0';
  guint width = 0;
  AmsNamesToken *token;

  if (zero)
    p++;
  if (*p == '0')
    return fail_syntax (error, "a width that is none", start), NULL;
  for (; g_ascii_isdigit (*p) && width <= AMS_NAMES_MAX_WIDTH; p++)
    width = width * 10 + (*p - '0');
  if (width > AMS_NAMES_MAX_WIDTH)
    return fail_syntax (error, "a width of more than 20", start), NULL;
  if (*p == 'j')
    p++;
  else if (*p == 'l')
    p += p[1] == 'l' ? 2 : 1;
  if (*p != 'd' && *p != 'i' && *p != 'u')
    return fail_syntax (error, "a conversion other than %d", start), NULL;
  if (self->number >= 0)
    return fail_syntax (error, "a second number", start), NULL;

  self->number = self->tokens->len;
  token = add_token (self, AMS_NAMES_TOKEN_NUMBER);
  token->zero = zero;
  token->width = width;
  return p + 1;
}

static void
classify_conversion (AmsNames *self, AmsNamesToken *token)
{
  gboolean plain = token->text->len == 2;
  gchar letter = token->text->str[token->text->len - 1];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (conversions); i++) {
    if (conversions[i].letter != letter)
      continue;
    /* A flag or the locale's own digits change what it looks like. */
    if (plain)
      token->digits = conversions[i].digits;
    if (token->type == AMS_NAMES_TOKEN_SEGMENT)
      self->segment_parts |= conversions[i].parts;
  }
}

static void
add_conversion (AmsNames *self, AmsNamesTokenType type, const gchar *text,
    gsize len)
{
  AmsNamesToken *token = add_token (self, type);

  g_string_append_len (token->text, text, len);
  classify_conversion (self, token);
}

/* These are several conversions in one. */
static const gchar *
expand_composite (const gchar *text, gsize len)
{
  if (len != 2)
    return NULL;
  switch (text[1]) {
    case 'F':
      return "%Y-%m-%d";
    case 'T':
      return "%H:%M:%S";
    case 'R':
      return "%H:%M";
    default:
      return NULL;
  }
}

static gboolean
read_date_format (AmsNames *self, AmsNamesTokenType type, const gchar *p,
    const gchar *end, GError **error)
{
  while (p < end) {
    const gchar *start = p, *composite;

    if (*p++ != '%') {
      add_literal (self, *start);
      continue;
    }
    while (p < end && strchr ("_-0^#OE:", *p) != NULL)
      p++;
    if (p == end || (guchar) *p < 0x21 || (guchar) *p > 0x7e)
      return fail_syntax (error, "an unfinished conversion", start);
    p++;
    composite = expand_composite (start, p - start);
    if (composite != NULL) {
      if (!read_date_format (self, type, composite,
              composite + strlen (composite), error))
        return FALSE;
    } else if (p - start == 2 && start[1] == '%') {
      add_literal (self, '%');
    } else {
      add_conversion (self, type, start, p - start);
    }
  }
  return TRUE;
}

/* @p: behind the "{". Returns what follows the "}". */
static const gchar *
read_brace (AmsNames *self, const gchar *p, GError **error)
{
  const gchar *start = p - 1;
  const gchar *end = strchr (p, '}');
  AmsNamesTokenType type;

  if (end == NULL)
    return fail_syntax (error, "a brace that is not closed", start), NULL;
  if (g_str_has_prefix (p, "session:"))
    type = AMS_NAMES_TOKEN_SESSION;
  else if (g_str_has_prefix (p, "segment:"))
    type = AMS_NAMES_TOKEN_SEGMENT;
  else
    return fail_syntax (error, "a brace of unknown meaning", start), NULL;

  p += strlen ("session:");
  if (p == end)
    return fail_syntax (error, "a brace without a format", start), NULL;
  if (type == AMS_NAMES_TOKEN_SESSION)
    self->has_session = TRUE;
  else
    self->has_segment = TRUE;
  if (!read_date_format (self, type, p, end, error))
    return NULL;
  return end + 1;
}

static gboolean
read_template (AmsNames *self, const gchar *p, GError **error)
{
  while (p != NULL && *p != '\0') {
    if ((*p == '%' || *p == '{' || *p == '}') && p[1] == *p) {
      add_literal (self, *p);
      p += 2;
    } else if (*p == '%') {
      p = read_number (self, p + 1, error);
    } else if (*p == '{') {
      p = read_brace (self, p + 1, error);
    } else if (*p == '}') {
      return fail_syntax (error, "a brace that was not opened", p);
    } else {
      add_literal (self, *p++);
    }
  }
  return p != NULL;
}

/* Behind the brace, percent sign or character at @p. Is lenient: what is wrong
 * is found when the result is read. */
static const gchar *
skip_item (const gchar *p)
{
  const gchar *end;

  if ((*p == '%' || *p == '{' || *p == '}') && p[1] == *p)
    return p + 2;
  if (*p == '{' && (end = strchr (p, '}')) != NULL)
    return end + 1;
  return p + 1;
}

static gboolean
is_rendition (const gchar *p)
{
  return g_str_has_prefix (p, RENDITION);
}

/* Where the date and time goes: at the number or the rendition, if the last part
 * of the path has one, else before the extension. */
static gsize
find_date_time_place (const gchar *template_, gsize *base, gboolean *number)
{
  const gchar *p, *next, *place = NULL, *base_start = template_;

  *number = FALSE;
  for (p = template_; *p != '\0'; p = next) {
    gboolean conversion;

    next = skip_item (p);
    conversion = (*p == '%' && next == p + 1) || is_rendition (p);
    if (memchr (p, '/', next - p) != NULL) {
      base_start = next;
      place = NULL;
      *number = FALSE;
    } else if (conversion && !*number) {
      place = p;
      *number = TRUE;
    } else if (*p == '.' && p > base_start && !*number) {
      place = p;
    }
  }
  *base = base_start - template_;
  return (place != NULL ? place : p) - template_;
}

static gchar *
insert_date_time (const gchar *template_)
{
  gsize base, place;
  gboolean number;
  g_autoptr (GString) out = g_string_new (template_);

  place = find_date_time_place (template_, &base, &number);
  if (number && place > base && strchr ("-_.", template_[place - 1]) != NULL)
    place--;
  else if (number)
    g_string_insert (out, place, "-");
  g_string_insert (out, place, DATE_TIME);
  if (place > base)
    g_string_insert (out, place, "-");
  return g_strdup (out->str);
}

/* ---- renditions ---- */

gboolean
ams_names_has_rendition (const gchar *template_)
{
  for (const gchar *p = template_; *p != '\0'; p = skip_item (p)) {
    if (is_rendition (p))
      return TRUE;
  }
  return FALSE;
}

/* Behind the conversion of a number at @p; NULL: there is none. */
static const gchar *
skip_number (const gchar *p)
{
  if (*p != '%' || p[1] == '%')
    return NULL;
  p++;
  p += strspn (p, "0123456789");
  p += strspn (p, "jl");
  return *p == 'd' || *p == 'i' || *p == 'u' ? p + 1 : NULL;
}

static void
append_escaped (GString *out, const gchar *text)
{
  for (; *text != '\0'; text++) {
    if (strchr ("%{}", *text) != NULL)
      g_string_append_c (out, *text);
    g_string_append_c (out, *text);
  }
}

/* @p: behind "{rendition}". Returns what follows. */
static const gchar *
leave_rendition_out (GString *out, const gchar *p)
{
  gboolean begins = out->len == 0 || out->str[out->len - 1] == '/';

  if (begins)
    return *p == '/' ? p + 1 : p;
  if (strchr ("-_.", out->str[out->len - 1]) != NULL)
    g_string_truncate (out, out->len - 1);
  return p;
}

/* @p: behind "{rendition}". */
static void
append_rendition (GString *out, const gchar *rendition, gboolean after_number,
    const gchar *p)
{
  if (after_number && g_ascii_isdigit (*rendition))
    g_string_append_c (out, '_');
  append_escaped (out, rendition);
  if (g_ascii_isdigit (rendition[strlen (rendition) - 1]) &&
      skip_number (p) != NULL)
    g_string_append_c (out, '_');
}

gchar *
ams_names_resolve (const gchar *template_, const gchar *rendition,
    gboolean add_date_time)
{
  g_autofree gchar *dated =
      add_date_time ? insert_date_time (template_) : g_strdup (template_);
  GString *out = g_string_new (NULL);
  const gchar *p = dated, *next;
  gboolean after_number = FALSE;

  while (*p != '\0') {
    if (is_rendition (p)) {
      p += strlen (RENDITION);
      if (*rendition == '\0')
        p = leave_rendition_out (out, p);
      else
        append_rendition (out, rendition, after_number, p);
      after_number = FALSE;
      continue;
    }
    next = skip_number (p);
    after_number = next != NULL;
    if (next == NULL)
      next = skip_item (p);
    g_string_append_len (out, p, next - p);
    p = next;
  }
  return g_string_free (out, FALSE);
}

/* ---- making names ---- */

static gboolean
fail_escapes (GError **error, const gchar *name, const gchar *what)
{
  g_autofree gchar *shown = g_strescape (name, NULL);

  g_set_error (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_ESCAPES,
      "the name \"%s\" %s", shown, what);
  return FALSE;
}

gboolean
ams_names_check (const gchar *name, GError **error)
{
  g_auto (GStrv) parts = NULL;
  const gchar *p;
  guint i;

  if (strlen (name) > AMS_NAMES_MAX_LENGTH)
    return fail_escapes (error, name, "is too long");
  if (!g_utf8_validate (name, -1, NULL))
    return fail_escapes (error, name, "is not UTF-8");
  for (p = name; *p != '\0'; p = g_utf8_next_char (p)) {
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return fail_escapes (error, name, "has a control character");
  }
  if (*name == '/')
    return fail_escapes (error, name, "is absolute");

  parts = g_strsplit (name, "/", -1);
  if (parts[0] == NULL)
    return fail_escapes (error, name, "is empty");
  for (i = 0; parts[i] != NULL; i++) {
    if (g_str_equal (parts[i], "") || g_str_equal (parts[i], ".") ||
        g_str_equal (parts[i], ".."))
      return fail_escapes (error, name, "has an empty, \".\" or \"..\" part");
  }
  return TRUE;
}

static gboolean
append_date (GString *out, const AmsNamesToken *token, GDateTime *date,
    GError **error)
{
  g_autofree gchar *text = NULL;

  if (g_str_equal (token->text->str, "%L")) {
    g_string_append_printf (out, "%03d",
        g_date_time_get_microsecond (date) / 1000);
    return TRUE;
  }
  text = g_date_time_format (date, token->text->str);
  if (text == NULL)
    return fail_syntax (error, "a date format that is not understood",
        token->text->str);
  if (strchr (text, '/') != NULL)
    return fail_syntax (error, "a date format that makes a \"/\"",
        token->text->str);
  g_string_append (out, text);
  return TRUE;
}

void
ams_names_append_number (GString *out, const AmsNamesToken *token,
    guint64 number)
{
  gchar digits[32];
  gsize len, i;

  len = g_snprintf (digits, sizeof digits, "%" G_GUINT64_FORMAT, number);
  for (i = len; i < token->width; i++)
    g_string_append_c (out, token->zero ? '0' : ' ');
  g_string_append_len (out, digits, len);
}

gchar *
ams_names_format (const AmsNames *self, guint64 number, GDateTime *session,
    GDateTime *segment, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  guint i;

  for (i = 0; i < self->tokens->len; i++) {
    const AmsNamesToken *token = ams_names_get_token (self, i);
    GDateTime *date =
        token->type == AMS_NAMES_TOKEN_SEGMENT ? segment : session;

    if (token->type == AMS_NAMES_TOKEN_LITERAL)
      g_string_append_len (out, token->text->str, token->text->len);
    else if (token->type == AMS_NAMES_TOKEN_NUMBER)
      ams_names_append_number (out, token, number);
    else if (!append_date (out, token, date, error))
      return NULL;
  }
  if (!ams_names_check (out->str, error))
    return NULL;
  return g_strdup (out->str);
}

/* From the first "_" that stands for something on, folders are names. */
static void
flatten (GString *out, gsize first)
{
  for (gsize i = first; i < out->len; i++)
    if (out->str[i] == '/')
      out->str[i] = '_';
}

gchar *
ams_names_format_family (const AmsNames *self, GDateTime *session,
    GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gsize first = G_MAXSIZE;
  guint i;

  for (i = 0; i < self->tokens->len; i++) {
    const AmsNamesToken *token = ams_names_get_token (self, i);

    if (token->type == AMS_NAMES_TOKEN_LITERAL) {
      g_string_append_len (out, token->text->str, token->text->len);
    } else if (token->type == AMS_NAMES_TOKEN_SESSION) {
      if (!append_date (out, token, session, error))
        return NULL;
    } else {
      first = MIN (first, out->len);
      g_string_append_c (out, '_');
    }
  }
  flatten (out, first);
  if (!ams_names_check (out->str, error))
    return NULL;
  return g_strdup (out->str);
}

static gboolean
check_kind (const AmsNames *self, AmsNamesKind kind, const gchar *template_,
    GError **error)
{
  if (kind == AMS_NAMES_PLAYLIST && (self->number >= 0 || self->has_segment)) {
    g_set_error (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_SYNTAX,
        "a playlist's name has neither a number nor a segment's time: "
        "\"%s\"",
        template_);
    return FALSE;
  }
  if (kind == AMS_NAMES_SEGMENT && self->number < 0 &&
      self->segment_parts != PART_ALL) {
    g_set_error (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_NOT_UNIQUE,
        "\"%s\" does not give each segment a name of its own: it needs %%d, "
        "or {segment:} with the whole date and time and %%L",
        template_);
    return FALSE;
  }
  return TRUE;
}

static gboolean
try_format (const AmsNames *self, GError **error)
{
  g_autoptr (GDateTime) date = g_date_time_new_utc (2026, 11, 22, 10, 46, 4.5);
  g_autofree gchar *name = ams_names_format (self, 1, date, date, error);

  return name != NULL;
}

AmsNames *
ams_names_new (const gchar *template_, AmsNamesKind kind,
    gboolean add_date_time, GError **error)
{
  g_autoptr (AmsNames) self = g_new0 (AmsNames, 1);
  g_autofree gchar *dated = NULL;

  self->tokens = g_ptr_array_new_with_free_func (free_token);
  self->number = -1;
  if (strlen (template_) > MAX_TEMPLATE ||
      !g_utf8_validate (template_, -1, NULL)) {
    g_set_error_literal (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_SYNTAX,
        "a name template that is not UTF-8, or too long");
    return NULL;
  }
  if (add_date_time)
    template_ = dated = insert_date_time (template_);
  if (!read_template (self, template_, error) ||
      !check_kind (self, kind, template_, error) || !try_format (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

const gchar *
ams_names_prefix (const AmsNames *self)
{
  const AmsNamesToken *first = ams_names_get_token (self, 0);

  return first->type == AMS_NAMES_TOKEN_LITERAL ? first->text->str : "";
}

gboolean
ams_names_has_number (const AmsNames *self)
{
  return self->number >= 0;
}

gboolean
ams_names_has_session (const AmsNames *self)
{
  return self->has_session;
}

gboolean
ams_names_has_segment (const AmsNames *self)
{
  return self->has_segment;
}

gboolean
ams_names_fit (const gchar *template_, AmsNamesKind kind,
    gboolean add_date_time, GTimeZone *zone, gsize max, GError **error)
{
  g_autoptr (AmsNames) names =
      ams_names_new (template_, kind, add_date_time, NULL);
  g_autoptr (GDateTime) date = g_date_time_new_now (zone);
  g_autofree gchar *name =
      names ? ams_names_format (names, MANY_FILES, date, date, NULL) : NULL;
  g_auto (GStrv) parts = name ? g_strsplit (name, "/", -1) : NULL;

  for (guint i = 0; parts && parts[i]; i++) {
    if (strlen (parts[i]) <= max)
      continue;
    g_set_error (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_SYNTAX,
        "%s: \"%s\" gives names like \"%s\" of %" G_GSIZE_FORMAT
        " bytes, and the file system takes %" G_GSIZE_FORMAT
        " at most: choose a shorter one",
        kind == AMS_NAMES_SEGMENT ? "location" : "playlist-location", template_,
        parts[i], strlen (parts[i]), max);
    return FALSE;
  }
  return TRUE;
}
