/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Files that are on the disk and not in a remote store: they are sent to it again from
 * where they are, by reference. */

#pragma once

#include "recording/amsrecovery.h"
#include "gstamsask.h"

G_BEGIN_DECLS

/* What is to be handed to the pads before anything else. */
typedef struct
{
  /* (element-type GstMiniObject) events and buffers, in order. What @local brings about must be done
   * before @remote, which refers to it, is handed over. */
  GPtrArray *local, *remote;
  GPtrArray *warnings; /* (element-type utf8) sentences for people */
} GstAmsHandover;

void gst_ams_handover_init (GstAmsHandover *handover);
void gst_ams_handover_clear (GstAmsHandover *handover);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstAmsHandover, gst_ams_handover_clear)

/* @segment is on the disk, or will be: the remote stores take it from there. Does nothing where that cannot be. */
void gst_ams_handover_refer (GstAmsHandover *handover,
    const GstAmsStores *stores, const AmsRecordingSegment *segment);

/* @data, which are @segment, for the disk. */
void gst_ams_handover_copy (GstAmsHandover *handover,
    const AmsRecordingSegment *segment, GBytes *data);

typedef struct
{
  const AmsPlaylistParsed *parsed;
  const gchar *name;
  const gchar *root; /* before its URIs, or NULL */
} GstAmsPlaylist;

typedef struct
{
  const gchar *prefix; /* what the disk was asked for; NULL: nothing yet */
  GPtrArray *
      files; /* (element-type AmsRecoveryFile) and what they have: more is added */
} GstAmsListing;

/* Refers to what @playlist lists and a remote store lacks, as @answers, its own playlists, tell. TRUE: a
 * remote store is behind. */
gboolean gst_ams_catch_up (GstAmsHandover *handover, const GstAmsStores *stores,
    const GstAmsPlaylist *playlist, const GstAmsAnswers *answers,
    GstAmsListing *listing);

/* The same for the disk, which cannot catch up: says so. @answers: the disk's. */
void gst_ams_warn_left_behind (GstAmsHandover *handover,
    const GstAmsStores *stores, const GstAmsPlaylist *playlist,
    const GstAmsAnswers *answers, GstAmsListing *listing);

/* @objects: of a handover. */
void gst_ams_handover_push (GPtrArray *objects, GstPad *pad);
void gst_ams_handover_post_warnings (const GstAmsHandover *handover,
    GstElement *element);

G_END_DECLS
