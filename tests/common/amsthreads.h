/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The threads of this process, for tests of how many there are and what they cost. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whose names begin with @prefix. */
guint ams_threads_count (const gchar *prefix);
/* How often those went to sleep. */
guint64 ams_threads_count_sleeps (const gchar *prefix);
/* Until there are @least to @most of them: threads begin and end by themselves, and say
 * nothing. Fails after a minute. */
void ams_threads_wait (const gchar *prefix, guint least, guint most);

G_END_DECLS
