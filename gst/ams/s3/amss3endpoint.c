/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3endpoint.h"

#include <string.h>

#include "s3/amss3key.h"
#include "s3/amss3sign.h"
#include "transfer/amsstore.h"

#define DEFAULT_REGION "us-east-1"
#define AWS_DOMAIN ".amazonaws.com"
#define AWS_CHINA_DOMAIN ".amazonaws.com.cn"

static GError *
refused (const gchar *text)
{
  return ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0, "%s", text);
}

/* Providers and regions by host */

static AmsS3Provider
provider_of (const gchar *host)
{
  if (g_str_has_suffix (host, AWS_DOMAIN) ||
      g_str_has_suffix (host, AWS_CHINA_DOMAIN))
    return AMS_S3_PROVIDER_AWS;
  if (g_str_equal (host, "storage.googleapis.com"))
    return AMS_S3_PROVIDER_GOOGLE;
  if (g_str_has_suffix (host, ".aliyuncs.com"))
    return AMS_S3_PROVIDER_ALIYUN;
  return AMS_S3_PROVIDER_OTHER;
}

/* AWS: s3.REGION, s3-REGION, s3.dualstack.REGION, s3-fips.REGION,
 * s3-fips.dualstack.REGION, bucket.vpce-….s3.REGION.vpce, s3 */
static gchar *
aws_region (const gchar *host)
{
  gsize domain = g_str_has_suffix (host, AWS_CHINA_DOMAIN)
      ? strlen (AWS_CHINA_DOMAIN)
      : strlen (AWS_DOMAIN);
  g_autofree gchar *name = g_strndup (host, strlen (host) - domain);
  g_auto (GStrv) labels = g_strsplit (name, ".", -1);
  guint n = g_strv_length (labels);

  if (n > 0 && g_str_equal (labels[n - 1], "vpce"))
    n--;
  if (n == 0 || g_str_has_prefix (labels[n - 1], "s3-accelerate"))
    return NULL;
  if (g_str_equal (labels[n - 1], "s3"))
    return g_strdup (DEFAULT_REGION);
  if (n == 1 && g_str_has_prefix (labels[0], "s3-"))
    return g_strdup (labels[0] + strlen ("s3-"));
  return n >= 2 ? g_strdup (labels[n - 1]) : NULL;
}

/* The region is what stands between. */
static const struct
{
  const gchar *prefix, *suffix;
} region_hosts[] = {
  { "s3.", ".wasabisys.com" },
  { "s3.", ".backblazeb2.com" },
  { "s3.", ".scw.cloud" },
  { "s3.", ".io.cloud.ovh.net" },
  { "s3.", ".perf.cloud.ovh.net" },
  { "s3.oss-", ".aliyuncs.com" },
  { "oss-", ".aliyuncs.com" },
  { "", ".digitaloceanspaces.com" },
  { "", ".linodeobjects.com" },
  { "", ".vultrobjects.com" },
  { "", ".your-objectstorage.com" },
};

gchar *
ams_s3_endpoint_dup_region (const AmsS3Endpoint *endpoint)
{
  const gchar *host = endpoint->host;
  guint i;

  if (endpoint->provider == AMS_S3_PROVIDER_AWS)
    return aws_region (host);
  if (endpoint->provider == AMS_S3_PROVIDER_GOOGLE ||
      g_str_has_suffix (host, ".r2.cloudflarestorage.com"))
    return g_strdup ("auto");
  for (i = 0; i < G_N_ELEMENTS (region_hosts); i++) {
    gsize before = strlen (region_hosts[i].prefix);
    gsize behind = strlen (region_hosts[i].suffix);
    gsize length = strlen (host);
    g_autofree gchar *region = NULL;

    if (!g_str_has_prefix (host, region_hosts[i].prefix) ||
        !g_str_has_suffix (host, region_hosts[i].suffix) ||
        length <= before + behind)
      continue;
    region = g_strndup (host + before, length - before - behind);
    return strchr (region, '.') == NULL ? g_steal_pointer (&region) : NULL;
  }
  return NULL;
}

gboolean
ams_s3_region_check (const gchar *region, GError **error)
{
  const gchar *p;

  for (p = region; g_ascii_isalnum (*p) || *p == '-' || *p == '_'; p++)
    ;
  if (*p == '\0' && p != region && p - region <= 63 && *region != '-')
    return TRUE;
  g_propagate_error (error,
      refused ("The region is not the name of one. Write it as the provider "
               "does, such as “eu-central-1”."));
  return FALSE;
}

gchar *
ams_s3_region_choose (const gchar *property, const gchar *environment,
    const gchar *profile, const AmsS3Endpoint *endpoint)
{
  const gchar *said[] = { property, environment, profile };
  gchar *region;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (said); i++) {
    if (said[i] != NULL && *said[i] != '\0')
      return g_strdup (said[i]);
  }
  region = endpoint != NULL ? ams_s3_endpoint_dup_region (endpoint) : NULL;
  return region != NULL ? region : g_strdup (DEFAULT_REGION);
}

/* Endpoints */

void
ams_s3_endpoint_free (AmsS3Endpoint *endpoint)
{
  g_free (endpoint->scheme);
  g_free (endpoint->host);
  g_free (endpoint->base_path);
  g_free (endpoint);
}

static AmsS3Endpoint *
new_endpoint (const gchar *scheme, const gchar *host, gint port)
{
  AmsS3Endpoint *endpoint = g_new0 (AmsS3Endpoint, 1);

  endpoint->scheme = g_strdup (scheme);
  endpoint->host = g_ascii_strdown (host, -1);
  endpoint->port = port;
  if (port == (g_str_equal (scheme, "https") ? 443 : 80))
    endpoint->port = -1;
  endpoint->provider = provider_of (endpoint->host);
  return endpoint;
}

static const gchar *
what_is_wrong (GUri *uri)
{
  const gchar *host;

  if (uri == NULL)
    return "endpoint is not a URL. Write it as https://HOST:PORT.";
  if (!g_str_equal (g_uri_get_scheme (uri), "https") &&
      !g_str_equal (g_uri_get_scheme (uri), "http"))
    return "endpoint does not begin with “https://” or “http://”. Write it as "
           "https://HOST:PORT.";
  host = g_uri_get_host (uri);
  if (host == NULL || *host == '\0')
    return "endpoint names no host. Write it as https://HOST:PORT.";
  if (!g_hostname_is_ip_address (host) &&
      strspn (host, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._") !=
          strlen (host))
    return "The host of endpoint has characters in it that no host's name has. "
           "Write it as https://HOST:PORT.";
  if (g_uri_get_userinfo (uri) != NULL)
    return "endpoint has a user in it. Leave it out, and give access-key and "
           "secret-access-key.";
  if (g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL)
    return "endpoint has “?” or “#” in it. Write it as https://HOST:PORT/PATH.";
  return NULL;
}

/* Canonical, so that what goes out is what is signed. */
static gchar *
base_path_of (const gchar *path)
{
  g_autofree gchar *bare = g_strdup (path);
  gsize length = strlen (bare);

  while (length > 0 && bare[length - 1] == '/')
    bare[--length] = '\0';
  return length > 0 ? ams_s3_canonical_path (bare) : g_strdup ("");
}

AmsS3Endpoint *
ams_s3_endpoint_parse (const gchar *text, GError **error)
{
  g_autoptr (GUri) uri = NULL;
  const gchar *wrong;
  AmsS3Endpoint *endpoint;

  if (strstr (text, "://") == NULL) {
    g_propagate_error (error,
        refused ("endpoint has no scheme. Write it as https://HOST:PORT."));
    return NULL;
  }
  /* Encoded: nothing of the path is normalised. */
  uri = g_uri_parse (text, G_URI_FLAGS_ENCODED, NULL);
  wrong = what_is_wrong (uri);
  if (wrong != NULL) {
    g_propagate_error (error, refused (wrong));
    return NULL;
  }
  endpoint = new_endpoint (g_uri_get_scheme (uri), g_uri_get_host (uri),
      g_uri_get_port (uri));
  endpoint->base_path = base_path_of (g_uri_get_path (uri));
  return endpoint;
}

AmsS3Endpoint *
ams_s3_endpoint_new_aws (const gchar *region, GError **error)
{
  g_autofree gchar *host = NULL;
  AmsS3Endpoint *endpoint;

  if (!ams_s3_region_check (region, error))
    return NULL;
  host = g_strconcat ("s3.", region,
      g_str_has_prefix (region, "cn-") ? AWS_CHINA_DOMAIN : AWS_DOMAIN, NULL);
  endpoint = new_endpoint ("https", host, -1);
  endpoint->base_path = g_strdup ("");
  return endpoint;
}

/* URLs */

gboolean
ams_s3_endpoint_is_virtual (const AmsS3Endpoint *endpoint,
    AmsS3Addressing addressing, const gchar *bucket)
{
  if (addressing != AMS_S3_ADDRESSING_AUTO)
    return addressing == AMS_S3_ADDRESSING_VIRTUAL;
  /* Where the bucket is at the front of the host already, by a base path or
   * an interface endpoint, there is no room for it. */
  if (endpoint->provider == AMS_S3_PROVIDER_OTHER ||
      *endpoint->base_path != '\0' || !ams_s3_bucket_is_dns (bucket))
    return FALSE;
  /* A certificate for *.HOST is none for a.b.HOST. */
  return strchr (bucket, '.') == NULL ||
      !g_str_equal (endpoint->scheme, "https");
}

gboolean
ams_s3_endpoint_check (const AmsS3Endpoint *endpoint,
    AmsS3Addressing addressing, const gchar *bucket, GError **error)
{
  g_autofree gchar *own = g_strconcat (bucket, ".", NULL);

  if (!ams_s3_bucket_check (bucket, error))
    return FALSE;
  if (endpoint->provider == AMS_S3_PROVIDER_AWS &&
      g_str_has_prefix (endpoint->host, own)) {
    g_propagate_error (error,
        refused ("endpoint has the bucket in its host's name. Leave the bucket "
                 "out there, it is put in where it belongs."));
    return FALSE;
  }
  if (addressing != AMS_S3_ADDRESSING_VIRTUAL)
    return TRUE;
  if (!g_hostname_is_ip_address (endpoint->host) &&
      ams_s3_bucket_is_dns (bucket))
    return TRUE;
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
          "The bucket “%s” cannot be put in front of the host “%s”. Set "
          "addressing to path.",
          bucket, endpoint->host));
  return FALSE;
}

GUri *
ams_s3_endpoint_to_uri (const AmsS3Endpoint *endpoint,
    AmsS3Addressing addressing, const gchar *bucket, const gchar *key,
    const gchar *query)
{
  gboolean in_host = ams_s3_endpoint_is_virtual (endpoint, addressing, bucket);
  g_autofree gchar *encoded = ams_s3_encode (key != NULL ? key : "", TRUE);
  g_autofree gchar *host = in_host
      ? g_strconcat (bucket, ".", endpoint->host, NULL)
      : g_strdup (endpoint->host);
  g_autofree gchar *path = g_strconcat (endpoint->base_path, in_host ? "" : "/",
      in_host ? "" : bucket, in_host || key != NULL ? "/" : "", encoded, NULL);

  return g_uri_build (G_URI_FLAGS_ENCODED, endpoint->scheme, NULL, host,
      endpoint->port, path, query, NULL);
}

gchar *
ams_s3_host_header (GUri *uri)
{
  const gchar *host = g_uri_get_host (uri);
  g_autofree gchar *lower = g_ascii_strdown (host, -1);
  g_autofree gchar *name = strchr (lower, ':') != NULL
      ? g_strconcat ("[", lower, "]", NULL)
      : g_strdup (lower);
  gint port = g_uri_get_port (uri);

  if (port == -1 ||
      port == (g_str_equal (g_uri_get_scheme (uri), "https") ? 443 : 80))
    return g_steal_pointer (&name);
  return g_strdup_printf ("%s:%d", name, port);
}
