/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsprobe.h"

/* It may outlive the probe, which then is NULL. */
typedef struct
{
  AmsProbe *probe;
} Asked;

struct _AmsProbe
{
  AmsStore *store;
  GCancellable *cancellable;
  AmsProbeDone done;
  gpointer user_data;

  Asked *asked; /* that is under way */
  gboolean passed;
  guint attempts;
  gint64 not_before; /* monotonic, µs */
};

AmsProbe *
ams_probe_new (AmsStore *store, GCancellable *cancellable, AmsProbeDone done,
    gpointer user_data)
{
  AmsProbe *self = g_new0 (AmsProbe, 1);

  self->store = g_object_ref (store);
  self->cancellable = g_object_ref (cancellable);
  self->done = done;
  self->user_data = user_data;
  return self;
}

void
ams_probe_free (AmsProbe *self)
{
  if (self->asked)
    self->asked->probe = NULL;
  g_object_unref (self->store);
  g_object_unref (self->cancellable);
  g_free (self);
}

gboolean
ams_probe_is_under_way (const AmsProbe *self)
{
  return self->asked != NULL;
}

gboolean
ams_probe_is_answered (const AmsProbe *self)
{
  return self->attempts > (self->asked ? 1 : 0);
}

static void
try_later (AmsProbe *self, const GError *error)
{
  self->not_before = g_get_monotonic_time () +
      ams_retry_delay (ams_store_error_get_failure (error), self->attempts,
          ams_store_error_get_retry_after (error), g_random_double ());
}

static void
take_answer (AmsProbe *self, const GError *error)
{
  if (error && g_cancellable_is_cancelled (self->cancellable))
    return;
  /* A store that cannot be asked is used as it is. */
  self->passed =
      !error || ams_store_error_get_failure (error) == AMS_FAILURE_UNSUPPORTED;
  if (!self->passed)
    try_later (self, error);
  self->done (self->passed ? NULL : error, self->attempts == 1,
      self->user_data);
}

static void
on_probed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Asked *asked = user_data;
  AmsProbe *self = asked->probe;
  g_autoptr (GError) error = NULL;

  ams_store_probe_finish (AMS_STORE (source), result, &error);
  if (!self)
    return;
  self->asked = NULL;
  take_answer (self, error);
}

gboolean
ams_probe_run (AmsProbe *self, gint64 *next)
{
  *next = AMS_RETRY_FOREVER;
  if (self->passed || self->asked)
    return self->passed;
  if (g_get_monotonic_time () < self->not_before) {
    *next = self->not_before;
    return FALSE;
  }
  self->attempts++;
  self->asked = g_new0 (Asked, 1);
  self->asked->probe = self;
  ams_store_probe_async (self->store, self->cancellable, on_probed,
      self->asked);
  return FALSE;
}
