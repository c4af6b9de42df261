/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/gstamsfields.h"

#include "transfer/amsstore.h"

#include <string.h>

#define REDACTED "***"

/* Structures */

static gboolean
add_pair (GPtrArray *pairs, const gchar *name, const GValue *value)
{
  g_auto (GValue) text = G_VALUE_INIT;

  g_value_init (&text, G_TYPE_STRING);
  if (!g_type_is_a (G_VALUE_TYPE (value), G_TYPE_STRING) &&
      G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value)) > G_TYPE_DOUBLE)
    return FALSE;
  if (!g_value_transform (value, &text) || !g_value_get_string (&text))
    return FALSE;
  g_ptr_array_add (pairs, g_strdup (name));
  g_ptr_array_add (pairs, g_value_dup_string (&text));
  return TRUE;
}

static gboolean
add_array (GPtrArray *pairs, const gchar *name, const GValue *array)
{
  for (guint i = 0; i < gst_value_array_get_size (array); i++) {
    if (!add_pair (pairs, name, gst_value_array_get_value (array, i)))
      return FALSE;
  }
  return TRUE;
}

static gboolean
add_list (GPtrArray *pairs, const gchar *name, const GValue *list)
{
  for (guint i = 0; i < gst_value_list_get_size (list); i++) {
    if (!add_pair (pairs, name, gst_value_list_get_value (list, i)))
      return FALSE;
  }
  return TRUE;
}

static gboolean
add_field (GPtrArray *pairs, const gchar *name, const GValue *value)
{
  if (GST_VALUE_HOLDS_ARRAY (value))
    return add_array (pairs, name, value);
  if (GST_VALUE_HOLDS_LIST (value))
    return add_list (pairs, name, value);
  return add_pair (pairs, name, value);
}

GStrv
gst_ams_pairs_from_structure (const gchar *property, const GstStructure *s,
    GError **error)
{
  g_autoptr (GPtrArray) pairs = g_ptr_array_new_with_free_func (g_free);

  for (gint i = 0; i < gst_structure_n_fields (s); i++) {
    const gchar *name = gst_structure_nth_field_name (s, i);

    if (add_field (pairs, name, gst_structure_get_value (s, name)))
      continue;
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
            "%s: the value of “%s” must be a string, a number, or an array "
            "of these",
            property, name));
    return NULL;
  }
  g_ptr_array_add (pairs, NULL);
  return (GStrv) g_ptr_array_steal (pairs, NULL);
}

static gboolean
may_be_secret (const gchar *name)
{
  static const gchar *const words[] = { "auth", "cookie", "token", "key",
    "secret", "signature", "password", "passwd", "credential", "session" };
  g_autofree gchar *lower = g_ascii_strdown (name, -1);

  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    if (strstr (lower, words[i]))
      return TRUE;
  }
  return FALSE;
}

static gboolean
redact_field (GQuark field, GValue *value, gpointer user_data)
{
  if (!may_be_secret (g_quark_to_string (field)))
    return TRUE;
  g_value_unset (value);
  g_value_init (value, G_TYPE_STRING);
  g_value_set_static_string (value, REDACTED);
  return TRUE;
}

GstStructure *
gst_ams_structure_redact (const GstStructure *s)
{
  GstStructure *shown = gst_structure_copy (s);

  gst_structure_map_in_place (shown, redact_field, NULL);
  return shown;
}

/* Values */

void
gst_ams_set_secret (gchar **secret, const gchar *text)
{
  if (*secret)
    explicit_bzero (*secret, strlen (*secret));
  g_free (*secret);
  *secret = g_strdup (text);
}

static void
set_structure (GstStructure **member, const GstStructure *s)
{
  g_clear_pointer (member, gst_structure_free);
  if (s)
    *member = gst_structure_copy (s);
}

gboolean
gst_ams_fields_set (gpointer base, const GstAmsField *fields, guint n, guint id,
    const GValue *value)
{
  gpointer member;

  if (id == 0 || id >= n)
    return FALSE;
  member = G_STRUCT_MEMBER_P (base, fields[id].offset);
  switch (fields[id].kind) {
    case GST_AMS_FIELD_STRING:
    case GST_AMS_FIELD_SECRET:
      gst_ams_set_secret (member, g_value_get_string (value));
      break;
    case GST_AMS_FIELD_STRUCTURE:
      set_structure (member, gst_value_get_structure (value));
      break;
    case GST_AMS_FIELD_UINT:
      *(guint *) member = g_value_get_uint (value);
      break;
    case GST_AMS_FIELD_UINT64:
      *(guint64 *) member = g_value_get_uint64 (value);
      break;
    case GST_AMS_FIELD_BOOLEAN:
      *(gboolean *) member = g_value_get_boolean (value);
      break;
    case GST_AMS_FIELD_ENUM:
      *(gint *) member = g_value_get_enum (value);
      break;
  }
  return TRUE;
}

static void
get_string (const GstAmsField *field, const gchar *text, GValue *value)
{
  if (text && field->show)
    g_value_take_string (value, field->show (text));
  else
    g_value_set_string (value, text);
}

static void
get_structure (const GstStructure *s, GValue *value)
{
  if (s)
    g_value_take_boxed (value, gst_ams_structure_redact (s));
}

gboolean
gst_ams_fields_get (gconstpointer base, const GstAmsField *fields, guint n,
    guint id, GValue *value)
{
  gconstpointer member;

  if (id == 0 || id >= n)
    return FALSE;
  member = G_STRUCT_MEMBER_P (base, fields[id].offset);
  switch (fields[id].kind) {
    case GST_AMS_FIELD_SECRET:
      break;
    case GST_AMS_FIELD_STRING:
      get_string (&fields[id], *(gchar *const *) member, value);
      break;
    case GST_AMS_FIELD_STRUCTURE:
      get_structure (*(GstStructure *const *) member, value);
      break;
    case GST_AMS_FIELD_UINT:
      g_value_set_uint (value, *(const guint *) member);
      break;
    case GST_AMS_FIELD_UINT64:
      g_value_set_uint64 (value, *(const guint64 *) member);
      break;
    case GST_AMS_FIELD_BOOLEAN:
      g_value_set_boolean (value, *(const gboolean *) member);
      break;
    case GST_AMS_FIELD_ENUM:
      g_value_set_enum (value, *(const gint *) member);
      break;
  }
  return TRUE;
}

static void
copy_field (gpointer to, gconstpointer from, const GstAmsField *field)
{
  gpointer target = G_STRUCT_MEMBER_P (to, field->offset);
  gconstpointer source = G_STRUCT_MEMBER_P (from, field->offset);

  switch (field->kind) {
    case GST_AMS_FIELD_STRING:
    case GST_AMS_FIELD_SECRET:
      gst_ams_set_secret (target, *(gchar *const *) source);
      break;
    case GST_AMS_FIELD_STRUCTURE:
      set_structure (target, *(GstStructure *const *) source);
      break;
    case GST_AMS_FIELD_UINT:
      *(guint *) target = *(const guint *) source;
      break;
    case GST_AMS_FIELD_UINT64:
      *(guint64 *) target = *(const guint64 *) source;
      break;
    case GST_AMS_FIELD_BOOLEAN:
      *(gboolean *) target = *(const gboolean *) source;
      break;
    case GST_AMS_FIELD_ENUM:
      *(gint *) target = *(const gint *) source;
      break;
  }
}

/* Members that several share are set again, not lost. */
void
gst_ams_fields_copy (gpointer to, gconstpointer from, const GstAmsField *fields,
    guint n)
{
  for (guint id = 1; id < n; id++)
    copy_field (to, from, &fields[id]);
}

void
gst_ams_fields_clear (gpointer base, const GstAmsField *fields, guint n)
{
  for (guint id = 1; id < n; id++) {
    gpointer member = G_STRUCT_MEMBER_P (base, fields[id].offset);

    if (fields[id].kind <= GST_AMS_FIELD_SECRET)
      gst_ams_set_secret (member, NULL);
    else if (fields[id].kind == GST_AMS_FIELD_STRUCTURE)
      set_structure (member, NULL);
  }
}
