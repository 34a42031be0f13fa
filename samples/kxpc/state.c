// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of one end of a channel: what may follow what, and the one setter.
 *
 * Documentation/kxpc.rst has the states and reasons in a table.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/printk.h>

#include "engine.h"

/* The states that may follow each state. */
static const u8 may_follow[] = {
	[KXPC_CLOSED]		= BIT(KXPC_CONNECTING),
	[KXPC_CONNECTING]	= BIT(KXPC_CONNECTED) | BIT(KXPC_DISCONNECTED),
	[KXPC_CONNECTED]	= BIT(KXPC_DRAINING) | BIT(KXPC_DISCONNECTED),
	[KXPC_DRAINING]		= BIT(KXPC_DISCONNECTED),
	[KXPC_DISCONNECTED]	= BIT(KXPC_CLOSED),
};

/**
 * kxpc_set_state() - the one place where the state changes
 * @ch: the channel; the caller holds its lock
 * @state: the new state
 * @reason: why
 *
 * Whoever is about to sleep enters its wait queue first and looks at the
 * state then, so that one of the two happens: it sees the new state, or it is
 * on the queue when that is woken here.
 */
void kxpc_set_state(struct kxpc_chan *ch, u32 state, u32 reason)
{
	lockdep_assert_held(&ch->lock);

	if (WARN_ON_ONCE(!(may_follow[ch->state] & BIT(state))))
		return;

	pr_debug("partition %u: channel to %u %s -> %s, %s\n", ch->tp->own_id,
		 ch->peer, kxpc_state_name(ch->state), kxpc_state_name(state),
		 kxpc_reason_name(reason));

	WRITE_ONCE(ch->reason, reason);
	/* Pairs with kxpc_state(). */
	smp_store_release(&ch->state, state);

	if (state == KXPC_DISCONNECTED) {
		if (ch->announced)
			kxpc_window_status(ch->ring.own, KXPC_WINDOW_DOWN,
					   reason);
		/* Ends the delivery's wait for room in the receive queue. */
		kpool_group_request_stop(ch->group);
	} else if (state == KXPC_CLOSED) {
		if (ch->announced)
			kxpc_window_status(ch->ring.own, KXPC_WINDOW_CLOSED,
					   reason);
	}

	wake_up_interruptible_all(&ch->tx_wait);
	wake_up_interruptible_all(&ch->rx_wait);
	kxpc_ring_peer(ch);
}

/**
 * kxpc_peer_reason() - what the peer calls its reason, seen from here
 * @reason: enum kxpc_reason, or anything that the peer wrote
 *
 * Return: enum kxpc_reason.
 */
u32 kxpc_peer_reason(u32 reason)
{
	switch (reason) {
	case KXPC_REASON_UNREGISTERING:
		return KXPC_REASON_OTHER_UNREGISTERING;
	case KXPC_REASON_UNLOADING:
		return KXPC_REASON_OTHER_UNLOADING;
	case KXPC_REASON_BAD_PEER:
		return KXPC_REASON_OTHER_BAD_PEER;
	case KXPC_REASON_PEER_DOWN:
	case KXPC_REASON_UNEQUAL_SIZES:
	case KXPC_REASON_USER ... KXPC_REASON_USER_MAX:
		return reason;
	default:
		return KXPC_REASON_UNKNOWN;
	}
}

/**
 * kxpc_disconnect_locked() - end a connection, or the wait for one
 * @ch: the channel; the caller holds its lock
 * @reason: why; the first reason wins
 *
 * What was delivered here may still be received, all else is dropped.
 *
 * Return: 0, or -ENOTCONN if it is over already.
 */
int kxpc_disconnect_locked(struct kxpc_chan *ch, u32 reason)
{
	lockdep_assert_held(&ch->lock);

	if (ch->state == KXPC_CLOSED || ch->state == KXPC_DISCONNECTED)
		return -ENOTCONN;
	kxpc_set_state(ch, KXPC_DISCONNECTED, reason);
	return 0;
}

/**
 * kxpc_disconnect() - end a connection, or the wait for one
 * @ch: the channel
 * @reason: why; the first reason wins
 *
 * Context: any that may take a spinlock, also the channel's own works.
 * Return: as kxpc_disconnect_locked().
 */
int kxpc_disconnect(struct kxpc_chan *ch, u32 reason)
{
	int err;

	spin_lock(&ch->lock);
	err = kxpc_disconnect_locked(ch, reason);
	spin_unlock(&ch->lock);
	return err;
}

/**
 * kxpc_bad_peer_locked() - the peer's window makes no sense: disconnect
 * @ch: the channel; the caller holds its lock
 * @err: what kxpc_ring_*() made of it: -EBADMSG or -ESTALE
 */
void kxpc_bad_peer_locked(struct kxpc_chan *ch, int err)
{
	u32 reason = err == -ESTALE ? KXPC_REASON_PEER_DOWN :
				      KXPC_REASON_BAD_PEER;

	if (!kxpc_disconnect_locked(ch, reason))
		pr_warn_ratelimited("partition %u: channel to %u disconnected: %s\n",
				    ch->tp->own_id, ch->peer,
				    kxpc_reason_name(reason));
}

/**
 * kxpc_bad_peer() - the peer's window makes no sense: disconnect
 * @ch: the channel
 * @err: as kxpc_bad_peer_locked()
 */
void kxpc_bad_peer(struct kxpc_chan *ch, int err)
{
	spin_lock(&ch->lock);
	kxpc_bad_peer_locked(ch, err);
	spin_unlock(&ch->lock);
}

/**
 * kxpc_state_name() - a state in words
 * @state: enum kxpc_state
 */
const char *kxpc_state_name(u32 state)
{
	static const char * const names[] = {
		[KXPC_CLOSED]		= "closed",
		[KXPC_CONNECTING]	= "connecting",
		[KXPC_CONNECTED]	= "connected",
		[KXPC_DRAINING]		= "draining",
		[KXPC_DISCONNECTED]	= "disconnected",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

/**
 * kxpc_reason_name() - a reason in words
 * @reason: enum kxpc_reason
 */
const char *kxpc_reason_name(u32 reason)
{
	static const char * const names[] = {
		[KXPC_REASON_NONE]		= "none",
		[KXPC_REASON_UNREGISTERING]	= "unregistering",
		[KXPC_REASON_OTHER_UNREGISTERING] = "other-unregistering",
		[KXPC_REASON_UNLOADING]		= "unloading",
		[KXPC_REASON_OTHER_UNLOADING]	= "other-unloading",
		[KXPC_REASON_PEER_DOWN]		= "peer-down",
		[KXPC_REASON_BAD_PEER]		= "bad-peer",
		[KXPC_REASON_OTHER_BAD_PEER]	= "other-bad-peer",
		[KXPC_REASON_UNEQUAL_SIZES]	= "unequal-sizes",
		[KXPC_REASON_UNKNOWN]		= "unknown",
	};

	if (reason >= KXPC_REASON_USER)
		return "user";
	return reason < ARRAY_SIZE(names) ? names[reason] : "?";
}
