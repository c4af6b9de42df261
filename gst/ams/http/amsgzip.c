/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amsgzip.h"

#include "files/amsgather.h"
#include "transfer/amsstore.h"

#include <string.h>

#define STEP (64 * 1024)
#define LEVEL 6

/* All of @input through @converter, at most @max bytes of it. NULL and no error: there is
 * more. */
static GBytes *
convert (GConverter *converter, GBytes *input, guint64 max, GError **error)
{
  g_autoptr (AmsGather) output = ams_gather_new (NULL);
  g_autofree guint8 *step = g_malloc (STEP);
  GConverterResult result = G_CONVERTER_CONVERTED;
  gsize size, at = 0;
  const guint8 *data = g_bytes_get_data (input, &size);
  GBytes *bytes;
  gint errnum;

  while (result != G_CONVERTER_FINISHED) {
    gsize taken = 0, made = 0;

    result = g_converter_convert (converter, data + at, size - at, step, STEP,
        G_CONVERTER_INPUT_AT_END, &taken, &made, error);
    if (result == G_CONVERTER_ERROR)
      return NULL;
    if (made > max - ams_gather_get_size (output))
      return NULL;
    ams_gather_add (output, step, made);
    at += taken;
  }
  bytes = ams_gather_free_to_bytes (g_steal_pointer (&output), &errnum);
  if (!bytes)
    g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (errnum),
        g_strerror (errnum));
  return bytes;
}

GBytes *
ams_gzip_compress (GBytes *plain, GError **error)
{
  /* Without a GFileInfo there is no time in it. */
  g_autoptr (GZlibCompressor) zip =
      g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, LEVEL);

  return convert (G_CONVERTER (zip), plain, G_MAXUINT64, error);
}

gboolean
ams_gzip_is (GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  return size >= 3 && memcmp (data, "\x1f\x8b\x08", 3) == 0;
}

GBytes *
ams_gzip_decompress (GBytes *zipped, guint64 max_size, GError **error)
{
  g_autoptr (GZlibDecompressor) unzip =
      g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP);
  g_autoptr (GError) why = NULL;
  GBytes *plain = convert (G_CONVERTER (unzip), zipped, max_size, &why);

  if (plain)
    return plain;
  if (why)
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
            "its gzip data are damaged: %s", why->message));
  else
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
            "its gzip data make more than %" G_GUINT64_FORMAT " bytes",
            max_size));
  return NULL;
}
