/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A segment of a playlist that is being written. Pure. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *uri; /* as it stands in the playlist (already percent-encoded) */
  guint64 duration; /* ns */
  gint64 date_time; /* µs since 1970 UTC; 0: no EXT-X-PROGRAM-DATE-TIME line */
  gboolean discontinuity;
  gboolean gap;
  /* Bytes of the file that the segment is, EXT-X-BYTERANGE; @range_size 0: all. */
  guint64 range_offset, range_size;
  /* EXT-X-MAP, which holds from this segment on; NULL: as before. Only borrowed,
   * as @uri is by ams_playlist_add(). */
  const gchar *map;
} AmsPlaylistSegment;

AmsPlaylistSegment *ams_playlist_segment_new (const gchar *uri,
    guint64 duration, gint64 date_time, gboolean discontinuity, gboolean gap);
void ams_playlist_segment_free (AmsPlaylistSegment *segment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsPlaylistSegment, ams_playlist_segment_free)

/* Percent-encodes a relative name for a playlist line (RFC 3986 path; "/" kept; ":" in the first part encoded so that it is
 * not taken for a scheme), with @root (nullable) put before it: a URI prefix, used as it is, a "/" added between if it lacks one. */
gchar *ams_playlist_uri (const gchar *root, const gchar *name);

G_END_DECLS
