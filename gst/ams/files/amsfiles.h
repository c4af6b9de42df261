/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The file stream (application/x-ams-files): the one contract between what
 * makes files (amshlssink) and what delivers them (the put sinks). This is the
 * only place that spells its event, query and field names; docs/file-stream.md
 * says the same for people who write an element of their own. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define AMS_FILES_CAPS "application/x-ams-files"

/* What is gathered from packets before it is pushed. */
#define AMS_FILES_BLOCK_SIZE (64 * 1024)

/* A playlist version that extends the one before may be appended to in place.
 * Every multiple of this many bytes in the added part is a place at which the
 * playlist may end: a store that writes no further than the next multiple in
 * one write never shows a reader half a line. */
#define AMS_FILES_PAGE_SIZE 4096

typedef enum
{
  AMS_FILE_ROLE_OTHER,
  AMS_FILE_ROLE_KEY,
  AMS_FILE_ROLE_INIT,
  AMS_FILE_ROLE_SEGMENT,
  AMS_FILE_ROLE_PLAYLIST,
  AMS_FILE_ROLE_MASTER,
} AmsFileRole;

const gchar *ams_file_role_to_string (AmsFileRole role);
gboolean ams_file_role_from_string (const gchar *string, AmsFileRole *role);

/* The Content-Type of a file with this role and name (hls-rules 16). Never
 * NULL. */
const gchar *ams_file_content_type (AmsFileRole role, const gchar *name);

/* Whether @name may be a file's name: UTF-8 without control characters,
 * relative, "/"-separated, no empty, "." or ".." part, at most 1024 bytes. */
gboolean ams_file_name_check (const gchar *name, GError **error);

/* ams-file-begin: what the buffers that follow are. */
typedef struct
{
  gchar *name;
  AmsFileRole role;
  gchar *content_type;
  guint64 version; /* counts the versions of one playlist from 1; 0: has none */
  guint64
      extends; /* its first bytes, so many, are the version before, whole; 0: not */
  gboolean final; /* a playlist's last version: never skipped */
  GStrv
      failed; /* (nullable): names from ams-file-failed that this playlist version is the first to heed */
  GStrv
      renamed; /* (nullable): old and new name in turn of segments that this playlist version is the first to list under the new one */
  gchar *
      local_path; /* (nullable) absolute: upstream writes the same file there, and leaves it there as long as it is listed */
  gboolean
      by_reference; /* no buffers come: the file at local_path, of the size that ams-file-end says, is it */
  gboolean
      renames; /* of a segment: ams-file-taken is answered with another name */
  gint64 date_time; /* a segment's start, µs since 1970 UTC; 0: unknown */
  gboolean
      discontinuity; /* with a date_time: EXT-X-DISCONTINUITY comes before it */
} AmsFileBegin;

/* ams-file-end: the file is whole, or never will be. */
typedef struct
{
  guint64
      size; /* the file is the first so many of the bytes passed, never more of them */
  gboolean complete; /* FALSE: abandoned, must never appear in the store */
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

/* Queries, asked from upstream. Several stores may be behind a tee, and
 * gst_pad_query_default() stops at the first branch that returns TRUE. So a
 * store *adds* its answer and then returns FALSE; who asks ignores the return
 * value and reads the answers. No answer: there is no store. */

typedef enum
{
  AMS_FILE_STATUS_FOUND,
  AMS_FILE_STATUS_ABSENT, /* the store knows that there is no such file */
  AMS_FILE_STATUS_FAILED, /* the store cannot tell: nobody may take this for absent */
} AmsFileStatus;

typedef struct
{
  AmsFileStatus status;
  gchar *message; /* FAILED: a sentence for people, without credentials */
  gboolean posted; /* FAILED: the store has posted an ERROR, which says why */
  gboolean closed; /* FAILED: it is being stopped; that is no fault */
  GBytes *data; /* FOUND */
} AmsFileFetchAnswer;

/* @partial: what a crash left of @name, instead of @name. @max_size: a larger
 * file is answered FAILED. */
GstQuery *ams_files_query_new_fetch (const gchar *name, gboolean partial,
    guint64 max_size);
gboolean ams_files_query_parse_fetch (GstQuery *query, gchar **name,
    gboolean *partial, guint64 *max_size);
/* Who asks can do without the answer: a store that does not have it within half a
 * second says FAILED. */
void ams_files_query_set_impatient (GstQuery *query);
gboolean ams_files_query_is_impatient (GstQuery *query);
/* Who asks needs only the first @size bytes: a store may answer with those, of a
 * file of any size, or with the whole. 0: all are needed. */
void ams_files_query_set_head (GstQuery *query, guint64 size);
guint64 ams_files_query_get_head (GstQuery *query);
void ams_files_query_add_fetched (GstQuery *query, GBytes *data);
void ams_files_query_add_absent (GstQuery *query);
/* @posted: an ERROR was posted, so who asks need not say it again. */
void ams_files_query_add_failed (GstQuery *query, const gchar *message,
    gboolean posted);
/* The store was open, and is being stopped by whoever runs the pipeline: who asks gives up
 * without a word. */
void ams_files_query_add_closed (GstQuery *query, const gchar *message);
/* (transfer full) (element-type AmsFileFetchAnswer) */
GPtrArray *ams_files_query_fetch_answers (GstQuery *query);

typedef struct
{
  gchar *name;
  guint64 size;
  gboolean
      partial; /* a crash left this much of it; ams-file-adopt makes it whole */
  gint64 date_time; /* as its ams-file-begin said; 0: unknown */
  gboolean discontinuity; /* likewise */
  gint64 modified; /* last written to, µs since 1970 UTC; 0: unknown */
} AmsFileEntry;

typedef struct
{
  AmsFileStatus status; /* FOUND (perhaps of nothing) or FAILED */
  gchar *message;
  gboolean closed; /* FAILED: likewise */
  GPtrArray *entries; /* (element-type AmsFileEntry) */
} AmsFileListAnswer;

/* Names that begin with @prefix (which may end within a folder or a name). */
GstQuery *ams_files_query_new_list (const gchar *prefix);
gboolean ams_files_query_parse_list (GstQuery *query, gchar **prefix);
/* @entries: (element-type AmsFileEntry) (transfer none) */
void ams_files_query_add_listed (GstQuery *query, GPtrArray *entries);
/* (transfer full) (element-type AmsFileListAnswer) */
GPtrArray *ams_files_query_list_answers (GstQuery *query);

/* Serialized: comes back when every store behind the pad has stored or given up all
 * that was handed over before, or its drain-timeout has passed. The events of that
 * (stored, failed) have been sent by then. It has no answer. The drain-timeout of each
 * store counts from when the query was made, so that several stores that cannot
 * deliver take one drain-timeout, and not one each.
 * @since: (out): when it was made, as of g_get_monotonic_time(); without the field: now */
GstQuery *ams_files_query_new_drain (void);
gboolean ams_files_query_parse_drain (GstQuery *query, gint64 *since);

AmsFileEntry *ams_file_entry_new (const gchar *name, guint64 size,
    gboolean partial);
void ams_file_entry_free (AmsFileEntry *entry);

G_END_DECLS
