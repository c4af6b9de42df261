/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Asking the stores behind the src pads of mux what they hold. Blocks for as long as they
 * take to answer. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GstPad *local, *remote; /* src pads, either may be unlinked */
  gboolean unlistable; /* @local cannot be asked what it has */
  const gchar *
      folder; /* absolute, of @local's files; NULL: there are none to be referred to */
} GstAmsStores;

/* What the stores behind one pad, several if there is a tee, said of one file, or of what there is. */
typedef struct
{
  guint answered; /* so many of them */
  gboolean absent; /* one has none */
  gchar *failed; /* (nullable) one cannot tell: why */
  gboolean posted; /* it has posted an ERROR about that */
  gboolean closed; /* one is being stopped */
  GPtrArray *found; /* (element-type GBytes) (nullable): none yet */
} GstAmsAnswers;

void gst_ams_answers_clear (GstAmsAnswers *answers);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstAmsAnswers, gst_ams_answers_clear)

/* Takes the place of what was in @answers. @partial: what a crash left of it. */
void gst_ams_ask_file (GstPad *pad, const gchar *name, gboolean partial,
    guint64 max, GstAmsAnswers *answers);

/* The same, but who does not answer soon is not waited for. */
void gst_ams_ask_file_soon (GstPad *pad, const gchar *name, guint64 max,
    GstAmsAnswers *answers);

/* The same, and the first @size bytes are enough. A store that cannot read them
 * alone answers with the whole file, of at most @max bytes. */
void gst_ams_ask_head (GstPad *pad, const gchar *name, guint64 size,
    guint64 max, GstAmsAnswers *answers);

/* Only whether there is such a file: nothing is in what was found. A store that cannot tell without reading it is
 * asked for the file, of @max bytes at most. */
void gst_ams_ask_exists (GstPad *pad, const gchar *name, guint64 max,
    GstAmsAnswers *answers);

/* (transfer full) (nullable): absent, or not to be had. */
GBytes *gst_ams_ask_one (GstPad *pad, const gchar *name, gboolean partial,
    guint64 max);

/* Adds what is there below @prefix to @files (element-type AmsRecoveryFile). @about takes whether
 * anybody answered, and why a store cannot tell; nothing is found in it. */
void gst_ams_ask_list (const GstAmsStores *stores, gboolean remote,
    const gchar *prefix, GPtrArray *files, GstAmsAnswers *about);

G_END_DECLS
