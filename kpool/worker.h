/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Workers: a thread of a pool, what it executes, and how far its tell is.
 */
#ifndef _KPOOL_WORKER_H
#define _KPOOL_WORKER_H

#include <linux/cache.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/types.h>

#include "leak.h"
#include "pool.h"

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
	/* who commits a work to it, or takes it, writes this line ... */
	union {
		struct hlist_node idle_entry;	/* L: pool->idle, if idle */
		/* group->running, group->told or pool->to_tell, in a run */
		struct hlist_node run_entry;	/* L */
	};
	struct kpool_work	*work;		/* L; see begin_work() */
	struct kpool_group	*group;		/* L: of the run, until it is over */
	const void		*func;		/* L: what it executes, to name it */
	unsigned long		since;		/* L: jiffies of run or idleness */
	enum tell_state		tell;		/* L */
	unsigned int		id;		/* I */
	bool			tell_waits;	/* L: sleeps until not SENDING */
	bool			idle;		/* L: on pool->idle */
	bool			leave;		/* L: no more works, end */
	bool			named;		/* L: as straggler of this run */
	bool			enters;		/* W, and L at the commit */
	bool			arrived;	/* L: may be signalled */

	/* ... and looks at these two, the worker at all of this one */
	struct kpool		*pool ____cacheline_aligned_in_smp; /* I */
	struct task_struct	*task;		/* I */
	struct kpool_env	env;		/* W: to be left like this */

	struct list_head	leave_entry;	/* L: pool->leaving */
	struct list_head	all_entry;	/* ML: pool->workers */
	struct kpool_group	*guest;		/* L: of a call in place, or NULL */
	struct kpool_wait	*wait;		/* D: that it is in, or NULL */
	struct kpool_group	*hooking;	/* W: whose hook it calls, or NULL */
	/* while there are histograms, see histogram.c: of the run, or 0 */
	u32			stamp;		/* L: when its work was queued */
	u64			entered;	/* W: the function was called */
	u64			told_at;	/* L */
	struct completion	exited;		/* A: has left our text */
};

/* Does it not belong to its CPU any more?  Then this run is its last. */
static inline bool worker_is_stale(const struct kpool_worker *worker)
{
	return worker->id < worker->pool->first_bound;
}

/*
 * Idle workers are taken from the new end, so that the others may age, and are
 * let go from the old one.
 */
static inline void idle_add(struct kpool *pool, struct kpool_worker *worker)
{
	worker->idle = true;
	pool->nr_idle++;
	if (!pool->oldest)
		pool->oldest = worker;
	hlist_add_head(&worker->idle_entry, &pool->idle);
}

static inline void idle_del(struct kpool *pool, struct kpool_worker *worker)
{
	struct hlist_node **pprev = worker->idle_entry.pprev;

	worker->idle = false;
	pool->nr_idle--;
	if (pool->oldest == worker)
		pool->oldest = pprev == &pool->idle.first ? NULL :
			       container_of(pprev, struct kpool_worker,
					    idle_entry.next);
	__hlist_del(&worker->idle_entry);
}

/* To another list of those that run. */
static inline void worker_move(struct kpool_worker *worker,
			       struct hlist_head *to)
{
	__hlist_del(&worker->run_entry);
	hlist_add_head(&worker->run_entry, to);
}

int kpool_worker_fn(void *arg);
void run_release(struct kpool_env *env, struct kpool_group *group,
		 kpool_release_t release, struct kpool_work *work);
struct task_struct *dispatch_one(struct kpool *pool);
void dispatch_more(struct kpool *pool);

/*
 * Something may be ready that was not.  Commits an idle worker to it, or finds
 * that a thread is to be created.  Returns the thread to wake for that, once
 * the lock is dropped.  One call serves one work that became ready.
 */
static inline struct task_struct *dispatch(struct kpool *pool)
{
	if (!pool->nr_idle && pool->nr_threads >= pool->max_threads &&
	    likely(!pool->offline))
		return NULL;
	return dispatch_one(pool);
}

/* tell.c */
void worker_set_tell(struct kpool_worker *worker, enum tell_state tell);
void worker_shut_tell(struct kpool_worker *worker)
	__must_hold(&worker->pool->lock);

/* current.c */
struct kpool_worker *current_worker(void);
bool works_below(const struct kpool_group *top);
bool runs_below(struct kpool_group *top);
bool is_worker_of(const struct kpool *pool);

/* birth.c */
int check_birth(const char *name, const struct kpool_params *params);
int birth_init(struct kpool *pool, const struct kpool_params *params);
void birth_free(struct kpool *pool);
void worker_bind(const struct kpool *pool);
bool worker_birth(struct kpool_worker *worker);
void worker_farewell(struct kpool_worker *worker);
void await_exit(struct kpool_worker *worker);

#endif /* _KPOOL_WORKER_H */
