/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an earlier session left gets names of its own, as another recorder has those that it
 * was to have. */

#pragma once

#include "transfer/spool/amsspool.h"

G_BEGIN_DECLS

/* "a/cam1.m3u8" with "-kept" is "a/cam1-kept.m3u8"; a name that has it keeps it. Also of a URI.
 * (transfer full) */
gchar *ams_spool_apart_name (const gchar *name, const gchar *suffix);

/* The playlist @text, called @name, lists those of @renamed (set of names of files) with the suffix,
 * and ends. (transfer full) */
GBytes *ams_spool_apart_list (GBytes *text, const gchar *name,
    GHashTable *renamed, const gchar *suffix);

/* @entries: of ams_spool_take_up(), if the spool has a suffix. It knows the new names before anything is put, so
 * that a crash in between changes nothing. Removes are dropped. */
void ams_spool_apart (AmsSpool *spool, GPtrArray *entries);

G_END_DECLS
