/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A GMainContext that the process's few threads (amsworkers.h) run, as a thread of
 * its own would: one thread at a time, which owns it and has it as its default.
 * Its sources wait for times and wake-ups, not for file descriptors. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _AmsContext AmsContext;

AmsContext *ams_context_new (void);
/* What is started is freed when it has ended. */
void ams_context_unref (AmsContext *context);
/* (transfer none) */
GMainContext *ams_context_get_main (AmsContext *context);

/* Once. @destroy is called with @data when it has ended and no thread runs it any
 * more. FALSE: there is no thread for it, and @destroy is not called. */
gboolean ams_context_start (AmsContext *context, gpointer data,
    GDestroyNotify destroy, GError **error);
/* Has the sources looked at by @time (monotonic µs), but wakes no thread before,
 * as g_main_context_wakeup() does. A source that this is for says the same time in
 * prepare(). From any thread, before ams_context_quit(). */
void ams_context_run_at (AmsContext *context, gint64 time);
/* From one of its sources: no other one is dispatched. */
void ams_context_quit (AmsContext *context);
/* Waits until @destroy has returned. */
void ams_context_join (AmsContext *context);

G_END_DECLS
