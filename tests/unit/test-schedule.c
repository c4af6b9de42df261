/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Scripts, one command a word:
 *   sNAME iNAME kNAME oNAME   hand over a segment, init, key, other file
 *   pV mV                     version V of playlist "P", of master "M"; pV! is final,
 *                             pV^NAME heeds NAME
 *   qV                        version V of another playlist, "Q"
 *   rNAME, rNAME@T            remove it, T µs after the playlists
 *   aNAME                     adopt it
 *   nNAME                     notify
 *   >A,B                      exactly these start now, in this order; > none
 *   +NAME -NAME ~NAME ~NAME@T confirmed; given up; to be tried again, not before T
 *   *NAME@T                   likewise, and it is the endpoint's fault
 *   ^                         that is over
 *   '                         that may be over: the first may try
 *   :T                        the time between two versions
 *   !NAME                     given up before it was whole
 *   uP                        a version of the playlist is missing from before all that
 *   =T                        the time is T
 *   ?T                        the next time something may start is T
 *   .                         settled, %: not settled
 */

#include "config.h"

#include "transfer/amsschedule.h"

#include <stdlib.h>
#include <string.h>

typedef struct
{
  AmsSchedule *schedule;
  GHashTable *flying; /* label → AmsJob */
  GString *dropped;
  gint64 now, next;
} Run;

static gchar *
label (const AmsJob *job)
{
  if (job->kind == AMS_JOB_REMOVE)
    return g_strdup_printf ("r%s", job->name);
  if (job->kind == AMS_JOB_NOTIFY)
    return g_strdup_printf ("n%s", job->name);
  if (job->role >= AMS_FILE_ROLE_PLAYLIST)
    return g_strdup_printf ("%c%" G_GUINT64_FORMAT,
        g_ascii_tolower (job->name[0]), job->version);
  return g_strdup (job->name);
}

static void
on_dropped (const AmsJob *job, AmsDropReason reason, gpointer user_data)
{
  Run *run = user_data;
  g_autofree gchar *name = label (job);

  g_string_append_printf (run->dropped, "%s%c ", name, "swc"[reason]);
}

static AmsJob *
job_from_word (const gchar *word)
{
  static const gchar kinds[] = "okis";
  const gchar *role = strchr (kinds, word[0]);
  g_auto (GStrv) parts = g_strsplit_set (word + 1, "@^", 2);
  AmsJob *job;

  if (role)
    return ams_job_new (AMS_JOB_PUT, word + 1, role - kinds);
  if (word[0] == 'a')
    return ams_job_new (AMS_JOB_ADOPT, word + 1, AMS_FILE_ROLE_SEGMENT);
  if (word[0] == 'n')
    return ams_job_new (AMS_JOB_NOTIFY, word + 1, AMS_FILE_ROLE_OTHER);
  if (word[0] == 'r') {
    job = ams_job_new (AMS_JOB_REMOVE, parts[0], AMS_FILE_ROLE_OTHER);
    job->after = parts[1] ? atoll (parts[1]) : 0;
    return job;
  }
  job = ams_job_new (AMS_JOB_PUT,
      word[0] == 'p'       ? "P"
          : word[0] == 'q' ? "Q"
                           : "M",
      word[0] == 'm' ? AMS_FILE_ROLE_MASTER : AMS_FILE_ROLE_PLAYLIST);
  job->version = atoll (word + 1);
  job->final = strchr (word, '!') != NULL;
  if (parts[1])
    job->failed = g_strsplit (parts[1], ",", -1);
  return job;
}

static void
expect_started (Run *run, const gchar *expected)
{
  g_autoptr (GString) started = g_string_new (NULL);
  AmsJob *job;

  while ((job = ams_schedule_pick (run->schedule, run->now, &run->next))) {
    gchar *name = label (job);

    g_string_append_printf (started, "%s%s", started->len ? "," : "", name);
    g_hash_table_replace (run->flying, name, job);
  }
  g_assert_cmpstr (started->str, ==, expected);
}

static AmsJob *
landed (Run *run, const gchar *name)
{
  AmsJob *job = g_hash_table_lookup (run->flying, name);

  g_assert_nonnull (job);
  g_hash_table_remove (run->flying, name);
  return job;
}

static void
retry (Run *run, gchar **parts, gboolean struck)
{
  AmsJob *job = landed (run, parts[0]);

  if (struck)
    ams_schedule_strike (run->schedule, job);
  ams_schedule_retry (run->schedule, job, parts[1] ? atoll (parts[1]) : 0);
}

static void
run_word (Run *run, const gchar *word)
{
  g_auto (GStrv) parts = g_strsplit (word + 1, "@", 2);

  switch (word[0]) {
    case '>':
      expect_started (run, word + 1);
      break;
    case '+':
      ams_schedule_done (run->schedule, landed (run, parts[0]));
      break;
    case '-':
      ams_schedule_give_up (run->schedule, landed (run, parts[0]));
      break;
    case '~':
    case '*':
      retry (run, parts, word[0] == '*');
      break;
    case '^':
      ams_schedule_hurry (run->schedule);
      break;
    case '\'':
      ams_schedule_hurry_first (run->schedule);
      break;
    case ':':
      ams_schedule_set_version_interval (run->schedule, atoll (word + 1));
      break;
    case 'u':
      ams_schedule_add_unsettled (run->schedule, word + 1,
          AMS_FILE_ROLE_PLAYLIST);
      break;
    case '!':
      ams_schedule_add_failed (run->schedule, word + 1, AMS_FILE_ROLE_SEGMENT);
      break;
    case '=':
      run->now = atoll (word + 1);
      break;
    case '?':
      g_assert_cmpint (run->next, ==, atoll (word + 1));
      break;
    case '.':
    case '%':
      g_assert_true (
          ams_schedule_is_settled (run->schedule) == (word[0] == '.'));
      break;
    default:
      ams_schedule_add (run->schedule, job_from_word (word), run->now);
      break;
  }
}

static void
run_script (const gchar *script, guint max_parallel, const gchar *dropped)
{
  g_auto (GStrv) words = g_strsplit (script, " ", -1);
  Run run = { .now = 1 };

  run.dropped = g_string_new (NULL);
  run.flying = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  run.schedule = ams_schedule_new (max_parallel, on_dropped, &run);
  for (guint i = 0; words[i]; i++)
    run_word (&run, words[i]);
  g_assert_cmpstr (run.dropped->str, ==, dropped);
  ams_schedule_free (run.schedule);
  g_hash_table_unref (run.flying);
  g_string_free (run.dropped, TRUE);
}

static const struct
{
  const gchar *name, *script, *dropped;
} scripts[] = {
  { "playlist-waits-for-segments-before-it",
      "sA sB p1 sC >A,B,C % +A > +B >p1 +C +p1 .", "" },
  { "segments-wait-for-init", "iI kK sA p1 >I,K +I > +K >A +A >p1 +p1 .", "" },
  { "late-init-does-not-hold-up-earlier-segment", "sA iI sB >A,I +I >B", "" },
  { "master-waits-for-playlists",
      "sA p1 q1 m1 >A +A >p1,q1 +p1 > +q1 >m1 +m1 .", "" },
  { "master-does-not-wait-for-later-playlist", "p1 m1 sA p2 >p1,A +p1 >m1",
      "" },
  { "newest-eligible-version-goes", "sA >A p1 p2 p3 +A >p3 +p3 .", "p1s p2s " },
  { "version-in-flight-is-not-overtaken", "p1 >p1 p2 p3 > +p1 >p3", "p2s " },
  { "newer-that-may-not-go-does-not-starve-older",
      "sA p1 sB p2 >A,B +A >p1 +p1 +B >p2", "" },
  { "final-is-never-skipped", "p1 p2! p3 >p2 +p2 >p3", "p1s " },
  { "master-waits-for-later-version-of-a-superseded-playlist",
      "sA sB p1 m1 sC p2 >A,B,C +A +C +B >p2 > +p2 >m1", "p1s " },
  { "given-up-segment-withholds-playlists", "sA p1 sB p2 >A,B -A > +B > .",
      "p1w p2w " },
  { "playlist-that-heeds-goes", "sA p1 >A -A p2 > p3^A p4 >p4",
      "p1w p2w p3s " },
  { "playlist-before-the-failed-file-goes", "sA p1 sB p2 >A,B -B +A >p1",
      "p2w " },
  { "heeding-one-of-two-is-not-enough", "sA sB >A,B -A -B p1^A > p2^B >p2",
      "p1w " },
  { "given-up-while-open-withholds", "!A p1 > p2^A >p2", "p1w " },
  { "given-up-other-withholds-nothing", "oA p1 >A -A >p1", "" },
  { "failed-then-put-again-withholds-nothing", "sA >A -A sA >A +A p1 >p1", "" },
  { "retried-waits-and-others-go-on",
      "sA sB p1 >A,B ~A@50 +B > ?50 =50 >A +A >p1", "" },
  { "playlist-retry-is-inherited-by-newer-version",
      "p1 >p1 ~p1@50 p2 > ?50 =50 >p2", "p1s " },
  { "remove-waits-for-earlier-playlists-only",
      "sA p1 rX p2 >A +A >p2 > +p2 >rX +rX .", "p1s " },
  { "remove-waits-its-time", "p1 rX@100 >p1 =10 +p1 > . ?110 =110 >rX +rX .",
      "" },
  { "remove-of-time-zero-counts-for-settled", "rX % >rX +rX .", "" },
  { "put-cancels-pending-remove", "rX@100 > sX >X +X =500 >", "rXc " },
  { "remove-waits-for-a-version-that-went-missing",
      "uP rX sA p2 >A > +A >p2 > +p2 >rX", "" },
  { "playlist-put-again-keeps-what-it-lists",
      "rP@100 rA@100 rB@100 rC@200 p1 >p1 +p1 =150 > =250 >rC +rC .",
      "rAc rBc rPc " },
  { "remove-in-flight-gives-way-to-a-put", "rX >rX sX p1 > ~rX@500 >X +X >p1",
      "rXc " },
  { "remove-waits-for-put-of-its-name", "sX rX >X +X >rX", "" },
  { "remove-waits-while-playlist-is-withheld",
      "sA p1 rX >A -A > p2^A >p2 +p2 >rX", "p1w " },
  { "one-operation-per-name", "sA sA >A > +A >A", "" },
  { "adopt-is-waited-for", "aA p1 >A +A >p1", "" },
  { "given-up-playlist-holds-master", "p1 m1 >p1 -p1 > p2 >p2 +p2 >m1", "" },
  { "versions-are-thinned",
      "sA >A p1 p2 p3 p4 p5 p6 p7 p8 p9 p10 p11 p12 p13 p14 p15 p16 p17",
      "p2s p4s p6s p8s p10s p12s p14s p16s " },
  { "notify-waits-for-all-before-it",
      "iI sA p1 m1 nN sB >I +I >A,B +A >p1 +p1 >m1 > +m1 +B >nN +nN .", "" },
  { "notify-does-not-wait-for-later-files", "p1 nN sA p2 >p1,A +p1 >nN", "" },
  { "notify-counts-for-settled", "nN % >nN % +nN .", "" },
  { "notify-does-not-wait-for-a-remove", "p1 rX@100 nN >p1 +p1 >nN +nN .", "" },
  { "notify-waits-for-a-later-version-of-a-superseded-playlist",
      "sA p1 nN sB p2 >A,B +A +B >p2 > +p2 >nN", "p1s " },
  { "notify-retried-waits", "nN >nN ~nN@50 > ?50 =50 >nN +nN .", "" },
  { "notify-given-up-withholds-nothing", "nN p1 >nN,p1 -nN +p1 p2 >p2 +p2 .",
      "" },
  { "notifies-go-one-after-the-other", "nN nN >nN > +nN >nN", "" },
  { "versions-keep-their-interval",
      ":100 p1 >p1 =20 +p1 p2 > ?101 p3 > ?101 =101 >p3 +p3", "p2s " },
  { "interval-is-from-beginning-to-beginning",
      ":100 p1 >p1 =300 +p1 p2 >p2 =310 +p2 p3 > ?400", "" },
  { "final-version-does-not-wait-for-the-interval",
      ":100 p1 >p1 +p1 p2 > ?101 p3! >p3 +p3 .", "p2s " },
  { "interval-is-of-each-playlist", ":100 p1 >p1 +p1 q1 >q1 +q1 m1 >m1", "" },
  { "interval-does-not-hold-up-files", ":100 p1 >p1 +p1 p2 sA >A", "" },
  { "a-version-that-waits-its-interval-is-not-settled",
      ":100 p1 >p1 +p1 p2 > % =101 >p2 +p2 .", "" },
  { "hurry-frees-what-the-endpoint-struck",
      "sA sB >A,B *A@500 ~B@500 > ^ >A ?500", "" },
  { "hurry-first-frees-the-oldest",
      "sA sB >A,B *A@500 *B@500 > ' >A ?500 +A ' >B", "" },
  { "hurry-frees-once", "sA >A *A@500 ^ >A ~A@500 ^ > ?500", "" },
  { "hurry-frees-the-version-that-inherited", "p1 >p1 *p1@500 p2 > ?500 ^ >p2",
      "p1s " },
  { "hurry-leaves-a-version-its-own-delay", "p1 >p1 ~p1@500 p2 > ?500 ^ > ?500",
      "p1s " },
};

static void
test_script (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);

  run_script (scripts[i].script, 8, scripts[i].dropped);
}

static void
test_max_parallel_is_kept (void)
{
  run_script ("sA sB sC p1 >A,B +A >C +B +C >p1", 2, "");
}

/* Whatever the order of ends, no playlist starts before what came before it. */
static void
test_random_never_announces_early (void)
{
  AmsSchedule *schedule = ams_schedule_new (4, NULL, NULL);
  g_autoptr (GPtrArray) flying = g_ptr_array_new ();
  guint64 last_confirmed = 0;
  gint64 next;

  for (guint step = 0; step < 20000; step++) {
    guint what = g_test_rand_int_range (0, 4);
    AmsJob *job;

    if (what == 0 && ams_schedule_get_length (schedule) < 200) {
      g_autofree gchar *name = g_strdup_printf ("%u", step);

      ams_schedule_add (schedule,
          ams_job_new (AMS_JOB_PUT, name, AMS_FILE_ROLE_SEGMENT), step);
      job = ams_job_new (AMS_JOB_PUT, "P", AMS_FILE_ROLE_PLAYLIST);
      job->version = step + 1;
      ams_schedule_add (schedule, job, step);
    } else if (what == 1 && flying->len > 0) {
      job = g_ptr_array_steal_index_fast (flying,
          g_test_rand_int_range (0, flying->len));
      if (g_test_rand_int_range (0, 3) == 0) {
        ams_schedule_retry (schedule, job,
            step + g_test_rand_int_range (0, 20));
        continue;
      }
      if (job->role == AMS_FILE_ROLE_PLAYLIST) {
        g_assert_cmpuint (job->version, >, last_confirmed);
        last_confirmed = job->version;
      }
      ams_schedule_done (schedule, job);
    } else {
      job = ams_schedule_pick (schedule, step, &next);
      if (!job)
        continue;
      if (job->role == AMS_FILE_ROLE_PLAYLIST) {
        for (const GList *l = job->link.prev; l; l = l->prev)
          g_assert_cmpint (((AmsJob *) l->data)->role, !=,
              AMS_FILE_ROLE_SEGMENT);
      }
      g_ptr_array_add (flying, job);
    }
  }
  g_assert_cmpuint (last_confirmed, >, 0);
  ams_schedule_free (schedule);
}

/* Nothing looks through all that wait: the square of their number is more than the test's
 * time. */
static void
test_many_that_wait_cost_no_more_each (void)
{
  const guint n = 100000;
  AmsSchedule *schedule = ams_schedule_new (4, NULL, NULL);
  guint64 last = 0;
  gint64 next;
  AmsJob *job;

  for (guint i = 0; i < n; i++) {
    g_autofree gchar *name = g_strdup_printf ("%u", i);

    ams_schedule_add (schedule,
        ams_job_new (AMS_JOB_PUT, name, AMS_FILE_ROLE_SEGMENT), 0);
    job = ams_job_new (AMS_JOB_PUT, "P", AMS_FILE_ROLE_PLAYLIST);
    job->version = i + 1;
    ams_schedule_add (schedule, job, 0);
    ams_schedule_hurry_first (schedule);
  }
  g_assert_cmpuint (ams_schedule_get_length (schedule), <=,
      n + AMS_SCHEDULE_MAX_VERSIONS);
  while ((job = ams_schedule_pick (schedule, 0, &next))) {
    if (job->attempts == 1 && job->role == AMS_FILE_ROLE_SEGMENT) {
      ams_schedule_strike (schedule, job);
      ams_schedule_retry (schedule, job, 1000);
      g_assert_true (ams_schedule_hurry_first (schedule));
      g_assert_false (ams_schedule_hurry_first (schedule));
      continue;
    }
    if (job->role == AMS_FILE_ROLE_PLAYLIST) {
      g_assert_cmpuint (job->version, >, last);
      last = job->version;
    }
    ams_schedule_done (schedule, job);
  }
  g_assert_cmpuint (last, ==, n);
  g_assert_true (ams_schedule_is_settled (schedule));
  ams_schedule_free (schedule);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (scripts); i++) {
    g_autofree gchar *path = g_strconcat ("/schedule/", scripts[i].name, NULL);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_script);
  }
  g_test_add_func ("/schedule/max-parallel-is-kept", test_max_parallel_is_kept);
  g_test_add_func ("/schedule/many-that-wait",
      test_many_that_wait_cost_no_more_each);
  g_test_add_func ("/schedule/random-never-announces-early",
      test_random_never_announces_early);
  return g_test_run ();
}
