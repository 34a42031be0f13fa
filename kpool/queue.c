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
 *
 * Reserves.  A group holds back the threads that it has reserved and does not
 * use.  When no more threads are free than are held back, a work may start
 * only if that makes a group hold back one less: the work is covered.  Each
 * group has a second list for that, of the children below which there is a
 * covered work to start.
 *
 * Hurdles.  Most pools have no limits but max_threads: nothing in them keeps a
 * work out, or needs to know how many run and wait.  So pool->hurdles counts
 * what might: groups that have a limit, a reserve or hooks, or are not open;
 * too many threads, since their limit was lowered; a CPU that is offline, or
 * was.  While it is 0, nobody need look at all that, level by level; and nobody
 * waits for room but who is about to find that there is no limit any more.
 *
 * Who waits for room takes turns in the same way, on two more lists: for what
 * can start at once needs no room.  A group in which nothing is pending, and
 * somebody waits, has its own entry there.
 *
 * Invariant, after each operation: there is no work that could start now on
 * an idle worker; and if there is one for which a thread may be created, the
 * spawner is awake.  Everything here is under the lock, and takes as long as
 * the tree is deep.
 */
#include <linux/lockdep.h>

#include "commit.h"
#include "internal.h"

/* Does this one level let no work start now? */
static bool level_is_shut(const struct kpool_group *group)
{
	return group->state > GROUP_CLOSED || hooks_in_progress(group) ||
	       (group->max_active && group->nr_running >= group->max_active);
}

/* The same, or any above it. */
bool group_is_shut(const struct kpool_group *group)
{
	for (; group; group = group->parent)
		if (level_is_shut(group))
			return true;
	return false;
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
	return list_empty(&group->pending) && !group_is_shut(group);
}

static void set_hurdle(struct kpool_group *group, bool is)
{
	group->pool->hurdles += is - group->hurdle;
	group->hurdle = is;
}

/* There are hurdles in the pool.  Is there one for this group? */
bool group_is_clear(const struct kpool_group *group)
{
	const struct kpool *pool = group->pool;

	lockdep_assert_held(&pool->lock);
	if (pool->offline || pool_is_over(pool) || pool->root->held)
		return false;
	do {
		if (group->hurdle)
			return false;
	} while ((group = group->parent));
	return true;
}

/* It was stopped; others need not look at it any more. */
void group_leaves_tree(struct kpool_group *group)
{
	lockdep_assert_held(&group->pool->lock);
	set_hurdle(group, false);
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

/* A group that @may start something has a turn if it has one to give. */
static __always_inline bool set_turns(struct kpool_group *group,
				      enum turns any, bool may)
{
	const enum turns covered = any + 1;
	bool some = may && !list_empty(&group->turns[any]);
	bool cover = may && (!list_empty(&group->turns[covered]) ||
			     (some && group_covers(group)));
	bool changed = set_turn(group, any, some);

	return set_turn(group, covered, cover) || changed;
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

	set_hurdle(group, group->state != GROUP_OPEN || group->max_queued ||
			  !group->plain);
	if (group_covers(group))
		held = group->reserve - group->nr_running;
	changed = held != group->held;
	if (parent) {
		may = !level_is_shut(group);
		if (unlikely(changed))
			parent->held_below += held - group->held;
		changed |= set_turns(group, TURN_ANY, may);
		if (unlikely(group->pool->nr_room))
			changed |= set_turns(group, ROOM_ANY, may);
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

/* One work is pending that was counted already, and no other. */
void group_first_pending(struct kpool_group *group)
{
	lockdep_assert_held(&group->pool->lock);
	if (unlikely(group->pool->nr_room))
		list_del_init(&group->own_turn);
	list_add_tail(&group->own_turn, &group->turns[TURN_ANY]);
	group->pool->nr_waiting++;
	group_changed(group);
}

/* Nothing is pending in the group, but somebody may wait for room in it. */
static void set_room_turn(struct kpool_group *group)
{
	bool want = room_may_start(group);

	if (want != list_empty(&group->own_turn))
		return;
	if (want)
		list_add_tail(&group->own_turn, &group->turns[ROOM_ANY]);
	else
		list_del_init(&group->own_turn);
}

/* Those who wait for room in the group may be others, or may want another. */
void group_room_changed(struct kpool_group *group)
{
	lockdep_assert_held(&group->pool->lock);
	if (!list_empty(&group->pending))
		return;
	set_room_turn(group);
	group_changed(group);
}

/* Nothing is pending any more, and the last work has been taken off its list. */
void group_last_taken(struct kpool_group *group)
{
	list_del_init(&group->own_turn);
	group->pool->nr_waiting--;
	if (unlikely(group->pool->nr_room))
		set_room_turn(group);
	group_changed(group);
}

/* A work does not wait any more, pending or delayed: it starts, or is cancelled. */
void group_del_pending(struct kpool_group *group, struct kpool_work *work)
{
	unlist_pending(group, work->entry.prev, work->entry.next);
	room_made(group);
}

/* The same as group_get_slot(), from a group on that is not plain. */
bool group_get_counted_slot(struct kpool_group *group)
{
	bool changed = false, hooks = false;

	lockdep_assert_held(&group->pool->lock);
	for (; group; group = group->parent) {
		group->nr_running++;
		if (group->plain && !changed)
			continue;
		if (group->has_hooks)
			hooks |= hooks_count(group);
		changed = group_update(group);
	}
	return hooks;
}

/* The same as group_put_slot(), from a group on that is not plain. */
struct kpool_group *group_put_counted_slot(struct kpool_group *group)
{
	bool changed = false;

	lockdep_assert_held(&group->pool->lock);
	for (; group; group = group->parent) {
		group->nr_running--;
		if (group->plain && !changed)
			continue;
		if (group->has_hooks && hooks_count(group)) {
			group_changed(group);
			return group;
		}
		changed = group_update(group);
	}
	return NULL;
}

/* The group whose turn it is, when @nr_free threads are free; or NULL. */
static __always_inline struct kpool_group *
next_turn(struct kpool *pool, unsigned int nr_free, enum turns any)
{
	struct kpool_group *group = pool->root;
	const enum turns covered = any + 1;
	enum turns which = any;

	lockdep_assert_held(&pool->lock);
	if (level_is_shut(group))
		return NULL;
	if (nr_free <= group->held)
		which = covered;
	for (;;) {
		struct list_head *first;

		if (which == covered && group_covers(group))
			which = any;
		first = group->turns[which].next;
		if (first == &group->turns[which])
			return NULL;	/* of the root: none has a turn */
		if (first == &group->own_turn)
			return group;
		group = list_entry(first, struct kpool_group, turn[which]);
	}
}

/*
 * The group whose turn it is to start a work, when @nr_free threads are free,
 * the one that will run it included; or NULL.
 */
struct kpool_group *next_group(struct kpool *pool, unsigned int nr_free)
{
	return next_turn(pool, nr_free, TURN_ANY);
}

/* To the end of the list that it is on, if it is on one, and not there yet. */
static __always_inline void turn_is_over(struct list_head *turn,
					 struct list_head *turns)
{
	if (!list_is_last(turn, turns) && !list_empty(turn))
		list_move_tail(turn, turns);
}

/* This group has had its turn, and so have those above it. */
static __always_inline void turns_are_over(struct kpool_group *group,
					   enum turns any)
{
	const enum turns covered = any + 1;

	turn_is_over(&group->own_turn, &group->turns[any]);
	for (; group->parent; group = group->parent) {
		turn_is_over(&group->turn[any], &group->parent->turns[any]);
		turn_is_over(&group->turn[covered],
			     &group->parent->turns[covered]);
	}
}

/* Take the next work of that group, or NULL if there is none. */
struct kpool_work *take_next(struct kpool *pool, unsigned int nr_free)
{
	struct kpool_group *group = next_turn(pool, nr_free, TURN_ANY);
	struct kpool_work *work;

	if (!group)
		return NULL;
	turns_are_over(group, TURN_ANY);
	work = first_pending(group);
	group_del_pending(group, work);
	return work;
}

/*
 * The group whose turn it is of those where somebody waits for room, and could
 * start his work now; or NULL.
 */
struct kpool_group *take_room_turn(struct kpool *pool)
{
	struct kpool_group *group;

	if (!pool->nr_idle || pool_is_over(pool))
		return NULL;
	group = next_turn(pool, pool->nr_idle, ROOM_ANY);
	if (group)
		turns_are_over(group, ROOM_ANY);
	return group;
}
