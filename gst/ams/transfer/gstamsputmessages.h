/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a put sink says on the bus and in its statistics. Any thread; no lock may be
 * held. gstamsputsink.c documents the fields. */

#pragma once

#include "transfer/amsengine.h"

G_BEGIN_DECLS

/* The one place that maps the errors of stores to the bus. @type: ERROR, WARNING, INFO.
 * @name: (nullable): the file that was struck first */
void ams_put_post (GstElement *element, GstMessageType type,
    const GError *error, const gchar *text, const gchar *name);
void ams_put_post_undelivered (GstElement *element, guint files,
    const gchar *why);
/* An element message about @file. @fields: (transfer full): what it has of its own */
void ams_put_post_file (GstElement *element, GstStructure *fields,
    const AmsFileInfo *file);
GstStructure *ams_put_stats_to_structure (const AmsEngineStats *stats);

G_END_DECLS
