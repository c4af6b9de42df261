/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One attempt to put a file: what its steps (amshttpput.c) and those of the guard of
 * playlists (amshttpputguard.c) share. Internal to the store. */

#pragma once

#include "http/amshttpplace.h"
#include "http/amslistcondition.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

typedef struct
{
  AmsHttpPlace *place;
  const AmsPut *put;
  AmsBody *sent; /* the put's, or its gzip */
  AmsBody *plain; /* (nullable) the put's, if its gzip is sent */
  gchar *digest; /* (nullable) */
  GPtrArray *headers; /* name, value, …, NULL */
  AmsHttpRequest request;
  gboolean is_protected; /* what is there is not replaced */
  gboolean is_guarded; /* what another recorder has put there is not replaced */
  AmsListCondition condition; /* of a guarded PUT */
  gboolean asked; /* there was nothing there */
  gboolean refused_condition; /* perhaps; the PUT without it will tell */
  gboolean made_folders;
  guint status; /* of the success */
  gchar *etag; /* (nullable) of the success */
  gboolean found_same; /* it was there already */
  GError *folder_error; /* (nullable) */
} AmsHttpPutJob;

/* @task's data is an AmsHttpPutJob, in all of these. */

/* amshttpput.c */
void ams_http_put_send (GTask *task);
void ams_http_put_finish_stored (GTask *task);

/* amshttpputguard.c */

/* Sends a playlist on a condition, or looks at what is there first. */
void ams_http_put_guarded (GTask *task);
void ams_http_put_add_condition (AmsHttpPutJob *job);
/* TRUE: @reply was about the condition, and @task goes on. */
gboolean ams_http_put_take_guarded (GTask *task, const AmsHttpReply *reply);
gboolean ams_http_put_names_condition (const AmsHttpReply *reply);

G_END_DECLS
