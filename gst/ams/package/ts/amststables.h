/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The tables of an MPEG transport stream with one program (ISO 13818-1, 2.4.4):
 * PAT and PMT, and which stream type stands for which codec. Pure, no GStreamer. */

#pragma once

#include <glib.h>

#include "media/amstrack.h"

G_BEGIN_DECLS

/* The section must fit into one packet: some players read no further. */
#define AMS_TS_MAX_SECTION 183

#define AMS_TS_PAT_PID 0x0000
#define AMS_TS_PMT_PID 0x1000
/* The PID of a track is this and its id. */
#define AMS_TS_FIRST_PID 0x0041

typedef struct
{
  guint8 data[AMS_TS_MAX_SECTION];
  gsize size;
} AmsTsSection;

/* Whether MPEG-TS can carry @track at all; else @error says what to do. */
gboolean ams_ts_check_track (const AmsTrack *track, GError **error);

/* The stream_id of its PES packets. */
guint8 ams_ts_get_stream_id (AmsCodec codec);

/* @version: 0 … 31, another one when the contents are others. */
void ams_ts_make_pat (AmsTsSection *section, guint version);

/* @tracks: (element-type AmsTrack), in the order in which they are listed.
 * @clock_id: the track that carries the PCR. FALSE: they do not fit. */
gboolean ams_ts_make_pmt (AmsTsSection *section, guint version,
    GPtrArray *tracks, guint clock_id, GError **error);

G_END_DECLS
