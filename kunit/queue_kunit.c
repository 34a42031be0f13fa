// SPDX-License-Identifier: GPL-2.0-only
/* Promise 1: queueing, from where and with what answer. */
#include <linux/irqflags.h>
#include <linux/spinlock.h>

#include "helpers.h"

static int wait_for_result(void *work)
{
	int result, err = kpool_work_wait_timeout(work, &result, DEADLINE);

	return err ?: result;
}

/* The result reaches who waits for it, and who asks for it later. */
static void runs_and_returns_result(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	struct test_thread *waiter;

	g->ret = 42;
	expect_queued(test, kpool_root(pool), g, 1);
	waiter = run_thread(test, wait_for_result, &g->work);
	expect_soon(test, count_waiters(pool, &g->work.waiters) == 1);
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 42, join_thread(test, waiter));
	KUNIT_EXPECT_EQ(test, 42, wait_for_result(&g->work));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->runs));
}

struct queue_call {
	struct kpool_group *group;
	struct gated *g;
	int err;
	bool irqs_changed;
};

static void queue_in(void *arg)
{
	struct queue_call *call = arg;
	bool off = irqs_disabled();

	call->err = kpool_queue(call->group, &call->g->work);
	call->irqs_changed = irqs_disabled() != off;
}

static void expect_ran(struct kunit *test, struct queue_call *call)
{
	KUNIT_EXPECT_EQ(test, 0, call->err);
	KUNIT_EXPECT_FALSE(test, call->irqs_changed);
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

static void with_irqs_off(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 2);
	struct gated *g = gated_array(test, 2);
	struct queue_call warm = { .group = kpool_root(pool), .g = &g[0] };
	struct queue_call cold = { .group = kpool_root(pool), .g = &g[1] };

	local_irq_disable();
	queue_in(&warm);
	queue_in(&cold);
	local_irq_enable();
	expect_started(test, g, 2);
	gated_open_all(g, 2);
	expect_ran(test, &warm);
	expect_ran(test, &cold);
}

/* One thread, held by g[0], so that all else waits. */
static struct kpool_group *busy_pool(struct kunit *test, struct gated *g)
{
	struct kpool_group *root = kpool_root(test_pool(test, 1, 1));

	expect_queued(test, root, g, 1);
	expect_started(test, g, 1);
	return root;
}

static void pending_is_ealready(struct kunit *test)
{
	struct gated *g = gated_array(test, 2);
	struct kpool_group *root = busy_pool(test, g);

	expect_queued(test, root, &g[1], 1);
	KUNIT_EXPECT_EQ(test, -EALREADY, kpool_queue(root, &g[1].work));
	gated_open_all(g, 2);
	expect_over(test, g, 2);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[1].runs));
}

static void stopped_group_is_eshutdown(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *a = test_group(test, pool, "a", 0, 0);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);
	struct gated *g = gated_array(test, 2);

	gated_open_all(g, 2);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(a, DEADLINE));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(a, &g[0].work));
	expect_queued(test, b, &g[1], 1);
	expect_over(test, &g[1], 1);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g[0].runs));
}

static void below_stopped_root_is_eshutdown(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);
	struct kpool_group *root = kpool_root(pool);
	struct gated *g = gated_array(test, 1);

	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(root, DEADLINE));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(root, &g->work));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(group, &g->work));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g->runs));
}

/* max_queued counts those that wait, of one group; the others have room. */
static void full_group_is_eagain(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *a = test_group(test, pool, "a", 0, 2);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);
	struct gated *g = gated_array(test, 6);

	expect_queued(test, a, g, 1);
	expect_started(test, g, 1);
	expect_queued(test, a, &g[1], 2);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(a, &g[3].work));
	expect_queued(test, b, &g[4], 1);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&g[1].work));
	expect_queued(test, a, &g[3], 1);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(a, &g[5].work));
	gated_open_all(g, 6);
	expect_over(test, &g[2], 3);
}

static void full_pool_is_eagain(struct kunit *test)
{
	struct kpool *pool = test_pool_params(test, &(struct kpool_params) {
		.min_threads = 1,
		.max_threads = 1,
		.max_queued = 2,
	});
	struct kpool_group *a = test_group(test, pool, "a", 0, 0);
	struct kpool_group *b = test_group(test, pool, "b", 0, 2);
	struct gated *g = gated_array(test, 4);

	expect_queued(test, a, g, 1);
	expect_started(test, g, 1);
	expect_queued(test, a, &g[1], 1);
	expect_queued(test, b, &g[2], 1);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(a, &g[3].work));
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(b, &g[3].work));
	gated_open_all(g, 4);
	expect_over(test, g, 3);
	expect_queued(test, b, &g[3], 1);
	expect_over(test, &g[3], 1);
}

/* A work that starts at once does not wait, so no limit of waiters is met. */
static void full_pool_starts_on_idle_thread(struct kunit *test)
{
	struct kpool *pool = test_pool_params(test, &(struct kpool_params) {
		.min_threads = 2,
		.max_threads = 2,
		.max_queued = 1,
	});
	struct kpool_group *a = test_group(test, pool, "a", 1, 0);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);
	struct gated *g = gated_array(test, 4);

	expect_queued(test, a, g, 2);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(a, &g[2].work));
	expect_queued(test, b, &g[2], 1);
	expect_started(test, &g[2], 1);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(b, &g[3].work));
	gated_open_all(g, 4);
	expect_over(test, g, 3);
}

static void bound_elsewhere_is_ebusy(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool *other = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);
	struct kpool_group *root = kpool_root(pool);
	struct gated *g = gated_array(test, 2);
	unsigned int i;

	expect_queued(test, root, g, 2);
	expect_started(test, g, 1);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, -EBUSY, kpool_queue(group, &g[i].work));
		KUNIT_EXPECT_EQ(test, -EBUSY,
				kpool_queue(kpool_root(other), &g[i].work));
	}
	gated_open_all(g, 2);
	expect_over(test, g, 2);
	/* bound to nothing now, so anybody may have them */
	expect_queued(test, group, &g[0], 1);
	expect_queued(test, kpool_root(other), &g[1], 1);
	expect_over(test, g, 2);
}

/* Until the run that was told has ended; then it may be queued again. */
static void told_is_ecanceled(struct kunit *test)
{
	struct kpool_group *root = kpool_root(test_pool(test, 1, 1));
	struct gated *g = gated_array(test, 1);

	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, root, g, 1);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&g->work));
	KUNIT_EXPECT_EQ(test, -ECANCELED, kpool_queue(root, &g->work));
	gated_open(g);
	expect_over(test, g, 1);
	expect_queued(test, root, g, 1);
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g->runs));
	KUNIT_EXPECT_FALSE(test, g->told);
}

static DECLARE_COMPLETION(releasing);
static DECLARE_COMPLETION(may_release);

static void slow_release(struct kpool_work *work)
{
	complete(&releasing);
	wait_for_completion(&may_release);
}

static void open_release(void *unused)
{
	complete_all(&may_release);
}

/* Cancelled, but not given back: another one of its group is before it. */
static void unreleased_is_ecanceled(struct kunit *test)
{
	struct gated *g = gated_array(test, 3);
	struct kpool_group *root = busy_pool(test, g);

	reinit_completion(&releasing);
	reinit_completion(&may_release);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, open_release, NULL));
	g[1].work.release = slow_release;
	g[2].work.release = gated_release;
	expect_queued(test, root, &g[1], 2);
	kpool_work_cancel(&g[1].work);
	expect_done(test, &releasing);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&g[2].work));
	KUNIT_EXPECT_EQ(test, -ECANCELED, kpool_queue(root, &g[2].work));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g[2].released));
	complete_all(&may_release);
	expect_soon(test, !kpool_work_busy(&g[2].work));
	expect_queued(test, root, &g[2], 1);
	gated_open_all(g, 3);
	expect_over(test, &g[2], 1);
}

static void requeued_runs_once_more(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct kpool_group *root = busy_pool(test, g);

	expect_queued(test, root, g, 1);
	KUNIT_EXPECT_EQ(test, 1, pool_pending(root->pool));
	KUNIT_EXPECT_EQ(test, -EALREADY, kpool_queue(root, &g->work));
	gated_open(g);
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g->runs));
	KUNIT_EXPECT_FALSE(test, g->twice);
	KUNIT_EXPECT_EQ(test, 0, pool_pending(root->pool));
}

static void requeued_counts_against_limit(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 1);
	struct gated *g = gated_array(test, 2);

	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	expect_queued(test, group, &g[1], 1);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(group, &g[0].work));
	kpool_work_cancel(&g[1].work);
	expect_queued(test, group, &g[0], 1);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(group, &g[1].work));
	gated_open_all(g, 2);
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g[0].runs));
}

/* After what was queued before it was asked for, and after as well. */
static void requeued_goes_to_the_tail(struct kunit *test)
{
	struct gated *g = gated_array(test, 3);
	struct kpool_group *root = busy_pool(test, g);

	expect_queued(test, root, &g[1], 1);
	expect_queued(test, root, &g[0], 1);
	expect_queued(test, root, &g[2], 1);
	gated_open_all(g, 3);
	expect_over(test, g, 3);
	KUNIT_EXPECT_LT(test, g[1].order, g[2].order);
	KUNIT_EXPECT_LT(test, g[2].order, g[0].order);
}

struct self_queuing {
	struct kpool_work work;
	struct kpool_group *group;
	int runs;
	int err;
	struct completion done;
};

static int queue_itself(struct kpool_work *work)
{
	struct self_queuing *self;

	self = container_of(work, struct self_queuing, work);
	if (++self->runs == 5)
		complete(&self->done);
	else if (!self->err)
		self->err = kpool_queue(self->group, work);
	return self->runs;
}

static void queues_itself(struct kunit *test)
{
	struct kpool_group *root = kpool_root(test_pool(test, 1, 2));
	struct self_queuing self = { .group = root };
	int result = 0;

	init_completion(&self.done);
	kpool_work_init_onstack(&self.work, queue_itself);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(root, &self.work));
	expect_done(test, &self.done);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait(&self.work, &result));
	KUNIT_EXPECT_EQ(test, 0, self.err);
	KUNIT_EXPECT_EQ(test, 5, result);
	kpool_work_destroy_onstack(&self.work);
}

/* Many queue one work, to two pools: whoever has it, it runs once at a time. */
struct storm {
	struct kpool_group *group;
	struct gated *g;
	int accepted;
	int odd;		/* an answer that cannot be */
};

static int storm_fn(void *arg)
{
	struct storm *storm = arg;
	int i, err;

	for (i = 0; i < 500; i++) {
		err = kpool_queue(storm->group, &storm->g->work);
		if (!err)
			storm->accepted++;
		else if (err != -EALREADY && err != -EBUSY)
			storm->odd = err;
		if (i % 8 == 0)
			schedule_timeout_uninterruptible(!(i % 64));
	}
	return 0;
}

static void storm_runs_once_at_a_time(struct kunit *test)
{
	struct kpool *pools[2] = {
		test_pool(test, 2, 4), test_pool(test, 2, 4),
	};
	struct gated *g = gated_array(test, 1);
	struct test_thread *threads[4];
	struct storm *storms;
	int i, accepted = 0;

	storms = kunit_kcalloc(test, 4, sizeof(*storms), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, storms);
	gated_open(g);
	for (i = 0; i < 4; i++) {
		storms[i].group = kpool_root(pools[i % 2]);
		storms[i].g = g;
		threads[i] = run_thread(test, storm_fn, &storms[i]);
	}
	for (i = 0; i < 4; i++) {
		join_thread(test, threads[i]);
		KUNIT_EXPECT_EQ(test, 0, storms[i].odd);
		accepted += storms[i].accepted;
	}
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, accepted, atomic_read(&g->runs));
	KUNIT_EXPECT_FALSE(test, g->twice);
}

/* Whatever fails for lack of memory, queueing does not; the work runs later. */
static void needs_no_memory(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 2);
	struct gated *g = gated_array(test, 4);

	fail_creations(test, 0);
	expect_queued(test, kpool_root(pool), g, 4);
	expect_soon(test, READ_ONCE(pool->nr_failed) > 0);
	KUNIT_EXPECT_EQ(test, 0, count_started(g, 4));
	fail_no_more();
	gated_open_all(g, 4);
	expect_over(test, g, 4);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(runs_and_returns_result),
	KUNIT_CASE(from_hardirq),
	KUNIT_CASE(from_softirq),
	KUNIT_CASE(under_raw_spinlock),
	KUNIT_CASE(with_irqs_off),
	KUNIT_CASE(pending_is_ealready),
	KUNIT_CASE(stopped_group_is_eshutdown),
	KUNIT_CASE(below_stopped_root_is_eshutdown),
	KUNIT_CASE(full_group_is_eagain),
	KUNIT_CASE(full_pool_is_eagain),
	KUNIT_CASE(full_pool_starts_on_idle_thread),
	KUNIT_CASE(bound_elsewhere_is_ebusy),
	KUNIT_CASE(told_is_ecanceled),
	KUNIT_CASE(unreleased_is_ecanceled),
	KUNIT_CASE(requeued_runs_once_more),
	KUNIT_CASE(requeued_counts_against_limit),
	KUNIT_CASE(requeued_goes_to_the_tail),
	KUNIT_CASE(queues_itself),
	KUNIT_CASE(storm_runs_once_at_a_time),
	KUNIT_CASE(needs_no_memory),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "kpool_queue",
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);
