/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsplaylistvalue.h"

#include <string.h>

/* GDate's number of 1970-01-01. */
#define EPOCH 719163

#define NS_PER_SECOND G_GUINT64_CONSTANT (1000000000)

gboolean
ams_playlist_value_is (AmsPlaylistValue text, const gchar *string)
{
  return text.len == strlen (string) &&
      memcmp (text.data, string, text.len) == 0;
}

/* Decimal digits and nothing else, at most @max. */
gboolean
ams_playlist_read_integer (AmsPlaylistValue text, guint64 max, guint64 *value)
{
  gsize i;

  *value = 0;
  for (i = 0; i < text.len; i++) {
    if (!g_ascii_isdigit (text.data[i]) ||
        !g_uint64_checked_mul (value, *value, 10) ||
        !g_uint64_checked_add (value, *value, text.data[i] - '0') ||
        *value > max)
      return FALSE;
  }
  return text.len > 0;
}

/* "12" or "12.345" seconds into ns. Not g_ascii_strtod(), which takes "nan",
 * "inf", "0x1p3" and " -1e300"; what is finer than a ns is dropped. */
gboolean
ams_playlist_read_seconds (AmsPlaylistValue text, guint64 *ns)
{
  const gchar *dot = memchr (text.data, '.', text.len);
  AmsPlaylistValue whole = { text.data,
    dot != NULL ? (gsize) (dot - text.data) : text.len };
  guint64 seconds, unit = NS_PER_SECOND;
  gsize i;

  if (!ams_playlist_read_integer (whole, AMS_PLAYLIST_MAX_SECONDS, &seconds))
    return FALSE;
  *ns = seconds * NS_PER_SECOND;
  if (dot != NULL && whole.len + 1 == text.len)
    return FALSE;
  for (i = whole.len + 1; i < text.len; i++) {
    if (!g_ascii_isdigit (text.data[i]))
      return FALSE;
    unit /= 10;
    *ns += unit * (text.data[i] - '0');
  }
  return *ns <= AMS_PLAYLIST_MAX_SECONDS * NS_PER_SECOND;
}

/* Takes @n digits, in a range, and, if it is not NUL, @separator behind them
 * off the front. */
static gboolean
take_number (AmsPlaylistValue *text, gsize n, guint min, guint max,
    gchar separator, guint *value)
{
  AmsPlaylistValue digits = { text->data, n };
  gsize taken = n + (separator != '\0');
  guint64 number;

  if (text->len < taken || !ams_playlist_read_integer (digits, max, &number) ||
      number < min || (separator != '\0' && text->data[n] != separator))
    return FALSE;
  *value = number;
  text->data += taken;
  text->len -= taken;
  return TRUE;
}

static gboolean
take_char (AmsPlaylistValue *text, gchar c)
{
  if (text->len == 0 || *text->data != c)
    return FALSE;
  text->data++;
  text->len--;
  return TRUE;
}

static gboolean
take_fraction (AmsPlaylistValue *text, guint *us)
{
  guint unit = 1000000;

  *us = 0;
  if (!take_char (text, '.') && !take_char (text, ','))
    return TRUE;
  while (text->len > 0 && g_ascii_isdigit (*text->data)) {
    unit /= 10;
    *us += unit * (*text->data - '0');
    text->data++;
    text->len--;
  }
  return unit < 1000000;
}

/* "Z", "+01", "+0100", "+01:00"; *@known is FALSE when nothing is left. */
static gboolean
take_zone (AmsPlaylistValue *text, gint64 *offset, gboolean *known)
{
  gboolean west;
  guint hours, minutes = 0;

  *offset = 0;
  *known = text->len > 0;
  if (!*known || take_char (text, 'Z') || take_char (text, 'z'))
    return TRUE;
  west = take_char (text, '-');
  if (!west && !take_char (text, '+'))
    return FALSE;
  if (!take_number (text, 2, 0, 23, '\0', &hours))
    return FALSE;
  take_char (text, ':');
  if (text->len > 0 && !take_number (text, 2, 0, 59, '\0', &minutes))
    return FALSE;
  *offset = (gint64) (hours * 60 + minutes) * (west ? -60 : 60);
  return TRUE;
}

static gint64
to_unix (guint year, guint month, guint day)
{
  GDate date;

  g_date_clear (&date, 1);
  g_date_set_dmy (&date, day, month, year);
  return ((gint64) g_date_get_julian (&date) - EPOCH) * 86400;
}

/* µs since 1970 UTC; 0 for a date without a zone, which says nothing. Not
 * g_date_time_new_from_iso8601(): its seconds are a double. */
gboolean
ams_playlist_read_date_time (AmsPlaylistValue text, gint64 *date_time)
{
  guint year, month, day, hour, minute, second, us;
  gint64 offset;
  gboolean known;

  if (!take_number (&text, 4, 1, 9999, '-', &year) ||
      !take_number (&text, 2, 1, 12, '-', &month) ||
      !take_number (&text, 2, 1, 31, 'T', &day) ||
      !g_date_valid_dmy (day, month, year) ||
      !take_number (&text, 2, 0, 23, ':', &hour) ||
      !take_number (&text, 2, 0, 59, ':', &minute) ||
      !take_number (&text, 2, 0, 60, '\0', &second) ||
      !take_fraction (&text, &us) || !take_zone (&text, &offset, &known) ||
      text.len > 0)
    return FALSE;
  *date_time = 0;
  if (known)
    *date_time = (to_unix (year, month, day) + hour * 3600 + minute * 60 +
                     second - offset) *
            G_USEC_PER_SEC +
        us;
  return TRUE;
}
