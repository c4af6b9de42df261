/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amsmediaerror.h"

G_DEFINE_QUARK (ams - media - error - quark, ams_media_error)
