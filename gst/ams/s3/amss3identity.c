/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3identity.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "s3/amss3sign.h"
#include "s3/amss3xml.h"
#include "transfer/amsstore.h"

#define MAX_ANSWER (64 * 1024)

AmsS3Identity *
ams_s3_identity_new (const gchar *access_key, const gchar *secret_key,
    const gchar *session_token, gint64 expires, const gchar *source)
{
  AmsS3Identity *identity = g_atomic_rc_box_new0 (AmsS3Identity);

  identity->access_key = g_strdup (access_key);
  identity->secret_key = g_strdup (secret_key);
  if (session_token != NULL && *session_token != '\0')
    identity->session_token = g_strdup (session_token);
  identity->expires = expires;
  identity->source = g_strdup (source);
  return identity;
}

AmsS3Identity *
ams_s3_identity_ref (AmsS3Identity *identity)
{
  return g_atomic_rc_box_acquire (identity);
}

static void
clear_identity (gpointer data)
{
  AmsS3Identity *identity = data;

  g_free (identity->access_key);
  ams_s3_secret_free (identity->secret_key);
  ams_s3_secret_free (identity->session_token);
  g_free (identity->source);
}

void
ams_s3_identity_unref (AmsS3Identity *identity)
{
  g_atomic_rc_box_release_full (identity, clear_identity);
}

static gboolean
is_visible (const gchar *text)
{
  for (; *text != '\0'; text++) {
    if (!g_ascii_isgraph (*text))
      return FALSE;
  }
  return TRUE;
}

gboolean
ams_s3_identity_check (const AmsS3Identity *identity, GError **error)
{
  const gchar *wrong = NULL;

  if (*identity->access_key == '\0')
    wrong = "The access key is empty";
  else if (*identity->secret_key == '\0')
    wrong = "The secret access key is empty";
  else if (!is_visible (identity->access_key) ||
      strpbrk (identity->access_key, ",/") != NULL)
    wrong = "The access key has characters in it that none has";
  else if (!is_visible (identity->secret_key))
    wrong = "The secret access key has characters in it that none has";
  else if (identity->session_token && !is_visible (identity->session_token))
    wrong = "The session token has characters in it that none has";
  if (wrong == NULL)
    return TRUE;
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
          "%s (from %s). Give it as the provider shows it.", wrong,
          identity->source));
  return FALSE;
}

static GError *
bad_answer (const gchar *source, const gchar *what)
{
  return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
      "The answer of %s has no credentials in it: %s.", source, what);
}

/* @text: nullable. FALSE: it is no date. */
static gboolean
parse_expiry (const gchar *text, gint64 *expires)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) date = NULL;

  *expires = G_MAXINT64;
  if (text == NULL || *text == '\0')
    return TRUE;
  date = g_date_time_new_from_iso8601 (text, utc);
  if (date == NULL)
    return FALSE;
  *expires = g_date_time_to_unix (date) * G_USEC_PER_SEC;
  return TRUE;
}

/* All but @source nullable. */
static AmsS3Identity *
make_identity (const gchar *access_key, const gchar *secret_key,
    const gchar *token, const gchar *expiry, const gchar *source,
    GError **error)
{
  g_autoptr (AmsS3Identity) identity = NULL;
  gint64 expires;

  if (access_key == NULL || secret_key == NULL) {
    g_propagate_error (error,
        bad_answer (source, "AccessKeyId or SecretAccessKey is missing"));
    return NULL;
  }
  if (!parse_expiry (expiry, &expires)) {
    g_propagate_error (error, bad_answer (source, "Expiration is not a date"));
    return NULL;
  }
  identity =
      ams_s3_identity_new (access_key, secret_key, token, expires, source);
  if (!ams_s3_identity_check (identity, error))
    return NULL;
  return g_steal_pointer (&identity);
}

/* JSON */

/* NULL: there is none, or it is no text. */
static const gchar *
get_text (JsonObject *object, const gchar *name)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node) ||
      json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  return json_node_get_string (node);
}

static AmsS3Identity *
read_object (JsonObject *object, const gchar *source, GError **error)
{
  const gchar *code = get_text (object, "Code");
  const gchar *token = get_text (object, "Token");

  /* The machine's service answers 200 and says here that it failed. */
  if (code != NULL && !g_str_equal (code, "Success")) {
    g_propagate_error (error, bad_answer (source, "it says that it failed"));
    return NULL;
  }
  return make_identity (get_text (object, "AccessKeyId"),
      get_text (object, "SecretAccessKey"),
      token != NULL ? token : get_text (object, "SessionToken"),
      get_text (object, "Expiration"), source, error);
}

/* JSON-GLib's parser recurses: so deep no answer is. */
static gboolean
is_flat (const gchar *text, gsize size)
{
  guint depth = 0;
  gsize i;

  for (i = 0; i < size; i++) {
    if (text[i] == '{' || text[i] == '[')
      depth++;
  }
  return depth <= 100;
}

AmsS3Identity *
ams_s3_identity_parse_json (GBytes *json, const gchar *source, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  gsize size;
  const gchar *text = g_bytes_get_data (json, &size);
  JsonNode *root;

  /* The parser's own errors quote the text. */
  if (size > 0 && size <= MAX_ANSWER && is_flat (text, size) &&
      json_parser_load_from_data (parser, text, size, NULL)) {
    root = json_parser_get_root (parser);
    if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
      return read_object (json_node_get_object (root), source, error);
  }
  g_propagate_error (error, bad_answer (source, "it is not JSON"));
  return NULL;
}

/* STS */

typedef struct
{
  gchar *access_key, *secret_key, *token, *expiry;
} StsReader;

static void
on_sts_element (const gchar *path, const gchar *text, gpointer user_data)
{
  StsReader *reader = user_data;
  const struct
  {
    const gchar *name;
    gchar **to;
  } fields[] = { { "/AccessKeyId", &reader->access_key },
    { "/SecretAccessKey", &reader->secret_key },
    { "/SessionToken", &reader->token }, { "/Expiration", &reader->expiry } };
  const gchar *name = strrchr (path, '/');
  guint i;

  if (strstr (path, "/Credentials/") == NULL)
    return;
  for (i = 0; i < G_N_ELEMENTS (fields); i++) {
    if (g_str_equal (name, fields[i].name) && *fields[i].to == NULL)
      *fields[i].to = g_strstrip (g_strdup (text));
  }
}

AmsS3Identity *
ams_s3_identity_parse_sts (GBytes *xml, const gchar *source, GError **error)
{
  StsReader reader = { NULL };
  AmsS3Identity *identity = NULL;

  if (g_bytes_get_size (xml) <= MAX_ANSWER &&
      ams_s3_xml_has_root (xml, "AssumeRoleWithWebIdentityResponse") &&
      ams_s3_xml_parse (xml, on_sts_element, &reader))
    identity = make_identity (reader.access_key, reader.secret_key,
        reader.token, reader.expiry, source, error);
  else
    g_propagate_error (error,
        bad_answer (source, "it is no AssumeRoleWithWebIdentityResponse"));
  g_free (reader.access_key);
  ams_s3_secret_free (reader.secret_key);
  ams_s3_secret_free (reader.token);
  g_free (reader.expiry);
  return identity;
}
