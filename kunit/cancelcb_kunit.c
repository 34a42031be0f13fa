// SPDX-License-Identifier: GPL-2.0-only
/* Promise 5: cancel() of a group: when, how often, in which order and thread. */
#include <linux/err.h>

#include "cancelcb_fixture.h"
#include "kmsg.h"

static int stop_thread(void *group)
{
	return kpool_group_stop(group);
}

static int destroy_thread(void *group)
{
	return kpool_group_destroy(group);
}

static void called_once_per_stop(struct kunit *test)
{
	struct cancelcb *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group;

	group = cancelcb_group(test, cb, kpool_root(pool), "g", 0);
	expect_calls(test, cb, 0);
	expect_stop(test, group);
	expect_calls(test, cb, 1);
	expect_stop(test, group);
	kpool_group_request_stop(group);
	expect_stop(test, kpool_root(pool));
	test_group_destroy(test, group);
	expect_calls(test, cb, 1);
}

static void called_by_a_destroy(struct kunit *test)
{
	struct cancelcb *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group;

	group = cancelcb_group(test, cb, kpool_root(pool), "g", 0);
	test_group_destroy(test, group);
	expect_calls(test, cb, 1);
}

struct tree {
	struct cancelcb *cb[3];
	struct kpool *pool;
	struct kpool_group *group[3];
};

/* Three groups, one below the other. */
static struct tree tree(struct kunit *test)
{
	struct kpool_group *parent;
	struct tree t;
	int i;

	for (i = 0; i < 3; i++)
		t.cb[i] = cancelcb(test);
	t.pool = test_pool(test, 2, 2);
	parent = kpool_root(t.pool);
	for (i = 0; i < 3; i++) {
		parent = cancelcb_group(test, t.cb[i], parent, "g", 0);
		t.group[i] = parent;
	}
	return t;
}

static void top_down_in_the_stopping_thread(struct kunit *test)
{
	struct tree t = tree(test);
	int i;

	expect_stop(test, t.group[0]);
	for (i = 0; i < 3; i++) {
		expect_calls(test, t.cb[i], 1);
		KUNIT_EXPECT_EQ(test, t.cb[0]->order + i, t.cb[i]->order);
		KUNIT_EXPECT_PTR_EQ(test, current, t.cb[i]->thread);
	}
}

static void those_above_are_not_called(struct kunit *test)
{
	struct tree t = tree(test);

	expect_stop(test, t.group[1]);
	expect_calls(test, t.cb[0], 0);
	expect_calls(test, t.cb[1], 1);
	expect_calls(test, t.cb[2], 1);
	expect_stop(test, kpool_root(t.pool));
	expect_calls(test, t.cb[0], 1);
	expect_calls(test, t.cb[1], 1);
	expect_calls(test, t.cb[2], 1);
}

static void comes_when_works_are_told(struct kunit *test)
{
	struct cancelcb *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 3);
	struct test_thread *stop;
	struct kpool_group *group;

	cb->spare = &g[2].work;
	cb->gated = true;
	group = cancelcb_group(test, cb, kpool_root(pool), "g", 0);
	expect_queued(test, group, g, 2);
	expect_started(test, g, 1);
	stop = run_thread(test, stop_thread, group);
	expect_done(test, &cb->entered);
	/* while it executes */
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, cb->queue_err);
	expect_told(test, g, 1);
	expect_never_ran(test, &g[1], 1);
	complete(&cb->gate);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stop));
}

static void request_in_hardirq(void *group)
{
	kpool_group_request_stop(group);
}

static void requested_in_another_thread(struct kunit *test)
{
	struct cancelcb *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct test_thread *waiter;
	struct kpool_group *group;

	cb->gated = true;
	group = cancelcb_group(test, cb, kpool_root(pool), "g", 0);
	call_in_hardirq(test, request_in_hardirq, group);
	expect_done(test, &cb->entered);
	waiter = run_thread(test, group_wait_thread, group);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(waiter)));
	complete(&cb->gate);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, waiter));
	expect_calls(test, cb, 1);
	KUNIT_EXPECT_PTR_NE(test, current, cb->thread);
	KUNIT_EXPECT_PTR_NE(test, pool->stopper.task, cb->thread);
}

/* One that sleeps keeps neither another one nor a tell from happening. */
static void holds_up_no_other_group(struct kunit *test)
{
	struct cancelcb *slow = cancelcb(test), *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	struct kpool_group *a, *b;

	slow->gated = true;
	a = cancelcb_group(test, slow, kpool_root(pool), "a", 0);
	b = cancelcb_group(test, cb, kpool_root(pool), "b", 0);
	expect_queued(test, b, g, 1);
	expect_started(test, g, 1);
	kpool_group_request_stop(a);
	expect_done(test, &slow->entered);
	kpool_group_request_stop(b);
	expect_told(test, g, 1);
	expect_done(test, &cb->entered);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(b, DEADLINE));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_wait_timeout(a, 0));
	complete(&slow->gate);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(a, DEADLINE));
}

/* A work that stops another group, when its gate is open. */
struct worker_stops {
	struct kpool_work	work;
	struct kpool_group	*other;
	struct completion	started;
	struct completion	gate;
	struct task_struct	*thread;
	bool			signal;
	int			err;
};

static int worker_stops_fn(struct kpool_work *work)
{
	struct worker_stops *w = container_of(work, struct worker_stops, work);

	w->thread = current;
	complete(&w->started);
	wait_for_completion_timeout(&w->gate, DEADLINE);
	w->signal = signal_pending(current);
	w->err = kpool_group_stop_timeout(w->other, DEADLINE);
	return 0;
}

static struct worker_stops *worker_stops(struct kunit *test)
{
	struct worker_stops *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	kpool_work_init(&w->work, worker_stops_fn);
	init_completion(&w->started);
	init_completion(&w->gate);
	w->err = 1;
	return w;
}

static void told_worker_leaves_it_to_another(struct kunit *test)
{
	struct worker_stops *w = worker_stops(test);
	struct cancelcb *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *own = test_group(test, pool, "own", 0, 0);

	w->other = cancelcb_group(test, cb, kpool_root(pool), "other", 0);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(own, &w->work));
	expect_done(test, &w->started);
	kpool_group_request_stop(own);
	expect_soon(test, tell_of(pool, &w->work) == TELL_SENT);
	complete(&w->gate);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(own, DEADLINE));
	KUNIT_EXPECT_TRUE(test, w->signal);
	KUNIT_EXPECT_EQ(test, 0, w->err);
	expect_calls(test, cb, 1);
	KUNIT_EXPECT_PTR_NE(test, w->thread, cb->thread);
}

/* Between two calls, that is. */
static void worker_told_meanwhile_leaves_the_rest(struct kunit *test)
{
	struct worker_stops *w = worker_stops(test);
	struct tree t = tree(test);
	struct kpool_group *own = test_group(test, t.pool, "own", 0, 0);

	w->other = t.group[0];
	t.cb[0]->gated = true;
	complete(&w->gate);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(own, &w->work));
	expect_done(test, &t.cb[0]->entered);
	kpool_group_request_stop(own);
	expect_soon(test, tell_of(t.pool, &w->work) == TELL_SENT);
	complete(&t.cb[0]->gate);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(own, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, w->err);
	KUNIT_EXPECT_PTR_EQ(test, w->thread, t.cb[0]->thread);
	KUNIT_EXPECT_PTR_NE(test, w->thread, t.cb[1]->thread);
	expect_calls(test, t.cb[0], 1);
	expect_calls(test, t.cb[1], 1);
	expect_calls(test, t.cb[2], 1);
}

static void each_stop_waits_for_it(struct kunit *test)
{
	struct cancelcb *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct test_thread *first, *second;
	struct kpool_group *group;

	cb->gated = true;
	group = cancelcb_group(test, cb, kpool_root(pool), "g", 0);
	kpool_group_request_stop(group);
	expect_done(test, &cb->entered);
	first = run_thread(test, stop_thread, group);
	second = run_thread(test, stop_thread, kpool_root(pool));
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(first) &&
				      !thread_done(second)));
	complete(&cb->gate);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, first));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, second));
	expect_calls(test, cb, 1);
}

static void deadline_names_it(struct kunit *test)
{
	struct cancelcb *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group;

	cb->gated = true;
	group = cancelcb_group(test, cb, kpool_root(pool), "g", 0);
	kpool_group_request_stop(group);
	expect_done(test, &cb->entered);
	report_begin("cancelcb_fn.* still executes in ");
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_stop_timeout(group, 1));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_stop_timeout(group, 1));
	KUNIT_EXPECT_EQ(test, 1, report_lines("still executes"));
	report_end();
	complete(&cb->gate);
	expect_stop(test, group);
	expect_calls(test, cb, 1);
}

static void use_own_group(struct cancelcb *cb)
{
	int *err = cb->errs;

	*err = kpool_group_wait_timeout(cb->group, HZ);
	if (*err++ != -EDEADLK)
		return;
	*err++ = kpool_group_wait(cb->group);
	*err++ = kpool_group_wait_killable(cb->group);
	*err++ = kpool_group_stop(cb->group);
	*err++ = kpool_group_stop_timeout(cb->group, HZ);
	*err++ = kpool_group_drain(cb->group);
	*err++ = kpool_group_stop(cb->group->parent);
	*err++ = kpool_group_destroy(cb->group);
}

static void own_group_is_refused(struct kunit *test)
{
	struct cancelcb *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group;
	int i;

	cb->also = use_own_group;
	group = cancelcb_group(test, cb, kpool_root(pool), "g", 0);
	expect_stop(test, group);
	for (i = 0; i < ARRAY_SIZE(cb->errs); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EDEADLK, cb->errs[i], "%d", i);
	expect_calls(test, cb, 1);
}

static void called_again_after_reopen(struct kunit *test)
{
	struct tree t = tree(test);

	expect_stop(test, t.group[1]);
	expect_stop(test, t.group[0]);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(t.group[0]));
	expect_stop(test, t.group[0]);
	expect_calls(test, t.cb[0], 2);
	/* those below a group that stayed stopped have not been stopped again */
	expect_calls(test, t.cb[1], 1);
	expect_calls(test, t.cb[2], 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(t.group[0]));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(t.group[1]));
	kpool_group_request_stop(t.group[0]);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(t.group[0],
							  DEADLINE));
	expect_calls(test, t.cb[0], 3);
	expect_calls(test, t.cb[1], 2);
	expect_calls(test, t.cb[2], 2);
}

static void not_called_by_a_drain(struct kunit *test)
{
	struct cancelcb *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group;

	group = cancelcb_group(test, cb, kpool_root(pool), "g", 0);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_drain(group));
	expect_calls(test, cb, 0);
	expect_stop(test, group);
	expect_calls(test, cb, 1);
}

#define ROUNDS	40

static void stops_of_two_levels_at_once_call_each_once(struct kunit *test)
{
	struct tree t = tree(test);
	struct test_thread *threads[2];
	int round, i;

	for (round = 1; round <= ROUNDS; round++) {
		for (i = 0; i < 2; i++)
			threads[i] = run_thread(test, stop_thread, t.group[i]);
		kpool_group_request_stop(t.group[2]);
		for (i = 0; i < 2; i++)
			KUNIT_EXPECT_EQ(test, 0, join_thread(test, threads[i]));
		for (i = 0; i < 3; i++) {
			expect_calls(test, t.cb[i], round);
			KUNIT_EXPECT_EQ(test, 0,
					kpool_group_reopen(t.group[i]));
		}
	}
}

/* Also for one that a stop from above calls. */
static void destroy_waits_for_it(struct kunit *test)
{
	struct kpool_group_params params = { .cancel = cancelcb_fn };
	struct cancelcb *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0), *group;
	struct test_thread *destroyer;

	cb->gated = true;
	params.data = cb;
	group = kpool_group_create(top, "g", &params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(group));
	kpool_group_request_stop(top);
	expect_done(test, &cb->entered);
	destroyer = run_thread(test, destroy_thread, group);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(destroyer)));
	complete(&cb->gate);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, destroyer));
	expect_calls(test, cb, 1);
}

static void group_has_its_data(struct kunit *test)
{
	struct cancelcb *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 0, 1);
	struct kpool_group *group;

	group = cancelcb_group(test, cb, kpool_root(pool), "g", 0);
	KUNIT_EXPECT_PTR_EQ(test, (void *)cb, kpool_group_data(group));
	group = test_subgroup(test, group, "none", NULL);
	KUNIT_EXPECT_NULL(test, kpool_group_data(group));
	KUNIT_EXPECT_NULL(test, kpool_group_data(kpool_root(pool)));
}

static struct kunit_case cancelcb_cases[] = {
	KUNIT_CASE(called_once_per_stop),
	KUNIT_CASE(called_by_a_destroy),
	KUNIT_CASE(top_down_in_the_stopping_thread),
	KUNIT_CASE(those_above_are_not_called),
	KUNIT_CASE(comes_when_works_are_told),
	KUNIT_CASE(requested_in_another_thread),
	KUNIT_CASE(holds_up_no_other_group),
	KUNIT_CASE(told_worker_leaves_it_to_another),
	KUNIT_CASE(worker_told_meanwhile_leaves_the_rest),
	KUNIT_CASE(each_stop_waits_for_it),
	KUNIT_CASE(deadline_names_it),
	KUNIT_CASE(own_group_is_refused),
	KUNIT_CASE(called_again_after_reopen),
	KUNIT_CASE(not_called_by_a_drain),
	KUNIT_CASE(stops_of_two_levels_at_once_call_each_once),
	KUNIT_CASE(destroy_waits_for_it),
	KUNIT_CASE(group_has_its_data),
	{}
};

static struct kunit_suite cancelcb_suite = {
	.name = "kpool_cancelcb",
	.test_cases = cancelcb_cases,
};

kunit_test_suite(cancelcb_suite);
