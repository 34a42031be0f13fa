// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a worker is born as, and the first and the last thing that it does: its
 * pool's hooks.
 *
 * Nice, mask and freezing are set by the thread itself.  The kernel gives a new
 * kthread its defaults when it is created, from 6.14 on also when it first
 * runs, and would undo what its creator had set.
 *
 * A thread whose pool has an init hook is given no work before the hook has
 * returned.  So a hook that fails leaves no work behind, and one that takes
 * long holds no work up that another thread could take.  Until it arrives it is
 * counted in nr_arriving.
 *
 * No signal reaches a hook: a worker is told for a work only, and it has none.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/nodemask.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/prio.h>
#include <linux/sched/task.h>
#include <linux/topology.h>

#include "internal.h"

static bool node_is_valid(int node)
{
	return node >= 0 && node < MAX_NUMNODES && node_online(node);
}

int check_birth(const char *name, const struct kpool_params *p)
{
	if (p->flags & ~KPOOL_FLAGS) {
		pr_err("%s: unknown flags %#x\n", name,
		       p->flags & ~KPOOL_FLAGS);
		return -EINVAL;
	}
	if (p->nice < MIN_NICE || p->nice > MAX_NICE) {
		pr_err("%s: nice (%d) is not %d to %d\n", name, p->nice,
		       MIN_NICE, MAX_NICE);
		return -EINVAL;
	}
	if (p->cpumask && !cpumask_intersects(p->cpumask, cpu_online_mask)) {
		pr_err("%s: cpumask (%*pbl) has no CPU that is online\n", name,
		       cpumask_pr_args(p->cpumask));
		return -EINVAL;
	}
	if (p->flags & KPOOL_ON_NODE && !node_is_valid(p->node)) {
		pr_err("%s: node (%d) is not online\n", name, p->node);
		return -EINVAL;
	}
	return 0;
}

/*
 * A mask and a node: newer kernels put threads of a node back to its CPUs when
 * one of these comes online, so the node is left out.
 */
int birth_init(struct kpool *pool, const struct kpool_params *params)
{
	const struct cpumask *cpus = params->cpumask;

	pool->flags = params->flags;
	pool->nice = params->nice;
	pool->init = params->init;
	pool->exit = params->exit;
	pool->hook_data = params->hook_data;
	pool->node = NUMA_NO_NODE;
	if (!cpus && params->flags & KPOOL_ON_NODE) {
		pool->node = params->node;
		if (cpumask_intersects(cpumask_of_node(params->node),
				       cpu_online_mask))
			cpus = cpumask_of_node(params->node);
	}
	if (!cpus)
		return 0;
	if (!zalloc_cpumask_var(&pool->cpus, GFP_KERNEL))
		return -ENOMEM;
	cpumask_copy(pool->cpus, cpus);
	pool->has_cpus = true;
	return 0;
}

void birth_free(struct kpool *pool)
{
	if (pool->has_cpus)
		free_cpumask_var(pool->cpus);
}

/*
 * Put the current thread on the CPUs of its pool.  If none of them is online by
 * now, any must do, as for its siblings.  One that goes offline in between would
 * leave the thread on a CPU that its mask does not have, of which PREEMPT_RT
 * warns.
 */
void worker_bind(const struct kpool *pool)
{
	cpus_read_lock();
	if (cpumask_intersects(pool->cpus, cpu_online_mask))
		set_cpus_allowed_ptr(current, pool->cpus);
	cpus_read_unlock();
}

static void set_attributes(struct kpool *pool)
{
	if (pool->nice)
		set_user_nice(current, pool->nice);
	if (pool->has_cpus)
		worker_bind(pool);
}

/*
 * This thread never comes to work.  It is off the books, and leaves; what the
 * spawner waited for, or kpool_create(), did not happen.
 */
static void birth_failed(struct kpool_worker *worker, int err)
{
	struct kpool *pool = worker->pool;
	struct task_struct *wake;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	if (!worker->leave)
		worker_leave(worker);
	worker->func = NULL;
	pool->nr_created--;
	pool->nr_failed++;
	pool->nr_arriving--;
	if (!pool->init_err)
		pool->init_err = err;
	if (pool->nr_cold && !--pool->nr_cold)
		complete(&pool->warm);
	wake = service_wake(&pool->spawner);
	unlock_and_wake(pool, flags, wake);
}

static void set_func(struct kpool_worker *worker, const void *func)
{
	raw_spin_lock_irq(&worker->pool->lock);
	worker->func = func;
	worker->since = jiffies;
	raw_spin_unlock_irq(&worker->pool->lock);
}

/* Make the thread what its pool wants it to be.  False: it has to end. */
bool worker_birth(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;
	int err;

	set_attributes(pool);
	if (!pool->init)
		return true;
	set_func(worker, pool->init);
	err = pool->init(pool->hook_data);
	if (WARN_ONCE(err > 0, "kpool: %s: %ps returned %d\n", pool->name,
		      pool->init, err))
		err = -EINVAL;
	if (err)
		birth_failed(worker, err);
	else
		set_func(worker, NULL);
	return !err;
}

/* The worker was told to leave, and executes no work any more. */
void worker_farewell(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;

	if (!pool->exit)
		return;
	set_func(worker, pool->exit);
	pool->exit(pool->hook_data);
	set_func(worker, NULL);
}

/* A thread that does not end is in a hook; the log says so. */
static void name_hook(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;
	struct task_struct *task = NULL;
	unsigned long since = 0;
	const void *func;

	raw_spin_lock_irq(&pool->lock);
	func = worker->func;
	if (func) {
		since = worker->since;
		task = get_task_struct(worker->task);
	}
	raw_spin_unlock_irq(&pool->lock);
	if (!task)
		return;
	pr_warn("%s: %ps still executes in %s[%d] after %u ms\n", pool->name,
		func, task->comm, task_pid_nr(task),
		jiffies_to_msecs(jiffies - since));
	sched_show_task(task);
	put_task_struct(task);
}

/* Wait until a worker that was told to leave has left our text. */
void await_exit(struct kpool_worker *worker)
{
	while (!wait_for_completion_timeout(&worker->exited,
					    KPOOL_WATCHDOG_PERIOD))
		name_hook(worker);
}
