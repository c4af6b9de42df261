/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A store: where files go. Disk, HTTP and S3 are stores behind one engine
 * (amsengine.h), which calls everything here from one thread at a time, with its
 * GMainContext as the thread's default. A store's operations are async calls on
 * that context; a disk may do its work within the call and answer through the
 * GTask afterwards. */

#pragma once

#include <gio/gio.h>

#include "files/amsclaim.h"
#include "files/amsfiles.h"
#include "transfer/amsbody.h"
#include "transfer/amsretry.h"

G_BEGIN_DECLS

/* Errors. The codes are the AmsFailure classes. */
#define AMS_STORE_ERROR (ams_store_error_quark ())
GQuark ams_store_error_quark (void);

/* @http_status: 0 if there is none. @retry_after: in s, 0 if not asked for. */
GError *ams_store_error_new (AmsFailure failure, guint http_status,
    guint retry_after, const gchar *format, ...) G_GNUC_PRINTF (4, 5);
/* Of any error, also of other domains. */
AmsFailure ams_store_error_get_failure (const GError *error);
guint ams_store_error_get_http_status (const GError *error);
guint ams_store_error_get_retry_after (const GError *error);
/* A note that a store makes for itself on an error of AMS_STORE_ERROR, to read at
 * the next attempt. 0: none. */
void ams_store_error_set_hint (GError *error, guint hint);
guint ams_store_error_get_hint (const GError *error);

/* What to put. */
typedef struct
{
  const gchar *name;
  AmsFileRole role;
  const gchar *content_type;
  guint64 version;
  AmsBody *body; /* finished */
  guint attempts; /* this one included */
  /* So many of its first bytes are in the store already, as the whole of what
   * this engine put last under this name. 0: not known. */
  guint64 unchanged;
} AmsPut;

#define AMS_TYPE_STORE (ams_store_get_type ())
G_DECLARE_INTERFACE (AmsStore, ams_store, AMS, STORE, GObject)

struct _AmsStoreInterface
{
  GTypeInterface parent;

  /* The thread may be another one at each call, one of those that all engines share
   * (workers/amscontext.h). Operations may hang in the kernel, but must not wait for file
   * descriptors in the GMainContext. FALSE: the engine has a thread of its own. */
  gboolean shares_threads;

  /* Where the bytes of a file go that is just being made. NULL: memory. Never
   * fails: a body that cannot be opened keeps its bytes and says so at append. */
  AmsBody *(*create_body) (AmsStore *store, const AmsFileBegin *begin);

  /* The file appears under its name as a whole or not at all. @put and what
   * it points to live until the callback. */
  void (*put_async) (AmsStore *store, const AmsPut *put,
      GCancellable *cancellable, GAsyncReadyCallback callback,
      gpointer user_data);
  gboolean (
      *put_finish) (AmsStore *store, GAsyncResult *result, GError **error);

  /* A file that is not there is removed. */
  void (*remove_async) (AmsStore *store, const gchar *name,
      GCancellable *cancellable, GAsyncReadyCallback callback,
      gpointer user_data);
  gboolean (
      *remove_finish) (AmsStore *store, GAsyncResult *result, GError **error);

  /* AMS_FAILURE_ABSENT only when the store knows that there is none. @max_size: 0: only
   * whether there is one is asked, and the bytes of one that is there are none. */
  void (*fetch_async) (AmsStore *store, const gchar *name, gboolean partial,
      guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
      gpointer user_data);
  GBytes *(
      *fetch_finish) (AmsStore *store, GAsyncResult *result, GError **error);
  /* (nullable) The first @size bytes of a file, or more of it; fewer if it has no
   * more. @max_size: of a file that can be read only as a whole. fetch_finish() */
  void (*fetch_head_async) (AmsStore *store, const gchar *name, guint64 size,
      guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
      gpointer user_data);

  /* (nullable) What is there as @from is there as @name as well, as if it had been put. NULL: it is
   * fetched and put. */
  void (*copy_async) (AmsStore *store, const gchar *from, const gchar *name,
      GCancellable *cancellable, GAsyncReadyCallback callback,
      gpointer user_data);
  gboolean (
      *copy_finish) (AmsStore *store, GAsyncResult *result, GError **error);

  /* (nullable) Tells somebody of what was delivered. @body: finished */
  void (*notify_async) (AmsStore *store, AmsBody *body,
      GCancellable *cancellable, GAsyncReadyCallback callback,
      gpointer user_data);
  gboolean (
      *notify_finish) (AmsStore *store, GAsyncResult *result, GError **error);

  /* (nullable) Finds out whether files can be put and removed, without leaving anything
   * behind. */
  void (*probe_async) (AmsStore *store, GCancellable *cancellable,
      GAsyncReadyCallback callback, gpointer user_data);
  gboolean (
      *probe_finish) (AmsStore *store, GAsyncResult *result, GError **error);

  /* (nullable) (element-type AmsFileEntry) */
  void (*list_async) (AmsStore *store, const gchar *prefix,
      GCancellable *cancellable, GAsyncReadyCallback callback,
      gpointer user_data);
  GPtrArray *(
      *list_finish) (AmsStore *store, GAsyncResult *result, GError **error);

  /* (nullable) Keeps other recorders away from what @claim names until release()
   * or the end of the process. Answers at once, without waiting for them to end.
   * AMS_FAILURE_BUSY: there is another one; the message says who records what,
   * and get_retry_after() when to ask again (0: at will). What this store object
   * holds already is granted again. UNSUPPORTED: others cannot be kept away here,
   * and people have to know that. Any other failure: it cannot be told now. */
  void (*claim_async) (AmsStore *store, const AmsClaim *claim,
      GCancellable *cancellable, GAsyncReadyCallback callback,
      gpointer user_data);
  gboolean (
      *claim_finish) (AmsStore *store, GAsyncResult *result, GError **error);
  /* (nullable) All claims are given back: nothing is put or removed any more. */
  void (*release) (AmsStore *store);

  /* (nullable) The first @size bytes of @name's part, or of the file @from (nullable), become
   * @name. */
  void (*adopt_async) (AmsStore *store, const gchar *name, const gchar *from,
      guint64 size, GCancellable *cancellable, GAsyncReadyCallback callback,
      gpointer user_data);
  gboolean (
      *adopt_finish) (AmsStore *store, GAsyncResult *result, GError **error);
};

gboolean ams_store_shares_threads (AmsStore *store);
/* The functions below answer AMS_FAILURE_UNSUPPORTED for what a store lacks. */
AmsBody *ams_store_create_body (AmsStore *store, const AmsFileBegin *begin);
void ams_store_put_async (AmsStore *store, const AmsPut *put,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_store_put_finish (AmsStore *store, GAsyncResult *result,
    GError **error);
void ams_store_remove_async (AmsStore *store, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_store_remove_finish (AmsStore *store, GAsyncResult *result,
    GError **error);
void ams_store_fetch_async (AmsStore *store, const gchar *name,
    gboolean partial, guint64 max_size, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
GBytes *ams_store_fetch_finish (AmsStore *store, GAsyncResult *result,
    GError **error);
/* Of a store that has no fetch_head_async(): the whole file. */
void ams_store_fetch_head_async (AmsStore *store, const gchar *name,
    guint64 size, guint64 max_size, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
void ams_store_copy_async (AmsStore *store, const gchar *from,
    const gchar *name, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_store_copy_finish (AmsStore *store, GAsyncResult *result,
    GError **error);
void ams_store_notify_async (AmsStore *store, AmsBody *body,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_store_notify_finish (AmsStore *store, GAsyncResult *result,
    GError **error);
void ams_store_probe_async (AmsStore *store, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean ams_store_probe_finish (AmsStore *store, GAsyncResult *result,
    GError **error);
void ams_store_list_async (AmsStore *store, const gchar *prefix,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
GPtrArray *ams_store_list_finish (AmsStore *store, GAsyncResult *result,
    GError **error);
/* Whether it has claim_async(). */
gboolean ams_store_has_claims (AmsStore *store);
void ams_store_claim_async (AmsStore *store, const AmsClaim *claim,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_store_claim_finish (AmsStore *store, GAsyncResult *result,
    GError **error);
void ams_store_release (AmsStore *store);
void ams_store_adopt_async (AmsStore *store, const gchar *name,
    const gchar *from, guint64 size, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean ams_store_adopt_finish (AmsStore *store, GAsyncResult *result,
    GError **error);

G_END_DECLS
