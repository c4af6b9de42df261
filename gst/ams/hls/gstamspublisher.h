/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Hands what the muxer makes to the stores behind its pads: files, playlist
 * versions, removals, the journal; and says so on the bus when the stores say that it
 * is there. */

#pragma once

#include <gst/gst.h>
#include "media/amstrack.h"
#include "recording/amsrecording.h"
#include "cut/amscut.h"
#include "gstamsrecover.h"

G_BEGIN_DECLS

typedef struct
{
  AmsRecordingConfig *recording; /* taken */
  GstAmsExisting existing;
  GstAmsWhenBusy when_busy;
  gchar *root; /* put before names in messages; NULL: nothing. Taken */
  gchar *
      folder; /* absolute: the files on disk are in it; NULL: there are none that a remote store may read. Taken */
  gchar *
      multivariant; /* template of its name; NULL: there is no multivariant playlist. Taken */
  gboolean unlistable; /* the store on disk cannot be asked what it has */
  gboolean delete_on_ended;
  gdouble delete_delay; /* s */
} GstAmsPublisherSettings;

/* Waits until the disk has all that was handed to it, within its drain-timeout. Streaming thread. */
typedef void (*GstAmsPublisherDrain) (gpointer user_data);

/* The start has found out what segments are held to, @target, and where time stamps
 * go on: @time as GstAmsRecovered.end_time. In the thread that starts. */
typedef void (*GstAmsPublisherTarget) (GstClockTime target, gint64 time,
    gpointer user_data);

typedef struct _GstAmsPublisher GstAmsPublisher;

/* @element, which has the src pads @local and @remote, must outlive it. */
GstAmsPublisher *gst_ams_publisher_new (GstElement *element, GstPad *local,
    GstPad *remote);
void gst_ams_publisher_set_target_callback (GstAmsPublisher *self,
    GstAmsPublisherTarget target, gpointer user_data);
void gst_ams_publisher_set_drain_callback (GstAmsPublisher *self,
    GstAmsPublisherDrain drain, gpointer user_data);
void gst_ams_publisher_free (GstAmsPublisher *self);
void gst_ams_publisher_set_poster (GstAmsPublisher *self, GstElement *poster);

/* Below PAUSED. FALSE: a template is refused. */
gboolean gst_ams_publisher_configure (GstAmsPublisher *self,
    GstAmsPublisherSettings *settings, GError **error);
void gst_ams_publisher_reset (GstAmsPublisher *self);

/* Streaming thread. Whatever fails has posted its error. */
GstFlowReturn gst_ams_publisher_start (GstAmsPublisher *self,
    const AmsCut *cut);
gboolean gst_ams_publisher_is_started (GstAmsPublisher *self);
GstFlowReturn gst_ams_publisher_begin_file (GstAmsPublisher *self,
    const AmsCut *cut);
/* Takes @buffer. */
GstFlowReturn gst_ams_publisher_write (GstAmsPublisher *self,
    GstBuffer *buffer);
/* Whether gst_ams_publisher_end_file() may have bytes carried over: our own store on
 * disk takes them, what is linked to the other pad may not know how. */
gboolean gst_ams_publisher_carries (GstAmsPublisher *self);
/* The first @size bytes written are a segment that ends at @end (ns); @carried bytes
 * after them begin the next one. */
GstFlowReturn gst_ams_publisher_end_file (GstAmsPublisher *self, guint64 size,
    guint64 carried, gint64 end);
/* A segment does not begin with a keyframe: EXT-X-INDEPENDENT-SEGMENTS is not said
 * any more. */
void gst_ams_publisher_set_dependent (GstAmsPublisher *self);
/* Any thread: what the multivariant playlist, if there is one, has to say. A track of the
 * recording has this form from here on; captions as ams_master_add_captions(). */
gboolean gst_ams_publisher_has_multivariant (GstAmsPublisher *self);
void gst_ams_publisher_add_track (GstAmsPublisher *self, const AmsTrack *track);
void gst_ams_publisher_add_captions (GstAmsPublisher *self, guint channels,
    guint64 services);
gboolean gst_ams_publisher_file_is_open (GstAmsPublisher *self);
/* The recording ends: the last playlist, then @eos, which is taken. */
void gst_ams_publisher_end (GstAmsPublisher *self, GstEvent *eos);

/* The stores' threads. @name of failed is taken. */
void gst_ams_publisher_take_failed (GstAmsPublisher *self, gchar *name);
/* Another file has the name in a store. @name is taken. */
void gst_ams_publisher_take_taken (GstAmsPublisher *self, gchar *name);
void gst_ams_publisher_take_stored (GstAmsPublisher *self, const gchar *name,
    guint64 version);

/* Any thread. A start that waits for another recorder to end gives up. TRUE: it did wait. */
gboolean gst_ams_publisher_cancel_start (GstAmsPublisher *self);
/* Any thread. wait_ended: @timeout in µs. */
gboolean gst_ams_publisher_wait_ended (GstAmsPublisher *self, gint64 timeout);
GstStructure *gst_ams_publisher_get_stats (GstAmsPublisher *self);

G_END_DECLS
