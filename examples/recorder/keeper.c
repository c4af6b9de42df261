/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "keeper.h"

#include "destinations.h"

/* ms */
#define LOOK_INTERVAL 200
#define FIRST_DELAY 250
#define PASSIVE_DELAY 20

struct _Keeper
{
  SourceSettings settings;
  Tracks *tracks;
  GstPipeline *recording;
  Events *events;
  guint stall_timeout; /* s */
  guint reconnect_max; /* s */
  KeeperEnded ended;
  gpointer data;

  gchar *shown; /* the source's URL */
  Source *source; /* (nullable): it is waited for the next attempt */
  KeeperState state;
  gchar *said; /* (nullable) why it was lost: said once */
  gint64 opened; /* monotonic µs */
  gint64 lost_since;
  guint look, retry; /* GSource ids; 0: none */
};

static void
say_lost (Keeper *self, const gchar *reason, guint delay)
{
  g_autofree gchar *sentence = g_strdup_printf (
      "%s %s: %s Trying again until it is there.", self->shown,
      self->state.attempts == 0 && self->state.losses > 0 ? "is lost"
                                                          : "cannot be opened",
      reason);
  gboolean again = g_strcmp0 (self->said, reason) == 0;

  events_say (self->events, again ? EVENT_QUIET : EVENT_TROUBLE,
      gst_structure_new (self->state.attempts == 0 && self->state.losses > 0
              ? "source-lost"
              : "source-retrying",
          "source", G_TYPE_STRING, self->shown, "reason", G_TYPE_STRING, reason,
          "attempts", G_TYPE_UINT, self->state.attempts, "delay", G_TYPE_DOUBLE,
          delay / 1000.0, NULL),
      again ? NULL : sentence);
  g_free (self->said);
  self->said = g_strdup (reason);
}

static void
say_connected (Keeper *self)
{
  gdouble outage = self->lost_since
      ? (g_get_monotonic_time () - self->lost_since) / (gdouble) G_USEC_PER_SEC
      : 0.0;
  gboolean back = self->state.losses > 0;
  g_autofree gchar *streams = source_describe (self->source);
  g_autofree gchar *sentence = back
      ? g_strdup_printf ("%s is back after %.1f s: %s.", self->shown, outage,
            streams)
      : g_strdup_printf ("%s is there: %s.", self->shown, streams);

  events_say (self->events, EVENT_NORMAL,
      gst_structure_new (back ? "source-back" : "source-connected", "source",
          G_TYPE_STRING, self->shown, "streams", G_TYPE_STRING, streams,
          "outage", G_TYPE_DOUBLE, outage, NULL),
      sentence);
}

/* Twice as long each time, and none the same, so that a thousand recorders do not come at once. ms */
static guint
next_delay (Keeper *self)
{
  gdouble delay = FIRST_DELAY * (gdouble) (1 << MIN (self->state.attempts, 16));

  if (connection_is_passive (self->settings.uri))
    return PASSIVE_DELAY;
  return MIN (delay, self->reconnect_max * 1000.0) *
      g_random_double_range (0.8, 1.0);
}

static void open_source (Keeper *self);

static gboolean
on_retry (gpointer data)
{
  Keeper *self = data;

  self->retry = 0;
  open_source (self);
  return G_SOURCE_REMOVE;
}

static void
try_again (Keeper *self, const gchar *reason)
{
  guint delay;

  if (self->state.connected) {
    self->state.connected = FALSE;
    self->state.losses++;
    self->state.attempts = 0;
    self->lost_since = g_get_monotonic_time ();
  }
  g_clear_pointer (&self->source, source_close);
  delay = next_delay (self);
  say_lost (self, reason, delay);
  self->state.attempts++;
  self->retry = g_timeout_add (delay, on_retry, self);
}

static void
end_file (Keeper *self, const gchar *reason)
{
  if (reason) {
    g_autofree gchar *sentence =
        g_strdup_printf ("%s cannot be read: %s", self->shown, reason);

    events_say (self->events, EVENT_TROUBLE,
        gst_structure_new ("source-failed", "source", G_TYPE_STRING,
            self->shown, "reason", G_TYPE_STRING, reason, NULL),
        sentence);
  }
  self->ended (reason != NULL, self->data);
}

static void
on_lost (Source *source, const GError *error, gpointer data)
{
  Keeper *self = data;
  g_autofree gchar *reason =
      error ? hide_secrets (error->message, self->settings.uri) : NULL;

  if (!connection_is_live (self->settings.uri))
    end_file (self, reason);
  else
    try_again (self, reason ? reason : "it has ended.");
}

static void
open_source (Keeper *self)
{
  g_autoptr (GError) error = NULL;

  self->opened = g_get_monotonic_time ();
  self->source = source_open (&self->settings, self->tracks, self->recording,
      on_lost, self, &error);
  if (!self->source)
    on_lost (NULL, error, self);
}

static gboolean
on_look (gpointer data)
{
  Keeper *self = data;
  gint64 arrival = self->source ? tracks_get_last_arrival (self->tracks) : 0;
  gint64 since = arrival ? arrival : self->opened;
  g_autofree gchar *reason = NULL;

  if (!self->source)
    return G_SOURCE_CONTINUE;
  if (arrival && !self->state.connected) {
    self->state.connected = TRUE;
    say_connected (self);
    g_clear_pointer (&self->said, g_free);
  }
  if (g_get_monotonic_time () - since < self->stall_timeout * G_USEC_PER_SEC ||
      !connection_is_live (self->settings.uri))
    return G_SOURCE_CONTINUE;
  reason = g_strdup_printf ("nothing has come for %u s.", self->stall_timeout);
  try_again (self, reason);
  return G_SOURCE_CONTINUE;
}

void
keeper_start (Keeper *self)
{
  self->look = g_timeout_add (LOOK_INTERVAL, on_look, self);
  open_source (self);
}

void
keeper_stop (Keeper *self)
{
  if (self->look)
    g_source_remove (self->look);
  if (self->retry)
    g_source_remove (self->retry);
  self->look = self->retry = 0;
  g_clear_pointer (&self->source, source_close);
}

void
keeper_get_state (Keeper *self, KeeperState *state)
{
  *state = self->state;
}

Keeper *
keeper_new (const SourceSettings *settings, Tracks *tracks,
    GstPipeline *recording, Events *events, guint stall_timeout,
    guint reconnect_max, KeeperEnded ended, gpointer data)
{
  Keeper *self = g_new0 (Keeper, 1);

  self->settings = *settings;
  self->tracks = tracks;
  self->recording = recording;
  self->events = events;
  self->stall_timeout = stall_timeout;
  self->reconnect_max = reconnect_max;
  self->ended = ended;
  self->data = data;
  self->shown = url_to_show (settings->uri);
  return self;
}

void
keeper_free (Keeper *self)
{
  keeper_stop (self);
  g_free (self->shown);
  g_free (self->said);
  g_free (self);
}
