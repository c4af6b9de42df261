/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amsbodycompare.h"

#include <string.h>

/* More than any playlist; nobody wants to know the sum of a film. */
#define MAX_SUMMED (16 * 1024 * 1024)

void
ams_body_compare_init (AmsBodyCompare *compare, AmsBody *body, AmsBody *plain)
{
  compare->bodies[0] = g_object_ref (body);
  compare->bodies[1] = plain ? g_object_ref (plain) : NULL;
  compare->at = 0;
  compare->error = NULL;
  compare->sum = NULL;
}

void
ams_body_compare_want_sum (AmsBodyCompare *compare)
{
  compare->sum = g_checksum_new (G_CHECKSUM_SHA256);
}

void
ams_body_compare_clear (AmsBodyCompare *compare)
{
  for (guint i = 0; i < AMS_BODY_COMPARE_BODIES; i++)
    g_clear_object (&compare->bodies[i]);
  g_clear_error (&compare->error);
  g_clear_pointer (&compare->sum, g_checksum_free);
}

static gboolean
is_next (AmsBodyCompare *compare, AmsBody *body, const guint8 *data, gsize size)
{
  guint8 buffer[4096];
  guint64 at = compare->at;

  while (size > 0) {
    gssize n = ams_body_read (body, at, buffer, MIN (size, sizeof buffer),
        compare->error ? NULL : &compare->error);

    if (n <= 0 || memcmp (buffer, data, n) != 0)
      return FALSE;
    at += n;
    data += n;
    size -= n;
  }
  return TRUE;
}

gboolean
ams_body_compare_piece (const guint8 *data, gsize size, gpointer user_data)
{
  AmsBodyCompare *compare = user_data;
  gboolean any = FALSE;

  for (guint i = 0; i < AMS_BODY_COMPARE_BODIES; i++) {
    if (compare->bodies[i] &&
        !is_next (compare, compare->bodies[i], data, size))
      g_clear_object (&compare->bodies[i]);
    any |= compare->bodies[i] != NULL;
  }
  compare->at += size;
  if (compare->sum)
    g_checksum_update (compare->sum, data, size);
  return any || (compare->sum && compare->at <= MAX_SUMMED);
}

gboolean
ams_body_compare_is_same (const AmsBodyCompare *compare)
{
  for (guint i = 0; i < AMS_BODY_COMPARE_BODIES; i++) {
    if (compare->bodies[i] &&
        ams_body_get_size (compare->bodies[i]) == compare->at)
      return TRUE;
  }
  return FALSE;
}

gboolean
ams_body_compare_is_beginning (const AmsBodyCompare *compare)
{
  return compare->at > 0 && (compare->bodies[0] || compare->bodies[1]);
}

const gchar *
ams_body_compare_get_sum (const AmsBodyCompare *compare)
{
  return compare->sum && compare->at <= MAX_SUMMED
      ? g_checksum_get_string (compare->sum)
      : NULL;
}
