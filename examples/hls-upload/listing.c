/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "listing.h"

#include "names.h"

#include <string.h>

struct _HlsUploadListing
{
  HlsUploadNamed named;
  gpointer user_data;
  GString *name; /* the playlist's folder, and behind it a name in it */
  gsize folder; /* so much of that is the folder, with its slash */
  GString *line; /* the first part of one whose end has not come */
  gboolean gap; /* the next file is not there */
  gboolean enough;
};

HlsUploadListing *
hls_upload_listing_new (const gchar *name, HlsUploadNamed named,
    gpointer user_data)
{
  HlsUploadListing *self = g_new0 (HlsUploadListing, 1);
  const gchar *slash = strrchr (name, '/');

  self->named = named;
  self->user_data = user_data;
  self->folder = slash ? slash + 1 - name : 0;
  self->name = g_string_new_len (name, self->folder);
  self->line = g_string_new (NULL);
  return self;
}

void
hls_upload_listing_free (HlsUploadListing *self)
{
  g_string_free (self->name, TRUE);
  g_string_free (self->line, TRUE);
  g_free (self);
}

/* Names */

/* It is a name as it stands: nothing is encoded, no part is empty, “.” or “..”. */
static gboolean
is_plain (const gchar *path)
{
  return path[0] != '.' && !strchr (path, '%') && !strstr (path, "//") &&
      !strstr (path, "/.");
}

/* As a player resolves it against the playlist's own URL. */
static gchar *
canonicalize (const gchar *folder, const gchar *path)
{
  g_autofree gchar *decoded = g_uri_unescape_string (path, NULL);
  g_autofree gchar *joined = NULL, *canonical = NULL;

  if (!decoded)
    return NULL;
  joined = g_strconcat ("/", folder, decoded, NULL);
  canonical = g_canonicalize_filename (joined, "/");
  return g_strdup (canonical + 1);
}

static void
say (HlsUploadListing *self, const gchar *name)
{
  self->enough = self->enough || !self->named (name, self->user_data);
}

/* @reference is changed. */
static void
add (HlsUploadListing *self, gchar *reference)
{
  g_autofree gchar *name = NULL;

  if (reference[0] == '/' || strstr (reference, "://"))
    return;
  reference[strcspn (reference, "?#")] = '\0';
  if (reference[0] == '\0')
    return;
  g_string_truncate (self->name, self->folder);
  if (is_plain (reference)) {
    g_string_append (self->name, reference);
    say (self, self->name->str);
    return;
  }
  name = canonicalize (self->name->str, reference);
  if (name)
    say (self, name);
}

/* Tags */

/* A player knows of these that they are not there. */
static gboolean
is_absent (const gchar *tag)
{
  return g_str_has_prefix (tag, "#EXT-X-PRELOAD-HINT") ||
      (g_str_has_prefix (tag, "#EXT-X-PART:") && strstr (tag, "GAP=YES"));
}

static void
read_tag (HlsUploadListing *self, gchar *tag)
{
  gchar *uri = strstr (tag, "URI=\"");

  self->gap = self->gap || strcmp (tag, "#EXT-X-GAP") == 0;
  if (!uri || is_absent (tag))
    return;
  uri += strlen ("URI=\"");
  uri[strcspn (uri, "\"")] = '\0';
  add (self, uri);
}

/* Lines */

static void
read_line (HlsUploadListing *self, gchar *line)
{
  line = g_strstrip (line);
  if (line[0] == '#') {
    read_tag (self, line);
  } else if (line[0] != '\0') {
    if (!self->gap)
      add (self, line);
    self->gap = FALSE;
  }
}

static void
read_kept (HlsUploadListing *self)
{
  read_line (self, self->line->str);
  g_string_truncate (self->line, 0);
}

static gboolean
keep (HlsUploadListing *self, const gchar *text, gsize size, GError **error)
{
  g_string_append_len (self->line, text, size);
  if (self->line->len <= HLS_UPLOAD_MAX_LINE)
    return TRUE;
  g_set_error (error, HLS_UPLOAD_ERROR, 400,
      "A line of the playlist has more than %d bytes: check what wrote it.",
      HLS_UPLOAD_MAX_LINE);
  return FALSE;
}

gboolean
hls_upload_listing_read (HlsUploadListing *self, gchar *text, gsize size,
    GError **error)
{
  gchar *end = text + size, *newline;

  while (!self->enough && (newline = memchr (text, '\n', end - text))) {
    *newline = '\0';
    if (self->line->len == 0) {
      read_line (self, text);
    } else {
      if (!keep (self, text, newline - text, error))
        return FALSE;
      read_kept (self);
    }
    text = newline + 1;
  }
  return self->enough || keep (self, text, end - text, error);
}

void
hls_upload_listing_end (HlsUploadListing *self)
{
  if (!self->enough)
    read_kept (self);
}
