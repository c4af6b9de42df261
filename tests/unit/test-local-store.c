/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "local/amslocalstore.h"
#include "local/amsrecorderlock.h"
#include "local/amsstreamstore.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  gchar *root;
  AmsStore *store;
  gboolean mounted;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  AmsLocalOptions options = { .sync = TRUE,
    .overwrite = GPOINTER_TO_INT (data) };

  f->root = g_dir_make_tmp ("ams-local-XXXXXX", NULL);
  g_assert_nonnull (f->root);
  f->store = ams_local_store_new (f->root, &options);
}

static void
remove_tree (const gchar *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *child = g_build_filename (path, name, NULL);

    if (g_file_test (child, G_FILE_TEST_IS_DIR) &&
        !g_file_test (child, G_FILE_TEST_IS_SYMLINK))
      remove_tree (child);
    else
      g_unlink (child);
  }
  g_rmdir (path);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_finalize_object (f->store);
  if (f->mounted)
    umount (f->root);
  remove_tree (f->root);
  g_free (f->root);
}

/* Operations answer on the default context. */

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static GAsyncResult *
wait_for (GAsyncResult **result)
{
  while (!*result)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}

static gboolean
put_body (Fixture *f, const gchar *name, AmsFileRole role, AmsBody *body,
    guint64 unchanged, GError **error)
{
  AmsPut put = { .name = name,
    .role = role,
    .body = body,
    .unchanged = unchanged };
  g_autoptr (GAsyncResult) result = NULL;

  ams_store_put_async (f->store, &put, NULL, on_done, &result);
  return ams_store_put_finish (f->store, wait_for (&result), error);
}

static AmsBody *
new_body (Fixture *f, const gchar *name, AmsFileRole role)
{
  AmsFileBegin begin = { .name = (gchar *) name, .role = role };

  return ams_store_create_body (f->store, &begin);
}

static gboolean
append (AmsBody *body, const gchar *text, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return ams_body_append (body, bytes, error);
}

static gboolean
put (Fixture *f, const gchar *name, AmsFileRole role, const gchar *text,
    guint64 unchanged, GError **error)
{
  g_autoptr (AmsBody) body = new_body (f, name, role);

  append (body, text, NULL);
  ams_body_finish (body, strlen (text));
  return put_body (f, name, role, body, unchanged, error);
}

static gchar *
path_in (Fixture *f, const gchar *name)
{
  return g_build_filename (f->root, name, NULL);
}

static void
assert_text (Fixture *f, const gchar *name, const gchar *expected)
{
  g_autofree gchar *path = path_in (f, name), *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  g_assert_cmpstr (text, ==, expected);
}

static void
set_text (Fixture *f, const gchar *name, const gchar *text)
{
  g_autofree gchar *path = path_in (f, name);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static ino_t
inode_of (Fixture *f, const gchar *name)
{
  g_autofree gchar *path = path_in (f, name);
  struct stat info;

  g_assert_cmpint (stat (path, &info), ==, 0);
  return info.st_ino;
}

static void
test_segment_is_hidden_until_whole (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = new_body (f, "d/e/a.ts", AMS_FILE_ROLE_SEGMENT);

  g_assert_true (append (body, "hello", NULL));
  assert_text (f, "d/e/.a.ts.part", "hello");
  assert_text (f, "d/e/a.ts", NULL);
  ams_body_finish (body, 4);
  g_assert_true (
      put_body (f, "d/e/a.ts", AMS_FILE_ROLE_SEGMENT, body, 0, NULL));
  assert_text (f, "d/e/a.ts", "hell");
  assert_text (f, "d/e/.a.ts.part", NULL);
}

static void
test_empty_segment_is_a_file (Fixture *f, gconstpointer data)
{
  g_assert_true (put (f, "a.ts", AMS_FILE_ROLE_SEGMENT, "", 0, NULL));
  assert_text (f, "a.ts", "");
}

static void
test_segment_never_replaces_a_file (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  set_text (f, "a.ts", "old");
  g_assert_false (put (f, "a.ts", AMS_FILE_ROLE_SEGMENT, "new", 0, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_EXISTS);
  g_assert_nonnull (strstr (error->message, "a.ts"));
  assert_text (f, "a.ts", "old");
  assert_text (f, ".a.ts.part.1", "new");
}

static void
test_segment_replaces_when_asked_to (Fixture *f, gconstpointer data)
{
  set_text (f, "a.ts", "old");
  g_assert_true (put (f, "a.ts", AMS_FILE_ROLE_SEGMENT, "new", 0, NULL));
  assert_text (f, "a.ts", "new");
}

static void
test_abandoned_part_is_removed (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = new_body (f, "a.ts", AMS_FILE_ROLE_SEGMENT);

  append (body, "x", NULL);
  ams_body_abandon (body);
  assert_text (f, ".a.ts.part", NULL);
}

static void
test_dropped_part_stays_for_the_next_start (Fixture *f, gconstpointer data)
{
  AmsBody *body = new_body (f, "a.ts", AMS_FILE_ROLE_SEGMENT);

  append (body, "x", NULL);
  g_object_unref (body);
  assert_text (f, ".a.ts.part", "x");
}

static void
test_left_over_part_is_set_aside (Fixture *f, gconstpointer data)
{
  set_text (f, ".a.ts.part", "left");
  set_text (f, ".a.ts.part.1", "earlier");
  g_assert_true (put (f, "a.ts", AMS_FILE_ROLE_SEGMENT, "new", 0, NULL));
  assert_text (f, "a.ts", "new");
  assert_text (f, ".a.ts.part.1", "earlier");
  assert_text (f, ".a.ts.part.2", "left");
}

static void
test_part_symlink_is_not_followed (Fixture *f, gconstpointer data)
{
  g_autofree gchar *victim = path_in (f, "victim");
  g_autofree gchar *part = path_in (f, ".a.ts.part");

  set_text (f, "victim", "precious");
  g_assert_cmpint (symlink (victim, part), ==, 0);
  g_assert_true (put (f, "a.ts", AMS_FILE_ROLE_SEGMENT, "new", 0, NULL));
  assert_text (f, "victim", "precious");
  assert_text (f, "a.ts", "new");
}

static void
test_fall_backs_never_replace (Fixture *f, gconstpointer data)
{
  for (AmsLocalPublish how = AMS_LOCAL_PUBLISH_RENAME;
       how <= AMS_LOCAL_PUBLISH_CLAIM; how++) {
    g_autofree gchar *from = path_in (f, "from");
    g_autofree gchar *to = g_strdup_printf ("%s/to%d", f->root, how);
    g_autofree gchar *name = g_path_get_basename (to);
    g_autoptr (GError) error = NULL;

    set_text (f, "from", "1");
    g_assert_true (ams_local_publish (from, to, how, NULL));
    assert_text (f, "from", NULL);
    set_text (f, "from", "2");
    g_assert_false (ams_local_publish (from, to, how, &error));
    g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_EXISTS);
    assert_text (f, name, "1");
    assert_text (f, "from", "2");
  }
}

static gchar *
lines (guint n)
{
  g_autoptr (GString) text = g_string_new ("#EXTM3U\n");

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "#EXTINF:6,\nsegment%05u.ts\n", i);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_playlist_is_appended_to_in_place (Fixture *f, gconstpointer data)
{
  g_autofree gchar *one = lines (100), *two = lines (1000);
  ino_t inode;

  g_assert_true (put (f, "d/p", AMS_FILE_ROLE_PLAYLIST, one, 0, NULL));
  inode = inode_of (f, "d/p");
  g_assert_true (
      put (f, "d/p", AMS_FILE_ROLE_PLAYLIST, two, strlen (one), NULL));
  assert_text (f, "d/p", two);
  g_assert_cmpuint (inode_of (f, "d/p"), ==, inode);
}

static void
test_playlist_of_new_lineage_is_replaced (Fixture *f, gconstpointer data)
{
  ino_t inode;

  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "one", 0, NULL));
  inode = inode_of (f, "p");
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "two", 0, NULL));
  assert_text (f, "p", "two");
  g_assert_cmpuint (inode_of (f, "p"), !=, inode);
}

static void
test_playlist_changed_by_another_is_replaced (Fixture *f, gconstpointer data)
{
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "one\n", 0, NULL));
  set_text (f, "p", "other, and longer\n");
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "one\ntwo\n", 4, NULL));
  assert_text (f, "p", "one\ntwo\n");
  g_assert_true (
      put (f, "p", AMS_FILE_ROLE_PLAYLIST, "one\ntwo\n3\n", 8, NULL));
  assert_text (f, "p", "one\ntwo\n3\n");
}

static gboolean
remove_name (Fixture *f, const gchar *name, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ams_store_remove_async (f->store, name, NULL, on_done, &result);
  return ams_store_remove_finish (f->store, wait_for (&result), error);
}

static void
test_remove_of_nothing_is_done (Fixture *f, gconstpointer data)
{
  set_text (f, "a", "x");
  g_assert_true (remove_name (f, "a", NULL));
  assert_text (f, "a", NULL);
  g_assert_true (remove_name (f, "a", NULL));
  g_assert_true (remove_name (f, "no/such/folder", NULL));
}

static GBytes *
fetch (Fixture *f, const gchar *name, gboolean partial, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ams_store_fetch_async (f->store, name, partial, 10, NULL, on_done, &result);
  return ams_store_fetch_finish (f->store, wait_for (&result), error);
}

static void
test_head_is_read_alone (Fixture *f, gconstpointer data)
{
  static const gchar *const names[] = { "1.ts", "2.ts" };
  static const gchar *const heads[] = { "0123", "01" };
  guint i;

  set_text (f, "1.ts", "0123456789");
  set_text (f, "2.ts", "01");
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GAsyncResult) result = NULL;
    g_autoptr (GBytes) head = NULL;

    ams_store_fetch_head_async (f->store, names[i], 4, 6, NULL, on_done,
        &result);
    head = ams_store_fetch_finish (f->store, wait_for (&result), NULL);
    g_assert_nonnull (head);
    g_assert_cmpmem (g_bytes_get_data (head, NULL), g_bytes_get_size (head),
        heads[i], strlen (heads[i]));
  }
}

static void
test_head_of_nothing_is_absent (Fixture *f, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  ams_store_fetch_head_async (f->store, "1.ts", 4, 6, NULL, on_done, &result);
  g_assert_null (ams_store_fetch_finish (f->store, wait_for (&result), &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_ABSENT);
}

static void
assert_fetch_fails (Fixture *f, const gchar *name, gboolean partial,
    AmsFailure failure)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (fetch (f, name, partial, &error));
  g_assert_error (error, AMS_STORE_ERROR, (gint) failure);
  g_assert_nonnull (strstr (error->message, f->root));
}

static void
test_fetch_tells_absent_from_failed (Fixture *f, gconstpointer data)
{
  g_autofree gchar *fifo = path_in (f, "fifo"), *dir = path_in (f, "dir");
  g_autofree gchar *link_ok = path_in (f, "link"), *loop = path_in (f, "loop");
  g_autofree gchar *part_link = path_in (f, ".b.part");
  g_autoptr (GBytes) bytes = NULL, linked = NULL, part = NULL;

  set_text (f, "a", "0123456789");
  set_text (f, ".a.part", "abc");
  set_text (f, "large", "0123456789x");
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_cmpint (g_mkdir (dir, 0700), ==, 0);
  g_assert_cmpint (symlink ("a", link_ok), ==, 0);
  g_assert_cmpint (symlink ("loop", loop), ==, 0);
  g_assert_cmpint (symlink ("a", part_link), ==, 0);
  bytes = fetch (f, "a", FALSE, NULL);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 10);
  part = fetch (f, "a", TRUE, NULL);
  g_assert_cmpuint (g_bytes_get_size (part), ==, 3);
  linked = fetch (f, "link", FALSE, NULL);
  g_assert_nonnull (linked);
  assert_fetch_fails (f, "none", FALSE, AMS_FAILURE_ABSENT);
  assert_fetch_fails (f, "no/ne", FALSE, AMS_FAILURE_ABSENT);
  assert_fetch_fails (f, "a/b", FALSE, AMS_FAILURE_PERMANENT);
  assert_fetch_fails (f, "fifo", FALSE, AMS_FAILURE_PERMANENT);
  assert_fetch_fails (f, "dir", FALSE, AMS_FAILURE_PERMANENT);
  assert_fetch_fails (f, "loop", FALSE, AMS_FAILURE_PERMANENT);
  assert_fetch_fails (f, "large", FALSE, AMS_FAILURE_PERMANENT);
  assert_fetch_fails (f, "b", TRUE, AMS_FAILURE_PERMANENT);
}

static gint
compare_entries (gconstpointer a, gconstpointer b)
{
  const AmsFileEntry *x = *(AmsFileEntry *const *) a;
  const AmsFileEntry *y = *(AmsFileEntry *const *) b;

  return strcmp (x->name, y->name);
}

static gchar *
list (Fixture *f, const gchar *prefix)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) entries = NULL;
  GString *text = g_string_new (NULL);

  ams_store_list_async (f->store, prefix, NULL, on_done, &result);
  entries = ams_store_list_finish (f->store, wait_for (&result), NULL);
  g_assert_nonnull (entries);
  g_ptr_array_sort (entries, compare_entries);
  for (guint i = 0; i < entries->len; i++) {
    const AmsFileEntry *entry = entries->pdata[i];

    g_string_append_printf (text, "%s%s:%" G_GUINT64_FORMAT " ", entry->name,
        entry->partial ? "*" : "", entry->size);
  }
  return g_string_free (text, FALSE);
}

static void
test_list_by_prefix (Fixture *f, gconstpointer data)
{
  g_autofree gchar *all = NULL, *cam = NULL, *none = NULL, *folder = NULL;

  g_assert_true (put (f, "cam/a1.ts", AMS_FILE_ROLE_SEGMENT, "1", 0, NULL));
  g_assert_true (put (f, "cam/a2.ts", AMS_FILE_ROLE_SEGMENT, "22", 0, NULL));
  g_assert_true (put (f, "cam/b.ts", AMS_FILE_ROLE_SEGMENT, "", 0, NULL));
  g_assert_true (put (f, "cam/a/x.ts", AMS_FILE_ROLE_SEGMENT, "x", 0, NULL));
  set_text (f, "cam/.a3.ts.part", "333");
  set_text (f, "cam/.a3.ts.part.1", "aside");
  set_text (f, "cam/.a.m3u8.tmp", "temp");
  cam = list (f, "cam/a");
  g_assert_cmpstr (cam, ==,
      "cam/a/x.ts:1 cam/a1.ts:1 cam/a2.ts:2 cam/a3.ts*:3 ");
  folder = list (f, "cam/a/");
  g_assert_cmpstr (folder, ==, "cam/a/x.ts:1 ");
  none = list (f, "no/such/");
  g_assert_cmpstr (none, ==, "");
  all = list (f, "");
  g_assert_cmpstr (all, ==,
      "cam/a/x.ts:1 cam/a1.ts:1 cam/a2.ts:2 cam/a3.ts*:3 cam/b.ts:0 ");
}

static gboolean
adopt (Fixture *f, const gchar *name, guint64 size, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ams_store_adopt_async (f->store, name, NULL, size, NULL, on_done, &result);
  return ams_store_adopt_finish (f->store, wait_for (&result), error);
}

/* What was set aside becomes a file, and takes no other's place. */
static void
test_adopt_of_what_was_set_aside (Fixture *f, gconstpointer data)
{
  g_autoptr (GAsyncResult) first = NULL, second = NULL;
  g_autoptr (GError) exists = NULL;

  set_text (f, ".a.part.1", "0123456789");
  set_text (f, ".a.part.2", "other");
  set_text (f, ".b.part", "open");
  ams_store_adopt_async (f->store, "b", ".a.part.1", 4, NULL, on_done, &first);
  g_assert_true (ams_store_adopt_finish (f->store, wait_for (&first), NULL));
  assert_text (f, "b", "0123");
  assert_text (f, ".b.part", "open");
  ams_store_adopt_async (f->store, "b", ".a.part.2", 5, NULL, on_done, &second);
  g_assert_false (
      ams_store_adopt_finish (f->store, wait_for (&second), &exists));
  g_assert_error (exists, AMS_STORE_ERROR, AMS_FAILURE_EXISTS);
  assert_text (f, "b", "0123");
  assert_text (f, ".a.part.2", "other");
}

static void
test_adopt_cuts_and_publishes (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) exists = NULL, shorter = NULL, absent = NULL;

  set_text (f, ".a.part", "0123456789");
  g_assert_true (adopt (f, "a", 4, NULL));
  assert_text (f, "a", "0123");
  g_assert_true (adopt (f, "a", 4, NULL));
  set_text (f, ".a.part", "other");
  g_assert_false (adopt (f, "a", 4, &exists));
  g_assert_error (exists, AMS_STORE_ERROR, AMS_FAILURE_EXISTS);
  assert_text (f, "a", "0123");
  set_text (f, ".b.part", "x");
  g_assert_false (adopt (f, "b", 4, &shorter));
  g_assert_error (shorter, AMS_STORE_ERROR, AMS_FAILURE_LOST);
  g_assert_false (adopt (f, "c", 4, &absent));
  g_assert_error (absent, AMS_STORE_ERROR, AMS_FAILURE_ABSENT);
}

/* Names of nearly, and of just as many bytes as the file system takes */

static gchar *
long_name (guint length)
{
  gchar *name = g_strnfill (length, 'n');

  memcpy (name + length - strlen (".ts"), ".ts", strlen (".ts"));
  return name;
}

/* All files below the root, hidden ones and folders included. */
static guint
count_all (const gchar *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const gchar *name;
  guint n = 0;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *child = g_build_filename (path, name, NULL);

    n += 1 + count_all (child);
  }
  return n;
}

static void
crash_with_part (Fixture *f, const gchar *name, const gchar *text)
{
  g_autoptr (AmsBody) body = new_body (f, name, AMS_FILE_ROLE_SEGMENT);
  g_autoptr (GError) error = NULL;

  append (body, text, &error);
  g_assert_no_error (error);
}

static void
try_long_name (Fixture *f, const gchar *name)
{
  g_autofree gchar *listed = NULL, *expected = NULL, *left = NULL;
  g_autoptr (GBytes) part = NULL;

  crash_with_part (f, name, "0123456789");
  listed = list (f, "d/n");
  expected = g_strdup_printf ("%s*:10 ", name);
  g_assert_cmpstr (listed, ==, expected);
  part = fetch (f, name, TRUE, NULL);
  g_assert_cmpuint (g_bytes_get_size (part), ==, 10);
  g_assert_true (adopt (f, name, 4, NULL));
  assert_text (f, name, "0123");
  g_assert_cmpuint (count_all (f->root), ==, 2);
  /* What nobody adopts is kept when the name comes again. */
  g_assert_true (put (f, name, AMS_FILE_ROLE_OTHER, "x", 0, NULL));
  g_assert_true (put (f, name, AMS_FILE_ROLE_PLAYLIST, "y", 0, NULL));
  assert_text (f, name, "y");
  g_assert_cmpuint (count_all (f->root), ==, 2);
  crash_with_part (f, name, "one");
  crash_with_part (f, name, "two");
  g_assert_false (put (f, name, AMS_FILE_ROLE_SEGMENT, "three", 0, NULL));
  left = list (f, "");
  g_clear_pointer (&expected, g_free);
  expected = g_strdup_printf ("%s:1 ", name);
  g_assert_cmpstr (left, ==, expected);
}

static void
test_long_names_are_stored_and_found (Fixture *f, gconstpointer data)
{
  for (guint length = 240; length <= 255; length++) {
    g_autofree gchar *base = long_name (length);
    g_autofree gchar *name = g_strconcat ("d/", base, NULL);
    g_autofree gchar *folder = path_in (f, "d");

    try_long_name (f, name);
    /* Three that were set aside: "one", "two", "three". */
    g_assert_cmpuint (count_all (folder), >=, 4);
    remove_tree (folder);
  }
}

/* One that is shorter keeps the name of its part, which earlier versions gave it. */
static void
test_part_of_an_earlier_version_is_found (Fixture *f, gconstpointer data)
{
  g_autofree gchar *base = long_name (249);
  g_autofree gchar *part = g_strconcat (".", base, ".part", NULL);
  g_autofree gchar *listed = NULL, *expected = g_strconcat (base, "*:3 ", NULL);

  g_autofree gchar *from = path_in (f, "short"), *to = path_in (f, part);

  set_text (f, "short", "abc");
  g_assert_cmpint (g_rename (from, to), ==, 0);
  listed = list (f, "");
  g_assert_cmpstr (listed, ==, expected);
  g_assert_true (adopt (f, base, 3, NULL));
  assert_text (f, base, "abc");
}

static void
test_name_too_long_is_refused (Fixture *f, gconstpointer data)
{
  g_autofree gchar *longest = long_name (255), *longer = long_name (256);
  g_autofree gchar *below = g_strconcat (longer, "/a.ts", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (ams_local_check_name (f->root, longest, NULL));
  g_assert_true (ams_local_check_name ("/no/such/folder", longest, NULL));
  g_assert_false (ams_local_check_name (f->root, below, NULL));
  g_assert_false (ams_local_check_name (f->root, longer, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, f->root));
  g_assert_nonnull (strstr (error->message, "255"));
}

/* Playlists that are links */

static void
make_link (Fixture *f, const gchar *target, const gchar *name)
{
  g_autofree gchar *path = path_in (f, name);

  g_assert_cmpint (symlink (target, path), ==, 0);
}

static void
assert_link (Fixture *f, const gchar *name, const gchar *target)
{
  g_autofree gchar *path = path_in (f, name);
  g_autofree gchar *read = g_file_read_link (path, NULL);

  g_assert_cmpstr (read, ==, target);
}

static void
test_playlist_link_stays_and_its_target_is_written (Fixture *f,
    gconstpointer data)
{
  g_autofree gchar *web = path_in (f, "web"), *absolute = NULL;
  ino_t inode;

  absolute = path_in (f, "web/b.m3u8");
  g_assert_cmpint (g_mkdir (web, 0755), ==, 0);
  set_text (f, "web/a.m3u8", "earlier");
  make_link (f, "web/a.m3u8", "one");
  make_link (f, "one", "two");
  make_link (f, absolute, "dangling");
  g_assert_true (put (f, "two", AMS_FILE_ROLE_PLAYLIST, "abc\n", 0, NULL));
  assert_link (f, "two", "one");
  assert_link (f, "one", "web/a.m3u8");
  assert_text (f, "web/a.m3u8", "abc\n");
  inode = inode_of (f, "web/a.m3u8");
  g_assert_true (put (f, "two", AMS_FILE_ROLE_PLAYLIST, "abc\ndef\n", 4, NULL));
  assert_text (f, "web/a.m3u8", "abc\ndef\n");
  g_assert_cmpuint (inode_of (f, "web/a.m3u8"), ==, inode);
  g_assert_true (put (f, "dangling", AMS_FILE_ROLE_MASTER, "new", 0, NULL));
  assert_link (f, "dangling", absolute);
  assert_text (f, "web/b.m3u8", "new");
  g_assert_cmpuint (count_all (web), ==, 2);
}

static void
test_playlist_link_that_leads_nowhere_is_said (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) loop = NULL, away = NULL;

  make_link (f, "round", "and");
  make_link (f, "and", "round");
  make_link (f, "no/such/a.m3u8", "away");
  g_assert_false (put (f, "round", AMS_FILE_ROLE_PLAYLIST, "x", 0, &loop));
  g_assert_nonnull (strstr (loop->message, "round"));
  g_assert_false (put (f, "away", AMS_FILE_ROLE_PLAYLIST, "x", 0, &away));
  g_assert_error (away, AMS_STORE_ERROR, AMS_FAILURE_TRANSIENT);
  g_assert_nonnull (strstr (away->message, "is a link"));
  g_assert_nonnull (strstr (away->message, "no/such"));
  assert_link (f, "away", "no/such/a.m3u8");
}

static void
test_removed_link_is_a_playlists_target_or_itself (Fixture *f,
    gconstpointer data)
{
  g_autoptr (GAsyncResult) list = NULL, segment = NULL;

  make_link (f, "list", "a.m3u8");
  g_assert_true (put (f, "a.m3u8", AMS_FILE_ROLE_PLAYLIST, "x", 0, NULL));
  set_text (f, "archived", "media");
  make_link (f, "archived", "a.ts");
  ams_store_remove_async (f->store, "a.m3u8", NULL, on_done, &list);
  g_assert_true (ams_store_remove_finish (f->store, wait_for (&list), NULL));
  ams_store_remove_async (f->store, "a.ts", NULL, on_done, &segment);
  g_assert_true (ams_store_remove_finish (f->store, wait_for (&segment), NULL));
  assert_link (f, "a.m3u8", "list");
  assert_text (f, "list", NULL);
  assert_link (f, "a.ts", NULL);
  assert_text (f, "archived", "media");
}

/* A name that is a link is taken. */
static void
test_segment_link_is_not_followed (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  make_link (f, "nowhere", "a.ts");
  g_assert_false (put (f, "a.ts", AMS_FILE_ROLE_SEGMENT, "x", 0, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_EXISTS);
  assert_link (f, "a.ts", "nowhere");
  assert_text (f, "nowhere", NULL);
}

static gboolean
mount_small (Fixture *f, const gchar *options)
{
  if (mount ("tmpfs", f->root, "tmpfs", 0, options) == 0)
    f->mounted = TRUE;
  else
    g_test_skip ("a small tmpfs cannot be mounted here");
  return f->mounted;
}

static void
fill (Fixture *f, const gchar *name)
{
  g_autofree gchar *path = path_in (f, name);
  gchar page[4096] = { 0 };
  gint fd = open (path, O_WRONLY | O_CREAT, 0600);

  while (write (fd, page, sizeof page) > 0)
    continue;
  close (fd);
}

static void
test_full_disk_loses_nothing (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = g_strnfill (20000, 'x');
  g_autofree gchar *ballast = path_in (f, "ballast");
  g_autofree gchar *whole = g_strconcat ("begin", text, "end", NULL);
  g_autoptr (GError) full = NULL, still = NULL;
  g_autoptr (AmsBody) body = NULL;

  if (!mount_small (f, "size=64k"))
    return;
  body = new_body (f, "a.ts", AMS_FILE_ROLE_SEGMENT);
  g_assert_true (append (body, "begin", NULL));
  fill (f, "ballast");
  g_assert_false (append (body, text, &full));
  g_assert_error (full, AMS_STORE_ERROR, AMS_FAILURE_FULL);
  g_assert_cmpuint (ams_body_get_held (body), >, 0);
  append (body, "end", NULL);
  ams_body_finish (body, strlen (whole));
  g_assert_false (put_body (f, "a.ts", AMS_FILE_ROLE_SEGMENT, body, 0, &still));
  g_assert_error (still, AMS_STORE_ERROR, AMS_FAILURE_FULL);
  assert_text (f, "a.ts", NULL);
  g_unlink (ballast);
  g_assert_true (put_body (f, "a.ts", AMS_FILE_ROLE_SEGMENT, body, 0, NULL));
  assert_text (f, "a.ts", whole);
  g_assert_cmpuint (ams_body_get_held (body), ==, 0);
}

/* What the disk did not take is read as well. */
static void
test_open_part_is_read_wherever_its_bytes_are (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = g_strnfill (20000, 'x');
  g_autoptr (AmsBody) body = NULL;
  GQueue blocks = G_QUEUE_INIT;
  g_autoptr (GString) read = g_string_new (NULL);
  GBytes *block;

  if (!mount_small (f, "size=64k"))
    return;
  body = new_body (f, "a.ts", AMS_FILE_ROLE_SEGMENT);
  g_assert_true (append (body, "begin", NULL));
  fill (f, "ballast");
  g_assert_false (append (body, text, NULL));
  append (body, "end", NULL);
  g_assert_true (ams_body_read_blocks (body, 2, 20006, &blocks, NULL));
  g_assert_false (ams_body_read_blocks (body, 2, 20007, &blocks, NULL));
  while ((block = g_queue_pop_head (&blocks))) {
    g_string_append_len (read, g_bytes_get_data (block, NULL),
        g_bytes_get_size (block));
    g_bytes_unref (block);
  }
  g_assert_cmpuint (read->len, ==, 20006);
  g_assert_true (g_str_has_prefix (read->str, "ginxxx"));
  g_assert_true (g_str_has_suffix (read->str, "xxxend"));
}

static void
test_full_disk_leaves_the_playlist_whole (Fixture *f, gconstpointer data)
{
  g_autofree gchar *one = lines (100), *two = lines (1000);
  g_autofree gchar *ballast = path_in (f, "ballast");
  g_autoptr (GError) appended = NULL;

  if (!mount_small (f, "size=64k"))
    return;
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, one, 0, NULL));
  fill (f, "ballast");
  g_assert_false (
      put (f, "p", AMS_FILE_ROLE_PLAYLIST, two, strlen (one), &appended));
  g_assert_error (appended, AMS_STORE_ERROR, AMS_FAILURE_FULL);
  assert_text (f, "p", one);
  g_unlink (ballast);
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, two, strlen (one), NULL));
  assert_text (f, "p", two);
}

static void
test_folder_that_is_a_file_is_said (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = new_body (f, "d/a.ts", AMS_FILE_ROLE_SEGMENT);
  g_autofree gchar *in_the_way = path_in (f, "d");
  g_autoptr (GError) error = NULL;

  set_text (f, "d", "in the way");
  g_assert_false (append (body, "x", &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
  g_unlink (in_the_way);
  ams_body_finish (body, 1);
  g_assert_true (put_body (f, "d/a.ts", AMS_FILE_ROLE_SEGMENT, body, 0, NULL));
  assert_text (f, "d/a.ts", "x");
}

/* What another disk has as well */

/* In another folder. */
static void
set_from (Fixture *f, const gchar *text)
{
  g_autofree gchar *folder = path_in (f, "other");

  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
  set_text (f, "other/from", text);
}

static gboolean
put_copy (Fixture *f, const gchar *name, const gchar *from, guint64 size,
    GError **error)
{
  g_autofree gchar *path = path_in (f, from);
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = AMS_FILE_ROLE_SEGMENT,
    .local_path = path };
  g_autoptr (AmsBody) body = ams_store_create_body (f->store, &begin);

  ams_body_set_size (body, size);
  ams_body_spill (body);
  return put_body (f, name, AMS_FILE_ROLE_SEGMENT, body, 0, error);
}

static void
test_copy_is_the_file (Fixture *f, gconstpointer data)
{
  set_from (f, "hello");
  set_text (f, ".a.ts.tmp", "left by a crash");
  g_assert_true (put_copy (f, "d/e/b.ts", "other/from", 5, NULL));
  assert_text (f, "d/e/b.ts", "hello");
  g_assert_true (put_copy (f, "a.ts", "other/from", 5, NULL));
  assert_text (f, "a.ts", "hello");
  assert_text (f, ".a.ts.tmp", NULL);
}

static void
test_copy_from_memory_is_the_file (Fixture *f, gconstpointer data)
{
  g_autofree gchar *path = path_in (f, "other/from");
  AmsFileBegin begin = { .name = (gchar *) "a.ts",
    .role = AMS_FILE_ROLE_SEGMENT,
    .local_path = path };
  g_autoptr (AmsBody) body = ams_store_create_body (f->store, &begin);

  append (body, "hel", NULL);
  append (body, "lo!", NULL);
  ams_body_finish (body, 5);
  assert_text (f, "a.ts", NULL);
  g_assert_true (put_body (f, "a.ts", AMS_FILE_ROLE_SEGMENT, body, 0, NULL));
  assert_text (f, "a.ts", "hello");
}

static void
test_copy_that_is_there_is_stored (Fixture *f, gconstpointer data)
{
  ino_t inode;

  set_from (f, "hello");
  set_text (f, "a.ts", "hello");
  inode = inode_of (f, "a.ts");
  g_assert_true (put_copy (f, "a.ts", "other/from", 5, NULL));
  g_assert_cmpuint (inode_of (f, "a.ts"), ==, inode);
}

static void
test_copy_never_replaces_a_file (Fixture *f, gconstpointer data)
{
  static const gchar *const others[] = { "other", "other, and longer" };

  set_from (f, "hello");
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autoptr (GError) error = NULL;

    set_text (f, "a.ts", others[i]);
    g_assert_false (put_copy (f, "a.ts", "other/from", 5, &error));
    g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_EXISTS);
    assert_text (f, "a.ts", others[i]);
    assert_text (f, ".a.ts.tmp", NULL);
  }
}

static void
test_copy_replaces_when_asked_to (Fixture *f, gconstpointer data)
{
  set_from (f, "hello");
  set_text (f, "a.ts", "other");
  g_assert_true (put_copy (f, "a.ts", "other/from", 5, NULL));
  assert_text (f, "a.ts", "hello");
}

/* Nothing half is left in the way, nor in the little room there is. */
static void
test_copy_to_a_full_disk_waits_for_room (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = g_strnfill (20000, 'x');
  g_autofree gchar *ballast = path_in (f, "ballast");
  g_autoptr (GError) error = NULL;

  if (!mount_small (f, "size=64k"))
    return;
  set_from (f, text);
  fill (f, "ballast");
  g_assert_false (put_copy (f, "a.ts", "other/from", 20000, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_FULL);
  assert_text (f, "a.ts", NULL);
  assert_text (f, ".a.ts.tmp", NULL);
  g_unlink (ballast);
  g_assert_true (put_copy (f, "a.ts", "other/from", 20000, NULL));
  assert_text (f, "a.ts", text);
}

/* Whoever makes it there would find the name taken. */
static void
test_copy_is_not_made_beside_itself (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  set_text (f, "from", "hello");
  g_assert_false (put_copy (f, "a.ts", "from", 5, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
  g_assert_nonnull (strstr (error->message, "another folder"));
  assert_text (f, "a.ts", NULL);
}

static void
test_copy_of_nothing_is_lost (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (put_copy (f, "a.ts", "other/gone", 5, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_LOST);
  assert_text (f, "a.ts", NULL);
  assert_text (f, ".a.ts.tmp", NULL);
}

/* The store of streams */

static GOutputStream *
give_stream (const gchar *name, gpointer user_data)
{
  GOutputStream **stream = user_data;

  return *stream ? g_object_ref (*stream) : NULL;
}

static void
test_stream_gets_the_playlist_and_files_the_rest (Fixture *f,
    gconstpointer data)
{
  AmsStreamCallbacks callbacks = { .get_playlist_stream = give_stream };
  g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();
  AmsStore *files = f->store;
  g_autoptr (GError) none = NULL, unreadable = NULL;

  f->store = ams_stream_store_new (files, &callbacks, &stream, NULL);
  g_object_unref (files);
  g_assert_true (put (f, "a.ts", AMS_FILE_ROLE_SEGMENT, "x", 0, NULL));
  assert_text (f, "a.ts", "x");
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "list", 0, NULL));
  assert_text (f, "p", NULL);
  g_assert_true (g_output_stream_is_closed (stream));
  g_assert_cmpuint (
      g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (stream)),
      ==, 4);
  g_assert_null (fetch (f, "p", FALSE, &unreadable));
  g_assert_error (unreadable, AMS_STORE_ERROR, AMS_FAILURE_UNSUPPORTED);
  g_clear_object (&stream);
  g_assert_false (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "list", 0, &none));
  g_assert_error (none, AMS_STORE_ERROR, AMS_FAILURE_UNSUPPORTED);
}

/* Claims */

static gboolean
claim_in (AmsStore *store, const gchar *playlist, const gchar *segments,
    GError **error)
{
  const AmsClaim claim = { (gchar *) playlist, (gchar *) segments, FALSE };
  g_autoptr (GAsyncResult) result = NULL;

  ams_store_claim_async (store, &claim, NULL, on_done, &result);
  return ams_store_claim_finish (store, wait_for (&result), error);
}

static void
assert_busy (AmsStore *store, const gchar *playlist, const gchar *segments)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *process = g_strdup_printf ("process %d on %s, since 20",
      (gint) getpid (), g_get_host_name ());

  g_assert_false (claim_in (store, playlist, segments, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_BUSY);
  g_assert_nonnull (strstr (error->message, process));
  g_assert_nonnull (strstr (error->message, g_get_prgname ()));
}

static gboolean
has_file (Fixture *f, const gchar *name)
{
  g_autofree gchar *path = g_build_filename (f->root, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
test_claim_keeps_another_store_away (Fixture *f, gconstpointer data)
{
  AmsLocalOptions options = { .sync = TRUE };
  g_autofree gchar *odd = g_strconcat (f->root, "/./a/..", NULL);
  g_autofree gchar *link = g_strconcat (f->root, ".link", NULL);
  g_autofree gchar *folder = g_build_filename (f->root, "a", NULL);
  g_autoptr (AmsStore) spelled = ams_local_store_new (odd, &options);
  g_autoptr (AmsStore) linked = ams_local_store_new (link, &options);

  g_assert_cmpint (g_mkdir (folder, 0777), ==, 0);
  g_assert_cmpint (symlink (f->root, link), ==, 0);
  g_assert_true (claim_in (f->store, "p.m3u8", "s_.ts", NULL));
  g_assert_true (claim_in (f->store, "p.m3u8", "s_.ts", NULL));
  assert_busy (spelled, "p.m3u8", "t_.ts");
  assert_busy (linked, "q.m3u8", "s_.ts");
  /* What it could not have as a whole it does not have in part. */
  g_assert_false (has_file (f, ".q.m3u8.lock"));
  g_assert_true (claim_in (linked, "q.m3u8", "t_.ts", NULL));

  ams_store_release (f->store);
  g_assert_false (has_file (f, ".p.m3u8.lock"));
  g_assert_false (has_file (f, ".s_.ts.lock"));
  g_assert_true (claim_in (spelled, "p.m3u8", "s_.ts", NULL));
  g_assert_cmpint (g_unlink (link), ==, 0);
}

/* The disk does not take a lock now, and @failure says why: it is there before the first file is. */
static void
claim_before_the_disk_can (Fixture *f, AmsFailure failure)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (claim_in (f->store, "p.m3u8", "s_.ts", &error));
  g_assert_error (error, AMS_STORE_ERROR, (gint) failure);
  g_assert_false (has_file (f, ".p.m3u8.lock"));
}

static void
assert_locked_with_the_first_file (Fixture *f)
{
  AmsLocalOptions options = { .sync = TRUE };
  g_autoptr (AmsStore) other = ams_local_store_new (f->root, &options);

  g_assert_true (put (f, "s1.ts", AMS_FILE_ROLE_SEGMENT, "x", 0, NULL));
  assert_busy (other, "p.m3u8", "t_.ts");
  assert_busy (other, "q.m3u8", "s_.ts");
}

/* No room for another file, whoever asks. */
static void
test_claim_on_a_full_disk_is_made_up_for (Fixture *f, gconstpointer data)
{
  g_autofree gchar *ballast = g_build_filename (f->root, "ballast", NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  gint fd;

  if (!mount_small (f, "size=64k,nr_inodes=12"))
    return;
  do {
    gchar *name = g_strdup_printf ("%s%u", ballast, names->len);

    g_ptr_array_add (names, name);
    fd = open (name, O_CREAT | O_WRONLY, 0666);
    if (fd >= 0)
      close (fd);
  } while (fd >= 0);
  g_assert_cmpint (errno, ==, ENOSPC);
  claim_before_the_disk_can (f, AMS_FAILURE_FULL);
  for (guint i = 0; i < names->len; i++)
    g_unlink (g_ptr_array_index (names, i));
  assert_locked_with_the_first_file (f);
}

static void
test_claim_on_a_read_only_disk_is_made_up_for (Fixture *f, gconstpointer data)
{
  if (!mount_small (f, "size=64k"))
    return;
  if (mount ("tmpfs", f->root, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) < 0) {
    g_test_skip ("a tmpfs cannot be made read-only");
    return;
  }
  claim_before_the_disk_can (f, AMS_FAILURE_PERMANENT);
  g_assert_false (put (f, "s0.ts", AMS_FILE_ROLE_SEGMENT, "x", 0, NULL));
  g_assert_cmpint (mount ("tmpfs", f->root, "tmpfs", MS_REMOUNT, "size=64k"),
      ==, 0);
  assert_locked_with_the_first_file (f);
}

/* A crash leaves the file, which locks nothing. */
static void
test_claim_of_what_a_crash_left_is_granted (Fixture *f, gconstpointer data)
{
  g_autofree gchar *lock = g_build_filename (f->root, ".p.m3u8.lock", NULL);
  g_autofree gchar *text = NULL;

  g_assert_true (
      g_file_set_contents (lock, "[recorder]\nprocess=1\n", -1, NULL));
  g_assert_true (claim_in (f->store, "p.m3u8", NULL, NULL));
  g_assert_true (g_file_get_contents (lock, &text, NULL, NULL));
  g_assert_null (strstr (text, "process=1\n"));
}

/* Somebody cleans up while it is recorded, and another one starts: it is not told, but
 * the first one does not remove what is the second one's. */
static void
test_claim_whose_file_was_removed_leaves_the_others (Fixture *f,
    gconstpointer data)
{
  AmsLocalOptions options = { .sync = TRUE };
  g_autoptr (AmsStore) other = ams_local_store_new (f->root, &options);
  g_autofree gchar *lock = g_build_filename (f->root, ".p.m3u8.lock", NULL);

  g_assert_true (claim_in (f->store, "p.m3u8", NULL, NULL));
  g_assert_cmpint (g_unlink (lock), ==, 0);
  g_assert_true (claim_in (other, "p.m3u8", NULL, NULL));
  ams_store_release (f->store);
  g_assert_true (g_file_test (lock, G_FILE_TEST_EXISTS));
  assert_busy (f->store, "p.m3u8", NULL);
}

/* Who may write to the folder, but not to the other user's lock. */
static void
test_claim_of_another_user_is_respected (Fixture *f, gconstpointer data)
{
  AmsLocalOptions options = { .sync = TRUE };
  g_autoptr (AmsStore) other = ams_local_store_new (f->root, &options);
  g_autofree gchar *lock = g_build_filename (f->root, ".p.m3u8.lock", NULL);

  if (geteuid () != 0) {
    g_test_skip ("needs root, to be another user");
    return;
  }
  g_assert_cmpint (g_chmod (f->root, 0777), ==, 0);
  g_assert_true (claim_in (f->store, "p.m3u8", NULL, NULL));
  g_assert_cmpint (g_chmod (lock, 0644), ==, 0);
  g_assert_cmpint (seteuid (65534), ==, 0);
  assert_busy (other, "p.m3u8", NULL);
  g_assert_cmpint (seteuid (0), ==, 0);
}

/* Bytes of 250 and of 255, with which ".NAME.lock" would be too long a name. */
static void
test_claim_of_long_names_tells_them_apart (Fixture *f, gconstpointer data)
{
  AmsLocalOptions options = { .sync = TRUE };
  g_autoptr (AmsStore) other = ams_local_store_new (f->root, &options);
  g_autofree gchar *a = g_strnfill (250, 'a');
  g_autofree gchar *b = g_strnfill (255, 'a');

  g_assert_true (claim_in (f->store, a, NULL, NULL));
  g_assert_true (claim_in (other, b, NULL, NULL));
  assert_busy (other, a, NULL);
}

/* The disk is away when the recording begins: a file is where its folder is to be. */
static AmsStore *
claim_while_away (Fixture *f, const gchar *folder)
{
  AmsLocalOptions options = { 0 };
  AmsStore *store;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (folder, "", 0, NULL));
  store = ams_local_store_new (folder, &options);
  g_assert_false (claim_in (store, "p.m3u8", "s_.ts", &error));
  g_assert_cmpint (ams_store_error_get_failure (error), !=, AMS_FAILURE_BUSY);
  g_assert_cmpint (g_unlink (folder), ==, 0);
  return store;
}

static gboolean
put_other (AmsStore *store, GError **error)
{
  g_autoptr (AmsBody) body = ams_memory_body_new ();
  const AmsPut put = { .name = "x", .role = AMS_FILE_ROLE_OTHER, .body = body };
  g_autoptr (GAsyncResult) result = NULL;

  ams_body_finish (body, 0);
  ams_store_put_async (store, &put, NULL, on_done, &result);
  return ams_store_put_finish (store, wait_for (&result), error);
}

static void
test_claim_is_taken_when_the_disk_is_back (Fixture *f, gconstpointer data)
{
  AmsLocalOptions options = { 0 };
  g_autofree gchar *folder = path_in (f, "away");
  g_autoptr (AmsStore) first = claim_while_away (f, folder);
  g_autoptr (AmsStore) second = ams_local_store_new (folder, &options);
  g_autoptr (GError) error = NULL;

  g_assert_true (put_other (first, NULL));
  g_assert_false (claim_in (second, "p.m3u8", NULL, &error));
  g_assert_cmpint (ams_store_error_get_failure (error), ==, AMS_FAILURE_BUSY);
  ams_store_release (first);
  g_assert_true (claim_in (second, "p.m3u8", "s_.ts", NULL));
}

/* Another recorder began meanwhile: nothing is written beside it. */
static void
test_claim_that_came_too_late_puts_nothing (Fixture *f, gconstpointer data)
{
  AmsLocalOptions options = { 0 };
  g_autofree gchar *folder = path_in (f, "away");
  g_autofree gchar *written = path_in (f, "away/x");
  g_autoptr (AmsStore) late = claim_while_away (f, folder);
  g_autoptr (AmsStore) other = ams_local_store_new (folder, &options);
  g_autoptr (GError) error = NULL;

  g_assert_true (claim_in (other, "p.m3u8", "s_.ts", NULL));
  g_assert_false (put_other (late, &error));
  g_assert_cmpint (ams_store_error_get_failure (error), ==, AMS_FAILURE_BUSY);
  g_assert_false (g_file_test (written, G_FILE_TEST_EXISTS));
}

/* Whoever finds out is at the disk's mercy: it says so, and nothing is claimed. */
static void
test_claim_in_a_folder_that_cannot_be_is_no_busy (Fixture *f,
    gconstpointer data)
{
  AmsLocalOptions options = { .sync = TRUE };
  g_autoptr (AmsStore) proc = ams_local_store_new ("/proc/foo", &options);
  g_autoptr (GError) error = NULL;

  g_assert_false (claim_in (proc, "p.m3u8", NULL, &error));
  g_assert_cmpint (ams_store_error_get_failure (error), !=, AMS_FAILURE_BUSY);
  g_assert_cmpint (ams_store_error_get_failure (error), !=,
      AMS_FAILURE_UNSUPPORTED);
}

#define TAKERS 8
#define ROUNDS 200

typedef struct
{
  const gchar *path;
  gint *inside; /* atomic */
} Taker;

static gpointer
take_and_release (gpointer data)
{
  const Taker *taker = data;
  guint taken = 0;

  while (taken < ROUNDS) {
    AmsRecorderLock *lock = ams_recorder_lock_take (taker->path, "x", NULL);

    if (!lock) {
      g_thread_yield ();
      continue;
    }
    g_assert_cmpint (g_atomic_int_add (taker->inside, 1), ==, 0);
    g_atomic_int_add (taker->inside, -1);
    ams_recorder_lock_release (lock);
    taken++;
  }
  return NULL;
}

/* The file is removed each time, and opened by others meanwhile. */
static void
test_lock_is_one_takers_at_a_time (Fixture *f, gconstpointer data)
{
  g_autofree gchar *path = g_build_filename (f->root, ".x.lock", NULL);
  gint inside = 0;
  const Taker taker = { path, &inside };
  GThread *threads[TAKERS];

  for (guint i = 0; i < TAKERS; i++)
    threads[i] = g_thread_new ("taker", take_and_release, (gpointer) &taker);
  for (guint i = 0; i < TAKERS; i++)
    g_thread_join (threads[i]);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

#define ADD(path, function) \
  g_test_add ("/local-store/" path, Fixture, GINT_TO_POINTER (FALSE), set_up, \
      function, tear_down)

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  ADD ("segment/hidden-until-whole", test_segment_is_hidden_until_whole);
  ADD ("segment/empty-is-a-file", test_empty_segment_is_a_file);
  ADD ("segment/never-replaces-a-file", test_segment_never_replaces_a_file);
  g_test_add ("/local-store/segment/replaces-when-asked-to", Fixture,
      GINT_TO_POINTER (TRUE), set_up, test_segment_replaces_when_asked_to,
      tear_down);
  ADD ("part/abandoned-is-removed", test_abandoned_part_is_removed);
  ADD ("part/dropped-stays", test_dropped_part_stays_for_the_next_start);
  ADD ("part/left-over-is-set-aside", test_left_over_part_is_set_aside);
  ADD ("part/symlink-is-not-followed", test_part_symlink_is_not_followed);
  ADD ("publish/fall-backs-never-replace", test_fall_backs_never_replace);
  ADD ("playlist/appended-to-in-place", test_playlist_is_appended_to_in_place);
  ADD ("playlist/of-new-lineage-is-replaced",
      test_playlist_of_new_lineage_is_replaced);
  ADD ("playlist/changed-by-another-is-replaced",
      test_playlist_changed_by_another_is_replaced);
  ADD ("remove/of-nothing-is-done", test_remove_of_nothing_is_done);
  ADD ("fetch/tells-absent-from-failed", test_fetch_tells_absent_from_failed);
  ADD ("fetch/head", test_head_is_read_alone);
  ADD ("fetch/head-of-nothing", test_head_of_nothing_is_absent);
  ADD ("list/by-prefix", test_list_by_prefix);
  ADD ("adopt/cuts-and-publishes", test_adopt_cuts_and_publishes);
  ADD ("adopt/set-aside", test_adopt_of_what_was_set_aside);
  ADD ("names/long-are-stored-and-found", test_long_names_are_stored_and_found);
  ADD ("names/part-of-an-earlier-version",
      test_part_of_an_earlier_version_is_found);
  ADD ("names/too-long-is-refused", test_name_too_long_is_refused);
  ADD ("links/playlist", test_playlist_link_stays_and_its_target_is_written);
  ADD ("links/that-lead-nowhere",
      test_playlist_link_that_leads_nowhere_is_said);
  ADD ("links/removed", test_removed_link_is_a_playlists_target_or_itself);
  ADD ("links/segment", test_segment_link_is_not_followed);
  ADD ("full/loses-nothing", test_full_disk_loses_nothing);
  ADD ("part/read-while-open", test_open_part_is_read_wherever_its_bytes_are);
  ADD ("full/leaves-the-playlist-whole",
      test_full_disk_leaves_the_playlist_whole);
  ADD ("folder/that-is-a-file-is-said", test_folder_that_is_a_file_is_said);
  ADD ("copy/is-the-file", test_copy_is_the_file);
  ADD ("copy/from-memory", test_copy_from_memory_is_the_file);
  ADD ("copy/that-is-there", test_copy_that_is_there_is_stored);
  ADD ("copy/never-replaces-a-file", test_copy_never_replaces_a_file);
  g_test_add ("/local-store/copy/replaces-when-asked-to", Fixture,
      GINT_TO_POINTER (TRUE), set_up, test_copy_replaces_when_asked_to,
      tear_down);
  ADD ("copy/full-disk", test_copy_to_a_full_disk_waits_for_room);
  ADD ("copy/not-beside-itself", test_copy_is_not_made_beside_itself);
  ADD ("copy/of-nothing-is-lost", test_copy_of_nothing_is_lost);
  ADD ("stream/gets-the-playlist",
      test_stream_gets_the_playlist_and_files_the_rest);
  ADD ("claim/keeps-another-store-away", test_claim_keeps_another_store_away);
  ADD ("claim/of-what-a-crash-left-is-granted",
      test_claim_of_what_a_crash_left_is_granted);
  ADD ("claim/whose-file-was-removed-leaves-the-others",
      test_claim_whose_file_was_removed_leaves_the_others);
  ADD ("claim/of-another-user-is-respected",
      test_claim_of_another_user_is_respected);
  ADD ("claim/of-long-names-tells-them-apart",
      test_claim_of_long_names_tells_them_apart);
  ADD ("claim/is-taken-when-the-disk-is-back",
      test_claim_is_taken_when_the_disk_is_back);
  ADD ("claim/that-came-too-late-puts-nothing",
      test_claim_that_came_too_late_puts_nothing);
  ADD ("claim/in-a-folder-that-cannot-be-is-no-busy",
      test_claim_in_a_folder_that_cannot_be_is_no_busy);
  ADD ("claim/full-disk", test_claim_on_a_full_disk_is_made_up_for);
  ADD ("claim/read-only-disk", test_claim_on_a_read_only_disk_is_made_up_for);
  ADD ("lock/is-one-takers-at-a-time", test_lock_is_one_takers_at_a_time);
  return g_test_run ();
}
