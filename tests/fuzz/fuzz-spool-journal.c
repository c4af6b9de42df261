/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Any bytes; and, as no fuzzer finds a checksum, the same lines with the right ones.
 * Whatever is read writes the same again. */

#include "transfer/spool/amsspooljournal.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static GString *
write_records (GPtrArray *records)
{
  GString *text = g_string_new (NULL);

  ams_spool_journal_write_head (text);
  for (guint i = 0; i < records->len; i++)
    ams_spool_journal_write (text, g_ptr_array_index (records, i));
  return text;
}

static AmsSpoolJournal *
read_string (const GString *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (text->str, text->len);

  return ams_spool_journal_read (bytes);
}

static void
check (const GString *text)
{
  g_autoptr (AmsSpoolJournal) journal = read_string (text);
  g_autoptr (GString) once = write_records (journal->records);
  g_autoptr (AmsSpoolJournal) back = read_string (once);
  g_autoptr (GString) twice = write_records (back->records);

  g_assert_cmpuint (journal->whole, <=, text->len);
  g_assert_cmpuint (back->records->len, ==, journal->records->len);
  g_assert_cmpuint (back->whole, ==, once->len);
  g_assert_cmpstr (once->str, ==, twice->str);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GString) raw =
      g_string_new_len ((const gchar *) data, (gssize) size);
  g_autoptr (GString) sealed = g_string_new (NULL);
  g_auto (GStrv) lines = g_strsplit (raw->str, "\n", -1);

  check (raw);
  ams_spool_journal_write_head (sealed);
  for (guint i = 0; lines[i]; i++)
    ams_spool_journal_write_line (sealed, lines[i]);
  check (sealed);
  return 0;
}
