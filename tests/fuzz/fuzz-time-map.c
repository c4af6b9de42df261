/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whatever times come, each unit comes back once and in order, few are kept
 * back, the time line does not go back, and nothing overflows. */

#include <string.h>

#include "media/amstimemap.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define N_TRACKS 3
#define MAX_KEPT_BACK 3
#define MS G_GINT64_CONSTANT (1000000)
#define MAX_TIME (G_GINT64_CONSTANT (1) << 61)
#define MAX_LINE ((G_GINT64_CONSTANT (1) << 62) - 1)

typedef struct
{
  const guint8 *data;
  gsize left;
} Bytes;

typedef struct
{
  AmsTimeMap *map;
  gint64 clock;
  gint64 time[N_TRACKS]; /* the last that was added */
  guint n_added[N_TRACKS];
  guint n_placed[N_TRACKS];
  gint64 high[N_TRACKS];
  GArray *inputs[N_TRACKS]; /* AmsTimeMapInput */
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

/* Small steps are more often than others, as are those across a wrap. */
static gint64
take_time (Bytes *bytes, gint64 last)
{
  guint8 kind = take_byte (bytes);
  gint64 near = CLAMP (last, -MAX_TIME, MAX_TIME);

  switch (kind & 7) {
    case 0:
      return AMS_TIME_NONE;
    case 1:
      return take_number (bytes);
    case 2:
      return near + (gint8) take_byte (bytes) * 100 * MS;
    case 3:
      return near + (gint8) take_byte (bytes) * 100000 * MS;
    case 4:
      return near + (kind & 8 ? 1 : -1) * AMS_TIME_MAP_WRAP + 40 * MS;
    default:
      return near + 40 * MS;
  }
}

static void
check_placed (Player *p, const AmsTimeMapPlaced *placed)
{
  guint i = placed->track, n = GPOINTER_TO_UINT (placed->unit);
  const AmsTimeMapInput *in =
      &g_array_index (p->inputs[i], AmsTimeMapInput, n - 1);
  gboolean missing = in->time < -MAX_TIME || in->time > MAX_TIME;

  g_assert_cmpuint (n, ==, ++p->n_placed[i]);
  g_assert_cmpint (placed->offset, ==, missing ? 0 : placed->time - in->time);
  g_assert_true (placed->hole >= 0);
  g_assert_false (missing && placed->bad);
  if (n > 1 && in->reorders)
    g_assert_cmpint (placed->time, >=, p->high[i] - AMS_TIME_MAP_REORDERING);
  else if (n > 1 && p->high[i] < MAX_LINE)
    g_assert_cmpint (placed->time, >, p->high[i]);
  p->high[i] = n == 1 ? placed->time : MAX (p->high[i], placed->time);
}

static void
drain (Player *p)
{
  AmsTimeMapPlaced placed;

  while (ams_time_map_next (p->map, &placed))
    check_placed (p, &placed);
  for (guint i = 0; i < N_TRACKS; i++)
    g_assert_cmpuint (p->n_added[i] - p->n_placed[i], <=, MAX_KEPT_BACK);
}

static void
add (Player *p, guint i, guint8 flags, Bytes *bytes)
{
  AmsTimeMapInput in = { 0 };

  in.time = take_time (bytes, p->time[i]);
  if (in.time != AMS_TIME_NONE)
    p->time[i] = in.time;
  in.duration = flags & 1 ? take_number (bytes) : 40 * MS;
  in.arrival = p->clock;
  in.reorders = (flags & 2) != 0;
  in.discont = (flags & 4) != 0;
  in.unit = GUINT_TO_POINTER (++p->n_added[i]);
  g_array_append_val (p->inputs[i], in);
  ams_time_map_add (p->map, &in, i);
}

static void
pass_time (Player *p, guint8 how, Bytes *bytes)
{
  gint64 near = CLAMP (p->clock, -MAX_TIME, MAX_TIME);

  p->clock = how & 1 ? take_number (bytes) : near + take_byte (bytes) * 10 * MS;
  ams_time_map_tick (p->map, p->clock);
}

static void
play (Player *p, Bytes *bytes)
{
  guint8 kind = take_byte (bytes);
  guint track = (kind >> 3) % N_TRACKS;

  switch (kind & 7) {
    case 0:
      pass_time (p, kind >> 5, bytes);
      break;
    case 1:
      ams_time_map_expect_jump (p->map, track);
      break;
    case 2:
      ams_time_map_end_track (p->map, track);
      break;
    default:
      add (p, track, kind >> 5, bytes);
  }
  drain (p);
}

/* Once all have waited, none is kept back. */
static void
end (Player *p, gboolean by_tick)
{
  gint64 deadline;

  while (by_tick &&
      (deadline = ams_time_map_get_deadline (p->map)) != AMS_TIME_NONE)
    ams_time_map_tick (p->map, deadline);
  for (guint i = 0; i < N_TRACKS && !by_tick; i++)
    ams_time_map_end_track (p->map, i);
  drain (p);
  for (guint i = 0; i < N_TRACKS; i++)
    g_assert_cmpuint (p->n_placed[i], ==, p->n_added[i]);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  Bytes bytes = { data, size };
  Player p;

  memset (&p, 0, sizeof p);
  p.map = ams_time_map_new (take_byte (&bytes) * 10 * MS);
  for (guint i = 0; i < N_TRACKS; i++) {
    ams_time_map_add_track (p.map);
    p.inputs[i] = g_array_new (FALSE, FALSE, sizeof (AmsTimeMapInput));
  }
  while (bytes.left > 0)
    play (&p, &bytes);
  end (&p, size & 1);
  for (guint i = 0; i < N_TRACKS; i++)
    g_array_unref (p.inputs[i]);
  ams_time_map_free (p.map);
  return 0;
}
