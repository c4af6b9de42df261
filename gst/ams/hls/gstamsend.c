/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsend.h"

#include "package/ts/amstsscan.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_hls_sink_debug);
#define GST_CAT_DEFAULT gst_ams_hls_sink_debug

/* Bytes. The tables and the first packets of each track are in them, unless the
 * first picture is larger; then its time stamps are. */
#define HEAD_SIZE (64 * 1024)

/* Bytes: a store that cannot read the beginning of a file alone reads all. */
#define MAX_WHOLE_SIZE (64 * 1024 * 1024)

/* Gaps at the beginning of the list that are passed over. */
#define MAX_GAPS 64

typedef struct
{
  AmsRecording *recording;
  const GstAmsStores *stores;
  const GstAmsFound *found;
  gboolean remote_is_away;
} Reader;

static gchar *
dup_name (const Reader *self, const AmsPlaylistParsedSegment *segment)
{
  return ams_recovery_dup_name (self->found->earlier, segment,
      ams_recording_get_playlist_name (self->recording),
      ams_recording_get_config (self->recording)->playlist_root);
}

static gboolean
ask_head (GstPad *pad, const gchar *name, AmsTsHead *head, gboolean *away)
{
  g_auto (GstAmsAnswers) answers = {
    0,
  };

  gst_ams_ask_head (pad, name, HEAD_SIZE, MAX_WHOLE_SIZE, &answers);
  *away |= answers.failed != NULL;
  return answers.found->len > 0 &&
      ams_ts_scan_head (g_ptr_array_index (answers.found, 0), head);
}

/* FALSE: it cannot be had now, or nothing is to be made out in it. */
static gboolean
read_head (Reader *self, const gchar *name, AmsTsHead *head)
{
  gboolean failed = FALSE;

  return ask_head (self->stores->local, name, head, &failed) ||
      (!self->remote_is_away &&
          ask_head (self->stores->remote, name, head, &self->remote_is_away));
}

/* The first listed segment that is no gap. (transfer full) (nullable)
 * @skipped: the EXTINFs before it */
static gchar *
find_first (const Reader *self, guint64 *skipped)
{
  g_autoptr (AmsPlaylistIter) lines =
      ams_playlist_iter_new (self->found->earlier, 0);
  const AmsPlaylistParsedSegment *line;
  guint gaps = 0;

  *skipped = 0;
  while ((line = ams_playlist_iter_next (lines)) && line->gap) {
    *skipped += line->duration;
    if (++gaps > MAX_GAPS)
      return NULL;
  }
  return line ? dup_name (self, line) : NULL;
}

static void
read_first (Reader *self, AmsEnd *end)
{
  guint64 skipped;
  g_autofree gchar *name = find_first (self, &skipped);
  AmsTsHead head;

  if (!name || !read_head (self, name, &head))
    return;
  GST_LOG ("\"%s\", the first segment that can be read, begins at PTS "
           "%" G_GUINT64_FORMAT,
      name, head.start_pts);
  end->first_pts = head.start_pts;
  end->skipped = skipped;
}

/* Its EXTINF says how long it is: the rest of it need not be read. */
static void
read_last (Reader *self, AmsEnd *end)
{
  const AmsPlaylistParsedSegment *last = &self->found->earlier->last;
  g_autofree gchar *name = last->gap ? NULL : dup_name (self, last);
  AmsTsHead head;

  if (!name || !read_head (self, name, &head))
    return;
  GST_LOG ("\"%s\", the last segment, begins at PTS %" G_GUINT64_FORMAT, name,
      head.first_pts);
  end->end_pts = ams_end_add_time (head.first_pts, last->duration);
}

void
gst_ams_end_ask (AmsRecording *recording, const GstAmsStores *stores,
    const GstAmsFound *found, AmsEnd *end)
{
  Reader reader = { recording, stores, found, found->remote.failed != NULL };

  if (!found->earlier || found->earlier->n_segments == 0)
    return;
  end->first_pts = AMS_PTS_UNKNOWN;
  read_first (&reader, end);
  if (end->end_pts == AMS_PTS_UNKNOWN)
    read_last (&reader, end);
  ams_end_add (end, found->earlier->duration, end->end_pts);
}

void
gst_ams_end_add (AmsEnd *end, guint64 duration, guint64 end_pts, GBytes *data)
{
  AmsTsHead head;

  if (end->duration == 0 && ams_ts_scan_head (data, &head))
    end->first_pts = head.start_pts;
  ams_end_add (end, duration, end_pts);
}

gint64
gst_ams_end_decide (const AmsEnd *end)
{
  gint64 time = ams_end_time (end);

  if (time == AMS_TIME_NONE)
    GST_DEBUG ("no earlier segment says where time stamps go on");
  else
    GST_DEBUG ("time stamps go on at %" GST_TIME_FORMAT
               ": the first segment begins at PTS %" G_GINT64_FORMAT
               " (-1: unknown), all listed since %" GST_TIME_FORMAT
               " before it last %" GST_TIME_FORMAT
               ", and the last one ends at PTS %" G_GINT64_FORMAT,
        GST_TIME_ARGS (time), (gint64) end->first_pts,
        GST_TIME_ARGS (end->skipped), GST_TIME_ARGS (end->duration),
        (gint64) end->end_pts);
  return time;
}
