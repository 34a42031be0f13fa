// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lockdep reports about the use of kpool.  It reports once per boot and is
 * off from then on: each case has a boot, and this module, to itself.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mutex.h>

#include "../kpool/compat.h"
#include "../kpool/internal.h"
#include "deadline.h"
#include "kmsg.h"

#define CIRCLE	"possible circular locking dependency detected"

/* What the client locks, and its function, or its release function, too. */
static DEFINE_MUTEX(client);

static int harmless_fn(struct kpool_work *work)
{
	return 0;
}

static int locking_fn(struct kpool_work *work)
{
	mutex_lock(&client);
	mutex_unlock(&client);
	return 0;
}

static void locking_release(struct kpool_work *work)
{
	mutex_lock(&client);
	mutex_unlock(&client);
}

static void destroy_pool(void *pool)
{
	kpool_destroy(pool);
}

static void destroy_group(void *group)
{
	kpool_group_destroy(group);
}

static struct kpool_group *splat_group(struct kunit *test)
{
	struct kpool_params params = { .max_threads = 1 };
	struct kpool_group *group;
	struct kpool *pool;

	pool = kpool_create("splat", &params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, destroy_pool,
							   pool));
	group = kpool_group_create(kpool_root(pool), "g", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(group));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, destroy_group,
							   group));
	return group;
}

/* Run a work to its end, which nothing is wrong with yet. */
static void run_once(struct kunit *test, struct kpool_group *group,
		     struct kpool_work *work)
{
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, work));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	KUNIT_EXPECT_TRUE(test, debug_locks);
}

static void expect_circle(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 1, report_lines(CIRCLE));
	KUNIT_EXPECT_FALSE(test, debug_locks);
}

static void stop_under_a_lock_of_its_work(struct kunit *test)
{
	static DEFINE_KPOOL_WORK(work, locking_fn);
	struct kpool_group *group = splat_group(test);

	run_once(test, group, &work);
	report_begin(CIRCLE);
	mutex_lock(&client);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop(group));
	mutex_unlock(&client);
	expect_circle(test);
	report_end();
}

static void wait_under_a_lock_of_the_work(struct kunit *test)
{
	static DEFINE_KPOOL_WORK(work, locking_fn);

	run_once(test, splat_group(test), &work);
	report_begin(CIRCLE);
	mutex_lock(&client);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait(&work, NULL));
	mutex_unlock(&client);
	expect_circle(test);
	report_end();
}

static void cancel_under_a_lock_of_the_work(struct kunit *test)
{
	static DEFINE_KPOOL_WORK(work, locking_fn);

	run_once(test, splat_group(test), &work);
	report_begin(CIRCLE);
	mutex_lock(&client);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE, kpool_work_cancel_sync(&work));
	mutex_unlock(&client);
	expect_circle(test);
	report_end();
}

static void stop_under_a_lock_of_a_release_function(struct kunit *test)
{
	struct kpool_group *group = splat_group(test);
	static struct kpool_work work;

	kpool_work_init_release(&work, harmless_fn, locking_release);
	run_once(test, group, &work);
	report_begin(CIRCLE);
	mutex_lock(&client);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop(group));
	mutex_unlock(&client);
	expect_circle(test);
	report_end();
}

#ifdef CONFIG_LOCKDEP
static struct lockdep_map leaked = STATIC_LOCKDEP_MAP_INIT("leaked", &leaked);
#endif

static int leaking_fn(struct kpool_work *work)
{
	lock_map_acquire(&leaked);
	return 0;
}

/*
 * It is named, once; and that the next function of this thread executes under
 * the lock is a circle to lockdep.
 */
static void lock_is_left_held(struct kunit *test)
{
	static DEFINE_KPOOL_WORK(work, leaking_fn);
	static DEFINE_KPOOL_WORK(next, harmless_fn);
	struct kpool_group *group = splat_group(test);

	report_begin("leaking_fn .*returned with a lock held");
	run_once(test, group, &work);
	KUNIT_EXPECT_EQ(test, 1, report_lines("with a lock held"));
	report_end();
	report_begin(CIRCLE);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &next));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, report_lines("with a lock held"));
	expect_circle(test);
	report_end();
}

static struct kunit_case splat_cases[] = {
	KUNIT_CASE(stop_under_a_lock_of_its_work),
	KUNIT_CASE(wait_under_a_lock_of_the_work),
	KUNIT_CASE(cancel_under_a_lock_of_the_work),
	KUNIT_CASE(stop_under_a_lock_of_a_release_function),
	KUNIT_CASE(lock_is_left_held),
	{}
};

static struct kunit_suite splat_suite = {
	.name = "kpool_splat",
	.test_cases = splat_cases,
};

kunit_test_suite(splat_suite);

MODULE_DESCRIPTION("KUnit suite of kpool for reports of lockdep");
MODULE_AUTHOR("The kpool developers");
MODULE_LICENSE("GPL");
KPOOL_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
