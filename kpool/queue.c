// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which work starts next: pending works, limits, and turns between groups.
 *
 * A group with pending works is in exactly one place: on pool->ready, or on
 * ->blocked of the nearest group at or above it that runs max_active works.
 * In none once it is stopped: its works are to be settled, not started.
 * Ready groups take turns, one work each.  Everything here is under the lock.
 *
 * Invariant: after each operation either no ready group can start a work, or
 * no worker is idle; and in the latter case, if a thread may be created, the
 * spawner is awake.
 */
#include <linux/lockdep.h>

#include "internal.h"

/* May one more work wait in this group? */
bool group_has_room(const struct kpool_group *group)
{
	for (; group; group = group->parent)
		if (group->max_queued && group->nr_pending >= group->max_queued)
			return false;
	return true;
}

static bool group_is_full(const struct kpool_group *group)
{
	return group->max_active && group->nr_running >= group->max_active;
}

/* The nearest group, from this one up, that has no slot left; or NULL. */
static struct kpool_group *group_blocker(struct kpool_group *group)
{
	for (; group; group = group->parent)
		if (group_is_full(group))
			return group;
	return NULL;
}

/* Would a work that is queued now start at once? */
bool group_can_start(struct kpool_group *group)
{
	return group->pool->nr_idle && !group_blocker(group);
}

/* Put a group where its pending works and the limits want it. */
static void group_place(struct kpool_group *group)
{
	struct kpool_group *blocker;

	if (list_empty(&group->pending)) {
		list_del_init(&group->place);
		return;
	}
	blocker = group_blocker(group);
	list_move_tail(&group->place,
		       blocker ? &blocker->blocked : &group->pool->ready);
}

/* A slot of this group came free: let the first that waits for one go on. */
static void group_unblock(struct kpool_group *group)
{
	if (!list_empty(&group->blocked) && !group_is_full(group))
		group_place(list_first_entry(&group->blocked,
					     struct kpool_group, place));
}

void group_count_pending(struct kpool_group *group, int by)
{
	for (; group; group = group->parent)
		group->nr_pending += by;
}

/* Append a work that is counted already. */
void group_add_pending(struct kpool_group *group, struct kpool_work *work)
{
	lockdep_assert_held(&group->pool->lock);
	list_add_tail(&work->entry, &group->pending);
	if (list_empty(&group->place))
		group_place(group);
}

/* Take a work away, to start it or to cancel it. */
void group_del_pending(struct kpool_group *group, struct kpool_work *work)
{
	lockdep_assert_held(&group->pool->lock);
	list_del_init(&work->entry);
	group_count_pending(group, -1);
	if (list_empty(&group->pending))
		list_del_init(&group->place);
	room_made(group->pool, false);
}

static void group_get_slot(struct kpool_group *group)
{
	for (; group; group = group->parent)
		group->nr_running++;
}

void group_put_slot(struct kpool_group *group)
{
	for (; group; group = group->parent) {
		group->nr_running--;
		group_unblock(group);
	}
}

/* The group whose turn it is, among those that can start a work; or NULL. */
struct kpool_group *ready_group(struct kpool *pool)
{
	struct kpool_group *group;

	lockdep_assert_held(&pool->lock);
	if (group_is_stopped(pool->root))
		return NULL;
	while (!list_empty(&pool->ready)) {
		group = list_first_entry(&pool->ready, struct kpool_group,
					 place);
		if (!group_blocker(group))
			return group;
		group_place(group);
	}
	return NULL;
}

/* Take the next work of that group; it has a slot from here on. */
struct kpool_work *take_ready(struct kpool_group *group)
{
	struct kpool_work *work;

	work = list_first_entry(&group->pending, struct kpool_work, entry);
	group_get_slot(group);
	group_del_pending(group, work);
	if (!list_empty(&group->pending))
		group_place(group);
	return work;
}
