/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Properties that are fixed when a recording begins, and are set while it runs. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* For a GObject set_property(), before @value is taken, without a lock: posts a WARNING
 * (LIBRARY/SETTINGS) if @pspec says that the property may change in READY only
 * (GST_PARAM_MUTABLE_READY), @element is beyond that, and the value is neither the one
 * that it has nor the one in force: it holds from the next start on. */
void ams_warn_late_setting (GstElement *element, const GValue *value,
    GParamSpec *pspec);

/* In READY→PAUSED: the settings that are in force from here on are those that @element
 * has now. */
void ams_forget_late_settings (GstElement *element);

G_END_DECLS
