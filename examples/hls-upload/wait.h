/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which job waits for which: edges of a graph, in two rings each, so that an edge is found and taken out from
 * either end in one step, and all that wait for one job wait for another one in one step. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _HlsUploadJob HlsUploadJob;
typedef struct _HlsUploadWaits HlsUploadWaits;
typedef struct _HlsUploadWait HlsUploadWait;

/* The head of a ring, and a place in it. */
struct _HlsUploadWaits
{
  HlsUploadWaits *prev, *next;
};

struct _HlsUploadWait
{
  HlsUploadWaits of_waiter; /* a place among what the waiter waits for */
  HlsUploadWaits of_cause; /* a place among what waits for the same */
  HlsUploadJob *waiter;
};

void hls_upload_waits_init (HlsUploadWaits *waits);
gboolean hls_upload_waits_is_empty (const HlsUploadWaits *waits);

/* @of_waiter, @of_cause: the rings that it becomes the last of. */
HlsUploadWait *hls_upload_wait_new (HlsUploadJob *waiter,
    HlsUploadWaits *of_waiter, HlsUploadWaits *of_cause);
/* Takes it out of both rings. */
void hls_upload_wait_free (HlsUploadWait *wait);
/* To the end of another cause's ring. */
void hls_upload_wait_move (HlsUploadWait *wait, HlsUploadWaits *of_cause);
/* All of one cause's ring, which is empty then. */
void hls_upload_waits_move_all (HlsUploadWaits *from, HlsUploadWaits *to);

/* The first and the last of a ring. (nullable) */
HlsUploadWait *hls_upload_waits_first_of_waiter (const HlsUploadWaits *waits);
HlsUploadWait *hls_upload_waits_first_of_cause (const HlsUploadWaits *waits);
HlsUploadWait *hls_upload_waits_last_of_cause (const HlsUploadWaits *waits);
/* The one after @wait. (nullable) */
HlsUploadWait *hls_upload_wait_next_of_cause (const HlsUploadWaits *waits,
    const HlsUploadWait *wait);

G_END_DECLS
