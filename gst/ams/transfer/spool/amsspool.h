/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The spool: what is on its way to a store, on disk, so that it survives the end of
 * the process. A folder with one file for each body, a journal that says what they
 * are and in what order they were handed over, and a lock.
 *
 * One folder may hold what is left for several destinations (the location was changed
 * in between): each has a subfolder of its own, and only that of this destination is
 * touched; the lock is on the whole folder.
 *
 * Opened by the thread that changes the state, then used by the engine's thread only.
 * Disk I/O is done within the calls. No function fails for good because the disk does:
 * bodies then keep their bytes in memory, and @error says so. */

#pragma once

#include "transfer/spool/amsspooltypes.h"

G_BEGIN_DECLS

typedef struct _AmsSpool AmsSpool;

/* @folder is created if need be. @destination: what identifies the store: a URL without
 * user, password or query. AMS_STORE_ERROR: PERMANENT, in use by another process or
 * element, or not to be written; a journal that is damaged in the middle is set aside
 * and said, and the bodies that are whole are kept in `given-up`. */
AmsSpool *ams_spool_open (const gchar *folder, const gchar *destination,
    GError **error);
void ams_spool_close (AmsSpool *spool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsSpool, ams_spool_close)

/* (nullable) A sentence if the folder holds files for other destinations, which are
 * not sent now; it names them. */
const gchar *ams_spool_get_notice (AmsSpool *spool);

/* What an earlier session left, in the order in which it was handed over. Once. Removes are among them. Versions of a playlist
 * of which a later one is there too may be left out. (transfer full) (element-type AmsSpoolEntry) */
GPtrArray *ams_spool_take_up (AmsSpool *spool);

/* (nullable) What is taken up is to get names of its own: amsspoolapart.h. */
void ams_spool_set_suffix (AmsSpool *spool, const gchar *suffix);
const gchar *ams_spool_get_suffix (AmsSpool *spool);

/* A body in the spool, written as bytes come. With @begin->local_path on the same
 * file system the bytes stay in memory, and ams_spool_commit() makes a hard link. By
 * reference: likewise, and nothing is ever in memory. Never fails. */
AmsBody *ams_spool_create_body (AmsSpool *spool, const AmsFileBegin *begin);

/* The (finished) body is handed over: it is there after a crash from here on.
 * Segments are synced to the disk with the journal, playlists are not. FALSE: it is not
 * safe yet, though it can be delivered (from memory, as far as the disk did not take
 * it); ams_spool_flush() tries again. *@id names it from here on in any case. */
gboolean ams_spool_commit (AmsSpool *spool, AmsBody *body,
    const AmsFileBegin *begin, guint64 *id, GError **error);
/* A body of its own for what is posted to notify-url. */
gboolean ams_spool_add_notify (AmsSpool *spool, GBytes *text, AmsBody **body,
    guint64 *id, GError **error);
/* @after: µs, as the entry says again */
gboolean ams_spool_add_remove (AmsSpool *spool, const gchar *name, gint64 after,
    guint64 *id, GError **error);

/* TRUE: everything is safe. FALSE: something is not, @error says why; call again, not
 * more often than some times a second. */
gboolean ams_spool_flush (AmsSpool *spool, GError **error);
/* When to call it, as of g_get_monotonic_time(): also if nothing failed, as a body with a
 * local_path waits for that to appear. G_MAXINT64: there is no need. */
gint64 ams_spool_get_next_flush (AmsSpool *spool);

/* @body: the caller's own ref stays. REMOVE entries: NULL. */
void ams_spool_settle (AmsSpool *spool, guint64 id, AmsBody *body,
    AmsSpoolFate fate);

/* The file @id, handed over, has another name: its body is the same. The journal says so together
 * with the playlist that is committed next. */
void ams_spool_rename (AmsSpool *spool, guint64 id, const gchar *name);

/* A file that was given up without having been committed: as if it were settled as
 * GIVEN_UP. */
void ams_spool_add_failed (AmsSpool *spool, const gchar *name,
    AmsFileRole role);
/* Segments, init files and keys that were given up, also by earlier sessions, and that
 * no playlist which was committed since has in its begin.failed. (transfer full) */
GStrv ams_spool_dup_unheeded (AmsSpool *spool);
/* Playlists of which a WITHHELD version is kept. (transfer full) */
GStrv ams_spool_dup_withheld (AmsSpool *spool);

/* What is waiting under @name, or withheld, the newest of it; @partial: what a crash
 * left. NULL and AMS_FAILURE_ABSENT: nothing. */
GBytes *ams_spool_fetch (AmsSpool *spool, const gchar *name, gboolean partial,
    guint64 max_size, GError **error);
/* The same, to be read a piece at a time; when the store has it, it may be LOST. (transfer full) (nullable) */
AmsBody *ams_spool_open_waiting (AmsSpool *spool, const gchar *name);
/* The playlist that the store has, as far as is known. As above. */
GBytes *ams_spool_fetch_known (AmsSpool *spool, const gchar *name,
    guint64 max_size, GError **error);
/* What is waiting or withheld, and what a crash left; also what was to come from
 * upstream's disk, and had not when an earlier session ended: the store behind may have
 * that, the spool does not. (transfer full) (element-type AmsFileEntry) */
GPtrArray *ams_spool_list (AmsSpool *spool, const gchar *prefix);
/* The first @size bytes of what a crash left are a whole file now: a finished body, to be
 * committed. (transfer full) */
AmsBody *ams_spool_adopt (AmsSpool *spool, const gchar *name, guint64 size,
    AmsFileBegin *begin, GError **error);

/* Bytes on disk that wait. */
guint64 ams_spool_get_bytes (AmsSpool *spool);

G_END_DECLS
