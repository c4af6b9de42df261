/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of a session share. */

#pragma once

#include "cut/amscutter.h"
#include "media/amsdecodetimes.h"
#include "media/amstimemap.h"
#include "session/amslane.h"
#include "session/amssession.h"

G_BEGIN_DECLS

/* A longer step between two units is a hole, and says nothing of the next. */
#define AMS_SESSION_LONGEST_STEP AMS_SECOND
/* How long a unit lasts where nothing tells. */
#define AMS_SESSION_USUAL_STEP (AMS_SECOND / 25)

/* More is not held of a track, if its source can wait. */
#define AMS_SESSION_HOLD_BYTES (64 << 20)

/* A unit on its way through the session. */
typedef struct
{
  GList link; /* in AmsSessionTrack.held */
  AmsUnit unit; /* its times are on the time line, once it was placed */
  AmsTrack *track; /* (nullable): from this unit on, it is of another form */
  gboolean over; /* and decoders must be set up anew */
  gint64 end; /* until when it is shown */
  gint64 running_time; /* of the PTS, as it came in */
  gint64 reorder; /* PTS − DTS as it came in; AMS_TIME_NONE: without DTS */
  gint64 seen; /* as in AmsSessionInput */
  gint64 clock_offset; /* ns since 1970 UTC of running time 0, at arrival */
  gint64 date_time; /* µs since 1970 UTC; 0: the media do not say */
  gint64 arrival;
  gboolean discont;
  gboolean split; /* was asked for before it came */
  gboolean jump; /* it does not follow on what was before */
  gint64 hole; /* ns without media before it, that are kept */
  gint64 gap; /* that, or what a jump left between it and the unit before */
} AmsHeld;

AmsHeld *ams_held_new (void);
void ams_held_free (AmsHeld *held);

typedef enum
{
  AMS_TRACK_WAITS, /* its units are held until it may join */
  AMS_TRACK_FLOWS,
  AMS_TRACK_GONE, /* its last unit is recorded, and no more will come */
} AmsTrackPhase;

typedef struct
{
  guint id;
  guint number; /* AmsTrack.id, another for each track of a file */
  gboolean video;
  guint lane; /* its index, or AMS_SESSION_ALL_LANES */
  guint line; /* its number in the time map */
  AmsTrack *changed; /* (nullable): what its next unit is, if that is new */
  gboolean changed_over; /* a decoder must be set up anew for it */
  AmsTrack *dropped_form; /* (nullable): what a unit was that was dropped */
  AmsTrack *packaged; /* what its last unit was that was processed */
  AmsTrackPhase phase;

  GQueue first; /* AmsHeld, until it is known whether they agree */
  gboolean settled; /* it is */
  gint64 first_time; /* as it came in, of the first unit, then */
  GQueue held; /* AmsHeld, placed, in decoding order */
  gsize held_bytes;
  guint held_keys; /* a video's keyframes and recovery points */
  gint64 held_holes; /* ns, between the units that are held */
  AmsDecodeTimes *decode_times; /* NULL: the last unit brought its own */
  guint n_without_dts; /* units since the last one that did */

  gboolean split; /* was asked for since its last unit came */
  gboolean ended; /* nothing more will come */
  gboolean silent; /* it is not waited for any more */
  gboolean joining; /* it waits for the cut that is made for it */
  gint64 join_since; /* how far the recording was when it began to join */
  gboolean begun; /* a unit of it is recorded */
  gint64 arrival; /* of the last unit; AMS_TIME_NONE: none came */
  gint64 first_seen; /* where its first unit is, kept or not */
  gint64 position; /* how far its units have come, in the order of decoding */
  gint64 shown; /* how far its recorded units are shown */
  gint64 begin_at; /* what is before is dropped */
  gint64 rest_until; /* likewise, as long as its units go on without a hole */
  gint64 last_dts; /* of the last unit that was placed */
  gint64 reorder; /* PTS − DTS of the last unit that was believed */
  gint64 step; /* ns, from unit to unit as it was seen last; 0: unknown */

  gboolean lacks_key; /* what its next units refer to is missing */
  gboolean resumes; /* its next unit is behind some that were dropped */
  gint64 last_key; /* where the last keyframe was; AMS_TIME_NONE: none yet */
  gboolean any_key; /* recovery points have to do */
  gboolean any_recovery; /* there are recovery points */
  gboolean complained, damaged; /* it was said */
  guint64 dropped; /* pictures in front of a keyframe */
  guint n_early; /* units that were left out as it had not joined */
  gboolean removed; /* its end is not the recording's */
} AmsSessionTrack;

/* A rendition: its files, and what is known of the open one. */
typedef struct
{
  guint index;
  AmsLane *files;
  guint n_numbers[2]; /* taken by its sound and its video */
  gboolean independent; /* all segments so far begin with a keyframe */
  gboolean tracks_changed; /* one is to be in the next tables */
  gboolean forms_changed; /* of tracks that it has */
  guint64 left_out; /* units of its tracks that are in no file of it */

  /* Its last file or gap. */
  gboolean any; /* there was a file */
  gint64 start; /* of the open file */
  gint64 end; /* of what was ended, while none is open */
  gboolean segment_has_video;

  /* A cut that all have made and it has not: it waits for a place to begin at. */
  gboolean pending;
  AmsCut next;
  gboolean waits; /* not before the next one, as it needs a discontinuity */
  gboolean asked; /* for the keyframe that it needs to begin with */

  /* Where its next file may turn out to begin. */
  gint64 mark_pts;
  gboolean mark_is_late; /* only if no keyframe comes, as it is none */
  gboolean mark_has_video; /* a picture has come since */
  gboolean mark_is_key; /* and the first is no recovery point */
} AmsSessionLane;

typedef enum
{
  AMS_SESSION_HOLDING, /* until the tracks can begin together */
  AMS_SESSION_STARTING, /* an answer to AMS_ACTION_START is waited for */
  AMS_SESSION_RUNNING,
  AMS_SESSION_ENDED,
} AmsSessionState;

struct _AmsSession
{
  AmsSessionSettings settings;
  AmsStory story;
  AmsSessionState state;
  GPtrArray *tracks; /* AmsSessionTrack, also those that are gone */
  guint n_numbers; /* taken by sound of all lanes */
  AmsTimeMap *map;
  AmsCutter *cutter;
  GPtrArray *lanes; /* AmsSessionLane, by index */
  GQueue actions; /* AmsAction */

  gint64 now; /* monotonic, as far as was told */
  gint64 hold_since; /* monotonic: since when a start is waited for */
  gint64 start; /* on the time line */
  gboolean finished; /* no more will come */
  gboolean end_told;
  gboolean discontinuity; /* in front of the next segment */
  gboolean join_now; /* who waits to join has waited long enough */
  guint64 n_cuts;
  AmsCut cut; /* the last one */
  AmsCut candidate; /* where the cutter's is */
  gint64 offset; /* from the time line to the packagers' */
  gboolean carries;
  AmsSessionTrack *lead; /* whose units were cut at last; NULL: none yet */
  gint64 lead_end; /* until when the lead's units are shown */
  gint64 end; /* until when any unit is shown */
  gint64 date_base; /* ns since 1970 UTC of time 0 on the time line */
  gboolean has_date_base;
  gboolean asked; /* for a keyframe, at least once */
  guint64 left_out; /* units that are in no file, not counting the dropped */
};

#define ams_session_tell(self, ...) \
  G_STMT_START \
  { \
    if ((self)->story.listens && \
        (self)->story.listens ((self)->story.user_data)) \
      ams_session_tell_text ((self), g_strdup_printf (__VA_ARGS__)); \
  } \
  G_STMT_END
/* Takes @text. */
void ams_session_tell_text (AmsSession *self, gchar *text);
/* Seconds, for a sentence. */
#define AMS_SESSION_S(time) ((time) / 1e9)

AmsAction *ams_session_put (AmsSession *self, AmsActionKind kind);
AmsSessionLane *ams_session_get_lane (AmsSession *self, guint index);
AmsSessionTrack *ams_session_get_track (AmsSession *self, guint id);
/* The files of @lane have the track, or will. */
gboolean ams_session_track_is_of (const AmsSessionTrack *track, guint lane);
/* The first of those that have the track. */
AmsSessionLane *ams_session_get_lane_of (AmsSession *self,
    const AmsSessionTrack *track);
const gchar *ams_session_track_name (const AmsSessionTrack *track);

/* amssessiontrack.c: what a track holds */
/* Not of a lane yet. */
AmsSessionTrack *ams_session_track_new (guint id, gboolean video, guint line);
void ams_session_track_free (AmsSessionTrack *track);
gboolean ams_session_track_is_key (const AmsSessionTrack *track,
    const AmsHeld *held);
/* (nullable) What its next unit is. */
const AmsTrack *ams_session_track_get_form (AmsSessionTrack *track);
gint64 ams_session_track_get_order (const AmsHeld *held);
/* ns of media that are held */
gint64 ams_session_track_get_span (AmsSessionTrack *track);
/* Takes @held. */
void ams_session_track_push (AmsSessionTrack *track, AmsHeld *held);
AmsHeld *ams_session_track_pop (AmsSessionTrack *track);
void ams_session_track_drop (AmsSessionTrack *track);
/* Gives @held, which was placed, its times. */
void ams_session_track_time (AmsSessionTrack *track, AmsHeld *held,
    const AmsTimeMapPlaced *placed);

/* amssessionfirst.c: where a track begins */
/* Takes @held. Onto the time line with it, as soon as the track's first units
 * agree. */
void ams_session_place (AmsSession *self, AmsSessionTrack *track,
    AmsHeld *held);
/* No others will agree with them. */
void ams_session_settle_first (AmsSession *self, AmsSessionTrack *track);
/* Those that have waited for long enough. */
void ams_session_settle_first_in_time (AmsSession *self);

/* amssessionstart.c: who begins when */
/* Takes @held. Holds it, or drops it if it comes before the first keyframe. */
void ams_session_hold (AmsSession *self, AmsSessionTrack *track, AmsHeld *held);
void ams_session_try_start (AmsSession *self);
/* A segment begins with @held: tracks that waited for it may join. */
void ams_session_join (AmsSession *self, AmsSessionTrack *leader,
    const AmsHeld *held);
/* Tracks that have no video to wait for, or have waited too long. */
void ams_session_look_after_joining (AmsSession *self);
/* The lane is to have the tracks that flow, as they are now. @joining: those that
 * it does not have yet, too. */
void ams_session_set_lane_tracks (AmsSession *self, AmsSessionLane *lane,
    gboolean joining);

/* amssessionorder.c: whose unit is next */
void ams_session_advance (AmsSession *self);

/* amssessionlanes.c: the files of all lanes */
/* A segment begins: that of the lanes that the lead is of with the unit that is
 * passed to ams_session_begin_led() next. @end: of the one before. */
void ams_session_push_cut (AmsSession *self, const AmsCut *cut, gint64 end);
void ams_session_begin_led (AmsSession *self, const AmsHeld *held, gint64 end);
/* The lead is one of its tracks. */
gboolean ams_session_is_led (AmsSession *self, const AmsSessionLane *lane);
/* Its next file may begin with @held. */
void ams_session_mark (AmsSession *self, AmsSessionLane *lane,
    const AmsHeld *held);
/* What @held, which comes next, means for the lane. */
void ams_session_follow (AmsSession *self, AmsSessionLane *lane,
    AmsSessionTrack *track, const AmsHeld *held);
/* The open file has the track. */
gboolean ams_session_is_recorded (const AmsSessionLane *lane,
    const AmsSessionTrack *track);
void ams_session_note_video (AmsSession *self, AmsSessionLane *lane,
    const AmsSessionTrack *track, const AmsHeld *held);
/* @end: of the lanes that the lead is of. */
void ams_session_finish_lanes (AmsSession *self, gint64 end);

/* amssessioncut.c: where segments begin */
void ams_session_process (AmsSession *self, AmsSessionTrack *track,
    AmsHeld *held);
void ams_session_make_cut (AmsSession *self, const AmsHeld *held, AmsCut *cut);
/* In µs since 1970 UTC. */
gint64 ams_session_date_of (AmsSession *self, const AmsHeld *held);
/* Of all encoders: keyframes that are to end the open segment, or at once. */
void ams_session_request_keyframe (AmsSession *self, gboolean now);
/* Of one, at once. */
void ams_session_request_keyframe_of (AmsSession *self,
    const AmsSessionTrack *track);
/* It has a hole up to its next unit, which is known, or has said that nothing
 * comes for a while. */
gboolean ams_session_is_in_hole (AmsSession *self, AmsSessionTrack *track);

G_END_DECLS
