/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3xml.h"

#include <string.h>

#include "transfer/amsstore.h"

/* Elements further in are skipped. S3's answers have four levels. */
#define MAX_DEPTH 8
#define MAX_NAME 64

/* The scanner */

typedef struct
{
  const gchar *at, *end;
  GString *path;
  guint depth; /* of open elements, MAX_DEPTH and beyond included */
  gsize path_ends[MAX_DEPTH]; /* of the element around each */
  GString *texts[MAX_DEPTH];
  gboolean rooted, closed;
  AmsS3XmlFunc func;
  gpointer user_data;
} Scanner;

static gboolean
looks_at (const Scanner *scanner, const gchar *what)
{
  gsize length = strlen (what);

  return (gsize) (scanner->end - scanner->at) >= length &&
      memcmp (scanner->at, what, length) == 0;
}

/* FALSE: there is none. */
static gboolean
skip_past (Scanner *scanner, const gchar *what)
{
  const gchar *found =
      memmem (scanner->at, scanner->end - scanner->at, what, strlen (what));

  scanner->at = found != NULL ? found + strlen (what) : scanner->end;
  return found != NULL;
}

static GString *
current_text (Scanner *scanner)
{
  if (scanner->depth == 0 || scanner->depth > MAX_DEPTH)
    return NULL;
  return scanner->texts[scanner->depth - 1];
}

static void
append_text (Scanner *scanner, const gchar *text, gsize length)
{
  GString *out = current_text (scanner);

  if (out != NULL)
    g_string_append_len (out, text, length);
}

static gunichar
numeric_entity (const gchar *name)
{
  guint64 value = 0;
  gboolean hex = name[0] == 'x' || name[0] == 'X';

  if (!g_ascii_string_to_unsigned (hex ? name + 1 : name, hex ? 16 : 10, 1,
          0x10ffff, &value, NULL) ||
      !g_unichar_validate (value))
    return 0;
  return value;
}

static gunichar
entity_char (const gchar *name)
{
  static const struct
  {
    const gchar *name;
    gunichar c;
  } known[] = { { "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "apos", '\'' },
    { "quot", '"' } };
  guint i;

  if (*name == '#')
    return numeric_entity (name + 1);
  for (i = 0; i < G_N_ELEMENTS (known); i++) {
    if (g_str_equal (name, known[i].name))
      return known[i].c;
  }
  return 0;
}

/* At "&". One that is not known stays as it is. */
static void
read_entity (Scanner *scanner)
{
  gchar name[12], utf8[6];
  gsize length = 0, left = scanner->end - scanner->at - 1;
  gunichar c = 0;

  while (length < left && length + 1 < sizeof name &&
      (g_ascii_isalnum (scanner->at[1 + length]) ||
          scanner->at[1 + length] == '#')) {
    name[length] = scanner->at[1 + length];
    length++;
  }
  name[length] = '\0';
  if (length < left && scanner->at[1 + length] == ';')
    c = entity_char (name);
  if (c == 0) {
    append_text (scanner, "&", 1);
    scanner->at++;
    return;
  }
  append_text (scanner, utf8, g_unichar_to_utf8 (c, utf8));
  scanner->at += length + 2;
}

static void
read_text (Scanner *scanner)
{
  const gchar *start = scanner->at;

  while (
      scanner->at < scanner->end && *scanner->at != '<' && *scanner->at != '&')
    scanner->at++;
  append_text (scanner, start, scanner->at - start);
  if (scanner->at < scanner->end && *scanner->at == '&')
    read_entity (scanner);
}

static void
read_cdata (Scanner *scanner)
{
  const gchar *start;

  scanner->at += strlen ("<![CDATA[");
  start = scanner->at;
  if (skip_past (scanner, "]]>"))
    append_text (scanner, start, scanner->at - start - strlen ("]]>"));
  else
    append_text (scanner, start, scanner->end - start);
}

static gboolean
ends_name (gchar c)
{
  return c == '>' || c == '/' || g_ascii_isspace (c);
}

/* @name: of at least MAX_NAME, without the namespace. */
static void
read_name (Scanner *scanner, gchar *name)
{
  gsize length = 0;

  for (; scanner->at < scanner->end && !ends_name (*scanner->at);
       scanner->at++) {
    if (*scanner->at == ':')
      length = 0;
    else if (length + 1 < MAX_NAME)
      name[length++] = *scanner->at;
  }
  name[length] = '\0';
}

/* Past the ">" that ends a tag; one in an attribute's value does not. @empty:
 * whether "/" is before it. FALSE: the tag is cut off. */
static gboolean
skip_attributes (Scanner *scanner, gboolean *empty)
{
  gchar quote = '\0', before = '\0';

  for (; scanner->at < scanner->end; scanner->at++) {
    gchar c = *scanner->at;

    if (quote != '\0') {
      if (c == quote)
        quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      scanner->at++;
      *empty = before == '/';
      return TRUE;
    }
    before = c;
  }
  return FALSE;
}

static void
open_element (Scanner *scanner, const gchar *name)
{
  scanner->rooted = TRUE;
  if (scanner->depth < MAX_DEPTH) {
    scanner->path_ends[scanner->depth] = scanner->path->len;
    if (scanner->path->len > 0)
      g_string_append_c (scanner->path, '/');
    g_string_append (scanner->path, name);
    g_string_truncate (scanner->texts[scanner->depth], 0);
  }
  scanner->depth++;
}

static void
close_element (Scanner *scanner)
{
  scanner->depth--;
  if (scanner->depth < MAX_DEPTH) {
    GString *text = scanner->texts[scanner->depth];
    g_autofree gchar *valid = g_utf8_make_valid (text->str, text->len);
    g_autofree gchar *path =
        g_utf8_make_valid (scanner->path->str, scanner->path->len);

    scanner->func (path, valid, scanner->user_data);
    g_string_truncate (scanner->path, scanner->path_ends[scanner->depth]);
  }
  scanner->closed = scanner->depth == 0;
}

/* How many open elements @name's end ends: HTML does not close each of its own. 0:
 * none is open by that name. */
static guint
count_to (const Scanner *scanner, const gchar *name)
{
  gsize end = scanner->path->len;
  guint i;

  if (scanner->depth > MAX_DEPTH)
    return 1;
  for (i = scanner->depth; i > 0; i--) {
    gsize start = scanner->path_ends[i - 1];

    if (start > 0)
      start++;
    if (end - start == strlen (name) &&
        memcmp (scanner->path->str + start, name, end - start) == 0)
      return scanner->depth - i + 1;
    end = scanner->path_ends[i - 1];
  }
  return 0;
}

static void
read_end_tag (Scanner *scanner)
{
  gchar name[MAX_NAME];
  guint n;

  scanner->at += strlen ("</");
  read_name (scanner, name);
  if (!skip_past (scanner, ">"))
    return;
  for (n = count_to (scanner, name); n > 0; n--)
    close_element (scanner);
}

static void
read_start_tag (Scanner *scanner)
{
  gchar name[MAX_NAME];
  gboolean empty;

  scanner->at++;
  read_name (scanner, name);
  if (!skip_attributes (scanner, &empty))
    return;
  open_element (scanner, name);
  if (empty)
    close_element (scanner);
}

static void
read_next (Scanner *scanner)
{
  if (*scanner->at != '<')
    read_text (scanner);
  else if (looks_at (scanner, "<!--"))
    skip_past (scanner, "-->");
  else if (looks_at (scanner, "<![CDATA["))
    read_cdata (scanner);
  else if (looks_at (scanner, "<?"))
    skip_past (scanner, "?>");
  else if (looks_at (scanner, "<!"))
    skip_past (scanner, ">");
  else if (looks_at (scanner, "</"))
    read_end_tag (scanner);
  else
    read_start_tag (scanner);
}

/* Never NULL, which nothing may be added to. */
static const gchar *
get_text (GBytes *xml, gsize *size)
{
  const gchar *data = g_bytes_get_data (xml, size);

  return data != NULL ? data : "";
}

gboolean
ams_s3_xml_parse (GBytes *xml, AmsS3XmlFunc func, gpointer user_data)
{
  gsize size;
  const gchar *data = get_text (xml, &size);
  Scanner scanner = { data, data + size, g_string_new (NULL), .func = func,
    .user_data = user_data };
  guint i;

  for (i = 0; i < MAX_DEPTH; i++)
    scanner.texts[i] = g_string_new (NULL);
  while (scanner.at < scanner.end && !scanner.closed)
    read_next (&scanner);
  for (i = 0; i < MAX_DEPTH; i++)
    g_string_free (scanner.texts[i], TRUE);
  g_string_free (scanner.path, TRUE);
  return scanner.closed;
}

/* The first element of all: no need to read further. */
gboolean
ams_s3_xml_has_root (GBytes *xml, const gchar *name)
{
  gsize size;
  const gchar *data = get_text (xml, &size);
  Scanner scanner = { data, data + size };
  gchar root[MAX_NAME];

  while (scanner.at < scanner.end) {
    if (looks_at (&scanner, "<!--"))
      skip_past (&scanner, "-->");
    else if (looks_at (&scanner, "<?") || looks_at (&scanner, "<!"))
      skip_past (&scanner, ">");
    else if (*scanner.at == '<')
      break;
    else
      scanner.at++;
  }
  if (scanner.at == scanner.end)
    return FALSE;
  scanner.at++;
  read_name (&scanner, root);
  return g_str_equal (root, name);
}

/* ListObjectsV2 */

typedef struct
{
  AmsS3Listing *listing;
  gboolean encoded, truncated, bad;
  gchar *key;
  gchar *size;
} ListReader;

static void
clear_object (gpointer data)
{
  g_free (((AmsS3Object *) data)->key);
}

void
ams_s3_listing_free (AmsS3Listing *listing)
{
  g_array_unref (listing->objects);
  g_free (listing->next);
  g_free (listing);
}

static void
take_string (gchar **to, const gchar *text)
{
  g_free (*to);
  *to = g_strdup (text);
}

static void
take_object (ListReader *reader)
{
  AmsS3Object object = { NULL, 0 };

  if (reader->key == NULL || reader->size == NULL ||
      !g_ascii_string_to_unsigned (reader->size, 10, 0, G_MAXINT64,
          &object.size, NULL)) {
    reader->bad = TRUE;
  } else {
    object.key = g_steal_pointer (&reader->key);
    g_array_append_val (reader->listing->objects, object);
  }
  g_clear_pointer (&reader->key, g_free);
  g_clear_pointer (&reader->size, g_free);
}

static void
on_list_element (const gchar *path, const gchar *text, gpointer user_data)
{
  ListReader *reader = user_data;
  const gchar *name = strchr (path, '/');

  if (name == NULL)
    return;
  name++;
  if (g_str_equal (name, "Contents/Key"))
    take_string (&reader->key, text);
  else if (g_str_equal (name, "Contents/Size"))
    take_string (&reader->size, text);
  else if (g_str_equal (name, "Contents"))
    take_object (reader);
  else if (g_str_equal (name, "EncodingType"))
    reader->encoded = g_ascii_strcasecmp (text, "url") == 0;
  else if (g_str_equal (name, "IsTruncated"))
    reader->truncated = g_ascii_strcasecmp (text, "true") == 0;
  else if (g_str_equal (name, "NextContinuationToken"))
    take_string (&reader->listing->next, text);
}

/* encoding-type=url is that of forms: "+" is a space. FALSE: not UTF-8 then. */
static gboolean
decode_key (AmsS3Object *object)
{
  g_autofree gchar *plain = g_strdelimit (g_strdup (object->key), "+", ' ');
  gchar *key = g_uri_unescape_string (plain, NULL);

  if (key == NULL || !g_utf8_validate (key, -1, NULL)) {
    g_free (key);
    return FALSE;
  }
  g_free (object->key);
  object->key = key;
  return TRUE;
}

/* EncodingType may come behind the keys. */
static void
decode_keys (ListReader *reader)
{
  GArray *objects = reader->listing->objects;
  guint i;

  for (i = 0; reader->encoded && i < objects->len;) {
    /* Nothing that this project wrote: names are UTF-8. */
    if (decode_key (&g_array_index (objects, AmsS3Object, i)))
      i++;
    else
      g_array_remove_index (objects, i);
  }
}

static GError *
not_a_listing (const gchar *what)
{
  return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
      "What the store answered is not a whole %s.", what);
}

AmsS3Listing *
ams_s3_listing_parse (GBytes *xml, GError **error)
{
  g_autoptr (AmsS3Listing) listing = g_new0 (AmsS3Listing, 1);
  ListReader reader = { listing };
  gboolean whole;

  listing->objects = g_array_new (FALSE, FALSE, sizeof (AmsS3Object));
  g_array_set_clear_func (listing->objects, clear_object);
  whole = ams_s3_xml_has_root (xml, "ListBucketResult") &&
      ams_s3_xml_parse (xml, on_list_element, &reader);
  g_free (reader.key);
  g_free (reader.size);
  decode_keys (&reader);
  if (!reader.truncated)
    g_clear_pointer (&listing->next, g_free);
  if (whole && !reader.bad && (!reader.truncated || listing->next != NULL))
    return g_steal_pointer (&listing);
  g_propagate_error (error, not_a_listing ("list of objects"));
  return NULL;
}

/* Multipart uploads */

void
ams_s3_upload_free (AmsS3Upload *upload)
{
  g_free (upload->key);
  g_free (upload->upload_id);
  g_free (upload);
}

typedef struct
{
  const gchar *path;
  gchar *text;
} Wanted;

static void
on_wanted_element (const gchar *path, const gchar *text, gpointer user_data)
{
  Wanted *wanted = user_data;

  if (wanted->text == NULL && g_str_equal (path, wanted->path))
    wanted->text = g_strdup (text);
}

static gchar *
find_text (GBytes *xml, const gchar *path)
{
  Wanted wanted = { path, NULL };

  ams_s3_xml_parse (xml, on_wanted_element, &wanted);
  if (wanted.text != NULL && *wanted.text == '\0')
    g_clear_pointer (&wanted.text, g_free);
  return wanted.text;
}

gchar *
ams_s3_parse_upload_id (GBytes *xml)
{
  return find_text (xml, "InitiateMultipartUploadResult/UploadId");
}

gchar *
ams_s3_parse_etag (GBytes *xml)
{
  gchar *etag = find_text (xml, "CompleteMultipartUploadResult/ETag");
  gsize length = etag != NULL ? strlen (etag) : 0;

  if (length >= 2 && etag[0] == '"' && etag[length - 1] == '"') {
    memmove (etag, etag + 1, length - 2);
    etag[length - 2] = '\0';
  }
  return etag;
}

typedef struct
{
  GPtrArray *uploads;
  AmsS3Upload *upload;
} UploadReader;

static gint64
parse_date (const gchar *text)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (text, NULL);

  return date != NULL ? g_date_time_to_unix (date) * G_USEC_PER_SEC : 0;
}

static void
on_upload_element (const gchar *path, const gchar *text, gpointer user_data)
{
  UploadReader *reader = user_data;
  const gchar *name = strchr (path, '/');

  if (name == NULL)
    return;
  name++;
  if (g_str_equal (name, "Upload/Key"))
    take_string (&reader->upload->key, text);
  else if (g_str_equal (name, "Upload/UploadId"))
    take_string (&reader->upload->upload_id, text);
  else if (g_str_equal (name, "Upload/Initiated"))
    reader->upload->initiated = parse_date (text);
  if (!g_str_equal (name, "Upload"))
    return;
  if (reader->upload->key != NULL && reader->upload->upload_id != NULL) {
    g_ptr_array_add (reader->uploads, g_steal_pointer (&reader->upload));
    reader->upload = g_new0 (AmsS3Upload, 1);
  }
}

GPtrArray *
ams_s3_parse_uploads (GBytes *xml, GError **error)
{
  g_autoptr (GPtrArray) uploads =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_s3_upload_free);
  UploadReader reader = { uploads, g_new0 (AmsS3Upload, 1) };
  gboolean whole = ams_s3_xml_has_root (xml, "ListMultipartUploadsResult") &&
      ams_s3_xml_parse (xml, on_upload_element, &reader);

  ams_s3_upload_free (reader.upload);
  if (whole)
    return g_steal_pointer (&uploads);
  g_propagate_error (error, not_a_listing ("list of uploads"));
  return NULL;
}
