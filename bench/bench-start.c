/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* bench-start FOLDER ENTRIES: what it costs to go on from an event playlist of so
 * many entries that is on disk, and to mark gaps in it. Prints the CPU time in ms of
 * the start, and of a gap in the last segment, in the one 1000 before and in the
 * first, and what the start added to the peak of memory, in MiB. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <gst/gst.h>

#include "playlist/amsplaylistparser.h"
#include "recording/amsrecovery.h"
#include "transfer/amsdisk.h"

#define NAME "bench.m3u8"

/* ms */
static gdouble
cpu_time (void)
{
  struct timespec t;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* MiB */
static gdouble
peak (void)
{
  g_autofree gchar *status = NULL;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    return 0;
  return atof (strstr (status, "VmHWM:") + 6) / 1024;
}

static void
write_playlist (const gchar *path, guint entries)
{
  FILE *file = fopen (path, "w");

  if (!file)
    g_error ("%s cannot be written", path);
  fputs ("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n"
         "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n",
      file);
  for (guint i = 0; i < entries; i++)
    fprintf (file,
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T%02u:%02u:%02u.000Z\n"
        "#EXTINF:6.000000,\ncam1-%05u.ts\n",
        i / 600 % 24, i / 10 % 60, i % 10 * 6, i);
  fclose (file);
}

static AmsRecording *
begin (void)
{
  AmsRecordingConfig *config = ams_recording_config_new ();
  AmsRecording *recording;

  config->location = g_strdup ("cam1-%05d.ts");
  config->playlist_location = g_strdup (NAME);
  config->zone = g_time_zone_new_utc ();
  config->type = AMS_PLAYLIST_EVENT;
  config->target_duration = 6;
  recording = ams_recording_new (config, NULL);
  ams_recording_begin (recording, 1798761600000000, FALSE, NULL);
  return recording;
}

static void
go_on (AmsRecording *recording, const gchar *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) text =
      ams_disk_read (path, TRUE, AMS_PLAYLIST_MAX_SIZE, &error);
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  g_autoptr (GPtrArray) files = g_ptr_array_new ();
  g_autoptr (AmsPlaylistParsed) earlier = NULL;
  g_autoptr (AmsSurvey) survey = NULL;

  if (!text)
    g_error ("%s", error->message);
  g_ptr_array_add (texts, text);
  earlier = ams_recovery_choose (texts, NAME, &error);
  if (!earlier)
    g_error ("%s", error->message);
  survey = ams_recovery_survey (recording, earlier, NULL, files);
  ams_recording_continue (recording, earlier, survey->next_number);
}

static gdouble
mark_gap (AmsRecording *recording, guint number)
{
  g_autofree gchar *name = g_strdup_printf ("cam1-%05u.ts", number);
  g_auto (AmsRecordingVersion) version = { NULL };
  gdouble begun = cpu_time ();

  if (!ams_recording_mark_failed (recording, name))
    g_error ("%s is not listed", name);
  ams_recording_render (recording, &version);
  return cpu_time () - begun;
}

int
main (int argc, char **argv)
{
  g_autoptr (AmsRecording) recording = NULL;
  g_autofree gchar *path = NULL;
  gdouble before, begun, started, last, near, first;
  guint entries;

  if (argc != 3)
    g_error ("bench-start FOLDER ENTRIES");
  gst_init (&argc, &argv);
  entries = atoi (argv[2]);
  path = g_build_filename (argv[1], NAME, NULL);
  write_playlist (path, entries);
  recording = begin ();

  before = peak ();
  begun = cpu_time ();
  go_on (recording, path);
  started = cpu_time () - begun;
  last = mark_gap (recording, entries - 1);
  near = mark_gap (recording, entries > 1000 ? entries - 1001 : 1);
  first = mark_gap (recording, 0);
  g_print ("%.2f %.3f %.3f %.3f %.1f\n", started, last, near, first,
      peak () - before);
  return EXIT_SUCCESS;
}
