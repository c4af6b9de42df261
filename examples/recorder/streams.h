/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What to put behind one stream of a source, so that the recording can have it: a parser, or where it is
 * something that HLS players do not all know, a decoder and an encoder. */

#pragma once

#include <gst/gst.h>

typedef enum
{
  STREAM_OTHER,
  STREAM_VIDEO,
  STREAM_AUDIO,
} StreamKind;

typedef struct
{
  const gchar
      *codec; /* (nullable) media type that it must be, as the track began so */
  guint video_bitrate; /* kbit/s, of what is encoded */
  guint audio_bitrate;
  guint keyframe_interval; /* s */
} StreamWish;

StreamKind stream_kind (const GstCaps *caps);

/* Links @pad, by way of what is needed, to @sink; all of it is put into @bin. *@encoded: it is decoded and encoded
 * anew. */
gboolean stream_plug (GstBin *bin, GstPad *pad, const GstCaps *caps,
    const StreamWish *wish, GstElement *sink, gboolean *encoded,
    GError **error);
/* Lets it pass, unseen. */
void stream_discard (GstBin *bin, GstPad *pad);

/* Gives an encoder what is wished for. */
void stream_set_up (GstElement *element, const StreamWish *wish);
