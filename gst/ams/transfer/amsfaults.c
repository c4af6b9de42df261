/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsfaults.h"

#define N_FAILURES (AMS_FAILURE_BUSY + 1)

struct _AmsFaults
{
  struct
  {
    GError *said; /* NULL: not at fault */
    GHashTable *names; /* set of those that failed last this way */
  } faults[N_FAILURES];
};

AmsFaults *
ams_faults_new (void)
{
  AmsFaults *self = g_new0 (AmsFaults, 1);

  for (guint i = 0; i < N_FAILURES; i++)
    self->faults[i].names =
        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
ams_faults_free (AmsFaults *self)
{
  for (guint i = 0; i < N_FAILURES; i++) {
    g_clear_error (&self->faults[i].said);
    g_hash_table_unref (self->faults[i].names);
  }
  g_free (self);
}

gboolean
ams_faults_add (AmsFaults *self, const gchar *name, AmsFailure failure,
    const GError *error)
{
  ams_faults_forget (self, name);
  g_hash_table_add (self->faults[failure].names, g_strdup (name));
  if (self->faults[failure].said)
    return FALSE;
  self->faults[failure].said = g_error_copy (error);
  return TRUE;
}

void
ams_faults_forget (AmsFaults *self, const gchar *name)
{
  for (guint i = 0; i < N_FAILURES; i++)
    g_hash_table_remove (self->faults[i].names, name);
}

GError *
ams_faults_clear (AmsFaults *self, const gchar *name)
{
  ams_faults_forget (self, name);
  for (guint i = 0; i < N_FAILURES; i++) {
    if (self->faults[i].said && g_hash_table_size (self->faults[i].names) == 0)
      return g_steal_pointer (&self->faults[i].said);
  }
  return NULL;
}
