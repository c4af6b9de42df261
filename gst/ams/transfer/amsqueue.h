/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the streaming thread has told the engine and the engine's thread has not
 * handled yet. Not thread-safe: the engine's lock guards it. */

#pragma once

#include "files/amsfiles.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_COMMAND_BEGIN,
  AMS_COMMAND_DATA,
  AMS_COMMAND_END,
  AMS_COMMAND_ABANDON, /* the open file: told from upstream */
  AMS_COMMAND_CUT, /* the open file, by a flush */
  AMS_COMMAND_GIVE_UP, /* the open file, for want of room */
  AMS_COMMAND_REMOVE,
  AMS_COMMAND_ADOPT,
  AMS_COMMAND_NOTIFY,
  AMS_COMMAND_RELEASE,
  AMS_COMMAND_ASK,
  AMS_COMMAND_RELEASE_CLAIMS,
} AmsCommandKind;

typedef struct
{
  AmsCommandKind kind;
  guint lane; /* of the file that it is about */
  union
  {
    AmsFileBegin begin;
    GBytes *bytes;
    AmsFileEnd end;
    struct
    {
      gchar *name;
      gdouble after;
      guint64 size;
      gchar *from; /* ADOPT: (nullable) */
    } file;
    gpointer request;
  };
  gsize cost; /* DATA: of @bytes, see ams_shared_get_cost() */
  GDestroyNotify free_request;
  gboolean given_up; /* BEGIN: its bytes were taken back */
} AmsCommand;

/* Of a lane. */
typedef struct
{
  gboolean in_file; /* what was popped last is of a file that is still open */
  AmsFileRole role; /* of that file */
} AmsQueuePopped;

typedef struct
{
  GQueue commands; /* of AmsCommand */
  guint64 bytes; /* what the data in them cost */
  GArray *popped; /* AmsQueuePopped, by lane */
} AmsQueue;

AmsCommand *ams_command_new (AmsCommandKind kind);
void ams_command_free (gpointer command);

void ams_queue_init (AmsQueue *queue);
void ams_queue_clear (AmsQueue *queue);
/* (transfer full) */
void ams_queue_push (AmsQueue *queue, AmsCommand *command);
/* Moves the first command to the end of @commands, and if that is of data, those of data
 * that follow, as long as all cost no more than @max. Returns what they cost. */
guint64 ams_queue_pop (AmsQueue *queue, GQueue *commands, guint64 max);
gboolean ams_queue_is_empty (const AmsQueue *queue);
/* Files, whole or not, that begin in it. */
guint ams_queue_count_files (const AmsQueue *queue);

/* Whether files of @role may be given up for want of room: what a recording can
 * do without. */
gboolean ams_queue_is_droppable (AmsFileRole role);
/* Takes the data of the oldest file that may be given up back out, and leaves word
 * of that for the engine's thread. FALSE: there is none. */
gboolean ams_queue_take_back (AmsQueue *queue);
/* The file that data are pushed for now in @lane was taken back: no more of it is
 * wanted. */
gboolean ams_queue_has_taken_last (const AmsQueue *queue, guint lane);

G_END_DECLS
