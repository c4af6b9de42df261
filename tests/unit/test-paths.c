/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gio/gio.h>
#include <string.h>

#include "playlist/amspaths.h"
#include "playlist/amsplaylist.h"

/* ---- splitting ---- */

typedef struct
{
  const gchar *name;
  const gchar *location, *playlist_location;
  const gchar *root, *segment, *playlist; /* root NULL: refused */
} Split;

static const Split splits[] = {
  { "relative/as-written", "a/%05d.ts", "a/list.m3u8", ".", "a/%05d.ts",
      "a/list.m3u8" },
  { "relative-apart/as-written", "a/%d.ts", "b/l.m3u8", ".", "a/%d.ts",
      "b/l.m3u8" },
  { "absolute/common-folder", "/srv/cam/%d.ts", "/srv/cam/l.m3u8", "/srv/cam/",
      "%d.ts", "l.m3u8" },
  { "absolute-below/common-folder", "/srv/cam/x/%d.ts", "/srv/cam/l.m3u8",
      "/srv/cam/", "x/%d.ts", "l.m3u8" },
  { "alike-folders/whole-parts", "/srv/cam1/%d.ts", "/srv/cam2/l.m3u8", "/srv/",
      "cam1/%d.ts", "cam2/l.m3u8" },
  { "nothing-common/slash", "/a/%d.ts", "/b/l.m3u8", "/", "a/%d.ts",
      "b/l.m3u8" },
  { "template-folder/not-in-root", "/srv/{session:%Y}/%d.ts",
      "/srv/{session:%Y}/l.m3u8", "/srv/", "{session:%Y}/%d.ts",
      "{session:%Y}/l.m3u8" },
  { "doubled-percent/not-in-root", "/srv/50%%/%d.ts", "/srv/50%%/l.m3u8",
      "/srv/", "50%%/%d.ts", "50%%/l.m3u8" },
  { "parent/common-folder", "../rec/%d.ts", "../rec/l.m3u8", "../rec/", "%d.ts",
      "l.m3u8" },
  { "parent-inside/common-folder", "a/../b/%d.ts", "a/../b/l.m3u8", "a/../b/",
      "%d.ts", "l.m3u8" },
  { "absolute-parent/common-folder", "/a/../b/%d.ts", "/a/../b/l.m3u8",
      "/a/../b/", "%d.ts", "l.m3u8" },
  { "dots-in-name/as-written", "a..b/%d.ts", "..l.m3u8", ".", "a..b/%d.ts",
      "..l.m3u8" },
  { "mixed/refused", "/a/%d.ts", "l.m3u8", NULL },
  { "mixed-turned/refused", "%d.ts", "/a/l.m3u8", NULL },
  { "one-parent/refused", "../%d.ts", "l.m3u8", NULL },
  { "different-parents/refused", "../../%d.ts", "../l.m3u8", NULL },
  { "parent-behind-template/refused", "/a/{session:%Y}/../%d.ts", "/a/l.m3u8",
      NULL },
};

static void
test_split (gconstpointer data)
{
  const Split *t = data;
  const AmsPathsTemplates templates = { t->location, t->playlist_location };
  g_auto (AmsPaths) paths = { NULL };
  g_autoptr (GError) error = NULL;

  if (!t->root) {
    g_assert_false (ams_paths_split (&templates, &paths, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME);
    g_assert_null (paths.root);
    return;
  }
  g_assert_true (ams_paths_split (&templates, &paths, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (paths.root, ==, t->root);
  g_assert_cmpstr (paths.location, ==, t->segment);
  g_assert_cmpstr (paths.playlist, ==, t->playlist);
  g_assert_null (paths.multivariant);
}

/* The third template is not nearer to the root than the others are. */
static const struct
{
  const gchar *location, *playlist, *multivariant;
  const gchar *root, *name; /* NULL: refused */
} with_multivariant[] = {
  { "cam/%d.ts", "cam/l.m3u8", "l_adaptive.m3u8", ".", "l_adaptive.m3u8" },
  { "/rec/cam/%d.ts", "/rec/cam/l.m3u8", "/rec/cam/a.m3u8", "/rec/cam/",
      "a.m3u8" },
  { "/rec/cam/%d.ts", "/rec/cam/l.m3u8", "/rec/cam/all/a.m3u8", "/rec/cam/",
      "all/a.m3u8" },
  { "/rec/cam/%d.ts", "/rec/cam/l.m3u8", "/rec/a.m3u8" },
  { "/rec/cam/%d.ts", "/rec/cam/l.m3u8", "/rec/cam//l.m3u8" },
  { "/rec/cam/%d.ts", "/rec/cam/l.m3u8", "/rec/cam/x/../../a.m3u8" },
  { "../%d.ts", "../l.m3u8", "../a.m3u8", "../", "a.m3u8" },
  { "/rec/%d.ts", "/rec/l.m3u8", "a.m3u8" },
  { "%d.ts", "l.m3u8", "/rec/a.m3u8" },
  { "%d.ts", "l.m3u8", "../a.m3u8" },
};

static void
test_split_with_multivariant (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (with_multivariant); i++) {
    const AmsPathsTemplates templates = { with_multivariant[i].location,
      with_multivariant[i].playlist, with_multivariant[i].multivariant };
    g_auto (AmsPaths) paths = { NULL };
    g_autoptr (GError) error = NULL;
    gboolean ok = ams_paths_split (&templates, &paths, &error);

    g_assert_cmpint (ok, ==, with_multivariant[i].root != NULL);
    g_assert_cmpstr (paths.root, ==, with_multivariant[i].root);
    g_assert_cmpstr (paths.multivariant, ==, with_multivariant[i].name);
    g_assert_true (ok || strstr (error->message, "multivariant-location"));
  }
}

static void
test_escapes (void)
{
  g_assert_true (ams_paths_escapes ("/a"));
  g_assert_true (ams_paths_escapes (".."));
  g_assert_true (ams_paths_escapes ("a/../b"));
  g_assert_true (ams_paths_escapes ("a/.."));
  g_assert_false (ams_paths_escapes ("a/b"));
  g_assert_false (ams_paths_escapes ("..a/b.."));
}

/* ---- relative and hidden ---- */

typedef struct
{
  const gchar *name, *from, *to, *expected;
} Relative;

static const Relative relatives[] = {
  { "same-folder/base-name", "l.m3u8", "1.ts", "1.ts" },
  { "below/down", "a/l.m3u8", "a/b/1.ts", "b/1.ts" },
  { "above/up", "a/b/l.m3u8", "a/1.ts", "../1.ts" },
  { "beside/up-and-down", "a/b/l.m3u8", "a/c/d/1.ts", "../c/d/1.ts" },
  { "far/up-twice", "a/b/l.m3u8", "1.ts", "../../1.ts" },
  { "alike-folder/whole-parts", "cam1/l.m3u8", "cam10/1.ts", "../cam10/1.ts" },
  { "alike-name/whole-parts", "a/list", "a/list.ts", "list.ts" },
};

static void
test_relative (gconstpointer data)
{
  const Relative *t = data;
  g_autofree gchar *path = ams_paths_relative (t->from, t->to);

  g_assert_cmpstr (path, ==, t->expected);
}

/* Up to where the hidden name fits it says which file it belongs to, as it always did. */
static void
test_hidden_of_a_long_name_fits (void)
{
  for (guint length = 200; length <= 255; length++) {
    g_autofree gchar *base = g_strnfill (length, 'n');
    g_autofree gchar *name = g_strconcat ("a/", base, NULL);
    g_autofree gchar *other = g_strconcat ("a/", base + 1, "m", NULL);
    g_autofree gchar *plain = g_strconcat ("a/.", base, ".recording", NULL);
    g_autofree gchar *hidden = ams_paths_hidden (name, ".recording");
    g_autofree gchar *again = ams_paths_hidden (name, ".recording");
    g_autofree gchar *of_other = ams_paths_hidden (other, ".recording");

    g_assert_true (g_str_has_prefix (hidden, "a/."));
    g_assert_true (g_str_has_suffix (hidden, ".recording"));
    g_assert_cmpuint (strlen (hidden), <=, strlen ("a/") + 255);
    g_assert_cmpint (length <= 244, ==, g_str_equal (hidden, plain));
    g_assert_cmpstr (hidden, ==, again);
    g_assert_cmpstr (hidden, !=, of_other);
  }
}

static void
test_hidden (void)
{
  g_autofree gchar *below = ams_paths_hidden ("a/b/l.m3u8", ".recording");
  g_autofree gchar *top = ams_paths_hidden ("l.m3u8", ".journal");

  g_assert_cmpstr (below, ==, "a/b/.l.m3u8.recording");
  g_assert_cmpstr (top, ==, ".l.m3u8.journal");
}

/* ---- there and back ---- */

static const gchar *const names[] = {
  "1.ts",
  "with space.ts",
  "100%.ts",
  "100%25.ts",
  "%41.ts",
  "ümläut €.ts",
  "a:b.ts",
  "what?.ts",
  "a#b.ts",
  "a?b#c%d e.ts",
  "sub dir/ä:1.ts",
  "a/b/c/1.ts",
  "..a/b...ts",
  "~tilde'quote(1)&2=3+4;5,6@7!$*.ts",
  "\"<>\\^`{|}.ts",
};

static const gchar *const playlists[] = { "l.m3u8", "a/l.m3u8", "ü b/c/l.m3u8",
  "a:b/l.m3u8" };

static const gchar *const roots[] = { NULL, "", "http://cdn/x", "http://cdn/x/",
  "/live", "http://cdn/my dir", "http://cdn/ü?x=1/", "../up" };

static void
round_trip (const gchar *playlist, const gchar *root, const gchar *name)
{
  g_autofree gchar *relative = ams_paths_relative (playlist, name);
  g_autofree gchar *uri = ams_playlist_uri (root, relative);
  g_autofree gchar *back = ams_paths_name_of_uri (playlist, root, uri);

  g_assert_cmpstr (back, ==, name);
}

static void
test_round_trip (void)
{
  guint i, j, k;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    for (j = 0; j < G_N_ELEMENTS (playlists); j++)
      for (k = 0; k < G_N_ELEMENTS (roots); k++)
        round_trip (playlists[j], roots[k], names[i]);
}

typedef struct
{
  const gchar *name;
  const gchar *playlist, *root, *uri;
  const gchar *expected;
} Uri;

static const Uri uris[] = {
  { "query/dropped", "l.m3u8", NULL, "1.ts?token=a/b", "1.ts" },
  { "fragment/dropped", "l.m3u8", NULL, "1.ts#t=1", "1.ts" },
  { "dot/resolved", "a/l.m3u8", NULL, "./b/./1.ts", "a/b/1.ts" },
  { "parent/resolved", "a/l.m3u8", NULL, "../1.ts", "1.ts" },
  { "leads-out/none", "a/l.m3u8", NULL, "../../1.ts", NULL },
  { "leads-out-encoded/none", "l.m3u8", NULL, "%2e%2e/1.ts", NULL },
  { "leads-out-and-back/none", "l.m3u8", NULL, "../x/1.ts", NULL },
  { "absolute-path/none", "l.m3u8", NULL, "/1.ts", NULL },
  { "absolute/none", "l.m3u8", NULL, "http://cdn/1.ts", NULL },
  { "no-authority/none", "l.m3u8", NULL, "data:abc", NULL },
  { "nul/none", "l.m3u8", NULL, "a%00b.ts", NULL },
  { "broken-escape/none", "l.m3u8", NULL, "a%zz.ts", NULL },
  { "empty-path/none", "l.m3u8", NULL, "?x", NULL },
  { "folder-itself/none", "a/l.m3u8", NULL, "../", NULL },
  { "other-root/none", "l.m3u8", "http://a/", "http://b/1.ts", NULL },
  { "root-is-half-a-part/none", "l.m3u8", "http://cdn/x", "http://cdn/xyz/1.ts",
      NULL },
  { "root-missing/none", "l.m3u8", "http://cdn/", "1.ts", NULL },
  { "root-and-slash/none", "l.m3u8", "http://cdn/", "http://cdn//1.ts", NULL },
  { "colon-behind-root/name", "l.m3u8", "http://cdn/", "http://cdn/a:1.ts",
      "a:1.ts" },
};

static void
test_uri (gconstpointer data)
{
  const Uri *t = data;
  g_autofree gchar *name = ams_paths_name_of_uri (t->playlist, t->root, t->uri);

  g_assert_cmpstr (name, ==, t->expected);
}

#define ADD_TABLE(table, subject, func) \
  for (i = 0; i < G_N_ELEMENTS (table); i++) { \
    g_autofree gchar *path = g_strconcat (subject, table[i].name, NULL); \
    g_test_add_data_func (path, &table[i], func); \
  }

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  ADD_TABLE (splits, "/paths-split/", test_split);
  ADD_TABLE (relatives, "/paths-relative/", test_relative);
  ADD_TABLE (uris, "/paths-name-of-uri/", test_uri);
  g_test_add_func ("/paths-split/with-multivariant",
      test_split_with_multivariant);
  g_test_add_func ("/paths-escapes/any/told", test_escapes);
  g_test_add_func ("/paths-hidden/any/beside", test_hidden);
  g_test_add_func ("/paths-hidden/long/fits", test_hidden_of_a_long_name_fits);
  g_test_add_func ("/paths-name-of-uri/round-trip/same", test_round_trip);
  return g_test_run ();
}
