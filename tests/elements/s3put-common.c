/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3put-common.h"

#include <glib/gstdio.h>

gchar *
s3put_begin (void)
{
  g_auto (GStrv) names = g_listenv ();
  gchar *home = g_dir_make_tmp ("ams-s3put-XXXXXX", NULL);

  g_assert_nonnull (home);
  for (guint i = 0; names[i]; i++) {
    if (g_str_has_prefix (names[i], "AWS_"))
      g_unsetenv (names[i]);
  }
  g_setenv ("HOME", home, TRUE);
  return home;
}

void
s3put_end (gchar *home)
{
  g_rmdir (home);
  g_free (home);
}

GstElement *
s3put_new (void)
{
  GstElement *put = gst_element_factory_make ("amss3put", NULL);

  g_assert_nonnull (put);
  return gst_object_ref_sink (put);
}

GstAmsPutSinkClass *
s3put_class (GstElement *put)
{
  return (GstAmsPutSinkClass *) G_OBJECT_GET_CLASS (put);
}

void
s3put_set (GstElement *put, const gchar *const *settings)
{
  for (guint i = 0; settings[i]; i += 2)
    gst_util_set_object_arg (G_OBJECT (put), settings[i], settings[i + 1]);
}
