/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A recording that amshttpput delivers to a fault server: segments and playlists as
 * amshlssink hands them over, pushed by hand by the test's thread; what the element said of
 * it; and whether the server has it, byte for byte. */

#pragma once

#include <gst/gst.h>

#include "amsfaultserver.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *name;
  GBytes *bytes;
  gboolean given_up; /* the element said so; under the lock */
} PutFile;

typedef struct
{
  GstElement *pipeline; /* has nothing but the element in it */
  GstElement *put;
  GstPad *pad; /* ours, linked to the element's */

  /* What was handed over */
  GPtrArray *files; /* PutFile: segments, in order */
  gchar *playlist; /* its last version */
  guint64 version;
  gint64 longest_push; /* µs */

  GMutex lock;
  GCond cond;
  GPtrArray *messages; /* GstMessage, all there were */
  GPtrArray *failed; /* names that no playlist heeds yet */
} Put;

/* A folder on the server. */
#define PUT_FOLDER "/cam/"

/* @settings: name, value, …, NULL; location is PUT_FOLDER on @server if it is not among them. There is no
 * proxy, and the test CA is trusted. It is playing. */
Put *put_new (AmsFaultServer *server, const gchar *const *settings);
/* Fails unless it gets to NULL within 1 s. */
void put_stop (Put *put);
/* Stops it, too; fails if the element leaks. */
void put_free (Put *put);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Put, put_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsFaultServer, ams_fault_server_free)

#define PUT_SETTINGS(...) ((const gchar *const[]){ __VA_ARGS__, NULL })

/* How much longer things may take, as the program runs now. */
guint put_patience (void);

/* One more segment of so many bytes, unlike all others. */
void put_push_segment (Put *put, gsize size);
/* A version that lists all segments, those that were given up as gaps. */
void put_push_playlist (Put *put, gboolean final);
/* @n segments of 10 to 100 kB, a playlist after each. */
void put_record (Put *put, guint n);
/* Waits until all that was handed over is stored or given up. */
void put_drain (Put *put);
/* Drains; then the last playlist and EOS; waits until the bus has that. */
void put_finish (Put *put);
/* In a thread of its own, which put_join() waits for. */
GThread *put_finish_begin (Put *put);

/* The n-th (from 1) such message; waits for it. @name: of its structure. (transfer full) */
GstMessage *put_wait (Put *put, GstMessageType type, const gchar *name,
    guint n);
guint put_count (Put *put, GstMessageType type, const gchar *name);
/* ns, of the @n-th ams-file-retrying; waits for it. */
guint64 put_wait_retry_delay (Put *put, guint n);
/* Waits for the @n-th WARNING: its code, and @part is in its sentence. */
void put_assert_warning (Put *put, guint n, GstResourceError code,
    const gchar *part);

/* @folder of the server has all that was handed over and nothing else, and no reader was ever misled. */
void put_assert_stored_in (Put *put, AmsFaultServer *server,
    const gchar *folder);
void put_assert_stored (Put *put, AmsFaultServer *server);
/* As many faults were said, and all of them are over; no error was posted. */
void put_assert_faults (Put *put, guint n);
/* Any number but none. */
void put_assert_faults_are_over (Put *put);
/* The stat, a number. */
guint64 put_get_stat (Put *put, const gchar *name);

/* Folders */
gchar *put_make_folder (void);
void put_remove_folder (gchar *folder);

G_END_DECLS
