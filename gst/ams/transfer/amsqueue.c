/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsqueue.h"

AmsCommand *
ams_command_new (AmsCommandKind kind)
{
  AmsCommand *command = g_new0 (AmsCommand, 1);

  command->kind = kind;
  return command;
}

void
ams_command_free (gpointer data)
{
  AmsCommand *command = data;

  switch (command->kind) {
    case AMS_COMMAND_BEGIN:
      ams_file_begin_clear (&command->begin);
      break;
    case AMS_COMMAND_DATA:
    case AMS_COMMAND_NOTIFY:
      g_bytes_unref (command->bytes);
      break;
    case AMS_COMMAND_REMOVE:
    case AMS_COMMAND_ADOPT:
      g_free (command->file.name);
      g_free (command->file.from);
      break;
    case AMS_COMMAND_ASK:
      if (command->free_request)
        command->free_request (command->request);
      break;
    default:
      break;
  }
  g_free (command);
}

void
ams_queue_init (AmsQueue *self)
{
  *self = (AmsQueue){ 0 };
  g_queue_init (&self->commands);
  self->popped = g_array_new (FALSE, TRUE, sizeof (AmsQueuePopped));
}

void
ams_queue_clear (AmsQueue *self)
{
  g_queue_clear_full (&self->commands, ams_command_free);
  g_clear_pointer (&self->popped, g_array_unref);
  self->bytes = 0;
}

void
ams_queue_push (AmsQueue *self, AmsCommand *command)
{
  if (command->kind == AMS_COMMAND_DATA)
    self->bytes += command->cost;
  if (self->popped->len <= command->lane)
    g_array_set_size (self->popped, command->lane + 1);
  g_queue_push_tail (&self->commands, command);
}

static AmsQueuePopped *
get_popped (AmsQueue *self, guint lane)
{
  return &g_array_index (self->popped, AmsQueuePopped, lane);
}

static void
note_popped (AmsQueue *self, const AmsCommand *command)
{
  AmsQueuePopped *popped = get_popped (self, command->lane);

  switch (command->kind) {
    case AMS_COMMAND_BEGIN:
      popped->in_file = !command->given_up;
      popped->role = command->begin.role;
      break;
    case AMS_COMMAND_DATA:
      self->bytes -= command->cost;
      break;
    case AMS_COMMAND_END:
    case AMS_COMMAND_ABANDON:
    case AMS_COMMAND_CUT:
    case AMS_COMMAND_GIVE_UP:
      popped->in_file = FALSE;
      break;
    default:
      break;
  }
}

static gboolean
goes_along (const AmsCommand *command, guint64 max)
{
  return command && command->kind == AMS_COMMAND_DATA && command->cost <= max;
}

guint64
ams_queue_pop (AmsQueue *self, GQueue *commands, guint64 max)
{
  AmsCommand *command = g_queue_peek_head (&self->commands);
  gboolean is_data = command && command->kind == AMS_COMMAND_DATA;
  guint64 bytes = 0;

  while (command) {
    g_queue_push_tail_link (commands, g_queue_pop_head_link (&self->commands));
    note_popped (self, command);
    bytes += is_data ? command->cost : 0;
    command = g_queue_peek_head (&self->commands);
    if (!is_data || bytes > max || !goes_along (command, max - bytes))
      break;
  }
  return bytes;
}

gboolean
ams_queue_is_empty (const AmsQueue *self)
{
  return self->commands.length == 0;
}

guint
ams_queue_count_files (const AmsQueue *self)
{
  guint n = 0;

  for (const GList *l = self->commands.head; l; l = l->next)
    n += ((const AmsCommand *) l->data)->kind == AMS_COMMAND_BEGIN;
  return n;
}

gboolean
ams_queue_is_droppable (AmsFileRole role)
{
  return role == AMS_FILE_ROLE_SEGMENT || role == AMS_FILE_ROLE_OTHER;
}

/* Takes out the data of @lane from @link up to the file's end. TRUE: there were some. */
static gboolean
take_back_data (AmsQueue *self, GList *link, guint lane)
{
  gboolean any = FALSE;
  GList *next;

  for (; link; link = next) {
    AmsCommand *command = link->data;

    next = link->next;
    if (command->lane != lane)
      continue;
    if (command->kind == AMS_COMMAND_BEGIN ||
        command->kind == AMS_COMMAND_END ||
        command->kind == AMS_COMMAND_ABANDON ||
        command->kind == AMS_COMMAND_CUT)
      break;
    if (command->kind != AMS_COMMAND_DATA)
      continue;
    self->bytes -= command->cost;
    ams_command_free (command);
    g_queue_delete_link (&self->commands, link);
    any = TRUE;
  }
  return any;
}

/* Of a file whose beginning was popped already. */
static gboolean
take_back_first (AmsQueue *self, guint lane)
{
  const AmsQueuePopped *popped = get_popped (self, lane);
  AmsCommand *command;

  if (!popped->in_file || !ams_queue_is_droppable (popped->role) ||
      !take_back_data (self, self->commands.head, lane))
    return FALSE;
  command = ams_command_new (AMS_COMMAND_GIVE_UP);
  command->lane = lane;
  g_queue_push_head (&self->commands, command);
  return TRUE;
}

gboolean
ams_queue_take_back (AmsQueue *self)
{
  for (guint lane = 0; lane < self->popped->len; lane++) {
    if (take_back_first (self, lane))
      return TRUE;
  }
  for (GList *l = self->commands.head; l; l = l->next) {
    AmsCommand *command = l->data;

    if (command->kind == AMS_COMMAND_BEGIN && !command->given_up &&
        ams_queue_is_droppable (command->begin.role) &&
        take_back_data (self, l->next, command->lane)) {
      command->given_up = TRUE;
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
ams_queue_has_taken_last (const AmsQueue *self, guint lane)
{
  for (const GList *l = self->commands.tail; l; l = l->prev) {
    const AmsCommand *command = l->data;

    if (command->lane != lane)
      continue;
    switch (command->kind) {
      case AMS_COMMAND_GIVE_UP:
        return TRUE;
      case AMS_COMMAND_BEGIN:
        return command->given_up;
      case AMS_COMMAND_DATA:
      case AMS_COMMAND_END:
      case AMS_COMMAND_ABANDON:
      case AMS_COMMAND_CUT:
        return FALSE;
      default:
        break;
    }
  }
  return FALSE;
}
