// SPDX-License-Identifier: GPL-2.0-only
/* Promise 16: /sys/kernel/kpool, and how long its folders live. */
#include <linux/sched/signal.h>

#include "stop_fixture.h"
#include "sysfs_fixture.h"

static void expect_text(struct kunit *test, struct kpool *pool,
			const char *file, const char *text)
{
	char buf[64] = "";

	KUNIT_EXPECT_GE(test, read_pool_file(pool->name, file, buf,
					     sizeof(buf)), 0);
	KUNIT_EXPECT_STREQ(test, text, buf);
}

static void pool_has_its_numbers(struct kunit *test)
{
	struct kpool_params params = {
		.min_threads = 1,
		.max_threads = 2,
		.max_queued = 7,
		.idle_timeout = 5 * HZ,
	};
	struct kpool *pool = test_pool_params(test, &params);
	struct gated *g = gated_array(test, 5);

	KUNIT_EXPECT_EQ(test, 1, number_in(pool, "min_threads"));
	KUNIT_EXPECT_EQ(test, 2, number_in(pool, "max_threads"));
	KUNIT_EXPECT_EQ(test, 7, number_in(pool, "max_queued"));
	KUNIT_EXPECT_EQ(test, 5000, number_in(pool, "idle_timeout_ms"));
	KUNIT_EXPECT_EQ(test, 1, number_in(pool, "nr_threads"));
	KUNIT_EXPECT_EQ(test, 1, number_in(pool, "nr_idle"));
	KUNIT_EXPECT_EQ(test, 1, number_in(pool, "nr_created"));
	KUNIT_EXPECT_EQ(test, 0, number_in(pool, "busy"));
	expect_queued(test, kpool_root(pool), g, 5);
	expect_started(test, g, 2);
	KUNIT_EXPECT_EQ(test, 2, number_in(pool, "nr_threads"));
	KUNIT_EXPECT_EQ(test, 0, number_in(pool, "nr_idle"));
	KUNIT_EXPECT_EQ(test, 2, number_in(pool, "nr_running"));
	KUNIT_EXPECT_EQ(test, 3, number_in(pool, "nr_pending"));
	KUNIT_EXPECT_EQ(test, 2, number_in(pool, "nr_created"));
	KUNIT_EXPECT_EQ(test, 0, number_in(pool, "nr_failed"));
	KUNIT_EXPECT_EQ(test, 0, number_in(pool, "creating_since_ms"));
	KUNIT_EXPECT_EQ(test, 1, number_in(pool, "busy"));
	expect_text(test, pool, "state", "open");
}

static void too_many_threads_are_over(struct kunit *test)
{
	const struct kpool_limits lowered = { .max_threads = 2 };
	struct kpool *pool = test_pool(test, 0, 5);
	struct gated *g = gated_array(test, 5);

	expect_queued(test, kpool_root(pool), g, 5);
	expect_started(test, g, 5);
	KUNIT_EXPECT_EQ(test, 0, number_in(pool, "over"));
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &lowered));
	KUNIT_EXPECT_EQ(test, 3, number_in(pool, "over"));
	gated_open_all(g, 5);
	expect_soon(test, number_in(pool, "over") == 0);
}

static void failing_creation_is_shown(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct gated *g = gated_array(test, 1);

	fail_creations(test, 0);
	gated_open(g);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_soon(test, number_in(pool, "nr_failed") > 0);
	KUNIT_EXPECT_GT(test, number_in(pool, "creating_since_ms"), 0);
	fail_no_more();
	expect_over(test, g, 1);
	expect_soon(test, number_in(pool, "creating_since_ms") == 0);
}

static void groups_are_folders(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 1, 9);
	struct gated *g = gated_array(test, 3);

	KUNIT_EXPECT_EQ(test, 1, number_in(pool, "groups/g/max_active"));
	KUNIT_EXPECT_EQ(test, 9, number_in(pool, "groups/g/max_queued"));
	KUNIT_EXPECT_EQ(test, 0, number_in(pool, "groups/g/busy"));
	expect_queued(test, group, g, 3);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, 1, number_in(pool, "groups/g/nr_running"));
	KUNIT_EXPECT_EQ(test, 2, number_in(pool, "groups/g/nr_pending"));
	KUNIT_EXPECT_EQ(test, 1, number_in(pool, "groups/g/busy"));
	expect_text(test, pool, "groups/g/state", "open");
	expect_stop(test, group);
	expect_text(test, pool, "groups/g/state", "stopped");
	expect_text(test, pool, "state", "open");
	KUNIT_EXPECT_EQ(test, 0, number_in(pool, "groups/g/busy"));
}

static void folder_goes_with_its_group(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct kpool_group *group;
	int i;

	for (i = 0; i < 2; i++) {
		group = test_group(test, pool, "g", 0, 0);
		KUNIT_EXPECT_EQ(test, 0, number_in(pool, "groups/g/busy"));
		test_group_destroy(test, group);
		KUNIT_EXPECT_EQ(test, -ENOENT,
				number_in(pool, "groups/g/busy"));
	}
}

static void folder_goes_with_its_pool(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	char name[KPOOL_NAME_MAX + 1], buf[64];

	strscpy(name, pool->name, sizeof(name));
	KUNIT_EXPECT_GT(test, read_pool_file(name, "over", buf, sizeof(buf)),
			0);
	test_pool_destroy(test, pool);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			read_pool_file(name, "over", buf, sizeof(buf)));
}

/* The group is left behind; its folder is not. */
static void folder_of_an_orphan_goes(struct kunit *test)
{
	struct kpool_params params = { .max_threads = 1 };
	struct kpool *pool = kpool_create("sysfs", &params);
	struct kpool_group *group;
	char buf[64];

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	group = kpool_group_create(kpool_root(pool), "g", NULL);
	KUNIT_EXPECT_FALSE(test, IS_ERR(group));
	KUNIT_EXPECT_GT(test, read_pool_file("sysfs", "groups/g/busy", buf,
					     sizeof(buf)), 0);
	KUNIT_EXPECT_EQ(test, 0, kpool_destroy(pool));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			read_pool_file("sysfs", "groups/g/busy", buf,
				       sizeof(buf)));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_destroy(group));
}

static void without_a_folder_no_group(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);

	fail_creations(test, 1);
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENOMEM),
			    kpool_group_create(kpool_root(pool), "g", NULL));
	fail_no_more();
	KUNIT_EXPECT_EQ(test, -ENOENT, number_in(pool, "groups/g/busy"));
	test_group(test, pool, "g", 0, 0);
	KUNIT_EXPECT_EQ(test, 0, number_in(pool, "groups/g/busy"));
}

static int read_for_ever(void *arg)
{
	atomic_t *reads = arg;
	char buf[64];

	while (!signal_pending(current)) {
		if (read_pool_file("sysfs", "nr_threads", buf,
				   sizeof(buf)) > 0 &&
		    read_pool_file("sysfs", "groups/g/nr_running", buf,
				   sizeof(buf)) > 0)
			atomic_inc(reads);
		cond_resched();
	}
	return 0;
}

/* Pools and groups go while they are read: KASAN watches. */
static void readers_are_waited_for(struct kunit *test)
{
	struct kpool_params params = { .min_threads = 1, .max_threads = 1 };
	atomic_t *reads = kunit_kzalloc(test, sizeof(*reads), GFP_KERNEL);
	struct test_thread *reader;
	struct kpool_group *group;
	struct kpool *pool;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, reads);
	reader = run_thread(test, read_for_ever, reads);
	for (i = 0; i < 8; i++) {
		int before = atomic_read(reads);

		pool = kpool_create("sysfs", &params);
		KUNIT_EXPECT_FALSE(test, IS_ERR(pool));
		if (IS_ERR(pool))
			break;
		group = kpool_group_create(kpool_root(pool), "g", NULL);
		expect_soon(test, atomic_read(reads) > before);
		kpool_group_destroy(group);
		KUNIT_EXPECT_EQ(test, 0, kpool_destroy(pool));
	}
	send_sig(SIGKILL, thread_task(reader), 1);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, reader));
}

static struct kunit_case sysfs_cases[] = {
	KUNIT_CASE(pool_has_its_numbers),
	KUNIT_CASE(too_many_threads_are_over),
	KUNIT_CASE(failing_creation_is_shown),
	KUNIT_CASE(groups_are_folders),
	KUNIT_CASE(folder_goes_with_its_group),
	KUNIT_CASE(folder_goes_with_its_pool),
	KUNIT_CASE(folder_of_an_orphan_goes),
	KUNIT_CASE(without_a_folder_no_group),
	KUNIT_CASE(readers_are_waited_for),
	{}
};

static struct kunit_suite sysfs_suite = {
	.name = "kpool_sysfs",
	.test_cases = sysfs_cases,
};

kunit_test_suite(sysfs_suite);
