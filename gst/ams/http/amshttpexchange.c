/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpexchange.h"

#include "transfer/amsstore.h"

#include <string.h>

#define MAX_REDIRECTS 5
/* Bytes. Below it, sending the body costs less than asking. */
#define LARGE_BODY (1024 * 1024)
/* Beyond so many origins, what is known of them is forgotten. */
#define MAX_ORIGINS 64

struct _AmsHttpExchange
{
  AmsHttpShared *shared;
  AmsHttpMemory *memory;
  const AmsHttpRequest *request;
  AmsHttpExchangeDone done;
  gpointer done_data;

  AmsHttpAttempt *attempt;
  GUri *home; /* whose credentials are ours */
  GUri *uri; /* of this attempt */
  guint redirects;
  gboolean fresh;
  gboolean asked; /* by this attempt */
  gboolean misdirected; /* 421 was answered once */
  gboolean cancelled;
  GUri *redirected_by; /* (nullable) */
  GPtrArray *learned; /* of GUri: from, to, from, to … of 308s */
  GPtrArray *used; /* of GUri: what was remembered as moved */
};

void
ams_http_memory_init (AmsHttpMemory *memory)
{
  memory->moves = ams_http_moves_new ();
  memory->silent =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  memory->proven =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  memory->reaches =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

void
ams_http_memory_clear (AmsHttpMemory *memory)
{
  g_clear_pointer (&memory->moves, ams_http_moves_free);
  g_clear_pointer (&memory->silent, g_hash_table_unref);
  g_clear_pointer (&memory->proven, g_hash_table_unref);
  g_clear_pointer (&memory->reaches, g_hash_table_unref);
}

static void
remember_reach (GHashTable *reaches, GUri *uri, AmsHttpReach reach)
{
  gchar *origin = ams_http_location_origin (uri);

  if (g_hash_table_size (reaches) >= MAX_ORIGINS)
    g_hash_table_remove_all (reaches);
  g_hash_table_replace (reaches, origin, GUINT_TO_POINTER (reach));
}

/* What is not known is elsewhere. */
static AmsHttpReach
reach_of (GHashTable *reaches, GUri *uri)
{
  g_autofree gchar *origin = ams_http_location_origin (uri);

  return GPOINTER_TO_UINT (g_hash_table_lookup (reaches, origin));
}

static void
remember (GHashTable *origins, GUri *uri, gboolean is_so)
{
  g_autofree gchar *origin = ams_http_location_origin (uri);

  if (!is_so) {
    g_hash_table_remove (origins, origin);
    return;
  }
  if (g_hash_table_size (origins) >= MAX_ORIGINS)
    g_hash_table_remove_all (origins);
  g_hash_table_add (origins, g_steal_pointer (&origin));
}

static gboolean
is_known (GHashTable *origins, GUri *uri)
{
  g_autofree gchar *origin = ams_http_location_origin (uri);

  return g_hash_table_contains (origins, origin);
}

/* The message */

static guint64
size_of_body (const AmsHttpRequest *request)
{
  if (request->body)
    return ams_body_get_size (request->body);
  return request->bytes ? g_bytes_get_size (request->bytes) : 0;
}

/* Asking costs a round trip, but saves a large body that would be refused, and of
 * which libsoup could not say why it was. So the first large body to each server
 * asks, and again after one was refused. */
static gboolean
should_ask (AmsHttpExchange *self)
{
  guint64 size = size_of_body (self->request);
  AmsHttpExpect expect = self->shared->options->expect;

  if (size == 0 || expect == AMS_HTTP_EXPECT_NEVER ||
      is_known (self->memory->silent, self->uri))
    return FALSE;
  if (expect == AMS_HTTP_EXPECT_ALWAYS || self->request->expect)
    return TRUE;
  return size >= LARGE_BODY && !is_known (self->memory->proven, self->uri);
}

/* Whether a header of a request's own may tell a secret, which is meant for one
 * server only. */
static gboolean
is_secret (const gchar *name)
{
  static const gchar *const words[] = { "auth", "cookie", "token", "key",
    "secret", "signature", "pass", "credential", "session" };
  g_autofree gchar *lower = g_ascii_strdown (name, -1);

  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    if (strstr (lower, words[i]))
      return TRUE;
  }
  return FALSE;
}

static void
add_headers (SoupMessageHeaders *headers, const gchar *const *pairs,
    gboolean at_home)
{
  for (guint i = 0; pairs && pairs[i] && pairs[i + 1]; i += 2) {
    if (at_home || !is_secret (pairs[i]))
      soup_message_headers_replace (headers, pairs[i], pairs[i + 1]);
  }
}

static void
add_authorization (const AmsHttpOptions *options, SoupMessageHeaders *headers)
{
  gchar *value = NULL;

  if (options->bearer_token)
    value = g_strconcat ("Bearer ", options->bearer_token, NULL);
  else if (options->user_id && options->auth == AMS_HTTP_AUTH_BASIC)
    value = ams_http_basic_credentials (options->user_id, options->user_pw);
  if (value)
    soup_message_headers_replace (headers, "Authorization", value);
  ams_http_free_secret (value);
}

static gboolean
may_use_digest (const AmsHttpExchange *self, gboolean at_home)
{
  return at_home && !self->request->anonymous &&
      self->shared->options->auth == AMS_HTTP_AUTH_DIGEST &&
      self->shared->options->user_id;
}

static SoupMessage *
make_message (AmsHttpExchange *self, gboolean at_home)
{
  const AmsHttpOptions *options = self->shared->options;
  const AmsHttpRequest *request = self->request;
  SoupMessage *message = soup_message_new_from_uri (request->method, self->uri);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  soup_message_add_flags (message,
      SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_COLLECT_METRICS);
  if (self->fresh)
    soup_message_add_flags (message, SOUP_MESSAGE_NEW_CONNECTION);
  if (!may_use_digest (self, at_home))
    soup_message_disable_feature (message, SOUP_TYPE_AUTH_MANAGER);
  if (options->user_agent)
    soup_message_headers_replace (headers, "User-Agent", options->user_agent);
  if (at_home && !request->anonymous)
    add_authorization (options, headers);
  /* What they are for is known to nobody here. */
  if (at_home && !request->anonymous)
    add_headers (headers, (const gchar *const *) options->extra_headers, TRUE);
  add_headers (headers, request->headers, at_home);
  if (self->asked)
    soup_message_headers_set_expectations (headers, SOUP_EXPECTATION_CONTINUE);
  if (request->prepare)
    request->prepare (message, request->user_data);
  return message;
}

/* Attempts */

static void on_attempt_done (AmsHttpReply *reply, GError *error,
    gpointer user_data);

static void
attempt (AmsHttpExchange *self)
{
  const AmsHttpRequest *request = self->request;
  gboolean at_home = ams_http_location_same_origin (self->home, self->uri);
  g_autoptr (SoupMessage) message = NULL;
  AmsHttpOrder order = { .body = request->body,
    .bytes = request->bytes,
    .chunked = self->shared->options->chunked && !request->with_length,
    .trusted = at_home && !request->anonymous,
    .max_reply = request->max_reply,
    .sink = request->sink,
    .user_data = request->user_data };

  self->asked = should_ask (self);
  message = make_message (self, at_home);
  order.asks = self->asked;
  order.message = message;
  order.authority = ams_http_location_authority (self->uri);
  if (self->redirected_by) {
    order.redirected_by = ams_http_location_authority (self->redirected_by);
    order.redirected_from =
        reach_of (self->memory->reaches, self->redirected_by);
  }
  self->attempt =
      ams_http_attempt_new (self->shared, &order, on_attempt_done, self);
  ams_http_attempt_start (self->attempt);
}

static void
attempt_afresh (AmsHttpExchange *self)
{
  self->fresh = TRUE;
  attempt (self);
}

/* Redirects (http-put.md H15, H16) */

static gboolean
is_redirect (guint status)
{
  return status == 301 || status == 302 || status == 303 || status == 307 ||
      status == 308;
}

static gboolean
is_safe (const gchar *method)
{
  return strcmp (method, "GET") == 0 || strcmp (method, "HEAD") == 0;
}

static gboolean
may_follow (AmsHttpExchange *self, guint status)
{
  AmsHttpRedirect redirect = self->shared->options->redirect;

  if (redirect == AMS_HTTP_REDIRECT_NEVER)
    return FALSE;
  if (status == 307 || status == 308 || is_safe (self->request->method))
    return TRUE;
  return status != 303 && redirect == AMS_HTTP_REDIRECT_PUT;
}

static GError *
not_followed (AmsHttpExchange *self, guint status, GUri *to)
{
  g_autofree gchar *authority = ams_http_location_authority (self->uri);
  g_autofree gchar *target = to ? ams_http_location_origin (to) : NULL;

  return ams_store_error_new (AMS_FAILURE_PERMANENT, status, 0,
      "“%s” answered %s with HTTP %u, a redirect to “%s”, which is not "
      "followed; set location to the address behind it%s",
      authority, self->request->method, status,
      target ? target : "somewhere that is no http address",
      to && status != 303 ? ", or the property redirect" : "");
}

static GError *
downgraded (AmsHttpExchange *self, guint status)
{
  g_autofree gchar *authority = ams_http_location_authority (self->uri);

  return ams_store_error_new (AMS_FAILURE_PERMANENT, status, 0,
      "“%s” redirects from https to http (HTTP %u), where everybody could read "
      "what is sent, so it is not followed; correct it there",
      authority, status);
}

static GError *
too_many (AmsHttpExchange *self, guint status)
{
  g_autofree gchar *authority = ams_http_location_authority (self->home);

  return ams_store_error_new (AMS_FAILURE_PERMANENT, status, 0,
      "“%s” redirects more than %d times in a row (HTTP %u); set location to "
      "where it should lead in the end",
      authority, MAX_REDIRECTS, status);
}

static gboolean
is_https (GUri *uri)
{
  return strcmp (g_uri_get_scheme (uri), "https") == 0;
}

/* (nullable) */
static GError *
follow (AmsHttpExchange *self, const AmsHttpReply *reply)
{
  const gchar *location =
      soup_message_headers_get_one (reply->headers, "Location");
  g_autoptr (GUri) to =
      location ? ams_http_location_resolve (self->uri, location) : NULL;

  if (!to || !may_follow (self, reply->status))
    return not_followed (self, reply->status, to);
  if (is_https (self->uri) && !is_https (to))
    return downgraded (self, reply->status);
  if (++self->redirects > MAX_REDIRECTS)
    return too_many (self, reply->status);
  if (reply->status == 308) {
    g_ptr_array_add (self->learned, g_uri_ref (self->uri));
    g_ptr_array_add (self->learned, g_uri_ref (to));
  }
  g_clear_pointer (&self->redirected_by, g_uri_unref);
  self->redirected_by = self->uri;
  self->uri = g_steal_pointer (&to);
  attempt (self);
  return NULL;
}

static void
apply_moves (AmsHttpExchange *self)
{
  for (guint i = 0; i < MAX_REDIRECTS; i++) {
    GUri *to = self->shared->options->redirect == AMS_HTTP_REDIRECT_NEVER ||
            self->request->redirect_is_answer
        ? NULL
        : ams_http_moves_apply (self->memory->moves, self->uri);

    if (!to)
      return;
    g_ptr_array_add (self->used, self->uri);
    g_clear_pointer (&self->redirected_by, g_uri_unref);
    self->redirected_by = g_uri_ref (self->uri);
    self->uri = to;
  }
}

/* Ends */

static void
learn (AmsHttpExchange *self, guint status)
{
  gboolean success = SOUP_STATUS_IS_SUCCESSFUL (status);

  if (!success || size_of_body (self->request) >= LARGE_BODY)
    remember (self->memory->proven, self->uri, success);
  for (guint i = 0; success && i < self->learned->len; i += 2)
    ams_http_moves_add (self->memory->moves, self->learned->pdata[i],
        self->learned->pdata[i + 1]);
  for (guint i = 0; !success && i < self->used->len; i++)
    ams_http_moves_forget (self->memory->moves, self->used->pdata[i]);
}

static void
finish (AmsHttpExchange *self, AmsHttpReply *reply, GError *error)
{
  learn (self, reply ? reply->status : 0);
  self->done (reply, error, self->done_data);
}

static void
on_attempt_done (AmsHttpReply *given, GError *error, gpointer user_data)
{
  AmsHttpExchange *self = user_data;
  g_autoptr (AmsHttpReply) reply = given;

  if (reply)
    remember_reach (self->memory->reaches, self->uri,
        ams_http_attempt_get_reach (self->attempt));
  g_clear_pointer (&self->attempt, ams_http_attempt_free);
  if (self->cancelled && !error)
    error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
        "The exchange was cancelled");
  if (error) {
    finish (self, NULL, error);
  } else if (!reply || (reply->status == 417 && self->asked)) {
    remember (self->memory->silent, self->uri, TRUE);
    attempt_afresh (self);
  } else if (reply->status == 421 && !self->misdirected) {
    self->misdirected = TRUE;
    attempt_afresh (self);
  } else if (is_redirect (reply->status) &&
      !self->request->redirect_is_answer) {
    error = follow (self, reply);
    if (error)
      finish (self, NULL, error);
  } else {
    finish (self, g_steal_pointer (&reply), NULL);
  }
}

AmsHttpExchange *
ams_http_exchange_new (AmsHttpShared *shared, AmsHttpMemory *memory,
    const AmsHttpRequest *request, AmsHttpExchangeDone done, gpointer user_data)
{
  AmsHttpExchange *self = g_new0 (AmsHttpExchange, 1);

  self->shared = shared;
  self->memory = memory;
  self->request = request;
  self->done = done;
  self->done_data = user_data;
  self->home = ams_http_location_normalize (request->uri);
  self->uri = g_uri_ref (self->home);
  self->fresh = request->fresh_connection;
  self->learned = g_ptr_array_new_with_free_func ((GDestroyNotify) g_uri_unref);
  self->used = g_ptr_array_new_with_free_func ((GDestroyNotify) g_uri_unref);
  return self;
}

void
ams_http_exchange_start (AmsHttpExchange *self)
{
  apply_moves (self);
  attempt (self);
}

void
ams_http_exchange_cancel (AmsHttpExchange *self)
{
  self->cancelled = TRUE;
  ams_http_attempt_cancel (self->attempt);
}

void
ams_http_exchange_free (AmsHttpExchange *self)
{
  g_clear_pointer (&self->attempt, ams_http_attempt_free);
  g_clear_pointer (&self->home, g_uri_unref);
  g_clear_pointer (&self->uri, g_uri_unref);
  g_clear_pointer (&self->redirected_by, g_uri_unref);
  g_ptr_array_unref (self->learned);
  g_ptr_array_unref (self->used);
  g_free (self);
}
