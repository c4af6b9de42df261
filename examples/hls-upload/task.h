/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One file or remove on its way, and where its bytes are meanwhile. Internal to the queue. */

#pragma once

#include "order.h"
#include "queuetypes.h"
#include "transfer/spool/amsspool.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

/* Of a name: why a playlist is refused. */
#define HLS_UPLOAD_NAMES_FAILED \
  "The playlist names %s, which could not be stored under that name: send " \
  "that again, or mark it with EXT-X-GAP."

struct _HlsUploadTask
{
  HlsUploadQueue *queue;
  HlsUploadJob *job;
  gchar *content_type;
  gchar *path; /* (nullable) of the body, without a spool */
  gboolean protect;
  AmsBody *body; /* (nullable) of a remove */
  guint64 id; /* in the spool; 0: it is not there */
  AmsPut put;
  guint attempts;
  gint64 handed_over;
  HlsUploadDone done; /* (nullable) */
  gpointer user_data;
};

/* Also the job. What is in the spool stays there. */
void hls_upload_task_free (HlsUploadTask *task);
/* A playlist tells @order which files it names; of anything else nothing is done. FALSE: it will not do, or
 * names a file that was given up. */
gboolean hls_upload_task_name_files (HlsUploadTask *task, HlsUploadOrder *order,
    GError **error);
/* The same, a block at a time. FALSE: it is at the end, or @error says why it will not do. */
typedef struct _HlsUploadReader HlsUploadReader;
HlsUploadReader *hls_upload_reader_new (HlsUploadTask *task,
    HlsUploadOrder *order);
gboolean hls_upload_reader_read (HlsUploadReader *reader, GError **error);
void hls_upload_reader_free (HlsUploadReader *reader);
/* Its bytes are not needed any more: a later version goes in its place. */
void hls_upload_task_drop_body (HlsUploadTask *task, AmsSpool *spool);
/* As the spool has it. What it points to is the task's. */
AmsFileBegin hls_upload_task_to_begin (HlsUploadTask *task);
/* FALSE: it is not safe, and not in the spool. */
gboolean hls_upload_task_keep (HlsUploadTask *task, AmsSpool *spool,
    GError **error);
/* Of a whole body that is not to be kept. */
void hls_upload_task_discard (HlsUploadTask *task, AmsSpool *spool);

G_END_DECLS
