// SPDX-License-Identifier: GPL-2.0-only
/* Promise 1: queueing, from where and with what answer. */
#include <linux/spinlock.h>

#include "helpers.h"

/* A work that was queued runs once and its result arrives. */
static void runs_and_returns_result(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	int result = 0;

	g->ret = 42;
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(kpool_root(pool), &g->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&g->work, &result,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, 42, result);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->runs));
}

struct queue_call {
	struct kpool_group *group;
	struct gated *g;
	int err;
};

static void queue_in(void *arg)
{
	struct queue_call *call = arg;

	call->err = kpool_queue(call->group, &call->g->work);
}

static void expect_ran(struct kunit *test, struct queue_call *call)
{
	KUNIT_EXPECT_EQ(test, 0, call->err);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&call->g->work, NULL,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&call->g->runs));
}

/* To an idle thread, and to a pool that has to create one. */
static void from_hardirq(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 2);
	struct gated *g = gated_array(test, 2);
	struct queue_call warm = { .group = kpool_root(pool), .g = &g[0] };
	struct queue_call cold = { .group = kpool_root(pool), .g = &g[1] };

	call_in_hardirq(test, queue_in, &warm);
	call_in_hardirq(test, queue_in, &cold);
	expect_started(test, g, 2);
	gated_open_all(g, 2);
	expect_ran(test, &warm);
	expect_ran(test, &cold);
}

static void from_softirq(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 2);
	struct gated *g = gated_array(test, 2);
	struct queue_call warm = { .group = kpool_root(pool), .g = &g[0] };
	struct queue_call cold = { .group = kpool_root(pool), .g = &g[1] };

	call_in_softirq(test, queue_in, &warm);
	call_in_softirq(test, queue_in, &cold);
	expect_started(test, g, 2);
	gated_open_all(g, 2);
	expect_ran(test, &warm);
	expect_ran(test, &cold);
}

static void under_raw_spinlock(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 2);
	struct gated *g = gated_array(test, 2);
	struct queue_call warm = { .group = kpool_root(pool), .g = &g[0] };
	struct queue_call cold = { .group = kpool_root(pool), .g = &g[1] };
	raw_spinlock_t lock;

	raw_spin_lock_init(&lock);
	raw_spin_lock_irq(&lock);
	queue_in(&warm);
	queue_in(&cold);
	raw_spin_unlock_irq(&lock);
	expect_started(test, g, 2);
	gated_open_all(g, 2);
	expect_ran(test, &warm);
	expect_ran(test, &cold);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(runs_and_returns_result),
	KUNIT_CASE(from_hardirq),
	KUNIT_CASE(from_softirq),
	KUNIT_CASE(under_raw_spinlock),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "kpool_queue",
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);
