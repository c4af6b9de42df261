/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsoutgoing.h"

AmsOutgoing *
ams_outgoing_new (const AmsFileBegin *begin)
{
  AmsOutgoing *file = g_new0 (AmsOutgoing, 1);

  ams_file_begin_copy (&file->begin, begin);
  return file;
}

void
ams_outgoing_free (AmsOutgoing *file)
{
  g_clear_object (&file->body);
  ams_file_begin_clear (&file->begin);
  g_free (file->from);
  g_free (file->renamed);
  g_free (file);
}

gboolean
ams_outgoing_is_playlist (const AmsOutgoing *file)
{
  return file->begin.role == AMS_FILE_ROLE_PLAYLIST ||
      file->begin.role == AMS_FILE_ROLE_MASTER;
}

gboolean
ams_outgoing_is_droppable (const AmsOutgoing *file)
{
  return file->begin.role == AMS_FILE_ROLE_SEGMENT ||
      file->begin.role == AMS_FILE_ROLE_OTHER;
}

AmsJob *
ams_outgoing_to_job (AmsOutgoing *file, AmsJobKind kind, guint64 id)
{
  AmsJob *job = ams_job_new (kind, file->begin.name, file->begin.role);

  job->version = file->begin.version;
  job->final = file->begin.final;
  job->failed = g_strdupv (file->begin.failed);
  job->id = id;
  job->data = file;
  job->free_data = (GDestroyNotify) ams_outgoing_free;
  return job;
}
