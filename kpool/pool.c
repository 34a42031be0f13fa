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
#include "internal.h"

/* Guards the list of pools and so the uniqueness of their names. */
DEFINE_MUTEX(pools_mutex);
LIST_HEAD(pools);

static int check_pool(const char *name, const struct kpool_params *p)
{
	if (!name_is_valid(name)) {
		pr_err("pool name \"%*pE\" is not 1 to %d printable characters without blanks and slashes\n",
		       name_len(name), name ?: "", KPOOL_NAME_MAX);
		return -EINVAL;
	}
	if (!p) {
		pr_err("%s: no parameters\n", name);
		return -EINVAL;
	}
	if (p->max_threads < 1 || p->max_threads > KPOOL_MAX_THREADS) {
		pr_err("%s: max_threads (%d) is not 1 to %d\n", name,
		       p->max_threads, KPOOL_MAX_THREADS);
		return -EINVAL;
	}
	if (p->min_threads < 0 || p->min_threads > p->max_threads) {
		pr_err("%s: min_threads (%d) is not 0 to max_threads (%d)\n",
		       name, p->min_threads, p->max_threads);
		return -EINVAL;
	}
	if (p->idle_timeout < 0) {
		pr_err("%s: idle_timeout (%ld) is negative\n", name,
		       p->idle_timeout);
		return -EINVAL;
	}
	if (p->max_queued < 0) {
		pr_err("%s: max_queued (%d) is negative\n", name,
		       p->max_queued);
		return -EINVAL;
	}
	return 0;
}

static void pool_free(struct kref *kref)
{
	struct kpool *pool = container_of(kref, struct kpool, kref);

	/* A reader that found a group in work->group may look at both. */
	if (pool->root)
		kfree_rcu(pool->root, rcu);
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

static struct kpool *pool_alloc(const char *name,
				const struct kpool_params *params,
				const char *lock_name,
				struct lock_class_key *key)
{
	const struct kpool_group_params root = {
		.max_queued = params->max_queued,
	};
	struct kpool_group *group;
	struct kpool *pool;

	if (fault_create())
		return ERR_PTR(-ENOMEM);
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	raw_spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->idle);
	INIT_LIST_HEAD(&pool->ready);
	INIT_LIST_HEAD(&pool->to_tell);
	INIT_LIST_HEAD(&pool->releases);
	INIT_LIST_HEAD(&pool->to_stop);
	INIT_LIST_HEAD(&pool->workers);
	INIT_LIST_HEAD(&pool->registry_entry);
	mutex_init(&pool->mutex);
	init_completion(&pool->warm);
	kref_init(&pool->kref);
	ratelimit_state_init(&pool->failure_rs, 5 * HZ, 1);
	pool->min_threads = params->min_threads;
	pool->max_threads = params->max_threads;
	pool->idle_timeout = params->idle_timeout ?: KPOOL_IDLE_TIMEOUT;
	strscpy(pool->name, name, sizeof(pool->name));

	group = group_alloc(pool, NULL, "root", &root, lock_name, key);
	if (IS_ERR(group)) {
		kpool_put(pool);
		return ERR_CAST(group);
	}
	pool->root = group;
	return pool;
}

static int pool_register(struct kpool *pool)
{
	struct kpool *other;
	int err = 0;

	mutex_lock(&pools_mutex);
	list_for_each_entry(other, &pools, registry_entry)
		if (!strcmp(other->name, pool->name))
			err = -EEXIST;
	if (!err)
		list_add_tail(&pool->registry_entry, &pools);
	mutex_unlock(&pools_mutex);
	if (err)
		pr_err("%s: a pool of this name exists\n", pool->name);
	return err;
}

static void pool_unregister(struct kpool *pool)
{
	mutex_lock(&pools_mutex);
	list_del_init(&pool->registry_entry);
	mutex_unlock(&pools_mutex);
}

/* Start min_threads threads and wait until all of them are parked. */
static int pool_warm_up(struct kpool *pool)
{
	unsigned int i;
	int err;

	pool->nr_cold = pool->min_threads;
	for (i = 0; i < pool->min_threads; i++) {
		raw_spin_lock_irq(&pool->lock);
		pool->nr_threads++;
		raw_spin_unlock_irq(&pool->lock);
		err = spawn_worker(pool);
		if (err)
			return err;
	}
	if (i)
		wait_for_completion(&pool->warm);
	return 0;
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
	pool = pool_alloc(name, params, lock_name, key);
	if (IS_ERR(pool))
		return pool;
	err = pool_register(pool);
	if (err)
		goto err_put;
	err = pool_start(pool);
	if (err)
		goto err_unregister;
	/* The caller uses our symbols, so we are not being unloaded. */
	__module_get(THIS_MODULE);
	return pool;

err_unregister:
	pool_unregister(pool);
err_put:
	kpool_put(pool);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(__kpool_create);

static void report_leftovers(struct kpool *pool)
{
	struct kpool_group *group;

	mutex_lock(&pool->mutex);
	list_for_each_entry(group, &pool->root->children, sibling)
		pr_warn("%s: destroyed before its group %s\n", pool->name,
			group->name);
	mutex_unlock(&pool->mutex);
}

int kpool_destroy(struct kpool *pool)
{
	int err;

	if (IS_ERR_OR_NULL(pool))
		return 0;
	might_sleep();
	if (runs_below(pool->root))
		return -EDEADLK;

	/*
	 * 1. Nothing more comes in, and nothing of the clients executes: works
	 *    have ended, their release functions included.
	 */
	err = stop_for_ever(pool->root);
	if (err)
		return err;
	report_leftovers(pool);

	/*
	 * 2. Threads end.  Works, the only thing that could keep one, are
	 *    over; a canceller that was about to wake a service thread is in
	 *    an RCU read section, which keeps the task.
	 */
	pool_end_threads(pool);
	release_flush(pool->root);

	/*
	 * 3. The name is free.  The debugfs file, which finds pools under the
	 *    registry's mutex, does not find it any more.
	 */
	pool_unregister(pool);

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
