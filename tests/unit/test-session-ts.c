/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A session with the real packager: its files are whole MPEG-TS segments, counters
 * and clocks go on over late cuts, stalls and joins, and every unit is in them. */

#include "package/ts/amstspackager.h"
#include "session-common.h"
#include "ts-reader.h"

#define TICKS(time) ((guint64) ((time) *9 / 100000))

/* The reader asserts that each segment has tables first and counters that go on. */
static TsReader *
read_all (SessionTest *test)
{
  TsReader *reader = ts_reader_new ();

  for (guint i = 0; i < test->files->len; i++) {
    const TestFile *file = session_test_file (test, i);
    guint n = reader->clocks->len;

    ts_reader_read (reader, file->bytes->data, file->size);
    /* Each segment has a clock, also one of sound only. */
    g_assert_cmpuint (reader->clocks->len, >, n);
  }
  return reader;
}

static guint
count_units (SessionTest *test, guint track)
{
  guint n = 0;

  for (guint i = 0; i < test->events->len; i++) {
    const TestEvent *event = g_ptr_array_index (test->events, i);

    n += event->kind == TEST_UNIT && event->track == track;
  }
  return n;
}

static gboolean
is_video (const ReadPes *pes)
{
  return pes->stream_id >= 0xe0 && pes->stream_id <= 0xef;
}

/* Pictures: each once, with the time stamps that it has. */
static void
check_pictures (SessionTest *test, TsReader *reader, guint video)
{
  guint n = 0, k = 0;

  for (guint i = 0; i < reader->pes->len; i++)
    n += is_video (g_ptr_array_index (reader->pes, i));
  g_assert_cmpuint (n, ==, count_units (test, video));
  n = 0;
  for (guint i = 0; i < test->events->len; i++) {
    const TestEvent *event = g_ptr_array_index (test->events, i);
    const ReadPes *pes;

    if (event->kind != TEST_UNIT || event->track != video)
      continue;
    do
      pes = g_ptr_array_index (reader->pes, k++);
    while (!is_video (pes));
    g_assert_cmpuint (pes->pts, ==,
        TICKS (event->truth - test->start_pts + AMS_TS_TIME_BASE));
    n++;
  }
}

/* Bytes of sound: each frame once. */
static void
check_sound (SessionTest *test, TsReader *reader, guint sound)
{
  gsize size = 0;

  for (guint i = 0; i < reader->pes->len; i++) {
    const ReadPes *pes = g_ptr_array_index (reader->pes, i);

    if (!is_video (pes))
      size += pes->payload->len;
  }
  g_assert_cmpuint (size, ==, 100 * count_units (test, sound));
}

typedef struct
{
  const gchar *name;
  gint64 last_key; /* keyframes every 3 s until then */
  gint64 hole_from, hole_to; /* no pictures */
} TsCase;

static const TsCase ts_cases[] = {
  { "usual", 60 * SECOND, 0, 0 },
  { "late-keyframe", 9 * SECOND, 0, 0 },
  { "stall", 60 * SECOND, 10 * SECOND, 30 * SECOND },
  { "stall-mid-gop", 60 * SECOND, 10 * SECOND, 19 * SECOND },
};

static void
play_ts (const TsCase *this, gboolean as_file, gboolean carries)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);
  guint sound = session_test_add_sound (test);
  g_autoptr (TsReader) reader = NULL;

  session_test_video (test, video, 0, 60 * SECOND, 75);
  for (guint i = 0; i < test->events->len; i++) {
    TestEvent *event = g_ptr_array_index (test->events, i);

    if (event->kind == TEST_UNIT && event->truth > this->last_key)
      event->flags = 0;
  }
  session_test_sound (test, sound, 0, 60 * SECOND);
  session_test_cut_out (test, video, this->hole_from, this->hole_to);
  test->as_ts = TRUE;
  test->as_file = as_file;
  test->carries = carries;
  session_test_play (test);
  reader = read_all (test);
  check_pictures (test, reader, video);
  check_sound (test, reader, sound);
  session_test_assert_near (session_test_sum (test), 60 * SECOND, FRAME);
}

static void
test_ts_whole (gconstpointer data)
{
  play_ts (data, FALSE, FALSE);
  play_ts (data, TRUE, FALSE);
  play_ts (data, FALSE, TRUE);
}

static void
test_ts_tracks_come_and_go (void)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);
  g_autoptr (TsReader) reader = NULL;

  session_test_video (test, video, 0, 60 * SECOND, 50);
  for (guint i = 0; i < 4; i++) {
    gint64 from = (5 + i * 12) * SECOND, to = from + 7 * SECOND;
    guint sound = session_test_join (test, FALSE, from);

    session_test_sound (test, sound, from, to);
    session_test_event (test, TEST_REMOVE, sound, to);
  }
  test->as_ts = TRUE;
  session_test_play (test);
  reader = read_all (test);
  check_pictures (test, reader, video);
  session_test_assert_near (session_test_sum (test), 60 * SECOND, FRAME);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (ts_cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/session/ts/%s", ts_cases[i].name);
    g_test_add_data_func (path, &ts_cases[i], test_ts_whole);
  }
  g_test_add_func ("/session/ts/come-and-go", test_ts_tracks_come_and_go);
  return g_test_run ();
}
