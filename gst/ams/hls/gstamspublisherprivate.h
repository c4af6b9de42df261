/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of the publisher share: how it starts and ends (gstamspublisherstart.c),
 * what it hands to the stores (gstamspublisherlists.c), and the rest.
 *
 * All of it runs in one thread at a time (the muxer's out_lock), but for what the stores
 * say (their threads), wait_ended() and get_stats() (any): those touch only
 * what is under the lock. Nothing is pushed or posted with it held. */

#pragma once

#include "files/amsfiles.h"
#include "gstamspublisher.h"
#include "recording/amsmaster.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 version; /* the first playlist that lists it */
  guint64 first; /* media sequence number of the first segment in that */
  guint64 sequence;
  gchar *name;
  GstMessage *message;
} GstAmsUnannounced;

struct _GstAmsPublisher
{
  /* constant; the muxer and the bin outlive this: no refs */
  GstElement *element; /* whose errors these are */
  GstElement *poster; /* whose messages these are: the bin */
  GstPad *local, *remote;
  GstAmsPublisherTarget target;
  gpointer target_data;
  GstAmsPublisherDrain drain;
  gpointer drain_data;
  GstAmsClaimer *claimer;

  /* set below PAUSED, then constant */
  GstAmsPublisherSettings settings;

  /* streaming thread */
  gboolean started, ended;
  gboolean continued; /* an earlier recording */
  gboolean said_taken; /* that a name was */
  GPtrArray
      *unheeded; /* names that a hidden playlist heeds: no remote has seen it */
  GPtrArray *unheeded_renames; /* likewise */
  AmsCut current; /* how the open file began */
  gchar *multivariant; /* the name of that playlist; NULL: there is none */
  guint64 multivariant_version;

  GMutex lock;
  GCond cond;
  /* under the lock */
  AmsRecording *
      recording; /* changed by the streaming thread only, which reads it without */
  AmsMaster *master; /* NULL: there is no multivariant playlist */
  GQueue failed; /* names the stores gave up */
  GQueue taken; /* names that other files have in a store */
  GQueue unannounced; /* GstAmsUnannounced */
  guint64
      unlisted; /* segments that left the window before a playlist was stored */
  GstMessage *ended_message;
  gboolean announces; /* somebody says when versions are stored */
  gboolean has_ended;
};

/* gstamspublisher.c */

/* The one place where errors are posted. @details: (transfer full) (nullable) */
GstFlowReturn gst_ams_publisher_post_error (GstAmsPublisher *self,
    const GError *error, GstStructure *details);

/* gstamspublisherlists.c */

/* Takes @event: to both pads. */
void gst_ams_publisher_push_event (GstAmsPublisher *self, GstEvent *event);
void gst_ams_publisher_push_stream_start (GstAmsPublisher *self);
/* There is a disk that can be asked for it later. */
gboolean gst_ams_publisher_has_journal (GstAmsPublisher *self);
void gst_ams_publisher_push_journal (GstAmsPublisher *self);
/* What the stores gave up, or have under another name, is so in the next version. */
void gst_ams_publisher_heed_failed (GstAmsPublisher *self);
/* FALSE, and @error: it cannot have a name. */
gboolean gst_ams_publisher_begin_multivariant (GstAmsPublisher *self,
    GError **error);
/* If it is to be written: after the playlist that it names. @ended: for the last time */
GstFlowReturn gst_ams_publisher_push_multivariant (GstAmsPublisher *self,
    gboolean ended);
/* Nobody is to see the playlist @name but the next session. */
gboolean gst_ams_publisher_is_for_disk_only (GstAmsPublisher *self,
    const gchar *name);
GstFlowReturn gst_ams_publisher_push_version (GstAmsPublisher *self,
    const AmsRecordingVersion *version);
void gst_ams_publisher_push_removals (GstAmsPublisher *self);

G_END_DECLS
