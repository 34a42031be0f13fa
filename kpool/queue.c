// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which work starts next: pending works, limits, reserves, and turns.
 *
 * Each group has a list of turns: who below it has something to start.  On it
 * are its own pending works, as one entry, and those of its children that may
 * start a work and have a turn to give themselves.  A group that must not
 * start any, for it is stopped, full or within a hook, is off its parent's
 * list, and all that is below it with it.  So whoever looks for a work goes
 * down from the root, takes the first entry of each level, and moves it to
 * the end: as many steps as the tree is deep, however many groups there are.
 * What keeps works out at one level is kept in group->gates, so that who queues
 * need only look at that, all the way up.
 *
 * Reserves.  A group holds back the threads that it has reserved and does not
 * use.  When no more threads are free than are held back, a work may start
 * only if that makes a group hold back one less: the work is covered.  Each
 * group has a second list for that, of the children below which there is a
 * covered work to start.
 *
 * Invariant, after each operation: there is no work that could start now on
 * an idle worker; and if there is one for which a thread may be created, the
 * spawner is awake.  Everything here is under the lock, and takes as long as
 * the tree is deep.
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

/* What keeps works out of this one level. */
static unsigned int gates_of(const struct kpool_group *group)
{
	unsigned int gates = 0;

	if (group->state != GROUP_OPEN)
		gates |= GATE_CLOSED;
	if (group->state > GROUP_CLOSED || hooks_in_progress(group) ||
	    (group->max_active && group->nr_running >= group->max_active))
		gates |= GATE_SHUT;
	return gates;
}

/* Would one more work of this group take a thread out of its own reserve? */
static bool group_covers(const struct kpool_group *group)
{
	return group->reserve > group->nr_running + group->held_below;
}

/* The same, of any that is above it, too. */
bool group_covered(const struct kpool_group *group)
{
	for (; group; group = group->parent)
		if (group_covers(group))
			return true;
	return false;
}

/* Might a thread that is busy execute a work of this group in between? */
bool group_has_slot(const struct kpool_group *group)
{
	return list_empty(&group->pending) &&
	       !(group_gates(group) & GATE_SHUT);
}

static bool set_turn(struct kpool_group *group, enum turns which, bool want)
{
	struct list_head *turn = &group->turn[which];

	if (want != list_empty(turn))
		return false;
	if (want)
		list_add_tail(turn, &group->parent->turns[which]);
	else
		list_del_init(turn);
	return true;
}

/*
 * Something that decides about the turns of a group may have changed.  Returns
 * whether that may matter to its parent.
 */
static bool group_update(struct kpool_group *group)
{
	struct kpool_group *parent = group->parent;
	unsigned int held = group->held_below;
	bool may, changed;

	group->gates = gates_of(group);
	may = !(group->gates & GATE_SHUT);
	if (group_covers(group))
		held = group->reserve - group->nr_running;
	changed = held != group->held;
	if (parent) {
		bool any = !list_empty(&group->turns[TURN_ANY]);
		bool covered = !list_empty(&group->turns[TURN_COVERED]) ||
			       (any && group_covers(group));

		parent->held_below += held - group->held;
		changed |= set_turn(group, TURN_ANY, may && any);
		changed |= set_turn(group, TURN_COVERED, may && covered);
	}
	group->held = held;
	return changed;
}

/* The same, and tell those above it, as far up as it matters. */
void group_changed(struct kpool_group *group)
{
	lockdep_assert_held(&group->pool->lock);
	while (group && group_update(group))
		group = group->parent;
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
	if (!list_empty(&group->own_turn))
		return;
	list_add_tail(&group->own_turn, &group->turns[TURN_ANY]);
	group_changed(group);
}

/* Take a work away, to start it or to cancel it. */
void group_del_pending(struct kpool_group *group, struct kpool_work *work)
{
	lockdep_assert_held(&group->pool->lock);
	list_del_init(&work->entry);
	group_count_pending(group, -1);
	room_made(group->pool, false);
	if (!list_empty(&group->pending))
		return;
	list_del_init(&group->own_turn);
	group_changed(group);
}

/* A work is to run in a group.  Returns whether that made a first_in() due. */
bool group_get_slot(struct kpool_group *group)
{
	bool changed = false, hooks = false;

	lockdep_assert_held(&group->pool->lock);
	for (; group; group = group->parent) {
		group->nr_running++;
		if (likely(group->plain) && !changed)
			continue;
		if (group->has_hooks)
			hooks |= hooks_count(group);
		changed = group_update(group);
	}
	return hooks;
}

/*
 * One work less runs.  If that makes a last_out() due, it counts as running in
 * the groups above until that has returned: then the rest is given back, from
 * the parent of the group that is returned here.
 */
struct kpool_group *group_put_slot(struct kpool_group *group)
{
	bool changed = false;

	lockdep_assert_held(&group->pool->lock);
	for (; group; group = group->parent) {
		group->nr_running--;
		if (likely(group->plain) && !changed)
			continue;
		if (group->has_hooks && hooks_count(group)) {
			group_changed(group);
			return group;
		}
		changed = group_update(group);
	}
	return NULL;
}

/*
 * The group whose turn it is to start a work, when @nr_free threads are free,
 * the one that will run it included; or NULL.
 */
struct kpool_group *next_group(struct kpool *pool, unsigned int nr_free)
{
	struct kpool_group *group = pool->root;
	enum turns which = TURN_ANY;

	lockdep_assert_held(&pool->lock);
	if (group->gates & GATE_SHUT)
		return NULL;
	if (nr_free <= group->held)
		which = TURN_COVERED;
	for (;;) {
		struct list_head *first;

		if (which == TURN_COVERED && group_covers(group))
			which = TURN_ANY;
		first = group->turns[which].next;
		if (first == &group->turns[which])
			return NULL;	/* of the root: none has a turn */
		if (first == &group->own_turn)
			return group;
		group = list_entry(first, struct kpool_group, turn[which]);
	}
}

/* To the end of the list that it is on, if it is on one. */
static void turn_is_over(struct list_head *turn, struct list_head *turns)
{
	if (!list_empty(turn))
		list_move_tail(turn, turns);
}

/* Take the next work of that group. */
struct kpool_work *take_next(struct kpool_group *group)
{
	struct kpool_work *work;

	work = list_first_entry(&group->pending, struct kpool_work, entry);
	turn_is_over(&group->own_turn, &group->turns[TURN_ANY]);
	group_del_pending(group, work);
	for (; group->parent; group = group->parent) {
		turn_is_over(&group->turn[TURN_ANY],
			     &group->parent->turns[TURN_ANY]);
		turn_is_over(&group->turn[TURN_COVERED],
			     &group->parent->turns[TURN_COVERED]);
	}
	return work;
}
