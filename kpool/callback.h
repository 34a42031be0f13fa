/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clients' functions that execute outside of workers: cancel() of groups, and
 * release functions of works that never ran.
 */
#ifndef _KPOOL_CALLBACK_H
#define _KPOOL_CALLBACK_H

#include <linux/list.h>
#include <linux/types.h>

struct kpool_group;
struct kpool_work;
struct task_struct;
struct workqueue_struct;

/*
 * A client's function that executes outside of a worker, on the stack of the
 * thread that calls it: the release function of a cancelled work, or cancel()
 * of a group that is stopped.
 */
struct kpool_callback {
	struct list_head	entry;		/* L: pool->callbacks */
	struct list_head	all_entry;	/* callbacks_lock: callbacks */
	struct kpool_group	*group;		/* I */
	struct task_struct	*task;		/* I */
	const void		*func;		/* L */
	unsigned long		since;		/* L: jiffies */
	bool			named;		/* L: as straggler */
};

extern struct workqueue_struct *callback_wq;
void callback_begin(struct kpool_callback *call, struct kpool_group *group,
		    const void *func);
void callback_end(struct kpool_callback *call);
struct kpool_group *callback_group(void);
bool callbacks_below(struct kpool_group *top);
bool callbacks_below_locked(const struct kpool_group *top);
void cancel_init(struct kpool_group *group);
void cancel_collect(struct kpool_group *group, struct kpool_group *top);
void cancel_call(struct kpool_group *top);
void cancel_queue(struct kpool_group *top);
void callbacks_flush(struct kpool_group *group);
int kpool_callback_init(void);
void kpool_callback_exit(void);

/* release.c */
void release_init(struct kpool_group *group);
void release_queue(struct kpool_work *work);

#endif /* _KPOOL_CALLBACK_H */
