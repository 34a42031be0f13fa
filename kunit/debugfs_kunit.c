// SPDX-License-Identifier: GPL-2.0-only
/* Promise 16: the files of a pool in debugfs, and what they say. */
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../kpool/compat.h"
#include "../kpool/debugfs_pool.h"
#include "stop_fixture.h"

/* What a file says, as a reader would see it. */
static const char *text_of(struct kunit *test, struct kpool *pool,
			   enum debugfs_pool_file file)
{
	struct seq_file m = { .size = SZ_64K };

	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	mutex_init(&m.lock);
	KUNIT_EXPECT_EQ(test, 0, debugfs_pool_show(&m, pool, file));
	KUNIT_ASSERT_LT(test, m.count, m.size);
	m.buf[m.count] = '\0';
	return m.buf;
}

static void expect_says(struct kunit *test, const char *text, const char *what)
{
	KUNIT_EXPECT_TRUE_MSG(test, strstr(text, what), "\"%s\" is not in\n%s",
			      what, text);
}

static void expect_silent(struct kunit *test, const char *text,
			  const char *what)
{
	KUNIT_EXPECT_FALSE_MSG(test, strstr(text, what), "\"%s\" is in\n%s",
			       what, text);
}

static unsigned int count_in(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text++;
	}
	return n;
}

static void state_has_the_tree(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 1, 9);
	struct gated *g = gated_array(test, 3);
	const char *text;

	expect_queued(test, group, g, 3);
	expect_started(test, g, 1);
	text = text_of(test, pool, POOL_STATE);
	expect_says(test, text, "threads 2, idle 1\n");
	expect_says(test, text, ": open, running 1, pending 2, busy\n");
	expect_says(test, text,
		    "/g: open, running 1 of 1, pending 2 of 9, busy\n");
	expect_says(test, text, "gated_fn");
	expect_says(test, text, "/g, which runs 1 of 1\n");
	expect_stop(test, group);
	text = text_of(test, pool, POOL_STATE);
	expect_says(test, text, "/g: stopped, running 0 of 1, pending 0 of 9\n");
	expect_silent(test, text, "gated_fn");
}

static void works_say_who_sleeps_where(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);
	const char *text;

	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	expect_soon(test, task_is_asleep(g->thread));
	text = text_of(test, pool, POOL_WORKS);
	expect_says(test, text, "D ");
	expect_says(test, text, "/g: gated_fn");
	expect_says(test, text, "for ");
	if (KPOOL_HAS_STACKS)
		expect_says(test, text, "    gated_fn+");
	KUNIT_EXPECT_EQ(test, 1, count_in(text, "kpool/"));
}

static void works_say_how_far_the_tell_is(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 2);
	struct gated *g = gated_array(test, 1);

	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	expect_silent(test, text_of(test, pool, POOL_WORKS), "told");
	hold_at(test, pool, KPOOL_AT_SEND);
	kpool_work_cancel(&g->work);
	hold_reached(test);
	expect_says(test, text_of(test, pool, POOL_WORKS), ", told");
	hold_release();
	expect_soon(test, tell_of(pool, &g->work) == TELL_SENT);
	expect_says(test, text_of(test, pool, POOL_WORKS), ", signalled");
}

static int acks(struct kpool_work *work)
{
	struct gated *g = container_of(work, struct gated, work);

	kpool_stop_ack();
	complete(&g->started);
	wait_for_completion(&g->gate);
	return 0;
}

static void works_say_who_acknowledged(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	kpool_work_init(&g->work, acks);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	kpool_work_cancel(&g->work);
	expect_says(test, text_of(test, pool, POOL_WORKS), ", acknowledged");
	gated_open(g);
}

static int wait_for_work(void *work)
{
	return kpool_work_wait(work, NULL);
}

static void waiters_say_for_whom(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);
	struct test_thread *threads[3];
	const char *text;
	int i;

	expect_queued(test, group, g, 2);
	expect_started(test, g, 1);
	expect_silent(test, text_of(test, pool, POOL_WAITERS), "waits");
	threads[0] = run_thread(test, wait_for_work, &g[0].work);
	threads[1] = run_thread(test, wait_for_work, &g[1].work);
	threads[2] = run_thread(test, group_wait_thread, group);
	expect_soon(test, count_waiters(pool, &g[0].work.waiters));
	expect_soon(test, count_waiters(pool, &g[1].work.waiters));
	expect_soon(test, count_waiters(pool, &group->waiters));
	text = text_of(test, pool, POOL_WAITERS);
	expect_says(test, text, "gated_fn");
	expect_says(test, text, ", which runs in kpool/");
	expect_says(test, text, ", which is pending in ");
	expect_says(test, text, "/g is idle\n");
	KUNIT_EXPECT_EQ(test, 3, count_in(text, "kpool-test["));
	expect_says(test, text_of(test, pool, POOL_WORKS), "awaited by 1");
	gated_open_all(g, 2);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, threads[i]));
}

/* More than are copied at once: each is there, and once. */
static void none_is_left_out(struct kunit *test)
{
	const unsigned int n = 2 * KPOOL_BATCH + 5;
	struct kpool *pool = test_pool(test, 0, n);
	struct gated *g = gated_array(test, n);

	expect_queued(test, kpool_root(pool), g, n);
	expect_started(test, g, n);
	KUNIT_EXPECT_EQ(test, n, count_in(text_of(test, pool, POOL_WORKS),
					  ": gated_fn"));
	gated_open_all(g, n);
}

static int read_for_ever(void *arg)
{
	struct kpool *pool = arg;
	struct seq_file m = { .size = SZ_16K };

	m.buf = kmalloc(m.size, GFP_KERNEL);
	if (!m.buf)
		return -ENOMEM;
	mutex_init(&m.lock);
	while (!signal_pending(current)) {
		m.count = 0;
		debugfs_pool_show(&m, pool, POOL_STATE);
		debugfs_pool_show(&m, pool, POOL_WORKS);
		debugfs_pool_show(&m, pool, POOL_WAITERS);
		cond_resched();
	}
	kfree(m.buf);
	return 0;
}

/*
 * Threads leave and waiters give up while they are looked at: KASAN watches.
 * No reference to us, who wait, is left behind.
 */
static void tasks_come_and_go(struct kunit *test)
{
	struct kpool_params params = { .max_threads = 4, .idle_timeout = 1 };
	struct kpool *pool = test_pool_params(test, &params);
	unsigned int i, users = refcount_read(&current->usage);
	struct test_thread *reader = run_thread(test, read_for_ever, pool);
	struct gated *g = gated_array(test, 40);

	for (i = 0; i < 40; i += 4) {
		expect_queued(test, kpool_root(pool), &g[i], 4);
		KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
				kpool_work_wait_timeout(&g[i].work, NULL, 1));
		gated_open_all(&g[i], 4);
		expect_over(test, &g[i], 4);
		expect_soon(test, pool_threads(pool) == 0);
	}
	send_sig(SIGKILL, thread_task(reader), 1);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, reader));
	expect_soon(test, refcount_read(&current->usage) == users);
}

static struct kunit_case debugfs_cases[] = {
	KUNIT_CASE(state_has_the_tree),
	KUNIT_CASE(works_say_who_sleeps_where),
	KUNIT_CASE(works_say_how_far_the_tell_is),
	KUNIT_CASE(works_say_who_acknowledged),
	KUNIT_CASE(waiters_say_for_whom),
	KUNIT_CASE(none_is_left_out),
	KUNIT_CASE(tasks_come_and_go),
	{}
};

static struct kunit_suite debugfs_suite = {
	.name = "kpool_debugfs",
	.test_cases = debugfs_cases,
};

kunit_test_suite(debugfs_suite);
