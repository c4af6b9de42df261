/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Names of segments that are found taken while a recording runs: the segment gets a free one, before any playlist
 * lists it, and nothing is lost. */

#include "config.h"

#include "amsfaultserver.h"
#include "hls-common.h"

#include <glib/gstdio.h>
#include <string.h>

#define FOLDER "/cam/"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsFaultServer, ams_fault_server_free)

static void
put_foreign (AmsFaultServer *server, guint number)
{
  g_autofree gchar *name = g_strdup_printf (FOLDER "s%05u.ts", number);

  ams_fault_server_put_object (server, name, "video/mp2t", "foreign", 7);
}

static void
assert_foreign (AmsFaultServer *server, guint number)
{
  g_autofree gchar *name = g_strdup_printf (FOLDER "s%05u.ts", number);
  g_autofree gchar *text = ams_fault_server_dup_text (server, name);

  g_assert_cmpstr (text, ==, "foreign");
}

static Hls *
new_recorder (AmsFaultServer *server, const gchar *write_files)
{
  g_autofree gchar *url = ams_fault_server_dup_url (server, FOLDER);
  GstElement *put = gst_element_factory_make ("amshttpput", NULL);
  Hls *hls = hls_new ();

  hls->expects_trouble = TRUE;
  gst_util_set_object_arg (G_OBJECT (hls->sink), "write-files", write_files);
  if (g_str_equal (write_files, "never"))
    g_object_set (hls->sink, "location", "s%05d.ts", "playlist-location",
        "p.m3u8", NULL);
  g_object_set (put, "location", url, "proxy", "", NULL);
  gst_bin_add (GST_BIN (hls->pipeline), put);
  g_assert_true (gst_element_link_pads (hls->sink, "src", put, "sink"));
  hls_add_video (hls, NULL);
  return hls;
}

/* All that is listed is there, and is no other's. */
static HlsPlaylist *
check_server (AmsFaultServer *server, guint segments)
{
  g_autofree gchar *text = ams_fault_server_dup_text (server, FOLDER "p.m3u8");
  g_autofree gchar *problems = ams_fault_server_dup_problems (server);
  HlsPlaylist *playlist = hls_playlist_parse (text);

  g_assert_cmpstr (problems, ==, NULL);
  g_assert_null (strstr (text, "EXT-X-GAP"));
  g_assert_cmpuint (playlist->segments->len, ==, segments);
  for (guint i = 0; i < segments; i++) {
    g_autofree gchar *name =
        g_strconcat (FOLDER, hls_segment (playlist, i)->uri, NULL);
    g_autoptr (GBytes) data = ams_fault_server_dup_object (server, name);

    g_assert_nonnull (data);
    g_assert_cmpuint (g_bytes_get_size (data), >, 188);
  }
  return playlist;
}

static void
test_name_taken_at_the_server_gets_another (gconstpointer write_files)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Hls) hls = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  for (guint i = 2; i < 5; i++)
    put_foreign (server, i);
  hls = new_recorder (server, write_files);
  hls_record (hls, 12 * GST_SECOND);
  playlist = check_server (server, 6);
  for (guint i = 2; i < 5; i++)
    assert_foreign (server, i);
  hls_assert_one (hls, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_WRITE, "is another file already", "nothing is lost",
      NULL);
}

static void
test_name_taken_at_the_server_is_the_same_on_disk (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Hls) hls = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL, local = NULL;

  put_foreign (server, 1);
  hls = new_recorder (server, "always");
  hls_record (hls, 8 * GST_SECOND);
  playlist = check_server (server, 4);
  local = hls_check (hls);
  g_assert_cmpuint (local->segments->len, ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpstr (hls_segment (local, i)->uri, ==,
        hls_segment (playlist, i)->uri);
  /* The next session goes on from it. */
  hls_record (hls, 4 * GST_SECOND);
  g_clear_pointer (&local, hls_playlist_free);
  local = hls_check (hls);
  g_assert_cmpuint (local->segments->len, ==, 6);
  assert_foreign (server, 1);
}

static void
test_name_taken_on_disk_gets_another (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *path = hls_path (hls, "s00002.ts");
  g_autofree gchar *text = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls->expects_trouble = TRUE;
  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, 2 * GST_SECOND);
  gst_message_unref (
      hls_wait (hls, GST_MESSAGE_ELEMENT, "ams-recording-started", 1));
  g_assert_true (g_file_set_contents (path, "foreign", 7, NULL));
  hls_push_until (hls, 8 * GST_SECOND);
  hls_eos (hls);
  hls_stop (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpstr (hls_segment (playlist, i)->uri, !=, "s00002.ts");
  text = hls_read (path);
  g_assert_cmpstr (text, ==, "foreign");
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
  g_test_add_data_func ("/hls/rename/server/always", "always",
      test_name_taken_at_the_server_gets_another);
  g_test_add_data_func ("/hls/rename/server/never", "never",
      test_name_taken_at_the_server_gets_another);
#define ADD(path, name) hls_test_add ("/hls/rename/" path, test_##name)
  ADD ("server/disk", name_taken_at_the_server_is_the_same_on_disk);
  ADD ("disk", name_taken_on_disk_gets_another);
  return g_test_run ();
}
