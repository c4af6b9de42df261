/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpbodystream.h"
#include "http/amshttpclient.h"
#include "http/amshttplimiter.h"
#include "http/amshttplocation.h"
#include "http/amshttpwatch.h"
#include "transfer/amsstore.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define S ((gint64) G_USEC_PER_SEC)

/* The limiter */

GST_START_TEST (test_limiter_without_rate_never_waits)
{
  AmsHttpLimiter limiter;

  ams_http_limiter_init (&limiter, 0, 0);
  ams_http_limiter_spend (&limiter, G_MAXINT, 0);
  g_assert_cmpint (ams_http_limiter_delay (&limiter, 0), ==, 0);
}

GST_END_TEST;

static guint64
count_spent (guint64 bitrate, gsize block, gint64 seconds)
{
  AmsHttpLimiter limiter;
  guint64 spent = 0;

  ams_http_limiter_init (&limiter, bitrate, 0);
  for (gint64 now = 0; now < seconds * S;) {
    gint64 delay = ams_http_limiter_delay (&limiter, now);

    if (delay == 0) {
      ams_http_limiter_spend (&limiter, block, now);
      spent += block;
    }
    now += delay;
  }
  return spent;
}

GST_START_TEST (test_limiter_any_block_size_keeps_the_rate)
{
  static const gsize blocks[] = { 1, 100, 8192, 65536 };

  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++) {
    guint64 spent = count_spent (8000000, blocks[i], 10);

    g_assert_cmpuint (spent, >=, 10000000);
    g_assert_cmpuint (spent, <=, 10000000 + 100000 + blocks[i]);
  }
}

GST_END_TEST;

GST_START_TEST (test_limiter_after_pause_burst_is_bounded)
{
  AmsHttpLimiter limiter;

  ams_http_limiter_init (&limiter, 8000000, 0);
  g_assert_cmpint (ams_http_limiter_delay (&limiter, 3600 * S), ==, 0);
  ams_http_limiter_spend (&limiter, 100001, 3600 * S);
  g_assert_cmpint (ams_http_limiter_delay (&limiter, 3600 * S), ==, 2);
}

GST_END_TEST;

GST_START_TEST (test_limiter_tiny_and_huge_rates_do_not_overflow)
{
  AmsHttpLimiter limiter;

  ams_http_limiter_init (&limiter, 1, 0);
  ams_http_limiter_spend (&limiter, 8192, 0);
  g_assert_cmpint (ams_http_limiter_delay (&limiter, 0), >, 8191 * S);
  ams_http_limiter_init (&limiter, G_MAXUINT64, 0);
  ams_http_limiter_spend (&limiter, G_MAXINT, 0);
  g_assert_cmpint (ams_http_limiter_delay (&limiter, 0), ==, 0);
}

GST_END_TEST;

GST_START_TEST (test_limiter_large_read_is_cut_to_what_may_go)
{
  AmsHttpLimiter limiter;

  ams_http_limiter_init (&limiter, 8 * 200000, 0);
  g_assert_cmpuint (ams_http_limiter_clip (&limiter, 262144, 0), ==, 20000);
  ams_http_limiter_spend (&limiter, 20000, 0);
  /* As soon as there is anything, as much as goes in 10 ms. */
  g_assert_cmpuint (ams_http_limiter_clip (&limiter, 262144, 1), ==, 2000);
  g_assert_cmpuint (ams_http_limiter_clip (&limiter, 100, 1), ==, 100);
  ams_http_limiter_init (&limiter, 8, 0);
  g_assert_cmpuint (ams_http_limiter_clip (&limiter, 262144, 0), ==, 512);
  ams_http_limiter_init (&limiter, 0, 0);
  g_assert_cmpuint (ams_http_limiter_clip (&limiter, 262144, 0), ==, 262144);
}

GST_END_TEST;

GST_START_TEST (test_limiter_clock_going_back_is_harmless)
{
  AmsHttpLimiter limiter;

  ams_http_limiter_init (&limiter, 8000000, 10 * S);
  ams_http_limiter_spend (&limiter, 100000, 10 * S);
  g_assert_cmpint (ams_http_limiter_delay (&limiter, 5 * S), ==, 1);
}

GST_END_TEST;

/* The watch */

GST_START_TEST (test_watch_nothing_moves_is_silent_at_timeout)
{
  AmsHttpWatch watch;

  ams_http_watch_begin (&watch, 30, 0, 7, 0);
  g_assert_cmpint (ams_http_watch_look (&watch, 7, TRUE, FALSE, 30 * S - 1), ==,
      AMS_HTTP_WATCH_FINE);
  g_assert_cmpint (ams_http_watch_look (&watch, 7, TRUE, FALSE, 30 * S), ==,
      AMS_HTTP_WATCH_SILENT);
}

GST_END_TEST;

GST_START_TEST (test_watch_a_trickle_is_stalled_though_not_silent)
{
  AmsHttpWatch watch;
  AmsHttpVerdict verdict = AMS_HTTP_WATCH_FINE;
  gint64 second;

  ams_http_watch_begin (&watch, 30, 60, 0, 0);
  for (second = 1; verdict == AMS_HTTP_WATCH_FINE; second++)
    verdict = ams_http_watch_look (&watch, second, TRUE, FALSE, second * S);
  g_assert_cmpint (verdict, ==, AMS_HTTP_WATCH_STALLED);
  g_assert_cmpint (second, ==, 61);
}

GST_END_TEST;

GST_START_TEST (test_watch_enough_in_each_window_is_fine)
{
  AmsHttpWatch watch;

  ams_http_watch_begin (&watch, 30, 30, 0, 0);
  ams_http_watch_expect (&watch, 512 * 300);
  for (gint64 second = 1; second < 300; second++)
    g_assert_cmpint (
        ams_http_watch_look (&watch, second * 300, TRUE, FALSE, second * S), ==,
        AMS_HTTP_WATCH_FINE);
}

GST_END_TEST;

GST_START_TEST (test_watch_thinking_server_is_not_stalled)
{
  AmsHttpWatch watch;

  ams_http_watch_begin (&watch, 0, 30, 0, 0);
  g_assert_cmpint (ams_http_watch_look (&watch, 0, FALSE, FALSE, 600 * S), ==,
      AMS_HTTP_WATCH_FINE);
}

GST_END_TEST;

/* So many bytes each second until the watch ends it; the s of that, 0: all was sent. */
static gint64
time_of_verdict (guint timeout, guint stall_timeout, guint64 size, guint rate,
    gboolean held_back)
{
  AmsHttpWatch watch;
  gint64 s = 0;

  ams_http_watch_begin (&watch, timeout, stall_timeout, 0, 0);
  ams_http_watch_expect (&watch, size);
  for (guint64 moved = 0; moved < size; moved += rate) {
    AmsHttpVerdict verdict =
        ams_http_watch_look (&watch, moved, TRUE, held_back, s * S);

    if (verdict != AMS_HTTP_WATCH_FINE) {
      g_assert_cmpint (verdict, ==, AMS_HTTP_WATCH_OVERDUE);
      return s;
    }
    s++;
  }
  return 0;
}

static const struct
{
  guint timeout, stall_timeout;
  guint64 size;
  guint rate;
  gboolean held_back;
  gint64 expected;
} deadlines[] = {
  { 30, 30, 50000000, 1000, FALSE,
      0 }, /* 1 kB/s goes through, whatever the size */
  { 30, 30, 50000000, 300, FALSE, 60 + 50000000 / 512 },
  { 30, 30, 512 * 100, 300, FALSE, 160 },
  { 30, 30, 512 * 100, 300, TRUE, 0 }, /* it is we who wait */
  { 0, 30, 512 * 100, 300, FALSE, 0 },
  { 30, 0, 512 * 100, 300, FALSE, 0 },
};

GST_START_TEST (test_watch_total_time_grows_with_the_size)
{
  for (guint i = 0; i < G_N_ELEMENTS (deadlines); i++)
    g_assert_cmpint (
        time_of_verdict (deadlines[i].timeout, deadlines[i].stall_timeout,
            deadlines[i].size, deadlines[i].rate, deadlines[i].held_back),
        ==, deadlines[i].expected);
}

GST_END_TEST;

/* An answer has no size before it is read. */
GST_START_TEST (test_watch_answer_that_trickles_on_is_overdue)
{
  AmsHttpWatch watch;
  AmsHttpVerdict verdict = AMS_HTTP_WATCH_FINE;
  gint64 s = 0;

  ams_http_watch_begin (&watch, 30, 30, 0, 0);
  while (verdict == AMS_HTTP_WATCH_FINE && s < 3600) {
    s++;
    verdict = ams_http_watch_look (&watch, 300 * s, TRUE, FALSE, s * S);
  }
  g_assert_cmpint (verdict, ==, AMS_HTTP_WATCH_OVERDUE);
  g_assert_cmpint (s, <, 200);
}

GST_END_TEST;

GST_START_TEST (test_watch_held_back_by_the_limiter_is_fine)
{
  AmsHttpWatch watch;

  ams_http_watch_begin (&watch, 30, 30, 0, 0);
  for (gint64 second = 1; second < 300; second++)
    g_assert_cmpint (ams_http_watch_look (&watch, 1, TRUE, TRUE, second * S),
        ==, AMS_HTTP_WATCH_FINE);
}

GST_END_TEST;

/* Locations */

static const struct
{
  const gchar *base, *location, *expected;
} locations[] = {
  { "http://h/a/b.ts", "http://i/c/d.ts", "http://i:80/c/d.ts" },
  { "http://h/a/b.ts", "https://i/c/d.ts?x=1#f", "https://i:443/c/d.ts?x=1" },
  { "http://h/a/b.ts", "//i:81/c", "http://i:81/c" },
  { "http://h/a/b.ts", "/c/../d.ts", "http://h:80/c/../d.ts" },
  { "http://h/a/b.ts", "/%7Ec/%c3?%7E", "http://h:80/%7Ec/%c3?%7E" },
  { "http://h/a/b.ts", "c.ts", "http://h:80/a/c.ts" },
  { "http://h/a/b.ts", "../c.ts", "http://h:80/c.ts" },
  { "http://h/a/b.ts", "?x", "http://h:80/a/b.ts?x" },
  { "http://h/a/b.ts", "/c?u=http://x/y", "http://h:80/c?u=http://x/y" },
  { "http://h/a/b.ts", "c?u=//x", "http://h:80/a/c?u=//x" },
  { "http://h/a/b.ts", "http://user:pw@i/c", "http://i:80/c" },
  { "http://h/a/b.ts", "/c d\xc3\xa4", "http://h:80/c%20d%C3%A4" },
  { "http://h/a/b.ts", "http://i", "http://i:80/" },
  { "http://h/a/b.ts", "http://i?x=1", "http://i:80/?x=1" },
  { "http://h/a/b.ts", "http://[::1]:81/c", "http://[::1]:81/c" },
  { "http://h/a/b.ts", "ftp://i/c", NULL },
  { "http://h/a/b.ts", "file:///c", NULL },
  { "http://h/a/b.ts", "http:///c", NULL },
  { "http://h/a/b.ts", "http://i:x/c", NULL },
  { "http://h/a/b.ts", "", NULL },
  { "http://h/a/b.ts", "\xff", NULL },
};

static GUri *
parse (const gchar *text)
{
  GUri *uri = g_uri_parse (text, SOUP_HTTP_URI_FLAGS, NULL);

  g_assert_nonnull (uri);
  return uri;
}

static gchar *
to_text (GUri *uri)
{
  g_autofree gchar *origin = uri ? ams_http_location_origin (uri) : NULL;

  if (!uri)
    return NULL;
  g_assert_null (g_uri_get_userinfo (uri));
  return g_strconcat (origin, g_uri_get_path (uri),
      g_uri_get_query (uri) ? "?" : NULL, g_uri_get_query (uri), NULL);
}

GST_START_TEST (test_location_resolves_byte_for_byte)
{
  for (guint i = 0; i < G_N_ELEMENTS (locations); i++) {
    g_autoptr (GUri) base = parse (locations[i].base);
    g_autoptr (GUri) to =
        ams_http_location_resolve (base, locations[i].location);
    g_autofree gchar *text = to_text (to);

    g_assert_cmpstr (text, ==, locations[i].expected);
  }
}

GST_END_TEST;

GST_START_TEST (test_location_origin_is_scheme_host_and_port)
{
  static const struct
  {
    const gchar *a, *b;
    gboolean same;
  } table[] = {
    { "http://h/a", "http://h:80/b", TRUE },
    { "http://h/", "http://H/", TRUE },
    { "https://h/", "https://h:443/", TRUE },
    { "http://h/", "https://h/", FALSE },
    { "http://h/", "http://h:81/", FALSE },
    { "http://h/", "http://h.i/", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GUri) a = parse (table[i].a), b = parse (table[i].b);

    g_assert_cmpint (ams_http_location_same_origin (a, b), ==, table[i].same);
  }
}

GST_END_TEST;

static gchar *
apply (AmsHttpMoves *moves, const gchar *text)
{
  g_autoptr (GUri) uri = parse (text);
  g_autoptr (GUri) to = ams_http_moves_apply (moves, uri);

  return to_text (to);
}

GST_START_TEST (test_moves_folder_moves_its_files)
{
  AmsHttpMoves *moves = ams_http_moves_new ();
  g_autoptr (GUri) from = parse ("http://h/a/1.ts");
  g_autoptr (GUri) to = parse ("https://i/b/1.ts");
  g_autofree gchar *next = NULL, *other = NULL, *forgotten = NULL;

  ams_http_moves_add (moves, from, to);
  next = apply (moves, "http://h/a/2.ts?t=1");
  other = apply (moves, "http://h/a/c/2.ts");
  ams_http_moves_forget (moves, from);
  forgotten = apply (moves, "http://h/a/2.ts");
  g_assert_cmpstr (next, ==, "https://i:443/b/2.ts?t=1");
  g_assert_null (other);
  g_assert_null (forgotten);
  ams_http_moves_free (moves);
}

GST_END_TEST;

GST_START_TEST (test_moves_renamed_file_moves_alone)
{
  AmsHttpMoves *moves = ams_http_moves_new ();
  g_autoptr (GUri) from = parse ("http://h/a/1.ts");
  g_autoptr (GUri) to = parse ("http://h/b/x");
  g_autofree gchar *same = NULL, *next = NULL;

  ams_http_moves_add (moves, from, to);
  same = apply (moves, "http://h/a/1.ts");
  next = apply (moves, "http://h/a/2.ts");
  g_assert_cmpstr (same, ==, "http://h:80/b/x");
  g_assert_null (next);
  ams_http_moves_free (moves);
}

GST_END_TEST;

GST_START_TEST (test_moves_signed_target_is_not_remembered)
{
  AmsHttpMoves *moves = ams_http_moves_new ();
  g_autoptr (GUri) from = parse ("http://h/a/1.ts");
  g_autoptr (GUri) to = parse ("http://h/b/1.ts?signature=1");
  g_autofree gchar *next = NULL;

  ams_http_moves_add (moves, from, to);
  next = apply (moves, "http://h/a/1.ts");
  g_assert_null (next);
  ams_http_moves_free (moves);
}

GST_END_TEST;

/* The body as a stream */

GST_START_TEST (test_body_stream_ends_at_the_size)
{
  AmsHttpLimiter limiter = { 0 };
  g_autoptr (GBytes) bytes = g_bytes_new_static ("0123456789", 10);
  g_autoptr (AmsBody) body = ams_memory_body_new ();
  g_autoptr (GInputStream) stream = NULL;
  gchar buffer[16];
  gsize size;

  ams_body_append (body, bytes, NULL);
  ams_body_finish (body, 7);
  stream = ams_http_body_stream_new (body, NULL, &limiter);
  g_assert_true (
      g_input_stream_read_all (stream, buffer, 16, &size, NULL, NULL));
  g_assert_cmpuint (size, ==, 7);
  g_assert_cmpmem (buffer, size, "0123456", 7);
}

GST_END_TEST;

GST_START_TEST (test_body_stream_too_short_is_lost)
{
  AmsHttpLimiter limiter = { 0 };
  g_autoptr (GBytes) bytes = g_bytes_new_static ("0123456789", 10);
  g_autoptr (AmsBody) body = ams_memory_body_new ();
  g_autoptr (GInputStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  gchar buffer[32];
  gsize size;

  ams_body_append (body, bytes, NULL);
  ams_body_finish (body, 10);
  ams_body_set_size (body, 20);
  /* What it has is what was appended, whatever its size is said to be. */
  stream = ams_http_body_stream_new (body, NULL, &limiter);
  g_assert_false (
      g_input_stream_read_all (stream, buffer, 32, &size, NULL, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_LOST);
  g_assert_cmpuint (size, ==, 10);
}

GST_END_TEST;

GST_START_TEST (test_body_stream_over_the_limit_would_block)
{
  AmsHttpLimiter limiter;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("0123456789", 10);
  g_autoptr (GInputStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  GPollableInputStream *pollable;
  gchar buffer[4];

  ams_http_limiter_init (&limiter, 8, g_get_monotonic_time ());
  stream = ams_http_body_stream_new (NULL, bytes, &limiter);
  pollable = G_POLLABLE_INPUT_STREAM (stream);
  g_assert_cmpint (g_pollable_input_stream_read_nonblocking (pollable, buffer,
                       4, NULL, NULL),
      ==, 4);
  g_assert_cmpint (g_pollable_input_stream_read_nonblocking (pollable, buffer,
                       4, NULL, &error),
      ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_assert_true (
      ams_http_body_stream_is_throttled (AMS_HTTP_BODY_STREAM (stream)));
}

GST_END_TEST;

/* GLib's splice takes 8 KiB at a time, and 256 KiB from 2.90 on. */
GST_START_TEST (test_body_stream_large_read_is_cut_to_the_limit)
{
  AmsHttpLimiter limiter;
  g_autofree guint8 *buffer = g_malloc0 (256 * 1024);
  g_autoptr (GBytes) bytes = g_bytes_new (buffer, 256 * 1024);
  g_autoptr (GInputStream) stream = NULL;
  gssize got;

  ams_http_limiter_init (&limiter, 8 * 200 * 1024, g_get_monotonic_time ());
  stream = ams_http_body_stream_new (NULL, bytes, &limiter);
  got = g_pollable_input_stream_read_nonblocking (
      G_POLLABLE_INPUT_STREAM (stream), buffer, 256 * 1024, NULL, NULL);
  g_assert_cmpint (got, ==, 20 * 1024);
}

GST_END_TEST;

static Suite *
http_limiter_suite (void)
{
  Suite *s = suite_create ("http-limiter");
  TCase *tc = tcase_create ("pure");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_limiter_without_rate_never_waits);
  tcase_add_test (tc, test_limiter_any_block_size_keeps_the_rate);
  tcase_add_test (tc, test_limiter_after_pause_burst_is_bounded);
  tcase_add_test (tc, test_limiter_after_pause_burst_is_bounded);
  tcase_add_test (tc, test_limiter_large_read_is_cut_to_what_may_go);
  tcase_add_test (tc, test_limiter_tiny_and_huge_rates_do_not_overflow);
  tcase_add_test (tc, test_limiter_clock_going_back_is_harmless);
  tcase_add_test (tc, test_watch_nothing_moves_is_silent_at_timeout);
  tcase_add_test (tc, test_watch_a_trickle_is_stalled_though_not_silent);
  tcase_add_test (tc, test_watch_enough_in_each_window_is_fine);
  tcase_add_test (tc, test_watch_thinking_server_is_not_stalled);
  tcase_add_test (tc, test_watch_total_time_grows_with_the_size);
  tcase_add_test (tc, test_watch_answer_that_trickles_on_is_overdue);
  tcase_add_test (tc, test_watch_held_back_by_the_limiter_is_fine);
  tcase_add_test (tc, test_location_resolves_byte_for_byte);
  tcase_add_test (tc, test_location_origin_is_scheme_host_and_port);
  tcase_add_test (tc, test_moves_folder_moves_its_files);
  tcase_add_test (tc, test_moves_renamed_file_moves_alone);
  tcase_add_test (tc, test_moves_signed_target_is_not_remembered);
  tcase_add_test (tc, test_body_stream_ends_at_the_size);
  tcase_add_test (tc, test_body_stream_too_short_is_lost);
  tcase_add_test (tc, test_body_stream_over_the_limit_would_block);
  tcase_add_test (tc, test_body_stream_large_read_is_cut_to_the_limit);
  return s;
}

GST_CHECK_MAIN (http_limiter);
