/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "clients.h"

#include <sys/resource.h>

/* When a connection could not be accepted, and none of ours is closed meanwhile. */
#define RETRY_INTERVAL 1 /* s */

typedef struct
{
  HlsUploadClients *clients;
  HlsUploadConnection *connection; /* not owned: it is closed first */
  gint64 since; /* µs, it is idle */
  gboolean idle;
  gboolean ending; /* it was shut, and is not closed yet */
  GList link; /* in idle */
} Client;

struct _HlsUploadClients
{
  HlsUploadListener *listener;
  guint max;
  gint64 timeout; /* µs */
  GHashTable *all; /* connection → Client */
  GQueue idle; /* of Client: the first has been so for longest */
  GSource *expire; /* when the first of them has to go */
  GSource *retry; /* (nullable) */
  gboolean closed;
  guint ending; /* so many of them are */
  gboolean paused; /* another waits */
  guint
      full; /* so many were open when it was said that no more can be; 0: it was not */
};

/* Saying it once */

static void
say_full (HlsUploadClients *self, const gchar *why)
{
  if (self->full)
    return;
  self->full = MAX (hls_upload_clients_get_length (self), 1);
  g_printerr ("No more connections are taken at the moment: %s\n", why);
}

/* Not when the first has gone: they come and go. */
static void
say_over (HlsUploadClients *self)
{
  if (!self->full || hls_upload_clients_get_length (self) > self->full / 2)
    return;
  self->full = 0;
  g_printerr ("Connections are taken again.\n");
}

/* Idle ones */

static void
set_expire (HlsUploadClients *self)
{
  const Client *first = g_queue_peek_head (&self->idle);

  g_source_set_ready_time (self->expire,
      first ? first->since + self->timeout : -1);
}

static void
leave_idle (Client *client)
{
  if (!client->idle)
    return;
  client->idle = FALSE;
  g_queue_unlink (&client->clients->idle, &client->link);
  set_expire (client->clients);
}

/* Its end is read by whoever reads from it, and then it is closed. */
static void
shut (Client *client)
{
  leave_idle (client);
  client->ending = TRUE;
  client->clients->ending++;
  hls_upload_connection_shut (client->connection);
}

static gboolean
shut_first (HlsUploadClients *self)
{
  Client *first = g_queue_peek_head (&self->idle);

  if (first)
    shut (first);
  return first != NULL;
}

static void
become_idle (Client *client)
{
  HlsUploadClients *self = client->clients;

  if (client->idle || client->ending)
    return;
  if (self->closed) {
    shut (client);
    return;
  }
  client->idle = TRUE;
  client->since = g_get_monotonic_time ();
  g_queue_push_tail_link (&self->idle, &client->link);
  set_expire (self);
}

static gboolean
on_expire (gpointer user_data)
{
  HlsUploadClients *self = user_data;
  gint64 now = g_get_monotonic_time ();
  Client *first;

  while ((first = g_queue_peek_head (&self->idle)) &&
      first->since + self->timeout <= now)
    shut (first);
  set_expire (self);
  return G_SOURCE_CONTINUE;
}

/* As many as may be */

static void
stop_retry (HlsUploadClients *self)
{
  if (!self->retry)
    return;
  g_source_destroy (self->retry);
  g_clear_pointer (&self->retry, g_source_unref);
}

static void
pause_listener (HlsUploadClients *self)
{
  self->paused = TRUE;
  hls_upload_listener_pause (self->listener);
}

static void
take_more (HlsUploadClients *self)
{
  stop_retry (self);
  if (self->closed || hls_upload_clients_get_length (self) >= self->max)
    return;
  self->paused = FALSE;
  hls_upload_listener_resume (self->listener);
}

static gboolean
on_retry (gpointer user_data)
{
  take_more (user_data);
  return G_SOURCE_REMOVE;
}

static void
on_closed (gpointer user_data)
{
  Client *client = user_data;
  HlsUploadClients *self = client->clients;

  leave_idle (client);
  self->ending -= client->ending;
  g_hash_table_remove (self->all, client->connection);
  say_over (self);
  take_more (self);
}

/* One that ends already makes room as well. */
static gboolean
make_room (HlsUploadClients *self)
{
  return self->ending > 0 || shut_first (self);
}

gboolean
hls_upload_clients_admit (HlsUploadClients *self)
{
  g_autofree gchar *why = NULL;

  if (hls_upload_clients_get_length (self) < self->max)
    return TRUE;
  pause_listener (self);
  if (make_room (self))
    return FALSE;
  why = g_strdup_printf ("there are %u, and each has a request under way.",
      hls_upload_clients_get_length (self));
  say_full (self, why);
  return FALSE;
}

void
hls_upload_clients_add (HlsUploadClients *self, HlsUploadConnection *connection)
{
  Client *client = g_new0 (Client, 1);

  client->clients = self;
  client->connection = connection;
  client->link.data = client;
  g_hash_table_insert (self->all, connection, client);
  hls_upload_connection_set_closed_func (connection, on_closed, client);
  become_idle (client);
}

void
hls_upload_clients_begin (HlsUploadClients *self,
    HlsUploadConnection *connection)
{
  Client *client = g_hash_table_lookup (self->all, connection);

  if (client)
    leave_idle (client);
}

void
hls_upload_clients_end (HlsUploadClients *self, HlsUploadConnection *connection)
{
  Client *client = g_hash_table_lookup (self->all, connection);

  if (!client)
    return;
  become_idle (client);
  if (self->paused)
    make_room (self);
}

void
hls_upload_clients_fail (HlsUploadClients *self, const GError *error)
{
  pause_listener (self);
  say_full (self, error->message);
  make_room (self);
  stop_retry (self);
  self->retry = g_timeout_source_new_seconds (RETRY_INTERVAL);
  g_source_set_callback (self->retry, on_retry, self, NULL);
  g_source_attach (self->retry, NULL);
}

/* Life */

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

HlsUploadClients *
hls_upload_clients_new (HlsUploadListener *listener, guint max, guint timeout)
{
  static GSourceFuncs funcs = { .dispatch = dispatch };
  HlsUploadClients *self = g_new0 (HlsUploadClients, 1);

  self->listener = listener;
  self->max = max;
  self->timeout = timeout * G_TIME_SPAN_SECOND;
  self->all = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->expire = g_source_new (&funcs, sizeof (GSource));
  g_source_set_callback (self->expire, on_expire, self, NULL);
  g_source_attach (self->expire, NULL);
  return self;
}

void
hls_upload_clients_free (HlsUploadClients *self)
{
  GHashTableIter iter;
  gpointer connection;

  g_hash_table_iter_init (&iter, self->all);
  while (g_hash_table_iter_next (&iter, &connection, NULL))
    hls_upload_connection_set_closed_func (connection, NULL, NULL);
  stop_retry (self);
  g_source_destroy (self->expire);
  g_source_unref (self->expire);
  g_hash_table_unref (self->all);
  g_free (self);
}

void
hls_upload_clients_close (HlsUploadClients *self)
{
  self->closed = TRUE;
  while (shut_first (self))
    continue;
}

guint
hls_upload_clients_get_length (HlsUploadClients *self)
{
  return g_hash_table_size (self->all);
}

/* Descriptors */

/* The limit as it is after that. */
static rlim_t
raise_limit (rlim_t wanted)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0)
    return wanted;
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = MIN (wanted, limit.rlim_max);
    if (setrlimit (RLIMIT_NOFILE, &limit) < 0)
      getrlimit (RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

guint
hls_upload_clients_fit (guint wanted, guint requests, guint reserve)
{
  rlim_t limit =
      raise_limit ((rlim_t) wanted + MIN (wanted, requests) + reserve);
  rlim_t free = limit > reserve ? limit - reserve : 0;
  rlim_t fit = free > 2 * (rlim_t) requests ? free - requests : free / 2;

  return CLAMP (fit, 1, wanted);
}
