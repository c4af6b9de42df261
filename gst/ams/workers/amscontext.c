/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "workers/amscontext.h"

#include "workers/amsworkers.h"

/* So often a context dispatches sources before the others have their turn. */
#define DISPATCHES 8

struct _AmsContext
{
  AmsWork work; /* first */

  gint refs; /* atomic: the owner's and the workers' */
  GMainContext *context;
  gpointer data;
  GDestroyNotify destroy;
  gboolean quits; /* whoever runs it */
  gboolean ended; /* under the lock */
};

static GMutex lock;
static GCond changed; /* a context has ended */

/* An iteration of the context. @acknowledge: wake-ups up to now, which need not be
 * asked for, as it does no harm to acknowledge none. @timeout: how many ms may pass
 * without another, -1: any. FALSE: nothing was to be dispatched. */
static gboolean
iterate (AmsContext *self, gboolean acknowledge, gint *timeout)
{
  GPollFD fd = { 0 };
  gint priority, n;

  g_main_context_prepare (self->context, &priority);
  n = MIN (g_main_context_query (self->context, priority, timeout, &fd, 1), 1);
  fd.revents = acknowledge ? fd.events : 0;
  if (!g_main_context_check (self->context, priority, &fd, n))
    return FALSE;
  g_main_context_dispatch (self->context);
  return TRUE;
}

/* What a timeout comes from may change between that and the acknowledgement, so
 * the one that counts comes from an iteration that acknowledges nothing. */
static gint64
run (AmsWork *work)
{
  AmsContext *self = (AmsContext *) work;
  gboolean more = TRUE;
  gint timeout = 0;

  g_main_context_push_thread_default (self->context);
  for (guint i = 0; i < DISPATCHES && more && !self->quits; i++)
    more = iterate (self, TRUE, &timeout) || iterate (self, FALSE, &timeout);
  g_main_context_pop_thread_default (self->context);
  if (more)
    return 0;
  return timeout < 0
      ? AMS_WORK_NEVER
      : g_get_monotonic_time () + timeout * G_GINT64_CONSTANT (1000);
}

static void
wake (AmsWork *work)
{
  g_main_context_wakeup (((AmsContext *) work)->context);
}

static void
ended (AmsWork *work)
{
  AmsContext *self = (AmsContext *) work;

  if (self->destroy)
    self->destroy (self->data);
  g_mutex_lock (&lock);
  self->ended = TRUE;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  ams_context_unref (self);
}

static const AmsWorkKind kind = { run, wake, ended };

/* A context without sources that wait for file descriptors has that one only. */
static gint
get_wakeup_fd (GMainContext *context)
{
  GPollFD fd = { .fd = -1 };
  gint timeout;

  g_main_context_acquire (context);
  g_main_context_query (context, G_PRIORITY_DEFAULT, &timeout, &fd, 1);
  g_main_context_release (context);
  return fd.fd;
}

AmsContext *
ams_context_new (void)
{
  AmsContext *self = g_new0 (AmsContext, 1);

  self->refs = 1;
  /* It is woken while nobody owns it as well. */
  self->context =
      g_main_context_new_with_flags (G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
  self->work.kind = &kind;
  self->work.fd = get_wakeup_fd (self->context);
  return self;
}

void
ams_context_unref (AmsContext *self)
{
  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  g_main_context_unref (self->context);
  g_free (self);
}

GMainContext *
ams_context_get_main (AmsContext *self)
{
  return self->context;
}

gboolean
ams_context_start (AmsContext *self, gpointer data, GDestroyNotify destroy,
    GError **error)
{
  self->data = data;
  self->destroy = destroy;
  g_atomic_int_inc (&self->refs);
  if (ams_workers_add (&self->work, error))
    return TRUE;
  ams_context_unref (self);
  return FALSE;
}

void
ams_context_run_at (AmsContext *self, gint64 time)
{
  ams_workers_run_at (&self->work, time);
}

void
ams_context_quit (AmsContext *self)
{
  self->quits = TRUE;
  ams_workers_quit (&self->work);
}

void
ams_context_join (AmsContext *self)
{
  g_mutex_lock (&lock);
  while (!self->ended)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
}
