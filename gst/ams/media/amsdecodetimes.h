/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Decoding times for a video that comes with presentation times alone, as RTP
 * and Matroska carry it. Pure, no GStreamer, not thread-safe.
 *
 * With a reorder depth of d pictures, the n-th picture in decoding order is
 * decoded when the (n - d)-th is shown. Where nothing says what d is, it is
 * learnt from the pictures: all decoding times are then AMS_DECODE_TIMES_SLACK
 * early, for those of the pictures that taught it to be still in time. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define AMS_DECODE_TIMES_SLACK (300 * G_GINT64_CONSTANT (1000000)) /* ns */
#define AMS_DECODE_TIMES_MAX_DEPTH 16
#define AMS_DECODE_TIMES_UNKNOWN G_MAXUINT

typedef struct _AmsDecodeTimes AmsDecodeTimes;

/* @depth: pictures that may be decoded before one that is shown before them;
 * AMS_DECODE_TIMES_UNKNOWN: to be learnt. */
AmsDecodeTimes *ams_decode_times_new (guint depth);
void ams_decode_times_free (AmsDecodeTimes *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsDecodeTimes, ams_decode_times_free)

/* @pts: ns, of the next picture in decoding order. @duration: ns that a picture
 * is shown, 0 if unknown. Returns: its decoding time, later than the one before
 * it and, as far as that allows, not later than @pts. */
gint64 ams_decode_times_next (AmsDecodeTimes *self, gint64 pts,
    gint64 duration);

/* The next picture does not continue those before it. */
void ams_decode_times_restart (AmsDecodeTimes *self);

G_END_DECLS
