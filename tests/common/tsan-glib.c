/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Preloaded into programs built with TSan. GLib's locks are futexes inside a
 * libglib that is not instrumented, so TSan does not see them and reports races
 * that are none. Each wrapper calls the real function and tells TSan. */

#include <dlfcn.h>
#include <glib.h>

/* A macro that calls the function. */
#undef g_atomic_ref_count_dec

#define FLAG_REENTRANT 2 /* __tsan_mutex_write_reentrant */
#define FLAG_TRY 16 /* __tsan_mutex_try_lock */
#define FLAG_TRY_FAILED 32 /* __tsan_mutex_try_lock_failed */

extern void __tsan_mutex_pre_lock (void *, unsigned);
extern void __tsan_mutex_post_lock (void *, unsigned, int);
extern int __tsan_mutex_pre_unlock (void *, unsigned);
extern void __tsan_mutex_post_unlock (void *, unsigned);
extern void __tsan_acquire (void *);
extern void __tsan_release (void *);

#define WRAP __attribute__ ((visibility ("default"), no_sanitize ("thread")))
#define REAL(name) \
  static __typeof__ (&name) real; \
  if (G_UNLIKELY (real == NULL)) \
  real = (__typeof__ (&name)) dlsym (RTLD_NEXT, #name)

static inline __attribute__ ((no_sanitize ("thread"))) void
said_unlock (void *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
}

static inline __attribute__ ((no_sanitize ("thread"))) void
said_lock (void *mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

WRAP void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock);
  __tsan_mutex_pre_lock (mutex, 0);
  real (mutex);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

WRAP gboolean
g_mutex_trylock (GMutex *mutex)
{
  REAL (g_mutex_trylock);
  __tsan_mutex_pre_lock (mutex, FLAG_TRY);
  gboolean locked = real (mutex);
  __tsan_mutex_post_lock (mutex, FLAG_TRY | (locked ? 0 : FLAG_TRY_FAILED), 0);
  return locked;
}

WRAP void
g_mutex_unlock (GMutex *mutex)
{
  REAL (g_mutex_unlock);
  said_unlock (mutex);
  real (mutex);
}

WRAP void
g_rec_mutex_lock (GRecMutex *mutex)
{
  REAL (g_rec_mutex_lock);
  __tsan_mutex_pre_lock (mutex, FLAG_REENTRANT);
  real (mutex);
  __tsan_mutex_post_lock (mutex, FLAG_REENTRANT, 1);
}

WRAP gboolean
g_rec_mutex_trylock (GRecMutex *mutex)
{
  REAL (g_rec_mutex_trylock);
  __tsan_mutex_pre_lock (mutex, FLAG_REENTRANT | FLAG_TRY);
  gboolean locked = real (mutex);
  __tsan_mutex_post_lock (mutex,
      FLAG_REENTRANT | FLAG_TRY | (locked ? 0 : FLAG_TRY_FAILED), 1);
  return locked;
}

WRAP void
g_rec_mutex_unlock (GRecMutex *mutex)
{
  REAL (g_rec_mutex_unlock);
  said_unlock (mutex);
  real (mutex);
}

WRAP void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  REAL (g_cond_wait);
  said_unlock (mutex);
  real (cond, mutex);
  said_lock (mutex);
  __tsan_acquire (cond);
}

WRAP gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  REAL (g_cond_wait_until);
  said_unlock (mutex);
  gboolean signalled = real (cond, mutex, end_time);
  said_lock (mutex);
  __tsan_acquire (cond);
  return signalled;
}

WRAP void
g_cond_signal (GCond *cond)
{
  REAL (g_cond_signal);
  __tsan_release (cond);
  real (cond);
}

WRAP void
g_cond_broadcast (GCond *cond)
{
  REAL (g_cond_broadcast);
  __tsan_release (cond);
  real (cond);
}

WRAP void
g_rw_lock_writer_lock (GRWLock *lock)
{
  REAL (g_rw_lock_writer_lock);
  __tsan_mutex_pre_lock (lock, 0);
  real (lock);
  __tsan_mutex_post_lock (lock, 0, 0);
}

WRAP void
g_rw_lock_writer_unlock (GRWLock *lock)
{
  REAL (g_rw_lock_writer_unlock);
  said_unlock (lock);
  real (lock);
}

WRAP void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  REAL (g_async_queue_push);
  __tsan_release (data);
  real (queue, data);
}

WRAP gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  REAL (g_async_queue_pop);
  gpointer data = real (queue);
  __tsan_acquire (data);
  return data;
}

WRAP gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  REAL (g_atomic_ref_count_dec);
  __tsan_release (count);
  gboolean last = real (count);
  if (last)
    __tsan_acquire (count);
  return last;
}
