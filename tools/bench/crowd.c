// SPDX-License-Identifier: GPL-2.0-only
/* Bare kthreads, and where threads meet: see crowd.h. */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include "crowd.h"

void meeting_begin(struct meeting *meeting, unsigned int n)
{
	atomic_set(&meeting->missing, n);
	atomic_set(&meeting->staying, n);
	init_completion(&meeting->all_in);
	init_completion(&meeting->gate);
	init_completion(&meeting->all_out);
}

void meeting_enter(struct meeting *meeting)
{
	if (atomic_dec_and_test(&meeting->missing))
		complete(&meeting->all_in);
}

void meeting_leave(struct meeting *meeting)
{
	if (atomic_dec_and_test(&meeting->staying))
		complete(&meeting->all_out);
}

struct crowd *crowd_alloc(unsigned int n, void (*fn)(struct member *member))
{
	struct crowd *crowd;
	unsigned int i;

	crowd = kvzalloc(struct_size(crowd, member, n), GFP_KERNEL);
	if (!crowd)
		return NULL;
	crowd->fn = fn;
	crowd->n = n;
	for (i = 0; i < n; i++) {
		crowd->member[i].crowd = crowd;
		init_completion(&crowd->member[i].exited);
	}
	return crowd;
}

static int member_fn(void *data)
{
	struct member *member = data;

	member->crowd->fn(member);
	kthread_complete_and_exit(&member->exited, 0);
}

/* Create all threads; with @wake, let each run at once.  On failure none is left. */
int crowd_create(struct crowd *crowd, bool wake)
{
	struct task_struct *task;
	unsigned int i, n = crowd->n;

	for (i = 0; i < n; i++) {
		task = kthread_create(member_fn, &crowd->member[i],
				      "bench/%u", i);
		if (IS_ERR(task)) {
			crowd->n = i;
			crowd_end(crowd);
			crowd->n = n;
			return PTR_ERR(task);
		}
		crowd->member[i].task = task;
		if (wake)
			wake_up_process(task);
	}
	return 0;
}

void crowd_wake(struct crowd *crowd)
{
	unsigned int i;

	for (i = 0; i < crowd->n; i++)
		wake_up_process(crowd->member[i].task);
}

void crowd_join(struct crowd *crowd)
{
	unsigned int i;

	for (i = 0; i < crowd->n; i++)
		wait_for_completion(&crowd->member[i].exited);
}

/* What a member may do: be idle until crowd_end(). */
void crowd_idle(struct member *member)
{
	meeting_enter(member->crowd->meeting);
	for (;;) {
		set_current_state(TASK_IDLE);
		if (READ_ONCE(member->crowd->stop))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
}

/* Tell all members at once, and wait for each. */
void crowd_end(struct crowd *crowd)
{
	WRITE_ONCE(crowd->stop, true);
	crowd_wake(crowd);
	crowd_join(crowd);
}

void crowd_free(struct crowd *crowd)
{
	kvfree(crowd);
}
