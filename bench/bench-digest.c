/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* bench-digest: how fast the libraries at hand hash a segment of 4 MB, and what the digests
 * of a body cost together. Prints MB/s, the best of some runs: what the machine can do. */

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#ifdef HAVE_LIBCRYPTO
#include <openssl/evp.h>
#endif
#ifdef HAVE_NETTLE
#include <nettle/md5.h>
#include <nettle/sha2.h>
#endif

#include "s3/amss3digest.h"

#define SIZE (4 * 1000 * 1000)
#define PIECE (64 * 1000)
#define RUNS 15

static guint8 data[SIZE];

static gsize
piece_at (gsize offset)
{
  return MIN (PIECE, SIZE - offset);
}

static void
run_glib (gconstpointer type)
{
  g_autoptr (GChecksum) sum = g_checksum_new (GPOINTER_TO_INT (type));
  gsize i;

  for (i = 0; i < SIZE; i += PIECE)
    g_checksum_update (sum, data + i, piece_at (i));
  g_checksum_get_string (sum);
}

static void
run_gnutls (gconstpointer algorithm)
{
  gnutls_hash_hd_t hash;
  guint8 out[64];
  gsize i;

  g_assert_true (gnutls_hash_init (&hash, GPOINTER_TO_INT (algorithm)) == 0);
  for (i = 0; i < SIZE; i += PIECE)
    gnutls_hash (hash, data + i, piece_at (i));
  gnutls_hash_deinit (hash, out);
}

#ifdef HAVE_LIBCRYPTO
static void
run_openssl (gconstpointer type)
{
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  guint8 out[EVP_MAX_MD_SIZE];
  gsize i;

  EVP_DigestInit_ex (context, type, NULL);
  for (i = 0; i < SIZE; i += PIECE)
    EVP_DigestUpdate (context, data + i, piece_at (i));
  EVP_DigestFinal_ex (context, out, NULL);
  EVP_MD_CTX_free (context);
}
#endif

#ifdef HAVE_NETTLE
static void
run_nettle_sha256 (gconstpointer unused)
{
  struct sha256_ctx context;
  guint8 out[SHA256_DIGEST_SIZE];
  gsize i;

  sha256_init (&context);
  for (i = 0; i < SIZE; i += PIECE)
    sha256_update (&context, piece_at (i), data + i);
  sha256_digest (&context, sizeof out, out);
}

static void
run_nettle_md5 (gconstpointer unused)
{
  struct md5_ctx context;
  guint8 out[MD5_DIGEST_SIZE];
  gsize i;

  md5_init (&context);
  for (i = 0; i < SIZE; i += PIECE)
    md5_update (&context, piece_at (i), data + i);
  md5_digest (&context, sizeof out, out);
}
#endif

static void
run_body (gconstpointer flags)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, SIZE);
  g_autoptr (AmsBody) body = ams_memory_body_new ();
  g_autoptr (AmsS3Digester) digester =
      ams_s3_digester_new (GPOINTER_TO_INT (flags));
  AmsS3Digests digests;
  gboolean done;

  ams_body_append (body, bytes, NULL);
  ams_body_finish (body, SIZE);
  ams_s3_digester_read (digester, body, 0, SIZE, SIZE, &done, NULL);
  ams_s3_digester_finish (digester, &digests);
}

static void
measure (const gchar *name, void (*run) (gconstpointer), gconstpointer what)
{
  gint64 best = G_MAXINT64;
  guint i;

  for (i = 0; i < RUNS; i++) {
    gint64 start = g_get_monotonic_time ();

    run (what);
    best = MIN (best, g_get_monotonic_time () - start);
  }
  g_print ("%-28s %7.0f MB/s\n", name, (gdouble) SIZE / MAX (best, 1));
}

int
main (int argc, char **argv)
{
  memset (data, 'x', SIZE);
  measure ("SHA-256 GLib", run_glib, GINT_TO_POINTER (G_CHECKSUM_SHA256));
  measure ("SHA-256 GnuTLS", run_gnutls, GINT_TO_POINTER (GNUTLS_DIG_SHA256));
  measure ("MD5 GLib", run_glib, GINT_TO_POINTER (G_CHECKSUM_MD5));
  measure ("MD5 GnuTLS", run_gnutls, GINT_TO_POINTER (GNUTLS_DIG_MD5));
#ifdef HAVE_NETTLE
  measure ("SHA-256 Nettle", run_nettle_sha256, NULL);
  measure ("MD5 Nettle", run_nettle_md5, NULL);
#endif
#ifdef HAVE_LIBCRYPTO
  measure ("SHA-256 OpenSSL", run_openssl, EVP_sha256 ());
  measure ("MD5 OpenSSL", run_openssl, EVP_md5 ());
#endif
  measure ("body: SHA-256", run_body, GINT_TO_POINTER (AMS_S3_DIGEST_SHA256));
  measure ("body: SHA-256, MD5", run_body,
      GINT_TO_POINTER (AMS_S3_DIGEST_SHA256 | AMS_S3_DIGEST_MD5));
  measure ("body: SHA-256, CRC-32", run_body,
      GINT_TO_POINTER (AMS_S3_DIGEST_SHA256 | AMS_S3_DIGEST_CRC32));
  measure ("body: all three", run_body,
      GINT_TO_POINTER (
          AMS_S3_DIGEST_SHA256 | AMS_S3_DIGEST_MD5 | AMS_S3_DIGEST_CRC32));
  return 0;
}
