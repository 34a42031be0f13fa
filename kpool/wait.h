/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Those who wait, for a work, a group, or room: records on their own stacks.
 */
#ifndef _KPOOL_WAIT_H
#define _KPOOL_WAIT_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/types.h>

struct kpool;
struct kpool_work;
struct task_struct;

/*
 * Somebody who waits for a work or for a group, on its own stack.  Whoever
 * ends the wait copies the answer in and completes @done under pool->lock,
 * and touches the record no more; see await().
 */
struct kpool_waiter {
	struct hlist_node	node;		/* L: of work or group */
	struct completion	done;		/* A */
	struct kpool		*pool;		/* L; see work_move() */
	struct task_struct	*task;		/* I: who waits */
	unsigned long		since;		/* I: jiffies */
	u32			seq;		/* I: queueing it waits for */
	int			result;		/* L until done */
	bool			ran;		/* L until done */
	bool			starts;		/* I: part of a kpool_start() */
};

void waiter_init(struct kpool_waiter *waiter, struct kpool *pool, u32 seq);
void waiters_complete(struct hlist_head *waiters, int result, bool ran);
int await(struct kpool_waiter *waiter, unsigned long timeout, bool killable);
bool waiter_withdraw(struct kpool_waiter *waiter);
int work_wait(struct kpool_work *work, int *result, unsigned long timeout,
	      bool killable, bool held);

#endif /* _KPOOL_WAIT_H */
