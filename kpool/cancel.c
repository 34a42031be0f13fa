// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cancelling one work: a pending one is taken away, a running one is told.
 */
#include <linux/export.h>

#include <trace/events/kpool.h>

#include "histogram.h"
#include "deadlock.h"
#include "internal.h"
#include "lockmap.h"

struct cancel {
	enum kpool_cancel was;
	bool sync;
	bool self;
	bool awaits;			/* the record below is in use */
	struct kpool_worker *tell;	/* marked, for us to signal */
	struct kpool_waiter waiter;
};

/*
 * Tell a running work.  If its worker is to be signalled, we do that after the
 * lock is dropped if we may sleep, and the stopper does if we may not.
 */
static struct task_struct *cancel_running(struct kpool_work *work,
					  struct cancel *cancel)
{
	struct kpool_worker *worker = work->worker;
	struct kpool *pool = worker->pool;

	trace_kpool_work_tell(work->group, work);
	if (hist_on())
		hist_tell(worker);
	WRITE_ONCE(work->flags, work->flags | WORK_TOLD);
	if (worker->tell != TELL_OPEN)
		return NULL;
	if (cancel->sync) {
		worker_move(worker, &worker->group->told);
		worker_set_tell(worker, TELL_SENDING);
		cancel->tell = worker;
		return NULL;
	}
	worker_move(worker, &pool->to_tell);
	return service_wake(&pool->stopper);
}

/* Get ready to wait for the end of what cannot be taken away now. */
static void cancel_await(struct kpool_work *work, struct cancel *cancel)
{
	if (!cancel->sync || cancel->self)
		return;
	cancel->awaits = true;
	waiter_init(&cancel->waiter, work->group->pool, work->seq);
	hlist_add_head(&cancel->waiter.node, &work->waiters);
}

/* Its memory goes before it was given back; the owner has been told off. */
static void work_forget(struct kpool_work *work)
{
	struct kpool_group *group = work->group;

	list_del_init(&work->entry);
	work_unbind(work);
	group_put_busy(group);
}

static struct task_struct *cancel_locked(struct kpool_work *work, void *arg)
{
	struct cancel *cancel = arg;

	switch (work->state) {
	case WORK_PENDING:
		cancel->was = KPOOL_CANCEL_PENDING;
		work_settle(work);
		break;
	case WORK_RUNNING:
	case WORK_REQUEUED:
		cancel->was = KPOOL_CANCEL_RUNNING;
		cancel->self = kpool_current() == work;
		cancel_await(work, cancel);
		return cancel_running(work, cancel);
	case WORK_DELAYED:
		cancel->was = KPOOL_CANCEL_PENDING;
		if (delayed_disarm(work))
			work_settle(work);
		else
			cancel_await(work, cancel);
		break;
	case WORK_RELEASING:
		cancel->was = KPOOL_CANCEL_PENDING;
		if (!work->release)	/* work_take_away() */
			work_forget(work);
		break;
	}
	return NULL;
}

enum kpool_cancel kpool_work_cancel(struct kpool_work *work)
{
	struct cancel cancel = { .was = KPOOL_CANCEL_IDLE };

	with_work_locked(work, cancel_locked, &cancel);
	return cancel.was;
}
EXPORT_SYMBOL_GPL(kpool_work_cancel);

int kpool_work_cancel_sync(struct kpool_work *work)
{
	struct cancel cancel = { .was = KPOOL_CANCEL_IDLE, .sync = true };
	struct kpool_wait wait;
	struct work_map map;

	might_sleep();
	work_map_copy(&map, work);
	with_work_locked(work, cancel_locked, &cancel);
	/* a worker that is marked stays, and its pool with it */
	if (cancel.tell)
		deliver_tells(cancel.tell->pool, &cancel.tell, 1);
	if (cancel.self)
		return -EDEADLK;
	if (cancel.awaits &&
	    wait_begin(&wait, &cancel.waiter, work, NULL, false, false))
		return -EDEADLK;
	work_map_touch(&map);
	if (cancel.awaits) {
		await(&cancel.waiter, MAX_SCHEDULE_TIMEOUT, false);
		wait_end(&wait);
	}
	return cancel.was;
}
EXPORT_SYMBOL_GPL(kpool_work_cancel_sync);
