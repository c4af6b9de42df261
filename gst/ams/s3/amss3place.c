/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3place.h"

#include "http/amshttperror.h"
#include "s3/amss3config.h"

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN (ams_s3_store_debug);
#define GST_CAT_DEFAULT ams_s3_store_debug

#define PATIENCE (10 * G_TIME_SPAN_SECOND)
#define DEFAULT_REGION "us-east-1"

static GHashTable *
new_set (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static gchar *
choose_region (const AmsS3StoreOptions *options)
{
  g_auto (GStrv) envp = g_get_environ ();
  g_autoptr (AmsS3Config) config =
      ams_s3_config_new (options->credentials.profile, envp);
  g_autofree gchar *region = NULL;
  g_autoptr (GError) error = NULL;

  region = ams_s3_region_choose (options->region,
      ams_s3_config_get_env_region (config),
      ams_s3_config_get (config, "region"), options->endpoint);
  if (ams_s3_region_check (region, &error))
    return g_steal_pointer (&region);
  GST_WARNING ("%s It is taken for %s.", error->message, DEFAULT_REGION);
  return g_strdup (DEFAULT_REGION);
}

void
ams_s3_place_init (AmsS3Place *place, GObject *store, AmsHttpClient *client,
    const AmsS3StoreOptions *options)
{
  AmsS3CredentialsOptions *credentials = &place->options.credentials;

  place->store = store;
  place->client = g_object_ref (client);
  ams_s3_store_options_copy (&place->options, options);
  place->region = choose_region (options);
  /* A region that was checked makes an endpoint. */
  place->endpoint = place->options.endpoint
      ? g_steal_pointer (&place->options.endpoint)
      : ams_s3_endpoint_new_aws (place->region, NULL);
  /* Google takes the header, and replaces objects all the same. */
  place->asks_first = place->endpoint->provider == AMS_S3_PROVIDER_GOOGLE;
  if (!credentials->region)
    credentials->region = g_strdup (place->region);
  place->credentials = ams_s3_credentials_new (credentials, NULL, NULL, NULL);
  place->signer = ams_s3_signer_new ();
  place->guard = ams_list_guard_new ();
  place->patience = PATIENCE;
  place->uploads = ams_s3_uploads_new (options->uploads_file, options->bucket);
  place->own = new_set ();
  place->cut_off = new_set ();
  place->spoiled = new_set ();
  place->doubted = new_set ();
  place->unsure =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

void
ams_s3_place_clear (AmsS3Place *place)
{
  ams_list_guard_free (place->guard);
  ams_s3_credentials_stop (place->credentials);
  g_object_unref (place->credentials);
  g_object_unref (place->client);
  ams_s3_store_options_clear (&place->options);
  ams_s3_signer_free (place->signer);
  ams_s3_endpoint_free (place->endpoint);
  g_free (place->region);
  ams_s3_uploads_free (place->uploads);
  g_hash_table_unref (place->own);
  g_hash_table_unref (place->cut_off);
  g_hash_table_unref (place->spoiled);
  g_hash_table_unref (place->doubted);
  g_hash_table_unref (place->unsure);
}

/* AWS has an endpoint for each region; elsewhere there is the one. */
void
ams_s3_place_move (AmsS3Place *place, const gchar *region)
{
  AmsS3Endpoint *there = NULL;
  gchar *copy = g_strdup (region);

  g_free (place->region);
  place->region = copy;
  if (place->endpoint->provider == AMS_S3_PROVIDER_AWS)
    there = ams_s3_endpoint_new_aws (region, NULL);
  if (!there)
    return;
  ams_s3_endpoint_free (place->endpoint);
  place->endpoint = there;
}

void
ams_s3_place_note_cut_off (AmsS3Place *place, const gchar *key,
    const GError *error)
{
  if (error && ams_http_error_wants_expect (error))
    g_hash_table_add (place->cut_off, g_strdup (key));
  else
    g_hash_table_remove (place->cut_off, key);
}

gboolean
ams_s3_place_was_cut_off (AmsS3Place *place, const gchar *key)
{
  return g_hash_table_contains (place->cut_off, key);
}

void
ams_s3_place_distrust_etags (AmsS3Place *place)
{
  if (!place->has_other_etags)
    GST_INFO ("%s has ETags that are not the MD5 of what was put, as an object "
              "shows that is as it should be: they are not compared any more",
        place->endpoint->host);
  place->has_other_etags = TRUE;
}

gchar *
ams_s3_place_display (AmsS3Place *place, const gchar *key)
{
  return g_strconcat (place->options.bucket, key ? "/" : NULL, key, NULL);
}
