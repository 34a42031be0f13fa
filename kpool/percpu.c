// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools with KPOOL_PER_CPU: one for each CPU, behind one.
 *
 * What the client has is a handle: a pool without threads, and groups that no
 * work is ever bound to.  Behind it is one ordinary pool for each possible CPU,
 * its inner pools, and behind each group of it one of each of these: its parts,
 * ->on_cpu[].  The parent of a part is the part of the parent.  So all below
 * queueing and above a single group is as it is in any pool.
 *
 * A part has the state that the others have: it changes under the lock of the
 * handle, for all of them in one hold.  That lock is taken before those of the
 * inner pools, and is what allows to hold two of them.  Queueing and running
 * works do not take it.
 *
 * The mutex of the handle keeps the parts of a group that comes or goes, and
 * changes of limits, from each other.  It is taken before those of the inner
 * pools, and is held while memory is allocated: no stop takes it.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "fault.h"
#include "internal.h"

/* The part after that of *@cpu, -1 for the first, or NULL. */
struct kpool_group *next_part(struct kpool_group *group, int *cpu)
{
	if (likely(!group->on_cpu))
		return (*cpu)++ < 0 ? group : NULL;
	*cpu = cpumask_next(*cpu, cpu_possible_mask);
	return *cpu < nr_cpu_ids ? group->on_cpu[*cpu] : NULL;
}

/* The part whose state changes last.  It alone has the group's cancel(). */
struct kpool_group *last_part(struct kpool_group *group)
{
	return group->on_cpu ? group->on_cpu[cpumask_last(cpu_possible_mask)] :
			       group;
}

static int change_part(struct kpool_group *part,
		       int (*check)(const struct kpool_group *part),
		       struct task_struct *(*change)(struct kpool_group *part))
{
	struct task_struct *wake = NULL;
	struct kpool *pool = part->pool;
	unsigned long flags;
	int err;

	raw_spin_lock_irqsave(&pool->lock, flags);
	err = check ? check(part) : 0;
	if (!err && change)
		wake = change(part);
	unlock_and_wake(pool, flags, wake);
	return err;
}

/*
 * Change all parts of a group, each under its lock, if a check of each of them
 * returns 0; else return what it does.  Nobody sees some changed and changes
 * others.  Any context; takes as long as there are CPUs.
 */
int change_parts(struct kpool_group *group,
		 int (*check)(const struct kpool_group *part),
		 struct task_struct *(*change)(struct kpool_group *part))
{
	struct kpool_group *part;
	unsigned long flags;
	int cpu, err = 0;

	if (likely(!group->on_cpu))
		return change_part(group, check, change);
	raw_spin_lock_irqsave(&group->pool->lock, flags);
	for_each_part(group, part, cpu) {
		err = change_part(part, check, NULL);
		if (err)
			break;
	}
	if (!err && change)
		for_each_part(group, part, cpu)
			change_part(part, NULL, change);
	raw_spin_unlock_irqrestore(&group->pool->lock, flags);
	return err;
}

/* The part that a work is bound to, or NULL. */
static struct kpool_group *bound_part(struct kpool_group *group,
				      struct kpool_work *work)
{
	struct kpool_group *bound;

	rcu_read_lock();
	/* pairs with the smp_store_release() in work_unbind() */
	bound = smp_load_acquire(&work->group);
	if (bound && bound->handle != group)
		bound = NULL;
	rcu_read_unlock();
	/* it is there as long as the group */
	return bound;
}

/*
 * That of this CPU.  If it goes offline it does not matter which: works are
 * brought away from there, also those that come late.
 */
static struct kpool_group *local_part(struct kpool_group *group)
{
	int here = raw_smp_processor_id(), cpu;

	if (likely(!READ_ONCE(group->on_cpu[here]->pool->offline)))
		return group->on_cpu[here];
	for_each_cpu_wrap(cpu, cpu_possible_mask, here)
		if (!READ_ONCE(group->on_cpu[cpu]->pool->offline))
			break;
	return cpu < nr_cpu_ids ? group->on_cpu[cpu] : group->on_cpu[here];
}

/*
 * The part to queue a work to: the one that it is bound to, for it must not run
 * twice at once; or that of this CPU.
 */
struct kpool_group *part_for(struct kpool_group *group, struct kpool_work *work)
{
	if (likely(!group->on_cpu))
		return group;
	/* if that changes meanwhile, it is the wrong part: part_was_wrong() */
	if (likely(!READ_ONCE(work->group)))
		return local_part(group);
	return bound_part(group, work) ?: local_part(group);
}

/* Was it refused since it was bound to another part by then?  Then once more. */
bool part_was_wrong(struct kpool_group *group, struct kpool_work *work, int err)
{
	return err == -EBUSY && group->on_cpu && bound_part(group, work);
}

/* Queue to the right part of any group. */
int percpu_queue(struct kpool_group *group, struct kpool_work *work,
		 unsigned int flags)
{
	int err;

	do {
		err = queue_part(part_for(group, work), work, flags);
	} while (part_was_wrong(group, work, err));
	return err;
}

int kpool_queue_on(int cpu, struct kpool_group *group, struct kpool_work *work)
{
	if (!group->on_cpu || cpu < 0 || cpu >= nr_cpu_ids ||
	    !cpu_possible(cpu))
		return -EINVAL;
	return queue_part(group->on_cpu[cpu], work, QUEUE_ONLINE);
}
EXPORT_SYMBOL_GPL(kpool_queue_on);

int percpu_check(const char *name, const struct kpool_params *p)
{
	if (!(p->flags & KPOOL_PER_CPU))
		return 0;
	if (strlen(name) > KPOOL_PER_CPU_NAME_MAX) {
		pr_err("%s: the name of a pool per CPU has at most %d characters\n",
		       name, KPOOL_PER_CPU_NAME_MAX);
		return -EINVAL;
	}
	if (p->cpumask || p->flags & KPOOL_ON_NODE) {
		pr_err("%s: a pool per CPU with a cpumask or node\n", name);
		return -EINVAL;
	}
	return 0;
}

static struct kpool_group **alloc_parts(void)
{
	if (fault_create())
		return NULL;
	return kcalloc(nr_cpu_ids, sizeof(struct kpool_group *), GFP_KERNEL);
}

/* The pools of the CPUs, without threads. */
static int alloc_inner(struct kpool *handle, const struct kpool_params *params,
		       const char *lock_name, struct lock_class_key *key)
{
	struct kpool_params inner = *params;
	char name[KPOOL_NAME_MAX + 1];
	struct kpool *pool;
	int cpu;

	inner.flags &= ~KPOOL_PER_CPU;
	for_each_possible_cpu(cpu) {
		snprintf(name, sizeof(name), "%.*s:%hu",
			 KPOOL_PER_CPU_NAME_MAX, handle->name,
			 (unsigned short)cpu);
		inner.cpumask = cpumask_of(cpu);
		pool = pool_alloc(name, &inner, lock_name, key);
		if (IS_ERR(pool))
			return PTR_ERR(pool);
		pool->cpu = cpu;
		pool->root->handle = handle->root;
		handle->root->on_cpu[cpu] = pool->root;
	}
	return 0;
}

/* Free the handle and those inner pools that there are. */
static void put_all(struct kpool *handle)
{
	struct kpool_group *part;
	int cpu;

	for_each_possible_cpu(cpu) {
		part = handle->root->on_cpu[cpu];
		if (part)
			kpool_put(part->pool);
	}
	kpool_put(handle);
}

static struct kpool *alloc_handle(const char *name,
				  const struct kpool_params *params,
				  const char *lock_name,
				  struct lock_class_key *key)
{
	static struct lock_class_key handle_lock_key, handle_mutex_key;
	struct kpool *handle = pool_alloc(name, params, lock_name, key);
	int err;

	if (IS_ERR(handle))
		return handle;
	lockdep_set_class(&handle->lock, &handle_lock_key);
	lockdep_set_class(&handle->mutex, &handle_mutex_key);
	handle->root->on_cpu = alloc_parts();
	if (!handle->root->on_cpu) {
		kpool_put(handle);
		return ERR_PTR(-ENOMEM);
	}
	err = alloc_inner(handle, params, lock_name, key);
	if (err) {
		put_all(handle);
		return ERR_PTR(err);
	}
	return handle;
}

/* End the inner pools of all CPUs before @end. */
static void end_inner(struct kpool *handle, int end)
{
	struct kpool_group *part;
	int cpu;

	for_each_part(handle->root, part, cpu) {
		if (cpu >= end)
			break;
		pool_end(part->pool);
	}
}

static int begin_inner(struct kpool *handle)
{
	struct kpool_group *part;
	int err, cpu;

	for_each_part(handle->root, part, cpu) {
		err = pool_begin(part->pool);
		if (err) {
			end_inner(handle, cpu);
			return err;
		}
	}
	return 0;
}

/* The name of the handle is taken; each inner pool takes its own. */
struct kpool *percpu_create(const char *name, const struct kpool_params *params,
			    const char *lock_name, struct lock_class_key *key)
{
	struct kpool *handle = alloc_handle(name, params, lock_name, key);
	int err;

	if (IS_ERR(handle))
		return handle;
	err = pool_register(handle);
	if (err)
		goto err_put;
	/* from here on CPUs come and go, also before there are threads */
	hotplug_add(handle);
	err = begin_inner(handle);
	if (err)
		goto err_del;
	return handle;

err_del:
	hotplug_del(handle);
	pool_unregister(handle);
err_put:
	put_all(handle);
	return ERR_PTR(err);
}

/* All is stopped.  The caller puts the handle. */
void percpu_destroy(struct kpool *handle)
{
	struct kpool_group *part;
	int cpu;

	hotplug_del(handle);
	end_inner(handle, nr_cpu_ids);
	pool_unregister(handle);
	for_each_part(handle->root, part, cpu)
		kpool_put(part->pool);
}

/* A group's parts, as many as can be made. */
static int create_parts(struct kpool_group *group,
			const struct kpool_group_params *params,
			const char *lock_name, struct lock_class_key *key)
{
	struct kpool_group_params one = { };
	struct kpool_group *part;
	int cpu, last = cpumask_last(cpu_possible_mask);

	if (params)
		one = *params;
	for_each_possible_cpu(cpu) {
		/* once for all: when every part is closed */
		one.cancel = params && cpu == last ? params->cancel : NULL;
		part = group_create_one(group->parent->on_cpu[cpu], group,
					group->name, &one, lock_name, key);
		if (IS_ERR(part))
			return PTR_ERR(part);
		group->on_cpu[cpu] = part;
	}
	return 0;
}

/* The group is in nobody's hands, or its parts have gone. */
static void free_group(struct kpool_group *group)
{
	kfree(group->on_cpu);
	kfree(group);
}

struct kpool_group *
percpu_group_create(struct kpool_group *parent, const char *name,
		    const struct kpool_group_params *params,
		    const char *lock_name, struct lock_class_key *key)
{
	struct kpool *handle = parent->pool;
	struct kpool_group *group;
	int err = -ENOMEM, cpu;

	group = group_alloc(handle, parent, name, params, lock_name, key);
	if (IS_ERR(group))
		return group;
	group->on_cpu = alloc_parts();
	if (group->on_cpu) {
		mutex_lock(&handle->mutex);
		err = create_parts(group, params, lock_name, key);
		if (err)
			for_each_possible_cpu(cpu)
				if (group->on_cpu[cpu])
					group_discard(group->on_cpu[cpu]);
		mutex_unlock(&handle->mutex);
	}
	if (err) {
		free_group(group);
		return ERR_PTR(err);
	}
	kpool_get(handle);
	return group;
}

/*
 * Stop a group without groups below it, and free it.  Who can still hold it:
 * a reader that found a part in work->group compares the pointer only.
 */
int percpu_group_remove(struct kpool_group *group)
{
	struct kpool *handle = group->pool;
	struct kpool_group *part;
	int cpu, err;

	err = stop_for_ever(group);
	if (err)
		return err;
	mutex_lock(&handle->mutex);
	for_each_part(group, part, cpu)
		group_remove(part);
	mutex_unlock(&handle->mutex);
	free_group(group);
	kpool_put(handle);
	return 0;
}
