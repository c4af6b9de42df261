/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "options.h"

#include <gio/gio.h>
#include <gst/gst.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"

#define USAGE 2 /* exit code */

static const gchar summary[] =
    "Records a camera or a stream as HLS, to a folder, to web servers and to S3, and does not lose what it recorded.\n"
    "\n"
    "SOURCE is one of\n"
    "  rtsp://USER:PASSWORD@CAMERA/PATH        a camera\n"
    "  rtmp://SERVER/APP/STREAM                a media server\n"
    "  srt://HOST:PORT                         MPEG-TS over SRT; srt://:PORT?mode=listener waits for who sends\n"
    "  udp://ADDRESS:PORT                      MPEG-TS over UDP, multicast as well\n"
    "  FILE                                    until its end\n"
    "  test://                                 a test picture and a tone; test://?width=320&height=240&rate=30\n"
    "H.264, H.265 and AAC are recorded as they are. Anything else is encoded anew, to H.264 and AAC.\n"
    "A source that is lost is connected to again, for ever; the playlist says EXT-X-DISCONTINUITY there and goes on.";

static const gchar description[] =
    "Where to record (--to, as often as you like):\n"
    "  rec                                     a folder; of several, the first must be this machine's own disk\n"
    "  https://USER:PASSWORD@HOST/cam1/        a server that takes PUT\n"
    "  s3://BUCKET/cam1/                       a bucket; keys come from AWS_ACCESS_KEY_ID and so on, or a profile\n"
    "Behind it, properties of amshttpput or amss3put may follow (gst-inspect-1.0 lists them):\n"
    "  --to 's3://rec/cam1/ endpoint=http://127.0.0.1:7480 profile=camera'\n"
    "  --to 'https://media.example.com/cam1/ create-collections=true'\n"
    "\n"
    "Examples:\n"
    "  A test picture into the folder rec, until Ctrl-C; the same line again continues it:\n"
    "    amshls-recorder test:// --to rec\n"
    "  A camera, to disk and to a bucket, in segments of 4 s:\n"
    "    amshls-recorder rtsp://10.0.0.7/stream1 --name cam1 --target-duration 4 --to rec --to s3://recordings/cam1/\n"
    "  The last ten minutes only:\n"
    "    amshls-recorder srt://10.0.0.9:7001 --to rec --playlist-type live --playlist-length 100 --max-files 110\n"
    "  A folder a day:\n"
    "    amshls-recorder udp://239.1.1.1:5000 --to rec --segments '{segment:%Y-%m-%d}/%05d.ts'\n"
    "\n"
    "Environment: AMSHLS_SOURCE is SOURCE, AMSHLS_TO, AMSHLS_TO_2 … are what --to says, so that passwords need not be on a\n"
    "command line, where other users see them. STATE_DIRECTORY (systemd's) is where the spool is, else ~/.local/state/amshls/NAME.\n"
    "\n"
    "Ctrl-C (SIGINT) or SIGTERM ends the recording: what has come in is written and delivered, for --drain-timeout seconds at\n"
    "most; what is left then stays in the spool and goes out at the next start. Twice ends at once.\n"
    "Exit code: 0 the recording was ended; 1 it failed; 2 the command line is wrong.";

gboolean
options_fail (GError **error, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list words;

  va_start (words, format);
  text = g_strdup_vprintf (format, words);
  va_end (words);
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, text);
  return FALSE;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const gchar *const *) a, *(const gchar *const *) b);
}

static void
take_environment (Options *self, gboolean source)
{
  g_auto (GStrv) names = g_listenv ();
  guint i;

  if (!source)
    self->source = g_strdup (g_getenv ("AMSHLS_SOURCE"));
  qsort (names, g_strv_length (names), sizeof (gchar *), compare);
  for (i = 0; names[i]; i++)
    if (g_str_has_prefix (names[i], "AMSHLS_TO") && *g_getenv (names[i]))
      g_ptr_array_add (self->to, g_strdup (g_getenv (names[i])));
}

static gboolean
is_one_of (const gchar *value, const gchar *option, const gchar *const *allowed,
    GError **error)
{
  g_autofree gchar *all = g_strjoinv (", ", (gchar **) allowed);

  if (g_strv_contains (allowed, value))
    return TRUE;
  return options_fail (error, "%s is one of %s, not \"%s\".", option, all,
      value);
}

static gboolean
is_at_least (gint value, const gchar *option, gint least, GError **error)
{
  return value >= least ||
      options_fail (error, "%s is %d or more, not %d.", option, least, value);
}

static gboolean
check_words (Options *self, GError **error)
{
  static const gchar *const types[] = { "event", "live", "vod", NULL };
  static const gchar *const existing[] = { "append", "append-or-new", "error",
    "overwrite", NULL };
  static const gchar *const clocks[] = { "pipeline", "system", "camera", NULL };
  static const gchar *const transports[] = { "tcp", "udp", "auto", NULL };

  return is_one_of (self->playlist_type, "--playlist-type", types, error) &&
      is_one_of (self->existing, "--existing", existing, error) &&
      is_one_of (self->clock, "--clock", clocks, error) &&
      is_one_of (self->rtsp_transport, "--rtsp-transport", transports, error);
}

static gboolean
check_numbers (Options *self, GError **error)
{
  return is_at_least (self->target_duration, "--target-duration", 1, error) &&
      is_at_least (self->playlist_length, "--playlist-length", 0, error) &&
      is_at_least (self->max_files, "--max-files", 0, error) &&
      is_at_least (self->drain_timeout, "--drain-timeout", 0, error) &&
      is_at_least (self->stall_timeout, "--stall-timeout", 1, error) &&
      is_at_least (self->reconnect_max, "--reconnect-max", 1, error) &&
      is_at_least (self->latency, "--latency", 0, error) &&
      is_at_least (self->video_bitrate, "--video-bitrate", 1, error) &&
      is_at_least (self->audio_bitrate, "--audio-bitrate", 1, error) &&
      is_at_least (self->duration, "--duration", 0, error);
}

/* A name of a file becomes its URL. */
static gboolean
check_source (Options *self, GError **error)
{
  g_autoptr (GFile) file = NULL;

  if (!self->source || !*self->source)
    return options_fail (error,
        "Say what to record, as in: amshls-recorder rtsp://camera/stream --to rec.");
  if (strstr (self->source, "://"))
    return connection_check_uri (self->source, error);
  if (!g_file_test (self->source, G_FILE_TEST_EXISTS))
    return options_fail (error,
        "There is no file \"%s\", and it is no URL either.", self->source);
  file = g_file_new_for_commandline_arg (self->source);
  g_free (self->source);
  self->source = g_file_get_uri (file);
  return TRUE;
}

static gboolean
check_name (Options *self, GError **error)
{
  if (!*self->name || strchr (self->name, '/') || strpbrk (self->name, "%{}") ||
      *self->name == '.')
    return options_fail (error,
        "--name is the base of file names: it is not empty, does not begin with a dot and has none of / %% { }.");
  if (!self->segments)
    self->segments = g_strconcat (self->name, "-%05d.ts", NULL);
  if (!self->playlist)
    self->playlist = g_strconcat (self->name, ".m3u8", NULL);
  return TRUE;
}

static void
choose_spool (Options *self)
{
  const gchar *state = g_getenv ("STATE_DIRECTORY");

  if (self->no_spool)
    g_clear_pointer (&self->spool_dir, g_free);
  else if (!self->spool_dir && state)
    self->spool_dir = g_build_filename (state, "spool", NULL);
  else if (!self->spool_dir)
    self->spool_dir = g_build_filename (g_get_user_state_dir (), "amshls",
        self->name, "spool", NULL);
}

static gboolean
check (Options *self, GError **error)
{
  if (!check_source (self, error) || !check_name (self, error) ||
      !check_words (self, error) || !check_numbers (self, error))
    return FALSE;
  if (self->to->len == 0)
    return options_fail (error,
        "Say where to record: --to FOLDER, --to https://…/ or --to s3://BUCKET/FOLDER/.");
  choose_spool (self);
  return TRUE;
}

static void
set_defaults (Options *self)
{
  *self = (Options){ .target_duration = 6,
    .drain_timeout = 30,
    .stall_timeout = 10,
    .reconnect_max = 10,
    .latency = 200,
    .video_bitrate = 2500,
    .audio_bitrate = 128,
    .progress = -1,
    .playlist_length = 10 };
  self->to = g_ptr_array_new_with_free_func (g_free);
  self->name = g_strdup ("recording");
  self->playlist_type = g_strdup ("event");
  self->existing = g_strdup ("append-or-new");
  self->clock = g_strdup ("pipeline");
  self->rtsp_transport = g_strdup ("tcp");
}

static gboolean
parse_words (Options *self, int *argc, char ***argv, GError **error)
{
  g_auto (GStrv) to = NULL, rest = NULL;
  gboolean version = FALSE;
  guint i;
  GOptionEntry entries[] = {
    { "to", 't', 0, G_OPTION_ARG_STRING_ARRAY, &to,
        "Where to record: a folder, http(s)://…/ or s3://BUCKET/…/", "WHERE" },
    { "name", 'n', 0, G_OPTION_ARG_STRING, &self->name,
        "Base of file names (recording)", "NAME" },
    { "segments", 0, 0, G_OPTION_ARG_STRING, &self->segments,
        "Names of segments (NAME-%05d.ts); amshlssink's location", "TEMPLATE" },
    { "playlist", 0, 0, G_OPTION_ARG_STRING, &self->playlist,
        "Name of the playlist (NAME.m3u8)", "TEMPLATE" },
    { "target-duration", 'd', 0, G_OPTION_ARG_INT, &self->target_duration,
        "Longest duration of a segment (6)", "SECONDS" },
    { "playlist-type", 0, 0, G_OPTION_ARG_STRING, &self->playlist_type,
        "event: all is listed; live: the last ones; vod: listed at the end",
        "TYPE" },
    { "playlist-length", 0, 0, G_OPTION_ARG_INT, &self->playlist_length,
        "Segments that a live playlist lists (10)", "N" },
    { "max-files", 0, 0, G_OPTION_ARG_INT, &self->max_files,
        "Segments of a live playlist that are kept (0: all)", "N" },
    { "existing", 0, 0, G_OPTION_ARG_STRING, &self->existing,
        "What is there already: append, append-or-new (default), error, overwrite",
        "WHAT" },
    { "date-time", 0, 0, G_OPTION_ARG_NONE, &self->add_date_time,
        "Put date and time into the names: each run is a recording of its own",
        NULL },
    { "clock", 0, 0, G_OPTION_ARG_STRING, &self->clock,
        "Where dates come from: pipeline, system, camera (RTSP)", "CLOCK" },
    { "spool-dir", 0, 0, G_OPTION_ARG_FILENAME, &self->spool_dir,
        "Where what is on its way waits", "FOLDER" },
    { "no-spool", 0, 0, G_OPTION_ARG_NONE, &self->no_spool,
        "It waits in memory, and is lost with the process", NULL },
    { "drain-timeout", 0, 0, G_OPTION_ARG_INT, &self->drain_timeout,
        "How long the end may take (30)", "SECONDS" },
    { "stall-timeout", 0, 0, G_OPTION_ARG_INT, &self->stall_timeout,
        "A source that sends nothing for so long is connected to again (10)",
        "SECONDS" },
    { "reconnect-max", 0, 0, G_OPTION_ARG_INT, &self->reconnect_max,
        "Longest wait between two attempts (10)", "SECONDS" },
    { "rtsp-transport", 0, 0, G_OPTION_ARG_STRING, &self->rtsp_transport,
        "tcp, udp, auto (tcp)", "HOW" },
    { "latency", 0, 0, G_OPTION_ARG_INT, &self->latency,
        "How late packets of RTSP and SRT may be (200)", "MS" },
    { "video-bitrate", 0, 0, G_OPTION_ARG_INT, &self->video_bitrate,
        "Of video that is encoded anew (2500)", "KBIT/S" },
    { "audio-bitrate", 0, 0, G_OPTION_ARG_INT, &self->audio_bitrate,
        "Of audio that is encoded anew (128)", "KBIT/S" },
    { "duration", 0, 0, G_OPTION_ARG_INT, &self->duration,
        "End by itself after so long", "SECONDS" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &self->json,
        "One line of JSON per event", NULL },
    { "progress", 0, 0, G_OPTION_ARG_INT, &self->progress,
        "How often to say how it goes (1 on a terminal, 10 with --json; 0: never)",
        "SECONDS" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context =
      g_option_context_new ("SOURCE --to WHERE [--to WHERE …]");

  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (version) {
    g_print ("amshls-recorder %s\n", PACKAGE_VERSION);
    exit (EXIT_SUCCESS);
  }
  if (rest && rest[0] && rest[1])
    return options_fail (error,
        "There is one source to a recorder, and \"%s\" is a second one.",
        rest[1]);
  if (rest && rest[0])
    self->source = g_strdup (rest[0]);
  for (i = 0; to && to[i]; i++)
    g_ptr_array_add (self->to, g_strdup (to[i]));
  self->public_to = self->to->len;
  take_environment (self, self->source != NULL);
  return TRUE;
}

gboolean
options_parse (Options *self, int argc, char **argv, int *status)
{
  g_autoptr (GError) error = NULL;

  set_defaults (self);
  if (parse_words (self, &argc, &argv, &error) && check (self, &error))
    return TRUE;
  g_printerr ("amshls-recorder: %s\n", error->message);
  *status = USAGE;
  return FALSE;
}

void
options_clear (Options *self)
{
  g_clear_pointer (&self->to, g_ptr_array_unref);
  g_free (self->source);
  g_free (self->name);
  g_free (self->segments);
  g_free (self->playlist);
  g_free (self->playlist_type);
  g_free (self->existing);
  g_free (self->clock);
  g_free (self->spool_dir);
  g_free (self->rtsp_transport);
}
