// SPDX-License-Identifier: GPL-2.0-only
/* Delayed works whose timer expires just when they are cancelled or moved. */
#include <linux/cpumask.h>
#include <linux/delay.h>

#include "delayed_fixture.h"

/*
 * What an interrupt does that comes when the timer's callback has begun: it is
 * called from there, with irqs off, on the same CPU.
 */
static struct {
	struct kpool *pool;
	void (*fn)(struct delayed *d);
	struct delayed *d;
	int was;
	bool go_on;
	bool late;
	struct completion begun;
	struct completion done;
} at_expiry;

static void expiry_hook(enum kpool_test_point point, struct kpool *pool)
{
	if (point != KPOOL_AT_EXPIRY || pool != at_expiry.pool)
		return;
	at_expiry.fn(at_expiry.d);
	complete(&at_expiry.done);
}

/* No callback of a timer is executing when the pool has ended. */
static void unhook(void *unused)
{
	WRITE_ONCE(kpool_test_hook, NULL);
}

static void hook_expiry(struct kunit *test, struct kpool *pool,
			struct delayed *d, void (*fn)(struct delayed *d))
{
	at_expiry.pool = pool;
	at_expiry.d = d;
	at_expiry.fn = fn;
	at_expiry.go_on = false;
	at_expiry.late = false;
	init_completion(&at_expiry.begun);
	init_completion(&at_expiry.done);
	WRITE_ONCE(kpool_test_hook, expiry_hook);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unhook, NULL));
}

static void cancel_hook(struct delayed *d)
{
	at_expiry.was = kpool_delayed_cancel(&d->dw);
}

static void cancel_while_it_expires(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *root = kpool_root(pool);

	kpool_delayed_init_release(&d->dw, delayed_fn, delayed_release);
	hook_expiry(test, pool, d, cancel_hook);
	expect_armed(test, root, d, 1);
	expect_done(test, &at_expiry.done);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING, at_expiry.was);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(root, DEADLINE));
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			kpool_work_wait_timeout(&d->dw.work, NULL, 0));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&d->runs));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&d->released));
	KUNIT_EXPECT_EQ(test, 0, pool_pending(pool));
}

static void later_hook(struct delayed *d)
{
	at_expiry.was = kpool_mod_delayed(kpool_root(at_expiry.pool), &d->dw,
					  LONG);
}

static void mod_while_it_expires(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *root = kpool_root(pool);

	hook_expiry(test, pool, d, later_hook);
	expect_armed(test, root, d, 1);
	expect_done(test, &at_expiry.done);
	KUNIT_EXPECT_EQ(test, 1, at_expiry.was);
	expect_soon(test, timer_pending(&d->dw.timer));
	KUNIT_EXPECT_TRUE(test, stays(!atomic_read(&d->runs)));
	unhook(NULL);
	KUNIT_EXPECT_EQ(test, 1, kpool_mod_delayed(root, &d->dw, 0));
	expect_runs(test, d);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&d->runs));
}

/*
 * Hold the callback until a stop has come by, which takes the work off its
 * list, or for some time at most, no longer than irqs may be off: then the
 * stop was too late for the test.
 */
static void hold_hook(struct delayed *d)
{
	int us;

	complete(&at_expiry.begun);
	for (us = 0; us < 50000; us++) {
		if (READ_ONCE(at_expiry.go_on) ||
		    list_empty(&d->dw.work.entry))
			return;
		udelay(1);
	}
	at_expiry.late = true;
}

/* A timer expires on the CPU where it was armed, unless that is idle. */
static int arm_fn(void *d)
{
	unsigned long end = jiffies + DEADLINE;
	int err;

	set_cpus_allowed_ptr(current,
			     cpumask_of(cpumask_last(cpu_online_mask)));
	err = kpool_queue_delayed(kpool_root(at_expiry.pool),
				  &((struct delayed *)d)->dw, 1);
	while (!completion_done(&at_expiry.done) && time_before(jiffies, end))
		cpu_relax();
	return err;
}

/* Arm a work, and return when its callback is held on another CPU. */
static struct test_thread *expire(struct kunit *test, struct kpool *pool,
				  struct delayed *d)
{
	struct test_thread *thread;

	set_cpus_allowed_ptr(current,
			     cpumask_of(cpumask_first(cpu_online_mask)));
	hook_expiry(test, pool, d, hold_hook);
	thread = run_thread(test, arm_fn, d);
	expect_done(test, &at_expiry.begun);
	return thread;
}

/* A stop while the callback of the work is held.  Was it in time for that? */
static bool stop_in_time(struct kunit *test, struct delayed *d)
{
	struct kpool *pool = delayed_pool(test, d, 1);
	struct test_thread *thread;

	complete_all(&d->gate);		/* it ends if it runs */
	thread = expire(test, pool, d);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(kpool_root(pool),
							  DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
	return !at_expiry.late;
}

/* The stop has settled what there was when the callback has the lock. */
static void stop_while_it_expires(struct kunit *test)
{
	struct delayed *d;
	int tries = 100;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one CPU only");
	do {
		d = delayed_array(test, 1);
	} while (!stop_in_time(test, d) && --tries);
	KUNIT_EXPECT_NE(test, 0, tries);
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			kpool_work_wait_timeout(&d->dw.work, NULL, 0));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&d->runs));
}

/* Freed at once after it; whatever the timer is doing. */
static void may_be_freed_after_cancel_sync(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct test_thread *thread;
	struct delayed *d;
	bool late;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one CPU only");
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, d);
	kpool_delayed_init(&d->dw, delayed_fn);
	init_completion(&d->started);
	init_completion(&d->gate);
	complete_all(&d->gate);
	thread = expire(test, pool, d);
	kpool_delayed_cancel_sync(&d->dw);
	late = kpool_work_busy(&d->dw.work);
	WRITE_ONCE(at_expiry.go_on, true);
	KUNIT_EXPECT_FALSE(test, late);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
	if (!late)	/* else it is leaked, for it is in use */
		kfree(d);
}

static struct kunit_case expiry_cases[] = {
	KUNIT_CASE(cancel_while_it_expires),
	KUNIT_CASE(mod_while_it_expires),
	KUNIT_CASE(stop_while_it_expires),
	KUNIT_CASE(may_be_freed_after_cancel_sync),
	{}
};

static struct kunit_suite expiry_suite = {
	.name = "kpool_expiry",
	.test_cases = expiry_cases,
};

kunit_test_suite(expiry_suite);
