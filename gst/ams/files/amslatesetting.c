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

static gboolean
is_set_already (GstElement *element, const GValue *value, GParamSpec *pspec)
{
  g_auto (GValue) before = G_VALUE_INIT;

  if (!(pspec->flags & G_PARAM_READABLE))
    return FALSE;
  g_value_init (&before, pspec->value_type);
  g_object_get_property (G_OBJECT (element), pspec->name, &before);
  return is_equal (&before, value, pspec);
}

void
ams_warn_late_setting (GstElement *element, const GValue *value,
    GParamSpec *pspec)
{
  GstState state = get_state (element);

  if (state < GST_STATE_PAUSED || is_mutable (pspec, state) ||
      is_set_already (element, value, pspec))
    return;
  GST_ELEMENT_WARNING (element, LIBRARY, SETTINGS,
      ("“%s” was set while the element is in %s. It is fixed when the recording "
       "begins: the new value holds from the next start (READY to PAUSED) on.",
          pspec->name, gst_element_state_get_name (state)),
      (NULL));
}
