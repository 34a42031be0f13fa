/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kpool internals.  Each concept has a header with its structure, who owns that
 * and which lock guards each field; here is what all of them have in common.
 *
 * Locks, outermost first:
 *
 *   pools_mutex		the registry of pools, their names
 *   waits_mutex	waits of our own threads (deadlock.c)
 *     pool->mutex	the shape: tree of groups, set of workers
 *	 handle->lock	raw, irqs off: of a KPOOL_PER_CPU pool, see percpu.c
 *       pool->lock	raw, irqs off: everything that queueing touches
 *	   completion	of a waiter (completed under pool->lock)
 *	   workqueue	that gives cancelled works back (queue_work())
 *	   callbacks_lock raw (callback.c)
 *	   run queue	(the few wake-ups that must be made under pool->lock)
 *
 * No client function is called under any of them.  Under pool->mutex nothing
 * is allocated, waited for or printed, so that a stop never waits for memory
 * or for a slow console.
 *
 * Letters behind the fields, in the manner of kernel/workqueue.c:
 *
 *   I	set at initialisation, read by everyone after
 *   L	pool->lock
 *   H	written under handle->lock and pool->lock, read under either
 *   M	pool->mutex
 *   ML	written under both, read under either
 *   W	the worker's own thread alone
 *   B	the binding of a work: from NULL by cmpxchg() under the lock of the
 *	pool that takes it, to NULL by smp_store_release() under that lock;
 *	read by smp_load_acquire() under RCU (see with_work_locked()).  From
 *	the group of one CPU to that of another under both locks
 *   R	pools_mutex
 *   D	waits_mutex
 *   A	atomic, or a kernel object with its own locking
 *
 * See Documentation/internals.rst for life times and teardown in phases.
 */
#ifndef _KPOOL_INTERNAL_H
#define _KPOOL_INTERNAL_H

#include "wait.h"
#include "callback.h"
#include "group.h"
#include "pool.h"
#include "worker.h"
#include "work.h"
#include "stop.h"
#include "room.h"
#include "percpu.h"

/* No hold of pool->lock handles more works, threads or groups than this. */
#define KPOOL_BATCH		32

/* How long creation rests after a failure; doubles with each more. */
#define KPOOL_BACKOFF_MIN	msecs_to_jiffies(10)

/* How often a stop without deadline names those that do not end. */
#define KPOOL_WATCHDOG_PERIOD	(30 * HZ)

#endif /* _KPOOL_INTERNAL_H */
