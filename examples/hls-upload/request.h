/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A request that is under way, and how it is answered. Internal to the server. */

#pragma once

#include "servertypes.h"

G_BEGIN_DECLS

/* Of the client's address, which each message on the connection has. */
#define HLS_UPLOAD_CONNECTION_KEY "hls-upload-connection"

typedef struct _HlsUploadRequest HlsUploadRequest;

/* Belongs to its message. */
struct _HlsUploadRequest
{
  HlsUploadServer *server;
  SoupServerMessage *message; /* not owned */
  GSource *timeout;
  gchar *name; /* NULL: not accepted */
  gboolean conditional;
  HlsUploadTask *task; /* (nullable) a body that is coming, or its delivery */
  gboolean handed_over;
  /* Is paused, for what the queue or the store says; owns a reference to the message. */
  gboolean waits;
  gboolean closing;
  GCancellable *cancellable; /* of reading */

  /* Of an object that goes in pieces */
  guint64 next, end; /* what is to come of it still */
  guint64 size; /* of the whole */
  gchar *etag; /* (nullable) */
  AmsBody *spooled; /* (nullable) it is read from there */
};

/* (transfer none) */
HlsUploadRequest *hls_upload_request_new (HlsUploadServer *server,
    SoupServerMessage *message);
/* It is answered, or its client is gone. */
void hls_upload_request_end (HlsUploadRequest *request);
/* (nullable) */
HlsUploadRequest *hls_upload_request_of (SoupServerMessage *message);
HlsUploadConnection *hls_upload_request_get_connection (
    HlsUploadRequest *request);

/* Something of it has come: its time begins. */
void hls_upload_request_begin (HlsUploadRequest *request);
/* Anew: for each piece of what is sent. */
void hls_upload_request_start_timeout (HlsUploadRequest *request);

/* For what the queue or the store says; and that has come. */
void hls_upload_request_wait (HlsUploadRequest *request);
void hls_upload_request_go_on (HlsUploadRequest *request);
/* Of what is not handed over nothing is left; what is goes on without a listener. */
void hls_upload_request_let_go (HlsUploadRequest *request);

/* Before each answer that these do not give. */
void hls_upload_request_begin_answer (HlsUploadRequest *request);
/* When nothing of the request is to come any more. */
void hls_upload_request_answer_error (HlsUploadRequest *request,
    const GError *error);
/* What is still to come cannot be told from the next request: so the connection ends with it. */
void hls_upload_request_cut_off (HlsUploadRequest *request, guint status,
    const gchar *sentence);
/* In the middle of an answer: its client sees that it is not whole. */
void hls_upload_request_break_off (HlsUploadRequest *request);

G_END_DECLS
