/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsmaster.h"

#include "media/amscodecstring.h"
#include "media/amspicture.h"
#include "playlist/amsbandwidth.h"
#include "playlist/amsmultivariant.h"

#include <string.h>

#define CAPTIONS_GROUP "cc"
#define MAX_CHANNELS 4
#define MAX_SERVICES 63

struct _AmsMaster
{
  gchar *uri;
  AmsBandwidth *bandwidth;
  AmsDeclaredRates rates;

  GPtrArray *codecs[2]; /* utf8, by AmsTrackKind: each once */
  gboolean unknown_codec; /* of one of them nothing can be said */
  AmsPicture picture; /* the largest of each */
  gboolean captions_are_looked_for;
  guint channels;
  guint64 services;
  gboolean dependent;

  gchar *text; /* as it was written last */
  gchar *said; /* what was wrong with it */
};

AmsMaster *
ams_master_new (void)
{
  AmsMaster *self = g_new0 (AmsMaster, 1);

  for (guint i = 0; i < G_N_ELEMENTS (self->codecs); i++)
    self->codecs[i] = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
ams_master_free (AmsMaster *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->codecs); i++)
    g_ptr_array_unref (self->codecs[i]);
  g_clear_pointer (&self->bandwidth, ams_bandwidth_free);
  g_free (self->uri);
  g_free (self->text);
  g_free (self->said);
  g_free (self);
}

void
ams_master_begin (AmsMaster *self, const gchar *uri, guint target_duration)
{
  g_free (self->uri);
  self->uri = g_strdup (uri);
  g_clear_pointer (&self->bandwidth, ams_bandwidth_free);
  self->bandwidth = ams_bandwidth_new (target_duration);
}

/* ---- what is known ---- */

static gboolean
is_faster (const AmsPicture *a, const AmsPicture *b)
{
  if (a->rate_den == 0 || b->rate_den == 0)
    return a->rate_den != 0;
  return (guint64) a->rate_num * b->rate_den >
      (guint64) b->rate_num * a->rate_den;
}

static void
add_picture (AmsMaster *self, const AmsTrack *track)
{
  AmsPicture picture;

  if (!ams_picture_read (track, &picture))
    return;
  if ((guint64) picture.width * picture.height >
      (guint64) self->picture.width * self->picture.height) {
    self->picture.width = picture.width;
    self->picture.height = picture.height;
  }
  if (is_faster (&picture, &self->picture)) {
    self->picture.rate_num = picture.rate_num;
    self->picture.rate_den = picture.rate_den;
  }
  self->picture.range = MAX (self->picture.range, picture.range);
}

static void
add_codec (AmsMaster *self, const AmsTrack *track)
{
  GPtrArray *codecs = self->codecs[ams_codec_get_kind (track->codec)];
  g_autofree gchar *codec = ams_codec_string_new (track);

  if (!codec)
    self->unknown_codec = TRUE;
  else if (!g_ptr_array_find_with_equal_func (codecs, codec, g_str_equal, NULL))
    g_ptr_array_add (codecs, g_steal_pointer (&codec));
}

void
ams_master_add_track (AmsMaster *self, const AmsTrack *track)
{
  add_codec (self, track);
  add_picture (self, track);
  self->captions_are_looked_for |=
      track->codec == AMS_CODEC_H264 || track->codec == AMS_CODEC_H265;
}

void
ams_master_add_captions (AmsMaster *self, guint channels, guint64 services)
{
  self->channels |= channels;
  self->services |= services;
}

void
ams_master_set_dependent (AmsMaster *self)
{
  self->dependent = TRUE;
}

void
ams_master_add_segment (AmsMaster *self, guint64 size, guint64 duration,
    guint target_duration)
{
  ams_bandwidth_set_target_duration (self->bandwidth, target_duration);
  ams_bandwidth_add (self->bandwidth, size, duration);
}

/* ---- what is said ---- */

static gchar *
join_codecs (AmsMaster *self)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();

  if (self->unknown_codec)
    return NULL;
  for (guint kind = 0; kind < G_N_ELEMENTS (self->codecs); kind++) {
    for (guint i = 0; i < self->codecs[kind]->len; i++)
      g_ptr_array_add (all, g_ptr_array_index (self->codecs[kind], i));
  }
  g_ptr_array_add (all, NULL);
  return all->len > 1 ? g_strjoinv (",", (gchar **) all->pdata) : NULL;
}

static AmsVariant *
make_variant (AmsMaster *self)
{
  AmsVariant *variant =
      ams_variant_new ("recording", self->uri, self->rates.declared.peak);

  variant->average_bandwidth = self->rates.declared.average;
  variant->codecs = join_codecs (self);
  variant->width = self->picture.width;
  variant->height = self->picture.height;
  variant->rate_num = self->picture.rate_num;
  variant->rate_den = self->picture.rate_den;
  variant->video_range =
      g_strdup (ams_video_range_get_name (self->picture.range));
  if (self->channels || self->services)
    variant->captions = g_strdup (CAPTIONS_GROUP);
  return variant;
}

static void
add_rendition (AmsMultivariant *multivariant, const gchar *id)
{
  AmsRendition *rendition =
      ams_rendition_new (AMS_RENDITION_CAPTIONS, CAPTIONS_GROUP, id);

  rendition->instream_id = g_strdup (id);
  /* It has to be said, and is not known (Apple's authoring specification, 8.10). */
  rendition->language = g_strdup ("und");
  g_ptr_array_add (multivariant->renditions, rendition);
}

static void
add_captions (AmsMaster *self, AmsMultivariant *multivariant)
{
  for (guint i = 0; i < MAX_CHANNELS; i++) {
    g_autofree gchar *id = g_strdup_printf ("CC%u", i + 1);

    if (self->channels & (1u << i))
      add_rendition (multivariant, id);
  }
  for (guint i = 1; i <= MAX_SERVICES; i++) {
    g_autofree gchar *id = g_strdup_printf ("SERVICE%u", i);

    if (self->services & (G_GUINT64_CONSTANT (1) << i))
      add_rendition (multivariant, id);
  }
}

static AmsMultivariant *
describe (AmsMaster *self, gboolean ended)
{
  AmsMultivariant *multivariant = ams_multivariant_new ();

  g_ptr_array_add (multivariant->variants, make_variant (self));
  add_captions (self, multivariant);
  multivariant->independent = !self->dependent;
  multivariant->no_captions = ended && self->captions_are_looked_for &&
      !self->channels && !self->services;
  return multivariant;
}

/* The same is not said again. */
static gboolean
is_news (gchar **said, const gchar *text)
{
  if (g_strcmp0 (*said, text) == 0)
    return FALSE;
  g_free (*said);
  *said = g_strdup (text);
  return TRUE;
}

static GBytes *
render (AmsMaster *self, gboolean ended, GError **error)
{
  g_autoptr (AmsMultivariant) multivariant = describe (self, ended);
  g_autoptr (GError) why = NULL;
  g_autofree gchar *text = NULL;

  if (!ams_multivariant_check (multivariant, &why)) {
    if (is_news (&self->said, why->message))
      g_propagate_error (error, g_steal_pointer (&why));
    return NULL;
  }
  text = ams_multivariant_render (multivariant);
  return is_news (&self->text, text) ? g_bytes_new (text, strlen (text)) : NULL;
}

GBytes *
ams_master_render (AmsMaster *self, gboolean ended, GError **error)
{
  if (!self->bandwidth || ams_bandwidth_get_length (self->bandwidth) == 0)
    return NULL;
  if (ended)
    ams_declared_rates_finish (&self->rates,
        ams_bandwidth_get (self->bandwidth));
  else
    ams_declared_rates_update (&self->rates,
        ams_bandwidth_get_recent (self->bandwidth));
  return render (self, ended, error);
}
