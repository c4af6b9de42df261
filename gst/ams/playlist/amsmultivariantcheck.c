/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amslanguage.h"
#include "amsmultivariantprivate.h"

#include <string.h>

#define MAX_SERVICE 63

G_DEFINE_QUARK (ams_multivariant_error, ams_multivariant_error)

static gboolean fail (GError **error, AmsMultivariantError code,
    const gchar *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
fail (GError **error, AmsMultivariantError code, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, AMS_MULTIVARIANT_ERROR, code, text);
  return FALSE;
}

/* ---- texts ---- */

static gboolean
is_clean (const gchar *text)
{
  if (!g_utf8_validate (text, -1, NULL) || strchr (text, '"'))
    return FALSE;
  for (; *text != '\0'; text = g_utf8_next_char (text)) {
    if (g_unichar_iscntrl (g_utf8_get_char (text)))
      return FALSE;
  }
  return TRUE;
}

/* @owner: "variant", "rendition" …; @what: of it. */
static gboolean
check_text (const gchar *owner, const gchar *name, const gchar *what,
    const gchar *text, GError **error)
{
  g_autofree gchar *shown = NULL;

  if (!text || is_clean (text))
    return TRUE;
  shown = g_strescape (text, NULL);
  return fail (error, AMS_MULTIVARIANT_ERROR_TEXT,
      "The %s of %s \"%s\" cannot stand in a playlist, as it has a quotation "
      "mark or a control character: \"%s\"",
      what, owner, is_clean (name) ? name : "", shown);
}

static gboolean
check_needed (const gchar *owner, const gchar *name, const gchar *what,
    const gchar *text, GError **error)
{
  if (!text || *text == '\0')
    return fail (error, AMS_MULTIVARIANT_ERROR_EMPTY, "The %s \"%s\" has no %s",
        owner, name && is_clean (name) ? name : "", what);
  return check_text (owner, name, what, text, error);
}

/* ---- variants ---- */

static gboolean
is_range (const gchar *range)
{
  static const gchar *const ranges[] = { "SDR", "HLG", "PQ", NULL };

  return !range || g_strv_contains (ranges, range);
}

static gboolean
check_values (const gchar *owner, const AmsVariant *variant, GError **error)
{
  if (variant->bandwidth == 0)
    return fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
        "The %s \"%s\" has a bandwidth of 0", owner, variant->name);
  if (variant->average_bandwidth > variant->bandwidth)
    return fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
        "The average bandwidth of the %s \"%s\", %" G_GUINT64_FORMAT
        " bit/s, is larger than its bandwidth, %" G_GUINT64_FORMAT " bit/s",
        owner, variant->name, variant->average_bandwidth, variant->bandwidth);
  if (!is_range (variant->video_range))
    return fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
        "The video range of the %s \"%s\" is \"%s\": it is SDR, HLG or PQ",
        owner, variant->name, variant->video_range);
  if (!(variant->score >= 0 && variant->score < 1e9))
    return fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
        "The score of the %s \"%s\" is no positive number", owner,
        variant->name);
  return TRUE;
}

static gboolean
check_variant (const gchar *owner, const AmsVariant *variant, GError **error)
{
  return check_needed (owner, variant->name, "name", variant->name, error) &&
      check_needed (owner, variant->name, "URI", variant->uri, error) &&
      check_text (owner, variant->name, "list of codecs", variant->codecs,
          error) &&
      check_values (owner, variant, error);
}

/* With the same groups, too: sound in two formats makes two variants of one
 * video. */
static gboolean
is_same_variant (const AmsVariant *a, const AmsVariant *b)
{
  return g_str_equal (a->uri, b->uri) && g_strcmp0 (a->audio, b->audio) == 0 &&
      g_strcmp0 (a->subtitles, b->subtitles) == 0 &&
      g_strcmp0 (a->captions, b->captions) == 0;
}

static gboolean
check_pair_of_variants (const AmsVariant *a, const AmsVariant *b,
    GError **error)
{
  if (g_str_equal (a->name, b->name))
    return fail (error, AMS_MULTIVARIANT_ERROR_TWICE,
        "Two variants have the name \"%s\"", a->name);
  if (is_same_variant (a, b))
    return fail (error, AMS_MULTIVARIANT_ERROR_TWICE,
        "The variants \"%s\" and \"%s\" are both \"%s\"", a->name, b->name,
        a->uri);
  return TRUE;
}

static gboolean
check_scores (const AmsMultivariant *self, GPtrArray *variants, GError **error)
{
  const AmsVariant *first = ams_multivariant_get_variant (self, 0);

  for (guint i = 0; i < variants->len; i++) {
    const AmsVariant *other = g_ptr_array_index (variants, i);
    gboolean scored = first->score > 0;

    if (scored != (other->score > 0))
      return fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
          "\"%s\" has a score and \"%s\" has none: players heed scores only "
          "where each variant and I-frame playlist has one",
          scored ? first->name : other->name,
          scored ? other->name : first->name);
  }
  return TRUE;
}

static gboolean
check_variants (const AmsMultivariant *self, GError **error)
{
  for (guint i = 0; i < self->variants->len; i++) {
    if (!check_variant ("variant", ams_multivariant_get_variant (self, i),
            error))
      return FALSE;
    for (guint k = 0; k < i; k++) {
      if (!check_pair_of_variants (ams_multivariant_get_variant (self, k),
              ams_multivariant_get_variant (self, i), error))
        return FALSE;
    }
  }
  for (guint i = 0; i < self->iframes->len; i++) {
    if (!check_variant ("I-frame playlist",
            g_ptr_array_index (self->iframes, i), error))
      return FALSE;
  }
  return check_scores (self, self->variants, error) &&
      check_scores (self, self->iframes, error);
}

/* ---- renditions ---- */

/* "CC1" … "CC4", "SERVICE1" … "SERVICE63". */
static gboolean
is_instream_id (const gchar *id)
{
  guint64 number;

  if (g_str_has_prefix (id, "CC"))
    return id[2] >= '1' && id[2] <= '4' && id[3] == '\0';
  return g_str_has_prefix (id, "SERVICE") && id[7] != '0' &&
      g_ascii_string_to_unsigned (id + 7, 10, 1, MAX_SERVICE, &number, NULL);
}

static gboolean
check_captions (const AmsRendition *rendition, GError **error)
{
  if (!rendition->instream_id || !is_instream_id (rendition->instream_id))
    return fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
        "The closed captions \"%s\" are in channel \"%s\": it is CC1 to CC4 or "
        "SERVICE1 to SERVICE63",
        rendition->name, rendition->instream_id ? rendition->instream_id : "");
  if (rendition->uri)
    return fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
        "The closed captions \"%s\" have a URI, and they are in the video",
        rendition->name);
  return TRUE;
}

static gboolean
check_type (const AmsRendition *rendition, GError **error)
{
  if (rendition->type == AMS_RENDITION_CAPTIONS)
    return check_captions (rendition, error);
  if (rendition->instream_id)
    return fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
        "The rendition \"%s\" has an instream ID, which only closed captions "
        "have",
        rendition->name);
  if (rendition->type == AMS_RENDITION_SUBTITLES)
    return check_needed ("rendition", rendition->name, "URI", rendition->uri,
        error);
  return TRUE;
}

static gboolean
check_flags (const AmsRendition *rendition, GError **error)
{
  if (rendition->is_default && !rendition->autoselect)
    return fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
        "The rendition \"%s\" is the default, so it cannot have "
        "autoselect=false",
        rendition->name);
  if (rendition->forced && rendition->type != AMS_RENDITION_SUBTITLES)
    return fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
        "The rendition \"%s\" is forced, and only subtitles can be",
        rendition->name);
  return TRUE;
}

/* "2", "6", "16/JOC". */
static gboolean
check_channels (const AmsRendition *rendition, GError **error)
{
  const gchar *channels = rendition->channels;
  gsize digits = channels ? strspn (channels, "0123456789") : 0;

  if (!channels ||
      (digits > 0 && channels[0] != '0' &&
          (channels[digits] == '\0' || channels[digits] == '/')))
    return TRUE;
  return fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
      "The channels of rendition \"%s\" are \"%s\": they begin with a number, "
      "as \"2\" or \"16/JOC\"",
      rendition->name, channels);
}

static gboolean
check_language (const AmsRendition *rendition, GError **error)
{
  if (!rendition->language || ams_language_is_tag (rendition->language))
    return TRUE;
  return fail (error, AMS_MULTIVARIANT_ERROR_LANGUAGE,
      "The language of rendition \"%s\" is \"%s\", which is no language tag: "
      "write one as \"en\", \"pt-BR\" or \"zh-Hant\" (BCP 47)",
      rendition->name, rendition->language);
}

static gboolean
check_texts (const AmsRendition *rendition, GError **error)
{
  const gchar *owner = "rendition", *name = rendition->name;

  return check_needed (owner, name, "name", name, error) &&
      check_needed (owner, name, "group", rendition->group, error) &&
      check_text (owner, name, "language", rendition->language, error) &&
      check_text (owner, name, "URI", rendition->uri, error) &&
      check_text (owner, name, "list of codecs", rendition->codecs, error) &&
      check_text (owner, name, "channels", rendition->channels, error) &&
      check_text (owner, name, "characteristics", rendition->characteristics,
          error) &&
      check_text (owner, name, "instream ID", rendition->instream_id, error);
}

static gboolean
is_same_group (const AmsRendition *a, const AmsRendition *b)
{
  return a->type == b->type && g_str_equal (a->group, b->group);
}

static gboolean
check_pair (const AmsRendition *a, const AmsRendition *b, GError **error)
{
  if (!is_same_group (a, b))
    return TRUE;
  if (g_str_equal (a->name, b->name))
    return fail (error, AMS_MULTIVARIANT_ERROR_TWICE,
        "Two renditions in group \"%s\" have the name \"%s\": give one of them "
        "another title",
        a->group, a->name);
  if (a->is_default && b->is_default)
    return fail (error, AMS_MULTIVARIANT_ERROR_TWICE,
        "The renditions \"%s\" and \"%s\" are both the default of group \"%s\", "
        "and there can be one",
        a->name, b->name, a->group);
  return TRUE;
}

static gboolean
check_renditions (const AmsMultivariant *self, GError **error)
{
  for (guint i = 0; i < self->renditions->len; i++) {
    const AmsRendition *rendition = ams_multivariant_get_rendition (self, i);

    if (!check_texts (rendition, error) || !check_type (rendition, error) ||
        !check_flags (rendition, error) || !check_channels (rendition, error) ||
        !check_language (rendition, error))
      return FALSE;
    for (guint k = 0; k < i; k++) {
      if (!check_pair (ams_multivariant_get_rendition (self, k), rendition,
              error))
        return FALSE;
    }
  }
  return TRUE;
}

/* ---- groups ---- */

static gboolean
is_same_member (const AmsRendition *a, const AmsRendition *b)
{
  return g_str_equal (a->name, b->name) &&
      g_strcmp0 (a->language, b->language) == 0 &&
      g_strcmp0 (a->characteristics, b->characteristics) == 0 &&
      a->is_default == b->is_default && a->autoselect == b->autoselect &&
      a->forced == b->forced;
}

static gboolean
has_member (const AmsMultivariant *self, const gchar *group,
    const AmsRendition *member)
{
  for (guint i = 0; i < self->renditions->len; i++) {
    const AmsRendition *other = ams_multivariant_get_rendition (self, i);

    if (other->type == member->type && g_str_equal (other->group, group) &&
        is_same_member (other, member))
      return TRUE;
  }
  return FALSE;
}

/* What is in one group is in each other of its type, RFC 8216bis 4.4.6.1.1. */
static gboolean
check_members (const AmsMultivariant *self, GError **error)
{
  for (guint i = 0; i < self->renditions->len; i++) {
    const AmsRendition *member = ams_multivariant_get_rendition (self, i);

    for (guint k = 0; k < self->renditions->len; k++) {
      const AmsRendition *other = ams_multivariant_get_rendition (self, k);

      if (other->type != member->type ||
          has_member (self, other->group, member))
        continue;
      return fail (error, AMS_MULTIVARIANT_ERROR_GROUP,
          "Group \"%s\" has a rendition \"%s\" and group \"%s\" has none that is "
          "the same in language, default, autoselect and forced: groups of "
          "one kind offer the same choice",
          member->group, member->name, other->group);
    }
  }
  return TRUE;
}

static const gchar *
get_group (const AmsVariant *variant, AmsRenditionType type)
{
  switch (type) {
    case AMS_RENDITION_AUDIO:
      return variant->audio;
    case AMS_RENDITION_SUBTITLES:
      return variant->subtitles;
    default:
      return variant->captions;
  }
}

static gboolean
has_group (const AmsMultivariant *self, AmsRenditionType type,
    const gchar *group)
{
  for (guint i = 0; i < self->renditions->len; i++) {
    const AmsRendition *rendition = ams_multivariant_get_rendition (self, i);

    if (rendition->type == type && g_str_equal (rendition->group, group))
      return TRUE;
  }
  return FALSE;
}

static gboolean
check_groups_of_type (const AmsMultivariant *self, AmsRenditionType type,
    GError **error)
{
  const AmsVariant *first = ams_multivariant_get_variant (self, 0);

  for (guint i = 0; i < self->variants->len; i++) {
    const AmsVariant *variant = ams_multivariant_get_variant (self, i);
    const gchar *group = get_group (variant, type);

    if (group && !has_group (self, type, group))
      return fail (error, AMS_MULTIVARIANT_ERROR_GROUP,
          "The variant \"%s\" refers to the %s group \"%s\", and no rendition "
          "is in it",
          variant->name, ams_rendition_type_get_name (type), group);
    if (type != AMS_RENDITION_CAPTIONS && !group != !get_group (first, type))
      return fail (error, AMS_MULTIVARIANT_ERROR_GROUP,
          "One of the variants \"%s\" and \"%s\" has a group of %s, and the "
          "other has none: who switches would lose it",
          first->name, variant->name, ams_rendition_type_get_name (type));
  }
  return TRUE;
}

static gboolean
check_preferred (const AmsMultivariant *self, GError **error)
{
  for (guint i = 0; self->preferred && i < self->variants->len; i++) {
    if (g_str_equal (ams_multivariant_get_variant (self, i)->name,
            self->preferred))
      return TRUE;
  }
  return !self->preferred ||
      fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
          "No variant has the name \"%s\" of the preferred one",
          self->preferred);
}

static gboolean
check_no_captions (const AmsMultivariant *self, GError **error)
{
  for (guint i = 0; self->no_captions && i < self->renditions->len; i++) {
    const AmsRendition *rendition = ams_multivariant_get_rendition (self, i);

    if (rendition->type == AMS_RENDITION_CAPTIONS)
      return fail (error, AMS_MULTIVARIANT_ERROR_VALUE,
          "There are closed captions, \"%s\", and it is said that there are "
          "none",
          rendition->name);
  }
  return TRUE;
}

gboolean
ams_multivariant_check (const AmsMultivariant *self, GError **error)
{
  if (self->variants->len == 0)
    return fail (error, AMS_MULTIVARIANT_ERROR_EMPTY,
        "There is no variant to play");
  return check_variants (self, error) && check_renditions (self, error) &&
      check_members (self, error) &&
      check_groups_of_type (self, AMS_RENDITION_AUDIO, error) &&
      check_groups_of_type (self, AMS_RENDITION_SUBTITLES, error) &&
      check_groups_of_type (self, AMS_RENDITION_CAPTIONS, error) &&
      check_no_captions (self, error) && check_preferred (self, error);
}
