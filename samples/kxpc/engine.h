/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine: channels between partitions, over any transport, on kpool.
 *
 * Letters that say what guards a field:
 *
 *  I: set by kxpc_chan_init(), constant until kxpc_chan_exit()
 *  O: kxpc_chan::open_lock
 *  T: kxpc_chan::tx_lock
 *  R: kxpc_chan::rx_lock
 *  S: kxpc_chan::lock; several letters: written under all of them and read
 *     under any
 *  D: written by the delivery work only, which never runs twice at once
 *  K: kpool's
 *
 * Lock order:
 *
 *  open_lock, tx_lock or rx_lock, never two of them
 *    ->lock
 *      ->wait queues, kpool's pool, transport's ring()
 */
#ifndef KXPC_ENGINE_H
#define KXPC_ENGINE_H

#include <linux/align.h>
#include <linux/kpool.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <uapi/linux/kxpc.h>

#include "ring.h"
#include "transport.h"

struct iov_iter;

#define KXPC_MAX_NENTRIES	4096
#define KXPC_MAX_ENTRY_SIZE	65536
#define KXPC_MAX_WINDOW		(16 << 20)

/**
 * struct kxpc_hub - the threads that all channels of this kernel share
 *
 * Owned by whoever called kxpc_hub_init(); constant until kxpc_hub_exit(),
 * when no channel uses it any more.
 *
 * @pool: has a thread for each work that there can be, so that a delivery
 *	that blocks for ever keeps nobody else waiting
 * @events: the group of the channels' event works, which are short
 */
struct kxpc_hub {
	struct kpool		*pool;
	struct kpool_group	*events;
};

/* A record that was delivered and waits for a reader. */
struct kxpc_record {
	u32	len;
	u8	data[];
};

static inline size_t kxpc_record_size(u32 entry_size)
{
	return ALIGN(sizeof(struct kxpc_record) + entry_size, 8);
}

/**
 * struct kxpc_chan - one partition's end of a channel
 *
 * Owned by whoever called kxpc_chan_init(), who frees it after
 * kxpc_chan_exit().  By then nobody can hold it: no file is open, the
 * transport has forgotten @handler, and neither work is queued.
 *
 * @hub: threads
 * @tp: transport
 * @peer: the partition at the other end
 * @handler: what the transport calls when the peer rings
 * @open_lock: one open or close at a time
 * @group: where @deliver runs, made for one opening: a group that was stopped
 *	stays closed.  Used under @lock between the states closed and
 *	disconnected only; freed by kxpc_close() after the latter.
 * @lock: the state and everything that changes with it
 * @state: enum kxpc_state; kxpc_set_state() alone writes it, with release,
 *	and who reads it without the lock does so with acquire
 * @reason: why the state is draining or disconnected
 * @epoch: of our window; a new one for each opening
 * @announced: the window says so already
 * @paired: the epoch of the peer that our window says we talk to
 * @ring: both directions
 * @tx_lock: one writer copies into the window at a time
 * @sent: records
 * @tx_wait: writers that wait for room, exclusively; poll
 * @rx_lock: one reader takes from the receive queue at a time
 * @received: records
 * @rx_wait: readers that wait for a record, exclusively; poll
 * @rx_room: the delivery work, while the receive queue is full
 * @rx_depth: length of the receive queue, a power of two
 * @rxq: the receive queue: records ring.get to ring.pulled
 * @event: looks at the peer's window, after a ring
 * @deliver: moves records from the peer's window to the receive queue, and
 *	blocks while that is full
 */
struct kxpc_chan {
	struct kxpc_hub		*hub;		/* I */
	struct kxpc_transport	*tp;		/* I */
	unsigned int		peer;		/* I */
	struct kxpc_handler	handler;	/* I */

	struct mutex		open_lock;	/* guards O */
	struct kpool_group	*group;		/* O, see above */

	spinlock_t		lock;		/* guards S */
	u32			state;		/* S */
	u32			reason;		/* S */
	u32			epoch;		/* S */
	bool			announced;	/* S */
	u32			paired;		/* S */
	struct kxpc_ring	ring;		/* see there */

	struct mutex		tx_lock;	/* guards T */
	u64			sent;		/* T S */
	wait_queue_head_t	tx_wait;

	struct mutex		rx_lock;	/* guards R */
	u64			received;	/* R S */
	wait_queue_head_t	rx_wait;
	wait_queue_head_t	rx_room;
	u32			rx_depth;	/* I */
	void			*rxq;		/* I; a record: D, then R */

	struct kpool_work	event;		/* K */
	struct kpool_work	deliver;	/* K */
};

/* Records that were delivered and not taken. */
static inline u32 kxpc_rx_used(const struct kxpc_chan *ch)
{
	/* Pairs with push() in io.c: the record before its number. */
	return smp_load_acquire(&ch->ring.pulled) - READ_ONCE(ch->ring.get);
}

static inline struct kxpc_record *kxpc_rx_record(const struct kxpc_chan *ch,
						 u32 index)
{
	return ch->rxq + (index & (ch->rx_depth - 1)) *
	       kxpc_record_size(ch->ring.entry_size);
}

static inline u32 kxpc_state(const struct kxpc_chan *ch)
{
	/* Pairs with kxpc_set_state(): what was done before the change. */
	return smp_load_acquire(&ch->state);
}

static inline u32 kxpc_next_epoch(u32 epoch)
{
	return epoch + 1 ?: 1;
}

static inline void kxpc_ring_peer(struct kxpc_chan *ch)
{
	ch->tp->ops->ring(ch->tp, ch->peer);
}

/* state.c: the state, and who may change it */
void kxpc_set_state(struct kxpc_chan *ch, u32 state, u32 reason);
u32 kxpc_peer_reason(u32 reason);
int kxpc_disconnect_locked(struct kxpc_chan *ch, u32 reason);
int kxpc_disconnect(struct kxpc_chan *ch, u32 reason);
void kxpc_bad_peer_locked(struct kxpc_chan *ch, int err);
void kxpc_bad_peer(struct kxpc_chan *ch, int err);
const char *kxpc_state_name(u32 state);
const char *kxpc_reason_name(u32 reason);

/* engine.c: what the peer's window makes of the state */
void kxpc_look(struct kxpc_chan *ch);
int kxpc_event(struct kpool_work *work);
void kxpc_rung(struct kxpc_handler *handler);

/* io.c: records */
ssize_t kxpc_send(struct kxpc_chan *ch, struct iov_iter *from, bool nonblock);
ssize_t kxpc_receive(struct kxpc_chan *ch, struct iov_iter *to, bool nonblock);
bool kxpc_may_send(const struct kxpc_chan *ch);
bool kxpc_may_receive(const struct kxpc_chan *ch);
int kxpc_deliver(struct kpool_work *work);

/* chan.c: from the cradle to the grave */
int kxpc_hub_init(struct kxpc_hub *hub, const char *name, unsigned int nr);
void kxpc_hub_exit(struct kxpc_hub *hub);
int kxpc_chan_init(struct kxpc_chan *ch, struct kxpc_hub *hub,
		   struct kxpc_transport *tp, unsigned int peer,
		   u32 nentries, u32 entry_size);
void kxpc_chan_exit(struct kxpc_chan *ch);
int kxpc_open(struct kxpc_chan *ch);
void kxpc_close(struct kxpc_chan *ch);
void kxpc_get_status(struct kxpc_chan *ch, struct kxpc_status *status);

#endif /* KXPC_ENGINE_H */
