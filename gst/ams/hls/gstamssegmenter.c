/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* All of this runs in the muxer's streaming thread, but for what the stores send
 * upstream, which goes straight to the publisher.
 *
 * Packets are gathered into blocks, which go out when they are full or a quarter of a
 * second old: a crash loses no more than what is in one. What was sent since
 * the last candidate for a cut is kept by reference, to be sent again as the
 * beginning of the next file if the cut turns out to have been there. */

#include "config.h"

#include "gstamssegmenter.h"

#include <gst/video/video.h>
#include <string.h>

#include "files/amsfiles.h"
#include "gstamscut.h"

GST_DEBUG_CATEGORY_STATIC (gst_ams_segmenter_debug);
#define GST_CAT_DEFAULT gst_ams_segmenter_debug

#define PACKET_SIZE 188
#define BLOCK_SIZE (AMS_FILES_BLOCK_SIZE - AMS_FILES_BLOCK_SIZE % PACKET_SIZE)

/* µs. With what the muxer and the queues hold, well below the second that a
 * crash may cost. */
#define BLOCK_AGE (G_USEC_PER_SEC / 4)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("video/mpegts, systemstream=(boolean)true, "
                         "packetsize=(int)188"));
static GstStaticPadTemplate local_template = GST_STATIC_PAD_TEMPLATE ("local",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (AMS_FILES_CAPS));
static GstStaticPadTemplate remote_template = GST_STATIC_PAD_TEMPLATE ("remote",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (AMS_FILES_CAPS));

typedef struct
{
  GstAmsCut cut;
  guint64 offset; /* in the open file */
  gboolean lacks_tables; /* no PAT and PMT of its own */
  guint8 tables[2 * PACKET_SIZE]; /* the last before it */
} Candidate;

struct _GstAmsSegmenter
{
  GstElement parent;

  GstPad *sinkpad, *local, *remote;
  GstAmsPublisher *publisher;

  /* streaming thread */
  GstFlowReturn flow; /* of what an event made: the next packet returns it */
  GByteArray *block;
  gint64 block_since; /* monotonic µs */
  guint64 file_size; /* bytes of the open file that were sent */
  gint64 begun; /* its first frame's time */
  /* Cuts that wait for their packet, the audio's [0] and the video's [1]: the muxer
   * lets an event through when it is first on its pad, so the video's may come before an
   * earlier one of the audio. */
  GstAmsCut pending[2];
  gboolean has_pending[2];
  gboolean armed; /* the force-key-unit has come: the video's packet is next */
  GArray *candidates; /* Candidate, in order */
  GPtrArray *since_candidate; /* GstBuffer, since the first of them */
  gint64 end; /* of the recording, when it is known */
  guint8 pat[PACKET_SIZE], pmt[PACKET_SIZE];
  gboolean has_pat, has_pmt;
  guint16 pmt_pid;
};

G_DEFINE_TYPE (GstAmsSegmenter, gst_ams_segmenter, GST_TYPE_ELEMENT);

/* ---- files ---- */

/* What is gathered goes out. */
static GstFlowReturn
flush_block (GstAmsSegmenter *self)
{
  GstBuffer *buffer;
  gsize size = self->block->len;

  self->block_since = g_get_monotonic_time ();
  if (size == 0)
    return GST_FLOW_OK;
  buffer =
      gst_buffer_new_wrapped (g_byte_array_free (self->block, FALSE), size);
  self->block = g_byte_array_sized_new (BLOCK_SIZE);
  self->file_size += size;
  if (self->candidates->len > 0)
    g_ptr_array_add (self->since_candidate, gst_buffer_ref (buffer));
  return gst_ams_publisher_write (self->publisher, buffer);
}

static GstFlowReturn
append (GstAmsSegmenter *self, const guint8 *data, gsize size)
{
  g_byte_array_append (self->block, data, size);
  if (self->block->len + PACKET_SIZE > BLOCK_SIZE)
    return flush_block (self);
  return GST_FLOW_OK;
}

static void
drop_candidate (GstAmsSegmenter *self)
{
  g_array_set_size (self->candidates, 0);
  g_ptr_array_set_size (self->since_candidate, 0);
}

static GstFlowReturn
begin_file (GstAmsSegmenter *self, const GstAmsCut *cut)
{
  self->begun = cut->pts;
  self->file_size = 0;
  return gst_ams_publisher_begin_file (self->publisher, cut);
}

static gboolean
file_is_open (GstAmsSegmenter *self)
{
  return gst_ams_publisher_file_is_open (self->publisher);
}

/* The last file. */
static void
finish (GstAmsSegmenter *self)
{
  flush_block (self);
  if (file_is_open (self)) {
    if (self->file_size > 0)
      gst_ams_publisher_end_file (self->publisher, self->file_size,
          MAX (self->end, self->begun));
    else
      gst_ams_publisher_abandon_file (self->publisher);
  }
  drop_candidate (self);
}

/* ---- cuts ---- */

/* A copy of the last PAT and PMT, continuity counters and all, is a legal
 * repetition of a packet (ISO 13818-1, 2.4.3.3). */
static GstFlowReturn
append_tables (GstAmsSegmenter *self)
{
  if (self->has_pat)
    append (self, self->pat, PACKET_SIZE);
  if (self->has_pmt)
    return append (self, self->pmt, PACKET_SIZE);
  return GST_FLOW_OK;
}

static GstFlowReturn
cut_here (GstAmsSegmenter *self, const GstAmsCut *cut)
{
  GstFlowReturn ret = flush_block (self);

  drop_candidate (self);
  if (ret == GST_FLOW_OK && !gst_ams_publisher_is_started (self->publisher))
    ret = gst_ams_publisher_start (self->publisher, cut);
  if (ret == GST_FLOW_OK && file_is_open (self))
    ret =
        gst_ams_publisher_end_file (self->publisher, self->file_size, cut->end);
  if (ret == GST_FLOW_OK)
    ret = begin_file (self, cut);
  return ret;
}

/* One of the video replaces what was; what the audio offers comes behind it. */
static GstFlowReturn
mark_candidate (GstAmsSegmenter *self, const GstAmsCut *cut,
    gboolean lacks_tables)
{
  GstFlowReturn ret = flush_block (self);
  Candidate candidate = { *cut, self->file_size,
    lacks_tables && self->has_pat && self->has_pmt, { 0 } };

  if (cut->video)
    drop_candidate (self);
  memcpy (candidate.tables, self->pat, PACKET_SIZE);
  memcpy (candidate.tables + PACKET_SIZE, self->pmt, PACKET_SIZE);
  g_array_append_val (self->candidates, candidate);
  return ret;
}

/* What was sent since the candidate goes out again, as the beginning of the next
 * file; what further candidates need of it is kept. */
static GstFlowReturn
send_again (GstAmsSegmenter *self, GPtrArray *since)
{
  GstFlowReturn ret = GST_FLOW_OK;
  guint i;

  for (i = 0; i < since->len && ret == GST_FLOW_OK; i++) {
    GstBuffer *buffer = gst_buffer_ref (g_ptr_array_index (since, i));

    if (self->candidates->len > 0 &&
        self->file_size >=
            g_array_index (self->candidates, Candidate, 0).offset)
      g_ptr_array_add (self->since_candidate, gst_buffer_ref (buffer));
    self->file_size += gst_buffer_get_size (buffer);
    ret = gst_ams_publisher_write (self->publisher, buffer);
  }
  return ret;
}

/* Not through the block: that would count as sent since the next candidate. */
static GstFlowReturn
send_tables (GstAmsSegmenter *self, const Candidate *candidate)
{
  gsize size = sizeof candidate->tables;

  self->file_size += size;
  return gst_ams_publisher_write (self->publisher,
      gst_buffer_new_memdup (candidate->tables, size));
}

/* The segment should have ended at the first candidate. */
static GstFlowReturn
cut_at_candidate (GstAmsSegmenter *self)
{
  g_autoptr (GPtrArray) since = NULL;
  GstFlowReturn ret = flush_block (self);
  Candidate first;
  guint i;

  if (self->candidates->len == 0 || !file_is_open (self))
    return ret;
  first = g_array_index (self->candidates, Candidate, 0);
  g_array_remove_index (self->candidates, 0);
  for (i = 0; i < self->candidates->len; i++)
    g_array_index (self->candidates, Candidate, i).offset -=
        first.offset - (first.lacks_tables ? sizeof first.tables : 0);
  since = g_steal_pointer (&self->since_candidate);
  self->since_candidate =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);

  if (ret == GST_FLOW_OK)
    ret = gst_ams_publisher_end_file (self->publisher, first.offset,
        first.cut.pts);
  if (ret == GST_FLOW_OK)
    ret = begin_file (self, &first.cut);
  if (ret == GST_FLOW_OK && first.lacks_tables)
    ret = send_tables (self, &first);
  return ret == GST_FLOW_OK ? send_again (self, since) : ret;
}

/* The packet at which this cut is to be made is next. */
static GstFlowReturn
make_pending (GstAmsSegmenter *self, gboolean video, gboolean at_table)
{
  const GstAmsCut *cut = &self->pending[video];
  /* Without a force-key-unit, the muxer's next PAT may come without a PMT. */
  gboolean lacks_tables = !at_table || !video;
  GstFlowReturn ret;

  self->has_pending[video] = FALSE;
  if (video)
    self->armed = FALSE;
  if (cut->kind == GST_AMS_CUT_CANDIDATE && file_is_open (self))
    return mark_candidate (self, cut, lacks_tables);
  ret = cut_here (self, cut);
  if (ret == GST_FLOW_OK && lacks_tables)
    ret = append_tables (self);
  return ret;
}

static GstFlowReturn
take_cut (GstAmsSegmenter *self, const GstAmsCut *cut)
{
  switch (cut->kind) {
    case GST_AMS_CUT_AT_CANDIDATE:
      return cut_at_candidate (self);
    case GST_AMS_CUT_END:
      self->end = MAX (self->end, cut->end);
      return GST_FLOW_OK;
    default:
      break;
  }
  self->pending[cut->video] = *cut;
  self->has_pending[cut->video] = TRUE;
  /* At once: the gate waits to hear what is promised. */
  if (!gst_ams_publisher_is_started (self->publisher))
    return gst_ams_publisher_start (self->publisher, cut);
  return GST_FLOW_OK;
}

/* ---- packets ---- */

static guint16
packet_pid (const guint8 *packet)
{
  return (packet[1] & 0x1f) << 8 | packet[2];
}

/* The first program's PMT PID, of a PAT whose section begins in this packet, as
 * mpegtsmux makes them: stuffed with an adaptation field. 0: not to be found. */
static guint16
pat_pmt_pid (const guint8 *packet)
{
  guint at = 4;

  if (packet[3] & 0x20)
    at += 1 + packet[4];
  if (at >= PACKET_SIZE)
    return 0;
  at += 1 + packet[at] + 8; /* pointer, section header */
  if (at + 4 > PACKET_SIZE)
    return 0;
  return (packet[at + 2] & 0x1f) << 8 | packet[at + 3];
}

/* Keeps the latest tables. TRUE: @packet is the PAT. */
static gboolean
note_tables (GstAmsSegmenter *self, const guint8 *packet)
{
  guint16 pid = packet_pid (packet);

  if (pid == 0) {
    memcpy (self->pat, packet, PACKET_SIZE);
    self->has_pat = TRUE;
    self->pmt_pid = pat_pmt_pid (packet);
    return TRUE;
  }
  if (self->has_pat && pid == self->pmt_pid) {
    memcpy (self->pmt, packet, PACKET_SIZE);
    self->has_pmt = TRUE;
  }
  return FALSE;
}

static gboolean
is_video_packet (GstAmsSegmenter *self, GstBuffer *buffer)
{
  if (!self->has_pending[TRUE])
    return FALSE;
  /* The first file takes the muxer's first packet; a force-key-unit may have been lost, the flag is
   * not. */
  return self->armed || !file_is_open (self) ||
      !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
}

static GstFlowReturn
make_cuts (GstAmsSegmenter *self, GstBuffer *buffer, gboolean at_table)
{
  GstFlowReturn ret = GST_FLOW_OK;

  if (self->has_pending[FALSE])
    ret = make_pending (self, FALSE, at_table);
  if (ret == GST_FLOW_OK && is_video_packet (self, buffer))
    ret = make_pending (self, TRUE, at_table);
  return ret;
}

static GstFlowReturn
take_packets (GstAmsSegmenter *self, GstBuffer *buffer, const guint8 *data,
    gsize size)
{
  GstFlowReturn ret = GST_FLOW_OK;
  gsize at;

  ret = make_cuts (self, buffer, packet_pid (data) == 0);
  if (ret != GST_FLOW_OK)
    return ret;
  if (G_UNLIKELY (!file_is_open (self))) {
    GST_DEBUG_OBJECT (self, "a packet before any segment is dropped");
    for (at = 0; at + PACKET_SIZE <= size; at += PACKET_SIZE)
      note_tables (self, data + at);
    return GST_FLOW_OK;
  }
  for (at = 0; at + PACKET_SIZE <= size && ret == GST_FLOW_OK;
       at += PACKET_SIZE) {
    note_tables (self, data + at);
    ret = append (self, data + at, PACKET_SIZE);
  }
  return ret;
}

static GstFlowReturn
take_buffer (GstAmsSegmenter *self, GstBuffer *buffer)
{
  GstMapInfo map;
  GstFlowReturn ret;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return GST_FLOW_OK;
  ret = map.size < PACKET_SIZE
      ? GST_FLOW_OK
      : take_packets (self, buffer, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return ret;
}

static GstFlowReturn
flush_old_block (GstAmsSegmenter *self)
{
  if (g_get_monotonic_time () - self->block_since < BLOCK_AGE)
    return GST_FLOW_OK;
  return flush_block (self);
}

static GstFlowReturn
gst_ams_segmenter_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstAmsSegmenter *self = GST_AMS_SEGMENTER (parent);
  GstFlowReturn ret = self->flow;

  if (ret == GST_FLOW_OK)
    ret = take_buffer (self, buffer);
  gst_buffer_unref (buffer);
  return ret == GST_FLOW_OK ? flush_old_block (self) : ret;
}

static GstFlowReturn
gst_ams_segmenter_chain_list (GstPad *pad, GstObject *parent,
    GstBufferList *list)
{
  GstAmsSegmenter *self = GST_AMS_SEGMENTER (parent);
  guint i, n = gst_buffer_list_length (list);
  GstFlowReturn ret = self->flow;

  for (i = 0; i < n && ret == GST_FLOW_OK; i++)
    ret = take_buffer (self, gst_buffer_list_get (list, i));
  gst_buffer_list_unref (list);
  return ret == GST_FLOW_OK ? flush_old_block (self) : ret;
}

/* ---- events ---- */

static gboolean
gst_ams_segmenter_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstAmsSegmenter *self = GST_AMS_SEGMENTER (parent);
  GstAmsCut cut;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_EOS:
      finish (self);
      gst_ams_publisher_end (self->publisher, event);
      return TRUE;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if (gst_ams_cut_event_parse (event, &cut))
        self->flow = take_cut (self, &cut);
      else if (gst_video_event_is_force_key_unit (event))
        self->armed = self->has_pending[TRUE];
      break;
    default:
      /* The stream that goes out is another one. */
      break;
  }
  gst_event_unref (event);
  return TRUE;
}

static gboolean
gst_ams_segmenter_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstAmsSegmenter *self = GST_AMS_SEGMENTER (parent);
  g_autofree gchar *name = NULL;
  guint64 version;
  gboolean ours = TRUE;

  if (ams_files_event_parse_failed (event, &name)) {
    gst_ams_publisher_take_failed (self->publisher, g_steal_pointer (&name));
  } else if (ams_files_event_parse_taken (event, &name)) {
    gst_ams_publisher_take_taken (self->publisher, g_steal_pointer (&name));
  } else if (ams_files_event_parse_stored (event, &name, &version)) {
    /* With a disk, its word is what counts. */
    if (pad == self->local || !gst_pad_is_linked (self->local))
      gst_ams_publisher_take_stored (self->publisher, name, version);
  } else {
    ours = FALSE;
  }
  gst_event_unref (event);
  return ours;
}

static gboolean
gst_ams_segmenter_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY) {
    /* A recording needs none, and the muxer, if it thought itself live, would no
     * longer wait for a track that is merely late. */
    gst_query_set_latency (query, FALSE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return gst_pad_query_default (pad, parent, query);
}

/* ---- interface ---- */

GstAmsPublisher *
gst_ams_segmenter_get_publisher (GstAmsSegmenter *self)
{
  return self->publisher;
}

/* ---- element ---- */

static void
reset (GstAmsSegmenter *self)
{
  self->flow = GST_FLOW_OK;
  g_byte_array_set_size (self->block, 0);
  self->block_since = g_get_monotonic_time ();
  self->file_size = 0;
  self->has_pending[FALSE] = self->has_pending[TRUE] = self->armed = FALSE;
  drop_candidate (self);
  self->end = G_MININT64;
  self->has_pat = self->has_pmt = FALSE;
  gst_ams_publisher_reset (self->publisher);
}

static GstStateChangeReturn
gst_ams_segmenter_change_state (GstElement *element, GstStateChange transition)
{
  GstAmsSegmenter *self = GST_AMS_SEGMENTER (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    reset (self);
  ret = GST_ELEMENT_CLASS (gst_ams_segmenter_parent_class)
            ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    reset (self);
  return ret;
}

static void
gst_ams_segmenter_finalize (GObject *object)
{
  GstAmsSegmenter *self = GST_AMS_SEGMENTER (object);

  g_clear_pointer (&self->publisher, gst_ams_publisher_free);
  g_byte_array_unref (self->block);
  g_array_unref (self->candidates);
  g_ptr_array_unref (self->since_candidate);
  G_OBJECT_CLASS (gst_ams_segmenter_parent_class)->finalize (object);
}

static void
gst_ams_segmenter_class_init (GstAmsSegmenterClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_ams_segmenter_debug, "amssegmenter", 0,
      "amshls: packets become files");
  G_OBJECT_CLASS (klass)->finalize = gst_ams_segmenter_finalize;
  element_class->change_state = gst_ams_segmenter_change_state;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &local_template);
  gst_element_class_add_static_pad_template (element_class, &remote_template);
  gst_element_class_set_static_metadata (element_class, "HLS segmenter",
      "Generic", "Makes HLS segments and playlists (private to amshlssink)",
      "The amshls developers");
}

static GstPad *
add_src_pad (GstAmsSegmenter *self, GstStaticPadTemplate *template_,
    const gchar *name)
{
  GstPad *pad = gst_pad_new_from_static_template (template_, name);

  gst_pad_set_event_function (pad, gst_ams_segmenter_src_event);
  gst_pad_set_query_function (pad, gst_ams_segmenter_src_query);
  gst_pad_use_fixed_caps (pad);
  gst_element_add_pad (GST_ELEMENT (self), pad);
  return pad;
}

static void
gst_ams_segmenter_init (GstAmsSegmenter *self)
{
  self->block = g_byte_array_sized_new (BLOCK_SIZE);
  self->candidates = g_array_new (FALSE, FALSE, sizeof (Candidate));
  self->since_candidate =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);

  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, gst_ams_segmenter_chain);
  gst_pad_set_chain_list_function (self->sinkpad, gst_ams_segmenter_chain_list);
  gst_pad_set_event_function (self->sinkpad, gst_ams_segmenter_sink_event);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  self->local = add_src_pad (self, &local_template, "local");
  self->remote = add_src_pad (self, &remote_template, "remote");
}

GstAmsSegmenter *
gst_ams_segmenter_new (void)
{
  GstAmsSegmenter *self = g_object_new (GST_TYPE_AMS_SEGMENTER, NULL);

  self->publisher =
      gst_ams_publisher_new (GST_ELEMENT (self), self->local, self->remote);
  return self;
}
