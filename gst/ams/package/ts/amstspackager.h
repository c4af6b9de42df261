/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The packager for MPEG-TS segments (RFC 8216, 3.2): PAT and PMT, then one PES
 * packet per picture, and several frames of audio in one PES packet. Counters
 * and time stamps go on from segment to segment. Pure, no GStreamer. */

#pragma once

#include "package/amspackager.h"

G_BEGIN_DECLS

#define AMS_TYPE_TS_PACKAGER (ams_ts_packager_get_type ())
G_DECLARE_FINAL_TYPE (AmsTsPackager, ams_ts_packager, AMS, TS_PACKAGER, GObject)

/* A block of @AmsBlocks for this packager must hold whole packets. */
#define AMS_TS_BLOCK_SIZE AMS_BLOCKS_SIZE

/* ns: what time 0 of the recording is in time stamps. */
#define AMS_TS_TIME_BASE (10 * G_GINT64_CONSTANT (1000000000))

AmsPackager *ams_ts_packager_new (void);

G_END_DECLS
