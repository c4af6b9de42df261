/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsunfinished.h"

#include "files/amsfiles.h"
#include "playlist/amspaths.h"
#include "recording/amsoverlap.h"

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (gst_ams_hls_sink_debug);
#define GST_CAT_DEFAULT gst_ams_hls_sink_debug

/* Bytes. A segment that is larger is not read back: 60 s at 250 Mb/s. */
#define MAX_SEGMENT_SIZE (G_GUINT64_CONSTANT (2) << 30)

#define TS_PACKET_SIZE 188

/* Bytes. The tables at the beginning of a segment are the same in many; the first packet
 * of media, with its time stamp, is not. */
#define TELLING_SIZE (3 * TS_PACKET_SIZE)

/* A server that keeps what there is of a file whose upload was cut off. */
static gboolean
may_be_whole (GBytes *data)
{
  gsize size = g_bytes_get_size (data);

  return size > 0 && size % TS_PACKET_SIZE == 0;
}

/* (transfer full) (nullable) @size: that it must have, as a file of another size is
 * somebody else's; 0: not known. *@unknown: whether there is one cannot be told. A store
 * that did not tell about the playlist is not waited for; of any other, too much depends
 * on the answer to go without it. */
static GBytes *
read_remote (const GstAmsStores *stores, const GstAmsFound *found,
    const gchar *name, guint64 size, gboolean *unknown)
{
  g_auto (GstAmsAnswers) answers = {
    0,
  };

  if (found->remote.failed)
    gst_ams_ask_file_soon (stores->remote, name, MAX_SEGMENT_SIZE, &answers);
  else
    gst_ams_ask_file (stores->remote, name, FALSE, MAX_SEGMENT_SIZE, &answers);
  *unknown = answers.failed != NULL;
  for (guint i = 0; i < answers.found->len; i++) {
    GBytes *data = g_ptr_array_index (answers.found, i);

    if (size > 0 ? g_bytes_get_size (data) == size : may_be_whole (data))
      return g_bytes_ref (data);
  }
  return NULL;
}

static gboolean
begins_with (GBytes *data, GBytes *beginning)
{
  gsize size, length;
  const guint8 *whole = g_bytes_get_data (data, &size);
  const guint8 *part = g_bytes_get_data (beginning, &length);

  return length <= size && memcmp (whole, part, length) == 0;
}

/* ---- not listed ---- */

static void
keep (GstAmsFound *found, const gchar *name, GBytes *data)
{
  g_hash_table_insert (found->read, g_strdup (name), g_bytes_ref (data));
}

/* A spool noted it when it began: it is this recording's, whoever has its name in the
 * store. Of anything else the bytes have to tell. */
static gboolean
is_noted (const AmsRecoveryFile *file)
{
  return file->date_time != 0;
}

/* All that the segment had is in the disk's part. Whether the store has it as well is not
 * known: it is handed over. */
static void
take_part (GstAmsFound *found, AmsRecoveryFile *file, GBytes *part)
{
  g_autoptr (GBytes) whole = g_bytes_new_from_bytes (part, 0, file->size);

  file->is_part = TRUE;
  file->remote = FALSE;
  keep (found, file->name, whole);
}

/* FALSE: @there, which the remote store has, is another file than the one that @part is a
 * part of, or there is nothing that tells. */
static gboolean
take_remote (GstAmsFound *found, AmsRecoveryFile *file, GBytes *part,
    GBytes *there)
{
  gsize size = g_bytes_get_size (part);
  gboolean has_all = begins_with (part, there);

  if (!has_all && !begins_with (there, part))
    return FALSE;
  if (size < TELLING_SIZE && !file->remote &&
      !ams_recovery_is_noted (file, found->journal))
    return FALSE;
  file->part_size = size < TELLING_SIZE ? 0 : size;
  file->is_part = has_all;
  file->partial = FALSE;
  file->remote = TRUE;
  file->size = g_bytes_get_size (there);
  keep (found, file->name, there);
  return TRUE;
}

/* @unknown: whether the store has all of it. What was handed over to it is in its list,
 * or in that of its spool, if there is one. */
static void
leave_part (const GstAmsFound *found, AmsRecoveryFile *file, GBytes *part,
    gboolean unknown)
{
  file->is_doubtful = unknown && (file->remote || found->unlisted);
  file->partial = TRUE;
  file->remote = FALSE;
  file->size = g_bytes_get_size (part);
}

static void
decide (const GstAmsStores *stores, GstAmsFound *found, AmsRecoveryFile *file)
{
  g_autoptr (GBytes) part =
      gst_ams_ask_one (stores->local, file->name, TRUE, MAX_SEGMENT_SIZE);
  g_autoptr (GBytes) there = NULL;
  guint64 size = file->remote ? file->size : 0;
  gboolean unknown = FALSE;

  if (!part)
    return;
  if (size > 0 && is_noted (file) && g_bytes_get_size (part) >= size) {
    take_part (found, file, part);
  } else {
    there = read_remote (stores, found, file->name, size, &unknown);
    if (!there || !take_remote (found, file, part, there))
      leave_part (found, file, part, unknown);
  }
  GST_DEBUG ("the disk has %" G_GSIZE_FORMAT " of %" G_GUINT64_FORMAT
             " bytes of \"%s\": %s",
      g_bytes_get_size (part), file->size, file->name,
      file->is_part           ? "they are all"
          : file->is_doubtful ? "the remote store may have the rest"
          : file->partial     ? "the remote store does not have the rest"
                              : "the remote store has the rest");
}

void
gst_ams_unfinished_decide (const GstAmsStores *stores, GstAmsFound *found)
{
  const GPtrArray *orphans = found->survey->orphans;

  for (guint i = 0; i < orphans->len; i++) {
    AmsRecoveryFile *file = g_ptr_array_index (orphans, i);

    if (file->partial ? !file->remote : file->part_size > 0)
      decide (stores, found, file);
  }
}

/* (transfer full) (nullable): its name is too long to be hidden as it is. */
static gchar *
name_part (const gchar *name)
{
  g_autofree gchar *base = g_path_get_basename (name);
  g_autofree gchar *plain = g_strdup_printf (".%s.part", base);
  g_autofree gchar *hidden = ams_paths_hidden (name, ".part");

  return g_str_has_suffix (hidden, plain) ? g_steal_pointer (&hidden) : NULL;
}

gchar *
gst_ams_unfinished_rename (AmsRecording *recording, const GstAmsStores *stores,
    const AmsRecoveryFile *file, AmsRecordingSegment *segment,
    GstAmsHandover *handover)
{
  g_autofree gchar *part = file->is_doubtful ? name_part (file->name) : NULL;
  AmsRecordingSegment named = *segment;

  named.name = NULL;
  if (!part || !stores->folder ||
      !ams_recording_name_recovered (recording, &named))
    return NULL;
  GST_WARNING ("\"%s\", of which the disk has %" G_GUINT64_FORMAT
               " bytes and the remote store may have more, becomes \"%s\"",
      file->name, segment->size, named.name);
  g_ptr_array_add (handover->warnings,
      g_strdup_printf (
          "The store behind the src pad may have all of “%s”, of which a crash "
          "has left a part in “%s”, and does not answer: that part is listed "
          "as “%s”. If “%s” is there, it is the same recording, and longer.",
          file->name, stores->folder, named.name, file->name));
  g_free (segment->name);
  *segment = named;
  return g_steal_pointer (&part);
}

/* ---- parts that overlap ---- */

static gboolean
is_part (const AmsRecoveryFile *file)
{
  return file->partial && !file->remote;
}

static void
drop_part (GPtrArray *orphans, guint i, GstAmsHandover *handover)
{
  const AmsRecoveryFile *file = g_ptr_array_index (orphans, i);
  g_autofree gchar *part = name_part (file->name);

  GST_INFO ("what there is of \"%s\" is in the segment before it", file->name);
  if (part)
    g_ptr_array_add (handover->local, ams_files_event_new_remove (part, 0));
  g_ptr_array_remove_index (orphans, i);
}

/* All of @data, a part, is in @before: or what it has beyond that cannot be listed. */
static gboolean
is_inside (GBytes *before, GBytes *data, gboolean earlier_is_part)
{
  guint64 own;

  switch (ams_overlap_find (before, data, &own)) {
    case AMS_OVERLAP_INSIDE:
      return TRUE;
    case AMS_OVERLAP_END:
      return !ams_overlap_has_media (data) ||
          (!earlier_is_part &&
              g_bytes_get_size (before) - own == g_bytes_get_size (data));
    default:
      return FALSE;
  }
}

/* @earlier, a part, ends where @data, the next segment, begins, if that can be told. */
static void
find_end (AmsRecoveryFile *earlier, GBytes *before, GBytes *data)
{
  guint64 own;

  if (ams_overlap_find (before, data, &own) == AMS_OVERLAP_END)
    earlier->whole = own;
  else if (ams_overlap_is_followed (before, data))
    earlier->whole = g_bytes_get_size (before);
  if (earlier->whole > 0)
    GST_INFO ("\"%s\" has %" G_GUINT64_FORMAT " of %" G_GSIZE_FORMAT
              " bytes, and is whole: the next segment goes on from there",
        earlier->name, earlier->whole, g_bytes_get_size (before));
}

/* (transfer full) (nullable): a part, or a whole file. */
static GBytes *
read_local (const GstAmsStores *stores, const gchar *name, gboolean partial)
{
  return gst_ams_ask_one (stores->local, name, partial, MAX_SEGMENT_SIZE);
}

static gboolean
has_part (const GPtrArray *orphans)
{
  for (guint i = 0; i < orphans->len; i++) {
    if (is_part (g_ptr_array_index (orphans, i)))
      return TRUE;
  }
  return FALSE;
}

void
gst_ams_unfinished_part (const GstAmsStores *stores, GPtrArray *orphans,
    const gchar *listed, GstAmsHandover *handover)
{
  AmsRecoveryFile *earlier = NULL;
  g_autoptr (GBytes) before = NULL;
  guint i = 0;

  if (!has_part (orphans))
    return;
  before = listed ? read_local (stores, listed, FALSE) : NULL;
  while (i < orphans->len) {
    AmsRecoveryFile *file = g_ptr_array_index (orphans, i);
    g_autoptr (GBytes) data =
        file->remote ? NULL : read_local (stores, file->name, file->partial);
    gboolean parted = earlier && is_part (earlier);

    if (before && data && is_part (file) && is_inside (before, data, parted)) {
      drop_part (orphans, i, handover);
      continue;
    }
    if (before && data && parted)
      find_end (earlier, before, data);
    g_clear_pointer (&before, g_bytes_unref);
    before = g_steal_pointer (&data);
    earlier = file;
    i++;
  }
}

/* ---- listed ---- */

/* How many bytes of @part are worth keeping, where nothing says how many the segment
 * had: a recorder writes whole packets, and one that was cut ends within one. */
static guint64
measure_part (const AmsRecoveryFile *file, GBytes *part)
{
  gboolean cut = g_bytes_get_size (part) % TS_PACKET_SIZE != 0;
  AmsRecoveryFile left = { file->name, g_bytes_get_size (part), cut };
  AmsRecordingSegment segment = {
    NULL,
  };
  guint64 end_pts = G_MAXUINT64, usable = 0;

  if (!ams_recovery_measure (&left, part, NULL, &end_pts, &segment, &usable))
    usable = 0;
  g_free (segment.name);
  return usable;
}

/* Where the bytes of a listed segment are. */
typedef struct
{
  GBytes *part; /* what the disk has */
  GBytes
      *whole; /* (nullable) what the remote store has, if the part is not it */
  guint64 size; /* of the segment on the disk; 0: there is nothing */
} Source;

static void
source_clear (Source *source)
{
  g_clear_pointer (&source->part, g_bytes_unref);
  g_clear_pointer (&source->whole, g_bytes_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Source, source_clear)

/* FALSE: nothing is whole, or the store has another file. */
static gboolean
find_source (const GstAmsStores *stores, const GstAmsFound *found,
    const AmsRecoveryFile *file, Source *source)
{
  guint64 size = file->remote ? file->size : 0;
  gboolean unknown;

  source->part =
      gst_ams_ask_one (stores->local, file->name, TRUE, MAX_SEGMENT_SIZE);
  if (!source->part)
    return FALSE;
  source->size = size;
  if (size > 0 && is_noted (file) && g_bytes_get_size (source->part) >= size)
    return TRUE;
  source->whole = read_remote (stores, found, file->name, size, &unknown);
  source->size = source->whole ? g_bytes_get_size (source->whole)
                               : measure_part (file, source->part);
  if (!source->whole)
    return source->size > 0;
  if (!begins_with (source->part, source->whole))
    return begins_with (source->whole, source->part);
  g_clear_pointer (&source->whole, g_bytes_unref);
  return TRUE;
}

/* What the stores were found to have becomes what the disk has from now on. */
static void
mark_whole (GPtrArray *files, const gchar *name, guint64 size)
{
  for (guint i = 0; i < files->len; i++) {
    AmsRecoveryFile *file = g_ptr_array_index (files, i);

    if (!file->partial || file->remote || !g_str_equal (file->name, name))
      continue;
    file->partial = FALSE;
    file->size = size;
  }
}

static void
restore (AmsRecording *recording, const GstAmsStores *stores,
    const GstAmsFound *found, const AmsRecoveryFile *file,
    GstAmsHandover *handover)
{
  g_autoptr (GPtrArray) listed = ams_recovery_listed (found->earlier,
      ams_recording_get_playlist_name (recording),
      ams_recording_get_config (recording)->playlist_root, file->line);
  AmsRecordingSegment *segment = g_ptr_array_index (listed, 0);
  g_auto (Source) source = {
    NULL,
  };

  if (!find_source (stores, found, file, &source)) {
    GST_WARNING (
        "\"%s\", which is listed, stays a part on the disk: nothing of "
        "it is whole, or the store has other media",
        file->name);
    return;
  }
  GST_INFO (
      "\"%s\", which is listed, and of which the disk had %" G_GSIZE_FORMAT
      " bytes without its name, gets %" G_GUINT64_FORMAT " from %s",
      file->name, g_bytes_get_size (source.part), source.size,
      source.whole ? "the remote store" : "there");
  segment->size = source.size;
  if (source.whole)
    gst_ams_handover_copy (handover, segment, source.whole);
  else
    g_ptr_array_add (handover->local,
        ams_files_event_new_adopt (file->name, NULL, source.size));
  mark_whole (found->files, file->name, source.size);
}

void
gst_ams_unfinished_restore (AmsRecording *recording, const GstAmsStores *stores,
    const GstAmsFound *found, GstAmsHandover *handover)
{
  const GPtrArray *unfinished = found->survey->unfinished;

  if (!stores->folder)
    return;
  for (guint i = 0; i < unfinished->len; i++)
    restore (recording, stores, found, g_ptr_array_index (unfinished, i),
        handover);
}
