/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "amsfaultprivate.h"

#include <stdlib.h>
#include <string.h>

const gchar *
ams_fault_reason (guint status)
{
  static const struct
  {
    guint status;
    const gchar *reason;
  } reasons[] = { { 100, "Continue" }, { 200, "OK" }, { 201, "Created" },
    { 202, "Accepted" }, { 204, "No Content" }, { 206, "Partial Content" },
    { 207, "Multi-Status" }, { 301, "Moved Permanently" }, { 302, "Found" },
    { 303, "See Other" }, { 304, "Not Modified" },
    { 307, "Temporary Redirect" }, { 308, "Permanent Redirect" },
    { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" },
    { 404, "Not Found" }, { 405, "Method Not Allowed" },
    { 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" },
    { 411, "Length Required" }, { 412, "Precondition Failed" },
    { 413, "Content Too Large" }, { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" }, { 429, "Too Many Requests" },
    { 500, "Internal Server Error" }, { 501, "Not Implemented" },
    { 502, "Bad Gateway" }, { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" }, { 507, "Insufficient Storage" } };

  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++) {
    if (reasons[i].status == status)
      return reasons[i].reason;
  }
  return "Scripted";
}

static void
set_text (AmsFaultAnswer *answer, guint status, const gchar *text)
{
  answer->status = status;
  g_clear_pointer (&answer->body, g_bytes_unref);
  if (text)
    answer->body = g_bytes_new (text, strlen (text));
}

static void
add_header (AmsFaultAnswer *answer, const gchar *name, const gchar *value)
{
  g_string_append_printf (answer->headers, "%s: %s\r\n", name, value);
}

static void
add_etag_locked (AmsFaultServer *server, AmsFaultAnswer *answer,
    AmsFaultObject *object)
{
  g_autofree gchar *opaque = NULL;

  switch (server->options.etag) {
    case AMS_FAULT_ETAG_MD5:
      add_header (answer, "ETag", object->etag);
      break;
    case AMS_FAULT_ETAG_OPAQUE:
      opaque = g_strdup_printf ("W/\"%u\"", g_str_hash (object->etag));
      add_header (answer, "ETag", opaque);
      break;
    default:
      break;
  }
}

/* PUT */

/* Strong comparison (RFC 9110, 13.1.1): a weak ETag never matches. */
static gboolean
matches (AmsFaultServer *server, const gchar *condition,
    const AmsFaultObject *object)
{
  return object && server->options.etag == AMS_FAULT_ETAG_MD5 &&
      strcmp (condition, object->etag) == 0;
}

/* The status by which a PUT is refused before it is stored; 0: it is not. */
static guint
refuse_put_locked (AmsFaultServer *server, AmsFaultExchange *exchange)
{
  g_autofree gchar *condition =
      ams_fault_header (exchange->request->headers, "If-None-Match");
  g_autofree gchar *match =
      ams_fault_header (exchange->request->headers, "If-Match");
  g_autofree gchar *parent = ams_fault_objects_dup_parent (exchange->name);
  AmsFaultConditions conditions = server->options.conditions;

  if ((condition || match) &&
      server->options.conditions == AMS_FAULT_CONDITIONS_REFUSED)
    return 501;
  if (server->options.missing_folder &&
      !ams_fault_objects_has_folder (server->objects, parent))
    return server->options.missing_folder;
  if (condition && strcmp (condition, "*") == 0 &&
      (conditions == AMS_FAULT_CONDITIONS_HONOURED ||
          conditions == AMS_FAULT_CONDITIONS_NO_IF_MATCH) &&
      ams_fault_objects_get (server->objects, exchange->name))
    return 412;
  if (match && conditions == AMS_FAULT_CONDITIONS_HONOURED &&
      !matches (server, match,
          ams_fault_objects_get (server->objects, exchange->name)))
    return 412;
  return 0;
}

/* Returns what is there now; NULL: nothing was stored. */
static AmsFaultObject *
store_locked (AmsFaultServer *server, AmsFaultExchange *exchange)
{
  const AmsFaultRule *rule = exchange->rule;
  gsize keep = G_MAXSIZE;
  guint times;

  if (rule->store == AMS_FAULT_STORE_NOTHING)
    return NULL;
  if (rule->store == AMS_FAULT_STORE_PART)
    keep = rule->store_bytes;
  exchange->request->stored = TRUE;
  times =
      GPOINTER_TO_UINT (g_hash_table_lookup (server->stores, exchange->name));
  g_hash_table_insert (server->stores, g_strdup (exchange->name),
      GUINT_TO_POINTER (times + 1));
  return ams_fault_objects_put (server->objects, exchange->name,
      exchange->request->headers, exchange->body->data, exchange->body->len,
      keep);
}

static void
put_locked (AmsFaultServer *server, AmsFaultExchange *exchange,
    AmsFaultAnswer *answer)
{
  guint status = refuse_put_locked (server, exchange);
  gboolean there =
      ams_fault_objects_get (server->objects, exchange->name) != NULL;
  AmsFaultObject *object;

  if (status != 0 || !exchange->whole) {
    set_text (answer, status ? status : 400, "refused\n");
    return;
  }
  object = store_locked (server, exchange);
  answer->status = there ? 204 : 201;
  if (object)
    add_etag_locked (server, answer, object);
}

/* GET and HEAD */

/* Cuts @bytes to what "bytes=FIRST-LAST" or "bytes=-LAST" asks for; 0: not at all. */
static guint
apply_range (const gchar *range, GBytes **bytes, AmsFaultAnswer *answer)
{
  guint64 size = g_bytes_get_size (*bytes), first, last;
  g_autofree gchar *value = NULL;
  GBytes *part;
  gchar *end;

  if (!range || !g_str_has_prefix (range, "bytes=") || strchr (range, ','))
    return 200;
  range += strlen ("bytes=");
  first = g_ascii_strtoull (range, &end, 10);
  if (*range == '-') {
    first = g_ascii_strtoull (range + 1, NULL, 10);
    first = size - MIN (size, first);
    last = size - 1;
  } else if (*end != '-')
    return 200;
  else
    last = end[1] ? g_ascii_strtoull (end + 1, NULL, 10) : size - 1;
  if (size == 0 || first >= size || last < first)
    return 416;
  last = MIN (last, size - 1);
  value = g_strdup_printf ("bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT
                           "/%" G_GUINT64_FORMAT,
      first, last, size);
  add_header (answer, "Content-Range", value);
  part = g_bytes_new_from_bytes (*bytes, first, last - first + 1);
  g_bytes_unref (*bytes);
  *bytes = part;
  return 206;
}

static void
add_object_headers (AmsFaultAnswer *answer, const gchar *headers)
{
  g_auto (GStrv) lines = g_strsplit (headers, "\n", -1);

  for (guint i = 0; lines[i]; i++) {
    if (lines[i][0] != '\0')
      g_string_append_printf (answer->headers, "%s\r\n", lines[i]);
  }
}

static void
get_locked (AmsFaultServer *server, AmsFaultExchange *exchange,
    AmsFaultAnswer *answer)
{
  AmsFaultObject *object =
      ams_fault_objects_get (server->objects, exchange->name);
  g_autofree gchar *range =
      ams_fault_header (exchange->request->headers, "Range");
  g_autofree gchar *modified = NULL;

  if (!object) {
    set_text (answer, 404, "not found\n");
    return;
  }
  answer->body = g_bytes_ref (object->bytes);
  answer->status = apply_range (range, &answer->body, answer);
  if (answer->status == 416) {
    set_text (answer, 416, "no such range\n");
    return;
  }
  modified = g_date_time_format (object->modified, "%a, %d %b %Y %H:%M:%S GMT");
  add_header (answer, "Last-Modified", modified);
  add_header (answer, "Accept-Ranges", "bytes");
  add_etag_locked (server, answer, object);
  add_object_headers (answer, object->headers);
}

/* The others */

static void
delete_locked (AmsFaultServer *server, AmsFaultExchange *exchange,
    AmsFaultAnswer *answer)
{
  if (ams_fault_objects_remove (server->objects, exchange->name, TRUE))
    answer->status = 204;
  else
    set_text (answer, 404, "not found\n");
}

static void
mkcol_locked (AmsFaultServer *server, AmsFaultExchange *exchange,
    AmsFaultAnswer *answer)
{
  gsize length = strlen (exchange->name);
  g_autofree gchar *folder = g_strndup (exchange->name,
      length - (length > 0 && exchange->name[length - 1] == '/'));
  g_autofree gchar *parent = ams_fault_objects_dup_parent (folder);

  if (ams_fault_objects_has_folder (server->objects, folder))
    set_text (answer, 405, "it is there already\n");
  else if (!ams_fault_objects_has_folder (server->objects, parent))
    set_text (answer, 409, "its parent is not there\n");
  else {
    ams_fault_objects_add_folder (server->objects, folder);
    answer->status = 201;
  }
}

static void
do_locked (AmsFaultServer *server, AmsFaultExchange *exchange,
    AmsFaultAnswer *answer)
{
  const gchar *method = exchange->request->method;
  g_autofree gchar *challenge =
      ams_fault_challenge_locked (server, exchange->request);

  if (challenge) {
    set_text (answer, 401, "who are you?\n");
    add_header (answer, "WWW-Authenticate", challenge);
  } else if (strcmp (method, "PUT") == 0)
    put_locked (server, exchange, answer);
  else if (strcmp (method, "GET") == 0 || strcmp (method, "HEAD") == 0)
    get_locked (server, exchange, answer);
  else if (strcmp (method, "DELETE") == 0)
    delete_locked (server, exchange, answer);
  else if (strcmp (method, "MKCOL") == 0)
    mkcol_locked (server, exchange, answer);
  else if (strcmp (method, "POST") == 0)
    answer->status = 200;
  else
    set_text (answer, 405, "no such method\n");
}

static void
add_rule_headers (AmsFaultExchange *exchange, AmsFaultAnswer *answer)
{
  const AmsFaultRule *rule = exchange->rule;
  g_auto (GStrv) parts = NULL;
  g_autofree gchar *location = NULL;

  if (rule->headers)
    add_object_headers (answer, rule->headers);
  if (!rule->location)
    return;
  parts = g_strsplit (rule->location, "%s", -1);
  location = g_strjoinv (exchange->request->path, parts);
  add_header (answer, "Location", location);
}

static void
set_rule_body (const AmsFaultRule *rule, AmsFaultAnswer *answer)
{
  gchar *filling;

  if (rule->body_size > 0) {
    filling = g_malloc (rule->body_size);
    memset (filling, 'x', rule->body_size);
    g_clear_pointer (&answer->body, g_bytes_unref);
    answer->body = g_bytes_new_take (filling, rule->body_size);
  } else if (rule->body)
    set_text (answer, answer->status, rule->body);
}

/* A scripted success is one, unless it only says so. */
static gboolean
stores_anyway (const AmsFaultExchange *exchange)
{
  const AmsFaultRule *rule = exchange->rule;

  if (!exchange->whole || strcmp (exchange->request->method, "PUT") != 0)
    return FALSE;
  return rule->store == AMS_FAULT_STORE_ANYWAY ||
      (rule->status >= 200 && rule->status < 300);
}

void
ams_fault_answer (AmsFaultExchange *exchange, AmsFaultAnswer *answer)
{
  AmsFaultServer *server = exchange->connection->server;
  const AmsFaultRule *rule = exchange->rule;

  g_mutex_lock (&server->lock);
  if (rule->status == 0 && !rule->raw)
    do_locked (server, exchange, answer);
  else if (stores_anyway (exchange))
    store_locked (server, exchange);
  if (rule->status != 0)
    answer->status = rule->status;
  g_cond_broadcast (&server->changed);
  g_mutex_unlock (&server->lock);
  add_rule_headers (exchange, answer);
  set_rule_body (rule, answer);
  if (strcmp (exchange->request->method, "HEAD") == 0 && answer->body) {
    answer->length = g_bytes_get_size (answer->body);
    g_clear_pointer (&answer->body, g_bytes_unref);
  }
}
