/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups: the structure and its states; whose turn it is, hooks, the tree.
 */
#ifndef _KPOOL_GROUP_H
#define _KPOOL_GROUP_H

#include <linux/cache.h>
#include <linux/kpool.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/workqueue.h>

/*
 * Of a group, changed by group_set_state() only.  Up to GROUP_CLOSED its
 * pending works start.
 */
enum group_state {
	GROUP_OPEN,
	GROUP_CLOSED,	/* refuses queueing but by its own works: a drain */
	GROUP_STOPPED,	/* refuses queueing, tells its works */
	GROUP_DEAD,	/* being freed */
	NR_GROUP_STATES
};

/*
 * How far a group is with its hooks, changed by hooks_set() only.  While it
 * enters or leaves nothing starts in it or below it.
 */
enum hooks_state {
	HOOKS_OUT,	/* nothing runs; first_in() comes next */
	HOOKS_ENTERING,	/* a worker is about to call first_in(), or in it */
	HOOKS_IN,	/* works run; last_out() comes next */
	HOOKS_LEAVING,	/* a worker is about to call last_out(), or in it */
};

/* A group's lists of turns: see queue.c. */
enum turns {
	TURN_ANY,	/* of everything that may start */
	TURN_COVERED,	/* of what takes a reserved thread */
	ROOM_ANY,	/* the same of those who wait for room, see room.c */
	ROOM_COVERED,
	NR_TURNS
};

/*
 * A group.
 *
 * Owned by whoever created it until kpool_group_destroy(); the root by the
 * pool.  Holds a reference to its pool, and is not destroyed before those
 * below it.  A work that is bound to it keeps it busy, and a busy group is not
 * destroyed.  Readers of work->group may look at it under RCU, so it is freed
 * after a grace period.
 */
struct kpool_group {
	/* a dispatch looks at these and writes none */
	struct kpool		*pool ____cacheline_aligned_in_smp; /* I */
	struct kpool_group	*parent;	/* I; NULL for the root */
	/* of a handle: its part of each possible CPU */
	struct kpool_group	**on_cpu;	/* I, or NULL */
	struct hlist_head	waiters;	/* L: until busy is 0 */
	unsigned int		depth;		/* I */
	enum group_state	state;		/* L */
	unsigned int		flags;		/* I: KPOOL_NOSIGNAL */
	unsigned int		max_active;	/* ML; 0: none */
	unsigned int		max_queued;	/* ML; 0: none */
	unsigned int		reserve;	/* I: threads */
	/* threads held back by all children; written where there are reserves */
	unsigned int		held_below;	/* L */
	enum hooks_state	hooks;		/* L */

	/* and each dispatch writes here */
	struct list_head	pending ____cacheline_aligned_in_smp;
						/* L: works, in order */
	struct hlist_head	running;	/* L: workers not told yet */
	struct list_head	own_turn;	/* L: ->turns[TURN_ANY], [ROOM_ANY] */
	/* own queueings not yet over, plus groups below that have some */
	unsigned int		busy;		/* L */
	u32			lives;		/* L: how often it became busy */
	/* of this group and all below it */
	unsigned int		nr_running;	/* L */
	unsigned int		nr_pending;	/* L */
	unsigned int		held;		/* L: threads that it holds back */
	bool			plain;		/* L: runs do not change turns */
	bool			hurdle;		/* L: counts in pool->hurdles */
	bool			has_hooks;	/* I */
	bool			cancelled;	/* L: cancel() is called, or was */

	/* a line each: when the first work is pending, or the last was taken */
	struct list_head	turns[NR_TURNS];	/* L: of children, and own */
	struct list_head	turn[NR_TURNS];		/* L: parent->turns */

	struct kpool_group	*handle;	/* I: of a part, or NULL */
	unsigned long		state_since;	/* L: jiffies */
	struct list_head	delayed;	/* L: works whose timer is armed */
	struct hlist_head	told;		/* L: workers told or skipped */
	unsigned int		reserved_below;	/* M: by children, admitted */

	void			(*cancel)(struct kpool_group *group);	/* I */
	void			(*first_in)(struct kpool_group *group);	/* I */
	void			(*last_out)(struct kpool_group *group);	/* I */
	void			*data;		/* I: the client's */

	/* waits that cannot end, of what executes in it and below it */
	unsigned int		nr_stuck;	/* D */
	unsigned int		nr_stuck_running; /* D: of those that have a slot */
	unsigned int		nr_stuck_hooks;	/* D: in a hook of this group */

	struct list_head	releasing;	/* L: works to be given back */
	struct work_struct	release_item;	/* A: gives them back */
	struct list_head	to_cancel;	/* L: groups, of a stop from here */
	struct list_head	cancel_entry;	/* L: ->to_cancel of a group */
	struct work_struct	cancel_item;	/* A: calls their cancel() */
	struct list_head	room_waiters;	/* L: struct room_waiter */
	struct list_head	full;		/* L: groups that this level keeps out */
	struct list_head	full_entry;	/* L: ->full, while it has waiters */
	struct list_head	stop_entry;	/* L: pool->to_stop */
	struct list_head	children;	/* M */
	struct list_head	sibling;	/* M: parent->children */
	struct rcu_head		rcu;
	struct lockdep_map	lockdep_map;	/* I */
	struct kpool_dir	*dir;		/* I: in sysfs; see sysfs.c */
	char			name[KPOOL_NAME_MAX + 1];	/* I */
};

/* Does it not matter to turns how many works of this group run? */
static inline void group_set_plain(struct kpool_group *group)
{
	group->plain = !group->max_active && !group->reserve &&
		       !group->has_hooks;
}

/* Does this level keep works from waiting in it and below? */
static inline bool group_is_full(const struct kpool_group *group)
{
	return group->max_queued && group->nr_pending >= group->max_queued;
}

/* May one more work wait in this group? */
static inline bool group_has_room(const struct kpool_group *group)
{
	do {
		if (group_is_full(group))
			return false;
	} while ((group = group->parent));
	return true;
}

static inline bool hooks_in_progress(const struct kpool_group *group)
{
	return group->hooks == HOOKS_ENTERING || group->hooks == HOOKS_LEAVING;
}

void group_first_pending(struct kpool_group *group);
void group_last_taken(struct kpool_group *group);
bool group_get_counted_slot(struct kpool_group *group);
struct kpool_group *group_put_counted_slot(struct kpool_group *group);
void group_is_busy(struct kpool_group *group);
void group_is_idle(struct kpool_group *group);

/* A group is busy from the first queueing accepted to the last one over. */
static __always_inline void group_get_busy(struct kpool_group *group)
{
	if (!group->busy++)
		group_is_busy(group);
}

static inline void group_put_busy(struct kpool_group *group)
{
	if (!--group->busy)
		group_is_idle(group);
}

static __always_inline void group_count_pending(struct kpool_group *group,
						int by)
{
	group->nr_pending += by;
	if (likely(group->depth == 1)) {
		group->parent->nr_pending += by;
		return;
	}
	while ((group = group->parent))
		group->nr_pending += by;
}

/*
 * Append a work that is counted already, and on no list: who makes it pending
 * knows that.  What list_add_tail() would check, with DEBUG_LIST, costs more than
 * all the rest.
 */
static __always_inline void group_add_pending(struct kpool_group *group,
					      struct kpool_work *work)
{
	struct list_head *last = group->pending.prev;

	work->entry.next = &group->pending;
	work->entry.prev = last;
	last->next = &work->entry;
	group->pending.prev = &work->entry;
	if (last == &group->pending)
		group_first_pending(group);
}

/* A work is to run in a group.  Returns whether that made a first_in() due. */
static inline bool group_get_slot(struct kpool_group *group)
{
	do {
		if (unlikely(!group->plain))
			return group_get_counted_slot(group);
		group->nr_running++;
	} while ((group = group->parent));
	return false;
}

/*
 * One work less runs.  If that makes a last_out() due, it counts as running in
 * the groups above until that has returned: then the rest is given back, from
 * the parent of the group that is returned here.
 */
static inline struct kpool_group *group_put_slot(struct kpool_group *group)
{
	do {
		if (unlikely(!group->plain))
			return group_put_counted_slot(group);
		group->nr_running--;
	} while ((group = group->parent));
	return NULL;
}

void group_set_state(struct kpool_group *group, enum group_state state);
const char *group_state_name(const struct kpool_group *group);
bool group_is_stopped(const struct kpool_group *group);
bool group_is_open(const struct kpool_group *group);
bool group_refuses(const struct kpool_group *group);
bool group_is_below(const struct kpool_group *group,
		    const struct kpool_group *top);
int group_await_idle(struct kpool_group *group, bool put,
		     unsigned long timeout, bool killable);
int group_await_idle_again(struct kpool_group *group, bool put,
			   unsigned long period);

/* tree.c */
struct kpool_group *
group_create_one(struct kpool_group *parent, struct kpool_group *handle,
		 const char *name, const struct kpool_group_params *params,
		 const char *lock_name, struct lock_class_key *key);
int group_remove(struct kpool_group *group);
void group_discard(struct kpool_group *group);
struct kpool_group *group_alloc(struct kpool *pool, struct kpool_group *parent,
				const char *name,
				const struct kpool_group_params *params,
				const char *lock_name,
				struct lock_class_key *key);
struct kpool_group *next_below(struct kpool_group *pos,
			       struct kpool_group *top);

/* queue.c */
bool group_covered(const struct kpool_group *group);
bool group_is_clear(const struct kpool_group *group);
bool group_is_shut(const struct kpool_group *group);
bool group_has_slot(const struct kpool_group *group);
void group_changed(struct kpool_group *group);
void group_del_pending(struct kpool_group *group, struct kpool_work *work);
struct kpool_group *next_group(struct kpool *pool, unsigned int nr_free);
struct kpool_work *take_next(struct kpool *pool, unsigned int nr_free);
void group_leaves_tree(struct kpool_group *group);
void group_room_changed(struct kpool_group *group);
struct kpool_group *take_room_turn(struct kpool *pool);

/* work.c */
bool group_can_start(const struct kpool_group *group);

/* hooks.c */
bool hooks_count(struct kpool_group *group);
void hooks_enter(struct kpool_group *group);
void hooks_leave(struct kpool_group *group);

#endif /* _KPOOL_GROUP_H */
