/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An access key with its secret, and the answers it is read from. Pure. Errors are
 * AMS_STORE_ERROR; no text of theirs has anything of a secret. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Immutable; may be used by several threads. */
typedef struct
{
  gchar *access_key, *secret_key;
  gchar *session_token; /* (nullable) */
  gint64 expires; /* µs since 1970 UTC; G_MAXINT64: never */
  gchar *source; /* where it comes from, for people */
} AmsS3Identity;

/* "" as session token is none. */
AmsS3Identity *ams_s3_identity_new (const gchar *access_key,
    const gchar *secret_key, const gchar *session_token, gint64 expires,
    const gchar *source);
AmsS3Identity *ams_s3_identity_ref (AmsS3Identity *identity);
/* The last one overwrites the secrets. */
void ams_s3_identity_unref (AmsS3Identity *identity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsS3Identity, ams_s3_identity_unref)

/* Whether it can be sent: visible ASCII, for a line of a header is made of it. */
gboolean ams_s3_identity_check (const AmsS3Identity *identity, GError **error);

/* What a container's or a machine's service answers, and a credential_process
 * prints. */
AmsS3Identity *ams_s3_identity_parse_json (GBytes *json, const gchar *source,
    GError **error);
/* What AssumeRoleWithWebIdentity answers. */
AmsS3Identity *ams_s3_identity_parse_sts (GBytes *xml, const gchar *source,
    GError **error);

G_END_DECLS
