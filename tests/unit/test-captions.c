/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "media/amscaptions.h"

#include "unit-hex.h"

#define MAX_PICTURES 5

/* A picture has the bytes of cc_data, three a time: marker bits, cc_valid and
 * cc_type; two bytes. */
typedef struct
{
  const gchar *what;
  const gchar *pictures[MAX_PICTURES]; /* in decoding order */
  gint64 pts[MAX_PICTURES];
  guint channels;
  guint64 services;
} Vector;

#define CC1 (1 << 0)
#define CC2 (1 << 1)
#define CC3 (1 << 2)
#define CC4 (1 << 3)
#define SERVICE(n) (G_GUINT64_CONSTANT (1) << (n))

/* The bytes of CEA-608 have odd parity: 0x14 is 94, 0x20 is 20. */
static const Vector vectors[] = {
  { "padding", { "fc8080fd8080fa0000fa0000" }, { 0 }, 0, 0 },
  { "pop-on in CC1", { "fc9420fd8080", "fc94aefd8080" }, { 0, 1 }, CC1, 0 },
  { "roll-up in CC1", { "fc94a7" }, { 0 }, CC1, 0 },
  { "paint-on in CC2", { "fc1c29" }, { 0 }, CC2, 0 },
  { "CC3 and CC4", { "fd1520", "fd9d25" }, { 0, 1 }, CC3 | CC4, 0 },
  { "CC3, with the codes of field 1", { "fd9426" }, { 0 }, CC3, 0 },
  { "text mode is no caption", { "fc942afc94ab" }, { 0 }, 0, 0 },
  { "erasing begins no caption", { "fc942cfc942f" }, { 0 }, 0, 0 },
  { "letters begin no caption", { "fcc1c2" }, { 0 }, 0, 0 },
  { "extended data of field 2", { "fd0180fd8f8f" }, { 0 }, 0, 0 },
  { "wrong parity", { "fc1420fc94a0" }, { 0 }, 0, 0 },
  { "behind bytes that are escaped", { "000000000000fc9420" }, { 0 }, CC1, 0 },
  { "not valid", { "f89420" }, { 0 }, 0, 0 },

  /* A packet of 8 bytes: its header is 04, sequence 0, of 4 pairs. */
  { "service 1", { "ff0422fe4142fe0000fe0000" }, { 0 }, 0, SERVICE (1) },
  { "services 1 and 2", { "ff0421fe4141fe4142fe0000" }, { 0 }, 0,
      SERVICE (1) | SERVICE (2) },
  { "service 63", { "ff44e1fe3f41fe0000fe0000" }, { 0 }, 0, SERVICE (63) },
  { "an empty block", { "ff0420fe4000fe0000fe0000" }, { 0 }, 0, 0 },
  { "an empty packet", { "ff0400fe0000fe0000fe0000" }, { 0 }, 0, 0 },
  { "a block longer than its packet", { "ff043ffe4142fe4142fe4142" }, { 0 }, 0,
      0 },
  { "a packet that does not end", { "ff0422fe4142fe0000" }, { 0 }, 0, 0 },
  { "data without a packet", { "fe0422fe4142fe0000fe0000" }, { 0 }, 0, 0 },
  { "a packet over pictures", { "ff0422", "fe4142", "fe0000", "fe0000" },
      { 0, 1, 2, 3 }, 0, SERVICE (1) },
  /* As decoded: I, P, B, B. */
  { "a packet over reordered pictures",
      { "ff0441", "fe2143fe0000", "fe4221", "fe4121" }, { 0, 3, 1, 2 }, 0,
      SERVICE (1) | SERVICE (2) },
  { "a packet that another one cuts", { "ff0422", "ff0442fe4142fe0000fe0000" },
      { 0, 1 }, 0, SERVICE (2) },
  { "both kinds", { "fc9420fd8080ff0422fe4142fe0000fe0000" }, { 0 }, CC1,
      SERVICE (1) },
};

/* ---- access units ---- */

static void
append_escaped (GByteArray *out, const guint8 *bytes, gsize size)
{
  static const guint8 three = 3;
  guint zeros = 0;

  for (gsize i = 0; i < size; i++) {
    if (zeros >= 2 && bytes[i] <= 3) {
      g_byte_array_append (out, &three, 1);
      zeros = 0;
    }
    g_byte_array_append (out, bytes + i, 1);
    zeros = bytes[i] == 0 ? zeros + 1 : 0;
  }
}

static void
append_nal (GByteArray *out, const guint8 *bytes, gsize size)
{
  const guint8 length[] = { 0, 0, size >> 8, size & 0xff };

  g_byte_array_append (out, length, sizeof length);
  g_byte_array_append (out, bytes, size);
}

/* SEI with a message of pic_timing in front, as encoders write it. */
static GByteArray *
make_sei (const gchar *cc_data, gboolean h265)
{
  g_autoptr (GBytes) data = bytes_from_hex (cc_data);
  gsize size = g_bytes_get_size (data);
  g_autoptr (GByteArray) payload = g_byte_array_new ();
  GByteArray *nal = g_byte_array_new ();
  const guint8 before[] = { 1, 2, 0x00, 0x00, 4, 11 + size };
  const guint8 header[] = { 0xb5, 0x00, 0x31, 'G', 'A', '9', '4', 0x03,
    0x40 | size / 3, 0xff };
  const guint8 after[] = { 0xff, 0x80 };

  g_byte_array_append (payload, before, sizeof before);
  g_byte_array_append (payload, header, sizeof header);
  g_byte_array_append (payload, g_bytes_get_data (data, NULL), size);
  g_byte_array_append (payload, after, sizeof after);
  g_byte_array_append (nal, (const guint8 *) (h265 ? "\x4e\x01" : "\x06"),
      h265 ? 2 : 1);
  append_escaped (nal, payload->data, payload->len);
  return nal;
}

static AmsUnit
make_unit (const gchar *cc_data, gint64 pts, gboolean h265)
{
  static const guint8 delimiter[] = { 0x09, 0xf0 };
  static const guint8 slice[] = { 0x65, 0x88, 0x84 };
  static const guint8 slice265[] = { 0x26, 0x01, 0xaf };
  GByteArray *unit = g_byte_array_new ();
  g_autoptr (GByteArray) sei = make_sei (cc_data, h265);

  if (!h265)
    append_nal (unit, delimiter, sizeof delimiter);
  append_nal (unit, sei->data, sei->len);
  append_nal (unit, h265 ? slice265 : slice, 3);
  return (AmsUnit){ .pts = pts, .payload = g_byte_array_free_to_bytes (unit) };
}

static gboolean
add (AmsCaptions *captions, const gchar *cc_data, gint64 pts, gboolean h265)
{
  const AmsNalConfig config = { .h265 = h265, .length_size = 4 };
  AmsUnit unit = make_unit (cc_data, pts, h265);
  gboolean found = ams_captions_add (captions, &config, &unit);

  g_bytes_unref (unit.payload);
  return found;
}

/* ---- tests ---- */

static AmsCaptions *
read_vector (const Vector *vector, gboolean h265)
{
  AmsCaptions *captions = ams_captions_new ();
  guint i;

  for (i = 0; i < MAX_PICTURES && vector->pictures[i]; i++)
    add (captions, vector->pictures[i], vector->pts[i], h265);
  for (i = 0; i < AMS_CAPTIONS_MAX_DELAY; i++)
    add (captions, "fa0000fe0000", 100 + i, h265);
  return captions;
}

static void
test_found (gconstpointer data)
{
  const Vector *vector = data;

  for (gboolean h265 = FALSE; h265 <= TRUE; h265++) {
    g_autoptr (AmsCaptions) captions = read_vector (vector, h265);

    g_assert_cmphex (ams_captions_get_channels (captions), ==,
        vector->channels);
    g_assert_cmphex (ams_captions_get_services (captions), ==,
        vector->services);
  }
}

static void
test_what_is_new_is_said (void)
{
  g_autoptr (AmsCaptions) captions = ams_captions_new ();
  guint n_new = 0;

  g_assert_false (add (captions, "fc8080", 0, FALSE));
  g_assert_true (add (captions, "fc9420", 1, FALSE));
  g_assert_false (add (captions, "fc9420", 2, FALSE));
  g_assert_true (add (captions, "fd1520", 3, FALSE));
  for (guint i = 0; i < 2 * AMS_CAPTIONS_MAX_DELAY; i++)
    n_new += add (captions, "ff0422fe4142fe0000fe0000", 4 + i, FALSE);
  g_assert_cmpuint (n_new, ==, 1);
}

typedef struct
{
  const gchar *what, *hex; /* a unit, NAL units behind lengths of four bytes */
} Other;

static const Other others[] = {
  { "active format",
      "0000000f0604"
      "0bb50031445447314100ff0080" },
  { "another kind of user data",
      "0000001206040eb500314741393406"
      "41fffc9420ff80" },
  { "user data that is not registered",
      "0000001206050eb500314741393403"
      "41fffc9420ff80" },
  { "of another provider", "0000001206040eb5002f474139340341fffc9420ff80" },
  { "switched off",
      "0000001206040eb500314741393403"
      "01fffc9420ff80" },
  { "behind the picture",
      "000000036588840000001206040eb500314741393403"
      "41fffc9420ff80" },
  { "longer than its NAL unit",
      "0000001206ffb500314741393403"
      "41fffc9420ff80" },
  { "more triplets than bytes", "0000001106040db50031474139340342fff89420ff" },
  { "empty SEI", "0000000106" },
  { "a length beyond the end", "000000ff0604" },
};

static void
test_others_have_none (void)
{
  const AmsNalConfig config = { .length_size = 4 };

  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autoptr (GBytes) payload = bytes_from_hex (others[i].hex);
    const AmsUnit unit = { .payload = payload };
    g_autoptr (AmsCaptions) captions = ams_captions_new ();

    g_test_message ("%s", others[i].what);
    g_assert_false (ams_captions_add (captions, &config, &unit));
  }
}

/* So it is the difference that hides the captions in the table above. */
static void
test_bytes_of_the_others_are_found (void)
{
  const AmsNalConfig config = { .length_size = 4 };
  g_autoptr (GBytes) payload =
      bytes_from_hex ("0000001206040eb50031474139340341fffc9420ff80");
  const AmsUnit unit = { .payload = payload };
  g_autoptr (AmsCaptions) captions = ams_captions_new ();

  g_assert_true (ams_captions_add (captions, &config, &unit));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++) {
    g_autofree gchar *path = g_strconcat ("/captions/", vectors[i].what, NULL);

    g_test_add_data_func (path, &vectors[i], test_found);
  }
  g_test_add_func ("/captions/new", test_what_is_new_is_said);
  g_test_add_func ("/captions/none", test_others_have_none);
  g_test_add_func ("/captions/there", test_bytes_of_the_others_are_found);
  return g_test_run ();
}
