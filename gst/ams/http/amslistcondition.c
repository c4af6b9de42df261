/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amslistcondition.h"

/* So often a playlist is looked at in one attempt to put it. */
#define MAX_LOOKS 5

void
ams_list_condition_clear (AmsListCondition *self)
{
  g_clear_pointer (&self->etag, g_free);
}

gboolean
ams_list_condition_is_set (const AmsListCondition *self)
{
  return self->etag || self->probes;
}

static AmsListNext
look (AmsListCondition *self)
{
  self->looks++;
  return AMS_LIST_NEXT_LOOK;
}

AmsListNext
ams_list_condition_begin (AmsListCondition *self, AmsListGuard *guard,
    const gchar *name, gboolean must_look)
{
  const gchar *etag = ams_list_guard_get_etag (guard, name);

  if (!etag || must_look)
    return look (self);
  self->etag = g_strdup (etag);
  return AMS_LIST_NEXT_PUT;
}

gboolean
ams_list_condition_take_look (AmsListCondition *self, AmsListGuard *guard,
    AmsListVerdict verdict, const gchar *etag, gboolean may_probe)
{
  ams_list_guard_note_refused (guard, self->etag, etag);
  g_clear_pointer (&self->etag, g_free);
  if (verdict == AMS_LIST_SAME)
    return FALSE;
  self->probes = etag && may_probe &&
      ams_list_guard_get_if_match (guard) == AMS_IF_MATCH_UNKNOWN;
  if (ams_list_guard_get_if_match (guard) != AMS_IF_MATCH_IGNORED)
    self->etag = g_strdup (verdict == AMS_LIST_FREE ? "*" : etag);
  return TRUE;
}

void
ams_list_condition_take_success (AmsListCondition *self, AmsListGuard *guard)
{
  if (self->probes)
    ams_list_guard_set_if_match (guard, AMS_IF_MATCH_IGNORED);
}

AmsListNext
ams_list_condition_take_false (AmsListCondition *self, AmsListGuard *guard)
{
  if (self->probes) {
    ams_list_guard_set_if_match (guard, AMS_IF_MATCH_HEEDED);
    self->probes = FALSE;
    return AMS_LIST_NEXT_PUT;
  }
  return self->looks < MAX_LOOKS ? look (self) : AMS_LIST_NEXT_GIVE_UP;
}

void
ams_list_condition_drop (AmsListCondition *self, AmsListGuard *guard)
{
  ams_list_guard_set_if_match (guard, AMS_IF_MATCH_IGNORED);
  g_clear_pointer (&self->etag, g_free);
  self->probes = FALSE;
}

gchar *
ams_list_condition_dup_header (const AmsListCondition *self,
    AmsListGuard *guard, const gchar **name)
{
  *name = "If-Match";
  if (self->probes)
    return g_strdup ("\"amshls\"");
  if (g_strcmp0 (self->etag, "*") == 0) {
    *name = "If-None-Match";
    return g_strdup ("*");
  }
  return self->etag ? ams_list_guard_dup_condition (guard, self->etag) : NULL;
}
