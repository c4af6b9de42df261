/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include <string.h>

#include "playlist/amsmultivariant.h"

static AmsVariant *
add_variant (AmsMultivariant *self, const gchar *name, guint64 bandwidth,
    guint height)
{
  g_autofree gchar *uri = g_strconcat ("s_", name, ".m3u8", NULL);
  AmsVariant *variant = ams_variant_new (name, uri, bandwidth);

  variant->codecs = g_strdup ("avc1.64001f,mp4a.40.2");
  variant->width = height * 16 / 9;
  variant->height = height;
  g_ptr_array_add (self->variants, variant);
  return variant;
}

static AmsRendition *
add_rendition (AmsMultivariant *self, AmsRenditionType type, const gchar *group,
    const gchar *name, const gchar *uri)
{
  AmsRendition *rendition = ams_rendition_new (type, group, name);

  rendition->uri = g_strdup (uri);
  rendition->autoselect = TRUE;
  g_ptr_array_add (self->renditions, rendition);
  return rendition;
}

/* Two videos, two languages in two formats, subtitles, captions, I-frames. */
static AmsMultivariant *
make_all (void)
{
  static const gchar *const groups[] = { "aac", "ac3" };
  AmsMultivariant *self = ams_multivariant_new ();
  AmsVariant *low = add_variant (self, "low", 1000000, 360);
  AmsVariant *high = add_variant (self, "high", 3200000, 720);
  AmsVariant *iframes = ams_variant_new ("high", "s_high_i.m3u8", 400000);
  AmsRendition *rendition;

  self->independent = TRUE;
  self->preferred = g_strdup ("high");
  low->average_bandwidth = 900000;
  low->rate_num = 25;
  low->rate_den = 1;
  low->score = 1;
  low->audio = g_strdup ("aac");
  low->subtitles = g_strdup ("text");
  low->captions = g_strdup ("cc");
  high->average_bandwidth = 2500000;
  high->rate_num = 30000;
  high->rate_den = 1001;
  high->video_range = g_strdup ("SDR");
  high->score = 2.5;
  high->audio = g_strdup ("ac3");
  high->subtitles = g_strdup ("text");
  high->captions = g_strdup ("cc");
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++) {
    g_autofree gchar *en = g_strdup_printf ("s_%s_en.m3u8", groups[i]);
    g_autofree gchar *de = g_strdup_printf ("s_%s_de.m3u8", groups[i]);

    rendition =
        add_rendition (self, AMS_RENDITION_AUDIO, groups[i], "English", en);
    rendition->language = g_strdup ("en");
    rendition->is_default = TRUE;
    rendition->codecs = g_strdup (i ? "ac-3" : "mp4a.40.2");
    rendition->channels = g_strdup (i ? "6" : "2");
    rendition =
        add_rendition (self, AMS_RENDITION_AUDIO, groups[i], "Deutsch", de);
    rendition->language = g_strdup ("de");
    rendition->codecs = g_strdup (i ? "ac-3" : "mp4a.40.5");
  }
  rendition = add_rendition (self, AMS_RENDITION_SUBTITLES, "text", "Français",
      "s_fr.m3u8");
  rendition->language = g_strdup ("fr");
  rendition->characteristics =
      g_strdup ("public.accessibility.describes-music-and-sound");
  rendition->forced = TRUE;
  rendition =
      add_rendition (self, AMS_RENDITION_CAPTIONS, "cc", "English", NULL);
  rendition->instream_id = g_strdup ("SERVICE1");
  rendition->language = g_strdup ("en");
  iframes->codecs = g_strdup ("avc1.64001f");
  iframes->score = 2.5;
  iframes->width = 1280;
  iframes->height = 720;
  iframes->video_range = g_strdup ("SDR");
  g_ptr_array_add (self->iframes, iframes);
  return self;
}

static AmsMultivariant *
make_simple (void)
{
  AmsMultivariant *self = ams_multivariant_new ();

  add_variant (self, "360p", 1000000, 360);
  add_variant (self, "720p", 3200000, 720);
  return self;
}

static void
assert_text (const AmsMultivariant *self, const gchar *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = NULL;

  ams_multivariant_check (self, &error);
  g_assert_no_error (error);
  text = ams_multivariant_render (self);
  g_assert_cmpstr (text, ==, expected);
}

/* ---- text ---- */

static void
test_all_attributes (void)
{
  g_autoptr (AmsMultivariant) self = make_all ();

  assert_text (self,
      "#EXTM3U\n"
      "#EXT-X-VERSION:7\n"
      "#EXT-X-INDEPENDENT-SEGMENTS\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"English\","
      "LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\","
      "URI=\"s_aac_en.m3u8\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"Deutsch\","
      "LANGUAGE=\"de\",DEFAULT=NO,AUTOSELECT=YES,URI=\"s_aac_de.m3u8\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"ac3\",NAME=\"English\","
      "LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"6\","
      "URI=\"s_ac3_en.m3u8\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"ac3\",NAME=\"Deutsch\","
      "LANGUAGE=\"de\",DEFAULT=NO,AUTOSELECT=YES,URI=\"s_ac3_de.m3u8\"\n"
      "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\",NAME=\"Français\","
      "LANGUAGE=\"fr\",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,CHARACTERISTICS="
      "\"public.accessibility.describes-music-and-sound\",URI=\"s_fr.m3u8\"\n"
      "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"English\","
      "LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID=\"SERVICE1\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=3200000,AVERAGE-BANDWIDTH=2500000,SCORE=2.5,"
      "CODECS=\"avc1.64001f,mp4a.40.2,ac-3\",RESOLUTION=1280x720,"
      "FRAME-RATE=29.970,VIDEO-RANGE=SDR,AUDIO=\"ac3\",SUBTITLES=\"text\","
      "CLOSED-CAPTIONS=\"cc\"\n"
      "s_high.m3u8\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1000000,AVERAGE-BANDWIDTH=900000,SCORE=1,"
      "CODECS=\"avc1.64001f,mp4a.40.2,mp4a.40.5\",RESOLUTION=640x360,"
      "FRAME-RATE=25.000,AUDIO=\"aac\",SUBTITLES=\"text\","
      "CLOSED-CAPTIONS=\"cc\"\n"
      "s_low.m3u8\n"
      "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=400000,SCORE=2.5,"
      "CODECS=\"avc1.64001f\",RESOLUTION=1280x720,VIDEO-RANGE=SDR,URI=\"s_high_i.m3u8\"\n");
}

#define LOW "#EXT-X-STREAM-INF:BANDWIDTH=1000000,"
#define HIGH "#EXT-X-STREAM-INF:BANDWIDTH=3200000,"
#define AVC_AAC "CODECS=\"avc1.64001f,mp4a.40.2\","

/* What is not known is not said; EXT-X-VERSION is not needed. */
static void
test_least (void)
{
  g_autoptr (AmsMultivariant) self = make_simple ();

  assert_text (self,
      "#EXTM3U\n" LOW AVC_AAC "RESOLUTION=640x360\ns_360p.m3u8\n" HIGH AVC_AAC
      "RESOLUTION=1280x720\ns_720p.m3u8\n");
}

static void
test_no_captions (void)
{
  g_autoptr (AmsMultivariant) self = make_simple ();

  self->no_captions = TRUE;
  assert_text (self,
      "#EXTM3U\n" LOW AVC_AAC
      "RESOLUTION=640x360,CLOSED-CAPTIONS=NONE\ns_360p.m3u8\n" HIGH AVC_AAC
      "RESOLUTION=1280x720,CLOSED-CAPTIONS=NONE\ns_720p.m3u8\n");
}

/* A CODECS that lacks one makes players choose wrongly. */
static void
test_codecs_that_are_not_all_known (void)
{
  g_autoptr (AmsMultivariant) self = ams_multivariant_new ();
  AmsVariant *variant = add_variant (self, "a", 1000, 0);
  AmsRendition *sound;

  variant->audio = g_strdup ("g");
  sound = add_rendition (self, AMS_RENDITION_AUDIO, "g", "En", "en.m3u8");
  assert_text (self,
      "#EXTM3U\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"En\",DEFAULT=NO,"
      "AUTOSELECT=YES,URI=\"en.m3u8\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1000,AUDIO=\"g\"\ns_a.m3u8\n");
  g_clear_pointer (&sound->uri, g_free); /* muxed with the variant */
  assert_text (self,
      "#EXTM3U\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"En\",DEFAULT=NO,"
      "AUTOSELECT=YES\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS=\"avc1.64001f,mp4a.40.2\","
      "AUDIO=\"g\"\ns_a.m3u8\n");
  g_clear_pointer (&variant->codecs, g_free);
  g_clear_pointer (&variant->audio, g_free);
  g_ptr_array_set_size (self->renditions, 0);
  assert_text (self, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\ns_a.m3u8\n");
}

typedef struct
{
  guint num, den;
  const gchar *text;
} Rate;

static const Rate rates[] = {
  { 24000, 1001, ",FRAME-RATE=23.976," },
  { 30000, 1001, ",FRAME-RATE=29.970," },
  { 60000, 1001, ",FRAME-RATE=59.940," },
  { 25, 2, ",FRAME-RATE=12.500," },
  { 50, 1, ",FRAME-RATE=50.000," },
  { 50, 3, ",FRAME-RATE=16.667," },
  { 4294967295u, 4294967295u, ",FRAME-RATE=1.000," },
};

static void
test_frame_rates (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    g_autoptr (AmsMultivariant) self = ams_multivariant_new ();
    AmsVariant *variant = add_variant (self, "a", 1000, 360);
    g_autofree gchar *text = NULL;

    variant->rate_num = rates[i].num;
    variant->rate_den = rates[i].den;
    variant->video_range = g_strdup ("HLG");
    text = ams_multivariant_render (self);
    g_assert_nonnull (strstr (text, rates[i].text));
  }
}

static void
test_scores (void)
{
  static const struct
  {
    gdouble score;
    const gchar *text;
  } scores[] = { { 1, ",SCORE=1," }, { 10, ",SCORE=10," },
    { 0.25, ",SCORE=0.25," }, { 100000, ",SCORE=100000," } };

  for (guint i = 0; i < G_N_ELEMENTS (scores); i++) {
    g_autoptr (AmsMultivariant) self = ams_multivariant_new ();
    g_autofree gchar *text = NULL;

    add_variant (self, "a", 1000, 360)->score = scores[i].score;
    text = ams_multivariant_render (self);
    g_assert_nonnull (strstr (text, scores[i].text));
  }
}

static void
test_forty_renditions (void)
{
  g_autoptr (AmsMultivariant) self = make_simple ();
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = NULL, *again = NULL;
  guint lines = 0;

  for (guint i = 0; i < 2; i++)
    ((AmsVariant *) g_ptr_array_index (self->variants, i))->audio =
        g_strdup ("sound");
  for (guint i = 0; i < 40; i++) {
    g_autofree gchar *name = g_strdup_printf ("Sound %u", i);
    g_autofree gchar *uri = g_strdup_printf ("s_%u.m3u8", i);

    add_rendition (self, AMS_RENDITION_AUDIO, "sound", name, uri)->codecs =
        g_strdup ("mp4a.40.2");
  }
  g_assert_true (ams_multivariant_check (self, &error));
  g_assert_no_error (error);
  text = ams_multivariant_render (self);
  again = ams_multivariant_render (self);
  g_assert_cmpstr (text, ==, again);
  for (const gchar *p = text; (p = strchr (p, '\n')); p++)
    lines++;
  g_assert_cmpuint (lines, ==, 1 + 40 + 2 * 2);
}

/* ---- what does not hold together ---- */

static AmsVariant *
get_variant (AmsMultivariant *self, guint i)
{
  return g_ptr_array_index (self->variants, i);
}

static AmsRendition *
get_rendition (AmsMultivariant *self, guint i)
{
  return g_ptr_array_index (self->renditions, i);
}

static void
set (gchar **text, const gchar *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

#define SPOIL(name, statement) \
  static void spoil_##name (AmsMultivariant *self) \
  { \
    statement; \
  }

/* Of make_all(): the renditions are 0 and 2 English, 1 and 3 Deutsch, 4 subtitles,
 * 5 captions; the variants are 0 low, 1 high. */
SPOIL (empty, g_ptr_array_set_size (self->variants, 0))
SPOIL (no_uri, set (&get_variant (self, 0)->uri, ""))
SPOIL (no_name, set (&get_variant (self, 0)->name, NULL))
SPOIL (uri_quote, set (&get_variant (self, 0)->uri, "a\"b.m3u8"))
SPOIL (uri_line, set (&get_variant (self, 0)->uri, "a\nb.m3u8"))
SPOIL (codecs_quote, set (&get_variant (self, 0)->codecs, "avc1\""))
SPOIL (no_bandwidth, get_variant (self, 1)->bandwidth = 0)
SPOIL (large_average, get_variant (self, 1)->average_bandwidth = 3200001)
SPOIL (range, set (&get_variant (self, 1)->video_range, "HDR"))
SPOIL (score, get_variant (self, 1)->score = -1)
SPOIL (one_score, get_variant (self, 1)->score = 0)
SPOIL (same_names, set (&get_variant (self, 1)->name, "low"))
SPOIL (preferred, set (&self->preferred, "middle"))
SPOIL (iframes_bandwidth,
    ((AmsVariant *) g_ptr_array_index (self->iframes, 0))->bandwidth = 0)
SPOIL (iframes_score,
    ((AmsVariant *) g_ptr_array_index (self->iframes, 0))->score = 0)
SPOIL (name_quote, set (&get_rendition (self, 0)->name, "say \"A\""))
SPOIL (name_control, set (&get_rendition (self, 0)->name, "a\tb"))
SPOIL (name_utf8, set (&get_rendition (self, 0)->name, "\xff"))
SPOIL (name_c1, set (&get_rendition (self, 0)->name, "a\xc2\x85"))
SPOIL (group_quote, set (&get_rendition (self, 0)->group, "\""))
SPOIL (no_group, set (&get_rendition (self, 0)->group, NULL))
SPOIL (characteristics, set (&get_rendition (self, 4)->characteristics, "a\"b"))
SPOIL (twice, set (&get_rendition (self, 1)->name, "English"))
SPOIL (two_defaults, get_rendition (self, 1)->is_default = TRUE)
SPOIL (default_alone, get_rendition (self, 0)->autoselect = FALSE)
SPOIL (language, set (&get_rendition (self, 1)->language, "german"))
SPOIL (forced_sound, get_rendition (self, 1)->forced = TRUE)
SPOIL (channels, set (&get_rendition (self, 0)->channels, "stereo"))
SPOIL (no_channels, set (&get_rendition (self, 0)->channels, "0"))
SPOIL (no_subtitles_uri, set (&get_rendition (self, 4)->uri, NULL))
SPOIL (captions_uri, set (&get_rendition (self, 5)->uri, "cc.m3u8"))
SPOIL (channel_5, set (&get_rendition (self, 5)->instream_id, "CC5"))
SPOIL (service_64, set (&get_rendition (self, 5)->instream_id, "SERVICE64"))
SPOIL (service_01, set (&get_rendition (self, 5)->instream_id, "SERVICE01"))
SPOIL (no_channel, set (&get_rendition (self, 5)->instream_id, NULL))
SPOIL (sound_channel, set (&get_rendition (self, 0)->instream_id, "CC1"))
SPOIL (other_member, set (&get_rendition (self, 3)->name, "German"))
SPOIL (other_language, set (&get_rendition (self, 3)->language, "de-AT"))
SPOIL (other_default, get_rendition (self, 2)->is_default = FALSE)
SPOIL (other_characteristics,
    set (&get_rendition (self, 3)->characteristics, "a"))
SPOIL (fewer_members, g_ptr_array_remove_index (self->renditions, 1))
SPOIL (unknown_group, set (&get_variant (self, 1)->audio, "dts"))
SPOIL (group_of_one, set (&get_variant (self, 1)->subtitles, NULL))
SPOIL (no_captions, self->no_captions = TRUE)

static void
spoil_same_files (AmsMultivariant *self)
{
  set (&get_variant (self, 1)->uri, "s_low.m3u8");
  set (&get_variant (self, 1)->audio, "aac");
}

/* A second group of subtitles, in which they are not forced. */
static void
spoil_other_forced (AmsMultivariant *self)
{
  AmsRendition *first = get_rendition (self, 4);
  AmsRendition *other = add_rendition (self, AMS_RENDITION_SUBTITLES, "text2",
      first->name, "t2.m3u8");

  set (&other->language, first->language);
  set (&other->characteristics, first->characteristics);
}

typedef struct
{
  const gchar *name;
  void (*spoil) (AmsMultivariant *self);
  AmsMultivariantError code;
  const gchar *says;
} Spoiled;

#define ROW(name, code, says) \
  { \
#name, spoil_##name, AMS_MULTIVARIANT_ERROR_##code, says \
  }

static const Spoiled spoiled[] = {
  ROW (empty, EMPTY, "no variant"),
  ROW (no_uri, EMPTY, "variant \"low\" has no URI"),
  ROW (no_name, EMPTY, "variant \"\" has no name"),
  ROW (uri_quote, TEXT, "URI of variant \"low\""),
  ROW (uri_line, TEXT, "\"a\\nb.m3u8\""),
  ROW (codecs_quote, TEXT, "list of codecs"),
  ROW (no_bandwidth, VALUE, "variant \"high\" has a bandwidth of 0"),
  ROW (large_average, VALUE, "3200001 bit/s, is larger"),
  ROW (range, VALUE, "is \"HDR\""),
  ROW (score, VALUE, "no positive number"),
  ROW (one_score, VALUE, "\"low\" has a score and \"high\" has none"),
  ROW (same_names, TWICE, "Two variants have the name \"low\""),
  ROW (same_files, TWICE, "\"low\" and \"high\" are both \"s_low.m3u8\""),
  ROW (preferred, VALUE, "the name \"middle\""),
  ROW (iframes_bandwidth, VALUE, "I-frame playlist \"high\""),
  ROW (iframes_score, VALUE, "\"low\" has a score and \"high\" has none"),
  ROW (name_quote, TEXT, "\"say \\\"A\\\"\""),
  ROW (name_control, TEXT, "\"a\\tb\""),
  ROW (name_utf8, TEXT, "control character"),
  ROW (name_c1, TEXT, "control character"),
  ROW (group_quote, TEXT, "group of rendition \"English\""),
  ROW (no_group, EMPTY, "\"English\" has no group"),
  ROW (characteristics, TEXT, "characteristics of rendition \"Français\""),
  ROW (twice, TWICE, "in group \"aac\" have the name \"English\""),
  ROW (two_defaults, TWICE, "\"English\" and \"Deutsch\" are both the default"),
  ROW (default_alone, VALUE, "autoselect=false"),
  ROW (language, LANGUAGE, "\"Deutsch\" is \"german\""),
  ROW (forced_sound, VALUE, "only subtitles can be"),
  ROW (channels, VALUE, "are \"stereo\""),
  ROW (no_channels, VALUE, "are \"0\""),
  ROW (no_subtitles_uri, EMPTY, "\"Français\" has no URI"),
  ROW (captions_uri, VALUE, "they are in the video"),
  ROW (channel_5, VALUE, "\"CC5\""),
  ROW (service_64, VALUE, "\"SERVICE64\""),
  ROW (service_01, VALUE, "\"SERVICE01\""),
  ROW (no_channel, VALUE, "channel \"\""),
  ROW (sound_channel, VALUE, "only closed captions"),
  ROW (other_member, GROUP, "\"Deutsch\" and group \"ac3\""),
  ROW (other_language, GROUP, "\"Deutsch\" and group \"ac3\""),
  ROW (other_default, GROUP, "\"English\" and group \"ac3\""),
  ROW (other_characteristics, GROUP, "\"Deutsch\" and group \"ac3\""),
  ROW (other_forced, GROUP, "\"Français\" and group \"text2\""),
  ROW (fewer_members, GROUP, "\"Deutsch\" and group \"aac\""),
  ROW (unknown_group, GROUP, "the AUDIO group \"dts\""),
  ROW (group_of_one, GROUP, "\"low\" and \"high\" has a group of SUBTITLES"),
  ROW (no_captions, VALUE, "that there are none"),
};

static void
test_spoiled (gconstpointer data)
{
  const Spoiled *row = data;
  g_autoptr (AmsMultivariant) self = make_all ();
  g_autoptr (GError) error = NULL;

  row->spoil (self);
  g_assert_false (ams_multivariant_check (self, &error));
  g_assert_error (error, AMS_MULTIVARIANT_ERROR, (gint) row->code);
  if (!strstr (error->message, row->says))
    g_error ("\"%s\" lacks \"%s\"", error->message, row->says);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_null (strchr (error->message, '\n'));
}

/* Channels, URI and format may differ from group to group, a video may be there
 * twice with other sound, and groups of different types may have one name. */
static void
test_what_may_differ (void)
{
  g_autoptr (AmsMultivariant) self = make_all ();
  g_autoptr (GError) error = NULL;

  set (&get_variant (self, 1)->uri, "s_low.m3u8");
  set (&get_rendition (self, 4)->group, "aac");
  set (&get_variant (self, 0)->subtitles, "aac");
  set (&get_variant (self, 1)->subtitles, "aac");
  set (&get_rendition (self, 5)->instream_id, "SERVICE63");
  set (&get_rendition (self, 3)->channels, "16/JOC");
  set (&get_variant (self, 1)->captions, NULL);
  ams_multivariant_check (self, &error);
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/multivariant/all", test_all_attributes);
  g_test_add_func ("/multivariant/least", test_least);
  g_test_add_func ("/multivariant/no-captions", test_no_captions);
  g_test_add_func ("/multivariant/codecs", test_codecs_that_are_not_all_known);
  g_test_add_func ("/multivariant/frame-rates", test_frame_rates);
  g_test_add_func ("/multivariant/scores", test_scores);
  g_test_add_func ("/multivariant/forty", test_forty_renditions);
  g_test_add_func ("/multivariant/may-differ", test_what_may_differ);
  for (guint i = 0; i < G_N_ELEMENTS (spoiled); i++) {
    g_autofree gchar *path =
        g_strconcat ("/multivariant/refused/", spoiled[i].name, NULL);

    g_test_add_data_func (path, &spoiled[i], test_spoiled);
  }
  return g_test_run ();
}
