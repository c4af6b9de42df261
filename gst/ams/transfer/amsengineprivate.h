/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Within the engine: what the streaming thread hands over, and its life
 * (amsengine.c), waiting and questions (amsengineask.c), and what is done in its
 * thread (amsenginerun.c). */

#pragma once

#include "transfer/amsengine.h"
#include "transfer/amsquestion.h"
#include "transfer/amsqueue.h"
#include "workers/amscontext.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean open; /* upstream has begun a file and not ended it */
  AmsFileRole role; /* of that */
  gboolean skipping; /* the rest of it is not wanted any more */
} AmsEngineLane;

struct _AmsEngine
{
  GObject parent;

  /* Set before the thread starts. */
  AmsStore *store;
  AmsDeliveryConfig config;
  AmsDeliveryCallbacks callbacks;
  gpointer user_data;
  GDestroyNotify destroy;
  GMainContext *context;
  AmsContext
      *shared; /* that of the context; NULL: it has a thread of its own */
  GCancellable *cancellable; /* of everything; cancelled by stop() */

  /* Of who starts and stops. */
  gboolean running;
  GThread *thread; /* its own; NULL: there is none */

  /* The engine's thread only: its own, or whichever runs its context. */
  AmsDelivery *delivery;
  gint64 cancel_deadline; /* what was cancelled is not waited for; 0: not yet */
  gboolean over; /* the thread is to end */
  guint asked; /* fetches and lists that the store has not answered */
  AmsQuestionMemory memory;
  gboolean releases; /* claims, when nothing is left to do */

  /* Guards all below. No other lock is taken while it is held but those of the
   * context, and nothing is called back. An element may hold its own. */
  GMutex lock;
  GCond changed; /* anything that somebody waits for below */
  guint waiting; /* for it, threads */
  guint64 wanted; /* room that somebody waits for; 0: nobody does */
  GSource *work; /* NULL once the thread is gone */
  gint64 work_time; /* when it is to be dispatched, monotonic; 0: at once */
  gint64 turned; /* when it was last */
  AmsQueue queue;
  gboolean handling; /* commands: the stats do not have them yet */
  guint64 handled_bytes; /* of the command that is being handled */
  guint64 held_bytes; /* in bodies */
  guint64 open_held; /* of them, of the files open in the delivery */
  gboolean open_drains;
  GArray *lanes; /* AmsEngineLane */
  guint lane; /* of them: what upstream says now is about that one's file */
  gboolean patient; /* see ams_engine_set_patient() */
  gboolean flushing;
  gboolean stopping;
  gboolean exited;
  gboolean detached; /* stop() did not wait for the thread: no callbacks */
  gboolean settled; /* as of when commands was empty last */
  gboolean probed; /* the store has been tried, or is not to be */
  AmsDeliveryStats stats;
};

/* amsengine.c */

/* Has the engine's thread run at once. */
void ams_engine_wake_locked (AmsEngine *engine);
/* (transfer full) command */
AmsEngineResult ams_engine_push_locked (AmsEngine *engine, AmsCommand *command);

/* For @size bytes more. */
gboolean ams_engine_has_room_locked (AmsEngine *engine, guint64 size);

/* amsengineask.c */

/* To whoever waits: something below the lock has changed. */
void ams_engine_tell_locked (AmsEngine *engine);
/* @deadline: monotonic; < 0: there is none. FALSE: it is past. */
gboolean ams_engine_wait_locked (AmsEngine *engine, gint64 deadline);
/* In the engine's thread. The command's reference is the answer's from here on. */
void ams_engine_answer (AmsEngine *engine, AmsCommand *command);

G_END_DECLS
