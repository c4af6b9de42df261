/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3message.h"

#include "s3/amss3endpoint.h"

static void
set_headers (SoupMessage *message, const AmsS3Identity *identity,
    const gchar *payload_hash, const gchar *date)
{
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);
  g_autofree gchar *host = ams_s3_host_header (soup_message_get_uri (message));

  soup_message_headers_replace (headers, "Host", host);
  soup_message_headers_replace (headers, "x-amz-date", date);
  soup_message_headers_replace (headers, "x-amz-content-sha256", payload_hash);
  /* A former attempt may have had one, and this one none. */
  soup_message_headers_remove (headers, "x-amz-security-token");
  if (identity->session_token != NULL)
    soup_message_headers_append (headers, "x-amz-security-token",
        identity->session_token);
}

/* (element-type AmsS3Header) Names and values belong to the message. */
static GArray *
collect_headers (SoupMessage *message)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (AmsS3Header));
  SoupMessageHeadersIter iter;
  AmsS3Header header;

  soup_message_headers_iter_init (&iter,
      soup_message_get_request_headers (message));
  while (soup_message_headers_iter_next (&iter, &header.name, &header.value)) {
    if (ams_s3_header_is_signed (header.name))
      g_array_append_val (found, header);
  }
  return found;
}

void
ams_s3_sign_message (AmsS3Signer *signer, SoupMessage *message,
    const AmsS3Identity *identity, const gchar *region,
    const gchar *payload_hash, gint64 now)
{
  GUri *uri = soup_message_get_uri (message);
  AmsS3SignKeys keys = { identity->access_key, identity->secret_key, region };
  AmsS3SignRequest request = {
    .method = soup_message_get_method (message),
    .path = g_uri_get_path (uri),
    .query = g_uri_get_query (uri),
    .payload_hash = payload_hash,
  };
  /* One reading of the clock for all. */
  g_autofree gchar *date = ams_s3_date (now);
  g_autoptr (GArray) headers = NULL;
  g_autofree gchar *value = NULL;

  set_headers (message, identity, payload_hash, date);
  headers = collect_headers (message);
  request.headers = (const AmsS3Header *) headers->data;
  request.n_headers = headers->len;
  value = ams_s3_signer_authorize (signer, &keys, date, &request);
  soup_message_headers_replace (soup_message_get_request_headers (message),
      "Authorization", value);
}
