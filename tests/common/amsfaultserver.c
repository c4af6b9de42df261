/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "amsfaultprivate.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

/* Rules */

static void
script_free (gpointer data)
{
  AmsFaultScript *script = data;

  g_free ((gchar *) script->rule.method);
  g_free ((gchar *) script->rule.path);
  g_free ((gchar *) script->rule.header);
  g_free ((gchar *) script->rule.headers);
  g_free ((gchar *) script->rule.body);
  g_free ((gchar *) script->rule.location);
  g_free ((gchar *) script->rule.raw);
  g_free (script);
}

void
ams_fault_server_add_rule (AmsFaultServer *self, const AmsFaultRule *rule)
{
  AmsFaultScript *script = g_new0 (AmsFaultScript, 1);

  script->rule = *rule;
  script->rule.method = g_strdup (rule->method);
  script->rule.path = g_strdup (rule->path);
  script->rule.header = g_strdup (rule->header);
  script->rule.headers = g_strdup (rule->headers);
  script->rule.body = g_strdup (rule->body);
  script->rule.location = g_strdup (rule->location);
  script->rule.raw = g_strdup (rule->raw);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->scripts, script);
  g_mutex_unlock (&self->lock);
}

void
ams_fault_server_clear_rules (AmsFaultServer *self)
{
  g_mutex_lock (&self->lock);
  g_ptr_array_extend_and_steal (self->old_scripts, self->scripts);
  self->scripts = g_ptr_array_new_with_free_func (script_free);
  g_mutex_unlock (&self->lock);
}

static gboolean
match_header (const gchar *wanted, const AmsFaultRequest *request)
{
  g_auto (GStrv) parts = NULL;
  g_autofree gchar *value = NULL;

  if (!wanted)
    return TRUE;
  parts = g_strsplit (wanted, ": ", 2);
  value = ams_fault_header (request->headers, parts[0]);
  return value && (!parts[1] || g_ascii_strcasecmp (value, parts[1]) == 0);
}

static gboolean
applies_locked (AmsFaultScript *script, const AmsFaultRequest *request)
{
  const AmsFaultRule *rule = &script->rule;

  if (!ams_fault_match (request, rule->method, rule->path) ||
      !match_header (rule->header, request))
    return FALSE;
  script->seen++;
  if (script->seen <= rule->skip ||
      (rule->count > 0 && script->used >= rule->count) ||
      (rule->every > 1 && (script->seen - rule->skip) % rule->every != 0))
    return FALSE;
  script->used++;
  return TRUE;
}

const AmsFaultRule *
ams_fault_server_add_request (AmsFaultServer *self, AmsFaultRequest *request,
    gboolean wanted)
{
  const AmsFaultRule *rule = NULL;

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->requests, request);
  request->number = self->requests->len;
  for (guint i = 0; i < self->scripts->len && wanted && !rule; i++) {
    AmsFaultScript *script = self->scripts->pdata[i];

    if (applies_locked (script, request))
      rule = &script->rule;
  }
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return rule;
}

/* Connections */

static void
add_connection (AmsFaultServer *self, GSocket *socket)
{
  AmsFaultConnection *connection = g_new0 (AmsFaultConnection, 1);

  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  connection->server = self;
  connection->socket = g_object_ref (socket);
  connection->stream =
      G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
  connection->cancellable = g_cancellable_new ();
  connection->buffer = g_byte_array_new ();
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->connections, connection);
  connection->number = self->connections->len;
  connection->thread =
      g_thread_new ("fault-connection", ams_fault_connection_run, connection);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static gpointer
accept_all (gpointer data)
{
  AmsFaultServer *self = data;
  GSocket *socket;

  while ((socket = g_socket_accept (self->socket, self->accepting, NULL))) {
    add_connection (self, socket);
    g_object_unref (socket);
  }
  return NULL;
}

/* Bound, so that the port stays this server's, but not listening. */
static void
bind_socket (AmsFaultServer *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) bound = NULL;

  self->socket = g_socket_new (g_socket_address_get_family (self->address),
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  g_assert_no_error (error);
  if (self->options.receive_buffer)
    g_socket_set_option (self->socket, SOL_SOCKET, SO_RCVBUF,
        self->options.receive_buffer, NULL);
  g_socket_bind (self->socket, self->address, TRUE, &error);
  g_assert_no_error (error);
  bound = g_socket_get_local_address (self->socket, &error);
  g_assert_no_error (error);
  g_set_object (&self->address, bound);
  self->port =
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (self->address));
}

static void
start (AmsFaultServer *self)
{
  g_autoptr (GError) error = NULL;

  g_socket_set_listen_backlog (self->socket, 128);
  g_socket_listen (self->socket, &error);
  g_assert_no_error (error);
  self->accepting = g_cancellable_new ();
  self->acceptor = g_thread_new ("fault-acceptor", accept_all, self);
}

static void
stop (AmsFaultServer *self)
{
  g_cancellable_cancel (self->accepting);
  g_clear_pointer (&self->acceptor, g_thread_join);
  g_clear_object (&self->accepting);
  g_socket_close (self->socket, NULL);
  g_clear_object (&self->socket);
}

void
ams_fault_server_pause (AmsFaultServer *self)
{
  g_mutex_lock (&self->control);
  if (self->acceptor) {
    stop (self);
    bind_socket (self);
  }
  g_mutex_unlock (&self->control);
}

void
ams_fault_server_resume (AmsFaultServer *self)
{
  g_mutex_lock (&self->control);
  if (!self->acceptor)
    start (self);
  g_mutex_unlock (&self->control);
}

void
ams_fault_server_drop (AmsFaultServer *self)
{
  g_autoptr (GPtrArray) cancellables =
      g_ptr_array_new_with_free_func (g_object_unref);

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->connections->len; i++) {
    AmsFaultConnection *connection = self->connections->pdata[i];

    connection->dropped = TRUE;
    g_ptr_array_add (cancellables, g_object_ref (connection->cancellable));
  }
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < cancellables->len; i++)
    g_cancellable_cancel (cancellables->pdata[i]);
}

/* The server */

const gchar *
ams_fault_certificates (void)
{
  const gchar *folder = g_getenv ("AMS_TEST_CERTIFICATES");

  return folder && folder[0] != '\0' ? folder : NULL;
}

void
ams_fault_use_tls12 (void)
{
  g_setenv ("G_TLS_GNUTLS_PRIORITY", "NORMAL:%COMPAT:-VERS-TLS1.3", TRUE);
}

static void
load_certificates (AmsFaultServer *self)
{
  static const gchar *const names[] = { NULL, "good.pem", "expired.pem",
    "other-host.pem" };
  const gchar *folder = self->options.certificates;
  g_autofree gchar *file = NULL;
  g_autofree gchar *ca = NULL;
  g_autoptr (GError) error = NULL;

  if (self->options.tls == AMS_FAULT_TLS_NONE)
    return;
  if (!folder)
    folder = ams_fault_certificates ();
  g_assert_nonnull (folder);
  file = g_build_filename (folder, names[self->options.tls], NULL);
  self->certificate = g_tls_certificate_new_from_file (file, &error);
  g_assert_no_error (error);
  if (!self->options.tls_client_certificate)
    return;
  ca = g_build_filename (folder, "ca.pem", NULL);
  self->client_cas = g_tls_file_database_new (ca, &error);
  g_assert_no_error (error);
}

AmsFaultServer *
ams_fault_server_new (const AmsFaultOptions *options)
{
  AmsFaultServer *self = g_new0 (AmsFaultServer, 1);
  const gchar *address;

  if (options)
    self->options = *options;
  address = self->options.address ? self->options.address : "127.0.0.1";
  self->address =
      g_inet_socket_address_new_from_string (address, self->options.port);
  g_assert_nonnull (self->address);
  load_certificates (self);
  g_mutex_init (&self->control);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->scripts = g_ptr_array_new_with_free_func (script_free);
  self->old_scripts = g_ptr_array_new_with_free_func (script_free);
  self->requests =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_fault_request_free);
  self->connections =
      g_ptr_array_new_with_free_func (ams_fault_connection_free);
  self->objects = ams_fault_objects_new ();
  self->stores = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  bind_socket (self);
  start (self);
  return self;
}

void
ams_fault_server_free (AmsFaultServer *self)
{
  if (self->acceptor)
    stop (self);
  ams_fault_server_drop (self);
  g_ptr_array_unref (self->connections); /* joins their threads */
  g_clear_object (&self->socket);
  g_object_unref (self->address);
  g_clear_object (&self->certificate);
  g_clear_object (&self->client_cas);
  g_ptr_array_unref (self->scripts);
  g_ptr_array_unref (self->old_scripts);
  g_ptr_array_unref (self->requests);
  ams_fault_objects_free (self->objects);
  g_hash_table_unref (self->stores);
  g_free (self->user);
  g_free (self->secret);
  g_free (self->nonce);
  g_mutex_clear (&self->control);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

guint16
ams_fault_server_get_port (AmsFaultServer *self)
{
  return self->port;
}

gchar *
ams_fault_server_dup_url (AmsFaultServer *self, const gchar *path)
{
  g_autofree gchar *host =
      g_inet_address_to_string (g_inet_socket_address_get_address (
          G_INET_SOCKET_ADDRESS (self->address)));

  return g_strdup_printf ("%s://%s:%u%s", self->certificate ? "https" : "http",
      host, self->port, path);
}

void
ams_fault_server_set_auth (AmsFaultServer *self, AmsFaultAuth auth,
    const gchar *user, const gchar *secret)
{
  g_mutex_lock (&self->lock);
  self->auth = auth;
  g_free (self->user);
  self->user = g_strdup (user);
  g_free (self->secret);
  self->secret = g_strdup (secret);
  g_free (self->nonce);
  self->nonce = ams_fault_new_nonce ();
  g_mutex_unlock (&self->lock);
}

void
ams_fault_server_set_deaf (AmsFaultServer *self, gboolean deaf)
{
  g_mutex_lock (&self->lock);
  self->deaf = deaf;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
ams_fault_server_set_listener (AmsFaultServer *self, AmsFaultListener listener,
    gpointer user_data)
{
  self->listener = listener;
  self->listener_data = user_data;
}

/* Objects */

GBytes *
ams_fault_server_dup_object (AmsFaultServer *self, const gchar *name)
{
  AmsFaultObject *object;
  GBytes *bytes = NULL;

  g_mutex_lock (&self->lock);
  object = ams_fault_objects_get (self->objects, name);
  if (object)
    bytes = g_bytes_ref (object->bytes);
  g_mutex_unlock (&self->lock);
  return bytes;
}

gchar *
ams_fault_server_dup_text (AmsFaultServer *self, const gchar *name)
{
  g_autoptr (GBytes) bytes = ams_fault_server_dup_object (self, name);

  if (!bytes)
    return NULL;
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

gchar *
ams_fault_server_dup_object_header (AmsFaultServer *self, const gchar *name,
    const gchar *header)
{
  AmsFaultObject *object;
  gchar *value = NULL;

  g_mutex_lock (&self->lock);
  object = ams_fault_objects_get (self->objects, name);
  if (object)
    value = ams_fault_header (object->headers, header);
  g_mutex_unlock (&self->lock);
  return value;
}

GStrv
ams_fault_server_dup_names (AmsFaultServer *self)
{
  GStrv names;

  g_mutex_lock (&self->lock);
  names = ams_fault_objects_dup_names (self->objects);
  g_mutex_unlock (&self->lock);
  return names;
}

void
ams_fault_server_put_object (AmsFaultServer *self, const gchar *name,
    const gchar *content_type, gconstpointer data, gsize size)
{
  g_autofree gchar *headers = content_type
      ? g_strdup_printf ("Content-Type: %s\n", content_type)
      : NULL;

  g_mutex_lock (&self->lock);
  ams_fault_objects_preset (self->objects, name, headers, data, size);
  g_mutex_unlock (&self->lock);
}

void
ams_fault_server_remove_object (AmsFaultServer *self, const gchar *name)
{
  g_mutex_lock (&self->lock);
  ams_fault_objects_remove (self->objects, name, FALSE);
  g_mutex_unlock (&self->lock);
}

void
ams_fault_server_clear_objects (AmsFaultServer *self)
{
  g_mutex_lock (&self->lock);
  ams_fault_objects_clear (self->objects);
  g_mutex_unlock (&self->lock);
}

gchar *
ams_fault_server_dup_problems (AmsFaultServer *self)
{
  gchar *problems;

  g_mutex_lock (&self->lock);
  problems = ams_fault_objects_dup_problems (self->objects);
  g_mutex_unlock (&self->lock);
  return problems;
}

void
ams_fault_server_clear_problems (AmsFaultServer *self)
{
  g_mutex_lock (&self->lock);
  ams_fault_objects_clear_problems (self->objects);
  g_mutex_unlock (&self->lock);
}
