/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpunsure.h"

#include "http/amsputrules.h"

/* Beyond so many versions of a file, those before are forgotten. */
#define MAX_VERSIONS 256

/* At once, and not in slices: playlists are small. (nullable) */
static gchar *
sum_of (AmsBody *body)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  guint64 size = ams_body_get_size (body), at = 0;
  guint8 buffer[4096];

  while (at < size) {
    gssize n = ams_body_read (body, at, buffer, sizeof buffer, NULL);

    if (n <= 0)
      return NULL;
    g_checksum_update (sum, buffer, n);
    at += n;
  }
  return g_strdup (g_checksum_get_string (sum));
}

static GHashTable *
ensure_sums (AmsHttpPlace *place, const gchar *name)
{
  GHashTable *sums = g_hash_table_lookup (place->unsure, name);

  if (!sums) {
    sums = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_insert (place->unsure, g_strdup (name), sums);
  }
  if (g_hash_table_size (sums) >= MAX_VERSIONS)
    g_hash_table_remove_all (sums);
  return sums;
}

void
ams_http_unsure_note (AmsHttpPlace *place, const AmsPut *put, AmsBody *body,
    AmsBody *plain)
{
  AmsBody *bodies[] = { body, plain };

  if (ams_put_is_made_once (put->role))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++) {
    gchar *sum = bodies[i] ? sum_of (bodies[i]) : NULL;

    if (sum)
      g_hash_table_add (ensure_sums (place, put->name), sum);
  }
}

gboolean
ams_http_unsure_has (AmsHttpPlace *place, const gchar *name, const gchar *sum)
{
  GHashTable *sums = g_hash_table_lookup (place->unsure, name);

  return sums && sum && g_hash_table_contains (sums, sum);
}

gboolean
ams_http_unsure_has_other (AmsHttpPlace *place, const gchar *name,
    AmsBody *body, AmsBody *plain)
{
  GHashTable *sums = g_hash_table_lookup (place->unsure, name);
  AmsBody *bodies[] = { body, plain };
  guint same = 0;

  if (!sums)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++) {
    g_autofree gchar *sum = bodies[i] ? sum_of (bodies[i]) : NULL;

    same += sum && g_hash_table_contains (sums, sum);
  }
  return g_hash_table_size (sums) > same;
}

void
ams_http_unsure_forget (AmsHttpPlace *place, const gchar *name)
{
  g_hash_table_remove (place->unsure, name);
}
