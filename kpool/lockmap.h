/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lockdep is told about groups and works.
 *
 * A thread that executes something of a group holds the maps of all groups
 * from the root down to it, and while it runs a work, the map of the work.
 * Who waits for either takes its map, for a moment, before it sleeps.  So a
 * wait under a lock that the other side takes is a circle that lockdep sees
 * when it first becomes possible, and not when it first happens.
 *
 * The subclass of a group's map is its depth, so that a call site may create
 * groups on several levels.  Without lockdep nothing of this is compiled.
 */
#ifndef _KPOOL_LOCKMAP_H
#define _KPOOL_LOCKMAP_H

#include <linux/kernel.h>
#include <linux/lockdep.h>

#include "internal.h"

#ifdef CONFIG_LOCKDEP

/*
 * A copy of a work's map, for who waits: the work may be freed, or queued and
 * waited for by others, before the waiter knows whether its wait is refused,
 * and only then it takes the map.  The worker needs none, unlike that of a
 * workqueue: a function of kpool does not free its work, and who else may do
 * that learns after the map was let go that the run has ended.
 */
struct work_map {
	struct lockdep_map map;
};

/* For maps that nobody waits with, or whose order another map stands for. */
static inline struct lock_class_key *unchecked_key(void)
{
	return &__lockdep_no_validate__;
}

/*
 * Works of a freezable pool may freeze where they sleep, and the freezer warns
 * of every lock that a frozen thread holds.
 */
static inline bool maps_are_held(const struct kpool *pool)
{
	return !(pool->flags & KPOOL_FREEZABLE);
}

static inline void map_acquire(struct lockdep_map *map, unsigned int subclass)
{
	lock_acquire(map, subclass, 0, 0, 1, NULL, _THIS_IP_);
}

static inline void map_release(struct lockdep_map *map)
{
	lock_release(map, _THIS_IP_);
}

/* From @top down, for a thread that may hold those above it. */
static inline void group_map_acquire_from(struct kpool_group *top,
					  struct kpool_group *group)
{
	struct kpool_group *pos;
	unsigned int depth;

	if (!maps_are_held(group->pool))
		return;
	for (depth = top->depth; depth <= group->depth; depth++) {
		for (pos = group; pos->depth > depth;)
			pos = pos->parent;
		map_acquire(&pos->lockdep_map, depth);
	}
}

static inline void group_map_release_to(struct kpool_group *top,
					struct kpool_group *group)
{
	if (!maps_are_held(group->pool))
		return;
	for (; group != top->parent; group = group->parent)
		map_release(&group->lockdep_map);
}

/* From the root down to @group, for whoever executes something of it. */
static inline void group_map_acquire(struct kpool_group *group)
{
	group_map_acquire_from(group->pool->root, group);
}

static inline void group_map_release(struct kpool_group *group)
{
	group_map_release_to(group->pool->root, group);
}

/*
 * An item of the workqueue.  To lockdep those of all groups would be one.  So
 * they have the key of their group, with the depth that only roots have; those
 * of roots are one.
 */
static inline void item_map_init(struct work_struct *item,
				 const struct kpool_group *group,
				 struct lock_class_key *key)
{
	static struct lock_class_key root_key;

	lockdep_init_map(&item->lockdep_map, "(kpool_callback)",
			 group->parent ? key : &root_key, 0);
}

/* Before a sleep until something of @group, or all of it, has ended. */
static inline void group_map_touch(struct kpool_group *group)
{
	map_acquire(&group->lockdep_map, group->depth);
	map_release(&group->lockdep_map);
}

/* For the worker that runs the work. */
static inline void work_map_acquire(struct kpool_work *work,
				    const struct kpool *pool)
{
	if (maps_are_held(pool))
		map_acquire(&work->lockdep_map, 0);
}

static inline void work_map_release(struct kpool_work *work,
				    const struct kpool *pool)
{
	if (maps_are_held(pool))
		map_release(&work->lockdep_map);
}

static inline void work_map_copy(struct work_map *copy, struct kpool_work *work)
{
	lockdep_copy_map(&copy->map, &work->lockdep_map);
}

/* Before a sleep until the work has ended. */
static inline void work_map_touch(struct work_map *copy)
{
	map_acquire(&copy->map, 0);
	map_release(&copy->map);
}

#else /* !CONFIG_LOCKDEP */

struct work_map { };

static inline struct lock_class_key *unchecked_key(void)
{
	return NULL;
}

static inline void group_map_acquire_from(struct kpool_group *top,
					  struct kpool_group *group) { }
static inline void group_map_release_to(struct kpool_group *top,
					struct kpool_group *group) { }
static inline void item_map_init(struct work_struct *item,
				 const struct kpool_group *group,
				 struct lock_class_key *key) { }
static inline void group_map_acquire(struct kpool_group *group) { }
static inline void group_map_release(struct kpool_group *group) { }
static inline void group_map_touch(struct kpool_group *group) { }
static inline void work_map_acquire(struct kpool_work *work,
				    const struct kpool *pool) { }
static inline void work_map_release(struct kpool_work *work,
				    const struct kpool *pool) { }
static inline void work_map_copy(struct work_map *copy,
				 struct kpool_work *work) { }
static inline void work_map_touch(struct work_map *copy) { }

#endif /* CONFIG_LOCKDEP */

#endif /* _KPOOL_LOCKMAP_H */
