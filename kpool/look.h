/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking at a pool: what runs, what waits, and who waits for whom, copied
 * under the locks so that it can be printed without.
 */
#ifndef _KPOOL_LOOK_H
#define _KPOOL_LOOK_H

#include "internal.h"

/* "pool/a/b", of the deepest group; a longer one is cut. */
#define PATH_SIZE	(4 * (KPOOL_NAME_MAX + 1))

/* What a worker executes.  Returned with a reference to its task. */
struct seen_run {
	struct task_struct	*task;
	const void		*func;
	unsigned long		age;		/* jiffies */
	unsigned int		thread;		/* its number */
	unsigned int		nr_waiters;	/* at most KPOOL_BATCH */
	bool			releasing;	/* func is a release function */
	const char		*tell;		/* how far the tell is */
	char			path[PATH_SIZE];
};

/* Somebody who waits.  Returned with a reference to his task. */
struct seen_wait {
	struct task_struct	*task;
	const void		*func;	/* of the work; NULL: for the group */
	unsigned long		age;	/* jiffies */
	int			thread;	/* that runs the work; -1: none */
};

/* A group, and the work of it that waits for the longest time. */
struct seen_group {
	unsigned int		depth;
	unsigned int		busy, nr_running, nr_pending;
	unsigned int		max_active, max_queued;
	bool			stopping;	/* stopped, and not idle yet */
	const char		*state;
	unsigned long		state_age;	/* jiffies */
	unsigned int		own_pending;	/* at most KPOOL_BATCH */
	const void		*oldest;	/* function; NULL: none pending */
	unsigned long		oldest_age;	/* jiffies */
	/* by the nearest group at or above it that runs all it may */
	bool			blocked;
	unsigned int		blocker_max;
	char			blocker_path[PATH_SIZE];
	char			path[PATH_SIZE];
};

int look_runs(struct kpool *pool, unsigned int *from, struct seen_run *runs,
	      int max);
void look_put_runs(struct seen_run *runs, int n);
int look_run_waits(struct kpool *pool, unsigned int *from,
		   struct seen_wait *waits);
bool look_group(struct kpool *pool, unsigned int index,
		struct seen_group *seen, struct seen_wait *waits, int *n);
void look_put_waits(struct seen_wait *waits, int n);

/* Where a task sleeps, and the letter of its state; 0 entries: not known. */
unsigned int look_stack(struct task_struct *task, unsigned long *entries,
			unsigned int size);

#endif /* _KPOOL_LOOK_H */
