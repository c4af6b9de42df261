/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A multivariant playlist (RFC 8216bis, 4.4.6): what it describes, whether that
 * holds together, and its text, which is the same for the same description.
 * Pure, no GStreamer, not thread-safe. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define AMS_MULTIVARIANT_ERROR (ams_multivariant_error_quark ())
GQuark ams_multivariant_error_quark (void);

typedef enum
{
  AMS_MULTIVARIANT_ERROR_EMPTY, /* no variant; an attribute that must be there */
  AMS_MULTIVARIANT_ERROR_TEXT, /* a quotation mark or a control character */
  AMS_MULTIVARIANT_ERROR_VALUE, /* an attribute has a value that it cannot have */
  AMS_MULTIVARIANT_ERROR_LANGUAGE, /* it is no tag of BCP 47 */
  AMS_MULTIVARIANT_ERROR_TWICE, /* two of the same name, two defaults */
  AMS_MULTIVARIANT_ERROR_GROUP, /* there is none, or its members differ */
} AmsMultivariantError;

/* A video with the sound that is muxed with it, or such a sound alone: a line of
 * EXT-X-STREAM-INF, or of EXT-X-I-FRAME-STREAM-INF, where frame rate and groups do
 * not count. */
typedef struct
{
  gchar *name; /* of its rendition: for errors, and to be preferred */
  gchar *uri;
  guint64 bandwidth,
      average_bandwidth; /* bit/s; the average may be 0: unknown */
  gchar *codecs; /* of its own tracks, as in CODECS; NULL: unknown */
  guint width, height; /* 0: there is no video, or it is unknown */
  guint rate_num, rate_den; /* frames a second; 0: unknown */
  gchar *video_range; /* "SDR", "HLG", "PQ"; NULL: unknown */
  gdouble score; /* 0: none */
  gchar *audio, *subtitles, *captions; /* groups; NULL: none */
} AmsVariant;

/* (transfer full) */
AmsVariant *ams_variant_new (const gchar *name, const gchar *uri,
    guint64 bandwidth);
void ams_variant_free (AmsVariant *variant);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsVariant, ams_variant_free)

typedef enum
{
  AMS_RENDITION_AUDIO,
  AMS_RENDITION_SUBTITLES,
  AMS_RENDITION_CAPTIONS, /* CEA-608 and CEA-708 in the video */
} AmsRenditionType;

/* A line of EXT-X-MEDIA. */
typedef struct
{
  AmsRenditionType type;
  gchar *group, *name;
  gchar *language; /* NULL: unknown */
  gchar *uri; /* NULL: of captions; of sound that is muxed with the variant */
  gchar *codecs; /* NULL: unknown, or in no need of being said (WebVTT) */
  gchar *channels; /* "2"; NULL: unknown */
  gchar *characteristics; /* NULL: none */
  gchar *instream_id; /* of captions: "CC1", "SERVICE1" */
  gboolean is_default, autoselect, forced;
} AmsRendition;

/* (transfer full) */
AmsRendition *ams_rendition_new (AmsRenditionType type, const gchar *group,
    const gchar *name);
void ams_rendition_free (AmsRendition *rendition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsRendition, ams_rendition_free)

typedef struct
{
  GPtrArray *variants; /* (element-type AmsVariant) */
  GPtrArray *renditions; /* (element-type AmsRendition) */
  GPtrArray *iframes; /* (element-type AmsVariant) */
  gchar
      *preferred; /* name of the variant that comes first; NULL: as they are */
  gboolean independent; /* EXT-X-INDEPENDENT-SEGMENTS holds for all */
  gboolean no_captions; /* it is known that no video has closed captions */
} AmsMultivariant;

AmsMultivariant *ams_multivariant_new (void);
void ams_multivariant_free (AmsMultivariant *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsMultivariant, ams_multivariant_free)

/* FALSE, and one sentence in @error: a player could not make sense of it. */
gboolean ams_multivariant_check (const AmsMultivariant *self, GError **error);

/* (transfer full) Of one that ams_multivariant_check() has nothing against. CODECS
 * lists the formats of a variant's groups too, and is left out where one of them
 * is unknown. */
gchar *ams_multivariant_render (const AmsMultivariant *self);

G_END_DECLS
