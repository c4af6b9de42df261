/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpattemptpace.h"

#include "http/amshttpattemptend.h"
#include "http/amshttpbodystream.h"

#define TICK 250 /* ms, between looks at what has moved */
/* ms; an answer to be thrown away comes in, which libsoup gathers in memory. */
#define QUICK_TICK 10
#define EXPECT_WAIT 2000 /* ms */

static gboolean
on_connect_timeout (gpointer user_data)
{
  ams_http_attempt_stop (user_data, AMS_HTTP_STOP_CONNECT_TIMEOUT);
  return G_SOURCE_REMOVE;
}

void
ams_http_attempt_limit_connecting (AmsHttpAttempt *self)
{
  guint timeout = self->shared->options->connect_timeout;

  if (timeout > 0 && self->stop == AMS_HTTP_STOP_NONE)
    ams_http_attempt_arm (self, &self->connect_timer, timeout * 1000,
        on_connect_timeout);
}

static gboolean
on_no_continue (gpointer user_data)
{
  ams_http_attempt_stop (user_data, AMS_HTTP_STOP_NO_CONTINUE);
  return G_SOURCE_REMOVE;
}

void
ams_http_attempt_limit_continue (AmsHttpAttempt *self)
{
  if (self->stop == AMS_HTTP_STOP_NONE)
    ams_http_attempt_arm (self, &self->expect_timer, EXPECT_WAIT,
        on_no_continue);
}

static guint64
count_moved (AmsHttpAttempt *self)
{
  SoupMessageMetrics *metrics = soup_message_get_metrics (self->order.message);
  guint64 received =
      soup_message_metrics_get_response_header_bytes_received (metrics) +
      soup_message_metrics_get_response_body_bytes_received (metrics);

  /* libsoup begins anew at each restart. */
  if (received < self->last_received)
    self->last_received = 0;
  self->total_received += received - self->last_received;
  self->last_received = received;
  return self->total_sent + self->total_received;
}

static gboolean
is_throttled (AmsHttpAttempt *self)
{
  if (self->phase == AMS_HTTP_PHASE_SENDING && self->body_stream)
    return ams_http_body_stream_is_throttled (
        AMS_HTTP_BODY_STREAM (self->body_stream));
  return self->answer && ams_http_answer_is_throttled (self->answer);
}

/* A server may take its time between the body and its answer, but once either
 * flows, it has to go on. */
static gboolean
should_flow (AmsHttpAttempt *self)
{
  return (self->phase == AMS_HTTP_PHASE_SENDING &&
             ams_http_attempt_has_body (self)) ||
      self->last_received > 0;
}

static gboolean
on_tick (gpointer user_data)
{
  AmsHttpAttempt *self = user_data;
  guint64 moved = count_moved (self);

  switch (ams_http_watch_look (&self->watch, moved, should_flow (self),
      is_throttled (self), g_get_monotonic_time ())) {
    case AMS_HTTP_WATCH_SILENT:
      ams_http_attempt_stop (self, AMS_HTTP_STOP_TIMEOUT);
      break;
    case AMS_HTTP_WATCH_OVERDUE:
      ams_http_attempt_stop (self, AMS_HTTP_STOP_OVERDUE);
      break;
    case AMS_HTTP_WATCH_STALLED:
      ams_http_attempt_stop (self, AMS_HTTP_STOP_STALL);
      break;
    default:
      /* libsoup gathers it in memory. */
      if (self->reply && self->last_received > 2 * AMS_HTTP_MAX_ERROR_BODY)
        ams_http_attempt_stop (self, AMS_HTTP_STOP_ANSWERED);
      break;
  }
  return self->stop == AMS_HTTP_STOP_NONE;
}

void
ams_http_attempt_begin_pace (AmsHttpAttempt *self)
{
  const AmsHttpOptions *options = self->shared->options;

  ams_http_watch_begin (&self->watch, options->timeout, options->stall_timeout,
      count_moved (self), g_get_monotonic_time ());
  ams_http_watch_expect (&self->watch, self->declared);
  ams_http_attempt_arm (self, &self->tick, TICK, on_tick);
}

void
ams_http_attempt_limit_gathering (AmsHttpAttempt *self)
{
  SoupMessageHeaders *headers = self->reply->headers;

  if (self->reply->status == SOUP_STATUS_MISDIRECTED_REQUEST)
    ams_http_attempt_stop (self, AMS_HTTP_STOP_ANSWERED);
  else if (self->reply->status != SOUP_STATUS_UNAUTHORIZED ||
      soup_message_is_feature_disabled (self->order.message,
          SOUP_TYPE_AUTH_MANAGER))
    return;
  else if (soup_message_headers_get_encoding (headers) !=
      SOUP_ENCODING_CONTENT_LENGTH)
    ams_http_attempt_arm (self, &self->tick, QUICK_TICK, on_tick);
  else if (soup_message_headers_get_content_length (headers) >
      AMS_HTTP_MAX_ERROR_BODY)
    ams_http_attempt_stop (self, AMS_HTTP_STOP_ANSWERED);
}
