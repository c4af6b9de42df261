/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Properties that are members of a struct: a table says where each is kept and how it
 * may be shown. No function takes a lock: who owns the struct does. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  GST_AMS_FIELD_STRING,
  GST_AMS_FIELD_SECRET, /* a string that is never read back */
  GST_AMS_FIELD_STRUCTURE, /* read back without what may be a secret */
  GST_AMS_FIELD_UINT,
  GST_AMS_FIELD_UINT64,
  GST_AMS_FIELD_BOOLEAN,
  GST_AMS_FIELD_ENUM,
} GstAmsFieldKind;

/* By the property's id, from 1 on. Several may share a member. */
typedef struct
{
  GstAmsFieldKind kind;
  gsize offset;
  gchar *(*show) (const gchar *text); /* (nullable) of a string that is set */
} GstAmsField;

#define GST_AMS_FIELD(type, kind, member) \
  { \
    GST_AMS_FIELD_##kind, G_STRUCT_OFFSET (type, member), NULL \
  }
#define GST_AMS_FIELD_SHOWN_BY(type, show, member) \
  { \
    GST_AMS_FIELD_STRING, G_STRUCT_OFFSET (type, member), show \
  }

/* FALSE: @id is none of these. get: as it may be shown. */
gboolean gst_ams_fields_set (gpointer base, const GstAmsField *fields, guint n,
    guint id, const GValue *value);
gboolean gst_ams_fields_get (gconstpointer base, const GstAmsField *fields,
    guint n, guint id, GValue *value);
/* copy: @to holds nothing. clear: strings are overwritten. */
void gst_ams_fields_copy (gpointer to, gconstpointer from,
    const GstAmsField *fields, guint n);
void gst_ams_fields_clear (gpointer base, const GstAmsField *fields, guint n);

/* Sets *@secret, and overwrites what was there. */
void gst_ams_set_secret (gchar **secret, const gchar *text);

/* name, value, name, value …: an array or list makes several pairs. AMS_STORE_ERROR,
 * PERMANENT, names @property. */
GStrv gst_ams_pairs_from_structure (const gchar *property,
    const GstStructure *s, GError **error);
/* With what may be a secret as "***". */
GstStructure *gst_ams_structure_redact (const GstStructure *s);

/* Values are { VALUE, "what it means", "nick" }, ... */
#define GST_AMS_DEFINE_ENUM(function, name, ...) \
  static GType function (void) \
  { \
    static gsize type = 0; \
    static const GEnumValue values[] = { __VA_ARGS__, { 0, NULL, NULL } }; \
\
    if (g_once_init_enter (&type)) \
      g_once_init_leave (&type, g_enum_register_static (name, values)); \
    return type; \
  }

G_END_DECLS
