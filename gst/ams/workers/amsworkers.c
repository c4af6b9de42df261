/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* All threads wait in epoll_wait(). A work's file descriptor is disarmed while
 * the work runs (EPOLLONESHOT) and armed again afterwards, so that one thread at a
 * time runs it, no wake-up is lost, and what is ready has its turn in the order in
 * which it became ready. One timer serves the times of all. */

#include "config.h"

#include "workers/amsworkers.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <gio/gio.h>

/* Threads that wait for work when there is little of it. */
#define FEW 2
/* µs: so long may all threads be busy before there is another one. */
#define PATIENCE (G_USEC_PER_SEC / 50)
/* µs: times are rounded up to multiples of it, so that one wake-up serves several
 * of them. */
#define TIME_STEP (G_USEC_PER_SEC / 100)

typedef struct
{
  gint epoll;
  gint timer; /* the first time of all works */
  gint alarm; /* the watch's: all have been busy for too long */
  gint end; /* an eventfd: threads are to end */

  /* under the lock */
  GPtrArray *works;
  guint threads; /* workers */
  guint waiting; /* of them, those without work */
  gint64 first; /* what the timer is set to */
  gint64 alarmed; /* what the alarm is set to */
  gboolean closing;
  gboolean watched; /* there is a watch */
} Pool;

static GMutex lock;
static Pool *pool; /* under the lock; NULL: there is no work */

/* Timers */

static void
set_timer (gint fd, gint64 time)
{
  struct itimerspec spec = { 0 };

  if (time != AMS_WORK_NEVER) {
    spec.it_value.tv_sec = time / G_USEC_PER_SEC;
    /* All zeros would mean never. */
    spec.it_value.tv_nsec = time % G_USEC_PER_SEC * 1000 + 1;
  }
  timerfd_settime (fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void
set_first_locked (Pool *self, gint64 time)
{
  if (self->first == time)
    return;
  self->first = time;
  set_timer (self->timer, time);
}

/* Sets the alarm when the last thread becomes busy. */
static void
update_alarm_locked (Pool *self)
{
  gboolean saturated = self->waiting == 0 && self->threads < self->works->len;

  if (self->closing || saturated == (self->alarmed != AMS_WORK_NEVER))
    return;
  self->alarmed =
      saturated ? g_get_monotonic_time () + PATIENCE : AMS_WORK_NEVER;
  set_timer (self->alarm, self->alarmed);
}

/* What epoll waits for */

static gboolean
control (Pool *self, gint operation, gint fd, guint32 events, gpointer data)
{
  struct epoll_event event = { .events = events, .data.ptr = data };

  return epoll_ctl (self->epoll, operation, fd, &event) == 0;
}

static gboolean
arm (Pool *self, gint operation, AmsWork *work)
{
  return control (self, operation, work->fd, EPOLLIN | EPOLLONESHOT, work);
}

/* Life */

static void
free_pool (Pool *self)
{
  g_ptr_array_unref (self->works);
  if (self->epoll >= 0)
    close (self->epoll);
  if (self->timer >= 0)
    close (self->timer);
  if (self->alarm >= 0)
    close (self->alarm);
  if (self->end >= 0)
    close (self->end);
  g_free (self);
}

static Pool *
new_pool (GError **error)
{
  Pool *self = g_new0 (Pool, 1);

  self->works = g_ptr_array_new ();
  self->first = self->alarmed = AMS_WORK_NEVER;
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  self->timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  self->alarm = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC);
  self->end = eventfd (0, EFD_CLOEXEC);
  if (self->epoll >= 0 && self->alarm >= 0 &&
      control (self, EPOLL_CTL_ADD, self->timer, EPOLLIN | EPOLLET,
          &self->timer) &&
      control (self, EPOLL_CTL_ADD, self->end, EPOLLIN, &self->end))
    return self;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
      "Threads cannot wait for work: %s", g_strerror (errno));
  free_pool (self);
  return NULL;
}

static void
free_if_over_locked (Pool *self)
{
  if (self->closing && self->threads == 0 && !self->watched)
    free_pool (self);
}

/* The last work has ended. */
static void
close_locked (Pool *self)
{
  guint64 one = 1;

  self->closing = TRUE;
  if (pool == self)
    pool = NULL;
  if (write (self->end, &one, sizeof one) < 0)
    g_warning ("threads cannot be ended: %s", g_strerror (errno));
  set_timer (self->alarm, 0);
}

/* Running */

static void
remove_work (Pool *self, AmsWork *work)
{
  control (self, EPOLL_CTL_DEL, work->fd, 0, NULL);
  g_mutex_lock (&lock);
  g_ptr_array_remove_fast (self->works, work);
  update_alarm_locked (self);
  g_mutex_unlock (&lock);
  work->kind->ended (work);
  g_mutex_lock (&lock);
  if (self->works->len == 0 && !self->closing)
    close_locked (self);
  g_mutex_unlock (&lock);
}

static gint64
round_up (gint64 time)
{
  return time > AMS_WORK_NEVER - TIME_STEP
      ? AMS_WORK_NEVER
      : (time + TIME_STEP - 1) / TIME_STEP * TIME_STEP;
}

static void
run_at_locked (Pool *self, AmsWork *work, gint64 time)
{
  work->time = MIN (work->time, round_up (time));
  set_first_locked (self, MIN (self->first, work->time));
}

/* run_at() may be called meanwhile, for a time that the work does not heed yet:
 * that stays. */
static void
run_work (Pool *self, AmsWork *work)
{
  gboolean quits;
  gint64 next;

  g_mutex_lock (&lock);
  work->time = AMS_WORK_NEVER;
  g_mutex_unlock (&lock);
  next = work->kind->run (work);
  if (next <= 0)
    work->kind->wake (work);

  g_mutex_lock (&lock);
  quits = work->quits;
  if (!quits && next > 0)
    run_at_locked (self, work, next);
  g_mutex_unlock (&lock);
  if (quits)
    remove_work (self, work);
  else
    arm (self, EPOLL_CTL_MOD, work);
}

/* Those whose time has come become ready as by themselves. */
static void
wake_due (Pool *self)
{
  gint64 now, first = AMS_WORK_NEVER;

  g_mutex_lock (&lock);
  now = g_get_monotonic_time ();
  for (guint i = 0; i < self->works->len; i++) {
    AmsWork *work = g_ptr_array_index (self->works, i);

    if (work->time <= now) {
      work->time = AMS_WORK_NEVER;
      work->kind->wake (work);
    }
    first = MIN (first, work->time);
  }
  self->first = AMS_WORK_NEVER;
  set_first_locked (self, first);
  g_mutex_unlock (&lock);
}

static gboolean
is_too_many_locked (Pool *self)
{
  return self->closing || self->waiting > FEW;
}

/* A thread that finds more work at once has been busy all the time: only so does
 * the alarm tell that work waits. FALSE: the thread is to end. */
static gboolean
wait_for_work (Pool *self, struct epoll_event *event)
{
  gboolean ends;
  gint n = epoll_wait (self->epoll, event, 1, 0);

  if (n == 1)
    return TRUE;
  g_mutex_lock (&lock);
  self->waiting++;
  ends = is_too_many_locked (self);
  update_alarm_locked (self);
  g_mutex_unlock (&lock);
  while (!ends && n < 1)
    n = epoll_wait (self->epoll, event, 1, -1);
  g_mutex_lock (&lock);
  self->waiting--;
  update_alarm_locked (self);
  g_mutex_unlock (&lock);
  return !ends;
}

static gpointer
run_worker (gpointer data)
{
  Pool *self = data;
  struct epoll_event event;

  while (wait_for_work (self, &event) && event.data.ptr != &self->end) {
    if (event.data.ptr == &self->timer)
      wake_due (self);
    else
      run_work (self, event.data.ptr);
  }
  g_mutex_lock (&lock);
  self->threads--;
  update_alarm_locked (self);
  free_if_over_locked (self);
  g_mutex_unlock (&lock);
  return NULL;
}

/* Threads */

static gboolean
start_thread (const gchar *name, GThreadFunc function, Pool *self,
    GError **error)
{
  GThread *thread = g_thread_try_new (name, function, self, error);

  if (!thread)
    return FALSE;
  g_thread_unref (thread);
  return TRUE;
}

static gboolean
start_worker_locked (Pool *self, GError **error)
{
  if (!start_thread ("ams-worker", run_worker, self, error))
    return FALSE;
  self->threads++;
  return TRUE;
}

/* Half as many again, as what hangs may come in crowds. */
static void
grow_locked (Pool *self)
{
  guint more =
      MIN (MAX (self->threads / 2, 1), self->works->len - self->threads);

  while (more-- > 0) {
    g_autoptr (GError) error = NULL;

    if (!start_worker_locked (self, &error)) {
      g_warning ("all threads hang, and there is no other: %s", error->message);
      break;
    }
  }
}

/* The thread that stands by: it sleeps until all workers have been busy for too
 * long. */
static gpointer
run_watch (gpointer data)
{
  Pool *self = data;
  gboolean closing;
  guint64 times;

  do {
    gssize n = read (self->alarm, &times, sizeof times);

    g_mutex_lock (&lock);
    closing = self->closing;
    /* It may have been set anew, or taken back, meanwhile. */
    if (n == sizeof times && self->alarmed <= g_get_monotonic_time () &&
        !closing) {
      grow_locked (self);
      self->alarmed = AMS_WORK_NEVER;
      update_alarm_locked (self);
    }
    g_mutex_unlock (&lock);
  } while (!closing);
  g_mutex_lock (&lock);
  self->watched = FALSE;
  free_if_over_locked (self);
  g_mutex_unlock (&lock);
  return NULL;
}

/* Also those that could not be started before. The pool goes on with what there
 * are. */
static gboolean
start_threads_locked (Pool *self, GError **error)
{
  if (self->threads == 0 && !start_worker_locked (self, error))
    return FALSE;
  while (self->threads < FEW && start_worker_locked (self, NULL))
    continue;
  if (!self->watched)
    self->watched = start_thread ("ams-watch", run_watch, self, NULL);
  return TRUE;
}

static gboolean
ensure_pool_locked (GError **error)
{
  if (!pool)
    pool = new_pool (error);
  if (!pool)
    return FALSE;
  if (start_threads_locked (pool, error))
    return TRUE;
  g_clear_pointer (&pool, free_pool);
  return FALSE;
}

/* Work */

/* The kernel has limits of its own (max_user_watches). */
static gboolean
add_locked (Pool *self, AmsWork *work, GError **error)
{
  if (!arm (self, EPOLL_CTL_ADD, work)) {
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
        "Threads cannot wait for more work: %s", g_strerror (errno));
    if (self->works->len == 0)
      close_locked (self);
    return FALSE;
  }
  g_ptr_array_add (self->works, work);
  update_alarm_locked (self);
  return TRUE;
}

gboolean
ams_workers_add (AmsWork *work, GError **error)
{
  gboolean ok;

  work->time = AMS_WORK_NEVER;
  work->quits = FALSE;
  g_mutex_lock (&lock);
  ok = ensure_pool_locked (error) && add_locked (pool, work, error);
  g_mutex_unlock (&lock);
  return ok;
}

void
ams_workers_run_at (AmsWork *work, gint64 time)
{
  g_mutex_lock (&lock);
  run_at_locked (pool, work, time);
  g_mutex_unlock (&lock);
}

void
ams_workers_quit (AmsWork *work)
{
  g_mutex_lock (&lock);
  work->quits = TRUE;
  g_mutex_unlock (&lock);
}
