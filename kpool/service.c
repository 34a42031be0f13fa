// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pool's service threads: how they start, sleep, are woken, and end.
 */
#include <linux/err.h>
#include <linux/kthread.h>

#include "fault.h"
#include "internal.h"

/*
 * Why a thread could not be created: the creator was killed, or there is no
 * room for one more, in whichever way (-EAGAIN has another meaning here).
 */
int thread_error(struct task_struct *task)
{
	return PTR_ERR(task) == -EINTR ? -EINTR : -ENOMEM;
}

int service_start(struct kpool *pool, struct kpool_service *service,
		  int (*fn)(void *pool), const char *what)
{
	struct task_struct *task;

	init_completion(&service->exited);
	if (fault_create())
		return -ENOMEM;
	task = kthread_create(fn, pool, "kpool/%s/%s", pool->name, what);
	if (IS_ERR(task))
		return thread_error(task);
	service->task = task;
	wake_up_process(task);
	return 0;
}

/*
 * There is something to do.  Returns the thread if it has to be woken once
 * the lock is dropped.  It looks for work under the lock before it sleeps, so
 * one that is not asleep will see this by itself.
 */
struct task_struct *service_wake(struct kpool_service *service)
{
	if (!service->asleep)
		return NULL;
	service->asleep = false;
	return service->task;
}

/*
 * Sleep until woken by service_wake() or @timeout is over.
 *
 * The state is set before the lock is dropped: who changes what the thread
 * looked at finds it asleep, and its wake-up ends the schedule_timeout() even
 * if it comes first.
 */
void service_sleep(struct kpool *pool, struct kpool_service *service,
		   long timeout)
	__must_hold(&pool->lock)
{
	service->asleep = true;
	set_current_state(TASK_IDLE);
	raw_spin_unlock_irq(&pool->lock);
	schedule_timeout(timeout);
	raw_spin_lock_irq(&pool->lock);
	service->asleep = false;
}

/*
 * Sleep until @timeout is over, whatever there is to do; only service_stop()
 * ends it early.
 */
void service_pause(struct kpool *pool, struct kpool_service *service,
		   long timeout)
	__must_hold(&pool->lock)
{
	if (service->leave)
		return;
	set_current_state(TASK_IDLE);
	raw_spin_unlock_irq(&pool->lock);
	schedule_timeout(timeout);
	raw_spin_lock_irq(&pool->lock);
}

/* End a service thread and wait until it has left the module's text. */
void service_stop(struct kpool *pool, struct kpool_service *service)
{
	unsigned long flags;

	if (!service->task)
		return;
	raw_spin_lock_irqsave(&pool->lock, flags);
	service->leave = true;
	unlock_and_wake(pool, flags, service->task);
	wait_for_completion(&service->exited);
	service->task = NULL;
}
