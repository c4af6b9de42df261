/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A store that does what a script says, and a log that tests wait on: so no test
 * sleeps. Any thread. */

#pragma once

#include "transfer/amsstore.h"

G_BEGIN_DECLS

/* A list of lines. Waiting for one that does not come ends the test. */
typedef struct _AmsLog AmsLog;

AmsLog *ams_log_new (void);
void ams_log_free (AmsLog *log);
void ams_log_add (AmsLog *log, const gchar *format, ...) G_GNUC_PRINTF (2, 3);
/* Waits until @line has been added @times times. */
void ams_log_wait_times (AmsLog *log, const gchar *line, guint times);
#define ams_log_wait(log, line) ams_log_wait_times (log, line, 1)
guint ams_log_count (AmsLog *log, const gchar *line);
gboolean ams_log_has (AmsLog *log, const gchar *line);
/* The position of the first such line; it must be there. */
guint ams_log_index (AmsLog *log, const gchar *line);

#define AMS_TYPE_FAKE_STORE (ams_fake_store_get_type ())
G_DECLARE_FINAL_TYPE (AmsFakeStore, ams_fake_store, AMS, FAKE_STORE, GObject)

typedef enum
{
  FAKE_OK,
  FAKE_FAIL, /* with the failure given */
  FAKE_HANG, /* until released; cancelling ends it */
  FAKE_DEAF, /* for ever: not even cancelling ends it */
  FAKE_BLOCK, /* within the call, as a disk does, until released */
} AmsFakeOutcome;

/* The name of notifications: in scripts, in the log, and of what was said last. */
#define AMS_FAKE_NOTIFY "(notify)"

/* Logs "put NAME VERSION UNCHANGED" when one begins, "remove NAME", "adopt NAME SIZE",
 * "notify TEXT"; and "done NAME" when it ends well. The body of a file that upstream
 * writes to the disk as well is a copy body. */
AmsFakeStore *ams_fake_store_new (void);
/* It works on the threads that all engines share, as a disk does. */
AmsFakeStore *ams_fake_store_new_sharing (void);
AmsLog *ams_fake_store_get_log (AmsFakeStore *store);
/* The next operation with @name, for which nothing was scripted yet, ends so. */
void ams_fake_store_script (AmsFakeStore *store, const gchar *name,
    AmsFakeOutcome outcome, AmsFailure failure);
/* The next one fails. @http_status: 0: no answer came. @retry_after: s */
void ams_fake_store_script_failure (AmsFakeStore *store, const gchar *name,
    AmsFailure failure, guint http_status, guint retry_after);
/* Whether it can list what is in it; it cannot at first. */
void ams_fake_store_set_lists (AmsFakeStore *store, gboolean lists);
/* AmsPut.attempts of the last put of @name. */
guint ams_fake_store_get_attempts (AmsFakeStore *store, const gchar *name);
/* Ends the hanging or blocking operation with @name well. */
void ams_fake_store_release (AmsFakeStore *store, const gchar *name);
/* What is in it under this name. (transfer full) (nullable) */
gchar *ams_fake_store_dup_text (AmsFakeStore *store, const gchar *name);

G_END_DECLS
