/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsfakepackager.h"

#include <string.h>

#include "media/amsmediaerror.h"
#include "media/amstime.h"

#define MAGIC 0x616d7366

struct _AmsFakePackager
{
  GObject parent;

  guint32 counter;
  gboolean open;
  gboolean marked; /* and no tracks were set since */
  guint32 tables; /* those of the open segment */
  gint64 last_dts[AMS_TRACK_MAX_ID + 1];
  guint32 tracks;
  guint8 forms[AMS_TRACK_MAX_ID + 1];
  guint32 videos; /* a bit for each track that is one */
  GArray *waiting; /* AmsFakeRecord, of sound */
};

static void ams_fake_packager_init_interface (AmsPackagerInterface *iface);

G_DEFINE_TYPE_WITH_CODE (AmsFakePackager, ams_fake_packager, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (AMS_TYPE_PACKAGER, ams_fake_packager_init_interface))

static void
write_record (AmsFakePackager *self, const AmsFakeRecord *record,
    AmsBlocks *out)
{
  AmsFakeRecord written = *record;

  written.magic = MAGIC;
  written.counter = self->counter++;
  memcpy (ams_blocks_add (out, sizeof written), &written, sizeof written);
}

static void
fake_flush (AmsPackager *packager, AmsBlocks *out)
{
  AmsFakePackager *self = AMS_FAKE_PACKAGER (packager);

  for (guint i = 0; i < self->waiting->len; i++)
    write_record (self, &g_array_index (self->waiting, AmsFakeRecord, i), out);
  g_array_set_size (self->waiting, 0);
}

static gboolean
fake_check_track (AmsPackager *packager, const AmsTrack *track, GError **error)
{
  if (track->codec != AMS_FAKE_REFUSED_CODEC)
    return TRUE;
  g_set_error (error, AMS_MEDIA_ERROR, AMS_MEDIA_ERROR_UNSUPPORTED,
      "%s cannot be faked", ams_codec_get_name (track->codec));
  return FALSE;
}

static gboolean
fake_set_tracks (AmsPackager *packager, GPtrArray *tracks, GError **error)
{
  AmsFakePackager *self = AMS_FAKE_PACKAGER (packager);

  g_assert_cmpuint (self->waiting->len, ==, 0);
  g_assert_cmpuint (tracks->len, >, 0);
  for (guint i = 0; i < tracks->len; i++)
    if (!fake_check_track (packager, g_ptr_array_index (tracks, i), error))
      return FALSE;
  self->marked = FALSE;
  self->tracks = self->videos = 0;
  for (guint i = 0; i < tracks->len; i++) {
    const AmsTrack *track = g_ptr_array_index (tracks, i);

    g_assert_cmpuint (track->id, <=, AMS_TRACK_MAX_ID);
    g_assert_cmpuint (self->tracks & 1u << track->id, ==, 0);
    self->tracks |= 1u << track->id;
    if (ams_codec_get_kind (track->codec) == AMS_TRACK_VIDEO)
      self->videos |= 1u << track->id;
    self->forms[track->id] = track->config
        ? *(const guint8 *) g_bytes_get_data (track->config, NULL)
        : 0;
  }
  return TRUE;
}

static void
write_tables (AmsFakePackager *self, gboolean discontinuity, AmsBlocks *out)
{
  AmsFakeRecord record = { 0 };

  record.tracks = self->tables;
  record.discontinuity = discontinuity;
  write_record (self, &record, out);
}

static void
fake_begin_segment (AmsPackager *packager, gboolean discontinuity,
    AmsBlocks *out)
{
  AmsFakePackager *self = AMS_FAKE_PACKAGER (packager);

  g_assert_cmpuint (self->waiting->len, ==, 0);
  g_assert_cmpuint (ams_blocks_get_size (out), ==, 0);
  self->open = TRUE;
  self->marked = FALSE;
  self->tables = self->tracks;
  write_tables (self, discontinuity, out);
}

static gboolean
is_damaged (const AmsUnit *unit)
{
  const guint8 *data = g_bytes_get_data (unit->payload, NULL);

  return data[sizeof (guint32)] != 0;
}

static AmsFakeRecord
make_record (AmsFakePackager *self, const AmsUnit *unit)
{
  AmsFakeRecord record = { 0 };

  record.track = unit->track;
  record.flags = unit->flags;
  memcpy (&record.id, g_bytes_get_data (unit->payload, NULL), sizeof record.id);
  record.form = self->forms[unit->track];
  record.pts = unit->pts;
  record.dts = unit->dts;
  return record;
}

static void
check_times (AmsFakePackager *self, const AmsUnit *unit)
{
  g_assert_cmpint (unit->dts, >, self->last_dts[unit->track]);
  g_assert_cmpint (unit->pts, >=, unit->dts);
  g_assert_cmpint (unit->duration, >, 0);
  self->last_dts[unit->track] = unit->dts;
}

static void
write_late (AmsFakePackager *self, const AmsFakeRecord *record, AmsBlocks *out)
{
  const AmsFakeRecord *first;

  g_array_append_val (self->waiting, *record);
  first = &g_array_index (self->waiting, AmsFakeRecord, 0);
  if (record->dts - first->dts >= AMS_PACKAGER_MAX_DELAY)
    fake_flush (AMS_PACKAGER (self), out);
}

static gboolean
fake_add (AmsPackager *packager, const AmsUnit *unit, AmsBlocks *out,
    GError **error)
{
  AmsFakePackager *self = AMS_FAKE_PACKAGER (packager);
  AmsFakeRecord record;

  g_assert_true (self->open);
  g_assert_cmpuint (unit->track, <=, AMS_TRACK_MAX_ID);
  g_assert_cmpuint (self->tables & 1u << unit->track, !=, 0);
  if (is_damaged (unit)) {
    g_set_error_literal (error, AMS_MEDIA_ERROR, AMS_MEDIA_ERROR_UNIT,
        "it says so");
    return FALSE;
  }
  check_times (self, unit);
  record = make_record (self, unit);
  if (self->videos & 1u << unit->track)
    write_record (self, &record, out);
  else
    write_late (self, &record, out);
  return TRUE;
}

static void
fake_mark (AmsPackager *packager, AmsBlocks *out)
{
  AmsFakePackager *self = AMS_FAKE_PACKAGER (packager);

  g_assert_true (self->open);
  g_assert_cmpuint (self->waiting->len, ==, 0);
  self->marked = TRUE;
  write_tables (self, FALSE, out);
}

static void
fake_begin_at_mark (AmsPackager *packager)
{
  AmsFakePackager *self = AMS_FAKE_PACKAGER (packager);

  g_assert_true (self->marked);
  self->marked = FALSE;
}

static const GArray *
fake_get_key_pictures (AmsPackager *packager)
{
  return NULL;
}

static void
ams_fake_packager_init_interface (AmsPackagerInterface *iface)
{
  iface->check_track = fake_check_track;
  iface->set_tracks = fake_set_tracks;
  iface->begin_segment = fake_begin_segment;
  iface->add = fake_add;
  iface->flush = fake_flush;
  iface->mark = fake_mark;
  iface->begin_at_mark = fake_begin_at_mark;
  iface->get_key_pictures = fake_get_key_pictures;
}

static void
ams_fake_packager_finalize (GObject *object)
{
  g_array_unref (AMS_FAKE_PACKAGER (object)->waiting);
  G_OBJECT_CLASS (ams_fake_packager_parent_class)->finalize (object);
}

static void
ams_fake_packager_class_init (AmsFakePackagerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ams_fake_packager_finalize;
}

static void
ams_fake_packager_init (AmsFakePackager *self)
{
  self->waiting = g_array_new (FALSE, FALSE, sizeof (AmsFakeRecord));
  for (guint i = 0; i <= AMS_TRACK_MAX_ID; i++)
    self->last_dts[i] = AMS_TIME_NONE;
}

AmsPackager *
ams_fake_packager_new (void)
{
  return g_object_new (AMS_TYPE_FAKE_PACKAGER, NULL);
}

/* ---- for whoever feeds it and reads its files ---- */

GBytes *
ams_fake_payload_new (guint32 id, gboolean damaged, gsize size)
{
  guint8 *data = g_malloc0 (MAX (size, sizeof id + 1));

  memcpy (data, &id, sizeof id);
  data[sizeof id] = damaged;
  return g_bytes_new_take (data, MAX (size, sizeof id + 1));
}

const AmsFakeRecord *
ams_fake_read (const guint8 *data, gsize size, guint *n)
{
  const AmsFakeRecord *records = (gconstpointer) data;

  g_assert_cmpuint (size % sizeof *records, ==, 0);
  *n = size / sizeof *records;
  for (guint i = 0; i < *n; i++)
    g_assert_cmpuint (records[i].magic, ==, MAGIC);
  return records;
}
