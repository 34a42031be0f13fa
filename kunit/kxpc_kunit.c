// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine of samples/kxpc over its loop transport, without its devices.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "kxpc_fixture.h"

/* ------------------------------------------------------------------------
 * Records
 */

static void records_keep_their_order(struct kunit *test)
{
	struct actor *a = actors_alloc(test, 2);
	int i;

	connect_ends(test);
	actor_start(test, &a[0], end(test, 0), send_many);
	actor_start(test, &a[1], end(test, 1), send_many);
	for (i = 0; i < 8 * NENTRIES; i++) {
		expect_received(test, end(test, 1), i);
		expect_received(test, end(test, 0), i);
	}
	KUNIT_EXPECT_EQ(test, kxpc_disconnect(end(test, 0), REASON), 0);
	KUNIT_EXPECT_EQ(test, actor_end(&a[0]), -EPIPE);
	KUNIT_EXPECT_EQ(test, actor_end(&a[1]), -EPIPE);
}

static void records_have_bounds(struct kunit *test)
{
	struct kxpc_chan *ch;
	u8 buf[ENTRY_SIZE + 1] = { 1, 2, 3 };
	struct kvec vec = { .iov_base = buf };
	struct iov_iter from;

	connect_ends(test);
	ch = end(test, 0);

	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, 0);
	KUNIT_EXPECT_EQ(test, kxpc_send(ch, &from, true), -EINVAL);
	vec.iov_len = ENTRY_SIZE + 1;
	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, ENTRY_SIZE + 1);
	KUNIT_EXPECT_EQ(test, kxpc_send(ch, &from, true), -EMSGSIZE);
	vec.iov_len = ENTRY_SIZE;
	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, ENTRY_SIZE);
	KUNIT_EXPECT_EQ(test, kxpc_send(ch, &from, true), ENTRY_SIZE);

	/* Too small a buffer leaves the record where it is. */
	ch = end(test, 1);
	expect_soon(test, kxpc_rx_used(ch) == 1);
	KUNIT_EXPECT_EQ(test, receive_into(ch, buf, ENTRY_SIZE - 1, true),
			-EMSGSIZE);
	memset(buf, 0, sizeof(buf));
	KUNIT_EXPECT_EQ(test, receive_into(ch, buf, sizeof(buf), true),
			ENTRY_SIZE);
	KUNIT_EXPECT_EQ(test, buf[2], 3);
	KUNIT_EXPECT_EQ(test, receive_into(ch, buf, sizeof(buf), true),
			-EAGAIN);
}

/* ------------------------------------------------------------------------
 * The window
 */

static void fill(struct kunit *test, int i)
{
	u32 value;

	for (value = 0; value < NENTRIES; value++)
		KUNIT_EXPECT_EQ(test, send(end(test, i), value, true),
				(int)sizeof(value));
	/* Delivered is not received: this must not make room. */
	expect_soon(test, kxpc_rx_used(end(test, !i)) == NENTRIES / 4);
	expect_soon(test, waiters(&end(test, !i)->rx_room) == 1);
}

static void one_ack_frees_one_slot(struct kunit *test)
{
	struct kxpc_chan *ch;
	u32 i;

	connect_ends(test);
	ch = end(test, 0);
	fill(test, 0);
	for (i = NENTRIES; i < 3 * NENTRIES; i++) {
		KUNIT_EXPECT_EQ(test, send(ch, i, true), -EAGAIN);
		KUNIT_EXPECT_FALSE(test, kxpc_may_send(ch));
		expect_received(test, end(test, 1), i - NENTRIES);
		/* The ack is there before receive() returns. */
		KUNIT_EXPECT_TRUE(test, kxpc_may_send(ch));
		KUNIT_EXPECT_EQ(test, send(ch, i, true), (int)sizeof(i));
	}
	KUNIT_EXPECT_EQ(test, send(ch, i, true), -EAGAIN);
}

static int ended(const struct actor *a, int n)
{
	int i, sum = 0;

	for (i = 0; i < n; i++)
		sum += !kpool_work_busy(&a[i].work);
	return sum;
}

static void one_ack_wakes_one_sender(struct kunit *test)
{
	struct actor *a = actors_alloc(test, 3);
	struct kxpc_chan *ch;
	int i, n;

	connect_ends(test);
	ch = end(test, 0);
	fill(test, 0);
	for (i = 0; i < 3; i++)
		actor_start(test, &a[i], ch, send_once);
	expect_soon(test, waiters(&ch->tx_wait) == 3);

	for (n = 1; n <= 3; n++) {
		/* one look at the ring for one ack */
		expect_soon(test, !kpool_work_busy(&ch->event));
		expect_received(test, end(test, 1), n - 1);
		expect_soon(test, ended(a, 3) == n);
		KUNIT_EXPECT_EQ(test, waiters(&ch->tx_wait), 3 - n);
		KUNIT_EXPECT_FALSE(test, kxpc_may_send(ch));
	}
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, actor_end(&a[i]), (int)sizeof(u32));
}

/* ------------------------------------------------------------------------
 * The end of a connection
 */

static void disconnect_wakes_senders(struct kunit *test)
{
	struct actor *a = actors_alloc(test, 4);
	int i;

	connect_ends(test);
	fill(test, 0);
	fill(test, 1);
	for (i = 0; i < 4; i++)
		actor_start(test, &a[i], end(test, i / 2), send_once);
	expect_soon(test, waiters(&end(test, 0)->tx_wait) == 2);
	expect_soon(test, waiters(&end(test, 1)->tx_wait) == 2);

	KUNIT_EXPECT_EQ(test, kxpc_disconnect(end(test, 1), REASON), 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, actor_end(&a[i]), -EPIPE);
	KUNIT_EXPECT_EQ(test, reason(end(test, 0)), REASON);
	KUNIT_EXPECT_EQ(test, reason(end(test, 1)), REASON);
	KUNIT_EXPECT_EQ(test, kxpc_disconnect(end(test, 0), REASON + 1),
			-ENOTCONN);
}

static void disconnect_wakes_receivers(struct kunit *test)
{
	struct actor *a = actors_alloc(test, 4);
	int i;

	connect_ends(test);
	for (i = 0; i < 4; i++)
		actor_start(test, &a[i], end(test, i / 2), receive_once);
	expect_soon(test, waiters(&end(test, 0)->rx_wait) == 2);
	expect_soon(test, waiters(&end(test, 1)->rx_wait) == 2);

	KUNIT_EXPECT_EQ(test, kxpc_disconnect(end(test, 0), REASON), 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, actor_end(&a[i]), -EPIPE);
	KUNIT_EXPECT_EQ(test, reason(end(test, 0)), REASON);
	KUNIT_EXPECT_EQ(test, reason(end(test, 1)), REASON);
}

static void delivered_records_survive_disconnect(struct kunit *test)
{
	u32 value;

	connect_ends(test);
	fill(test, 0);
	KUNIT_EXPECT_EQ(test, kxpc_disconnect(end(test, 0), REASON), 0);
	expect_soon(test, kxpc_state(end(test, 1)) == KXPC_DISCONNECTED);
	/* The delivery does not wait for the reader any more. */
	expect_soon(test, !kpool_work_busy(&end(test, 1)->deliver));

	for (value = 0; value < NENTRIES / 4; value++)
		expect_received(test, end(test, 1), value);
	KUNIT_EXPECT_EQ(test, receive(end(test, 1), &value, false), -EPIPE);
}

static void close_is_orderly(struct kunit *test)
{
	struct actor *a = actors_alloc(test, 1);
	u32 value;

	connect_ends(test);
	fill(test, 0);
	close_end(test, 0);
	expect_soon(test, kxpc_state(end(test, 1)) == KXPC_DRAINING);
	KUNIT_EXPECT_EQ(test, send(end(test, 1), 1, false), -EPIPE);

	for (value = 0; value < NENTRIES; value++)
		expect_received(test, end(test, 1), value);
	actor_start(test, a, end(test, 1), receive_once);
	KUNIT_EXPECT_EQ(test, actor_end(a), 0);
	KUNIT_EXPECT_EQ(test, reason(end(test, 1)),
			KXPC_REASON_OTHER_UNREGISTERING);
}

static void close_wakes_receivers(struct kunit *test)
{
	struct actor *a = actors_alloc(test, 2);
	int i;

	connect_ends(test);
	for (i = 0; i < 2; i++)
		actor_start(test, &a[i], end(test, 1), receive_once);
	expect_soon(test, waiters(&end(test, 1)->rx_wait) == 2);
	close_end(test, 0);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, actor_end(&a[i]), 0);
}

/* ------------------------------------------------------------------------
 * Connecting
 */

static void nothing_moves_before_both_are_open(struct kunit *test)
{
	struct kxpc_chan *ch = end(test, 0);
	u32 value;

	open_end(test, 0);
	KUNIT_EXPECT_EQ(test, kxpc_state(ch), KXPC_CONNECTING);
	KUNIT_EXPECT_EQ(test, kxpc_open(ch), -EBUSY);
	KUNIT_EXPECT_EQ(test, send(ch, 1, true), -EAGAIN);
	KUNIT_EXPECT_EQ(test, receive(ch, &value, true), -EAGAIN);

	open_end(test, 1);
	await_connection(test);
	KUNIT_EXPECT_EQ(test, send(ch, 1, true), (int)sizeof(u32));
	expect_received(test, end(test, 1), 1);
}

static void no_record_of_an_old_epoch(struct kunit *test)
{
	u32 i, value;

	for (i = 0; i < 4; i++) {
		connect_ends(test);
		expect_soon(test, !kxpc_may_receive(end(test, 1)));
		KUNIT_EXPECT_EQ(test, receive(end(test, 1), &value, true),
				-EAGAIN);
		KUNIT_EXPECT_EQ(test, send(end(test, 0), 100 + i, true),
				(int)sizeof(i));
		expect_received(test, end(test, 1), 100 + i);
		fill(test, 0);
		close_end(test, i % 2);
		close_end(test, !(i % 2));
	}
}

static void reopening_waits_for_the_drain(struct kunit *test)
{
	u32 value;

	connect_ends(test);
	fill(test, 0);
	close_end(test, 0);
	open_end(test, 0);
	for (value = 0; value < NENTRIES; value++)
		expect_received(test, end(test, 1), value);
	KUNIT_EXPECT_EQ(test, receive_soon(end(test, 1), &value), 0);
	KUNIT_EXPECT_EQ(test, kxpc_state(end(test, 0)), KXPC_CONNECTING);

	/* Over is over: it takes an opening of this end, too. */
	close_end(test, 1);
	open_end(test, 1);
	await_connection(test);
	KUNIT_EXPECT_EQ(test, send(end(test, 0), 99, true), (int)sizeof(value));
	expect_received(test, end(test, 1), 99);
}

/* The peer opens, pairs with us, and closes, while we hear no rings. */
static void peer_that_did_not_stay(struct kunit *test)
{
	struct kxpc_chan *ch = end(test, 0);
	u32 epoch;

	open_end(test, 0);
	epoch = ch->epoch;
	ch->tp->ops->set_handler(ch->tp, NULL);
	open_end(test, 1);
	expect_soon(test, end(test, 1)->paired == epoch);
	close_end(test, 1);
	ch->tp->ops->set_handler(ch->tp, &ch->handler);
	kxpc_rung(&ch->handler);

	expect_soon(test, READ_ONCE(ch->epoch) != epoch);
	KUNIT_EXPECT_EQ(test, kxpc_state(ch), KXPC_CONNECTING);
	open_end(test, 1);
	await_connection(test);
}

static bool settled(struct kunit *test)
{
	u32 state = kxpc_state(end(test, 0));

	return state == KXPC_DISCONNECTED ||
	       (state == KXPC_CONNECTED &&
		kxpc_state(end(test, 1)) == KXPC_CONNECTED);
}

static void peer_that_comes_and_goes(struct kunit *test)
{
	int i;

	open_end(test, 0);
	for (i = 0; i < 50; i++) {
		open_end(test, 1);
		close_end(test, 1);
		/* If it was noticed in time, that was a connection. */
		if (kxpc_state(end(test, 0)) == KXPC_DISCONNECTED) {
			close_end(test, 0);
			open_end(test, 0);
		}
	}

	open_end(test, 1);
	expect_soon(test, settled(test));
	if (kxpc_state(end(test, 0)) == KXPC_DISCONNECTED) {
		/* By the last one that did not stay. */
		close_end(test, 0);
		open_end(test, 0);
	}
	await_connection(test);
}

static void storm(struct kunit *test)
{
	struct actor *a = actors_alloc(test, 4);
	int i, j;

	for (i = 1; i <= 100; i++) {
		connect_ends(test);
		memset(a, 0, 4 * sizeof(*a));
		for (j = 0; j < 4; j++) {
			a[j].epoch = i;
			actor_start(test, &a[j], end(test, j % 2),
				    j < 2 ? send_many : receive_many);
		}
		expect_soon(test, READ_ONCE(a[2].count) &&
			    READ_ONCE(a[3].count));

		KUNIT_EXPECT_EQ(test, kxpc_disconnect(end(test, i % 2),
						      REASON), 0);
		for (j = 0; j < 4; j++)
			KUNIT_EXPECT_EQ(test, actor_end(&a[j]), -EPIPE);
		KUNIT_EXPECT_FALSE(test, a[2].wrong || a[3].wrong);
		KUNIT_EXPECT_EQ(test, reason(end(test, 0)), REASON);
		KUNIT_EXPECT_EQ(test, reason(end(test, 1)), REASON);
		close_end(test, 0);
		close_end(test, 1);
	}

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, kxpc_state(end(test, i)), KXPC_CLOSED);
		KUNIT_EXPECT_FALSE(test,
				   kpool_work_busy(&end(test, i)->deliver));
		KUNIT_EXPECT_EQ(test, waiters(&end(test, i)->tx_wait), 0);
		KUNIT_EXPECT_EQ(test, waiters(&end(test, i)->rx_wait), 0);
	}
}

/* ------------------------------------------------------------------------
 * A peer that breaks the rules: partition 0, with partition 1 watching.  Each
 * case finds two records sent and received both ways.
 */

static struct kxpc_slot *slot(struct kxpc_window *w, u32 index)
{
	return (void *)w->slots + (index % NENTRIES) *
	       ALIGN(sizeof(struct kxpc_slot) + ENTRY_SIZE, KXPC_LINE);
}

static void put_beyond_window(struct kxpc_window *w)
{
	WRITE_ONCE(w->put, 2 + NENTRIES + 1);
}

static void put_far(struct kxpc_window *w)
{
	WRITE_ONCE(w->put, 0x80000000);
}

static void put_back(struct kxpc_window *w)
{
	WRITE_ONCE(w->put, 1);
}

static void get_ahead(struct kxpc_window *w)
{
	WRITE_ONCE(w->get, 3);
}

static void get_back(struct kxpc_window *w)
{
	WRITE_ONCE(w->get, 1);
}

static void offer(struct kxpc_window *w, u32 index, u32 len)
{
	slot(w, 2)->index = index;
	slot(w, 2)->len = len;
	WRITE_ONCE(w->put, 3);
}

static void record_empty(struct kxpc_window *w)
{
	offer(w, 2, 0);
}

static void record_too_long(struct kxpc_window *w)
{
	offer(w, 2, ENTRY_SIZE + 1);
}

static void record_huge(struct kxpc_window *w)
{
	offer(w, 2, 0xffffffff);
}

static void record_of_another_time(struct kxpc_window *w)
{
	offer(w, 2 - NENTRIES, 4);
}

static void unknown_status(struct kxpc_window *w)
{
	WRITE_ONCE(w->status, 0x77);
}

static void unknown_reason(struct kxpc_window *w)
{
	WRITE_ONCE(w->status, KXPC_WINDOW_DOWN | 0xabcdef << 8);
}

static void other_epoch(struct kxpc_window *w)
{
	WRITE_ONCE(w->epoch, w->epoch + 1);
}

static void other_pair(struct kxpc_window *w)
{
	WRITE_ONCE(w->paired, w->paired + 1);
}

static const struct crime {
	const char	*name;
	void		(*commit)(struct kxpc_window *w);
	u32		reason;
} crimes[] = {
	{ "put beyond window", put_beyond_window, KXPC_REASON_BAD_PEER },
	{ "put far", put_far, KXPC_REASON_BAD_PEER },
	{ "put back", put_back, KXPC_REASON_BAD_PEER },
	{ "get ahead", get_ahead, KXPC_REASON_BAD_PEER },
	{ "get back", get_back, KXPC_REASON_BAD_PEER },
	{ "record empty", record_empty, KXPC_REASON_BAD_PEER },
	{ "record too long", record_too_long, KXPC_REASON_BAD_PEER },
	{ "record huge", record_huge, KXPC_REASON_BAD_PEER },
	{ "record old", record_of_another_time, KXPC_REASON_BAD_PEER },
	{ "unknown status", unknown_status, KXPC_REASON_BAD_PEER },
	{ "unknown reason", unknown_reason, KXPC_REASON_UNKNOWN },
	{ "other epoch", other_epoch, KXPC_REASON_PEER_DOWN },
	{ "other pair", other_pair, KXPC_REASON_PEER_DOWN },
};

KUNIT_ARRAY_PARAM_DESC(crime, crimes, name);

static void hostile_peer(struct kunit *test)
{
	const struct crime *crime = test->param_value;
	struct kxpc_chan *bad = end(test, 0), *good = end(test, 1);
	u32 i, value;

	connect_ends(test);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, send(bad, i, true), (int)sizeof(i));
		KUNIT_EXPECT_EQ(test, send(good, i, true), (int)sizeof(i));
		expect_received(test, good, i);
		expect_received(test, bad, i);
	}

	/* Let it have seen the acks, so that it can miss them. */
	expect_soon(test, READ_ONCE(good->ring.acked) == 2);
	crime->commit(bad->ring.own);
	kxpc_ring_peer(bad);

	expect_soon(test, kxpc_state(good) == KXPC_DISCONNECTED);
	KUNIT_EXPECT_EQ(test, reason(good), crime->reason);
	KUNIT_EXPECT_EQ(test, receive(good, &value, true), -EPIPE);
	KUNIT_EXPECT_EQ(test, send(good, 1, true), -EPIPE);
}

/* It overwrites what was delivered, but not taken and so not acked. */
static void the_bad_peer_is_told(struct kunit *test)
{
	connect_ends(test);
	fill(test, 0);
	WRITE_ONCE(end(test, 0)->ring.own->put, NENTRIES + 1);
	kxpc_ring_peer(end(test, 0));
	expect_soon(test, kxpc_state(end(test, 0)) == KXPC_DISCONNECTED);
	KUNIT_EXPECT_EQ(test, reason(end(test, 0)), KXPC_REASON_OTHER_BAD_PEER);
}

static void unequal_windows_do_not_connect(struct kunit *test)
{
	end(test, 0)->ring.own->nentries = 2 * NENTRIES;
	open_end(test, 0);
	open_end(test, 1);
	expect_soon(test, kxpc_state(end(test, 1)) == KXPC_DISCONNECTED);
	KUNIT_EXPECT_EQ(test, reason(end(test, 1)), KXPC_REASON_UNEQUAL_SIZES);
}

static struct kunit_case kxpc_cases[] = {
	KUNIT_CASE(records_keep_their_order),
	KUNIT_CASE(records_have_bounds),
	KUNIT_CASE(one_ack_frees_one_slot),
	KUNIT_CASE(one_ack_wakes_one_sender),
	KUNIT_CASE(disconnect_wakes_senders),
	KUNIT_CASE(disconnect_wakes_receivers),
	KUNIT_CASE(delivered_records_survive_disconnect),
	KUNIT_CASE(close_is_orderly),
	KUNIT_CASE(close_wakes_receivers),
	KUNIT_CASE(nothing_moves_before_both_are_open),
	KUNIT_CASE(no_record_of_an_old_epoch),
	KUNIT_CASE(reopening_waits_for_the_drain),
	KUNIT_CASE(peer_that_did_not_stay),
	KUNIT_CASE(peer_that_comes_and_goes),
	KUNIT_CASE_PARAM(hostile_peer, crime_gen_params),
	KUNIT_CASE(the_bad_peer_is_told),
	KUNIT_CASE(unequal_windows_do_not_connect),
	KUNIT_CASE_SLOW(storm),
	{}
};

static struct kunit_suite kxpc_suite = {
	.name = "kpool_kxpc",
	.init = kxpc_test_init,
	.exit = kxpc_test_exit,
	.test_cases = kxpc_cases,
};

kunit_test_suite(kxpc_suite);

MODULE_DESCRIPTION("Tests of the engine of kxpc");
MODULE_AUTHOR("The kpool developers");
MODULE_LICENSE("GPL");
