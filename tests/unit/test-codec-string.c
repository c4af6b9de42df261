/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "media/amscodecstring.h"

#include "unit-hex.h"

typedef struct
{
  const gchar *what;
  AmsCodec codec;
  const gchar *config; /* hex; NULL: none */
  const gchar *string; /* NULL: it cannot be told */
} Vector;

/* With the profile, level and constraints of an hvcC record. */
#define HVCC(start) start "f000fcfdf8f800000f00"

static const Vector vectors[] = {
  /* The strings are those of RFC 6381, Apple's authoring specification and
   * what ffprobe's dash and Chromium's tests have for the same bytes. */
  { "High 3.1", AMS_CODEC_H264,
      "0164001fffe1001a6764001facd9405005bb0110000003001000000303c0f18319600"
      "1000668ebe3cb22c0fdf8f800",
      "avc1.64001f" },
  { "constrained baseline 3.0", AMS_CODEC_H264,
      "0142e01effe1000a6742e01ef40502d0c80001000468ce3c80", "avc1.42e01e" },
  { "the higher level of two sets", AMS_CODEC_H264,
      "014d401effe200046742c01e00046764002800", "avc1.640028" },
  { "no sets, the record says it", AMS_CODEC_H264, "014d401effe000",
      "avc1.4d401e" },
  { "a short set does not count", AMS_CODEC_H264,
      "014d401effe10003676400"
      "00",
      "avc1.4d401e" },
  { "cut record", AMS_CODEC_H264, "014d401effe10005", NULL },
  { "avcC of another version", AMS_CODEC_H264, "024d401effe000", NULL },
  { "no avcC", AMS_CODEC_H264, NULL, NULL },

  { "no level", AMS_CODEC_H265, HVCC ("01016000000090000000000000"), NULL },
  { "Main 4.1", AMS_CODEC_H265,
      HVCC ("010160000000"
            "b00000000000"
            "7b"),
      "hvc1.1.6.L123.B0" },
  { "Main 10, high tier", AMS_CODEC_H265,
      HVCC ("0122200000009000000000"
            "007b"),
      "hvc1.2.4.H123.90" },
  { "4:4:4", AMS_CODEC_H265, HVCC ("0104080000009e08000000003f"),
      "hvc1.4.10.L63.9E.8" },
  { "4:2:2, 8 bit", AMS_CODEC_H265, HVCC ("0104080000009d08000000005d"),
      "hvc1.4.10.L93.9D.8" },
  { "no constraints", AMS_CODEC_H265,
      HVCC ("010160000000000000000000"
            "5d"),
      "hvc1.1.6.L93" },
  { "constraints behind one of zeros", AMS_CODEC_H265,
      HVCC ("01016000000090000000000"
            "15d"),
      "hvc1.1.6.L93.90.0.0.0.0.1" },
  { "profile space B", AMS_CODEC_H265, HVCC ("0181600000009000000000005d"),
      "hvc1.B1.6.L93.90" },
  { "hvcC too short", AMS_CODEC_H265, "010160000000900000000000", NULL },
  { "no hvcC", AMS_CODEC_H265, NULL, NULL },

  /* AV1 Codec ISO Media File Format Binding, 5. */
  { "AV1 main, 8 bit", AMS_CODEC_AV1, "81080c00", "av01.0.08M.08" },
  { "AV1 main, 10 bit", AMS_CODEC_AV1, "81044c00", "av01.0.04M.10" },
  { "AV1 professional, high, 12 bit", AMS_CODEC_AV1, "8153e000",
      "av01.2.19H.12" },
  { "12 bit is only of the professional profile", AMS_CODEC_AV1, "8128e000",
      "av01.1.08H.10" },
  { "no av1C", AMS_CODEC_AV1, "0a0b0000", NULL },
  { "av1C too short", AMS_CODEC_AV1, "810800", NULL },
  { "AV1 without record", AMS_CODEC_AV1, NULL, NULL },

  /* VP Codec ISO Media File Format Binding, codecs parameter string. */
  { "VP9", AMS_CODEC_VP9,
      "01000000000a82020202"
      "0000",
      "vp09.00.10.08" },
  { "VP9 profile 2", AMS_CODEC_VP9,
      "010000000229a2091009"
      "0000",
      "vp09.02.41.10" },
  { "vpcC of version 0", AMS_CODEC_VP9, "00000000000a82", NULL },
  { "vpcC too short", AMS_CODEC_VP9, "01000000000a", NULL },
  { "VP9 without record", AMS_CODEC_VP9, NULL, NULL },

  { "AAC-LC", AMS_CODEC_AAC, "1190", "mp4a.40.2" },
  { "HE-AAC", AMS_CODEC_AAC, "2b118800", "mp4a.40.5" },
  { "HE-AAC v2", AMS_CODEC_AAC, "eb098800", "mp4a.40.29" },
  { "HE-AAC, said behind the core", AMS_CODEC_AAC, "131056e598", "mp4a.40.5" },
  { "HE-AAC v2, said behind the core", AMS_CODEC_AAC, "131056e59d4880",
      "mp4a.40.29" },
  { "no SBR, said behind the core", AMS_CODEC_AAC, "131056e500", "mp4a.40.2" },
  { "xHE-AAC", AMS_CODEC_AAC, "f94c4000", "mp4a.40.42" },
  { "AAC-ELD", AMS_CODEC_AAC, "f8e85000", "mp4a.40.39" },
  { "AAC, 3.1 by a program config element", AMS_CODEC_AAC,
      "118004c8010001000"
      "44c617663",
      "mp4a.40.2" },
  { "AAC, cut", AMS_CODEC_AAC, "11", NULL },
  { "AAC without configuration", AMS_CODEC_AAC, NULL, NULL },

  { "AC-3", AMS_CODEC_AC3, NULL, "ac-3" },
  { "E-AC-3", AMS_CODEC_EAC3, NULL, "ec-3" },
  { "Opus", AMS_CODEC_OPUS, NULL, "opus" },
  { "DTS", AMS_CODEC_DTS, NULL, NULL },
  { "MPEG-2", AMS_CODEC_MPEG2_VIDEO, NULL, NULL },
};

static void
test_string (gconstpointer data)
{
  const Vector *vector = data;
  g_autoptr (GBytes) config =
      vector->config ? bytes_from_hex (vector->config) : NULL;
  g_autoptr (AmsTrack) track = ams_track_new (0, vector->codec, config);
  g_autofree gchar *string = ams_codec_string_new (track);

  g_assert_cmpstr (string, ==, vector->string);
}

static void
test_layers (void)
{
  static const gchar *const strings[] = { NULL, "mp4a.40.32", "mp4a.40.33",
    "mp4a.40.34", NULL };

  for (guint layer = 0; layer < G_N_ELEMENTS (strings); layer++) {
    g_autoptr (AmsTrack) track = ams_track_new (0, AMS_CODEC_MPEG_AUDIO, NULL);
    g_autoptr (AmsTrack) copy = NULL;
    g_autofree gchar *string = NULL;

    track->layer = layer;
    copy = ams_track_copy (track);
    string = ams_codec_string_new (copy);
    g_assert_cmpstr (string, ==, strings[layer]);
  }
}

/* Whatever the record is, nothing is read that is not there. */
static void
test_cut_records (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++) {
    g_autoptr (GBytes) whole =
        bytes_from_hex (vectors[i].config ? vectors[i].config : "");

    for (gsize size = 0; size <= g_bytes_get_size (whole); size++) {
      g_autoptr (GBytes) cut =
          g_bytes_new (g_bytes_get_data (whole, NULL), size);
      g_autoptr (AmsTrack) track = ams_track_new (0, vectors[i].codec, cut);

      g_free (ams_codec_string_new (track));
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++) {
    g_autofree gchar *path =
        g_strconcat ("/codec-string/", vectors[i].what, NULL);

    g_test_add_data_func (path, &vectors[i], test_string);
  }
  g_test_add_func ("/codec-string/layers", test_layers);
  g_test_add_func ("/codec-string/cut", test_cut_records);
  return g_test_run ();
}
