/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which files of a recording are removed, and when: segments that have left the window
 * stay for as long as somebody may read a playlist that lists them (RFC 8216bis 6.2.2),
 * and at the end all that a session wrote may go.
 *
 * Times are ns of recorded media. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *name;
  gdouble after; /* s */
} AmsRemoval;

typedef struct _AmsRetention AmsRetention;

/* @max_files: segments that are kept, with those that are listed; 0: all.
 * @remembers: for ams_retention_get_own_files(). */
AmsRetention *ams_retention_new (guint max_files, gboolean remembers);
void ams_retention_free (AmsRetention *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsRetention, ams_retention_free)

/* The playlist has been as long as @duration. */
void ams_retention_note_playlist (AmsRetention *self, guint64 duration);
/* The same, and no longer: another playlist goes on. */
void ams_retention_begin (AmsRetention *self, guint64 duration);

/* This session has written @name. */
void ams_retention_add_own_file (AmsRetention *self, const gchar *name);
/* The file @name is there under the name @other, too, and goes with it. */
void ams_retention_rename (AmsRetention *self, const gchar *name,
    const gchar *other);

/* The segment @name, which lasts @duration, has left the window at @now. */
void ams_retention_unlist (AmsRetention *self, const gchar *name,
    guint64 duration, guint64 now);
/* One that an earlier session left behind, unlisted. Oldest first, and before those of
 * this session. @duration: the longest that it may last */
void ams_retention_unlist_earlier (AmsRetention *self, const gchar *name,
    guint64 duration, guint64 now);

/* What is to be removed, as @listed segments are listed. (transfer full) (element-type
 * AmsRemoval) */
GPtrArray *ams_retention_take_removals (AmsRetention *self, guint listed,
    guint64 now);

/* What this session wrote, and is not removed for certain. (transfer full)
 * (element-type utf8) */
GPtrArray *ams_retention_get_own_files (AmsRetention *self);

G_END_DECLS
