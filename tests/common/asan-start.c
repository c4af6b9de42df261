/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Part of each test program under AddressSanitizer: what libraries allocate while the program is loaded is no leak. One that all have is
 * GLib's first block of quarks, which GLib lets go of, and has to, when there are more quarks than it holds. lsan.supp knows such by the
 * stack of the allocation, which is short where the stacks are not followed through libraries. */

#include <sanitizer/lsan_interface.h>

static void
stop_looking (void)
{
  __lsan_disable ();
}

/* Before the libraries' own constructors. */
static void (*const before_libraries) (void)
    __attribute__ ((section (".preinit_array"), used)) = stop_looking;

/* After them. */
static void __attribute__ ((constructor)) look_again (void)
{
  __lsan_enable ();
}
