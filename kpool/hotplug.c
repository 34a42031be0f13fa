// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that come and go, for pools with KPOOL_PER_CPU.
 *
 * The callbacks wait for no thread and no work.  When a CPU goes, its pool is
 * offline: idle threads are let go, and the spawner joins them.  Works that
 * could start are brought to the pool of another CPU, in their order.  Busy
 * threads leave when their run is over, also if the CPU is back by then: the
 * scheduler has taken them off it, and they are bound to it no more.  Their
 * numbers are below first_bound.
 *
 * What comes to an offline pool late, from a run that ends, a timer, or one who
 * did not see that it is offline, is found by dispatch(), as anything that
 * lacks a thread; and the spawner brings it away.  So a work may be queued
 * there, at worst for nothing.  One that may not start, since its group is full
 * or within a hook, stays until it may: so ordered works remain in order.
 *
 * A part has the state that the others have while the handle's lock is held; so
 * no work is moved to a part that has been stopped, and settled, already.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>

#include "internal.h"

/* Guards the list.  Taken within the lock of CPU hotplug. */
static DEFINE_MUTEX(handles_mutex);
static LIST_HEAD(handles);
static enum cpuhp_state hotplug_state;

static struct kpool *handle_of(const struct kpool *pool)
{
	return pool->root->handle->pool;
}

/* The pool of the next CPU that is online, or NULL. */
static struct kpool *online_pool(struct kpool *from)
{
	struct kpool_group *root = from->root->handle;
	int cpu;

	lockdep_assert_held(&root->pool->lock);
	for_each_cpu_wrap(cpu, cpu_possible_mask, from->cpu)
		if (!root->on_cpu[cpu]->pool->offline)
			return root->on_cpu[cpu]->pool;
	return NULL;
}

/* Move a batch of works; both locks are held.  Returns how many. */
static int move_works(struct kpool *from, struct kpool *to,
		      struct task_struct **wake)
{
	struct kpool_group *group;
	struct kpool_work *work;
	int n;

	for (n = 0; n < KPOOL_BATCH && from->offline; n++) {
		work = take_next(from, UINT_MAX);
		if (!work)
			break;
		group = work->group;
		work_move(work, group->handle->on_cpu[to->cpu]);
		wake[n] = dispatch(to);
	}
	return n;
}

static int move_batch(struct kpool *from)
{
	struct task_struct *wake[KPOOL_BATCH];
	struct kpool *handle = handle_of(from);
	unsigned long flags;
	struct kpool *to;
	int i, n = 0;

	rcu_read_lock();
	raw_spin_lock_irqsave(&handle->lock, flags);
	to = online_pool(from);
	if (to && to != from) {
		raw_spin_lock(&from->lock);
		/* in any order, for nobody else holds two of them now */
		raw_spin_lock_nested(&to->lock, SINGLE_DEPTH_NESTING);
		n = move_works(from, to, wake);
		raw_spin_unlock(&to->lock);
		raw_spin_unlock(&from->lock);
	}
	raw_spin_unlock_irqrestore(&handle->lock, flags);
	for (i = 0; i < n; i++)
		if (wake[i])
			wake_up_process(wake[i]);
	rcu_read_unlock();
	return n;
}

/* Bring all works that could start away from a pool that is offline. */
bool rehome_works(struct kpool *pool)
{
	bool any = false;
	int n;

	do {
		n = move_batch(pool);
		any |= n;
		cond_resched();
	} while (n == KPOOL_BATCH);
	return any;
}

/*
 * The spawner looks whether it has threads to make, the stopper whom to tell;
 * either looks under the lock before it sleeps.
 */
static void set_offline(struct kpool *pool, bool offline)
{
	struct kpool *handle = handle_of(pool);
	struct kpool_service *service;
	struct task_struct *wake;
	unsigned long flags;

	rcu_read_lock();
	raw_spin_lock_irqsave(&handle->lock, flags);
	raw_spin_lock(&pool->lock);
	WRITE_ONCE(pool->offline, offline);
	pool->hurdles -= !!pool->first_bound;
	pool->first_bound = offline ? UINT_MAX : pool->next_id;
	pool->hurdles += !!pool->first_bound;
	pool->tell_offline |= offline;
	service = offline ? &pool->stopper : &pool->spawner;
	wake = service_wake(service);
	raw_spin_unlock(&pool->lock);
	raw_spin_unlock_irqrestore(&handle->lock, flags);
	if (wake)
		wake_up_process(wake);
	rcu_read_unlock();
}

static int cpu_comes(unsigned int cpu)
{
	struct kpool *handle;

	mutex_lock(&handles_mutex);
	list_for_each_entry(handle, &handles, handle_entry)
		set_offline(handle->root->on_cpu[cpu]->pool, false);
	mutex_unlock(&handles_mutex);
	return 0;
}

static int cpu_goes(unsigned int cpu)
{
	struct kpool *handle, *pool;

	mutex_lock(&handles_mutex);
	list_for_each_entry(handle, &handles, handle_entry) {
		pool = handle->root->on_cpu[cpu]->pool;
		set_offline(pool, true);
		dismiss_offline(pool);
		/* whom to tell, for one may have started on an idle thread */
		set_offline(pool, true);
		rehome_works(pool);
	}
	mutex_unlock(&handles_mutex);
	return 0;
}

/* The pools learn which CPUs are online, and are told what changes. */
void hotplug_add(struct kpool *handle)
{
	struct kpool_group *part;
	int cpu;

	cpus_read_lock();
	for_each_part(handle->root, part, cpu)
		if (!cpu_online(cpu))
			set_offline(part->pool, true);
	mutex_lock(&handles_mutex);
	list_add_tail(&handle->handle_entry, &handles);
	mutex_unlock(&handles_mutex);
	cpus_read_unlock();
}

/* On return no callback knows the pool. */
void hotplug_del(struct kpool *handle)
{
	mutex_lock(&handles_mutex);
	list_del_init(&handle->handle_entry);
	mutex_unlock(&handles_mutex);
}

int kpool_hotplug_init(void)
{
	int state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN,
					      "kpool:online", cpu_comes,
					      cpu_goes);

	if (state < 0)
		return state;
	hotplug_state = state;
	return 0;
}

void kpool_hotplug_exit(void)
{
	cpuhp_remove_state_nocalls(hotplug_state);
}
