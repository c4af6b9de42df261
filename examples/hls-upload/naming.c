/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "naming.h"

#include "task.h"

/* An answer to another request takes a few rounds of the main loop, each with one of these. */
#define SLICE (4 * G_TIME_SPAN_MILLISECOND)

struct _HlsUploadNaming
{
  HlsUploadOrder *order;
  HlsUploadNamingDone done;
  GQueue line; /* of HlsUploadTask */
  HlsUploadReader *reader; /* (nullable) of the first of them */
  guint source; /* 0: none */
};

HlsUploadNaming *
hls_upload_naming_new (HlsUploadOrder *order, HlsUploadNamingDone done)
{
  HlsUploadNaming *self = g_new0 (HlsUploadNaming, 1);

  self->order = order;
  self->done = done;
  g_queue_init (&self->line);
  return self;
}

void
hls_upload_naming_free (HlsUploadNaming *self)
{
  if (self->source)
    g_source_remove (self->source);
  g_clear_pointer (&self->reader, hls_upload_reader_free);
  g_queue_clear (&self->line);
  g_free (self);
}

/* FALSE: there is more to read, or it has to be read later. */
static gboolean
read_first (HlsUploadNaming *self, gint64 end)
{
  HlsUploadTask *task = g_queue_peek_head (&self->line);
  g_autoptr (GError) error = NULL;
  gboolean more = TRUE;

  if (!self->reader)
    self->reader = hls_upload_reader_new (task, self->order);
  while (more && !error) {
    if (g_get_monotonic_time () >= end)
      return FALSE;
    more = hls_upload_reader_read (self->reader, &error);
  }
  g_clear_pointer (&self->reader, hls_upload_reader_free);
  g_queue_pop_head (&self->line);
  self->done (task, error);
  return TRUE;
}

static gboolean
on_turn (gpointer user_data)
{
  HlsUploadNaming *self = user_data;
  gint64 end = g_get_monotonic_time () + SLICE;

  while (!g_queue_is_empty (&self->line) && read_first (self, end))
    continue;
  /* Meanwhile anything may have ended, and its memory be another's. */
  if (!g_queue_is_empty (&self->line)) {
    hls_upload_order_pause (((HlsUploadTask *) self->line.head->data)->job);
    return G_SOURCE_CONTINUE;
  }
  self->source = 0;
  return G_SOURCE_REMOVE;
}

void
hls_upload_naming_add (HlsUploadNaming *self, HlsUploadTask *task)
{
  g_queue_push_tail (&self->line, task);
  if (self->source == 0 && on_turn (self) == G_SOURCE_CONTINUE &&
      self->source == 0)
    self->source = g_idle_add_full (G_PRIORITY_DEFAULT, on_turn, self, NULL);
}

gboolean
hls_upload_naming_remove (HlsUploadNaming *self, HlsUploadTask *task)
{
  if (g_queue_peek_head (&self->line) == task)
    g_clear_pointer (&self->reader, hls_upload_reader_free);
  return g_queue_remove (&self->line, task);
}

gboolean
hls_upload_naming_is_empty (HlsUploadNaming *self)
{
  return g_queue_is_empty (&self->line);
}
