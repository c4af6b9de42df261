/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "files/amslatesetting.h"

/* It takes effect while the element plays, or is no setting of the kind. */
static gboolean
is_mutable (const GParamSpec *pspec, GstState state)
{
  if (!(pspec->flags & GST_PARAM_MUTABLE_READY) ||
      (pspec->flags & GST_PARAM_MUTABLE_PLAYING))
    return TRUE;
  return state <= GST_STATE_PAUSED && (pspec->flags & GST_PARAM_MUTABLE_PAUSED);
}

/* READY→PAUSED counts: the settings are taken when that begins. */
static GstState
get_state (GstElement *element)
{
  GstState state;

  GST_OBJECT_LOCK (element);
  state = MAX (GST_STATE (element), GST_STATE_NEXT (element));
  GST_OBJECT_UNLOCK (element);
  return state;
}

/* gst_value_compare() looks into structures, g_param_values_cmp() does not. */
static gboolean
is_equal (const GValue *a, const GValue *b, GParamSpec *pspec)
{
  gint compared = gst_value_compare (a, b);

  if (compared == GST_VALUE_UNORDERED)
    return g_param_values_cmp (pspec, a, b) == 0;
  return compared == GST_VALUE_EQUAL;
}

/* Values in force of properties that were set late: GParamSpec → GValue */

static G_DEFINE_QUARK (ams - late - settings, late_settings)

        static void free_value (gpointer data)
{
  g_value_unset (data);
  g_free (data);
}

/* With the object lock. (transfer none) */
static GHashTable *
get_in_force (GstElement *element)
{
  GHashTable *values =
      g_object_get_qdata (G_OBJECT (element), late_settings_quark ());

  if (!values) {
    values = g_hash_table_new_full (NULL, NULL, NULL, free_value);
    g_object_set_qdata_full (G_OBJECT (element), late_settings_quark (), values,
        (GDestroyNotify) g_hash_table_unref);
  }
  return values;
}

/* @before is in force unless the property was set late before. */
static gboolean
is_in_force (GstElement *element, const GValue *before, const GValue *value,
    GParamSpec *pspec)
{
  GHashTable *values;
  GValue *known;
  gboolean same;

  GST_OBJECT_LOCK (element);
  values = get_in_force (element);
  known = g_hash_table_lookup (values, pspec);
  if (!known) {
    known = g_new0 (GValue, 1);
    g_value_init (known, pspec->value_type);
    g_value_copy (before, known);
    g_hash_table_insert (values, pspec, known);
  }
  same = is_equal (known, value, pspec);
  GST_OBJECT_UNLOCK (element);
  return same;
}

void
ams_forget_late_settings (GstElement *element)
{
  GST_OBJECT_LOCK (element);
  g_hash_table_remove_all (get_in_force (element));
  GST_OBJECT_UNLOCK (element);
}

/* What cannot be read is not known. */
static gboolean
is_no_news (GstElement *element, const GValue *value, GParamSpec *pspec)
{
  g_auto (GValue) before = G_VALUE_INIT;

  if (!(pspec->flags & G_PARAM_READABLE))
    return FALSE;
  g_value_init (&before, pspec->value_type);
  g_object_get_property (G_OBJECT (element), pspec->name, &before);
  return is_equal (&before, value, pspec) ||
      is_in_force (element, &before, value, pspec);
}

void
ams_warn_late_setting (GstElement *element, const GValue *value,
    GParamSpec *pspec)
{
  GstState state = get_state (element);

  if (state < GST_STATE_PAUSED || is_mutable (pspec, state) ||
      is_no_news (element, value, pspec))
    return;
  GST_ELEMENT_WARNING (element, LIBRARY, SETTINGS,
      ("“%s” was set while the element is in %s. It is fixed when the recording "
       "begins: the new value holds from the next start (READY to PAUSED) on.",
          pspec->name, gst_element_state_get_name (state)),
      (NULL));
}
