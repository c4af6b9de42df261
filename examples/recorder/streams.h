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
  /* (nullable) as stream_codec() has it: what it must be, as the track began so */
  const gchar *codec;
  guint video_bitrate; /* kbit/s, of what is encoded */
  guint audio_bitrate;
  guint keyframe_interval; /* s */
} StreamWish;

StreamKind stream_kind (const GstCaps *caps);
/* "video", "audio" or "other". */
const gchar *stream_kind_name (StreamKind kind);

/* The codec of which a recording's track can be, as a name of this program's
 * own. (nullable): of none. */
const gchar *stream_codec (const GstCaps *caps);

/* Links @pad, by way of what is needed, to @sink.
 * @bin: has @sink, and gets all that is needed; a ghost pad leads into it.
 * @encoded: (out) (nullable): the codec to which it is encoded anew, for people.
 * Returns: FALSE if an element is missing, which @error names with the package
 * that brings it, or does not link; @pad is not linked then. */
gboolean stream_plug (GstBin *bin, GstPad *pad, const GstCaps *caps,
    const StreamWish *wish, GstElement *sink, const gchar **encoded,
    GError **error);
/* Lets it pass, unseen. */
void stream_discard (GstBin *bin, GstPad *pad);

/* Which of Debian's packages brings an element. */
const gchar *stream_package (const gchar *factory);
