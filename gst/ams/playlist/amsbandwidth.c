/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsbandwidth.h"

#include <math.h>

#define NS_PER_SECOND G_GUINT64_CONSTANT (1000000000)

/* Segments within one and a half target durations; more are a mistake. */
#define MAX_WINDOW 1024

/* The last hour, in stretches that leave it one by one. */
#define N_STRETCHES 60
#define STRETCH (60 * NS_PER_SECOND)

/* Percent of what is declared at which a rule is broken. */
#define PEAK_LIMIT 125
#define AVERAGE_LIMIT 110

typedef struct
{
  guint64 size; /* bytes */
  guint64 duration; /* ns */
} Amount;

struct _AmsBandwidth
{
  guint64 target; /* ns */
  GArray *window; /* of Amount: the last segments, at most 1.5 targets long */
  guint64 length;
  guint64 peak; /* bit/s */
  Amount all;
  Amount stretches[N_STRETCHES];
  guint stretch; /* the one that is being filled */
};

static void
add_amount (Amount *sum, Amount amount)
{
  sum->size += amount.size;
  sum->duration += amount.duration;
}

/* Rounded up, but not for what is only the error of a division. */
static guint64
get_rate (Amount amount)
{
  if (amount.duration == 0)
    return 0;
  return ceil (
      (gdouble) amount.size * 8 * NS_PER_SECOND / amount.duration - 1e-6);
}

/* ---- of one rendition ---- */

AmsBandwidth *
ams_bandwidth_new (guint target_duration)
{
  AmsBandwidth *self = g_new0 (AmsBandwidth, 1);

  self->window = g_array_new (FALSE, FALSE, sizeof (Amount));
  ams_bandwidth_set_target_duration (self, target_duration);
  return self;
}

void
ams_bandwidth_free (AmsBandwidth *self)
{
  g_array_unref (self->window);
  g_free (self);
}

void
ams_bandwidth_set_target_duration (AmsBandwidth *self, guint target_duration)
{
  self->target = MAX (target_duration, 1) * NS_PER_SECOND;
}

/* All runs of segments that end with the last one. A segment that is too long
 * for any run is one by itself. */
static void
raise_peak (AmsBandwidth *self)
{
  guint i = self->window->len;
  Amount run = { 0, 0 };

  while (i > 0) {
    add_amount (&run, g_array_index (self->window, Amount, i - 1));
    if (2 * run.duration > 3 * self->target && i < self->window->len)
      break;
    i--;
    if (2 * run.duration >= self->target)
      self->peak = MAX (self->peak, get_rate (run));
  }
  g_array_remove_range (self->window, 0, i);
}

static void
limit_window (AmsBandwidth *self)
{
  Amount first;

  if (self->window->len <= MAX_WINDOW)
    return;
  first = g_array_index (self->window, Amount, 0);
  add_amount (&g_array_index (self->window, Amount, 1), first);
  g_array_remove_index (self->window, 0);
}

static void
add_to_hour (AmsBandwidth *self, Amount amount)
{
  if (self->stretches[self->stretch].duration >= STRETCH) {
    self->stretch = (self->stretch + 1) % N_STRETCHES;
    self->stretches[self->stretch] = (Amount){ 0, 0 };
  }
  add_amount (&self->stretches[self->stretch], amount);
}

void
ams_bandwidth_add (AmsBandwidth *self, guint64 size, guint64 duration)
{
  const Amount amount = { size, duration };

  self->length++;
  add_amount (&self->all, amount);
  add_to_hour (self, amount);
  g_array_append_val (self->window, amount);
  limit_window (self);
  raise_peak (self);
}

void
ams_bandwidth_add_gap (AmsBandwidth *self)
{
  g_array_set_size (self->window, 0);
}

guint64
ams_bandwidth_get_length (AmsBandwidth *self)
{
  return self->length;
}

/* Where all segments together are too short for a peak, it is the average. */
static AmsBitRates
make_rates (AmsBandwidth *self, Amount amount)
{
  AmsBitRates rates = { self->peak, get_rate (amount) };

  if (self->peak == 0)
    rates.peak = get_rate (self->all);
  rates.average = MIN (rates.average, rates.peak);
  return rates;
}

AmsBitRates
ams_bandwidth_get (AmsBandwidth *self)
{
  return make_rates (self, self->all);
}

AmsBitRates
ams_bandwidth_get_recent (AmsBandwidth *self)
{
  Amount hour = { 0, 0 };

  for (guint i = 0; i < N_STRETCHES; i++)
    add_amount (&hour, self->stretches[i]);
  return make_rates (self, hour);
}

/* ---- of what plays together ---- */

void
ams_bit_rates_add_group (AmsBitRates *sum, const AmsBitRates *members, guint n)
{
  AmsBitRates largest = { 0, 0 };

  for (guint i = 0; i < n; i++) {
    largest.peak = MAX (largest.peak, members[i].peak);
    largest.average = MAX (largest.average, members[i].average);
  }
  sum->peak += largest.peak;
  sum->average += largest.average;
}

/* ---- what the playlist says ---- */

/* A tenth more, of which three digits count. */
static guint64
add_headroom (guint64 rate)
{
  guint64 unit = 1;

  rate += rate / 10;
  while (rate / unit >= 1000)
    unit *= 10;
  return (rate + unit - 1) / unit * unit;
}

static gboolean
declare (AmsDeclaredRates *self, AmsBitRates rates)
{
  const AmsBitRates before = self->declared;

  if (self->configured.peak)
    rates.peak = self->configured.peak;
  if (self->configured.average)
    rates.average = self->configured.average;
  rates.average = MIN (rates.average, rates.peak);
  self->declared = rates;
  return before.peak != rates.peak || before.average != rates.average;
}

static gboolean
is_broken (guint64 configured, guint64 declared, guint64 measured, guint limit)
{
  return !configured && measured * 100 >= declared * limit;
}

gboolean
ams_declared_rates_update (AmsDeclaredRates *self, AmsBitRates measured)
{
  AmsBitRates rates;

  if (self->declared.peak &&
      !is_broken (self->configured.peak, self->declared.peak, measured.peak,
          PEAK_LIMIT) &&
      !is_broken (self->configured.average, self->declared.average,
          measured.average, AVERAGE_LIMIT))
    return FALSE;
  rates.peak = MAX (self->declared.peak, add_headroom (measured.peak));
  rates.average = MAX (self->declared.average, add_headroom (measured.average));
  return declare (self, rates);
}

gboolean
ams_declared_rates_finish (AmsDeclaredRates *self, AmsBitRates measured)
{
  return declare (self, measured);
}
