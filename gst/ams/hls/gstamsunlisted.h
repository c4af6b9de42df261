/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Segments that no playlist lists: which names are taken where a store cannot list them,
 * and whether what lies there can be what a crash has left of this recording. */

#pragma once

#include "recording/amsrecovery.h"
#include "gstamsask.h"
#include "gstamsrecovered.h"

G_BEGIN_DECLS

/* What the stores have of one recording, as far as it has been asked for. */
typedef struct
{
  AmsPlaylistParsed *earlier; /* (nullable) */
  GstAmsAnswers local, remote; /* about it */
  AmsJournal *journal; /* (nullable) */
  GPtrArray *files; /* (element-type AmsRecoveryFile) all there are */
  gboolean unlisted; /* a remote store did not say which files it has */
  AmsSurvey *survey;
  GHashTable *read; /* name → GBytes: what was read already */
  gboolean disk_decides; /* also where it has nothing of the recording */
  gboolean posted; /* by the store that could not tell */
  gboolean closed; /* a store was being stopped */
} GstAmsFound;

void gst_ams_found_clear (GstAmsFound *found);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstAmsFound, gst_ams_found_clear)

/* A store cannot tell what there is of @name. Always FALSE. */
gboolean gst_ams_fail_unknown (const gchar *name, const gchar *why,
    GError **error);

/* A remote store that cannot tell is an error, unless the disk can: then the
 * recording goes on, or begins, by what the disk has, and that is sent again.
 * A disk without it is enough only where a recording must begin in any case. */
gboolean gst_ams_excuse_remote (const GstAmsStores *stores, const gchar *name,
    GstAmsFound *found, const gchar *why, GstAmsRecovered *recovered,
    GError **error);

/* Asks a remote store that cannot list for the names that come next. The names that are taken are
 * orphans of @found's survey afterwards, and its next number is beyond them. It assumes that
 * names are taken without holes from the next number on, as a recorder takes them; a name beyond a hole
 * is found when a segment gets it, which then gets another. */
gboolean gst_ams_unlisted_probe (AmsRecording *recording,
    const GstAmsStores *stores, GstAmsFound *found, GstAmsRecovered *recovered,
    GError **error);

/* FALSE: an orphan of @found's survey cannot be what a crash has left. @error says
 * what lies there, and what to do. */
gboolean gst_ams_unlisted_check (AmsRecording *recording,
    const GstAmsStores *stores, GstAmsFound *found, GError **error);

/* (transfer full) (nullable) The last segment that @earlier (nullable) lists. */
gchar *gst_ams_unlisted_last_name (AmsRecording *recording,
    const AmsPlaylistParsed *earlier);

/* What is whole of @file. @read: (nullable) as in GstAmsFound. (transfer full) (nullable): nothing is whole. */
GBytes *gst_ams_unlisted_measure (const GstAmsStores *stores,
    const AmsRecoveryFile *file, GHashTable *read, const AmsJournal *journal,
    GPtrArray *warnings, guint64 *end_pts, AmsRecordingSegment *segment);

/* Where the media of the last listed segment end (90 kHz). G_MAXUINT64: not known, or not
 * needed to measure the first orphan. */
guint64 gst_ams_unlisted_first_pts (AmsRecording *recording,
    const GstAmsStores *stores, const GstAmsFound *found);

G_END_DECLS
