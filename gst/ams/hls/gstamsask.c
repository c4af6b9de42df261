/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsask.h"

#include <string.h>

#include "recording/amsrecovery.h"
#include "files/amsfiles.h"

void
gst_ams_answers_clear (GstAmsAnswers *answers)
{
  answers->answered = 0;
  answers->absent = answers->posted = answers->closed = FALSE;
  g_clear_pointer (&answers->failed, g_free);
  g_clear_pointer (&answers->found, g_ptr_array_unref);
}

/* A store's sentence, to stand within one of ours. */
static gchar *
dup_reason (const gchar *message)
{
  gsize length = strlen (message);

  return g_strndup (message,
      length > 0 && message[length - 1] == '.' ? length - 1 : length);
}

/* Rather what nobody has said than what the application knows. */
static void
take_failed (GstAmsAnswers *answers, const AmsFileFetchAnswer *answer)
{
  if (answers->failed && (answer->posted || !answers->posted))
    return;
  g_free (answers->failed);
  answers->failed = dup_reason (answer->message);
  answers->posted = answer->posted;
}

static void
take_answer (GstAmsAnswers *answers, const AmsFileFetchAnswer *answer)
{
  answers->answered++;
  switch (answer->status) {
    case AMS_FILE_STATUS_FOUND:
      g_ptr_array_add (answers->found, g_bytes_ref (answer->data));
      break;
    case AMS_FILE_STATUS_ABSENT:
      answers->absent = TRUE;
      break;
    default:
      answers->closed |= answer->closed;
      take_failed (answers, answer);
      break;
  }
}

static void
ask (GstPad *pad, GstQuery *query, GstAmsAnswers *answers)
{
  g_autoptr (GPtrArray) all = NULL;
  guint i;

  gst_ams_answers_clear (answers);
  answers->found =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  gst_pad_peer_query (pad, query);
  all = ams_files_query_fetch_answers (query);
  for (i = 0; i < all->len; i++)
    take_answer (answers, g_ptr_array_index (all, i));
}

void
gst_ams_ask_file (GstPad *pad, const gchar *name, gboolean partial, guint64 max,
    GstAmsAnswers *answers)
{
  g_autoptr (GstQuery) query = ams_files_query_new_fetch (name, partial, max);

  ask (pad, query, answers);
}

void
gst_ams_ask_file_soon (GstPad *pad, const gchar *name, guint64 max,
    GstAmsAnswers *answers)
{
  g_autoptr (GstQuery) query = ams_files_query_new_fetch (name, FALSE, max);

  ams_files_query_set_impatient (query);
  ask (pad, query, answers);
}

void
gst_ams_ask_head (GstPad *pad, const gchar *name, guint64 size, guint64 max,
    GstAmsAnswers *answers)
{
  g_autoptr (GstQuery) query = ams_files_query_new_fetch (name, FALSE, max);

  ams_files_query_set_impatient (query);
  ams_files_query_set_head (query, size);
  ask (pad, query, answers);
}

void
gst_ams_ask_exists (GstPad *pad, const gchar *name, guint64 max,
    GstAmsAnswers *answers)
{
  g_autoptr (GstQuery) query = ams_files_query_new_fetch (name, FALSE, 0);

  ask (pad, query, answers);
  /* A store that does not know the question says that the file is too large. */
  if (answers->found->len == 0 && answers->failed && !answers->closed)
    gst_ams_ask_file (pad, name, FALSE, max, answers);
}

GBytes *
gst_ams_ask_one (GstPad *pad, const gchar *name, gboolean partial, guint64 max)
{
  g_auto (GstAmsAnswers) answers = {
    0,
  };

  gst_ams_ask_file (pad, name, partial, max, &answers);
  if (answers.found->len == 0)
    return NULL;
  return g_bytes_ref (g_ptr_array_index (answers.found, 0));
}

static void
take_entries (GPtrArray *files, const AmsFileListAnswer *answer,
    gboolean remote)
{
  guint i;

  for (i = 0; i < answer->entries->len; i++) {
    const AmsFileEntry *entry = g_ptr_array_index (answer->entries, i);
    AmsRecoveryFile *file =
        ams_recovery_file_new (entry->name, entry->size, entry->partial);

    file->remote = remote;
    file->date_time = entry->date_time;
    file->discontinuity = entry->discontinuity;
    file->modified = entry->modified;
    g_ptr_array_add (files, file);
  }
}

void
gst_ams_ask_list (const GstAmsStores *stores, gboolean remote,
    const gchar *prefix, GPtrArray *files, GstAmsAnswers *about)
{
  g_autoptr (GstQuery) query = ams_files_query_new_list (prefix);
  g_autoptr (GPtrArray) answers = NULL;
  guint i;

  gst_ams_answers_clear (about);
  gst_pad_peer_query (remote ? stores->remote : stores->local, query);
  answers = ams_files_query_list_answers (query);
  for (i = 0; i < answers->len; i++) {
    const AmsFileListAnswer *answer = g_ptr_array_index (answers, i);

    about->answered++;
    about->closed |= answer->closed;
    if (answer->status == AMS_FILE_STATUS_FAILED && !about->failed)
      about->failed = dup_reason (answer->message);
    take_entries (files, answer, remote);
  }
}
