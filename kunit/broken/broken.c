// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that is broken on purpose, in one way at a time: the test runner
 * loads it to see that it notices.  See tools/runner/selftest.py.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/panic.h>
#include <linux/slab.h>

static char *how = "good";
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "good, case, skip, warn, lockdep, expected, leak, thread, hang or panic");

static DEFINE_MUTEX(lock_a);
static DEFINE_MUTEX(lock_b);

static void warn(struct kunit *test)
{
	WARN(1, "a warning\n");
}

/* Nothing deadlocks, and the test passes: only lockdep sees what might be. */
static void invert_locks(struct kunit *test)
{
	mutex_lock(&lock_a);
	mutex_lock(&lock_b);
	mutex_unlock(&lock_b);
	mutex_unlock(&lock_a);

	mutex_lock(&lock_b);
	mutex_lock(&lock_a);
	mutex_unlock(&lock_a);
	mutex_unlock(&lock_b);
}

static void expected_warning(struct kunit *test)
{
	pr_info("kpool-expect-begin: WARNING: .*broken\n");
	warn(test);
	pr_info("kpool-expect-end\n");
}

/* The pointer is stored nowhere, not even in a register that is saved. */
static void leak(struct kunit *test)
{
	int i;

	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_NOT_NULL(test, kmalloc(100, GFP_KERNEL));
}

static int stay(void *unused)
{
	while (!kthread_should_stop())
		msleep(100);
	return 0;
}

/* The thread runs on in the text of a module that must not go away then. */
static void leave_thread(struct kunit *test)
{
	struct task_struct *task;

	__module_get(THIS_MODULE);
	task = kthread_run(stay, NULL, "kpool/broken");
	KUNIT_EXPECT_FALSE(test, IS_ERR(task));
}

static void hang(struct kunit *test)
{
	for (;;)
		msleep(1000);
}

static void die(struct kunit *test)
{
	panic("a panic");
}

static void fail(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 1, 2);
}

static void skip(struct kunit *test)
{
	kunit_skip(test, "on purpose");
}

static const struct {
	const char *how;
	void (*fn)(struct kunit *test);
} defects[] = {
	{ "case", fail },
	{ "skip", skip },
	{ "warn", warn },
	{ "lockdep", invert_locks },
	{ "expected", expected_warning },
	{ "leak", leak },
	{ "thread", leave_thread },
	{ "hang", hang },
	{ "panic", die },
};

static void defect(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(defects); i++) {
		if (!strcmp(how, defects[i].how))
			defects[i].fn(test);
	}
}

static struct kunit_case broken_cases[] = {
	KUNIT_CASE(defect),
	{}
};

static struct kunit_suite broken_suite = {
	.name = "broken",
	.test_cases = broken_cases,
};

kunit_test_suite(broken_suite);

MODULE_DESCRIPTION("Deliberately broken KUnit suite for the test runner");
MODULE_LICENSE("GPL");
