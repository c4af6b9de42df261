/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amscopybody.h"
#include "transfer/spool/amsspoolapart.h"
#include "transfer/spool/amsspool.h"
#include "transfer/spool/amsspoolindex.h"
#include "transfer/spool/amsspooljournal.h"
#include "transfer/amsstore.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define DESTINATION "https://media.example.com/live/"
#define OTHER_DESTINATION "https://other.example.com/"

typedef struct
{
  gchar *root;
  gchar *folder; /* the spool's */
  gchar *own; /* that of DESTINATION */
  gboolean mounted; /* a small file system at root */
  AmsSpool *spool;
} Fixture;

/* Folders */

static void
remove_tree (const gchar *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *child = g_build_filename (path, name, NULL);

    if (g_file_test (child, G_FILE_TEST_IS_DIR))
      remove_tree (child);
    else
      g_unlink (child);
  }
  g_rmdir (path);
}

static gchar *
find_own (const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    if (g_str_has_prefix (name, "media.example.com-"))
      return g_build_filename (folder, name, NULL);
  }
  g_assert_not_reached ();
}

static AmsSpool *
open_spool (const gchar *folder)
{
  g_autoptr (GError) error = NULL;
  AmsSpool *spool = ams_spool_open (folder, DESTINATION, &error);

  g_assert_no_error (error);
  return spool;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->root = g_dir_make_tmp ("ams-spool-XXXXXX", NULL);
  f->folder = g_build_filename (f->root, "a", "spool", NULL);
  f->spool = open_spool (f->folder);
  f->own = find_own (f->folder);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->spool, ams_spool_close);
  if (f->mounted)
    umount (f->root);
  remove_tree (f->root);
  g_free (f->root);
  g_free (f->folder);
  g_free (f->own);
}

static void
close_spool (Fixture *f)
{
  g_clear_pointer (&f->spool, ams_spool_close);
}

static void
reopen (Fixture *f)
{
  close_spool (f);
  f->spool = open_spool (f->folder);
}

/* What a crash would leave now: body files keep their times, as links. */
static void
copy_folder (const gchar *from, const gchar *to)
{
  g_autoptr (GDir) dir = g_dir_open (from, 0, NULL);
  const gchar *name;

  g_assert_cmpint (g_mkdir_with_parents (to, 0777), ==, 0);
  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *source = g_build_filename (from, name, NULL);
    g_autofree gchar *target = g_build_filename (to, name, NULL);
    g_autofree gchar *text = NULL;
    gsize length;

    if (g_file_test (source, G_FILE_TEST_IS_DIR)) {
      copy_folder (source, target);
    } else if (g_ascii_isdigit (name[0])) {
      g_assert_cmpint (link (source, target), ==, 0);
    } else {
      g_assert_true (g_file_get_contents (source, &text, &length, NULL));
      g_assert_true (g_file_set_contents (target, text, length, NULL));
    }
  }
}

/* The spool is not opened again. */
static void
end_by_crash (Fixture *f)
{
  g_autofree gchar *copy = g_build_filename (f->root, "crashed", NULL);

  copy_folder (f->folder, copy);
  close_spool (f);
  remove_tree (f->folder);
  g_assert_cmpint (g_rename (copy, f->folder), ==, 0);
}

static void
crash (Fixture *f)
{
  end_by_crash (f);
  f->spool = open_spool (f->folder);
}

/* As a version left the spool that made none. */
static guint
remove_notes (Fixture *f)
{
  g_autoptr (GDir) dir = g_dir_open (f->own, 0, NULL);
  const gchar *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (f->own, name, NULL);

    if (!g_str_has_prefix (name, "note-"))
      continue;
    g_assert_cmpint (g_unlink (path), ==, 0);
    n++;
  }
  return n;
}

static guint
count_bodies (Fixture *f)
{
  g_autoptr (GDir) dir = g_dir_open (f->own, 0, NULL);
  const gchar *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir)))
    n += g_ascii_isdigit (name[0]);
  return n;
}

static gchar *
own_path (Fixture *f, const gchar *name)
{
  return g_build_filename (f->own, name, NULL);
}

static gchar *
local_path (Fixture *f, const gchar *name)
{
  return g_build_filename (f->root, name, NULL);
}

static void
assert_file (const gchar *path, const gchar *expected)
{
  g_autofree gchar *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  g_assert_cmpstr (text, ==, expected);
}

static void
set_file (const gchar *path, const gchar *text)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* Some time later: a clock of 4 ms would not tell. */
static void
change_file (const gchar *path, const gchar *text)
{
  struct timespec times[2] = { { .tv_sec = 1000000000 },
    { .tv_sec = 1000000000 } };

  set_file (path, text);
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
}

static ino_t
inode_of (const gchar *path)
{
  struct stat info;

  return stat (path, &info) == 0 ? info.st_ino : 0;
}

/* Bodies */

static AmsFileBegin
begin_of (const gchar *name)
{
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = g_str_has_suffix (name, ".m3u8") ? AMS_FILE_ROLE_PLAYLIST
                                             : AMS_FILE_ROLE_SEGMENT,
    .content_type = (gchar *) "video/x-test" };

  return begin;
}

static gboolean
append (AmsBody *body, const gchar *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return ams_body_append (body, bytes, NULL);
}

static AmsBody *
make_body (Fixture *f, const AmsFileBegin *begin, const gchar *text)
{
  AmsBody *body = ams_spool_create_body (f->spool, begin);

  append (body, text);
  return body;
}

static guint64
commit_begin (Fixture *f, const AmsFileBegin *begin, const gchar *text)
{
  g_autoptr (AmsBody) body = make_body (f, begin, text);
  g_autoptr (GError) error = NULL;
  guint64 id = 0;

  ams_body_finish (body, strlen (text));
  ams_spool_commit (f->spool, body, begin, &id, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (id, >, 0);
  return id;
}

static guint64
commit (Fixture *f, const gchar *name, const gchar *text)
{
  AmsFileBegin begin = begin_of (name);

  return commit_begin (f, &begin, text);
}

static void
settle (Fixture *f, guint64 id, AmsSpoolFate fate)
{
  ams_spool_settle (f->spool, id, NULL, fate);
}

static gchar *
read_body (AmsBody *body)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint8 buffer[7];
  gssize n;

  while ((n = ams_body_read (body, text->len, buffer, sizeof buffer, NULL)) > 0)
    g_string_append_len (text, (gchar *) buffer, n);
  return n < 0 ? NULL : g_string_free (g_steal_pointer (&text), FALSE);
}

static void
assert_body (AmsBody *body, const gchar *expected)
{
  g_autofree gchar *text = read_body (body);

  g_assert_cmpstr (text, ==, expected);
}

static void
assert_lost (AmsBody *body)
{
  g_autoptr (GError) error = NULL;
  guint8 buffer[4];

  g_assert_cmpint (ams_body_read (body, 0, buffer, 4, &error), ==, -1);
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_LOST);
}

/* "a.ts=text remove=b.ts notify=text …" */
static void
assert_taken_up (Fixture *f, const gchar *expected)
{
  g_autoptr (GPtrArray) entries = ams_spool_take_up (f->spool);
  g_autoptr (GString) text = g_string_new (NULL);

  ams_spool_apart (f->spool, entries);
  for (guint i = 0; i < entries->len; i++) {
    AmsSpoolEntry *entry = g_ptr_array_index (entries, i);
    g_autofree gchar *body = entry->body ? read_body (entry->body) : NULL;

    if (entry->kind == AMS_SPOOL_REMOVE)
      g_string_append_printf (text, " remove=%s", entry->begin.name);
    else
      g_string_append_printf (text, " %s=%s",
          entry->kind == AMS_SPOOL_PUT ? entry->begin.name : "notify",
          body ? body : "LOST");
  }
  g_assert_cmpstr (text->len > 0 ? text->str + 1 : "", ==, expected);
}

/* "a.ts:3 b.ts:5:partial" */
static void
assert_listed (Fixture *f, const gchar *prefix, const gchar *expected)
{
  g_autoptr (GPtrArray) entries = ams_spool_list (f->spool, prefix);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < entries->len; i++) {
    AmsFileEntry *entry = g_ptr_array_index (entries, i);

    g_string_append_printf (text, " %s:%" G_GUINT64_FORMAT "%s", entry->name,
        entry->size, entry->partial ? ":partial" : "");
  }
  g_assert_cmpstr (text->len > 0 ? text->str + 1 : "", ==, expected);
}

static void
assert_bytes (GBytes *bytes, const gchar *expected)
{
  g_assert_nonnull (bytes);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      expected, strlen (expected));
}

static void
assert_known (Fixture *f, const gchar *name, const gchar *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes =
      ams_spool_fetch_known (f->spool, name, 1000, &error);

  if (expected)
    assert_bytes (bytes, expected);
  else
    g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_ABSENT);
}

static void
assert_given_up (Fixture *f, const gchar *name, const gchar *expected)
{
  g_autofree gchar *path = g_build_filename (f->own, "given-up", name, NULL);

  assert_file (path, expected);
}

/* Tests */

static void
test_second_is_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ams_spool_open (f->folder, OTHER_DESTINATION, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
  g_assert_nonnull (strstr (error->message, f->folder));
  g_assert_nonnull (strstr (error->message, "a folder of its own"));
  g_clear_error (&error);
  close_spool (f);
  f->spool = ams_spool_open (f->folder, OTHER_DESTINATION, &error);
  g_assert_no_error (error);
}

static void
test_link_that_was_not_recorded_is_removed (Fixture *f, gconstpointer data)
{
  g_autofree gchar *upstreams = local_path (f, "a.ts");
  g_autofree gchar *linked = g_build_filename (f->own, "77", NULL);
  g_autofree gchar *own = g_build_filename (f->own, "78", NULL);

  set_file (upstreams, "abc");
  set_file (own, "def");
  g_assert_cmpint (link (upstreams, linked), ==, 0);
  reopen (f);
  g_assert_false (g_file_test (linked, G_FILE_TEST_EXISTS));
  assert_file (upstreams, "abc");
  assert_given_up (f, "78-unknown", "def");
}

static void
test_unusable_folder_is_said (Fixture *f, gconstpointer data)
{
  g_autofree gchar *path = local_path (f, "file");
  g_autofree gchar *below = g_build_filename (path, "spool", NULL);
  g_autoptr (GError) error = NULL;

  set_file (path, "x");
  g_assert_null (ams_spool_open (below, DESTINATION, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
  g_assert_nonnull (strstr (error->message, path));
}

/* With a date, as a segment of a recording. */
static guint64
commit_dated (Fixture *f, const gchar *name, const gchar *text)
{
  AmsFileBegin begin = begin_of (name);

  begin.date_time = 4711;
  begin.discontinuity = TRUE;
  return commit_begin (f, &begin, text);
}

static void
assert_date_listed (Fixture *f, const gchar *name)
{
  g_autoptr (GPtrArray) entries = ams_spool_list (f->spool, name);
  const AmsFileEntry *entry;

  g_assert_cmpuint (entries->len, ==, 1);
  entry = g_ptr_array_index (entries, 0);
  g_assert_cmpint (entry->date_time, ==, 4711);
  g_assert_true (entry->discontinuity);
}

/* Only this spool knows of it: its number must not be used again. */
static void
test_stored_and_unlisted_is_found_after_a_crash (Fixture *f, gconstpointer data)
{
  commit (f, "l.m3u8", "1");
  settle (f, commit_dated (f, "a.ts", "abc"), AMS_SPOOL_STORED);
  g_assert_cmpuint (ams_spool_get_bytes (f->spool), ==, 1);
  crash (f);
  assert_listed (f, "a", "a.ts:3");
  assert_date_listed (f, "a.ts");
  assert_taken_up (f, "l.m3u8=1 a.ts=abc");
}

static void
test_stored_and_listed_is_gone (Fixture *f, gconstpointer data)
{
  settle (f, commit_dated (f, "a.ts", "abc"), AMS_SPOOL_STORED);
  settle (f, commit (f, "b.ts", "no date"), AMS_SPOOL_STORED);
  assert_listed (f, "", "a.ts:3");
  settle (f, commit (f, "l.m3u8", "1"), AMS_SPOOL_STORED);
  assert_listed (f, "", "");
  crash (f);
  assert_taken_up (f, "");
}

/* The playlist was handed over in time, and stored after the crash. */
static void
test_stored_after_its_playlist_came_is_gone (Fixture *f, gconstpointer data)
{
  guint64 a = commit_dated (f, "a.ts", "abc");

  commit (f, "l.m3u8", "1");
  crash (f);
  assert_taken_up (f, "a.ts=abc l.m3u8=1");
  settle (f, a, AMS_SPOOL_STORED);
  assert_listed (f, "a", "");
}

static void
test_part_has_its_date_after_a_crash (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autoptr (AmsBody) body = NULL;

  begin.date_time = 4711;
  begin.discontinuity = TRUE;
  body = make_body (f, &begin, "ab");
  crash (f);
  assert_listed (f, "", "a.ts:2:partial");
  assert_date_listed (f, "a.ts");
}

static void
test_bytes_are_written_as_they_come (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autoptr (AmsBody) body = make_body (f, &begin, "hello");
  g_autofree gchar *path = own_path (f, "1");

  assert_file (path, "hello");
  append (body, " world");
  assert_file (path, "hello world");
  g_assert_cmpuint (ams_body_get_held (body), ==, 0);
  g_assert_true (ams_body_drains (body));
  ams_body_finish (body, 7);
  assert_body (body, "hello w");
}

static guint
count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  return n;
}

static void
test_waiting_bodies_have_no_open_file (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) bodies =
      g_ptr_array_new_with_free_func (g_object_unref);
  guint before = count_fds ();

  for (guint i = 0; i < 10; i++) {
    AmsFileBegin begin = begin_of ("a.ts");
    AmsBody *body = make_body (f, &begin, "hello");
    guint8 buffer[2];
    guint64 id;

    g_ptr_array_add (bodies, body);
    ams_body_finish (body, 5);
    g_assert_cmpuint (count_fds (), ==, before);
    g_assert_true (ams_spool_commit (f->spool, body, &begin, &id, NULL));
    g_assert_cmpint (ams_body_read (body, 0, buffer, 2, NULL), ==, 2);
    ams_body_rest (body);
  }
  g_assert_cmpuint (count_fds (), ==, before);
}

/* It is opened once, and thousands may wait that were read in part. */
static void
test_body_is_open_while_it_is_read (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autoptr (AmsBody) body = make_body (f, &begin, "abcdef");
  guint8 buffer[3];
  guint64 id;
  guint before;

  ams_body_finish (body, 6);
  g_assert_true (ams_spool_commit (f->spool, body, &begin, &id, NULL));
  before = count_fds ();
  g_assert_cmpint (ams_body_read (body, 0, buffer, 3, NULL), ==, 3);
  g_assert_cmpuint (count_fds (), ==, before + 1);
  ams_body_rest (body);
  g_assert_cmpuint (count_fds (), ==, before);
  g_assert_cmpint (ams_body_read (body, 0, buffer, 3, NULL), ==, 3);
  g_assert_cmpint (ams_body_read (body, 3, buffer, 3, NULL), ==, 3);
  g_assert_cmpmem (buffer, 3, "def", 3);
  g_assert_cmpuint (count_fds (), ==, before);
}

static void
add_notify (Fixture *f, const gchar *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (AmsBody) body = NULL;
  guint64 id;

  g_assert_true (ams_spool_add_notify (f->spool, bytes, &body, &id, NULL));
  assert_body (body, text);
}

static guint64
add_remove (Fixture *f, const gchar *name)
{
  guint64 id;

  g_assert_true (ams_spool_add_remove (f->spool, name, 77, &id, NULL));
  return id;
}

static void
test_crash_loses_nothing_committed (Fixture *f, gconstpointer data)
{
  commit (f, "a.ts", "one");
  commit (f, "l.m3u8", "v1");
  add_remove (f, "old.ts");
  commit (f, "b.ts", "");
  commit (f, "l.m3u8", "v2");
  add_notify (f, "{}");
  crash (f);
  g_assert_null (ams_spool_get_notice (f->spool));
  assert_taken_up (f, "a.ts=one remove=old.ts b.ts= l.m3u8=v2 notify={}");
  assert_taken_up (f, "");
  g_assert_cmpuint (ams_spool_get_bytes (f->spool), ==, 3 + 2 + 2);
}

static void
test_fields_survive (Fixture *f, gconstpointer data)
{
  gchar *failed[] = { (gchar *) "x y.ts", NULL };
  AmsFileBegin begin = { .name = (gchar *) "ü/l.m3u8",
    .role = AMS_FILE_ROLE_MASTER,
    .content_type = (gchar *) "a/b",
    .version = 9,
    .extends = 2,
    .final = TRUE,
    .failed = failed };
  g_autoptr (GPtrArray) entries = NULL;
  AmsSpoolEntry *entry;
  guint64 id = commit_begin (f, &begin, "text");

  add_remove (f, "r.ts");
  reopen (f);
  entries = ams_spool_take_up (f->spool);
  g_assert_cmpuint (entries->len, ==, 2);
  entry = g_ptr_array_index (entries, 0);
  g_assert_cmpuint (entry->id, ==, id);
  g_assert_cmpstr (entry->begin.name, ==, "ü/l.m3u8");
  g_assert_cmpint (entry->begin.role, ==, AMS_FILE_ROLE_MASTER);
  g_assert_cmpstr (entry->begin.content_type, ==, "a/b");
  g_assert_cmpuint (entry->begin.version, ==, 9);
  g_assert_cmpuint (entry->begin.extends, ==, 2);
  g_assert_true (entry->begin.final);
  g_assert_cmpstr (entry->begin.failed[0], ==, "x y.ts");
  entry = g_ptr_array_index (entries, 1);
  g_assert_cmpint (entry->after, ==, 77);
}

static void
test_final_playlist_is_never_left_out (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("l.m3u8");

  commit (f, "l.m3u8", "v1");
  begin.final = TRUE;
  commit_begin (f, &begin, "end");
  commit (f, "l.m3u8", "new");
  reopen (f);
  assert_taken_up (f, "l.m3u8=end l.m3u8=new");
}

static void
test_settled_is_gone (Fixture *f, gconstpointer data)
{
  guint64 a = commit (f, "a.ts", "one"), b = commit (f, "b.ts", "two");
  guint64 r = add_remove (f, "c.ts");

  settle (f, a, AMS_SPOOL_STORED);
  settle (f, b, AMS_SPOOL_DROPPED);
  settle (f, r, AMS_SPOOL_STORED);
  g_assert_cmpuint (ams_spool_get_bytes (f->spool), ==, 0);
  crash (f);
  g_assert_cmpuint (count_bodies (f), ==, 0);
  assert_taken_up (f, "");
}

static void
leave_partial (Fixture *f, const gchar *name, const gchar *text)
{
  AmsFileBegin begin = begin_of (name);
  AmsBody *body = make_body (f, &begin, text);

  g_object_unref (body);
  reopen (f);
}

static void
test_partial_is_offered_and_adopted (Fixture *f, gconstpointer data)
{
  g_auto (AmsFileBegin) begin = { NULL };
  g_autoptr (AmsBody) body = NULL;
  g_autoptr (GBytes) bytes = NULL;
  guint64 id;

  leave_partial (f, "a.ts", "0123456789");
  assert_taken_up (f, "");
  assert_listed (f, "a", "a.ts:10:partial");
  bytes = ams_spool_fetch (f->spool, "a.ts", TRUE, 10, NULL);
  assert_bytes (bytes, "0123456789");
  g_assert_null (ams_spool_adopt (f->spool, "a.ts", 11, &begin, NULL));
  body = ams_spool_adopt (f->spool, "a.ts", 6, &begin, NULL);
  g_assert_cmpstr (begin.name, ==, "a.ts");
  g_assert_cmpstr (begin.content_type, ==, "video/x-test");
  assert_listed (f, "", "");
  g_assert_true (ams_spool_commit (f->spool, body, &begin, &id, NULL));
  assert_body (body, "012345");
  crash (f);
  assert_listed (f, "", "a.ts:6");
  assert_taken_up (f, "a.ts=012345");
}

static void
test_adopted_and_not_committed_is_partial_again (Fixture *f, gconstpointer data)
{
  g_auto (AmsFileBegin) begin = { NULL };
  AmsBody *body;

  leave_partial (f, "a.ts", "0123456789");
  body = ams_spool_adopt (f->spool, "a.ts", 6, &begin, NULL);
  g_object_unref (body);
  reopen (f);
  assert_listed (f, "", "a.ts:10:partial");
}

static void
test_partial_whose_name_comes_again_is_kept (Fixture *f, gconstpointer data)
{
  leave_partial (f, "d/a.ts", "left");
  reopen (f);
  assert_listed (f, "", "d/a.ts:4:partial");
  commit (f, "d/a.ts", "anew");
  assert_listed (f, "", "d/a.ts:4");
  assert_given_up (f, "1-a.ts", "left");
  reopen (f);
  assert_listed (f, "", "d/a.ts:4");
}

static void
test_partial_playlist_is_not_offered (Fixture *f, gconstpointer data)
{
  leave_partial (f, "l.m3u8", "#EXT");
  assert_listed (f, "", "");
  g_assert_cmpuint (count_bodies (f), ==, 0);
}

static void
test_abandoned_leaves_nothing (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  AmsBody *body = make_body (f, &begin, "text");

  ams_body_abandon (body);
  g_object_unref (body);
  g_assert_cmpuint (count_bodies (f), ==, 0);
  crash (f);
  assert_listed (f, "", "");
}

static void
test_changed_file_is_lost (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autoptr (AmsBody) body = make_body (f, &begin, "text");
  g_autofree gchar *path = own_path (f, "1");
  guint64 id;

  ams_body_finish (body, 4);
  ams_spool_commit (f->spool, body, &begin, &id, NULL);
  change_file (path, "next");
  assert_lost (body);
  reopen (f);
  assert_taken_up (f, "a.ts=LOST");
  set_file (path, "longer");
  assert_lost (body);
  g_unlink (path);
  assert_lost (body);
}

static void
test_known_playlist_is_what_was_stored (Fixture *f, gconstpointer data)
{
  guint64 v1 = commit (f, "l.m3u8", "v1"), v2;

  assert_known (f, "l.m3u8", NULL);
  settle (f, v1, AMS_SPOOL_STORED);
  v2 = commit (f, "l.m3u8", "v2");
  assert_known (f, "l.m3u8", "v1");
  crash (f);
  assert_known (f, "l.m3u8", "v1");
  assert_taken_up (f, "l.m3u8=v2");
  settle (f, v2, AMS_SPOOL_STORED);
  assert_known (f, "l.m3u8", "v2");
  g_assert_cmpuint (count_bodies (f), ==, 1);
  crash (f);
  assert_taken_up (f, "");
  assert_known (f, "l.m3u8", "v2");
}

static void
test_removed_playlist_is_not_known (Fixture *f, gconstpointer data)
{
  settle (f, commit (f, "l.m3u8", "v1"), AMS_SPOOL_STORED);
  settle (f, add_remove (f, "l.m3u8"), AMS_SPOOL_STORED);
  assert_known (f, "l.m3u8", NULL);
  crash (f);
  assert_known (f, "l.m3u8", NULL);
  g_assert_cmpuint (count_bodies (f), ==, 0);
}

static void
test_given_up_is_kept (Fixture *f, gconstpointer data)
{
  settle (f, commit (f, "d/a.ts", "one"), AMS_SPOOL_GIVEN_UP);
  assert_given_up (f, "1-a.ts", "one");
  crash (f);
  assert_given_up (f, "1-a.ts", "one");
  assert_taken_up (f, "");
}

/* What playlists must not name */

static void
assert_fetched (Fixture *f, const gchar *name, const gchar *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes =
      ams_spool_fetch (f->spool, name, FALSE, 10000, &error);

  if (expected)
    assert_bytes (bytes, expected);
  else
    g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_ABSENT);
}

/* (transfer full) @names */
static void
assert_names (GStrv names, const gchar *expected)
{
  g_autofree gchar *joined = g_strjoinv (" ", names);

  g_assert_cmpstr (joined, ==, expected);
  g_strfreev (names);
}

static void
assert_unheeded (Fixture *f, const gchar *expected)
{
  assert_names (ams_spool_dup_unheeded (f->spool), expected);
}

static void
assert_withheld (Fixture *f, const gchar *expected)
{
  assert_names (ams_spool_dup_withheld (f->spool), expected);
}

static void
withhold (Fixture *f, const gchar *text)
{
  settle (f, commit (f, "l.m3u8", text), AMS_SPOOL_WITHHELD);
}

static void
test_withheld_is_fetched_and_not_sent (Fixture *f, gconstpointer data)
{
  settle (f, commit (f, "l.m3u8", "v1"), AMS_SPOOL_STORED);
  withhold (f, "v2");
  withhold (f, "v3!");
  for (guint i = 0; i < 3; i++) {
    assert_fetched (f, "l.m3u8", "v3!");
    assert_known (f, "l.m3u8", "v1");
    assert_withheld (f, "l.m3u8");
    assert_listed (f, "", "l.m3u8:3");
    g_assert_cmpuint (count_bodies (f), ==, 2);
    g_assert_cmpuint (ams_spool_get_bytes (f->spool), ==, 0);
    crash (f);
    assert_taken_up (f, "");
  }
}

static void
test_withheld_is_kept_until_the_next (Fixture *f, gconstpointer data)
{
  guint64 v3;

  withhold (f, "v2");
  crash (f);
  v3 = commit (f, "l.m3u8", "v3");
  assert_withheld (f, "");
  assert_fetched (f, "l.m3u8", "v3");
  g_assert_cmpuint (count_bodies (f), ==, 1);
  crash (f);
  assert_withheld (f, "");
  assert_taken_up (f, "l.m3u8=v3");
  settle (f, v3, AMS_SPOOL_WITHHELD);
  assert_fetched (f, "l.m3u8", "v3");
  settle (f, add_remove (f, "l.m3u8"), AMS_SPOOL_STORED);
  assert_fetched (f, "l.m3u8", NULL);
}

/* They are dropped in the order in which they were handed over, and none is left out. */
static void
test_withheld_of_several_is_the_newest (Fixture *f, gconstpointer data)
{
  guint64 v1 = commit (f, "l.m3u8", "v1"), v2 = commit (f, "l.m3u8", "v2");

  settle (f, v1, AMS_SPOOL_WITHHELD);
  assert_fetched (f, "l.m3u8", "v2");
  settle (f, v2, AMS_SPOOL_WITHHELD);
  crash (f);
  assert_fetched (f, "l.m3u8", "v2");
  assert_taken_up (f, "");
  g_assert_cmpuint (count_bodies (f), ==, 1);
}

static void
test_withheld_that_is_gone_is_not_known (Fixture *f, gconstpointer data)
{
  g_autofree gchar *path = own_path (f, "1");

  withhold (f, "v1");
  crash (f);
  g_assert_cmpint (g_unlink (path), ==, 0);
  assert_fetched (f, "l.m3u8", NULL);
}

static void
heed (Fixture *f, const gchar *name)
{
  AmsFileBegin begin = begin_of ("l.m3u8");
  gchar *failed[] = { (gchar *) name, NULL };

  begin.failed = failed;
  commit_begin (f, &begin, "heeds");
}

static void
test_failed_are_known_until_heeded (Fixture *f, gconstpointer data)
{
  AmsFileBegin other = { .name = (gchar *) "poster.jpg",
    .role = AMS_FILE_ROLE_OTHER };
  AmsFileBegin key = { .name = (gchar *) "a.key", .role = AMS_FILE_ROLE_KEY };

  settle (f, commit (f, "c.ts", "one"), AMS_SPOOL_GIVEN_UP);
  settle (f, commit_begin (f, &other, "one"), AMS_SPOOL_GIVEN_UP);
  settle (f, commit_begin (f, &key, "one"), AMS_SPOOL_GIVEN_UP);
  settle (f, commit (f, "l.m3u8", "one"), AMS_SPOOL_GIVEN_UP);
  ams_spool_add_failed (f->spool, "b.ts", AMS_FILE_ROLE_SEGMENT);
  crash (f);
  crash (f);
  assert_unheeded (f, "c.ts a.key b.ts");
  heed (f, "a.key");
  assert_unheeded (f, "c.ts b.ts");
  crash (f);
  assert_unheeded (f, "c.ts b.ts");
  settle (f, commit (f, "b.ts", "again"), AMS_SPOOL_STORED);
  crash (f);
  assert_unheeded (f, "c.ts");
  heed (f, "c.ts");
  settle (f, commit (f, "c.ts", "again"), AMS_SPOOL_GIVEN_UP);
  crash (f);
  crash (f);
  assert_unheeded (f, "c.ts");
}

static void
test_fetch_is_of_the_newest (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  commit (f, "l.m3u8", "first");
  commit (f, "l.m3u8", "second");
  bytes = ams_spool_fetch (f->spool, "l.m3u8", FALSE, 6, NULL);
  assert_bytes (bytes, "second");
  g_assert_null (ams_spool_fetch (f->spool, "l.m3u8", FALSE, 5, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
  g_clear_error (&error);
  g_assert_null (ams_spool_fetch (f->spool, "k.m3u8", FALSE, 5, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_ABSENT);
  assert_listed (f, "l", "l.m3u8:6");
}

/* A disk that is full: no file may have more than @size bytes. */
static void
limit_files (rlim_t size)
{
  struct rlimit limit;

  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &limit);
  limit.rlim_cur = size ? MIN (size, limit.rlim_max) : limit.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static void
flush (Fixture *f)
{
  while (!ams_spool_flush (f->spool, NULL))
    g_thread_yield ();
}

static void
test_full_disk_loses_nothing (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autoptr (AmsBody) body = ams_spool_create_body (f->spool, &begin);
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsBody) small = NULL;
  g_autofree gchar *text = g_strnfill (5000, 'x'), *expected = NULL;
  guint64 id;

  limit_files (4096);
  g_assert_false (append (body, text));
  g_assert_cmpuint (ams_body_get_held (body), >, 0);
  g_assert_false (append (body, "end"));
  ams_body_finish (body, 5002);
  expected = g_strconcat (text, "en", NULL);
  g_assert_false (ams_spool_commit (f->spool, body, &begin, &id, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
  assert_body (body, expected);
  g_assert_cmpint (ams_spool_get_next_flush (f->spool), <, G_MAXINT64);

  /* What was handed over later is not safe before it. */
  begin = begin_of ("l.m3u8");
  small = make_body (f, &begin, "v1");
  ams_body_finish (small, 2);
  g_assert_false (ams_spool_commit (f->spool, small, &begin, &id, NULL));

  limit_files (0);
  flush (f);
  g_assert_cmpint (ams_spool_get_next_flush (f->spool), ==, G_MAXINT64);
  g_assert_cmpuint (ams_body_get_held (body), ==, 0);
  assert_body (body, expected);
  crash (f);
  g_free (text);
  text = g_strdup_printf ("a.ts=%s l.m3u8=v1", expected);
  assert_taken_up (f, text);
}

/* Only whoever has it open writes to it, and that one may be waiting for room. */
static void
test_full_disk_is_tried_again_by_spilling (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autoptr (AmsBody) body = ams_spool_create_body (f->spool, &begin);
  g_autofree gchar *text = g_strnfill (5000, 'x');
  guint64 id;

  limit_files (4096);
  g_assert_false (append (body, text));
  ams_body_spill (body);
  g_assert_cmpuint (ams_body_get_held (body), >, 0);
  limit_files (0);
  while (ams_body_get_held (body) > 0)
    ams_body_spill (body);
  g_assert_true (append (body, "y"));
  ams_body_finish (body, 5001);
  g_assert_true (ams_spool_commit (f->spool, body, &begin, &id, NULL));
  g_free (text);
  text = g_strnfill (5001, 'x');
  text[5000] = 'y';
  assert_body (body, text);
}

static void
test_full_disk_loses_nothing_withheld (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("l.m3u8");
  g_autofree gchar *text = g_strnfill (5000, 'x');
  g_autoptr (AmsBody) body = NULL;
  guint64 id;

  withhold (f, "v1");
  limit_files (4096);
  body = make_body (f, &begin, text);
  ams_body_finish (body, 5000);
  g_assert_false (ams_spool_commit (f->spool, body, &begin, &id, NULL));
  settle (f, id, AMS_SPOOL_WITHHELD);
  assert_fetched (f, "l.m3u8", text);
  limit_files (0);
  flush (f);
  crash (f);
  assert_taken_up (f, "");
  assert_fetched (f, "l.m3u8", text);
  g_assert_cmpuint (count_bodies (f), ==, 1);
}

/* Neither it, as it could not be kept, nor what the store had before. */
static void
test_full_disk_leaves_no_playlist_known (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("l.m3u8");
  g_autofree gchar *text = g_strnfill (5000, 'x');
  g_autoptr (AmsBody) body = NULL;
  guint64 id;

  settle (f, commit (f, "l.m3u8", "v1"), AMS_SPOOL_STORED);
  assert_known (f, "l.m3u8", "v1");
  limit_files (4096);
  body = make_body (f, &begin, text);
  ams_body_finish (body, 5000);
  g_assert_false (ams_spool_commit (f->spool, body, &begin, &id, NULL));
  settle (f, id, AMS_SPOOL_STORED);
  assert_known (f, "l.m3u8", NULL);
  limit_files (0);
  flush (f);
  crash (f);
  assert_known (f, "l.m3u8", NULL);
  assert_taken_up (f, "");
  g_assert_cmpuint (count_bodies (f), ==, 0);
}

/* The spool on a file system of its own. FALSE: none can be had here. */
static gboolean
mount_small (Fixture *f)
{
  close_spool (f);
  remove_tree (f->root);
  g_assert_cmpint (g_mkdir (f->root, 0777), ==, 0);
  if (mount ("tmpfs", f->root, "tmpfs", 0, "size=256k") < 0) {
    g_test_skip ("a small tmpfs cannot be mounted here");
    return FALSE;
  }
  f->mounted = TRUE;
  f->spool = open_spool (f->folder);
  return TRUE;
}

/* All room, also what is left in the last block of the journal. */
static void
fill_disk (Fixture *f)
{
  g_autofree gchar *path = local_path (f, "ballast");
  gint fd = open (path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  gchar page[4096] = { 0 };

  while (write (fd, page, sizeof page) > 0)
    continue;
  close (fd);
}

static void
empty_disk (Fixture *f)
{
  g_autofree gchar *path = local_path (f, "ballast");

  g_unlink (path);
}

static guint
left_in_block (Fixture *f)
{
  g_autofree gchar *path = own_path (f, "journal");
  struct stat info;

  g_assert_cmpint (stat (path, &info), ==, 0);
  return 4096 - info.st_size % 4096;
}

static void
lengthen_journal (Fixture *f, guint by_name)
{
  g_autofree gchar *name = g_strnfill (by_name, 'x');

  settle (f, commit (f, name, "x"), AMS_SPOOL_STORED);
  flush (f);
}

/* A settled record has no room in it. */
static void
fill_last_block (Fixture *f)
{
  guint before = left_in_block (f), with_one;

  lengthen_journal (f, 1);
  with_one = (before + 4096 - left_in_block (f)) % 4096;
  while (left_in_block (f) > 30) {
    gint wanted = (gint) left_in_block (f) - (gint) with_one - 10;

    lengthen_journal (f, CLAMP (wanted, 1, 150));
  }
}

static guint64
commit_linked (Fixture *f, const gchar *name, const gchar *text)
{
  g_autofree gchar *local = local_path (f, name);
  AmsFileBegin begin = begin_of (name);

  set_file (local, text);
  begin.local_path = local;
  return commit_begin (f, &begin, text);
}

/* What the store has may be removed to make room, and that it has it is known all the same, also when the disk takes
 * the journal's word for that never. */
static void
test_full_disk_knows_what_is_stored (Fixture *f, gconstpointer data)
{
  g_autofree gchar *local = local_path (f, "a.ts");
  guint64 stored, dropped;

  if (!mount_small (f))
    return;
  stored = commit_linked (f, "a.ts", "abc");
  dropped = commit_linked (f, "b.ts", "abcd");
  commit_linked (f, "c.ts", "abcde");
  remove_notes (f); /* or they would make room */
  fill_last_block (f);
  fill_disk (f);
  settle (f, stored, AMS_SPOOL_STORED);
  settle (f, dropped, AMS_SPOOL_DROPPED);
  g_assert_false (ams_spool_flush (f->spool, NULL));
  close_spool (f);
  assert_file (local, "abc");
  empty_disk (f);
  f->spool = open_spool (f->folder);
  assert_taken_up (f, "c.ts=abcde");
  g_assert_cmpuint (count_bodies (f), ==, 1);
  assert_file (local, "abc");
}

static void
test_full_disk_has_room_when_it_is_stored (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = g_strnfill (9000, 'x');
  guint64 id;

  if (!mount_small (f))
    return;
  id = commit (f, "a.ts", text);
  commit (f, "b.ts", "abc");
  fill_last_block (f);
  fill_disk (f);
  settle (f, id, AMS_SPOOL_STORED);
  flush (f);
  g_assert_cmpuint (count_bodies (f), ==, 1);
  reopen (f);
  assert_taken_up (f, "b.ts=abc");
}

/* The playlist that lists it could not be kept, and is stored all the same. */
static void
test_full_disk_keeps_nothing_that_is_listed (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("l.m3u8");
  g_autofree gchar *text = g_strnfill (5000, 'x');
  g_autoptr (AmsBody) body = NULL;
  guint64 id;

  settle (f, commit_dated (f, "a.ts", "abc"), AMS_SPOOL_STORED);
  limit_files (4096);
  body = make_body (f, &begin, text);
  ams_body_finish (body, 5000);
  g_assert_false (ams_spool_commit (f->spool, body, &begin, &id, NULL));
  assert_listed (f, "a", "a.ts:3");
  limit_files (0);
  settle (f, id, AMS_SPOOL_STORED);
  assert_listed (f, "a", "");
  flush (f);
  crash (f);
  assert_taken_up (f, "");
}

/* Links */

static void
test_local_file_is_linked (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autoptr (AmsBody) body = NULL;
  g_autofree gchar *own = own_path (f, "1");
  guint64 id;

  begin.local_path = local_path (f, "a.ts");
  body = make_body (f, &begin, "text");
  g_assert_cmpuint (ams_body_get_held (body), ==, 4);
  g_assert_cmpuint (count_bodies (f), ==, 0);
  ams_body_finish (body, 4);
  set_file (begin.local_path, "text");
  g_assert_true (ams_spool_commit (f->spool, body, &begin, &id, NULL));
  g_assert_cmpuint (ams_body_get_held (body), ==, 0);
  g_assert_cmpuint (inode_of (own), ==, inode_of (begin.local_path));
  g_unlink (begin.local_path);
  assert_body (body, "text");
  crash (f);
  assert_taken_up (f, "a.ts=text");
  g_free (begin.local_path);
}

static AmsBody *
commit_awaited (Fixture *f, AmsFileBegin *begin)
{
  AmsBody *body = make_body (f, begin, "text");
  guint64 id;

  ams_body_finish (body, 4);
  g_assert_true (ams_spool_commit (f->spool, body, begin, &id, NULL));
  g_assert_cmpuint (ams_body_get_held (body), ==, 4);
  g_assert_cmpint (ams_spool_get_next_flush (f->spool), <, G_MAXINT64);
  return body;
}

static void
test_local_file_is_awaited (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autofree gchar *path = local_path (f, "a.ts"), *own = own_path (f, "1");
  g_autoptr (AmsBody) body = NULL;

  begin.local_path = path;
  body = commit_awaited (f, &begin);
  set_file (path, "tex");
  g_assert_true (ams_spool_flush (f->spool, NULL));
  g_assert_cmpuint (ams_body_get_held (body), ==, 4);
  set_file (path, "text");
  g_assert_true (ams_spool_flush (f->spool, NULL));
  g_assert_cmpuint (ams_body_get_held (body), ==, 0);
  g_assert_cmpuint (inode_of (own), ==, inode_of (path));
  g_assert_cmpint (ams_spool_get_next_flush (f->spool), ==, G_MAXINT64);
}

static void
test_awaited_is_found_after_a_crash (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autofree gchar *path = local_path (f, "a.ts"), *own = own_path (f, "1");
  g_autofree gchar *copy = local_path (f, "crashed");
  g_autoptr (AmsBody) body = NULL;

  begin.local_path = path;
  body = commit_awaited (f, &begin);
  copy_folder (f->folder, copy);
  close_spool (f);
  remove_tree (f->folder);
  g_rename (copy, f->folder);
  set_file (path, "text");
  f->spool = open_spool (f->folder);
  g_assert_cmpuint (inode_of (own), ==, inode_of (path));
  assert_taken_up (f, "a.ts=text");
}

/* The process was killed: what has happened on the disk since @copy was made of the spool counts, and what the
 * spool did then does not. */
static void
crash_back (Fixture *f, const gchar *copy)
{
  close_spool (f);
  remove_tree (f->folder);
  g_assert_cmpint (g_rename (copy, f->folder), ==, 0);
  f->spool = open_spool (f->folder);
}

/* A kill before the disk gave b.ts its name. */
static void
leave_unnamed (Fixture *f)
{
  AmsFileBegin begin = begin_of ("b.ts"), final = begin_of ("l.m3u8");
  g_autofree gchar *path = local_path (f, "b.ts");
  g_autofree gchar *copy = local_path (f, "crashed");
  g_autoptr (AmsBody) body = NULL;

  begin.local_path = path;
  final.final = TRUE;
  commit (f, "a.ts", "text");
  commit_begin (f, &final, "a");
  body = commit_awaited (f, &begin);
  commit (f, "c.ts", "more");
  commit_begin (f, &final, "abc");
  copy_folder (f->folder, copy);
  crash_back (f, copy);
}

static void
assert_not_in_spool (Fixture *f, const gchar *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) data =
      ams_spool_fetch (f->spool, name, FALSE, 100, &error);

  g_assert_null (data);
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_ABSENT);
  g_assert_null (ams_spool_open_waiting (f->spool, name));
}

/* Upstream, which is told how long it was, makes it whole and hands it over again. What lists it already must not go
 * before that. */
static void
test_awaited_without_a_name_is_upstreams (Fixture *f, gconstpointer data)
{
  leave_unnamed (f);
  for (guint i = 0; i < 2; i++) {
    assert_listed (f, "b.ts", "b.ts:4");
    assert_not_in_spool (f, "b.ts");
    assert_taken_up (f, "a.ts=text l.m3u8=a c.ts=more");
    crash (f);
  }
}

static void
test_awaited_handed_over_again_is_there_once (Fixture *f, gconstpointer data)
{
  leave_unnamed (f);
  commit (f, "b.ts", "te");
  assert_listed (f, "b.ts", "b.ts:2");
  crash (f);
  assert_listed (f, "b.ts", "b.ts:2");
  assert_taken_up (f, "a.ts=text l.m3u8=a c.ts=more b.ts=te");
}

/* The store has it, as upstream has found out. */
static void
test_awaited_is_forgotten_with_the_next_playlist (Fixture *f,
    gconstpointer data)
{
  AmsFileBegin final = begin_of ("l.m3u8");

  final.final = TRUE;
  leave_unnamed (f);
  commit_begin (f, &final, "abcd");
  assert_listed (f, "b.ts", "");
  crash (f);
  assert_listed (f, "b.ts", "");
  assert_taken_up (f, "a.ts=text l.m3u8=a c.ts=more l.m3u8=abcd");
}

/* The playlist that lists what the store has got since would be forgotten with the one before. */
static void
test_stored_after_an_awaited_is_known_until_that_is_there (Fixture *f,
    gconstpointer data)
{
  AmsFileBegin begin = begin_of ("b.ts"), after = begin_of ("c.ts");
  AmsFileBegin list = begin_of ("l.m3u8");
  g_autofree gchar *path = local_path (f, "b.ts");
  g_autofree gchar *copy = local_path (f, "crashed");
  g_autoptr (AmsBody) body = NULL;
  guint64 id;

  begin.local_path = path;
  after.date_time = 1000;
  body = commit_awaited (f, &begin);
  id = commit_begin (f, &after, "more");
  commit_begin (f, &list, "bc");
  ams_spool_settle (f->spool, id, NULL, AMS_SPOOL_STORED);
  copy_folder (f->folder, copy);
  set_file (path, "text");
  g_assert_true (ams_spool_flush (f->spool, NULL));
  assert_listed (f, "c.ts", "");
  g_assert_cmpint (g_unlink (path), ==, 0);
  crash_back (f, copy);
  assert_listed (f, "", "c.ts:4 b.ts:4");
  assert_taken_up (f, "c.ts=more");
}

/* What is at its path is less than was handed over. */
static void
test_awaited_of_another_size_is_upstreams (Fixture *f, gconstpointer data)
{
  g_autofree gchar *path = local_path (f, "b.ts");

  leave_unnamed (f);
  set_file (path, "te");
  crash (f);
  assert_listed (f, "b.ts", "b.ts:4");
  set_file (path, "text");
  crash (f);
  assert_taken_up (f, "a.ts=text l.m3u8=a b.ts=text c.ts=more");
}

/* The link was made and not said, and upstream has given its file another name since. */
static void
test_awaited_that_was_linked_is_there (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autofree gchar *path = local_path (f, "a.ts"), *own = own_path (f, "1");
  g_autofree gchar *copy = local_path (f, "crashed");
  g_autoptr (AmsBody) body = NULL;

  begin.local_path = path;
  body = commit_awaited (f, &begin);
  copy_folder (f->folder, copy);
  crash_back (f, copy);
  set_file (path, "text");
  g_assert_cmpint (link (path, own), ==, 0);
  g_assert_cmpint (g_unlink (path), ==, 0);
  crash (f);
  assert_taken_up (f, "a.ts=text");
}

static void
test_local_file_that_never_appears_is_written (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autofree gchar *path = local_path (f, "a.ts");
  g_autoptr (AmsBody) body = NULL;

  begin.local_path = path;
  body = commit_awaited (f, &begin);
  reopen (f);
  g_assert_cmpuint (ams_body_get_held (body), ==, 0);
  assert_taken_up (f, "a.ts=text");
}

/* The first list has its new version, and with it the journal the new names, when a kill
 * comes: the old lists are there as well. */
static void
test_suffix_after_a_kill_between_two_lists_renames_in_both (Fixture *f,
    gconstpointer data)
{
  guint64 segment = commit (f, "1.ts", "x");
  g_autofree gchar *copy = local_path (f, "crashed");

  commit (f, "0.ts", "w");
  commit (f, "p.m3u8", "1.ts\n");
  commit (f, "q.m3u8", "1.ts\n");
  ams_spool_rename (f->spool, segment, "1-kept.ts");
  commit (f, "p-kept.m3u8", "1-kept.ts\n");
  copy_folder (f->folder, copy);
  close_spool (f);
  remove_tree (f->folder);
  g_rename (copy, f->folder);
  f->spool = open_spool (f->folder);
  ams_spool_set_suffix (f->spool, "-kept");
  assert_taken_up (f,
      "1-kept.ts=x 0-kept.ts=w p-kept.m3u8=1-kept.ts\n#EXT-X-ENDLIST\n "
      "q-kept.m3u8=1-kept.ts\n#EXT-X-ENDLIST\n p-kept.m3u8=1-kept.ts\n");
}

/* What was put under its new name before the kill is not put under another one. */
static void
test_suffix_after_a_kill_before_the_puts_stays (Fixture *f, gconstpointer data)
{
  g_autofree gchar *copy = local_path (f, "crashed");
  guint64 first = commit (f, "1.ts", "x");

  commit (f, "2.ts", "y");
  commit (f, "p.m3u8", "1.ts\n2.ts\n");
  ams_spool_set_suffix (f->spool, "-kept");
  reopen (f);
  ams_spool_set_suffix (f->spool, "-kept");
  assert_taken_up (f,
      "1-kept.ts=x 2-kept.ts=y p-kept.m3u8=1-kept.ts\n2-kept.ts\n#EXT-X-ENDLIST\n");
  settle (f, first, AMS_SPOOL_STORED);
  copy_folder (f->folder, copy);
  close_spool (f);
  remove_tree (f->folder);
  g_rename (copy, f->folder);
  f->spool = open_spool (f->folder);
  ams_spool_set_suffix (f->spool, "-kept");
  assert_taken_up (f,
      "2-kept.ts=y p-kept.m3u8=1-kept.ts\n2-kept.ts\n#EXT-X-ENDLIST\n");
}

static void
test_playlist_is_never_linked (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("l.m3u8");
  g_autofree gchar *path = local_path (f, "l.m3u8"), *own = own_path (f, "1");

  begin.local_path = path;
  set_file (path, "text");
  commit_begin (f, &begin, "text");
  g_assert_cmpuint (inode_of (own), !=, inode_of (path));
  assert_file (own, "text");
}

static void
test_reference_is_linked (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autofree gchar *path = local_path (f, "a.ts"), *own = own_path (f, "1");
  g_autoptr (AmsBody) body = NULL;
  guint64 id;

  begin.local_path = path;
  begin.by_reference = TRUE;
  set_file (path, "text");
  body = ams_spool_create_body (f->spool, &begin);
  g_assert_true (ams_copy_body_refer (AMS_COPY_BODY (body), 4, NULL));
  g_assert_true (ams_spool_commit (f->spool, body, &begin, &id, NULL));
  g_assert_cmpuint (inode_of (own), ==, inode_of (path));
  g_unlink (path);
  assert_body (body, "text");
}

/* /dev/shm is another file system than /tmp wherever it is there. */
static void
test_reference_on_another_disk_is_the_body (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = begin_of ("a.ts");
  g_autofree gchar *elsewhere = g_strdup ("/dev/shm/ams-spool-XXXXXX");
  g_autofree gchar *path = NULL;
  AmsBody *body;
  guint64 id;

  if (!g_mkdtemp (elsewhere)) {
    g_test_skip ("there is no /dev/shm");
    return;
  }
  path = g_build_filename (elsewhere, "a.ts", NULL);
  begin.local_path = path;
  begin.by_reference = TRUE;
  set_file (path, "text");
  body = ams_spool_create_body (f->spool, &begin);
  g_assert_true (ams_copy_body_refer (AMS_COPY_BODY (body), 4, NULL));
  g_assert_true (ams_spool_commit (f->spool, body, &begin, &id, NULL));
  g_object_unref (body);
  g_assert_cmpuint (count_bodies (f), ==, 0);
  crash (f);
  assert_taken_up (f, "a.ts=text");
  reopen (f);
  change_file (path, "next");
  assert_taken_up (f, "a.ts=LOST");
  settle (f, id, AMS_SPOOL_GIVEN_UP);
  assert_file (path, "next");
  remove_tree (elsewhere);
}

/* Destinations, journals */

static void
test_other_destination_is_left_alone (Fixture *f, gconstpointer data)
{
  const gchar *notice;

  commit (f, "a.ts", "one");
  close_spool (f);
  f->spool = ams_spool_open (f->folder, OTHER_DESTINATION, NULL);
  notice = ams_spool_get_notice (f->spool);
  g_assert_nonnull (notice);
  g_assert_nonnull (strstr (notice, "“" DESTINATION "”"));
  assert_taken_up (f, "");
  reopen (f);
  g_assert_null (ams_spool_get_notice (f->spool));
  assert_taken_up (f, "a.ts=one");
}

static void
test_damaged_journal_is_set_aside (Fixture *f, gconstpointer data)
{
  g_autofree gchar *path = own_path (f, "journal"), *text = NULL;
  g_autofree gchar *aside = own_path (f, "journal.damaged.1");
  gsize length;

  commit (f, "a.ts", "one");
  commit (f, "b.ts", "two");
  close_spool (f);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  text[length / 2 - 70] ^= 1;
  g_assert_true (g_file_set_contents (path, text, length, NULL));
  f->spool = open_spool (f->folder);
  g_assert_nonnull (strstr (ams_spool_get_notice (f->spool), aside));
  assert_taken_up (f, "a.ts=one b.ts=two");
  g_assert_cmpuint (commit (f, "c.ts", "three"), >, 2);
  crash (f);
  g_assert_cmpstr (ams_spool_get_notice (f->spool), ==, NULL);
  assert_taken_up (f, "a.ts=one b.ts=two c.ts=three");
}

/* Accidents to the journal */

static void
for_all (const gchar *path, void (*func) (const gchar *path))
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const gchar *name;

  func (path);
  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *child = g_build_filename (path, name, NULL);

    for_all (child, func);
  }
}

static void
give_to_nobody (const gchar *path)
{
  g_assert_cmpint (chown (path, NOBODY, NOBODY), ==, 0);
}

typedef struct
{
  const gchar *name;
  void (*happen) (const gchar *journal);
  gboolean is_kept; /* what there was of it, as evidence */
} Accident;

static void
happen_emptied (const gchar *journal)
{
  g_assert_cmpint (truncate (journal, 0), ==, 0);
}

static void
happen_removed (const gchar *journal)
{
  g_assert_cmpint (g_unlink (journal), ==, 0);
}

static void
happen_cut_in_a_record (const gchar *journal)
{
  struct stat info;

  g_assert_cmpint (stat (journal, &info), ==, 0);
  g_assert_cmpint (truncate (journal, info.st_size / 3), ==, 0);
}

static void
happen_cut_in_the_head (const gchar *journal)
{
  g_assert_cmpint (truncate (journal, 20), ==, 0);
}

static void
happen_garbage (const gchar *journal)
{
  set_file (journal, "this is\nno journal\nat all\n");
}

static void
happen_zeros (const gchar *journal)
{
  struct stat info;

  g_assert_cmpint (stat (journal, &info), ==, 0);
  g_assert_cmpint (truncate (journal, 0), ==, 0);
  g_assert_cmpint (truncate (journal, info.st_size), ==, 0);
}

static const Accident accidents[] = {
  { "emptied", happen_emptied, FALSE },
  { "removed", happen_removed, FALSE },
  { "cut-in-a-record", happen_cut_in_a_record, FALSE },
  { "cut-in-the-head", happen_cut_in_the_head, FALSE },
  { "garbage", happen_garbage, TRUE },
  { "zeros", happen_zeros, TRUE },
};

/* What waits, in each place that it can be in, and what does not. */
static void
fill_spool (Fixture *f)
{
  AmsFileBegin part = begin_of ("p.ts");
  g_autoptr (AmsBody) notice = NULL;
  g_autoptr (GBytes) text = g_bytes_new_static ("{}", 2);
  guint64 id;

  settle (f, commit (f, "gone.ts", "gone"), AMS_SPOOL_STORED);
  commit_dated (f, "a.ts", "one");
  settle (f, commit (f, "l.m3u8", "v1"), AMS_SPOOL_STORED);
  commit_linked (f, "b.ts", "two");
  settle (f, commit (f, "bad.ts", "bad"), AMS_SPOOL_GIVEN_UP);
  settle (f, commit (f, "w.m3u8", "w1"), AMS_SPOOL_WITHHELD);
  commit (f, "l.m3u8", "v2");
  g_assert_true (ams_spool_add_notify (f->spool, text, &notice, &id, NULL));
  g_object_set_data_full (G_OBJECT (notice), "part",
      make_body (f, &part, "part"), g_object_unref);
  flush (f);
  end_by_crash (f);
}

static void
try_accident (Fixture *f, const Accident *accident)
{
  g_autofree gchar *journal = own_path (f, "journal");
  g_autofree gchar *aside = own_path (f, "journal.damaged.1");
  g_autofree gchar *linked = local_path (f, "b.ts");

  fill_spool (f);
  accident->happen (journal);
  f->spool = open_spool (f->folder);
  g_assert_nonnull (ams_spool_get_notice (f->spool));
  g_assert_nonnull (strstr (ams_spool_get_notice (f->spool), f->own));
  g_assert_cmpint (g_file_test (aside, G_FILE_TEST_EXISTS), ==,
      accident->is_kept);
  assert_known (f, "l.m3u8", "v1");
  assert_fetched (f, "w.m3u8", "w1");
  assert_listed (f, "", "l.m3u8:2 b.ts:3 a.ts:3 w.m3u8:2 p.ts:4:partial");
  assert_taken_up (f, "a.ts=one b.ts=two l.m3u8=v2 notify={}");
  assert_file (linked, "two");
  g_assert_cmpuint (commit (f, "c.ts", "three"), >, 9);
  crash (f);
  g_assert_null (ams_spool_get_notice (f->spool));
  assert_taken_up (f, "a.ts=one b.ts=two l.m3u8=v2 notify={} c.ts=three");
}

static void
test_journal_lost_is_made_anew_from_notes (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (accidents); i++) {
    g_test_message ("%s", accidents[i].name);
    try_accident (f, &accidents[i]);
    close_spool (f);
    remove_tree (f->folder);
    f->spool = open_spool (f->folder);
  }
}

/* Of an earlier version: what has no name is kept, counted, and said. */
static void
test_journal_lost_without_notes_is_said (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 2; i++) {
    g_autofree gchar *journal = own_path (f, "journal");

    for (guint k = 0; k < 10; k++)
      commit (f, "a.ts", "one");
    end_by_crash (f);
    g_assert_cmpuint (remove_notes (f), ==, 10);
    accidents[i].happen (journal);
    f->spool = open_spool (f->folder);
    g_assert_nonnull (
        strstr (ams_spool_get_notice (f->spool), "10 files in the spool"));
    g_assert_nonnull (strstr (ams_spool_get_notice (f->spool), "/given-up”"));
    assert_taken_up (f, "");
    assert_given_up (f, "10-unknown", "one");
    g_assert_cmpuint (commit (f, "b.ts", "two"), ==, 11);
    close_spool (f);
    remove_tree (f->folder);
    f->spool = open_spool (f->folder);
  }
}

/* The store has another file of that name: nothing finds it by that any more. */
static void
test_renamed_is_found_by_its_new_name (Fixture *f, gconstpointer data)
{
  guint64 first = commit (f, "a.ts", "one"), other = commit (f, "b.ts", "two");

  ams_spool_rename (f->spool, first, "c.ts");
  assert_listed (f, "", "b.ts:3 c.ts:3");
  assert_fetched (f, "c.ts", "one");
  assert_fetched (f, "a.ts", NULL);
  /* A name that was the renamed one's is free, and its own is a row like any other. */
  settle (f, commit (f, "a.ts", "three"), AMS_SPOOL_STORED);
  settle (f, commit (f, "c.ts", "four"), AMS_SPOOL_STORED);
  settle (f, other, AMS_SPOOL_STORED);
  assert_fetched (f, "c.ts", "one");
  settle (f, first, AMS_SPOOL_STORED);
  assert_fetched (f, "c.ts", NULL);
  assert_listed (f, "", "");
}

/* The journal knows the new name from the playlist on that lists it; so do the notes. */
static void
test_renamed_is_known_by_notes (Fixture *f, gconstpointer data)
{
  g_autofree gchar *journal = own_path (f, "journal");
  guint64 id = commit (f, "a.ts", "one");

  ams_spool_rename (f->spool, id, "c.ts");
  commit (f, "l.m3u8", "c.ts");
  flush (f);
  end_by_crash (f);
  g_assert_cmpint (g_unlink (journal), ==, 0);
  f->spool = open_spool (f->folder);
  assert_taken_up (f, "c.ts=one l.m3u8=c.ts");
}

/* Notes take no part while the journal is whole, and go with what they are about. */
static void
test_notes_go_with_their_bodies (Fixture *f, gconstpointer data)
{
  g_autofree gchar *stale = own_path (f, "note-99");
  AmsFileBegin begin = begin_of ("p.ts");
  AmsBody *body;

  settle (f, commit (f, "a.ts", "one"), AMS_SPOOL_STORED);
  settle (f, commit (f, "b.ts", "two"), AMS_SPOOL_DROPPED);
  settle (f, commit (f, "c.ts", "three"), AMS_SPOOL_GIVEN_UP);
  body = make_body (f, &begin, "part");
  ams_body_abandon (body);
  g_object_unref (body);
  g_assert_cmpuint (remove_notes (f), ==, 0);
  commit (f, "d.ts", "four");
  reopen (f);
  g_assert_null (ams_spool_get_notice (f->spool));
  assert_taken_up (f, "d.ts=four");
  close_spool (f);
  g_assert_cmpuint (remove_notes (f), ==, 1);
  set_file (stale, "no note");
  f->spool = open_spool (f->folder);
  assert_taken_up (f, "d.ts=four");
  g_assert_false (g_file_test (stale, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (commit (f, "e.ts", "five"), >, 99);
}

/* A note of a body that somebody has changed since says nothing of what it is now. */
static void
test_note_of_a_changed_body_is_not_believed (Fixture *f, gconstpointer data)
{
  g_autofree gchar *journal = own_path (f, "journal");
  g_autofree gchar *one = own_path (f, "1");

  commit (f, "a.ts", "one");
  end_by_crash (f);
  happen_removed (journal);
  change_file (one, "another");
  f->spool = open_spool (f->folder);
  g_assert_nonnull (strstr (ams_spool_get_notice (f->spool), "1 files"));
  assert_taken_up (f, "");
  assert_given_up (f, "1-unknown", "another");
}

static void
test_journal_that_cannot_be_written_is_an_error (Fixture *f, gconstpointer data)
{
  g_autofree gchar *journal = own_path (f, "journal"), *before = NULL;
  g_autoptr (GError) error = NULL;

  commit (f, "a.ts", "one");
  close_spool (f);
  g_assert_true (g_file_get_contents (journal, &before, NULL, NULL));
  g_assert_cmpint (g_chmod (journal, 0444), ==, 0);
  if (geteuid () == 0) {
    g_assert_cmpint (chown (f->root, NOBODY, NOBODY), ==, 0);
    for_all (f->root, give_to_nobody);
    g_assert_cmpint (seteuid (NOBODY), ==, 0);
  }
  g_assert_null (ams_spool_open (f->folder, DESTINATION, &error));
  if (getuid () == 0)
    g_assert_cmpint (seteuid (0), ==, 0);
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
  g_assert_nonnull (strstr (error->message, journal));
  assert_file (journal, before);
  g_assert_cmpint (g_chmod (journal, 0644), ==, 0);
  f->spool = open_spool (f->folder);
  assert_taken_up (f, "a.ts=one");
}

/* The journal is whole: what it names is lost, and nothing else. */
static void
test_body_that_is_missing_is_lost (Fixture *f, gconstpointer data)
{
  g_autofree gchar *one = own_path (f, "1");

  commit (f, "a.ts", "one");
  commit (f, "b.ts", "two");
  end_by_crash (f);
  g_assert_cmpint (g_unlink (one), ==, 0);
  f->spool = open_spool (f->folder);
  assert_taken_up (f, "a.ts=LOST b.ts=two");
}

static void
test_large_journal_is_compacted (Fixture *f, gconstpointer data)
{
  g_autofree gchar *path = own_path (f, "journal");
  guint64 last = 0;
  goffset largest = 0;
  struct stat info;

  commit (f, "a.ts", "one");
  settle (f, commit (f, "b.ts", "two"), AMS_SPOOL_GIVEN_UP);
  settle (f, commit (f, "m.m3u8", "w"), AMS_SPOOL_WITHHELD);
  for (guint i = 0; i < 4000; i++) {
    if (last)
      settle (f, last, i % 2 ? AMS_SPOOL_STORED : AMS_SPOOL_DROPPED);
    last = commit (f, "l.m3u8", "v");
    g_assert_cmpint (stat (path, &info), ==, 0);
    largest = MAX (largest, info.st_size);
  }
  g_assert_cmpint (largest, >, 1000 * 1024);
  g_assert_cmpint (largest, <, 1200 * 1024);
  g_assert_cmpint (info.st_size, <, largest);
  crash (f);
  assert_known (f, "l.m3u8", "v");
  assert_fetched (f, "m.m3u8", "w");
  assert_unheeded (f, "b.ts");
  assert_taken_up (f, "a.ts=one l.m3u8=v");
}

/* What there is when the journal's records, up to @length, are left, and notes say the
 * rest. @revived: there is something that only notes know. */
static gchar *
replay (const gchar *text, gsize length, gboolean *revived)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, length);
  g_autoptr (AmsSpoolJournal) journal = ams_spool_journal_read (bytes);
  gboolean a = FALSE, b = FALSE, l = FALSE, p = FALSE, removes = FALSE;
  gboolean settled = FALSE;

  for (guint i = 0; i < journal->records->len; i++) {
    AmsSpoolRecord *record = g_ptr_array_index (journal->records, i);
    gboolean committed = record->type == AMS_SPOOL_RECORD_COMMITTED;

    a |= committed && record->id == 1;
    l |= committed && record->id == 2;
    removes |= record->type == AMS_SPOOL_RECORD_REMOVE;
    b |= committed && record->id == 4;
    p |= record->type == AMS_SPOOL_RECORD_BEGUN && record->id == 5;
    settled |= record->type == AMS_SPOOL_RECORD_SETTLED && record->id == 1;
  }
  *revived = !a || !l || !b || !p;
  return g_strdup_printf ("%s l.m3u8=v1%s b.ts=two", settled ? "" : " a.ts=one",
      removes ? " remove=old.ts" : "");
}

/* The bodies are as they were before anything was settled. */
static void
test_journal_cut_anywhere_is_opened (Fixture *f, gconstpointer data)
{
  g_autofree gchar *before = local_path (f, "before"), *text = NULL;
  g_autofree gchar *journal = own_path (f, "journal");
  AmsFileBegin begin = begin_of ("p.ts");
  AmsBody *partial;
  guint64 a = commit (f, "a.ts", "one");
  gsize length;

  commit (f, "l.m3u8", "v1");
  add_remove (f, "old.ts");
  commit (f, "b.ts", "two");
  partial = make_body (f, &begin, "partial");
  copy_folder (f->folder, before);
  settle (f, a, AMS_SPOOL_STORED);
  g_assert_true (g_file_get_contents (journal, &text, &length, NULL));
  close_spool (f);
  g_object_unref (partial);
  /* Each end syncs a file, which takes its time; near the end each byte counts. */
  for (gsize cut = 0; cut <= length; cut += cut + 60 < length ? 23 : 1) {
    gboolean revived;
    g_autofree gchar *expected = replay (text, cut, &revived);

    remove_tree (f->folder);
    copy_folder (before, f->folder);
    g_assert_true (g_file_set_contents (journal, text, cut, NULL));
    f->spool = open_spool (f->folder);
    g_assert_cmpint (revived, ==, ams_spool_get_notice (f->spool) != NULL);
    assert_taken_up (f, expected + 1);
    assert_listed (f, "p", "p.ts:7:partial");
    close_spool (f);
  }
}

/* Each file that comes is looked for by its name: the square of the number that wait is
 * more than the test's time. */
static void
test_many_that_wait_are_found_by_name (Fixture *f, gconstpointer data)
{
  const guint n = 100000;
  g_autoptr (AmsSpoolIndex) index = ams_spool_index_new ();

  for (guint i = 0; i < n; i++) {
    g_autofree gchar *name = g_strdup_printf ("%u.ts", i);
    AmsFileBegin begin = begin_of (name);
    AmsSpoolItem *item =
        ams_spool_index_add (index, 0, AMS_SPOOL_RECORD_COMMITTED);

    g_assert_null (ams_spool_index_find (index, AMS_SPOOL_ITEM_WAITING, name));
    item->state = AMS_SPOOL_ITEM_WAITING;
    ams_spool_index_set_begin (index, item, &begin);
    g_assert_true (ams_spool_index_find_newest (index, name) == item);
  }
}

/* Of one name the newest, whichever goes first. */
static void
test_name_is_found_while_one_of_it_is_there (Fixture *f, gconstpointer data)
{
  for (guint first = 0; first < 3; first++) {
    g_autoptr (AmsSpoolIndex) index = ams_spool_index_new ();
    AmsFileBegin begin = begin_of ("a.ts");
    AmsSpoolItem *items[3];

    for (guint i = 0; i < 3; i++) {
      items[i] = ams_spool_index_add (index, 0, AMS_SPOOL_RECORD_COMMITTED);
      items[i]->state = AMS_SPOOL_ITEM_WAITING;
      items[i]->record.order = i + 1;
      ams_spool_index_set_begin (index, items[i], &begin);
    }
    for (guint i = 0; i < 3; i++) {
      AmsSpoolItem *gone = items[(first + i) % 3];

      items[(first + i) % 3] = NULL;
      ams_spool_index_remove (index, gone);
      g_assert_true (ams_spool_index_find_newest (index, "a.ts") ==
          (items[2]          ? items[2]
                  : items[1] ? items[1]
                             : items[0]));
    }
  }
}

static void
record_and_die (const gchar *folder)
{
  Fixture f = { .spool = open_spool (folder) };
  AmsFileBegin begin = begin_of ("b.ts");
  AmsBody *body;

  commit (&f, "a.ts", "one");
  commit (&f, "l.m3u8", "v1");
  body = make_body (&f, &begin, "half");
  append (body, " of it");
  raise (SIGKILL);
}

static void
test_killed_process_loses_nothing (Fixture *f, gconstpointer data)
{
  pid_t child;
  gint status;

  close_spool (f);
  child = fork ();
  if (child == 0)
    record_and_die (f->folder);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  f->spool = open_spool (f->folder);
  assert_listed (f, "", "l.m3u8:2 a.ts:3 b.ts:10:partial");
  assert_taken_up (f, "a.ts=one l.m3u8=v1");
}

#define ADD(path, function) \
  g_test_add ("/spool/" path, Fixture, NULL, set_up, function, tear_down)

static void
test_apart_names (void)
{
  static const gchar *const names[][2] = {
    { "a.m3u8", "a-kept.m3u8" }, { "b.c/a", "b.c/a-kept" },
    { ".hidden", ".hidden-kept" }, { "d/a-kept.ts", "d/a-kept.ts" },
    { "https://h.example/x/a.ts?t=1.2", "https://h.example/x/a-kept.ts?t=1.2" }
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *name = ams_spool_apart_name (names[i][0], "-kept");

    g_assert_cmpstr (name, ==, names[i][1]);
  }
}

static void
test_apart_list (void)
{
  static const gchar text[] =
      "#EXTM3U\r\na.ts\n#b%20b.ts\nb%20b.ts\n"
      "https://h.example/v/d/c.ts?x\nhttps://h.example/d/c.ts\nc.ts";
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  g_autoptr (GHashTable) renamed = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GBytes) list = NULL, again = NULL;

  g_hash_table_add (renamed, (gpointer) "d/b b.ts");
  g_hash_table_add (renamed, (gpointer) "d/c.ts");
  list = ams_spool_apart_list (bytes, "d/p.m3u8", renamed, "-kept");
  g_assert_cmpmem (g_bytes_get_data (list, NULL), g_bytes_get_size (list),
      "#EXTM3U\na.ts\n#b%20b.ts\nb%20b-kept.ts\n"
      "https://h.example/v/d/c.ts?x\nhttps://h.example/d/c-kept.ts\n"
      "c-kept.ts\n#EXT-X-ENDLIST\n",
      strlen ("#EXTM3U\na.ts\n#b%20b.ts\nb%20b-kept.ts\n"
              "https://h.example/v/d/c.ts?x\nhttps://h.example/d/c-kept.ts\n"
              "c-kept.ts\n#EXT-X-ENDLIST\n"));
  again = ams_spool_apart_list (list, "d/p.m3u8", renamed, "-kept");
  g_assert_true (g_bytes_equal (list, again));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("lock/second-is-refused", test_second_is_refused);
  ADD ("folder/unusable-is-said", test_unusable_folder_is_said);
  ADD ("body/written-as-bytes-come", test_bytes_are_written_as_they_come);
  ADD ("body/waiting-has-no-open-file", test_waiting_bodies_have_no_open_file);
  ADD ("body/abandoned-leaves-nothing", test_abandoned_leaves_nothing);
  ADD ("body/changed-is-lost", test_changed_file_is_lost);
  ADD ("take-up/in-order", test_crash_loses_nothing_committed);
  ADD ("take-up/all-fields", test_fields_survive);
  ADD ("take-up/final-is-never-left-out",
      test_final_playlist_is_never_left_out);
  ADD ("take-up/settled-is-gone", test_settled_is_gone);
  ADD ("partial/offered-and-adopted", test_partial_is_offered_and_adopted);
  ADD ("partial/adopted-not-committed-is-partial-again",
      test_adopted_and_not_committed_is_partial_again);
  ADD ("partial/name-again-is-kept",
      test_partial_whose_name_comes_again_is_kept);
  ADD ("partial/playlist-is-not-offered", test_partial_playlist_is_not_offered);
  ADD ("known/is-what-was-stored", test_known_playlist_is_what_was_stored);
  ADD ("known/removed-is-not", test_removed_playlist_is_not_known);
  ADD ("given-up/is-kept", test_given_up_is_kept);
  ADD ("link/not-recorded", test_link_that_was_not_recorded_is_removed);
  ADD ("withheld/is-fetched-and-not-sent",
      test_withheld_is_fetched_and_not_sent);
  ADD ("withheld/until-the-next", test_withheld_is_kept_until_the_next);
  ADD ("withheld/newest-of-several", test_withheld_of_several_is_the_newest);
  ADD ("withheld/gone", test_withheld_that_is_gone_is_not_known);
  ADD ("failed/until-heeded", test_failed_are_known_until_heeded);
  ADD ("fetch/newest", test_fetch_is_of_the_newest);
  ADD ("full/loses-nothing", test_full_disk_loses_nothing);
  ADD ("full/spilled", test_full_disk_is_tried_again_by_spilling);
  ADD ("full/withheld", test_full_disk_loses_nothing_withheld);
  ADD ("full/no-playlist-known", test_full_disk_leaves_no_playlist_known);
  ADD ("full/stored-is-known", test_full_disk_knows_what_is_stored);
  ADD ("full/stored-makes-room", test_full_disk_has_room_when_it_is_stored);
  ADD ("full/listed-is-gone", test_full_disk_keeps_nothing_that_is_listed);
  ADD ("link/local-file", test_local_file_is_linked);
  ADD ("link/awaited", test_local_file_is_awaited);
  ADD ("link/awaited-found-after-crash", test_awaited_is_found_after_a_crash);
  ADD ("link/awaited-without-a-name", test_awaited_without_a_name_is_upstreams);
  ADD ("link/awaited-again", test_awaited_handed_over_again_is_there_once);
  ADD ("link/awaited-until-listed",
      test_awaited_is_forgotten_with_the_next_playlist);
  ADD ("link/stored-after-awaited",
      test_stored_after_an_awaited_is_known_until_that_is_there);
  ADD ("link/awaited-of-another-size",
      test_awaited_of_another_size_is_upstreams);
  ADD ("link/awaited-and-linked", test_awaited_that_was_linked_is_there);
  ADD ("link/never-appears-is-written",
      test_local_file_that_never_appears_is_written);
  ADD ("suffix/kill-between-lists",
      test_suffix_after_a_kill_between_two_lists_renames_in_both);
  ADD ("suffix/kill-before-puts",
      test_suffix_after_a_kill_before_the_puts_stays);
  ADD ("link/never-a-playlist", test_playlist_is_never_linked);
  ADD ("reference/is-linked", test_reference_is_linked);
  ADD ("reference/on-another-disk-is-the-body",
      test_reference_on_another_disk_is_the_body);
  ADD ("destination/other-is-left-alone", test_other_destination_is_left_alone);
  ADD ("journal/damaged-is-set-aside", test_damaged_journal_is_set_aside);
  ADD ("journal/large-is-compacted", test_large_journal_is_compacted);
  ADD ("names/many", test_many_that_wait_are_found_by_name);
  ADD ("names/found", test_name_is_found_while_one_of_it_is_there);
  ADD ("journal/lost-is-made-anew", test_journal_lost_is_made_anew_from_notes);
  ADD ("journal/lost-without-notes", test_journal_lost_without_notes_is_said);
  ADD ("renamed/found", test_renamed_is_found_by_its_new_name);
  ADD ("renamed/notes", test_renamed_is_known_by_notes);
  ADD ("journal/notes-go", test_notes_go_with_their_bodies);
  ADD ("journal/note-of-a-changed-body",
      test_note_of_a_changed_body_is_not_believed);
  ADD ("journal/not-writable", test_journal_that_cannot_be_written_is_an_error);
  ADD ("journal/body-missing", test_body_that_is_missing_is_lost);
  ADD ("journal/cut-anywhere-is-opened", test_journal_cut_anywhere_is_opened);
  ADD ("unlisted/found-after-a-crash",
      test_stored_and_unlisted_is_found_after_a_crash);
  ADD ("unlisted/listed-is-gone", test_stored_and_listed_is_gone);
  ADD ("unlisted/playlist-before-the-crash-is-gone",
      test_stored_after_its_playlist_came_is_gone);
  ADD ("body/open-while-it-is-read", test_body_is_open_while_it_is_read);
  ADD ("unlisted/part-has-its-date", test_part_has_its_date_after_a_crash);
  ADD ("killed/loses-nothing", test_killed_process_loses_nothing);
  g_test_add_func ("/spool/apart/names", test_apart_names);
  g_test_add_func ("/spool/apart/list", test_apart_list);
  return g_test_run ();
}
