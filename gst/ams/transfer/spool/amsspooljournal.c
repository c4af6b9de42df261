/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/spool/amsspooljournal.h"

#include <string.h>

#define FORMAT_VERSION 1
/* Hex digits of SHA-256: against accidents, not against people. */
#define CHECKSUM_LENGTH 16
/* A name has at most 1024 bytes, a path 4096, each at most thrice as long when
 * encoded; `failed` is the only list. A longer line was not written by us. */
#define MAX_LINE (1024 * 1024)

static const gchar *const type_nicks[] = {
  [AMS_SPOOL_RECORD_BEGUN] = "begun",
  [AMS_SPOOL_RECORD_COMMITTED] = "committed",
  [AMS_SPOOL_RECORD_REMOVE] = "remove",
  [AMS_SPOOL_RECORD_SETTLED] = "settled",
  [AMS_SPOOL_RECORD_FAILED] = "failed",
};

static const gchar *const kind_nicks[] = {
  [AMS_SPOOL_PUT] = "put",
  [AMS_SPOOL_REMOVE] = "remove",
  [AMS_SPOOL_NOTIFY] = "notify",
};

static const gchar *const place_nicks[] = {
  [AMS_SPOOL_PLACE_FILE] = "file",
  [AMS_SPOOL_PLACE_AWAITED] = "awaited",
  [AMS_SPOOL_PLACE_LOCAL] = "local",
};

static const gchar *const fate_nicks[] = {
  [AMS_SPOOL_STORED] = "stored",
  [AMS_SPOOL_DROPPED] = "dropped",
  [AMS_SPOOL_GIVEN_UP] = "given-up",
  [AMS_SPOOL_WITHHELD] = "withheld",
};

const gchar *
ams_spool_fate_get_nick (AmsSpoolFate fate)
{
  return fate_nicks[fate];
}

void
ams_spool_record_clear (AmsSpoolRecord *record)
{
  ams_file_begin_clear (&record->begin);
}

void
ams_spool_record_free (AmsSpoolRecord *record)
{
  ams_spool_record_clear (record);
  g_free (record);
}

/* Writing */

static void
add_text (GString *line, const gchar *key, const gchar *value)
{
  g_string_append_printf (line, " %s=", key);
  for (const gchar *p = value; *p; p++) {
    guchar c = *p;

    if (c <= ' ' || c == '%' || c == 0x7f)
      g_string_append_printf (line, "%%%02X", c);
    else
      g_string_append_c (line, c);
  }
}

static void
add_number (GString *line, const gchar *key, guint64 value)
{
  g_string_append_printf (line, " %s=%" G_GUINT64_FORMAT, key, value);
}

static void
add_time (GString *line, const gchar *key, gint64 value)
{
  g_string_append_printf (line, " %s=%" G_GINT64_FORMAT, key, value);
}

static void
add_begin (GString *line, const AmsFileBegin *begin)
{
  add_text (line, "name", begin->name);
  add_text (line, "role", ams_file_role_to_string (begin->role));
  if (begin->content_type)
    add_text (line, "type", begin->content_type);
  if (begin->version)
    add_number (line, "version", begin->version);
  if (begin->extends)
    add_number (line, "extends", begin->extends);
  if (begin->final)
    add_number (line, "final", 1);
  for (guint i = 0; begin->failed && begin->failed[i]; i++)
    add_text (line, "failed", begin->failed[i]);
  if (begin->local_path)
    add_text (line, "local", begin->local_path);
  if (begin->by_reference)
    add_number (line, "reference", 1);
  if (begin->date_time)
    add_time (line, "date", begin->date_time);
  if (begin->discontinuity)
    add_number (line, "discontinuity", 1);
}

static void
add_body (GString *line, const AmsSpoolRecord *record)
{
  add_text (line, "kind", kind_nicks[record->kind]);
  if (record->kind == AMS_SPOOL_PUT)
    add_begin (line, &record->begin);
}

static void
add_fields (GString *line, const AmsSpoolRecord *record)
{
  switch (record->type) {
    case AMS_SPOOL_RECORD_BEGUN:
      add_body (line, record);
      break;
    case AMS_SPOOL_RECORD_COMMITTED:
      add_number (line, "order", record->order);
      add_text (line, "place", place_nicks[record->place]);
      add_number (line, "size", record->size);
      add_time (line, "mtime", record->mtime);
      add_body (line, record);
      break;
    case AMS_SPOOL_RECORD_REMOVE:
      add_number (line, "order", record->order);
      add_time (line, "after", record->after);
      add_text (line, "name", record->begin.name);
      break;
    case AMS_SPOOL_RECORD_SETTLED:
      add_text (line, "fate", fate_nicks[record->fate]);
      break;
    case AMS_SPOOL_RECORD_FAILED:
      add_text (line, "role", ams_file_role_to_string (record->begin.role));
      add_text (line, "name", record->begin.name);
      break;
  }
}

static gchar *
compute_checksum (const gchar *fields, gsize length)
{
  gchar *checksum = g_compute_checksum_for_data (G_CHECKSUM_SHA256,
      (const guchar *) fields, length);

  checksum[CHECKSUM_LENGTH] = '\0';
  return checksum;
}

void
ams_spool_journal_write_line (GString *text, const gchar *fields)
{
  g_autofree gchar *checksum = compute_checksum (fields, strlen (fields));

  g_string_append_printf (text, "%s %s\n", checksum, fields);
}

void
ams_spool_journal_write_head (GString *text)
{
  ams_spool_journal_write_line (text,
      "spool version=" G_STRINGIFY (FORMAT_VERSION));
}

void
ams_spool_journal_write (GString *text, const AmsSpoolRecord *record)
{
  g_autoptr (GString) line = g_string_new (type_nicks[record->type]);

  add_number (line, "id", record->id);
  add_fields (line, record);
  ams_spool_journal_write_line (text, line->str);
}

/* Reading */

static gboolean
decode (gchar *value)
{
  gchar *out = value;

  for (const gchar *p = value; *p; p++) {
    if (*p != '%') {
      *out++ = *p;
      continue;
    }
    if (!g_ascii_isxdigit (p[1]) || !g_ascii_isxdigit (p[2]))
      return FALSE;
    *out = g_ascii_xdigit_value (p[1]) << 4 | g_ascii_xdigit_value (p[2]);
    if (*out++ == '\0')
      return FALSE;
    p += 2;
  }
  *out = '\0';
  return TRUE;
}

static gboolean
parse_number (const gchar *value, guint64 *number)
{
  return g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT64, number, NULL);
}

static gboolean
parse_time (const gchar *value, gint64 *time)
{
  return g_ascii_string_to_signed (value, 10, G_MININT64, G_MAXINT64, time,
      NULL);
}

static gboolean
parse_flag (const gchar *value, gboolean *flag)
{
  *flag = TRUE;
  return g_str_equal (value, "1");
}

static gint
find_nick (const gchar *const *nicks, guint n, const gchar *nick)
{
  for (guint i = 0; i < n; i++) {
    if (g_str_equal (nicks[i], nick))
      return i;
  }
  return -1;
}

#define FIND_NICK(nicks, nick) find_nick (nicks, G_N_ELEMENTS (nicks), nick)

/* What was said in a line, beside the record: which fields were there, and the
 * list that is to become begin.failed. */
enum
{
  HAS_ID = 1 << 0,
  HAS_KIND = 1 << 1,
  HAS_NAME = 1 << 2,
  HAS_ROLE = 1 << 3,
  HAS_ORDER = 1 << 4,
  HAS_PLACE = 1 << 5,
  HAS_SIZE = 1 << 6,
  HAS_MTIME = 1 << 7,
  HAS_AFTER = 1 << 8,
  HAS_FATE = 1 << 9,
};

typedef struct
{
  AmsSpoolRecord *record;
  guint has;
  GStrvBuilder *failed;
  guint n_failed;
} Line;

static gboolean
take_nick (Line *line, guint flag, gint nick, guint *value)
{
  line->has |= flag;
  if (nick < 0)
    return FALSE;
  *value = nick;
  return TRUE;
}

static gboolean
take_text (gchar **field, const gchar *value)
{
  g_free (*field);
  *field = g_strdup (value);
  return TRUE;
}

static gboolean
take_name (Line *line, const gchar *value)
{
  line->has |= HAS_NAME;
  take_text (&line->record->begin.name, value);
  return ams_file_name_check (value, NULL);
}

static gboolean
take_failed (Line *line, const gchar *value)
{
  g_strv_builder_add (line->failed, value);
  line->n_failed++;
  return TRUE;
}

static gboolean
take_role (Line *line, const gchar *value)
{
  line->has |= HAS_ROLE;
  return ams_file_role_from_string (value, &line->record->begin.role);
}

static gboolean
take_begin_field (Line *line, const gchar *key, const gchar *value)
{
  AmsFileBegin *begin = &line->record->begin;

  if (g_str_equal (key, "name"))
    return take_name (line, value);
  if (g_str_equal (key, "role"))
    return take_role (line, value);
  if (g_str_equal (key, "type"))
    return take_text (&begin->content_type, value);
  if (g_str_equal (key, "version"))
    return parse_number (value, &begin->version);
  if (g_str_equal (key, "extends"))
    return parse_number (value, &begin->extends);
  if (g_str_equal (key, "final"))
    return parse_flag (value, &begin->final);
  if (g_str_equal (key, "failed"))
    return take_failed (line, value);
  if (g_str_equal (key, "local"))
    return take_text (&begin->local_path, value) && g_path_is_absolute (value);
  if (g_str_equal (key, "reference"))
    return parse_flag (value, &begin->by_reference);
  if (g_str_equal (key, "date"))
    return parse_time (value, &begin->date_time);
  if (g_str_equal (key, "discontinuity"))
    return parse_flag (value, &begin->discontinuity);
  return FALSE;
}

static gboolean
take_number (Line *line, guint flag, const gchar *value, guint64 *number)
{
  line->has |= flag;
  return parse_number (value, number);
}

static gboolean
take_time (Line *line, guint flag, const gchar *value, gint64 *time)
{
  line->has |= flag;
  return parse_time (value, time);
}

/* What is added to it must not overflow. */
static gboolean
take_after (Line *line, const gchar *value)
{
  gint64 *after = &line->record->after;

  if (!take_time (line, HAS_AFTER, value, after))
    return FALSE;
  *after = CLAMP (*after, 0, AMS_SPOOL_MAX_AFTER);
  return TRUE;
}

static gboolean
take_field (Line *line, const gchar *key, const gchar *value)
{
  AmsSpoolRecord *record = line->record;

  if (g_str_equal (key, "id"))
    return take_number (line, HAS_ID, value, &record->id);
  if (g_str_equal (key, "order"))
    return take_number (line, HAS_ORDER, value, &record->order);
  if (g_str_equal (key, "size"))
    return take_number (line, HAS_SIZE, value, &record->size);
  if (g_str_equal (key, "mtime"))
    return take_time (line, HAS_MTIME, value, &record->mtime);
  if (g_str_equal (key, "after"))
    return take_after (line, value);
  if (g_str_equal (key, "kind"))
    return take_nick (line, HAS_KIND, FIND_NICK (kind_nicks, value),
        &record->kind);
  if (g_str_equal (key, "place"))
    return take_nick (line, HAS_PLACE, FIND_NICK (place_nicks, value),
        &record->place);
  if (g_str_equal (key, "fate"))
    return take_nick (line, HAS_FATE, FIND_NICK (fate_nicks, value),
        &record->fate);
  return take_begin_field (line, key, value);
}

/* A body has to be somewhere, and only a file's is ever at a path. */
static gboolean
has_place (const AmsSpoolRecord *record)
{
  return record->place == AMS_SPOOL_PLACE_FILE ||
      (record->kind == AMS_SPOOL_PUT && record->begin.local_path);
}

static gboolean
is_complete (const Line *line)
{
  static const guint needed[] = {
    [AMS_SPOOL_RECORD_BEGUN] = HAS_ID | HAS_KIND,
    [AMS_SPOOL_RECORD_COMMITTED] =
        HAS_ID | HAS_KIND | HAS_ORDER | HAS_PLACE | HAS_SIZE | HAS_MTIME,
    [AMS_SPOOL_RECORD_REMOVE] = HAS_ID | HAS_ORDER | HAS_AFTER | HAS_NAME,
    [AMS_SPOOL_RECORD_SETTLED] = HAS_ID | HAS_FATE,
    [AMS_SPOOL_RECORD_FAILED] = HAS_ID | HAS_ROLE | HAS_NAME,
  };
  const AmsSpoolRecord *record = line->record;
  guint need = needed[record->type];

  if ((need & HAS_KIND) && record->kind == AMS_SPOOL_PUT)
    need |= HAS_NAME | HAS_ROLE;
  if ((need & HAS_KIND) && record->kind == AMS_SPOOL_REMOVE)
    return FALSE;
  if ((need & HAS_PLACE) && !has_place (record))
    return FALSE;
  /* What comes next must not overflow. */
  return (line->has & need) == need && record->id != 0 &&
      record->id < G_MAXINT64 && record->order < G_MAXINT64;
}

static gboolean
take_fields (Line *line, gchar *const *fields)
{
  for (guint i = 0; fields[i]; i++) {
    gchar *value = strchr (fields[i], '=');

    if (!value)
      return FALSE;
    *value++ = '\0';
    if (!decode (value) || !take_field (line, fields[i], value))
      return FALSE;
  }
  return is_complete (line);
}

/* NULL: this is not what we write. */
static AmsSpoolRecord *
parse_record (const gchar *text)
{
  g_auto (GStrv) fields = g_strsplit (text, " ", -1);
  g_autoptr (GStrvBuilder) failed = g_strv_builder_new ();
  Line line = { .failed = failed };
  gint type = fields[0] ? FIND_NICK (type_nicks, fields[0]) : -1;

  if (type < 0)
    return NULL;
  line.record = g_new0 (AmsSpoolRecord, 1);
  line.record->type = type;
  if (take_fields (&line, fields + 1)) {
    if (line.n_failed > 0)
      line.record->begin.failed = g_strv_builder_end (failed);
    return line.record;
  }
  ams_spool_record_free (line.record);
  return NULL;
}

/* What follows the checksum; NULL: it does not fit. (transfer full) */
static gchar *
check_line (const gchar *data, gsize length)
{
  const gchar *fields = data + CHECKSUM_LENGTH + 1;
  g_autofree gchar *checksum = NULL;

  if (length <= CHECKSUM_LENGTH + 1 || length > MAX_LINE ||
      data[CHECKSUM_LENGTH] != ' ' || memchr (data, '\0', length))
    return NULL;
  length -= CHECKSUM_LENGTH + 1;
  checksum = compute_checksum (fields, length);
  if (memcmp (checksum, data, CHECKSUM_LENGTH) != 0)
    return NULL;
  return g_strndup (fields, length);
}

static gboolean
read_head (AmsSpoolJournal *self, const gchar *fields)
{
  guint64 version;

  if (!g_str_has_prefix (fields, "spool version=") ||
      !parse_number (fields + strlen ("spool version="), &version))
    return FALSE;
  self->newer = version > FORMAT_VERSION;
  return version >= FORMAT_VERSION;
}

static gboolean
read_line (AmsSpoolJournal *self, gboolean first, const gchar *data,
    gsize length)
{
  g_autofree gchar *fields = check_line (data, length);
  AmsSpoolRecord *record;

  if (!fields)
    return FALSE;
  if (first)
    return read_head (self, fields);
  record = parse_record (fields);
  if (record)
    g_ptr_array_add (self->records, record);
  return record != NULL;
}

/* A process that ended as it began a journal leaves part of the first line. */
static gboolean
is_torn_head (const gchar *text, gsize size)
{
  g_autoptr (GString) head = g_string_new (NULL);

  ams_spool_journal_write_head (head);
  return size < head->len && memcmp (text, head->str, size) == 0;
}

AmsSpoolJournal *
ams_spool_journal_read (GBytes *data)
{
  AmsSpoolJournal *self = g_new0 (AmsSpoolJournal, 1);
  gsize size, at = 0;
  const gchar *text = g_bytes_get_data (data, &size);
  const gchar *end;
  gboolean broken = FALSE;

  self->records =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_spool_record_free);
  while (!self->newer && at < size &&
      (end = memchr (text + at, '\n', size - at))) {
    gboolean whole = read_line (self, at == 0, text + at, end - (text + at));

    self->damaged |= whole && broken;
    broken |= !whole;
    at = end + 1 - text;
    if (!broken)
      self->whole = at;
  }
  if (size > 0 && self->whole == 0 && !self->newer)
    self->damaged |= !is_torn_head (text, size);
  return self;
}

void
ams_spool_journal_free (AmsSpoolJournal *self)
{
  g_ptr_array_unref (self->records);
  g_free (self);
}
