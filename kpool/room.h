/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who waits for room in a group.
 */
#ifndef _KPOOL_ROOM_H
#define _KPOOL_ROOM_H

#include "pool.h"

void room_wake(struct kpool *pool, bool start);
void room_refuse(struct kpool_group *group);

/*
 * One more work may wait than before; or, with @start, one may start at once
 * that could not.  Who waits for that is woken.  Called under the lock.
 */
static inline void room_made(struct kpool *pool, bool start)
{
	if (unlikely(!list_empty(&pool->room)))
		room_wake(pool, start);
}

#endif /* _KPOOL_ROOM_H */
