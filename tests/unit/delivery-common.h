/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An engine in front of a store that does as it is told, for tests. */

#pragma once

#include "transfer/amsengine.h"

#include "amsfakestore.h"

#define S G_TIME_SPAN_SECOND

typedef struct
{
  AmsFakeStore *store;
  AmsLog *ops; /* the store's */
  AmsLog *said; /* what the engine called back */
  AmsDeliveryConfig config;
  AmsEngine *engine;
  gchar *folder; /* for files that upstream writes, and for a spool */
} Fixture;

/* max-queue-bytes is 1000, and four go in parallel; nothing waits to be tried again. */
void set_up (Fixture *f, gconstpointer policy);
void tear_down (Fixture *f, gconstpointer policy);
void start (Fixture *f);
/* Ends the engine, if there is one, as an element does that is stopped. */
void stop (Fixture *f);

AmsEngineResult put_data (Fixture *f, const gchar *text);
void put_file (Fixture *f, const AmsFileBegin *begin, const gchar *text);
void put (Fixture *f, const gchar *name, const gchar *text);
void put_playlist (Fixture *f, guint64 version, const gchar *text);
void put_final (Fixture *f, guint64 version, const gchar *text);
void notify (Fixture *f, const gchar *text);

/* All that was handed over has been handled, and what may begin has begun. */
#define settle(f) ams_engine_settle_commands ((f)->engine, -1)
void drain (Fixture *f);
void assert_stored (Fixture *f, const gchar *name, const gchar *text);
void assert_order (Fixture *f, const gchar *earlier, const gchar *later);
AmsDeliveryStats get_stats (Fixture *f);

/* Of a file in the fixture's folder. (transfer full) */
gchar *path_of (Fixture *f, const gchar *name);
