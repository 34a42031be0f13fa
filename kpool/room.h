/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Those who wait for room in a group: who is woken when.  All of this takes as
 * long as the tree is deep, and costs one look at a count if nobody waits.
 */
#ifndef _KPOOL_ROOM_H
#define _KPOOL_ROOM_H

#include "group.h"
#include "pool.h"

void room_wake(struct kpool_group *group);
void room_wake_starter(struct kpool *pool);
bool room_may_start(struct kpool_group *group);
void room_run_ended(struct kpool_work *work);
void room_refuse(struct kpool_group *group);

/* In this group and above one more may wait than before.  Under the lock. */
static inline void room_made(struct kpool_group *group)
{
	if (unlikely(group->pool->nr_room))
		room_wake(group);
}

/* A thread became idle, or what is idle may do for more.  Under the lock. */
static inline void room_start(struct kpool *pool)
{
	if (unlikely(pool->nr_room))
		room_wake_starter(pool);
}

#endif /* _KPOOL_ROOM_H */
