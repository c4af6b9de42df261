/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Versions of files that were sent whole, but of which no answer came: the server may
 * have stored them, or may do so later. Known by their SHA-256. Internal to the store. */

#pragma once

#include "http/amshttpplace.h"

G_BEGIN_DECLS

/* @plain: (nullable) of which @body is the gzip. Only of files that have versions. */
void ams_http_unsure_note (AmsHttpPlace *place, const AmsPut *put,
    AmsBody *body, AmsBody *plain);
/* @sum: (nullable) */
gboolean ams_http_unsure_has (AmsHttpPlace *place, const gchar *name,
    const gchar *sum);
/* There is one that is not the same as these. */
gboolean ams_http_unsure_has_other (AmsHttpPlace *place, const gchar *name,
    AmsBody *body, AmsBody *plain);
void ams_http_unsure_forget (AmsHttpPlace *place, const gchar *name);

G_END_DECLS
