/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amslistguard.h"

#include <gst/gst.h>
#include <string.h>

GST_DEBUG_CATEGORY_STATIC (ams_list_guard_debug);
#define GST_CAT_DEFAULT ams_list_guard_debug

/* Versions whose answers were lost; more than are sent while a server is away. */
#define MAX_MARKS 64

/* A version that this store object has put or read. */
typedef struct
{
  guint64 size;
  guint8 tail[AMS_LIST_TAIL];
  gsize tail_size;
} Mark;

typedef struct
{
  gboolean absent; /* a reader was told so, and nothing was put since */
  gchar *etag; /* (nullable) strong, of the version that is there */
  GQueue marks; /* of Mark, the latest first */
} List;

struct _AmsListGuard
{
  GHashTable *lists; /* name → List */
  AmsIfMatch if_match;
};

void
ams_list_seen_clear (AmsListSeen *seen)
{
  g_clear_pointer (&seen->etag, g_free);
}

/* Moves the last bytes of @tail and @data to @tail. */
static void
keep_tail (guint8 *tail, gsize *tail_size, const guint8 *data, gsize size)
{
  gsize kept;

  if (size >= AMS_LIST_TAIL) {
    memcpy (tail, data + size - AMS_LIST_TAIL, AMS_LIST_TAIL);
    *tail_size = AMS_LIST_TAIL;
    return;
  }
  kept = MIN (*tail_size, AMS_LIST_TAIL - size);
  memmove (tail, tail + *tail_size - kept, kept);
  memcpy (tail + kept, data, size);
  *tail_size = kept + size;
}

gboolean
ams_list_seen_piece (const guint8 *data, gsize size, gpointer user_data)
{
  AmsListSeen *seen = user_data;

  seen->size += size;
  keep_tail (seen->tail, &seen->tail_size, data, size);
  return TRUE;
}

/* (nullable): the body cannot be read */
static Mark *
mark_new (AmsBody *body)
{
  g_autofree Mark *mark = g_new0 (Mark, 1);

  mark->size = ams_body_get_size (body);
  while (mark->tail_size < MIN (mark->size, AMS_LIST_TAIL)) {
    gsize wanted = MIN (mark->size, AMS_LIST_TAIL) - mark->tail_size;
    gssize n = ams_body_read (body, mark->size - wanted,
        mark->tail + mark->tail_size, wanted, NULL);

    if (n <= 0)
      return NULL;
    mark->tail_size += n;
  }
  return g_steal_pointer (&mark);
}

static gboolean
is_mark (const Mark *mark, const AmsListSeen *seen)
{
  return mark && mark->size == seen->size &&
      mark->tail_size == seen->tail_size &&
      memcmp (mark->tail, seen->tail, seen->tail_size) == 0;
}

static gboolean
is_body (AmsBody *body, const AmsListSeen *seen)
{
  g_autofree Mark *mark = body ? mark_new (body) : NULL;

  return is_mark (mark, seen);
}

static void
list_free (gpointer data)
{
  List *list = data;

  g_free (list->etag);
  g_queue_clear_full (&list->marks, g_free);
  g_free (list);
}

AmsListGuard *
ams_list_guard_new (void)
{
  AmsListGuard *self = g_new0 (AmsListGuard, 1);

  GST_DEBUG_CATEGORY_GET (ams_list_guard_debug, "amshttpstore");
  self->lists =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, list_free);
  return self;
}

void
ams_list_guard_free (AmsListGuard *self)
{
  g_hash_table_unref (self->lists);
  g_free (self);
}

static List *
ensure (AmsListGuard *self, const gchar *name)
{
  List *list = g_hash_table_lookup (self->lists, name);

  if (!list) {
    list = g_new0 (List, 1);
    g_queue_init (&list->marks);
    g_hash_table_insert (self->lists, g_strdup (name), list);
  }
  return list;
}

static void
add_mark (List *list, Mark *mark)
{
  if (!mark)
    return;
  g_queue_push_head (&list->marks, mark);
  if (list->marks.length > MAX_MARKS)
    g_free (g_queue_pop_tail (&list->marks));
}

static void
add_body (List *list, AmsBody *body)
{
  if (body)
    add_mark (list, mark_new (body));
}

static gchar *
dup_strong (const gchar *etag)
{
  return etag && etag[0] == '"' ? g_strdup (etag) : NULL;
}

static void
set_etag (List *list, const gchar *etag)
{
  g_free (list->etag);
  list->etag = dup_strong (etag);
}

void
ams_list_guard_note_absent (AmsListGuard *self, const gchar *name)
{
  List *list = ensure (self, name);

  if (list->marks.length == 0)
    list->absent = TRUE;
}

static void
take_seen (List *list, const AmsListSeen *seen)
{
  Mark *mark = g_new0 (Mark, 1);

  mark->size = seen->size;
  mark->tail_size = seen->tail_size;
  memcpy (mark->tail, seen->tail, seen->tail_size);
  add_mark (list, mark);
  list->absent = FALSE;
  set_etag (list, seen->etag);
}

void
ams_list_guard_note_read (AmsListGuard *self, const gchar *name,
    const AmsListSeen *seen)
{
  List *list = ensure (self, name);

  if (list->marks.length == 0)
    take_seen (list, seen);
}

void
ams_list_guard_note_sent (AmsListGuard *self, const gchar *name, AmsBody *body,
    AmsBody *plain)
{
  List *list = ensure (self, name);

  add_body (list, plain);
  add_body (list, body);
}

void
ams_list_guard_note_stored (AmsListGuard *self, const gchar *name,
    AmsBody *body, AmsBody *plain, const gchar *etag)
{
  List *list = ensure (self, name);

  g_queue_clear_full (&list->marks, g_free);
  list->absent = FALSE;
  add_body (list, plain);
  add_body (list, body);
  set_etag (list, etag);
}

void
ams_list_guard_forget (AmsListGuard *self, const gchar *name)
{
  g_hash_table_remove (self->lists, name);
}

AmsIfMatch
ams_list_guard_get_if_match (AmsListGuard *self)
{
  return self->if_match;
}

void
ams_list_guard_set_if_match (AmsListGuard *self, AmsIfMatch if_match)
{
  if (self->if_match != if_match)
    GST_INFO ("If-Match is %s by the store",
        if_match == AMS_IF_MATCH_IGNORED    ? "not heeded"
            : if_match == AMS_IF_MATCH_BARE ? "heeded without quotes"
                                            : "heeded");
  self->if_match = if_match;
}

const gchar *
ams_list_guard_get_etag (AmsListGuard *self, const gchar *name)
{
  const List *list = g_hash_table_lookup (self->lists, name);

  return list &&
          (self->if_match == AMS_IF_MATCH_HEEDED ||
              self->if_match == AMS_IF_MATCH_BARE)
      ? list->etag
      : NULL;
}

void
ams_list_guard_note_refused (AmsListGuard *self, const gchar *condition,
    const gchar *etag)
{
  if (!etag || g_strcmp0 (condition, etag) != 0)
    return;
  ams_list_guard_set_if_match (self,
      self->if_match == AMS_IF_MATCH_HEEDED ? AMS_IF_MATCH_BARE
                                            : AMS_IF_MATCH_IGNORED);
}

gchar *
ams_list_guard_dup_condition (AmsListGuard *self, const gchar *etag)
{
  gsize length = strlen (etag);

  if (self->if_match != AMS_IF_MATCH_BARE || length < 2)
    return g_strdup (etag);
  return g_strndup (etag + 1, length - 2);
}

/* Nothing of this playlist was put or read: does it look like this recording's? */

static gchar *
dup_text (AmsBody *body)
{
  guint64 size = ams_body_get_size (body), at = 0;
  g_autofree gchar *text = g_malloc (size + 1);

  while (at < size) {
    gssize n = ams_body_read (body, at, (guint8 *) text + at, size - at, NULL);

    if (n <= 0)
      return NULL;
    at += n;
  }
  text[size] = '\0';
  return g_steal_pointer (&text);
}

/* Where the line that is @line, of @length bytes, begins in @text. */
static const gchar *
find_line (const gchar *text, const gchar *line, gsize length)
{
  g_autofree gchar *wanted = g_strndup (line, length);
  const gchar *p = text;

  while ((p = strstr (p, wanted))) {
    if ((p == text || p[-1] == '\n') &&
        (p[length] == '\n' || p[length] == '\r' || p[length] == '\0'))
      return p;
    p += length;
  }
  return NULL;
}

static gboolean
describes (const gchar *line)
{
  return g_str_has_prefix (line, "#EXTINF:") ||
      g_str_has_prefix (line, "#EXT-X-PROGRAM-DATE-TIME:");
}

/* What is said of the segment whose line is at @line: its duration and its date. Marks
 * such as EXT-X-GAP may come later. */
static gchar *
dup_description (const gchar *text, const gchar *line)
{
  GString *found = g_string_new (NULL);

  while (line > text) {
    const gchar *end = line - 1, *start = end;

    while (start > text && start[-1] != '\n')
      start--;
    if (*start != '#')
      break;
    if (describes (start))
      g_string_append_len (found, start, end - start);
    line = start;
  }
  return g_string_free (found, FALSE);
}

static gboolean
has_same_description (const gchar *tail, const gchar *line, const gchar *text,
    const gchar *there)
{
  g_autofree gchar *a = dup_description (tail, line);
  g_autofree gchar *b = dup_description (text, there);

  return strcmp (a, b) == 0;
}

static const gchar *
next_line (const gchar *line)
{
  line += strcspn (line, "\n");
  return *line ? line + 1 : line;
}

/* What stands before the first whole description. */
static const gchar *
skip_what_is_cut (const gchar *tail)
{
  do
    tail = next_line (tail);
  while (*tail == '#');
  return next_line (tail);
}

gboolean
ams_list_guard_agree (const gchar *tail, gboolean tail_is_all,
    const gchar *text)
{
  gboolean only_grows = strstr (text, "#EXT-X-PLAYLIST-TYPE:EVENT") != NULL;
  const gchar *start = tail_is_all ? tail : skip_what_is_cut (tail), *line;

  for (line = start; *line; line = next_line (line)) {
    gsize length = strcspn (line, "\r\n");
    const gchar *there;

    if (length == 0 || *line == '#')
      continue;
    there = find_line (text, line, length);
    if (there ? !has_same_description (start, line, text, there) : only_grows)
      return FALSE;
  }
  return TRUE;
}

static gboolean
looks_like_ours (const AmsListSeen *seen, AmsBody *body)
{
  g_autofree gchar *tail =
      g_strndup ((const gchar *) seen->tail, seen->tail_size);
  g_autofree gchar *text = dup_text (body);

  /* What is no text, as its gzip is not, cannot be judged. */
  if (!text || !g_utf8_validate (tail, -1, NULL))
    return TRUE;
  return ams_list_guard_agree (tail, seen->size == seen->tail_size, text);
}

static gboolean
is_known (const List *list, const AmsListSeen *seen)
{
  for (GList *l = list->marks.head; l; l = l->next)
    if (is_mark (l->data, seen))
      return TRUE;
  return FALSE;
}

static AmsListVerdict
judge (const List *list, const AmsListSeen *seen, AmsBody *body, AmsBody *plain)
{
  if (!seen->exists)
    return AMS_LIST_FREE;
  if (is_body (body, seen) || is_body (plain, seen))
    return AMS_LIST_SAME;
  if (is_known (list, seen))
    return AMS_LIST_OURS;
  if (list->absent || list->marks.length > 0)
    return AMS_LIST_FOREIGN;
  return looks_like_ours (seen, plain ? plain : body) ? AMS_LIST_OURS
                                                      : AMS_LIST_FOREIGN;
}

AmsListVerdict
ams_list_guard_judge (AmsListGuard *self, const gchar *name,
    const AmsListSeen *seen, AmsBody *body, AmsBody *plain)
{
  List *list = ensure (self, name);
  AmsListVerdict verdict = judge (list, seen, body, plain);

  GST_DEBUG ("%s: %" G_GUINT64_FORMAT " bytes, ETag %s: verdict %d", name,
      seen->size, seen->etag ? seen->etag : "none", verdict);
  if (verdict == AMS_LIST_FREE)
    g_clear_pointer (&list->etag, g_free);
  else if (verdict != AMS_LIST_FOREIGN)
    take_seen (list, seen);
  return verdict;
}

gboolean
ams_list_guard_is_foreign (AmsListGuard *self, const gchar *name,
    const AmsListSeen *seen)
{
  const List *list = g_hash_table_lookup (self->lists, name);

  if (!list || !seen->exists || is_known (list, seen))
    return FALSE;
  return list->absent || list->marks.length > 0;
}

/* There is one as a rule; the file names that a reader asked for are no playlists. */
gchar *
ams_list_guard_dup_any (AmsListGuard *self)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->lists);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (g_str_has_suffix (name, ".m3u8") || g_str_has_suffix (name, ".m3u"))
      return g_strdup (name);
  return NULL;
}
