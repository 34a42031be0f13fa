/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pools: the structure, the registry, their service threads, and what makes
 * the number of threads what it has to be.
 */
#ifndef _KPOOL_POOL_H
#define _KPOOL_POOL_H

#include <linux/cache.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kpool.h>
#include <linux/kref.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/ratelimit_types.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

struct dentry;

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
	/*
	 * All that a dispatch writes, and all that it looks at, in one line:
	 * who has the lock has the rest of it, too.
	 */
	raw_spinlock_t		lock ____cacheline_aligned_in_smp; /* guards L */
	unsigned int		nr_idle;	/* L */
	struct hlist_head	idle;		/* L: workers, newest first */
	struct kpool_worker	*oldest;	/* L: the last of them, or NULL */
	struct kpool_group	*root;		/* I */
	/* from before its creation to the decision that it leaves */
	unsigned int		nr_threads;	/* L */
	unsigned int		min_threads;	/* ML */
	unsigned int		max_threads;	/* ML; may be below nr_threads */
	/* of all there is that might keep a work out: see queue.c */
	unsigned int		hurdles;	/* L */
	unsigned int		nr_waiting;	/* L: groups with pending works */
	unsigned int		nr_room;	/* L: groups whose room is awaited */
	/* threads numbered below this leave after their work: hotplug.c */
	unsigned int		first_bound;	/* L */
	bool			offline;	/* H: its CPU is */
	bool			over;		/* L: see pool_is_over() */
	/* the spawner will look for threads that are idle for too long */
	bool			reaping;	/* L */

	/* the rest is for threads that come and go, for stops, and for looks */
	struct list_head	leaving ____cacheline_aligned_in_smp;
						/* L: workers to be joined */
	/* threads that were started without a work, and have not arrived */
	unsigned int		nr_arriving;	/* L */
	struct hlist_head	to_tell;	/* L: workers, for the stopper */
	struct list_head	to_stop;	/* L: groups, for the stopper */
	unsigned int		nr_stuck;	/* D: threads, see deadlock.c */
	bool			tell_offline;	/* L: for the stopper */
	unsigned long		idle_timeout;	/* ML */
	struct kpool_service	spawner;
	struct kpool_service	stopper;

	struct list_head	callbacks;	/* L: struct kpool_callback */
	/* threads that kpool_create() waits for */
	unsigned int		nr_cold;	/* L */
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

/* Flags of a pool that there are. */
#define KPOOL_FLAGS	((unsigned int)(KPOOL_FREEZABLE | KPOOL_ON_NODE | \
					KPOOL_PER_CPU))

/* More threads than allowed?  Only after the limit was lowered. */
static inline bool pool_is_over(const struct kpool *pool)
{
	return pool->over;
}

/* There are more threads, or less, or may be; see queue.c for hurdles. */
static inline void pool_count_threads(struct kpool *pool, int more)
{
	bool over;

	lockdep_assert_held(&pool->lock);
	pool->nr_threads += more;
	over = pool->nr_threads > pool->max_threads;
	pool->hurdles += over - pool->over;
	pool->over = over;
}

/*
 * Leave pool->lock, then wake what was found to need it.  The task was alive
 * under the lock, and an RCU read section begins there: so its memory is there
 * until the section ends, even if it is woken by another, runs, and exits
 * meanwhile.
 */
static __always_inline void unlock_and_wake(struct kpool *pool,
					    unsigned long flags,
					    struct task_struct *task)
	__releases(&pool->lock)
{
	if (!task) {
		raw_spin_unlock_irqrestore(&pool->lock, flags);
		return;
	}
	rcu_read_lock_sched();
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	wake_up_process(task);
	rcu_read_unlock_sched();
}

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

/* name.c */
int name_len(const char *name);
bool name_is_valid(const char *name);

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

#endif /* _KPOOL_POOL_H */
