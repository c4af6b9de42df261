/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "files/amsclaim.h"

#include "files/amsfiles.h"
#include "files/amsfilesanswers.h"

#define QUERY_CLAIM "ams-file-claim"

void
ams_claim_clear (AmsClaim *claim)
{
  g_clear_pointer (&claim->playlist, g_free);
  g_clear_pointer (&claim->segments, g_free);
}

void
ams_claim_copy (AmsClaim *to, const AmsClaim *from)
{
  *to = *from;
  to->playlist = g_strdup (from->playlist);
  to->segments = g_strdup (from->segments);
}

GstQuery *
ams_files_query_new_claim (const AmsClaim *claim)
{
  GstStructure *s = gst_structure_new (QUERY_CLAIM, "tentative", G_TYPE_BOOLEAN,
      claim->tentative, "waits", G_TYPE_BOOLEAN, claim->waits, NULL);

  if (claim->playlist)
    gst_structure_set (s, "playlist", G_TYPE_STRING, claim->playlist, NULL);
  if (claim->segments)
    gst_structure_set (s, "segments", G_TYPE_STRING, claim->segments, NULL);
  return gst_query_new_custom (GST_QUERY_CUSTOM, s);
}

/* *@name: (transfer full) (nullable). FALSE: it is there, and not allowed. */
static gboolean
get_name (const GstStructure *s, const gchar *field, gchar **name)
{
  const gchar *value = gst_structure_get_string (s, field);

  if (value && !ams_file_name_check (value, NULL))
    return FALSE;
  *name = g_strdup (value);
  return TRUE;
}

gboolean
ams_files_query_parse_claim (GstQuery *query, AmsClaim *claim)
{
  const GstStructure *s = ams_files_query_fields (query, QUERY_CLAIM);

  *claim = (AmsClaim){ NULL };
  if (!s)
    return FALSE;
  gst_structure_get_boolean (s, "tentative", &claim->tentative);
  gst_structure_get_boolean (s, "waits", &claim->waits);
  if (get_name (s, "playlist", &claim->playlist) &&
      get_name (s, "segments", &claim->segments) &&
      (claim->playlist || claim->segments))
    return TRUE;
  ams_claim_clear (claim);
  return FALSE;
}

void
ams_files_query_add_claimed (GstQuery *query)
{
  ams_files_query_add_answer (query, ams_files_answer_new ("claimed"));
}

void
ams_files_query_add_busy (GstQuery *query, const gchar *message,
    GstClockTime again, gboolean posted)
{
  GstStructure *answer = ams_files_answer_new ("busy");

  gst_structure_set (answer, "message", G_TYPE_STRING, message, "again",
      GST_TYPE_CLOCK_TIME, again, "posted", G_TYPE_BOOLEAN, posted, NULL);
  ams_files_query_add_answer (query, answer);
}

void
ams_files_query_add_unclaimed (GstQuery *query, const gchar *message,
    gboolean closed)
{
  GstStructure *answer = ams_files_answer_new ("unknown");

  gst_structure_set (answer, "closed", G_TYPE_BOOLEAN, closed, NULL);
  if (message)
    gst_structure_set (answer, "message", G_TYPE_STRING, message, NULL);
  ams_files_query_add_answer (query, answer);
}

static void
answer_free (AmsClaimAnswer *answer)
{
  g_free (answer->message);
  g_free (answer);
}

static void
parse_busy (const GstStructure *s, AmsClaimAnswer *answer)
{
  const gchar *message = gst_structure_get_string (s, "message");

  answer->status = AMS_CLAIM_BUSY;
  answer->message = g_strdup (message ? message : "another recorder writes it");
  gst_structure_get_clock_time (s, "again", &answer->again);
  gst_structure_get_boolean (s, "posted", &answer->posted);
}

/* A status that this version does not know is taken for "unknown". */
static gpointer
parse_answer (const GstStructure *s)
{
  AmsClaimAnswer *answer = g_new0 (AmsClaimAnswer, 1);
  const gchar *status = gst_structure_get_string (s, "status");

  answer->status = AMS_CLAIM_UNKNOWN;
  if (g_strcmp0 (status, "claimed") == 0) {
    answer->status = AMS_CLAIM_CLAIMED;
  } else if (g_strcmp0 (status, "busy") == 0) {
    parse_busy (s, answer);
  } else {
    answer->message = g_strdup (gst_structure_get_string (s, "message"));
    gst_structure_get_boolean (s, "closed", &answer->closed);
  }
  return answer;
}

GPtrArray *
ams_files_query_claim_answers (GstQuery *query)
{
  GPtrArray *answers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) answer_free);

  ams_files_query_collect_answers (query, QUERY_CLAIM, parse_answer, answers);
  return answers;
}
