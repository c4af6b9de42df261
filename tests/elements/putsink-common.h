/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A put sink whose store does as it is told, in a harness. */

#pragma once

#include "transfer/gstamsputsink.h"

#include <gst/check/gstharness.h>

#include "amsfakestore.h"

#define TEST_TYPE_SINK (test_sink_get_type ())
G_DECLARE_FINAL_TYPE (TestSink, test_sink, TEST, SINK, GstAmsPutSink)

struct _TestSink
{
  GstAmsPutSink parent;
  AmsFakeStore *store;

  /* What its virtual functions say: nothing out of the ordinary at first. */
  const gchar *data_name; /* of ordinary data; NULL: they are not taken */
  gboolean refuses_files;
  gboolean refuses_properties;
  gboolean at_eos;
  gboolean describes; /* as "N files, N bytes, PLAYLIST" */
};

typedef struct
{
  GstElement *sink;
  AmsFakeStore *store;
  AmsLog *ops;
  GstHarness *harness;
  GstBus *bus;
} Fixture;

/* It is playing, and its caps are those of file streams. */
void set_up (Fixture *f, gconstpointer data);
void tear_down (Fixture *f, gconstpointer data);

GstFlowReturn push_data (Fixture *f, const gchar *text);
/* @version: of a playlist; 0: a segment */
void push_begin (Fixture *f, const gchar *name, guint64 version,
    const gchar *heeds);
void push_end (Fixture *f, gsize size);
void push_file (Fixture *f, const gchar *name, guint64 version,
    const gchar *text);
void push_eos (Fixture *f);
/* For g_thread_new(). */
gpointer push_eos_in_thread (gpointer fixture);

/* The next of this type, which must come. (transfer full) */
GstMessage *wait_message (Fixture *f, GstMessageType type);
void assert_element_message (Fixture *f, const gchar *kind, const gchar *name);
