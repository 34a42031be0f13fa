/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kpool: bounded pools of threads for kernel work that may block for ever.
 *
 * Three nouns:
 *
 *   pool   a bounded set of kthreads.  Some are kept warm, others come by
 *          need and leave when they have been idle for long enough.
 *   group  what is stopped, waited for and limited together.  Groups form a
 *          tree; the pool's root group is its top.
 *   work   one function call that may block for ever.  It is embedded in the
 *          caller's structure, so queueing never allocates.
 *
 * The hardest thing first.  Stopping a group refuses further queueing, takes
 * the pending works away, tells every running one *at once* and then waits
 * for the slowest.  To be told means that kpool_should_stop() is true and
 * that interruptible and killable sleeps end; a function that sleeps
 * uninterruptibly ends when it ends, and nobody can change that.  On return
 * from kpool_group_stop() no function of the group is executing, so the
 * memory and the module text behind it may go.
 *
 * A driver embeds a work in each thing that it serves:
 *
 *	static int session_run(struct kpool_work *work)
 *	{
 *		struct session *s = container_of(work, struct session, work);
 *
 *		while (!kpool_should_stop())
 *			if (wait_event_interruptible(s->wq, session_ready(s)) == 0)
 *				session_serve(s);
 *		return 0;
 *	}
 *
 *	kpool_work_init(&s->work, session_run);
 *	err = kpool_queue(group, &s->work);
 *	...
 *	kpool_group_stop(group);	(all sessions, at once)
 *
 * Documentation/kpool.rst has the whole contract, with the contexts and the
 * one meaning of each error; Documentation/internals.rst says why it holds.
 */
#ifndef _LINUX_KPOOL_H
#define _LINUX_KPOOL_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/cpumask.h>
#include <linux/kpool_work.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/types.h>

struct device;
struct kpool;
struct kpool_group;

/* Longest name of a pool or group, without the terminating zero. */
#define KPOOL_NAME_MAX		31

/* Most levels of groups in a pool; its root is the first. */
#define KPOOL_GROUP_LEVELS	8

/* Most threads that one pool may have. */
#define KPOOL_MAX_THREADS	32768

/* How long a thread above min_threads stays idle unless told otherwise. */
#define KPOOL_IDLE_TIMEOUT	(30 * HZ)

/* ------------------------------------------------------------------------
 * Groups
 */

/* Flags of a group. */
#define KPOOL_NOSIGNAL		BIT(0)	/* a tell is no signal: see below */
#define KPOOL_TELL_ON_OFFLINE	BIT(1)	/* a CPU that goes is a tell: likewise */
/* private: all there are */
#define KPOOL_GROUP_FLAGS	(KPOOL_NOSIGNAL | KPOOL_TELL_ON_OFFLINE)

/**
 * struct kpool_group_params - what a group may be created with
 * @max_active: most works of it and the groups below it that run at once;
 *	1 makes it strictly ordered; 0 leaves that to the pool
 * @max_queued: most of them that wait for a thread or a turn; 0: any number
 * @reserve: threads that others leave to it and the groups below it; at most
 *	what its parent has reserved, less what other groups there have; a
 *	group right below the root may reserve what is left of max_threads
 * @cancel: called when the group is stopped, once, after queueing is refused
 *	and running works were told; for what a signal does not end.  May
 *	sleep, must be short and must not wait for works of the group.  Top
 *	down through the tree, in the thread that stops or in another
 * @first_in: called before a work runs in it or below it, if none did; by the
 *	worker, which has the work to run next; other starts wait for it
 * @last_out: called when the last of them has ended; likewise.  First in and
 *	last out alternate; those of a parent enclose those of a child
 * @data: what kpool_group_data() returns
 * @flags: %KPOOL_NOSIGNAL: works queued to this group are told by
 *	kpool_should_stop() and @cancel only, and get no signal;
 *	%KPOOL_TELL_ON_OFFLINE: in a pool with %KPOOL_PER_CPU, those that run
 *	on a CPU that goes offline are told
 *
 * None of the functions is called with a lock held or a signal pending, but
 * @first_in, which is part of the run that follows.  Stopping a group waits
 * for them.
 */
struct kpool_group_params {
	int		max_active;
	int		max_queued;
	int		reserve;
	void		(*cancel)(struct kpool_group *group);
	void		(*first_in)(struct kpool_group *group);
	void		(*last_out)(struct kpool_group *group);
	void		*data;
	unsigned int	flags;
};

struct kpool_group *
__kpool_group_create(struct kpool_group *parent, const char *name,
		     const struct kpool_group_params *params,
		     const char *lock_name, struct lock_class_key *key);

/**
 * kpool_group_create() - make a group
 * @parent: the group to put it under, or kpool_root() of a pool
 * @name: 1 to KPOOL_NAME_MAX printable characters without blanks or slashes,
 *	different from its siblings
 * @params: or NULL for no limits of its own
 *
 * Context: process context, may sleep.
 * Return: the group, or an ERR_PTR: -EINVAL a bad name, parameter or parent;
 * -EEXIST the name is taken; -ESHUTDOWN the parent, or one above it, does not
 * take works; -ENOSPC there are not so many threads left to reserve; -ENOMEM;
 * -EINTR the caller was killed while reserved threads were created.
 */
#define kpool_group_create(parent, name, params)			\
({									\
	static struct lock_class_key __key;				\
									\
	__kpool_group_create(parent, name, params,			\
			     "(kpool_group)" #name, &__key);		\
})

struct kpool_group *
__devm_kpool_group_create(struct device *dev, struct kpool_group *parent,
			  const char *name,
			  const struct kpool_group_params *params,
			  const char *lock_name, struct lock_class_key *key);

/**
 * devm_kpool_group_create() - make a group that goes with a driver's binding
 * @dev: the device; the group is destroyed when its driver is unbound
 * @parent: as for kpool_group_create()
 * @name: as for kpool_group_create()
 * @params: as for kpool_group_create()
 *
 * Groups below it must be gone by then: managed ones are, for they were
 * created later.
 *
 * Context: process context, may sleep.
 * Return: as kpool_group_create().
 */
#define devm_kpool_group_create(dev, parent, name, params)		\
({									\
	static struct lock_class_key __key;				\
									\
	__devm_kpool_group_create(dev, parent, name, params,		\
				  "(kpool_group)" #name, &__key);	\
})

/**
 * kpool_group_data() - the data that a group was created with
 * @group: the group
 *
 * Context: any.
 */
void *kpool_group_data(const struct kpool_group *group);

/**
 * kpool_group_destroy() - stop a group and free it
 * @group: the group, or NULL or an ERR_PTR, which is ignored
 *
 * Waits until everything in it has ended, for ever if need be, and names
 * those that do not end in the log.  The caller sees to it that nobody uses
 * the group any more.  Legal after the pool was destroyed.
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: 0; -EBUSY it still has groups below it, which is a bug of the
 * caller and warned about; -EDEADLK from a work of the group or its release
 * function; -EINVAL @group is the root of a pool.  In these cases nothing is freed.
 */
int kpool_group_destroy(struct kpool_group *group);

/**
 * kpool_group_set_limits() - change the limits of a group while it works
 * @group: the group, also a root
 * @max_active: as in &struct kpool_group_params
 * @max_queued: likewise; of a root it is the one of the pool
 *
 * What a raised limit allows to start has been given its thread on return, or
 * the pool creates threads for it.  A limit below what is in use is legal: what
 * runs goes on and what waits stays, but nothing new starts or is accepted.
 *
 * Context: process context; does not wait for works.
 * Return: 0, or -EINVAL a limit is negative, or @max_active less than what the
 * group has reserved; the log names it.
 */
int kpool_group_set_limits(struct kpool_group *group, int max_active,
			   int max_queued);

/**
 * kpool_group_request_stop() - stop a group without waiting
 * @group: the group
 *
 * From here on queueing is refused and kpool_should_stop() is true in each of
 * its works.  Pending works are settled and running ones signalled soon
 * after, by a thread of the pool.
 *
 * Context: any but NMI, as kpool_queue().
 */
void kpool_group_request_stop(struct kpool_group *group);

/**
 * kpool_group_stop() - stop a group and everything below it
 * @group: the group
 *
 * Refuses queueing (-ESHUTDOWN), takes pending works away (their waiters get
 * -ECANCELED), tells all running works at once and waits until the last one
 * has ended.  Takes as long as the slowest, not as long as all together.  May
 * be called any number of times, by any number of callers.
 *
 * On return no function of the group, release functions included, is
 * executing or will.
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: 0; -EDEADLK from a work of the group or its release function: the
 * group is stopped, but not waited for.
 */
int kpool_group_stop(struct kpool_group *group);

/**
 * kpool_group_stop_timeout() - stop a group, waiting no longer than so long
 * @group: the group
 * @timeout: in jiffies
 *
 * When the time is over the log names each function that has not ended, with
 * its thread, age and stack, each once.  Nothing is freed under it, and the call
 * may be repeated.
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: as kpool_group_stop(), and -ETIMEDOUT.
 */
int kpool_group_stop_timeout(struct kpool_group *group, unsigned long timeout);

/**
 * kpool_group_wait() - wait until a group is idle
 * @group: the group
 *
 * Idle means that nothing of the group or below it is pending, running or
 * being released.  It is enough if that was so at one moment.
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: 0; -EDEADLK from a work of the group or its release function.
 */
int kpool_group_wait(struct kpool_group *group);

/**
 * kpool_group_wait_timeout() - wait until a group is idle, for so long
 * @group: the group
 * @timeout: in jiffies; 0 only looks
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: as kpool_group_wait(), and -ETIMEDOUT.
 */
int kpool_group_wait_timeout(struct kpool_group *group, unsigned long timeout);

/**
 * kpool_group_wait_killable() - wait until a group is idle, or be killed
 * @group: the group
 *
 * Context: process context, may sleep, killably.
 * Return: as kpool_group_wait(), and -EINTR.
 */
int kpool_group_wait_killable(struct kpool_group *group);

/**
 * kpool_group_drain() - let a group run dry, and keep it closed
 * @group: the group
 *
 * Refuses queueing (-ESHUTDOWN) to it and below it, except by works of the
 * group itself, so that chains of them come to their end; then waits until it
 * is idle.  Nothing is cancelled.  The group stays closed.
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: 0; -EDEADLK from a work of the group or its release function: the
 * group is closed, but not waited for.
 */
int kpool_group_drain(struct kpool_group *group);

/**
 * kpool_group_drain_timeout() - drain a group, waiting no longer than so long
 * @group: the group
 * @timeout: in jiffies; 0 only closes it, and looks
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: as kpool_group_drain(), and -ETIMEDOUT.
 */
int kpool_group_drain_timeout(struct kpool_group *group, unsigned long timeout);

/**
 * kpool_group_drain_killable() - drain a group, or be killed
 * @group: the group
 *
 * Context: process context, may sleep, killably.
 * Return: as kpool_group_drain(), and -EINTR.
 */
int kpool_group_drain_killable(struct kpool_group *group);

/**
 * kpool_group_reopen() - let a group that was stopped or drained take works
 * @group: the group
 *
 * Groups below it that were stopped or drained by themselves stay so.
 *
 * Context: process context, may sleep.
 * Return: 0, also if it was open; -EBUSY it is not idle yet; -ESHUTDOWN one
 * above it is closed.
 */
int kpool_group_reopen(struct kpool_group *group);

/* ------------------------------------------------------------------------
 * Pools
 */

/*
 * Its threads freeze when the system is suspended: between works, while idle,
 * and where a work sleeps freezably.  See "Suspend" in Documentation/kpool.rst.
 */
#define KPOOL_FREEZABLE		BIT(0)

/* kpool_params.node is meant. */
#define KPOOL_ON_NODE		BIT(1)

/*
 * Threads of its own for each CPU, and limits for each; what is queued runs on
 * the CPU that it is queued from.  See "Per-CPU pools" in kpool.rst.
 */
#define KPOOL_PER_CPU		BIT(2)

/* Longest name of such a pool: the CPU's number is added to it. */
#define KPOOL_PER_CPU_NAME_MAX	(KPOOL_NAME_MAX - 6)

/**
 * struct kpool_params - what a pool is created with
 * @min_threads: threads that are kept warm, 0 to @max_threads
 * @max_threads: never more threads than this, 1 to KPOOL_MAX_THREADS
 * @idle_timeout: in jiffies; threads above @min_threads leave after having
 *	been idle for so long; 0 is KPOOL_IDLE_TIMEOUT
 * @max_queued: most works that wait for a thread or a turn; 0: any number
 * @flags: KPOOL_FREEZABLE, KPOOL_ON_NODE, KPOOL_PER_CPU
 * @nice: of its threads, -20 to 19
 * @cpumask: the CPUs that they run on; copied; NULL: any
 * @node: with KPOOL_ON_NODE, the NUMA node that they belong to: they run on its
 *	CPUs, and their stacks are there.  With a @cpumask the mask alone counts.
 * @init: called by each thread before its first work, or NULL.  Returns 0 or
 *	a negative errno, which makes kpool_create() fail; for a thread that comes
 *	later it is a creation that failed: the thread ends, works remain queued,
 *	and after a while the pool tries again.
 * @exit: called by each thread after its last work, if its @init did not fail;
 *	or NULL
 * @hook_data: the argument of both
 *
 * Hooks are called in process context and may sleep; no lock is held, no signal
 * is pending, and none comes.  They may queue works, but must not wait for
 * threads or works of the pool.
 */
struct kpool_params {
	int	min_threads;
	int	max_threads;
	long	idle_timeout;
	int	max_queued;
	unsigned int flags;
	int	nice;
	const struct cpumask *cpumask;
	int	node;
	int	(*init)(void *data);
	void	(*exit)(void *data);
	void	*hook_data;
};

struct kpool *__kpool_create(const char *name,
			     const struct kpool_params *params,
			     const char *lock_name,
			     struct lock_class_key *key);

/**
 * kpool_create() - make a pool
 * @name: 1 to KPOOL_NAME_MAX printable characters without blanks or slashes,
 *	different from every other pool; with %KPOOL_PER_CPU at most
 *	KPOOL_PER_CPU_NAME_MAX
 * @params: sizes and limits
 *
 * Returns when @min_threads threads run and are parked.  While a pool exists
 * kpool cannot be unloaded.
 *
 * Context: process context, may sleep.
 * Return: the pool, or an ERR_PTR: -EINVAL a bad name or parameter, which the
 * log names; -EEXIST the name is taken; -ENOMEM; -EINTR the caller was killed;
 * what the init hook of a thread returned.
 */
#define kpool_create(name, params)					\
({									\
	static struct lock_class_key __key;				\
									\
	__kpool_create(name, params, "(kpool)" #name, &__key);		\
})

/**
 * struct kpool_limits - what may be changed while a pool works
 * @min_threads: as in &struct kpool_params
 * @max_threads: likewise
 * @idle_timeout: likewise
 * @max_queued: likewise
 */
struct kpool_limits {
	int	min_threads;
	int	max_threads;
	long	idle_timeout;
	int	max_queued;
};

/**
 * kpool_set_limits() - change the limits of a pool while it works
 * @pool: the pool
 * @limits: the new ones, all of them
 *
 * All change at once.  What a raised limit allows to start has been given its
 * thread on return, or the pool creates threads for it; it also creates those
 * that @min_threads lacks.  A @max_threads below the number of threads is
 * legal: idle ones leave at once, busy ones when their function has returned,
 * and until there are no more than allowed nothing starts.  debugfs shows by
 * how many the pool is over.
 *
 * Context: process context; does not wait for works or threads.
 * Return: 0; or, and nothing was changed: -EINVAL as kpool_create(); -ENOSPC
 * groups have reserved more threads than @max_threads.
 */
int kpool_set_limits(struct kpool *pool, const struct kpool_limits *limits);

/**
 * kpool_destroy() - stop everything in a pool and end it
 * @pool: the pool, or NULL or an ERR_PTR, which is ignored
 *
 * Waits until everything in it has ended, for ever if need be, and names
 * those that do not end in the log.  Groups that were not destroyed before
 * are reported; they refuse everything from then on, and remain to be
 * destroyed.
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: 0, or -EDEADLK from a thread of the pool or a release function of its
 * works: nothing was done.
 */
int kpool_destroy(struct kpool *pool);

/**
 * kpool_root() - the group that everything in a pool is under
 * @pool: the pool
 *
 * Works may be queued to it.  It lives and dies with the pool.
 *
 * Context: any.
 */
struct kpool_group *kpool_root(struct kpool *pool);

/* ------------------------------------------------------------------------
 * Helpers over the three nouns
 */

int __kpool_call(struct kpool_group *group, int (*fn)(void *data), void *data,
		 int *result, const char *name, struct lock_class_key *key);

/**
 * kpool_call() - run a function in a pool and wait for it
 * @group: the group to run it in
 * @fn: the function
 * @data: its argument
 * @result: where its return value goes, or NULL
 *
 * A work of the same pool, if no thread is free and none may be created, runs
 * the function in its own thread, if the group's limits allow it.  It is told
 * to stop with that work, and with the group.  See Documentation/kpool.rst.
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: 0 it ran; -EDEADLK from a work of the group or its release function,
 * or the call could not end; else why not, as kpool_queue() and
 * kpool_work_wait().
 */
#define kpool_call(group, fn, data, result)				\
({									\
	static struct lock_class_key __key;				\
									\
	__kpool_call(group, fn, data, result, "(kpool_call)" #fn,	\
		     &__key);						\
})

/**
 * kpool_spawn() - run a function in a pool, without waiting
 * @group: the group to run it in
 * @fn: the function; its return value is dropped
 * @data: its argument
 * @gfp: for the few bytes that carry it
 *
 * Context: as @gfp allows; with GFP_ATOMIC as kpool_queue(), but not under
 * raw spinlocks.
 * Return: 0 queued; -ENOMEM; else as kpool_queue().
 */
int __must_check kpool_spawn(struct kpool_group *group, int (*fn)(void *data),
			     void *data, gfp_t gfp);

/**
 * kpool_start() - queue a work, and wait until it says that it is ready
 * @group: the group to run it in
 * @work: an initialised work; its memory lives until this returns
 *
 * For works that serve for long, and must have got going before the caller goes
 * on.  The function of the work calls kpool_ready() with 0 when it has, and
 * this returns 0 while the function goes on.  If it could not get going it
 * calls kpool_ready() with an error, or returns one; then this waits until the
 * function has returned.  So a start that failed leaves nothing running.
 *
 * A caller that is killed meanwhile cancels the work, and waits until it has
 * ended.
 *
 * Context: process context, may sleep, killably; not killably while a work
 * ends.  A work that was told to stop counts as killed.
 * Return: 0 it is ready; what it called kpool_ready() with; what it returned
 * without having called it, if that was negative, else -ESRCH; -ECANCELED the
 * work was cancelled or its group stopped before it was ready; -EINTR;
 * -EDEADLK the caller is a work of the group or its release function, or would
 * wait round a circle: it is not queued then; else why it was
 * not queued, as kpool_queue().
 */
int __must_check kpool_start(struct kpool_group *group,
			     struct kpool_work *work);

#endif /* _LINUX_KPOOL_H */
