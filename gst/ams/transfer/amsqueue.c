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
}

void
ams_queue_clear (AmsQueue *self)
{
  g_queue_clear_full (&self->commands, ams_command_free);
  ams_queue_init (self);
}

void
ams_queue_push (AmsQueue *self, AmsCommand *command)
{
  if (command->kind == AMS_COMMAND_DATA)
    self->bytes += command->cost;
  g_queue_push_tail (&self->commands, command);
}

static void
note_popped (AmsQueue *self, const AmsCommand *command)
{
  switch (command->kind) {
    case AMS_COMMAND_BEGIN:
      self->in_file = !command->given_up;
      self->role = command->begin.role;
      break;
    case AMS_COMMAND_DATA:
      self->bytes -= command->cost;
      break;
    case AMS_COMMAND_END:
    case AMS_COMMAND_ABANDON:
    case AMS_COMMAND_CUT:
    case AMS_COMMAND_GIVE_UP:
      self->in_file = FALSE;
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

/* Takes out the data from @link up to the file's end. TRUE: there were some. */
static gboolean
take_back_data (AmsQueue *self, GList *link)
{
  gboolean any = FALSE;
  GList *next;

  for (; link; link = next) {
    AmsCommand *command = link->data;

    next = link->next;
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

/* Of the file whose beginning was popped already. */
static gboolean
take_back_first (AmsQueue *self)
{
  if (!self->in_file || !ams_queue_is_droppable (self->role) ||
      !take_back_data (self, self->commands.head))
    return FALSE;
  g_queue_push_head (&self->commands, ams_command_new (AMS_COMMAND_GIVE_UP));
  return TRUE;
}

gboolean
ams_queue_take_back (AmsQueue *self)
{
  if (take_back_first (self))
    return TRUE;
  for (GList *l = self->commands.head; l; l = l->next) {
    AmsCommand *command = l->data;

    if (command->kind == AMS_COMMAND_BEGIN && !command->given_up &&
        ams_queue_is_droppable (command->begin.role) &&
        take_back_data (self, l->next)) {
      command->given_up = TRUE;
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
ams_queue_has_taken_last (const AmsQueue *self)
{
  for (const GList *l = self->commands.tail; l; l = l->prev) {
    const AmsCommand *command = l->data;

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
