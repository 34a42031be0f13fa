// SPDX-License-Identifier: GPL-2.0-only
/* Promise 16: limits that are written in /sys/kernel/kpool. */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/stringify.h>

#include "kmsg.h"
#include "percpu_fixture.h"
#include "sysfs_fixture.h"

struct a_write {
	const char *pool;	/* its name */
	const char *file;
	int value;
};

static int do_write(void *arg)
{
	const struct a_write *w = arg;
	char text[16];

	snprintf(text, sizeof(text), "%d\n", w->value);
	return write_pool_file(w->pool, w->file, text);
}

static void expect_written(struct kunit *test, struct kpool *pool,
			   const char *file, int value)
{
	struct a_write w = { pool->name, file, value };

	KUNIT_EXPECT_EQ_MSG(test, 0, do_write(&w), "%d to %s", value, file);
}

static struct kpool_group *reserving_group(struct kunit *test,
					   struct kpool *pool, int reserve)
{
	const struct kpool_group_params params = {
		.reserve = reserve,
		.max_active = reserve + 1,
		.max_queued = 9,
	};

	return test_subgroup(test, kpool_root(pool), "g", &params);
}

static void raised_max_starts_what_waits(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct gated *g = gated_array(test, 3);

	expect_queued(test, kpool_root(pool), g, 3);
	expect_started(test, g, 1);
	expect_written(test, pool, "max_threads", 2);
	KUNIT_EXPECT_EQ(test, 2, number_in(pool, "max_threads"));
	expect_started(test, &g[1], 1);
	KUNIT_EXPECT_EQ(test, 1, number_in(pool, "nr_pending"));
	gated_open_all(g, 3);
	expect_over(test, g, 3);
}

static void lowered_max_shows_over(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 4);
	struct gated *g = gated_array(test, 3);

	expect_queued(test, kpool_root(pool), g, 3);
	expect_started(test, g, 3);
	expect_written(test, pool, "max_threads", 1);
	KUNIT_EXPECT_EQ(test, 2, number_in(pool, "over"));
	KUNIT_EXPECT_EQ(test, 3, number_in(pool, "nr_running"));
	gated_open_all(g, 3);
	expect_over(test, g, 3);
	expect_soon(test, number_in(pool, "over") == 0);
	KUNIT_EXPECT_EQ(test, 1, pool_threads(pool));
}

static void raised_min_creates_threads(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 4);

	expect_written(test, pool, "min_threads", 3);
	expect_soon(test, number_in(pool, "nr_idle") == 3);
}

static void idle_timeout_is_in_milliseconds(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);

	expect_written(test, pool, "idle_timeout_ms", 5000);
	KUNIT_EXPECT_EQ(test, 5 * HZ, pool->idle_timeout);
	KUNIT_EXPECT_EQ(test, 5000, number_in(pool, "idle_timeout_ms"));
	expect_written(test, pool, "idle_timeout_ms", 0);
	KUNIT_EXPECT_EQ(test, KPOOL_IDLE_TIMEOUT, pool->idle_timeout);
	/* and counts at once, for those that min_threads does not keep */
	expect_written(test, pool, "min_threads", 0);
	KUNIT_EXPECT_EQ(test, 2, pool_threads(pool));
	expect_written(test, pool, "idle_timeout_ms", 1);
	expect_soon(test, pool_threads(pool) == 0);
}

static void limits_of_a_group_count_at_once(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 4, 4);
	struct kpool_group *group = test_group(test, pool, "g", 1, 0);
	struct gated *g = gated_array(test, 4);

	expect_queued(test, group, g, 3);
	expect_started(test, g, 1);
	expect_written(test, pool, "groups/g/max_queued", 2);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(group, &g[3].work));
	expect_written(test, pool, "groups/g/max_active", 2);
	KUNIT_EXPECT_EQ(test, 2, number_in(pool, "groups/g/max_active"));
	KUNIT_EXPECT_EQ(test, 2, number_in(pool, "groups/g/max_queued"));
	/* it has a thread before the write returns */
	KUNIT_EXPECT_EQ(test, 2, pool_running(pool));
	expect_queued(test, group, &g[3], 1);
	gated_open_all(g, 4);
	expect_over(test, g, 4);
}

/* It has no folder of its own: its limits are in that of the pool. */
static void limits_of_the_root_are_the_pools(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 3, 3);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 3);

	expect_written(test, pool, "max_active", 1);
	expect_written(test, pool, "max_queued", 1);
	expect_queued(test, group, g, 2);
	KUNIT_EXPECT_EQ(test, 1, pool_running(pool));
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			kpool_queue(kpool_root(pool), &g[2].work));
	expect_written(test, pool, "max_active", 0);
	KUNIT_EXPECT_EQ(test, 2, pool_running(pool));
	gated_open_all(g, 3);
	expect_over(test, g, 2);
}

static const char * const limit_files[] = {
	"min_threads", "max_threads", "idle_timeout_ms", "max_active",
	"max_queued", "groups/g/max_active", "groups/g/max_queued",
};

#define NR_LIMITS	ARRAY_SIZE(limit_files)

static void get_limits(struct kpool *pool, long *values)
{
	int i;

	for (i = 0; i < NR_LIMITS; i++)
		values[i] = number_in(pool, limit_files[i]);
}

static void expect_limits(struct kunit *test, struct kpool *pool,
			  const long *values)
{
	int i;

	for (i = 0; i < NR_LIMITS; i++)
		KUNIT_EXPECT_EQ_MSG(test, values[i],
				    number_in(pool, limit_files[i]), "%s",
				    limit_files[i]);
}

static void a_write_keeps_the_other_limits(struct kunit *test)
{
	const struct kpool_params params = {
		.min_threads = 1,
		.max_threads = 2,
		.idle_timeout = 3 * HZ,
		.max_queued = 5,
	};
	struct kpool *pool = test_pool_params(test, &params);
	long values[NR_LIMITS];
	int i;

	test_group(test, pool, "g", 7, 8);
	get_limits(pool, values);
	for (i = NR_LIMITS - 1; i >= 0; i--) {
		values[i] = i ? 2000 + i * 1000 : 2;
		expect_written(test, pool, limit_files[i], values[i]);
		expect_limits(test, pool, values);
	}
}

struct bad_write {
	const char *what;
	const char *file;
	const char *value;
	int err;
};

/* To a pool of 2 to 5 threads, with a group that reserves 3. */
static const struct bad_write bad_writes[] = {
	{ "a word", "max_threads", "many", -EINVAL },
	{ "nothing", "max_threads", "\n", -EINVAL },
	{ "two numbers", "max_threads", "4 4", -EINVAL },
	{ "not decimal", "max_threads", "0x4", -EINVAL },
	{ "beyond int", "max_threads", "4294967300", -ERANGE },
	{ "no threads", "max_threads", "0", -EINVAL },
	{ "too many threads", "max_threads",
	  __stringify(KPOOL_MAX_THREADS) "0", -EINVAL },
	{ "max below min", "max_threads", "1", -EINVAL },
	{ "max below reserved", "max_threads", "2", -ENOSPC },
	{ "min above max", "min_threads", "6", -EINVAL },
	{ "negative min", "min_threads", "-1", -EINVAL },
	{ "negative timeout", "idle_timeout_ms", "-1", -EINVAL },
	{ "negative max_active of the root", "max_active", "-1", -EINVAL },
	{ "negative max_queued of the root", "max_queued", "-1", -EINVAL },
	{ "negative max_active", "groups/g/max_active", "-1", -EINVAL },
	{ "negative max_queued", "groups/g/max_queued", "-1", -EINVAL },
	{ "max_active below reserve", "groups/g/max_active", "2", -EINVAL },
	{ "a count", "nr_threads", "1", -EACCES },
	{ "a count of a group", "groups/g/nr_running", "1", -EACCES },
};

KUNIT_ARRAY_PARAM_DESC(bad_writes, bad_writes, what);

static void bad_write_changes_nothing(struct kunit *test)
{
	const struct bad_write *bad = test->param_value;
	struct kpool *pool = test_pool(test, 2, 5);
	long values[NR_LIMITS];

	reserving_group(test, pool, 3);
	get_limits(pool, values);
	KUNIT_EXPECT_EQ(test, bad->err,
			write_pool_file(pool->name, bad->file, bad->value));
	expect_limits(test, pool, values);
}

/* How many lines say this of the pool? */
static unsigned int said(struct kpool *pool, const char *what)
{
	char line[128];

	snprintf(line, sizeof(line), "kpool: %s: %s", pool->name, what);
	return report_lines(line);
}

static void refusal_is_in_the_log(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 5);

	reserving_group(test, pool, 3);
	report_begin("max_threads \\(2\\) is less than the 3 that are reserved");
	write_pool_file(pool->name, "max_threads", "2");
	KUNIT_EXPECT_EQ(test, 1, said(pool, "max_threads (2) is less than"));
	write_pool_file(pool->name, "min_threads", "6");
	KUNIT_EXPECT_EQ(test, 1, said(pool, "min_threads (6) is not 0 to"));
	write_pool_file(pool->name, "groups/g/max_active", "2");
	KUNIT_EXPECT_EQ(test, 1, said(pool, "group g: max_active (2) is less"));
	report_end();
}

/* Both are held when they have come as far as they come without a lock. */
static void write_at_once(struct kunit *test, struct kpool *pool,
			  struct a_write one, struct a_write two)
{
	struct test_thread *thread[2];

	hold_at(test, pool, KPOOL_AT_CHANGE);
	thread[0] = run_thread(test, do_write, &one);
	hold_reached(test);
	thread[1] = run_thread(test, do_write, &two);
	hold_reached(test);
	hold_release();
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread[0]));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread[1]));
	KUNIT_EXPECT_EQ(test, one.value, number_in(pool, one.file));
	KUNIT_EXPECT_EQ(test, two.value, number_in(pool, two.file));
}

static void two_limits_written_at_once_are_kept(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 4);

	write_at_once(test, pool,
		      (struct a_write) { pool->name, "max_threads", 8 },
		      (struct a_write) { pool->name, "min_threads", 2 });
	/* of two kinds, the root's and the pool's, in one folder */
	write_at_once(test, pool,
		      (struct a_write) { pool->name, "max_queued", 7 },
		      (struct a_write) { pool->name, "min_threads", 3 });
}

static void two_limits_of_a_group_written_at_once_are_kept(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 4);

	test_group(test, pool, "g", 0, 0);
	write_at_once(test, pool,
		      (struct a_write) { pool->name, "groups/g/max_active", 3 },
		      (struct a_write) { pool->name, "groups/g/max_queued", 5 });
}

static int destroy_group(void *group)
{
	return kpool_group_destroy(group);
}

static int destroy_pool(void *pool)
{
	return kpool_destroy(pool);
}

/* Who removes the file waits for who writes it, and for nothing else. */
static void expect_awaited(struct kunit *test, struct kpool *pool,
			   struct a_write w, int (*destroy)(void *arg),
			   void *what)
{
	struct test_thread *writer, *remover;

	hold_at(test, pool, KPOOL_AT_CHANGE);
	writer = run_thread(test, do_write, &w);
	hold_reached(test);
	remover = run_thread(test, destroy, what);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(remover)));
	hold_release();
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, writer));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, remover));
	KUNIT_EXPECT_EQ(test, -ENOENT, do_write(&w));
}

static void writer_in_a_group_is_waited_for(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 2);
	struct kpool_group *group;

	group = kpool_group_create(kpool_root(pool), "g", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(group));
	expect_awaited(test, pool,
		       (struct a_write) { pool->name, "groups/g/max_active", 1 },
		       destroy_group, group);
}

static void writer_in_a_pool_is_waited_for(struct kunit *test)
{
	const struct kpool_params params = { .max_threads = 2 };
	struct kpool *pool = kpool_create("sysfs", &params);

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	/* threads that are wanted now are none that its end would miss */
	expect_awaited(test, pool,
		       (struct a_write) { "sysfs", "min_threads", 2 },
		       destroy_pool, pool);
}

/* The remover holds the mutex of the pool that the client knows. */
static void writer_in_a_per_cpu_group_is_waited_for(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 0, 2);
	struct kpool *inner = inner_pool(pool, last_cpu());
	struct kpool_group *group;

	group = kpool_group_create(kpool_root(pool), "g", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(group));
	expect_awaited(test, inner,
		       (struct a_write) { inner->name, "groups/g/max_active", 1 },
		       destroy_group, group);
}

static void a_write_changes_one_cpu(struct kunit *test)
{
	const struct kpool_limits limits = { .max_threads = 3 };
	struct kpool *pool = percpu_pool(test, 0, 2);
	struct kpool *inner = inner_pool(pool, last_cpu());
	int cpu;

	test_group(test, pool, "g", 2, 0);
	expect_written(test, inner, "max_threads", 5);
	expect_written(test, inner, "groups/g/max_active", 4);
	for_each_possible_cpu(cpu) {
		struct kpool *other = inner_pool(pool, cpu);

		KUNIT_EXPECT_EQ(test, other == inner ? 5 : 2,
				number_in(other, "max_threads"));
		KUNIT_EXPECT_EQ(test, other == inner ? 4 : 2,
				number_in(other, "groups/g/max_active"));
	}
	/* until its owner sets them for all */
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	for_each_possible_cpu(cpu)
		KUNIT_EXPECT_EQ(test, 3, number_in(inner_pool(pool, cpu),
						   "max_threads"));
}

static int write_for_ever(void *arg)
{
	atomic_t *writes = arg;
	int n;

	for (n = 0; !signal_pending(current); n++) {
		if (!write_pool_file("sysfs", "max_threads",
				     n % 2 ? "2" : "3") &&
		    !write_pool_file("sysfs", "groups/g/max_active",
				     n % 2 ? "1" : "0"))
			atomic_inc(writes);
		cond_resched();
	}
	return 0;
}

/* Pools and groups go while they are written: KASAN watches. */
static void pools_go_while_they_are_written(struct kunit *test)
{
	const struct kpool_params params = { .max_threads = 2 };
	atomic_t *writes = kunit_kzalloc(test, sizeof(*writes), GFP_KERNEL);
	struct test_thread *writer;
	struct kpool_group *group;
	struct kpool *pool;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, writes);
	writer = run_thread(test, write_for_ever, writes);
	for (i = 0; i < 8; i++) {
		int before = atomic_read(writes);

		pool = kpool_create("sysfs", &params);
		KUNIT_EXPECT_FALSE(test, IS_ERR(pool));
		if (IS_ERR(pool))
			break;
		group = kpool_group_create(kpool_root(pool), "g", NULL);
		expect_soon(test, atomic_read(writes) > before);
		kpool_group_destroy(group);
		KUNIT_EXPECT_EQ(test, 0, kpool_destroy(pool));
	}
	send_sig(SIGKILL, thread_task(writer), 1);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, writer));
}

static struct kunit_case sysfs_limits_cases[] = {
	KUNIT_CASE(raised_max_starts_what_waits),
	KUNIT_CASE(lowered_max_shows_over),
	KUNIT_CASE(raised_min_creates_threads),
	KUNIT_CASE(idle_timeout_is_in_milliseconds),
	KUNIT_CASE(limits_of_a_group_count_at_once),
	KUNIT_CASE(limits_of_the_root_are_the_pools),
	KUNIT_CASE(a_write_keeps_the_other_limits),
	KUNIT_CASE_PARAM(bad_write_changes_nothing, bad_writes_gen_params),
	KUNIT_CASE(refusal_is_in_the_log),
	KUNIT_CASE(two_limits_written_at_once_are_kept),
	KUNIT_CASE(two_limits_of_a_group_written_at_once_are_kept),
	KUNIT_CASE(writer_in_a_group_is_waited_for),
	KUNIT_CASE(writer_in_a_pool_is_waited_for),
	KUNIT_CASE(writer_in_a_per_cpu_group_is_waited_for),
	KUNIT_CASE(a_write_changes_one_cpu),
	KUNIT_CASE(pools_go_while_they_are_written),
	{}
};

static struct kunit_suite sysfs_limits_suite = {
	.name = "kpool_sysfs_limits",
	.test_cases = sysfs_limits_cases,
};

kunit_test_suite(sysfs_limits_suite);
