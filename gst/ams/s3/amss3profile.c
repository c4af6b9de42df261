/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3profile.h"

#include <string.h>

#include "s3/amss3sign.h"

#define PROFILE "profile"
#define SERVICES "services"

/* Values by the file's kind, the profile's name and the key: “1\nNAME\nKEY”; those of a
 * service “3\nNAME\nSERVICE\nKEY”. No line has a newline in it. */
struct _AmsS3Profiles
{
  GHashTable *values; /* owned → owned */
  GHashTable *names; /* a set */
};

AmsS3Profiles *
ams_s3_profiles_new (void)
{
  AmsS3Profiles *profiles = g_new0 (AmsS3Profiles, 1);

  profiles->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) ams_s3_secret_free);
  profiles->names =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return profiles;
}

void
ams_s3_profiles_free (AmsS3Profiles *profiles)
{
  g_hash_table_unref (profiles->values);
  g_hash_table_unref (profiles->names);
  g_free (profiles);
}

static gchar *
make_key (guint rank, const gchar *name, const gchar *key)
{
  g_autofree gchar *lower = g_ascii_strdown (key, -1);

  return g_strdup_printf ("%u\n%s\n%s", rank, name, lower);
}

/* What is asked first has the higher rank: credentials, then [profile default],
 * then [default]. */
enum
{
  RANK_PLAIN,
  RANK_CONFIG,
  RANK_CREDENTIALS,
  N_RANKS,
  RANK_SERVICES = N_RANKS /* no profile's */
};

typedef struct
{
  AmsS3Profiles *profiles;
  AmsS3ProfileFile file;
  gchar *name; /* of the profile; NULL: what follows is not wanted */
  guint rank;
  gchar *parent; /* (nullable) indented lines are its settings */
} Reader;

static gboolean
has_first_word (const gchar *text, const gchar *word)
{
  return g_str_has_prefix (text, word) && g_ascii_isspace (text[strlen (word)]);
}

/* Without blanks and quotes around it. */
static gchar *
read_name (const gchar *text)
{
  gchar *name = g_strstrip (g_strdup (text));
  gsize length = strlen (name);

  if (length >= 2 && name[0] == '"' && name[length - 1] == '"') {
    name[length - 1] = '\0';
    memmove (name, name + 1, length - 1);
  }
  return name;
}

/* @inner: between the brackets, stripped. NULL: it is no profile. */
static gchar *
profile_of (AmsS3ProfileFile file, const gchar *inner, guint *rank)
{
  gboolean prefixed = has_first_word (inner, PROFILE);
  g_autofree gchar *name =
      read_name (prefixed ? inner + strlen (PROFILE) : inner);

  *rank = RANK_CREDENTIALS;
  if (file == AMS_S3_PROFILE_CONFIG) {
    *rank = prefixed ? RANK_CONFIG : RANK_PLAIN;
    if (!prefixed && !g_str_equal (name, "default"))
      return NULL;
  }
  return *name != '\0' ? g_steal_pointer (&name) : NULL;
}

static void
read_section (Reader *reader, const gchar *line)
{
  const gchar *end = strchr (line, ']');
  g_autofree gchar *inner = NULL;

  g_clear_pointer (&reader->name, g_free);
  g_clear_pointer (&reader->parent, g_free);
  if (end == NULL)
    return;
  inner = g_strstrip (g_strndup (line + 1, end - line - 1));
  if (reader->file == AMS_S3_PROFILE_CONFIG &&
      has_first_word (inner, SERVICES)) {
    reader->name = read_name (inner + strlen (SERVICES));
    reader->rank = RANK_SERVICES;
    return;
  }
  reader->name = profile_of (reader->file, inner, &reader->rank);
  if (reader->name != NULL)
    g_hash_table_add (reader->profiles->names, g_strdup (reader->name));
}

/* A blank and “#” or “;” begin a comment. A secret may have these in it, but no
 * blank. */
static void
cut_comment (gchar *value)
{
  gchar *p;

  for (p = value; *p != '\0'; p++) {
    if ((*p == '#' || *p == ';') && p > value && g_ascii_isspace (p[-1])) {
      *p = '\0';
      return;
    }
  }
}

/* Of a profile's nested settings, none is of interest. */
static void
read_value (Reader *reader, const gchar *line, const gchar *parent)
{
  const gchar *equals = strchr (line, '=');
  g_autofree gchar *key = NULL, *plain = NULL;
  gchar *value;

  if (equals == NULL || reader->name == NULL ||
      (parent != NULL && reader->rank != RANK_SERVICES))
    return;
  plain = g_strstrip (g_strndup (line, equals - line));
  key = parent != NULL ? g_strconcat (parent, "\n", plain, NULL)
                       : g_strdup (plain);
  value = g_strdup (equals + 1);
  cut_comment (value);
  g_strstrip (value);
  if (parent == NULL) {
    g_free (reader->parent);
    reader->parent = *value == '\0' ? g_strdup (plain) : NULL;
  }
  g_hash_table_replace (reader->profiles->values,
      make_key (reader->rank, reader->name, key), value);
}

static void
read_line (Reader *reader, gchar *line)
{
  gboolean indented = g_ascii_isspace (*line);

  g_strstrip (line);
  if (*line == '\0' || *line == '#' || *line == ';')
    return;
  if (*line == '[')
    read_section (reader, line);
  else
    read_value (reader, line, indented ? reader->parent : NULL);
}

void
ams_s3_profiles_add (AmsS3Profiles *profiles, AmsS3ProfileFile file,
    const gchar *text, gsize size)
{
  gchar *whole = g_strndup (text, MIN (size, AMS_S3_PROFILE_MAX_SIZE));
  gsize whole_size = strlen (whole);
  Reader reader = { profiles, file };
  gchar *line = whole, *next;

  if (g_str_has_prefix (line, "\xef\xbb\xbf"))
    line += 3;
  for (; line != NULL; line = next) {
    next = strchr (line, '\n');
    if (next != NULL)
      *next++ = '\0';
    read_line (&reader, line);
  }
  g_free (reader.name);
  g_free (reader.parent);
  explicit_bzero (whole, whole_size);
  g_free (whole);
}

gboolean
ams_s3_profiles_has (AmsS3Profiles *profiles, const gchar *name)
{
  return g_hash_table_contains (profiles->names, name);
}

const gchar *
ams_s3_profiles_get (AmsS3Profiles *profiles, const gchar *name,
    const gchar *key)
{
  guint rank;

  for (rank = N_RANKS; rank-- > 0;) {
    g_autofree gchar *full = make_key (rank, name, key);
    const gchar *value = g_hash_table_lookup (profiles->values, full);

    if (value != NULL && *value != '\0')
      return value;
  }
  return NULL;
}

const gchar *
ams_s3_profiles_get_service (AmsS3Profiles *profiles, const gchar *name,
    const gchar *service, const gchar *key)
{
  g_autofree gchar *inner = g_strconcat (service, "\n", key, NULL);
  g_autofree gchar *full = make_key (RANK_SERVICES, name, inner);
  const gchar *value = g_hash_table_lookup (profiles->values, full);

  return value != NULL && *value != '\0' ? value : NULL;
}
