/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Says each fault once, and once more when it is over, however many files and
 * attempts it strikes. A fault is a class of failure; it is over when a file has
 * succeeded and none is left that failed that way. Pure, not thread-safe. */

#pragma once

#include "transfer/amsretry.h"

G_BEGIN_DECLS

typedef struct _AmsFaults AmsFaults;

AmsFaults *ams_faults_new (void);
void ams_faults_free (AmsFaults *faults);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsFaults, ams_faults_free)

/* TRUE: @error is news. */
gboolean ams_faults_add (AmsFaults *faults, const gchar *name,
    AmsFailure failure, const GError *error);
/* @name is no longer of interest (given up, dropped). */
void ams_faults_forget (AmsFaults *faults, const gchar *name);
/* @name has succeeded. Returns one fault that is over by that, as the error it
 * was said with; call again until NULL. (transfer full) (nullable) */
GError *ams_faults_clear (AmsFaults *faults, const gchar *name);

G_END_DECLS
