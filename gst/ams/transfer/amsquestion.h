/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A question to a store, what it has under a name or a prefix, or whether it keeps
 * other recorders away, and its answer, to
 * which a spool adds what it knows: what waits in it is newer than what the store has,
 * and what it knows of the store serves while that cannot be asked. */

#pragma once

#include "transfer/spool/amsspool.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

typedef struct _AmsQuestion AmsQuestion;

/* On the thread that asked; the answer may be taken then. */
typedef void (*AmsQuestionAnswered) (AmsQuestion *question, gpointer user_data);

AmsQuestion *ams_question_new_fetch (const gchar *name, gboolean partial,
    guint64 max_size);
AmsQuestion *ams_question_new_list (const gchar *prefix);
/* The store alone is asked; a spool has no say in it. */
AmsQuestion *ams_question_new_claim (const AmsClaim *claim);
AmsQuestion *ams_question_ref (AmsQuestion *question); /* atomic */
void ams_question_unref (AmsQuestion *question);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsQuestion, ams_question_unref)

/* Before it is asked: the store is not waited for long (half a second, all questions together), whether something is known or not. */
void ams_question_set_impatient (AmsQuestion *question);

/* Before it is asked: of a file, the first @size bytes are enough. */
void ams_question_set_head (AmsQuestion *question, guint64 size);

const gchar *ams_question_get_name (AmsQuestion *question);

/* What the questions to one store have shown so far. */
typedef struct
{
  gboolean
      silent; /* the store has let the one before down: it is not waited for */
  gboolean spool_knew; /* the spool is that of what is asked for */
  gint64 waited; /* µs, for answers that could have been done without */
} AmsQuestionMemory;

/* Once, by the thread that uses @store and @spool (nullable), which must outlive the
 * answer, as must @memory. @answered is called exactly once, perhaps before this
 * returns. */
void ams_question_ask (AmsQuestion *question, AmsStore *store, AmsSpool *spool,
    AmsQuestionMemory *memory, GCancellable *cancellable,
    AmsQuestionAnswered answered, gpointer user_data);

/* FALSE: @error */
gboolean ams_question_take_claimed (AmsQuestion *question, GError **error);
/* NULL: @error. (transfer full) */
GBytes *ams_question_take_data (AmsQuestion *question, GError **error);
GPtrArray *ams_question_take_entries (AmsQuestion *question, GError **error);

G_END_DECLS
