/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "session-common.h"

#include <string.h>

#include "package/ts/amstspackager.h"

/* ns: as the element's ticker */
#define TICK (SECOND / 4)
/* ns: from unit to unit of a file that is read */
#define READ_TIME (50 * G_GINT64_CONSTANT (1000))
/* Nobody waits for longer. */
#define LONGEST_WAIT (3600 * SECOND)
/* A day in 2026, in ns since 1970. */
#define TEST_DATE (G_GINT64_CONSTANT (1780000000) * SECOND)

static void
file_free (gpointer data)
{
  TestFile *file = data;

  g_clear_pointer (&file->bytes, g_byte_array_unref);
  g_free (file);
}

SessionTest *
session_test_new (void)
{
  SessionTest *self = g_new0 (SessionTest, 1);

  self->settings.target_duration = 4 * SECOND;
  self->settings.stall_timeout = 2 * SECOND;
  self->settings.discontinuity_threshold = 2 * SECOND;
  self->settings.request_keyframes = TRUE;
  self->start_time = self->start_at = AMS_TIME_NONE;
  self->tracks = g_array_new (FALSE, TRUE, sizeof (TestTrack));
  self->events = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < TEST_LANES; i++) {
    self->lanes[i].files = g_ptr_array_new_with_free_func (file_free);
    self->lanes[i].carried = g_byte_array_new ();
  }
  self->n_lanes = 1;
  self->files = self->lanes[0].files;
  self->requests = g_array_new (FALSE, FALSE, sizeof (TestRequest));
  self->ticks = g_array_new (FALSE, FALSE, sizeof (TestTick));
  return self;
}

void
session_test_free (SessionTest *self)
{
  g_clear_pointer (&self->session, ams_session_free);
  g_array_unref (self->tracks);
  g_ptr_array_unref (self->events);
  for (guint i = 0; i < TEST_LANES; i++) {
    g_ptr_array_unref (self->lanes[i].files);
    g_byte_array_unref (self->lanes[i].carried);
  }
  g_array_unref (self->requests);
  g_array_unref (self->ticks);
  g_free (self);
}

/* ---- what comes in ---- */

static guint
add_track (SessionTest *self, gboolean video)
{
  TestTrack track = { video, 0, -1 };

  g_array_append_val (self->tracks, track);
  return self->tracks->len - 1;
}

static TestTrack *
get_track (SessionTest *self, guint track)
{
  return &g_array_index (self->tracks, TestTrack, track);
}

void
session_test_set_lane (SessionTest *self, guint track, guint lane)
{
  get_track (self, track)->lane = lane;
  if (lane != AMS_SESSION_ALL_LANES)
    self->n_lanes = MAX (self->n_lanes, lane + 1);
}

static TestEvent *
get_event (SessionTest *self, guint i)
{
  return g_ptr_array_index (self->events, i);
}

TestEvent *
session_test_event (SessionTest *self, TestEventKind kind, guint track,
    gint64 arrival)
{
  TestEvent *event = g_new0 (TestEvent, 1);

  event->kind = kind;
  event->track = track;
  event->arrival = arrival;
  event->pts = event->dts = event->truth = AMS_TIME_NONE;
  event->id = self->events->len;
  g_ptr_array_add (self->events, event);
  return event;
}

guint
session_test_join (SessionTest *self, gboolean video, gint64 at)
{
  guint track = add_track (self, video);

  session_test_event (self, TEST_ADD, track, at);
  return track;
}

guint
session_test_add_video (SessionTest *self)
{
  return session_test_join (self, TRUE, G_MININT64);
}

guint
session_test_add_sound (SessionTest *self)
{
  return session_test_join (self, FALSE, G_MININT64);
}

SessionTest *
session_test_new_with_both (guint *video, guint *sound)
{
  SessionTest *self = session_test_new ();

  *video = session_test_add_video (self);
  *sound = session_test_add_sound (self);
  return self;
}

TestEvent *
session_test_unit (SessionTest *self, guint track, gint64 truth)
{
  TestEvent *event = session_test_event (self, TEST_UNIT, track, truth);

  event->truth = event->pts = event->dts = truth;
  event->duration = get_track (self, track)->video ? FRAME : SOUND_FRAME;
  event->size = 100;
  if (!get_track (self, track)->video)
    event->flags = AMS_UNIT_KEY;
  return event;
}

void
session_test_video (SessionTest *self, guint track, gint64 from, gint64 to,
    guint gop)
{
  for (guint i = 0; from + i * FRAME < to; i++) {
    TestEvent *event = session_test_unit (self, track, from + i * FRAME);

    if (gop > 0 && i % gop == 0)
      event->flags = AMS_UNIT_KEY;
  }
}

void
session_test_sound (SessionTest *self, guint track, gint64 from, gint64 to)
{
  for (guint i = 0; from + i * SOUND_FRAME < to; i++)
    session_test_unit (self, track, from + i * SOUND_FRAME);
}

TestEvent *
session_test_find (SessionTest *self, guint track, gint64 truth)
{
  TestEvent *best = NULL;

  for (guint i = 0; i < self->events->len; i++) {
    TestEvent *event = get_event (self, i);

    if (event->kind == TEST_UNIT && event->track == track &&
        (!best || ABS (event->truth - truth) < ABS (best->truth - truth)))
      best = event;
  }
  g_assert_nonnull (best);
  return best;
}

static gboolean
is_within (const TestEvent *event, guint track, gint64 from, gint64 to)
{
  return event->kind == TEST_UNIT && event->track == track &&
      event->truth >= from && event->truth < to;
}

void
session_test_shift (SessionTest *self, guint track, gint64 from, gint64 to,
    gint64 by)
{
  for (guint i = 0; i < self->events->len; i++) {
    TestEvent *event = get_event (self, i);

    if (!is_within (event, track, from, to))
      continue;
    event->pts += by;
    event->dts += by;
  }
}

void
session_test_delay (SessionTest *self, guint track, gint64 from, gint64 to,
    gint64 by)
{
  for (guint i = 0; i < self->events->len; i++)
    if (is_within (get_event (self, i), track, from, to))
      get_event (self, i)->arrival += by;
}

void
session_test_cut_out (SessionTest *self, guint track, gint64 from, gint64 to)
{
  for (guint i = self->events->len; i > 0; i--)
    if (is_within (get_event (self, i - 1), track, from, to))
      g_ptr_array_remove_index (self->events, i - 1);
  for (guint i = 0; i < self->events->len; i++)
    get_event (self, i)->id = i;
}

/* ---- what comes out ---- */

/* (nullable) */
static TestFile *
get_last (const TestLane *lane)
{
  return lane->files->len > 0
      ? g_ptr_array_index (lane->files, lane->files->len - 1)
      : NULL;
}

static TestFile *
get_open_file (const TestLane *lane)
{
  TestFile *file = get_last (lane);

  g_assert_nonnull (file);
  g_assert_false (file->ended);
  return file;
}

static TestFile *
add_file (SessionTest *self, const AmsAction *action)
{
  TestLane *lane = &self->lanes[action->lane];
  TestFile *file = g_new0 (TestFile, 1);

  g_assert_cmpuint (self->n_starts, ==, 1);
  g_assert_cmpuint (action->lane, <, self->n_lanes);
  if (lane->files->len > 0)
    g_assert_true (get_last (lane)->ended);
  file->cut = action->cut;
  g_ptr_array_add (lane->files, file);
  return file;
}

static void
begin_file (SessionTest *self, const AmsAction *action)
{
  TestLane *lane = &self->lanes[action->lane];
  TestFile *file = add_file (self, action);

  file->bytes = lane->carried;
  lane->carried = g_byte_array_new ();
}

static void
add_gap (SessionTest *self, const AmsAction *action)
{
  TestFile *file = add_file (self, action);

  file->gap = file->ended = TRUE;
  file->end = action->time;
}

static void
end_file (SessionTest *self, const AmsAction *action)
{
  TestLane *lane = &self->lanes[action->lane];
  TestFile *file = get_open_file (lane);

  g_assert_cmpuint (action->size, <=, file->bytes->len);
  g_assert_cmpuint (action->carried, ==,
      self->carries ? file->bytes->len - action->size : 0);
  g_byte_array_append (lane->carried, file->bytes->data + action->size,
      action->carried);
  file->ended = TRUE;
  file->end = action->time;
  file->ended_at = self->now;
  file->size = action->size;
}

static void
write_block (SessionTest *self, const AmsAction *action)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (action->block, &size);
  TestFile *file = get_open_file (&self->lanes[action->lane]);

  if (file->bytes->len == 0)
    self->n_out--; /* the tables */
  g_byte_array_append (file->bytes, data, size);
  self->n_out += size / sizeof (AmsFakeRecord);
}

static guint
find_track (SessionTest *self, guint id)
{
  for (guint i = self->tracks->len; i > 0; i--)
    if (get_track (self, i - 1)->id == (gint) id)
      return i - 1;
  g_assert_not_reached ();
}

static void
note_request (SessionTest *self, const AmsAction *action)
{
  TestRequest request = { find_track (self, action->track), action->time,
    self->now };

  g_assert_true (get_track (self, request.track)->video);
  g_array_append_val (self->requests, request);
  if (action->time != AMS_TIME_NONE)
    ams_session_set_keyframes_on_request (self->session, action->track,
        self->obeys && self->refuses != request.track + 1);
}

static void
note_start (SessionTest *self, const AmsAction *action)
{
  self->n_starts++;
  self->start_pts = action->cut.pts;
  self->start_at = self->now + self->start_delay;
}

static void
perform (SessionTest *self, const AmsAction *action)
{
  g_assert_false (self->ended);
  switch (action->kind) {
    case AMS_ACTION_START:
      note_start (self, action);
      break;
    case AMS_ACTION_BEGIN_FILE:
      begin_file (self, action);
      break;
    case AMS_ACTION_WRITE:
      write_block (self, action);
      break;
    case AMS_ACTION_END_FILE:
      end_file (self, action);
      break;
    case AMS_ACTION_NOT_INDEPENDENT:
      g_assert_false (self->lanes[action->lane].dependent);
      self->dependent = self->lanes[action->lane].dependent = TRUE;
      break;
    case AMS_ACTION_GAP:
      add_gap (self, action);
      break;
    case AMS_ACTION_REQUEST_KEYFRAME:
      note_request (self, action);
      break;
    case AMS_ACTION_NO_KEYFRAME:
      self->n_no_keyframe++;
      self->said_without_keyframe = action->time;
      break;
    case AMS_ACTION_DAMAGED:
      self->n_damaged++;
      break;
    case AMS_ACTION_REFUSED:
      g_assert_nonnull (action->text);
      self->n_refused++;
      break;
    case AMS_ACTION_END:
      self->ended = TRUE;
      break;
  }
}

static void
run (SessionTest *self)
{
  AmsAction action;

  while (ams_session_next (self->session, &action)) {
    perform (self, &action);
    ams_action_clear (&action);
  }
  for (guint i = 0; i < self->session->lanes->len; i++)
    self->most_kept = MAX (self->most_kept,
        ams_lane_get_kept (ams_session_get_lane (self->session, i)->files));
}

/* ---- playing ---- */

static void
answer_start (SessionTest *self)
{
  if (self->start_at == AMS_TIME_NONE || self->start_at > self->now)
    return;
  self->start_at = AMS_TIME_NONE;
  if (self->start_fails)
    ams_session_fail (self->session);
  else
    ams_session_started (self->session, self->settings.target_duration,
        self->start_time);
  run (self);
}

static void
tick (SessionTest *self)
{
  TestTick tick = { self->now, 0 };

  ams_session_tick (self->session, TEST_CLOCK + self->now);
  run (self);
  answer_start (self);
  tick.n_out = self->n_out;
  g_array_append_val (self->ticks, tick);
}

static void
wait_until (SessionTest *self, gint64 time)
{
  while (self->now / TICK < time / TICK) {
    self->now = (self->now / TICK + 1) * TICK;
    tick (self);
  }
  self->now = MAX (self->now, time);
  answer_start (self);
}

static void
wait_for_room (SessionTest *self, guint id)
{
  gint64 since = self->now;

  while (ams_session_is_full (self->session, id)) {
    self->was_full = TRUE;
    g_assert_cmpint (self->now - since, <, LONGEST_WAIT);
    wait_until (self, self->now + TICK);
  }
}

static void
set_form (SessionTest *self, TestTrack *track, guint8 form, gboolean over)
{
  g_autoptr (GBytes) config = g_bytes_new (&form, 1);
  g_autoptr (AmsTrack) made = ams_track_new (99,
      track->video ? AMS_CODEC_MPEG2_VIDEO : AMS_CODEC_AC3, config);
  g_autoptr (GError) error = NULL;

  ams_session_set_track (self->session, track->id, made, over, &error);
  g_assert_no_error (error);
}

static void
add_lane (SessionTest *self)
{
  ams_session_add_lane (self->session,
      self->as_ts ? ams_ts_packager_new () : ams_fake_packager_new (),
      self->as_ts ? AMS_TS_BLOCK_SIZE : AMS_FAKE_BLOCK_SIZE);
}

static void
add_to_session (SessionTest *self, TestTrack *track)
{
  while (track->lane != AMS_SESSION_ALL_LANES &&
      track->lane >= self->session->lanes->len)
    add_lane (self);
  track->id = ams_session_add_track (self->session,
      track->video ? AMS_TRACK_VIDEO : AMS_TRACK_AUDIO, track->lane);
  set_form (self, track, 1, FALSE);
}

static void
take (SessionTest *self, TestTrack *track, TestEvent *event)
{
  AmsSessionInput input = { 0 };

  wait_for_room (self, track->id);
  input.flags = event->flags;
  input.pts = event->pts;
  input.dts = event->dts;
  input.duration = event->duration;
  input.seen = AMS_TIME_NONE;
  input.arrival = TEST_CLOCK + self->now;
  input.real_time = TEST_DATE + self->now;
  input.clock_time = self->as_file ? AMS_TIME_NONE : self->now;
  input.discont = event->discont;
  input.payload = ams_fake_payload_new (event->id, event->damaged, event->size);
  ams_session_take (self->session, track->id, &input);
  g_assert_null (input.payload);
}

static void
happen (SessionTest *self, TestEvent *event)
{
  TestTrack *track = get_track (self, event->track);

  switch (event->kind) {
    case TEST_UNIT:
      take (self, track, event);
      break;
    case TEST_GAP:
      ams_session_take_gap (self->session, track->id, event->pts,
          TEST_CLOCK + self->now);
      break;
    case TEST_ADD:
      add_to_session (self, track);
      break;
    case TEST_FORM:
      set_form (self, track, event->size, event->over);
      break;
    case TEST_FLUSH:
      ams_session_expect_jump (self->session, track->id);
      break;
    case TEST_SPLIT:
      ams_session_split_now (self->session);
      break;
    case TEST_END:
      ams_session_end_track (self->session, track->id);
      break;
    case TEST_REMOVE:
      ams_session_remove_track (self->session, track->id);
      break;
    case TEST_FINISH:
      ams_session_finish (self->session);
      break;
  }
  run (self);
  answer_start (self);
  if (event->kind == TEST_FINISH && self->start_at == AMS_TIME_NONE)
    g_assert_true (self->ended);
}

static gint
compare_arrivals (gconstpointer a, gconstpointer b)
{
  const TestEvent *first = *(TestEvent *const *) a;
  const TestEvent *second = *(TestEvent *const *) b;

  if (first->arrival != second->arrival)
    return first->arrival < second->arrival ? -1 : 1;
  return first->id < second->id ? -1 : 1;
}

static void
end_all (SessionTest *self)
{
  for (guint i = 0; i < self->tracks->len; i++) {
    if (get_track (self, i)->id >= 0 && !self->session->finished)
      ams_session_end_track (self->session, get_track (self, i)->id);
    run (self);
    answer_start (self);
  }
  wait_until (self, self->now + self->start_delay + TICK);
  g_assert_true (self->ended);
}

static void
tell (gpointer user_data, const gchar *text)
{
  SessionTest *self = user_data;

  g_printerr ("%9.3f %s\n", self->now / 1e9, text);
}

static gboolean
listens (gpointer user_data)
{
  return g_getenv ("SESSION_STORY") != NULL;
}

void
session_test_play (SessionTest *self)
{
  const AmsStory story = { tell, listens, self };
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();

  self->session = ams_session_new (&self->settings, &story);
  while (self->session->lanes->len + self->late_lanes < self->n_lanes)
    add_lane (self);
  for (guint i = 0; i < self->events->len; i++)
    g_ptr_array_add (sorted, get_event (self, i));
  g_ptr_array_sort (sorted, compare_arrivals);
  ams_session_set_carries (self->session, self->carries);
  for (guint i = 0; i < sorted->len; i++) {
    TestEvent *event = g_ptr_array_index (sorted, i);

    wait_until (self,
        self->as_file ? self->now + READ_TIME : MAX (event->arrival, 0));
    happen (self, event);
  }
  if (!self->no_end)
    end_all (self);
  session_test_check_files (self);
}
