/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads back the files that a session has made, and checks what must hold
 * always. */

#include "session-common.h"

static TestTrack *
get_track (SessionTest *self, guint track)
{
  return &g_array_index (self->tracks, TestTrack, track);
}

static TestEvent *
get_event (SessionTest *self, guint i)
{
  return g_ptr_array_index (self->events, i);
}

static TestFile *
get_file (SessionTest *self, guint lane, guint n)
{
  g_assert_cmpuint (n, <, self->lanes[lane].files->len);
  return g_ptr_array_index (self->lanes[lane].files, n);
}

/* From the packager's time line to the session's. */
static gint64
get_offset (SessionTest *self)
{
  return self->start_pts -
      (self->start_time == AMS_TIME_NONE ? 0 : self->start_time);
}

static void
read_unit (SessionTest *self, TestFile *file, guint lane, guint n,
    const AmsFakeRecord *record)
{
  TestEvent *event;
  const TestTrack *track;

  g_assert_cmpuint (record->id, <, self->events->len);
  event = get_event (self, record->id);
  track = get_track (self, event->track);
  g_assert_true (track->lane == lane || track->lane == AMS_SESSION_ALL_LANES);
  g_assert_cmpuint (event->files[lane], ==, 0);
  event->files[lane] = n + 1;
  event->n_written++;
  event->file = n;
  event->form = record->form;
  event->got_pts = record->pts + get_offset (self);
  event->got_dts = record->dts + get_offset (self);
  g_assert_cmpuint (record->track, ==,
      ams_session_get_track (self->session, track->id)->number);
  g_assert_cmpuint (file->tracks & 1u << record->track, !=, 0);
  file->n_units[track->video]++;
}

/* Where the segment might have ended. */
static void
check_repeated (const AmsFakeRecord *tables, const AmsFakeRecord *again)
{
  g_assert_cmpuint (again->tracks, ==, tables->tracks);
  g_assert_false (again->discontinuity);
}

static void
read_file (SessionTest *self, TestFile *file, guint lane, guint n,
    guint32 *counter)
{
  const AmsFakeRecord *records;
  guint n_records;

  records = ams_fake_read (file->bytes->data, file->size, &n_records);
  g_assert_cmpuint (n_records, >, 1);
  g_assert_cmpuint (records[0].tracks, !=, 0);
  file->tracks = records[0].tracks;
  file->discontinuity = records[0].discontinuity;
  for (guint i = 0; i < n_records; i++) {
    g_assert_cmpuint (records[i].counter, ==, (*counter)++);
    if (records[i].tracks == 0)
      read_unit (self, file, lane, n, &records[i]);
    else if (i > 0)
      check_repeated (&records[0], &records[i]);
  }
}

static void
check_units (SessionTest *self, guint lane, guint track)
{
  const TestEvent *last = NULL;

  for (guint i = 0; i < self->events->len; i++) {
    const TestEvent *event = get_event (self, i);

    if (event->kind != TEST_UNIT || event->track != track)
      continue;
    if (event->files[lane] == 0)
      continue;
    if (last) {
      g_assert_cmpuint (event->files[lane], >=, last->files[lane]);
      g_assert_cmpint (event->got_dts, >, last->got_dts);
    }
    last = event;
  }
}

/* Where the lanes follow, a discontinuity may not have been known of when the tables
 * were written. */
static void
check_discontinuity (SessionTest *self, const TestFile *file, guint n)
{
  gboolean said = n == 0 || file->cut.discontinuity;

  if (self->n_lanes == 1)
    g_assert_cmpint (file->discontinuity, ==, said);
  else if (file->discontinuity && n > 0)
    g_assert_true (said);
}

/* The same cuts in all lanes, from the first one of each on. */
static void
check_indexes (SessionTest *self, guint lane)
{
  guint n = self->lanes[lane].files->len, n_all = 0;

  for (guint i = 0; i < self->n_lanes; i++)
    n_all = MAX (n_all, self->lanes[i].files->len);
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (get_file (self, lane, i)->cut.index, ==, n_all - n + i);
}

static void
check_ends (SessionTest *self, guint lane)
{
  guint n = self->lanes[lane].files->len;

  for (guint i = 0; i < n; i++) {
    const TestFile *file = get_file (self, lane, i);
    const TestFile *next = i + 1 < n ? get_file (self, lane, i + 1) : NULL;

    if (!file->ended)
      continue;
    g_assert_cmpint (file->end, >, file->cut.pts);
    if (!self->as_ts && !file->gap)
      check_discontinuity (self, file, i);
    if (next && next->cut.discontinuity)
      g_assert_cmpint (file->end, <=, next->cut.pts);
    else if (next)
      g_assert_cmpint (file->end, ==, next->cut.pts);
  }
}

/* EXT-X-INDEPENDENT-SEGMENTS is said only when it is true. */
static void
check_independence (SessionTest *self, guint lane)
{
  g_autofree gboolean *seen =
      g_new0 (gboolean, self->lanes[lane].files->len + 1);

  for (guint i = 0; i < self->events->len; i++) {
    const TestEvent *event = get_event (self, i);

    if (event->files[lane] == 0 || !get_track (self, event->track)->video ||
        seen[event->files[lane]])
      continue;
    seen[event->files[lane]] = TRUE;
    g_assert_cmpuint (event->flags & AMS_UNIT_KEY, !=, 0);
  }
}

static void
read_files (SessionTest *self, guint lane)
{
  guint32 counter = 0;

  for (guint i = 0; i < self->lanes[lane].files->len; i++) {
    TestFile *file = get_file (self, lane, i);

    if (file->ended && !file->gap)
      read_file (self, file, lane, i, &counter);
  }
  for (guint i = 0; i < self->tracks->len; i++)
    check_units (self, lane, i);
  if (!self->lanes[lane].dependent)
    check_independence (self, lane);
}

/* The same discontinuities, and one mapping of dates. */
static void
check_same (SessionTest *self, guint lane)
{
  guint n = self->lanes[lane].files->len, n_first = self->files->len;

  for (guint i = 1; i <= MIN (n, n_first); i++) {
    const TestFile *file = get_file (self, lane, n - i);
    const TestFile *first = get_file (self, 0, n_first - i);

    g_assert_cmpint (file->cut.discontinuity, ==, first->cut.discontinuity);
    g_assert_cmpint (ABS (file->cut.date_time - first->cut.date_time -
                         (file->cut.pts - first->cut.pts) / 1000),
        <=, 2);
  }
}

/* Each unit is in a file of each of its lanes, or counted. */
static void
check_missing (SessionTest *self, guint lane)
{
  const AmsSessionLane *it = ams_session_get_lane (self->session, lane);
  guint64 missing = 0, said = it->left_out;
  guint n_damaged = 0;

  for (guint i = 0; i < self->tracks->len; i++) {
    const TestTrack *track = get_track (self, i);

    if (track->id >= 0 &&
        (track->lane == lane || track->lane == AMS_SESSION_ALL_LANES))
      said += ams_session_get_track (self->session, track->id)->dropped;
  }
  for (guint i = 0; i < self->events->len; i++) {
    const TestEvent *event = get_event (self, i);
    guint of =
        event->kind == TEST_UNIT ? get_track (self, event->track)->lane : lane;

    if (event->kind != TEST_UNIT || (of != lane && of != AMS_SESSION_ALL_LANES))
      continue;
    missing += event->files[lane] == 0;
    n_damaged += event->damaged;
  }
  g_assert_cmpuint (missing, >=, said);
  g_assert_cmpuint (missing, <=, said + n_damaged);
}

void
session_test_check_files (SessionTest *self)
{
  for (guint i = 0; i < self->n_lanes; i++) {
    guint n = self->lanes[i].files->len;

    if (!self->as_ts)
      read_files (self, i);
    check_ends (self, i);
    if (self->ended && n > 0)
      g_assert_true (get_file (self, i, n - 1)->ended);
    if (self->ended && self->n_lanes > 1) {
      check_indexes (self, i);
      check_same (self, i);
      if (i + self->late_lanes < self->n_lanes)
        check_missing (self, i);
    }
  }
}

const TestFile *
session_test_file (SessionTest *self, guint n)
{
  return get_file (self, 0, n);
}

const TestFile *
session_test_lane_file (SessionTest *self, guint lane, guint n)
{
  return get_file (self, lane, n);
}

gint64
session_test_extinf (SessionTest *self, guint n)
{
  return get_file (self, 0, n)->end - get_file (self, 0, n)->cut.pts;
}

gint64
session_test_sum (SessionTest *self)
{
  gint64 sum = 0;

  for (guint i = 0; i < self->files->len; i++)
    sum += session_test_extinf (self, i);
  return sum;
}

guint
session_test_count_discontinuities (SessionTest *self)
{
  guint n = 0;

  for (guint i = 0; i < self->files->len; i++)
    n += get_file (self, 0, i)->cut.discontinuity;
  return n;
}

guint
session_test_count_lost (SessionTest *self, guint track)
{
  guint n = 0;

  for (guint i = 0; i < self->events->len; i++) {
    const TestEvent *event = get_event (self, i);

    if (event->kind == TEST_UNIT && event->track == track)
      n += event->n_written == 0;
  }
  return n;
}

void
session_test_check_nothing_lost (SessionTest *self)
{
  for (guint i = 0; i < self->tracks->len; i++)
    g_assert_cmpuint (session_test_count_lost (self, i), ==, 0);
}

void
session_test_assert_near (gint64 a, gint64 b, gint64 off)
{
  if (ABS (a - b) > off)
    g_error ("%.6f s is not %.6f s, but for %.3f s", a / 1e9, b / 1e9,
        off / 1e9);
}

/* What a failed check prints. */
static void
check_time (const TestEvent *event, gint64 offset, gint64 off)
{
  if (ABS (event->got_pts - offset - event->truth) > off)
    g_error ("track %u's unit %u of %.6f s is at %.6f s", event->track,
        event->id, event->truth / 1e9, (event->got_pts - offset) / 1e9);
}

void
session_test_check_times (SessionTest *self, gint64 off)
{
  gint64 offset = AMS_TIME_NONE;

  for (guint i = 0; i < self->events->len; i++) {
    const TestEvent *event = get_event (self, i);

    if (event->n_written == 0 || event->odd)
      continue;
    if (offset == AMS_TIME_NONE)
      offset = event->got_pts - event->truth;
    check_time (event, offset, off);
  }
}

void
session_test_check_no_longer_than (SessionTest *self, gint64 extinf)
{
  for (guint i = 0; i < self->files->len; i++)
    g_assert_cmpint (session_test_extinf (self, i), <=, extinf);
}
