/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "connection.h"

/* What is read */

#define HLS_UPLOAD_TYPE_INPUT (hls_upload_input_get_type ())
G_DECLARE_FINAL_TYPE (HlsUploadInput, hls_upload_input, HLS_UPLOAD, INPUT,
    GFilterInputStream)

struct _HlsUploadInput
{
  GFilterInputStream parent;

  HlsUploadConnection *connection; /* not owned */
  gboolean has_read;
  gboolean at_end;
};

static gboolean end_if_parked (HlsUploadConnection *self);

static void hls_upload_input_pollable_init (
    GPollableInputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (HlsUploadInput, hls_upload_input,
    G_TYPE_FILTER_INPUT_STREAM,
    G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
        hls_upload_input_pollable_init))

static GInputStream *
base_of (gpointer input)
{
  return g_filter_input_stream_get_base_stream (G_FILTER_INPUT_STREAM (input));
}

static gboolean
is_end (gsize size, gssize n, const GError *error)
{
  return n < 0 ? !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)
               : n == 0 && size > 0;
}

/* libsoup (3.2) never lets go of a connection of which it reads the end between two requests. */
static gssize
note_end (HlsUploadInput *self, gsize size, gssize n, GError *found,
    GError **error)
{
  g_autoptr (GError) local = found;

  self->has_read = self->has_read || n > 0;
  self->at_end = self->at_end || (size > 0 && n == 0);
  if (is_end (size, n, local) && end_if_parked (self->connection)) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
        "It is being closed");
    return -1;
  }
  if (local)
    g_propagate_error (error, g_steal_pointer (&local));
  return n;
}

static gssize
input_read (GInputStream *input, void *buffer, gsize size,
    GCancellable *cancellable, GError **error)
{
  GError *local = NULL;
  gssize n =
      g_input_stream_read (base_of (input), buffer, size, cancellable, &local);

  return note_end (HLS_UPLOAD_INPUT (input), size, n, local, error);
}

static gboolean
input_can_poll (GPollableInputStream *input)
{
  return g_pollable_input_stream_can_poll (
      G_POLLABLE_INPUT_STREAM (base_of (input)));
}

static gboolean
input_is_readable (GPollableInputStream *input)
{
  return g_pollable_input_stream_is_readable (
      G_POLLABLE_INPUT_STREAM (base_of (input)));
}

static GSource *
input_create_source (GPollableInputStream *input, GCancellable *cancellable)
{
  g_autoptr (GSource) base = g_pollable_input_stream_create_source (
      G_POLLABLE_INPUT_STREAM (base_of (input)), NULL);

  return g_pollable_source_new_full (input, base, cancellable);
}

static gssize
input_read_nonblocking (GPollableInputStream *input, void *buffer, gsize size,
    GError **error)
{
  GError *local = NULL;
  gssize n = g_pollable_input_stream_read_nonblocking (
      G_POLLABLE_INPUT_STREAM (base_of (input)), buffer, size, NULL, &local);

  return note_end (HLS_UPLOAD_INPUT (input), size, n, local, error);
}

static void
hls_upload_input_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->can_poll = input_can_poll;
  iface->is_readable = input_is_readable;
  iface->create_source = input_create_source;
  iface->read_nonblocking = input_read_nonblocking;
}

static void
hls_upload_input_class_init (HlsUploadInputClass *klass)
{
  G_INPUT_STREAM_CLASS (klass)->read_fn = input_read;
}

static void
hls_upload_input_init (HlsUploadInput *self)
{
}

/* The whole */

struct _HlsUploadConnection
{
  GIOStream parent;

  GIOStream *base;
  GSocket *socket;
  HlsUploadInput *input;
  HlsUploadClosed closed; /* (nullable) */
  gpointer user_data;
  GObject *parked; /* (nullable) */
  HlsUploadRelease release;
  GSource *ending; /* (nullable) */
};

G_DEFINE_FINAL_TYPE (HlsUploadConnection, hls_upload_connection,
    G_TYPE_IO_STREAM)

static GInputStream *
connection_get_input_stream (GIOStream *stream)
{
  return G_INPUT_STREAM (HLS_UPLOAD_CONNECTION (stream)->input);
}

static GOutputStream *
connection_get_output_stream (GIOStream *stream)
{
  return g_io_stream_get_output_stream (HLS_UPLOAD_CONNECTION (stream)->base);
}

static void
say_closed (HlsUploadConnection *self)
{
  HlsUploadClosed closed = g_steal_pointer (&self->closed);

  if (closed)
    closed (self->user_data);
}

static void
stop_ending (HlsUploadConnection *self)
{
  if (!self->ending)
    return;
  g_source_destroy (self->ending);
  g_clear_pointer (&self->ending, g_source_unref);
}

static void
forget_parked (HlsUploadConnection *self)
{
  stop_ending (self);
  g_clear_object (&self->parked);
}

/* Never waits: that TLS says goodbye would. */
static gboolean
connection_close (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  HlsUploadConnection *self = HLS_UPLOAD_CONNECTION (stream);
  gboolean closed = g_socket_close (self->socket, error);

  forget_parked (self);
  say_closed (self);
  return closed;
}

static void
on_base_closed (GObject *base, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  HlsUploadConnection *self = g_task_get_source_object (task);
  GError *error = NULL;

  g_socket_close (self->socket, NULL);
  say_closed (self);
  if (g_io_stream_close_finish (G_IO_STREAM (base), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
connection_close_async (GIOStream *stream, int priority,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (stream, cancellable, callback, user_data);

  g_io_stream_close_async (HLS_UPLOAD_CONNECTION (stream)->base, priority,
      cancellable, on_base_closed, task);
}

static gboolean
connection_close_finish (GIOStream *stream, GAsyncResult *result,
    GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
hls_upload_connection_finalize (GObject *object)
{
  HlsUploadConnection *self = HLS_UPLOAD_CONNECTION (object);

  G_OBJECT_CLASS (hls_upload_connection_parent_class)->finalize (object);
  self->input->connection = NULL;
  g_clear_object (&self->input);
  g_clear_object (&self->base);
  g_clear_object (&self->socket);
}

static void
hls_upload_connection_class_init (HlsUploadConnectionClass *klass)
{
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = hls_upload_connection_finalize;
  stream_class->get_input_stream = connection_get_input_stream;
  stream_class->get_output_stream = connection_get_output_stream;
  stream_class->close_fn = connection_close;
  stream_class->close_async = connection_close_async;
  stream_class->close_finish = connection_close_finish;
}

static void
hls_upload_connection_init (HlsUploadConnection *self)
{
}

HlsUploadConnection *
hls_upload_connection_new (GSocketConnection *socket,
    GTlsCertificate *certificate, GError **error)
{
  g_autoptr (GIOStream) base = certificate
      ? g_tls_server_connection_new (G_IO_STREAM (socket), certificate, error)
      : g_object_ref (G_IO_STREAM (socket));
  HlsUploadConnection *self;

  if (!base)
    return NULL;
  self = g_object_new (HLS_UPLOAD_TYPE_CONNECTION, NULL);
  self->input = g_object_new (HLS_UPLOAD_TYPE_INPUT, "base-stream",
      g_io_stream_get_input_stream (base), "close-base-stream", FALSE, NULL);
  self->input->connection = self;
  self->base = g_steal_pointer (&base);
  self->socket = g_object_ref (g_socket_connection_get_socket (socket));
  return self;
}

gboolean
hls_upload_connection_is_at_end (HlsUploadConnection *self)
{
  return self->input->at_end;
}

GSocket *
hls_upload_connection_get_socket (HlsUploadConnection *self)
{
  return self->socket;
}

gboolean
hls_upload_connection_has_read (HlsUploadConnection *self)
{
  return self->input->has_read;
}

void
hls_upload_connection_set_closed_func (HlsUploadConnection *self,
    HlsUploadClosed closed, gpointer user_data)
{
  self->closed = closed;
  self->user_data = user_data;
}

/* Between requests */

static gboolean
on_ending (gpointer user_data)
{
  g_autoptr (HlsUploadConnection) self = g_object_ref (user_data);
  g_autoptr (GObject) parked = g_steal_pointer (&self->parked);

  stop_ending (self);
  self->release (parked);
  g_io_stream_close (G_IO_STREAM (self), NULL, NULL);
  return G_SOURCE_REMOVE;
}

/* Not from within the reading of whoever has it. */
static gboolean
end_if_parked (HlsUploadConnection *self)
{
  if (!self || !self->parked)
    return FALSE;
  if (self->ending)
    return TRUE;
  self->ending = g_idle_source_new ();
  g_source_set_priority (self->ending, G_PRIORITY_HIGH);
  g_source_set_callback (self->ending, on_ending, self, NULL);
  g_source_attach (self->ending, NULL);
  return TRUE;
}

void
hls_upload_connection_park (HlsUploadConnection *self, GObject *holder,
    HlsUploadRelease release)
{
  if (g_socket_is_closed (self->socket))
    return;
  g_set_object (&self->parked, holder);
  self->release = release;
}

void
hls_upload_connection_unpark (HlsUploadConnection *self)
{
  forget_parked (self);
}

void
hls_upload_connection_shut (HlsUploadConnection *self)
{
  if (!end_if_parked (self))
    g_socket_shutdown (self->socket, TRUE, TRUE, NULL);
}
