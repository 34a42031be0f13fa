// SPDX-License-Identifier: GPL-2.0-only
/*
 * No hold of a pool's lock grows with the number of works, of threads or of
 * groups: what is done to many is done in batches.
 *
 * How long the longest hold took is shown for each path, and not judged.
 */
#include <linux/cpu.h>
#include <linux/kpool_delayed.h>
#include <linux/mm.h>

#include "../kpool/watchdog.h"
#include "hold_fixture.h"
#include "percpu_fixture.h"

#define BATCH	32	/* whatever KPOOL_BATCH is */
#define WORKS	10000
#define THREADS	1000
#define GROUPS	200
#define QUEUERS	100	/* more than three batches */
#define SLOW	(10 * DEADLINE)	/* for all of them */

static DECLARE_COMPLETION(gate);
static atomic_t inside;
static atomic_t released;

static int sleeper_fn(struct kpool_work *work)
{
	atomic_inc(&inside);
	wait_for_completion_interruptible(&gate);
	return 0;
}

static void count_release(struct kpool_work *work)
{
	atomic_inc(&released);
}

static void free_crowd(void *works)
{
	complete_all(&gate);
	kvfree(works);
}

/* Works that sleep when they run; made before the pool, to outlive it. */
static struct kpool_work *crowd(struct kunit *test, int n,
				kpool_release_t release)
{
	struct kpool_work *works = kvcalloc(n, sizeof(*works), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, works);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_crowd, works));
	reinit_completion(&gate);
	atomic_set(&inside, 0);
	atomic_set(&released, 0);
	for (i = 0; i < n; i++)
		kpool_work_init_release(&works[i], sleeper_fn, release);
	return works;
}

static void expect_all_queued(struct kunit *test, struct kpool_group *group,
			      struct kpool_work *works, int n)
{
	int i, refused = 0;

	for (i = 0; i < n; i++)
		refused += !!kpool_queue(group, &works[i]);
	KUNIT_EXPECT_EQ(test, 0, refused);
}

/* In steps, each with a deadline of its own: a machine may be slow. */
static void expect_all_running(struct kunit *test, struct kpool_group *group,
			       struct kpool_work *works, int n)
{
	const int step = 50;
	int i;

	for (i = 0; i < n; i += step) {
		expect_all_queued(test, group, works + i, step);
		if (!expect_soon(test, atomic_read(&inside) == i + step))
			return;
	}
}

/* Of these, all were handled, and not more than that many in one hold. */
static void expect_at_most(struct kunit *test, enum handled what,
			   unsigned int most, unsigned int all)
{
	KUNIT_EXPECT_EQ_MSG(test, all, watch.all[what], "of %d", what);
	KUNIT_EXPECT_LE_MSG(test, watch.most[what], most, "of %d", what);
}

/* And of nothing else more than a batch. */
static void expect_batches(struct kunit *test, const char *path)
{
	int i;

	watch_no_more();
	show_holds(test, path);
	for (i = 0; i < NR_HANDLED; i++)
		KUNIT_EXPECT_LE_MSG(test, watch.most[i], BATCH, "of %d",
				    i);
}

static void stop_watched(struct kunit *test, struct kpool_group *group,
			 const char *path)
{
	watch_holds(group->pool);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(group, SLOW));
	expect_batches(test, path);
}

static void stop_of_pending_and_running(struct kunit *test)
{
	struct kpool_work *works = crowd(test, WORKS + THREADS, NULL);
	struct kpool *pool = test_pool(test, 0, THREADS);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);

	need_lock_events(test);
	expect_all_running(test, group, works, THREADS);
	expect_all_queued(test, group, works + THREADS, WORKS);
	stop_watched(test, group, "stop of 10000 pending and 1000 running");
	expect_at_most(test, CANCELLED, BATCH, WORKS);
	expect_at_most(test, TOLD, BATCH, THREADS);
	expect_at_most(test, SENT, BATCH, THREADS);
}

/* One thread, which is busy; so what else is queued is pending. */
static struct kpool *busy_pool(struct kunit *test, struct kpool_work *first)
{
	struct kpool *pool = test_pool(test, 1, 1);

	need_lock_events(test);
	expect_all_queued(test, kpool_root(pool), first, 1);
	expect_soon(test, atomic_read(&inside) == 1);
	return pool;
}

static void stop_of_many_groups(struct kunit *test)
{
	struct kpool_work *works = crowd(test, WORKS + 1, NULL);
	struct kpool *pool = busy_pool(test, &works[WORKS]);
	const int each = WORKS / GROUPS;
	struct kpool_group *group;
	char name[8];
	int i;

	for (i = 0; i < GROUPS; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		group = test_group(test, pool, name, 0, 0);
		expect_all_queued(test, group, works + i * each, each);
	}
	stop_watched(test, kpool_root(pool), "stop of 200 groups");
	expect_at_most(test, CANCELLED, BATCH, WORKS);
}

static void works_are_given_back_one_by_one(struct kunit *test)
{
	struct kpool_work *works = crowd(test, WORKS + 1, count_release);
	struct kpool *pool = busy_pool(test, &works[WORKS]);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);

	expect_all_queued(test, group, works, WORKS);
	stop_watched(test, group, "stop of 10000 that are given back");
	expect_at_most(test, CANCELLED, BATCH, WORKS);
	expect_at_most(test, RELEASED, 1, WORKS);
	KUNIT_EXPECT_EQ(test, WORKS, atomic_read(&released));
}

static void stop_of_delayed(struct kunit *test)
{
	struct kpool_delayed_work *works;
	struct kpool_group *group;
	struct kpool *pool;
	int i, refused = 0;

	works = kvcalloc(WORKS, sizeof(*works), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, works);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_crowd, works));
	pool = test_pool(test, 0, 1);
	group = test_group(test, pool, "g", 0, 0);
	need_lock_events(test);
	for (i = 0; i < WORKS; i++) {
		kpool_delayed_init(&works[i], sleeper_fn);
		refused += !!kpool_queue_delayed(group, &works[i], 3600 * HZ);
	}
	KUNIT_EXPECT_EQ(test, 0, refused);
	stop_watched(test, group, "stop of 10000 delayed");
	expect_at_most(test, CANCELLED, BATCH, WORKS);
}

/* Idle threads for all of them, as soon as the limit allows. */
static void raised_limit_starts_in_batches(struct kunit *test)
{
	struct kpool_work *works = crowd(test, GROUPS, NULL);
	struct kpool *pool = test_pool(test, GROUPS, GROUPS);
	struct kpool_group *group = test_group(test, pool, "g", 1, 0);

	need_lock_events(test);
	expect_all_queued(test, group, works, GROUPS);
	watch_holds(pool);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, 0, 0));
	expect_batches(test, "limit raised for 199 works");
	expect_at_most(test, STARTED, BATCH, GROUPS - 1);
}

static void lowered_limit_dismisses_in_batches(struct kunit *test)
{
	struct kpool_limits limits = { .max_threads = 1 };
	struct kpool *pool = test_pool(test, THREADS, THREADS);

	need_lock_events(test);
	watch_holds(pool);
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	KUNIT_EXPECT_EQ(test, 1, pool_threads(pool));
	expect_batches(test, "limit lowered below 1000 idle threads");
	expect_at_most(test, LEFT, BATCH, THREADS - 1);
}

static void destroy_dismisses_in_batches(struct kunit *test)
{
	struct kpool *pool = test_pool(test, THREADS, THREADS);

	need_lock_events(test);
	watch_holds(pool);
	test_pool_destroy(test, pool);
	expect_batches(test, "destroy with 1000 idle threads");
	expect_at_most(test, LEFT, BATCH, THREADS);
}

/* The threads that are idle for too long, all at the same time. */
static void idle_threads_leave_in_batches(struct kunit *test)
{
	struct kpool_limits limits = {
		.max_threads = GROUPS,
		.idle_timeout = 1,
	};
	struct kpool *pool = test_pool(test, GROUPS, GROUPS);

	need_lock_events(test);
	watch_holds(pool);
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	expect_soon(test, !pool_threads(pool));
	expect_batches(test, "200 threads idle for too long");
	expect_at_most(test, LEFT, BATCH, GROUPS);
}

/* Somebody who waits for room, in a thread of his own. */
struct queuer {
	struct kpool_group	*group;
	struct kpool_work	*work;
	struct test_thread	*thread;
};

static int queuer_fn(void *arg)
{
	struct queuer *q = arg;

	return kpool_queue_wait(q->group, q->work, SLOW);
}

static struct queuer *queuers(struct kunit *test)
{
	struct queuer *q = kunit_kcalloc(test, QUEUERS, sizeof(*q), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, q);
	return q;
}

static void start_queuer(struct kunit *test, struct queuer *q,
			 struct kpool_group *group, struct kpool_work *work)
{
	struct list_head *last = READ_ONCE(group->room_waiters.prev);

	q->group = group;
	q->work = work;
	q->thread = run_thread(test, queuer_fn, q);
	expect_soon(test, READ_ONCE(group->room_waiters.prev) != last);
	/* so that who answers it has somebody to wake */
	expect_soon(test, task_is_asleep(thread_task(q->thread)));
}

/*
 * All of them are kept out by the same level.  A place that is free there wakes
 * one, of whichever group; and he who finds it taken does not keep the others
 * from the next.
 */
static void room_wakes_one_of_many_groups(struct kunit *test)
{
	struct kpool_work *works = crowd(test, QUEUERS + 2, NULL);
	struct queuer *q = queuers(test);
	struct kpool *pool = busy_pool(test, &works[QUEUERS]);
	struct kpool_group *full, *group;
	char name[8];
	int i;

	full = test_group(test, pool, "full", 0, 1);
	expect_all_queued(test, full, &works[QUEUERS + 1], 1);
	for (i = 0; i < QUEUERS; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		group = test_subgroup(test, full, name, NULL);
		start_queuer(test, &q[i], group, &works[i]);
	}
	watch_holds(pool);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&works[QUEUERS + 1]));
	complete_all(&gate);
	for (i = 0; i < QUEUERS; i++)
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, q[i].thread));
	expect_batches(test, "room for 100 groups");
	KUNIT_EXPECT_LE(test, watch.most[WOKEN], KPOOL_GROUP_LEVELS);
	KUNIT_EXPECT_GE(test, watch.all[WOKEN], QUEUERS);
}

static void room_is_refused_in_batches(struct kunit *test)
{
	struct kpool_work *works = crowd(test, QUEUERS + 2, NULL);
	struct queuer *q = queuers(test);
	struct kpool *pool = busy_pool(test, &works[QUEUERS]);
	struct kpool_group *group = test_group(test, pool, "full", 0, 1);
	int i;

	expect_all_queued(test, group, &works[QUEUERS + 1], 1);
	for (i = 0; i < QUEUERS; i++)
		start_queuer(test, &q[i], group, &works[i]);
	stop_watched(test, group, "stop of 100 that wait for room");
	for (i = 0; i < QUEUERS; i++)
		KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
				join_thread(test, q[i].thread));
	KUNIT_EXPECT_GE(test, watch.all[WOKEN], QUEUERS);
}

static void cpu_back(void *cpu)
{
	add_cpu((long)cpu);
}

static void works_move_in_batches(struct kunit *test)
{
	struct kpool_work *works = crowd(test, THREADS + 1, NULL);
	struct kpool *pool = percpu_pool(test, 1, 1), *inner;
	struct kpool_group *root = kpool_root(pool);
	long cpu = last_cpu();
	int i, refused = 0;

	need_two_cpus(test);
	need_lock_events(test);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, cpu_back, (void *)cpu));
	inner = inner_pool(pool, cpu);
	refused += !!kpool_queue_on(cpu, root, &works[THREADS]);
	expect_soon(test, atomic_read(&inside) == 1);
	for (i = 0; i < THREADS; i++)
		refused += !!kpool_queue_on(cpu, root, &works[i]);
	KUNIT_EXPECT_EQ(test, 0, refused);
	watch_holds(inner);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	expect_batches(test, "1000 works moved from a CPU");
	expect_at_most(test, MOVED, BATCH, THREADS);
}

/* One worker, or one group with some of its works, in each hold. */
static void watchdog_looks_at_one_at_a_time(struct kunit *test)
{
	struct kpool_work *works = crowd(test, WORKS + GROUPS, NULL);
	struct kpool *pool = test_pool(test, 0, GROUPS);

	need_lock_events(test);
	expect_all_running(test, kpool_root(pool), works, GROUPS);
	expect_all_queued(test, kpool_root(pool), works + GROUPS, WORKS);
	watch_holds(pool);
	KUNIT_EXPECT_FALSE(test, watchdog_look(pool, 3600 * HZ));
	expect_batches(test, "look at 10000 pending and 200 running");
	KUNIT_EXPECT_GE(test, watch.holds, GROUPS);
}

static int quick_fn(struct kpool_work *work)
{
	return 0;
}

/* Queue to a pool per CPU, on one CPU, a hundred times; each runs there. */
static int queue_locally(struct kpool *pool)
{
	static struct kpool_work work;
	int i, err = 0;

	kpool_work_init(&work, quick_fn);
	for (i = 0; i < 100 && !err; i++) {
		err = queue_from(0, kpool_root(pool), &work);
		err = err ?: kpool_work_wait_timeout(&work, NULL, DEADLINE);
	}
	return err;
}

/*
 * How often the lock of @other was held meanwhile: the least of a few times,
 * for the watchdog may look at it.
 */
static unsigned int holds_of_another(struct kunit *test, struct kpool *pool,
				     struct kpool *other)
{
	unsigned int least = UINT_MAX;
	int i;

	for (i = 0; i < 5 && least; i++) {
		watch_holds(other);
		KUNIT_EXPECT_EQ(test, 0, queue_locally(pool));
		watch_no_more();
		least = min(least, watch.holds);
	}
	return least;
}

static void queueing_takes_the_lock_of_its_cpu_only(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 1, 1);
	int cpu;

	need_lock_events(test);
	KUNIT_EXPECT_EQ(test, 0, holds_of_another(test, pool, pool));
	for_each_online_cpu(cpu) {
		unsigned int holds = holds_of_another(test, pool,
						      inner_pool(pool, cpu));

		KUNIT_EXPECT_EQ_MSG(test, cpu == 0, holds > 0, "of CPU %d",
				    cpu);
	}
}

static struct kunit_case hold_cases[] = {
	KUNIT_CASE_SLOW(stop_of_pending_and_running),
	KUNIT_CASE_SLOW(stop_of_many_groups),
	KUNIT_CASE_SLOW(works_are_given_back_one_by_one),
	KUNIT_CASE_SLOW(stop_of_delayed),
	KUNIT_CASE(raised_limit_starts_in_batches),
	KUNIT_CASE_SLOW(lowered_limit_dismisses_in_batches),
	KUNIT_CASE_SLOW(destroy_dismisses_in_batches),
	KUNIT_CASE(idle_threads_leave_in_batches),
	KUNIT_CASE(room_wakes_one_of_many_groups),
	KUNIT_CASE(room_is_refused_in_batches),
	KUNIT_CASE(works_move_in_batches),
	KUNIT_CASE(watchdog_looks_at_one_at_a_time),
	KUNIT_CASE(queueing_takes_the_lock_of_its_cpu_only),
	{}
};

static struct kunit_suite hold_suite = {
	.name = "kpool_hold",
	.suite_init = hold_suite_init,
	.suite_exit = hold_suite_exit,
	.test_cases = hold_cases,
};

kunit_test_suite(hold_suite);
