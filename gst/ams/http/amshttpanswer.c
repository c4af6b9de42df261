/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpanswer.h"

#include "files/amsgather.h"

#define READ_SIZE (16 * 1024)

struct _AmsHttpAnswer
{
  AmsHttpReply *reply;
  GInputStream *stream;
  AmsHttpLimiter *limiter;
  gboolean is_head;
  gsize max_reply;
  AmsHttpSink sink;
  gpointer sink_data;

  GCancellable *cancellable;
  AmsHttpAnswerDone done;
  gpointer done_data;
  AmsGather *kept;
  guint64 read;
  GSource *timer; /* until the limiter lets more come */
  guint8 *buffer; /* READ_SIZE */
};

gboolean
ams_http_answer_is_wanted (AmsHttpAnswer *self)
{
  return SOUP_STATUS_IS_SUCCESSFUL (self->reply->status) &&
      (self->sink || self->max_reply > 0);
}

static void
disarm (AmsHttpAnswer *self)
{
  if (self->timer)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static void
finish (AmsHttpAnswer *self, AmsHttpAnswerEnd end, const GError *error)
{
  self->done (end, error, self->done_data);
}

/* libsoup takes an answer that is too short for whole if the connection was to be
 * closed after it. */
static gboolean
is_cut_short (AmsHttpAnswer *self)
{
  SoupMessageHeaders *headers = self->reply->headers;

  return ams_http_answer_is_wanted (self) && !self->is_head &&
      self->reply->status != SOUP_STATUS_NO_CONTENT &&
      soup_message_headers_get_encoding (headers) ==
      SOUP_ENCODING_CONTENT_LENGTH &&
      self->read < (guint64) soup_message_headers_get_content_length (headers);
}

static void
finish_at_end (AmsHttpAnswer *self)
{
  g_autoptr (GError) error = NULL;

  if (is_cut_short (self))
    error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
        "The answer is too short");
  finish (self, error ? AMS_HTTP_ANSWER_FAILED : AMS_HTTP_ANSWER_WHOLE, error);
}

static void
keep (AmsHttpAnswer *self, gsize size, gsize limit)
{
  if (!self->kept)
    self->kept = ams_gather_new (NULL);
  ams_gather_add (self->kept, self->buffer,
      MIN (size, limit - ams_gather_get_size (self->kept)));
}

/* FALSE: that was enough. */
static gboolean
take (AmsHttpAnswer *self, gsize size)
{
  self->read += size;
  if (ams_http_answer_is_wanted (self) && self->sink)
    return self->sink (self->buffer, size, self->sink_data);
  if (ams_http_answer_is_wanted (self)) {
    keep (self, size, self->max_reply);
    return self->read <= self->max_reply;
  }
  if (!SOUP_STATUS_IS_SUCCESSFUL (self->reply->status))
    keep (self, size, AMS_HTTP_MAX_ERROR_BODY);
  return self->read <= AMS_HTTP_MAX_ERROR_BODY;
}

static void read_next (AmsHttpAnswer *self);

static gboolean
on_timer (gpointer user_data)
{
  AmsHttpAnswer *self = user_data;

  disarm (self);
  read_next (self);
  return G_SOURCE_REMOVE;
}

static void
read_later (AmsHttpAnswer *self, gsize size)
{
  gint64 now = g_get_monotonic_time (), delay;

  ams_http_limiter_spend (self->limiter, size, now);
  delay = ams_http_limiter_delay (self->limiter, now);
  if (delay == 0) {
    read_next (self);
    return;
  }
  self->timer = g_timeout_source_new (0);
  g_source_set_ready_time (self->timer, now + delay);
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  AmsHttpAnswer *self = user_data;
  g_autoptr (GError) error = NULL;
  gssize size =
      g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (size < 0)
    finish (self, AMS_HTTP_ANSWER_FAILED, error);
  else if (size == 0)
    finish_at_end (self);
  else if (take (self, size))
    read_later (self, size);
  else if (ams_http_answer_is_wanted (self) && !self->sink)
    finish (self, AMS_HTTP_ANSWER_TOO_LARGE, NULL);
  else
    finish (self, AMS_HTTP_ANSWER_ENOUGH, NULL);
}

static void
read_next (AmsHttpAnswer *self)
{
  gsize size =
      ams_http_limiter_clip (self->limiter, READ_SIZE, g_get_monotonic_time ());

  g_input_stream_read_async (self->stream, self->buffer, size,
      G_PRIORITY_DEFAULT, self->cancellable, on_read, self);
}

void
ams_http_answer_read (AmsHttpAnswer *self, GCancellable *cancellable,
    AmsHttpAnswerDone done, gpointer user_data)
{
  self->cancellable = cancellable;
  self->done = done;
  self->done_data = user_data;
  read_next (self);
}

gboolean
ams_http_answer_is_throttled (AmsHttpAnswer *self)
{
  return self->timer != NULL;
}

void
ams_http_answer_hurry (AmsHttpAnswer *self)
{
  if (self->timer)
    g_source_set_ready_time (self->timer, 0);
}

void
ams_http_answer_close (AmsHttpAnswer *self)
{
  g_input_stream_close (self->stream, NULL, NULL);
}

AmsHttpReply *
ams_http_answer_steal_reply (AmsHttpAnswer *self)
{
  gint errnum;

  if (self->kept)
    self->reply->body =
        ams_gather_free_to_bytes (g_steal_pointer (&self->kept), &errnum);
  return g_steal_pointer (&self->reply);
}

AmsHttpAnswer *
ams_http_answer_new (AmsHttpReply *reply, GInputStream *stream,
    gboolean is_head, AmsHttpLimiter *limiter)
{
  AmsHttpAnswer *self = g_new (AmsHttpAnswer, 1);

  *self = (AmsHttpAnswer){ .reply = reply,
    .stream = stream,
    .is_head = is_head,
    .limiter = limiter,
    .buffer = g_malloc (READ_SIZE) };
  return self;
}

void
ams_http_answer_want (AmsHttpAnswer *self, gsize max_reply, AmsHttpSink sink,
    gpointer user_data)
{
  self->max_reply = max_reply;
  self->sink = sink;
  self->sink_data = user_data;
}

void
ams_http_answer_free (AmsHttpAnswer *self)
{
  disarm (self);
  g_clear_pointer (&self->reply, ams_http_reply_free);
  g_clear_object (&self->stream);
  g_clear_pointer (&self->kept, ams_gather_free);
  g_free (self->buffer);
  g_free (self);
}
