/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What hls-upload decides without a network: names, what playlists name, the order, who may upload, what a
 * dead one has left. */

#include "config.h"

#include "auth.h"
#include "clients.h"
#include "folder.h"
#include "listing.h"
#include "names.h"
#include "order.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Names */

static void
check_name (const gchar *path, const gchar *app, const gchar *wanted,
    gint status)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *name = hls_upload_name_parse (path, app, &error);

  g_test_message ("%s", path);
  g_assert_cmpstr (name, ==, wanted);
  if (wanted)
    g_assert_no_error (error);
  else
    g_assert_error (error, HLS_UPLOAD_ERROR, status);
}

static void
test_names_of_paths (void)
{
  check_name ("/live/hls-upload/a.ts", NULL, "live/a.ts", 0);
  check_name ("/live/hls-upload/a.ts", "live", "a.ts", 0);
  check_name ("/l%69ve/hls-upload/a/b%20c.ts", "live", "a/b c.ts", 0);
  check_name ("/live/hls-upload/%C3%BC+&=.ts", NULL, "live/ü+&=.ts", 0);
  check_name ("/live/hls-upload/hls-upload/a..b", NULL, "live/hls-upload/a..b",
      0);
  check_name ("/other/hls-upload/a.ts", "live", NULL, 404);
  check_name ("/hls-upload/a.ts", NULL, NULL, 404);
  check_name ("//hls-upload/a.ts", NULL, NULL, 404);
  check_name ("/live/hls-upload", NULL, NULL, 404);
  check_name ("/", NULL, NULL, 404);
  check_name ("", NULL, NULL, 404);
}

static void
test_names_that_will_not_do (void)
{
  static const gchar *const names[] = { "", "/", "a//b", "a/", "/a", ".", "..",
    "a/../b", "./a", "%2e%2e/a", "a%2Fb", "a%2fb", "%5C", "%5c..", "\\", "%00",
    "a%0Db", "%7f", "%", "%a", "%zz", "%ff", "%c0%af" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *path = g_strconcat ("/live/hls-upload/", names[i], NULL);

    check_name (path, NULL, NULL, 400);
  }
  check_name ("/../hls-upload/a", NULL, NULL, 400);
  check_name ("/a%2fb/hls-upload/a", NULL, NULL, 400);
}

static void
test_roles_by_name (void)
{
  g_assert_cmpint (hls_upload_role_of ("a/b.M3U8"), ==, AMS_FILE_ROLE_PLAYLIST);
  g_assert_cmpint (hls_upload_role_of ("a/b.ts"), ==, AMS_FILE_ROLE_SEGMENT);
  g_assert_cmpint (hls_upload_role_of ("init/b.m4s"), ==,
      AMS_FILE_ROLE_SEGMENT);
  g_assert_cmpint (hls_upload_role_of ("a/init.mp4"), ==, AMS_FILE_ROLE_INIT);
  g_assert_cmpint (hls_upload_role_of ("a/b.key"), ==, AMS_FILE_ROLE_KEY);
  g_assert_cmpint (hls_upload_role_of ("a/ts"), ==, AMS_FILE_ROLE_OTHER);
  g_assert_cmpint (hls_upload_role_of ("a/b.png"), ==, AMS_FILE_ROLE_OTHER);
}

/* What playlists name */

static gboolean
on_named (const gchar *name, gpointer names)
{
  g_ptr_array_add (names, g_strdup (name));
  return TRUE;
}

/* As it comes in pieces of @piece bytes. (transfer full) (nullable) */
static GPtrArray *
read_names (const gchar *text, gsize piece, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (HlsUploadListing) listing =
      hls_upload_listing_new ("live/a/x.m3u8", on_named, names);
  gsize size = strlen (text);

  for (gsize at = 0; at < size; at += piece) {
    gsize length = MIN (piece, size - at);
    g_autofree gchar *part = g_strndup (text + at, length);

    if (!hls_upload_listing_read (listing, part, length, error))
      return NULL;
  }
  hls_upload_listing_end (listing);
  return g_steal_pointer (&names);
}

static void
check_names (const gchar *text, const gchar *wanted)
{
  for (gsize piece = 1; piece <= strlen (text); piece++) {
    g_autoptr (GPtrArray) names = read_names (text, piece, NULL);
    g_autofree gchar *joined = NULL;

    g_ptr_array_add (names, NULL);
    joined = g_strjoinv (" ", (gchar **) names->pdata);
    g_assert_cmpstr (joined, ==, wanted);
  }
}

static void
test_names_in_playlists (void)
{
  check_names ("#EXTM3U\r\n"
               "#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"1@0\"\r\n"
               "#EXT-X-KEY:METHOD=AES-128,URI=\"https://h/k\"\n"
               "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"later.ts\"\n"
               "#EXT-X-PART:DURATION=1,URI=\"p1.ts\"\n"
               "#EXT-X-PART:DURATION=1,URI=\"p2.ts\",GAP=YES\n"
               "#EXTINF:1,\n1.ts?token=x\n"
               "#EXT-X-GAP\n#EXTINF:1,\nlost.ts\n"
               "#EXTINF:1,\n../b/%C3%BC.ts\n"
               "#EXTINF:1,\n/absolute.ts\n"
               "#EXTINF:1,\nhttp://h/x.ts\n\n"
               "  sub//./2.ts\t\n?x\n#EXTINF:1,\n../../../3.ts\n"
               "%zz.ts\nsub/4.ts",
      "live/a/init.mp4 live/a/p1.ts live/a/1.ts live/b/ü.ts live/a/sub/2.ts "
      "3.ts live/a/sub/4.ts");
  check_names ("1.ts\n\n", "live/a/1.ts");
}

static void
test_names_in_playlists_with_lines_without_end_are_refused (void)
{
  g_autofree gchar *name = g_strnfill (HLS_UPLOAD_MAX_LINE, 'x');
  g_autofree gchar *right = g_strconcat ("#EXTM3U\n", name, "\n1.ts\n", NULL);
  g_autofree gchar *wrong = g_strconcat ("#EXTM3U\n", name, "x", NULL);
  g_autoptr (GPtrArray) names = read_names (right, 4096, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (names->len, ==, 2);
  g_assert_null (read_names (wrong, 4096, &error));
  g_assert_error (error, HLS_UPLOAD_ERROR, 400);
}

/* Order */

typedef struct
{
  HlsUploadOrder *order;
  gint64 now;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->order = hls_upload_order_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (hls_upload_order_get_length (fixture->order), ==, 0);
  g_assert_cmpuint (hls_upload_order_get_waits (fixture->order), ==, 0);
  hls_upload_order_free (fixture->order);
}

static HlsUploadJob *
begin (Fixture *fixture, const gchar *name)
{
  HlsUploadJob *job = hls_upload_order_begin (fixture->order, HLS_UPLOAD_PUT,
      name, hls_upload_role_of (name));

  job->replaceable = job->role == AMS_FILE_ROLE_PLAYLIST;
  return job;
}

/* @names: (nullable) of a playlist, separated by spaces. */
static gboolean
hand_over (Fixture *fixture, HlsUploadJob *job, const gchar *names)
{
  g_auto (GStrv) parts = g_strsplit (names ? names : "", " ", -1);

  for (guint i = 0; parts[i]; i++) {
    if (!hls_upload_order_name (fixture->order, job, parts[i]))
      return FALSE;
  }
  hls_upload_order_hand_over (fixture->order, job);
  return TRUE;
}

static HlsUploadJob *
add (Fixture *fixture, const gchar *name, const gchar *names)
{
  HlsUploadJob *job = begin (fixture, name);

  g_assert_true (hand_over (fixture, job, names));
  return job;
}

static HlsUploadJob *
pick (Fixture *fixture)
{
  gint64 next;

  return hls_upload_order_pick (fixture->order, fixture->now, &next);
}

static void
free_merged (HlsUploadJob *job)
{
  for (guint i = 0; job->merged && i < job->merged->len; i++)
    hls_upload_job_free (g_ptr_array_index (job->merged, i));
}

/* Returns how many playlists it took with it. */
static guint
end (Fixture *fixture, HlsUploadJob *job, gboolean stored)
{
  g_autoptr (GPtrArray) doomed =
      hls_upload_order_end (fixture->order, job, stored);

  for (guint i = 0; i < doomed->len; i++) {
    free_merged (g_ptr_array_index (doomed, i));
    hls_upload_job_free (g_ptr_array_index (doomed, i));
  }
  free_merged (job);
  hls_upload_job_free (job);
  return doomed->len;
}

static void
test_order_playlist_waits_for_what_it_names (Fixture *fixture,
    gconstpointer data)
{
  HlsUploadJob *coming = begin (fixture, "a/2.ts");
  HlsUploadJob *segment = add (fixture, "a/1.ts", NULL);
  HlsUploadJob *list = add (fixture, "a/x.m3u8", "a/1.ts a/2.ts a/0.ts");
  HlsUploadJob *other = add (fixture, "a/y.m3u8", "a/3.ts");
  HlsUploadJob *master = add (fixture, "x.m3u8", "a/x.m3u8");

  g_assert_true (pick (fixture) == segment);
  g_assert_true (pick (fixture) == other);
  g_assert_null (pick (fixture));
  end (fixture, segment, TRUE);
  g_assert_null (pick (fixture));
  hand_over (fixture, coming, NULL);
  g_assert_true (pick (fixture) == coming);
  end (fixture, coming, TRUE);
  g_assert_true (pick (fixture) == list);
  g_assert_null (pick (fixture));
  end (fixture, list, TRUE);
  g_assert_true (pick (fixture) == master);
  end (fixture, master, TRUE);
  end (fixture, other, TRUE);
}

static void
test_order_failure_takes_the_playlists_with_it (Fixture *fixture,
    gconstpointer data)
{
  HlsUploadJob *segment = add (fixture, "1.ts", NULL);
  HlsUploadJob *slow = add (fixture, "2.ts", NULL), *late, *again, *master;

  add (fixture, "x.m3u8", "1.ts 2.ts 1.ts");
  add (fixture, "m.m3u8", "x.m3u8 1.ts");
  master = add (fixture, "n.m3u8", "x.m3u8");
  late = add (fixture, "x.m3u8", "2.ts");
  g_assert_true (pick (fixture) == segment && pick (fixture) == slow);
  g_assert_cmpuint (end (fixture, segment, FALSE), ==, 2);
  end (fixture, slow, TRUE);
  g_assert_true (pick (fixture) == late && pick (fixture) == NULL);
  end (fixture, late, TRUE);
  g_assert_true (pick (fixture) == master);
  end (fixture, master, TRUE);

  late = begin (fixture, "x.m3u8");
  g_assert_false (hand_over (fixture, late, "1.ts"));
  end (fixture, late, FALSE);
  again = add (fixture, "1.ts", NULL);
  late = add (fixture, "x.m3u8", "1.ts");
  g_assert_true (pick (fixture) == again && pick (fixture) == NULL);
  end (fixture, again, TRUE);
  g_assert_true (pick (fixture) == late);
  end (fixture, late, TRUE);
}

/* The connection broke, and the client has sent it again. */
/* Of endless names that are taken the last ones are known. */
static void
test_order_failures_are_bounded (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *last = g_strdup_printf ("%d.ts", HLS_UPLOAD_MAX_FAILED + 1);
  HlsUploadJob *lists[3];

  for (guint i = 0; i < HLS_UPLOAD_MAX_FAILED + 2; i++) {
    g_autofree gchar *name = g_strdup_printf ("%u.ts", i);

    end (fixture, add (fixture, name, NULL), FALSE);
  }
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    lists[i] = begin (fixture, "x.m3u8");
  g_assert_true (hand_over (fixture, lists[0], "0.ts 1.ts"));
  g_assert_false (hand_over (fixture, lists[1], "2.ts"));
  g_assert_false (hand_over (fixture, lists[2], last));
  end (fixture, add (fixture, "2.ts", NULL), TRUE);
  g_assert_true (hand_over (fixture, begin (fixture, "y.m3u8"), "2.ts"));
  for (guint i = 1; i < G_N_ELEMENTS (lists); i++)
    end (fixture, lists[i], FALSE);
  for (HlsUploadJob *job; (job = pick (fixture));)
    end (fixture, job, TRUE);
}

static void
test_order_repeated_upload_replaces_the_broken_one (Fixture *fixture,
    gconstpointer data)
{
  HlsUploadJob *broken = begin (fixture, "1.ts"), *again;
  HlsUploadJob *list = add (fixture, "x.m3u8", "1.ts");

  again = add (fixture, "1.ts", NULL);
  g_assert_true (pick (fixture) == again);
  end (fixture, again, TRUE);
  g_assert_true (pick (fixture) == list);
  end (fixture, list, TRUE);
  g_assert_cmpuint (end (fixture, broken, FALSE), ==, 0);
}

static void
test_order_newer_version_goes_for_the_older (Fixture *fixture,
    gconstpointer data)
{
  HlsUploadJob *first = add (fixture, "x.m3u8", "");
  HlsUploadJob *segment, *second, *third, *fourth;

  g_assert_true (pick (fixture) == first);
  segment = add (fixture, "1.ts", NULL);
  second = add (fixture, "x.m3u8", "");
  third = add (fixture, "x.m3u8", "");
  fourth = add (fixture, "x.m3u8", "1.ts");
  g_assert_true (pick (fixture) == segment && pick (fixture) == NULL);
  end (fixture, first, TRUE);
  g_assert_true (pick (fixture) == third);
  g_assert_true (third->merged->len == 1 && third->merged->pdata[0] == second);
  end (fixture, segment, TRUE);
  g_assert_null (pick (fixture));
  end (fixture, third, TRUE);
  g_assert_true (pick (fixture) == fourth);
  end (fixture, fourth, TRUE);
}

static void
test_order_files_of_one_name_go_in_turn (Fixture *fixture, gconstpointer data)
{
  HlsUploadJob *first = add (fixture, "a.png", NULL);
  HlsUploadJob *second = add (fixture, "a.png", NULL);

  g_assert_true (pick (fixture) == first && pick (fixture) == NULL);
  hls_upload_order_retry (fixture->order, first, 10);
  g_assert_null (pick (fixture));
  fixture->now = 10;
  g_assert_true (pick (fixture) == first);
  end (fixture, first, FALSE);
  g_assert_true (pick (fixture) == second);
  end (fixture, second, TRUE);
}

static void
test_order_remove_waits_for_playlists (Fixture *fixture, gconstpointer data)
{
  HlsUploadJob *list = add (fixture, "a/x.m3u8", "");
  HlsUploadJob *other = add (fixture, "b/x.m3u8", "");
  HlsUploadJob *removed = hls_upload_order_begin (fixture->order,
      HLS_UPLOAD_REMOVE, "a/b/1.ts", AMS_FILE_ROLE_OTHER);

  g_assert_true (hand_over (fixture, removed, NULL));
  g_assert_true (pick (fixture) == list && pick (fixture) == other);
  g_assert_null (pick (fixture));
  end (fixture, list, TRUE);
  g_assert_true (pick (fixture) == removed);
  end (fixture, removed, TRUE);
  end (fixture, other, TRUE);
}

/* Nobody should; but then nobody may wait for ever. */
static void
test_order_playlists_that_name_each_other_go (Fixture *fixture,
    gconstpointer data)
{
  HlsUploadJob *a = begin (fixture, "a.m3u8"), *b, *picked;

  b = add (fixture, "b.m3u8", "a.m3u8 b.m3u8");
  hand_over (fixture, a, "b.m3u8 a.m3u8");
  picked = pick (fixture);
  g_assert_true (picked == a);
  end (fixture, a, TRUE);
  g_assert_true (pick (fixture) == b);
  end (fixture, b, TRUE);
}

/* An event playlist while the store is away: segments and versions come, and nothing goes. */
static HlsUploadJob *
add_versions (Fixture *fixture, guint n, GPtrArray *segments)
{
  g_autoptr (GString) names = g_string_new (NULL);
  HlsUploadJob *list = NULL;

  for (guint i = 0; i < n; i++) {
    g_autofree gchar *name = g_strdup_printf ("%u.ts", i);

    g_ptr_array_add (segments, add (fixture, name, NULL));
    g_string_append_printf (names, "%s%s", i ? " " : "", name);
    list = add (fixture, "x.m3u8", names->str);
  }
  return list;
}

static void
test_order_versions_between_two_give_way (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) segments = g_ptr_array_new ();
  HlsUploadJob *last = add_versions (fixture, 100, segments), *first;

  /* The segments and two versions; the first names one of them, the last all. */
  g_assert_cmpuint (hls_upload_order_get_length (fixture->order), ==, 102);
  g_assert_cmpuint (hls_upload_order_get_waits (fixture->order), ==, 102);
  g_assert_cmpuint (last->merged->len, ==, 98);
  for (guint i = 0; i < 100; i++)
    g_assert_true (pick (fixture) == segments->pdata[i]);
  g_assert_null (pick (fixture));
  end (fixture, segments->pdata[0], TRUE);
  first = pick (fixture);
  g_assert_cmpstr (first->name, ==, "x.m3u8");
  for (guint i = 1; i < 100; i++)
    end (fixture, segments->pdata[i], TRUE);
  g_assert_null (pick (fixture));
  end (fixture, first, TRUE);
  g_assert_true (pick (fixture) == last);
  end (fixture, last, TRUE);
}

static void
test_order_one_that_fails_takes_few_with_it (Fixture *fixture,
    gconstpointer data)
{
  g_autoptr (GPtrArray) segments = g_ptr_array_new ();

  add_versions (fixture, 100, segments);
  g_assert_cmpuint (end (fixture, segments->pdata[50], FALSE), ==, 1);
  g_assert_cmpuint (hls_upload_order_get_waits (fixture->order), ==, 1);
  g_assert_cmpuint (end (fixture, segments->pdata[0], FALSE), ==, 1);
  g_assert_cmpuint (hls_upload_order_get_waits (fixture->order), ==, 0);
  for (guint i = 1; i < 100; i++) {
    if (i != 50)
      end (fixture, segments->pdata[i], TRUE);
  }
}

/* Where segments always come faster than they are stored, versions go all the same. */
static void
test_order_versions_go_while_segments_come (Fixture *fixture,
    gconstpointer data)
{
  g_autoptr (GPtrArray) segments = g_ptr_array_new ();
  HlsUploadJob *list;
  guint went = 0;

  for (guint i = 0; i < 100; i++) {
    g_autofree gchar *name = g_strdup_printf ("%u.ts", i);

    g_ptr_array_add (segments, add (fixture, name, NULL));
    add (fixture, "x.m3u8", name);
    if (i < 5)
      continue;
    end (fixture, segments->pdata[i - 5], TRUE);
    while ((list = pick (fixture))) {
      if (list->role != AMS_FILE_ROLE_PLAYLIST)
        continue;
      went++;
      end (fixture, list, TRUE);
    }
  }
  g_assert_cmpuint (went, >, 10);
  for (guint i = 95; i < 100; i++)
    end (fixture, segments->pdata[i], TRUE);
  while ((list = pick (fixture)))
    end (fixture, list, TRUE);
}

/* The version before is on its way still when one that waits for it cannot go. */
static void
test_order_versions_stay_in_turn_when_one_fails (Fixture *fixture,
    gconstpointer data)
{
  HlsUploadJob *first = add (fixture, "x.m3u8", "");
  HlsUploadJob *segment = add (fixture, "1.ts", NULL), *last;

  g_assert_true (pick (fixture) == first && pick (fixture) == segment);
  add (fixture, "x.m3u8", "1.ts");
  last = add (fixture, "x.m3u8", "");
  /* It can go where the one before it cannot, and so has its place. */
  g_assert_cmpuint (last->merged->len, ==, 1);
  g_assert_cmpuint (end (fixture, segment, FALSE), ==, 0);
  g_assert_null (pick (fixture));
  end (fixture, first, TRUE);
  g_assert_true (pick (fixture) == last);
  end (fixture, last, TRUE);
}

static void
test_order_files_stay_in_turn_when_a_waiting_one_ends (Fixture *fixture,
    gconstpointer data)
{
  HlsUploadJob *first = add (fixture, "a.png", NULL);
  HlsUploadJob *second = add (fixture, "a.png", NULL);
  HlsUploadJob *third = add (fixture, "a.png", NULL);

  g_assert_true (pick (fixture) == first);
  end (fixture, second, FALSE);
  g_assert_null (pick (fixture));
  end (fixture, first, TRUE);
  g_assert_true (pick (fixture) == third);
  end (fixture, third, TRUE);
}

/* A file is removed and comes again: what names it must not take the place of what the remove waits for. */
static void
test_order_versions_around_a_removed_file_all_go (Fixture *fixture,
    gconstpointer data)
{
  HlsUploadJob *segment = add (fixture, "1.ts", NULL), *removed, *job;
  HlsUploadJob *slow = add (fixture, "2.ts", NULL);

  g_assert_true (pick (fixture) == segment && pick (fixture) == slow);
  add (fixture, "x.m3u8", "2.ts");
  add (fixture, "x.m3u8", "2.ts 1.ts");
  end (fixture, segment, TRUE);
  removed = hls_upload_order_begin (fixture->order, HLS_UPLOAD_REMOVE, "1.ts",
      AMS_FILE_ROLE_OTHER);
  hand_over (fixture, removed, NULL);
  add (fixture, "1.ts", NULL);
  add (fixture, "x.m3u8", "2.ts 1.ts");
  end (fixture, slow, TRUE);
  while ((job = pick (fixture)))
    end (fixture, job, TRUE);
}

static void
test_order_what_waits_for_its_time_is_not_looked_through (Fixture *fixture,
    gconstpointer data)
{
  HlsUploadJob *jobs[3];
  gint64 next;

  for (guint i = 0; i < 3; i++) {
    g_autofree gchar *name = g_strdup_printf ("%u.ts", i);

    jobs[i] = add (fixture, name, NULL);
  }
  for (guint i = 0; i < 3; i++)
    g_assert_true (pick (fixture) == jobs[i]);
  hls_upload_order_retry (fixture->order, jobs[0], 30);
  hls_upload_order_retry (fixture->order, jobs[1], 10);
  hls_upload_order_retry (fixture->order, jobs[2], 20);
  g_assert_null (hls_upload_order_pick (fixture->order, 5, &next));
  g_assert_cmpint (next, ==, 10);
  fixture->now = 20;
  g_assert_true (pick (fixture) == jobs[1] && pick (fixture) == jobs[2]);
  g_assert_null (hls_upload_order_pick (fixture->order, 29, &next));
  g_assert_cmpint (next, ==, 30);
  for (guint i = 0; i < 3; i++)
    end (fixture, jobs[i], TRUE);
}

/* Against a model: random uploads end, in an order that is right. */
static void
test_order_random_uploads_all_end (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) flying = g_ptr_array_new ();
  g_autoptr (GPtrArray) open = g_ptr_array_new ();
  guint begun = 0;

  while (begun < 3000 || hls_upload_order_get_length (fixture->order) > 0) {
    HlsUploadJob *job;

    if (begun < 3000) {
      gboolean is_list = g_test_rand_int_range (0, 3) == 0;
      g_autofree gchar *name = g_strdup_printf (is_list ? "%d.m3u8" : "%d.ts",
          g_test_rand_int_range (0, 5));

      g_ptr_array_add (open, begin (fixture, name));
      begun++;
    }
    if (open->len > 0 && g_test_rand_int_range (0, 2) == 0) {
      job =
          g_ptr_array_steal_index (open, g_test_rand_int_range (0, open->len));
      if (g_test_rand_int_range (0, 8) == 0 ||
          !hand_over (fixture, job,
              job->role == AMS_FILE_ROLE_PLAYLIST ? "0.ts 1.ts 2.m3u8" : NULL))
        end (fixture, job, FALSE);
    }
    while ((job = pick (fixture))) {
      g_assert_cmpuint (job->waits, ==, 0);
      g_ptr_array_add (flying, job);
    }
    if (flying->len > 0)
      end (fixture,
          g_ptr_array_steal_index (flying,
              g_test_rand_int_range (0, flying->len)),
          g_test_rand_int_range (0, 5) > 0);
  }
  g_assert_cmpuint (open->len + flying->len, ==, 0);
}

/* Who may upload */

static gchar *
write_file (const gchar *text)
{
  g_autoptr (GError) error = NULL;
  gchar *path;
  gint fd = g_file_open_tmp ("amshls-XXXXXX", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  return path;
}

static void
test_auth_lets_in_who_is_listed (void)
{
  g_autofree gchar *users = write_file ("# people\r\n\nme:pass:word\r\nü:ö\n");
  g_autofree gchar *tokens = write_file ("abc");
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsUploadAuth) auth = hls_upload_auth_new (users, tokens, &error);
  g_autofree gchar *me = g_base64_encode ((const guchar *) "me:pass:word", 12);
  g_autofree gchar *right = g_strconcat ("basic ", me, NULL);
  static const gchar *const wrong[] = { NULL, "", "Basic", "Basic ", "Bearer ",
    "Bearer ab", "Bearer abcd", "Basic bWU6cGFzczp3b3I=", "Digest abc",
    "Basic !!!", "Bearer me:pass:word", "Bearer # people" };

  g_assert_no_error (error);
  g_assert_true (hls_upload_auth_allows (auth, right));
  g_assert_true (hls_upload_auth_allows (auth, "Bearer abc"));
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_false (hls_upload_auth_allows (auth, wrong[i]));
  g_assert_nonnull (strstr (hls_upload_auth_get_challenge (auth), "Basic"));
  g_assert_nonnull (strstr (hls_upload_auth_get_challenge (auth), "Bearer"));
  g_unlink (users);
  g_unlink (tokens);
}

static void
test_auth_without_files_lets_everybody_in (void)
{
  g_autoptr (HlsUploadAuth) auth = hls_upload_auth_new (NULL, NULL, NULL);

  g_assert_true (hls_upload_auth_allows (auth, NULL));
  g_assert_true (hls_upload_auth_allows (auth, "Basic x"));
  g_assert_null (hls_upload_auth_get_challenge (auth));
}

static void
test_auth_files_that_will_not_do (void)
{
  static const gchar *const users[] = { "", "\n# x\n", "me\n", ":x\n" };

  for (guint i = 0; i < G_N_ELEMENTS (users); i++) {
    g_autofree gchar *path = write_file (users[i]);
    g_autoptr (GError) error = NULL;

    g_assert_null (hls_upload_auth_new (path, NULL, &error));
    g_assert_nonnull (error);
    g_unlink (path);
  }
}

/* Folders */

static gchar *
put_body (HlsUploadFolder *folder)
{
  gchar *path =
      g_build_filename (hls_upload_folder_get_path (folder), "1", NULL);

  g_assert_true (g_file_set_contents (path, "half", -1, NULL));
  return path;
}

/* As kill -9 leaves it. (transfer full): the path of a body. */
static gchar *
leave_folder (const gchar *parent)
{
  gchar path[4096] = "";
  int pipe_fds[2];
  pid_t child;

  g_assert_cmpint (pipe (pipe_fds), ==, 0);
  child = fork ();
  if (child == 0) {
    gchar *body = put_body (hls_upload_folder_new (parent, NULL));

    _exit (write (pipe_fds[1], body, strlen (body)) < 0);
  }
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
  g_assert_cmpint (read (pipe_fds[0], path, sizeof path - 1), >, 0);
  close (pipe_fds[0]);
  close (pipe_fds[1]);
  return g_strdup (path);
}

static gboolean
exists (const gchar *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
test_folders_of_the_dead_are_removed (void)
{
  g_autofree gchar *parent = g_dir_make_tmp ("ams-folder-XXXXXX", NULL);
  g_autofree gchar *other = g_build_filename (parent, "hls-upload-x", NULL);
  HlsUploadFolder *alive = hls_upload_folder_new (parent, NULL);
  g_autofree gchar *body = put_body (alive);
  g_autofree gchar *left = leave_folder (parent);
  g_autofree gchar *folder = g_path_get_dirname (left);

  g_assert_true (exists (left));
  g_assert_cmpint (g_mkdir (other, 0700), ==, 0);
  hls_upload_folder_free (hls_upload_folder_new (parent, NULL));
  g_assert_false (exists (folder));
  g_assert_false (exists (other));
  g_assert_true (exists (body));
  hls_upload_folder_free (alive);
  g_assert_cmpint (g_rmdir (parent), ==, 0);
}

/* Somebody else's, or not a folder of bodies at all. */
static void
test_folders_with_other_files_are_kept (void)
{
  g_autofree gchar *parent = g_dir_make_tmp ("ams-folder-XXXXXX", NULL);
  g_autofree gchar *other = g_build_filename (parent, "hls-upload-x", NULL);
  g_autofree gchar *file = g_build_filename (other, "notes.txt", NULL);
  g_autofree gchar *link = g_build_filename (parent, "hls-upload-y", NULL);

  g_assert_cmpint (g_mkdir (other, 0700), ==, 0);
  g_assert_true (g_file_set_contents (file, "mine", -1, NULL));
  g_assert_cmpint (symlink (other, link), ==, 0);
  hls_upload_folder_free (hls_upload_folder_new (parent, NULL));
  g_assert_true (exists (file));
  g_unlink (link);
  g_unlink (file);
  g_rmdir (other);
  g_assert_cmpint (g_rmdir (parent), ==, 0);
}

static void
test_folder_that_cannot_be_made_is_said (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (hls_upload_folder_new ("/nowhere/at/all", &error));
  g_assert_nonnull (strstr (error->message, "/nowhere/at/all"));
}

/* Connections */

typedef struct
{
  HlsUploadListener *listener;
  HlsUploadClients *clients;
  GPtrArray *taken; /* of HlsUploadConnection */
  GPtrArray *sockets; /* of GSocket, the clients' */
  guint failures;
} Connections;

static gboolean
may_accept (gpointer user_data)
{
  Connections *self = user_data;

  return hls_upload_clients_admit (self->clients);
}

static void
on_accepted (HlsUploadConnection *connection, GSocketAddress *local,
    GSocketAddress *remote, gpointer user_data)
{
  Connections *self = user_data;

  g_ptr_array_add (self->taken, g_object_ref (connection));
  hls_upload_clients_add (self->clients, connection);
  hls_upload_clients_begin (self->clients, connection);
}

static void
on_failed (const GError *error, gpointer user_data)
{
  Connections *self = user_data;

  self->failures++;
  hls_upload_clients_fail (self->clients, error);
}

/* Those that connect have their descriptors before there are no more. */
static void
connections_init (Connections *self, guint n, guint max)
{
  static const HlsUploadListenerFuncs funcs = { may_accept, on_accepted,
    on_failed };
  g_autoptr (GError) error = NULL;

  memset (self, 0, sizeof *self);
  self->listener = hls_upload_listener_new ("127.0.0.1", 0, NULL, NULL, &funcs,
      self, &error);
  g_assert_no_error (error);
  self->clients = hls_upload_clients_new (self->listener, max, 1000);
  self->taken = g_ptr_array_new_with_free_func (g_object_unref);
  self->sockets = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (self->sockets,
        g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
            G_SOCKET_PROTOCOL_TCP, NULL));
}

static void
connections_clear (Connections *self)
{
  hls_upload_clients_free (self->clients);
  hls_upload_listener_free (self->listener);
  g_ptr_array_unref (self->taken);
  g_ptr_array_unref (self->sockets);
}

static void
connect_all (Connections *self)
{
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (
      hls_upload_listener_get_socket (self->listener), NULL);

  for (guint i = 0; i < self->sockets->len; i++)
    g_assert_true (
        g_socket_connect (self->sockets->pdata[i], address, NULL, NULL));
}

static void
close_connection (Connections *self, guint i)
{
  g_assert_true (g_io_stream_close (self->taken->pdata[i], NULL, NULL));
}

static rlim_t
set_limit (rlim_t limit)
{
  struct rlimit limits;
  rlim_t before;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limits), ==, 0);
  before = limits.rlim_cur;
  limits.rlim_cur = limit;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limits), ==, 0);
  return before;
}

/* The lowest that is free is what a new one would get. */
static int
next_descriptor (void)
{
  int fd = dup (STDIN_FILENO);

  g_assert_cmpint (fd, >=, 0);
  close (fd);
  return fd;
}

static void
iterate_all (void)
{
  for (guint i = 0; g_main_context_iteration (NULL, FALSE); i++)
    g_assert_cmpuint (i, <, 1000);
}

static void
test_connections_wait_where_descriptors_run_out (void)
{
  Connections self;
  rlim_t before;

  connections_init (&self, 5, 100);
  connect_all (&self);
  before = set_limit (next_descriptor () + 2);
  iterate_all ();
  set_limit (before);
  g_assert_cmpuint (self.taken->len, ==, 2);
  g_assert_cmpuint (self.failures, ==, 1);
  /* It is not tried all the time, though descriptors are there again; but when one ends. */
  iterate_all ();
  g_assert_cmpuint (self.taken->len, ==, 2);
  close_connection (&self, 0);
  iterate_all ();
  g_assert_cmpuint (self.taken->len, ==, 5);
  g_assert_cmpuint (self.failures, ==, 1);
  connections_clear (&self);
}

static void
test_connections_wait_where_there_are_as_many_as_may_be (void)
{
  Connections self;

  connections_init (&self, 5, 2);
  connect_all (&self);
  iterate_all ();
  g_assert_cmpuint (self.taken->len, ==, 2);
  for (guint i = 0; i < 3; i++) {
    close_connection (&self, i);
    iterate_all ();
    g_assert_cmpuint (self.taken->len, ==, i + 3);
    g_assert_cmpuint (hls_upload_clients_get_length (self.clients), ==, 2);
  }
  g_assert_cmpuint (self.failures, ==, 0);
  connections_clear (&self);
}

static void
test_connections_leave_room_for_files (void)
{
  struct rlimit limits;
  rlim_t before;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limits), ==, 0);
  before = set_limit (64);
  /* It is raised where that may be. */
  g_assert_cmpuint (hls_upload_clients_fit (100, 10, 40), ==, 100);
  g_assert_cmpuint (set_limit (before), ==, 150);
  /* Where it may not, each has two, but for those that no request may be under way on. */
  g_assert_cmpuint (
      hls_upload_clients_fit (G_MAXUINT / 2, 10, limits.rlim_max - 100), ==,
      90);
  g_assert_cmpuint (
      hls_upload_clients_fit (G_MAXUINT / 2, 64, limits.rlim_max - 24), ==, 12);
  g_assert_cmpuint (hls_upload_clients_fit (10, 64, limits.rlim_max), ==, 1);
  set_limit (before);
}

#define ADD(name, test) \
  g_test_add ("/hls-upload/order/" name, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hls-upload/names/of-paths", test_names_of_paths);
  g_test_add_func ("/hls-upload/names/that-will-not-do",
      test_names_that_will_not_do);
  g_test_add_func ("/hls-upload/names/roles", test_roles_by_name);
  g_test_add_func ("/hls-upload/names/in-playlists", test_names_in_playlists);
  g_test_add_func ("/hls-upload/names/without-end",
      test_names_in_playlists_with_lines_without_end_are_refused);
  ADD ("playlist-waits", test_order_playlist_waits_for_what_it_names);
  ADD ("failure", test_order_failure_takes_the_playlists_with_it);
  ADD ("failures-bounded", test_order_failures_are_bounded);
  ADD ("repeated", test_order_repeated_upload_replaces_the_broken_one);
  ADD ("newer-version", test_order_newer_version_goes_for_the_older);
  ADD ("one-name", test_order_files_of_one_name_go_in_turn);
  ADD ("remove", test_order_remove_waits_for_playlists);
  ADD ("circle", test_order_playlists_that_name_each_other_go);
  ADD ("between", test_order_versions_between_two_give_way);
  ADD ("one-that-fails", test_order_one_that_fails_takes_few_with_it);
  ADD ("faster", test_order_versions_go_while_segments_come);
  ADD ("in-turn", test_order_versions_stay_in_turn_when_one_fails);
  ADD ("files-in-turn", test_order_files_stay_in_turn_when_a_waiting_one_ends);
  ADD ("removed", test_order_versions_around_a_removed_file_all_go);
  ADD ("delayed", test_order_what_waits_for_its_time_is_not_looked_through);
  ADD ("random", test_order_random_uploads_all_end);
  g_test_add_func ("/hls-upload/connections/descriptors",
      test_connections_wait_where_descriptors_run_out);
  g_test_add_func ("/hls-upload/connections/many",
      test_connections_wait_where_there_are_as_many_as_may_be);
  g_test_add_func ("/hls-upload/connections/files",
      test_connections_leave_room_for_files);
  g_test_add_func ("/hls-upload/auth/listed", test_auth_lets_in_who_is_listed);
  g_test_add_func ("/hls-upload/auth/everybody",
      test_auth_without_files_lets_everybody_in);
  g_test_add_func ("/hls-upload/auth/files", test_auth_files_that_will_not_do);
  g_test_add_func ("/hls-upload/folders/dead",
      test_folders_of_the_dead_are_removed);
  g_test_add_func ("/hls-upload/folders/other",
      test_folders_with_other_files_are_kept);
  g_test_add_func ("/hls-upload/folders/none",
      test_folder_that_cannot_be_made_is_said);
  return g_test_run ();
}
