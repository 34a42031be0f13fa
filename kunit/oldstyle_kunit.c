// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promise 5: cancel() frees what a signal does not.  A model of message channels
 * of the old style: each thread serves a session, and sleeps uninterruptibly in
 * it until the client has answered.
 */
#include "kmsg.h"
#include "stop_fixture.h"

#define WARM		4
#define SESSIONS	10

/* What is disconnected when the channel is torn down. */
struct channel {
	struct kpool		*pool;
	struct gated		*sessions;
};

static void disconnect(struct channel *channel)
{
	gated_open_all(channel->sessions, SESSIONS);
}

static void channel_cancel(struct kpool_group *group)
{
	disconnect(kpool_group_data(group));
}

struct limits {
	const char *name;
	int max_threads;
};

static const struct limits limits[] = {
	{ "no more threads allowed", WARM },
	{ "no more threads created", SESSIONS },
};

KUNIT_ARRAY_PARAM_DESC(limits, limits, name);

/* Each thread there is has a session, and there will be no more threads. */
static struct kpool_group *
stuck_channel(struct kunit *test, struct channel *channel,
	      void (*cancel)(struct kpool_group *group))
{
	const struct limits *limit = test->param_value;
	struct kpool_group_params params = {
		.cancel = cancel,
		.data = channel,
	};
	struct kpool_group *group;
	struct kpool *pool;
	int i;

	pool = test_pool(test, WARM, limit->max_threads);
	group = test_subgroup(test, kpool_root(pool), "channel", &params);
	channel->pool = pool;
	channel->sessions = gated_array(test, SESSIONS);
	for (i = 0; i < SESSIONS; i++)
		channel->sessions[i].sleep = GATE_UNINTERRUPTIBLE;
	fail_creations(test, 0);
	expect_queued(test, group, channel->sessions, SESSIONS);
	expect_started(test, channel->sessions, WARM);
	if (limit->max_threads > WARM)
		expect_soon(test, READ_ONCE(pool->nr_failed));
	KUNIT_EXPECT_EQ(test, SESSIONS - WARM, pool_pending(pool));
	return group;
}

static void expect_ended(struct kunit *test, struct channel *channel)
{
	int i;

	for (i = 0; i < WARM; i++) {
		KUNIT_EXPECT_TRUE(test,
				  completion_done(&channel->sessions[i].ended));
		KUNIT_EXPECT_TRUE(test, channel->sessions[i].told);
	}
	expect_never_ran(test, &channel->sessions[WARM], SESSIONS - WARM);
	KUNIT_EXPECT_EQ(test, WARM, pool_idle(channel->pool));
}

static void stop_ends_sessions_by_cancel(struct kunit *test)
{
	struct channel *channel;
	struct kpool_group *group;

	channel = kunit_kzalloc(test, sizeof(*channel), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, channel);
	group = stuck_channel(test, channel, channel_cancel);
	expect_stop(test, group);
	expect_ended(test, channel);
}

static void request_ends_sessions_by_cancel(struct kunit *test)
{
	struct channel *channel;
	struct kpool_group *group;

	channel = kunit_kzalloc(test, sizeof(*channel), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, channel);
	group = stuck_channel(test, channel, channel_cancel);
	kpool_group_request_stop(group);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	expect_ended(test, channel);
}

/* The old way: the stop waits for clients who wait for the stop. */
static void without_cancel_a_stop_hangs(struct kunit *test)
{
	struct channel *channel;
	struct kpool_group *group;

	channel = kunit_kzalloc(test, sizeof(*channel), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, channel);
	group = stuck_channel(test, channel, NULL);
	report_begin("gated_fn .*still executes in ");
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			kpool_group_stop_timeout(group, MOMENT));
	KUNIT_EXPECT_EQ(test, WARM, report_lines("still executes"));
	report_end();
	KUNIT_EXPECT_EQ(test, WARM, pool_running(channel->pool));
	disconnect(channel);
	expect_stop(test, group);
	expect_ended(test, channel);
}

static struct kunit_case oldstyle_cases[] = {
	KUNIT_CASE_PARAM(stop_ends_sessions_by_cancel, limits_gen_params),
	KUNIT_CASE_PARAM(request_ends_sessions_by_cancel, limits_gen_params),
	KUNIT_CASE_PARAM(without_cancel_a_stop_hangs, limits_gen_params),
	{}
};

static struct kunit_suite oldstyle_suite = {
	.name = "kpool_oldstyle",
	.test_cases = oldstyle_cases,
};

kunit_test_suite(oldstyle_suite);
