/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsquestion.h"

GST_DEBUG_CATEGORY_EXTERN (ams_engine_debug);
#define GST_CAT_DEFAULT ams_engine_debug

/* A store that has not said within this time what it has is not waited for if
 * the spool knows: somebody is waiting to record, and what has come in meanwhile is in
 * memory only. A crash may cost a second, so this is for all questions together. */
#define PATIENCE (G_TIME_SPAN_SECOND / 2)

struct _AmsQuestion
{
  gint refs; /* atomic */
  enum
  {
    ASK_FETCH,
    ASK_LIST,
    ASK_CLAIM,
  } kind;
  gchar *name; /* of a claim: for people */
  AmsClaim claim;
  gboolean partial;
  gboolean impatient;
  guint64 max_size;
  guint64 head; /* bytes that are enough; 0: all are needed */

  /* While it is asked. */
  AmsSpool *spool;
  AmsQuestionMemory *memory;
  GBytes *known; /* (nullable) what the spool says that the store has */
  GSource *
      timer; /* so long the store may take, if something is known or it is silent */
  gint64 asked_at; /* monotonic, µs */
  GCancellable *given_up; /* by that */
  GCancellable *cancellable;
  gulong watching;
  AmsQuestionAnswered answered;
  gpointer user_data;

  GBytes *data;
  GPtrArray *entries;
  GError *error;
};

static AmsQuestion *
question_new (const gchar *name)
{
  AmsQuestion *self = g_new0 (AmsQuestion, 1);

  self->refs = 1;
  self->name = g_strdup (name);
  return self;
}

AmsQuestion *
ams_question_new_fetch (const gchar *name, gboolean partial, guint64 max_size)
{
  AmsQuestion *self = question_new (name);

  self->partial = partial;
  self->max_size = max_size;
  return self;
}

AmsQuestion *
ams_question_new_list (const gchar *prefix)
{
  AmsQuestion *self = question_new (prefix);

  self->kind = ASK_LIST;
  return self;
}

AmsQuestion *
ams_question_new_claim (const AmsClaim *claim)
{
  AmsQuestion *self =
      question_new (claim->playlist ? claim->playlist : claim->segments);

  self->kind = ASK_CLAIM;
  ams_claim_copy (&self->claim, claim);
  return self;
}

AmsQuestion *
ams_question_ref (AmsQuestion *self)
{
  g_atomic_int_inc (&self->refs);
  return self;
}

void
ams_question_unref (AmsQuestion *self)
{
  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  g_clear_pointer (&self->data, g_bytes_unref);
  g_clear_pointer (&self->entries, g_ptr_array_unref);
  g_clear_error (&self->error);
  ams_claim_clear (&self->claim);
  g_free (self->name);
  g_free (self);
}

void
ams_question_set_impatient (AmsQuestion *self)
{
  self->impatient = TRUE;
}

void
ams_question_set_head (AmsQuestion *self, guint64 size)
{
  self->head = size;
}

const gchar *
ams_question_get_name (AmsQuestion *self)
{
  return self->name;
}

static const gchar *
get_verb (const AmsQuestion *self)
{
  static const gchar *const verbs[] = { "fetch", "list", "claim" };

  return verbs[self->kind];
}

/* The reference that asking took goes with the answer. */
static void
answer (AmsQuestion *self)
{
  GST_DEBUG ("%s “%s”: %s", get_verb (self), self->name,
      self->error ? self->error->message : "answered");
  self->answered (self, self->user_data);
  ams_question_unref (self);
}

/* Fetching */

static gboolean
says_nothing (const GError *error)
{
  switch (ams_store_error_get_failure (error)) {
    case AMS_FAILURE_TRANSIENT:
    case AMS_FAILURE_THROTTLED:
    case AMS_FAILURE_FULL:
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
was_given_up (AmsQuestion *self)
{
  return g_cancellable_is_cancelled (self->given_up) &&
      !g_cancellable_is_cancelled (self->cancellable);
}

/* The store does not answer: what it was given last is what it has. */
static void
fall_back (AmsQuestion *self)
{
  gboolean given_up = was_given_up (self);

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  self->memory->silent = self->error &&
      (given_up || says_nothing (self->error)) &&
      (self->known || self->impatient || self->memory->silent);
  if (!self->memory->silent)
    return;
  if (!self->known) {
    g_clear_error (&self->error);
    self->error = ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
        "the store does not answer");
    return;
  }
  GST_WARNING ("the spool answers for %s: %s", self->name,
      given_up ? "the store takes long" : self->error->message);
  g_clear_error (&self->error);
  self->data = g_steal_pointer (&self->known);
}

static void
stop_waiting (AmsQuestion *self)
{
  g_cancellable_disconnect (self->cancellable, self->watching);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->given_up);
  if (self->timer) {
    g_source_destroy (self->timer);
    self->memory->waited += g_get_monotonic_time () - self->asked_at;
  }
  g_clear_pointer (&self->timer, g_source_unref);
  g_clear_pointer (&self->known, g_bytes_unref);
}

static void
on_fetched (GObject *source, GAsyncResult *result, gpointer user_data)
{
  AmsQuestion *self = user_data;

  self->data =
      ams_store_fetch_finish (AMS_STORE (source), result, &self->error);
  fall_back (self);
  stop_waiting (self);
  answer (self);
}

static gboolean
on_patience (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return G_SOURCE_REMOVE;
}

static void
on_cancelled (GCancellable *cancellable, gpointer given_up)
{
  g_cancellable_cancel (given_up);
}

/* ms */
static guint
get_patience (AmsQuestion *self)
{
  if (self->memory->silent)
    return 0;
  return MAX (PATIENCE - self->memory->waited, 0) / G_TIME_SPAN_MILLISECOND;
}

static void
wait_a_while (AmsQuestion *self, GCancellable *cancellable)
{
  if (cancellable) {
    self->cancellable = g_object_ref (cancellable);
    self->watching =
        g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
            g_object_ref (self->given_up), g_object_unref);
  }
  if (!self->known && !self->impatient && !self->memory->silent &&
      !(self->kind == ASK_LIST && self->memory->spool_knew))
    return;
  self->asked_at = g_get_monotonic_time ();
  self->timer = g_timeout_source_new (get_patience (self));
  g_source_set_callback (self->timer, on_patience,
      g_object_ref (self->given_up), g_object_unref);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
}

/* Whether there is such a file is all that is asked. */
static gboolean
is_in_spool (AmsQuestion *self)
{
  g_autoptr (AmsBody) body = ams_spool_open_waiting (self->spool, self->name);

  if (body)
    self->data = g_bytes_new (NULL, 0);
  return body != NULL;
}

static gboolean
fetch_from_spool (AmsQuestion *self)
{
  g_autoptr (GError) error = NULL;

  if (!self->spool)
    return FALSE;
  if (self->max_size == 0)
    return is_in_spool (self);
  self->data = ams_spool_fetch (self->spool, self->name, self->partial,
      self->max_size, &error);
  if (self->data) {
    self->memory->spool_knew = TRUE;
    return TRUE;
  }
  /* It has it, but it cannot be read: the store's may be older. */
  if (ams_store_error_get_failure (error) == AMS_FAILURE_ABSENT)
    return FALSE;
  self->error = g_steal_pointer (&error);
  return TRUE;
}

static void
fetch (AmsQuestion *self, AmsStore *store, GCancellable *cancellable)
{
  if (fetch_from_spool (self)) {
    answer (self);
    return;
  }
  self->given_up = g_cancellable_new ();
  if (self->spool && !self->partial)
    self->known =
        ams_spool_fetch_known (self->spool, self->name, self->max_size, NULL);
  self->memory->spool_knew = self->memory->spool_knew || self->known;
  wait_a_while (self, cancellable);
  if (self->head > 0)
    ams_store_fetch_head_async (store, self->name, self->head, self->max_size,
        self->given_up, on_fetched, self);
  else
    ams_store_fetch_async (store, self->name, self->partial, self->max_size,
        self->given_up, on_fetched, self);
}

/* Listing */

/* A store that cannot list leaves it to the spool, where that has the playlist or
 * anything else: what the playlist does not list is in the spool as well. One that does
 * not answer does, too, where the spool has the playlist. */
static gboolean
spool_suffices (AmsQuestion *self, const GPtrArray *spooled)
{
  if (ams_store_error_get_failure (self->error) == AMS_FAILURE_UNSUPPORTED)
    return self->memory->spool_knew || spooled->len > 0;
  return self->memory->spool_knew &&
      (was_given_up (self) || says_nothing (self->error));
}

static void
add_spooled (AmsQuestion *self)
{
  g_autoptr (GPtrArray) spooled = NULL;

  if (!self->spool)
    return;
  spooled = ams_spool_list (self->spool, self->name);
  if (self->entries) {
    g_ptr_array_extend_and_steal (self->entries, g_steal_pointer (&spooled));
  } else if (spool_suffices (self, spooled)) {
    g_clear_error (&self->error);
    self->entries = g_steal_pointer (&spooled);
  }
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  AmsQuestion *self = user_data;

  self->entries =
      ams_store_list_finish (AMS_STORE (source), result, &self->error);
  add_spooled (self);
  stop_waiting (self);
  answer (self);
}

static void
list (AmsQuestion *self, AmsStore *store, GCancellable *cancellable)
{
  self->given_up = g_cancellable_new ();
  wait_a_while (self, cancellable);
  ams_store_list_async (store, self->name, self->given_up, on_listed, self);
}

/* Claiming */

static void
on_claimed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  AmsQuestion *self = user_data;

  ams_store_claim_finish (AMS_STORE (source), result, &self->error);
  answer (self);
}

void
ams_question_ask (AmsQuestion *self, AmsStore *store, AmsSpool *spool,
    AmsQuestionMemory *memory, GCancellable *cancellable,
    AmsQuestionAnswered answered, gpointer user_data)
{
  GST_DEBUG ("%s “%s”%s", get_verb (self), self->name,
      self->impatient ? ", soon" : "");
  ams_question_ref (self);
  self->spool = spool;
  self->memory = memory;
  self->answered = answered;
  self->user_data = user_data;
  if (self->kind == ASK_CLAIM)
    ams_store_claim_async (store, &self->claim, cancellable, on_claimed, self);
  else if (self->kind == ASK_LIST)
    list (self, store, cancellable);
  else
    fetch (self, store, cancellable);
}

gboolean
ams_question_take_claimed (AmsQuestion *self, GError **error)
{
  if (!self->error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}

GBytes *
ams_question_take_data (AmsQuestion *self, GError **error)
{
  if (self->error)
    g_propagate_error (error, g_steal_pointer (&self->error));
  return g_steal_pointer (&self->data);
}

GPtrArray *
ams_question_take_entries (AmsQuestion *self, GError **error)
{
  if (self->error)
    g_propagate_error (error, g_steal_pointer (&self->error));
  return g_steal_pointer (&self->entries);
}
