/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3sums.h"

/* About a millisecond of MD5. */
#define SLICE (512 * 1024)

typedef struct
{
  AmsS3DigestFlags flags;
  AmsS3Digests digests;
} Sums;

typedef struct
{
  AmsS3DigestFlags flags;
  AmsS3Digester *digester;
} Summing;

static GQuark
sums_quark (void)
{
  return g_quark_from_static_string ("ams-s3-sums");
}

static void
summing_free (gpointer data)
{
  Summing *summing = data;

  ams_s3_digester_free (summing->digester);
  g_free (summing);
}

static void
return_sums (GTask *task)
{
  Summing *summing = g_task_get_task_data (task);
  Sums *sums = g_new0 (Sums, 1);

  sums->flags = summing->flags;
  ams_s3_digester_finish (summing->digester, &sums->digests);
  g_object_set_qdata_full (g_task_get_source_object (task), sums_quark (), sums,
      g_free);
  g_task_return_pointer (task, &sums->digests, NULL);
}

static gboolean
sum_slice (gpointer user_data)
{
  GTask *task = user_data;
  Summing *summing = g_task_get_task_data (task);
  AmsBody *body = g_task_get_source_object (task);
  GError *error = NULL;
  gboolean done;

  if (g_task_return_error_if_cancelled (task))
    return G_SOURCE_REMOVE;
  if (!ams_s3_digester_read (summing->digester, body, 0,
          ams_body_get_size (body), SLICE, &done, &error)) {
    g_task_return_error (task, error);
    return G_SOURCE_REMOVE;
  }
  if (!done)
    return G_SOURCE_CONTINUE;
  return_sums (task);
  return G_SOURCE_REMOVE;
}

void
ams_s3_sums_async (AmsBody *body, AmsS3DigestFlags flags,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (body, cancellable, callback, user_data);
  Sums *known = g_object_get_qdata (G_OBJECT (body), sums_quark ());
  g_autoptr (GSource) source = NULL;
  Summing *summing;

  if (known && (known->flags & flags) == flags) {
    g_task_return_pointer (task, &known->digests, NULL);
    return;
  }
  summing = g_new0 (Summing, 1);
  summing->flags = known ? known->flags | flags : flags;
  summing->digester = ams_s3_digester_new (summing->flags);
  g_task_set_task_data (task, summing, summing_free);
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_task_attach_source (task, source, sum_slice);
}

const AmsS3Digests *
ams_s3_sums_finish (AmsBody *body, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
ams_s3_sums_forget (AmsBody *body)
{
  g_object_set_qdata (G_OBJECT (body), sums_quark (), NULL);
}
