/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3credentials.h"

#include "http/amshttpclient.h"
#include "transfer/amsstore.h"

#define PROCESS_TIMEOUT 60 /* s */
#define MACHINE_TIMEOUT 1 /* s; s3.md S5 */
#define SERVICE_TIMEOUT 10 /* s */
#define MAX_REPLY (64 * 1024)

struct _AmsS3Credentials
{
  GObject parent;

  AmsS3CredentialsOptions options;
  GStrv envp;
  AmsS3Now now;
  gpointer now_data;

  AmsS3Identity *identity; /* nullable */
  gboolean stale; /* the store refused it */
  gboolean dynamic;
  gint64 asked; /* when it was last begun to be renewed */
  gboolean renewing;
  GQueue waiting; /* of GTask */
  GCancellable *stop;
  AmsHttpClient *near_client, *far_client; /* nullable */
};

G_DEFINE_FINAL_TYPE (AmsS3Credentials, ams_s3_credentials, G_TYPE_OBJECT)

static gint64
system_now (gpointer user_data)
{
  return g_get_real_time ();
}

/* What waits */

static void
answer_waiting (AmsS3Credentials *self, const GError *error)
{
  GTask *task;

  while ((task = g_queue_pop_head (&self->waiting)) != NULL) {
    if (error != NULL)
      g_task_return_error (task, g_error_copy (error));
    else
      g_task_return_pointer (task, ams_s3_identity_ref (self->identity),
          (GDestroyNotify) ams_s3_identity_unref);
    g_object_unref (task);
  }
}

static gboolean
on_get_cancelled (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;
  AmsS3Credentials *self = g_task_get_source_object (task);

  if (g_queue_remove (&self->waiting, task)) {
    g_task_return_error_if_cancelled (task);
    g_object_unref (task);
  }
  return G_SOURCE_REMOVE;
}

static void
destroy_source (gpointer data)
{
  g_source_destroy (data);
  g_source_unref (data);
}

/* The source is destroyed with the task's data, so it holds no reference. */
static void
wait_for_renewal (AmsS3Credentials *self, GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  GSource *source;

  g_queue_push_tail (&self->waiting, task);
  if (cancellable == NULL)
    return;
  source = g_cancellable_source_new (cancellable);
  g_source_set_callback (source, G_SOURCE_FUNC (on_get_cancelled), task, NULL);
  g_source_attach (source, g_task_get_context (task));
  g_task_set_task_data (task, source, destroy_source);
}

/* Renewing */

typedef struct
{
  AmsS3Credentials *self; /* owned */
  AmsS3Source *source;
  AmsS3Query *query; /* nullable */
  AmsHttpRequest request;
  GSubprocess *process; /* nullable */
  GSource *timeout; /* nullable */
} Renewal;

/* @identity, @error: (transfer full), one of them */
static void
end_renewal (Renewal *renewal, AmsS3Identity *identity, GError *error)
{
  AmsS3Credentials *self = renewal->self;

  self->renewing = FALSE;
  if (identity != NULL) {
    g_clear_pointer (&self->identity, ams_s3_identity_unref);
    self->identity = identity;
    self->stale = FALSE;
  } else {
    g_debug ("credentials: %s", error->message);
  }
  answer_waiting (self, error);
  g_clear_error (&error);
  g_clear_pointer (&renewal->source, ams_s3_source_free);
  g_clear_pointer (&renewal->query, ams_s3_query_free);
  g_clear_object (&renewal->process);
  g_free (renewal);
  g_object_unref (self);
}

/* A command */

static gboolean
on_process_timeout (gpointer user_data)
{
  g_subprocess_force_exit (user_data);
  return G_SOURCE_REMOVE;
}

static GError *
process_error (const Renewal *renewal, const gchar *what)
{
  return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
      "No credentials came from credential_process of %s: %s. Run it by hand to "
      "see why.",
      renewal->source->name, what);
}

static void
on_process_ended (GObject *object, GAsyncResult *result, gpointer user_data)
{
  Renewal *renewal = user_data;
  g_autoptr (GBytes) out = NULL;
  GError *error = NULL;
  AmsS3Identity *identity = NULL;

  destroy_source (g_steal_pointer (&renewal->timeout));
  if (!g_subprocess_communicate_finish (renewal->process, result, &out, NULL,
          &error)) {
    g_subprocess_force_exit (renewal->process);
    if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
      g_clear_error (&error);
      error = process_error (renewal, "its output cannot be read");
    }
  } else if (!g_subprocess_get_successful (renewal->process)) {
    error = process_error (renewal, "it failed");
  } else {
    identity = ams_s3_identity_parse_json (out, renewal->source->name, &error);
  }
  end_renewal (renewal, identity, error);
}

static void
run_process (Renewal *renewal)
{
  AmsS3Credentials *self = renewal->self;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);

  g_subprocess_launcher_set_environ (launcher, self->envp);
  renewal->process = g_subprocess_launcher_spawnv (launcher,
      (const gchar *const *) renewal->source->argv, NULL);
  if (renewal->process == NULL) {
    end_renewal (renewal, NULL, process_error (renewal, "it cannot be run"));
    return;
  }
  renewal->timeout = g_timeout_source_new_seconds (PROCESS_TIMEOUT);
  g_source_set_callback (renewal->timeout, on_process_timeout, renewal->process,
      NULL);
  g_source_attach (renewal->timeout, g_main_context_get_thread_default ());
  g_subprocess_communicate_async (renewal->process, NULL, self->stop,
      on_process_ended, renewal);
}

/* A service */

/* NULL: @error */
static AmsHttpClient *
make_client (const gchar *ca_file, gboolean near, guint timeout,
    const gchar *scheme, GError **error)
{
  AmsHttpOptions options;
  AmsHttpClient *client;

  ams_http_options_init (&options);
  options.connect_timeout = timeout;
  options.timeout = timeout;
  options.redirect = AMS_HTTP_REDIRECT_NEVER;
  options.expect = AMS_HTTP_EXPECT_NEVER;
  if (near) {
    g_free (options.proxy);
    options.proxy = g_strdup ("");
  } else {
    options.ssl_ca_file = g_strdup (ca_file);
  }
  client = ams_http_client_new (&options, scheme, error);
  ams_http_options_clear (&options);
  return client;
}

static AmsHttpClient *
client_for (AmsS3Credentials *self, const AmsS3Source *source,
    const gchar *scheme, GError **error)
{
  gboolean near = source->kind != AMS_S3_SOURCE_WEB_IDENTITY;
  AmsHttpClient **client = near ? &self->near_client : &self->far_client;

  if (*client == NULL)
    *client = make_client (self->options.ca_file, near,
        source->kind == AMS_S3_SOURCE_MACHINE ? MACHINE_TIMEOUT
                                              : SERVICE_TIMEOUT,
        scheme, error);
  return *client;
}

/* The client's own sentence speaks of a store. */
static GError *
service_error (const Renewal *renewal, const GError *cause)
{
  const AmsS3Source *source = renewal->source;

  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return g_error_copy (cause);
  if (source->kind == AMS_S3_SOURCE_MACHINE)
    return ams_store_error_new (renewal->self->identity != NULL
            ? AMS_FAILURE_TRANSIENT
            : AMS_FAILURE_PERMANENT,
        0, 0,
        "There are no credentials. Set access-key and secret-access-key. "
        "Looked at: %s; %s (does not answer).",
        source->looked, source->name);
  return ams_store_error_new (ams_store_error_get_failure (cause), 0, 0,
      "No credentials came from %s: %s", source->name, cause->message);
}

/* A request's answer leads to the next request. */
static void ask_service (Renewal *renewal, GBytes *answer);

static void
on_reply (GObject *object, GAsyncResult *result, gpointer user_data)
{
  Renewal *renewal = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsHttpReply) reply =
      ams_http_client_send_finish (AMS_HTTP_CLIENT (object), result, &error);

  if (reply == NULL)
    end_renewal (renewal, NULL, service_error (renewal, error));
  else if (reply->status != 200)
    end_renewal (renewal, NULL,
        ams_s3_source_refused (renewal->source, reply->status, reply->body));
  else
    ask_service (renewal, reply->body);
}

static void
send_query (Renewal *renewal)
{
  AmsS3Query *query = renewal->query;
  GError *error = NULL;
  AmsHttpClient *client = client_for (renewal->self, renewal->source,
      g_uri_get_scheme (query->uri), &error);
  AmsHttpRequest request = {
    .method = query->method,
    .uri = query->uri,
    .headers = (const gchar *const *) query->headers,
    .bytes = query->body,
    .max_reply = MAX_REPLY,
  };

  if (client == NULL) {
    end_renewal (renewal, NULL, error);
    return;
  }
  renewal->request = request;
  ams_http_client_send_async (client, &renewal->request, renewal->self->stop,
      on_reply, renewal);
}

/* @answer: (nullable) to the request before */
static void
ask_service (Renewal *renewal, GBytes *answer)
{
  AmsS3Identity *identity = NULL;
  GError *error = NULL;
  AmsS3Query *query =
      ams_s3_source_next (renewal->source, answer, &identity, &error);

  g_clear_pointer (&renewal->query, ams_s3_query_free);
  renewal->query = query;
  if (query != NULL)
    send_query (renewal);
  else
    end_renewal (renewal, identity, error);
}

static void
renew (AmsS3Credentials *self)
{
  Renewal *renewal = g_new0 (Renewal, 1);
  GError *error = NULL;

  self->renewing = TRUE;
  self->asked = self->now (self->now_data);
  renewal->self = g_object_ref (self);
  renewal->source = ams_s3_source_find (&self->options, self->envp, &error);
  if (renewal->source == NULL) {
    end_renewal (renewal, NULL, error);
    return;
  }
  self->dynamic = renewal->source->dynamic;
  if (renewal->source->kind == AMS_S3_SOURCE_STATIC)
    end_renewal (renewal, ams_s3_identity_ref (renewal->source->identity),
        NULL);
  else if (renewal->source->kind == AMS_S3_SOURCE_PROCESS)
    run_process (renewal);
  else
    ask_service (renewal, NULL);
}

/* Asking */

static gboolean
is_good (AmsS3Credentials *self)
{
  return self->identity != NULL && !self->stale &&
      self->now (self->now_data) < self->identity->expires;
}

/* Of what is good still. */
static gboolean
is_due (AmsS3Credentials *self)
{
  gint64 now = self->now (self->now_data);

  return self->identity->expires != G_MAXINT64 &&
      now >= self->identity->expires - AMS_S3_CREDENTIALS_AHEAD &&
      now >= self->asked + AMS_S3_CREDENTIALS_PAUSE;
}

void
ams_s3_credentials_get_async (AmsS3Credentials *self, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, ams_s3_credentials_get_async);
  if (g_cancellable_is_cancelled (self->stop)) {
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED,
        "Credentials are not asked for any more.");
    g_object_unref (task);
    return;
  }
  if (!is_good (self)) {
    wait_for_renewal (self, task);
    if (!self->renewing)
      renew (self);
    return;
  }
  g_task_return_pointer (task, ams_s3_identity_ref (self->identity),
      (GDestroyNotify) ams_s3_identity_unref);
  g_object_unref (task);
  if (!self->renewing && is_due (self))
    renew (self);
}

AmsS3Identity *
ams_s3_credentials_get_finish (AmsS3Credentials *self, GAsyncResult *result,
    GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
ams_s3_credentials_invalidate (AmsS3Credentials *self, AmsS3Identity *identity)
{
  if (self->identity == identity)
    self->stale = TRUE;
}

gboolean
ams_s3_credentials_is_dynamic (AmsS3Credentials *self)
{
  return self->dynamic;
}

void
ams_s3_credentials_stop (AmsS3Credentials *self)
{
  g_cancellable_cancel (self->stop);
}

AmsS3Credentials *
ams_s3_credentials_new (const AmsS3CredentialsOptions *options, GStrv envp,
    AmsS3Now now, gpointer user_data)
{
  AmsS3Credentials *self = g_object_new (AMS_TYPE_S3_CREDENTIALS, NULL);

  ams_s3_credentials_options_copy (&self->options, options);
  self->envp = envp != NULL ? g_strdupv (envp) : g_get_environ ();
  self->now = now != NULL ? now : system_now;
  self->now_data = user_data;
  return self;
}

static void
ams_s3_credentials_finalize (GObject *object)
{
  AmsS3Credentials *self = AMS_S3_CREDENTIALS (object);

  ams_s3_credentials_options_clear (&self->options);
  g_strfreev (self->envp);
  g_clear_pointer (&self->identity, ams_s3_identity_unref);
  g_clear_object (&self->stop);
  g_clear_object (&self->near_client);
  g_clear_object (&self->far_client);
  G_OBJECT_CLASS (ams_s3_credentials_parent_class)->finalize (object);
}

static void
ams_s3_credentials_init (AmsS3Credentials *self)
{
  g_queue_init (&self->waiting);
  self->stop = g_cancellable_new ();
}

static void
ams_s3_credentials_class_init (AmsS3CredentialsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ams_s3_credentials_finalize;
}
