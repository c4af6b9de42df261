/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/gstamsputdata.h"

typedef struct
{
  GstMemory *memory;
  GstMapInfo map;
} MappedMemory;

static void
unmap_memory (gpointer data)
{
  MappedMemory *mapped = data;

  gst_memory_unmap (mapped->memory, &mapped->map);
  gst_memory_unref (mapped->memory);
  g_free (mapped);
}

GBytes *
ams_put_bytes_from_memory (GstMemory *memory)
{
  MappedMemory *mapped = g_new (MappedMemory, 1);

  mapped->memory = gst_memory_ref (memory);
  if (!gst_memory_map (memory, &mapped->map, GST_MAP_READ)) {
    gst_memory_unref (memory);
    g_free (mapped);
    return NULL;
  }
  return g_bytes_new_with_free_func (mapped->map.data, mapped->map.size,
      unmap_memory, mapped);
}

static void
answer_fetch (AmsEngine *engine, GstQuery *query, const gchar *name,
    gboolean partial, guint64 max_size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) data = (ams_files_query_is_impatient (query)
          ? ams_engine_fetch_soon
          : ams_engine_fetch) (engine, name, partial, max_size, NULL, &error);

  if (data)
    ams_files_query_add_fetched (query, data);
  else if (error->domain == AMS_STORE_ERROR &&
      error->code == AMS_FAILURE_ABSENT)
    ams_files_query_add_absent (query);
  else
    ams_files_query_add_failed (query, error->message);
}

static void
answer_list (AmsEngine *engine, GstQuery *query, const gchar *prefix)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries =
      ams_engine_list (engine, prefix, NULL, &error);

  if (entries)
    ams_files_query_add_listed (query, entries);
  else
    ams_files_query_add_failed (query, error->message);
}

void
ams_put_answer (AmsEngine *engine, GstQuery *query)
{
  g_autofree gchar *name = NULL, *prefix = NULL;
  gboolean partial;
  guint64 max_size;

  if (ams_files_query_parse_fetch (query, &name, &partial, &max_size)) {
    if (engine)
      answer_fetch (engine, query, name, partial, max_size);
    else
      ams_files_query_add_failed (query, "the store is not open yet");
  } else if (ams_files_query_parse_list (query, &prefix)) {
    if (engine)
      answer_list (engine, query, prefix);
    else
      ams_files_query_add_failed (query, "the store is not open yet");
  }
}
