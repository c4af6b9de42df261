/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of amss3put share. The element is the plugin's; its class is asked
 * directly where no pipeline is needed. */

#pragma once

#include "http/gstamshttpsink.h"

G_BEGIN_DECLS

/* Before anything else: no credentials but what a test gives. Returns a folder that is HOME
 * now, for s3put_end(). (transfer full) */
gchar *s3put_begin (void);
void s3put_end (gchar *home);

GstElement *s3put_new (void);
/* Not by the type's function, which the plugin has. */
GstAmsPutSinkClass *s3put_class (GstElement *put);
/* name, value, …, NULL */
void s3put_set (GstElement *put, const gchar *const *settings);

G_END_DECLS
