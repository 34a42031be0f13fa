// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers over pool, group and work: a call, and a call that nobody awaits.
 */
#include <linux/export.h>
#include <linux/slab.h>

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

int __kpool_call(struct kpool_group *group, int (*fn)(void *data), void *data,
		 int *result, const char *name, struct lock_class_key *key)
{
	struct kpool_fn_work call = { .fn = fn, .data = data };
	bool held;
	int err;

	might_sleep();
	if (runs_below(group))
		return -EDEADLK;
	__kpool_work_init(&call.work, call_fn, NULL, true, name, key);
	held = waits_hold();
	err = kpool_queue(group, &call.work);
	if (!err)
		err = work_wait(&call.work, result, MAX_SCHEDULE_TIMEOUT, false,
				held);
	else if (held)
		waits_let_go();
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
