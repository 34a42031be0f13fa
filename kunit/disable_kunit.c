// SPDX-License-Identifier: GPL-2.0-only
/* Disabling a work: refused until it is enabled as often. */
#include "helpers.h"
#include "kmsg.h"

static void expect_disabled(struct kunit *test, struct kpool_group *group,
			    struct gated *g)
{
	KUNIT_EXPECT_EQ(test, -ECANCELED, kpool_queue(group, &g->work));
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			kpool_queue_flags(group, &g->work, KPOOL_NOQUEUE));
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&g->work));
}

static void idle_work_is_refused(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool *other = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	gated_open(g);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE, kpool_work_disable(&g->work));
	expect_disabled(test, kpool_root(pool), g);
	expect_disabled(test, kpool_root(other), g);
	KUNIT_EXPECT_EQ(test, -ENOENT, kpool_work_wait(&g->work, NULL));
	KUNIT_EXPECT_TRUE(test, kpool_work_enable(&g->work));
	expect_queued(test, kpool_root(pool), g, 1);
	expect_over(test, g, 1);
	KUNIT_EXPECT_FALSE(test, g->told);
}

static void counts(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *root = kpool_root(pool);
	struct gated *g = gated_array(test, 1);

	gated_open(g);
	kpool_work_disable(&g->work);
	kpool_work_disable(&g->work);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE,
			kpool_work_disable_sync(&g->work));
	KUNIT_EXPECT_FALSE(test, kpool_work_enable(&g->work));
	expect_disabled(test, root, g);
	KUNIT_EXPECT_FALSE(test, kpool_work_enable(&g->work));
	expect_disabled(test, root, g);
	KUNIT_EXPECT_TRUE(test, kpool_work_enable(&g->work));
	expect_queued(test, root, g, 1);
	expect_over(test, g, 1);
}

/* Whatever else is in its way: a full queue, or another group. */
static void refusal_comes_before_limits(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 1);
	struct gated *g = gated_array(test, 3);

	expect_queued(test, group, g, 2);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(group, &g[2].work));
	kpool_work_disable(&g[2].work);
	expect_disabled(test, group, &g[2]);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_disable(&g[0].work));
	KUNIT_EXPECT_EQ(test, -ECANCELED, kpool_queue(kpool_root(pool),
						      &g[0].work));
	gated_open_all(g, 3);
	expect_over(test, g, 2);
}

static void pending_work_never_runs(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *root = kpool_root(pool);
	struct gated *g = gated_array(test, 2);

	expect_queued(test, root, g, 2);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_disable(&g[1].work));
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			kpool_work_wait_timeout(&g[1].work, NULL, 0));
	expect_disabled(test, root, &g[1]);
	gated_open_all(g, 2);
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, count_started(&g[1], 1));
}

/* Enabled or not, a told run is refused until it has ended. */
static void running_work_is_told(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *root = kpool_root(pool);
	struct gated *g = gated_array(test, 1);

	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, root, g, 1);
	expect_started(test, g, 1);
	expect_queued(test, root, g, 1);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_disable(&g->work));
	KUNIT_EXPECT_EQ(test, -ECANCELED, kpool_queue(root, &g->work));
	KUNIT_EXPECT_TRUE(test, kpool_work_enable(&g->work));
	KUNIT_EXPECT_EQ(test, -ECANCELED, kpool_queue(root, &g->work));
	gated_open(g);
	expect_soon(test, !kpool_work_busy(&g->work));
	KUNIT_EXPECT_TRUE(test, g->told);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->runs));
	expect_queued(test, root, g, 1);
	expect_over(test, g, 1);
}

static int disable_sync_thread(void *work)
{
	return kpool_work_disable_sync(work);
}

static void sync_waits_for_the_end(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *root = kpool_root(pool);
	struct gated *g = gated_array(test, 1);
	struct test_thread *thread;

	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, root, g, 1);
	expect_started(test, g, 1);
	thread = run_thread(test, disable_sync_thread, &g->work);
	expect_soon(test, tell_of(pool, &g->work) == TELL_SENT);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(thread)));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING, join_thread(test, thread));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g->inside));
	expect_disabled(test, root, g);
}

struct suicide {
	struct kpool_work work;
	int err;
	bool told;
};

static int disable_itself(struct kpool_work *work)
{
	struct suicide *s = container_of(work, struct suicide, work);

	s->err = kpool_work_disable_sync(work);
	s->told = kpool_should_stop();
	return 0;
}

static void itself_is_edeadlk_and_disabled(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct suicide *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	kpool_work_init(&s->work, disable_itself);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(kpool_root(pool), &s->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&s->work, NULL,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, -EDEADLK, s->err);
	KUNIT_EXPECT_TRUE(test, s->told);
	KUNIT_EXPECT_EQ(test, -ECANCELED, kpool_queue(kpool_root(pool),
						      &s->work));
}

static void disable_in(void *arg)
{
	struct gated *g = arg;

	if (kpool_work_disable(&g[0].work) != KPOOL_CANCEL_RUNNING ||
	    kpool_work_disable(&g[1].work) != KPOOL_CANCEL_IDLE ||
	    !kpool_work_enable(&g[1].work))
		g->twice = true;
}

static void from_hardirq(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 2);
	struct gated *g = gated_array(test, 2);

	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	call_in_hardirq(test, disable_in, g);
	KUNIT_EXPECT_FALSE(test, g->twice);
	expect_done(test, &g->ended);
	KUNIT_EXPECT_TRUE(test, g->told);
	expect_queued(test, kpool_root(pool), &g[1], 1);
	gated_open_all(g, 2);
	expect_over(test, g, 2);
	expect_disabled(test, kpool_root(pool), g);
}

/*
 * Two pools queue one work as often as they can.  After each disable that
 * waited, no run begins, whatever was under way.
 */
#define STORMERS	4

struct storm {
	struct kpool_group *group;
	struct gated *g;
	bool *enough;
	int odd;		/* an answer that cannot be */
};

static int storm_fn(void *arg)
{
	struct storm *s = arg;
	int err;

	while (!READ_ONCE(*s->enough)) {
		err = kpool_queue(s->group, &s->g->work);
		if (err && err != -EALREADY && err != -EBUSY &&
		    err != -ECANCELED)
			s->odd = err;
		cond_resched();
	}
	return 0;
}

static void is_not_overtaken_by_a_storm(struct kunit *test)
{
	struct kpool *pools[] = { test_pool(test, 1, 2), test_pool(test, 1, 2) };
	struct gated *g = gated_array(test, 1);
	struct test_thread *threads[STORMERS];
	struct storm *s;
	bool *enough;
	int i, runs, late = 0;

	gated_open(g);
	s = kunit_kcalloc(test, STORMERS, sizeof(*s), GFP_KERNEL);
	enough = kunit_kzalloc(test, sizeof(*enough), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_ASSERT_NOT_NULL(test, enough);
	for (i = 0; i < STORMERS; i++) {
		s[i].group = kpool_root(pools[i % 2]);
		s[i].g = g;
		s[i].enough = enough;
		threads[i] = run_thread(test, storm_fn, &s[i]);
	}
	for (i = 0; i < 48; i++) {
		kpool_work_disable_sync(&g->work);
		runs = atomic_read(&g->runs);
		if (i % 8 == 0)
			schedule_timeout_uninterruptible(1);
		late += atomic_read(&g->runs) != runs ||
			atomic_read(&g->inside) ||
			kpool_work_wait_timeout(&g->work, NULL, 0) == -ETIMEDOUT;
		kpool_work_enable(&g->work);
		if (i % 8 == 0)
			expect_soon(test, atomic_read(&g->runs) != runs);
	}
	WRITE_ONCE(*enough, true);
	for (i = 0; i < STORMERS; i++) {
		join_thread(test, threads[i]);
		KUNIT_EXPECT_EQ(test, 0, s[i].odd);
	}
	KUNIT_EXPECT_EQ(test, 0, late);
	KUNIT_EXPECT_FALSE(test, g->twice);
	kpool_work_cancel_sync(&g->work);
}

static void enabled_too_often_is_reported(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	gated_open(g);
	report_begin("kpool: work .* is enabled, but was not disabled");
	KUNIT_EXPECT_TRUE(test, kpool_work_enable(&g->work));
	KUNIT_EXPECT_GE(test, report_lines("is enabled, but was not disabled"),
			1);
	report_end();
	/* and does not count: the next disable is one */
	kpool_work_disable(&g->work);
	expect_disabled(test, kpool_root(pool), g);
	KUNIT_EXPECT_TRUE(test, kpool_work_enable(&g->work));
}

static void work_is_small(struct kunit *test)
{
	size_t debug = 0;

#ifdef CONFIG_LOCKDEP
	debug += sizeof(struct lockdep_map);
#endif
	KUNIT_EXPECT_LE(test, sizeof(struct kpool_work) - debug, (size_t)80);
}

static struct kunit_case disable_cases[] = {
	KUNIT_CASE(idle_work_is_refused),
	KUNIT_CASE(counts),
	KUNIT_CASE(refusal_comes_before_limits),
	KUNIT_CASE(pending_work_never_runs),
	KUNIT_CASE(running_work_is_told),
	KUNIT_CASE(sync_waits_for_the_end),
	KUNIT_CASE(itself_is_edeadlk_and_disabled),
	KUNIT_CASE(from_hardirq),
	KUNIT_CASE(is_not_overtaken_by_a_storm),
	KUNIT_CASE(enabled_too_often_is_reported),
	KUNIT_CASE(work_is_small),
	{}
};

static struct kunit_suite disable_suite = {
	.name = "kpool_disable",
	.test_cases = disable_cases,
};

kunit_test_suite(disable_suite);
