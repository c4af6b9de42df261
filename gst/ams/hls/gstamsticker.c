/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsticker.h"

struct _GstAmsTicker
{
  void (*tick) (gpointer user_data);
  gpointer user_data;
  gboolean ticking;
};

static GMutex lock;
static GCond cond;
/* under the lock */
static GPtrArray *tickers; /* NULL: there is no thread */

static void
tick (GstAmsTicker *ticker)
{
  ticker->ticking = TRUE;
  g_mutex_unlock (&lock);
  ticker->tick (ticker->user_data);
  g_mutex_lock (&lock);
  ticker->ticking = FALSE;
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

/* Ends when nobody is left. */
static gpointer
run (gpointer data)
{
  g_mutex_lock (&lock);
  while (tickers->len > 0) {
    gint64 until = g_get_monotonic_time () + GST_AMS_TICK;

    while (tickers->len > 0 && g_cond_wait_until (&cond, &lock, until))
      continue;
    tick_all_locked ();
  }
  g_clear_pointer (&tickers, g_ptr_array_unref);
  g_mutex_unlock (&lock);
  return NULL;
}

GstAmsTicker *
gst_ams_ticker_add (void (*tick_function) (gpointer user_data),
    gpointer user_data)
{
  GstAmsTicker *self = g_new0 (GstAmsTicker, 1);

  self->tick = tick_function;
  self->user_data = user_data;
  g_mutex_lock (&lock);
  if (!tickers) {
    tickers = g_ptr_array_new ();
    g_thread_unref (g_thread_new ("amshls-ticker", run, NULL));
  }
  g_ptr_array_add (tickers, self);
  g_mutex_unlock (&lock);
  return self;
}

void
gst_ams_ticker_remove (GstAmsTicker *self)
{
  g_mutex_lock (&lock);
  g_ptr_array_remove (tickers, self);
  while (self->ticking)
    g_cond_wait (&cond, &lock);
  if (tickers->len == 0)
    g_cond_broadcast (&cond);
  g_mutex_unlock (&lock);
  g_free (self);
}
