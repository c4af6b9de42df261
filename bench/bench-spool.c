/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* bench-spool FOLDER FILES ADDED: what a file costs that is handed to a store which does
 * not answer, when FILES wait in the spool already: a segment and a version of the
 * playlist, as amshlssink hands them over. Prints the median wall time and the mean CPU
 * time of each of the next ADDED segments, in µs, and the bytes of memory that each of
 * FILES takes. */

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/resource.h>
#include <gst/gst.h>

#include "transfer/amsdelivery.h"
#include "transfer/spool/amsspool.h"

#define BODY_SIZE 100

/* A store that never answers. */

#define TYPE_AWAY (away_get_type ())
G_DECLARE_FINAL_TYPE (Away, away, , AWAY, GObject)

struct _Away
{
  GObject parent;
};

static void away_store_init (AmsStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (Away, away, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (AMS_TYPE_STORE, away_store_init))

static void
away_put_async (AmsStore *store, const AmsPut *put, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
}

static void
away_store_init (AmsStoreInterface *iface)
{
  iface->put_async = away_put_async;
}

static void
away_class_init (AwayClass *klass)
{
}

static void
away_init (Away *self)
{
}

/* Handing over */

static void
hand_over (AmsDelivery *delivery, const gchar *name, AmsFileRole role,
    guint64 version)
{
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = role,
    .content_type = (gchar *) "video/mp2t",
    .version = version,
    .date_time = G_GINT64_CONSTANT (1767225600000000) };
  AmsFileEnd end = { .size = BODY_SIZE, .complete = TRUE };
  g_autoptr (GBytes) bytes =
      g_bytes_new_take (g_malloc0 (BODY_SIZE), BODY_SIZE);

  ams_delivery_begin (delivery, &begin);
  ams_delivery_write (delivery, bytes);
  ams_delivery_end (delivery, &end);
  ams_delivery_run (delivery);
}

static void
add_segment (AmsDelivery *delivery, guint number)
{
  g_autofree gchar *name = g_strdup_printf ("cam1-%09u.ts", number);

  hand_over (delivery, name, AMS_FILE_ROLE_SEGMENT, 0);
  hand_over (delivery, "cam1.m3u8", AMS_FILE_ROLE_PLAYLIST, number + 1);
}

static void
on_kick (gpointer engine)
{
}

static void
on_file (const AmsFileInfo *file, gpointer user_data)
{
}

static void
on_failed (const AmsFileInfo *file, const GError *error, gpointer user_data)
{
  g_error ("%s failed: %s", file->name, error->message);
}

static void
on_warning (const GError *error, const gchar *name, gpointer user_data)
{
  g_error ("%s", error->message);
}

static void
on_recovered (const GError *error, gpointer user_data)
{
}

/* Measuring */

static gint64
cpu_time (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC +
      usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static void
measure (AmsDelivery *delivery, guint files, guint added, gsize bytes)
{
  g_autofree gint64 *times = g_new (gint64, added);
  gint64 cpu = cpu_time ();

  for (guint i = 0; i < added; i++) {
    gint64 start = g_get_monotonic_time ();

    add_segment (delivery, files + i);
    times[i] = g_get_monotonic_time () - start;
  }
  cpu = cpu_time () - cpu;
  qsort (times, added, sizeof *times, compare_times);
  g_print ("%" G_GINT64_FORMAT " %.1f %.0f\n", times[added / 2],
      (gdouble) cpu / added, files > 0 ? (gdouble) bytes / files : 0);
}

int
main (int argc, char **argv)
{
  static const AmsDeliveryCallbacks callbacks = { .stored = on_file,
    .failed = on_failed,
    .warning = on_warning,
    .recovered = on_recovered };
  AmsDeliveryConfig config = { .max_parallel = 4,
    .max_queue_bytes = G_MAXINT64,
    .has_breaker = TRUE,
    .retry.retry_for = AMS_RETRY_FOREVER };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GObject) store = NULL;
  g_autoptr (GError) error = NULL;
  AmsDelivery *delivery;
  gsize before;
  guint files;

  if (argc != 4) {
    g_printerr ("usage: bench-spool FOLDER FILES ADDED\n");
    return 2;
  }
  gst_init (NULL, NULL);
  files = atoi (argv[2]);
  store = g_object_new (TYPE_AWAY, NULL);
  config.spool = ams_spool_open (argv[1], "https://bench.example.com/", &error);
  if (!config.spool)
    g_error ("%s", error->message);
  delivery = ams_delivery_new (AMS_STORE (store), &config, &callbacks, NULL,
      cancellable, on_kick, NULL);
  before = mallinfo2 ().uordblks;
  for (guint i = 0; i < files; i++)
    add_segment (delivery, i);
  measure (delivery, files, atoi (argv[3]), mallinfo2 ().uordblks - before);
  /* Operations are under way for ever. */
  _exit (0);
}
