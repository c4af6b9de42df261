/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Names of segments that are taken in the store: upstream gives the segment another one,
 * and tells it with the playlist version that lists it first. */

#include "config.h"

#include "transfer/amsdeliveryprivate.h"

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (ams_delivery_debug);
#define GST_CAT_DEFAULT ams_delivery_debug

gboolean
ams_delivery_set_aside (AmsDelivery *self, AmsJob *job, const GError *error)
{
  AmsFileInfo info = { job->name, job->role, job->version, 0 };

  if (job->role != AMS_FILE_ROLE_SEGMENT || !self->callbacks.taken ||
      !self->callbacks.taken (&info, error, self->user_data))
    return FALSE;
  GST_INFO ("%s waits for another name: %s", job->name, error->message);
  g_hash_table_add (self->taken, g_strdup (job->name));
  ams_schedule_set_aside (self->schedule, job);
  return TRUE;
}

static void
rename_job (AmsDelivery *self, AmsJob *job, const gchar *name)
{
  AmsOutgoing *file = job->data;

  GST_INFO ("%s is put as %s", job->name, name);
  if (self->config.spool && job->id)
    ams_spool_rename (self->config.spool, job->id, name);
  g_free (file->begin.name);
  file->begin.name = g_strdup (name);
  ams_schedule_rename (self->schedule, job, name);
}

gboolean
ams_delivery_is_renamed (AmsDelivery *self, AmsJob *job, gboolean stored)
{
  AmsOutgoing *file = job->data;
  g_autofree gchar *name = g_steal_pointer (&file->renamed);

  if (!name)
    return FALSE;
  ams_schedule_retry (self->schedule, job, 0);
  /* The store on disk has renamed what it was given: that cannot be put once more. */
  if (stored && AMS_STORE_GET_IFACE (self->store)->copy_async) {
    job->kind = AMS_JOB_COPY;
    g_free (file->from);
    file->from = g_strdup (job->name);
  }
  rename_job (self, job, name);
  return TRUE;
}

/* What the store has under the earlier name it gets under the other one as well. */
static void
add_copy (AmsDelivery *self, const gchar *from, const gchar *name)
{
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = AMS_FILE_ROLE_SEGMENT };
  AmsOutgoing *file = ams_outgoing_new (&begin);

  file->from = g_strdup (from);
  ams_schedule_add (self->schedule, ams_outgoing_to_job (file, AMS_JOB_COPY, 0),
      g_get_monotonic_time ());
}

static void
heed_rename (AmsDelivery *self, const gchar *from, const gchar *name)
{
  AmsJob *job = ams_schedule_find_file (self->schedule, from);

  if (!job)
    add_copy (self, from, name);
  else if (job->in_flight) {
    AmsOutgoing *file = job->data;

    g_free (file->renamed);
    file->renamed = g_strdup (name);
  } else
    rename_job (self, job, name);
}

/* No playlist will list it: nobody knows of it upstream. */
static void
heed_failed (AmsDelivery *self, const gchar *name)
{
  AmsJob *job = ams_schedule_find_file (self->schedule, name);
  g_autoptr (GError) error = NULL;

  if (!job || !job->set_aside)
    return;
  error = ams_store_error_new (AMS_FAILURE_EXISTS, 0, 0,
      "“%s” is another file in the store, and no playlist lists it", name);
  ams_delivery_give_up_job (self, job, error);
}

void
ams_delivery_heed_names (AmsDelivery *self, const AmsFileBegin *begin)
{
  const GStrv renamed = begin->renamed, failed = begin->failed;

  for (guint i = 0; renamed && renamed[i] && renamed[i + 1]; i += 2)
    heed_rename (self, renamed[i], renamed[i + 1]);
  for (guint i = 0; failed && failed[i]; i++)
    heed_failed (self, failed[i]);
}
