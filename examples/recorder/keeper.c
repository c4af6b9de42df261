/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "keeper.h"

#include "destinations.h"

/* ms */
#define LOOK_INTERVAL 200
#define FIRST_DELAY 250
#define PASSIVE_DELAY 20

/* µs */
/* What the source brings is told when all of it has come, or after so long. */
#define TELL_AFTER (2 * G_USEC_PER_SEC)
/* A connection that is lost sooner was none: the delay goes on growing. */
#define STEADY (5 * G_USEC_PER_SEC)

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
  gint64 connected_at;
  gboolean told; /* what the source that is connected brings */
  guint unsteady; /* how many connections in a row were lost soon */
  GHashTable *missed; /* sentences: each is said once */
  guint look, retry; /* GSource ids; 0: none */
};

static void
say_lost (Keeper *self, gboolean was_connected, const gchar *reason,
    guint delay)
{
  g_autofree gchar *sentence =
      g_strdup_printf ("%s %s: %s Trying again until it is there.", self->shown,
          was_connected ? "is lost" : "cannot be opened", reason);
  gboolean again = g_strcmp0 (self->said, reason) == 0;

  events_say (self->events, again ? EVENT_QUIET : EVENT_TROUBLE,
      gst_structure_new (was_connected ? "source-lost" : "source-retrying",
          "source", G_TYPE_STRING, self->shown, "reason", G_TYPE_STRING, reason,
          "attempts", G_TYPE_UINT, self->state.attempts, "delay", G_TYPE_DOUBLE,
          delay / 1000.0, NULL),
      again ? NULL : sentence);
  g_free (self->said);
  self->said = g_strdup (reason);
}

/* Such as "video H.264 640×360, audio AAC 48 kHz, stereo". */
static gchar *
describe (GPtrArray *tracks)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < tracks->len; i++) {
    g_autofree gchar *track =
        track_info_describe (g_ptr_array_index (tracks, i));

    g_string_append_printf (text, "%s%s", text->len ? "; " : "", track);
  }
  return g_string_free (text, FALSE);
}

static void
set_tracks (GstStructure *event, GPtrArray *tracks)
{
  g_auto (GValue) list = G_VALUE_INIT;
  guint i;

  gst_value_list_init (&list, tracks->len);
  for (i = 0; i < tracks->len; i++) {
    GValue value = G_VALUE_INIT;

    g_value_init (&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&value,
        track_info_to_structure (g_ptr_array_index (tracks, i)));
    gst_value_list_append_and_take_value (&list, &value);
  }
  gst_structure_set_value (event, "tracks", &list);
}

static void
say_connected (Keeper *self, GPtrArray *tracks)
{
  gdouble outage = self->lost_since
      ? (self->connected_at - self->lost_since) / (gdouble) G_USEC_PER_SEC
      : 0.0;
  gboolean back = self->state.losses > 0;
  g_autofree gchar *streams = describe (tracks);
  g_autofree gchar *sentence = back
      ? g_strdup_printf ("%s is back after %.1f s: %s.", self->shown, outage,
            streams)
      : g_strdup_printf ("%s is there: %s.", self->shown, streams);
  GstStructure *event =
      gst_structure_new (back ? "source-back" : "source-connected", "source",
          G_TYPE_STRING, self->shown, "streams", G_TYPE_STRING, streams,
          "outage", G_TYPE_DOUBLE, outage, NULL);

  set_tracks (event, tracks);
  events_say (self->events, EVENT_NORMAL, event, sentence);
}

/* A camera that comes back a hundred times without a track that can be
 * recorded is no news. */
static void
say_missed (Keeper *self, const TrackInfo *track)
{
  const gchar *kind = track_info_get_kind (track);
  const gchar *codec = track_info_get_codec (track);
  const gchar *reason = track_info_get_reason (track);
  gchar *sentence = g_strdup_printf ("%s: its %s (%s) is not recorded: %s.",
      self->shown, kind, codec, reason);

  if (!g_hash_table_add (self->missed, sentence))
    return;
  events_say (self->events, EVENT_TROUBLE,
      gst_structure_new ("track-not-recorded", "source", G_TYPE_STRING,
          self->shown, "kind", G_TYPE_STRING, kind, "codec", G_TYPE_STRING,
          codec, "reason", G_TYPE_STRING, reason, NULL),
      sentence);
}

/* What the source brings, when that is known; and what it then fails to. */
static void
tell_tracks (Keeper *self, gboolean now)
{
  g_autoptr (GPtrArray) tracks = NULL;
  guint i;

  if (!self->told && !now && !source_is_settled (self->source))
    return;
  tracks = source_get_tracks (self->source);
  if (!self->told)
    say_connected (self, tracks);
  self->told = TRUE;
  for (i = 0; i < tracks->len; i++)
    if (track_info_is_missed (g_ptr_array_index (tracks, i)))
      say_missed (self, g_ptr_array_index (tracks, i));
}

/* So many attempts as have failed, and as connections that were none. */
static guint
count_failures (Keeper *self)
{
  return self->state.attempts + (self->unsteady > 0 ? self->unsteady - 1 : 0);
}

/* Twice as long each time, and none the same, so that a thousand recorders do not come at once. ms */
static guint
next_delay (Keeper *self)
{
  gdouble delay =
      FIRST_DELAY * (gdouble) (1 << MIN (count_failures (self), 16));

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
note_loss (Keeper *self)
{
  gint64 now = g_get_monotonic_time ();

  self->unsteady =
      now - self->connected_at < STEADY ? MIN (self->unsteady + 1, 16) : 0;
  self->state.connected = FALSE;
  self->state.losses++;
  self->state.attempts = 0;
  self->lost_since = now;
}

static void
try_again (Keeper *self, const gchar *reason)
{
  gboolean was_connected = self->state.connected;
  guint delay;

  if (was_connected)
    note_loss (self);
  g_clear_pointer (&self->source, source_close);
  delay = next_delay (self);
  say_lost (self, was_connected, reason, delay);
  self->state.attempts++;
  self->retry = g_timeout_add (delay, on_retry, self);
}

static void
end_source (Keeper *self, const gchar *reason)
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
note_connected (Keeper *self)
{
  self->state.connected = TRUE;
  self->connected_at = g_get_monotonic_time ();
  self->told = FALSE;
  g_clear_pointer (&self->said, g_free);
}

/* Something came, and the connection was lost before the next look at it. */
static void
note_short_connection (Keeper *self)
{
  if (!self->source || tracks_get_last_arrival (self->tracks) == 0)
    return;
  if (!self->state.connected)
    note_connected (self);
  if (!self->told)
    tell_tracks (self, TRUE);
}

/* What is not installed will not be there by trying again. A source that was
 * recorded before may become again what it was. */
static gboolean
is_hopeless (Keeper *self, const GError *error)
{
  return self->state.losses == 0 && !self->state.connected &&
      (g_error_matches (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) ||
          g_error_matches (error, GST_STREAM_ERROR,
              GST_STREAM_ERROR_CODEC_NOT_FOUND));
}

static void
on_lost (Source *source, const GError *error, gpointer data)
{
  Keeper *self = data;
  g_autofree gchar *reason =
      error ? hide_secrets (error->message, self->settings.uri) : NULL;

  note_short_connection (self);
  if (!connection_is_live (self->settings.uri) || is_hopeless (self, error))
    end_source (self, reason);
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
  if (arrival && !self->state.connected)
    note_connected (self);
  if (self->state.connected)
    tell_tracks (self,
        g_get_monotonic_time () - self->connected_at > TELL_AFTER);
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
  self->missed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
keeper_free (Keeper *self)
{
  keeper_stop (self);
  g_free (self->shown);
  g_free (self->said);
  g_hash_table_unref (self->missed);
  g_free (self);
}
