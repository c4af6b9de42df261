/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amslistguard.h"
#include "http/amslistwatch.h"

#include <string.h>

#define EVENT "#EXTM3U\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
#define LIVE "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:4\n"
#define A "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\n#EXTINF:2,\na.ts\n"
#define A_LATER \
  "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:01Z\n#EXTINF:2,\na.ts\n"
#define A_GAP \
  "#EXT-X-GAP\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\n#EXTINF:2,\na.ts\n"
#define B "#EXTINF:2,\nb.ts\n"
#define C "#EXTINF:2,\nc.ts\n"

static AmsBody *
new_body (const gchar *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  AmsBody *body = ams_memory_body_new ();

  ams_body_append (body, bytes, NULL);
  ams_body_finish (body, strlen (text));
  return body;
}

static void
see (AmsListSeen *seen, const gchar *text, const gchar *etag)
{
  memset (seen, 0, sizeof *seen);
  seen->exists = text != NULL;
  seen->etag = g_strdup (etag);
  /* A byte at a time is as good as a whole. */
  for (const gchar *p = text; p && *p; p++)
    ams_list_seen_piece ((const guint8 *) p, 1, seen);
}

static AmsListVerdict
judge (AmsListGuard *guard, const gchar *there, const gchar *ours)
{
  g_autoptr (AmsBody) body = new_body (ours);
  g_auto (AmsListSeen) seen;

  see (&seen, there, "\"1\"");
  return ams_list_guard_judge (guard, "l.m3u8", &seen, body, NULL);
}

static const struct
{
  const gchar *title, *tail, *text;
  gboolean all, agree;
} agreements[] = {
  { "beginning", EVENT A, EVENT A B, TRUE, TRUE },
  { "marked-since", EVENT A, EVENT A_GAP B, TRUE, TRUE },
  { "longer", EVENT A B C, EVENT A B, TRUE, FALSE },
  { "other-date", EVENT A_LATER, EVENT A B, TRUE, FALSE },
  { "window-slid", LIVE A B, LIVE B C, TRUE, TRUE },
  { "window-other-date", LIVE A_LATER B, LIVE A B, TRUE, FALSE },
  { "cut-within-a-line", "NF:9,\na.ts\n" B, EVENT A B, FALSE, TRUE },
  { "cut-other", "NF:9,\na.ts\n" C, EVENT A B, FALSE, FALSE },
};

static void
test_agree (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);

  g_assert_cmpint (ams_list_guard_agree (agreements[i].tail, agreements[i].all,
                       agreements[i].text),
      ==, agreements[i].agree);
}

/* What it has read or put itself, and nothing else. */
static void
test_judge_knows_its_versions (void)
{
  AmsListGuard *guard = ams_list_guard_new ();
  g_autoptr (AmsBody) first = new_body (EVENT A);
  g_autoptr (AmsBody) second = new_body (EVENT A B);

  ams_list_guard_note_absent (guard, "l.m3u8");
  g_assert_cmpint (judge (guard, NULL, EVENT A), ==, AMS_LIST_FREE);
  g_assert_cmpint (judge (guard, EVENT A, EVENT A), ==, AMS_LIST_SAME);
  ams_list_guard_free (guard);

  guard = ams_list_guard_new ();
  ams_list_guard_note_absent (guard, "l.m3u8");
  g_assert_cmpint (judge (guard, EVENT B, EVENT A), ==, AMS_LIST_FOREIGN);
  ams_list_guard_note_stored (guard, "l.m3u8", first, NULL, "\"1\"");
  ams_list_guard_note_sent (guard, "l.m3u8", second, NULL);
  g_assert_cmpint (judge (guard, EVENT A, EVENT A B C), ==, AMS_LIST_OURS);
  g_assert_cmpint (judge (guard, EVENT A B, EVENT A B C), ==, AMS_LIST_OURS);
  g_assert_cmpint (judge (guard, EVENT A C, EVENT A B C), ==, AMS_LIST_FOREIGN);
  ams_list_guard_free (guard);
}

/* Only a strong ETag is a condition, and only where conditions are heeded. */
static void
test_etag_is_a_condition_where_it_can_be (void)
{
  AmsListGuard *guard = ams_list_guard_new ();
  g_autoptr (AmsBody) body = new_body (EVENT A);
  g_autofree gchar *condition = NULL;

  ams_list_guard_note_stored (guard, "l.m3u8", body, NULL, "\"1\"");
  g_assert_null (ams_list_guard_get_etag (guard, "l.m3u8"));
  ams_list_guard_set_if_match (guard, AMS_IF_MATCH_HEEDED);
  g_assert_cmpstr (ams_list_guard_get_etag (guard, "l.m3u8"), ==, "\"1\"");
  ams_list_guard_note_refused (guard, "\"1\"", "\"2\"");
  g_assert_cmpint (ams_list_guard_get_if_match (guard), ==,
      AMS_IF_MATCH_HEEDED);
  ams_list_guard_note_refused (guard, "\"1\"", "\"1\"");
  condition = ams_list_guard_dup_condition (guard, "\"1\"");
  g_assert_cmpstr (condition, ==, "1");
  ams_list_guard_note_refused (guard, "\"1\"", "\"1\"");
  g_assert_null (ams_list_guard_get_etag (guard, "l.m3u8"));
  ams_list_guard_set_if_match (guard, AMS_IF_MATCH_HEEDED);
  ams_list_guard_note_stored (guard, "l.m3u8", body, NULL, "W/\"1\"");
  g_assert_null (ams_list_guard_get_etag (guard, "l.m3u8"));
  ams_list_guard_free (guard);
}

#define ALIVE "#EXTM3U\n#EXT-X-TARGETDURATION:4\n" A
#define SECOND G_TIME_SPAN_SECOND

static AmsListLifeSign
look (AmsListLife *life, const gchar *text, gint64 now)
{
  g_auto (AmsListSeen) seen;

  see (&seen, text, "\"1\"");
  return ams_list_life_take_look (life, &seen, now);
}

static AmsListLifeSign
read_all (AmsListLife *life, const gchar *text, gint64 now)
{
  return ams_list_life_take_text (life, text, strlen (text), now);
}

/* Each change is a sign of life; three target durations without one are none. */
static void
test_life_ends_with_silence (void)
{
  AmsListLife life = {
    0,
  };

  g_assert_cmpint (look (&life, ALIVE, 0), ==, AMS_LIST_LIFE_READ);
  g_assert_cmpint (read_all (&life, ALIVE, 1), ==, AMS_LIST_LIFE_BUSY);
  g_assert_cmpuint (life.target, ==, 4);
  g_assert_cmpint (look (&life, ALIVE, 11 * SECOND), ==, AMS_LIST_LIFE_BUSY);
  g_assert_false (life.grew);
  g_assert_cmpint (look (&life, ALIVE B, 11 * SECOND), ==, AMS_LIST_LIFE_BUSY);
  g_assert_true (life.grew);
  g_assert_cmpint (look (&life, ALIVE B, 22 * SECOND), ==, AMS_LIST_LIFE_BUSY);
  ams_list_life_take_failure (&life, 22 * SECOND);
  g_assert_cmpint (look (&life, ALIVE B, 33 * SECOND), ==, AMS_LIST_LIFE_BUSY);
  g_assert_cmpint (look (&life, ALIVE B, 34 * SECOND), ==, AMS_LIST_LIFE_FREE);
  ams_list_life_clear (&life);
}

static void
test_life_ends_with_endlist (void)
{
  static const gchar *const ends[] = { NULL, ALIVE "#EXT-X-ENDLIST\n",
    ALIVE "#EXT-X-ENDLIST", ALIVE "#EXT-X-ENDLIST\r\n" };

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
    AmsListLife life = {
      0,
    };

    g_assert_cmpint (look (&life, ends[i], 0), ==, AMS_LIST_LIFE_FREE);
    if (ends[i])
      g_assert_cmpint (read_all (&life, ends[i], 0), ==, AMS_LIST_LIFE_FREE);
    g_assert_cmpint (read_all (&life, ALIVE "#EXT-X-ENDLISTS\n", 0), ==,
        AMS_LIST_LIFE_BUSY);
    ams_list_life_clear (&life);
  }
}

/* What is packed has to be read again whenever it has changed. */
static void
test_life_of_what_is_packed (void)
{
  AmsListLife life = {
    0,
  };

  g_assert_cmpint (look (&life,
                       "\x1f\x8b"
                       "a",
                       0),
      ==, AMS_LIST_LIFE_READ);
  g_assert_cmpint (read_all (&life, ALIVE, 0), ==, AMS_LIST_LIFE_BUSY);
  g_assert_cmpint (look (&life,
                       "\x1f\x8b"
                       "a",
                       1),
      ==, AMS_LIST_LIFE_BUSY);
  g_assert_cmpint (look (&life,
                       "\x1f\x8b"
                       "b",
                       2),
      ==, AMS_LIST_LIFE_READ);
  g_assert_cmpint (read_all (&life, ALIVE "#EXT-X-ENDLIST\n", 2), ==,
      AMS_LIST_LIFE_FREE);
  ams_list_life_clear (&life);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (agreements); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/list-guard/agree/%s", agreements[i].title);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_agree);
  }
  g_test_add_func ("/list-guard/life/silence", test_life_ends_with_silence);
  g_test_add_func ("/list-guard/life/endlist", test_life_ends_with_endlist);
  g_test_add_func ("/list-guard/life/packed", test_life_of_what_is_packed);
  g_test_add_func ("/list-guard/judge", test_judge_knows_its_versions);
  g_test_add_func ("/list-guard/etag",
      test_etag_is_a_condition_where_it_can_be);
  return g_test_run ();
}
