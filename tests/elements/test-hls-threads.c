/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* However many recordings there are, a process has few threads for them; and none
 * waits for another one's disk. */

#include "config.h"

#include "amsthreads.h"
#include "hls-common.h"

#include <sys/syscall.h>
#include <unistd.h>

#define SECONDS(n) ((n) *GST_SECOND)
#define MANY 20
#define HANGING 6
/* Threads of ours in a process. */
#define MOST 4

/* ---- a disk that hangs ---- */

static GMutex lock;
static GCond changed;
static gchar *hanging[HANGING]; /* folders; under the lock */
static guint n_waiting; /* threads; under the lock */

static gboolean
hangs_locked (const gchar *path)
{
  for (guint i = 0; i < HANGING; i++) {
    if (hanging[i] && g_str_has_prefix (path, hanging[i]))
      return TRUE;
  }
  return FALSE;
}

static void
wait_for_disk (int fd)
{
  g_autofree gchar *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  gchar path[4096];
  ssize_t n = readlink (link, path, sizeof path - 1);

  path[MAX (n, 0)] = '\0';
  g_mutex_lock (&lock);
  if (hangs_locked (path)) {
    n_waiting++;
    g_cond_broadcast (&changed);
    while (hangs_locked (path))
      g_cond_wait (&changed, &lock);
    n_waiting--;
  }
  g_mutex_unlock (&lock);
}

/* Stands before the C library's, for all libraries. */
__attribute__ ((visibility ("default"))) ssize_t
pwrite64 (int fd, const void *data, size_t size, off64_t at)
{
  wait_for_disk (fd);
  return syscall (SYS_pwrite64, fd, data, size, at);
}

static void
begin_to_hang (Hls *hls[HANGING])
{
  g_mutex_lock (&lock);
  for (guint i = 0; i < HANGING; i++)
    hanging[i] = g_strconcat (hls[i]->dir, "/", NULL);
  g_mutex_unlock (&lock);
}

static void
end_to_hang (void)
{
  g_mutex_lock (&lock);
  for (guint i = 0; i < HANGING; i++)
    g_clear_pointer (&hanging[i], g_free);
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

static void
wait_until_all_hang (void)
{
  g_mutex_lock (&lock);
  while (n_waiting < HANGING)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
}

/* ---- threads ---- */

static void
record_side_by_side (guint count)
{
  g_autofree Hls **hls = g_new0 (Hls *, count);

  for (guint i = 0; i < count; i++) {
    hls[i] = hls_new ();
    hls_add_video (hls[i], NULL);
    hls_play (hls[i]);
  }
  for (guint i = 0; i < count; i++)
    hls_push_until (hls[i], SECONDS (5));
  for (guint i = 0; i < count; i++)
    hls_wait_segments (hls[i], 2);
  ams_threads_wait ("ams", 0, MOST);
  g_assert_cmpuint (ams_threads_count ("ams-worker"), >=, 2);
  g_assert_cmpuint (ams_threads_count ("ams-delivery"), ==, 0);
  for (guint i = 0; i < count; i++) {
    hls_eos (hls[i]);
    hls_stop (hls[i]);
    hls_free (hls[i]);
  }
  ams_threads_wait ("ams", 0, 0);
}

static void
test_one_stream_has_few_threads (void)
{
  record_side_by_side (1);
}

static void
test_many_streams_have_as_few_threads (void)
{
  record_side_by_side (MANY);
}

static void
test_threads_come_again_with_the_next_recording (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_add_video (hls, NULL);
  for (guint i = 0; i < 10; i++) {
    hls_play (hls);
    hls_push_until (hls, SECONDS (1));
    hls_eos (hls);
    hls_stop (hls);
    ams_threads_wait ("ams", 0, 0);
  }
}

/* ---- hanging ---- */

static void
test_disk_that_hangs_holds_up_no_other_stream (void)
{
  Hls *hls[HANGING];
  g_autoptr (Hls) other = hls_new ();

  hls_add_video (other, NULL);
  hls_play (other);
  for (guint i = 0; i < HANGING; i++) {
    hls[i] = hls_new ();
    hls_add_video (hls[i], NULL);
    hls_play (hls[i]);
    hls_push_until (hls[i], SECONDS (5));
    hls_wait_segments (hls[i], 2);
  }
  begin_to_hang (hls);
  for (guint i = 0; i < HANGING; i++)
    hls_push_until (hls[i], SECONDS (10));
  wait_until_all_hang ();
  hls_push_until (other, SECONDS (10));
  hls_wait_segments (other, 4);
  hls_eos (other);
  hls_playlist_free (hls_check (other));
  end_to_hang ();
  for (guint i = 0; i < HANGING; i++) {
    hls_eos (hls[i]);
    hls_playlist_free (hls_check (hls[i]));
    hls_stop (hls[i]);
    hls_free (hls[i]);
  }
  ams_threads_wait ("ams", 0, MOST);
  hls_stop (other);
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
  hls_test_add ("/hls/threads/one-stream", test_one_stream_has_few_threads);
  hls_test_add ("/hls/threads/many-streams",
      test_many_streams_have_as_few_threads);
  hls_test_add ("/hls/threads/come-again",
      test_threads_come_again_with_the_next_recording);
  hls_test_add ("/hls/threads/hanging-disk",
      test_disk_that_hangs_holds_up_no_other_stream);
  return g_test_run ();
}
