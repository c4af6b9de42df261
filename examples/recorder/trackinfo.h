/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is said of one stream of a source: its codec, size or rate, and whether
 * it is recorded, how, or why not. Knows caps and no elements. Not
 * thread-safe. */

#pragma once

#include <gst/gst.h>

typedef struct _TrackInfo TrackInfo;

/* @kind: as stream_kind_name() has it.
 * @caps: (nullable): as the source announces the stream. */
TrackInfo *track_info_new (const gchar *kind, const GstCaps *caps);
void track_info_free (TrackInfo *self);
/* (transfer full) */
TrackInfo *track_info_copy (const TrackInfo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrackInfo, track_info_free)

/* @caps: as the stream is recorded. They say what the source has not. */
void track_info_add_caps (TrackInfo *self, const GstCaps *caps);
/* @codec: (nullable): encoded anew to it, such as "AAC"; NULL: as it is. */
void track_info_set_encoded (TrackInfo *self, const gchar *codec);
/* It is not recorded.
 * @wanted: it would have been, so a user has to hear of it.
 * @reason: without a full stop. */
void track_info_set_unrecorded (TrackInfo *self, gboolean wanted,
    const gchar *reason);

const gchar *track_info_get_kind (const TrackInfo *self);
/* Such as "PCMU". */
const gchar *track_info_get_codec (const TrackInfo *self);
/* (nullable): it is recorded. */
const gchar *track_info_get_reason (const TrackInfo *self);
/* It is not recorded, and should be. */
gboolean track_info_is_missed (const TrackInfo *self);

/* Such as "video H.264 1280×720, 25 frames/s" or "audio PCMU 8 kHz, mono, not
 * recorded". (transfer full) */
gchar *track_info_describe (const TrackInfo *self);
/* The fields of docs/recorder.md, for a line of JSON. (transfer full) */
GstStructure *track_info_to_structure (const TrackInfo *self);
