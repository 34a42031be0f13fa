// SPDX-License-Identifier: GPL-2.0-only
/*
 * Telling a worker to stop.
 *
 * send_sig() takes a sleeping lock on PREEMPT_RT, so nobody signals under
 * pool->lock.  The teller marks the worker TELL_SENDING under the lock, drops
 * it, signals, takes it again and marks TELL_SENT.  As long as it is
 * TELL_SENDING the worker does not go on to another work, nor end: so the
 * signal meets the work it was meant for, and the task is alive.
 *
 *	        birth, end of run       teller           teller
 *	   SHUT ---------------> OPEN ----------> SENDING -----> SENT
 *	    ^ ^                   |                               |
 *	    | +-------------------+ kpool_stop_ack()              |
 *	    +-----------------------------------------------------+
 *	             kpool_stop_ack(), end of the run: flushed
 */
#include <linux/export.h>
#include <linux/freezer.h>
#include <linux/lockdep.h>
#include <linux/sched/signal.h>

#include "internal.h"

void worker_set_tell(struct kpool_worker *worker, enum tell_state tell)
{
	lockdep_assert_held(&worker->pool->lock);
	WARN_ON_ONCE(tell == TELL_SENDING && worker->tell != TELL_OPEN);
	WARN_ON_ONCE(tell == TELL_SENT && worker->tell != TELL_SENDING);
	worker->tell = tell;
}

/*
 * From here on nobody signals this worker, and no signal is left from before.
 * Drops the lock if somebody is about to signal it, or has.
 *
 * The sleep closes the race with the teller: it looks at tell_waits under the
 * lock when it has signalled.  TASK_IDLE, for the signal itself must not end
 * the sleep.
 */
void worker_shut_tell(struct kpool_worker *worker)
	__must_hold(&worker->pool->lock)
{
	struct kpool *pool = worker->pool;
	bool sent;

	while (worker->tell == TELL_SENDING) {
		worker->tell_waits = true;
		set_current_state(TASK_IDLE | TASK_FREEZABLE);
		raw_spin_unlock_irq(&pool->lock);
		schedule();
		raw_spin_lock_irq(&pool->lock);
	}
	worker->tell_waits = false;
	sent = worker->tell == TELL_SENT;
	worker_set_tell(worker, TELL_SHUT);
	if (sent) {
		raw_spin_unlock_irq(&pool->lock);
		flush_signals(current);
		raw_spin_lock_irq(&pool->lock);
	}
}

void kpool_stop_ack(void)
{
	struct kpool_worker *worker = current_worker();

	if (!worker || !worker->work)
		return;
	might_sleep();
	raw_spin_lock_irq(&worker->pool->lock);
	worker_shut_tell(worker);
	raw_spin_unlock_irq(&worker->pool->lock);
}
EXPORT_SYMBOL_GPL(kpool_stop_ack);
