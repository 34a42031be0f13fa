/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bare kthreads, as many as a row wants: what floors are made of.
 *
 * A member ends by itself or when it is asked to, and completes @exited in
 * the core kernel's text: so the cheapest join that a module may use is to
 * wait for each of these.
 */
#ifndef _KPOOL_BENCH_CROWD_H
#define _KPOOL_BENCH_CROWD_H

#include <linux/completion.h>
#include <linux/sched.h>

struct crowd;

struct member {
	struct crowd		*crowd;
	struct task_struct	*task;
	bool			kick;
	struct completion	exited;
};

struct crowd {
	unsigned int		n;
	bool			stop;
	struct meeting		*meeting;	/* of crowd_idle() */
	void			(*fn)(struct member *member);
	struct member		member[];
};

/* All members of all sides, in a round, meet here. */
struct meeting {
	atomic_t		missing;
	struct completion	all_in;
	struct completion	gate;
	atomic_t		staying;
	struct completion	all_out;
};

void meeting_begin(struct meeting *meeting, unsigned int n);
void meeting_enter(struct meeting *meeting);
void meeting_leave(struct meeting *meeting);

struct crowd *crowd_alloc(unsigned int n, void (*fn)(struct member *member));
int crowd_create(struct crowd *crowd, bool wake);
void crowd_wake(struct crowd *crowd);
void crowd_join(struct crowd *crowd);
void crowd_idle(struct member *member);
void crowd_end(struct crowd *crowd);
void crowd_free(struct crowd *crowd);

#endif /* _KPOOL_BENCH_CROWD_H */
