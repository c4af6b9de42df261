/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an earlier session left in the spool's folder is made to agree with its
 * journal. */

#pragma once

#include "transfer/spool/amsspoolfolder.h"
#include "transfer/spool/amsspoolindex.h"
#include "transfer/spool/amsspoollog.h"

G_BEGIN_DECLS

/* Fills @index. What needs to be said is added to the folder's notice. */
AmsSpoolLog *ams_spool_resume (AmsSpoolFolder *folder, AmsSpoolIndex *index,
    GError **error);

G_END_DECLS
