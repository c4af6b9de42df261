/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amsbodysum.h"

#include "transfer/amsstore.h"

#include <string.h>

/* About a millisecond of SHA-256. */
#define SLICE (256 * 1024)

typedef struct
{
  GChecksumType type;
  GChecksum *sum;
  guint8 *buffer;
  guint64 at;
} Summing;

static void
summing_free (gpointer data)
{
  Summing *summing = data;

  g_checksum_free (summing->sum);
  g_free (summing->buffer);
  g_free (summing);
}

static GQuark
quark_of (GChecksumType type)
{
  return type == G_CHECKSUM_MD5
      ? g_quark_from_static_string ("ams-body-sum-md5")
      : g_quark_from_static_string ("ams-body-sum-sha256");
}

static void
return_sum (GTask *task)
{
  Summing *summing = g_task_get_task_data (task);
  GObject *body = g_task_get_source_object (task);
  gchar *sum = g_strdup (g_checksum_get_string (summing->sum));

  g_object_set_qdata_full (body, quark_of (summing->type), sum, g_free);
  g_task_return_pointer (task, sum, NULL);
}

static gboolean
sum_slice (gpointer user_data)
{
  GTask *task = user_data;
  Summing *summing = g_task_get_task_data (task);
  AmsBody *body = g_task_get_source_object (task);
  GError *error = NULL;
  gssize n;

  if (g_task_return_error_if_cancelled (task))
    return G_SOURCE_REMOVE;
  n = ams_body_read (body, summing->at, summing->buffer, SLICE, &error);
  if (n < 0) {
    g_task_return_error (task, error);
    return G_SOURCE_REMOVE;
  }
  g_checksum_update (summing->sum, summing->buffer, n);
  summing->at += n;
  if (n > 0 && summing->at < ams_body_get_size (body))
    return G_SOURCE_CONTINUE;
  return_sum (task);
  return G_SOURCE_REMOVE;
}

void
ams_body_sum_async (AmsBody *body, GChecksumType type,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (body, cancellable, callback, user_data);
  gchar *known = g_object_get_qdata (G_OBJECT (body), quark_of (type));
  g_autoptr (GSource) source = NULL;
  Summing *summing;

  if (known) {
    g_task_return_pointer (task, known, NULL);
    return;
  }
  summing = g_new0 (Summing, 1);
  summing->type = type;
  summing->sum = g_checksum_new (type);
  summing->buffer = g_malloc (SLICE);
  g_task_set_task_data (task, summing, summing_free);
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_task_attach_source (task, source, sum_slice);
}

const gchar *
ams_body_sum_finish (AmsBody *body, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

gchar *
ams_body_sum_to_base64 (const gchar *sum)
{
  gsize size = strlen (sum) / 2;
  g_autofree guint8 *raw = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    raw[i] = g_ascii_xdigit_value (sum[2 * i]) << 4 |
        g_ascii_xdigit_value (sum[2 * i + 1]);
  return g_base64_encode (raw, size);
}
