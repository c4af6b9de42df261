/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a store has, where a spool knows as well: how long the store is waited for. Nothing is
 * timed: what needs no time is done as soon as nothing is left to be dispatched. */

#include "config.h"

#include "transfer/amsquestion.h"

#include "amsfakestore.h"

#include <glib/gstdio.h>
#include <string.h>

#define PATIENCE (G_TIME_SPAN_SECOND / 2) /* as docs/file-stream.md says */

typedef struct
{
  AmsFakeStore *store;
  AmsSpool *spool;
  gchar *folder;
  AmsQuestionMemory memory;
  GCancellable *cancellable;
  guint answered;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->store = ams_fake_store_new ();
  f->folder = g_dir_make_tmp ("ams-question-XXXXXX", NULL);
  f->spool = ams_spool_open (f->folder, "http://127.0.0.1/media", &error);
  f->cancellable = g_cancellable_new ();
  g_assert_no_error (error);
}

static void
remove_tree (const gchar *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *child = g_build_filename (path, name, NULL);

    remove_tree (child);
  }
  g_clear_pointer (&dir, g_dir_close);
  g_remove (path);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  ams_spool_close (f->spool);
  g_object_unref (f->store);
  g_object_unref (f->cancellable);
  remove_tree (f->folder);
  g_free (f->folder);
}

/* The playlist @name has been stored: the spool keeps it as what the store has. */
static void
know (Fixture *f, const gchar *name)
{
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = AMS_FILE_ROLE_PLAYLIST,
    .version = 1 };
  g_autoptr (AmsBody) body = ams_spool_create_body (f->spool, &begin);
  g_autoptr (GBytes) text = g_bytes_new_static ("known", 5);
  guint64 id;

  g_assert_true (ams_body_append (body, text, NULL));
  ams_body_finish (body, 5);
  g_assert_true (ams_spool_commit (f->spool, body, &begin, &id, NULL));
  ams_spool_settle (f->spool, id, body, AMS_SPOOL_STORED);
}

/* The store does not answer. */
static void
hang (Fixture *f, const gchar *name)
{
  ams_fake_store_script (f->store, name, FAKE_HANG, 0);
}

static void
on_answered (AmsQuestion *question, gpointer user_data)
{
  ((Fixture *) user_data)->answered++;
}

static void
ask (Fixture *f, AmsQuestion *question)
{
  f->answered = 0;
  ams_question_ask (question, AMS_STORE (f->store), f->spool, &f->memory,
      f->cancellable, on_answered, f);
}

static AmsQuestion *
ask_for (Fixture *f, const gchar *name)
{
  AmsQuestion *question = ams_question_new_fetch (name, FALSE, 100);

  ask (f, question);
  return question;
}

/* All that need not be waited for. */
static void
dispatch (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
wait_answered (Fixture *f)
{
  while (f->answered == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (f->answered, ==, 1);
}

static void
assert_data (AmsQuestion *question, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) data = ams_question_take_data (question, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (data, NULL), g_bytes_get_size (data), text,
      strlen (text));
}

static void
assert_no_answer (AmsQuestion *question)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ams_question_take_data (question, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_TRANSIENT);
}

/* The first that is not answered uses the patience up; the next is not waited for, even if
 * the store has spoken meanwhile. */
static void
test_patience_is_for_all_questions_together (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsQuestion) first = NULL, second = NULL;

  know (f, "p");
  know (f, "q");
  hang (f, "p");
  first = ask_for (f, "p");
  wait_answered (f);
  assert_data (first, "known");
  g_assert_true (f->memory.silent);
  g_assert_cmpint (f->memory.waited, >=, PATIENCE);

  f->memory.silent = FALSE;
  hang (f, "q");
  second = ask_for (f, "q");
  dispatch ();
  g_assert_cmpuint (f->answered, ==, 1);
  assert_data (second, "known");
}

static void
test_patience_not_used_up_is_left_for_the_next (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsQuestion) question = NULL;

  know (f, "p");
  hang (f, "p");
  f->memory.waited = PATIENCE - G_TIME_SPAN_MILLISECOND;
  question = ask_for (f, "p");
  wait_answered (f);
  assert_data (question, "known");
  g_assert_cmpint (f->memory.waited, >=, PATIENCE);
}

/* What nobody else knows is worth any wait. */
static void
test_unknown_is_waited_for (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsQuestion) question = NULL;
  g_autoptr (GError) error = NULL;

  hang (f, "p");
  f->memory.waited = PATIENCE;
  question = ask_for (f, "p");
  dispatch ();
  g_assert_cmpuint (f->answered, ==, 0);
  g_cancellable_cancel (f->cancellable);
  wait_answered (f);
  g_assert_null (ams_question_take_data (question, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (f->memory.silent);
}

static void
test_unknown_is_not_waited_for_by_the_impatient (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsQuestion) question = ams_question_new_fetch ("p", FALSE, 100);

  hang (f, "p");
  f->memory.waited = PATIENCE;
  ams_question_set_impatient (question);
  ask (f, question);
  dispatch ();
  g_assert_cmpuint (f->answered, ==, 1);
  assert_no_answer (question);
  g_assert_true (f->memory.silent);
}

/* It has let one question down. */
static void
test_silent_store_is_not_waited_for (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsQuestion) question = NULL;

  hang (f, "p");
  f->memory.silent = TRUE;
  question = ask_for (f, "p");
  dispatch ();
  g_assert_cmpuint (f->answered, ==, 1);
  assert_no_answer (question);
}

/* Who is stopped while it waits is not told what may be old. */
static void
test_cancelled_is_not_answered_by_the_spool (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsQuestion) question = NULL;
  g_autoptr (GError) error = NULL;

  know (f, "p");
  hang (f, "p");
  question = ask_for (f, "p");
  g_cancellable_cancel (f->cancellable);
  wait_answered (f);
  g_assert_null (ams_question_take_data (question, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

#define ADD(path, function) \
  g_test_add ("/question/" path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("patience/shared", test_patience_is_for_all_questions_together);
  ADD ("patience/left", test_patience_not_used_up_is_left_for_the_next);
  ADD ("unknown/waited-for", test_unknown_is_waited_for);
  ADD ("unknown/impatient", test_unknown_is_not_waited_for_by_the_impatient);
  ADD ("silent", test_silent_store_is_not_waited_for);
  ADD ("cancelled", test_cancelled_is_not_answered_by_the_spool);
  return g_test_run ();
}
