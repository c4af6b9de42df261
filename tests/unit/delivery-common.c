/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "delivery-common.h"

#include <glib/gstdio.h>
#include <string.h>

static void
on_stored (const AmsFileInfo *file, gpointer user_data)
{
  ams_log_add (user_data, "stored %s %" G_GUINT64_FORMAT, file->name,
      file->version);
}

static void
on_failed (const AmsFileInfo *file, const GError *error, gpointer user_data)
{
  ams_log_add (user_data, "failed %s", file->name);
}

static void
on_warning (const GError *error, const gchar *name, gpointer user_data)
{
  ams_log_add (user_data, "warning %s",
      ams_failure_to_string (ams_store_error_get_failure (error)));
}

static void
on_recovered (const GError *error, gpointer user_data)
{
  ams_log_add (user_data, "recovered %s",
      ams_failure_to_string (ams_store_error_get_failure (error)));
}

static void
on_retrying (const AmsFileInfo *file, const GError *error, guint attempts,
    gint64 delay, gpointer user_data)
{
  ams_log_add (user_data, "retrying %s %u", file->name, attempts);
}

static void
on_left (const gchar *name, const GError *error, gpointer user_data)
{
  ams_log_add (user_data, "left %s", name);
}

static const AmsDeliveryCallbacks callbacks = {
  .stored = on_stored,
  .failed = on_failed,
  .warning = on_warning,
  .recovered = on_recovered,
  .retrying = on_retrying,
  .left = on_left,
};

static gdouble
no_delay (void)
{
  return 0;
}

void
set_up (Fixture *f, gconstpointer policy)
{
  f->store = ams_fake_store_new ();
  f->ops = ams_fake_store_get_log (f->store);
  f->said = ams_log_new ();
  f->folder = g_dir_make_tmp ("ams-delivery-XXXXXX", NULL);
  f->config = (AmsDeliveryConfig){
    .max_queue_bytes = 1000,
    .queue_policy = GPOINTER_TO_INT (policy),
    .max_parallel = 4,
    .retry = { AMS_RETRY_FOREVER },
    .random = no_delay,
  };
}

static void
remove_tree (const gchar *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *child = g_build_filename (path, name, NULL);

    remove_tree (child);
  }
  g_clear_pointer (&dir, g_dir_close);
  g_remove (path);
}

void
tear_down (Fixture *f, gconstpointer policy)
{
  stop (f);
  g_object_unref (f->store);
  ams_log_free (f->said);
  remove_tree (f->folder);
  g_free (f->folder);
}

void
start (Fixture *f)
{
  f->engine = ams_engine_new (AMS_STORE (f->store), &f->config, &callbacks,
      f->said, NULL);
  f->config.spool = NULL; /* was taken */
  g_assert_true (ams_engine_start (f->engine, NULL));
}

void
stop (Fixture *f)
{
  if (!f->engine)
    return;
  g_assert_true (ams_engine_stop (f->engine));
  g_assert_finalize_object (f->engine);
  f->engine = NULL;
}

AmsEngineResult
put_data (Fixture *f, const gchar *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return ams_engine_write (f->engine, bytes);
}

void
put_file (Fixture *f, const AmsFileBegin *begin, const gchar *text)
{
  AmsFileEnd end = { .size = strlen (text), .complete = TRUE };

  ams_engine_begin (f->engine, begin);
  if (!begin->by_reference)
    g_assert_cmpint (put_data (f, text), ==, AMS_ENGINE_OK);
  ams_engine_end (f->engine, &end);
}

void
put (Fixture *f, const gchar *name, const gchar *text)
{
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = AMS_FILE_ROLE_SEGMENT };

  put_file (f, &begin, text);
}

static void
put_version (Fixture *f, guint64 version, gboolean final, const gchar *text)
{
  AmsFileBegin begin = { .name = (gchar *) "p",
    .role = AMS_FILE_ROLE_PLAYLIST,
    .version = version,
    .final = final };

  put_file (f, &begin, text);
}

void
put_playlist (Fixture *f, guint64 version, const gchar *text)
{
  put_version (f, version, FALSE, text);
}

void
put_final (Fixture *f, guint64 version, const gchar *text)
{
  put_version (f, version, TRUE, text);
}

void
notify (Fixture *f, const gchar *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  g_assert_cmpint (ams_engine_notify (f->engine, bytes), ==, AMS_ENGINE_OK);
}

void
drain (Fixture *f)
{
  g_assert_cmpint (ams_engine_drain (f->engine, 20 * S, NULL), ==,
      AMS_DRAIN_DONE);
}

void
assert_stored (Fixture *f, const gchar *name, const gchar *text)
{
  g_autofree gchar *stored = ams_fake_store_dup_text (f->store, name);

  g_assert_cmpstr (stored, ==, text);
}

void
assert_order (Fixture *f, const gchar *earlier, const gchar *later)
{
  g_assert_cmpuint (ams_log_index (f->ops, earlier), <,
      ams_log_index (f->ops, later));
}

AmsDeliveryStats
get_stats (Fixture *f)
{
  AmsEngineStats stats;

  ams_engine_get_stats (f->engine, &stats);
  return stats.files;
}

gchar *
path_of (Fixture *f, const gchar *name)
{
  return g_build_filename (f->folder, name, NULL);
}
