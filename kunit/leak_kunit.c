// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a function leaves behind in its thread is named, and the next function
 * does not find it.  A lock that is left held ends the watch of lockdep, and is
 * in splat_kunit.c.
 */
#include <linux/cpumask.h>
#include <linux/cred.h>
#include <linux/kthread.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <uapi/linux/sched/types.h>

#include "helpers.h"
#include "kmsg.h"

/* Does it find itself in the environment of a new thread? */
static int finds_all_well(void *unused)
{
	return !preempt_count() && !irqs_disabled() && !rcu_preempt_depth() &&
	       !current->mm && !(current->flags & PF_MEMALLOC_NOIO) &&
	       current_cred() == current_real_cred() && !task_nice(current) &&
	       current->policy == SCHED_NORMAL &&
	       current->nr_cpus_allowed == num_possible_cpus() &&
	       !sigismember(&current->blocked, SIGUSR1) &&
	       current->sighand->action[SIGUSR1 - 1].sa.sa_handler == SIG_IGN &&
	       !signal_pending(current);
}

/*
 * Run a function that leaves something behind, once, and the next one in the
 * same thread.  @what is a regex for the reader of the console, and from
 * "returned with" on what the log has to say.
 */
static void expect_leak(struct kunit *test, int (*fn)(void *data), void *data,
			const char *what)
{
	struct kpool *pool = test_pool(test, 1, 1);
	int well = 0;

	report_begin(what);
	KUNIT_EXPECT_EQ(test, 0, kpool_call(kpool_root(pool), fn, data, NULL));
	KUNIT_EXPECT_EQ(test, 0, kpool_call(kpool_root(pool), finds_all_well,
					    NULL, &well));
	KUNIT_EXPECT_TRUE(test, well);
	KUNIT_EXPECT_EQ(test, 1, report_lines(strstr(what, "returned with")));
	report_end();
	KUNIT_EXPECT_TRUE(test, debug_locks);
}

static int leak_nothing(void *unused)
{
	return 0;
}

static void clean_function_is_not_blamed(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);

	report_begin("no report");
	KUNIT_EXPECT_EQ(test, 0, kpool_call(kpool_root(pool), leak_nothing,
					    NULL, NULL));
	KUNIT_EXPECT_EQ(test, 0, report_lines("returned with"));
	pr_info("no report\n");
	report_end();
}

static int leak_irqs(void *unused)
{
	local_irq_disable();
	return 0;
}

static void interrupts_off(struct kunit *test)
{
	expect_leak(test, leak_irqs, NULL,
		    "leak_irqs .*returned with interrupts off");
}

static int leak_preempt(void *unused)
{
	preempt_disable();
	return 0;
}

static void preemption_off(struct kunit *test)
{
	expect_leak(test, leak_preempt, NULL,
		    "leak_preempt .*returned with preemption off");
}

static int leak_bh(void *unused)
{
	local_bh_disable();
	return 0;
}

static void softirqs_off(struct kunit *test)
{
	expect_leak(test, leak_bh, NULL,
		    "leak_bh .*returned with softirqs off");
}

static int leak_rcu(void *unused)
{
	rcu_read_lock();
	return 0;
}

static void rcu_section_open(struct kunit *test)
{
	expect_leak(test, leak_rcu, NULL,
		    "leak_rcu .*returned with an RCU read section open");
}

static int leak_mm(void *mm)
{
	kthread_use_mm(mm);
	return 0;
}

static void memory_of_a_user(struct kunit *test)
{
	struct pid *pid = find_get_pid(1);
	struct task_struct *init = get_pid_task(pid, PIDTYPE_PID);
	struct mm_struct *mm = get_task_mm(init);

	put_task_struct(init);
	put_pid(pid);
	KUNIT_ASSERT_NOT_NULL(test, mm);
	expect_leak(test, leak_mm, mm,
		    "leak_mm .*returned with a user's memory");
	mmput(mm);
}

static int leak_flags(void *unused)
{
	(void)memalloc_noio_save();
	return 0;
}

static void flags_of_the_task(struct kunit *test)
{
	expect_leak(test, leak_flags, NULL,
		    "leak_flags .*returned with task flags changed");
}

static int leak_cred(void *cred)
{
	override_creds(cred);
	return 0;
}

static void another_users_credentials(struct kunit *test)
{
	struct cred *cred = prepare_creds();

	KUNIT_ASSERT_NOT_NULL(test, cred);
	expect_leak(test, leak_cred, cred,
		    "leak_cred .*returned with other credentials");
	put_cred(cred);
}

static int leak_nice(void *unused)
{
	set_user_nice(current, 5);
	return 0;
}

static void nice_value(struct kunit *test)
{
	expect_leak(test, leak_nice, NULL,
		    "leak_nice .*returned with another priority");
}

static int leak_policy(void *unused)
{
	sched_set_fifo_low(current);
	return 0;
}

static void policy(struct kunit *test)
{
	expect_leak(test, leak_policy, NULL,
		    "leak_policy .*returned with another priority");
}

static int leak_mask(void *unused)
{
	return set_cpus_allowed_ptr(current, cpumask_of(0));
}

static void mask_of_cpus(struct kunit *test)
{
	if (num_possible_cpus() < 2)
		kunit_skip(test, "there is but one CPU");
	expect_leak(test, leak_mask, NULL,
		    "leak_mask .*returned with fewer CPUs");
}

static int leak_state(void *unused)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	return 0;
}

static void state_of_the_task(struct kunit *test)
{
	expect_leak(test, leak_state, NULL,
		    "leak_state .*returned with a task state set");
}

static int leak_blocked(void *unused)
{
	sigset_t set;

	siginitset(&set, sigmask(SIGUSR1));
	return sigprocmask(SIG_BLOCK, &set, NULL);
}

static void blocked_signals(struct kunit *test)
{
	expect_leak(test, leak_blocked, NULL,
		    "leak_blocked .*returned with other signals blocked");
}

/* A user's signal that came meanwhile is gone, too. */
static int leak_allowed(void *unused)
{
	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 0);
	return !signal_pending(current);
}

static void allowed_signals(struct kunit *test)
{
	expect_leak(test, leak_allowed, NULL,
		    "leak_allowed .*returned with other signals allowed");
}

static int leak_deafness(void *unused)
{
	disallow_signal(SIGKILL);
	return 0;
}

/* The next one can be told all the same. */
static void deafness(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	report_begin("leak_deafness .*returned with other signals allowed");
	KUNIT_EXPECT_EQ(test, 0, kpool_call(kpool_root(pool), leak_deafness,
					    NULL, NULL));
	report_end();
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&g->work));
	expect_over(test, g, 1);
	KUNIT_EXPECT_TRUE(test, g->signalled);
}

static void leaking_release(struct kpool_work *work)
{
	(void)memalloc_noio_save();
	gated_release(work);
}

/* Of a work that ran, in the worker, and of one that did not, elsewhere. */
static void release_function(struct kunit *test)
{
	static const char what[] =
		"leaking_release .*returned with task flags changed";
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);
	int i;

	for (i = 0; i < 2; i++)
		g[i].work.release = leaking_release;
	report_begin(what);
	expect_queued(test, kpool_root(pool), g, 2);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&g[1].work));
	expect_soon(test, atomic_read(&g[1].released));
	expect_soon(test, report_lines("task flags changed") == 1);
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(kpool_root(pool),
							  DEADLINE));
	KUNIT_EXPECT_EQ(test, 2, report_lines("task flags changed"));
	report_end();
}

static struct kunit_case leak_cases[] = {
	KUNIT_CASE(clean_function_is_not_blamed),
	KUNIT_CASE(interrupts_off),
	KUNIT_CASE(preemption_off),
	KUNIT_CASE(softirqs_off),
	KUNIT_CASE(rcu_section_open),
	KUNIT_CASE(memory_of_a_user),
	KUNIT_CASE(flags_of_the_task),
	KUNIT_CASE(another_users_credentials),
	KUNIT_CASE(nice_value),
	KUNIT_CASE(policy),
	KUNIT_CASE(mask_of_cpus),
	KUNIT_CASE(state_of_the_task),
	KUNIT_CASE(blocked_signals),
	KUNIT_CASE(allowed_signals),
	KUNIT_CASE(deafness),
	KUNIT_CASE(release_function),
	{}
};

static struct kunit_suite leak_suite = {
	.name = "kpool_leak",
	.test_cases = leak_cases,
};

kunit_test_suite(leak_suite);
