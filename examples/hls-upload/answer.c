/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "answer.h"

#include "names.h"
#include "transfer/amsstore.h"

#include <string.h>

#define TYPE "text/plain; charset=utf-8"
#define ALLOW "GET, HEAD, PUT, DELETE"
/* So long, in s, and so many bytes of what is still coming are read before the connection is
 * closed: a reset would take the answer from the client. */
#define LINGER 2
#define LINGER_BYTES (4 * 1024 * 1024)
#define BLOCK (64 * 1024)

/* Which */

static guint
status_of_failure (AmsFailure failure, gboolean conditional)
{
  switch (failure) {
    case AMS_FAILURE_EXISTS:
      return conditional ? 412 : 409;
    case AMS_FAILURE_ABSENT:
      return 404;
    case AMS_FAILURE_FULL:
      return 507;
    case AMS_FAILURE_PERMANENT:
      return 502;
    case AMS_FAILURE_LOST:
    case AMS_FAILURE_UNSUPPORTED:
      return 500;
    default:
      return 503;
  }
}

guint
hls_upload_status_of (const GError *error, gboolean conditional)
{
  if (error->domain == HLS_UPLOAD_ERROR)
    return error->code;
  return status_of_failure (ams_store_error_get_failure (error), conditional);
}

/* The store speaks of an element's properties. */
gchar *
hls_upload_sentence_of (const GError *error)
{
  if (g_error_matches (error, AMS_STORE_ERROR, AMS_FAILURE_EXISTS))
    return g_strdup (
        "Another file with that name is there already, and was not "
        "replaced: choose another name, or let hls-upload run "
        "with --overwrite.");
  return g_strconcat (error->message,
      g_str_has_suffix (error->message, ".") ? "" : ".", NULL);
}

/* How */

void
hls_upload_answer_error (SoupServerMessage *message, guint status,
    const gchar *sentence, guint retry_after, const gchar *challenge)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);
  g_autofree gchar *text = g_strconcat (sentence, "\n", NULL);
  g_autofree gchar *seconds = g_strdup_printf ("%u", retry_after);

  soup_server_message_set_response (message, TYPE, SOUP_MEMORY_COPY, text,
      strlen (text));
  if (retry_after)
    soup_message_headers_replace (headers, "Retry-After", seconds);
  if (challenge)
    soup_message_headers_replace (headers, "WWW-Authenticate", challenge);
  if (status == 405)
    soup_message_headers_replace (headers, "Allow", ALLOW);
  soup_server_message_set_status (message, status, NULL);
}

/* To who is still sending */

typedef struct
{
  SoupServerMessage *message; /* until its connection is taken */
  GIOStream *connection;
  GSocket *socket;
  GCancellable *cancellable; /* after LINGER */
  GSource *timeout;
  gchar *text;
  gsize read;
} Closing;

static void
closing_free (Closing *closing)
{
  if (closing->timeout) {
    g_source_destroy (closing->timeout);
    g_source_unref (closing->timeout);
  }
  g_clear_object (&closing->message);
  g_clear_object (&closing->connection);
  g_clear_object (&closing->socket);
  g_clear_object (&closing->cancellable);
  g_free (closing->text);
  g_free (closing);
}

static void
on_closed (GObject *connection, GAsyncResult *result, gpointer user_data)
{
  g_io_stream_close_finish (G_IO_STREAM (connection), result, NULL);
  closing_free (user_data);
}

static void read_on (Closing *closing);

static void
on_read (GObject *stream, GAsyncResult *result, gpointer user_data)
{
  Closing *closing = user_data;
  g_autoptr (GBytes) bytes =
      g_input_stream_read_bytes_finish (G_INPUT_STREAM (stream), result, NULL);
  gsize size = bytes ? g_bytes_get_size (bytes) : 0;

  closing->read += size;
  if (size > 0 && closing->read < LINGER_BYTES)
    read_on (closing);
  else
    g_io_stream_close_async (closing->connection, G_PRIORITY_DEFAULT, NULL,
        on_closed, closing);
}

static void
read_on (Closing *closing)
{
  g_input_stream_read_bytes_async (
      g_io_stream_get_input_stream (closing->connection), BLOCK,
      G_PRIORITY_DEFAULT, closing->cancellable, on_read, closing);
}

static void
on_written (GObject *stream, GAsyncResult *result, gpointer user_data)
{
  Closing *closing = user_data;

  g_output_stream_write_all_finish (G_OUTPUT_STREAM (stream), result, NULL,
      NULL);
  g_socket_shutdown (closing->socket, FALSE, TRUE, NULL);
  read_on (closing);
}

static gboolean
on_timeout (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

static gchar *
make_text (guint status, const gchar *sentence, guint retry_after,
    const gchar *challenge)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "HTTP/1.1 %u %s\r\n", status,
      soup_status_get_phrase (status));
  g_string_append_printf (text,
      "Content-Type: " TYPE "\r\nContent-Length: %" G_GSIZE_FORMAT
      "\r\nConnection: close\r\n",
      strlen (sentence) + 1);
  if (retry_after)
    g_string_append_printf (text, "Retry-After: %u\r\n", retry_after);
  if (challenge)
    g_string_append_printf (text, "WWW-Authenticate: %s\r\n", challenge);
  if (status == 405)
    g_string_append (text, "Allow: " ALLOW "\r\n");
  g_string_append_printf (text, "\r\n%s\n", sentence);
  return g_string_free (text, FALSE);
}

/* Not from within libsoup's reading. */
static gboolean
on_idle (gpointer user_data)
{
  Closing *closing = user_data;
  closing->connection = soup_server_message_steal_connection (closing->message);
  g_clear_object (&closing->message);
  if (!closing->connection) {
    closing_free (closing);
    return G_SOURCE_REMOVE;
  }
  closing->timeout = g_timeout_source_new_seconds (LINGER);
  g_source_set_callback (closing->timeout, on_timeout,
      g_object_ref (closing->cancellable), g_object_unref);
  g_source_attach (closing->timeout, NULL);
  g_output_stream_write_all_async (
      g_io_stream_get_output_stream (closing->connection), closing->text,
      strlen (closing->text), G_PRIORITY_DEFAULT, closing->cancellable,
      on_written, closing);
  return G_SOURCE_REMOVE;
}

void
hls_upload_answer_and_close (SoupServerMessage *message, GSocket *socket,
    guint status, const gchar *sentence, guint retry_after,
    const gchar *challenge)
{
  Closing *closing = g_new0 (Closing, 1);

  closing->message = g_object_ref (message);
  closing->socket = g_object_ref (socket);
  closing->cancellable = g_cancellable_new ();
  /* Within an answer there is no place for another. */
  closing->text = soup_server_message_get_status (message) == 0
      ? make_text (status, sentence, retry_after, challenge)
      : g_strdup ("");
  soup_server_message_pause (message);
  g_idle_add_full (G_PRIORITY_HIGH, on_idle, closing, NULL);
}
