/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amshttpput and what does not get better by itself: a server that refuses until somebody
 * sees to it, an element that is stopped while requests hang, a disk that is full. What
 * was recorded is in the spool, or said to be lost. */

#include "config.h"

#include "httpput-common.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

/* What one element has not delivered, the next one does. */
static void
hand_on (Put *from, Put *to)
{
  g_ptr_array_unref (to->files);
  to->files = g_steal_pointer (&from->files);
  from->files = g_ptr_array_new ();
  to->playlist = g_steal_pointer (&from->playlist);
  to->version = from->version;
}

static void
assert_delivered_by_the_next (Put *put, AmsFaultServer *server,
    const gchar *spool)
{
  g_autoptr (Put) next = NULL;

  put_stop (put);
  next = put_new (server, PUT_SETTINGS ("spool-dir", spool));
  hand_on (put, next);
  put_record (next, 1);
  put_finish (next);
  put_assert_stored (next, server);
  put_assert_faults (next, 0);
}

/* ---- what waits for a person ---- */

typedef struct
{
  const gchar *title;
  AmsFaultRule rule;
  GstResourceError code;
  const gchar *said;
  const gchar *settings[5];
} Refusal;

#define CLOSES .unread = TRUE, .close = TRUE

static const Refusal refusals[] = {
  { "403", { .method = "PUT", .status = 403 },
      GST_RESOURCE_ERROR_NOT_AUTHORIZED, "403" },
  { "401 and close", { .method = "PUT", .status = 401, CLOSES },
      GST_RESOURCE_ERROR_NOT_AUTHORIZED, "user-id" },
  { "413 and close", { .method = "PUT", .status = 413, CLOSES },
      GST_RESOURCE_ERROR_WRITE, "larger than it takes" },
  { "413 and reset",
      { .method = "PUT",
          .status = 413,
          .unread = TRUE,
          .at = AMS_FAULT_AT_SENT,
          .end = AMS_FAULT_RESET },
      GST_RESOURCE_ERROR_WRITE, "larger than it takes",
      { "expect", "always", NULL } },
  { "404", { .method = "PUT", .status = 404 }, GST_RESOURCE_ERROR_NOT_FOUND,
      "create-collections" },
  { "405", { .method = "PUT", .status = 405 }, GST_RESOURCE_ERROR_WRITE,
      "does not take PUT" },
  { "302", { .path = "/cam/?*", .status = 302, .location = "/else%s" },
      GST_RESOURCE_ERROR_WRITE, "redirect" },
  { "303", { .path = "/cam/?*", .status = 303, .location = "/else%s" },
      GST_RESOURCE_ERROR_WRITE, "redirect", { "redirect", "put", NULL } },
  { "endless redirects", { .status = 307, .location = "/x%s" },
      GST_RESOURCE_ERROR_WRITE, "more than 5 times" },
  { "507", { .method = "PUT", .status = 507 }, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
      "full" },
};

static void
wait_until_said (Put *put, GstResourceError code, const gchar *said)
{
  g_autoptr (GError) error = NULL;
  gboolean found = FALSE;

  /* A connection that was cut off is said first: the next attempt asks why. */
  for (guint n = 1; !found; n++) {
    g_autoptr (GstMessage) message =
        put_wait (put, GST_MESSAGE_WARNING, NULL, n);

    g_clear_error (&error);
    gst_message_parse_warning (message, &error, NULL);
    found = strstr (error->message, said) != NULL;
    g_test_message ("%s", error->message);
    g_assert_cmpuint (n, <=, 2);
  }
  g_assert_error (error, GST_RESOURCE_ERROR, (gint) code);
}

static void
test_refusal_is_said_and_what_was_recorded_is_kept (gconstpointer data)
{
  const Refusal *refusal = data;
  gchar *spool = put_make_folder ();
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  Put *put = put_new (server,
      PUT_SETTINGS ("spool-dir", spool, refusal->settings[0],
          refusal->settings[1]));

  ams_fault_server_add_rule (server, &refusal->rule);
  put_record (put, 3);
  wait_until_said (put, refusal->code, refusal->said);
  g_assert_cmpuint (put_count (put, GST_MESSAGE_ELEMENT, "ams-file-uploaded"),
      ==, 0);
  ams_fault_server_clear_rules (server);
  assert_delivered_by_the_next (put, server, spool);
  put_free (put);
  put_remove_folder (spool);
}

/* It is not asked again and again. */
static void
test_refusal_is_retried_slowly (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put = put_new (server, NULL);

  ams_fault_server_add_rule (server, &(AmsFaultRule){ .status = 403 });
  put_record (put, 8);
  gst_message_unref (put_wait (put, GST_MESSAGE_WARNING, NULL, 1));
  g_assert_cmpuint (put_wait_retry_delay (put, 3), >=, 60 * GST_SECOND);
  put_record (put, 2);
  /* max-parallel of them were under way before it was known. */
  g_assert_cmpuint (put_get_stat (put, "attempts"), <=, 2 + 4);
  g_assert_cmpuint (put_count (put, GST_MESSAGE_WARNING, NULL), ==, 1);
}

/* ---- stopping ---- */

typedef struct
{
  const gchar *title;
  AmsFaultRule rule;
} Hang;

static const Hang hangs[] = {
  { "before the body",
      { .method = "PUT", .hold = TRUE, .at = AMS_FAULT_AT_HEADERS } },
  { "in the body",
      { .method = "PUT",
          .hold = TRUE,
          .at = AMS_FAULT_AT_BODY,
          .bytes = 2000 } },
  { "after the body",
      { .method = "PUT", .hold = TRUE, .at = AMS_FAULT_AT_READ } },
  { "in the answer",
      { .method = "PUT",
          .hold = TRUE,
          .at = AMS_FAULT_AT_ANSWER,
          .bytes = 10 } },
  { "when all is stored", { .method = "PUT", .hold = TRUE } },
};

static void
test_stop_while_requests_hang_keeps_the_spool (gconstpointer data)
{
  const Hang *hang = data;
  gchar *spool = put_make_folder ();
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  Put *put = put_new (server, PUT_SETTINGS ("spool-dir", spool));

  ams_fault_server_add_rule (server, &hang->rule);
  put_record (put, 5);
  ams_fault_server_wait_held (server, "PUT", ".ts", 4);
  ams_fault_server_clear_rules (server);
  assert_delivered_by_the_next (put, server, spool);
  put_free (put);
  put_remove_folder (spool);
}

static void
test_stop_while_nobody_accepts_is_quick (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put = NULL;

  ams_fault_server_set_deaf (server, TRUE);
  put = put_new (server, NULL);
  put_record (put, 2);
  ams_fault_server_wait_connections (server, 1);
  put_stop (put);
  put_assert_warning (put, 1, GST_RESOURCE_ERROR_WRITE, "not delivered");
}

static gpointer
push_eos (gpointer data)
{
  gst_pad_push_event (((Put *) data)->pad, gst_event_new_eos ());
  return NULL;
}

static void
test_stop_while_eos_waits_is_quick (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put = put_new (server, NULL);
  GThread *thread;

  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ .method = "PUT", .hold = TRUE });
  put_record (put, 2);
  ams_fault_server_wait_held (server, "PUT", ".ts", 2);
  thread = g_thread_new ("eos", push_eos, put);
  put_stop (put);
  g_thread_join (thread);
  g_assert_cmpuint (put_count (put, GST_MESSAGE_EOS, NULL), ==, 0);
}

static void
test_eos_that_waits_in_vain_says_what_is_in_the_spool (void)
{
  gchar *spool = put_make_folder ();
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  Put *put = put_new (server,
      PUT_SETTINGS ("spool-dir", spool, "drain-timeout", "200000000"));

  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ .method = "PUT", .hold = TRUE });
  put_record (put, 2);
  put_finish (put);
  put_assert_warning (put, 1, GST_RESOURCE_ERROR_WRITE, "drain-timeout");
  g_assert_cmpuint (put_count (put, GST_MESSAGE_ERROR, NULL), ==, 0);
  ams_fault_server_clear_rules (server);
  assert_delivered_by_the_next (put, server, spool);
  put_free (put);
  put_remove_folder (spool);
}

static void
test_eos_that_waits_in_vain_without_spool_is_an_error (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put =
      put_new (server, PUT_SETTINGS ("drain-timeout", "200000000"));
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ .method = "PUT", .hold = TRUE });
  put_record (put, 2);
  put_finish (put);
  message = put_wait (put, GST_MESSAGE_ERROR, NULL, 1);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "70000 bytes"));
  g_assert_nonnull (strstr (error->message, "spool-dir"));
}

/* ---- a disk that is full ---- */

/* No file may have more than @size bytes; 0: any. */
static void
limit_files (rlim_t size)
{
  struct rlimit limit;

  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &limit);
  limit.rlim_cur = size ? MIN (size, limit.rlim_max) : limit.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* An element whose server takes nothing before let_go(), and a disk that takes no segment. */
static Put *
begin_full (AmsFaultServer *server, const gchar *spool, const gchar *policy)
{
  Put *put = put_new (server,
      PUT_SETTINGS ("spool-dir", spool, "max-queue-bytes", "400000",
          "queue-policy", policy));

  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ .method = "PUT",
          .hold = TRUE,
          .at = AMS_FAULT_AT_HEADERS });
  limit_files (9000);
  return put;
}

static void
let_go (AmsFaultServer *server)
{
  ams_fault_server_wait_held (server, "PUT", ".ts", 4);
  limit_files (0);
  ams_fault_server_clear_rules (server);
  ams_fault_server_release (server, ".ts");
}

/* The disk is tried again after a second, with the next file. */
static void
record_until_over (Put *put, guint faults)
{
  do {
    put_push_segment (put, 100);
    put_drain (put);
  } while (put_count (put, GST_MESSAGE_INFO, NULL) < faults);
}

static void
test_full_disk_is_said_once_and_memory_takes_over (void)
{
  gchar *spool = put_make_folder ();
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  Put *put = begin_full (server, spool, "block");

  put_record (put, 6);
  put_assert_warning (put, 1, GST_RESOURCE_ERROR_WRITE, spool);
  g_assert_cmpuint (put_get_stat (put, "queued-bytes"), >, 200000);
  g_assert_cmpuint (put_count (put, GST_MESSAGE_WARNING, NULL), ==, 1);
  let_go (server);
  record_until_over (put, 1);
  put_finish (put);
  put_assert_stored (put, server);
  put_assert_faults (put, 1);
  put_free (put);
  put_remove_folder (spool);
}

static gpointer
record_ten (gpointer data)
{
  put_record (data, 10);
  return NULL;
}

/* 503 kB, of which memory takes 400 kB. */
static void
test_full_disk_and_memory_let_upstream_wait (void)
{
  gchar *spool = put_make_folder ();
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  Put *put = begin_full (server, spool, "block");
  GThread *thread = g_thread_new ("record", record_ten, put);

  gst_message_unref (put_wait (put, GST_MESSAGE_WARNING, NULL, 1));
  ams_fault_server_wait_held (server, "PUT", ".ts", 4);
  while (put_get_stat (put, "queued-bytes") < 300000)
    g_thread_yield ();
  g_assert_cmpuint (put_get_stat (put, "queued-bytes"), <=, 400000 + 65536);
  let_go (server);
  g_thread_join (thread);
  record_until_over (put, 1);
  put_finish (put);
  put_assert_stored (put, server);
  put_assert_faults (put, 1);
  put_free (put);
  put_remove_folder (spool);
}

/* Those that are on their way are not given up. */
static void
test_full_disk_and_memory_cost_the_oldest_segments (void)
{
  gchar *spool = put_make_folder ();
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  Put *put = begin_full (server, spool, "drop-oldest");

  put_record (put, 4);
  ams_fault_server_wait_held (server, "PUT", ".ts", 4);
  put_record (put, 12);
  gst_message_unref (put_wait (put, GST_MESSAGE_ELEMENT, "ams-file-failed", 1));
  put_assert_warning (put, 2, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
      "max-queue-bytes");
  let_go (server);
  record_until_over (put, 2);
  put_finish (put);
  g_assert_true (((PutFile *) put->files->pdata[4])->given_up);
  g_assert_false (((PutFile *) put->files->pdata[15])->given_up);
  put_assert_stored (put, server);
  put_assert_faults (put, 2);
  put_free (put);
  put_remove_folder (spool);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/httpput/refused/%s", refusals[i].title);

    g_test_add_data_func (path, &refusals[i],
        test_refusal_is_said_and_what_was_recorded_is_kept);
  }
  for (guint i = 0; i < G_N_ELEMENTS (hangs); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/httpput/stop/%s", hangs[i].title);

    g_test_add_data_func (path, &hangs[i],
        test_stop_while_requests_hang_keeps_the_spool);
  }
#define ADD(path, name) g_test_add_func ("/httpput/" path, test_##name)
  ADD ("refused/slowly", refusal_is_retried_slowly);
  ADD ("stop/deaf", stop_while_nobody_accepts_is_quick);
  ADD ("stop/eos", stop_while_eos_waits_is_quick);
  ADD ("eos/spool", eos_that_waits_in_vain_says_what_is_in_the_spool);
  ADD ("eos/memory", eos_that_waits_in_vain_without_spool_is_an_error);
  ADD ("disk/memory", full_disk_is_said_once_and_memory_takes_over);
  ADD ("disk/block", full_disk_and_memory_let_upstream_wait);
  ADD ("disk/drop", full_disk_and_memory_cost_the_oldest_segments);
  return g_test_run ();
}
