/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A packager whose files can be read back: a record for the tables of each
 * segment and at each mark, and one for each unit. Like the real one it writes sound a little
 * later, and it asserts what every packager may rely on. Pure. */

#pragma once

#include "package/amspackager.h"

G_BEGIN_DECLS

#define AMS_TYPE_FAKE_PACKAGER (ams_fake_packager_get_type ())
G_DECLARE_FINAL_TYPE (AmsFakePackager, ams_fake_packager, AMS, FAKE_PACKAGER,
    GObject)

/* The codec that it cannot carry. */
#define AMS_FAKE_REFUSED_CODEC AMS_CODEC_VP9

typedef struct
{
  guint32 magic;
  guint32 counter; /* rises by one from record to record of a recording */
  guint32 tracks; /* 0: a unit; else the tables: a bit for each track's id */
  guint32 discontinuity; /* of tables */
  /* of a unit */
  guint32 track;
  guint32 flags;
  guint32 id; /* what its payload says */
  guint32 form; /* the first byte of its track's configuration, or 0 */
  gint64 pts, dts;
} AmsFakeRecord;

/* A block of AmsBlocks for this packager holds whole records. */
#define AMS_FAKE_BLOCK_SIZE (7 * sizeof (AmsFakeRecord))

AmsPackager *ams_fake_packager_new (void);

/* @damaged: the packager will not take it. @size: bytes, at least 5. Returns:
 * (transfer full) */
GBytes *ams_fake_payload_new (guint32 id, gboolean damaged, gsize size);

/* Records of a file. @size: bytes, asserted to be whole records. Returns:
 * (transfer none): @data */
const AmsFakeRecord *ams_fake_read (const guint8 *data, gsize size, guint *n);

G_END_DECLS
