/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kpool: works.  What can be done with one: initialise, queue, wait, cancel;
 * and what its function can ask for.  Include <linux/kpool.h>.
 */
#ifndef _LINUX_KPOOL_WORK_H
#define _LINUX_KPOOL_WORK_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/types.h>

struct kpool_group;
struct kpool_work;
struct kpool_worker;

/**
 * typedef kpool_fn_t - the function of a work
 * @work: the work that runs; container_of() finds the caller's structure
 *
 * Context: a thread of the pool, no lock held.  May sleep, for ever if need
 * be.  Must not free @work: that is what the release function is for.
 * Return: any int.  Waiters receive it; kpool does not look at it.
 */
typedef int (*kpool_fn_t)(struct kpool_work *work);

/**
 * typedef kpool_release_t - gives a work back to its owner
 * @work: the work; kpool does not touch it again for this queueing
 *
 * Called exactly once for each queueing that was accepted, also if it was
 * cancelled and never ran.  An owner that counts references takes one for
 * each kpool_queue() that returns 0 and drops it here; a work that is queued
 * once may simply be freed here.
 *
 * Context: process context, no lock held, no signal pending.  May sleep, but
 * must not wait for its own group.  Stopping a group waits for the release
 * functions of its works; those of works that were cancelled are called one
 * after the other, by a workqueue.
 */
typedef void (*kpool_release_t)(struct kpool_work *work);

/**
 * struct kpool_work - one function call that may block for ever
 *
 * All fields belong to kpool.  Initialise with kpool_work_init() or one of
 * its variants before any other use.  Zeroed memory is not a valid work, and
 * nor is a copy of one, or one whose memory was moved.
 */
struct kpool_work {
	/* private: kpool/internal.h explains the letters */
	struct list_head	entry;		/* L: pending or released */
	kpool_fn_t		fn;		/* I */
	kpool_release_t		release;	/* I */
	struct kpool_group	*group;		/* B: binding */
	struct kpool_worker	*worker;	/* L: runs it */
	struct hlist_head	waiters;	/* L */
	u32			seq;		/* L: accepted queueings */
	int			result;		/* L: of the last run that ended */
	u8			state;		/* L: enum work_state */
	u8			flags;		/* L: WORK_* */
	u32			stamp;		/* L: when it was queued */
	atomic_t		disabled;	/* A: see kpool/disable.c */
#ifdef CONFIG_LOCKDEP
	struct lockdep_map	lockdep_map;	/* I */
#endif
};

void __kpool_work_init(struct kpool_work *work, kpool_fn_t fn,
		       kpool_release_t release, bool onstack,
		       const char *name, struct lock_class_key *key);

#define __kpool_work_init_key(work, fn, release, onstack)		\
	do {								\
		static struct lock_class_key __key;			\
									\
		__kpool_work_init(work, fn, release, onstack,		\
				  "(kpool_work)" #work, &__key);	\
	} while (0)

/**
 * kpool_work_init() - initialise a work
 * @work: the work, not pending or running anywhere
 * @fn: its function
 *
 * Context: any.
 */
#define kpool_work_init(work, fn)					\
	__kpool_work_init_key(work, fn, NULL, false)

/**
 * kpool_work_init_release() - initialise a work that is handed back
 * @work: the work, not pending or running anywhere
 * @fn: its function
 * @release: called once for each accepted queueing, when kpool is done with it
 *
 * Context: any.
 */
#define kpool_work_init_release(work, fn, release)			\
	__kpool_work_init_key(work, fn, release, false)

/**
 * kpool_work_init_key() - initialise a work with a lockdep class of its own
 * @work: the work, not pending or running anywhere
 * @fn: its function
 * @release: or NULL
 * @name: of the class, in lockdep's reports; a string that is never freed
 * @key: of the class, static
 *
 * To lockdep all works that are initialised at one place are one, and a work
 * that waits for another of its kind is reported.  Where that is meant, give
 * the works of each rank a key of their own.
 *
 * Context: any.
 */
#define kpool_work_init_key(work, fn, release, name, key)		\
	__kpool_work_init(work, fn, release, false, name, key)

/**
 * kpool_work_init_onstack() - initialise a work on the caller's stack
 * @work: the work
 * @fn: its function
 *
 * The caller waits for the work before it returns, and then calls
 * kpool_work_destroy_onstack().
 *
 * Context: any.
 */
#define kpool_work_init_onstack(work, fn)				\
	__kpool_work_init_key(work, fn, NULL, true)

/**
 * kpool_work_destroy_onstack() - end the life of a work on the stack
 * @work: initialised by kpool_work_init_onstack(), neither pending nor running
 *
 * Only debug objects need to know; does nothing in other kernels.
 */
#ifdef CONFIG_DEBUG_OBJECTS
void kpool_work_destroy_onstack(struct kpool_work *work);
#else
static inline void kpool_work_destroy_onstack(struct kpool_work *work) { }
#endif

#ifdef CONFIG_LOCKDEP
#define __KPOOL_WORK_LOCKDEP(n)						\
	.lockdep_map = STATIC_LOCKDEP_MAP_INIT("(kpool_work)" #n, &(n)),
#else
#define __KPOOL_WORK_LOCKDEP(n)
#endif

#define KPOOL_WORK_STATIC	BIT(7)	/* private: a bit of flags */

#define KPOOL_WORK_INIT(n, f, r) {					\
	.entry = LIST_HEAD_INIT((n).entry),				\
	.flags = KPOOL_WORK_STATIC,					\
	.fn = (f),							\
	.release = (r),							\
	.waiters = HLIST_HEAD_INIT,					\
	__KPOOL_WORK_LOCKDEP(n)						\
}

/**
 * DEFINE_KPOOL_WORK() - define a static work
 * @n: name of the variable
 * @f: its function
 */
#define DEFINE_KPOOL_WORK(n, f)						\
	struct kpool_work n = KPOOL_WORK_INIT(n, f, NULL)

/**
 * kpool_queue() - queue a work to a group
 * @group: the group that the work is stopped, waited for and limited with
 * @work: an initialised work
 *
 * An idle thread is committed to the work before this returns, if there is
 * one and the limits allow it; else the work waits, and a thread is created
 * for it if the pool may have one more.  Works of one group are given to
 * threads in the order in which they were queued.
 *
 * A work that is queued while it runs is run once more when it ends, after
 * what its group has pending by then.  It never runs twice at once.
 *
 * Context: any but NMI, also hard interrupts, with interrupts off and under
 * raw spinlocks; not under the run queue's or a task's pi_lock.  Never sleeps
 * or allocates.
 * Return: 0 queued; -EALREADY it is pending already; -ESHUTDOWN the group or
 * one above it refuses; -EAGAIN it would have to wait and max_queued works
 * wait already; -EBUSY it is pending or running in another group, or has not
 * been given back there; -ECANCELED it is being cancelled, or is disabled.
 */
int __must_check kpool_queue(struct kpool_group *group,
			     struct kpool_work *work);

/**
 * kpool_queue_on() - queue a work to run on a CPU
 * @cpu: its number
 * @group: a group of a pool with %KPOOL_PER_CPU
 * @work: an initialised work
 *
 * If the CPU goes offline before the work has started, it runs on another.
 *
 * Context: any but NMI, as kpool_queue().
 * Return: as kpool_queue(); -EBUSY also that it is pending or running on
 * another CPU; -ENODEV the CPU is offline; -EINVAL there is no such CPU, or the
 * pool has no threads per CPU.
 */
int __must_check kpool_queue_on(int cpu, struct kpool_group *group,
				struct kpool_work *work);

/* For kpool_queue_flags(). */
#define KPOOL_NOQUEUE		BIT(0)	/* start now, or not at all */
#define KPOOL_FRONT		BIT(1)	/* before the others of its group */

/**
 * kpool_queue_flags() - queue a work in a special way
 * @group: the group that the work is stopped, waited for and limited with
 * @work: an initialised work
 * @flags: any of KPOOL_NOQUEUE and KPOOL_FRONT
 *
 * KPOOL_NOQUEUE: an idle thread is committed to the work before this returns,
 * or the work is refused with -EAGAIN.  Whatever the number of callers, no more
 * works are accepted than there are idle threads and slots.  No thread is
 * created.  A work that runs is refused as well.
 *
 * KPOOL_FRONT: the work goes before all that its group has pending.  Its group
 * gets its turn no earlier.  A work that runs goes to the front when its run
 * ends.  An ordered group, or one below an ordered group, refuses this flag.
 *
 * Context: any but NMI, as kpool_queue().
 * Return: as kpool_queue(); -EAGAIN also that it could not start at once;
 * -EINVAL an unknown flag, or KPOOL_FRONT where max_active is 1.
 */
int __must_check kpool_queue_flags(struct kpool_group *group,
				   struct kpool_work *work,
				   unsigned int flags);

/**
 * kpool_queue_wait() - queue a work, waiting for room if need be
 * @group: the group that the work is stopped, waited for and limited with
 * @work: an initialised work
 * @timeout: in jiffies; 0 only looks
 *
 * Where kpool_queue() would refuse the work because of max_queued, this waits
 * until it would not.  Who waits for room in one group is served in order, and
 * one that comes by kpool_queue_wait() does not overtake them; groups that
 * wait for room in the same upper group take turns.  kpool_queue() does not
 * wait for anybody, and may be faster.
 *
 * The work is not bound to the group while the caller waits: others may queue
 * it meanwhile, and then this returns -EALREADY or -EBUSY.
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: as kpool_queue(), but for -EAGAIN; -ETIMEDOUT there was no room in
 * time; -ESHUTDOWN also that the group was stopped meanwhile; -EDEADLK there
 * is no room, and the caller is a work of the group or its release function,
 * or it would wait round a circle.
 */
int __must_check kpool_queue_wait(struct kpool_group *group,
				  struct kpool_work *work,
				  unsigned long timeout);

/**
 * kpool_queue_wait_killable() - queue a work, waiting for room, or be killed
 * @group: the group that the work is stopped, waited for and limited with
 * @work: an initialised work
 * @timeout: in jiffies; 0 only looks
 *
 * Context: process context, may sleep, killably.  A work that was told to
 * stop counts as killed.
 * Return: as kpool_queue_wait(), and -EINTR.
 */
int __must_check kpool_queue_wait_killable(struct kpool_group *group,
					   struct kpool_work *work,
					   unsigned long timeout);

/**
 * kpool_work_wait() - wait for a work to end
 * @work: the work
 * @result: where its function's return value goes, or NULL
 *
 * Waits for the run of the latest queueing accepted before the call.  Legal
 * long after the work ended, as long as its memory lives; its pool may be
 * gone by then.
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: 0 it ran, and *@result is set; -ECANCELED that queueing was
 * cancelled and never ran; -ENOENT the work was never queued; -EDEADLK it
 * would wait for itself, or round a circle.
 */
int kpool_work_wait(struct kpool_work *work, int *result);

/**
 * kpool_work_wait_timeout() - wait for a work to end, for so long
 * @work: the work
 * @result: where its function's return value goes, or NULL
 * @timeout: in jiffies; 0 only looks
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: as kpool_work_wait(), and -ETIMEDOUT.
 */
int kpool_work_wait_timeout(struct kpool_work *work, int *result,
			    unsigned long timeout);

/**
 * kpool_work_wait_killable() - wait for a work to end, or for a fatal signal
 * @work: the work
 * @result: where its function's return value goes, or NULL
 *
 * Context: process context, may sleep, killably.  A work that was told to
 * stop counts as killed.
 * Return: as kpool_work_wait(), and -EINTR.
 */
int kpool_work_wait_killable(struct kpool_work *work, int *result);

/**
 * enum kpool_cancel - what a cancel found
 * @KPOOL_CANCEL_IDLE: the work was neither pending nor running
 * @KPOOL_CANCEL_PENDING: it was pending; that queueing will never run
 * @KPOOL_CANCEL_RUNNING: it was running, or committed to a thread, and told
 */
enum kpool_cancel {
	KPOOL_CANCEL_IDLE,
	KPOOL_CANCEL_PENDING,
	KPOOL_CANCEL_RUNNING,
};

/**
 * kpool_work_cancel() - cancel a work, wherever it is
 * @work: the work
 *
 * A pending work is taken away: its waiters get -ECANCELED.  A running one is
 * told to stop, and a further run that was asked for meanwhile is taken away.
 * Until it has ended, kpool_queue() refuses it with -ECANCELED.
 *
 * Context: any but NMI, as kpool_queue().
 * Return: what the work was doing.
 */
enum kpool_cancel kpool_work_cancel(struct kpool_work *work);

/**
 * kpool_work_cancel_sync() - cancel a work and wait until it has ended
 * @work: the work
 *
 * On return its function is not executing, unless somebody queued it again
 * after the end of the run that was cancelled.
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: what the work was doing (enum kpool_cancel), or -EDEADLK from the
 * work itself; it is told all the same.
 */
int kpool_work_cancel_sync(struct kpool_work *work);

/**
 * kpool_work_disable() - cancel a work, and refuse it from now on
 * @work: an initialised work, queued or not
 *
 * Cancels it as kpool_work_cancel() does.  From here on queueing is refused
 * with -ECANCELED, in every group, until kpool_work_enable() has been called as
 * often as this.
 *
 * Context: any but NMI, as kpool_queue().
 * Return: what the work was doing.
 */
enum kpool_cancel kpool_work_disable(struct kpool_work *work);

/**
 * kpool_work_disable_sync() - disable a work and wait until it has ended
 * @work: an initialised work, queued or not
 *
 * On return its function is not executing, and will not until somebody enables
 * the work and queues it again.
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: as kpool_work_cancel_sync(); -EDEADLK from the work itself: it is
 * disabled and told, but not waited for.
 */
int kpool_work_disable_sync(struct kpool_work *work);

/**
 * kpool_work_enable() - take one kpool_work_disable() back
 * @work: the work
 *
 * A work that was told and has not ended is still refused until it has.  To
 * enable a work that is not disabled is a bug, and warned about.
 *
 * Context: any but NMI.
 * Return: true if it may be queued again, false if it is disabled still.
 */
bool kpool_work_enable(struct kpool_work *work);

/**
 * kpool_work_busy() - is the work pending, running, or to be given back?
 * @work: the work
 *
 * Context: any.
 * Return: an answer that may be out of date already, unless the caller
 * excludes queueing by other means.
 */
static inline bool kpool_work_busy(const struct kpool_work *work)
{
	return READ_ONCE(work->group);
}

/* ------------------------------------------------------------------------
 * Inside a work
 */

/**
 * kpool_should_stop() - has the running work been told to stop?
 *
 * True from the moment of the tell, whether the signal has arrived or not,
 * until the work ends, kpool_stop_ack() or not.
 *
 * Context: any; false outside of a work.
 */
bool kpool_should_stop(void);

/**
 * kpool_stop_ack() - acknowledge the tell, so that clean-up may sleep
 *
 * While it is told, a work finds that interruptible and killable sleeps end
 * at once, and that what is built on them fails: kthread_create(),
 * request_module(), page-cache reads.  After this call they work again.
 * kpool_should_stop() remains true, and no further signal comes for this run.
 * Legal also for a work that has not been told: it opts out of the signal.
 *
 * Context: inside a work, may sleep.  Does nothing elsewhere.
 */
void kpool_stop_ack(void);

/**
 * kpool_ready() - tell who started this work how that went
 * @ret: 0 the work is ready, and goes on; else why not, and the function
 *	returns soon
 *
 * Only the first call in a run counts.  Does nothing if nobody waits in
 * kpool_start() for this run.
 *
 * Context: inside a work, any.  Does nothing elsewhere.
 */
void kpool_ready(int ret);

/**
 * kpool_current() - the work that this thread runs
 *
 * Context: any.
 * Return: the work, or NULL outside of one.
 */
struct kpool_work *kpool_current(void);

#endif /* _LINUX_KPOOL_WORK_H */
