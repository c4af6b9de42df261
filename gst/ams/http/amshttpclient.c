/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpclient.h"

#include "http/amshttpexchange.h"
#include "transfer/amsstore.h"

#include <string.h>

/* s. Below the shortest time after which usual servers close a connection (Apache
 * and S3: 5 s, nginx: 75 s), so that seldom one is closed under a request. */
#define IDLE_TIMEOUT 4

struct _AmsHttpClient
{
  GObject parent;

  AmsHttpOptions options;
  AmsHttpShared shared;
  AmsHttpMemory memory;

  /* The using thread's */
  GQueue waiting; /* of Job */
  guint running;
};

G_DEFINE_FINAL_TYPE (AmsHttpClient, ams_http_client, G_TYPE_OBJECT)

typedef struct
{
  AmsHttpClient *client;
  GTask *task;
  AmsHttpExchange *exchange;
  gboolean started;
  GSource *cancelled;
} Job;

/* The session */

static void
set_tls (AmsHttpClient *self, SoupSession *session)
{
  g_autoptr (GTlsDatabase) database = NULL;

  if (!g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    return;
  g_clear_object (&self->shared.certificate);
  self->shared.certificate =
      ams_http_options_load_certificate (&self->options, NULL);
  if (self->options.ssl_ca_file)
    database = g_tls_file_database_new (self->options.ssl_ca_file, NULL);
  if (self->options.ssl_ca_file)
    soup_session_set_tls_database (session, database);
}

static void
set_proxy (AmsHttpClient *self, SoupSession *session)
{
  gboolean none = self->options.proxy && self->options.proxy[0] == '\0';

  soup_session_set_proxy_resolver (session,
      none ? NULL : G_PROXY_RESOLVER (self->shared.proxy));
}

/* The authentication manager stays, as CONNECT needs it; messages disable it.
 * libsoup's own timeouts are off: they fire late, and not at all while connecting. */
static void
ensure_session (AmsHttpClient *self)
{
  SoupSession *session;
  gint connections = MIN (self->options.max_connections, G_MAXINT);

  if (self->shared.session)
    return;
  session = g_object_new (SOUP_TYPE_SESSION, "max-conns", connections,
      "max-conns-per-host", connections, "idle-timeout", IDLE_TIMEOUT,
      "timeout", 0, NULL);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  set_tls (self, session);
  set_proxy (self, session);
  self->shared.session = session;
}

/* libsoup looks a host's addresses up once: of a name that has moved, it would try the
 * old ones for ever. */
static void
forget_addresses (AmsHttpClient *self)
{
  if (self->running > 0)
    return;
  soup_session_abort (self->shared.session);
  g_clear_object (&self->shared.session);
  g_hash_table_remove_all (self->shared.sockets);
}

/* Jobs */

static void
job_free (Job *job)
{
  if (job->cancelled)
    g_source_destroy (job->cancelled);
  g_clear_pointer (&job->cancelled, g_source_unref);
  g_clear_pointer (&job->exchange, ams_http_exchange_free);
  g_object_unref (job->task);
  g_object_unref (job->client);
  g_free (job);
}

static void
start_waiting (AmsHttpClient *self)
{
  while (self->running < self->options.max_connections) {
    Job *job = g_queue_pop_head (&self->waiting);

    if (!job)
      return;
    ensure_session (self);
    self->running++;
    job->started = TRUE;
    ams_http_exchange_start (job->exchange);
  }
}

static void
on_exchange_done (AmsHttpReply *reply, GError *error, gpointer user_data)
{
  Job *job = user_data;
  g_autoptr (AmsHttpClient) self = g_object_ref (job->client);

  self->running--;
  if (error)
    forget_addresses (self);
  if (error)
    g_task_return_error (job->task, error);
  else
    g_task_return_pointer (job->task, reply,
        (GDestroyNotify) ams_http_reply_free);
  job_free (job);
  start_waiting (self);
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  Job *job = user_data;

  if (job->started) {
    ams_http_exchange_cancel (job->exchange);
    return G_SOURCE_REMOVE;
  }
  g_queue_remove (&job->client->waiting, job);
  g_task_return_error_if_cancelled (job->task);
  job_free (job);
  return G_SOURCE_REMOVE;
}

static void
watch_cancellable (Job *job, GCancellable *cancellable)
{
  if (!cancellable)
    return;
  job->cancelled = g_cancellable_source_new (cancellable);
  g_source_set_callback (job->cancelled, G_SOURCE_FUNC (on_cancelled), job,
      NULL);
  g_source_attach (job->cancelled, g_main_context_get_thread_default ());
}

void
ams_http_client_send_async (AmsHttpClient *self, const AmsHttpRequest *request,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  Job *job;

  g_task_set_source_tag (task, ams_http_client_send_async);
  if (g_task_return_error_if_cancelled (task)) {
    g_object_unref (task);
    return;
  }
  job = g_new0 (Job, 1);
  job->client = g_object_ref (self);
  job->task = task;
  job->exchange = ams_http_exchange_new (&self->shared, &self->memory, request,
      on_exchange_done, job);
  watch_cancellable (job, cancellable);
  g_queue_push_tail (&self->waiting, job);
  start_waiting (self);
}

AmsHttpReply *
ams_http_client_send_finish (AmsHttpClient *self, GAsyncResult *result,
    GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* The object */

AmsHttpClient *
ams_http_client_new (const AmsHttpOptions *options, const gchar *scheme,
    GError **error)
{
  g_auto (GStrv) envp = g_get_environ ();
  AmsHttpClient *self;
  AmsHttpProxy *proxy;

  if (!ams_http_options_check (options, scheme, error))
    return NULL;
  proxy = ams_http_proxy_new (options, envp, error);
  if (!proxy)
    return NULL;
  self = g_object_new (AMS_TYPE_HTTP_CLIENT, NULL);
  ams_http_options_copy (&self->options, options);
  if (self->options.user_agent)
    g_strchomp (self->options.user_agent);
  ams_http_shared_init (&self->shared, &self->options, proxy);
  return self;
}

/* Nothing is in flight, as each exchange has a reference. */
static void
ams_http_client_finalize (GObject *object)
{
  AmsHttpClient *self = AMS_HTTP_CLIENT (object);

  if (self->shared.session)
    soup_session_abort (self->shared.session);
  ams_http_shared_clear (&self->shared);
  ams_http_memory_clear (&self->memory);
  ams_http_options_clear (&self->options);
  G_OBJECT_CLASS (ams_http_client_parent_class)->finalize (object);
}

static void
ams_http_client_class_init (AmsHttpClientClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ams_http_client_finalize;
}

static void
ams_http_client_init (AmsHttpClient *self)
{
  ams_http_memory_init (&self->memory);
  g_queue_init (&self->waiting);
}
