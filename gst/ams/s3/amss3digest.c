/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3digest.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <zlib.h>

#include "transfer/amsstore.h"

#define READ_SIZE (64 * 1024) /* fits the second-level cache of any machine */
#define SHA256_SIZE 32
#define MD5_SIZE 16

/* SHA-256: GnuTLS, which TLS brings into the process anyway and which uses the
 * processor's instructions for it. Measured (bench-digest, AMD EPYC with sha_ni):
 * GnuTLS 1890 MB/s, OpenSSL 1910, Nettle 1690, GLib 350. */

static gnutls_hash_hd_t
sha256_start (void)
{
  gnutls_hash_hd_t hash;

  /* Only fails where there is no memory, as g_malloc() would. */
  if (gnutls_hash_init (&hash, GNUTLS_DIG_SHA256) < 0)
    g_error ("GnuTLS cannot make a SHA-256.");
  return hash;
}

static void
sha256_update (gnutls_hash_hd_t hash, gconstpointer data, gsize size)
{
  gnutls_hash (hash, data, size);
}

/* @out: nullable, of SHA256_SIZE */
static void
sha256_end (gnutls_hash_hd_t hash, guint8 *out)
{
  gnutls_hash_deinit (hash, out);
}

struct _AmsS3Digester
{
  AmsS3DigestFlags flags;
  guint64 size;
  gnutls_hash_hd_t sha256; /* nullable */
  GChecksum *
      md5; /* nullable. As fast in all libraries, and GnuTLS refuses it in FIPS mode */
  uLong crc32;
  guint8 *buffer; /* nullable */
};

AmsS3Digester *
ams_s3_digester_new (AmsS3DigestFlags flags)
{
  AmsS3Digester *digester = g_new0 (AmsS3Digester, 1);

  digester->flags = flags;
  if (flags & AMS_S3_DIGEST_SHA256)
    digester->sha256 = sha256_start ();
  if (flags & AMS_S3_DIGEST_MD5)
    digester->md5 = g_checksum_new (G_CHECKSUM_MD5);
  if (flags & AMS_S3_DIGEST_CRC32)
    digester->crc32 = crc32_z (0, NULL, 0);
  return digester;
}

void
ams_s3_digester_free (AmsS3Digester *digester)
{
  if (digester->sha256 != NULL)
    sha256_end (digester->sha256, NULL);
  g_clear_pointer (&digester->md5, g_checksum_free);
  g_free (digester->buffer);
  g_free (digester);
}

void
ams_s3_digester_update (AmsS3Digester *digester, gconstpointer data, gsize size)
{
  digester->size += size;
  if (digester->flags & AMS_S3_DIGEST_SHA256)
    sha256_update (digester->sha256, data, size);
  if (digester->flags & AMS_S3_DIGEST_MD5)
    g_checksum_update (digester->md5, data, size);
  if (digester->flags & AMS_S3_DIGEST_CRC32)
    digester->crc32 = crc32_z (digester->crc32, data, size);
}

/* What is in memory is taken from where it is. */
static const guint8 *
look_at (AmsS3Digester *digester, AmsBody *body, guint64 offset, gssize *size,
    GError **error)
{
  const guint8 *data;
  gsize there;

  if (AMS_IS_MEMORY_BODY (body)) {
    data = ams_memory_body_peek (AMS_MEMORY_BODY (body), offset, &there);
    *size = MIN (there, (gsize) *size);
    return data;
  }
  if (digester->buffer == NULL)
    digester->buffer = g_malloc (READ_SIZE);
  *size = ams_body_read (body, offset, digester->buffer, *size, error);
  return digester->buffer;
}

static gboolean
read_some (AmsS3Digester *digester, AmsBody *body, guint64 offset, gsize size,
    GError **error)
{
  gssize n = size;
  const guint8 *data = look_at (digester, body, offset, &n, error);

  if (n == 0) {
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
            "The file is shorter than it was when it was finished."));
    return FALSE;
  }
  if (n < 0)
    return FALSE;
  ams_s3_digester_update (digester, data, n);
  return TRUE;
}

gboolean
ams_s3_digester_read (AmsS3Digester *digester, AmsBody *body, guint64 start,
    guint64 end, guint64 most, gboolean *done, GError **error)
{
  guint64 stop = MIN (end - start, digester->size + most);

  while (digester->size < stop) {
    gsize size = MIN (READ_SIZE, stop - digester->size);

    if (!read_some (digester, body, start + digester->size, size, error))
      return FALSE;
  }
  *done = digester->size == end - start;
  if (*done)
    ams_body_rest (body);
  return TRUE;
}

static void
to_hex (const guint8 *data, gsize size, gchar *out)
{
  gsize i;

  for (i = 0; i < size; i++)
    g_snprintf (out + 2 * i, 3, "%02x", data[i]);
}

static void
to_base64 (const guint8 *data, gsize size, gchar *out, gsize out_size)
{
  g_autofree gchar *text = g_base64_encode (data, size);

  g_strlcpy (out, text, out_size);
}

static void
finish_sha256 (AmsS3Digester *digester, AmsS3Digests *digests)
{
  guint8 hash[SHA256_SIZE];

  sha256_end (g_steal_pointer (&digester->sha256), hash);
  to_hex (hash, SHA256_SIZE, digests->sha256);
}

static void
finish_md5 (AmsS3Digester *digester, AmsS3Digests *digests)
{
  guint8 hash[MD5_SIZE];
  gsize size = MD5_SIZE;

  g_checksum_get_digest (digester->md5, hash, &size);
  to_hex (hash, size, digests->md5);
  to_base64 (hash, size, digests->md5_base64, sizeof digests->md5_base64);
}

static void
finish_crc32 (AmsS3Digester *digester, AmsS3Digests *digests)
{
  guint32 sum = GUINT32_TO_BE (digester->crc32);

  to_base64 ((const guint8 *) &sum, sizeof sum, digests->crc32_base64,
      sizeof digests->crc32_base64);
}

void
ams_s3_digester_finish (AmsS3Digester *digester, AmsS3Digests *digests)
{
  memset (digests, 0, sizeof *digests);
  digests->size = digester->size;
  if (digester->flags & AMS_S3_DIGEST_SHA256)
    finish_sha256 (digester, digests);
  if (digester->flags & AMS_S3_DIGEST_MD5)
    finish_md5 (digester, digests);
  if (digester->flags & AMS_S3_DIGEST_CRC32)
    finish_crc32 (digester, digests);
}

void
ams_s3_digest_bytes (AmsS3DigestFlags flags, GBytes *bytes,
    AmsS3Digests *digests)
{
  g_autoptr (AmsS3Digester) digester = ams_s3_digester_new (flags);
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  if (size > 0)
    ams_s3_digester_update (digester, data, size);
  ams_s3_digester_finish (digester, digests);
}
