/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Two renditions, as the tests of a session's lanes have them. */

#pragma once

#include "session-common.h"

typedef enum
{
  SOUND_NONE,
  SOUND_OF_ALL,
  SOUND_OF_EACH,
  SOUND_ALONE, /* a rendition of its own */
  N_SOUNDS,
} Sound;

typedef struct
{
  SessionTest *test;
  guint video[2];
  guint sound[2];
  Sound with;
} Ladder;

/* Two videos of 25 Hz from 0 to @to, a keyframe every @gop frames. */
Ladder ladder_new (Sound with, gint64 to, guint gop);
/* The video is reordered: I0 P3 B1 B2 P6 B4 B5 … */
void ladder_make_b_frames (SessionTest *test, guint track, guint gop);

guint ladder_count_files (SessionTest *test, guint lane);
guint ladder_count_gaps (SessionTest *test, guint lane);
/* All units are in all their lanes, and all lanes are cut at the same times; sound
 * alone at the first frame behind these. */
void ladder_check_aligned (Ladder *self);
/* Each lane's list reaches as far as the first one's. */
void ladder_check_sums (SessionTest *test, gint64 off);
