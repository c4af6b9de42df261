/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The few threads of the process that do the work of all recordings. Each piece
 * of work is run by one thread at a time, whichever is free, again and again until
 * it says that it has ended.
 *
 * Work may hang in the kernel, as a file system of the network does. When all
 * threads have been busy for a moment another one is started, up to one for each
 * piece of work, so that nothing that hangs holds up anything else; threads that
 * are too many end when they have nothing to do. The first piece of work starts
 * the threads, and all end with the last one. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* As a time: never. */
#define AMS_WORK_NEVER G_MAXINT64

typedef struct _AmsWork AmsWork;

/* One for each kind of work. All are called without a lock held, but for wake(). */
typedef struct
{
  /* Does what is to be done; also called without need. Returns when to be called
   * again (monotonic µs, 0: as soon as all others had their turn), whether or not
   * the file descriptor becomes readable before. What ams_workers_run_at() said
   * before the call is forgotten. */
  gint64 (*run) (AmsWork *work);
  /* Makes the file descriptor readable. Must not block. */
  void (*wake) (AmsWork *work);
  /* The work has ended: no thread is in run(), nor will be. Frees it. */
  void (*ended) (AmsWork *work);
} AmsWorkKind;

/* A piece of work, as the first member of the structure of its kind. */
struct _AmsWork
{
  const AmsWorkKind *kind;
  gint fd; /* run() is called when it is readable, and makes it unreadable */

  /* Of the workers, under their lock. */
  gint64 time; /* when to be run */
  gboolean quits;
};

/* FALSE: there are no threads, and none can be started. */
gboolean ams_workers_add (AmsWork *work, GError **error);
/* Has @work run at @time (monotonic µs) at the latest, without waking a thread
 * before. From any thread while the work has not ended. */
void ams_workers_run_at (AmsWork *work, gint64 time);
/* From run() only: this is its last one. */
void ams_workers_quit (AmsWork *work);

G_END_DECLS
