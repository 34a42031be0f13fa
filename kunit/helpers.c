// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bottom_half.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../kpool/compat.h"
#include "helpers.h"

/* Turns of all gated works, in the order in which they started. */
static atomic_t starts = ATOMIC_INIT(0);

static int gated_sleep(struct gated *g)
{
	switch (g->sleep) {
	case GATE_INTERRUPTIBLE:
		return wait_for_completion_interruptible(&g->gate);
	case GATE_KILLABLE:
		return wait_for_completion_killable(&g->gate);
	case GATE_UNINTERRUPTIBLE:
		wait_for_completion(&g->gate);
		break;
	}
	return 0;
}

static int gated_fn(struct kpool_work *work)
{
	struct gated *g = container_of(work, struct gated, work);

	if (atomic_inc_return(&g->inside) != 1)
		g->twice = true;
	if (signal_pending(current) && !kpool_should_stop())
		g->stray = true;
	g->thread = current;
	g->order = atomic_inc_return(&starts);
	atomic_inc(&g->runs);
	complete(&g->started);
	g->signalled = gated_sleep(g) < 0;
	g->told = kpool_should_stop();
	atomic_dec(&g->inside);
	complete(&g->ended);
	return g->ret;
}

void gated_release(struct kpool_work *work)
{
	struct gated *g = container_of(work, struct gated, work);

	if (signal_pending(current))
		g->stray = true;
	atomic_inc(&g->released);
}

void gated_init(struct gated *g)
{
	memset(g, 0, sizeof(*g));
	kpool_work_init(&g->work, gated_fn);
	init_completion(&g->started);
	init_completion(&g->gate);
	init_completion(&g->ended);
}

/*
 * The works of an array may be in use until the last pool of the case has
 * ended, whichever of both was made first: the memory stays until then.
 */
struct gated_set {
	struct list_head entry;		/* on ended_sets */
	struct gated *works;
	unsigned int n;
};

static LIST_HEAD(ended_sets);
static int nr_pools;

static void free_ended_sets(void)
{
	struct gated_set *set, *next;

	if (nr_pools)
		return;
	list_for_each_entry_safe(set, next, &ended_sets, entry) {
		list_del(&set->entry);
		kfree(set->works);
		kfree(set);
	}
}

static void gated_set_end(void *arg)
{
	struct gated_set *set = arg;

	gated_open_all(set->works, set->n);
	list_add(&set->entry, &ended_sets);
	free_ended_sets();
}

struct gated *gated_array(struct kunit *test, unsigned int n)
{
	struct gated_set *set;
	unsigned int i;

	set = kzalloc(sizeof(*set), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, set);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, gated_set_end, set));
	set->works = kcalloc(n, sizeof(*set->works), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, set->works);
	set->n = n;
	for (i = 0; i < n; i++)
		gated_init(&set->works[i]);
	return set->works;
}

void gated_open(struct gated *g)
{
	complete_all(&g->gate);
}

void gated_open_all(struct gated *g, unsigned int n)
{
	while (n--)
		gated_open(g++);
}

bool expect_done(struct kunit *test, struct completion *done)
{
	bool ok = wait_for_completion_timeout(done, DEADLINE);

	KUNIT_EXPECT_TRUE_MSG(test, ok, "deadline passed");
	return ok;
}

bool expect_started(struct kunit *test, struct gated *g, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!expect_done(test, &g[i].started))
			return false;
	return true;
}

void expect_queued(struct kunit *test, struct kpool_group *group,
		   struct gated *g, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &g[i].work));
}

void expect_over(struct kunit *test, struct gated *g, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, 0,
				kpool_work_wait_timeout(&g[i].work, NULL,
							DEADLINE));
}

unsigned int count_started(struct gated *g, unsigned int n)
{
	unsigned int i, started = 0;

	for (i = 0; i < n; i++)
		started += !!atomic_read(&g[i].runs);
	return started;
}

static void destroy_pool_action(void *pool)
{
	kpool_destroy(pool);
	nr_pools--;
	free_ended_sets();
}

static void destroy_group_action(void *group)
{
	kpool_group_destroy(group);
}

struct kpool *test_pool_params(struct kunit *test,
			       const struct kpool_params *params)
{
	static atomic_t number = ATOMIC_INIT(0);
	char name[KPOOL_NAME_MAX + 1];
	struct kpool *pool;

	snprintf(name, sizeof(name), "t%d", atomic_inc_return(&number));
	pool = kpool_create(name, params);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(pool), "kpool_create: %pe", pool);
	nr_pools++;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test,
						destroy_pool_action, pool));
	return pool;
}

struct kpool *test_pool(struct kunit *test, int min_threads, int max_threads)
{
	struct kpool_params params = {
		.min_threads = min_threads,
		.max_threads = max_threads,
		.idle_timeout = 3600 * HZ,
	};

	return test_pool_params(test, &params);
}

void test_pool_destroy(struct kunit *test, struct kpool *pool)
{
	kunit_release_action(test, destroy_pool_action, pool);
}

struct kpool_group *__test_subgroup(struct kunit *test,
				    struct kpool_group *parent,
				    const char *name,
				    const struct kpool_group_params *params,
				    struct lock_class_key *key)
{
	struct kpool_group *group;

	group = __kpool_group_create(parent, name, params, "(kpool_group)test",
				     key);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(group), "kpool_group_create: %pe",
			       group);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test,
						destroy_group_action, group));
	return group;
}

struct kpool_group *__test_group(struct kunit *test, struct kpool *pool,
				 const char *name, int max_active,
				 int max_queued, struct lock_class_key *key)
{
	struct kpool_group_params params = {
		.max_active = max_active,
		.max_queued = max_queued,
	};

	return __test_subgroup(test, kpool_root(pool), name, &params, key);
}

void test_group_destroy(struct kunit *test, struct kpool_group *group)
{
	kunit_release_action(test, destroy_group_action, group);
}

#define POOL_COUNT(name, expr)						\
unsigned int pool_##name(struct kpool *pool)				\
{									\
	unsigned int n;							\
									\
	raw_spin_lock_irq(&pool->lock);					\
	n = expr;							\
	raw_spin_unlock_irq(&pool->lock);				\
	return n;							\
}

POOL_COUNT(threads, pool->nr_threads)
POOL_COUNT(idle, pool->nr_idle)
POOL_COUNT(pending, pool->root->nr_pending)
POOL_COUNT(running, pool->root->nr_running)

static struct {
	struct kpool *pool;
	enum kpool_test_point point;
	struct completion reached;
	struct completion go_on;
	atomic_t held;
} hold;

static void hold_hook(enum kpool_test_point point, struct kpool *pool)
{
	if (pool != hold.pool || point != hold.point)
		return;
	atomic_inc(&hold.held);
	complete(&hold.reached);
	wait_for_completion(&hold.go_on);
	atomic_dec(&hold.held);
}

/* Let all go, and wait until none is in the hook any more. */
void hold_release(void)
{
	WRITE_ONCE(kpool_test_hook, NULL);
	complete_all(&hold.go_on);
	while (atomic_read(&hold.held))
		schedule_timeout_uninterruptible(1);
}

static void hold_end(void *unused)
{
	hold_release();
}

void hold_at(struct kunit *test, struct kpool *pool,
	     enum kpool_test_point point)
{
	hold.pool = pool;
	hold.point = point;
	init_completion(&hold.reached);
	init_completion(&hold.go_on);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, hold_end, NULL));
	WRITE_ONCE(kpool_test_hook, hold_hook);
}

bool hold_reached(struct kunit *test)
{
	return expect_done(test, &hold.reached);
}

void fail_no_more(void)
{
	kpool_fail_create.probability = 0;
}

static void fail_end(void *unused)
{
	fail_no_more();
}

void fail_creations(struct kunit *test, int after)
{
	kpool_fail_create.interval = 1;
	kpool_fail_create.verbose = 0;
	atomic_set(&kpool_fail_create.times, -1);
	/* each creation takes one from space, and the one after fails */
	atomic_set(&kpool_fail_create.space, after ? after + 1 : 0);
	kpool_fail_create.probability = 100;
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, fail_end, NULL));
}

struct irq_call {
	struct irq_work irq;
	void (*fn)(void *arg);
	void *arg;
};

static void irq_call_fn(struct irq_work *irq)
{
	struct irq_call *call = container_of(irq, struct irq_call, irq);

	call->fn(call->arg);
}

void call_in_hardirq(struct kunit *test, void (*fn)(void *arg), void *arg)
{
	struct irq_call call = {
		.irq = IRQ_WORK_INIT_HARD(irq_call_fn),
		.fn = fn,
		.arg = arg,
	};

	irq_work_queue(&call.irq);
	irq_work_sync(&call.irq);
}

struct softirq_call {
	struct tasklet_struct tasklet;
	void (*fn)(void *arg);
	void *arg;
	struct completion done;
};

static void softirq_call_fn(struct tasklet_struct *tasklet)
{
	struct softirq_call *call;

	call = container_of(tasklet, struct softirq_call, tasklet);
	call->fn(call->arg);
	complete(&call->done);
}

void call_in_softirq(struct kunit *test, void (*fn)(void *arg), void *arg)
{
	struct softirq_call call = { .fn = fn, .arg = arg };

	init_completion(&call.done);
	tasklet_setup(&call.tasklet, softirq_call_fn);
	tasklet_schedule(&call.tasklet);
	expect_done(test, &call.done);
	tasklet_kill(&call.tasklet);
}

struct test_thread {
	struct task_struct *task;
	int (*fn)(void *arg);
	void *arg;
	int ret;
	struct completion begun;
	struct completion done;
};

static int test_thread_fn(void *arg)
{
	struct test_thread *thread = arg;

	allow_kernel_signal(SIGKILL);
	complete(&thread->begun);
	thread->ret = thread->fn(thread->arg);
	/* the task stays, for thread_task(), until it is joined */
	complete(&thread->done);
	while (!kthread_should_stop()) {
		flush_signals(current);
		schedule_timeout_interruptible(1);
	}
	return 0;
}

static void end_thread(void *arg)
{
	struct test_thread *thread = arg;

	kthread_stop(thread->task);
}

struct test_thread *run_thread(struct kunit *test, int (*fn)(void *arg),
			       void *arg)
{
	struct test_thread *thread;

	thread = kunit_kzalloc(test, sizeof(*thread), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, thread);
	init_completion(&thread->begun);
	init_completion(&thread->done);
	thread->fn = fn;
	thread->arg = arg;
	thread->task = kthread_run(test_thread_fn, thread, "kpool-test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread->task));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, end_thread, thread));
	expect_done(test, &thread->begun);
	return thread;
}

int join_thread(struct kunit *test, struct test_thread *thread)
{
	return expect_done(test, &thread->done) ? thread->ret : -ETIME;
}

struct task_struct *thread_task(struct test_thread *thread)
{
	return thread->task;
}

bool task_is_asleep(struct task_struct *task)
{
	unsigned int state = READ_ONCE(task->__state);

	if (state == TASK_RUNNING || state & (TASK_WAKING | TASK_RTLOCK_WAIT))
		return false;
	smp_rmb();	/* what is looked at below is not older */
	if (!kpool_task_dequeued(task))
		return false;
#ifdef CONFIG_SMP
	return !READ_ONCE(task->on_cpu);
#else
	return true;
#endif
}

bool thread_done(struct test_thread *thread)
{
	return completion_done(&thread->done);
}

unsigned int count_waiters(struct kpool *pool, struct hlist_head *waiters)
{
	struct hlist_node *node;
	unsigned int n = 0;

	raw_spin_lock_irq(&pool->lock);
	hlist_for_each(node, waiters)
		n++;
	raw_spin_unlock_irq(&pool->lock);
	return n;
}

enum tell_state tell_of(struct kpool *pool, struct kpool_work *work)
{
	enum tell_state tell;

	raw_spin_lock_irq(&pool->lock);
	tell = work->worker ? work->worker->tell : TELL_SHUT;
	raw_spin_unlock_irq(&pool->lock);
	return tell;
}

/*
 * While no other CPU is online.  Events are switched on by patching code that
 * all CPUs execute, also where they handle the exception that tells them of it;
 * and emulators do not all bear that.
 */
int on_one_cpu(int (*fn)(void))
{
	static struct cpumask others;
	int cpu, err = 0;

	cpumask_copy(&others, cpu_online_mask);
	cpumask_clear_cpu(cpumask_first(&others), &others);
	for_each_cpu(cpu, &others)
		err = err ?: remove_cpu(cpu);
	err = err ?: fn();
	for_each_cpu(cpu, &others) {
		int ret = cpu_online(cpu) ? 0 : add_cpu(cpu);

		err = err ?: ret;
	}
	return err;
}
