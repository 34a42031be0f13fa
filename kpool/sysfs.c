// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/kpool: a folder for each pool, and in it one for each group.
 *
 * Documentation/ABI/testing/sysfs-kernel-kpool describes the files.  Each has
 * one value, read under pool->lock alone; a limit is written under pool->mutex.
 * Removing a folder waits for those who read and write in it, so neither is held
 * then.  The mutex of a handle may be, which no reader or writer wants.
 *
 * A folder is a structure of its own, which holds no reference to the group.
 * The group holds the folder, and removes it before it goes; what remains of
 * it then, because folders below hold it, is never read again.
 */
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "fault.h"
#include "internal.h"
#include "limits.h"

struct kpool_dir {
	struct kobject kobj;
	struct kobject *groups;		/* the folder "groups" in it */
	struct kpool_group *group;	/* alive until sysfs_del_group() */
};

/* A file with a number, which is read under the lock. */
struct number_attr {
	struct kobj_attribute attr;
	unsigned long (*get)(const struct kpool_group *group);
	enum limit limit;		/* what a write changes, if it may */
};

static struct kobject *kpool_kobj;

static struct kpool_group *kobj_group(struct kobject *kobj)
{
	return container_of(kobj, struct kpool_dir, kobj)->group;
}

static ssize_t number_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	const struct number_attr *number;
	struct kpool_group *group = kobj_group(kobj);
	unsigned long value;

	number = container_of(attr, struct number_attr, attr);
	raw_spin_lock_irq(&group->pool->lock);
	value = number->get(group);
	raw_spin_unlock_irq(&group->pool->lock);
	return sysfs_emit(buf, "%lu\n", value);
}

static ssize_t limit_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	const struct number_attr *number;
	int value, err;

	number = container_of(attr, struct number_attr, attr);
	err = kstrtoint(buf, 10, &value);
	if (!err)
		err = change_limit(kobj_group(kobj), number->limit, value);
	return err ?: count;
}

#define NUMBER_ATTR(_name)						\
static struct number_attr _name##_attr = {				\
	.attr = __ATTR(_name, 0444, number_show, NULL),			\
	.get = get_##_name,						\
}

#define LIMIT_ATTR(_name, _limit)					\
static struct number_attr _name##_attr = {				\
	.attr = __ATTR(_name, 0644, number_show, limit_store),		\
	.get = get_##_name,						\
	.limit = _limit,						\
}

static unsigned long get_min_threads(const struct kpool_group *group)
{
	return group->pool->min_threads;
}
LIMIT_ATTR(min_threads, LIMIT_MIN_THREADS);

static unsigned long get_max_threads(const struct kpool_group *group)
{
	return group->pool->max_threads;
}
LIMIT_ATTR(max_threads, LIMIT_MAX_THREADS);

static unsigned long get_idle_timeout_ms(const struct kpool_group *group)
{
	return jiffies_to_msecs(group->pool->idle_timeout);
}
LIMIT_ATTR(idle_timeout_ms, LIMIT_IDLE_TIMEOUT_MS);

static unsigned long get_nr_threads(const struct kpool_group *group)
{
	return group->pool->nr_threads;
}
NUMBER_ATTR(nr_threads);

static unsigned long get_nr_idle(const struct kpool_group *group)
{
	return group->pool->nr_idle;
}
NUMBER_ATTR(nr_idle);

static unsigned long get_nr_created(const struct kpool_group *group)
{
	return group->pool->nr_created;
}
NUMBER_ATTR(nr_created);

static unsigned long get_nr_failed(const struct kpool_group *group)
{
	return group->pool->nr_failed;
}
NUMBER_ATTR(nr_failed);

static unsigned long get_creating_since_ms(const struct kpool_group *group)
{
	unsigned long since = group->pool->creating_since;

	return since ? jiffies_to_msecs(jiffies - since) + 1 : 0;
}
NUMBER_ATTR(creating_since_ms);

static unsigned long get_over(const struct kpool_group *group)
{
	const struct kpool *pool = group->pool;

	return pool->nr_threads > pool->max_threads ?
	       pool->nr_threads - pool->max_threads : 0;
}
NUMBER_ATTR(over);

static unsigned long get_max_active(const struct kpool_group *group)
{
	return group->max_active;
}
LIMIT_ATTR(max_active, LIMIT_MAX_ACTIVE);

static unsigned long get_max_queued(const struct kpool_group *group)
{
	return group->max_queued;
}
LIMIT_ATTR(max_queued, LIMIT_MAX_QUEUED);

static unsigned long get_nr_running(const struct kpool_group *group)
{
	return group->nr_running;
}
NUMBER_ATTR(nr_running);

static unsigned long get_nr_pending(const struct kpool_group *group)
{
	return group->nr_pending;
}
NUMBER_ATTR(nr_pending);

static unsigned long get_busy(const struct kpool_group *group)
{
	return group->busy != 0;
}
NUMBER_ATTR(busy);

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n", group_state_name(kobj_group(kobj)));
}

static struct kobj_attribute state_attr = __ATTR_RO(state);

static struct attribute *pool_attrs[] = {
	&min_threads_attr.attr.attr,
	&max_threads_attr.attr.attr,
	&idle_timeout_ms_attr.attr.attr,
	&nr_threads_attr.attr.attr,
	&nr_idle_attr.attr.attr,
	&nr_created_attr.attr.attr,
	&nr_failed_attr.attr.attr,
	&creating_since_ms_attr.attr.attr,
	&over_attr.attr.attr,
	&max_active_attr.attr.attr,
	&max_queued_attr.attr.attr,
	&nr_running_attr.attr.attr,
	&nr_pending_attr.attr.attr,
	&busy_attr.attr.attr,
	&state_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(pool);

static struct attribute *group_attrs[] = {
	&max_active_attr.attr.attr,
	&max_queued_attr.attr.attr,
	&nr_running_attr.attr.attr,
	&nr_pending_attr.attr.attr,
	&busy_attr.attr.attr,
	&state_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(group);

static void dir_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct kpool_dir, kobj));
}

static const struct kobj_type pool_ktype = {
	.release = dir_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = pool_groups,
};

static const struct kobj_type group_ktype = {
	.release = dir_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = group_groups,
};

static int add_dir(struct kpool_dir *dir, struct kpool_group *group)
{
	if (group->parent)
		return kobject_init_and_add(&dir->kobj, &group_ktype,
					    group->parent->dir->groups, "%s",
					    group->name);
	return kobject_init_and_add(&dir->kobj, &pool_ktype, kpool_kobj, "%s",
				    group->pool->name);
}

/*
 * Make the folder of a group, or, for a root, of its pool.  The caller owns
 * the name among its siblings, and nobody uses the group yet.  Allocates, so
 * no lock is held.
 */
int sysfs_add_group(struct kpool_group *group)
{
	struct kpool_dir *dir;
	int err;

	if (fault_create())
		return -ENOMEM;
	dir = kzalloc(sizeof(*dir), GFP_KERNEL);
	if (!dir)
		return -ENOMEM;
	dir->group = group;
	err = add_dir(dir, group);
	if (!err) {
		dir->groups = kobject_create_and_add("groups", &dir->kobj);
		if (!dir->groups)
			err = -ENOMEM;
	}
	if (err) {
		kobject_put(&dir->kobj);
		return err;
	}
	group->dir = dir;
	return 0;
}

/*
 * Remove it.  On return nobody reads or writes a file of it, or of one below
 * it.  Called without the locks of the pool, for it waits for those who do.
 */
void sysfs_del_group(struct kpool_group *group)
{
	struct kpool_dir *dir = group->dir;

	if (!dir)
		return;
	kobject_del(dir->groups);
	kobject_del(&dir->kobj);
	kobject_put(dir->groups);
	kobject_put(&dir->kobj);
	group->dir = NULL;
}

int kpool_sysfs_init(void)
{
	kpool_kobj = kobject_create_and_add("kpool", kernel_kobj);
	return kpool_kobj ? 0 : -ENOMEM;
}

void kpool_sysfs_exit(void)
{
	kobject_put(kpool_kobj);
}
