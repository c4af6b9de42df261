/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Name templates: "cam1/{segment:%Y-%m-%d}/%05d.ts". Pure, no GStreamer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define AMS_NAMES_ERROR (ams_names_error_quark ())
GQuark ams_names_error_quark (void);

typedef enum
{
  AMS_NAMES_ERROR_SYNTAX, /* a conversion or a brace that is not understood */
  AMS_NAMES_ERROR_NOT_UNIQUE, /* two segments could get the same name */
  AMS_NAMES_ERROR_ESCAPES, /* absolute, "..", or a control character */
} AmsNamesError;

typedef struct _AmsNames AmsNames;

typedef enum
{
  AMS_NAMES_SEGMENT, /* needs a number, or {segment:} with year to second and %L or %f (without a zone in
                                 * the name, local time still comes twice in the hour when summer time ends) */
  AMS_NAMES_PLAYLIST, /* takes {session:} only, no number */
} AmsNamesKind;

/* Parses @template. Grammar: literal bytes; "%%"; one "%d" with optional "0"
 * and width 1 to 20 (also "%i", "%u", with l/ll/j length letters ignored) for
 * the 64-bit number; "{session:FORMAT}" and "{segment:FORMAT}", FORMAT as in
 * g_date_time_format() plus "%L" for milliseconds (three digits), ending at the first "}";
 * "{{" and "}}" for braces. Every FORMAT is tried on a date: one that g_date_time_format()
 * refuses is a SYNTAX error. The path part: @template is split by the caller; what is
 * given here must be relative. @add_date_time: Ant Media's
 * addDateTimeToHlsFileName: "-{session:%Y-%m-%d_%H-%M-%S.%L}" is put before the number (or
 * at the end of the base name where there is no number), as in
 * "cam1-%05d.ts" -> "cam1-2026-11-22_10-46-04.509-00001.ts" and "cam1.m3u8" -> "cam1-2026-11-22_10-46-04.509.m3u8".
 * Where there is nothing before the number, no "-" leads: "%05d.ts" -> "2026-11-22_10-46-04.509-00001.ts".
 * Returns: (transfer full) or NULL. */
AmsNames *ams_names_new (const gchar *template_, AmsNamesKind kind,
    gboolean add_date_time, GError **error);
/* @template_ for one of several renditions, as ams_names_new() takes it with
 * @add_date_time FALSE: "{rendition}" has become @rendition, the name of its
 * files, and with @add_date_time the date and time are in it, in front of
 * "{rendition}" where this comes before the number, as Ant Media has them.
 * A name that ends with a digit in front of the number gets a "_" between, and so
 * does one that begins with a digit behind it: "a1" and number 11 would be "a11" and
 * number 1. An empty name, Ant Media's for the original quality, takes one of
 * "-_." in front of it away, or the "/" of a folder that would have no name.
 * (transfer full) */
gchar *ams_names_resolve (const gchar *template_, const gchar *rendition,
    gboolean add_date_time);

/* Whether "{rendition}" is in @template_. */
gboolean ams_names_has_rendition (const gchar *template_);

void ams_names_free (AmsNames *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsNames, ams_names_free)

/* @session, @segment: in the zone that the name is to show; @segment may be NULL for a
 * playlist. The expanded name is checked (".." may come out of nothing, a date never makes "/"
 * unless FORMAT has one). Returns: (transfer full), or NULL with an error. */
gchar *ams_names_format (const AmsNames *self, guint64 number,
    GDateTime *session, GDateTime *segment, GError **error);

/* FALSE: the names that @template_ gives, dates and numbers of up to eight digits
 * included, are too long for a file system whose names have at most @max bytes. Nothing else that may be wrong with it is looked at.
 * @zone: of the dates. The other parameters are as of ams_names_new(). */
gboolean ams_names_fit (const gchar *template_, AmsNamesKind kind,
    gboolean add_date_time, GTimeZone *zone, gsize max, GError **error);

/* What all names of one session have in common: @session's date as it is, "_" for the
 * number and the segment's date, in the last folder that has neither, where "_" stands
 * for "/" as well: "cam/{segment:%H}/%05d.ts" -> "cam/___.ts". NULL: as above. */
gchar *ams_names_format_family (const AmsNames *self, GDateTime *session,
    GError **error);

/* Whether @name could have come from this template with any number and any
 * dates; *@number is its number (0 when the template has none). Strict about width: "%05d" matches "00012" and
 * "123456", not "12" or "012345". Never catastrophic in time: linear or nearly so in strlen (@name). */
gboolean ams_names_match (const AmsNames *self, const gchar *name,
    guint64 *number);

/* The longest literal every name begins with (for listing a store). */
const gchar *ams_names_prefix (const AmsNames *self);
gboolean ams_names_has_number (const AmsNames *self);
gboolean ams_names_has_session (const AmsNames *self);
gboolean ams_names_has_segment (const AmsNames *self);

G_END_DECLS
