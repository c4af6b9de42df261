/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a store on disk records, locked against other recorders (amsrecorderlock.h). What
 * the disk cannot lock now is locked as soon as it can be. */

#pragma once

#include "transfer/amsstore.h"

G_BEGIN_DECLS

typedef struct _AmsLocalClaims AmsLocalClaims;

/* @root: the folder below which the names are */
AmsLocalClaims *ams_local_claims_new (const gchar *root);
/* Releases them. */
void ams_local_claims_free (AmsLocalClaims *self);

/* All of it or nothing; what the disk cannot take now is wanted. */
gboolean ams_local_claims_take (AmsLocalClaims *self, const AmsClaim *claim,
    GError **error);
/* FALSE: somebody else began to record while this store had no lock. */
gboolean ams_local_claims_take_wanted (AmsLocalClaims *self, GError **error);
void ams_local_claims_release (AmsLocalClaims *self);

G_END_DECLS
