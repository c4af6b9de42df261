/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsplaylisttext.h"

#include "amsplaylistline.h"
#include "files/amsshared.h"

#include <string.h>

/* Bytes of an arena. Each is as large as all arenas before it, so that there are
 * few pieces and nothing is ever copied for want of room. What is not written to
 * yet costs address space only. */
#define MIN_ARENA (16 * 1024)
#define MAX_ARENA (64 * 1024 * 1024)
/* From this size on, the versions that point into an arena do not pay for it. */
#define SHARED_ARENA (1024 * 1024)

/* Gaps cut the text up; beyond this number, the smallest neighbours are joined. */
#define MAX_PIECES 32
/* What follows a gap is copied with it up to this size, to make fewer pieces. */
#define SMALL_PIECE (4 * 1024)

/* Bytes that are read before their pages are given back. */
#define LET_GO_SIZE (1024 * 1024)

typedef struct
{
  gint refs; /* atomic: a piece may be freed by any thread */
  gsize size;
  gchar data[];
} Arena;

struct _AmsPlaylistText
{
  GPtrArray *pieces; /* of GBytes */
  gsize settled; /* bytes in them */
  /* What comes after them: the bytes of @arena from @from to @used. */
  Arena *arena; /* (nullable) */
  gsize from, used;
  gsize arenas; /* bytes of all arenas so far */
};

/* ---- arenas ---- */

static Arena *
arena_new (gsize size)
{
  Arena *arena = g_malloc (sizeof (Arena) + size);

  arena->refs = 1;
  arena->size = size;
  if (size >= SHARED_ARENA)
    ams_shared_add (arena->data, size, FALSE);
  return arena;
}

static void
arena_unref (gpointer data)
{
  Arena *arena = data;

  if (!g_atomic_int_dec_and_test (&arena->refs))
    return;
  if (arena->size >= SHARED_ARENA)
    ams_shared_remove (arena->data);
  g_free (arena);
}

static GBytes *
arena_get_bytes (Arena *arena, gsize from, gsize to)
{
  g_atomic_int_inc (&arena->refs);
  return g_bytes_new_with_free_func (arena->data + from, to - from, arena_unref,
      arena);
}

/* ---- pieces ---- */

static GBytes *
get_piece (AmsPlaylistText *self, guint i)
{
  return g_ptr_array_index (self->pieces, i);
}

static gsize
get_piece_size (AmsPlaylistText *self, guint i)
{
  return g_bytes_get_size (get_piece (self, i));
}

/* What is in the arena becomes a piece. */
static void
settle (AmsPlaylistText *self)
{
  if (self->used == self->from)
    return;
  g_ptr_array_add (self->pieces,
      arena_get_bytes (self->arena, self->from, self->used));
  self->settled += self->used - self->from;
  self->from = self->used;
}

/* (transfer full) A copy of all of @parts, one after the other. */
static GBytes *
join (GBytes *const *parts, guint n)
{
  gsize size = 0, at = 0, length;
  GBytes *bytes;
  Arena *arena;
  guint i;

  for (i = 0; i < n; i++)
    size += g_bytes_get_size (parts[i]);
  arena = arena_new (size);
  for (i = 0; i < n; i++) {
    gconstpointer data = g_bytes_get_data (parts[i], &length);

    if (length > 0)
      memcpy (arena->data + at, data, length);
    at += length;
  }
  bytes = arena_get_bytes (arena, 0, size);
  arena_unref (arena);
  return bytes;
}

static guint
find_smallest_pair (AmsPlaylistText *self)
{
  gsize least = G_MAXSIZE, size;
  guint best = 0, i;

  for (i = 0; i + 1 < self->pieces->len; i++) {
    size = get_piece_size (self, i) + get_piece_size (self, i + 1);
    if (size < least) {
      least = size;
      best = i;
    }
  }
  return best;
}

static void
join_smallest (AmsPlaylistText *self)
{
  while (self->pieces->len > MAX_PIECES) {
    guint i = find_smallest_pair (self);
    GBytes *parts[] = { get_piece (self, i), get_piece (self, i + 1) };

    g_ptr_array_insert (self->pieces, i, join (parts, 2));
    g_ptr_array_remove_range (self->pieces, i + 1, 2);
  }
}

/* (transfer full) */
static GBytes *
slice (GBytes *bytes, gsize from, gsize to)
{
  return g_bytes_new_from_bytes (bytes, from, to - from);
}

static void
insert_piece (AmsPlaylistText *self, guint *i, GBytes *piece)
{
  if (g_bytes_get_size (piece) > 0)
    g_ptr_array_insert (self->pieces, (*i)++, g_bytes_ref (piece));
}

/* Replaces @cut bytes at @at of piece @i. Of the rest, only what is small is
 * copied. */
static void
replace (AmsPlaylistText *self, guint i, gsize at, gsize cut, const gchar *text)
{
  g_autoptr (GBytes) old = g_bytes_ref (get_piece (self, i));
  gsize size = g_bytes_get_size (old);
  g_autoptr (GBytes) before = slice (old, 0, at);
  g_autoptr (GBytes) after = slice (old, at + cut, size);
  g_autoptr (GBytes) new = g_bytes_new (text, strlen (text));
  GBytes *parts[] = { new, after };
  g_autoptr (GBytes) joined = NULL;

  g_ptr_array_remove_index (self->pieces, i);
  insert_piece (self, &i, before);
  if (g_bytes_get_size (after) <= SMALL_PIECE) {
    joined = join (parts, 2);
    insert_piece (self, &i, joined);
  } else {
    insert_piece (self, &i, new);
    insert_piece (self, &i, after);
  }
  self->settled = self->settled - cut + strlen (text);
  join_smallest (self);
}

/* ---- lines ---- */

/* Where reading backwards through pieces has come to: before @pos of piece
 * @piece. */
typedef struct
{
  GBytes *const *pieces;
  guint piece;
  gsize pos;
  gsize kept; /* pages of this piece before here may be in memory */
} Cursor;

/* A long way back, what was read is given back now and then. */
static void
let_go (Cursor *cursor)
{
  const gchar *text = g_bytes_get_data (cursor->pieces[cursor->piece], NULL);

  ams_shared_let_go (text + cursor->pos, cursor->kept - cursor->pos);
  cursor->kept = cursor->pos;
}

static gboolean
read_back (Cursor *cursor, AmsPlaylistTextLine *line)
{
  while (cursor->pos == 0) {
    if (cursor->kept > 0)
      let_go (cursor);
    if (cursor->piece == 0)
      return FALSE;
    cursor->pos = cursor->kept =
        g_bytes_get_size (cursor->pieces[--cursor->piece]);
  }
  if (cursor->kept - cursor->pos > LET_GO_SIZE)
    let_go (cursor);
  return ams_playlist_previous_line (
      g_bytes_get_data (cursor->pieces[cursor->piece], NULL), &cursor->pos,
      line);
}

static gboolean
find_uri (Cursor *cursor, const gchar *uri)
{
  gsize len = strlen (uri);
  AmsPlaylistTextLine line;

  while (read_back (cursor, &line)) {
    if (line.len == len && memcmp (line.text, uri, len) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Whether the URI line before the cursor is @uri, too. */
static gboolean
find_previous (Cursor *cursor, const gchar *uri)
{
  gsize len = strlen (uri);
  AmsPlaylistTextLine line;

  while (read_back (cursor, &line)) {
    if (ams_playlist_text_line_classify (&line) == AMS_PLAYLIST_LINE_URI)
      return line.len == len && memcmp (line.text, uri, len) == 0;
  }
  return FALSE;
}

static void
find_place (Cursor *cursor, guint *piece, gsize *place, gboolean *marked)
{
  AmsPlaylistTextLine line;

  *marked = FALSE;
  *piece = cursor->piece;
  *place = cursor->pos;
  while (read_back (cursor, &line) &&
      ams_playlist_text_line_classify (&line) != AMS_PLAYLIST_LINE_URI) {
    if (ams_playlist_text_line_is (&line, "#EXT-X-GAP"))
      *marked = TRUE;
    if (ams_playlist_text_line_is (&line, "#EXTINF") ||
        ams_playlist_text_line_is (&line, "#EXT-X-PROGRAM-DATE-TIME")) {
      *piece = cursor->piece;
      *place = line.start;
    }
  }
}

gboolean
ams_playlist_find_gap_place (const gchar *lines, gsize len, const gchar *uri,
    gsize *place, gboolean *marked)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (lines, len);
  Cursor cursor = { &bytes, 1, 0, 0 };
  guint piece;

  if (!find_uri (&cursor, uri))
    return FALSE;
  find_place (&cursor, &piece, place, marked);
  return TRUE;
}

/* The entry @n before the last one whose URI line is @uri. Entries with the same URI
 * are neighbours: byte ranges of one file. FALSE: there are not so many. */
static gboolean
find_entry (AmsPlaylistText *self, Cursor *cursor, const gchar *uri, guint n)
{
  gboolean found;

  *cursor =
      (Cursor){ (GBytes *const *) self->pieces->pdata, self->pieces->len };
  found = find_uri (cursor, uri);
  for (; found && n > 0; n--)
    found = find_previous (cursor, uri);
  return found;
}

static gboolean
mark_entry (AmsPlaylistText *self, const gchar *uri, guint n, gboolean *marked)
{
  Cursor cursor;
  gboolean found = find_entry (self, &cursor, uri, n);
  guint piece;
  gsize place;

  if (found)
    find_place (&cursor, &piece, &place, marked);
  if (cursor.kept > 0)
    let_go (&cursor);
  if (found && !*marked)
    replace (self, piece, place, 0, "#EXT-X-GAP\n");
  return found;
}

gboolean
ams_playlist_text_mark_gap (AmsPlaylistText *self, const gchar *uri,
    gboolean *marked)
{
  gboolean was_marked;
  guint n = 0;

  settle (self);
  *marked = TRUE;
  for (; mark_entry (self, uri, n, &was_marked); n++)
    *marked = *marked && was_marked;
  join_smallest (self);
  return n > 0;
}

gboolean
ams_playlist_find_uri (const gchar *lines, gsize len, const gchar *uri,
    gsize *start)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (lines, len);
  Cursor cursor = { &bytes, 1, 0, 0 };

  if (!find_uri (&cursor, uri))
    return FALSE;
  *start = cursor.pos;
  return TRUE;
}

static gboolean
rename_entry (AmsPlaylistText *self, const gchar *uri, guint n,
    const gchar *new_uri)
{
  Cursor cursor;
  gboolean found = find_entry (self, &cursor, uri, n);

  if (cursor.kept > 0)
    let_go (&cursor);
  if (found && new_uri)
    replace (self, cursor.piece, cursor.pos, strlen (uri), new_uri);
  return found;
}

gboolean
ams_playlist_text_rename (AmsPlaylistText *self, const gchar *uri,
    const gchar *new_uri)
{
  guint entries = 0;

  settle (self);
  while (rename_entry (self, uri, entries, NULL))
    entries++;
  for (guint n = entries; n > 0;
       n--) /* so that those behind keep their place */
    rename_entry (self, uri, n - 1, new_uri);
  join_smallest (self);
  return entries > 0;
}

/* The line @tag of the header, if it is in piece @i. *@first: the text's first
 * line. FALSE: *@done says whether the header ends in this piece. */
static gboolean
find_tag_in (AmsPlaylistText *self, guint i, const gchar *tag,
    AmsPlaylistTextLine *line, AmsPlaylistTextLine *first, gboolean *done)
{
  gsize len, pos = 0;
  const gchar *text = g_bytes_get_data (get_piece (self, i), &len);

  *done = FALSE;
  while (!*done && ams_playlist_next_line (text, len, &pos, line)) {
    if (ams_playlist_text_line_is (line, tag))
      return TRUE;
    if (first->text == NULL)
      *first = *line;
    *done = ams_playlist_text_line_classify (line) == AMS_PLAYLIST_LINE_URI;
  }
  return FALSE;
}

/* The header's line @tag, or else the text's first line. TRUE: it is @tag. */
static gboolean
find_header_line (AmsPlaylistText *self, const gchar *tag, guint *piece,
    AmsPlaylistTextLine *line)
{
  AmsPlaylistTextLine first = { NULL };
  gboolean done = FALSE;

  for (*piece = 0; *piece < self->pieces->len && !done; (*piece)++) {
    if (find_tag_in (self, *piece, tag, line, &first, &done))
      return TRUE;
  }
  *line = first;
  *piece = 0;
  return FALSE;
}

void
ams_playlist_text_set_header_line (AmsPlaylistText *self, const gchar *tag,
    const gchar *line)
{
  g_autofree gchar *whole = g_strconcat (line, "\n", NULL);
  AmsPlaylistTextLine found;
  guint piece;

  settle (self);
  if (find_header_line (self, tag, &piece, &found))
    replace (self, piece, found.start, found.len, line);
  else
    replace (self, piece, found.end, 0, whole);
}

gboolean
ams_playlist_text_remove_header_line (AmsPlaylistText *self, const gchar *line)
{
  AmsPlaylistTextLine found;
  guint piece;

  settle (self);
  if (!find_header_line (self, line, &piece, &found))
    return FALSE;
  replace (self, piece, found.start, found.end - found.start, "");
  return TRUE;
}

/* ---- the whole ---- */

gsize
ams_playlist_text_get_size (AmsPlaylistText *self)
{
  return self->settled + self->used - self->from;
}

static void
grow (AmsPlaylistText *self, gsize len)
{
  gsize size = MAX (CLAMP (self->arenas, MIN_ARENA, MAX_ARENA), len);

  settle (self);
  g_clear_pointer (&self->arena, arena_unref);
  self->arena = arena_new (size);
  self->arenas += size;
  self->from = self->used = 0;
}

void
ams_playlist_text_add (AmsPlaylistText *self, const gchar *lines, gsize len)
{
  if (self->arena == NULL || len > self->arena->size - self->used)
    grow (self, len);
  memcpy (self->arena->data + self->used, lines, len);
  self->used += len;
}

void
ams_playlist_text_add_bytes (AmsPlaylistText *self, GBytes *bytes)
{
  gsize size = g_bytes_get_size (bytes);

  if (size == 0)
    return;
  settle (self);
  g_ptr_array_add (self->pieces, g_bytes_ref (bytes));
  self->settled += size;
}

static gpointer
ref_piece (gconstpointer piece, gpointer user_data)
{
  return g_bytes_ref ((GBytes *) piece);
}

GPtrArray *
ams_playlist_text_get_pieces (AmsPlaylistText *self)
{
  GPtrArray *pieces = g_ptr_array_copy (self->pieces, ref_piece, NULL);

  if (self->used > self->from)
    g_ptr_array_add (pieces,
        arena_get_bytes (self->arena, self->from, self->used));
  return pieces;
}

AmsPlaylistText *
ams_playlist_text_new (void)
{
  AmsPlaylistText *self = g_new0 (AmsPlaylistText, 1);

  self->pieces =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  return self;
}

void
ams_playlist_text_free (AmsPlaylistText *self)
{
  g_ptr_array_unref (self->pieces);
  g_clear_pointer (&self->arena, arena_unref);
  g_free (self);
}
