/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* hls-upload: files that are pushed to it by PUT go to S3. See docs/hls-upload.md. */

#include "config.h"

#include "clients.h"
#include "folder.h"
#include "options.h"
#include "probe.h"
#include "queue.h"
#include "server.h"

#include <glib-unix.h>
#include <gst/gst.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

/* Between two looks at whether all is done when it ends. */
#define DRAIN_INTERVAL 20 /* ms */

typedef struct
{
  HlsUploadOptions options;
  HlsUploadAuth *auth;
  AmsStore *store;
  HlsUploadQueue *queue;
  HlsUploadServer *server;
  HlsUploadFolder *folder; /* (nullable) of bodies on their way */
  GMainLoop *loop;
  gboolean ending;
  gint64 end_by; /* µs */
} Program;

/* To S3 */

static AmsStore *
make_store (const HlsUploadOptions *options, GError **error)
{
  g_auto (GStrv) envp = g_get_environ ();
  g_autoptr (AmsHttpClient) client = NULL;
  const AmsS3Endpoint *endpoint = options->store.endpoint;
  AmsS3Source *source =
      ams_s3_source_find (&options->store.credentials, envp, error);
  AmsHttpOptions http;

  if (!source)
    return NULL;
  ams_s3_source_free (source);
  ams_http_options_init (&http);
  /* Reading beside them */
  http.max_connections = options->max_parallel + 4;
  http.ssl_ca_file = g_strdup (options->store.credentials.ca_file);
  client =
      ams_http_client_new (&http, endpoint ? endpoint->scheme : "https", error);
  ams_http_options_clear (&http);
  return client ? ams_s3_store_new (client, &options->store) : NULL;
}

/* It identifies the store, and nobody asks there. */
static gchar *
make_destination (const HlsUploadOptions *options)
{
  const AmsS3StoreOptions *store = &options->store;

  return g_strdup_printf ("%s://%s:%d%s/%s/%s",
      store->endpoint ? store->endpoint->scheme : "https",
      store->endpoint ? store->endpoint->host : "s3.amazonaws.com",
      store->endpoint ? store->endpoint->port : -1,
      store->endpoint ? store->endpoint->base_path : "", store->bucket,
      store->prefix);
}

static AmsSpool *
open_spool (const HlsUploadOptions *options, GError **error)
{
  g_autofree gchar *destination = make_destination (options);
  g_autofree gchar *path = g_canonicalize_filename (options->spool, NULL);
  AmsSpool *spool = ams_spool_open (path, destination, error);

  if (spool && ams_spool_get_notice (spool))
    g_printerr ("%s\n", ams_spool_get_notice (spool));
  return spool;
}

static gboolean
make_queue (Program *self, GError **error)
{
  const HlsUploadOptions *options = &self->options;
  HlsUploadQueueOptions queue = { .max_parallel = options->max_parallel,
    .retry_for = options->retry_for * G_TIME_SPAN_SECOND,
    .overwrite = options->overwrite };

  if (options->spool)
    queue.spool = open_spool (options, error);
  else
    self->folder = hls_upload_folder_new (g_get_tmp_dir (), error);
  if (!queue.spool && !self->folder)
    return FALSE;
  if (self->folder)
    queue.folder = (gchar *) hls_upload_folder_get_path (self->folder);
  self->queue = hls_upload_queue_new (self->store, &queue);
  return TRUE;
}

/* At the start */

typedef struct
{
  gboolean answered;
  GError *error;
} Probed;

static void
on_probed (GObject *store, GAsyncResult *result, gpointer user_data)
{
  Probed *probed = user_data;

  hls_upload_probe_finish (result, &probed->error);
  probed->answered = TRUE;
}

static void
on_probed_later (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!hls_upload_probe_finish (result, &error))
    g_printerr ("hls-upload: %s. Files are kept in the spool until that is "
                "over.\n",
        error->message);
}

/* What cannot work is an error at once; but with a spool nothing would be lost by it, so files are taken all the
 * same: the next start may be a reboot in the night, and whatever is wrong then may be mended by the morning. */
static gboolean
probe (Program *self, GError **error)
{
  Probed probed = { FALSE, NULL };

  if (self->options.spool) {
    hls_upload_probe_async (AMS_S3_STORE (self->store), on_probed_later, NULL);
    return TRUE;
  }
  hls_upload_probe_async (AMS_S3_STORE (self->store), on_probed, &probed);
  while (!probed.answered)
    g_main_context_iteration (NULL, TRUE);
  if (!probed.error)
    return TRUE;
  if (ams_store_error_get_failure (probed.error) != AMS_FAILURE_PERMANENT) {
    g_printerr ("hls-upload: %s. Files are refused until that is over.\n",
        probed.error->message);
    g_clear_error (&probed.error);
    return TRUE;
  }
  g_propagate_error (error, probed.error);
  return FALSE;
}

/* Descriptors besides those of connections and of what comes over them: what is open at all times, and for each
 * request to the store its connection and the file that it sends. */
#define RESERVE 24

static void
fit_connections (HlsUploadOptions *options)
{
  guint wanted = options->max_connections;

  options->max_connections = hls_upload_clients_fit (wanted,
      options->max_requests, RESERVE + 2 * options->max_parallel);
  if (options->max_connections < wanted)
    g_printerr ("Only %u connections are taken at once, not %u, as the process "
                "may have no more open files (ulimit -n).\n",
        options->max_connections, wanted);
}

/* The end */

static gboolean
on_drain (gpointer user_data)
{
  Program *self = user_data;

  if (g_get_monotonic_time () < self->end_by &&
      (hls_upload_server_get_requests (self->server) > 0 ||
          !hls_upload_queue_is_settled (self->queue)))
    return G_SOURCE_CONTINUE;
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static gboolean
on_signal (gpointer user_data)
{
  Program *self = user_data;

  if (self->ending) {
    g_main_loop_quit (self->loop);
    return G_SOURCE_CONTINUE;
  }
  self->ending = TRUE;
  self->end_by =
      g_get_monotonic_time () + self->options.timeout * G_TIME_SPAN_SECOND;
  hls_upload_server_close (self->server);
  g_timeout_add (DRAIN_INTERVAL, on_drain, self);
  return G_SOURCE_CONTINUE;
}

/* Life */

static gboolean
start (Program *self, GError **error)
{
  g_autofree gchar *url = NULL;

  self->auth = hls_upload_auth_new (self->options.basic_file,
      self->options.token_file, error);
  if (!self->auth)
    return FALSE;
  self->store = make_store (&self->options, error);
  if (!self->store || !probe (self, error) || !make_queue (self, error))
    return FALSE;
  fit_connections (&self->options);
  self->server = hls_upload_server_new (&self->options, self->auth,
      AMS_S3_STORE (self->store), self->queue, error);
  if (!self->server)
    return FALSE;
  url = hls_upload_server_dup_url (self->server);
  g_print ("listening %s\n", url);
  fflush (stdout);
  return TRUE;
}

static void
clear (Program *self)
{
  g_clear_pointer (&self->server, hls_upload_server_free);
  g_clear_pointer (&self->queue, hls_upload_queue_free);
  g_clear_object (&self->store);
  g_clear_pointer (&self->auth, hls_upload_auth_free);
  g_clear_pointer (&self->folder, hls_upload_folder_free);
  hls_upload_options_clear (&self->options);
  g_main_loop_unref (self->loop);
}

int
main (int argc, char **argv)
{
  Program self = { .loop = g_main_loop_new (NULL, FALSE) };
  g_autoptr (GError) error = NULL;
  gboolean good;

  setlocale (LC_ALL, "");
  /* Of GStreamer only the logging is used: no plugin is looked for. */
  g_setenv ("GST_REGISTRY_DISABLE", "yes", TRUE);
  gst_init (NULL, NULL);
  good = hls_upload_options_parse (&self.options, &argc, &argv, &error) &&
      start (&self, &error);
  if (good) {
    g_unix_signal_add (SIGTERM, on_signal, &self);
    g_unix_signal_add (SIGINT, on_signal, &self);
    g_main_loop_run (self.loop);
  } else {
    g_printerr ("hls-upload: %s\n", error->message);
  }
  clear (&self);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
