/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is written behind hls-upload. */

#pragma once

#include "s3/amss3store.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *address;
  guint port; /* 0: any */
  gchar *app; /* (nullable) */
  gchar *spool; /* (nullable) */
  gchar *basic_file, *token_file; /* nullable */
  gchar *certificate, *private_key; /* nullable */
  guint64 max_size; /* bytes of one file */
  guint max_requests; /* at once */
  guint max_connections; /* at once */
  guint timeout; /* s of one request */
  guint retry_for; /* s */
  guint max_parallel; /* requests to the store */
  gboolean overwrite;
  AmsS3StoreOptions store;
} HlsUploadOptions;

/* FALSE: @error, of which the message is a sentence. Exits for --help and --version. */
gboolean hls_upload_options_parse (HlsUploadOptions *options, gint *argc,
    gchar ***argv, GError **error);
void hls_upload_options_clear (HlsUploadOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HlsUploadOptions, hls_upload_options_clear)

G_END_DECLS
