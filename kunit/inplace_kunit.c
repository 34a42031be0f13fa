// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls in place: a worker of a full pool executes itself what it calls in
 * another group of it.
 */
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "helpers.h"
#include "kmsg.h"

/* A work that calls a function in a group, and what that saw. */
struct caller {
	struct kpool_work work;
	struct kpool_group *group;	/* to call in */
	struct kpool_group *again;	/* to call in from there, or NULL */
	struct completion inside;
	struct completion go;
	struct task_struct *thread;	/* of the work */
	struct task_struct *called_by;
	struct kpool_work *current_work;
	int err;			/* of the call */
	int result;
	int err_again;
	int wait_err;			/* of a wait for its own group */
	bool told;
	bool signalled;
	unsigned int hooks;		/* called by now */
	unsigned int hooks_before;	/* when the function was called */
};

static int add_nothing(void *unused)
{
	return 0;
}

static int called_fn(void *data)
{
	struct caller *c = data;

	c->called_by = current;
	c->current_work = kpool_current();
	c->hooks_before = c->hooks;
	lockdep_off();
	c->wait_err = kpool_group_wait_timeout(c->group, 1);
	if (c->again)
		c->err_again = kpool_call(c->again, add_nothing, NULL, NULL);
	lockdep_on();
	complete(&c->inside);
	c->signalled = wait_for_completion_interruptible(&c->go);
	c->told = kpool_should_stop();
	return 42;
}

static int caller_fn(struct kpool_work *work)
{
	struct caller *c = container_of(work, struct caller, work);

	c->thread = current;
	c->err = kpool_call(c->group, called_fn, c, &c->result);
	return 0;
}

static struct caller *new_caller(struct kunit *test, struct kpool_group *group)
{
	struct caller *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	kpool_work_init(&c->work, caller_fn);
	init_completion(&c->inside);
	init_completion(&c->go);
	c->group = group;
	return c;
}

static void expect_called(struct kunit *test, struct caller *c)
{
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&c->work, NULL,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, c->err);
	KUNIT_EXPECT_EQ(test, 42, c->result);
}

static void full_pool_calls_in_place(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct caller *c = new_caller(test, test_group(test, pool, "b", 1, 0));
	struct kpool_group *a = test_group(test, pool, "a", 1, 0);

	complete(&c->go);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(a, &c->work));
	expect_called(test, c);
	KUNIT_EXPECT_PTR_EQ(test, c->thread, c->called_by);
	KUNIT_EXPECT_PTR_EQ(test, &c->work, c->current_work);
	KUNIT_EXPECT_FALSE(test, c->told);
	KUNIT_EXPECT_EQ(test, 0, pool_running(pool));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(c->group, DEADLINE));
}

static void not_while_there_is_a_thread(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 2);
	struct caller *c = new_caller(test, test_group(test, pool, "b", 1, 0));
	int i;

	complete_all(&c->go);
	/* one that is created, then one that is idle */
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, 0, kpool_queue(kpool_root(pool),
						     &c->work));
		expect_called(test, c);
		KUNIT_EXPECT_PTR_NE(test, c->thread, c->called_by);
		expect_soon(test, pool_idle(pool) == 2);
	}
}

/* The group is full: somebody else will call it. */
static void not_beyond_the_limit_of_its_group(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 2);
	struct caller *c = new_caller(test, test_group(test, pool, "b", 1, 0));
	struct gated *g = gated_array(test, 1);

	complete(&c->go);
	expect_queued(test, c->group, g, 1);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(kpool_root(pool), &c->work));
	/* its own turn, then that of its call */
	expect_soon(test, READ_ONCE(c->thread));
	expect_soon(test, pool_pending(pool) == 1);
	gated_open(g);
	expect_over(test, g, 1);
	expect_called(test, c);
	KUNIT_EXPECT_PTR_NE(test, c->thread, c->called_by);
}

/* And it has a slot of it: others wait for that. */
static void has_a_slot_of_its_group(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 2);
	struct caller *c = new_caller(test, test_group(test, pool, "b", 1, 0));
	struct kpool_group *a = test_group(test, pool, "a", 0, 0);
	struct gated *g = gated_array(test, 2);

	expect_queued(test, a, g, 1);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(a, &c->work));
	expect_done(test, &c->inside);
	KUNIT_EXPECT_PTR_EQ(test, c->thread, c->called_by);
	gated_open(g);
	expect_over(test, g, 1);
	gated_open(g + 1);
	expect_queued(test, c->group, g + 1, 1);
	KUNIT_EXPECT_TRUE(test, stays(!count_started(g + 1, 1)));
	complete(&c->go);
	expect_called(test, c);
	expect_over(test, g + 1, 1);
}

static void stop_of_its_group_covers_it(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct caller *c = new_caller(test, test_group(test, pool, "b", 0, 0));

	KUNIT_EXPECT_EQ(test, 0, kpool_queue(test_group(test, pool, "a", 0, 0),
					     &c->work));
	expect_done(test, &c->inside);
	report_begin("/b: called_fn .*still executes in ");
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_stop_timeout(c->group,
								   1));
	KUNIT_EXPECT_EQ(test, 1, report_lines("/b: called_fn"));
	report_end();
	complete(&c->go);
	expect_called(test, c);
	KUNIT_EXPECT_TRUE(test, c->told);
	KUNIT_EXPECT_FALSE(test, c->signalled);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(c->group, DEADLINE));
}

/* Its sleep ends as that of the caller would. */
static void is_told_with_its_caller(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct caller *c = new_caller(test, test_group(test, pool, "b", 0, 0));

	KUNIT_EXPECT_EQ(test, 0, kpool_queue(test_group(test, pool, "a", 0, 0),
					     &c->work));
	expect_done(test, &c->inside);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel_sync(&c->work));
	expect_called(test, c);
	KUNIT_EXPECT_TRUE(test, c->told);
	KUNIT_EXPECT_TRUE(test, c->signalled);
}

static void not_from_a_call_in_place(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct caller *c = new_caller(test, test_group(test, pool, "b", 0, 0));

	c->again = test_group(test, pool, "c", 0, 0);
	complete(&c->go);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(test_group(test, pool, "a", 0, 0),
					     &c->work));
	expect_called(test, c);
	KUNIT_EXPECT_EQ(test, -EDEADLK, c->err_again);
	KUNIT_EXPECT_EQ(test, 0, pool_pending(pool));
}

/* It is of the group that it was called in, and of that of its caller. */
static void own_groups_stay_refused(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct caller *c = new_caller(test, test_group(test, pool, "b", 0, 0));

	c->again = test_group(test, pool, "a", 0, 0);
	complete(&c->go);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(c->again, &c->work));
	expect_called(test, c);
	KUNIT_EXPECT_EQ(test, -EDEADLK, c->err_again);
	KUNIT_EXPECT_EQ(test, -EDEADLK, c->wait_err);
}

static void count_hook(struct kpool_group *group)
{
	struct caller *c = kpool_group_data(group);

	c->hooks++;
}

static void hooks_enclose_it(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct caller *c = new_caller(test, NULL);

	c->group = test_subgroup(test, kpool_root(pool), "b",
				 &(struct kpool_group_params) {
					.first_in = count_hook,
					.last_out = count_hook,
					.data = c,
				 });
	complete(&c->go);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(test_group(test, pool, "a", 0, 0),
					     &c->work));
	expect_called(test, c);
	KUNIT_EXPECT_PTR_EQ(test, c->thread, c->called_by);
	KUNIT_EXPECT_EQ(test, 1, c->hooks_before);
	KUNIT_EXPECT_EQ(test, 2, c->hooks);
}

static struct kunit_case inplace_cases[] = {
	KUNIT_CASE(full_pool_calls_in_place),
	KUNIT_CASE(not_while_there_is_a_thread),
	KUNIT_CASE(not_beyond_the_limit_of_its_group),
	KUNIT_CASE(has_a_slot_of_its_group),
	KUNIT_CASE(stop_of_its_group_covers_it),
	KUNIT_CASE(is_told_with_its_caller),
	KUNIT_CASE(not_from_a_call_in_place),
	KUNIT_CASE(own_groups_stay_refused),
	KUNIT_CASE(hooks_enclose_it),
	{}
};

static struct kunit_suite inplace_suite = {
	.name = "kpool_inplace",
	.test_cases = inplace_cases,
};

kunit_test_suite(inplace_suite);
