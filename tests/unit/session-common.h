/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of the session share: what comes in is written down first, with
 * the times that are right beside those that it is stamped with; then it is
 * played, by a clock that only the test knows; then the files are read back. */

#pragma once

#include "amsfakepackager.h"
#include "session/amssessionprivate.h"

#define SECOND AMS_SECOND
#define MS (SECOND / 1000)
#define FRAME (40 * MS)
#define SOUND_FRAME (SECOND * 1024 / 48000)

/* Renditions in a test. */
#define TEST_LANES 3

/* Monotonic time at which the test begins: not that of the media. */
#define TEST_CLOCK (100000 * SECOND)

typedef enum
{
  TEST_UNIT,
  TEST_GAP, /* up to pts */
  TEST_ADD, /* the track is there */
  TEST_FORM, /* it is of form `size` from here on */
  TEST_FLUSH,
  TEST_SPLIT,
  TEST_END,
  TEST_REMOVE,
  TEST_FINISH,
} TestEventKind;

/* What happens to a session. */
typedef struct
{
  TestEventKind kind;
  guint track; /* as the test counts them */
  gint64 arrival; /* live: ns since the test began */
  gsize size;
  gboolean over;

  AmsUnitFlags flags;
  gint64 truth; /* PTS that is right */
  gint64 pts, dts, duration; /* as it is stamped */
  gboolean discont, damaged;
  gboolean odd; /* its time is not the one that it should have */

  /* What became of it. */
  guint id;
  guint n_written;
  guint file; /* its number */
  guint files[TEST_LANES]; /* likewise in each lane, from 1 on; 0: in none */
  guint form;
  gint64 got_pts, got_dts; /* on the time line of the session */
} TestEvent;

typedef struct
{
  AmsCut cut;
  GByteArray *bytes;
  gboolean gap; /* there is no file */
  gboolean ended;
  gint64 end;
  gint64 ended_at; /* live: ns since the test began */
  guint64 size;
  guint32 tracks;
  gboolean discontinuity; /* as its tables say */
  guint n_units[2]; /* of sound, of video */
} TestFile;

typedef struct
{
  guint track;
  gint64 time;
  gint64 asked; /* live: ns since the test began */
} TestRequest;

typedef struct
{
  gint64 now; /* ns since the test began */
  guint n_out; /* units whose bytes had gone out */
} TestTick;

typedef struct
{
  GPtrArray *files; /* TestFile */
  GByteArray *carried; /* the next file begins with it */
  gboolean dependent;
} TestLane;

typedef struct
{
  gboolean video;
  guint lane;
  gint id; /* of the session; -1: not there yet */
} TestTrack;

typedef struct
{
  AmsSessionSettings settings;
  gint64 start_delay; /* until AMS_ACTION_START is answered */
  gint64 start_time; /* how it is */
  gboolean start_fails;
  gboolean no_end; /* tracks are not ended after the last event */
  gboolean as_ts; /* files are MPEG-TS, which the test reads itself */
  gboolean as_file; /* all comes as fast as it is taken */
  gboolean carries; /* the store takes over what is carried */
  gboolean obeys; /* the encoder makes keyframes when it is asked */
  guint refuses; /* but for this track's; 0: it counts from 1 */

  AmsSession *session;
  GArray *tracks; /* TestTrack */
  GPtrArray *events; /* TestEvent */

  gint64 now; /* ns since the test began */
  gint64 start_at; /* when to answer; AMS_TIME_NONE: nothing to */
  gint64 start_pts;
  TestLane lanes[TEST_LANES];
  guint n_lanes;
  guint late_lanes; /* of these: come with their first track */
  GPtrArray *files; /* of the first lane */
  GArray *requests; /* TestRequest */
  GArray *ticks; /* TestTick */
  guint n_out;
  gboolean dependent; /* any lane */
  gboolean ended, was_full;
  guint n_starts, n_no_keyframe, n_damaged, n_refused;
  gint64 said_without_keyframe;
  gsize most_kept;
} SessionTest;

/* 4 s target, 2 s threshold and stall timeout. */
SessionTest *session_test_new (void);
void session_test_free (SessionTest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SessionTest, session_test_free)

/* A track that is there from the beginning. Returns its number. */
guint session_test_add_video (SessionTest *self);
guint session_test_add_sound (SessionTest *self);
SessionTest *session_test_new_with_both (guint *video, guint *sound);
/* One that joins at @at. */
guint session_test_join (SessionTest *self, gboolean video, gint64 at);
/* The track is of that lane, or of AMS_SESSION_ALL_LANES; usually of the first. */
void session_test_set_lane (SessionTest *self, guint track, guint lane);

/* All return what they put in, to be bent. (transfer none) */
TestEvent *session_test_unit (SessionTest *self, guint track, gint64 truth);
TestEvent *session_test_event (SessionTest *self, TestEventKind kind,
    guint track, gint64 arrival);
/* Frames of 25 Hz from @from until before @to, and a keyframe every @gop frames,
 * beginning with the first; 0: none. */
void session_test_video (SessionTest *self, guint track, gint64 from, gint64 to,
    guint gop);
/* Frames of 1024 samples at 48 kHz. */
void session_test_sound (SessionTest *self, guint track, gint64 from,
    gint64 to);
/* The unit whose right time is nearest to @truth. */
TestEvent *session_test_find (SessionTest *self, guint track, gint64 truth);
/* Stamps of all units of @track that are from @from on and before @to. */
void session_test_shift (SessionTest *self, guint track, gint64 from, gint64 to,
    gint64 by);
/* Arrivals of the same. */
void session_test_delay (SessionTest *self, guint track, gint64 from, gint64 to,
    gint64 by);
/* Drops the units. */
void session_test_cut_out (SessionTest *self, guint track, gint64 from,
    gint64 to);

/* Plays all, and checks what must hold always. */
void session_test_play (SessionTest *self);
/* The latter; done by session_test_play(). */
void session_test_check_files (SessionTest *self);

/* ---- what came out ---- */

const TestFile *session_test_file (SessionTest *self, guint n);
const TestFile *session_test_lane_file (SessionTest *self, guint lane, guint n);
gint64 session_test_extinf (SessionTest *self, guint n);
gint64 session_test_sum (SessionTest *self);
guint session_test_count_discontinuities (SessionTest *self);
/* Units that are in no file. */
guint session_test_count_lost (SessionTest *self, guint track);
void session_test_check_nothing_lost (SessionTest *self);
/* Every unit is there at its right time relative to all others, ± @off. */
void session_test_check_times (SessionTest *self, gint64 off);
void session_test_check_no_longer_than (SessionTest *self, gint64 extinf);
/* Fails with a sentence if @a and @b, ns, are more than @off apart. */
void session_test_assert_near (gint64 a, gint64 b, gint64 off);
