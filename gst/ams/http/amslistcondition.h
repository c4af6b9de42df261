/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* On which condition a playlist is put, so that none of another recorder's is replaced,
 * and what comes next when the store answers: the same for every store that speaks HTTP.
 * No I/O. */

#pragma once

#include "http/amslistguard.h"

G_BEGIN_DECLS

typedef struct
{
  /* (nullable) The ETag that is to be replaced, or "*": none may be there. */
  gchar *etag;
  /* Whether the store heeds a condition is being found out, by one that cannot
   * hold: a store that does not heed it stores what it was to be given next
   * anyway. */
  gboolean probes;
  guint looks; /* at what is there, in one attempt to put it */
} AmsListCondition;

typedef enum
{
  AMS_LIST_NEXT_PUT,
  AMS_LIST_NEXT_LOOK, /* at what is there */
  AMS_LIST_NEXT_GIVE_UP, /* it changes while it is put */
} AmsListNext;

void ams_list_condition_clear (AmsListCondition *self);
gboolean ams_list_condition_is_set (const AmsListCondition *self);

/* @name is to be put. @must_look: no condition will do. */
AmsListNext ams_list_condition_begin (AmsListCondition *self,
    AmsListGuard *guard, const gchar *name, gboolean must_look);
/* A look has told @verdict, not FOREIGN, and @etag (nullable). @may_probe: the next
 * request may have a condition that cannot hold. FALSE: what is to be put is there. */
gboolean ams_list_condition_take_look (AmsListCondition *self,
    AmsListGuard *guard, AmsListVerdict verdict, const gchar *etag,
    gboolean may_probe);
/* The store has put it. */
void ams_list_condition_take_success (AmsListCondition *self,
    AmsListGuard *guard);
/* The store says that the condition does not hold. */
AmsListNext ams_list_condition_take_false (AmsListCondition *self,
    AmsListGuard *guard);
/* The store may not know conditions; the PUT without one will tell. */
void ams_list_condition_drop (AmsListCondition *self, AmsListGuard *guard);

/* @name: (out) (transfer none) the header's. Its value, (transfer full); NULL: none is
 * sent. */
gchar *ams_list_condition_dup_header (const AmsListCondition *self,
    AmsListGuard *guard, const gchar **name);

G_END_DECLS
