/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the recorder says: sentences and, on a terminal, a line that tells how it goes; or JSON, a line per event. */

#pragma once

#include <gst/gst.h>

typedef enum
{
  EVENT_NORMAL,
  EVENT_TROUBLE, /* goes to the standard error stream */
  EVENT_QUIET, /* in JSON only */
} EventWeight;

typedef struct _Events Events;

Events *events_new (gboolean json);
void events_free (Events *self);
gboolean events_is_terminal (Events *self);

/* Takes @event: its name is the event's, its fields are strings, numbers, booleans, and lists of structures.
 * @sentence: (nullable) what people read. */
void events_say (Events *self, EventWeight weight, GstStructure *event,
    const gchar *sentence);
/* Takes @event. @line: replaces the last one. */
void events_show_progress (Events *self, GstStructure *event,
    const gchar *line);
