/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "auth.h"

#include <string.h>

#define DIGEST_SIZE 32
#define BASIC "Basic "
#define BEARER "Bearer "

struct _HlsUploadAuth
{
  /* (element-type GBytes): SHA-256 of USER:PASSWORD, of tokens */
  GPtrArray *users, *tokens; /* nullable */
  gchar *challenge;
};

static GBytes *
digest_of (const gchar *secret)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[DIGEST_SIZE];
  gsize size = sizeof digest;

  g_checksum_update (sum, (const guchar *) secret, strlen (secret));
  g_checksum_get_digest (sum, digest, &size);
  return g_bytes_new (digest, size);
}

static gboolean
is_same (GBytes *a, GBytes *b)
{
  const guint8 *left = g_bytes_get_data (a, NULL);
  const guint8 *right = g_bytes_get_data (b, NULL);
  guint8 difference = 0;

  for (guint i = 0; i < DIGEST_SIZE; i++)
    difference |= left[i] ^ right[i];
  return difference == 0;
}

/* All are looked at. */
static gboolean
is_among (GPtrArray *digests, const gchar *secret)
{
  g_autoptr (GBytes) digest = digest_of (secret);
  gboolean found = FALSE;

  for (guint i = 0; digests && i < digests->len; i++)
    found |= is_same (digest, g_ptr_array_index (digests, i));
  return found;
}

static gboolean
allows_basic (const HlsUploadAuth *self, const gchar *encoded)
{
  gsize size;
  g_autofree guchar *decoded = g_base64_decode (encoded, &size);
  g_autofree gchar *text = g_strndup ((const gchar *) decoded, size);
  gboolean allowed = strlen (text) == size && is_among (self->users, text);

  explicit_bzero (decoded, size);
  explicit_bzero (text, strlen (text));
  return allowed;
}

gboolean
hls_upload_auth_allows (const HlsUploadAuth *self, const gchar *authorization)
{
  if (!self->challenge)
    return TRUE;
  if (!authorization)
    return FALSE;
  if (g_ascii_strncasecmp (authorization, BASIC, strlen (BASIC)) == 0)
    return allows_basic (self, authorization + strlen (BASIC));
  return g_ascii_strncasecmp (authorization, BEARER, strlen (BEARER)) == 0 &&
      is_among (self->tokens, authorization + strlen (BEARER));
}

const gchar *
hls_upload_auth_get_challenge (const HlsUploadAuth *self)
{
  return self->challenge;
}

/* Reading */

static GPtrArray *
parse (gchar *text, gboolean users, const gchar *file, GError **error)
{
  g_autoptr (GPtrArray) digests =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  gchar *line;
  guint number = 0;

  while ((line = strsep (&text, "\n"))) {
    number++;
    g_strchomp (line);
    if (!*line || *line == '#')
      continue;
    if (users && (line[0] == ':' || !strchr (line, ':'))) {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
          "Line %u of “%s” is not USER:PASSWORD: write it so.", number, file);
      return NULL;
    }
    g_ptr_array_add (digests, digest_of (line));
  }
  if (digests->len > 0)
    return g_steal_pointer (&digests);
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
      "“%s” is empty: nobody could upload.", file);
  return NULL;
}

static GPtrArray *
read_file (const gchar *file, gboolean users, GError **error)
{
  g_autofree gchar *text = NULL;
  GPtrArray *digests;
  gsize size;

  if (!g_file_get_contents (file, &text, &size, error))
    return NULL;
  digests = parse (text, users, file, error);
  explicit_bzero (text, size);
  return digests;
}

HlsUploadAuth *
hls_upload_auth_new (const gchar *basic_file, const gchar *token_file,
    GError **error)
{
  g_autoptr (HlsUploadAuth) self = g_new0 (HlsUploadAuth, 1);

  if (basic_file && !(self->users = read_file (basic_file, TRUE, error)))
    return NULL;
  if (token_file && !(self->tokens = read_file (token_file, FALSE, error)))
    return NULL;
  if (basic_file || token_file)
    self->challenge = g_strdup_printf ("%s%s%s",
        basic_file ? "Basic realm=\"hls-upload\", charset=\"UTF-8\"" : "",
        basic_file && token_file ? ", " : "",
        token_file ? "Bearer realm=\"hls-upload\"" : "");
  return g_steal_pointer (&self);
}

void
hls_upload_auth_free (HlsUploadAuth *self)
{
  g_clear_pointer (&self->users, g_ptr_array_unref);
  g_clear_pointer (&self->tokens, g_ptr_array_unref);
  g_free (self->challenge);
  g_free (self);
}
