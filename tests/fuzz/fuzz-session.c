/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whatever comes when: each unit that was not said to be left out is in exactly
 * one file of each of its lanes, in order; files begin and end as they should, all
 * lanes have the same, and nothing comes after the end. */

#include "amsfakepackager.h"
#include "package/ts/amstspackager.h"
#include "session/amssessionprivate.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define MS G_GINT64_CONSTANT (1000000)
#define MAX_TRACKS 6
#define MAX_LANES 3
#define MAX_UNITS 20000
#define BURST 8
#define PAYLOAD 100
/* A source that waits for longer is stuck. */
#define LONGEST_WAIT (3600 * AMS_SECOND)

typedef struct
{
  const guint8 *data;
  gsize left;
} Bytes;

typedef struct
{
  gboolean video, over;
  guint lane;
  guint id;
  gint64 time, step;
} Track;

typedef struct
{
  guint track;
  gboolean damaged, key;
  guint files[MAX_LANES]; /* from 1 on */
} Unit;

typedef struct
{
  AmsCut cut;
  GByteArray *bytes;
  guint64 size;
  gint64 end;
  gboolean ended, gap;
} File;

typedef struct
{
  GArray *files; /* File */
  GByteArray *carried; /* the next file begins with it */
  gboolean dependent;
} Lane;

typedef struct
{
  AmsSession *session;
  gboolean real; /* the packager of MPEG-TS */
  gboolean slow; /* the start is answered late, or not at all */
  gboolean carries; /* the store takes over what is carried */
  gint64 target;
  gint64 clock;
  gboolean starting, started, failed, ended;
  Track tracks[MAX_TRACKS];
  guint n_tracks;
  GArray *units; /* Unit */
  Lane lanes[MAX_LANES];
  guint n_lanes;
} Player;

static guint8
take_byte (Bytes *bytes)
{
  if (bytes->left == 0)
    return 0;
  bytes->left--;
  return *bytes->data++;
}

static gint64
take_number (Bytes *bytes)
{
  guint64 number = 0;

  for (guint i = 0; i < 8; i++)
    number = number << 8 | take_byte (bytes);
  return (gint64) number;
}

/* ---- what comes out ---- */

static File *
get_file (const Lane *lane, guint i)
{
  return &g_array_index (lane->files, File, i);
}

static File *
get_open_file (const Lane *lane)
{
  g_assert_cmpuint (lane->files->len, >, 0);
  g_assert_false (get_file (lane, lane->files->len - 1)->ended);
  return get_file (lane, lane->files->len - 1);
}

static void
add_file (Player *p, const AmsAction *action)
{
  Lane *lane = &p->lanes[action->lane];
  File file = { action->cut, NULL, 0, action->time, FALSE, FALSE };

  g_assert_true (p->started && !p->failed);
  if (lane->files->len > 0)
    g_assert_true (get_file (lane, lane->files->len - 1)->ended);
  if (action->kind == AMS_ACTION_GAP)
    file.ended = file.gap = TRUE;
  else
    file.bytes = g_steal_pointer (&lane->carried);
  if (file.bytes)
    lane->carried = g_byte_array_new ();
  g_array_append_val (lane->files, file);
}

static void
end_file (Player *p, const AmsAction *action)
{
  Lane *lane = &p->lanes[action->lane];
  File *file = get_open_file (lane);

  g_assert_cmpuint (action->size, <=, file->bytes->len);
  g_assert_cmpuint (action->size, >, 0);
  g_assert_cmpint (action->time, >, file->cut.pts);
  g_assert_cmpuint (action->carried, ==,
      p->carries ? file->bytes->len - action->size : 0);
  g_byte_array_append (lane->carried, file->bytes->data + action->size,
      action->carried);
  file->ended = TRUE;
  file->size = action->size;
  file->end = action->time;
}

static void
write_block (Player *p, const AmsAction *action)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (action->block, &size);

  g_byte_array_append (get_open_file (&p->lanes[action->lane])->bytes, data,
      size);
}

static void
perform (Player *p, const AmsAction *action)
{
  g_assert_false (p->ended);
  switch (action->kind) {
    case AMS_ACTION_START:
      g_assert_false (p->started);
      p->started = p->starting = TRUE;
      break;
    case AMS_ACTION_BEGIN_FILE:
    case AMS_ACTION_GAP:
      add_file (p, action);
      break;
    case AMS_ACTION_WRITE:
      write_block (p, action);
      break;
    case AMS_ACTION_END_FILE:
      end_file (p, action);
      break;
    case AMS_ACTION_NOT_INDEPENDENT:
      g_assert_false (p->lanes[action->lane].dependent);
      p->lanes[action->lane].dependent = TRUE;
      break;
    case AMS_ACTION_REQUEST_KEYFRAME:
      if (action->time != AMS_TIME_NONE)
        ams_session_set_keyframes_on_request (p->session, action->track,
            p->slow);
      break;
    case AMS_ACTION_END:
      p->ended = TRUE;
      break;
    default:
      break;
  }
}

static void
run (Player *p)
{
  AmsAction action;

  while (ams_session_next (p->session, &action)) {
    perform (p, &action);
    ams_action_clear (&action);
  }
}

/* ---- what comes in ---- */

static void
answer (Player *p, gboolean fails)
{
  if (!p->starting)
    return;
  p->starting = FALSE;
  p->failed = fails;
  if (fails)
    ams_session_fail (p->session);
  else
    ams_session_started (p->session, p->target, AMS_TIME_NONE);
  run (p);
}

static void
let_pass (Player *p, gint64 time)
{
  p->clock += time;
  ams_session_tick (p->session, p->clock);
  run (p);
}

static void
wait_for_room (Player *p, guint id)
{
  gint64 since = p->clock;

  while (ams_session_is_full (p->session, id)) {
    answer (p, FALSE);
    let_pass (p, AMS_SECOND / 4);
    g_assert_cmpint (p->clock - since, <, LONGEST_WAIT);
  }
}

static void
set_form (Player *p, Track *track, guint8 form, gboolean over)
{
  g_autoptr (GBytes) config = p->real ? NULL : g_bytes_new (&form, 1);
  g_autoptr (AmsTrack) made = ams_track_new (0,
      track->video ? AMS_CODEC_MPEG2_VIDEO : AMS_CODEC_AC3, config);

  g_assert_true (
      ams_session_set_track (p->session, track->id, made, over, NULL));
}

/* @lane: more than there are: of all */
static void
add_track (Player *p, gboolean video, guint lane)
{
  Track *track = &p->tracks[p->n_tracks];

  if (p->n_tracks == MAX_TRACKS)
    return;
  p->n_tracks++;
  track->video = video;
  track->over = p->session->finished;
  track->step = (video ? 200 : 90) * MS;
  track->time = p->clock;
  track->lane = video     ? lane % p->n_lanes
      : lane < p->n_lanes ? lane
                          : AMS_SESSION_ALL_LANES;
  track->id = ams_session_add_track (p->session,
      video ? AMS_TRACK_VIDEO : AMS_TRACK_AUDIO, track->lane);
  set_form (p, track, 1, FALSE);
}

static gint64
bend (gint64 time, Bytes *bytes)
{
  guint8 kind = take_byte (bytes);

  switch (kind & 7) {
    case 0:
      return AMS_TIME_NONE;
    case 1:
      return take_number (bytes);
    case 2:
    case 3:
      return time + (gint8) take_byte (bytes) * 10000 * MS;
    case 4:
      return time + (kind & 8 ? 1 : -1) * AMS_TIME_MAP_WRAP;
    default:
      return time + (gint8) take_byte (bytes) * 50 * MS;
  }
}

/* What the bits of @how change. */
static void
add_unit (Player *p, guint t, guint8 how, Bytes *bytes)
{
  Track *track = &p->tracks[t];
  Unit unit = { t, (how & 0xe0) == 0xe0, !track->video || (how & 1), { 0 } };
  AmsSessionInput input = { 0 };

  if (p->units->len == MAX_UNITS || track->over || p->ended || p->failed)
    return;
  wait_for_room (p, track->id);
  if (p->ended)
    return;
  input.flags = unit.key ? AMS_UNIT_KEY : how & 2 ? AMS_UNIT_RECOVERY : 0;
  input.pts = how & 4 ? bend (track->time, bytes) : track->time;
  input.dts = how & 8 ? AMS_TIME_NONE : input.pts;
  input.dts = (how & 12) == 12 ? bend (track->time, bytes) : input.dts;
  input.duration = how & 16 ? take_number (bytes) : track->step;
  input.discont = (how & 0x60) == 0x60;
  input.seen = AMS_TIME_NONE;
  input.arrival = p->clock;
  input.real_time = p->clock;
  input.clock_time = p->clock;
  input.payload =
      ams_fake_payload_new (p->units->len, unit.damaged && !p->real, PAYLOAD);
  track->time += track->step;
  g_array_append_val (p->units, unit);
  ams_session_take (p->session, track->id, &input);
  run (p);
}

/* A while in which all is as it should be. */
static void
add_burst (Player *p, guint t, Bytes *bytes)
{
  for (guint i = 0; i < BURST; i++) {
    add_unit (p, t, i == 0, bytes);
    p->clock += p->tracks[t].step / (t + 1);
  }
}

static void
end_track (Player *p, Track *track, gboolean removed)
{
  track->over = TRUE;
  if (removed)
    ams_session_remove_track (p->session, track->id);
  else
    ams_session_end_track (p->session, track->id);
}

/* What comes later is not taken. */
static void
finish_tracks (Player *p)
{
  for (guint i = 0; i < p->n_tracks; i++)
    p->tracks[i].over = TRUE;
  ams_session_finish (p->session);
}

static void
happen (Player *p, guint8 kind, Bytes *bytes)
{
  guint t = (kind >> 4) % p->n_tracks;
  Track *track = &p->tracks[t];

  switch (kind & 15) {
    case 0:
      let_pass (p, take_byte (bytes) * 50 * MS);
      break;
    case 1:
      track->time += (gint8) take_byte (bytes) * 200 * MS;
      break;
    case 2:
      ams_session_take_gap (p->session, track->id, bend (track->time, bytes),
          p->clock);
      break;
    case 3:
      ams_session_expect_jump (p->session, track->id);
      break;
    case 4:
      ams_session_split_now (p->session);
      break;
    case 5:
      end_track (p, track, kind & 128);
      break;
    case 6:
      add_track (p, kind & 16, (kind >> 5) % (p->n_lanes + 1));
      break;
    case 7:
      set_form (p, track, kind, kind & 64);
      break;
    case 8:
      answer (p, kind == 0xf8);
      break;
    case 9:
      if (kind == 0xf9)
        finish_tracks (p);
      break;
    case 10:
    case 11:
    case 12:
      add_unit (p, t, take_byte (bytes), bytes);
      break;
    default:
      add_burst (p, t, bytes);
      break;
  }
  run (p);
  if (!p->slow)
    answer (p, FALSE);
}

/* ---- reading back ---- */

static gboolean
is_of (const Player *p, const Unit *unit, guint lane)
{
  guint of = p->tracks[unit->track].lane;

  return of == lane || of == AMS_SESSION_ALL_LANES;
}

static void
read_unit (Player *p, guint lane, guint file, const AmsFakeRecord *record,
    guint *last)
{
  Unit *unit;

  g_assert_cmpuint (record->id, <, p->units->len);
  unit = &g_array_index (p->units, Unit, record->id);
  g_assert_true (is_of (p, unit, lane));
  g_assert_cmpuint (unit->files[lane], ==, 0);
  unit->files[lane] = file + 1;
  g_assert_cmpuint (
      ams_session_get_track (p->session, p->tracks[unit->track].id)->number, ==,
      record->track);
  /* In order; the packager has looked at the times. */
  if (last[unit->track] != G_MAXUINT)
    g_assert_cmpuint (record->id, >, last[unit->track]);
  last[unit->track] = record->id;
}

static void
read_file (Player *p, guint lane, guint i, guint32 *counter, guint *last)
{
  const File *file = get_file (&p->lanes[lane], i);
  guint n;
  const AmsFakeRecord *records =
      ams_fake_read (file->bytes->data, file->size, &n);

  for (guint j = 0; j < n; j++) {
    g_assert_cmpuint (records[j].counter, ==, (*counter)++);
    if (j == 0)
      g_assert_cmpuint (records[j].tracks, !=, 0);
    else if (records[j].tracks != 0)
      g_assert_cmpuint (records[j].tracks, ==, records[0].tracks);
    else
      read_unit (p, lane, i, &records[j], last);
  }
}

static void
read_files (Player *p, guint lane)
{
  guint last[MAX_TRACKS];
  guint32 counter = 0;

  for (guint i = 0; i < MAX_TRACKS; i++)
    last[i] = G_MAXUINT;
  for (guint i = 0; i < p->lanes[lane].files->len; i++)
    if (!get_file (&p->lanes[lane], i)->gap)
      read_file (p, lane, i, &counter, last);
}

static void
check_files (Player *p, const Lane *lane)
{
  for (guint i = 0; i < lane->files->len; i++) {
    const File *file = get_file (lane, i);
    const File *next = i + 1 < lane->files->len ? get_file (lane, i + 1) : NULL;

    g_assert_true (file->ended);
    g_assert_cmpint (file->end, >, file->cut.pts);
    if (p->real && !file->gap)
      g_assert_cmpuint (file->size % 188, ==, 0);
    if (next && next->cut.discontinuity)
      g_assert_cmpint (file->end, <=, next->cut.pts);
    else if (next)
      g_assert_cmpint (file->end, ==, next->cut.pts);
  }
}

/* From the first of each lane on. */
static void
check_same (Player *p, const Lane *lane)
{
  const Lane *longest = &p->lanes[0];

  for (guint i = 1; i < p->n_lanes; i++)
    if (p->lanes[i].files->len > longest->files->len)
      longest = &p->lanes[i];
  for (guint i = 1; i <= lane->files->len; i++) {
    guint n = longest->files->len - i;
    const AmsCut *cut = &get_file (lane, lane->files->len - i)->cut;

    g_assert_cmpuint (cut->index, ==, n);
    g_assert_cmpint (cut->discontinuity, ==,
        get_file (longest, n)->cut.discontinuity);
  }
}

/* Of the units that are in no file, how many were said to be left out. */
static void
check_missing (Player *p, guint lane)
{
  guint64 said = ams_session_get_lane (p->session, lane)->left_out;
  guint64 missing = 0, damaged = 0;

  for (guint i = 0; i < p->n_tracks; i++)
    if (p->tracks[i].lane == lane || p->tracks[i].lane == AMS_SESSION_ALL_LANES)
      said += ams_session_get_track (p->session, p->tracks[i].id)->dropped;
  for (guint i = 0; i < p->units->len; i++) {
    const Unit *unit = &g_array_index (p->units, Unit, i);

    if (!is_of (p, unit, lane))
      continue;
    missing += unit->files[lane] == 0;
    damaged += unit->damaged;
  }
  g_assert_cmpuint (missing, >=, said);
  g_assert_cmpuint (missing, <=, said + damaged);
}

/* Of two videos one may be anywhere when the other is cut at. */
static guint
count_videos (Player *p, guint lane)
{
  guint n = 0;

  for (guint i = 0; i < p->n_tracks; i++)
    n += p->tracks[i].video && p->tracks[i].lane == lane;
  return n;
}

static void
check_independence (Player *p, guint lane)
{
  g_autofree gboolean *seen = g_new0 (gboolean, p->lanes[lane].files->len + 1);

  for (guint i = 0; i < p->units->len; i++) {
    const Unit *unit = &g_array_index (p->units, Unit, i);

    if (unit->files[lane] == 0 || !p->tracks[unit->track].video)
      continue;
    g_assert_true (seen[unit->files[lane]] || unit->key);
    seen[unit->files[lane]] = TRUE;
  }
}

static void
check_lane (Player *p, guint lane)
{
  check_files (p, &p->lanes[lane]);
  check_same (p, &p->lanes[lane]);
  if (p->real || p->failed)
    return;
  read_files (p, lane);
  check_missing (p, lane);
  if (!p->lanes[lane].dependent && count_videos (p, lane) == 1)
    check_independence (p, lane);
}

/* ---- a run ---- */

static void
tell (gpointer user_data, const gchar *text)
{
  g_printerr ("%9.3f %s\n", ((Player *) user_data)->clock / 1e9, text);
}

static gboolean
listens (gpointer user_data)
{
  return g_getenv ("SESSION_STORY") != NULL;
}

static void
add_lane (Player *p)
{
  Lane *lane = &p->lanes[p->n_lanes++];

  lane->files = g_array_new (FALSE, TRUE, sizeof (File));
  lane->carried = g_byte_array_new ();
  ams_session_add_lane (p->session,
      p->real ? ams_ts_packager_new () : ams_fake_packager_new (),
      p->real ? AMS_TS_BLOCK_SIZE : AMS_FAKE_BLOCK_SIZE);
}

static void
player_init (Player *p, guint8 how, guint n_lanes)
{
  const AmsStory story = { tell, listens, p };
  AmsSessionSettings settings = { 0 };

  p->real = how & 1;
  p->slow = (how & 2) != 0;
  p->carries = (how & 64) != 0;
  p->target = settings.target_duration = (1 + (how >> 2 & 3)) * AMS_SECOND;
  settings.stall_timeout = settings.discontinuity_threshold = 2 * AMS_SECOND;
  settings.align_to_clock = (how & 16) != 0;
  settings.request_keyframes = (how & 32) != 0;
  settings.date_reference = (how >> 6) % 3;
  p->units = g_array_new (FALSE, TRUE, sizeof (Unit));
  p->clock = 1000 * AMS_SECOND;
  p->session = ams_session_new (&settings, &story);
  while (p->n_lanes < n_lanes)
    add_lane (p);
  ams_session_set_carries (p->session, p->carries);
}

static void
player_clear (Player *p)
{
  for (guint i = 0; i < p->n_lanes; i++) {
    for (guint j = 0; j < p->lanes[i].files->len; j++)
      g_clear_pointer (&get_file (&p->lanes[i], j)->bytes, g_byte_array_unref);
    g_array_unref (p->lanes[i].files);
    g_byte_array_unref (p->lanes[i].carried);
  }
  g_array_unref (p->units);
  ams_session_free (p->session);
}

static void
finish (Player *p)
{
  ams_session_finish (p->session);
  run (p);
  answer (p, FALSE);
  g_assert_true (p->ended);
  g_assert_true (ams_session_has_ended (p->session));
  for (guint i = 0; i < p->n_lanes; i++)
    check_lane (p, i);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  Bytes bytes = { data, size };
  Player p = { 0 };

  guint8 how = take_byte (&bytes), what = take_byte (&bytes);

  player_init (&p, how, 1 + (what >> 1 & 3) % MAX_LANES);
  for (guint i = 0; i < p.n_lanes; i++)
    add_track (&p, TRUE, i);
  if (what & 1)
    add_track (&p, FALSE, (what >> 3) % (p.n_lanes + 1));
  while (bytes.left > 0 && !p.ended)
    happen (&p, take_byte (&bytes), &bytes);
  /* Not each is brought to its end. */
  if (size % 16 != 15)
    finish (&p);
  player_clear (&p);
  return 0;
}
