/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "files/amsfilesevents.h"

#define EVENT_BEGIN "ams-file-begin"
#define EVENT_END "ams-file-end"
#define EVENT_LANE "ams-file-lane"
#define EVENT_REMOVE "ams-file-remove"
#define EVENT_ADOPT "ams-file-adopt"
#define EVENT_FAILED "ams-file-failed"
#define EVENT_TAKEN "ams-file-taken"
#define EVENT_STORED "ams-file-stored"

/* Fields */

static const GstStructure *
event_fields (GstEvent *event, GstEventType type, const gchar *name)
{
  const GstStructure *s;

  if (GST_EVENT_TYPE (event) != type)
    return NULL;
  s = gst_event_get_structure (event);
  return s && gst_structure_has_name (s, name) ? s : NULL;
}

/* Names travel as an array, which (unlike a GStrv) gst_structure_to_string()
 * can show in all versions. */
static void
set_names (GstStructure *s, const gchar *field, GStrv names)
{
  GValue array = G_VALUE_INIT, item = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  g_value_init (&item, G_TYPE_STRING);
  for (guint i = 0; names[i]; i++) {
    g_value_set_string (&item, names[i]);
    gst_value_array_append_value (&array, &item);
  }
  g_value_unset (&item);
  gst_structure_take_value (s, field, &array);
}

static GStrv
get_names (const GstStructure *s, const gchar *field)
{
  const GValue *array = gst_structure_get_value (s, field);
  g_autoptr (GStrvBuilder) names = NULL;

  if (!array || !GST_VALUE_HOLDS_ARRAY (array))
    return NULL;
  names = g_strv_builder_new ();
  for (guint i = 0; i < gst_value_array_get_size (array); i++) {
    const GValue *item = gst_value_array_get_value (array, i);

    if (G_VALUE_HOLDS_STRING (item) && g_value_get_string (item))
      g_strv_builder_add (names, g_value_get_string (item));
  }
  return g_strv_builder_end (names);
}

/* ams-file-begin */

void
ams_file_begin_clear (AmsFileBegin *begin)
{
  g_clear_pointer (&begin->name, g_free);
  g_clear_pointer (&begin->content_type, g_free);
  g_clear_pointer (&begin->failed, g_strfreev);
  g_clear_pointer (&begin->renamed, g_strfreev);
  g_clear_pointer (&begin->local_path, g_free);
}

void
ams_file_begin_copy (AmsFileBegin *to, const AmsFileBegin *from)
{
  *to = *from;
  to->name = g_strdup (from->name);
  to->content_type = g_strdup (from->content_type);
  to->failed = g_strdupv (from->failed);
  to->renamed = g_strdupv (from->renamed);
  to->local_path = g_strdup (from->local_path);
}

GstEvent *
ams_files_event_new_begin (const AmsFileBegin *begin)
{
  const gchar *type = begin->content_type;
  GstStructure *s;

  if (!type)
    type = ams_file_content_type (begin->role, begin->name);
  s = gst_structure_new (EVENT_BEGIN, "name", G_TYPE_STRING, begin->name,
      "role", G_TYPE_STRING, ams_file_role_to_string (begin->role),
      "content-type", G_TYPE_STRING, type, NULL);
  if (begin->version)
    gst_structure_set (s, "version", G_TYPE_UINT64, begin->version, "extends",
        G_TYPE_UINT64, begin->extends, "final", G_TYPE_BOOLEAN, begin->final,
        NULL);
  else if (begin->final)
    gst_structure_set (s, "final", G_TYPE_BOOLEAN, TRUE, NULL);
  if (begin->failed && begin->failed[0])
    set_names (s, "failed", begin->failed);
  if (begin->renamed && begin->renamed[0])
    set_names (s, "renamed", begin->renamed);
  if (begin->renames)
    gst_structure_set (s, "renames", G_TYPE_BOOLEAN, TRUE, NULL);
  if (begin->local_path)
    gst_structure_set (s, "local-path", G_TYPE_STRING, begin->local_path,
        "by-reference", G_TYPE_BOOLEAN, begin->by_reference, NULL);
  if (begin->date_time)
    gst_structure_set (s, "date-time", G_TYPE_INT64, begin->date_time,
        "discontinuity", G_TYPE_BOOLEAN, begin->discontinuity, NULL);
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, s);
}

/* A path that is not absolute says nothing to another element. */
static void
parse_local_path (const GstStructure *s, AmsFileBegin *begin)
{
  const gchar *path = gst_structure_get_string (s, "local-path");

  if (!path || !g_path_is_absolute (path))
    return;
  begin->local_path = g_strdup (path);
  gst_structure_get_boolean (s, "by-reference", &begin->by_reference);
}

gboolean
ams_files_event_parse_begin (GstEvent *event, AmsFileBegin *begin)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_DOWNSTREAM, EVENT_BEGIN);
  const gchar *type;

  memset (begin, 0, sizeof *begin);
  if (!s)
    return FALSE;
  if (!ams_file_role_from_string (gst_structure_get_string (s, "role"),
          &begin->role))
    return FALSE;
  begin->name = ams_file_name_dup (gst_structure_get_string (s, "name"));
  if (!begin->name)
    return FALSE;
  type = gst_structure_get_string (s, "content-type");
  begin->content_type =
      g_strdup (type ? type : ams_file_content_type (begin->role, begin->name));
  gst_structure_get_uint64 (s, "version", &begin->version);
  gst_structure_get_uint64 (s, "extends", &begin->extends);
  gst_structure_get_boolean (s, "final", &begin->final);
  begin->failed = get_names (s, "failed");
  begin->renamed = get_names (s, "renamed");
  gst_structure_get_boolean (s, "renames", &begin->renames);
  parse_local_path (s, begin);
  gst_structure_get_int64 (s, "date-time", &begin->date_time);
  gst_structure_get_boolean (s, "discontinuity", &begin->discontinuity);
  return TRUE;
}

/* ams-file-end */

GstEvent *
ams_files_event_new_end (const AmsFileEnd *end)
{
  GstStructure *s =
      gst_structure_new (EVENT_END, "size", G_TYPE_UINT64, end->size,
          "complete", G_TYPE_BOOLEAN, end->complete, "sequence", G_TYPE_UINT64,
          end->sequence, "duration", GST_TYPE_CLOCK_TIME, end->duration, NULL);

  if (end->date_time)
    gst_structure_set (s, "date-time", G_TYPE_INT64, end->date_time, NULL);
  if (end->carried)
    gst_structure_set (s, "carried", G_TYPE_UINT64, end->carried, NULL);
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, s);
}

gboolean
ams_files_event_parse_end (GstEvent *event, AmsFileEnd *end)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_DOWNSTREAM, EVENT_END);

  memset (end, 0, sizeof *end);
  end->duration = GST_CLOCK_TIME_NONE;
  if (!s || !gst_structure_get_uint64 (s, "size", &end->size) ||
      !gst_structure_get_boolean (s, "complete", &end->complete))
    return FALSE;
  gst_structure_get_uint64 (s, "sequence", &end->sequence);
  gst_structure_get_clock_time (s, "duration", &end->duration);
  gst_structure_get_int64 (s, "date-time", &end->date_time);
  gst_structure_get_uint64 (s, "carried", &end->carried);
  return TRUE;
}

/* ams-file-lane */

GstEvent *
ams_files_event_new_lane (guint lane)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new (EVENT_LANE, "lane", G_TYPE_UINT, lane, NULL));
}

gboolean
ams_files_event_parse_lane (GstEvent *event, guint *lane)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_DOWNSTREAM, EVENT_LANE);

  *lane = 0;
  return s && gst_structure_get_uint (s, "lane", lane) &&
      *lane < AMS_FILES_MAX_LANES;
}

/* ams-file-remove, ams-file-adopt */

GstEvent *
ams_files_event_new_remove (const gchar *name, gdouble after)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new (EVENT_REMOVE, "name", G_TYPE_STRING, name, "after",
          G_TYPE_DOUBLE, after, NULL));
}

gboolean
ams_files_event_parse_remove (GstEvent *event, gchar **name, gdouble *after)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_DOWNSTREAM, EVENT_REMOVE);

  *name = NULL;
  *after = 0;
  if (!s)
    return FALSE;
  gst_structure_get_double (s, "after", after);
  if (!(*after >= 0)) /* also NaN */
    return FALSE;
  *name = ams_file_name_dup (gst_structure_get_string (s, "name"));
  return *name != NULL;
}

GstEvent *
ams_files_event_new_adopt (const gchar *name, const gchar *from, guint64 size)
{
  GstStructure *s = gst_structure_new (EVENT_ADOPT, "name", G_TYPE_STRING, name,
      "size", G_TYPE_UINT64, size, NULL);

  if (from)
    gst_structure_set (s, "from", G_TYPE_STRING, from, NULL);
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, s);
}

gboolean
ams_files_event_parse_adopt (GstEvent *event, gchar **name, gchar **from,
    guint64 *size)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_DOWNSTREAM, EVENT_ADOPT);
  const gchar *other = s ? gst_structure_get_string (s, "from") : NULL;

  *name = *from = NULL;
  if (!s || !gst_structure_get_uint64 (s, "size", size) ||
      (other && !ams_file_name_check (other, NULL)))
    return FALSE;
  *name = ams_file_name_dup (gst_structure_get_string (s, "name"));
  if (*name)
    *from = g_strdup (other);
  return *name != NULL;
}

/* ams-file-failed, ams-file-stored */

GstEvent *
ams_files_event_new_failed (const gchar *name)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new (EVENT_FAILED, "name", G_TYPE_STRING, name, NULL));
}

gboolean
ams_files_event_parse_failed (GstEvent *event, gchar **name)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_UPSTREAM, EVENT_FAILED);

  *name = s ? ams_file_name_dup (gst_structure_get_string (s, "name")) : NULL;
  return *name != NULL;
}

GstEvent *
ams_files_event_new_taken (const gchar *name)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new (EVENT_TAKEN, "name", G_TYPE_STRING, name, NULL));
}

gboolean
ams_files_event_parse_taken (GstEvent *event, gchar **name)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_UPSTREAM, EVENT_TAKEN);

  *name = s ? ams_file_name_dup (gst_structure_get_string (s, "name")) : NULL;
  return *name != NULL;
}

GstEvent *
ams_files_event_new_stored (const gchar *name, guint64 version)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new (EVENT_STORED, "name", G_TYPE_STRING, name, "version",
          G_TYPE_UINT64, version, NULL));
}

gboolean
ams_files_event_parse_stored (GstEvent *event, gchar **name, guint64 *version)
{
  const GstStructure *s =
      event_fields (event, GST_EVENT_CUSTOM_UPSTREAM, EVENT_STORED);

  *version = 0;
  *name = s ? ams_file_name_dup (gst_structure_get_string (s, "name")) : NULL;
  if (!*name)
    return FALSE;
  gst_structure_get_uint64 (s, "version", version);
  return TRUE;
}
