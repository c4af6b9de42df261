/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsoperation.h"

struct _AmsOperation
{
  AmsStore *store;
  AmsJob *job;
  AmsJobKind kind;
  AmsOperationDone done; /* NULL: orphaned */
  gpointer user_data;
  AmsPut put;
  AmsBody *body;
  gchar *name;
  gchar *content_type;
};

static void
operation_free (AmsOperation *self)
{
  g_clear_object (&self->body);
  g_object_unref (self->store);
  g_free (self->name);
  g_free (self->content_type);
  g_free (self);
}

static gboolean
finish (AmsOperation *self, GAsyncResult *result, GError **error)
{
  switch (self->kind) {
    case AMS_JOB_PUT:
      return ams_store_put_finish (self->store, result, error);
    case AMS_JOB_COPY:
      return ams_store_copy_finish (self->store, result, error);
    case AMS_JOB_ADOPT:
      return ams_store_adopt_finish (self->store, result, error);
    case AMS_JOB_NOTIFY:
      return ams_store_notify_finish (self->store, result, error);
    default:
      return ams_store_remove_finish (self->store, result, error);
  }
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  AmsOperation *self = user_data;
  g_autoptr (GError) error = NULL;

  finish (self, result, &error);
  if (self->done)
    self->done (self, self->job, error, self->user_data);
  operation_free (self);
}

static void
begin_put (AmsOperation *self, const AmsOutgoing *file, guint64 unchanged,
    GCancellable *cancellable)
{
  self->content_type = g_strdup (file->begin.content_type);
  self->put = (AmsPut){
    .name = self->name,
    .role = file->begin.role,
    .content_type = self->content_type,
    .version = file->begin.version,
    .body = self->body,
    .attempts = self->job->attempts,
    .unchanged = unchanged,
  };
  ams_store_put_async (self->store, &self->put, cancellable, on_done, self);
}

static void
begin (AmsOperation *self, const AmsOutgoing *file, guint64 unchanged,
    GCancellable *cancellable)
{
  switch (self->kind) {
    case AMS_JOB_PUT:
      begin_put (self, file, unchanged, cancellable);
      break;
    case AMS_JOB_COPY:
      ams_store_copy_async (self->store, file->from, self->name, cancellable,
          on_done, self);
      break;
    case AMS_JOB_ADOPT:
      ams_store_adopt_async (self->store, self->name, file->from, file->size,
          cancellable, on_done, self);
      break;
    case AMS_JOB_NOTIFY:
      ams_store_notify_async (self->store, self->body, cancellable, on_done,
          self);
      break;
    case AMS_JOB_REMOVE:
      ams_store_remove_async (self->store, self->name, cancellable, on_done,
          self);
      break;
  }
}

AmsOperation *
ams_operation_begin (AmsStore *store, AmsJob *job, guint64 unchanged,
    GCancellable *cancellable, AmsOperationDone done, gpointer user_data)
{
  AmsOperation *self = g_new0 (AmsOperation, 1);
  const AmsOutgoing *file = job->data;

  self->store = g_object_ref (store);
  self->job = job;
  self->kind = job->kind;
  self->done = done;
  self->user_data = user_data;
  self->name = g_strdup (job->name);
  if (file && file->body)
    self->body = g_object_ref (file->body);
  begin (self, file, unchanged, cancellable);
  return self;
}

void
ams_operation_orphan (AmsOperation *self)
{
  self->done = NULL;
}
