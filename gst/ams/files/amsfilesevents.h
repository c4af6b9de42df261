/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The events of the file stream: what is passed, and what became of it. */

#pragma once

#include "files/amsfilename.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* ams-file-begin: what the buffers that follow are. */
typedef struct
{
  gchar *name;
  AmsFileRole role;
  gchar *content_type;
  guint64 version; /* counts the versions of one playlist from 1; 0: has none */
  /* Its first bytes, so many, are the version before, whole; 0: not. */
  guint64 extends;
  gboolean final; /* a playlist's last version: never skipped */
  /* (nullable) names from ams-file-failed that this playlist version is the first
   * to heed */
  GStrv failed;
  /* (nullable) old and new name in turn of segments that this playlist version is
   * the first to list under the new one */
  GStrv renamed;
  /* (nullable) absolute: upstream writes the same file there, and leaves it there
   * as long as it is listed */
  gchar *local_path;
  /* No buffers come: the file at local_path, of the size that ams-file-end says, is
   * it. */
  gboolean by_reference;
  /* Of a segment: ams-file-taken is answered with another name. */
  gboolean renames;
  gint64 date_time; /* a segment's start, µs since 1970 UTC; 0: unknown */
  /* With a date_time: EXT-X-DISCONTINUITY comes before it. */
  gboolean discontinuity;
} AmsFileBegin;

/* ams-file-end: the file is whole, or never will be. */
typedef struct
{
  /* The file is the first so many of the bytes passed, never more of them. */
  guint64 size;
  gboolean complete; /* FALSE: abandoned, must never appear in the store */
  /* So many of the bytes passed after @size are the first of the next file, and
   * are not passed again. Only amshlssink's own store gets such. */
  guint64 carried;
  guint64 sequence; /* a segment's media sequence number */
  GstClockTime duration; /* a segment's, in ns; NONE: unknown */
  gint64 date_time; /* a segment's start, µs since 1970 UTC; 0: unknown */
} AmsFileEnd;

void ams_file_begin_clear (AmsFileBegin *begin);
void ams_file_begin_copy (AmsFileBegin *to, const AmsFileBegin *from);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AmsFileBegin, ams_file_begin_clear)

/* Downstream events. new: (transfer full); parse: FALSE when @event is not one
 * or is malformed. */
GstEvent *ams_files_event_new_begin (const AmsFileBegin *begin);
gboolean ams_files_event_parse_begin (GstEvent *event, AmsFileBegin *begin);

GstEvent *ams_files_event_new_end (const AmsFileEnd *end);
gboolean ams_files_event_parse_end (GstEvent *event, AmsFileEnd *end);

/* Several files may be open at a time, each in a lane of its own: from here on, begin,
 * buffers and end are of lane @lane. At first that is 0. */
#define AMS_FILES_MAX_LANES 256
GstEvent *ams_files_event_new_lane (guint lane);
gboolean ams_files_event_parse_lane (GstEvent *event, guint *lane);

/* Take @name out of the store @after seconds from when the playlists handed
 * over before are there. */
GstEvent *ams_files_event_new_remove (const gchar *name, gdouble after);
gboolean ams_files_event_parse_remove (GstEvent *event, gchar **name,
    gdouble *after);

/* Keep the first @size bytes of what a crash left of @name: it is whole now.
 * @from: (nullable) a file of the store that is to become @name, instead of @name's
 * own part */
GstEvent *ams_files_event_new_adopt (const gchar *name, const gchar *from,
    guint64 size);
/* @from: (out) (nullable) (transfer full) */
gboolean ams_files_event_parse_adopt (GstEvent *event, gchar **name,
    gchar **from, guint64 *size);

/* Upstream events. failed: the store has given this file up, the playlist
 * must mark it EXT-X-GAP; until a version whose begin names it in `failed`
 * arrives, the store withholds playlists. stored: the file (of a playlist:
 * this version or a later one) is in the store, readable, and on stable storage if that was
 * asked for. */
GstEvent *ams_files_event_new_failed (const gchar *name);
gboolean ams_files_event_parse_failed (GstEvent *event, gchar **name);

/* taken: another file has this name in the store. Nothing is given up: the store waits
 * for a playlist version whose begin names the segment in `renamed`, or in `failed` alone. */
GstEvent *ams_files_event_new_taken (const gchar *name);
gboolean ams_files_event_parse_taken (GstEvent *event, gchar **name);

GstEvent *ams_files_event_new_stored (const gchar *name, guint64 version);
gboolean ams_files_event_parse_stored (GstEvent *event, gchar **name,
    guint64 *version);

G_END_DECLS
