/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "putsink-common.h"

#include <string.h>

G_DEFINE_FINAL_TYPE (TestSink, test_sink, GST_TYPE_AMS_PUT_SINK)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static AmsStore *
test_sink_create_store (GstAmsPutSink *sink, GError **error)
{
  return AMS_STORE (g_object_ref (TEST_SINK (sink)->store));
}

static gboolean
test_sink_check (GstAmsPutSink *sink, GError **error)
{
  if (!TEST_SINK (sink)->refuses_properties)
    return TRUE;
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0, "not like this"));
  return FALSE;
}

static gboolean
test_sink_configure (GstAmsPutSink *sink, AmsDeliveryConfig *config,
    GError **error)
{
  config->at_eos = TEST_SINK (sink)->at_eos;
  return TRUE;
}

static gboolean
test_sink_begin_stream (GstAmsPutSink *sink, AmsFileBegin *data, GError **error)
{
  TestSink *self = TEST_SINK (sink);

  if (data ? self->data_name != NULL : !self->refuses_files) {
    if (data)
      data->name = g_strdup (self->data_name);
    return TRUE;
  }
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0, "no such streams"));
  return FALSE;
}

static GBytes *
test_sink_describe (GstAmsPutSink *sink, const AmsEngineStats *stats,
    const gchar *final)
{
  gchar *text;

  if (!TEST_SINK (sink)->describes)
    return NULL;
  text = g_strdup_printf ("%" G_GUINT64_FORMAT " files, %" G_GUINT64_FORMAT
                          " bytes, %s",
      stats->files.handed_files, stats->files.handed_bytes,
      final ? final : "no playlist");
  return g_bytes_new_take (text, strlen (text));
}

static void
test_sink_finalize (GObject *object)
{
  g_object_unref (TEST_SINK (object)->store);
  G_OBJECT_CLASS (test_sink_parent_class)->finalize (object);
}

static void
test_sink_class_init (TestSinkClass *klass)
{
  GstAmsPutSinkClass *put_class = GST_AMS_PUT_SINK_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = test_sink_finalize;
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass),
      &sink_template);
  put_class->create_store = test_sink_create_store;
  put_class->check = test_sink_check;
  put_class->configure = test_sink_configure;
  put_class->begin_stream = test_sink_begin_stream;
  put_class->describe = test_sink_describe;
}

static void
test_sink_init (TestSink *sink)
{
  sink->store = ams_fake_store_new ();
}

void
set_up (Fixture *f, gconstpointer data)
{
  f->sink = gst_object_ref_sink (g_object_new (TEST_TYPE_SINK, NULL));
  f->store = g_object_ref (TEST_SINK (f->sink)->store);
  f->ops = ams_fake_store_get_log (f->store);
  f->bus = gst_bus_new ();
  gst_element_set_bus (f->sink, f->bus);
  f->harness = gst_harness_new_with_element (f->sink, "sink", NULL);
  gst_harness_set_src_caps_str (f->harness, AMS_FILES_CAPS);
}

void
tear_down (Fixture *f, gconstpointer data)
{
  gst_harness_teardown (f->harness);
  gst_element_set_state (f->sink, GST_STATE_NULL);
  gst_element_set_bus (f->sink, NULL);
  gst_object_unref (f->bus);
  g_assert_finalize_object (f->sink);
  g_object_unref (f->store);
}

GstFlowReturn
push_data (Fixture *f, const gchar *text)
{
  return gst_harness_push (f->harness,
      gst_buffer_new_memdup (text, strlen (text)));
}

void
push_begin (Fixture *f, const gchar *name, guint64 version, const gchar *heeds)
{
  const gchar *failed[] = { heeds, NULL };
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = version ? AMS_FILE_ROLE_PLAYLIST : AMS_FILE_ROLE_SEGMENT,
    .version = version,
    .failed = heeds ? (GStrv) failed : NULL };

  gst_harness_push_event (f->harness, ams_files_event_new_begin (&begin));
}

void
push_end (Fixture *f, gsize size)
{
  AmsFileEnd end = { .size = size, .complete = TRUE };

  gst_harness_push_event (f->harness, ams_files_event_new_end (&end));
}

void
push_file (Fixture *f, const gchar *name, guint64 version, const gchar *text)
{
  push_begin (f, name, version, NULL);
  g_assert_cmpint (push_data (f, text), ==, GST_FLOW_OK);
  push_end (f, strlen (text));
}

GstMessage *
wait_message (Fixture *f, GstMessageType type)
{
  GstMessage *message =
      gst_bus_timed_pop_filtered (f->bus, 20 * GST_SECOND, type);

  g_assert_nonnull (message);
  return message;
}

void
assert_element_message (Fixture *f, const gchar *kind, const gchar *name)
{
  g_autoptr (GstMessage) message = wait_message (f, GST_MESSAGE_ELEMENT);
  const GstStructure *s = gst_message_get_structure (message);

  g_assert_cmpstr (gst_structure_get_name (s), ==, kind);
  g_assert_cmpstr (gst_structure_get_string (s, "name"), ==, name);
}

void
push_eos (Fixture *f)
{
  gst_harness_push_event (f->harness, gst_event_new_eos ());
}

gpointer
push_eos_in_thread (gpointer data)
{
  push_eos (data);
  return NULL;
}
