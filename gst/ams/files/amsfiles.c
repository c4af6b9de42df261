/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "files/amsfiles.h"

#include "files/amsfilesanswers.h"

#include <gio/gio.h>
#include <string.h>

#define EVENT_BEGIN "ams-file-begin"
#define EVENT_END "ams-file-end"
#define EVENT_REMOVE "ams-file-remove"
#define EVENT_ADOPT "ams-file-adopt"
#define EVENT_FAILED "ams-file-failed"
#define EVENT_TAKEN "ams-file-taken"
#define QUERY_DRAIN "ams-files-drain"
#define EVENT_STORED "ams-file-stored"
#define QUERY_FETCH "ams-file-fetch"
#define QUERY_LIST "ams-file-list"

/* Of a drain query. */
#define FIELD_SINCE "since"

#define NAME_MAX_BYTES 1024

/* Roles, names */

static const gchar *const role_nicks[] = {
  [AMS_FILE_ROLE_OTHER] = "other",
  [AMS_FILE_ROLE_KEY] = "key",
  [AMS_FILE_ROLE_INIT] = "init",
  [AMS_FILE_ROLE_SEGMENT] = "segment",
  [AMS_FILE_ROLE_PLAYLIST] = "playlist",
  [AMS_FILE_ROLE_MASTER] = "master",
};

const gchar *
ams_file_role_to_string (AmsFileRole role)
{
  g_return_val_if_fail ((guint) role < G_N_ELEMENTS (role_nicks), "other");

  return role_nicks[role];
}

gboolean
ams_file_role_from_string (const gchar *string, AmsFileRole *role)
{
  for (guint i = 0; i < G_N_ELEMENTS (role_nicks); i++) {
    if (g_strcmp0 (string, role_nicks[i]) == 0) {
      *role = i;
      return TRUE;
    }
  }
  return FALSE;
}

static const struct
{
  const gchar *suffix, *type;
} suffix_types[] = {
  { ".m3u8", "application/vnd.apple.mpegurl" },
  { ".m3u", "application/vnd.apple.mpegurl" },
  { ".ts", "video/mp2t" },
  { ".m4s", "video/iso.segment" },
  { ".cmfv", "video/mp4" },
  { ".cmfa", "audio/mp4" },
  { ".mp4", "video/mp4" },
  { ".m4a", "audio/mp4" },
  { ".aac", "audio/aac" },
  { ".mp3", "audio/mpeg" },
  { ".vtt", "text/vtt" },
};

static const gchar *
type_from_suffix (const gchar *name)
{
  g_autofree gchar *lower = g_ascii_strdown (name, -1);

  for (guint i = 0; i < G_N_ELEMENTS (suffix_types); i++) {
    if (g_str_has_suffix (lower, suffix_types[i].suffix))
      return suffix_types[i].type;
  }
  return NULL;
}

const gchar *
ams_file_content_type (AmsFileRole role, const gchar *name)
{
  const gchar *type = type_from_suffix (name);

  if (role == AMS_FILE_ROLE_PLAYLIST || role == AMS_FILE_ROLE_MASTER)
    return "application/vnd.apple.mpegurl";
  if (type)
    return type;
  if (role == AMS_FILE_ROLE_SEGMENT)
    return "video/mp2t";
  if (role == AMS_FILE_ROLE_INIT)
    return "video/mp4";
  return "application/octet-stream";
}

static gboolean
part_is_ok (const gchar *part, gsize length)
{
  if (length == 0)
    return FALSE;
  if (part[0] == '.' && length == 1)
    return FALSE;
  return !(length == 2 && part[0] == '.' && part[1] == '.');
}

static gboolean
has_control_character (const gchar *name)
{
  for (const gchar *p = name; *p; p = g_utf8_next_char (p)) {
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return TRUE;
  }
  return FALSE;
}

/* What is wrong with @name, or NULL. */
static const gchar *
name_fault (const gchar *name)
{
  const gchar *part = name, *end;

  if (!name || !*name)
    return "it is empty";
  if (strlen (name) > NAME_MAX_BYTES)
    return "it is longer than 1024 bytes";
  if (!g_utf8_validate (name, -1, NULL))
    return "it is not UTF-8";
  if (has_control_character (name))
    return "it has a control character";
  if (name[0] == '/')
    return "it is not relative";
  do {
    end = strchrnul (part, '/');
    if (!part_is_ok (part, end - part))
      return "it has an empty, \".\" or \"..\" part";
    part = end + 1;
  } while (*end);
  return NULL;
}

gboolean
ams_file_name_check (const gchar *name, GError **error)
{
  const gchar *fault = name_fault (name);
  g_autofree gchar *shown = NULL;

  if (!fault)
    return TRUE;
  shown = g_utf8_make_valid (name ? name : "", name ? strnlen (name, 256) : 0);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
      "“%s” cannot be the name of a file: %s", shown, fault);
  return FALSE;
}

/* Fields */

static gchar *
dup_name (const GstStructure *s)
{
  const gchar *name = gst_structure_get_string (s, "name");

  return name_fault (name) ? NULL : g_strdup (name);
}

static const GstStructure *
event_fields (GstEvent *event, GstEventType type, const gchar *name)
{
  const GstStructure *s;

  if (GST_EVENT_TYPE (event) != type)
    return NULL;
  s = gst_event_get_structure (event);
  return s && gst_structure_has_name (s, name) ? s : NULL;
}

/* Names travel as an array, which (unlike a GStrv) gst_structure_to_string()
 * can show in all versions. */
static void
set_names (GstStructure *s, const gchar *field, GStrv names)
{
  GValue array = G_VALUE_INIT, item = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  g_value_init (&item, G_TYPE_STRING);
  for (guint i = 0; names[i]; i++) {
    g_value_set_string (&item, names[i]);
    gst_value_array_append_value (&array, &item);
  }
  g_value_unset (&item);
  gst_structure_take_value (s, field, &array);
}

static GStrv
get_names (const GstStructure *s, const gchar *field)
{
  const GValue *array = gst_structure_get_value (s, field);
  g_autoptr (GStrvBuilder) names = NULL;

  if (!array || !GST_VALUE_HOLDS_ARRAY (array))
    return NULL;
  names = g_strv_builder_new ();
  for (guint i = 0; i < gst_value_array_get_size (array); i++) {
    const GValue *item = gst_value_array_get_value (array, i);

    if (G_VALUE_HOLDS_STRING (item) && g_value_get_string (item))
      g_strv_builder_add (names, g_value_get_string (item));
  }
  return g_strv_builder_end (names);
}

/* ams-file-begin */

void
ams_file_begin_clear (AmsFileBegin *begin)
{
  g_clear_pointer (&begin->name, g_free);
  g_clear_pointer (&begin->content_type, g_free);
  g_clear_pointer (&begin->failed, g_strfreev);
  g_clear_pointer (&begin->renamed, g_strfreev);
  g_clear_pointer (&begin->local_path, g_free);
}

void
ams_file_begin_copy (AmsFileBegin *to, const AmsFileBegin *from)
{
  *to = *from;
  to->name = g_strdup (from->name);
  to->content_type = g_strdup (from->content_type);
  to->failed = g_strdupv (from->failed);
  to->renamed = g_strdupv (from->renamed);
  to->local_path = g_strdup (from->local_path);
}

GstEvent *
ams_files_event_new_begin (const AmsFileBegin *begin)
{
  const gchar *type = begin->content_type;
  GstStructure *s;

  if (!type)
    type = ams_file_content_type (begin->role, begin->name);
  s = gst_structure_new (EVENT_BEGIN, "name", G_TYPE_STRING, begin->name,
      "role", G_TYPE_STRING, ams_file_role_to_string (begin->role),
      "content-type", G_TYPE_STRING, type, NULL);
  if (begin->version)
    gst_structure_set (s, "version", G_TYPE_UINT64, begin->version, "extends",
        G_TYPE_UINT64, begin->extends, "final", G_TYPE_BOOLEAN, begin->final,
        NULL);
  else if (begin->final)
    gst_structure_set (s, "final", G_TYPE_BOOLEAN, TRUE, NULL);
  if (begin->failed && begin->failed[0])
    set_names (s, "failed", begin->failed);
  if (begin->renamed && begin->renamed[0])
    set_names (s, "renamed", begin->renamed);
  if (begin->renames)
    gst_structure_set (s, "renames", G_TYPE_BOOLEAN, TRUE, NULL);
  if (begin->local_path)
    gst_structure_set (s, "local-path", G_TYPE_STRING, begin->local_path,
        "by-reference", G_TYPE_BOOLEAN, begin->by_reference, NULL);
  if (begin->date_time)
    gst_structure_set (s, "date-time", G_TYPE_INT64, begin->date_time,
        "discontinuity", G_TYPE_BOOLEAN, begin->discontinuity, NULL);
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, s);
}

/* A path that is not absolute says nothing to another element. */
static void
parse_local_path (const GstStructure *s, AmsFileBegin *begin)
{
  const gchar *path = gst_structure_get_string (s, "local-path");

  if (!path || !g_path_is_absolute (path))
    return;
  begin->local_path = g_strdup (path);
  gst_structure_get_boolean (s, "by-reference", &begin->by_reference);
}

gboolean
ams_files_event_parse_begin (GstEvent *event, AmsFileBegin *begin)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_DOWNSTREAM, EVENT_BEGIN);
  const gchar *type;

  memset (begin, 0, sizeof *begin);
  if (!s)
    return FALSE;
  if (!ams_file_role_from_string (gst_structure_get_string (s, "role"),
          &begin->role))
    return FALSE;
  begin->name = dup_name (s);
  if (!begin->name)
    return FALSE;
  type = gst_structure_get_string (s, "content-type");
  begin->content_type =
      g_strdup (type ? type : ams_file_content_type (begin->role, begin->name));
  gst_structure_get_uint64 (s, "version", &begin->version);
  gst_structure_get_uint64 (s, "extends", &begin->extends);
  gst_structure_get_boolean (s, "final", &begin->final);
  begin->failed = get_names (s, "failed");
  begin->renamed = get_names (s, "renamed");
  gst_structure_get_boolean (s, "renames", &begin->renames);
  parse_local_path (s, begin);
  gst_structure_get_int64 (s, "date-time", &begin->date_time);
  gst_structure_get_boolean (s, "discontinuity", &begin->discontinuity);
  return TRUE;
}

/* ams-file-end */

GstEvent *
ams_files_event_new_end (const AmsFileEnd *end)
{
  GstStructure *s =
      gst_structure_new (EVENT_END, "size", G_TYPE_UINT64, end->size,
          "complete", G_TYPE_BOOLEAN, end->complete, "sequence", G_TYPE_UINT64,
          end->sequence, "duration", GST_TYPE_CLOCK_TIME, end->duration, NULL);

  if (end->date_time)
    gst_structure_set (s, "date-time", G_TYPE_INT64, end->date_time, NULL);
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, s);
}

gboolean
ams_files_event_parse_end (GstEvent *event, AmsFileEnd *end)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_DOWNSTREAM, EVENT_END);

  memset (end, 0, sizeof *end);
  end->duration = GST_CLOCK_TIME_NONE;
  if (!s || !gst_structure_get_uint64 (s, "size", &end->size) ||
      !gst_structure_get_boolean (s, "complete", &end->complete))
    return FALSE;
  gst_structure_get_uint64 (s, "sequence", &end->sequence);
  gst_structure_get_clock_time (s, "duration", &end->duration);
  gst_structure_get_int64 (s, "date-time", &end->date_time);
  return TRUE;
}

/* ams-file-remove, ams-file-adopt */

GstEvent *
ams_files_event_new_remove (const gchar *name, gdouble after)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new (EVENT_REMOVE, "name", G_TYPE_STRING, name, "after",
          G_TYPE_DOUBLE, after, NULL));
}

gboolean
ams_files_event_parse_remove (GstEvent *event, gchar **name, gdouble *after)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_DOWNSTREAM, EVENT_REMOVE);

  *name = NULL;
  *after = 0;
  if (!s)
    return FALSE;
  gst_structure_get_double (s, "after", after);
  if (!(*after >= 0)) /* also NaN */
    return FALSE;
  *name = dup_name (s);
  return *name != NULL;
}

GstEvent *
ams_files_event_new_adopt (const gchar *name, const gchar *from, guint64 size)
{
  GstStructure *s = gst_structure_new (EVENT_ADOPT, "name", G_TYPE_STRING, name,
      "size", G_TYPE_UINT64, size, NULL);

  if (from)
    gst_structure_set (s, "from", G_TYPE_STRING, from, NULL);
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, s);
}

gboolean
ams_files_event_parse_adopt (GstEvent *event, gchar **name, gchar **from,
    guint64 *size)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_DOWNSTREAM, EVENT_ADOPT);
  const gchar *other = s ? gst_structure_get_string (s, "from") : NULL;

  *name = *from = NULL;
  if (!s || !gst_structure_get_uint64 (s, "size", size) ||
      (other && !ams_file_name_check (other, NULL)))
    return FALSE;
  *name = dup_name (s);
  if (*name)
    *from = g_strdup (other);
  return *name != NULL;
}

/* ams-file-failed, ams-file-stored */

GstEvent *
ams_files_event_new_failed (const gchar *name)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new (EVENT_FAILED, "name", G_TYPE_STRING, name, NULL));
}

gboolean
ams_files_event_parse_failed (GstEvent *event, gchar **name)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_UPSTREAM, EVENT_FAILED);

  *name = s ? dup_name (s) : NULL;
  return *name != NULL;
}

GstEvent *
ams_files_event_new_taken (const gchar *name)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new (EVENT_TAKEN, "name", G_TYPE_STRING, name, NULL));
}

gboolean
ams_files_event_parse_taken (GstEvent *event, gchar **name)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_UPSTREAM, EVENT_TAKEN);

  *name = s ? dup_name (s) : NULL;
  return *name != NULL;
}

GstEvent *
ams_files_event_new_stored (const gchar *name, guint64 version)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new (EVENT_STORED, "name", G_TYPE_STRING, name, "version",
          G_TYPE_UINT64, version, NULL));
}

gboolean
ams_files_event_parse_stored (GstEvent *event, gchar **name, guint64 *version)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_UPSTREAM, EVENT_STORED);

  *version = 0;
  *name = s ? dup_name (s) : NULL;
  if (!*name)
    return FALSE;
  gst_structure_get_uint64 (s, "version", version);
  return TRUE;
}

/* Answers to queries */

/* A status this version does not know must not be taken for absent. */
static AmsFileStatus
parse_status (const GstStructure *answer)
{
  const gchar *status = gst_structure_get_string (answer, "status");

  if (g_strcmp0 (status, "found") == 0)
    return AMS_FILE_STATUS_FOUND;
  if (g_strcmp0 (status, "absent") == 0)
    return AMS_FILE_STATUS_ABSENT;
  return AMS_FILE_STATUS_FAILED;
}

static gchar *
parse_message (const GstStructure *answer)
{
  const gchar *message = gst_structure_get_string (answer, "message");

  return g_strdup (message ? message : "the store gave no usable answer");
}

/* ams-file-fetch */

GstQuery *
ams_files_query_new_fetch (const gchar *name, gboolean partial,
    guint64 max_size)
{
  return gst_query_new_custom (GST_QUERY_CUSTOM,
      gst_structure_new (QUERY_FETCH, "name", G_TYPE_STRING, name, "partial",
          G_TYPE_BOOLEAN, partial, "max-size", G_TYPE_UINT64, max_size, NULL));
}

void
ams_files_query_set_impatient (GstQuery *query)
{
  gst_structure_set (gst_query_writable_structure (query), "impatient",
      G_TYPE_BOOLEAN, TRUE, NULL);
}

gboolean
ams_files_query_is_impatient (GstQuery *query)
{
  const GstStructure *s = ams_files_query_fields (query, QUERY_FETCH);
  gboolean impatient = FALSE;

  if (s)
    gst_structure_get_boolean (s, "impatient", &impatient);
  return impatient;
}

void
ams_files_query_set_head (GstQuery *query, guint64 size)
{
  gst_structure_set (gst_query_writable_structure (query), "head",
      G_TYPE_UINT64, size, NULL);
}

guint64
ams_files_query_get_head (GstQuery *query)
{
  const GstStructure *s = ams_files_query_fields (query, QUERY_FETCH);
  guint64 size = 0;

  if (s)
    gst_structure_get_uint64 (s, "head", &size);
  return size;
}

gboolean
ams_files_query_parse_fetch (GstQuery *query, gchar **name, gboolean *partial,
    guint64 *max_size)
{
  const GstStructure *s = ams_files_query_fields (query, QUERY_FETCH);

  *name = NULL;
  *partial = FALSE;
  if (!s || !gst_structure_get_uint64 (s, "max-size", max_size))
    return FALSE;
  gst_structure_get_boolean (s, "partial", partial);
  *name = dup_name (s);
  return *name != NULL;
}

void
ams_files_query_add_fetched (GstQuery *query, GBytes *data)
{
  GstStructure *answer = ams_files_answer_new ("found");

  gst_structure_set (answer, "data", G_TYPE_BYTES, data, NULL);
  ams_files_query_add_answer (query, answer);
}

void
ams_files_query_add_absent (GstQuery *query)
{
  ams_files_query_add_answer (query, ams_files_answer_new ("absent"));
}

/* @more: (nullable) a field that is TRUE */
static void
add_failed (GstQuery *query, const gchar *message, const gchar *more)
{
  GstStructure *answer = ams_files_answer_new ("failed");

  gst_structure_set (answer, "message", G_TYPE_STRING, message, NULL);
  if (more)
    gst_structure_set (answer, more, G_TYPE_BOOLEAN, TRUE, NULL);
  ams_files_query_add_answer (query, answer);
}

void
ams_files_query_add_failed (GstQuery *query, const gchar *message,
    gboolean posted)
{
  add_failed (query, message, posted ? "posted" : NULL);
}

void
ams_files_query_add_closed (GstQuery *query, const gchar *message)
{
  add_failed (query, message, "closed");
}

static void
fetch_answer_free (AmsFileFetchAnswer *answer)
{
  g_free (answer->message);
  g_clear_pointer (&answer->data, g_bytes_unref);
  g_free (answer);
}

static gpointer
parse_fetch_answer (const GstStructure *s)
{
  AmsFileFetchAnswer *answer = g_new0 (AmsFileFetchAnswer, 1);

  answer->status = parse_status (s);
  if (answer->status == AMS_FILE_STATUS_FOUND &&
      !gst_structure_get (s, "data", G_TYPE_BYTES, &answer->data, NULL))
    answer->status = AMS_FILE_STATUS_FAILED;
  if (answer->status == AMS_FILE_STATUS_FAILED) {
    answer->message = parse_message (s);
    gst_structure_get_boolean (s, "posted", &answer->posted);
    gst_structure_get_boolean (s, "closed", &answer->closed);
  }
  return answer;
}

GPtrArray *
ams_files_query_fetch_answers (GstQuery *query)
{
  GPtrArray *answers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) fetch_answer_free);

  ams_files_query_collect_answers (query, QUERY_FETCH, parse_fetch_answer,
      answers);
  return answers;
}

/* ams-file-list: the entries travel as one GVariant a(stb), which costs the
 * same to pass on however many there are. */

#define ENTRIES_TYPE "a(stbxbx)"

GstQuery *
ams_files_query_new_list (const gchar *prefix)
{
  return gst_query_new_custom (GST_QUERY_CUSTOM,
      gst_structure_new (QUERY_LIST, "prefix", G_TYPE_STRING, prefix, NULL));
}

gboolean
ams_files_query_parse_list (GstQuery *query, gchar **prefix)
{
  const GstStructure *s = ams_files_query_fields (query, QUERY_LIST);

  *prefix = s ? g_strdup (gst_structure_get_string (s, "prefix")) : NULL;
  return *prefix != NULL;
}

void
ams_files_query_add_listed (GstQuery *query, GPtrArray *entries)
{
  GstStructure *answer = ams_files_answer_new ("found");
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (ENTRIES_TYPE));
  for (guint i = 0; i < entries->len; i++) {
    const AmsFileEntry *entry = g_ptr_array_index (entries, i);

    g_variant_builder_add (&builder, "(stbxbx)", entry->name, entry->size,
        entry->partial, entry->date_time, entry->discontinuity,
        entry->modified);
  }
  gst_structure_set (answer, "entries", G_TYPE_VARIANT,
      g_variant_builder_end (&builder), NULL);
  ams_files_query_add_answer (query, answer);
}

static void
list_answer_free (AmsFileListAnswer *answer)
{
  g_free (answer->message);
  g_ptr_array_unref (answer->entries);
  g_free (answer);
}

static AmsFileEntry *
copy_entry (const AmsFileEntry *entry)
{
  AmsFileEntry *copy =
      ams_file_entry_new (entry->name, entry->size, entry->partial);

  copy->date_time = entry->date_time;
  copy->discontinuity = entry->discontinuity;
  copy->modified = entry->modified;
  return copy;
}

static gboolean
parse_entries (const GstStructure *s, GPtrArray *entries)
{
  g_autoptr (GVariant) list = NULL;
  GVariantIter iter;
  AmsFileEntry entry;

  if (!gst_structure_get (s, "entries", G_TYPE_VARIANT, &list, NULL) ||
      !g_variant_is_of_type (list, G_VARIANT_TYPE (ENTRIES_TYPE)))
    return FALSE;
  g_variant_iter_init (&iter, list);
  while (g_variant_iter_next (&iter, "(&stbxbx)", &entry.name, &entry.size,
      &entry.partial, &entry.date_time, &entry.discontinuity,
      &entry.modified)) {
    if (!name_fault (entry.name))
      g_ptr_array_add (entries, copy_entry (&entry));
  }
  return TRUE;
}

static gpointer
parse_list_answer (const GstStructure *s)
{
  AmsFileListAnswer *answer = g_new0 (AmsFileListAnswer, 1);

  answer->entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_file_entry_free);
  answer->status = parse_status (s);
  /* A store that cannot list says failed; absent is no answer to this. */
  if (answer->status != AMS_FILE_STATUS_FOUND ||
      !parse_entries (s, answer->entries)) {
    answer->status = AMS_FILE_STATUS_FAILED;
    answer->message = parse_message (s);
    gst_structure_get_boolean (s, "closed", &answer->closed);
  }
  return answer;
}

GPtrArray *
ams_files_query_list_answers (GstQuery *query)
{
  GPtrArray *answers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) list_answer_free);

  ams_files_query_collect_answers (query, QUERY_LIST, parse_list_answer,
      answers);
  return answers;
}

/* ams-files-drain */

GstQuery *
ams_files_query_new_drain (void)
{
  return gst_query_new_custom (GST_QUERY_DRAIN,
      gst_structure_new (QUERY_DRAIN, FIELD_SINCE, G_TYPE_INT64,
          g_get_monotonic_time (), NULL));
}

gboolean
ams_files_query_parse_drain (GstQuery *query, gint64 *since)
{
  const GstStructure *s;
  gint64 now = g_get_monotonic_time ();

  if (GST_QUERY_TYPE (query) != GST_QUERY_DRAIN)
    return FALSE;
  s = gst_query_get_structure (query);
  if (!s || !gst_structure_has_name (s, QUERY_DRAIN))
    return FALSE;
  *since = now;
  if (gst_structure_get_int64 (s, FIELD_SINCE, since))
    *since = CLAMP (*since, 0, now);
  return TRUE;
}

AmsFileEntry *
ams_file_entry_new (const gchar *name, guint64 size, gboolean partial)
{
  AmsFileEntry *entry = g_new0 (AmsFileEntry, 1);

  entry->name = g_strdup (name);
  entry->size = size;
  entry->partial = partial;
  return entry;
}

void
ams_file_entry_free (AmsFileEntry *entry)
{
  g_free (entry->name);
  g_free (entry);
}
