/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whether what a server sends is a body, byte for byte, as it comes. */

#pragma once

#include "transfer/amsbody.h"

G_BEGIN_DECLS

#define AMS_BODY_COMPARE_BODIES 2

typedef struct
{
  AmsBody *bodies[AMS_BODY_COMPARE_BODIES]; /* NULL: none, or not the same */
  guint64 at;
  GError *error; /* (nullable) reading a body */
} AmsBodyCompare;

/* @plain: (nullable) of which @body is the gzip: some servers unpack. */
void ams_body_compare_init (AmsBodyCompare *compare, AmsBody *body,
    AmsBody *plain);
void ams_body_compare_clear (AmsBodyCompare *compare);
/* An AmsHttpSink, whose data is the AmsBodyCompare. */
gboolean ams_body_compare_piece (const guint8 *data, gsize size,
    gpointer compare);
/* All pieces have come. */
gboolean ams_body_compare_is_same (const AmsBodyCompare *compare);

G_END_DECLS
