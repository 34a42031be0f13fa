// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools: the registry, creation, and destruction in phases.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/err.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fault.h"
#include "histogram.h"
#include "internal.h"
#include "limits.h"

/* Guards the list of pools and so the uniqueness of their names. */
DEFINE_MUTEX(pools_mutex);
LIST_HEAD(pools);

/* Those of the parameters that can be changed later. */
static struct kpool_limits params_limits(const struct kpool_params *p)
{
	return (struct kpool_limits) {
		.min_threads = p->min_threads,
		.max_threads = p->max_threads,
		.idle_timeout = p->idle_timeout,
		.max_queued = p->max_queued,
	};
}

static int check_pool(const char *name, const struct kpool_params *p)
{
	struct kpool_limits limits;

	if (!name_is_valid(name)) {
		pr_err("pool name \"%*pE\" is not 1 to %d printable characters without blanks and slashes\n",
		       name_len(name), name ?: "", KPOOL_NAME_MAX);
		return -EINVAL;
	}
	if (!p) {
		pr_err("%s: no parameters\n", name);
		return -EINVAL;
	}
	limits = params_limits(p);
	return check_limits(name, &limits) ?: check_birth(name, p) ?:
	       percpu_check(name, p);
}

static void pool_free(struct kref *kref)
{
	struct kpool *pool = container_of(kref, struct kpool, kref);

	birth_free(pool);
	hist_pool_free(pool);
	/* A reader that found a group in work->group may look at both. */
	if (pool->root) {
		kfree(pool->root->on_cpu);
		kfree_rcu(pool->root, rcu);
	}
	kfree_rcu(pool, rcu);
}

void kpool_get(struct kpool *pool)
{
	kref_get(&pool->kref);
}

void kpool_put(struct kpool *pool)
{
	kref_put(&pool->kref, pool_free);
}

struct kpool *pool_alloc(const char *name, const struct kpool_params *params,
			 const char *lock_name, struct lock_class_key *key)
{
	const struct kpool_limits limits = params_limits(params);
	struct kpool_group *group;
	struct kpool *pool;
	int err;

	if (fault_create())
		return ERR_PTR(-ENOMEM);
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	raw_spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->leaving);
	INIT_LIST_HEAD(&pool->callbacks);
	INIT_LIST_HEAD(&pool->to_stop);
	INIT_LIST_HEAD(&pool->workers);
	INIT_LIST_HEAD(&pool->registry_entry);
	INIT_LIST_HEAD(&pool->handle_entry);
	mutex_init(&pool->mutex);
	init_completion(&pool->warm);
	kref_init(&pool->kref);
	ratelimit_state_init(&pool->failure_rs, 5 * HZ, 1);
	strscpy(pool->name, name, sizeof(pool->name));

	group = group_alloc(pool, NULL, "root", NULL, lock_name, key);
	if (IS_ERR(group)) {
		kpool_put(pool);
		return ERR_CAST(group);
	}
	pool->root = group;
	pool_set_limits(pool, &limits);
	pool->backoff = KPOOL_BACKOFF_MIN;
	err = birth_init(pool, params);
	if (err) {
		kpool_put(pool);
		return ERR_PTR(err);
	}
	return pool;
}

int pool_register(struct kpool *pool)
{
	static u64 last_number;
	struct kpool *other;
	int err = 0;

	mutex_lock(&pools_mutex);
	list_for_each_entry(other, &pools, registry_entry)
		if (!strcmp(other->name, pool->name))
			err = -EEXIST;
	if (!err) {
		pool->number = ++last_number;
		list_add_tail(&pool->registry_entry, &pools);
	}
	mutex_unlock(&pools_mutex);
	if (err)
		pr_err("%s: a pool of this name exists\n", pool->name);
	return err;
}

void pool_unregister(struct kpool *pool)
{
	mutex_lock(&pools_mutex);
	list_del_init(&pool->registry_entry);
	mutex_unlock(&pools_mutex);
}

/*
 * The pool after the one with this number, with a reference; or NULL.  Numbers
 * grow along the registry.  A handle has nothing to look at but its name.
 */
struct kpool *next_pool(u64 number)
{
	struct kpool *pool, *found = NULL;

	mutex_lock(&pools_mutex);
	list_for_each_entry(pool, &pools, registry_entry) {
		if (pool->number <= number || is_handle(pool))
			continue;
		kpool_get(pool);
		found = pool;
		break;
	}
	mutex_unlock(&pools_mutex);
	return found;
}

/*
 * Start min_threads threads and wait until all of them are parked.  None on a
 * CPU that is offline: the spawner starts them when it comes.
 */
static int pool_warm_up(struct kpool *pool)
{
	unsigned int i, n = READ_ONCE(pool->offline) ? 0 : pool->min_threads;
	int err;

	pool->nr_cold = n;
	for (i = 0; i < n; i++) {
		raw_spin_lock_irq(&pool->lock);
		pool_count_threads(pool, 1);
		raw_spin_unlock_irq(&pool->lock);
		err = spawn_worker(pool);
		if (err)
			return err;
	}
	if (i)
		wait_for_completion(&pool->warm);
	/* of the first thread whose init hook failed */
	err = pool->init_err;
	pool->init_err = 0;
	return err;
}

/*
 * End all threads: first the one that makes more of them, last the one that
 * does what others asked for.
 */
static void pool_end_threads(struct kpool *pool)
{
	service_stop(pool, &pool->spawner);
	dismiss_workers(pool);
	service_stop(pool, &pool->stopper);
}

static int pool_start(struct kpool *pool)
{
	int err;

	err = service_start(pool, &pool->stopper, kpool_stopper_fn, "stopper");
	if (!err)
		err = pool_warm_up(pool);
	if (!err)
		err = service_start(pool, &pool->spawner, kpool_spawner_fn,
				    "spawner");
	if (err) {
		pr_err("%s: cannot create its threads (%d)\n", pool->name, err);
		pool_end_threads(pool);
	}
	return err;
}

/* What can be seen from outside, and threads.  On failure as it was. */
int pool_begin(struct kpool *pool)
{
	int err;

	err = pool_register(pool);
	if (err)
		return err;
	hist_pool_add(pool);
	err = pool_start(pool);
	if (err)
		goto err_unregister;
	err = sysfs_add_group(pool->root);
	if (err)
		goto err_end_threads;
	debugfs_pool_add(pool);
	return 0;

err_end_threads:
	pool_end_threads(pool);
err_unregister:
	pool_unregister(pool);
	return err;
}

static struct kpool *pool_create(const char *name,
				 const struct kpool_params *params,
				 const char *lock_name,
				 struct lock_class_key *key)
{
	struct kpool *pool;
	int err;

	pool = pool_alloc(name, params, lock_name, key);
	if (IS_ERR(pool))
		return pool;
	err = pool_begin(pool);
	if (err) {
		kpool_put(pool);
		return ERR_PTR(err);
	}
	return pool;
}

struct kpool *__kpool_create(const char *name,
			     const struct kpool_params *params,
			     const char *lock_name,
			     struct lock_class_key *key)
{
	struct kpool *pool;
	int err;

	might_sleep();
	err = check_pool(name, params);
	if (err)
		return ERR_PTR(err);
	if (params->flags & KPOOL_PER_CPU)
		pool = percpu_create(name, params, lock_name, key);
	else
		pool = pool_create(name, params, lock_name, key);
	/* The caller uses our symbols, so we are not being unloaded. */
	if (!IS_ERR(pool))
		__module_get(THIS_MODULE);
	return pool;
}
EXPORT_SYMBOL_GPL(__kpool_create);

#define LEFTOVERS	8	/* names copied at a time, to the stack */

/* Copy names of groups other than the root, from the one numbered @from on. */
static int copy_leftovers(struct kpool *pool, int from,
			  char names[][KPOOL_NAME_MAX + 1])
{
	struct kpool_group *group = pool->root;
	int i = 0, n = 0;

	mutex_lock(&pool->mutex);
	while (n < LEFTOVERS && (group = next_below(group, pool->root)))
		if (i++ >= from)
			strscpy(names[n++], group->name, KPOOL_NAME_MAX + 1);
	mutex_unlock(&pool->mutex);
	return n;
}

void report_leftovers(struct kpool *pool)
{
	char names[LEFTOVERS][KPOOL_NAME_MAX + 1];
	int from = 0, i, n;

	do {
		n = copy_leftovers(pool, from, names);
		for (i = 0; i < n; i++)
			pr_warn("%s: destroyed before its group %s\n",
				pool->name, names[i]);
		from += n;
	} while (n == LEFTOVERS);
}

/* End a pool that is stopped.  Its memory is the caller's. */
void pool_end(struct kpool *pool)
{
	/* Its files are not read or written any more; see sysfs.c. */
	debugfs_pool_del(pool);
	sysfs_del_group(pool->root);

	/*
	 * 2. Threads end.  Works, the only thing that could keep one, are
	 *    over; a canceller that was about to wake a service thread is in
	 *    an RCU read section, which keeps the task.
	 */
	pool_end_threads(pool);
	callbacks_flush(pool->root);

	/*
	 * 3. The name is free.  The debugfs file, which finds pools under the
	 *    registry's mutex, does not find it any more.
	 */
	pool_unregister(pool);
}

int kpool_destroy(struct kpool *pool)
{
	int err;

	if (IS_ERR_OR_NULL(pool))
		return 0;
	might_sleep();
	if (runs_below(pool->root) || is_worker_of(pool))
		return -EDEADLK;

	/*
	 * 1. Nothing more comes in, and nothing of the clients executes: works
	 *    have ended, their release functions included.
	 */
	err = stop_for_ever(pool->root);
	if (err)
		return err;
	report_leftovers(last_part(pool->root)->pool);

	/* Then 2. and 3. */
	if (is_handle(pool))
		percpu_destroy(pool);
	else
		pool_end(pool);

	/*
	 * 4. The memory goes with the last group left behind, and a grace
	 *    period: a late reader of work->group may still take the lock, and
	 *    then finds that the binding has changed.
	 */
	kpool_put(pool);
	module_put(THIS_MODULE);
	return 0;
}
EXPORT_SYMBOL_GPL(kpool_destroy);

struct kpool_group *kpool_root(struct kpool *pool)
{
	return pool->root;
}
EXPORT_SYMBOL_GPL(kpool_root);
