/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The fault server as a program, for tests that are not in C; servers.py is the
 * other end. Each line on stdin is a command, words as in a shell; each is
 * answered by a line {"answer": …} or {"error": "…"}, in order. Between them come
 * lines {"event": "request", …}, one for each request that ended. It ends with
 * its stdin.
 *
 *   rule KEY=VALUE…    as AmsFaultRule: rule method=PUT path=.ts status=503 at=body end=reset; texts escaped as in C
 *   clear-rules · release [PATH] · pause · resume · drop · deaf yes|no
 *   auth none|basic|digest|bearer [USER] SECRET
 *   wait-held N [PATH] · wait-stored N [PATH]
 *   names · get NAME (in base64) · remove NAME · log · problems · clear-problems
 */

#include "config.h"

#include "amsfaultserver.h"

#include <stdio.h>
#include <string.h>

static const gchar *const tls_names[] = { "none", "good", "expired",
  "other-host", NULL };
static const gchar *const auth_names[] = { "none", "basic", "digest", "bearer",
  NULL };
static const gchar *const conditions_names[] = { "honoured", "ignored",
  "refused", NULL };
static const gchar *const etag_names[] = { "md5", "opaque", "none", NULL };
static const gchar *const at_names[] = { "stored", "headers", "body", "read",
  "answer", "sent", "next", NULL };
static const gchar *const end_names[] = { "go-on", "reset", "fin", NULL };
static const gchar *const store_names[] = { "all", "nothing", "part", "anyway",
  NULL };
static const gchar *const expect_names[] = { "answered", "ignored", "unasked",
  NULL };
static const gchar *const yes_names[] = { "no", "yes", NULL };

/* What is said */

static void
add_text (GString *line, const gchar *text)
{
  g_string_append_c (line, '"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\')
      g_string_append_printf (line, "\\%c", *text);
    else if ((guchar) *text < 0x20)
      g_string_append_printf (line, "\\u%04x", *text);
    else
      g_string_append_c (line, *text);
  }
  g_string_append_c (line, '"');
}

/* (transfer full) line */
static void
print_line (GString *line)
{
  g_string_append_c (line, '\n');
  fwrite (line->str, 1, line->len, stdout);
  fflush (stdout);
  g_string_free (line, TRUE);
}

/* (transfer full) (nullable) text */
static void
answer (gchar *text)
{
  GString *line = g_string_new ("{\"answer\": ");

  if (text)
    add_text (line, text);
  else
    g_string_append (line, "null");
  g_string_append_c (line, '}');
  print_line (line);
  g_free (text);
}

static void
on_request (const AmsFaultRequest *request, gpointer user_data)
{
  GString *line = g_string_new ("{\"event\": \"request\", \"method\": ");

  add_text (line, request->method);
  g_string_append (line, ", \"path\": ");
  add_text (line, request->path);
  g_string_append (line, ", \"headers\": ");
  add_text (line, request->headers);
  g_string_append_printf (line,
      ", \"number\": %u, \"connection\": %u, \"body\": %" G_GUINT64_FORMAT
      ", \"status\": %u, \"stored\": %s, \"continued\": %s}",
      request->number, request->connection, request->body, request->status,
      request->stored ? "true" : "false",
      request->continued ? "true" : "false");
  print_line (line);
}

/* Rules */

typedef enum
{
  TEXT,
  UINT,
  UINT64,
  SIZE,
  CHOICE,
} FieldType;

typedef struct
{
  const gchar *name;
  FieldType type;
  gsize offset;
  const gchar *const *choices;
} Field;

#define FIELD(name, type, ...) \
  { \
#name, type, G_STRUCT_OFFSET(AmsFaultRule, name), __VA_ARGS__ \
  }

static const Field fields[] = {
  FIELD (method, TEXT),
  FIELD (path, TEXT),
  FIELD (header, TEXT),
  FIELD (skip, UINT),
  FIELD (every, UINT),
  FIELD (count, UINT),
  FIELD (at, CHOICE, at_names),
  FIELD (bytes, UINT64),
  FIELD (delay, UINT),
  FIELD (hold, CHOICE, yes_names),
  FIELD (end, CHOICE, end_names),
  FIELD (unread, CHOICE, yes_names),
  FIELD (slow_bytes, UINT),
  FIELD (slow_ms, UINT),
  FIELD (expect, CHOICE, expect_names),
  FIELD (store, CHOICE, store_names),
  FIELD (store_bytes, UINT64),
  FIELD (status, UINT),
  FIELD (headers, TEXT),
  FIELD (body, TEXT),
  FIELD (body_size, SIZE),
  FIELD (location, TEXT),
  FIELD (raw, TEXT),
  FIELD (close, CHOICE, yes_names),
  FIELD (http10, CHOICE, yes_names),
};

static gint
find_choice (const gchar *const *choices, const gchar *name, GError **error)
{
  for (gint i = 0; choices[i]; i++) {
    if (strcmp (choices[i], name) == 0)
      return i;
  }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "“%s” is none of the choices, “%s” would be one.", name, choices[0]);
  return -1;
}

/* A command is one line, so its texts are escaped as in C. That makes them no longer. */
static const gchar *
unescape (gchar *text)
{
  g_autofree gchar *plain_text = g_strcompress (text);

  return strcpy (text, plain_text);
}

/* @value lives as long as @rule is in use. */
static gboolean
set_field (AmsFaultRule *rule, const Field *field, gchar *value, GError **error)
{
  gpointer at = G_STRUCT_MEMBER_P (rule, field->offset);
  guint64 number = 0;
  gint choice = 0;

  if (field->type == CHOICE)
    choice = find_choice (field->choices, value, error);
  else if (field->type != TEXT &&
      !g_ascii_string_to_unsigned (value, 10, 0,
          field->type == UINT ? G_MAXUINT : G_MAXUINT64, &number, error))
    choice = -1;
  if (choice < 0)
    return FALSE;
  switch (field->type) {
    case TEXT:
      *(const gchar **) at = unescape (value);
      break;
    case UINT:
      *(guint *) at = number;
      break;
    case UINT64:
      *(guint64 *) at = number;
      break;
    case SIZE:
      *(gsize *) at = number;
      break;
    case CHOICE: /* enums and gboolean are of gint's size */
      *(gint *) at = choice;
      break;
  }
  return TRUE;
}

static const Field *
find_field (const gchar *name, gsize length)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    if (strlen (fields[i].name) == length &&
        strncmp (fields[i].name, name, length) == 0)
      return &fields[i];
  }
  return NULL;
}

static gboolean
add_rule (AmsFaultServer *server, gchar **words, GError **error)
{
  AmsFaultRule rule = { 0 };

  for (; *words; words++) {
    gsize length = strcspn (*words, "=");
    const Field *field = find_field (*words, length);

    if (!field || (*words)[length] != '=') {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
          "“%s” is nothing that a rule has.", *words);
      return FALSE;
    }
    if (!set_field (&rule, field, *words + length + 1, error))
      return FALSE;
  }
  ams_fault_server_add_rule (server, &rule);
  return TRUE;
}

/* Commands. They answer, or set the error. */

static gboolean
set_auth (AmsFaultServer *server, gchar **words, GError **error)
{
  gint auth = find_choice (auth_names, words[0] ? words[0] : "", error);

  if (auth < 0)
    return FALSE;
  if (auth == AMS_FAULT_AUTH_NONE || auth == AMS_FAULT_AUTH_BEARER || !words[1])
    ams_fault_server_set_auth (server, auth, NULL, words[1]);
  else
    ams_fault_server_set_auth (server, auth, words[1], words[2]);
  return TRUE;
}

static gchar *
dup_base64 (AmsFaultServer *server, const gchar *name)
{
  g_autoptr (GBytes) bytes = ams_fault_server_dup_object (server, name);

  return bytes ? g_base64_encode (g_bytes_get_data (bytes, NULL),
                     g_bytes_get_size (bytes))
               : NULL;
}

static gchar *
dup_names (AmsFaultServer *server)
{
  g_auto (GStrv) names = ams_fault_server_dup_names (server);

  return g_strjoinv ("\n", names);
}

/* Those that take no word and say nothing. */
static const struct
{
  const gchar *name;
  void (*run) (AmsFaultServer *server);
} plain[] = {
  { "clear-rules", ams_fault_server_clear_rules },
  { "pause", ams_fault_server_pause },
  { "resume", ams_fault_server_resume },
  { "drop", ams_fault_server_drop },
  { "clear-problems", ams_fault_server_clear_problems },
};

/* Those that say something. */
static const struct
{
  const gchar *name;
  gchar *(*run) (AmsFaultServer *server);
} telling[] = {
  { "problems", ams_fault_server_dup_problems },
  { "log", ams_fault_server_dup_log },
  { "names", dup_names },
};

static gboolean
run_with_words (AmsFaultServer *server, const gchar *name, gchar **words,
    gchar **said, GError **error)
{
  const gchar *first = words[0] ? words[0] : "";

  if (strcmp (name, "rule") == 0)
    return add_rule (server, words, error);
  if (strcmp (name, "auth") == 0)
    return set_auth (server, words, error);
  if (strcmp (name, "deaf") == 0)
    ams_fault_server_set_deaf (server, strcmp (first, "yes") == 0);
  else if (strcmp (name, "release") == 0)
    ams_fault_server_release (server, words[0]);
  else if (strcmp (name, "wait-held") == 0)
    ams_fault_server_wait_held (server, NULL, words[0] ? words[1] : NULL,
        g_ascii_strtoull (first, NULL, 10));
  else if (strcmp (name, "wait-stored") == 0)
    ams_fault_server_wait_stored (server, words[0] ? words[1] : NULL,
        g_ascii_strtoull (first, NULL, 10));
  else if (strcmp (name, "get") == 0)
    *said = dup_base64 (server, first);
  else if (strcmp (name, "remove") == 0)
    ams_fault_server_remove_object (server, first);
  else {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
        "“%s” is no command.", name);
    return FALSE;
  }
  return TRUE;
}

static gboolean
run_command (AmsFaultServer *server, const gchar *line, gchar **said,
    GError **error)
{
  g_auto (GStrv) words = NULL;

  if (!g_shell_parse_argv (line, NULL, &words, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (plain); i++) {
    if (strcmp (words[0], plain[i].name) == 0) {
      plain[i].run (server);
      return TRUE;
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (telling); i++) {
    if (strcmp (words[0], telling[i].name) == 0) {
      *said = telling[i].run (server);
      return TRUE;
    }
  }
  return run_with_words (server, words[0], words + 1, said, error);
}

static void
run_commands (AmsFaultServer *server)
{
  g_autofree gchar *line = NULL;
  size_t size = 0;

  while (getline (&line, &size, stdin) > 0) {
    g_autoptr (GError) error = NULL;
    gchar *said = NULL;

    if (run_command (server, line, &said, &error))
      answer (said);
    else {
      GString *text = g_string_new ("{\"error\": ");

      add_text (text, error->message);
      g_string_append_c (text, '}');
      print_line (text);
    }
  }
}

/* Options */

static gchar *address, *tls, *certificates, *conditions, *etag;
static gboolean tls12, client_certificate, no_close_notify;
static gint port, missing_folder, receive_buffer;

static const GOptionEntry entries[] = { { "address", 0, 0, G_OPTION_ARG_STRING,
                                            &address, "127.0.0.1", NULL },
  { "port", 0, 0, G_OPTION_ARG_INT, &port, "0: any", NULL },
  { "tls", 0, 0, G_OPTION_ARG_STRING, &tls, "none, good, expired, other-host",
      NULL },
  { "certificates", 0, 0, G_OPTION_ARG_FILENAME, &certificates,
      "what make-certs.sh made", NULL },
  { "client-certificate", 0, 0, G_OPTION_ARG_NONE, &client_certificate,
      "demand one", NULL },
  { "no-close-notify", 0, 0, G_OPTION_ARG_NONE, &no_close_notify,
      "end TLS with a bare FIN", NULL },
  { "tls12", 0, 0, G_OPTION_ARG_NONE, &tls12, "TLS 1.2 at most", NULL },
  { "conditions", 0, 0, G_OPTION_ARG_STRING, &conditions,
      "honoured, ignored, refused", NULL },
  { "etag", 0, 0, G_OPTION_ARG_STRING, &etag, "md5, opaque, none", NULL },
  { "missing-folder", 0, 0, G_OPTION_ARG_INT, &missing_folder,
      "status of a PUT without its folder", NULL },
  { "receive-buffer", 0, 0, G_OPTION_ARG_INT, &receive_buffer, "bytes", NULL },
  { NULL } };

static gint
choose (const gchar *const *choices, const gchar *name)
{
  g_autoptr (GError) error = NULL;
  gint choice = name ? find_choice (choices, name, &error) : 0;

  if (choice < 0)
    g_error ("%s", error->message);
  return choice;
}

static AmsFaultServer *
new_server (void)
{
  AmsFaultOptions options = { .address = address,
    .port = port,
    .tls = choose (tls_names, tls),
    .certificates = certificates,
    .tls_client_certificate = client_certificate,
    .tls_no_close_notify = no_close_notify,
    .conditions = choose (conditions_names, conditions),
    .etag = choose (etag_names, etag),
    .missing_folder = missing_folder,
    .receive_buffer = receive_buffer };

  if (tls12)
    ams_fault_use_tls12 ();
  return ams_fault_server_new (&options);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  AmsFaultServer *server;
  GString *line = g_string_new (NULL);

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("%s\n", error->message);
    return 2;
  }
  server = new_server ();
  ams_fault_server_set_listener (server, on_request, NULL);
  g_string_printf (line, "{\"event\": \"listening\", \"port\": %u}",
      ams_fault_server_get_port (server));
  print_line (line);
  run_commands (server);
  ams_fault_server_free (server);
  g_free (address);
  g_free (tls);
  g_free (certificates);
  g_free (conditions);
  g_free (etag);
  return 0;
}
