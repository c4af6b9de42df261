/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpproxy.h"

#include "http/amshttpproxyenv.h"
#include "http/amshttpurl.h"
#include "transfer/amsstore.h"

#include <gst/gst.h>
#include <string.h>

GST_DEBUG_CATEGORY_STATIC (ams_http_proxy_debug);
#define GST_CAT_DEFAULT ams_http_proxy_debug

/* Where a proxy's URL says none; as curl. */
#define DEFAULT_PORT 1080
#define DEFAULT_TLS_PORT 443
#define DIRECT "direct://"

struct _AmsHttpProxy
{
  GObject parent;

  /* One of these three */
  gchar *fixed; /* (nullable) secret: the URL for all requests */
  GStrv envp; /* (nullable) secret: what names it, request by request */
  GProxyResolver *system; /* (nullable) not owned */

  GHashTable *credentials; /* URL without them → Credentials */
};

static void resolver_init (GProxyResolverInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmsHttpProxy, ams_http_proxy, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (G_TYPE_PROXY_RESOLVER, resolver_init))

typedef struct
{
  gchar *user, *password;
} Credentials;

static void
credentials_free (gpointer data)
{
  Credentials *credentials = data;

  ams_http_free_secret (credentials->user);
  ams_http_free_secret (credentials->password);
  g_free (credentials);
}

/* URLs of proxies */

static GUri *
parse (const gchar *text)
{
  static const gchar *const schemes[] = { "http", "https", "socks4", "socks4a",
    "socks5", "socks5h", NULL };
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_HAS_PASSWORD, NULL);

  if (!uri || !g_uri_get_host (uri) || g_uri_get_host (uri)[0] == '\0' ||
      !g_strv_contains (schemes, g_uri_get_scheme (uri)))
    return NULL;
  return g_steal_pointer (&uri);
}

static gint
port_of (GUri *uri)
{
  if (g_uri_get_port (uri) > 0)
    return g_uri_get_port (uri);
  return strcmp (g_uri_get_scheme (uri), "https") == 0 ? DEFAULT_TLS_PORT
                                                       : DEFAULT_PORT;
}

/* GIO leaves it to a SOCKS 5 proxy to look up the name, which others call “socks5h”. */
static const gchar *
scheme_of (GUri *uri)
{
  const gchar *scheme = g_uri_get_scheme (uri);

  return strcmp (scheme, "socks5h") == 0 ? "socks5" : scheme;
}

/* @user, @password: (nullable) not encoded */
static gchar *
join (GUri *uri, const gchar *user, const gchar *password)
{
  g_autofree gchar *user_text =
      user ? g_uri_escape_string (user, NULL, FALSE) : NULL;
  gchar *password_text =
      password ? g_uri_escape_string (password, NULL, FALSE) : NULL;
  gchar *text =
      g_uri_join_with_user (G_URI_FLAGS_ENCODED | G_URI_FLAGS_HAS_PASSWORD,
          scheme_of (uri), user_text, password_text, NULL, g_uri_get_host (uri),
          port_of (uri), "", NULL, NULL);

  ams_http_free_secret (password_text);
  return text;
}

/* Returns: (transfer full): secret: @uri with @user and @password, or without, if they
 * are kept here. */
static gchar *
keep_credentials (AmsHttpProxy *self, GUri *uri, const gchar *user,
    const gchar *password)
{
  Credentials *credentials;
  gchar *bare;

  if (strcmp (g_uri_get_scheme (uri), "http") != 0)
    return join (uri, user, password);
  bare = join (uri, NULL, NULL);
  if (!user)
    return bare;
  credentials = g_new0 (Credentials, 1);
  credentials->user = g_strdup (user);
  credentials->password = g_strdup (password ? password : "");
  g_hash_table_replace (self->credentials, g_strdup (bare), credentials);
  return bare;
}

/* What may stand in the list of a resolver: a proxy's URL, or “direct://”. */
static gchar *
strip (AmsHttpProxy *self, const gchar *text)
{
  g_autoptr (GUri) uri = parse (text);

  if (!uri)
    return g_strdup (text);
  return keep_credentials (self, uri, g_uri_get_user (uri),
      g_uri_get_password (uri));
}

/* The environment */

/* curl takes a proxy without a scheme for an HTTP proxy. */
static gchar *
complete (const gchar *text)
{
  return strstr (text, "://") ? g_strdup (text)
                              : g_strconcat ("http://", text, NULL);
}

static gchar *
find_in_environment (AmsHttpProxy *self, const gchar *destination)
{
  g_autoptr (GUri) to = g_uri_parse (destination, G_URI_FLAGS_NONE, NULL);
  const gchar *said, *variable = NULL;
  gchar *text, *stripped;

  if (!to || !g_uri_get_host (to))
    return g_strdup (DIRECT);
  said = ams_http_proxy_env_find (self->envp, g_uri_get_scheme (to),
      g_uri_get_host (to), MAX (g_uri_get_port (to), 0), &variable);
  GST_DEBUG ("%s: %s", g_uri_get_host (to),
      said ? variable : "no proxy, as the environment says");
  if (!said)
    return g_strdup (DIRECT);
  text = complete (said);
  stripped = strip (self, text);
  ams_http_free_secret (text);
  return stripped;
}

/* The resolver */

static gchar **
strip_all (AmsHttpProxy *self, gchar **proxies)
{
  for (guint i = 0; proxies && proxies[i]; i++) {
    gchar *bare = strip (self, proxies[i]);

    ams_http_free_secret (proxies[i]);
    proxies[i] = bare;
  }
  return proxies;
}

/* NULL: the system is to be asked. */
static gchar **
answer (AmsHttpProxy *self, const gchar *destination)
{
  gchar *proxy;
  gchar **list;

  if (self->system)
    return NULL;
  proxy = self->fixed ? g_strdup (self->fixed)
                      : find_in_environment (self, destination);
  list = g_new0 (gchar *, 2);
  list[0] = proxy;
  return list;
}

static gboolean
resolver_is_supported (GProxyResolver *resolver)
{
  return TRUE;
}

static gchar **
resolver_lookup (GProxyResolver *resolver, const gchar *uri,
    GCancellable *cancellable, GError **error)
{
  AmsHttpProxy *self = AMS_HTTP_PROXY (resolver);
  gchar **proxies = answer (self, uri);

  if (!proxies)
    proxies = strip_all (self,
        g_proxy_resolver_lookup (self->system, uri, cancellable, error));
  return proxies;
}

static void
on_system_answered (GObject *system, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  gchar **proxies = g_proxy_resolver_lookup_finish (G_PROXY_RESOLVER (system),
      result, &error);

  if (proxies)
    g_task_return_pointer (task,
        strip_all (g_task_get_source_object (task), proxies),
        (GDestroyNotify) g_strfreev);
  else
    g_task_return_error (task, error);
}

static void
resolver_lookup_async (GProxyResolver *resolver, const gchar *uri,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsHttpProxy *self = AMS_HTTP_PROXY (resolver);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  gchar **proxies = answer (self, uri);

  if (proxies)
    g_task_return_pointer (task, proxies, (GDestroyNotify) g_strfreev);
  else
    g_proxy_resolver_lookup_async (self->system, uri, cancellable,
        on_system_answered, g_object_ref (task));
}

static gchar **
resolver_lookup_finish (GProxyResolver *resolver, GAsyncResult *result,
    GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
resolver_init (GProxyResolverInterface *iface)
{
  iface->is_supported = resolver_is_supported;
  iface->lookup = resolver_lookup;
  iface->lookup_async = resolver_lookup_async;
  iface->lookup_finish = resolver_lookup_finish;
}

/* Who asks for credentials */

gboolean
ams_http_proxy_get_credentials (AmsHttpProxy *self, GSocketAddress *address,
    const gchar **user, const gchar **password)
{
  const gchar *uri = G_IS_PROXY_ADDRESS (address)
      ? g_proxy_address_get_uri (G_PROXY_ADDRESS (address))
      : NULL;
  const Credentials *credentials =
      uri ? g_hash_table_lookup (self->credentials, uri) : NULL;

  if (!credentials)
    return FALSE;
  *user = credentials->user;
  *password = credentials->password;
  return TRUE;
}

/* Of a proxy; NULL: @text is the URL of none. */
static gchar *
authority_of (const gchar *text)
{
  g_autoptr (GUri) uri = parse (text);

  if (!uri)
    return NULL;
  return g_strdup_printf (
      strchr (g_uri_get_host (uri), ':') ? "[%s]:%d" : "%s:%d",
      g_uri_get_host (uri), port_of (uri));
}

gchar *
ams_http_proxy_dup_authority (GSocketAddress *address)
{
  if (!G_IS_PROXY_ADDRESS (address))
    return NULL;
  return authority_of (g_proxy_address_get_uri (G_PROXY_ADDRESS (address)));
}

gchar *
ams_http_proxy_dup_authority_for (AmsHttpProxy *self, GUri *uri)
{
  const gchar *host = g_uri_get_host (uri);
  g_autofree gchar *destination =
      g_strdup_printf (strchr (host, ':') ? "%s://[%s]:%d" : "%s://%s:%d",
          g_uri_get_scheme (uri), host, MAX (g_uri_get_port (uri), 0));
  gchar **proxies = answer (self, destination);
  gchar *authority = proxies ? authority_of (proxies[0]) : NULL;

  g_strfreev (proxies);
  return authority;
}

/* Making one */

static gboolean
refuse (GError **error, const gchar *sentence)
{
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0, "%s", sentence));
  return FALSE;
}

static gboolean
has_control (const gchar *text)
{
  for (; text && *text; text++) {
    if ((guchar) *text < ' ' || (guchar) *text == 0x7f)
      return TRUE;
  }
  return FALSE;
}

/* @source: the property or variable. A colon would end the user in what Basic sends. */
static gboolean
check_user (const gchar *source, const gchar *user, const gchar *password,
    GError **error)
{
  g_autofree gchar *sentence = NULL;

  if (has_control (user) || has_control (password))
    sentence = g_strdup_printf ("%s has a user or password with a line break "
                                "or a control character in it; remove it",
        source);
  else if (user && strchr (user, ':'))
    sentence = g_strdup_printf ("%s has a user with a “:” in it, which no "
                                "proxy can be told; use another user",
        source);
  return !sentence || refuse (error, sentence);
}

static gboolean
take_property (AmsHttpProxy *self, const AmsHttpOptions *options,
    GError **error)
{
  g_autoptr (GUri) uri = NULL;
  gboolean apart = options->proxy_id != NULL;
  const gchar *user = options->proxy_id, *password = options->proxy_pw;

  if (options->proxy[0] == '\0') {
    self->fixed = g_strdup (DIRECT);
    return TRUE;
  }
  uri = parse (options->proxy);
  if (!uri)
    return refuse (error,
        "proxy is no URL of a proxy; "
        "write http://host:port or socks5://host:port");
  if (password && !user)
    return refuse (error, "proxy-pw is set without proxy-id; set both");
  if (!user) {
    user = g_uri_get_user (uri);
    password = g_uri_get_password (uri);
  }
  if (!check_user (apart ? "proxy-id or proxy-pw" : "proxy", user, password,
          error))
    return FALSE;
  self->fixed = keep_credentials (self, uri, user, password);
  return TRUE;
}

static gboolean
check_variable (GStrv envp, const gchar *scheme, GError **error)
{
  const gchar *variable = NULL;
  const gchar *said = ams_http_proxy_env_find (envp, scheme, "", 0, &variable);
  g_autofree gchar *sentence = NULL, *shown = NULL;
  g_autoptr (GUri) uri = NULL;
  gchar *text;

  if (!said)
    return TRUE;
  text = complete (said);
  uri = parse (text);
  ams_http_free_secret (text);
  if (uri)
    return check_user (variable, g_uri_get_user (uri), g_uri_get_password (uri),
        error);
  shown = ams_http_url_redact (said);
  sentence = g_strdup_printf ("%s in the environment is “%s”, no URL of a "
                              "proxy; write http://host:port there, or set "
                              "the property proxy",
      variable, shown);
  return refuse (error, sentence);
}

static gboolean
take_environment (AmsHttpProxy *self, GStrv envp, GError **error)
{
  if (!check_variable (envp, "http", error) ||
      !check_variable (envp, "https", error))
    return FALSE;
  self->envp = ams_http_proxy_env_copy (envp);
  return TRUE;
}

AmsHttpProxy *
ams_http_proxy_new (const AmsHttpOptions *options, GStrv envp, GError **error)
{
  g_autoptr (AmsHttpProxy) self = g_object_new (AMS_TYPE_HTTP_PROXY, NULL);
  gboolean good = TRUE;

  if (!options->proxy && (options->proxy_id || options->proxy_pw))
    good =
        refuse (error, "proxy-id or proxy-pw is set without proxy; set proxy");
  else if (options->proxy)
    good = take_property (self, options, error);
  else if (ams_http_proxy_env_is_set (envp))
    good = take_environment (self, envp, error);
  else
    self->system = g_proxy_resolver_get_default ();
  return good ? g_steal_pointer (&self) : NULL;
}

/* Secrets are overwritten before they are freed. */
static void
ams_http_proxy_finalize (GObject *object)
{
  AmsHttpProxy *self = AMS_HTTP_PROXY (object);

  ams_http_free_secret (self->fixed);
  for (guint i = 0; self->envp && self->envp[i]; i++)
    explicit_bzero (self->envp[i], strlen (self->envp[i]));
  g_strfreev (self->envp);
  g_hash_table_unref (self->credentials);
  G_OBJECT_CLASS (ams_http_proxy_parent_class)->finalize (object);
}

static void
ams_http_proxy_class_init (AmsHttpProxyClass *klass)
{
  GST_DEBUG_CATEGORY_INIT (ams_http_proxy_debug, "amshttpproxy", 0,
      "amshls: proxies of HTTP requests");
  G_OBJECT_CLASS (klass)->finalize = ams_http_proxy_finalize;
}

static void
ams_http_proxy_init (AmsHttpProxy *self)
{
  self->credentials =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, credentials_free);
}
