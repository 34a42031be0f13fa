// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a client does wrong is reported.  A module of its own, for its reports
 * end the watch of lockdep in the boot that it is loaded in; and for each of
 * them the kernel has but one, or a few, so that it is run once per boot.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "../kpool/compat.h"
#include "../kpool/internal.h"
#include "deadline.h"
#include "kmsg.h"

static int misuse_fn(struct kpool_work *work)
{
	return 0;
}

static void destroy_pool(void *pool)
{
	kpool_destroy(pool);
}

/* Works wait for ever in a group that is full, with a work that sleeps. */
struct misused {
	struct kpool		*pool;
	struct kpool_group	*group;
	struct kpool_work	blocker;
	struct completion	gate;
	struct kpool_work	*victim;	/* pending */
};

static int blocker_fn(struct kpool_work *work)
{
	struct misused *m = container_of(work, struct misused, blocker);

	return wait_for_completion_interruptible(&m->gate);
}

static struct misused *misused(struct kunit *test)
{
	struct kpool_params params = { .max_threads = 1 };
	struct misused *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	init_completion(&m->gate);
	kpool_work_init(&m->blocker, blocker_fn);
	m->victim = kmalloc(sizeof(*m->victim), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->victim);
	kpool_work_init(m->victim, misuse_fn);
	m->pool = kpool_create("misuse", &params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(m->pool));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, destroy_pool,
							   m->pool));
	m->group = kpool_root(m->pool);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(m->group, &m->blocker));
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(m->group, m->victim));
	return m;
}

/* The work was saved, so the pool can end. */
static void expect_idle(struct kunit *test, struct misused *m)
{
	complete_all(&m->gate);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(m->group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, m->group->nr_pending);
}

static void pending_work_is_freed(struct kunit *test)
{
	struct misused *m = misused(test);

	report_begin("ODEBUG: free active .*kpool_work hint: misuse_fn");
	kfree(m->victim);
	KUNIT_EXPECT_EQ(test, 1, report_lines("ODEBUG: free active"));
	report_end();
	expect_idle(test, m);
}

static void pending_work_is_initialised(struct kunit *test)
{
	struct misused *m = misused(test);

	report_begin("ODEBUG: init active .*kpool_work hint: misuse_fn");
	kpool_work_init(m->victim, misuse_fn);
	KUNIT_EXPECT_EQ(test, 1, report_lines("ODEBUG: init active"));
	report_end();
	expect_idle(test, m);
	KUNIT_EXPECT_EQ(test, -ENOENT, kpool_work_wait(m->victim, NULL));
	kfree(m->victim);
}

static void pending_work_on_the_stack_is_left(struct kunit *test)
{
	struct misused *m = misused(test);
	struct kpool_work work;

	kpool_work_init_onstack(&work, misuse_fn);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(m->group, &work));
	report_begin("ODEBUG: free active .*kpool_work hint: misuse_fn");
	kpool_work_destroy_onstack(&work);
	KUNIT_EXPECT_EQ(test, 1, report_lines("ODEBUG: free active"));
	report_end();
	expect_idle(test, m);
	kfree(m->victim);
}

/* What was ended right is not reported. */
static void ended_work_may_be_freed(struct kunit *test)
{
	struct misused *m = misused(test);

	report_begin("nothing");
	kpool_work_cancel(m->victim);
	kfree(m->victim);
	KUNIT_EXPECT_EQ(test, 0, report_lines("ODEBUG"));
	pr_info("nothing was reported\n");
	report_end();
	expect_idle(test, m);
}

/* Not by a call of kpool: that would follow pointers in the freed memory. */
static int look_at_group(void *group)
{
	return READ_ONCE(((struct kpool_group *)group)->depth);
}

/* Make groups and destroy them: more than kfree_rcu() may collect. */
static void destroy_groups(struct kunit *test, struct kpool_group *parent)
{
	struct kpool_group *group;
	int i;

	for (i = 0; i < 64; i++) {
		group = kpool_group_create(parent, "more", NULL);
		KUNIT_EXPECT_FALSE(test, IS_ERR(group));
		if (IS_ERR(group))
			break;
		KUNIT_EXPECT_EQ(test, 0, kpool_group_destroy(group));
	}
	rcu_barrier();
}

/*
 * Last of all: the kernel reports only the first one.  In a work, for KASAN
 * fails a case whose own thread is to blame.
 *
 * kfree_rcu() frees what it has collected on a CPU when it is enough or has
 * waited for long, and modules cannot hurry it on every kernel.  So it gets
 * more, on the same CPU; until then a look finds the group as it was.
 */
static void group_is_used_after_destroy(struct kunit *test)
{
	struct misused *m = misused(test);
	unsigned long end = jiffies + DEADLINE;
	struct kpool_group *group;
	unsigned int reports;

	kpool_work_cancel(m->victim);
	kfree(m->victim);
	expect_idle(test, m);
	group = kpool_group_create(m->group, "g", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(group));
	migrate_disable();
	KUNIT_EXPECT_EQ(test, 0, kpool_group_destroy(group));
	report_begin("BUG: KASAN: slab-use-after-free in");
	do {
		destroy_groups(test, m->group);
		KUNIT_EXPECT_EQ(test, 0, kpool_call(m->group, look_at_group,
						    group, NULL));
		reports = report_lines("KASAN: slab-use-after-free");
	} while (!reports && time_before(jiffies, end));
	report_end();
	migrate_enable();
	KUNIT_EXPECT_EQ(test, 1, reports);
}

static struct kunit_case misuse_cases[] = {
	KUNIT_CASE(ended_work_may_be_freed),
	KUNIT_CASE(pending_work_is_freed),
	KUNIT_CASE(pending_work_is_initialised),
	KUNIT_CASE(pending_work_on_the_stack_is_left),
	KUNIT_CASE(group_is_used_after_destroy),
	{}
};

static struct kunit_suite misuse_suite = {
	.name = "kpool_misuse",
	.test_cases = misuse_cases,
};

kunit_test_suite(misuse_suite);

MODULE_DESCRIPTION("KUnit suite of kpool for reports of misuse");
MODULE_AUTHOR("The kpool developers");
MODULE_LICENSE("GPL");
KPOOL_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
