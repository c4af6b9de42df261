/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "files/amsfilesanswers.h"

#define ANSWER "ams-file-answer"
#define ANSWERS "answers"

const GstStructure *
ams_files_query_fields (GstQuery *query, const gchar *name)
{
  const GstStructure *s;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CUSTOM)
    return NULL;
  s = gst_query_get_structure (query);
  return s && gst_structure_has_name (s, name) ? s : NULL;
}

void
ams_files_query_add_answer (GstQuery *query, GstStructure *answer)
{
  GstStructure *s = gst_query_writable_structure (query);
  const GValue *before = gst_structure_get_value (s, ANSWERS);
  GValue answers = G_VALUE_INIT, item = G_VALUE_INIT;

  g_value_init (&answers, GST_TYPE_LIST);
  if (before && GST_VALUE_HOLDS_LIST (before))
    g_value_copy (before, &answers);
  g_value_init (&item, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&item, answer);
  gst_value_list_append_and_take_value (&answers, &item);
  gst_structure_take_value (s, ANSWERS, &answers);
}

GstStructure *
ams_files_answer_new (const gchar *status)
{
  return gst_structure_new (ANSWER, "status", G_TYPE_STRING, status, NULL);
}

void
ams_files_query_collect_answers (GstQuery *query, const gchar *name,
    AmsFilesParseAnswer parse, GPtrArray *out)
{
  const GstStructure *s = ams_files_query_fields (query, name);
  const GValue *answers = s ? gst_structure_get_value (s, ANSWERS) : NULL;

  if (!answers || !GST_VALUE_HOLDS_LIST (answers))
    return;
  for (guint i = 0; i < gst_value_list_get_size (answers); i++) {
    const GValue *item = gst_value_list_get_value (answers, i);

    if (GST_VALUE_HOLDS_STRUCTURE (item) && gst_value_get_structure (item))
      g_ptr_array_add (out, parse (gst_value_get_structure (item)));
  }
}
