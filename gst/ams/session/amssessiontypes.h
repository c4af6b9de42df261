/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What goes into a session, and what comes out of it. Pure, no GStreamer. */

#pragma once

#include <glib.h>

#include "cut/amscut.h"
#include "media/amstime.h"
#include "media/amsunit.h"

G_BEGIN_DECLS

/* Which clock EXT-X-PROGRAM-DATE-TIME follows. */
typedef enum
{
  AMS_DATE_PIPELINE, /* wall-clock time at the start, then the media's */
  AMS_DATE_SYSTEM, /* wall-clock time at each segment */
  AMS_DATE_REFERENCE, /* what came with the media, where there is any */
} AmsDateReference;

typedef struct
{
  gint64 target_duration; /* ns */
  gint64
      stall_timeout; /* ns: a track that sends nothing is waited for so long */
  gint64 discontinuity_threshold; /* ns */
  gboolean align_to_clock;
  gboolean request_keyframes;
  AmsDateReference date_reference;
} AmsSessionSettings;

/* A parsed access unit as it comes in. */
typedef struct
{
  AmsUnitFlags flags;
  gint64 pts, dts; /* running time, ns; AMS_TIME_NONE: missing */
  gint64 duration; /* ns, what the parser makes of it; 0: unknown */
  gint64
      seen; /* running time at which anything came of the track, though nothing
                * could be made of it yet; AMS_TIME_NONE: not known */
  gint64 arrival; /* monotonic clock, ns */
  gint64 real_time; /* wall clock at arrival, ns since 1970 UTC */
  gint64
      clock_time; /* the pipeline's running time at arrival; AMS_TIME_NONE: no clock */
  gint64 date_time; /* when it was captured, µs since 1970 UTC; 0: not said */
  gboolean discont; /* the source says that something is missing before it */
  guint16 trim_start, trim_end; /* as in AmsUnit */
  GBytes *payload; /* (transfer full) */
} AmsSessionInput;

typedef enum
{
  /* Look for an earlier recording (cut.date_time: when this one begins), and
   * answer with ams_session_started() or ams_session_fail(). */
  AMS_ACTION_START,
  AMS_ACTION_BEGIN_FILE, /* cut */
  AMS_ACTION_WRITE, /* block */
  AMS_ACTION_END_FILE, /* its first `size` bytes are a segment up to `time` */
  /* `lane` has nothing from `cut` up to `time`, where its next file begins, or
   * the next gap */
  AMS_ACTION_GAP,
  AMS_ACTION_NOT_INDEPENDENT, /* a segment of `lane` does not begin with a
                               * keyframe */
  AMS_ACTION_REQUEST_KEYFRAME, /* of `track`, at running time `time`; AMS_TIME_NONE: now */
  AMS_ACTION_NO_KEYFRAME, /* none of `track` has come for `time` ns */
  AMS_ACTION_DAMAGED, /* a unit of `track` was left out, `text` says why */
  AMS_ACTION_REFUSED, /* the tracks cannot be packaged, `text` says why */
  AMS_ACTION_END, /* the recording is over */
} AmsActionKind;

typedef struct
{
  AmsActionKind kind;
  guint lane; /* of files: whose they are */
  guint track;
  AmsCut cut;
  GBytes *block;
  guint64 size;
  /* So many of the bytes after `size` are the first of the next file, and are not
   * written again (ams_session_set_carries()). */
  guint64 carried;
  gint64 time;
  gchar *text;
} AmsAction;

static inline void
ams_action_clear (AmsAction *action)
{
  g_clear_pointer (&action->block, g_bytes_unref);
  g_clear_pointer (&action->text, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AmsAction, ams_action_clear)

/* Who wants to hear why something was decided. @text: one sentence with its
 * figures. */
typedef struct
{
  void (*tell) (gpointer user_data, const gchar *text);
  gboolean (*listens) (gpointer user_data); /* else no sentence is made */
  gpointer user_data;
} AmsStory;

G_END_DECLS
