/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kpool internals: structures, who owns them and which lock guards each field.
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

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kpool.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/ratelimit_types.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "leak.h"

/* No hold of pool->lock handles more works, threads or groups than this. */
#define KPOOL_BATCH		32

/* How long creation rests after a failure; doubles with each more. */
#define KPOOL_BACKOFF_MIN	msecs_to_jiffies(10)

/* How often a stop without deadline names those that do not end. */
#define KPOOL_WATCHDOG_PERIOD	(30 * HZ)

/*
 * State of a work, changed by work_set_state() only.  work->group is set
 * exactly while the state is not WORK_IDLE.
 */
enum work_state {
	WORK_IDLE,	/* bound to no group */
	WORK_PENDING,	/* on group->pending */
	WORK_RUNNING,	/* a worker is committed to it, or runs it */
	WORK_REQUEUED,	/* running, and queued once more meanwhile */
	WORK_RELEASING,	/* cancelled while pending; on group->releasing */
	WORK_DELAYED,	/* its timer is armed, or has expired just now */
	NR_WORK_STATES
};

/* work->flags */
#define WORK_TOLD	BIT(0)	/* told by itself; cleared when next bound */
#define WORK_NEVER_RAN	BIT(1)	/* the last queueing was cancelled before */
#define WORK_FRONT	BIT(2)	/* requeued: to the front, not to the tail */
#define WORK_LATER	BIT(3)	/* requeued: not before its timer's expires */
#define WORK_STARTING	BIT(4)	/* somebody waits for kpool_ready() */
#define WORK_STATIC	KPOOL_WORK_STATIC /* known to be initialised */

/*
 * For queue_with_flags(): not before those who wait for room in the group; and
 * an idle work is bound and counted, but its place is left to the caller.
 */
#define QUEUE_IN_TURN	BIT(31)
#define QUEUE_LATER	BIT(30)

/*
 * Whether a worker may be, is being, or has been sent a signal for the work
 * that it runs.  Changed by worker_set_tell() only.  TELL_SENDING is what
 * keeps the worker, and so its task, from going on: see worker_shut_tell().
 */
enum tell_state {
	TELL_SHUT,	/* not yet, no longer, or never for this run */
	TELL_OPEN,	/* runs or idles, has not been signalled */
	TELL_SENDING,	/* somebody is about to signal it */
	TELL_SENT,	/* has been signalled */
};

/*
 * A worker: one thread.
 *
 * Owned by its pool, from the creation in spawn_worker() until it is joined
 * in join_workers(), which frees it.
 */
struct kpool_worker {
	struct list_head	entry;		/* L: pool->idle or ->leaving */
	/* group->running, group->told or pool->to_tell */
	struct list_head	run_entry;	/* L */
	struct list_head	all_entry;	/* ML: pool->workers */
	struct kpool_work	*work;		/* L; see worker_commit() */
	struct kpool_group	*group;		/* L: of the run, until it is over */
	struct kpool_group	*guest;		/* L: of a call in place, or NULL */
	const void		*func;		/* L: what it executes, to name it */
	struct kpool		*pool;		/* I */
	struct task_struct	*task;		/* I */
	enum tell_state		tell;		/* L */
	bool			tell_waits;	/* L: sleeps until not SENDING */
	bool			idle;		/* L: on pool->idle */
	bool			leave;		/* L: no more works, end */
	bool			named;		/* L: as straggler of this run */
	bool			enters;		/* W, and L at the commit */
	bool			arrived;	/* L: may be signalled */
	unsigned int		id;		/* I */
	unsigned long		since;		/* L: jiffies of run or idleness */
	struct kpool_env	env;		/* W: to be left like this */
	struct kpool_wait	*wait;		/* D: that it is in, or NULL */
	struct kpool_group	*hooking;	/* W: whose hook it calls, or NULL */
	/* while there are histograms, see histogram.c: of the run, or 0 */
	u32			stamp;		/* L: when its work was queued */
	u64			entered;	/* W: the function was called */
	u64			told_at;	/* L */
	struct completion	exited;		/* A: has left our text */
};

/*
 * Of a group, changed by group_set_state() only.  Up to GROUP_CLOSED its
 * pending works start.
 */
enum group_state {
	GROUP_OPEN,
	GROUP_CLOSED,	/* refuses queueing but by its own works: a drain */
	GROUP_STOPPED,	/* refuses queueing, tells its works */
	GROUP_DEAD,	/* being freed */
	NR_GROUP_STATES
};

/*
 * How far a group is with its hooks, changed by hooks_set() only.  While it
 * enters or leaves nothing starts in it or below it.
 */
enum hooks_state {
	HOOKS_OUT,	/* nothing runs; first_in() comes next */
	HOOKS_ENTERING,	/* a worker is about to call first_in(), or in it */
	HOOKS_IN,	/* works run; last_out() comes next */
	HOOKS_LEAVING,	/* a worker is about to call last_out(), or in it */
};

/* A group's lists of turns: see queue.c. */
enum turns {
	TURN_ANY,	/* of everything that may start */
	TURN_COVERED,	/* of what takes a reserved thread */
	NR_TURNS
};

/*
 * A group.
 *
 * Owned by whoever created it until kpool_group_destroy(); the root by the
 * pool.  Holds a reference to its pool, and is not destroyed before those
 * below it.  A work that is bound to it keeps it busy, and a busy group is not
 * destroyed.  Readers of work->group may look at it under RCU, so it is freed
 * after a grace period.
 */
struct kpool_group {
	struct kpool		*pool;		/* I */
	struct kpool_group	*parent;	/* I; NULL for the root */
	/* of a handle: its part of each possible CPU; of a part: its handle */
	struct kpool_group	**on_cpu;	/* I, or NULL */
	struct kpool_group	*handle;	/* I, or NULL */
	unsigned int		depth;		/* I */
	enum group_state	state;		/* L */
	unsigned long		state_since;	/* L: jiffies */
	unsigned int		max_active;	/* ML; 0: none */
	unsigned int		max_queued;	/* ML; 0: none */
	unsigned int		reserve;	/* I: threads */
	unsigned int		flags;		/* I: KPOOL_NOSIGNAL */
	bool			has_hooks;	/* I */
	bool			plain;		/* L: runs do not change turns */
	bool			cancelled;	/* L: cancel() is called, or was */
	enum hooks_state	hooks;		/* L */

	struct list_head	pending;	/* L: works, in order */
	struct list_head	delayed;	/* L: works whose timer is armed */
	struct list_head	running;	/* L: workers not told yet */
	struct list_head	told;		/* L: workers told or skipped */
	struct list_head	turns[NR_TURNS];	/* L: of children, and own */
	struct list_head	turn[NR_TURNS];		/* L: parent->turns */
	struct list_head	own_turn;	/* L: ->turns[TURN_ANY] */

	/* own queueings not yet over, plus groups below that have some */
	unsigned int		busy;		/* L */
	u32			lives;		/* L: how often it became busy */
	/* of this group and all below it */
	unsigned int		nr_running;	/* L */
	unsigned int		nr_pending;	/* L */
	/* threads held back: by all children, and by the group itself */
	unsigned int		held_below;	/* L */
	unsigned int		held;		/* L */
	unsigned int		reserved_below;	/* M: by children, admitted */

	void			(*cancel)(struct kpool_group *group);	/* I */
	void			(*first_in)(struct kpool_group *group);	/* I */
	void			(*last_out)(struct kpool_group *group);	/* I */
	void			*data;		/* I: the client's */

	/* waits that cannot end, of what executes in it and below it */
	unsigned int		nr_stuck;	/* D */
	unsigned int		nr_stuck_running; /* D: of those that have a slot */
	unsigned int		nr_stuck_hooks;	/* D: in a hook of this group */

	struct list_head	releasing;	/* L: works to be given back */
	struct work_struct	release_item;	/* A: gives them back */
	struct list_head	to_cancel;	/* L: groups, of a stop from here */
	struct list_head	cancel_entry;	/* L: ->to_cancel of a group */
	struct work_struct	cancel_item;	/* A: calls their cancel() */
	struct hlist_head	waiters;	/* L: until busy is 0 */
	struct list_head	room_waiters;	/* L: struct room_waiter */
	struct list_head	room_place;	/* L: pool->room, if there are any */
	struct list_head	stop_entry;	/* L: pool->to_stop */
	struct list_head	children;	/* M */
	struct list_head	sibling;	/* M: parent->children */
	struct rcu_head		rcu;
	struct lockdep_map	lockdep_map;	/* I */
	struct kpool_dir	*dir;		/* I: in sysfs; see sysfs.c */
	char			name[KPOOL_NAME_MAX + 1];	/* I */
};

/* One of a pool's two service threads. */
struct kpool_service {
	struct task_struct	*task;		/* I, until it is stopped */
	bool			asleep;		/* L: wake it */
	bool			leave;		/* L */
	struct completion	exited;		/* A */
};

/*
 * A pool.
 *
 * Owned by its creator until kpool_destroy(), which returns when all threads
 * are gone.  The structure itself lives until the last group that was left
 * behind is destroyed, and for a grace period.
 */
struct kpool {
	raw_spinlock_t		lock;		/* guards L */
	struct list_head	idle;		/* L: workers, newest first */
	struct list_head	leaving;	/* L: workers to be joined */
	struct list_head	room;		/* L: groups whose room is awaited */
	struct list_head	to_tell;	/* L: workers, for the stopper */
	struct list_head	to_stop;	/* L: groups, for the stopper */
	/* from before its creation to the decision that it leaves */
	unsigned int		nr_threads;	/* L */
	unsigned int		nr_idle;	/* L */
	unsigned int		min_threads;	/* ML */
	unsigned int		max_threads;	/* ML; may be below nr_threads */
	unsigned int		nr_stuck;	/* D: threads, see deadlock.c */
	unsigned long		idle_timeout;	/* ML */
	/* threads numbered below this leave after their work: hotplug.c */
	unsigned int		first_bound;	/* L */
	bool			offline;	/* H: its CPU is */
	bool			tell_offline;	/* L: for the stopper */
	struct kpool_group	*root;		/* I */
	struct kpool_service	spawner;
	struct kpool_service	stopper;

	/* the spawner will look for threads that are idle for too long */
	bool			reaping;	/* L */
	struct list_head	callbacks;	/* L: struct kpool_callback */
	/* threads that kpool_create() waits for */
	unsigned int		nr_cold;	/* L */
	/* threads that were started without a work, and have not arrived */
	unsigned int		nr_arriving;	/* L */
	/* threads that creators of groups with a reserve just create */
	unsigned int		nr_reserving;	/* L */
	int			init_err;	/* L: of an init hook, or 0 */
	struct completion	warm;		/* A: nr_cold became 0 */

	unsigned long		creating_since;	/* L: jiffies, or 0 */
	unsigned long		nr_created;	/* L */
	unsigned long		nr_failed;	/* L: creations that failed */
	unsigned long		backoff;	/* L: after the next failure */
	unsigned int		next_id;	/* L: of the next thread */
	struct ratelimit_state	failure_rs;	/* A: messages of failures */

	unsigned int		flags;		/* I: KPOOL_* */
	int			nice;		/* I */
	int			node;		/* I: or NUMA_NO_NODE */
	bool			has_cpus;	/* I */
	cpumask_var_t		cpus;		/* I: if has_cpus */
	int			(*init)(void *data);	/* I: hooks, or NULL */
	void			(*exit)(void *data);	/* I */
	void			*hook_data;		/* I */

	struct mutex		mutex;		/* guards M */
	struct list_head	workers;	/* ML */
	struct list_head	registry_entry;	/* R: pools */
	u64			number;		/* R: grows along pools */
	int			cpu;		/* I: of an inner pool */
	/* of a handle only */
	struct list_head	handle_entry;	/* handles_mutex */
	unsigned long		reported;	/* by the watchdog alone */
	struct dentry		*debug;		/* I: its folder in debugfs */
	struct kpool_hists	*hists;		/* L: see histogram.c */
	struct kref		kref;		/* A: creator and groups */
	struct rcu_head		rcu;
	char			name[KPOOL_NAME_MAX + 1];	/* I */
};

/*
 * A client's function that executes outside of a worker, on the stack of the
 * thread that calls it: the release function of a cancelled work, or cancel()
 * of a group that is stopped.
 */
struct kpool_callback {
	struct list_head	entry;		/* L: pool->callbacks */
	struct list_head	all_entry;	/* callbacks_lock: callbacks */
	struct kpool_group	*group;		/* I */
	struct task_struct	*task;		/* I */
	const void		*func;		/* L */
	unsigned long		since;		/* L: jiffies */
	bool			named;		/* L: as straggler */
};

/*
 * Somebody who waits for a work or for a group, on its own stack.  Whoever
 * ends the wait copies the answer in and completes @done under pool->lock,
 * and touches the record no more; see await().
 */
struct kpool_waiter {
	struct hlist_node	node;		/* L: of work or group */
	struct completion	done;		/* A */
	struct kpool		*pool;		/* L; see work_move() */
	struct task_struct	*task;		/* I: who waits */
	unsigned long		since;		/* I: jiffies */
	u32			seq;		/* I: queueing it waits for */
	int			result;		/* L until done */
	bool			ran;		/* L until done */
	bool			starts;		/* I: part of a kpool_start() */
};

/* Flags of a pool that there are. */
#define KPOOL_FLAGS	((unsigned int)(KPOOL_FREEZABLE | KPOOL_ON_NODE | \
					KPOOL_PER_CPU))

/* Does it not matter to turns how many works of this group run? */
static inline void group_set_plain(struct kpool_group *group)
{
	group->plain = !group->max_active && !group->reserve &&
		       !group->has_hooks;
}

/* More threads than allowed?  Only after the limit was lowered. */
static inline bool pool_is_over(const struct kpool *pool)
{
	return pool->nr_threads > pool->max_threads;
}

/* Does it not belong to its CPU any more?  Then this run is its last. */
static inline bool worker_is_stale(const struct kpool_worker *worker)
{
	return worker->id < worker->pool->first_bound;
}

/*
 * Leave pool->lock, then wake what was found to need it.  The caller entered
 * an RCU read section before it took the lock: the task was alive under the
 * lock, so its memory is there until the section ends, even if it is woken by
 * another, runs, and exits meanwhile.
 */
static inline void unlock_and_wake(struct kpool *pool, unsigned long flags,
				   struct task_struct *task)
	__releases(&pool->lock)
{
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (task)
		wake_up_process(task);
}

/*
 * Call @fn for a work under the lock of the pool that it is bound to.  False
 * if it is bound to none.  @fn returns a thread to wake, or NULL.
 *
 * The group and its pool are looked at under RCU: the work may be unbound at
 * any time, after which they may be freed, but for a grace period.  Once the
 * lock is held and the binding is still the same it cannot change.
 */
static __always_inline bool
with_work_locked(struct kpool_work *work,
		 struct task_struct *(*fn)(struct kpool_work *work, void *arg),
		 void *arg)
{
	struct kpool_group *group;
	bool bound = false;

	rcu_read_lock();
	/* pairs with the smp_store_release() in work_unbind() */
	while (!bound && (group = smp_load_acquire(&work->group))) {
		struct task_struct *wake = NULL;
		struct kpool *pool = group->pool;
		unsigned long flags;

		raw_spin_lock_irqsave(&pool->lock, flags);
		bound = READ_ONCE(work->group) == group;
		if (likely(bound))
			wake = fn(work, arg);
		unlock_and_wake(pool, flags, wake);
	}
	rcu_read_unlock();
	return bound;
}

/* worker.c */
int kpool_worker_fn(void *arg);
struct kpool_worker *current_worker(void);
bool works_below(const struct kpool_group *top);
bool runs_below(struct kpool_group *top);
void run_release(struct kpool_env *env, struct kpool_group *group,
		 kpool_release_t release, struct kpool_work *work);
bool is_worker_of(const struct kpool *pool);
void worker_set_tell(struct kpool_worker *worker, enum tell_state tell);
void worker_commit(struct kpool_worker *worker, struct kpool_work *work);
struct task_struct *start_idle_worker(struct kpool_work *work);
struct task_struct *dispatch(struct kpool *pool);
void dispatch_more(struct kpool *pool);

/* hooks.c */
bool hooks_count(struct kpool_group *group);
void hooks_enter(struct kpool_group *group);
void hooks_leave(struct kpool_group *group);

static inline bool hooks_in_progress(const struct kpool_group *group)
{
	return group->hooks == HOOKS_ENTERING || group->hooks == HOOKS_LEAVING;
}

/* birth.c */
int check_birth(const char *name, const struct kpool_params *params);
int birth_init(struct kpool *pool, const struct kpool_params *params);
void birth_free(struct kpool *pool);
bool worker_birth(struct kpool_worker *worker);
void worker_farewell(struct kpool_worker *worker);
void await_exit(struct kpool_worker *worker);

/* spawner.c */
int kpool_spawner_fn(void *arg);
int spawn_worker(struct kpool *pool);
int spawn_reserve(struct kpool *pool);
bool needs_thread(struct kpool *pool);
struct task_struct *start_reaping(struct kpool *pool);
void worker_leave(struct kpool_worker *worker);
void dismiss_excess(struct kpool *pool);
void dismiss_offline(struct kpool *pool);
void dismiss_workers(struct kpool *pool);

/* service.c */
int thread_error(struct task_struct *task);
int service_start(struct kpool *pool, struct kpool_service *service,
		  int (*fn)(void *pool), const char *what);
struct task_struct *service_wake(struct kpool_service *service);
void service_sleep(struct kpool *pool, struct kpool_service *service,
		   long timeout);
void service_pause(struct kpool *pool, struct kpool_service *service,
		   long timeout);
void service_stop(struct kpool *pool, struct kpool_service *service);

/* work.c */
int queue_with_flags(struct kpool_group *group, struct kpool_work *work,
		     unsigned int flags, struct task_struct **wake);
void work_move(struct kpool_work *work, struct kpool_group *to);
void work_wait_turn(struct kpool_work *work, bool front);
void work_set_state(struct kpool_work *work, enum work_state state);
bool work_is_told(const struct kpool_work *work);
unsigned int work_run_ended(struct kpool_work *work, int result);
void work_settle(struct kpool_work *work);
void work_take_back(struct kpool_work *work);
void work_unbind(struct kpool_work *work);

/* call.c */
const void *work_func(const struct kpool_work *work);

/* wait.c */
void waiter_init(struct kpool_waiter *waiter, struct kpool *pool, u32 seq);
void waiters_complete(struct hlist_head *waiters, int result, bool ran);
int await(struct kpool_waiter *waiter, unsigned long timeout, bool killable);

bool waiter_withdraw(struct kpool_waiter *waiter);
int work_wait(struct kpool_work *work, int *result, unsigned long timeout,
	      bool killable, bool held);

/* queue.c */
bool group_has_room(const struct kpool_group *group);
bool group_can_start(const struct kpool_group *group);
bool group_has_slot(const struct kpool_group *group);
void group_changed(struct kpool_group *group);
void group_add_pending(struct kpool_group *group, struct kpool_work *work);
void group_del_pending(struct kpool_group *group, struct kpool_work *work);
void group_count_pending(struct kpool_group *group, int by);
bool group_get_slot(struct kpool_group *group);
struct kpool_group *group_put_slot(struct kpool_group *group);
struct kpool_group *next_group(struct kpool *pool, unsigned int nr_free);
struct kpool_work *take_next(struct kpool_group *group);

/* group.c */
void group_set_state(struct kpool_group *group, enum group_state state);
const char *group_state_name(const struct kpool_group *group);
bool group_is_stopped(const struct kpool_group *group);
bool group_is_open(const struct kpool_group *group);
bool group_refuses(const struct kpool_group *group);
bool group_is_below(const struct kpool_group *group,
		    const struct kpool_group *top);
void group_get_busy(struct kpool_group *group);
void group_put_busy(struct kpool_group *group);
int group_await_idle(struct kpool_group *group, bool put,
		     unsigned long timeout, bool killable);
int group_await_idle_again(struct kpool_group *group, bool put,
			   unsigned long period);

/* tree.c */
struct kpool_group *
group_create_one(struct kpool_group *parent, struct kpool_group *handle,
		 const char *name, const struct kpool_group_params *params,
		 const char *lock_name, struct lock_class_key *key);
int group_remove(struct kpool_group *group);
void group_discard(struct kpool_group *group);
struct kpool_group *group_alloc(struct kpool *pool, struct kpool_group *parent,
				const char *name,
				const struct kpool_group_params *params,
				const char *lock_name,
				struct lock_class_key *key);
struct kpool_group *next_below(struct kpool_group *pos,
			       struct kpool_group *top);

/* name.c */
int name_len(const char *name);
bool name_is_valid(const char *name);

/* room.c */
void room_wake(struct kpool *pool, bool start);
void room_refuse(struct kpool_group *group);

/*
 * One more work may wait than before; or, with @start, one may start at once
 * that could not.  Who waits for that is woken.  Called under the lock.
 */
static inline void room_made(struct kpool *pool, bool start)
{
	if (unlikely(!list_empty(&pool->room)))
		room_wake(pool, start);
}

/* delayed.c */
bool delayed_disarm(struct kpool_work *work);
bool delayed_requeue(struct kpool_work *work);
void delayed_settle(struct kpool_group *group);

/* start.c */
void start_ended(struct kpool_work *work, struct hlist_head *ran);

/* stop.c */
int kpool_stopper_fn(void *arg);
void deliver_tells(struct kpool *pool, struct kpool_worker **workers, int n);
int stop_for_ever(struct kpool_group *group);

/* callback.c */
extern struct workqueue_struct *callback_wq;
void callback_begin(struct kpool_callback *call, struct kpool_group *group,
		    const void *func);
void callback_end(struct kpool_callback *call);
struct kpool_group *callback_group(void);
bool callbacks_below(struct kpool_group *top);
bool callbacks_below_locked(const struct kpool_group *top);
void cancel_init(struct kpool_group *group);
void cancel_collect(struct kpool_group *group, struct kpool_group *top);
void cancel_call(struct kpool_group *top);
void cancel_queue(struct kpool_group *top);
void callbacks_flush(struct kpool_group *group);
int kpool_callback_init(void);
void kpool_callback_exit(void);

/* release.c */
void release_init(struct kpool_group *group);
void release_queue(struct kpool_work *work);

/* straggler.c */
void name_stragglers(struct kpool_group *top, bool again);

/* pool.c */
extern struct mutex pools_mutex;
extern struct list_head pools;
struct kpool *pool_alloc(const char *name, const struct kpool_params *params,
			 const char *lock_name, struct lock_class_key *key);
int pool_register(struct kpool *pool);
void pool_unregister(struct kpool *pool);
int pool_begin(struct kpool *pool);
void pool_end(struct kpool *pool);
void report_leftovers(struct kpool *pool);
void kpool_get(struct kpool *pool);
struct kpool *next_pool(u64 number);
void kpool_put(struct kpool *pool);

/* sysfs.c */
int sysfs_add_group(struct kpool_group *group);
void sysfs_del_group(struct kpool_group *group);
int kpool_sysfs_init(void);
void kpool_sysfs_exit(void);

/* debugfs_pool.c */
void debugfs_pool_add(struct kpool *pool);
void debugfs_pool_del(struct kpool *pool);

/* debugfs.c */
void kpool_debugfs_init(void);
struct dentry *debugfs_add_pool(const char *name);
void kpool_debugfs_exit(void);

#include "percpu.h"

#endif /* _KPOOL_INTERNAL_H */
