/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* bench-playlist FOLDER ENTRIES ADDED: what it costs to add a segment to an event
 * playlist of so many entries: the line, the new version, and the file on disk. Prints the median wall
 * time and the mean CPU time of an added segment, in µs. */

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <gst/gst.h>

#include "files/amsfiles.h"
#include "playlist/amsplaylist.h"
#include "local/amslocalstore.h"

#define NAME "bench.m3u8"

typedef struct
{
  AmsPlaylist *playlist;
  AmsStore *store;
  guint64 number;
  guint64 version;
} Bench;

static gint64
cpu_time (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC +
      usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void
add_segment (Bench *bench)
{
  g_autofree gchar *uri =
      g_strdup_printf ("cam1-%09" G_GUINT64_FORMAT ".ts", bench->number);
  AmsPlaylistSegment segment = {
    .uri = uri,
    .duration = 6 * GST_SECOND,
    .date_time = bench->number == 0 ? G_GINT64_CONSTANT (1767225600000000) : 0,
  };

  ams_playlist_add (bench->playlist, &segment);
  bench->number++;
}

static void
on_put (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  gboolean *done = user_data;

  if (!ams_store_put_finish (AMS_STORE (store), result, &error))
    g_error ("the playlist was not written: %s", error->message);
  *done = TRUE;
}

static void
publish (Bench *bench)
{
  guint64 extends;
  g_autoptr (GPtrArray) pieces =
      ams_playlist_render (bench->playlist, &extends);
  AmsFileBegin begin = {
    .name = (gchar *) NAME,
    .role = AMS_FILE_ROLE_PLAYLIST,
    .version = ++bench->version,
    .extends = extends,
  };
  g_autoptr (GObject) body =
      G_OBJECT (ams_store_create_body (bench->store, &begin));
  AmsPut put = {
    .name = NAME,
    .role = AMS_FILE_ROLE_PLAYLIST,
    .version = bench->version,
    .body = AMS_BODY (body),
    .unchanged = extends,
  };
  gboolean done = FALSE;

  /* As it flows down the file stream: by reference. */
  for (guint i = 0; i < pieces->len; i++) {
    if (!ams_body_append (AMS_BODY (body), g_ptr_array_index (pieces, i), NULL))
      g_error ("the playlist was not taken");
  }
  ams_body_finish (AMS_BODY (body), ams_body_get_size (AMS_BODY (body)));
  ams_store_put_async (bench->store, &put, NULL, on_put, &done);
  while (!done)
    g_main_context_iteration (NULL, TRUE);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const gint64 *x = a, *y = b;

  return *x < *y ? -1 : *x > *y;
}

/* ns */
static gint64
now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return t.tv_sec * G_GINT64_CONSTANT (1000000000) + t.tv_nsec;
}

int
main (int argc, char **argv)
{
  AmsLocalOptions options = { .sync = FALSE, .overwrite = TRUE };
  Bench bench = { 0 };
  g_autofree gint64 *walls = NULL;
  guint entries, added;
  gint64 cpu;

  if (argc != 4)
    g_error ("bench-playlist FOLDER ENTRIES ADDED");
  gst_init (&argc, &argv);
  entries = atoi (argv[2]);
  added = atoi (argv[3]);
  bench.playlist = ams_playlist_new (AMS_PLAYLIST_EVENT, 6, 0, TRUE);
  bench.store = ams_local_store_new (argv[1], &options);

  for (guint i = 0; i < entries; i++)
    add_segment (&bench);
  publish (&bench);

  walls = g_new (gint64, added);
  cpu = cpu_time ();
  for (guint i = 0; i < added; i++) {
    gint64 begun = now ();

    add_segment (&bench);
    publish (&bench);
    walls[i] = now () - begun;
  }
  cpu = cpu_time () - cpu;
  qsort (walls, added, sizeof *walls, compare);
  g_print ("%.2f %.2f\n", walls[added / 2] / 1000.0, (gdouble) cpu / added);

  ams_playlist_free (bench.playlist);
  g_object_unref (bench.store);
  return EXIT_SUCCESS;
}
