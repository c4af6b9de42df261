/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What amshlssink finds at its start about where the time stamps of an earlier
 * recording end. It says so once, at DEBUG. */

#include "config.h"

#include "hls-remote.h"

#include <glib/gstdio.h>
#include <string.h>

#define SECONDS(n) ((n) *GST_SECOND)
#define SAYS "time stamps go on at "
/* The sound of the first segment may begin a frame after its picture, and there is a
 * small distance. */
#define TOLERANCE (40 * GST_MSECOND)
/* The recording begins there if nothing is known of its beginning. */
#define USUAL_BEGIN SECONDS (10)

static GMutex lock;
static guint said; /* times, under the lock */
static GstClockTime end_time; /* under the lock; NONE: nothing is said */

static void
on_log (GstDebugCategory *category, GstDebugLevel level, const gchar *file,
    const gchar *function, gint line, GObject *object, GstDebugMessage *message,
    gpointer data)
{
  const gchar *text = gst_debug_message_get (message);
  guint hours, minutes, seconds, ns;

  if (level != GST_LEVEL_DEBUG || !g_str_has_prefix (text, SAYS))
    return;
  g_assert_cmpint (sscanf (text + strlen (SAYS), "%u:%u:%u.%9u", &hours,
                       &minutes, &seconds, &ns),
      ==, 4);
  g_mutex_lock (&lock);
  said++;
  end_time = SECONDS (hours * G_GUINT64_CONSTANT (3600) + minutes * 60) +
      SECONDS (seconds) + ns;
  g_mutex_unlock (&lock);
}

/* Goes on recording. Returns: where its time stamps are to go on. */
static GstClockTime
go_on (Hls *hls, guint times)
{
  GstClockTime time;

  g_mutex_lock (&lock);
  said = 0;
  end_time = GST_CLOCK_TIME_NONE;
  g_mutex_unlock (&lock);
  hls_record (hls, SECONDS (4));
  g_mutex_lock (&lock);
  g_assert_cmpuint (said, ==, times);
  time = end_time;
  g_mutex_unlock (&lock);
  return time;
}

static GstClockTime
time_of (gint64 pts)
{
  return gst_util_uint64_scale (pts, GST_SECOND, 90000);
}

static GstClockTime
first_time (const gchar *path)
{
  g_autoptr (HlsTs) ts = hls_ts_read (path);

  g_assert_cmpint (ts->first_video >= 0 ? ts->first_video : ts->first_audio, >=,
      0);
  return time_of (ts->first_video >= 0 ? ts->first_video : ts->first_audio);
}

static void
assert_time (GstClockTime time, GstClockTime expected)
{
  if (time < expected || time > expected + TOLERANCE)
    g_error ("%" GST_TIME_FORMAT " is not just after %" GST_TIME_FORMAT,
        GST_TIME_ARGS (time), GST_TIME_ARGS (expected));
}

static GstClockTime
first_on_disk (Hls *hls)
{
  g_autofree gchar *path = hls_path (hls, "s00000.ts");

  return first_time (path);
}

static void
test_new_recording_says_nothing (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_add_av (hls);
  g_assert_cmpuint (go_on (hls, 0), ==, GST_CLOCK_TIME_NONE);
}

/* Two sessions that each began anew, as those of version 0.1.0: their sum counts. */
static void
test_clean_end_goes_on_after_the_sum (void)
{
  g_autoptr (Hls) hls = hls_new ();
  GstClockTime first;

  hls_add_av (hls);
  hls_record (hls, SECONDS (10));
  first = first_on_disk (hls);
  assert_time (go_on (hls, 1), first + SECONDS (10));
  assert_time (go_on (hls, 1), first + SECONDS (14));
}

static void
test_sound_alone_goes_on_after_the_sum (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  GstClockTime sum = 0;

  hls_add_audio (hls);
  hls_record (hls, SECONDS (10));
  playlist = hls_check (hls);
  for (guint i = 0; i < playlist->segments->len; i++)
    sum += hls_segment (playlist, i)->duration;
  assert_time (go_on (hls, 1), first_on_disk (hls) + sum);
}

/* The last segment was whole and not listed yet: it counts. */
static void
test_crash_counts_what_is_recovered (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *text = NULL, *cut = NULL;

  hls_add_av (hls);
  hls_record (hls, SECONDS (10));
  text = hls_read (hls->playlist);
  cut = hls_cut_playlist (text, 3);
  hls_put (hls->playlist, cut);
  assert_time (go_on (hls, 1), first_on_disk (hls) + SECONDS (10));
}

/* Not even the first playlist was written. */
static void
test_crash_before_the_playlist_counts_what_is_recovered (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_add_av (hls);
  hls_record (hls, SECONDS (6));
  g_assert_cmpint (g_unlink (hls->playlist), ==, 0);
  assert_time (go_on (hls, 1), first_on_disk (hls) + SECONDS (6));
}

/* The window has left the first segments behind. */
static void
test_live_window_goes_on_after_its_end (void)
{
  g_autoptr (Hls) hls = hls_new ();
  GstClockTime first;

  g_object_set (hls->sink, "max-files", 0, NULL);
  gst_util_set_object_arg (G_OBJECT (hls->sink), "playlist-type", "live");
  g_object_set (hls->sink, "playlist-length", 3, NULL);
  hls_add_av (hls);
  hls_record (hls, SECONDS (20));
  first = first_on_disk (hls);
  assert_time (go_on (hls, 1), first + SECONDS (20));
}

/* A gap has no file: the first segment that has one counts. */
static void
test_gap_at_the_beginning_is_passed_over (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *path = NULL, *text = NULL;
  g_autoptr (GString) marked = NULL;
  GstClockTime first;

  hls_add_av (hls);
  hls_record (hls, SECONDS (10));
  first = first_on_disk (hls);
  path = hls_path (hls, "s00000.ts");
  text = hls_read (hls->playlist);
  marked = g_string_new (text);
  g_string_replace (marked, "s00000.ts", "#EXT-X-GAP\ns00000.ts", 1);
  hls_put (hls->playlist, marked->str);
  g_assert_cmpint (g_unlink (path), ==, 0);
  assert_time (go_on (hls, 1), first + SECONDS (10));
}

/* Somebody deleted the first segment: what a recording usually begins with is assumed, or
 * the end of the last one, whichever is later. */
static void
test_first_segment_deleted_goes_on_after_the_last (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *path = NULL;
  GstClockTime first;

  hls_add_av (hls);
  hls_record (hls, SECONDS (10));
  first = first_on_disk (hls);
  path = hls_path (hls, "s00000.ts");
  g_assert_cmpint (g_unlink (path), ==, 0);
  assert_time (go_on (hls, 1), first + SECONDS (10));
}

/* ---- remote ---- */

static void
test_remote_alone_goes_on_after_the_sum (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");
  g_autofree gchar *fetched = NULL;

  hls_add_av (hls);
  hls_record (hls, SECONDS (10));
  g_free (hls_remote_take_log (remote));
  /* Time stamps begin at 10 s. */
  assert_time (go_on (hls, 1), SECONDS (10) + SECONDS (10));
  fetched = hls_remote_take_lines (remote, TRUE);
  g_assert_nonnull (strstr (fetched, "fetch s00000.ts\n"));
  g_assert_nonnull (strstr (fetched, "fetch s00004.ts\n"));
  g_assert_null (strstr (fetched, "fetch s00001.ts\n"));
}

static void
test_remote_that_cannot_tell_is_assumed_as_usual (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");

  hls_add_av (hls);
  hls_record (hls, SECONDS (10));
  hls_remote_set_faults (remote, HLS_REMOTE_CANNOT_TELL_SEGMENTS);
  hls->expects_trouble = TRUE;
  assert_time (go_on (hls, 1), USUAL_BEGIN + SECONDS (10));
}

/* The disk has all that is needed: the store is not asked. */
static void
test_disk_and_remote_asks_the_disk (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  GstClockTime first = first_on_disk (hls);
  g_autofree gchar *fetched = NULL;

  assert_time (go_on (hls, 1), first + SECONDS (10));
  fetched = hls_remote_take_lines (remote, TRUE);
  g_assert_null (strstr (fetched, ".ts\n"));
}

/* The disk is a new one. */
static void
test_disk_replaced_asks_the_remote (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *path = hls_path (hls, "s00000.ts");
  GstClockTime first = first_time (path);
  g_autofree gchar *bytes = NULL, *copy = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  copy = g_memdup2 (bytes, size);
  hls_remote_set (remote, "s00000.ts", copy, size, FALSE);
  g_assert_cmpint (g_unlink (path), ==, 0);
  assert_time (go_on (hls, 1), first + SECONDS (10));
}

int
main (int argc, char **argv)
{
  /* Before gst_init(), and once: each change of the list leaks it. */
  gst_debug_remove_log_function (gst_debug_log_default);
  hls_test_init (&argc, &argv);
  gst_debug_set_threshold_from_string ("amshlssink:5", FALSE);
  gst_debug_add_log_function (on_log, NULL, NULL);

  hls_test_add ("/end-time/new", test_new_recording_says_nothing);
  hls_test_add ("/end-time/clean-end", test_clean_end_goes_on_after_the_sum);
  hls_test_add ("/end-time/sound-alone",
      test_sound_alone_goes_on_after_the_sum);
  hls_test_add ("/end-time/crash", test_crash_counts_what_is_recovered);
  hls_test_add ("/end-time/crash-before-the-playlist",
      test_crash_before_the_playlist_counts_what_is_recovered);
  hls_test_add ("/end-time/live", test_live_window_goes_on_after_its_end);
  hls_test_add ("/end-time/gap-first",
      test_gap_at_the_beginning_is_passed_over);
  hls_test_add ("/end-time/first-deleted",
      test_first_segment_deleted_goes_on_after_the_last);
  hls_test_add ("/end-time/remote", test_remote_alone_goes_on_after_the_sum);
  hls_test_add ("/end-time/remote-cannot-tell",
      test_remote_that_cannot_tell_is_assumed_as_usual);
  hls_test_add ("/end-time/disk-and-remote",
      test_disk_and_remote_asks_the_disk);
  hls_test_add ("/end-time/disk-replaced", test_disk_replaced_asks_the_remote);
  return g_test_run ();
}
