/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A body that is a range of another, finished one: for files that are sent in parts. */

#pragma once

#include "transfer/amsbody.h"

G_BEGIN_DECLS

#define AMS_TYPE_SLICE_BODY (ams_slice_body_get_type ())
G_DECLARE_FINAL_TYPE (AmsSliceBody, ams_slice_body, AMS, SLICE_BODY, AmsBody)

/* The @size bytes of @whole from @start, which it has. It is finished. */
AmsBody *ams_slice_body_new (AmsBody *whole, guint64 start, guint64 size);

G_END_DECLS
