/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* To be preloaded: a file system that has no locks, as some of the network have none. */

#include <errno.h>
#include <sys/file.h>

__attribute__ ((visibility ("default"))) int
flock (int fd, int operation)
{
  errno = ENOLCK;
  return -1;
}
