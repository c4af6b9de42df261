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
  GChecksum *sum; /* (nullable) of what comes */
} AmsBodyCompare;

/* @plain: (nullable) of which @body is the gzip: some servers unpack. */
void ams_body_compare_init (AmsBodyCompare *compare, AmsBody *body,
    AmsBody *plain);
void ams_body_compare_clear (AmsBodyCompare *compare);
/* What comes is read on where it differs, to know its SHA-256. */
void ams_body_compare_want_sum (AmsBodyCompare *compare);
/* An AmsHttpSink, whose data is the AmsBodyCompare. */
gboolean ams_body_compare_piece (const guint8 *data, gsize size,
    gpointer compare);
/* All pieces have come. */
gboolean ams_body_compare_is_same (const AmsBodyCompare *compare);
/* It is what a body begins with, and not nothing. */
gboolean ams_body_compare_is_beginning (const AmsBodyCompare *compare);
/* (nullable) it was not wanted, or there was too much */
const gchar *ams_body_compare_get_sum (const AmsBodyCompare *compare);

G_END_DECLS
