/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The queries of the file stream, asked from upstream: what the stores have, and when
 * all is there. Several stores may be behind a tee, and
 * gst_pad_query_default() stops at the first branch that returns TRUE. So a
 * store *adds* its answer and then returns FALSE; who asks ignores the return
 * value and reads the answers. No answer: there is no store. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  AMS_FILE_STATUS_FOUND,
  AMS_FILE_STATUS_ABSENT, /* the store knows that there is no such file */
  /* The store cannot tell: nobody may take this for absent. */
  AMS_FILE_STATUS_FAILED,
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
  /* A crash left this much of it; ams-file-adopt makes it whole. */
  gboolean partial;
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
