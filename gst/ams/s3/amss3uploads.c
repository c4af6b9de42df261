/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A line for each: bucket, key and upload id, percent-encoded, with a space between. */

#include "config.h"

#include "s3/amss3uploads.h"

#include "s3/amss3sign.h"

#include <gst/gst.h>
#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (ams_s3_store_debug);
#define GST_CAT_DEFAULT ams_s3_store_debug

struct _AmsS3Uploads
{
  gchar *file; /* nullable */
  gchar *bucket;
  GPtrArray *lines; /* those of other buckets as well */
  GQueue orphans; /* of AmsS3Upload */
  gboolean said_unwritable;
};

static gchar *
make_line (AmsS3Uploads *uploads, const gchar *key, const gchar *upload_id)
{
  g_autofree gchar *safe_key = ams_s3_encode (key, TRUE);
  g_autofree gchar *safe_id = ams_s3_encode (upload_id, TRUE);

  return g_strjoin (" ", uploads->bucket, safe_key, safe_id, NULL);
}

static void
write_file (AmsS3Uploads *uploads)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  if (!uploads->file)
    return;
  for (guint i = 0; i < uploads->lines->len; i++)
    g_string_append_printf (text, "%s\n",
        (const gchar *) uploads->lines->pdata[i]);
  if (g_file_set_contents_full (uploads->file, text->str, text->len,
          G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error) ||
      uploads->said_unwritable)
    return;
  uploads->said_unwritable = TRUE;
  GST_WARNING ("Uploads under way cannot be noted, so a crash will leave their "
               "parts in the bucket: %s",
      error->message);
}

static void
read_line (AmsS3Uploads *uploads, const gchar *line)
{
  g_auto (GStrv) parts = g_strsplit (line, " ", -1);
  AmsS3Upload *upload;

  if (g_strv_length (parts) != 3)
    return;
  g_ptr_array_add (uploads->lines, g_strdup (line));
  if (strcmp (parts[0], uploads->bucket) != 0)
    return;
  upload = g_new0 (AmsS3Upload, 1);
  upload->key = g_uri_unescape_string (parts[1], NULL);
  upload->upload_id = g_uri_unescape_string (parts[2], NULL);
  if (upload->key && upload->upload_id)
    g_queue_push_tail (&uploads->orphans, upload);
  else
    ams_s3_upload_free (upload);
}

static void
read_file (AmsS3Uploads *uploads)
{
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!uploads->file || !g_file_get_contents (uploads->file, &text, NULL, NULL))
    return;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    read_line (uploads, lines[i]);
}

AmsS3Uploads *
ams_s3_uploads_new (const gchar *file, const gchar *bucket)
{
  AmsS3Uploads *uploads = g_new0 (AmsS3Uploads, 1);

  uploads->file = g_strdup (file);
  uploads->bucket = g_strdup (bucket);
  uploads->lines = g_ptr_array_new_with_free_func (g_free);
  g_queue_init (&uploads->orphans);
  read_file (uploads);
  return uploads;
}

void
ams_s3_uploads_free (AmsS3Uploads *uploads)
{
  g_queue_clear_full (&uploads->orphans, (GDestroyNotify) ams_s3_upload_free);
  g_ptr_array_unref (uploads->lines);
  g_free (uploads->file);
  g_free (uploads->bucket);
  g_free (uploads);
}

void
ams_s3_uploads_add (AmsS3Uploads *uploads, const gchar *key,
    const gchar *upload_id)
{
  g_ptr_array_add (uploads->lines, make_line (uploads, key, upload_id));
  write_file (uploads);
}

void
ams_s3_uploads_remove (AmsS3Uploads *uploads, const gchar *key,
    const gchar *upload_id)
{
  g_autofree gchar *line = make_line (uploads, key, upload_id);
  guint index;

  if (!g_ptr_array_find_with_equal_func (uploads->lines, line, g_str_equal,
          &index))
    return;
  g_ptr_array_remove_index (uploads->lines, index);
  write_file (uploads);
}

void
ams_s3_uploads_orphan (AmsS3Uploads *uploads, const gchar *key,
    const gchar *upload_id)
{
  AmsS3Upload *upload = g_new0 (AmsS3Upload, 1);

  upload->key = g_strdup (key);
  upload->upload_id = g_strdup (upload_id);
  g_queue_push_tail (&uploads->orphans, upload);
}

AmsS3Upload *
ams_s3_uploads_take (AmsS3Uploads *uploads)
{
  return g_queue_pop_head (&uploads->orphans);
}
