/* SPDX-License-Identifier: GPL-2.0-only */
/* Delayed works that wait at their gates. */
#ifndef _KPOOL_KUNIT_DELAYED_FIXTURE_H
#define _KPOOL_KUNIT_DELAYED_FIXTURE_H

#include <linux/kpool_delayed.h>
#include <linux/slab.h>

#include "helpers.h"

/* Longer than any test. */
#define LONG		(3600 * HZ)

/* A delayed work that waits at its gate. */
struct delayed {
	struct kpool_delayed_work dw;
	struct completion	started;
	struct completion	gate;
	unsigned long		at;		/* jiffies of the last start */
	atomic_t		runs;
	atomic_t		released;
};

static int delayed_fn(struct kpool_work *work)
{
	struct kpool_delayed_work *dw = to_kpool_delayed_work(work);
	struct delayed *d = container_of(dw, struct delayed, dw);

	d->at = jiffies;
	atomic_inc(&d->runs);
	complete(&d->started);
	wait_for_completion(&d->gate);
	return 42;
}

static inline void delayed_release(struct kpool_work *work)
{
	struct kpool_delayed_work *dw = to_kpool_delayed_work(work);

	atomic_inc(&container_of(dw, struct delayed, dw)->released);
}

static void open_gates(void *arg)
{
	struct delayed *d;

	for (d = arg; d->dw.work.fn; d++)
		complete_all(&d->gate);
}

/* To be called before the pool is made: it goes first. */
static struct delayed *delayed_array(struct kunit *test, int n)
{
	struct delayed *d;
	int i;

	/* one more, all zero, ends the array */
	d = kunit_kcalloc(test, n + 1, sizeof(*d), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, d);
	for (i = 0; i < n; i++) {
		kpool_delayed_init(&d[i].dw, delayed_fn);
		init_completion(&d[i].started);
		init_completion(&d[i].gate);
	}
	return d;
}

/* A pool that ends before the array, and whose works end before it. */
static struct kpool *delayed_pool(struct kunit *test, struct delayed *d,
				  int threads)
{
	struct kpool *pool = test_pool(test, threads, threads);

	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, open_gates, d));
	return pool;
}

static void expect_armed(struct kunit *test, struct kpool_group *group,
			 struct delayed *d, unsigned long delay)
{
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_delayed(group, &d->dw, delay));
}

/* It runs, once, and its result is there. */
static void expect_runs(struct kunit *test, struct delayed *d)
{
	int result = 0, runs = atomic_read(&d->runs);

	complete_all(&d->gate);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&d->dw.work, &result,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, 42, result);
	KUNIT_EXPECT_LE(test, atomic_read(&d->runs) - runs, 1);
}

#endif /* _KPOOL_KUNIT_DELAYED_FIXTURE_H */
