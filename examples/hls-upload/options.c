/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_LISTEN "127.0.0.1:8080"
#define DEFAULT_MAX_SIZE "256M"
#define DEFAULT_MAX_REQUESTS 64
#define DEFAULT_MAX_CONNECTIONS 512
#define DEFAULT_TIMEOUT 120
#define DEFAULT_RETRY_FOR 15
#define DEFAULT_MAX_PARALLEL 8
#define MAX_NUMBER 86400

#define SUMMARY \
  "Takes PUT, GET and DELETE at http://HOST/APP/hls-upload/NAME from whatever pushes HLS (amshttpput,\n" \
  "ffmpeg -method PUT, Ant Media's hlsHttpEndpoint), and passes each file on to S3. A file is confirmed\n" \
  "when S3 has confirmed it; with --spool, when it is safely on disk here."
#define EXAMPLES \
  "Credentials for S3 come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), a profile, or the\n" \
  "machine, as for AWS's tools; never from the command line.\n" \
  "\n" \
  "  hls-upload --bucket rec --region eu-central-1\n" \
  "  hls-upload --bucket rec --endpoint http://127.0.0.1:7480 --spool /var/spool/hls-upload\n" \
  "  hls-upload --listen 0.0.0.0:8443 --certificate c.pem --private-key c.key --basic-file users --bucket rec\n" \
  "  ffmpeg -i IN -c copy -f hls -method PUT http://127.0.0.1:8080/live/hls-upload/cam1/index.m3u8\n"

/* As they were written */
typedef struct
{
  gchar *listen, *bucket, *key_prefix, *endpoint, *region, *profile;
  gchar *addressing, *max_size;
  gint max_requests, max_connections, timeout, retry_for, max_parallel;
  gboolean version;
} Texts;

static void
texts_clear (Texts *texts)
{
  g_free (texts->listen);
  g_free (texts->bucket);
  g_free (texts->key_prefix);
  g_free (texts->endpoint);
  g_free (texts->region);
  g_free (texts->profile);
  g_free (texts->addressing);
  g_free (texts->max_size);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Texts, texts_clear)

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError **error, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error)
    *error = g_error_new_valist (G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        format, args);
  va_end (args);
  return FALSE;
}

static gboolean
parse_listen (const gchar *text, HlsUploadOptions *options, GError **error)
{
  const gchar *colon = strrchr (text, ':');
  gboolean brackets = text[0] == '[' && colon && colon[-1] == ']';
  guint64 port;

  if (!colon || colon == text ||
      !g_ascii_string_to_unsigned (colon + 1, 10, 0, 65535, &port, NULL))
    return refuse (error,
        "--listen is “%s”: write ADDRESS:PORT, as 127.0.0.1:8080, [::1]:8080 or "
        "0.0.0.0:8080.",
        text);
  options->address = brackets ? g_strndup (text + 1, colon - text - 2)
                              : g_strndup (text, colon - text);
  options->port = port;
  if (g_hostname_is_ip_address (options->address))
    return TRUE;
  return refuse (error,
      "--listen has “%s”, which is no address: write one as 127.0.0.1 or ::1.",
      options->address);
}

/* Bytes, or with K, M or G behind. */
static gboolean
parse_size (const gchar *text, guint64 *size, GError **error)
{
  gchar *end;
  guint64 number = g_ascii_strtoull (text, &end, 10);
  guint shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;

  if (shift)
    end++;
  if (end == text || text[0] == '-' || *end || number == 0 ||
      number > (G_GUINT64_CONSTANT (1) << 42 >> shift))
    return refuse (error,
        "--max-size is “%s”: write bytes, or as 64K, 256M or 2G.", text);
  *size = number << shift;
  return TRUE;
}

static gboolean
check_number (const gchar *name, gint number, gint least, GError **error)
{
  if (number >= least && number <= MAX_NUMBER)
    return TRUE;
  return refuse (error, "--%s is %d: it can be %d to %d.", name, number, least,
      MAX_NUMBER);
}

static gboolean
take_numbers (const Texts *texts, HlsUploadOptions *options, GError **error)
{
  options->max_requests = texts->max_requests;
  options->max_connections = texts->max_connections;
  options->timeout = texts->timeout;
  options->retry_for = texts->retry_for;
  options->max_parallel = texts->max_parallel;
  return parse_size (texts->max_size ? texts->max_size : DEFAULT_MAX_SIZE,
             &options->max_size, error) &&
      check_number ("max-requests", texts->max_requests, 1, error) &&
      check_number ("max-connections", texts->max_connections, 1, error) &&
      check_number ("timeout", texts->timeout, 1, error) &&
      check_number ("retry-for", texts->retry_for, 0, error) &&
      check_number ("max-parallel", texts->max_parallel, 1, error);
}

static gboolean
parse_addressing (const gchar *text, AmsS3Addressing *addressing,
    GError **error)
{
  static const gchar *const names[] = { "auto", "path", "virtual" };

  for (guint i = 0; text && i < G_N_ELEMENTS (names); i++) {
    if (strcmp (text, names[i]) != 0)
      continue;
    *addressing = (AmsS3Addressing) i;
    return TRUE;
  }
  return !text ||
      refuse (error, "--addressing is “%s”: write auto, path or virtual.",
          text);
}

static gboolean
take_store (const Texts *texts, HlsUploadOptions *options, GError **error)
{
  AmsS3StoreOptions *store = &options->store;
  g_auto (GStrv) envp = g_get_environ ();

  if (!texts->bucket)
    return refuse (error, "--bucket is missing: write the bucket's name.");
  store->bucket = g_strdup (texts->bucket);
  store->region = g_strdup (texts->region);
  store->credentials.profile = g_strdup (texts->profile);
  store->overwrite =
      options->overwrite ? AMS_OVERWRITE_ALWAYS : AMS_OVERWRITE_SEGMENTS_NEVER;
  if (texts->key_prefix) {
    g_free (store->prefix);
    store->prefix = g_strdup (texts->key_prefix);
  }
  if (texts->endpoint &&
      !(store->endpoint = ams_s3_endpoint_parse (texts->endpoint, error)))
    return FALSE;
  if (!ams_s3_store_options_configure (store, envp, error))
    return FALSE;
  return parse_addressing (texts->addressing, &store->addressing, error) &&
      ams_s3_store_options_check (store, error);
}

static gboolean
check_rest (const HlsUploadOptions *options, GError **error)
{
  if (!options->certificate != !options->private_key)
    return refuse (error,
        "--certificate and --private-key belong together: write both.");
  if (options->app && (!*options->app || strchr (options->app, '/')))
    return refuse (error,
        "--app-prefix is “%s”: write the name of an application, without a "
        "slash.",
        options->app);
  return TRUE;
}

static gboolean
parse_texts (HlsUploadOptions *options, Texts *texts, gint *argc, gchar ***argv,
    GError **error)
{
  const GOptionEntry entries[] = {
    { "listen", 'l', 0, G_OPTION_ARG_STRING, &texts->listen,
        "Where to listen (" DEFAULT_LISTEN "); port 0: any that is free",
        "ADDRESS:PORT" },
    { "app-prefix", 0, 0, G_OPTION_ARG_STRING, &options->app,
        "The only APP that is taken; it is no part of the keys then", "APP" },
    { "bucket", 'b', 0, G_OPTION_ARG_STRING, &texts->bucket, "Bucket", "NAME" },
    { "key-prefix", 0, 0, G_OPTION_ARG_STRING, &texts->key_prefix,
        "What keys begin with, as rec/", "TEXT" },
    { "endpoint", 0, 0, G_OPTION_ARG_STRING, &texts->endpoint,
        "Server of S3; unset: as for AWS's tools", "URL" },
    { "region", 0, 0, G_OPTION_ARG_STRING, &texts->region,
        "Region of the bucket; unset: found out", "NAME" },
    { "profile", 0, 0, G_OPTION_ARG_STRING, &texts->profile,
        "Profile in ~/.aws/credentials and ~/.aws/config", "NAME" },
    { "addressing", 0, 0, G_OPTION_ARG_STRING, &texts->addressing,
        "Where the bucket's name goes: auto, path or virtual", "HOW" },
    { "spool", 0, 0, G_OPTION_ARG_FILENAME, &options->spool,
        "Keep files there, confirm them at once, and send them when S3 can be "
        "reached",
        "FOLDER" },
    { "overwrite", 0, 0, G_OPTION_ARG_NONE, &options->overwrite,
        "Segments may be replaced, too", NULL },
    { "basic-file", 0, 0, G_OPTION_ARG_FILENAME, &options->basic_file,
        "Who may upload: lines USER:PASSWORD", "FILE" },
    { "token-file", 0, 0, G_OPTION_ARG_FILENAME, &options->token_file,
        "Who may upload: bearer tokens, one a line", "FILE" },
    { "certificate", 0, 0, G_OPTION_ARG_FILENAME, &options->certificate,
        "Certificate of the server and those above it (PEM)", "FILE" },
    { "private-key", 0, 0, G_OPTION_ARG_FILENAME, &options->private_key,
        "Its private key (PEM)", "FILE" },
    { "max-size", 0, 0, G_OPTION_ARG_STRING, &texts->max_size,
        "Bytes of one file (" DEFAULT_MAX_SIZE ")", "BYTES" },
    { "max-requests", 0, 0, G_OPTION_ARG_INT, &texts->max_requests,
        "Uploads at once (64)", "N" },
    { "max-connections", 0, 0, G_OPTION_ARG_INT, &texts->max_connections,
        "Connections at once (512)", "N" },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &texts->timeout,
        "Seconds that one request may take, and that a connection may be idle "
        "(120)",
        "S" },
    { "retry-for", 0, 0, G_OPTION_ARG_INT, &texts->retry_for,
        "Without --spool: seconds in which S3 is tried again (15)", "S" },
    { "max-parallel", 0, 0, G_OPTION_ARG_INT, &texts->max_parallel,
        "Requests to S3 at once (8)", "N" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &texts->version, "Show the version",
        NULL },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, SUMMARY);
  g_option_context_set_description (context, EXAMPLES);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  return *argc == 1 ||
      refuse (error, "“%s” is no option: see hls-upload --help.", (*argv)[1]);
}

gboolean
hls_upload_options_parse (HlsUploadOptions *options, gint *argc, gchar ***argv,
    GError **error)
{
  g_auto (Texts) texts = { .max_requests = DEFAULT_MAX_REQUESTS,
    .max_connections = DEFAULT_MAX_CONNECTIONS,
    .timeout = DEFAULT_TIMEOUT,
    .retry_for = DEFAULT_RETRY_FOR,
    .max_parallel = DEFAULT_MAX_PARALLEL };

  memset (options, 0, sizeof *options);
  ams_s3_store_options_init (&options->store);
  if (!parse_texts (options, &texts, argc, argv, error))
    return FALSE;
  if (texts.version) {
    puts ("hls-upload " PACKAGE_VERSION);
    exit (EXIT_SUCCESS);
  }
  return parse_listen (texts.listen ? texts.listen : DEFAULT_LISTEN, options,
             error) &&
      take_numbers (&texts, options, error) &&
      take_store (&texts, options, error) && check_rest (options, error);
}

void
hls_upload_options_clear (HlsUploadOptions *options)
{
  g_free (options->address);
  g_free (options->app);
  g_free (options->spool);
  g_free (options->basic_file);
  g_free (options->token_file);
  g_free (options->certificate);
  g_free (options->private_key);
  ams_s3_store_options_clear (&options->store);
}
