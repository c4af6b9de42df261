/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* ams-file-claim: the query of the file stream (amsfiles.h) by which who is about to
 * record asks each store to keep other recorders away. docs/file-stream.md says the
 * same for people who write an element of their own. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* What is claimed: two recorders that claim the same playlist, or the same
 * segments, would write the same files. */
typedef struct
{
  /* (nullable) the name of the playlist, as it is when the recording has ended */
  gchar *playlist;
  /* (nullable) the names of the segments, with "_" for the number and the
   * segment's date, and the session's date as it is */
  gchar *segments;
  /* Whoever asks does something else if it is busy: nothing is posted. */
  gboolean tentative;
  /* Whoever asks waits, and asks again, until nobody else records here (it is
   * tentative, too). A store that knows others only by what they write looks out for
   * that. */
  gboolean waits;
} AmsClaim;

void ams_claim_clear (AmsClaim *claim);
void ams_claim_copy (AmsClaim *to, const AmsClaim *from);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AmsClaim, ams_claim_clear)

typedef enum
{
  AMS_CLAIM_CLAIMED, /* nobody else records here, until the stream has ended and is delivered */
  AMS_CLAIM_BUSY, /* another recorder does */
  AMS_CLAIM_UNKNOWN, /* this store cannot keep others away, or cannot tell */
} AmsClaimStatus;

typedef struct
{
  AmsClaimStatus status;
  /* A sentence for people without its full stop and without credentials. BUSY:
   * who records what, e.g. "“/rec/cam1.m3u8” is recorded by gst-launch-1.0
   * (process 4711 on cam-host, since 2026-11-28 18:00:00 UTC)". UNKNOWN: why
   * (nullable). */
  gchar *message;
  /* BUSY: ask again no sooner than this, ns; 0: as you like */
  GstClockTime again;
  gboolean posted; /* BUSY: the store has posted an ERROR, and takes no files */
  gboolean closed; /* UNKNOWN: it is being stopped; that is no fault */
} AmsClaimAnswer;

/* A claim that is asked for again by the same recorder is granted again. */
GstQuery *ams_files_query_new_claim (const AmsClaim *claim);
/* @claim: to be cleared. FALSE: @query is none, or is malformed. */
gboolean ams_files_query_parse_claim (GstQuery *query, AmsClaim *claim);

void ams_files_query_add_claimed (GstQuery *query);
/* @message, @again: as above. @posted: an ERROR says it already. */
void ams_files_query_add_busy (GstQuery *query, const gchar *message,
    GstClockTime again, gboolean posted);
/* @message: (nullable). @closed: as above. */
void ams_files_query_add_unclaimed (GstQuery *query, const gchar *message,
    gboolean closed);

/* (transfer full) (element-type AmsClaimAnswer): of stores that know of claims */
GPtrArray *ams_files_query_claim_answers (GstQuery *query);

G_END_DECLS
