// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pool with threads per CPU: what is queued on one CPU changes nothing that
 * belongs to another, nor anything of the handle.
 */
#include <linux/mm.h>
#include <linux/string.h>

#include "percpu_fixture.h"

#define DISPATCHES	100
#define TRIES		10

/* Copies of all that a dispatch in a pool could write, but for the work. */
struct view {
	struct kpool pool;
	struct kpool_group root, group;
	struct kpool_worker worker;
};

/*
 * The watchdog, and who reads debugfs, may look at a pool at any time: what
 * they use is left out.
 */
static void look_at(struct view *view, struct kpool_group *group)
{
	struct kpool *pool = group->pool;

	mutex_lock(&pool->mutex);
	raw_spin_lock_irq(&pool->lock);
	memcpy(&view->pool, pool, sizeof(view->pool));
	memcpy(&view->root, pool->root, sizeof(view->root));
	memcpy(&view->group, group, sizeof(view->group));
	if (!list_empty(&pool->workers))
		memcpy(&view->worker,
		       list_first_entry(&pool->workers, struct kpool_worker,
					all_entry), sizeof(view->worker));
	raw_spin_unlock_irq(&pool->lock);
	mutex_unlock(&pool->mutex);
	memset(&view->pool.lock, 0, sizeof(view->pool.lock));
	memset(&view->pool.mutex, 0, sizeof(view->pool.mutex));
	memset(&view->pool.kref, 0, sizeof(view->pool.kref));
}

/* The parts of a group, and behind them the handle. */
static void look_at_all(struct view *views, struct kpool_group *group)
{
	int cpu;

	for_each_possible_cpu(cpu)
		look_at(&views[cpu], group->on_cpu[cpu]);
	look_at(&views[nr_cpu_ids], group);
}

static bool is_quiet(struct kpool *pool)
{
	bool quiet;

	raw_spin_lock_irq(&pool->lock);
	quiet = pool->nr_idle == pool->min_threads && pool->spawner.asleep &&
		pool->stopper.asleep;
	raw_spin_unlock_irq(&pool->lock);
	return quiet;
}

static int no_fn(struct kpool_work *work)
{
	return 0;
}

static void dispatch_on(struct kunit *test, int cpu, struct kpool_group *group)
{
	struct kpool_work work;
	int i, err = 0;

	kpool_work_init_onstack(&work, no_fn);
	for (i = 0; i < DISPATCHES && !err; i++) {
		err = queue_from(cpu, group, &work);
		err = err ?: kpool_work_wait_timeout(&work, NULL, DEADLINE);
	}
	KUNIT_EXPECT_EQ(test, 0, err);
	kpool_work_destroy_onstack(&work);
}

/* How many of the views have changed, but for that of one CPU. */
static int count_changed(const struct view *before, const struct view *after,
			 int but)
{
	int i, n = 0;

	for (i = 0; i <= nr_cpu_ids; i++)
		if (i != but)
			n += !!memcmp(&before[i], &after[i], sizeof(*before));
	return n;
}

static void free_views(void *views)
{
	kvfree(views);
}

static struct view *alloc_views(struct kunit *test)
{
	struct view *views = kvcalloc(nr_cpu_ids + 1, sizeof(*views),
				      GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, views);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_views, views));
	return views;
}

/* Other things may happen, too; but not each time. */
static void dispatch_leaves_the_rest_as_it_is(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct view *before = alloc_views(test);
	struct view *after = alloc_views(test);
	int cpu, other, changed, tries;

	for_each_online_cpu(cpu) {
		changed = 1;
		for (tries = 0; changed && tries < TRIES; tries++) {
			for_each_online_cpu(other)
				expect_soon(test, is_quiet(inner_pool(pool, other)));
			look_at_all(before, group);
			dispatch_on(test, cpu, group);
			look_at_all(after, group);
			changed = count_changed(before, after, cpu);
		}
		KUNIT_EXPECT_EQ_MSG(test, 0, changed, "by CPU %d", cpu);
		KUNIT_EXPECT_EQ(test, DISPATCHES,
				after[cpu].group.lives - before[cpu].group.lives);
	}
}

static struct kunit_case local_cases[] = {
	KUNIT_CASE(dispatch_leaves_the_rest_as_it_is),
	{}
};

static struct kunit_suite local_suite = {
	.name = "kpool_local",
	.test_cases = local_cases,
};

kunit_test_suite(local_suite);
