/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* To be preloaded: the process kills itself with SIGKILL right before the AMS_DIE_AT-th call that changes something in
 * the folder AMS_DIE_BELOW (an absolute path, which is also the folder that it is started in), or sends something to a
 * server. It says which one on stderr. With AMS_DIE_BEFORE ("pwrite64 .cam-00001.ts.part": a call, and how its path ends) only
 * such calls count. With AMS_DIE_ONCE, a path, the thread that is to make the call first waits until that is there. */

/* open() and open64() are both in use, and are both to be here. */
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__ ((visibility ("default")))

static int calls;

/* A relative path is one of that folder's. */
static int
is_below (const char *path)
{
  const char *below = getenv ("AMS_DIE_BELOW");

  return below &&
      (path[0] != '/' || strncmp (path, below, strlen (below)) == 0);
}

static int
is_meant (const char *call, const char *what)
{
  const char *before = getenv ("AMS_DIE_BEFORE");
  size_t length = strlen (call), size = strlen (what), end;

  if (!before)
    return 1;
  if (strncmp (before, call, length) != 0 || before[length] != ' ')
    return 0;
  before += length + 1;
  end = strlen (before);
  return size >= end && strcmp (what + size - end, before) == 0;
}

/* The other threads go on meanwhile. */
static void
wait_for_file (const char *path)
{
  while (path && access (path, F_OK) < 0)
    usleep (1000);
}

static void
count (const char *call, const char *what)
{
  const char *at = getenv ("AMS_DIE_AT");

  if (!at || !is_meant (call, what) ||
      __atomic_add_fetch (&calls, 1, __ATOMIC_SEQ_CST) != atoi (at))
    return;
  wait_for_file (getenv ("AMS_DIE_ONCE"));
  dprintf (STDERR_FILENO, "dies at call %s, before: %s %s\n", at, call, what);
  kill (getpid (), SIGKILL);
}

static void
count_path (const char *call, const char *path)
{
  if (is_below (path))
    count (call, path);
}

static void
count_open (const char *call, const char *path, int flags)
{
  if (flags & O_CREAT)
    count_path (call, path);
}

static void
count_fd (const char *call, int fd)
{
  char link[64], path[PATH_MAX];
  ssize_t length;

  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  length = readlink (link, path, sizeof path - 1);
  if (length <= 0 || path[0] != '/')
    return;
  path[length] = '\0';
  count_path (call, path);
}

static void
count_socket (const char *call, int fd)
{
  struct sockaddr_storage address;
  socklen_t size = sizeof address;

  if (getsockname (fd, (struct sockaddr *) &address, &size) == 0 &&
      address.ss_family == AF_INET)
    count (call, "to a server");
}

static mode_t
get_mode (int flags, va_list args)
{
  return flags & O_CREAT ? va_arg (args, mode_t) : 0;
}

#define NEXT(name) ((__typeof__ (&name)) dlsym (RTLD_NEXT, #name))

#define WRAP_OPEN(name) \
  EXPORT int name (const char *path, int flags, ...) \
  { \
    mode_t mode; \
    va_list args; \
\
    va_start (args, flags); \
    mode = get_mode (flags, args); \
    va_end (args); \
    count_open (#name, path, flags); \
    return NEXT (name) (path, flags, mode); \
  }

WRAP_OPEN (open)
WRAP_OPEN (open64)

#define WRAP_PATH(name, call, ...) \
  EXPORT int name (__VA_ARGS__) \
  { \
    count_path (#name, path); \
    return NEXT (name) call; \
  }

WRAP_PATH (unlink, (path), const char *path)
WRAP_PATH (rmdir, (path), const char *path)
WRAP_PATH (mkdir, (path, mode), const char *path, mode_t mode)
WRAP_PATH (rename, (path, to), const char *path, const char *to)
WRAP_PATH (link, (path, to), const char *path, const char *to)
WRAP_PATH (renameat2, (from, path, other, to, flags), int from,
    const char *path, int other, const char *to, unsigned int flags)

#define WRAP_FD(counts, type, name, call, ...) \
  EXPORT type name (__VA_ARGS__) \
  { \
    counts (#name, fd); \
    return NEXT (name) call; \
  }

WRAP_FD (count_fd, ssize_t, write, (fd, data, size), int fd, const void *data,
    size_t size)
WRAP_FD (count_fd, ssize_t, pwrite, (fd, data, size, at), int fd,
    const void *data, size_t size, off_t at)
WRAP_FD (count_fd, ssize_t, pwrite64, (fd, data, size, at), int fd,
    const void *data, size_t size, off64_t at)
WRAP_FD (count_fd, int, ftruncate, (fd, size), int fd, off_t size)
WRAP_FD (count_fd, int, ftruncate64, (fd, size), int fd, off64_t size)
WRAP_FD (count_socket, ssize_t, send, (fd, data, size, flags), int fd,
    const void *data, size_t size, int flags)
WRAP_FD (count_socket, ssize_t, sendmsg, (fd, message, flags), int fd,
    const struct msghdr *message, int flags)
