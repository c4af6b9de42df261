/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "files/amsfilesqueries.h"

#include "files/amsfilename.h"
#include "files/amsfilesanswers.h"

#define QUERY_DRAIN "ams-files-drain"
#define QUERY_FETCH "ams-file-fetch"
#define QUERY_LIST "ams-file-list"

/* Of a drain query. */
#define FIELD_SINCE "since"

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
  *name = ams_file_name_dup (gst_structure_get_string (s, "name"));
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

/* ams-file-list: the entries travel as one GVariant, which costs the
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
    if (ams_file_name_check (entry.name, NULL))
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
