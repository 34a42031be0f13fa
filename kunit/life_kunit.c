// SPDX-License-Identifier: GPL-2.0-only
/* Promise 12: how pools, groups and works come and go. */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "helpers.h"

/* For pools that a case makes itself; short, it has to fit into ->comm. */
#define NAME	"life"

/* Threads of a pool that are not for works: spawner, stopper. */
#define SERVICES	2

static const struct kpool_params one_thread = {
	.min_threads = 1,
	.max_threads = 1,
};

/* How many processes there are whose names begin so. */
static unsigned int processes_of(const char *pool)
{
	char prefix[TASK_COMM_LEN];
	struct task_struct *task;
	unsigned int n = 0;

	snprintf(prefix, sizeof(prefix), "kpool/%s/", pool);
	rcu_read_lock();
	for_each_process(task)
		if (!strncmp(task->comm, prefix, strlen(prefix)))
			n++;
	rcu_read_unlock();
	return n;
}

/* The name may be used again, and no thread is left that bears it. */
static void expect_gone(struct kunit *test, const char *name)
{
	struct kpool *pool = kpool_create(name, &one_thread);

	KUNIT_EXPECT_FALSE_MSG(test, IS_ERR(pool), "%s: %pe", name, pool);
	KUNIT_EXPECT_EQ(test, 0, kpool_destroy(pool));
	/* a thread is a process for a little longer than it is our code */
	expect_soon(test, processes_of(name) == 0);
}

static void group_without_memory_is_enomem(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	int n;

	/* its structure, and its folder in sysfs */
	for (n = 0; n < 2; n++) {
		fail_creations(test, n);
		KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENOMEM),
				    kpool_group_create(kpool_root(pool), "a",
						       NULL));
		fail_no_more();
	}
	test_group(test, pool, "a", 0, 0);
}

static void late_birth(enum kpool_test_point point, struct kpool *pool)
{
	if (point == KPOOL_AT_BIRTH)
		schedule_timeout_uninterruptible(msecs_to_jiffies(50));
}

/* No waiting here: they are parked when kpool_create() returns. */
static void create_returns_with_min_parked(struct kunit *test)
{
	struct kpool *pool;

	WRITE_ONCE(kpool_test_hook, late_birth);
	pool = test_pool(test, 4, 8);
	WRITE_ONCE(kpool_test_hook, NULL);
	KUNIT_EXPECT_EQ(test, 4, pool_idle(pool));
	KUNIT_EXPECT_EQ(test, 4, pool_threads(pool));
}

/*
 * Let the first creation of kpool_create() fail, then the second, and so on
 * until it succeeds.
 */
static void failed_create_leaves_nothing(struct kunit *test)
{
	const struct kpool_params params = {
		.min_threads = 2,
		.max_threads = 2,
	};
	struct kpool *pool;
	int n;

	for (n = 0; n < 20; n++) {
		fail_creations(test, n);
		pool = kpool_create(NAME, &params);
		fail_no_more();
		if (!IS_ERR(pool))
			break;
		KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENOMEM), pool);
		expect_soon(test, processes_of(NAME) == 0);
		expect_gone(test, NAME);
	}
	/* the pool, its root, two threads, its folder in sysfs */
	KUNIT_EXPECT_EQ(test, SERVICES + 5, n);
	kpool_destroy(pool);
}

static int create_when_killed(void *arg)
{
	const struct kpool_params params = {
		.min_threads = 4,
		.max_threads = 4,
	};
	struct kpool *pool;

	send_sig(SIGKILL, current, 1);
	pool = kpool_create(NAME, &params);
	kpool_destroy(pool);
	return PTR_ERR_OR_ZERO(pool);
}

static void killed_create_is_eintr(struct kunit *test)
{
	struct test_thread *thread = run_thread(test, create_when_killed, NULL);

	KUNIT_EXPECT_EQ(test, -EINTR, join_thread(test, thread));
	expect_soon(test, processes_of(NAME) == 0);
	expect_gone(test, NAME);
}

/* More than one batch of them. */
static void destroy_ends_idle_threads(struct kunit *test)
{
	const int n = KPOOL_BATCH + 8;
	struct kpool *pool = test_pool(test, n, n);
	char name[KPOOL_NAME_MAX + 1];

	strscpy(name, pool->name, sizeof(name));
	KUNIT_EXPECT_EQ(test, n + SERVICES, processes_of(name));
	test_pool_destroy(test, pool);
	expect_soon(test, processes_of(name) == 0);
}

static int destroy_fn(void *pool)
{
	return kpool_destroy(pool);
}

static void destroy_waits_for_running(struct kunit *test)
{
	struct gated *g = gated_array(test, 2);
	struct kpool *pool = kpool_create(NAME, &one_thread);
	struct test_thread *thread;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	g->sleep = GATE_UNINTERRUPTIBLE;
	g->work.release = gated_release;
	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 1);
	thread = run_thread(test, destroy_fn, pool);
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			kpool_work_wait_timeout(&g[1].work, NULL, DEADLINE));
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(thread)));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->released));
	KUNIT_EXPECT_TRUE(test, g->told);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g[1].runs));
}

/* The thread that is on its way is waited for, the work is not. */
static void destroy_during_creation(struct kunit *test)
{
	const struct kpool_params params = { .max_threads = 1 };
	struct gated *g = gated_array(test, 1);
	struct kpool *pool = kpool_create(NAME, &params);
	struct test_thread *thread;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	hold_at(test, pool, KPOOL_AT_CREATE);
	expect_queued(test, kpool_root(pool), g, 1);
	hold_reached(test);
	thread = run_thread(test, destroy_fn, pool);
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			kpool_work_wait_timeout(&g->work, NULL, DEADLINE));
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(thread)));
	hold_release();
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
	expect_gone(test, NAME);
}

/* Nothing that a stop needs has to be created. */
static void destroy_while_creation_fails(struct kunit *test)
{
	const struct kpool_params params = {
		.min_threads = 1,
		.max_threads = 2,
	};
	struct gated *g = gated_array(test, 2);
	struct kpool *pool = kpool_create(NAME, &params);
	struct test_thread *thread;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	expect_queued(test, kpool_root(pool), g, 1);
	fail_creations(test, 0);
	expect_queued(test, kpool_root(pool), &g[1], 1);
	expect_soon(test, READ_ONCE(pool->nr_failed) > 0);
	thread = run_thread(test, destroy_fn, pool);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
	fail_no_more();
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g[1].runs));
	expect_gone(test, NAME);
}

static void destroy_from_inside_is_edeadlk(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);
	int result = 0;

	KUNIT_EXPECT_EQ(test, 0, kpool_call(kpool_root(pool), destroy_fn, pool,
					    &result));
	KUNIT_EXPECT_EQ(test, -EDEADLK, result);
	KUNIT_EXPECT_EQ(test, 0, kpool_call(group, destroy_fn, pool, &result));
	KUNIT_EXPECT_EQ(test, -EDEADLK, result);
}

static int group_destroy_fn(void *group)
{
	return kpool_group_destroy(group);
}

static void group_destroy_from_inside_is_edeadlk(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);
	int result = 0;

	KUNIT_EXPECT_EQ(test, 0, kpool_call(group, group_destroy_fn, group,
					    &result));
	KUNIT_EXPECT_EQ(test, -EDEADLK, result);
	/* nothing was stopped */
	KUNIT_EXPECT_EQ(test, 0, kpool_call(group, group_destroy_fn, group,
					    NULL));
}

/* Works that count what becomes of them, all in one place. */
struct tally {
	struct kpool_group *group;
	atomic_t accepted;
	atomic_t runs;
	atomic_t released;
	atomic_t inside;
	int end;		/* the answer that ended a submitter */
};

struct tallied {
	struct kpool_work work;
	struct tally *tally;
};

static int tallied_fn(struct kpool_work *work)
{
	struct tally *tally = container_of(work, struct tallied, work)->tally;

	atomic_inc(&tally->inside);
	atomic_inc(&tally->runs);
	if (atomic_read(&tally->runs) % 16 == 0)
		schedule_timeout_uninterruptible(1);
	atomic_dec(&tally->inside);
	return 0;
}

/* The work frees itself; it is queued only once. */
static void tallied_free(struct kpool_work *work)
{
	struct tallied *t = container_of(work, struct tallied, work);
	struct tally *tally = t->tally;

	kfree(t);
	atomic_inc(&tally->released);
}

static int queue_tallied(struct tally *tally)
{
	struct tallied *t = kzalloc(sizeof(*t), GFP_KERNEL);
	int err;

	if (!t)
		return -ENOMEM;
	t->tally = tally;
	kpool_work_init_release(&t->work, tallied_fn, tallied_free);
	atomic_inc(&tally->accepted);
	err = kpool_queue(tally->group, &t->work);
	if (err) {
		atomic_dec(&tally->accepted);
		kfree(t);
	}
	return err;
}

static struct tally *new_tally(struct kunit *test)
{
	struct tally *tally = kunit_kzalloc(test, sizeof(*tally), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tally);
	return tally;
}

static void release_frees_what_ran(struct kunit *test)
{
	struct tally *tally = new_tally(test);
	int i;

	tally->group = kpool_root(test_pool(test, 2, 4));
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, 0, queue_tallied(tally));
	KUNIT_EXPECT_EQ(test, 0,
			kpool_group_wait_timeout(tally->group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 100, atomic_read(&tally->runs));
	KUNIT_EXPECT_EQ(test, 100, atomic_read(&tally->released));
}

static void release_frees_what_was_cancelled(struct kunit *test)
{
	struct tally *tally = new_tally(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	int i;

	tally->group = test_group(test, pool, "a", 0, 0);
	expect_queued(test, kpool_root(pool), g, 1);
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, 0, queue_tallied(tally));
	KUNIT_EXPECT_EQ(test, 0,
			kpool_group_stop_timeout(tally->group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&tally->runs));
	KUNIT_EXPECT_EQ(test, 100, atomic_read(&tally->released));
	gated_open(g);
	expect_over(test, g, 1);
}

/* Run, run once more, cancelled when pending, cancelled when requeued. */
static void release_once_per_queueing(struct kunit *test)
{
	struct kpool_group *root = kpool_root(test_pool(test, 1, 1));
	struct gated *g = gated_array(test, 2);

	g[0].work.release = gated_release;
	g[1].work.release = gated_release;
	expect_queued(test, root, g, 1);
	expect_started(test, g, 1);
	expect_queued(test, root, g, 2);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&g[1].work));
	expect_soon(test, atomic_read(&g[1].released) == 1);
	gated_open(&g[0]);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(root, DEADLINE));
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g[0].runs));
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g[0].released));
	expect_queued(test, root, &g[1], 1);
	expect_started(test, &g[1], 1);
	expect_queued(test, root, &g[1], 1);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&g[1].work));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(root, DEADLINE));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[1].runs));
	KUNIT_EXPECT_EQ(test, 3, atomic_read(&g[1].released));
}

static int queue_until_refused(void *arg)
{
	struct tally *tally = arg;
	int err;

	do {
		err = queue_tallied(tally);
		if (err == -EAGAIN)
			schedule_timeout_uninterruptible(1);
	} while (!err || err == -EAGAIN);
	return err;
}

/*
 * Of a pool that ends while others queue to its group: they are refused, and
 * what was accepted is accounted for.  The group keeps the memory.
 */
static void destroy_races_with_queueing(struct kunit *test)
{
	struct tally *tally = new_tally(test);
	struct kpool *pool = test_pool(test, 2, 3);
	struct test_thread *threads[3];
	int i, runs;

	tally->group = test_group(test, pool, "a", 0, 64);
	for (i = 0; i < 3; i++)
		threads[i] = run_thread(test, queue_until_refused, tally);
	expect_soon(test, atomic_read(&tally->runs) > 50);
	test_pool_destroy(test, pool);
	runs = atomic_read(&tally->runs);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&tally->inside));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
				join_thread(test, threads[i]));
	KUNIT_EXPECT_EQ(test, runs, atomic_read(&tally->runs));
	KUNIT_EXPECT_EQ(test, atomic_read(&tally->accepted),
			atomic_read(&tally->released));
	KUNIT_EXPECT_LE(test, runs, atomic_read(&tally->accepted));
}

/* The group refuses everything, may be stopped and asked, and destroyed. */
static void group_outlives_its_pool(struct kunit *test)
{
	struct kpool *pool = kpool_create(NAME, &one_thread);
	struct kpool_group *group, *late;
	struct gated *g = gated_array(test, 1);

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	group = kpool_group_create(kpool_root(pool), "a", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(group));
	late = kpool_group_create(kpool_root(pool), "b", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(late));
	KUNIT_EXPECT_EQ(test, 0, kpool_destroy(pool));
	expect_gone(test, NAME);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(group, &g->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	kpool_group_request_stop(group);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_destroy(group));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(late, &g->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_destroy(late));
}

static void work_outlives_its_pool(struct kunit *test)
{
	struct gated *g = gated_array(test, 3);
	struct kpool *pool = test_pool(test, 1, 1);
	int result = 0;

	g[0].ret = 7;
	g[1].ret = 8;
	expect_queued(test, kpool_root(pool), g, 3);
	gated_open(&g[0]);
	expect_started(test, &g[1], 1);
	/* tells g[1], which returns; g[2] never runs */
	test_pool_destroy(test, pool);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait(&g[0].work, &result));
	KUNIT_EXPECT_EQ(test, 7, result);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait(&g[1].work, &result));
	KUNIT_EXPECT_EQ(test, 8, result);
	KUNIT_EXPECT_EQ(test, -ECANCELED, kpool_work_wait(&g[2].work, NULL));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE, kpool_work_cancel(&g[0].work));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE,
			kpool_work_cancel_sync(&g[1].work));
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&g[2].work));
}

static int kpool_refcount(void)
{
#ifdef CONFIG_MODULE_UNLOAD
	if (kpool_test_module)
		return module_refcount(kpool_test_module);
#endif
	return -1;
}

static void pool_holds_the_module(struct kunit *test)
{
	int before = kpool_refcount();
	struct kpool *pool;

	if (before < 0)
		kunit_skip(test, "kpool cannot be unloaded");
	pool = test_pool(test, 0, 1);
	KUNIT_EXPECT_EQ(test, before + 1, kpool_refcount());
	test_pool_destroy(test, pool);
	KUNIT_EXPECT_EQ(test, before, kpool_refcount());
	fail_creations(test, 2);
	KUNIT_EXPECT_TRUE(test, IS_ERR(kpool_create(NAME, &one_thread)));
	KUNIT_EXPECT_EQ(test, before, kpool_refcount());
}

static struct kunit_case life_cases[] = {
	KUNIT_CASE(group_without_memory_is_enomem),
	KUNIT_CASE(create_returns_with_min_parked),
	KUNIT_CASE(failed_create_leaves_nothing),
	KUNIT_CASE(killed_create_is_eintr),
	KUNIT_CASE(destroy_ends_idle_threads),
	KUNIT_CASE(destroy_waits_for_running),
	KUNIT_CASE(destroy_during_creation),
	KUNIT_CASE(destroy_while_creation_fails),
	KUNIT_CASE(destroy_from_inside_is_edeadlk),
	KUNIT_CASE(group_destroy_from_inside_is_edeadlk),
	KUNIT_CASE(release_frees_what_ran),
	KUNIT_CASE(release_frees_what_was_cancelled),
	KUNIT_CASE(release_once_per_queueing),
	KUNIT_CASE(destroy_races_with_queueing),
	KUNIT_CASE(group_outlives_its_pool),
	KUNIT_CASE(work_outlives_its_pool),
	KUNIT_CASE(pool_holds_the_module),
	{}
};

static struct kunit_suite life_suite = {
	.name = "kpool_life",
	.test_cases = life_cases,
};

kunit_test_suite(life_suite);
