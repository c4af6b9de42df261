/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The engine's queue: what is popped at once, and what is counted meanwhile. */

#include "config.h"

#include "transfer/amsqueue.h"

typedef struct
{
  AmsQueue queue;
  GQueue popped;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  ams_queue_init (&f->queue);
  g_queue_init (&f->popped);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  ams_queue_clear (&f->queue);
  g_queue_clear_full (&f->popped, ams_command_free);
}

static void
push_data (Fixture *f, gsize cost)
{
  AmsCommand *command = ams_command_new (AMS_COMMAND_DATA);

  command->bytes = g_bytes_new_static ("", 0);
  command->cost = cost;
  ams_queue_push (&f->queue, command);
}

static void
push (Fixture *f, AmsCommandKind kind)
{
  ams_queue_push (&f->queue, ams_command_new (kind));
}

static gboolean
is_in_file (Fixture *f, guint lane)
{
  return g_array_index (f->queue.popped, AmsQueuePopped, lane).in_file;
}

/* Pops up to @max: @length commands of @kind come, which cost @bytes. */
static void
assert_pops (Fixture *f, guint64 max, guint length, AmsCommandKind kind,
    guint64 bytes)
{
  guint64 left = f->queue.bytes;

  g_queue_clear_full (&f->popped, ams_command_free);
  g_assert_cmpuint (ams_queue_pop (&f->queue, &f->popped, max), ==, bytes);
  g_assert_cmpuint (f->popped.length, ==, length);
  for (GList *l = f->popped.head; l; l = l->next)
    g_assert_cmpint (((AmsCommand *) l->data)->kind, ==, kind);
  g_assert_cmpuint (f->queue.bytes, ==, left - bytes);
}

static void
test_data_come_together (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 5; i++)
    push_data (f, 100);
  assert_pops (f, 300, 3, AMS_COMMAND_DATA, 300);
  assert_pops (f, 300, 2, AMS_COMMAND_DATA, 200);
  assert_pops (f, 300, 0, AMS_COMMAND_DATA, 0);
  g_assert_true (ams_queue_is_empty (&f->queue));
}

static void
test_more_than_the_most_comes_alone (Fixture *f, gconstpointer data)
{
  push_data (f, 1000);
  push_data (f, 1);
  assert_pops (f, 300, 1, AMS_COMMAND_DATA, 1000);
  assert_pops (f, 0, 1, AMS_COMMAND_DATA, 1);
}

static void
test_others_come_alone (Fixture *f, gconstpointer data)
{
  push (f, AMS_COMMAND_BEGIN);
  push_data (f, 10);
  push_data (f, 10);
  push (f, AMS_COMMAND_END);
  push (f, AMS_COMMAND_BEGIN);
  assert_pops (f, 300, 1, AMS_COMMAND_BEGIN, 0);
  g_assert_true (is_in_file (f, 0));
  assert_pops (f, 300, 2, AMS_COMMAND_DATA, 20);
  assert_pops (f, 300, 1, AMS_COMMAND_END, 0);
  g_assert_false (is_in_file (f, 0));
  assert_pops (f, 300, 1, AMS_COMMAND_BEGIN, 0);
}

#define ADD(path, test) \
  g_test_add ("/queue/" path, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("data", test_data_come_together);
  ADD ("large", test_more_than_the_most_comes_alone);
  ADD ("others", test_others_come_alone);
  return g_test_run ();
}
