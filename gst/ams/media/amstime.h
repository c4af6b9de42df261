/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Times are signed ns, on a source's clock or on the recording's time line. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define AMS_TIME_NONE G_MININT64
#define AMS_SECOND G_GINT64_CONSTANT (1000000000)

G_END_DECLS
