// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers over pool, group and work: a call, and a call that nobody awaits.
 */
#include <linux/export.h>
#include <linux/slab.h>

#include "deadlock.h"
#include "internal.h"
#include "lockmap.h"

/* A work that calls a plain function. */
struct kpool_fn_work {
	struct kpool_work	work;
	int			(*fn)(void *data);
	void			*data;
};

static int call_fn(struct kpool_work *work)
{
	struct kpool_fn_work *call;

	call = container_of(work, struct kpool_fn_work, work);
	return call->fn(call->data);
}

/* What a work executes, to name it: the function that its user knows. */
const void *work_func(const struct kpool_work *work)
{
	if (work->fn != call_fn)
		return work->fn;
	return container_of(work, struct kpool_fn_work, work)->fn;
}

static void free_fn_work(struct kpool_work *work)
{
	kfree(container_of(work, struct kpool_fn_work, work));
}

/*
 * A call in place.  A worker of a full pool that called into another group of
 * it would keep its thread, and wait for one.  So it executes the function
 * itself, if the group's limits allow it: with a slot of that, which is busy
 * until it has returned, as if another worker ran it.  The thread belongs to
 * its work as before, and is told and signalled for that.
 *
 * Only from within a work, and not from within such a call.  To lockdep the
 * function is a work within a work; the group's map is not held, for to it a
 * group beside the caller's may be the same.
 */
static bool may_call_in_place(const struct kpool_worker *worker,
			      const struct kpool_group *group)
{
	return worker && worker->pool == group->pool && worker->work &&
	       !worker->guest && !worker->hooking;
}

static bool begin_in_place(struct kpool_worker *worker,
			   struct kpool_group *group, bool *enters)
{
	struct kpool *pool = group->pool;
	bool can;

	raw_spin_lock_irq(&pool->lock);
	can = pool->nr_threads >= pool->max_threads &&
	      !group_can_start(group) && group_has_slot(group) &&
	      !group_refuses(group);
	if (can) {
		group_get_busy(group);
		*enters = group_get_slot(group);
		worker->guest = group;
	}
	raw_spin_unlock_irq(&pool->lock);
	return can;
}

static void end_in_place(struct kpool_worker *worker,
			 struct kpool_group *group, const void *func)
{
	struct kpool *pool = group->pool;
	struct kpool_group *leaves;

	raw_spin_lock_irq(&pool->lock);
	leaves = group_put_slot(group);
	raw_spin_unlock_irq(&pool->lock);
	if (leaves)
		hooks_leave(leaves);
	raw_spin_lock_irq(&pool->lock);
	worker->guest = NULL;
	worker->func = func;
	group_put_busy(group);
	raw_spin_unlock_irq(&pool->lock);
	/* what waited for the slot */
	dispatch_more(pool);
}

/* False: to be queued, for somebody else. */
static bool call_in_place(struct kpool_group *group,
			  struct kpool_fn_work *call, int *result)
{
	struct kpool_worker *worker = current_worker();
	const void *func;
	bool enters;
	int ret;

	if (!may_call_in_place(worker, group) ||
	    !begin_in_place(worker, group, &enters))
		return false;
	func = worker->func;
	if (enters)
		hooks_enter(group);
	WRITE_ONCE(worker->func, call->fn);
	work_map_acquire(&call->work, worker->pool);
	ret = call->fn(call->data);
	work_map_release(&call->work, worker->pool);
	end_in_place(worker, group, func);
	if (result)
		*result = ret;
	return true;
}

/*
 * From a thread that executes nothing of any pool: whoever waits, he does not
 * wait for that.  Nobody else knows the work before it is queued, so the record
 * is added before, and needs no lock of its own.  It is answered, for the wait
 * is not given up.
 */
static int call_from_outside(struct kpool_group *group,
			     struct kpool_fn_work *call, int *result)
{
	struct kpool_waiter waiter;
	struct work_map map;
	int err;

	waiter_init(&waiter, group->pool, FIRST_QUEUEING);
	hlist_add_head(&waiter.node, &call->work.waiters);
	err = kpool_queue(group, &call->work);
	if (err)
		return err;
	work_map_copy(&map, &call->work);
	work_map_touch(&map);
	wait_for_completion(&waiter.done);
	if (!waiter.ran)
		return -ECANCELED;
	if (result)
		*result = waiter.result;
	return 0;
}

/* From a work, or from a function that kpool has called otherwise. */
static int call_from_inside(struct kpool_group *group,
			    struct kpool_fn_work *call, int *result)
{
	bool held = waits_hold();
	int err = kpool_queue(group, &call->work);

	if (!err)
		return work_wait(&call->work, result, MAX_SCHEDULE_TIMEOUT,
				 false, held);
	if (held)
		waits_let_go();
	return err;
}

int __kpool_call(struct kpool_group *group, int (*fn)(void *data), void *data,
		 int *result, const char *name, struct lock_class_key *key)
{
	struct kpool_fn_work call = { .fn = fn, .data = data };
	int err;

	might_sleep();
	__kpool_work_init(&call.work, call_fn, NULL, true, name, key);
	if (!current_worker() && !callback_group())
		err = call_from_outside(group, &call, result);
	else if (runs_below(group))
		err = -EDEADLK;
	else if (call_in_place(group, &call, result))
		err = 0;
	else
		err = call_from_inside(group, &call, result);
	kpool_work_destroy_onstack(&call.work);
	return err;
}
EXPORT_SYMBOL_GPL(__kpool_call);

int kpool_spawn(struct kpool_group *group, int (*fn)(void *data), void *data,
		gfp_t gfp)
{
	struct kpool_fn_work *call;
	int err;

	call = kmalloc(sizeof(*call), gfp);
	if (!call)
		return -ENOMEM;
	__kpool_work_init(&call->work, call_fn, free_fn_work, false,
			  "(kpool) spawned", unchecked_key());
	call->fn = fn;
	call->data = data;
	err = kpool_queue(group, &call->work);
	if (err)
		kfree(call);
	return err;
}
EXPORT_SYMBOL_GPL(kpool_spawn);
