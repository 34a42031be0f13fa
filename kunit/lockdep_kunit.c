// SPDX-License-Identifier: GPL-2.0-only
/*
 * Legal use that lockdep does not report.  It would report once per boot, and
 * be off from then on, which debug_locks tells; what it does report is in
 * splat_kunit.c.
 */
#include <linux/err.h>
#include <linux/mutex.h>

#include "helpers.h"

/* Locked by a client around its calls, and by its functions. */
static DEFINE_MUTEX(client);

static int lock_client(void *unused)
{
	mutex_lock(&client);
	mutex_unlock(&client);
	return 0;
}

static int lock_nothing(void *unused)
{
	return 0;
}

static void end_pool(void *pool)
{
	kpool_destroy(pool);
}

static void end_group(void *group)
{
	kpool_group_destroy(group);
}

static struct kpool_group *group_with_key(struct kunit *test,
					  struct kpool *pool, const char *name,
					  struct lock_class_key *key)
{
	struct kpool_group *group;

	group = __kpool_group_create(kpool_root(pool), name, NULL, "group",
				     key);
	KUNIT_ASSERT_FALSE(test, IS_ERR(group));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, end_group, group));
	return group;
}

static void groups_of_one_call_site_may_nest(struct kunit *test)
{
	struct kpool_params params = { .max_threads = 1 };
	static struct lock_class_key key;
	struct kpool *pool;

	pool = __kpool_create("nest", &params, "pool", &key);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, end_pool, pool));
	KUNIT_EXPECT_EQ(test, 0,
			kpool_call(group_with_key(test, pool, "g", &key),
				   lock_nothing, NULL, NULL));
	KUNIT_EXPECT_TRUE(test, debug_locks);
}

static int stop_group(void *group)
{
	return kpool_group_stop(group);
}

static void work_may_stop_another_group(struct kunit *test)
{
	static struct lock_class_key keys[2];
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *a = group_with_key(test, pool, "a", &keys[0]);
	struct kpool_group *b = group_with_key(test, pool, "b", &keys[1]);
	int result = -1;

	KUNIT_EXPECT_EQ(test, 0, kpool_call(b, lock_nothing, NULL, NULL));
	KUNIT_EXPECT_EQ(test, 0, kpool_call(a, stop_group, b, &result));
	KUNIT_EXPECT_EQ(test, 0, result);
	KUNIT_EXPECT_TRUE(test, debug_locks);
}

/* Of the same kind, but of different ranks: the first waits for the second. */
struct ranked {
	struct kpool_work work;
	struct ranked *lower;
};

static int ranked_fn(struct kpool_work *work)
{
	struct ranked *lower = container_of(work, struct ranked, work)->lower;

	return lower ? kpool_work_wait(&lower->work, NULL) : 0;
}

static void work_may_wait_for_one_of_another_rank(struct kunit *test)
{
	static struct lock_class_key keys[2];
	struct kpool_group *group = kpool_root(test_pool(test, 0, 2));
	static struct ranked ranked[2];
	int i, result = -1;

	ranked[1].lower = &ranked[0];
	for (i = 0; i < 2; i++) {
		kpool_work_init_key(&ranked[i].work, ranked_fn, NULL, "ranked",
				    &keys[i]);
		KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &ranked[i].work));
	}
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&ranked[1].work,
							 &result, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, result);
	KUNIT_EXPECT_TRUE(test, debug_locks);
}

static int waits_for_itself(struct kpool_work *work)
{
	return kpool_work_wait(work, NULL) == -EDEADLK &&
	       kpool_work_cancel_sync(work) == -EDEADLK ? 0 : -1;
}

static void refused_wait_is_not_reported(struct kunit *test)
{
	struct kpool_group *group = kpool_root(test_pool(test, 0, 1));
	static DEFINE_KPOOL_WORK(work, waits_for_itself);
	int result = -1;

	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &work));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&work, &result,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, result);
	KUNIT_EXPECT_TRUE(test, debug_locks);
}

static int locking_fn(struct kpool_work *work)
{
	return lock_client(NULL);
}

static void who_only_looks_may_hold_locks(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	static struct lock_class_key key;
	struct kpool_group *group = group_with_key(test, pool, "g", &key);
	static DEFINE_KPOOL_WORK(work, locking_fn);

	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &work));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	mutex_lock(&client);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&work, NULL, 0));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, 0));
	mutex_unlock(&client);
	KUNIT_EXPECT_TRUE(test, debug_locks);
}

/* Nobody waits for a spawned call, so that all of them are not one kind. */
static void spawned_calls_are_told_apart(struct kunit *test)
{
	static struct lock_class_key keys[2];
	struct kpool *pool = test_pool(test, 0, 1);
	struct kpool_group *a = group_with_key(test, pool, "a", &keys[0]);
	struct kpool_group *b = group_with_key(test, pool, "b", &keys[1]);

	KUNIT_EXPECT_EQ(test, 0, kpool_spawn(a, lock_client, NULL, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(a, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, kpool_spawn(b, lock_nothing, NULL,
					     GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(b, DEADLINE));
	mutex_lock(&client);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop(b));
	mutex_unlock(&client);
	KUNIT_EXPECT_TRUE(test, debug_locks);
}

/* A release function of one group destroys another one. */
struct owner {
	struct kpool_work work;
	struct kpool_group *other;
	int err;
};

static int owner_fn(struct kpool_work *work)
{
	return 0;
}

static void owner_release(struct kpool_work *work)
{
	struct owner *owner = container_of(work, struct owner, work);

	owner->err = kpool_group_destroy(owner->other);
}

static void cancelled_work_may_destroy_another_group(struct kunit *test)
{
	static struct lock_class_key keys[2];
	struct kpool *pool = test_pool(test, 0, 1);
	struct kpool_group *group = group_with_key(test, pool, "a", &keys[0]);
	struct gated *g = gated_array(test, 1);
	static struct owner owner;

	owner.err = -1;
	owner.other = __kpool_group_create(kpool_root(pool), "b", NULL, "group",
					   &keys[1]);
	KUNIT_ASSERT_FALSE(test, IS_ERR(owner.other));
	kpool_work_init_release(&owner.work, owner_fn, owner_release);
	expect_queued(test, kpool_root(pool), g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &owner.work));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&owner.work));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, owner.err);
	KUNIT_EXPECT_TRUE(test, debug_locks);
	gated_open(g);
	expect_over(test, g, 1);
}

static struct kunit_case lockdep_cases[] = {
	KUNIT_CASE(groups_of_one_call_site_may_nest),
	KUNIT_CASE(work_may_stop_another_group),
	KUNIT_CASE(work_may_wait_for_one_of_another_rank),
	KUNIT_CASE(refused_wait_is_not_reported),
	KUNIT_CASE(who_only_looks_may_hold_locks),
	KUNIT_CASE(spawned_calls_are_told_apart),
	KUNIT_CASE(cancelled_work_may_destroy_another_group),
	{}
};

static struct kunit_suite lockdep_suite = {
	.name = "kpool_lockdep",
	.test_cases = lockdep_cases,
};

kunit_test_suite(lockdep_suite);
