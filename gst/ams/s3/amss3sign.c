/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3sign.h"

#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"
#define DAY_LENGTH 8 /* YYYYMMDD */

struct _AmsS3Signer
{
  gchar *scope; /* day and region */
  gchar *secret_key;
  guint8 key[AMS_S3_KEY_SIZE];
};

void
ams_s3_secret_free (gchar *text)
{
  if (text != NULL)
    explicit_bzero (text, strlen (text));
  g_free (text);
}

/* Encoding */

static gboolean
is_unreserved (gchar c)
{
  return g_ascii_isalnum (c) || c == '-' || c == '_' || c == '.' || c == '~';
}

static void
append_encoded (GString *out, gchar c, gboolean keep_slash)
{
  if (is_unreserved (c) || (c == '/' && keep_slash))
    g_string_append_c (out, c);
  else
    g_string_append_printf (out, "%%%02X", (guint8) c);
}

gchar *
ams_s3_encode (const gchar *text, gboolean keep_slash)
{
  GString *out = g_string_sized_new (strlen (text) + 16);

  for (; *text != '\0'; text++)
    append_encoded (out, *text, keep_slash);
  return g_string_free (out, FALSE);
}

/* What a server does: it decodes once and encodes again. */
static gchar *
recode (const gchar *text, gsize length, gboolean keep_slash)
{
  GString *out = g_string_sized_new (length + 16);
  gsize i;

  for (i = 0; i < length; i++) {
    if (text[i] == '%' && i + 2 < length && g_ascii_isxdigit (text[i + 1]) &&
        g_ascii_isxdigit (text[i + 2])) {
      /* An encoded slash stays one: it is part of a name. */
      append_encoded (out,
          g_ascii_xdigit_value (text[i + 1]) << 4 |
              g_ascii_xdigit_value (text[i + 2]),
          keep_slash);
      i += 2;
    } else {
      append_encoded (out, text[i], keep_slash);
    }
  }
  return g_string_free (out, FALSE);
}

/* Canonical request */

gchar *
ams_s3_canonical_path (const gchar *path)
{
  if (*path == '\0')
    return g_strdup ("/");
  return recode (path, strlen (path), TRUE);
}

typedef struct
{
  gchar *name, *value;
} Pair;

static void
clear_pair (gpointer data)
{
  Pair *pair = data;

  g_free (pair->name);
  g_free (pair->value);
}

static gint
compare_pairs (gconstpointer a, gconstpointer b)
{
  const Pair *one = a, *two = b;
  gint order = strcmp (one->name, two->name);

  return order != 0 ? order : strcmp (one->value, two->value);
}

static GArray *
new_pairs (void)
{
  GArray *pairs = g_array_new (FALSE, FALSE, sizeof (Pair));

  g_array_set_clear_func (pairs, clear_pair);
  return pairs;
}

static gchar *
join_pairs (GArray *pairs)
{
  GString *out = g_string_new (NULL);
  guint i;

  g_array_sort (pairs, compare_pairs);
  for (i = 0; i < pairs->len; i++) {
    const Pair *pair = &g_array_index (pairs, Pair, i);

    g_string_append_printf (out, "%s%s=%s", i > 0 ? "&" : "", pair->name,
        pair->value);
  }
  return g_string_free (out, FALSE);
}

gchar *
ams_s3_query (const gchar *const *pairs)
{
  g_autoptr (GArray) encoded = new_pairs ();

  for (; pairs[0] != NULL; pairs += 2) {
    Pair pair = { ams_s3_encode (pairs[0], FALSE),
      ams_s3_encode (pairs[1], FALSE) };

    g_array_append_val (encoded, pair);
  }
  return join_pairs (encoded);
}

static Pair
recode_pair (const gchar *part)
{
  const gchar *equals = strchrnul (part, '=');
  const gchar *value = *equals == '=' ? equals + 1 : equals;
  Pair pair = { recode (part, equals - part, FALSE),
    recode (value, strlen (value), FALSE) };

  return pair;
}

gchar *
ams_s3_canonical_query (const gchar *query)
{
  g_auto (GStrv) parts = g_strsplit (query != NULL ? query : "", "&", -1);
  g_autoptr (GArray) pairs = new_pairs ();
  guint i;

  for (i = 0; parts[i] != NULL; i++) {
    Pair pair;

    if (*parts[i] == '\0')
      continue;
    pair = recode_pair (parts[i]);
    g_array_append_val (pairs, pair);
  }
  return join_pairs (pairs);
}

gboolean
ams_s3_header_is_signed (const gchar *name)
{
  static const gchar *const names[] = { "host", "content-type", "content-md5",
    "cache-control", "if-none-match" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    if (g_ascii_strcasecmp (name, names[i]) == 0)
      return TRUE;
  }
  return g_ascii_strncasecmp (name, "x-amz-", 6) == 0;
}

/* Trimmed, and blanks within as one space. */
static gchar *
clean_value (const gchar *value)
{
  GString *out = g_string_new (NULL);

  for (; *value != '\0'; value++) {
    if (*value != ' ' && *value != '\t')
      g_string_append_c (out, *value);
    else if (out->len > 0 && out->str[out->len - 1] != ' ')
      g_string_append_c (out, ' ');
  }
  if (out->len > 0 && out->str[out->len - 1] == ' ')
    g_string_truncate (out, out->len - 1);
  return g_string_free (out, FALSE);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Pair *) a)->name, ((const Pair *) b)->name);
}

/* By name, not by line: "a-b:" sorts before "a:" as a line. Merge sort, as
 * g_array_sort() is documented to be stable: duplicates stay in their order. */
static GArray *
sort_headers (const AmsS3SignRequest *request)
{
  GArray *pairs = new_pairs ();
  gsize i;

  for (i = 0; i < request->n_headers; i++) {
    Pair pair = { g_ascii_strdown (request->headers[i].name, -1),
      clean_value (request->headers[i].value) };

    g_array_append_val (pairs, pair);
  }
  g_array_sort (pairs, compare_names);
  return pairs;
}

static gchar *
canonical_headers (const AmsS3SignRequest *request, GString *names)
{
  g_autoptr (GArray) pairs = sort_headers (request);
  GString *lines = g_string_new (NULL);
  guint i;

  for (i = 0; i < pairs->len; i++) {
    const Pair *pair = &g_array_index (pairs, Pair, i);

    if (i > 0 && compare_names (pair - 1, pair) == 0) {
      g_string_append_printf (lines, ",%s", pair->value);
      continue;
    }
    g_string_append_printf (names, "%s%s", i > 0 ? ";" : "", pair->name);
    g_string_append_printf (lines, "%s%s:%s", i > 0 ? "\n" : "", pair->name,
        pair->value);
  }
  g_string_append_c (lines, '\n');
  return g_string_free (lines, FALSE);
}

gchar *
ams_s3_canonical_request (const AmsS3SignRequest *request, gchar **names)
{
  g_autoptr (GString) signed_names = g_string_new (NULL);
  g_autofree gchar *path = ams_s3_canonical_path (request->path);
  g_autofree gchar *query = ams_s3_canonical_query (request->query);
  g_autofree gchar *headers = canonical_headers (request, signed_names);
  gchar *text = g_strjoin ("\n", request->method, path, query, headers,
      signed_names->str, request->payload_hash, NULL);

  if (names != NULL)
    *names = g_strdup (signed_names->str);
  return text;
}

/* String to sign */

gchar *
ams_s3_date (gint64 now)
{
  g_autoptr (GDateTime) date =
      g_date_time_new_from_unix_utc (now / G_USEC_PER_SEC);

  return g_date_time_format (date, "%Y%m%dT%H%M%SZ");
}

gchar *
ams_s3_scope (const gchar *date, const gchar *region)
{
  return g_strdup_printf ("%.*s/%s/s3/" TERMINATOR, DAY_LENGTH, date, region);
}

gchar *
ams_s3_string_to_sign (const gchar *date, const gchar *scope,
    const gchar *canonical_request)
{
  g_autofree gchar *hash =
      g_compute_checksum_for_string (G_CHECKSUM_SHA256, canonical_request, -1);

  return g_strjoin ("\n", ALGORITHM, date, scope, hash, NULL);
}

/* Signature */

static void
hmac (const guint8 *key, gsize key_size, const gchar *data, gssize length,
    guint8 out[AMS_S3_KEY_SIZE])
{
  g_autoptr (GHmac) context = g_hmac_new (G_CHECKSUM_SHA256, key, key_size);
  gsize size = AMS_S3_KEY_SIZE;

  g_hmac_update (context, (const guchar *) data, length);
  g_hmac_get_digest (context, out, &size);
}

/* The scope's parts, one after the other: day, region, service, terminator. */
void
ams_s3_signing_key (const gchar *secret_key, const gchar *scope,
    guint8 key[AMS_S3_KEY_SIZE])
{
  gchar *first = g_strconcat ("AWS4", secret_key, NULL);
  const gchar *part = scope;
  gsize length = strcspn (part, "/");

  hmac ((const guint8 *) first, strlen (first), part, length, key);
  ams_s3_secret_free (first);
  while (part[length] == '/') {
    part += length + 1;
    length = strcspn (part, "/");
    hmac (key, AMS_S3_KEY_SIZE, part, length, key);
  }
}

gchar *
ams_s3_signature (const guint8 key[AMS_S3_KEY_SIZE],
    const gchar *string_to_sign)
{
  return g_compute_hmac_for_string (G_CHECKSUM_SHA256, key, AMS_S3_KEY_SIZE,
      string_to_sign, -1);
}

/* The whole */

AmsS3Signer *
ams_s3_signer_new (void)
{
  return g_new0 (AmsS3Signer, 1);
}

void
ams_s3_signer_free (AmsS3Signer *signer)
{
  g_free (signer->scope);
  ams_s3_secret_free (signer->secret_key);
  explicit_bzero (signer->key, sizeof signer->key);
  g_free (signer);
}

static void
update_key (AmsS3Signer *signer, const gchar *secret_key, const gchar *scope)
{
  if (g_strcmp0 (signer->scope, scope) == 0 &&
      g_strcmp0 (signer->secret_key, secret_key) == 0)
    return;
  g_free (signer->scope);
  ams_s3_secret_free (signer->secret_key);
  signer->scope = g_strdup (scope);
  signer->secret_key = g_strdup (secret_key);
  ams_s3_signing_key (secret_key, scope, signer->key);
}

gchar *
ams_s3_signer_authorize (AmsS3Signer *signer, const AmsS3SignKeys *keys,
    const gchar *date, const AmsS3SignRequest *request)
{
  g_autofree gchar *names = NULL;
  g_autofree gchar *canonical = ams_s3_canonical_request (request, &names);
  g_autofree gchar *scope = ams_s3_scope (date, keys->region);
  g_autofree gchar *text = ams_s3_string_to_sign (date, scope, canonical);
  g_autofree gchar *signature = NULL;

  update_key (signer, keys->secret_key, scope);
  signature = ams_s3_signature (signer->key, text);
  return g_strdup_printf (ALGORITHM " Credential=%s/%s,SignedHeaders=%s,"
                                    "Signature=%s",
      keys->access_key, scope, names, signature);
}
