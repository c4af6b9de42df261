/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amshls-recorder: records one source, to any number of places, until it is told to end. See docs/recorder.md.
 *
 *   keeper ─ source (a pipeline, made anew each time) ─▶ tracks (appsrc) ─▶ amshlssink ─▶ tee ─▶ amshttpput, amss3put
 *                                                        └──────────── recording (one pipeline) ────────────┘ */

#include <glib-unix.h>
#include <gst/gst.h>
#include <stdlib.h>

#include "destinations.h"
#include "events.h"
#include "keeper.h"
#include "options.h"
#include "recording.h"

/* µs: how long servers may take to say goodbye. */
#define GOODBYE (2 * G_USEC_PER_SEC)

#define FILE_INTERVAL 10 /* s, of progress where nobody looks */

typedef struct
{
  Options options;
  Events *events;
  Recording *recording;
  Keeper *keeper;
  GMainLoop *loop;
  gboolean finishing;
  int status;
} Recorder;

static void
quit (Recorder *self, int status)
{
  if (self->status == EXIT_SUCCESS)
    self->status = status;
  g_main_loop_quit (self->loop);
}

static void
finish (Recorder *self, const gchar *why)
{
  g_autofree gchar *sentence = g_strdup_printf (
      "Ending, as %s: what has come in is written and delivered.", why);

  if (self->finishing)
    return;
  self->finishing = TRUE;
  events_say (self->events, EVENT_NORMAL,
      gst_structure_new ("ending", "reason", G_TYPE_STRING, why, NULL),
      sentence);
  keeper_stop (self->keeper);
  recording_finish (self->recording);
}

static gboolean
on_signal (gpointer data)
{
  Recorder *self = data;

  if (self->finishing) {
    events_say (self->events, EVENT_TROUBLE,
        gst_structure_new_empty ("aborted"),
        "Ended at once: what was on its way is in the spool, if there is one.");
    quit (self, EXIT_FAILURE);
  }
  finish (self, "it was told to");
  return G_SOURCE_CONTINUE;
}

static gboolean
on_duration (gpointer data)
{
  finish (data, "the time is over");
  return G_SOURCE_REMOVE;
}

static gboolean
on_progress (gpointer data)
{
  Recorder *self = data;
  KeeperState state;

  keeper_get_state (self->keeper, &state);
  recording_show_progress (self->recording, &state);
  return G_SOURCE_CONTINUE;
}

static void
on_source_ended (gboolean failed, gpointer data)
{
  Recorder *self = data;

  if (failed)
    self->status = EXIT_FAILURE;
  finish (self,
      failed ? "the source cannot be read" : "the file has come to its end");
}

static void
on_recording_ended (gboolean failed, gpointer data)
{
  quit (data, failed ? EXIT_FAILURE : EXIT_SUCCESS);
}

static Keeper *
new_keeper (Recorder *self)
{
  const Options *options = &self->options;
  SourceSettings settings = {
    .uri = options->source,
    .wish = { .video_bitrate = options->video_bitrate,
        .audio_bitrate = options->audio_bitrate,
        .keyframe_interval = MIN (options->target_duration, 2) },
    .rtsp_transport = options->rtsp_transport,
    .latency = options->latency,
    .timeout = options->stall_timeout,
    .camera_clock = g_str_equal (options->clock, "camera"),
  };

  return keeper_new (&settings, recording_get_tracks (self->recording),
      recording_get_pipeline (self->recording), self->events,
      options->stall_timeout, options->reconnect_max, on_source_ended, self);
}

static void
add_timers (Recorder *self)
{
  gint interval = self->options.progress;

  if (interval < 0)
    interval = events_is_terminal (self->events) ? 1
        : self->options.json                     ? FILE_INTERVAL
                                                 : 0;
  if (interval > 0)
    g_timeout_add_seconds (interval, on_progress, self);
  if (self->options.duration > 0)
    g_timeout_add_seconds (self->options.duration, on_duration, self);
  g_unix_signal_add (SIGINT, on_signal, self);
  g_unix_signal_add (SIGTERM, on_signal, self);
}

static void
record (Recorder *self)
{
  self->loop = g_main_loop_new (NULL, FALSE);
  self->keeper = new_keeper (self);
  add_timers (self);
  if (recording_start (self->recording))
    keeper_start (self->keeper);
  /* Whoever failed has posted why, and that ends the loop. */
  g_main_loop_run (self->loop);
  keeper_free (self->keeper);
  source_wait_for_closed (GOODBYE);
  recording_free (self->recording);
  g_main_loop_unref (self->loop);
}

int
main (int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  Recorder self = { .status = EXIT_SUCCESS };
  g_autoptr (GError) error = NULL;

  if (!options_parse (&options, argc, argv, &self.status))
    return self.status;
  self.options = options;
  self.events = events_new (options.json);
  self.recording =
      recording_new (&self.options, connection_is_live (options.source),
          self.events, on_recording_ended, &self, &error);
  if (!self.recording) {
    g_printerr ("amshls-recorder: %s\n", error->message);
    return 2;
  }
  record (&self);
  events_free (self.events);
  return self.status;
}
