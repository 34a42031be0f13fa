/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waits of threads that execute something of a group.
 */
#ifndef _KPOOL_DEADLOCK_H
#define _KPOOL_DEADLOCK_H

#include "internal.h"

/*
 * A wait without a time limit by a thread that executes something of a group;
 * on its stack.  It is on the list from before the sleep until after it, so
 * the thread does nothing else while others look at the record.
 */
struct kpool_wait {
	struct list_head	entry;		/* D: waits */
	struct kpool_waiter	*waiter;	/* I */
	struct kpool_work	*work;		/* I: waited for, or ... */
	struct kpool_group	*group;		/* I: ... this one to be idle */
	struct kpool_worker	*worker;	/* I: who waits, or NULL */
	struct kpool_group	*own;		/* I: of what it executes */
	struct kpool_group	*callback;	/* I: the same, in a callback */
	struct kpool_group	*slots;		/* I: it has one there and above */
	struct kpool_group	*guest;		/* I: as @own, of a call in place */
	struct kpool_group	*guest_slots;	/* I: as @slots */
	struct kpool_group	*hooking;	/* I: whose hook it calls */
	bool			room;		/* I: not idle, but @group's room */
	bool			killable;	/* I */
	bool			live;		/* D: found to be able to end */
};

int wait_begin(struct kpool_wait *wait, struct kpool_waiter *waiter,
	       struct kpool_work *work, struct kpool_group *group,
	       bool killable, bool held);
int wait_begin_room(struct kpool_wait *wait, struct kpool_waiter *waiter,
		    struct kpool_group *group, bool killable);
bool waits_hold(void);
void waits_let_go(void);
void wait_end(struct kpool_wait *wait);

#endif /* _KPOOL_DEADLOCK_H */
