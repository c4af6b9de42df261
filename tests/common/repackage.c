/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Packages a media file into MPEG-TS segments: no recorder, only the packager,
 * for it to be measured and compared with others.
 *
 *   repackage INPUT FOLDER SECONDS
 *
 * INPUT is whatever parsebin opens. A segment begins with each key picture that is
 * SECONDS after the beginning of the one before. Writes FOLDER/00000.ts … and
 * FOLDER/index.m3u8; prints what it wrote. */

#include "config.h"

#include <gst/gst.h>
#include <stdio.h>

#include "hls/gstamscaps.h"
#include "package/ts/amstspackager.h"

typedef struct
{
  AmsUnit unit;
} Held;

typedef struct
{
  guint id;
  GstPad *pad;
  AmsTrack *track; /* NULL: no caps yet */
  GQueue held; /* Held */
  gboolean ended;
} Input;

static GMutex lock;
static GPtrArray *inputs; /* Input */
static AmsPackager *packager;
static AmsBlocks *out;
static FILE *file, *playlist;
static const char *folder;
static guint segments;
static gint64 target, begun = G_MININT64, last_end;
static guint64 bytes, units;
static GMainLoop *loop;
static gboolean tracks_set;

static void
fail (const char *what)
{
  fprintf (stderr, "%s\n", what);
  exit (1);
}

static void
write_blocks (gboolean all)
{
  GBytes *block;

  while ((block = all ? ams_blocks_take (out) : ams_blocks_take_full (out))) {
    gsize size;
    const void *data = g_bytes_get_data (block, &size);

    if (fwrite (data, 1, size, file) != size)
      fail ("could not write");
    bytes += size;
    g_bytes_unref (block);
  }
}

static void
end_segment (gint64 end)
{
  if (!file)
    return;
  ams_packager_flush (packager, out);
  write_blocks (TRUE);
  fclose (g_steal_pointer (&file));
  fprintf (playlist, "#EXTINF:%.6f,\n%05u.ts\n", (end - begun) / 1e9,
      segments - 1);
}

static void
begin_segment (gint64 pts)
{
  g_autofree gchar *name = NULL;

  end_segment (pts);
  name = g_strdup_printf ("%s/%05u.ts", folder, segments++);
  begun = pts;
  file = fopen (name, "wb");
  if (!file)
    fail (name);
  setvbuf (file, NULL, _IONBF, 0);
  ams_blocks_reset (out);
  ams_packager_begin_segment (packager, FALSE, out);
}

static gboolean
has_video (void)
{
  for (guint i = 0; i < inputs->len; i++) {
    const Input *input = g_ptr_array_index (inputs, i);

    if (ams_codec_get_kind (input->track->codec) == AMS_TRACK_VIDEO)
      return TRUE;
  }
  return FALSE;
}

static void
package (const Input *input, const AmsUnit *unit)
{
  gboolean video = ams_codec_get_kind (input->track->codec) == AMS_TRACK_VIDEO;
  g_autoptr (GError) error = NULL;

  if ((unit->flags & AMS_UNIT_KEY) && (video || !has_video ()) &&
      (!file || unit->pts - begun >= target))
    begin_segment (unit->pts);
  if (!file)
    return;
  if (!ams_packager_add (packager, unit, out, &error))
    fail (error->message);
  units++;
  last_end = MAX (last_end, unit->pts + unit->duration);
  write_blocks (FALSE);
}

static void
set_tracks (void)
{
  g_autoptr (GPtrArray) tracks = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < inputs->len; i++)
    g_ptr_array_add (tracks, ((Input *) g_ptr_array_index (inputs, i))->track);
  if (!ams_packager_set_tracks (packager, tracks, &error))
    fail (error->message);
  tracks_set = TRUE;
}

/* The input whose next unit is the earliest; NULL: one has nothing yet. */
static Input *
choose (void)
{
  Input *best = NULL;

  for (guint i = 0; i < inputs->len; i++) {
    Input *input = g_ptr_array_index (inputs, i);
    Held *head = g_queue_peek_head (&input->held);

    if (!head && !input->ended)
      return NULL;
    if (head &&
        (!best ||
            head->unit.dts <
                ((Held *) g_queue_peek_head (&best->held))->unit.dts))
      best = input;
  }
  return best;
}

static void
interleave (void)
{
  Input *input;

  while ((input = choose ())) {
    Held *held = g_queue_pop_head (&input->held);

    if (!tracks_set)
      set_tracks ();
    package (input, &held->unit);
    g_bytes_unref (held->unit.payload);
    g_free (held);
  }
}

typedef struct
{
  GstBuffer *buffer;
  GstMapInfo map;
} Mapped;

static void
unmap (gpointer data)
{
  Mapped *mapped = data;

  gst_buffer_unmap (mapped->buffer, &mapped->map);
  gst_buffer_unref (mapped->buffer);
  g_free (mapped);
}

/* @buffer: (transfer full) */
static GBytes *
wrap (GstBuffer *buffer)
{
  Mapped *mapped = g_new (Mapped, 1);

  mapped->buffer = buffer;
  if (!gst_buffer_map (buffer, &mapped->map, GST_MAP_READ))
    fail ("could not map a buffer");
  return g_bytes_new_with_free_func (mapped->map.data, mapped->map.size, unmap,
      mapped);
}

static GstFlowReturn
on_buffer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Input *input = gst_pad_get_element_private (pad);
  Held *held = g_new0 (Held, 1);

  held->unit.track = input->id;
  held->unit.pts = GST_BUFFER_PTS (buffer);
  held->unit.dts = (gint64) GST_BUFFER_DTS_OR_PTS (buffer);
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    held->unit.duration = GST_BUFFER_DURATION (buffer);
  if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT))
    held->unit.flags = AMS_UNIT_KEY;
  held->unit.payload = wrap (buffer);
  g_mutex_lock (&lock);
  g_queue_push_tail (&input->held, held);
  interleave ();
  g_mutex_unlock (&lock);
  return GST_FLOW_OK;
}

static void
take_caps (Input *input, GstCaps *caps)
{
  g_autoptr (GError) error = NULL;

  if (!input->track)
    input->track = gst_ams_caps_to_track (caps, input->id, &error);
  if (!input->track)
    fail (error->message);
}

static gboolean
on_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Input *input = gst_pad_get_element_private (pad);
  gboolean all = TRUE;
  GstCaps *caps;

  g_mutex_lock (&lock);
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    gst_event_parse_caps (event, &caps);
    take_caps (input, caps);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    input->ended = TRUE;
    interleave ();
    for (guint i = 0; i < inputs->len; i++)
      all &= ((Input *) g_ptr_array_index (inputs, i))->ended;
    if (all)
      g_main_loop_quit (loop);
  }
  g_mutex_unlock (&lock);
  gst_event_unref (event);
  return TRUE;
}

static GstElement *
add_element (GstBin *bin, const gchar *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (!element)
    fail (factory);
  gst_bin_add (bin, element);
  gst_element_sync_state_with_parent (element);
  return element;
}

/* The parser again: it changes the form. */
static const gchar *
get_converter (const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);

  if (gst_structure_has_name (s, "video/x-h264"))
    return "h264parse";
  if (gst_structure_has_name (s, "video/x-h265"))
    return "h265parse";
  return "aacparse";
}

static GstPad *
convert (GstBin *bin, GstPad *pad, const GstCaps *caps)
{
  GstCaps *wanted = gst_ams_caps_get_packaged (caps);
  GstElement *parser, *filter;
  GstPad *sink;

  if (!wanted)
    return gst_object_ref (pad);
  parser = add_element (bin, get_converter (caps));
  filter = add_element (bin, "capsfilter");
  g_object_set (filter, "caps", wanted, NULL);
  gst_caps_unref (wanted);
  gst_element_link (parser, filter);
  sink = gst_element_get_static_pad (parser, "sink");
  gst_pad_link (pad, sink);
  gst_object_unref (sink);
  return gst_element_get_static_pad (filter, "src");
}

static void
on_pad (GstElement *parsebin, GstPad *pad, gpointer data)
{
  GstCaps *caps = gst_pad_query_caps (pad, NULL);
  Input *input = g_new0 (Input, 1);
  GstPad *converted = convert (data, pad, caps);

  g_mutex_lock (&lock);
  input->id = inputs->len;
  g_ptr_array_add (inputs, input);
  g_mutex_unlock (&lock);
  input->pad = gst_pad_new (NULL, GST_PAD_SINK);
  gst_pad_set_element_private (input->pad, input);
  gst_pad_set_chain_function (input->pad, on_buffer);
  gst_pad_set_event_function (input->pad, on_event);
  gst_pad_set_active (input->pad, TRUE);
  if (gst_pad_link (converted, input->pad) != GST_PAD_LINK_OK)
    fail ("could not link");
  gst_object_unref (converted);
  gst_caps_unref (caps);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return TRUE;
  gst_message_parse_error (message, &error, NULL);
  fail (error->message);
  return FALSE;
}

static void
open_playlist (void)
{
  g_autofree gchar *name = g_build_filename (folder, "index.m3u8", NULL);

  playlist = fopen (name, "w");
  if (!playlist)
    fail (name);
  fprintf (playlist,
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%u\n"
      "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n",
      (guint) (target / GST_SECOND) + 2);
}

int
main (int argc, char **argv)
{
  GstElement *pipeline, *source, *parsebin;
  GstBus *bus;

  gst_init (&argc, &argv);
  if (argc != 4)
    fail ("usage: repackage INPUT FOLDER SECONDS");
  folder = argv[2];
  target = g_ascii_strtod (argv[3], NULL) * GST_SECOND;
  inputs = g_ptr_array_new ();
  packager = ams_ts_packager_new ();
  out = ams_blocks_new (AMS_TS_BLOCK_SIZE);
  open_playlist ();

  pipeline = gst_pipeline_new (NULL);
  source = add_element (GST_BIN (pipeline), "filesrc");
  g_object_set (source, "location", argv[1], NULL);
  parsebin = add_element (GST_BIN (pipeline), "parsebin");
  g_signal_connect (parsebin, "pad-added", G_CALLBACK (on_pad), pipeline);
  gst_element_link (source, parsebin);
  loop = g_main_loop_new (NULL, FALSE);
  bus = gst_element_get_bus (pipeline);
  gst_bus_add_watch (bus, on_message, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_main_loop_run (loop);
  end_segment (last_end);
  fprintf (playlist, "#EXT-X-ENDLIST\n");
  fclose (playlist);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  printf ("%u segments, %" G_GUINT64_FORMAT " units, %" G_GUINT64_FORMAT
          " bytes\n",
      segments, units, bytes);
  return 0;
}
