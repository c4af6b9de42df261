/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Properties that are set while an element runs: one that is fixed at the start says so, one that takes effect
 * is silent. Which is which is the property's own flag. */

#include "config.h"

#include <gst/gst.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  const gchar *name;
  const gchar *line; /* of gst_parse_launch(); %s is a folder */
} Case;

static const Case cases[] = {
  { "amshlssink",
      "amshlssink location=%s/s%%05d.ts playlist-location=%s/p.m3u8" },
  { "amsfileput", "amsfileput location=%s" },
  { "amshttpput", "amshttpput location=http://127.0.0.1:9/x/" },
  { "amss3put",
      "amss3put endpoint=http://127.0.0.1:9 bucket=bucket region=us-east-1 "
      "access-key=a secret-access-key=s" },
};

/* Another value than the one that it has. FALSE: there is none, or it is not known how. */
static gboolean
change (GValue *value, const gchar *name)
{
  if (G_VALUE_HOLDS_STRING (value))
    g_value_take_string (value,
        g_strconcat ("http://127.0.0.1:9/", name, NULL));
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_value_set_boolean (value, !g_value_get_boolean (value));
  else if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, g_value_get_uint (value) == 7 ? 8 : 7);
  else if (G_VALUE_HOLDS_UINT64 (value))
    g_value_set_uint64 (value, g_value_get_uint64 (value) == 7 ? 8 : 7);
  else if (G_VALUE_HOLDS_ENUM (value))
    g_value_set_enum (value, g_value_get_enum (value) == 0 ? 1 : 0);
  else
    return FALSE;
  return TRUE;
}

static guint
count_warnings (GstBus *bus, const gchar *property)
{
  g_autofree gchar *quoted = g_strdup_printf ("“%s”", property);
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING))) {
    g_autoptr (GError) error = NULL;

    gst_message_parse_warning (message, &error, NULL);
    if (g_error_matches (error, GST_LIBRARY_ERROR,
            GST_LIBRARY_ERROR_SETTINGS)) {
      g_assert_nonnull (strstr (error->message, quoted));
      g_assert_nonnull (strstr (error->message, "next start"));
      n++;
    }
    gst_message_unref (message);
  }
  return n;
}

static void
try_property (GstElement *element, GstBus *bus, GParamSpec *pspec)
{
  gboolean fixed = !(pspec->flags & GST_PARAM_MUTABLE_PLAYING);
  g_auto (GValue) value = G_VALUE_INIT;
  g_auto (GValue) in_force = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  g_value_init (&in_force, pspec->value_type);
  if (pspec->flags & G_PARAM_READABLE) {
    g_object_get_property (G_OBJECT (element), pspec->name, &value);
    g_value_copy (&value, &in_force);
    g_object_set_property (G_OBJECT (element), pspec->name, &value);
    g_assert_cmpuint (count_warnings (bus, pspec->name), ==, 0);
  }
  if (!change (&value, pspec->name))
    return;
  g_object_set_property (G_OBJECT (element), pspec->name, &value);
  g_test_message ("%s", pspec->name);
  g_assert_cmpuint (count_warnings (bus, pspec->name), ==, fixed ? 1 : 0);
  if (!(pspec->flags & G_PARAM_READABLE))
    return;
  g_object_set_property (G_OBJECT (element), pspec->name, &in_force);
  g_assert_cmpuint (count_warnings (bus, pspec->name), ==, 0);
  g_object_set_property (G_OBJECT (element), pspec->name, &value);
  g_assert_cmpuint (count_warnings (bus, pspec->name), ==, fixed ? 1 : 0);
}

static void
try_all (GstElement *element, GstBus *bus)
{
  guint n, tried = 0;
  g_autofree GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

  for (guint i = 0; i < n; i++) {
    if (!(specs[i]->flags & G_PARAM_WRITABLE) ||
        !(specs[i]->flags & GST_PARAM_MUTABLE_READY))
      continue;
    try_property (element, bus, specs[i]);
    tried++;
  }
  g_assert_cmpuint (tried, >=, 8);
}

static void
test_late_setting_is_said (gconstpointer data)
{
  const Case *t = data;
  g_autofree gchar *dir = g_dir_make_tmp ("ams-late-XXXXXX", NULL);
  g_autoptr (GString) line = g_string_new (t->line);
  g_autoptr (GstBus) bus = gst_bus_new ();
  GstElement *element;

  g_string_replace (line, "%s", dir, 0);
  g_string_replace (line, "%%", "%", 0);
  element = gst_object_ref_sink (gst_parse_launch (line->str, NULL));
  gst_element_set_bus (element, bus);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_PLAYING), !=,
      GST_STATE_CHANGE_FAILURE);
  try_all (element, bus);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
  g_rmdir (dir);
}

/* Before the start they are taken, and nothing is said. */
static void
test_setting_before_the_start_is_silent (gconstpointer data)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("amshlssink", NULL));

  gst_element_set_bus (element, bus);
  g_object_set (element, "target-duration", 9, NULL);
  gst_element_set_state (element, GST_STATE_READY);
  g_object_set (element, "target-duration", 10, NULL);
  g_assert_cmpuint (count_warnings (bus, "target-duration"), ==, 0);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
}

/* What was set late is in force after a restart, and so is no more what was before. */
static void
test_setting_of_before_a_restart_is_said (gconstpointer data)
{
  g_autofree gchar *dir = g_dir_make_tmp ("ams-late-XXXXXX", NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("amsfileput", NULL));

  gst_element_set_bus (element, bus);
  g_object_set (element, "location", dir, "max-parallel", 3, NULL);
  gst_element_set_state (element, GST_STATE_PAUSED);
  g_object_set (element, "max-parallel", 4, NULL);
  g_assert_cmpuint (count_warnings (bus, "max-parallel"), ==, 1);
  gst_element_set_state (element, GST_STATE_READY);
  gst_element_set_state (element, GST_STATE_PAUSED);
  g_object_set (element, "max-parallel", 3, NULL);
  g_assert_cmpuint (count_warnings (bus, "max-parallel"), ==, 1);
  g_object_set (element, "max-parallel", 4, NULL);
  g_assert_cmpuint (count_warnings (bus, "max-parallel"), ==, 0);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  g_rmdir (dir);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path =
        g_strconcat ("/late-settings/said/", cases[i].name, NULL);

    g_test_add_data_func (path, &cases[i], test_late_setting_is_said);
  }
  g_test_add_data_func ("/late-settings/before-the-start", NULL,
      test_setting_before_the_start_is_silent);
  g_test_add_data_func ("/late-settings/after-a-restart", NULL,
      test_setting_of_before_a_restart_is_said);
  return g_test_run ();
}
