/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsmultivariant.h"

#include "amsmultivariantprivate.h"

#include <string.h>

/* What INSTREAM-ID needs when it names a service of CEA-708; nothing else that is
 * written here needs a version. */
#define SERVICE_VERSION 7

/* ---- descriptions ---- */

AmsVariant *
ams_variant_new (const gchar *name, const gchar *uri, guint64 bandwidth)
{
  AmsVariant *self = g_new0 (AmsVariant, 1);

  self->name = g_strdup (name);
  self->uri = g_strdup (uri);
  self->bandwidth = bandwidth;
  return self;
}

void
ams_variant_free (AmsVariant *self)
{
  g_free (self->name);
  g_free (self->uri);
  g_free (self->codecs);
  g_free (self->video_range);
  g_free (self->audio);
  g_free (self->subtitles);
  g_free (self->captions);
  g_free (self);
}

AmsRendition *
ams_rendition_new (AmsRenditionType type, const gchar *group, const gchar *name)
{
  AmsRendition *self = g_new0 (AmsRendition, 1);

  self->type = type;
  self->group = g_strdup (group);
  self->name = g_strdup (name);
  return self;
}

void
ams_rendition_free (AmsRendition *self)
{
  g_free (self->group);
  g_free (self->name);
  g_free (self->language);
  g_free (self->uri);
  g_free (self->codecs);
  g_free (self->channels);
  g_free (self->characteristics);
  g_free (self->instream_id);
  g_free (self);
}

AmsMultivariant *
ams_multivariant_new (void)
{
  AmsMultivariant *self = g_new0 (AmsMultivariant, 1);

  self->variants =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_variant_free);
  self->renditions =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_rendition_free);
  self->iframes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_variant_free);
  return self;
}

void
ams_multivariant_free (AmsMultivariant *self)
{
  g_ptr_array_unref (self->variants);
  g_ptr_array_unref (self->renditions);
  g_ptr_array_unref (self->iframes);
  g_free (self->preferred);
  g_free (self);
}

/* ---- CODECS ---- */

/* Adds those of @codecs that @out does not have. */
static void
add_codecs (GPtrArray *out, const gchar *codecs)
{
  g_auto (GStrv) names = g_strsplit (codecs, ",", -1);

  for (guint i = 0; names[i]; i++) {
    g_strstrip (names[i]);
    if (!g_ptr_array_find_with_equal_func (out, names[i], g_str_equal, NULL))
      g_ptr_array_add (out, g_strdup (names[i]));
  }
}

/* FALSE: that of a rendition is unknown. */
static gboolean
add_group_codecs (const AmsMultivariant *self, AmsRenditionType type,
    const gchar *group, GPtrArray *out)
{
  for (guint i = 0; i < self->renditions->len; i++) {
    const AmsRendition *rendition = ams_multivariant_get_rendition (self, i);

    if (rendition->type != type || g_strcmp0 (rendition->group, group) != 0)
      continue;
    if (rendition->codecs)
      add_codecs (out, rendition->codecs);
    else if (type == AMS_RENDITION_AUDIO && rendition->uri)
      return FALSE;
  }
  return TRUE;
}

/* (transfer full) (nullable) */
static gchar *
collect_codecs (const AmsMultivariant *self, const AmsVariant *variant)
{
  g_autoptr (GPtrArray) codecs = g_ptr_array_new_with_free_func (g_free);

  if (!variant->codecs)
    return NULL;
  add_codecs (codecs, variant->codecs);
  if (!add_group_codecs (self, AMS_RENDITION_AUDIO, variant->audio, codecs) ||
      !add_group_codecs (self, AMS_RENDITION_SUBTITLES, variant->subtitles,
          codecs))
    return NULL;
  g_ptr_array_add (codecs, NULL);
  return g_strjoinv (",", (gchar **) codecs->pdata);
}

/* ---- text ---- */

static void
write_quoted (GString *out, const gchar *attribute, const gchar *value)
{
  if (value)
    g_string_append_printf (out, ",%s=\"%s\"", attribute, value);
}

static void
write_flag (GString *out, const gchar *attribute, gboolean value)
{
  g_string_append_printf (out, ",%s=%s", attribute, value ? "YES" : "NO");
}

static void
write_rendition (GString *out, const AmsRendition *rendition)
{
  g_string_append_printf (out, "#EXT-X-MEDIA:TYPE=%s",
      ams_rendition_type_get_name (rendition->type));
  write_quoted (out, "GROUP-ID", rendition->group);
  write_quoted (out, "NAME", rendition->name);
  write_quoted (out, "LANGUAGE", rendition->language);
  write_flag (out, "DEFAULT", rendition->is_default);
  write_flag (out, "AUTOSELECT", rendition->autoselect);
  if (rendition->type == AMS_RENDITION_SUBTITLES)
    write_flag (out, "FORCED", rendition->forced);
  write_quoted (out, "CHANNELS", rendition->channels);
  write_quoted (out, "CHARACTERISTICS", rendition->characteristics);
  write_quoted (out, "INSTREAM-ID", rendition->instream_id);
  write_quoted (out, "URI", rendition->uri);
  g_string_append_c (out, '\n');
}

static void
write_bandwidth (GString *out, const AmsVariant *variant)
{
  g_string_append_printf (out, "BANDWIDTH=%" G_GUINT64_FORMAT,
      variant->bandwidth);
  if (variant->average_bandwidth)
    g_string_append_printf (out, ",AVERAGE-BANDWIDTH=%" G_GUINT64_FORMAT,
        variant->average_bandwidth);
}

static void
write_size (GString *out, const AmsVariant *variant)
{
  if (variant->width && variant->height)
    g_string_append_printf (out, ",RESOLUTION=%ux%u", variant->width,
        variant->height);
}

static void
write_frame_rate (GString *out, const AmsVariant *variant)
{
  guint64 thousandths;

  if (!variant->rate_num || !variant->rate_den)
    return;
  thousandths = ((guint64) variant->rate_num * 1000 + variant->rate_den / 2) /
      variant->rate_den;
  g_string_append_printf (out, ",FRAME-RATE=%" G_GUINT64_FORMAT ".%03u",
      thousandths / 1000, (guint) (thousandths % 1000));
}

static void
write_video_range (GString *out, const AmsVariant *variant)
{
  if (variant->video_range)
    g_string_append_printf (out, ",VIDEO-RANGE=%s", variant->video_range);
}

/* A decimal number without an exponent and without needless zeros. */
static void
write_score (GString *out, const AmsVariant *variant)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];
  gsize len;

  if (variant->score <= 0)
    return;
  g_ascii_formatd (text, sizeof text, "%.6f", variant->score);
  for (len = strlen (text); text[len - 1] == '0'; len--)
    text[len - 1] = '\0';
  if (text[len - 1] == '.')
    text[len - 1] = '\0';
  g_string_append_printf (out, ",SCORE=%s", text);
}

static void
write_variant (const AmsMultivariant *self, GString *out,
    const AmsVariant *variant)
{
  g_autofree gchar *codecs = collect_codecs (self, variant);

  g_string_append (out, "#EXT-X-STREAM-INF:");
  write_bandwidth (out, variant);
  write_score (out, variant);
  write_quoted (out, "CODECS", codecs);
  write_size (out, variant);
  write_frame_rate (out, variant);
  write_video_range (out, variant);
  write_quoted (out, "AUDIO", variant->audio);
  write_quoted (out, "SUBTITLES", variant->subtitles);
  write_quoted (out, "CLOSED-CAPTIONS", variant->captions);
  if (self->no_captions)
    g_string_append (out, ",CLOSED-CAPTIONS=NONE");
  g_string_append_printf (out, "\n%s\n", variant->uri);
}

static void
write_iframes (GString *out, const AmsVariant *variant)
{
  g_string_append (out, "#EXT-X-I-FRAME-STREAM-INF:");
  write_bandwidth (out, variant);
  write_score (out, variant);
  write_quoted (out, "CODECS", variant->codecs);
  write_size (out, variant);
  write_video_range (out, variant);
  write_quoted (out, "URI", variant->uri);
  g_string_append_c (out, '\n');
}

static gboolean
needs_version (const AmsMultivariant *self)
{
  for (guint i = 0; i < self->renditions->len; i++) {
    const AmsRendition *rendition = ams_multivariant_get_rendition (self, i);

    if (rendition->instream_id &&
        g_str_has_prefix (rendition->instream_id, "SERVICE"))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_preferred (const AmsMultivariant *self, const AmsVariant *variant)
{
  return self->preferred && g_str_equal (variant->name, self->preferred);
}

/* Those that are preferred or those that are not. */
static void
write_variants (const AmsMultivariant *self, GString *out, gboolean preferred)
{
  for (guint i = 0; i < self->variants->len; i++) {
    const AmsVariant *variant = ams_multivariant_get_variant (self, i);

    if (is_preferred (self, variant) == preferred)
      write_variant (self, out, variant);
  }
}

gchar *
ams_multivariant_render (const AmsMultivariant *self)
{
  GString *out = g_string_new ("#EXTM3U\n");

  if (needs_version (self))
    g_string_append_printf (out, "#EXT-X-VERSION:%u\n", SERVICE_VERSION);
  if (self->independent)
    g_string_append (out, "#EXT-X-INDEPENDENT-SEGMENTS\n");
  for (guint i = 0; i < self->renditions->len; i++)
    write_rendition (out, ams_multivariant_get_rendition (self, i));
  write_variants (self, out, TRUE);
  write_variants (self, out, FALSE);
  for (guint i = 0; i < self->iframes->len; i++)
    write_iframes (out, g_ptr_array_index (self->iframes, i));
  return g_string_free (out, FALSE);
}
