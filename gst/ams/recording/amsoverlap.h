/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A segment that ends after the fact: what is behind its end begins the next one. A crash may find
 * those bytes in the parts of both, as they are written to the next part before they are cut
 * off the first. Pure. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AMS_OVERLAP_NONE,
  AMS_OVERLAP_END, /* the end of the earlier part is the beginning of the later one */
  AMS_OVERLAP_INSIDE, /* the earlier part has all of the later one, and more */
} AmsOverlap;

/* @size: with END, how many bytes of @earlier are its own. */
AmsOverlap ams_overlap_find (GBytes *earlier, GBytes *later, guint64 *size);

/* Nothing is missing between the two: what @earlier ends with is whole, though nothing in it
 * says so. */
gboolean ams_overlap_is_followed (GBytes *earlier, GBytes *later);
/* There is something in @part that can be listed. */
gboolean ams_overlap_has_media (GBytes *part);

G_END_DECLS
