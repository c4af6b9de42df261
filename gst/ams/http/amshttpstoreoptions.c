/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpstoreoptions.h"

static AmsHttpUrl *
copy_url (const AmsHttpUrl *url)
{
  AmsHttpUrl *copy = g_memdup2 (url, sizeof *url);

  copy->scheme = g_strdup (url->scheme);
  copy->host = g_strdup (url->host);
  copy->path = g_strdup (url->path);
  copy->query = g_strdup (url->query);
  copy->user = g_strdup (url->user);
  copy->password = g_strdup (url->password);
  return copy;
}

void
ams_http_store_options_copy (AmsHttpStoreOptions *to,
    const AmsHttpStoreOptions *from)
{
  *to = *from;
  to->url = from->url ? copy_url (from->url) : NULL;
  to->notify_url = g_strdup (from->notify_url);
  to->content_type = g_strdup (from->content_type);
  to->segment_cache_control = g_strdup (from->segment_cache_control);
  to->playlist_cache_control = g_strdup (from->playlist_cache_control);
}

void
ams_http_store_options_clear (AmsHttpStoreOptions *options)
{
  g_clear_pointer (&options->url, ams_http_url_free);
  g_clear_pointer (&options->notify_url, g_free);
  g_clear_pointer (&options->content_type, g_free);
  g_clear_pointer (&options->segment_cache_control, g_free);
  g_clear_pointer (&options->playlist_cache_control, g_free);
}
