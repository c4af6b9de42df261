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

static GBytes *
fetch (AmsEngine *engine, GstQuery *query, const gchar *name, gboolean partial,
    guint64 max_size, GError **error)
{
  guint64 head = ams_files_query_get_head (query);

  if (!ams_files_query_is_impatient (query))
    return ams_engine_fetch (engine, name, partial, max_size, NULL, error);
  if (head > 0 && !partial)
    return ams_engine_fetch_head_soon (engine, name, head, max_size, NULL,
        error);
  return ams_engine_fetch_soon (engine, name, partial, max_size, NULL, error);
}

/* (transfer full) (nullable): it has been answered. */
static GError *
answer_fetch (AmsEngine *engine, GstQuery *query, const gchar *name,
    gboolean partial, guint64 max_size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) data =
      fetch (engine, query, name, partial, max_size, &error);

  if (data)
    ams_files_query_add_fetched (query, data);
  else if (error->domain == AMS_STORE_ERROR &&
      error->code == AMS_FAILURE_ABSENT)
    ams_files_query_add_absent (query);
  else
    return g_steal_pointer (&error);
  return NULL;
}

/* (transfer full) (nullable): it has been answered. */
static GError *
answer_list (AmsEngine *engine, GstQuery *query, const gchar *prefix)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries =
      ams_engine_list (engine, prefix, NULL, &error);

  if (entries)
    ams_files_query_add_listed (query, entries);
  return g_steal_pointer (&error);
}

/* Permanent is what a probe finds, too, and it finds it at the same time: its ERROR says
 * that this element cannot deliver, so it is the one for people. */
static void
answer_failed (AmsEngine *engine, GstQuery *query, const GError *error,
    AmsPutIsInError is_in_error, gpointer user_data)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    ams_files_query_add_closed (query, error->message);
    return;
  }
  if (ams_store_error_get_failure (error) == AMS_FAILURE_PERMANENT)
    ams_engine_wait_probed (engine);
  ams_files_query_add_failed (query, error->message, is_in_error (user_data));
}

static void
answer_not_open (GstQuery *query, gboolean closed)
{
  if (closed)
    ams_files_query_add_closed (query, "the store has been closed");
  else
    ams_files_query_add_failed (query, "the store is not open yet", FALSE);
}

void
ams_put_answer (AmsEngine *engine, gboolean closed, GstQuery *query,
    AmsPutIsInError is_in_error, gpointer user_data)
{
  g_autofree gchar *name = NULL, *prefix = NULL;
  g_auto (AmsClaim) claim = { NULL };
  g_autoptr (GError) error = NULL;
  gboolean partial, is_fetch;
  guint64 max_size;

  if (ams_files_query_parse_claim (query, &claim)) {
    ams_files_query_add_unclaimed (query, "the store is not open", closed);
    return;
  }
  is_fetch = ams_files_query_parse_fetch (query, &name, &partial, &max_size);
  if (!is_fetch && !ams_files_query_parse_list (query, &prefix))
    return;
  if (!engine) {
    answer_not_open (query, closed);
    return;
  }
  error = is_fetch ? answer_fetch (engine, query, name, partial, max_size)
                   : answer_list (engine, query, prefix);
  if (error)
    answer_failed (engine, query, error, is_in_error, user_data);
}
