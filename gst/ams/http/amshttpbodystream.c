/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpbodystream.h"

#include "transfer/amsstore.h"

#include <string.h>

struct _AmsHttpBodyStream
{
  GInputStream parent;

  AmsBody *body;
  GBytes *bytes;
  AmsHttpLimiter *limiter;
  guint64 size;
  guint64 offset;
  gboolean throttled;
  GError *error;
};

static void ams_http_body_stream_pollable_init (
    GPollableInputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmsHttpBodyStream, ams_http_body_stream,
    G_TYPE_INPUT_STREAM,
    G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
        ams_http_body_stream_pollable_init))

static gssize
read_body (AmsHttpBodyStream *self, guint8 *buffer, gsize size)
{
  gssize got;

  if (self->bytes) {
    memcpy (buffer,
        (const guint8 *) g_bytes_get_data (self->bytes, NULL) + self->offset,
        size);
    return size;
  }
  got = ams_body_read (self->body, self->offset, buffer, size, &self->error);
  if (got == 0)
    self->error = ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
        "the file ends after %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
        " bytes; somebody else has shortened it",
        self->offset, self->size);
  return got > 0 ? got : -1;
}

static gssize
take (AmsHttpBodyStream *self, guint8 *buffer, gsize size, GError **error)
{
  gssize got;

  size = MIN (size, self->size - self->offset);
  if (size == 0)
    return 0;
  got = self->error ? -1 : read_body (self, buffer, size);
  if (got < 0) {
    if (error)
      *error = g_error_copy (self->error);
    return -1;
  }
  self->offset += got;
  ams_http_limiter_spend (self->limiter, got, g_get_monotonic_time ());
  return got;
}

static gssize
ams_http_body_stream_read (GInputStream *stream, void *buffer, gsize size,
    GCancellable *cancellable, GError **error)
{
  return take (AMS_HTTP_BODY_STREAM (stream), buffer, size, error);
}

/* Pollable */

static gint64
delay_of (AmsHttpBodyStream *self)
{
  if (self->offset == self->size || self->error)
    return 0;
  return ams_http_limiter_delay (self->limiter, g_get_monotonic_time ());
}

static gboolean
ams_http_body_stream_is_readable (GPollableInputStream *stream)
{
  return delay_of (AMS_HTTP_BODY_STREAM (stream)) == 0;
}

static gssize
ams_http_body_stream_read_nonblocking (GPollableInputStream *stream,
    void *buffer, gsize size, GError **error)
{
  AmsHttpBodyStream *self = AMS_HTTP_BODY_STREAM (stream);

  self->throttled = delay_of (self) > 0;
  if (self->throttled) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
        "The limit of bytes for now is reached");
    return -1;
  }
  return take (self, buffer, size, error);
}

static GSource *
ams_http_body_stream_create_source (GPollableInputStream *stream,
    GCancellable *cancellable)
{
  g_autoptr (GSource) wait = g_timeout_source_new (0);

  g_source_set_ready_time (wait,
      g_get_monotonic_time () + delay_of (AMS_HTTP_BODY_STREAM (stream)));
  return g_pollable_source_new_full (stream, wait, cancellable);
}

static void
ams_http_body_stream_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = ams_http_body_stream_is_readable;
  iface->read_nonblocking = ams_http_body_stream_read_nonblocking;
  iface->create_source = ams_http_body_stream_create_source;
}

/* Async */

static void
ams_http_body_stream_read_async (GInputStream *stream, void *buffer, gsize size,
    int priority, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  AmsHttpBodyStream *self = AMS_HTTP_BODY_STREAM (stream);
  g_autoptr (GTask) task = NULL;
  gssize got;

  self->throttled = delay_of (self) > 0;
  if (self->throttled || self->error) {
    G_INPUT_STREAM_CLASS (ams_http_body_stream_parent_class)
        ->read_async (stream, buffer, size, priority, cancellable, callback,
            user_data);
    return;
  }
  /* libsoup reads 8 KiB at a time. Answering within the call, which a splice can
   * take, saves a round of the main loop for each of them. */
  got = take (self, buffer, size, NULL);
  task = g_task_new (stream, NULL, NULL, NULL);
  g_task_set_check_cancellable (task, FALSE);
  if (got < 0)
    g_task_return_error (task, g_error_copy (self->error));
  else
    g_task_return_int (task, got);
  callback (G_OBJECT (stream), G_ASYNC_RESULT (task), user_data);
}

static gssize
ams_http_body_stream_read_finish (GInputStream *stream, GAsyncResult *result,
    GError **error)
{
  return g_task_propagate_int (G_TASK (result), error);
}

/* The object */

static void
ams_http_body_stream_finalize (GObject *object)
{
  AmsHttpBodyStream *self = AMS_HTTP_BODY_STREAM (object);

  g_clear_object (&self->body);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_clear_error (&self->error);
  G_OBJECT_CLASS (ams_http_body_stream_parent_class)->finalize (object);
}

static void
ams_http_body_stream_class_init (AmsHttpBodyStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ams_http_body_stream_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = ams_http_body_stream_read;
  G_INPUT_STREAM_CLASS (klass)->read_async = ams_http_body_stream_read_async;
  G_INPUT_STREAM_CLASS (klass)->read_finish = ams_http_body_stream_read_finish;
}

static void
ams_http_body_stream_init (AmsHttpBodyStream *self)
{
}

GInputStream *
ams_http_body_stream_new (AmsBody *body, GBytes *bytes, AmsHttpLimiter *limiter)
{
  AmsHttpBodyStream *self = g_object_new (AMS_TYPE_HTTP_BODY_STREAM, NULL);

  if (body)
    self->body = g_object_ref (body);
  else
    self->bytes = g_bytes_ref (bytes);
  self->size = body ? ams_body_get_size (body) : g_bytes_get_size (bytes);
  self->limiter = limiter;
  return G_INPUT_STREAM (self);
}

guint64
ams_http_body_stream_get_taken (AmsHttpBodyStream *self)
{
  return self->offset;
}

const GError *
ams_http_body_stream_get_error (AmsHttpBodyStream *self)
{
  return self->error;
}

gboolean
ams_http_body_stream_is_throttled (AmsHttpBodyStream *self)
{
  return self->throttled;
}
