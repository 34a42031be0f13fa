/* SPDX-License-Identifier: GPL-2.0-only */
/* A cancel() that notes what it saw, and waits at a gate if it is to. */
#ifndef _KPOOL_KUNIT_CANCELCB_FIXTURE_H
#define _KPOOL_KUNIT_CANCELCB_FIXTURE_H

#include <linux/sched/signal.h>

#include "stop_fixture.h"

struct cancelcb {
	struct kpool_group	*group;
	void			(*also)(struct cancelcb *cb);
	struct kpool_work	*spare;		/* queued; to be refused */
	int			queue_err;
	bool			gated;
	int			order;		/* its turn among all calls */
	struct task_struct	*thread;
	bool			signal;		/* one was pending */
	int			errs[8];
	atomic_t		calls;
	struct completion	entered;
	struct completion	gate;
};

static atomic_t cancel_calls = ATOMIC_INIT(0);

static inline void cancelcb_fn(struct kpool_group *group)
{
	struct cancelcb *cb = kpool_group_data(group);

	cb->order = atomic_inc_return(&cancel_calls);
	cb->thread = current;
	cb->signal |= signal_pending(current);
	might_sleep();
	if (cb->spare)
		cb->queue_err = kpool_queue(group, cb->spare);
	if (cb->also)
		cb->also(cb);
	atomic_inc(&cb->calls);
	complete(&cb->entered);
	if (cb->gated)
		wait_for_completion_timeout(&cb->gate, DEADLINE);
}

/* Made before the pool, for it must live longer. */
static inline struct cancelcb *cancelcb(struct kunit *test)
{
	struct cancelcb *cb = kunit_kzalloc(test, sizeof(*cb), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, cb);
	init_completion(&cb->entered);
	init_completion(&cb->gate);
	return cb;
}

static inline struct kpool_group *
cancelcb_group(struct kunit *test, struct cancelcb *cb,
	       struct kpool_group *parent, const char *name,
	       unsigned int flags)
{
	struct kpool_group_params params = {
		.cancel = cancelcb_fn,
		.data = cb,
		.flags = flags,
	};

	cb->group = test_subgroup(test, parent, name, &params);
	return cb->group;
}

static inline void expect_calls(struct kunit *test, struct cancelcb *cb,
				int calls)
{
	KUNIT_EXPECT_EQ(test, calls, atomic_read(&cb->calls));
	KUNIT_EXPECT_FALSE(test, cb->signal);
}

#endif /* _KPOOL_KUNIT_CANCELCB_FIXTURE_H */
