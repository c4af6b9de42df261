/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3key.h"

#include <string.h>

#include "transfer/amsstore.h"

#define MIN_BUCKET 3
#define MAX_BUCKET 255
#define MAX_DNS_BUCKET 63
#define URI_SCHEME "s3://"

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError **error, const gchar *format, ...)
{
  va_list args;
  g_autofree gchar *text = NULL;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0, "%s", text));
  return FALSE;
}

/* Buckets */

static gboolean
is_bucket_char (gchar c)
{
  return g_ascii_isalnum (c) || c == '-' || c == '.' || c == '_';
}

gboolean
ams_s3_bucket_check (const gchar *bucket, GError **error)
{
  const gchar *p;

  if (!g_utf8_validate (bucket, -1, NULL))
    return refuse (error, "The name of the bucket is not UTF-8. Check it.");
  if (g_str_has_prefix (bucket, "arn:"))
    return refuse (error,
        "“%s” is an ARN. Give the alias of the access point as bucket "
        "(it ends in “-s3alias”).",
        bucket);
  if (ams_s3_is_uri (bucket) || strchr (bucket, '/') != NULL)
    return refuse (error,
        "“%s” is not the name of a bucket. Give the name alone as bucket, "
        "and what comes behind it as key-prefix.",
        bucket);
  for (p = bucket; is_bucket_char (*p); p++)
    ;
  if (*p != '\0' || p - bucket < MIN_BUCKET || p - bucket > MAX_BUCKET ||
      !g_ascii_isalnum (*bucket))
    return refuse (error,
        "“%s” cannot be the name of a bucket. Names have 3 to 63 lower-case "
        "letters, digits, hyphens and dots.",
        bucket);
  return TRUE;
}

static gboolean
is_label_end (gchar c)
{
  return g_ascii_islower (c) || g_ascii_isdigit (c);
}

gboolean
ams_s3_bucket_is_dns (const gchar *bucket)
{
  gsize length = strlen (bucket), i;

  if (length < MIN_BUCKET || length > MAX_DNS_BUCKET ||
      !is_label_end (bucket[0]) || !is_label_end (bucket[length - 1]) ||
      g_hostname_is_ip_address (bucket))
    return FALSE;
  for (i = 1; i < length; i++) {
    gboolean edge = bucket[i] == '.' || bucket[i - 1] == '.';

    if (!is_label_end (bucket[i]) && bucket[i] != '-' && bucket[i] != '.')
      return FALSE;
    /* No empty label, and none that begins or ends with "-". */
    if (edge && !is_label_end (bucket[i]) && !is_label_end (bucket[i - 1]))
      return FALSE;
  }
  return TRUE;
}

/* Keys */

static gboolean
has_dots (const gchar *key)
{
  g_auto (GStrv) parts = g_strsplit (key, "/", -1);

  return g_strv_contains ((const gchar *const *) parts, ".") ||
      g_strv_contains ((const gchar *const *) parts, "..");
}

static gboolean
has_control (const gchar *key)
{
  for (; *key != '\0'; key = g_utf8_next_char (key)) {
    if (g_unichar_iscntrl (g_utf8_get_char (key)))
      return TRUE;
  }
  return FALSE;
}

/* @what: “The key”, “key-prefix” */
static gboolean
check_key (const gchar *what, const gchar *key, GError **error)
{
  if (!g_utf8_validate (key, -1, NULL))
    return refuse (error, "%s is not UTF-8. Choose another name.", what);
  if (has_control (key))
    return refuse (error,
        "%s has control characters in it. Choose another name.", what);
  if (strlen (key) > AMS_S3_MAX_KEY)
    return refuse (error,
        "%s has %" G_GSIZE_FORMAT " bytes, S3 takes %d: “%.*s…”. Choose a "
        "shorter prefix or name.",
        what, strlen (key), AMS_S3_MAX_KEY,
        (gint) (g_utf8_offset_to_pointer (key, 60) - key), key);
  if (*key == '/')
    return refuse (error,
        "%s “%s” begins with “/”, which would be a folder without a name. "
        "Leave it out.",
        what, key);
  if (has_dots (key))
    return refuse (error,
        "%s “%s” has “.” or “..” as a folder in it, which not every tool can "
        "read back. Choose another name.",
        what, key);
  return TRUE;
}

gboolean
ams_s3_prefix_check (const gchar *prefix, GError **error)
{
  return check_key ("key-prefix", prefix, error);
}

gchar *
ams_s3_key_new (const gchar *prefix, const gchar *name, GError **error)
{
  g_autofree gchar *key =
      g_strconcat (prefix != NULL ? prefix : "", name, NULL);

  if (*key == '\0') {
    refuse (error, "The key is empty. Give the file a name.");
    return NULL;
  }
  if (!check_key ("The key", key, error))
    return NULL;
  return g_steal_pointer (&key);
}

/* s3://bucket/key */

gboolean
ams_s3_is_uri (const gchar *text)
{
  return g_ascii_strncasecmp (text, URI_SCHEME, strlen (URI_SCHEME)) == 0;
}

gboolean
ams_s3_uri_parse (const gchar *text, gchar **bucket, gchar **key,
    GError **error)
{
  const gchar *rest = text + strlen (URI_SCHEME);
  g_autofree gchar *name = NULL;

  if (!ams_s3_is_uri (text))
    return refuse (error, "That is no S3 URI. Write s3://BUCKET/KEY.");
  name = g_strndup (rest, strcspn (rest, "/"));
  /* A user and password: not shown. */
  if (strchr (name, '@') != NULL)
    return refuse (error,
        "An S3 URI takes no access key. Write s3://BUCKET/KEY, and give "
        "access-key and secret-access-key.");
  if (!ams_s3_bucket_check (name, error))
    return FALSE;
  rest += strlen (name);
  if (*rest == '/')
    rest++;
  if (!check_key ("The key", rest, error))
    return FALSE;
  *bucket = g_steal_pointer (&name);
  *key = g_strdup (rest);
  return TRUE;
}
