/* SPDX-License-Identifier: GPL-2.0-only */
/* Handles, their parts, and CPUs that come and go: see percpu.c, hotplug.c. */
#ifndef _KPOOL_PERCPU_H
#define _KPOOL_PERCPU_H

/* percpu.c */
struct kpool_group *next_part(struct kpool_group *group, int *cpu);
struct kpool_group *last_part(struct kpool_group *group);
int change_parts(struct kpool_group *group,
		 int (*check)(const struct kpool_group *part),
		 struct task_struct *(*change)(struct kpool_group *part));
struct kpool_group *part_for(struct kpool_group *group,
			     struct kpool_work *work);
bool part_was_wrong(struct kpool_group *group, struct kpool_work *work,
		    int err);
int percpu_queue(struct kpool_group *group, struct kpool_work *work,
		 unsigned int flags);
int percpu_check(const char *name, const struct kpool_params *params);
struct kpool *percpu_create(const char *name, const struct kpool_params *params,
			    const char *lock_name, struct lock_class_key *key);
void percpu_destroy(struct kpool *handle);
struct kpool_group *
percpu_group_create(struct kpool_group *parent, const char *name,
		    const struct kpool_group_params *params,
		    const char *lock_name, struct lock_class_key *key);
int percpu_group_remove(struct kpool_group *group);

/* Each part of a group: itself, or one for each CPU.  @cpu is a variable. */
#define for_each_part(group, part, cpu)					\
	for ((cpu) = -1; ((part) = next_part(group, &(cpu))); )

/* The group that the client knows. */
static inline struct kpool_group *client_group(struct kpool_group *group)
{
	return group->handle ?: group;
}

/* A pool that is but a handle to one for each CPU. */
static inline bool is_handle(const struct kpool *pool)
{
	return pool->root->on_cpu;
}

/* hotplug.c */
void hotplug_add(struct kpool *handle);
void hotplug_del(struct kpool *handle);
bool rehome_works(struct kpool *pool);
int kpool_hotplug_init(void);
void kpool_hotplug_exit(void);

#endif /* _KPOOL_PERCPU_H */
