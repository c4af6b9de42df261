/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "amsfaultprivate.h"

#include <string.h>

/* More than any test needs, also under valgrind, and less than its time limit. */
#define WATCHDOG (40 * G_TIME_SPAN_SECOND)

/* Requests */

void
ams_fault_request_free (AmsFaultRequest *request)
{
  g_free (request->method);
  g_free (request->path);
  g_free (request->headers);
  g_clear_pointer (&request->content, g_bytes_unref);
  g_free (request);
}

AmsFaultRequest *
ams_fault_request_copy (const AmsFaultRequest *request)
{
  AmsFaultRequest *copy = g_memdup2 (request, sizeof *request);

  copy->method = g_strdup (request->method);
  copy->path = g_strdup (request->path);
  copy->headers = g_strdup (request->headers);
  if (copy->content)
    g_bytes_ref (copy->content);
  return copy;
}

gchar *
ams_fault_request_dup_header (const AmsFaultRequest *request, const gchar *name)
{
  return ams_fault_header (request->headers, name);
}

static gboolean
match_path (const gchar *pattern, const gchar *path)
{
  if (!pattern)
    return TRUE;
  if (strpbrk (pattern, "*?"))
    return g_pattern_match_simple (pattern, path);
  return strstr (path, pattern) != NULL;
}

gboolean
ams_fault_match (const AmsFaultRequest *request, const gchar *method,
    const gchar *path)
{
  return (!method || strcmp (method, request->method) == 0) &&
      match_path (path, request->path);
}

/* The log */

static gchar *
dup_log_locked (AmsFaultServer *self)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < self->requests->len; i++) {
    AmsFaultRequest *r = self->requests->pdata[i];

    g_string_append_printf (text,
        "%u: connection %u: %s %s, %" G_GUINT64_FORMAT " bytes, %u%s%s%s\n",
        r->number, r->connection, r->method, r->path, r->body, r->status,
        r->stored ? ", stored" : "", r->held ? ", held" : "",
        r->done ? "" : ", not done");
  }
  return g_string_free (text, FALSE);
}

gchar *
ams_fault_server_dup_log (AmsFaultServer *self)
{
  gchar *text;

  g_mutex_lock (&self->lock);
  text = dup_log_locked (self);
  g_mutex_unlock (&self->lock);
  return text;
}

/* What is waited for. */
typedef struct
{
  const gchar *method, *path;
  guint n;
  guint64 bytes;
} Wanted;

typedef gboolean (*IsThere) (AmsFaultServer *self, const Wanted *wanted);

static void
wait_locked (AmsFaultServer *self, IsThere is_there, const Wanted *wanted,
    const gchar *what)
{
  gint64 deadline = g_get_monotonic_time () + WATCHDOG;

  while (!is_there (self, wanted)) {
    if (!g_cond_wait_until (&self->changed, &self->lock, deadline) &&
        !is_there (self, wanted)) {
      g_printerr ("%s", dup_log_locked (self));
      g_error ("waited in vain for %s: “%s %s” (%u)", what,
          wanted->method ? wanted->method : "any",
          wanted->path ? wanted->path : "any", wanted->n);
    }
  }
}

static void
wait_for (AmsFaultServer *self, IsThere is_there, const Wanted *wanted,
    const gchar *what)
{
  g_mutex_lock (&self->lock);
  wait_locked (self, is_there, wanted, what);
  g_mutex_unlock (&self->lock);
}

static AmsFaultRequest *
find_locked (AmsFaultServer *self, const gchar *method, const gchar *path,
    guint n)
{
  for (guint i = 0; i < self->requests->len; i++) {
    if (ams_fault_match (self->requests->pdata[i], method, path) && --n == 0)
      return self->requests->pdata[i];
  }
  return NULL;
}

static gboolean
has_begun (AmsFaultServer *self, const Wanted *wanted)
{
  return find_locked (self, wanted->method, wanted->path, wanted->n) != NULL;
}

static gboolean
has_body (AmsFaultServer *self, const Wanted *wanted)
{
  AmsFaultRequest *request =
      find_locked (self, wanted->method, wanted->path, wanted->n);

  return request && request->body >= wanted->bytes;
}

static guint
count_locked (AmsFaultServer *self, const Wanted *wanted,
    gboolean (*fits) (const AmsFaultRequest *request))
{
  guint n = 0;

  for (guint i = 0; i < self->requests->len; i++) {
    AmsFaultRequest *request = self->requests->pdata[i];

    if (ams_fault_match (request, wanted->method, wanted->path) &&
        fits (request))
      n++;
  }
  return n;
}

static gboolean
is_any (const AmsFaultRequest *request)
{
  return TRUE;
}

static gboolean
is_held (const AmsFaultRequest *request)
{
  return request->held;
}

static gboolean
is_done (const AmsFaultRequest *request)
{
  return request->done;
}

static gboolean
are_held (AmsFaultServer *self, const Wanted *wanted)
{
  return count_locked (self, wanted, is_held) >= wanted->n;
}

static gboolean
are_done (AmsFaultServer *self, const Wanted *wanted)
{
  return count_locked (self, wanted, is_done) >= wanted->n;
}

static gboolean
are_stored (AmsFaultServer *self, const Wanted *wanted)
{
  GHashTableIter iter;
  gpointer name, times;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->stores);
  while (g_hash_table_iter_next (&iter, &name, &times)) {
    if (match_path (wanted->path, name))
      n += GPOINTER_TO_UINT (times);
  }
  return n >= wanted->n;
}

static gboolean
are_connected (AmsFaultServer *self, const Wanted *wanted)
{
  return self->connections->len >= wanted->n;
}

static gboolean
have_failed_tls (AmsFaultServer *self, const Wanted *wanted)
{
  return self->tls_failures >= wanted->n;
}

guint
ams_fault_server_count (AmsFaultServer *self, const gchar *method,
    const gchar *path)
{
  Wanted wanted = { method, path };
  guint n;

  g_mutex_lock (&self->lock);
  n = count_locked (self, &wanted, is_any);
  g_mutex_unlock (&self->lock);
  return n;
}

AmsFaultRequest *
ams_fault_server_dup_request (AmsFaultServer *self, const gchar *method,
    const gchar *path, guint n)
{
  AmsFaultRequest *request;

  g_mutex_lock (&self->lock);
  request = find_locked (self, method, path, n);
  if (request)
    request = ams_fault_request_copy (request);
  g_mutex_unlock (&self->lock);
  return request;
}

void
ams_fault_server_wait_begun (AmsFaultServer *self, const gchar *method,
    const gchar *path, guint n)
{
  wait_for (self, has_begun, &(Wanted){ method, path, n }, "a request");
}

void
ams_fault_server_wait_held (AmsFaultServer *self, const gchar *method,
    const gchar *path, guint n)
{
  wait_for (self, are_held, &(Wanted){ method, path, n }, "held requests");
}

AmsFaultRequest *
ams_fault_server_wait (AmsFaultServer *self, const gchar *method,
    const gchar *path, guint n)
{
  AmsFaultRequest *request;

  g_mutex_lock (&self->lock);
  wait_locked (self, are_done, &(Wanted){ method, path, n }, "ended requests");
  request = ams_fault_request_copy (find_locked (self, method, path, n));
  g_mutex_unlock (&self->lock);
  return request;
}

void
ams_fault_server_wait_stored (AmsFaultServer *self, const gchar *path, guint n)
{
  wait_for (self, are_stored, &(Wanted){ NULL, path, n }, "stored");
}

void
ams_fault_server_wait_body (AmsFaultServer *self, const gchar *path, guint n,
    guint64 bytes)
{
  wait_for (self, has_body, &(Wanted){ NULL, path, n, bytes }, "a body");
}

guint
ams_fault_server_count_connections (AmsFaultServer *self)
{
  guint n;

  g_mutex_lock (&self->lock);
  n = self->connections->len;
  g_mutex_unlock (&self->lock);
  return n;
}

void
ams_fault_server_wait_connections (AmsFaultServer *self, guint n)
{
  wait_for (self, are_connected, &(Wanted){ .n = n }, "connections");
}

guint
ams_fault_server_count_tls_failures (AmsFaultServer *self)
{
  guint n;

  g_mutex_lock (&self->lock);
  n = self->tls_failures;
  g_mutex_unlock (&self->lock);
  return n;
}

void
ams_fault_server_wait_tls_failures (AmsFaultServer *self, guint n)
{
  wait_for (self, have_failed_tls, &(Wanted){ .n = n }, "TLS failures");
}

void
ams_fault_server_release (AmsFaultServer *self, const gchar *path)
{
  g_mutex_lock (&self->lock);
  wait_locked (self, are_held, &(Wanted){ NULL, path, 1 }, "a held request");
  for (guint i = 0; i < self->requests->len; i++) {
    AmsFaultRequest *request = self->requests->pdata[i];

    if (ams_fault_match (request, NULL, path))
      request->held = FALSE;
  }
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}
