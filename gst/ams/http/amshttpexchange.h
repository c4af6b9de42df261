/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One exchange: as many attempts as its redirects, a server that knows no Expect, or
 * one that answers 417 or 421 make of it. */

#pragma once

#include "http/amshttpattempt.h"
#include "http/amshttplocation.h"

G_BEGIN_DECLS

/* What a client has learned of the servers it talks to. */
typedef struct
{
  AmsHttpMoves *moves; /* 308 */
  GHashTable *silent; /* origins that do not answer Expect with 100 */
  GHashTable *proven; /* origins whose last answer was to take a large body */
  GHashTable *reaches; /* origins → AmsHttpReach, where that is not elsewhere */
} AmsHttpMemory;

void ams_http_memory_init (AmsHttpMemory *memory);
void ams_http_memory_clear (AmsHttpMemory *memory);

typedef struct _AmsHttpExchange AmsHttpExchange;

/* One of @reply and @error, (transfer full). Frees the exchange. */
typedef void (*AmsHttpExchangeDone) (AmsHttpReply *reply, GError *error,
    gpointer user_data);

/* @shared, @memory and @request outlive it. */
AmsHttpExchange *ams_http_exchange_new (AmsHttpShared *shared,
    AmsHttpMemory *memory, const AmsHttpRequest *request,
    AmsHttpExchangeDone done, gpointer user_data);
void ams_http_exchange_start (AmsHttpExchange *exchange);
/* @done comes soon, with G_IO_ERROR_CANCELLED; perhaps within this call. */
void ams_http_exchange_cancel (AmsHttpExchange *exchange);
void ams_http_exchange_free (AmsHttpExchange *exchange);

G_END_DECLS
