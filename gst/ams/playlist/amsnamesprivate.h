/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a template was read into, for who makes names (amsnames.c) and who recognises
 * them (amsnamesmatch.c). */

#pragma once

#include "amsnames.h"

G_BEGIN_DECLS

/* As ams_file_name_check(), which cannot be used here: it knows GStreamer. */
#define AMS_NAMES_MAX_LENGTH 1024
/* Digits of a number. */
#define AMS_NAMES_MAX_WIDTH 20

typedef enum
{
  AMS_NAMES_TOKEN_LITERAL,
  AMS_NAMES_TOKEN_NUMBER,
  AMS_NAMES_TOKEN_SESSION,
  AMS_NAMES_TOKEN_SEGMENT,
} AmsNamesTokenType;

typedef struct
{
  AmsNamesTokenType type;
  GString *text; /* literal, or one conversion of a date */
  guint digits; /* of a date: always so many digits; 0: anything */
  gboolean zero; /* of a number: padded with zeros */
  guint width;
} AmsNamesToken;

struct _AmsNames
{
  GPtrArray *tokens; /* AmsNamesToken */
  gint number; /* index of the number's token; -1: none */
  gboolean has_session;
  gboolean has_segment;
  guint segment_parts;
};

static inline const AmsNamesToken *
ams_names_get_token (const AmsNames *self, guint i)
{
  return g_ptr_array_index (self->tokens, i);
}

/* Whether a file may have the name. */
gboolean ams_names_check (const gchar *name, GError **error);

void ams_names_append_number (GString *out, const AmsNamesToken *token,
    guint64 number);

G_END_DECLS
