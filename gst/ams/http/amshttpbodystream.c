/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpbodystream.h"

#include "transfer/amsstore.h"

#include <string.h>

/* libsoup takes 8 KiB at a time, with GLib 2.90 256 KiB. What has to be read from a
 * file is read ahead. */
#define READ_AHEAD (64 * 1024)

struct _AmsHttpBodyStream
{
  GInputStream parent;

  AmsBody *body;
  GBytes *bytes;
  AmsHttpLimiter *limiter;
  guint64 size;
  guint64 offset;
  const guint8 *ahead; /* what follows @offset */
  gsize n_ahead;
  guint8 *block; /* (nullable) where @ahead is if it had to be read */
  GAsyncResult *answer; /* the same for each read: only one is under way */
  gboolean throttled;
  GError *error;
};

static void ams_http_body_stream_pollable_init (
    GPollableInputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmsHttpBodyStream, ams_http_body_stream,
    G_TYPE_INPUT_STREAM,
    G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
        ams_http_body_stream_pollable_init))

/* What read_async() says within the call, where a GTask for each 8 KiB costs more
 * than the copy. */
#define AMS_TYPE_HTTP_BODY_ANSWER (ams_http_body_answer_get_type ())
G_DECLARE_FINAL_TYPE (AmsHttpBodyAnswer, ams_http_body_answer, AMS,
    HTTP_BODY_ANSWER, GObject)

struct _AmsHttpBodyAnswer
{
  GObject parent;

  GObject *source; /* not owned: it has this */
  gssize got;
};

static void ams_http_body_answer_result_init (GAsyncResultIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmsHttpBodyAnswer, ams_http_body_answer,
    G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_RESULT,
        ams_http_body_answer_result_init))

static GObject *
ams_http_body_answer_get_source_object (GAsyncResult *result)
{
  GObject *source = AMS_HTTP_BODY_ANSWER (result)->source;

  return source ? g_object_ref (source) : NULL;
}

static void
ams_http_body_answer_result_init (GAsyncResultIface *iface)
{
  iface->get_source_object = ams_http_body_answer_get_source_object;
}

static void
ams_http_body_answer_class_init (AmsHttpBodyAnswerClass *klass)
{
}

static void
ams_http_body_answer_init (AmsHttpBodyAnswer *self)
{
}

/* Reading */

static gboolean
read_block (AmsHttpBodyStream *self)
{
  gssize got;

  if (!self->block)
    self->block = g_malloc (MIN (READ_AHEAD, self->size));
  got = ams_body_read (self->body, self->offset, self->block,
      MIN (READ_AHEAD, self->size - self->offset), &self->error);
  if (got == 0)
    self->error = ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
        "the file ends after %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
        " bytes; somebody else has shortened it",
        self->offset, self->size);
  self->ahead = self->block;
  self->n_ahead = MAX (got, 0);
  return got > 0;
}

/* What is in memory is taken from where it is, and looked for each time: it may be
 * let go meanwhile. */
static gboolean
look_ahead (AmsHttpBodyStream *self)
{
  if (self->bytes && self->offset == 0)
    self->ahead = g_bytes_get_data (self->bytes, &self->n_ahead);
  else if (self->body && AMS_IS_MEMORY_BODY (self->body))
    self->ahead = ams_memory_body_peek (AMS_MEMORY_BODY (self->body),
        self->offset, &self->n_ahead);
  return self->n_ahead > 0 || read_block (self);
}

static gssize
take (AmsHttpBodyStream *self, guint8 *buffer, gsize size, GError **error)
{
  gint64 now = g_get_monotonic_time ();

  if (self->offset == self->size || size == 0)
    return 0;
  if (self->error || !look_ahead (self)) {
    if (error)
      *error = g_error_copy (self->error);
    return -1;
  }
  size = MIN (size, self->n_ahead);
  size = ams_http_limiter_clip (self->limiter, size, now);
  memcpy (buffer, self->ahead, size);
  self->ahead += size;
  self->n_ahead -= size;
  self->offset += size;
  ams_http_limiter_spend (self->limiter, size, now);
  return size;
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
  gssize got;

  self->throttled = delay_of (self) > 0;
  got = self->throttled || self->error ? -1 : take (self, buffer, size, NULL);
  if (got < 0) {
    G_INPUT_STREAM_CLASS (ams_http_body_stream_parent_class)
        ->read_async (stream, buffer, size, priority, cancellable, callback,
            user_data);
    return;
  }
  /* Answering within the call, which a splice can take, saves a round of the main
   * loop for each read. */
  AMS_HTTP_BODY_ANSWER (self->answer)->got = got;
  callback (G_OBJECT (stream), self->answer, user_data);
}

static gssize
ams_http_body_stream_read_finish (GInputStream *stream, GAsyncResult *result,
    GError **error)
{
  if (result == AMS_HTTP_BODY_STREAM (stream)->answer)
    return AMS_HTTP_BODY_ANSWER (result)->got;
  return G_INPUT_STREAM_CLASS (ams_http_body_stream_parent_class)
      ->read_finish (stream, result, error);
}

/* The object */

static void
ams_http_body_stream_finalize (GObject *object)
{
  AmsHttpBodyStream *self = AMS_HTTP_BODY_STREAM (object);

  if (self->body)
    ams_body_rest (self->body);
  g_clear_object (&self->body);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_clear_error (&self->error);
  AMS_HTTP_BODY_ANSWER (self->answer)->source = NULL;
  g_clear_object (&self->answer);
  g_free (self->block);
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
  self->answer = g_object_new (AMS_TYPE_HTTP_BODY_ANSWER, NULL);
  AMS_HTTP_BODY_ANSWER (self->answer)->source = G_OBJECT (self);
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
