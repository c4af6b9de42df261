/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How the custom queries of the file stream carry their answers: a list of
 * structures, to which each store adds its own. For gst/ams/files only. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* (nullable): @query is not the custom query @name. */
const GstStructure *ams_files_query_fields (GstQuery *query, const gchar *name);

/* (transfer full): an answer with this status and nothing else */
GstStructure *ams_files_answer_new (const gchar *status);

/* @answer: (transfer full) */
void ams_files_query_add_answer (GstQuery *query, GstStructure *answer);

/* Makes of an answer what is handed to whoever asked. */
typedef gpointer (*AmsFilesParseAnswer) (const GstStructure *answer);

/* Adds each answer to @query, which is a query @name, to @out. */
void ams_files_query_collect_answers (GstQuery *query, const gchar *name,
    AmsFilesParseAnswer parse, GPtrArray *out);

G_END_DECLS
