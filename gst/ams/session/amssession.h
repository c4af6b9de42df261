/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A recording session: access units of all tracks in, the files of segments out.
 * Brings the tracks onto one time line, into the order of their decoding times,
 * and decides where segments begin. It waits by holding units, never by
 * blocking. Pure, no GStreamer, not thread-safe, and no clock of its own: what
 * happens depends on what is put in only.
 *
 * After each call, what is to be done is taken with ams_session_next() until
 * there is nothing left. */

#pragma once

#include "media/amstrack.h"
#include "package/amspackager.h"
#include "session/amssessiontypes.h"

G_BEGIN_DECLS

typedef struct _AmsSession AmsSession;

/* @story: (nullable) */
AmsSession *ams_session_new (const AmsSessionSettings *settings,
    const AmsStory *story);
void ams_session_free (AmsSession *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsSession, ams_session_free)

/* ---- lanes and tracks ---- */

/* Files of their own for tracks of their own: a rendition. All lanes are cut
 * together.
 * @packager: (transfer full)
 * @block_size: bytes that go out at once
 * Returns: its index, which counts up from 0. */
guint ams_session_add_lane (AmsSession *self, AmsPackager *packager,
    gsize block_size);

/* Instead of a lane's index: the files of all lanes have the track. */
#define AMS_SESSION_ALL_LANES G_MAXUINT

/* A track more, also while recording: it then joins at the next cut.
 * @lane: whose files it goes into; AMS_SESSION_ALL_LANES: only sound
 * Returns: its id, which counts up from 0. */
guint ams_session_add_track (AmsSession *self, AmsTrackKind kind, guint lane);
/* What its units are from here on. @track: its id is not looked at. @over: a
 * decoder of what was before must be set up anew. FALSE, and @error: it cannot
 * be packaged. */
gboolean ams_session_set_track (AmsSession *self, guint id,
    const AmsTrack *track, gboolean over, GError **error);
/* The next unit of the track. Takes @input->payload. */
void ams_session_take (AmsSession *self, guint id, AmsSessionInput *input);
/* There is nothing on the track up to running time @end. */
void ams_session_take_gap (AmsSession *self, guint id, gint64 end,
    gint64 arrival);
/* What comes next on the track does not follow on what was (a flush). */
void ams_session_expect_jump (AmsSession *self, guint id);
/* Nothing more will come on the track, and what has come is recorded. */
void ams_session_end_track (AmsSession *self, guint id);
/* Likewise, and it need not be waited for even before the start. */
void ams_session_remove_track (AmsSession *self, guint id);

/* ---- the recording ---- */

/* The answer to AMS_ACTION_START. @target: ns, what segments are held to from
 * here on. @time: ns, where on the packager's time line the first unit is to be;
 * AMS_TIME_NONE: at its beginning. */
void ams_session_started (AmsSession *self, gint64 target, gint64 time);
/* Whether the stores take over what is carried from one file to the next
 * (AmsAction.carried). Otherwise such bytes are kept, and written again. When that
 * changes, a candidate is forgotten: its bytes are in one place only. */
void ams_session_set_carries (AmsSession *self, gboolean carries);
/* The start has failed: there is no recording. */
void ams_session_fail (AmsSession *self);
/* The next keyframe begins a segment; without video the next frame. */
void ams_session_split_now (AmsSession *self);
/* All tracks end. */
void ams_session_finish (AmsSession *self);
/* Time goes by. @now: monotonic clock, ns. To be called a few times a second. */
void ams_session_tick (AmsSession *self, gint64 now);
/* Whether the encoder of a track makes keyframes when it is asked for them. */
void ams_session_set_keyframes_on_request (AmsSession *self, guint id,
    gboolean handled);

/* What is to be done next, into @action, which was cleared. FALSE: nothing. */
gboolean ams_session_next (AmsSession *self, AmsAction *action);
gboolean ams_session_has_next (AmsSession *self);

/* More is held of the track than should be: whoever brings its units should wait
 * if it can, for the other tracks or for the start. */
gboolean ams_session_is_full (AmsSession *self, guint id);
/* A video's keyframe is held: what comes next may be what lets a segment begin
 * with it. */
gboolean ams_session_holds_keyframe (AmsSession *self);
/* Video units in front of the first keyframe. */
guint64 ams_session_get_dropped (AmsSession *self);
gboolean ams_session_has_ended (AmsSession *self);

G_END_DECLS
