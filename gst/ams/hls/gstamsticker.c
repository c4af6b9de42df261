/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsticker.h"

#include "workers/amscontext.h"

struct _GstAmsTicker
{
  GstAmsTickerFunctions functions;
  gpointer user_data;
  AmsContext *context; /* in which it runs, so that it holds up nobody */
  GSource *source; /* of that: there is something to do */

  /* under the lock */
  gboolean ticking;
  gboolean removed;
};

static GMutex lock;
static GCond cond;
/* under the lock */
static GPtrArray *tickers;
static AmsContext *clock_context; /* NULL: nobody is called */
static GSource *clock_source; /* of that */

/* Sources that are dispatched when their time has come */

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

static GSource *
add_source (AmsContext *context, GSourceFunc callback, gpointer user_data)
{
  GSource *source = g_source_new (&source_funcs, sizeof (GSource));

  g_source_set_callback (source, callback, user_data, NULL);
  g_source_attach (source, ams_context_get_main (context));
  return source;
}

/* Running */

static gboolean
on_run (gpointer user_data)
{
  GstAmsTicker *self = user_data;
  gboolean removed;

  g_source_set_ready_time (self->source, -1);
  g_mutex_lock (&lock);
  removed = self->removed;
  g_mutex_unlock (&lock);
  if (removed)
    ams_context_quit (self->context);
  else
    self->functions.run (self->user_data);
  return G_SOURCE_CONTINUE;
}

/* Ticking */

static void
tick (GstAmsTicker *self)
{
  self->ticking = TRUE;
  g_mutex_unlock (&lock);
  if (self->functions.tick (self->user_data))
    g_source_set_ready_time (self->source, 0);
  g_mutex_lock (&lock);
  self->ticking = FALSE;
  g_cond_broadcast (&cond);
}

/* Those that are added or removed meanwhile have their turn next time. */
static void
tick_all_locked (void)
{
  g_autoptr (GPtrArray) now = g_ptr_array_copy (tickers, NULL, NULL);

  for (guint i = 0; i < now->len; i++) {
    GstAmsTicker *ticker = g_ptr_array_index (now, i);

    if (g_ptr_array_find (tickers, ticker, NULL))
      tick (ticker);
  }
}

/* Nobody is left. */
static void
stop_clock_locked (void)
{
  ams_context_quit (clock_context);
  g_clear_pointer (&clock_context, ams_context_unref);
  g_source_destroy (clock_source);
  g_clear_pointer (&clock_source, g_source_unref);
}

static gboolean
on_clock (gpointer user_data)
{
  g_mutex_lock (&lock);
  tick_all_locked ();
  if (tickers->len == 0)
    stop_clock_locked ();
  else
    g_source_set_ready_time (clock_source,
        g_get_monotonic_time () + GST_AMS_TICK);
  g_mutex_unlock (&lock);
  return G_SOURCE_CONTINUE;
}

static gboolean
start_clock_locked (GError **error)
{
  if (clock_context)
    return TRUE;
  if (!tickers)
    tickers = g_ptr_array_new ();
  clock_context = ams_context_new ();
  clock_source = add_source (clock_context, on_clock, NULL);
  g_source_set_ready_time (clock_source,
      g_get_monotonic_time () + GST_AMS_TICK);
  if (ams_context_start (clock_context, NULL, NULL, error))
    return TRUE;
  g_clear_pointer (&clock_context, ams_context_unref);
  g_clear_pointer (&clock_source, g_source_unref);
  return FALSE;
}

/* Life */

static void
free_ticker (GstAmsTicker *self)
{
  g_source_unref (self->source);
  ams_context_unref (self->context);
  g_free (self);
}

GstAmsTicker *
gst_ams_ticker_add (const GstAmsTickerFunctions *functions, gpointer user_data,
    GError **error)
{
  GstAmsTicker *self = g_new0 (GstAmsTicker, 1);
  gboolean ok;

  self->functions = *functions;
  self->user_data = user_data;
  self->context = ams_context_new ();
  self->source = add_source (self->context, on_run, self);
  g_mutex_lock (&lock);
  ok = start_clock_locked (error) &&
      ams_context_start (self->context, NULL, NULL, error);
  if (ok)
    g_ptr_array_add (tickers, self);
  g_mutex_unlock (&lock);
  if (ok)
    return self;
  free_ticker (self);
  return NULL;
}

void
gst_ams_ticker_remove (GstAmsTicker *self)
{
  g_mutex_lock (&lock);
  g_ptr_array_remove (tickers, self);
  while (self->ticking)
    g_cond_wait (&cond, &lock);
  if (tickers->len == 0 && clock_source)
    g_source_set_ready_time (clock_source, 0);
  self->removed = TRUE;
  g_mutex_unlock (&lock);
  g_source_set_ready_time (self->source, 0);
  ams_context_join (self->context);
  free_ticker (self);
}
