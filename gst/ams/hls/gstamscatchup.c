/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamscatchup.h"

#include "files/amsfiles.h"

void
gst_ams_handover_init (GstAmsHandover *handover)
{
  GDestroyNotify unref = (GDestroyNotify) gst_mini_object_unref;

  handover->local = g_ptr_array_new_with_free_func (unref);
  handover->remote = g_ptr_array_new_with_free_func (unref);
  handover->warnings = g_ptr_array_new_with_free_func (g_free);
}

void
gst_ams_handover_clear (GstAmsHandover *handover)
{
  g_clear_pointer (&handover->local, g_ptr_array_unref);
  g_clear_pointer (&handover->remote, g_ptr_array_unref);
  g_clear_pointer (&handover->warnings, g_ptr_array_unref);
}

/* ---- files ---- */

static GstEvent *
new_begin (const AmsRecordingSegment *segment, gchar *local_path)
{
  AmsFileBegin begin = {
    .name = segment->name,
    .role = AMS_FILE_ROLE_SEGMENT,
    .local_path = local_path,
    .by_reference = local_path != NULL,
    .renames = TRUE,
  };

  return ams_files_event_new_begin (&begin);
}

static GstEvent *
new_end (const AmsRecordingSegment *segment)
{
  AmsFileEnd end = {
    .size = segment->size,
    .complete = TRUE,
    .sequence = segment->sequence,
    .duration = segment->duration,
    .date_time = segment->date_time,
  };

  return ams_files_event_new_end (&end);
}

void
gst_ams_handover_refer (GstAmsHandover *handover, const GstAmsStores *stores,
    const AmsRecordingSegment *segment)
{
  g_autofree gchar *path = NULL;

  if (!stores->folder || !gst_pad_is_linked (stores->remote) ||
      !ams_file_name_check (segment->name, NULL))
    return;
  path = g_build_filename (stores->folder, segment->name, NULL);
  g_ptr_array_add (handover->remote, new_begin (segment, path));
  g_ptr_array_add (handover->remote, new_end (segment));
}

void
gst_ams_handover_copy (GstAmsHandover *handover,
    const AmsRecordingSegment *segment, GBytes *data)
{
  g_ptr_array_add (handover->local, new_begin (segment, NULL));
  g_ptr_array_add (handover->local, gst_buffer_new_wrapped_bytes (data));
  g_ptr_array_add (handover->local, new_end (segment));
}

/* ---- what is on the disk ---- */

static gsize
common_length (const gchar *a, const gchar *b)
{
  gsize n = 0;

  while (a[n] && a[n] == b[n])
    n++;
  return n;
}

/* An earlier session may have had other names than those that were asked for: the
 * disk is asked for these as well. */
static void
list_others (GPtrArray *listed, const GstAmsStores *stores,
    GstAmsListing *listing)
{
  g_autofree gchar *prefix = NULL;
  g_auto (GstAmsAnswers) about = {
    0,
  };
  guint i;

  for (i = 0; i < listed->len; i++) {
    const AmsRecordingSegment *segment = g_ptr_array_index (listed, i);

    if (listing->prefix && g_str_has_prefix (segment->name, listing->prefix))
      continue;
    if (prefix)
      prefix[common_length (prefix, segment->name)] = '\0';
    else
      prefix = g_strdup (segment->name);
  }
  if (prefix)
    gst_ams_ask_list (stores, FALSE, prefix, listing->files, &about);
}

static GHashTable *
index_whole (GPtrArray *files)
{
  GHashTable *whole = g_hash_table_new (g_str_hash, g_str_equal);
  guint i;

  for (i = 0; i < files->len; i++) {
    AmsRecoveryFile *file = g_ptr_array_index (files, i);

    if (!file->remote && !file->partial)
      g_hash_table_insert (whole, file->name, file);
  }
  return whole;
}

/* Of what @parsed lists from @first on, that which is on the disk, with its size.
 * *@missing: how many are not. */
static GPtrArray *
find_listed (const GstAmsStores *stores, const GstAmsPlaylist *playlist,
    guint first, GstAmsListing *listing, guint *missing)
{
  g_autoptr (GPtrArray) listed = ams_recovery_listed (playlist->parsed,
      playlist->name, playlist->root, first);
  GPtrArray *found = g_ptr_array_new_with_free_func (
      (GDestroyNotify) ams_recording_segment_free);
  g_autoptr (GHashTable) whole = NULL;
  guint i;

  list_others (listed, stores, listing);
  whole = index_whole (listing->files);
  g_ptr_array_set_free_func (listed, NULL);
  for (i = 0; i < listed->len; i++) {
    AmsRecordingSegment *segment = g_ptr_array_index (listed, i);
    const AmsRecoveryFile *file = g_hash_table_lookup (whole, segment->name);

    if (file) {
      segment->size = file->size;
      g_ptr_array_add (found, segment);
    } else {
      ams_recording_segment_free (segment);
    }
  }
  *missing = listed->len - found->len;
  return found;
}

/* The first segment that one of the stores lacks. */
static guint
first_missing (const AmsPlaylistParsed *parsed, const GstAmsAnswers *answers)
{
  guint first = parsed->n_segments, i;

  if (answers->absent || answers->failed)
    return 0;
  for (i = 0; answers->found && i < answers->found->len; i++)
    first = MIN (first,
        ams_recovery_first_missing (parsed,
            g_ptr_array_index (answers->found, i)));
  return first;
}

gboolean
gst_ams_catch_up (GstAmsHandover *handover, const GstAmsStores *stores,
    const GstAmsPlaylist *playlist, const GstAmsAnswers *answers,
    GstAmsListing *listing)
{
  guint first = first_missing (playlist->parsed, answers), missing, i;
  g_autoptr (GPtrArray) found = NULL;

  if (answers->answered == 0 || !stores->folder ||
      first == playlist->parsed->n_segments)
    return FALSE;
  found = find_listed (stores, playlist, first, listing, &missing);
  for (i = 0; i < found->len; i++)
    gst_ams_handover_refer (handover, stores, g_ptr_array_index (found, i));
  if (missing > 0)
    g_ptr_array_add (handover->warnings,
        g_strdup_printf (
            "The store behind the src pad may lack %u of the segments of "
            "“%s”, and they cannot be sent again as they are not in “%s” "
            "either: copy them there from where they are kept.",
            missing, playlist->name, stores->folder));
  return TRUE;
}

void
gst_ams_warn_left_behind (GstAmsHandover *handover, const GstAmsStores *stores,
    const GstAmsPlaylist *playlist, const GstAmsAnswers *answers,
    GstAmsListing *listing)
{
  g_autoptr (GPtrArray) found = NULL;
  guint missing;

  if (!stores->folder || answers->answered == 0)
    return;
  found = find_listed (stores, playlist,
      first_missing (playlist->parsed, answers), listing, &missing);
  if (missing > 0)
    g_ptr_array_add (handover->warnings,
        g_strdup_printf (
            "The store behind the src pad has %u segments of “%s” that are "
            "not in “%s”, where the playlist lists them from now on: copy "
            "them there, or read the recording from that store.",
            missing, playlist->name, stores->folder));
}

/* ---- handing over ---- */

void
gst_ams_handover_push (GPtrArray *objects, GstPad *pad)
{
  guint i;

  for (i = 0; i < objects->len; i++) {
    GstMiniObject *object =
        gst_mini_object_ref (g_ptr_array_index (objects, i));

    if (GST_IS_EVENT (object))
      gst_pad_push_event (pad, GST_EVENT_CAST (object));
    else
      gst_pad_push (pad, GST_BUFFER_CAST (object));
  }
}

void
gst_ams_handover_post_warnings (const GstAmsHandover *handover,
    GstElement *element)
{
  guint i;

  for (i = 0; i < handover->warnings->len; i++)
    GST_ELEMENT_WARNING (element, RESOURCE, READ,
        ("%s", (gchar *) g_ptr_array_index (handover->warnings, i)), (NULL));
}
