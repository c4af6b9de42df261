/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads as much of an answer's body as is wanted: a 2xx answer's for the sink or up
 * to max_reply; of another's, the beginning; and what nobody wants, as far as that
 * is cheaper than a new connection. */

#pragma once

#include "http/amshttplimiter.h"
#include "http/amshttpmessage.h"

G_BEGIN_DECLS

typedef struct _AmsHttpAnswer AmsHttpAnswer;

typedef enum
{
  AMS_HTTP_ANSWER_WHOLE,
  AMS_HTTP_ANSWER_ENOUGH, /* there is more, which is not wanted */
  AMS_HTTP_ANSWER_TOO_LARGE, /* more than max_reply */
  AMS_HTTP_ANSWER_FAILED,
} AmsHttpAnswerEnd;

/* @error: only with FAILED. May free the answer. */
typedef void (*AmsHttpAnswerDone) (AmsHttpAnswerEnd end, const GError *error,
    gpointer user_data);

/* Takes @reply and @stream; @limiter outlives it. */
AmsHttpAnswer *ams_http_answer_new (AmsHttpReply *reply, GInputStream *stream,
    gboolean is_head, AmsHttpLimiter *limiter);
/* Before read(), and none: nothing of a 2xx answer is wanted. */
void ams_http_answer_want (AmsHttpAnswer *answer, gsize max_reply,
    AmsHttpSink sink, gpointer user_data);
void ams_http_answer_read (AmsHttpAnswer *answer, GCancellable *cancellable,
    AmsHttpAnswerDone done, gpointer user_data);
/* It waits for the limiter; hurry() ends that, to find that it was cancelled. */
gboolean ams_http_answer_is_throttled (AmsHttpAnswer *answer);
void ams_http_answer_hurry (AmsHttpAnswer *answer);
/* In done. If the end is not WHOLE, the connection goes with it. */
void ams_http_answer_close (AmsHttpAnswer *answer);
/* A 2xx answer whose body matters. */
gboolean ams_http_answer_is_wanted (AmsHttpAnswer *answer);
/* With what was read. (transfer full) */
AmsHttpReply *ams_http_answer_steal_reply (AmsHttpAnswer *answer);
void ams_http_answer_free (AmsHttpAnswer *answer);

G_END_DECLS
