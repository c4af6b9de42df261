/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "events.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct _Events
{
  gboolean json;
  gboolean terminal;
  gboolean has_line; /* the cursor is behind the progress */
};

/* ---- JSON ---- */

static gboolean add_member (GQuark field, const GValue *value, gpointer data);

static void
add_structure (JsonBuilder *builder, const GstStructure *s)
{
  json_builder_begin_object (builder);
  gst_structure_foreach (s, add_member, builder);
  json_builder_end_object (builder);
}

static void
add_list (JsonBuilder *builder, const GValue *value)
{
  guint i;

  json_builder_begin_array (builder);
  for (i = 0; i < gst_value_list_get_size (value); i++)
    add_structure (builder,
        gst_value_get_structure (gst_value_list_get_value (value, i)));
  json_builder_end_array (builder);
}

static gboolean
add_member (GQuark field, const GValue *value, gpointer data)
{
  JsonBuilder *builder = data;
  GType type = G_VALUE_TYPE (value);

  json_builder_set_member_name (builder, g_quark_to_string (field));
  if (type == G_TYPE_STRING && g_value_get_string (value))
    json_builder_add_string_value (builder, g_value_get_string (value));
  else if (type == G_TYPE_BOOLEAN)
    json_builder_add_boolean_value (builder, g_value_get_boolean (value));
  else if (type == G_TYPE_DOUBLE)
    json_builder_add_double_value (builder, g_value_get_double (value));
  else if (type == G_TYPE_UINT64)
    json_builder_add_int_value (builder, g_value_get_uint64 (value));
  else if (type == G_TYPE_UINT)
    json_builder_add_int_value (builder, g_value_get_uint (value));
  else if (type == G_TYPE_INT)
    json_builder_add_int_value (builder, g_value_get_int (value));
  else if (type == GST_TYPE_LIST)
    add_list (builder, value);
  else
    json_builder_add_null_value (builder);
  return TRUE;
}

static void
print_json (const GstStructure *event)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree gchar *seconds = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S");
  g_autofree gchar *date = g_strdup_printf ("%s.%03dZ", seconds,
      g_date_time_get_microsecond (now) / 1000);
  g_autoptr (JsonNode) root = NULL;
  g_autofree gchar *text = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "time");
  json_builder_add_string_value (builder, date);
  json_builder_set_member_name (builder, "event");
  json_builder_add_string_value (builder, gst_structure_get_name (event));
  gst_structure_foreach (event, add_member, builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  text = json_generator_to_data (generator, NULL);
  puts (text);
  fflush (stdout);
}

/* ---- text ---- */

static void
clear_line (Events *self)
{
  if (self->has_line)
    fputs ("\r\033[K", stdout);
  self->has_line = FALSE;
}

static glong
terminal_width (void)
{
  struct winsize size;

  return ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
      ? size.ws_col
      : 80;
}

void
events_say (Events *self, EventWeight weight, GstStructure *event,
    const gchar *sentence)
{
  if (self->json) {
    if (sentence)
      gst_structure_set (event, "message", G_TYPE_STRING, sentence, NULL);
    print_json (event);
  } else if (sentence && weight != EVENT_QUIET) {
    clear_line (self);
    fflush (stdout);
    fprintf (weight == EVENT_TROUBLE ? stderr : stdout, "%s\n", sentence);
    fflush (stdout);
  }
  gst_structure_free (event);
}

void
events_show_progress (Events *self, GstStructure *event, const gchar *line)
{
  if (self->json) {
    print_json (event);
  } else if (self->terminal) {
    g_autofree gchar *fitting = g_utf8_substring (line, 0,
        MIN (g_utf8_strlen (line, -1), terminal_width () - 1));

    clear_line (self);
    fputs (fitting, stdout);
    fflush (stdout);
    self->has_line = TRUE;
  } else {
    puts (line);
    fflush (stdout);
  }
  gst_structure_free (event);
}

gboolean
events_is_terminal (Events *self)
{
  return self->terminal;
}

Events *
events_new (gboolean json)
{
  Events *self = g_new0 (Events, 1);

  self->json = json;
  self->terminal = !json && isatty (STDOUT_FILENO);
  return self;
}

void
events_free (Events *self)
{
  if (self->has_line)
    fputs ("\n", stdout);
  g_free (self);
}
