/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* hls-common.h's readers: files, playlists, transport streams. */

#include "config.h"

#include "hls-common.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define PACKET 188
#define NS_TO_90K(ns) ((gint64) gst_util_uint64_scale_round (ns, 9, 100000))

/* ---- files ---- */

void
hls_remove_folder (const gchar *dir)
{
  g_autoptr (GDir) entries = g_dir_open (dir, 0, NULL);
  const gchar *name;

  while (entries && (name = g_dir_read_name (entries))) {
    g_autofree gchar *path = g_build_filename (dir, name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR) &&
        !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
      hls_remove_folder (path);
    else
      g_unlink (path);
  }
  g_rmdir (dir);
}

gchar *
hls_read (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  gchar *text;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

gchar *
hls_wait_text (const gchar *path, const gchar *word)
{
  g_autofree gchar *dir = g_path_get_dirname (path);
  gint fd = inotify_init1 (0);
  gchar events[4096];
  gchar *text = NULL;

  g_assert_cmpint (
      inotify_add_watch (fd, dir, IN_MOVED_TO | IN_CLOSE_WRITE | IN_MODIFY), >=,
      0);
  while (
      !g_file_get_contents (path, &text, NULL, NULL) || !strstr (text, word)) {
    g_clear_pointer (&text, g_free);
    g_assert_cmpint (read (fd, events, sizeof events), >, 0);
  }
  close (fd);
  return text;
}

void
hls_write (const gchar *path, const gchar *text)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644,
      &error);
  g_assert_no_error (error);
}

static gchar *
hash_file (const gchar *path)
{
  g_autofree gchar *bytes = NULL;
  gsize size;

  if (!g_file_get_contents (path, &bytes, &size, NULL))
    return NULL;
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) bytes,
      size);
}

static void
add_to_snapshot (GHashTable *snapshot, const gchar *dir, const gchar *below)
{
  g_autoptr (GDir) entries = g_dir_open (dir, 0, NULL);
  const gchar *name;

  while (entries && (name = g_dir_read_name (entries))) {
    g_autofree gchar *path = g_build_filename (dir, name, NULL);
    g_autofree gchar *whole = g_build_filename (below, name, NULL);
    g_autofree gchar *hash = NULL;

    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      add_to_snapshot (snapshot, path, whole);
    else if ((hash = hash_file (path)))
      g_hash_table_insert (snapshot, g_steal_pointer (&whole),
          g_steal_pointer (&hash));
  }
}

GHashTable *
hls_snapshot (const gchar *dir)
{
  GHashTable *snapshot =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  add_to_snapshot (snapshot, dir, "");
  return snapshot;
}

void
hls_assert_kept (const gchar *dir, GHashTable *snapshot, const gchar *except)
{
  GHashTableIter iter;
  gpointer name, hash;

  g_hash_table_iter_init (&iter, snapshot);
  while (g_hash_table_iter_next (&iter, &name, &hash)) {
    g_autofree gchar *path = g_build_filename (dir, name, NULL);
    g_autofree gchar *now = hash_file (path);

    if (g_strcmp0 (name, except) != 0 && g_strcmp0 (now, hash) != 0)
      g_error ("\"%s\" %s", (gchar *) name, now ? "has changed" : "is gone");
  }
}

void
hls_assert_nothing_hidden (const gchar *dir)
{
  hls_assert_nothing_hidden_but (dir, NULL);
}

void
hls_assert_nothing_hidden_but (const gchar *dir, const gchar *suffix)
{
  g_autoptr (GHashTable) snapshot = hls_snapshot (dir);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, snapshot);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    g_autofree gchar *base = g_path_get_basename (name);

    if (base[0] == '.' && !(suffix && g_str_has_suffix (base, suffix)))
      g_error ("\"%s\" was left", (gchar *) name);
  }
}

guint
hls_count_files (const gchar *dir, const gchar *suffix)
{
  g_autoptr (GHashTable) snapshot = hls_snapshot (dir);
  GHashTableIter iter;
  gpointer name;
  guint n = 0;

  g_hash_table_iter_init (&iter, snapshot);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    n += g_str_has_suffix (name, suffix);
  return n;
}

/* ---- playlists ---- */

static void
segment_free (HlsSegment *segment)
{
  g_free (segment->uri);
  g_free (segment->date);
  g_free (segment);
}

void
hls_playlist_free (HlsPlaylist *playlist)
{
  g_ptr_array_unref (playlist->segments);
  g_free (playlist->text);
  g_free (playlist->type);
  g_free (playlist);
}

static const gchar *
value_of (const gchar *line, const gchar *tag)
{
  gsize len = strlen (tag);

  return strncmp (line, tag, len) == 0 && line[len] == ':' ? line + len + 1
                                                           : NULL;
}

static guint64
to_number (const gchar *text)
{
  g_autoptr (GError) error = NULL;
  guint64 number;

  g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &number, &error);
  g_assert_no_error (error);
  return number;
}

/* "6.040000," : digits, a dot, no more digits than a double could bear */
static GstClockTime
to_duration (const gchar *text)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", 2);
  g_auto (GStrv) digits = g_strsplit (parts[0], ".", 2);
  guint64 fraction = 0, unit = GST_SECOND;

  g_assert_nonnull (parts[1]);
  g_assert_nonnull (digits[1]);
  g_assert_cmpuint (strlen (digits[1]), <=, 6);
  for (const gchar *p = digits[1]; *p; p++) {
    g_assert_true (g_ascii_isdigit (*p));
    unit /= 10;
    fraction += (*p - '0') * unit;
  }
  return to_number (digits[0]) * GST_SECOND + fraction;
}

static void
take_date (HlsSegment *segment, const gchar *text)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (text, NULL);

  /* Rule 6: milliseconds and a zone, of its own. */
  g_assert_nonnull (date);
  g_assert_true (g_str_has_suffix (text, "Z"));
  g_assert_nonnull (strchr (text, '.'));
  segment->date = g_strdup (text);
  segment->date_us = g_date_time_to_unix (date) * G_USEC_PER_SEC +
      g_date_time_get_microsecond (date);
}

static gboolean
take_header_line (HlsPlaylist *playlist, const gchar *line)
{
  const gchar *value;

  if ((value = value_of (line, "#EXT-X-VERSION")))
    playlist->version = to_number (value);
  else if ((value = value_of (line, "#EXT-X-TARGETDURATION")))
    playlist->target = to_number (value);
  else if ((value = value_of (line, "#EXT-X-MEDIA-SEQUENCE")))
    playlist->sequence = to_number (value);
  else if ((value = value_of (line, "#EXT-X-DISCONTINUITY-SEQUENCE")))
    playlist->discontinuity_sequence = to_number (value);
  else if ((value = value_of (line, "#EXT-X-PLAYLIST-TYPE")))
    playlist->type = g_strdup (value);
  else if (g_str_equal (line, "#EXT-X-INDEPENDENT-SEGMENTS"))
    playlist->independent = TRUE;
  else
    return FALSE;
  /* Rule 9. */
  g_assert_cmpuint (playlist->segments->len, ==, 0);
  return TRUE;
}

/* What fills a page of a playlist that grows in place. */
static gboolean
is_filler (const gchar *line)
{
  return line[0] == '\0' ||
      (line[0] == '#' && strspn (line + 1, " ") == strlen (line + 1));
}

/* TRUE: @segment is whole. */
static gboolean
take_segment_line (HlsSegment *segment, const gchar *line)
{
  const gchar *value;

  if ((value = value_of (line, "#EXTINF")))
    segment->duration = to_duration (value);
  else if ((value = value_of (line, "#EXT-X-PROGRAM-DATE-TIME")))
    take_date (segment, value);
  else if (g_str_equal (line, "#EXT-X-DISCONTINUITY"))
    segment->discontinuity = TRUE;
  else if (g_str_equal (line, "#EXT-X-GAP"))
    segment->gap = TRUE;
  else if (is_filler (line))
    return FALSE;
  else if (line[0] == '#')
    g_error ("\"%s\" is not expected", line);
  else
    segment->uri = g_strdup (line);
  return segment->uri != NULL;
}

static void
check_rules (const HlsPlaylist *playlist)
{
  g_assert_cmpuint (playlist->version, ==, 3);
  g_assert_cmpuint (playlist->target, >, 0);
  for (guint i = 0; i < playlist->segments->len; i++) {
    const HlsSegment *segment = hls_segment (playlist, i);

    g_assert_cmpuint (segment->duration, >, 0);
    g_assert_cmpuint ((segment->duration + GST_SECOND / 2) / GST_SECOND, <=,
        playlist->target);
  }
}

HlsPlaylist *
hls_playlist_parse (const gchar *text)
{
  HlsPlaylist *playlist = g_new0 (HlsPlaylist, 1);
  HlsSegment *segment = g_new0 (HlsSegment, 1);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n = g_strv_length (lines);

  playlist->text = g_strdup (text);
  playlist->segments =
      g_ptr_array_new_with_free_func ((GDestroyNotify) segment_free);
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_cmpuint (n, >=, 2);
  g_assert_cmpstr (lines[0], ==, "#EXTM3U");
  g_assert_cmpstr (lines[n - 1], ==, ""); /* every line is ended */
  for (guint i = 1; i < n - 1; i++) {
    g_assert_false (playlist->ended);
    if (g_str_equal (lines[i], "#EXT-X-ENDLIST")) {
      playlist->ended = TRUE;
    } else if (!take_header_line (playlist, lines[i]) &&
        take_segment_line (segment, lines[i])) {
      playlist->total += segment->duration;
      g_ptr_array_add (playlist->segments, segment);
      segment = g_new0 (HlsSegment, 1);
    }
  }
  g_assert_cmpuint (segment->duration, ==, 0); /* an EXTINF and no URI */
  segment_free (segment);
  check_rules (playlist);
  return playlist;
}

HlsPlaylist *
hls_playlist_read (const gchar *path)
{
  g_autofree gchar *text = hls_read (path);

  return hls_playlist_parse (text);
}

const HlsSegment *
hls_segment (const HlsPlaylist *playlist, guint i)
{
  g_assert_cmpuint (i, <, playlist->segments->len);
  return playlist->segments->pdata[i];
}

void
hls_assert_continues (const gchar *earlier, const gchar *later)
{
  static const gchar end[] = "#EXT-X-ENDLIST\n";
  gsize len = strlen (earlier);

  if (g_str_has_suffix (earlier, end))
    len -= strlen (end);
  if (strncmp (earlier, later, len) != 0)
    g_error ("this:\n%s\ndoes not go on from this:\n%s", later, earlier);
}

void
hls_assert_listed_whole (const gchar *dir, const HlsPlaylist *playlist,
    GHashTable *sizes)
{
  for (guint i = 0; i < playlist->segments->len; i++) {
    const HlsSegment *segment = hls_segment (playlist, i);
    g_autofree gchar *path = g_build_filename (dir, segment->uri, NULL);
    gpointer known;
    GStatBuf info;

    if (segment->gap)
      continue;
    if (g_stat (path, &info) < 0)
      g_error ("\"%s\" is listed, and not there", segment->uri);
    g_assert_cmpint (info.st_size, >, 0);
    known = g_hash_table_lookup (sizes, segment->uri);
    if (known)
      g_assert_cmpint (info.st_size, ==, GPOINTER_TO_SIZE (known));
    else
      g_hash_table_insert (sizes, g_strdup (segment->uri),
          GSIZE_TO_POINTER (info.st_size));
  }
}

/* ---- transport streams ---- */

void
hls_ts_free (HlsTs *ts)
{
  g_array_unref (ts->packets);
  g_free (ts->bytes);
  g_free (ts);
}

static const guint8 *
payload_of (const HlsPacket *packet)
{
  const guint8 *d = packet->data;
  guint start = d[3] & 0x20 ? 5 + d[4] : 4;

  return packet->has_payload && start < PACKET ? d + start : NULL;
}

static gint64
read_pts (const guint8 *pes)
{
  if (!pes || pes[0] != 0 || pes[1] != 0 || pes[2] != 1 || !(pes[7] & 0x80))
    return -1;
  return (gint64) (pes[9] & 0x0e) << 29 | pes[10] << 22 |
      (pes[11] & 0xfe) << 14 | pes[12] << 7 | pes[13] >> 1;
}

static void
read_packet (const guint8 *data, HlsPacket *packet)
{
  g_assert_cmpuint (data[0], ==, 0x47);
  *packet = (HlsPacket){ .data = data, .pts = -1 };
  packet->pid = (data[1] & 0x1f) << 8 | data[2];
  packet->cc = data[3] & 0x0f;
  packet->unit_start = (data[1] & 0x40) != 0;
  packet->has_payload = (data[3] & 0x10) != 0;
  packet->random_access = (data[3] & 0x20) && data[4] > 0 && (data[5] & 0x40);
  if (packet->unit_start &&
      (packet->pid == HLS_PID_VIDEO || packet->pid == HLS_PID_AUDIO))
    packet->pts = read_pts (payload_of (packet));
}

/* One PES packet carries several frames, each of which has an ADTS header. */
static guint
count_adts_frames (const guint8 *frames, gsize size)
{
  guint n = 0;
  gsize at = 0;

  while (
      at + 7 <= size && frames[at] == 0xff && (frames[at + 1] & 0xf0) == 0xf0) {
    at += (frames[at + 3] & 0x03) << 11 | frames[at + 4] << 3 |
        frames[at + 5] >> 5;
    n++;
  }
  return n;
}

static void
end_audio_unit (HlsTs *ts, GByteArray *unit)
{
  if (unit->len > 9 && unit->data[0] == 0 && unit->data[2] == 1)
    ts->audio_frames += count_adts_frames (unit->data + 9 + unit->data[8],
        unit->len - 9 - unit->data[8]);
  g_byte_array_set_size (unit, 0);
}

static void
count_audio_frames (HlsTs *ts)
{
  g_autoptr (GByteArray) unit = g_byte_array_new ();

  for (guint i = 0; i < ts->packets->len; i++) {
    const HlsPacket *packet = &g_array_index (ts->packets, HlsPacket, i);
    const guint8 *payload = payload_of (packet);

    if (packet->pid != HLS_PID_AUDIO || !payload)
      continue;
    if (packet->unit_start)
      end_audio_unit (ts, unit);
    g_byte_array_append (unit, payload, packet->data + PACKET - payload);
  }
  end_audio_unit (ts, unit);
}

HlsTs *
hls_ts_read (const gchar *path)
{
  HlsTs *ts = g_new0 (HlsTs, 1);
  gsize size;

  g_assert_true (g_file_get_contents (path, &ts->bytes, &size, NULL));
  g_assert_cmpuint (size, >=, PACKET);
  g_assert_cmpuint (size % PACKET, ==, 0);
  ts->packets = g_array_new (FALSE, FALSE, sizeof (HlsPacket));
  ts->first_video = ts->first_audio = -1;
  for (gsize at = 0; at < size; at += PACKET) {
    HlsPacket packet;

    read_packet ((const guint8 *) ts->bytes + at, &packet);
    g_array_append_val (ts->packets, packet);
    if (packet.pts < 0)
      continue;
    if (packet.pid == HLS_PID_VIDEO && ts->video_frames++ == 0)
      ts->first_video = packet.pts;
    if (packet.pid == HLS_PID_AUDIO && ts->first_audio < 0)
      ts->first_audio = packet.pts;
  }
  count_audio_frames (ts);
  return ts;
}

static const HlsPacket *
packet_at (const HlsTs *ts, guint i)
{
  g_assert_cmpuint (i, <, ts->packets->len);
  return &g_array_index (ts->packets, HlsPacket, i);
}

/* The NAL types of the first access unit, as far as one PES packet has them. */
static void
assert_starts_with_idr (const HlsTs *ts)
{
  g_autoptr (GByteArray) unit = g_byte_array_new ();
  guint seen = 0;

  for (guint i = 0; i < ts->packets->len; i++) {
    const HlsPacket *packet = packet_at (ts, i);
    const guint8 *payload = payload_of (packet);

    if (packet->pid != HLS_PID_VIDEO || !payload)
      continue;
    if (packet->unit_start && unit->len > 0)
      break;
    g_byte_array_append (unit, payload, packet->data + PACKET - payload);
  }
  for (guint i = 0; i + 3 < unit->len; i++) {
    if (unit->data[i] == 0 && unit->data[i + 1] == 0 && unit->data[i + 2] == 1)
      seen |= 1u << (unit->data[i + 3] & 0x1f);
  }
  g_assert_true (seen & 1u << 7); /* SPS */
  g_assert_true (seen & 1u << 8); /* PPS */
  g_assert_true (seen & 1u << 5); /* IDR */
  g_assert_false (seen & 1u << 1);
}

/* The PMT PID of a PAT with one program. */
static guint16
pmt_pid_of (const HlsPacket *pat)
{
  const guint8 *section = payload_of (pat);

  g_assert_nonnull (section);
  section += 1 + section[0];
  g_assert_cmpuint (section[0], ==, 0);
  return (section[10] & 0x1f) << 8 | section[11];
}

/* Rules 12, 13. */
static void
assert_starts_well (const HlsTs *ts)
{
  const HlsPacket *pat = packet_at (ts, 0), *pmt = packet_at (ts, 1);
  guint i = 2;

  g_assert_cmpuint (pat->pid, ==, 0);
  g_assert_cmpuint (pmt->pid, ==, pmt_pid_of (pat));
  if (ts->first_video < 0)
    return;
  /* The video's first packet is the key frame's; no audio lies before it but what was
   * late. */
  while (packet_at (ts, i)->pid != HLS_PID_VIDEO)
    i++;
  g_assert_cmpuint (i, ==, 2);
  g_assert_true (packet_at (ts, i)->unit_start);
  g_assert_true (packet_at (ts, i)->random_access);
  assert_starts_with_idr (ts);
}

typedef struct
{
  gint cc[8192]; /* -1: none yet */
  const guint8 *last[8192];
  GPtrArray *kept; /* HlsTs: `last` points into them */
} Counters;

static void
reset_counters (Counters *counters)
{
  memset (counters->cc, 0xff, sizeof counters->cc);
}

static void
count_packets (Counters *counters, const HlsTs *ts, const gchar *name)
{
  for (guint i = 0; i < ts->packets->len; i++) {
    const HlsPacket *packet = packet_at (ts, i);
    gint last = counters->cc[packet->pid];

    if (packet->pid == 0x1fff)
      continue;
    if (last >= 0 && packet->cc == last && packet->has_payload) {
      /* A packet may be sent twice. */
      if (memcmp (packet->data, counters->last[packet->pid], PACKET) != 0)
        g_error ("%s: packet %u of PID %u repeats a counter", name, i,
            packet->pid);
    } else if (last >= 0 &&
        packet->cc != ((last + packet->has_payload) & 0x0f)) {
      g_error ("%s: packet %u of PID %u has counter %u after %d", name, i,
          packet->pid, packet->cc, last);
    }
    counters->cc[packet->pid] = packet->cc;
    counters->last[packet->pid] = packet->data;
  }
}

/* Rule 14: EXTINF is how far the next segment's first frame is from this one's. */
static void
assert_duration (const HlsTs *ts, const HlsTs *next, GstClockTime duration,
    const gchar *name)
{
  gboolean video = ts->first_video >= 0 && next->first_video >= 0;
  gint64 from = video ? ts->first_video : ts->first_audio;
  gint64 to = video ? next->first_video : next->first_audio;
  gint64 truth = (to - from) & ((G_GINT64_CONSTANT (1) << 33) - 1);
  gint64 tolerance = video ? 2 : 1920; /* audio: a frame */

  if (ABS (truth - NS_TO_90K (duration)) > tolerance)
    g_error ("%s: EXTINF says %" G_GUINT64_FORMAT
             " ns, the media %" G_GINT64_FORMAT " / 90000 s",
        name, duration, truth);
}

static void
check_segments (const gchar *dir, const HlsPlaylist *playlist)
{
  g_autofree Counters *counters = g_new0 (Counters, 1);
  g_autoptr (GPtrArray) read =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hls_ts_free);
  HlsTs *before = NULL;

  reset_counters (counters);
  for (guint i = 0; i < playlist->segments->len; i++) {
    const HlsSegment *segment = hls_segment (playlist, i);
    g_autofree gchar *path = g_build_filename (dir, segment->uri, NULL);
    HlsTs *ts;

    if (segment->gap) {
      reset_counters (counters);
      before = NULL;
      continue;
    }
    ts = hls_ts_read (path);
    g_ptr_array_add (read, ts);
    assert_starts_well (ts);
    if (segment->discontinuity)
      reset_counters (counters);
    else if (before)
      assert_duration (before, ts, hls_segment (playlist, i - 1)->duration,
          hls_segment (playlist, i - 1)->uri);
    count_packets (counters, ts, segment->uri);
    before = ts;
  }
}

HlsPlaylist *
hls_check_in (const gchar *dir, const gchar *path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  HlsPlaylist *playlist = hls_playlist_read (path);
  g_autoptr (GHashTable) sizes =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  g_assert_cmpuint (playlist->segments->len, >, 0);
  g_assert_false (
      hls_segment (playlist, 0)->discontinuity && playlist->sequence == 0);
  g_assert_true (playlist->independent);
  hls_assert_listed_whole (folder, playlist, sizes);
  check_segments (folder, playlist);
  return playlist;
}

HlsPlaylist *
hls_check (Hls *hls)
{
  return hls_check_in (hls->dir, hls->playlist);
}

guint
hls_count_frames (Hls *hls, gboolean video)
{
  g_autoptr (HlsPlaylist) playlist = hls_playlist_read (hls->playlist);
  guint frames = 0;

  for (guint i = 0; i < playlist->segments->len; i++) {
    g_autofree gchar *path = hls_path (hls, hls_segment (playlist, i)->uri);
    g_autoptr (HlsTs) ts = hls_ts_read (path);

    frames += video ? ts->video_frames : ts->audio_frames;
  }
  return frames;
}
