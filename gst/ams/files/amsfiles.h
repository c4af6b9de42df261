/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The file stream (application/x-ams-files): the one contract between what
 * makes files (amshlssink) and what delivers them (the put sinks): names, events and
 * queries. This folder is the only place that spells the names of events, queries and
 * fields; docs/file-stream.md says the same for people who write an element of their
 * own. */

#pragma once

#include "files/amsfilename.h"
#include "files/amsfilesevents.h"
#include "files/amsfilesqueries.h"

G_BEGIN_DECLS

#define AMS_FILES_CAPS "application/x-ams-files"

/* What is gathered from packets before it is pushed. */
#define AMS_FILES_BLOCK_SIZE (64 * 1024)

/* A playlist version that extends the one before may be appended to in place.
 * Every multiple of this many bytes in the added part is a place at which the
 * playlist may end: a store that writes no further than the next multiple in
 * one write never shows a reader half a line. */
#define AMS_FILES_PAGE_SIZE 4096

G_END_DECLS
