/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of an attempt share: its state, its timers, its turn at libsoup and the
 * body that it sends. For amshttpattempt.c and the other amshttpattempt*.c only. */

#pragma once

#include "http/amshttpanswer.h"
#include "http/amshttpattempttypes.h"
#include "http/amshttperror.h"
#include "http/amshttpwatch.h"

G_BEGIN_DECLS

/* Why an attempt was stopped from within. */
typedef enum
{
  AMS_HTTP_STOP_NONE,
  AMS_HTTP_STOP_CANCELLED,
  AMS_HTTP_STOP_CONNECT_TIMEOUT,
  AMS_HTTP_STOP_TIMEOUT,
  AMS_HTTP_STOP_STALL,
  AMS_HTTP_STOP_OVERDUE,
  AMS_HTTP_STOP_NO_CONTINUE,
  AMS_HTTP_STOP_BODY, /* it cannot be read */
  AMS_HTTP_STOP_RESTARTS,
  AMS_HTTP_STOP_ANSWERED, /* the status is all that is wanted */
  AMS_HTTP_STOP_LOCAL, /* who has redirected here must not */
} AmsHttpStop;

struct _AmsHttpAttempt
{
  AmsHttpShared *shared;
  AmsHttpOrder order;
  AmsHttpAttemptDone done;
  gpointer done_data;

  GCancellable *cancellable;
  AmsHttpStop stop;
  AmsHttpPhase phase;
  AmsHttpReach reach; /* how the server was reached */
  gboolean launched;
  gboolean connecting; /* is counted in shared->connecting */
  GTlsCertificateFlags certificate_faults;
  guint restarts;

  /* The request's body, since the last (re)start */
  GInputStream *body_stream;
  guint64 declared;
  guint64 sent;
  gboolean sent_whole; /* also before a restart */

  AmsHttpReply *reply; /* without the body, until @answer has it */
  AmsHttpAnswer *answer;

  GSource *connect_timer, *expect_timer, *tick;
  AmsHttpWatch watch;
  guint64 total_sent, total_received, last_received;
};

/* @timer: one of @self's. */
void ams_http_attempt_arm (AmsHttpAttempt *self, GSource **timer, guint ms,
    GSourceFunc callback);
void ams_http_attempt_disarm (GSource **timer);
void ams_http_attempt_disarm_all (AmsHttpAttempt *self);

/* It is known which connection the attempt has. */
void ams_http_attempt_end_turn (AmsHttpAttempt *self);
void ams_http_attempt_set_connecting (AmsHttpAttempt *self,
    gboolean connecting);
/* The socket, so that closing the connection does not block. */
void ams_http_attempt_shut_down (AmsHttpAttempt *self);

gboolean ams_http_attempt_has_body (AmsHttpAttempt *self);
/* Gives the message its body, from its first byte. */
void ams_http_attempt_set_body (AmsHttpAttempt *self);
/* Why the body could not be read. (nullable) (transfer full) */
GError *ams_http_attempt_dup_body_error (AmsHttpAttempt *self);

G_END_DECLS
