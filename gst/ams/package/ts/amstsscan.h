/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Looks through an MPEG transport stream file that a crash left: how long is
 * it, and how much of it is whole. Hostile input. Pure, no GStreamer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint64
      usable; /* bytes up to the end of the last access unit known to be whole; 0: nothing worth keeping */
  guint64
      duration; /* ns, of those bytes: first to last PTS of the video (else audio), the last frame included; where no picture is for long, as long as there is sound */
  guint64 first_pts; /* 90 kHz, 33 bits: where that begins */
  guint64 end_pts; /* 90 kHz, 33 bits: first_pts + duration */
  gboolean has_video, has_audio;
  gboolean starts_with_tables; /* PAT, then PMT, first */
  gboolean discontinuity; /* its first packet says that it continues nothing */
  guint frames; /* PES packets of the video, else of the audio */
} AmsTsScan;

/* @complete: the file was closed properly, so its last PES is whole; else it counts only if its PES_packet_length says so, or
 * another PES of any stream begins behind it (the packets of one PES are written in a row, by this packager and by mpegtsmux in 0.1.0). Only whole, synchronised 188-byte packets count: the scan stops at the first lost sync.
 * 33-bit wrap is followed; B-frames are (the PTS are not in order). How long the last
 * audio PES lasts is read from its frames (amsaudioframes.h); of other formats, and of video, it is taken to be the median distance between frames. Returns FALSE when nothing is usable. */
gboolean ams_ts_scan (GBytes *data, gboolean complete, AmsTsScan *scan);

/* Whether two times (90 kHz, 33 bits) are less than @tolerance apart, across a wrap as well. */
gboolean ams_ts_times_are_near (guint64 a, guint64 b, guint64 tolerance);

/* How a file begins. 90 kHz, 33 bits */
typedef struct
{
  /* Of the first picture that is shown, else the first sound */
  guint64 first_pts;
  /* The PTS that the first picture would have if no packet of any track had a
   * DTS before its own; first_pts or a little later. A player that takes its
   * zero from the first packet that it reads, whichever that is, takes it no
   * later than that picture is decoded. */
  guint64 start_pts;
} AmsTsHead;

/* @data: the first bytes of a file, or all of them; an access unit that has only
 * begun counts. FALSE: there is none in them. */
gboolean ams_ts_scan_head (GBytes *data, AmsTsHead *head);

G_END_DECLS
