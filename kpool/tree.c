// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of groups: how they come into it, with what they reserve, and how
 * they leave it.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/err.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fault.h"
#include "internal.h"
#include "lockmap.h"

/* The group after @pos in the subtree of @top, parents first; or NULL. */
struct kpool_group *next_below(struct kpool_group *pos,
			       struct kpool_group *top)
{
	lockdep_assert_held(&top->pool->mutex);
	if (!list_empty(&pos->children))
		return list_first_entry(&pos->children, struct kpool_group,
					sibling);
	for (; pos != top; pos = pos->parent)
		if (!list_is_last(&pos->sibling, &pos->parent->children))
			return list_next_entry(pos, sibling);
	return NULL;
}

static void group_set_params(struct kpool_group *group,
			     const struct kpool_group_params *params)
{
	group->max_active = params->max_active;
	group->max_queued = params->max_queued;
	group->reserve = params->reserve;
	group->flags = params->flags;
	group->cancel = params->cancel;
	group->first_in = params->first_in;
	group->last_out = params->last_out;
	group->data = params->data;
	group->has_hooks = params->first_in || params->last_out;
}

/* A group that is not in the tree yet; all memory it will ever need. */
struct kpool_group *group_alloc(struct kpool *pool, struct kpool_group *parent,
				const char *name,
				const struct kpool_group_params *params,
				const char *lock_name,
				struct lock_class_key *key)
{
	struct kpool_group *group;
	int i;

	if (fault_create())
		return ERR_PTR(-ENOMEM);
	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		return ERR_PTR(-ENOMEM);
	group->pool = pool;
	group->state_since = jiffies;
	group->parent = parent;
	group->depth = parent ? parent->depth + 1 : 0;
	if (params)
		group_set_params(group, params);
	group_set_plain(group);
	INIT_LIST_HEAD(&group->pending);
	INIT_LIST_HEAD(&group->delayed);
	for (i = 0; i < NR_TURNS; i++) {
		INIT_LIST_HEAD(&group->turns[i]);
		INIT_LIST_HEAD(&group->turn[i]);
	}
	INIT_LIST_HEAD(&group->own_turn);
	INIT_HLIST_HEAD(&group->waiters);
	INIT_LIST_HEAD(&group->room_waiters);
	INIT_LIST_HEAD(&group->full);
	INIT_LIST_HEAD(&group->full_entry);
	INIT_LIST_HEAD(&group->stop_entry);
	INIT_LIST_HEAD(&group->children);
	INIT_LIST_HEAD(&group->sibling);
	strscpy(group->name, name, sizeof(group->name));
	/* lockdep keeps the name for ever: never that of the group */
	lockdep_init_map(&group->lockdep_map, lock_name, key, 0);
	release_init(group);
	item_map_init(&group->release_item, group, key);
	cancel_init(group);
	item_map_init(&group->cancel_item, group, key);
	return group;
}

static int check_params(struct kpool_group *parent, const char *name,
			const struct kpool_group_params *params)
{
	const char *pool = parent->pool->name, *what = NULL;
	int value = 0;

	if (params->max_active < 0) {
		what = "max_active";
		value = params->max_active;
	} else if (params->max_queued < 0) {
		what = "max_queued";
		value = params->max_queued;
	} else if (params->reserve < 0) {
		what = "reserve";
		value = params->reserve;
	}
	if (what) {
		pr_err("%s: group %s: %s (%d) is negative\n", pool, name, what,
		       value);
		return -EINVAL;
	}
	if (params->max_active && params->reserve > params->max_active) {
		pr_err("%s: group %s: reserve (%d) is more than max_active (%d)\n",
		       pool, name, params->reserve, params->max_active);
		return -EINVAL;
	}
	if (params->flags & ~KPOOL_GROUP_FLAGS) {
		pr_err("%s: group %s: unknown flags (%#lx)\n", pool, name,
		       params->flags & ~KPOOL_GROUP_FLAGS);
		return -EINVAL;
	}
	return 0;
}

static int check_group(struct kpool_group *parent, const char *name,
		       const struct kpool_group_params *params)
{
	const char *pool;

	if (IS_ERR_OR_NULL(parent)) {
		pr_err("a group without a parent\n");
		return -EINVAL;
	}
	pool = parent->pool->name;
	if (!name_is_valid(name)) {
		pr_err("%s: group name \"%*pE\" is not 1 to %d printable characters without blanks and slashes\n",
		       pool, name_len(name), name ?: "", KPOOL_NAME_MAX);
		return -EINVAL;
	}
	if (parent->depth + 1 >= KPOOL_GROUP_LEVELS) {
		pr_err("%s: group %s: its parent %s is at level %u of %d, the lowest\n",
		       pool, name, parent->name, parent->depth + 1,
		       KPOOL_GROUP_LEVELS);
		return -EINVAL;
	}
	return params ? check_params(parent, name, params) : 0;
}

/* Of what a group has reserved, or a pool has, how much is left to reserve? */
static unsigned int unreserved(const struct kpool_group *group)
{
	unsigned int threads = group->parent ? group->reserve :
					       group->pool->max_threads;

	return threads - min(threads, group->reserved_below);
}

/* Put a group into the tree, unless its name is taken or it came too late. */
static int group_link(struct kpool_group *group)
{
	struct kpool_group *parent = group->parent, *sibling;
	struct kpool *pool = group->pool;
	int err = 0;

	mutex_lock(&pool->mutex);
	list_for_each_entry(sibling, &parent->children, sibling)
		if (!strcmp(sibling->name, group->name))
			err = -EEXIST;
	/* A stop walks the tree under the mutex after it has set the state. */
	if (!err && !group_is_open(parent))
		err = -ESHUTDOWN;
	if (!err && group->reserve > unreserved(parent))
		err = -ENOSPC;
	if (!err) {
		list_add_tail(&group->sibling, &parent->children);
		parent->reserved_below += group->reserve;
		raw_spin_lock_irq(&pool->lock);
		group_changed(group);
		raw_spin_unlock_irq(&pool->lock);
	}
	mutex_unlock(&pool->mutex);
	return err;
}

static void report_refusal(struct kpool_group *group, int err)
{
	struct kpool_group *parent = group->parent;

	if (err == -EEXIST)
		pr_err("%s: group %s exists\n", group->pool->name, group->name);
	if (err == -ENOSPC)
		pr_err("%s: group %s: %s has less than %u threads left to reserve\n",
		       group->pool->name, group->name, parent->name,
		       group->reserve);
}

/*
 * Take a group out of the tree; nobody finds it from then on, and what it has
 * reserved is free.
 *
 * Who can still hold it: a work, no, for the group is idle and refuses; the
 * stopper, no, for a requested stop keeps the group busy, and it walks the
 * tree under the mutex; a waiter, no, for a waiter is a caller and callers are
 * excluded; the workqueue, until callbacks_flush(); a reader that found it in
 * work->group, for one grace period.
 */
static int group_unlink(struct kpool_group *group)
{
	struct kpool *pool = group->pool;
	struct task_struct *wake;
	unsigned long flags;

	mutex_lock(&pool->mutex);
	if (!list_empty(&group->children)) {
		mutex_unlock(&pool->mutex);
		return -EBUSY;
	}
	list_del(&group->sibling);
	group->parent->reserved_below -= group->reserve;
	raw_spin_lock_irqsave(&pool->lock, flags);
	group->reserve = 0;
	group_set_state(group, GROUP_DEAD);
	group_leaves_tree(group);
	wake = start_reaping(pool);
	unlock_and_wake(pool, flags, wake);
	mutex_unlock(&pool->mutex);
	dispatch_more(pool);
	return 0;
}

/* What may fail when it is in the tree already. */
static int group_appear(struct kpool_group *group)
{
	int err = sysfs_add_group(group);

	if (err || !group->reserve)
		return err;
	err = spawn_reserve(group->pool);
	if (err)
		pr_err("%s: group %s: cannot create the threads that it reserves (%d)\n",
		       group->pool->name, group->name, err);
	return err;
}

/* Stop a group and free it, unless there are others below it. */
int group_remove(struct kpool_group *group)
{
	struct kpool *pool = group->pool;
	int err;

	err = stop_for_ever(group);
	if (err)
		return err;
	sysfs_del_group(group);
	err = group_unlink(group);
	if (err)
		return err;
	callbacks_flush(group);
	kfree_rcu(group, rcu);
	kpool_put(pool);
	return 0;
}

/* A group that its creator has never had, so he is not to be called. */
void group_discard(struct kpool_group *group)
{
	raw_spin_lock_irq(&group->pool->lock);
	group->cancelled = true;
	raw_spin_unlock_irq(&group->pool->lock);
	group_remove(group);
}

/* One group; @handle: whose part it is, or NULL. */
struct kpool_group *
group_create_one(struct kpool_group *parent, struct kpool_group *handle,
		 const char *name, const struct kpool_group_params *params,
		 const char *lock_name, struct lock_class_key *key)
{
	struct kpool_group *group;
	int err;

	group = group_alloc(parent->pool, parent, name, params, lock_name,
			    key);
	if (IS_ERR(group))
		return group;
	group->handle = handle;
	err = group_link(group);
	if (err) {
		report_refusal(group, err);
		kfree(group);
		return ERR_PTR(err);
	}
	kpool_get(parent->pool);
	err = group_appear(group);
	if (err) {
		group_discard(group);
		return ERR_PTR(err);
	}
	return group;
}

struct kpool_group *
__kpool_group_create(struct kpool_group *parent, const char *name,
		     const struct kpool_group_params *params,
		     const char *lock_name, struct lock_class_key *key)
{
	int err;

	might_sleep();
	err = check_group(parent, name, params);
	if (err)
		return ERR_PTR(err);
	if (parent->on_cpu)
		return percpu_group_create(parent, name, params, lock_name,
					   key);
	return group_create_one(parent, NULL, name, params, lock_name, key);
}
EXPORT_SYMBOL_GPL(__kpool_group_create);

static int group_has_children(struct kpool_group *group)
{
	int err;

	mutex_lock(&group->pool->mutex);
	err = list_empty(&group->children) ? 0 : -EBUSY;
	mutex_unlock(&group->pool->mutex);
	return err;
}

int kpool_group_destroy(struct kpool_group *group)
{
	int err;

	if (IS_ERR_OR_NULL(group))
		return 0;
	if (!group->parent) {
		pr_err("%s: the root group is destroyed with its pool\n",
		       group->pool->name);
		return -EINVAL;
	}
	if (runs_below(group))
		return -EDEADLK;
	err = group_has_children(last_part(group));
	if (!err)
		err = group->on_cpu ? percpu_group_remove(group) :
				      group_remove(group);
	WARN(err == -EBUSY, "kpool: %s: group %s has groups below it\n",
	     group->pool->name, group->name);
	return err;
}
EXPORT_SYMBOL_GPL(kpool_group_destroy);
