/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "workers/amscontext.h"

#include "amsthreads.h"

#include <glib.h>

#define WATCHDOG (20 * G_TIME_SPAN_SECOND)
#define MANY 12

/* What the threads of the pool are called. */
#define WORKER "ams-worker"
#define WATCH "ams-watch"

static GMutex lock;
static GCond changed;

/* Something that a context has done, or is to wait for. */
typedef struct
{
  AmsContext *context;
  guint calls; /* all below: under the lock */
  guint inside; /* threads that are in a callback now */
  guint most_inside;
  gboolean hangs; /* callbacks wait until that is over */
  gboolean quits;
  gboolean destroyed;
  GSource *source; /* may be woken */
} Item;

static void
wait_for_locked (guint *what, guint least)
{
  gint64 deadline = g_get_monotonic_time () + WATCHDOG;

  while (*what < least) {
    if (!g_cond_wait_until (&changed, &lock, deadline))
      g_error ("waited in vain: %u of %u", *what, least);
  }
}

static void
wait_for (guint *what, guint least)
{
  g_mutex_lock (&lock);
  wait_for_locked (what, least);
  g_mutex_unlock (&lock);
}

static gboolean
on_call (gpointer data)
{
  Item *item = data;
  gboolean quits;

  g_source_set_ready_time (item->source, -1);
  g_assert_true (
      g_main_context_is_owner (ams_context_get_main (item->context)));
  g_assert_true (g_main_context_get_thread_default () ==
      ams_context_get_main (item->context));
  g_mutex_lock (&lock);
  item->inside++;
  item->most_inside = MAX (item->most_inside, item->inside);
  item->calls++;
  g_cond_broadcast (&changed);
  while (item->hangs)
    g_cond_wait (&changed, &lock);
  item->inside--;
  quits = item->quits;
  g_mutex_unlock (&lock);
  if (quits)
    ams_context_quit (item->context);
  return G_SOURCE_CONTINUE;
}

static void
on_destroyed (gpointer data)
{
  Item *item = data;

  g_mutex_lock (&lock);
  g_assert_cmpuint (item->inside, ==, 0);
  item->destroyed = TRUE;
  g_mutex_unlock (&lock);
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs funcs = { .dispatch = dispatch };

static void
start (Item *item)
{
  *item = (Item){ .context = ams_context_new () };
  item->source = g_source_new (&funcs, sizeof (GSource));
  g_source_set_callback (item->source, on_call, item, NULL);
  g_source_attach (item->source, ams_context_get_main (item->context));
  g_assert_true (ams_context_start (item->context, item, on_destroyed, NULL));
}

static void
wake (Item *item)
{
  g_source_set_ready_time (item->source, 0);
}

/* Called @calls times in all. */
static void
call (Item *item, guint calls)
{
  wake (item);
  wait_for (&item->calls, calls);
}

static void
set_hangs (Item *item, gboolean hangs)
{
  g_mutex_lock (&lock);
  item->hangs = hangs;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

static void
stop (Item *item)
{
  g_mutex_lock (&lock);
  item->quits = TRUE;
  g_mutex_unlock (&lock);
  wake (item);
  ams_context_join (item->context);
  g_assert_true (item->destroyed);
  ams_context_unref (item->context);
  g_source_unref (item->source);
}

static void
check_all_have_ended (void)
{
  ams_threads_wait (WORKER, 0, 0);
  ams_threads_wait (WATCH, 0, 0);
}

static void
test_first_context_starts_few_threads_and_the_last_ends_them (void)
{
  Item items[2];

  start (&items[0]);
  start (&items[1]);
  call (&items[0], 1);
  call (&items[1], 1);
  ams_threads_wait (WORKER, 2, 2);
  ams_threads_wait (WATCH, 1, 1);
  stop (&items[0]);
  call (&items[1], 2);
  stop (&items[1]);
}

static void
test_threads_begin_again_after_the_end (void)
{
  for (guint i = 0; i < 50; i++) {
    Item item;

    start (&item);
    call (&item, 1);
    stop (&item);
  }
}

static gpointer
wake_often (gpointer data)
{
  Item *item = data;

  for (guint i = 0; i < 2000; i++)
    wake (item);
  return NULL;
}

static void
test_one_thread_at_a_time_runs_a_context (void)
{
  GThread *threads[3];
  Item items[3];

  for (guint i = 0; i < G_N_ELEMENTS (items); i++)
    start (&items[i]);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("waker", wake_often, &items[0]);
  wake_often (&items[1]);
  wake_often (&items[2]);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < G_N_ELEMENTS (items); i++) {
    stop (&items[i]);
    g_assert_cmpuint (items[i].most_inside, ==, 1);
  }
}

static void
test_wake_up_while_it_runs_is_not_lost (void)
{
  Item item;

  start (&item);
  for (guint i = 1; i < 200; i += 2) {
    set_hangs (&item, TRUE);
    call (&item, i);
    wake (&item);
    set_hangs (&item, FALSE);
    wait_for (&item.calls, i + 1);
  }
  stop (&item);
}

static gboolean
on_timeout (gpointer data)
{
  Item *item = data;
  guint calls;

  g_mutex_lock (&lock);
  calls = ++item->calls;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  return calls < 5 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
test_sources_that_wait_for_times_are_called (void)
{
  g_autoptr (GSource) timer = g_timeout_source_new (20);
  gint64 begun;
  Item item;

  start (&item);
  begun = g_get_monotonic_time ();
  g_source_set_callback (timer, on_timeout, &item, NULL);
  g_source_attach (timer, ams_context_get_main (item.context));
  wait_for (&item.calls, 5);
  g_assert_cmpint (g_get_monotonic_time () - begun, >=, 100000);
  stop (&item);
}

/* The time of a source is set by another thread, sooner than that of before. */
static void
test_time_that_comes_nearer_is_heeded (void)
{
  Item item;

  start (&item);
  for (guint i = 1; i <= 20; i++) {
    gint64 now = g_get_monotonic_time ();

    g_source_set_ready_time (item.source, now + 3600 * G_TIME_SPAN_SECOND);
    g_source_set_ready_time (item.source, now + i * 500);
    wait_for (&item.calls, i);
    g_assert_cmpint (g_get_monotonic_time (), >=, now + i * 500);
  }
  stop (&item);
}

typedef struct
{
  GSource source;
  gint time; /* atomic: in ms of the monotonic time, 0: never */
  GSource *other; /* of meddle() */
} QuietSource;

static gboolean
quiet_is_due (GSource *source)
{
  gint time = g_atomic_int_get (&((QuietSource *) source)->time);

  return time != 0 && time <= (gint) (g_get_monotonic_time () / 1000);
}

static gboolean
quiet_prepare (GSource *source, gint *timeout)
{
  gint time = g_atomic_int_get (&((QuietSource *) source)->time);

  *timeout =
      time != 0 ? MAX (time - (gint) (g_get_monotonic_time () / 1000), 0) : -1;
  return quiet_is_due (source);
}

static gboolean
quiet_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_atomic_int_set (&((QuietSource *) source)->time, 0);
  return callback (user_data);
}

static GSourceFuncs quiet_funcs = { quiet_prepare, quiet_is_due,
  quiet_dispatch };

static gboolean
count (gpointer data)
{
  Item *item = data;

  g_mutex_lock (&lock);
  item->calls++;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  return G_SOURCE_CONTINUE;
}

/* Nothing wakes a thread before. */
static void
test_run_at_has_it_run_then (void)
{
  g_autoptr (GSource) quiet = g_source_new (&quiet_funcs, sizeof (QuietSource));
  Item item;

  start (&item);
  call (&item, 1);
  g_source_set_callback (quiet, count, &item, NULL);
  g_source_attach (quiet, ams_context_get_main (item.context));
  for (guint i = 2; i < 8; i++) {
    gint64 time = g_get_monotonic_time () + 15000;

    g_atomic_int_set (&((QuietSource *) quiet)->time, (gint) (time / 1000));
    ams_context_run_at (item.context, time);
    ams_context_run_at (item.context, time + 3600 * G_TIME_SPAN_SECOND);
    wait_for (&item.calls, i);
    g_assert_cmpint (g_get_monotonic_time () / 1000, >=, time / 1000);
  }
  stop (&item);
}

/* Sets the time of the item's source once, as another thread may at that moment. */
static gboolean
meddle (GSource *source, gint *timeout)
{
  QuietSource *quiet = (QuietSource *) source;
  gint time = g_atomic_int_get (&quiet->time);

  *timeout = -1;
  g_atomic_int_set (&quiet->time, 0);
  if (time != 0)
    g_source_set_ready_time (quiet->other, g_get_monotonic_time () + 30000);
  return FALSE;
}

static gboolean
never (GSource *source)
{
  return FALSE;
}

static GSourceFuncs meddling_funcs = { meddle, never, quiet_dispatch };

/* After the sources have said how long they wait, and before the wake-up is taken
 * note of. */
static void
test_time_set_while_sources_are_prepared_is_heeded (void)
{
  g_autoptr (GSource) meddler =
      g_source_new (&meddling_funcs, sizeof (QuietSource));
  Item item;

  start (&item);
  ((QuietSource *) meddler)->other = item.source;
  g_source_set_priority (meddler, G_PRIORITY_LOW);
  g_source_attach (meddler, ams_context_get_main (item.context));
  for (guint i = 1; i < 5; i++) {
    g_atomic_int_set (&((QuietSource *) meddler)->time, 1);
    g_main_context_wakeup (ams_context_get_main (item.context));
    wait_for (&item.calls, i);
  }
  stop (&item);
}

static void
test_what_hangs_holds_up_nothing_else (void)
{
  Item hanging[MANY], item;

  for (guint i = 0; i < MANY; i++)
    start (&hanging[i]);
  start (&item);
  for (guint i = 0; i < MANY; i++) {
    set_hangs (&hanging[i], TRUE);
    wake (&hanging[i]);
  }
  call (&item, 1);
  for (guint i = 0; i < MANY; i++)
    wait_for (&hanging[i].calls, 1);
  call (&item, 2);
  for (guint i = 0; i < MANY; i++)
    set_hangs (&hanging[i], FALSE);
  for (guint i = 0; i < MANY; i++)
    stop (&hanging[i]);
  ams_threads_wait (WORKER, 2, 2);
  call (&item, 3);
  stop (&item);
}

/* As many as there are contexts, and no more. */
static void
test_all_that_hang_have_a_thread_each (void)
{
  Item items[MANY];

  for (guint i = 0; i < MANY; i++) {
    start (&items[i]);
    set_hangs (&items[i], TRUE);
    wake (&items[i]);
  }
  for (guint i = 0; i < MANY; i++)
    wait_for (&items[i].calls, 1);
  ams_threads_wait (WORKER, MANY, MANY);
  for (guint i = 0; i < MANY; i++)
    set_hangs (&items[i], FALSE);
  for (guint i = 0; i < MANY; i++)
    stop (&items[i]);
}

static gboolean
go_on (gpointer data)
{
  Item *item = data;
  gboolean quits;

  g_mutex_lock (&lock);
  item->calls++;
  quits = item->quits;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  return quits ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static gboolean
be_slow (gpointer data)
{
  gint64 until = g_get_monotonic_time () + 500;

  while (g_get_monotonic_time () < until)
    g_thread_yield ();
  return go_on (data);
}

/* No thread hangs, but there are too few. */
static void
test_slow_contexts_get_more_threads (void)
{
  Item slow[6];

  for (guint i = 0; i < G_N_ELEMENTS (slow); i++) {
    g_autoptr (GSource) idle = g_idle_source_new ();

    start (&slow[i]);
    g_source_set_callback (idle, be_slow, &slow[i], NULL);
    g_source_attach (idle, ams_context_get_main (slow[i].context));
  }
  ams_threads_wait (WORKER, G_N_ELEMENTS (slow), G_N_ELEMENTS (slow));
  for (guint i = 0; i < G_N_ELEMENTS (slow); i++)
    stop (&slow[i]);
}

/* Contexts that always have more to do let the others have their turn. */
static void
test_busy_contexts_take_turns (void)
{
  Item busy[6], item;

  for (guint i = 0; i < G_N_ELEMENTS (busy); i++) {
    g_autoptr (GSource) idle = g_idle_source_new ();

    start (&busy[i]);
    g_source_set_callback (idle, go_on, &busy[i], NULL);
    g_source_attach (idle, ams_context_get_main (busy[i].context));
  }
  start (&item);
  for (guint i = 1; i <= 20; i++)
    call (&item, i);
  for (guint i = 0; i < G_N_ELEMENTS (busy); i++)
    wait_for (&busy[i].calls, 20);
  for (guint i = 0; i < G_N_ELEMENTS (busy); i++)
    stop (&busy[i]);
  stop (&item);
}

static void
test_work_is_not_dispatched_after_quitting (void)
{
  g_autoptr (GSource) idle = g_idle_source_new ();
  Item item;

  start (&item);
  set_hangs (&item, TRUE);
  call (&item, 1);
  g_source_set_callback (idle, go_on, &item, NULL);
  g_source_attach (idle, ams_context_get_main (item.context));
  g_mutex_lock (&lock);
  item.quits = TRUE;
  item.hangs = FALSE;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  ams_context_join (item.context);
  g_assert_cmpuint (item.calls, ==, 1);
  ams_context_unref (item.context);
  g_source_unref (item.source);
}

/* As an engine whose disk hangs when it is stopped: nobody waits for it. */
static void
test_context_that_was_let_go_of_ends_by_itself (void)
{
  Item item;

  start (&item);
  set_hangs (&item, TRUE);
  call (&item, 1);
  g_mutex_lock (&lock);
  item.quits = TRUE;
  g_mutex_unlock (&lock);
  ams_context_unref (item.context);
  set_hangs (&item, FALSE);
  check_all_have_ended ();
  g_mutex_lock (&lock);
  g_assert_true (item.destroyed);
  g_mutex_unlock (&lock);
  g_source_unref (item.source);
}

static void
test (gconstpointer function)
{
  ((void (*) (void)) function) ();
  check_all_have_ended ();
}

#define ADD(path, function) \
  g_test_add_data_func ("/workers/" path, function, test)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("threads/few-from-first-to-last",
      test_first_context_starts_few_threads_and_the_last_ends_them);
  ADD ("threads/begin-again", test_threads_begin_again_after_the_end);
  ADD ("one-at-a-time", test_one_thread_at_a_time_runs_a_context);
  ADD ("wake-up/while-it-runs", test_wake_up_while_it_runs_is_not_lost);
  ADD ("time/sources", test_sources_that_wait_for_times_are_called);
  ADD ("time/comes-nearer", test_time_that_comes_nearer_is_heeded);
  ADD ("time/while-sources-are-prepared",
      test_time_set_while_sources_are_prepared_is_heeded);
  ADD ("time/run-at", test_run_at_has_it_run_then);
  ADD ("hang/holds-up-nothing-else", test_what_hangs_holds_up_nothing_else);
  ADD ("hang/a-thread-each", test_all_that_hang_have_a_thread_each);
  ADD ("hang/slowness-as-well", test_slow_contexts_get_more_threads);
  ADD ("turns", test_busy_contexts_take_turns);
  ADD ("quit/nothing-is-dispatched-after",
      test_work_is_not_dispatched_after_quitting);
  ADD ("quit/let-go-of", test_context_that_was_let_go_of_ends_by_itself);
  return g_test_run ();
}
