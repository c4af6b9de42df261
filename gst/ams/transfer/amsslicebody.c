/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsslicebody.h"

#include "transfer/amsstore.h"

struct _AmsSliceBody
{
  AmsBody parent;

  AmsBody *whole;
  guint64 start;
};

G_DEFINE_FINAL_TYPE (AmsSliceBody, ams_slice_body, AMS_TYPE_BODY)

static gboolean
slice_append (AmsBody *body, GBytes *bytes, GError **error)
{
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_UNSUPPORTED, 0, 0,
          "A part of a file takes no more bytes"));
  return FALSE;
}

static void
slice_finish (AmsBody *body, guint64 size)
{
}

/* The whole is its owner's. */
static void
slice_abandon (AmsBody *body)
{
}

static guint64
slice_get_held (AmsBody *body)
{
  return 0;
}

static gssize
slice_read (AmsBody *body, guint64 offset, guint8 *buffer, gsize size,
    GError **error)
{
  AmsSliceBody *self = AMS_SLICE_BODY (body);
  guint64 end = ams_body_get_size (body);

  if (offset >= end)
    return 0;
  return ams_body_read (self->whole, self->start + offset, buffer,
      MIN (size, end - offset), error);
}

static void
slice_rest (AmsBody *body)
{
  ams_body_rest (AMS_SLICE_BODY (body)->whole);
}

static void
ams_slice_body_finalize (GObject *object)
{
  g_object_unref (AMS_SLICE_BODY (object)->whole);
  G_OBJECT_CLASS (ams_slice_body_parent_class)->finalize (object);
}

static void
ams_slice_body_class_init (AmsSliceBodyClass *klass)
{
  AmsBodyClass *body_class = AMS_BODY_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = ams_slice_body_finalize;
  body_class->append = slice_append;
  body_class->finish = slice_finish;
  body_class->abandon = slice_abandon;
  body_class->get_held = slice_get_held;
  body_class->read = slice_read;
  body_class->rest = slice_rest;
}

static void
ams_slice_body_init (AmsSliceBody *self)
{
}

AmsBody *
ams_slice_body_new (AmsBody *whole, guint64 start, guint64 size)
{
  AmsSliceBody *self = g_object_new (AMS_TYPE_SLICE_BODY, NULL);

  self->whole = g_object_ref (whole);
  self->start = start;
  ams_body_set_size (AMS_BODY (self), size);
  return AMS_BODY (self);
}
