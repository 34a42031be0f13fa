/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The window of a partition, and the pair of rings in two windows.
 *
 * The rules, which hold between machines that share nothing but memory, where
 * not even a locked instruction is atomic:
 *
 *  - Each word has exactly one writer, for ever: the window's owner.
 *  - Publish with virt_store_release(), read with virt_load_acquire().
 *  - No decision needs "I have stored this, so the other has seen it".
 *  - What the peer wrote may be anything: read it once, then look at it.
 *
 * A record stays in its *sender's* window until the receiver's reader has
 * taken it; the receiver says so, cumulatively, with the get word of its own
 * window.  Indices count on for ever and are reduced to a slot only to find
 * it, so nentries is a power of two.
 */
#ifndef KXPC_RING_H
#define KXPC_RING_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

#define KXPC_WINDOW_MAGIC	0x6370786b	/* "kxpc" */
#define KXPC_WINDOW_VERSION	1

/* The busy words, and each record, have lines of this size to themselves. */
#define KXPC_LINE		64

/* What the owner says about itself in the low byte of its status word. */
enum kxpc_window_state {
	KXPC_WINDOW_CLOSED,	/* and no longer reads the peer's window */
	KXPC_WINDOW_OPEN,
	KXPC_WINDOW_DOWN,	/* over, but may still read the peer's window */
};

/**
 * struct kxpc_window - what one partition shows to its peer
 *
 * The owner writes, the peer reads.  All words but the first four belong to
 * the epoch that stands in @epoch, and have no meaning while that is 0.
 *
 * @magic: KXPC_WINDOW_MAGIC
 * @version: KXPC_WINDOW_VERSION
 * @nentries: slots, a power of two
 * @entry_size: longest record
 * @epoch: the owner's incarnation: another one for each opening
 * @paired: the peer's epoch that the owner's is connected to, or 0
 * @status: enum kxpc_window_state, and enum kxpc_reason from bit 8 on
 * @unused1: 0, as the others
 * @put: records below this may be read
 * @unused2: see above
 * @get: records of the peer below this have been taken: the ack
 * @unused3: see above
 * @slots: nentries times struct kxpc_slot, each on lines of its own
 */
struct kxpc_window {
	u32	magic;
	u32	version;
	u32	nentries;
	u32	entry_size;
	u32	epoch;
	u32	paired;
	u32	status;
	u32	unused1[9];
	u32	put;
	u32	unused2[15];
	u32	get;
	u32	unused3[15];
	u8	slots[];
};

static_assert(offsetof(struct kxpc_window, put) == 1 * KXPC_LINE);
static_assert(offsetof(struct kxpc_window, get) == 2 * KXPC_LINE);
static_assert(offsetof(struct kxpc_window, slots) == 3 * KXPC_LINE);

/**
 * struct kxpc_slot - one record in a window
 * @index: the record's number, as a check
 * @len: its length, 1 to entry_size
 * @data: the record
 */
struct kxpc_slot {
	u32	index;
	u32	len;
	u8	data[];
};

/* The control words of a peer, read once; nothing in it was looked at. */
struct kxpc_view {
	u32	magic;
	u32	version;
	u32	nentries;
	u32	entry_size;
	u32	epoch;
	u32	paired;
	u32	state;
	u32	reason;
};

/*
 * Both directions of a channel, seen from one end.  Part of struct kxpc_chan;
 * engine.h says what the letters mean.
 */
struct kxpc_ring {
	struct kxpc_window		*own;		/* I */
	const struct kxpc_window	*peer;		/* I */
	u32				nentries;	/* I */
	u32				entry_size;	/* I */
	u32				peer_epoch;	/* S: connected to */
	u32				put;		/* T S: sent */
	u32				acked;		/* S: peer's get */
	u32				pulled;		/* D S: received */
	u32				get;		/* R S: taken out */
};

/* ring.c */
size_t kxpc_window_size(u32 nentries, u32 entry_size);
void kxpc_window_init(struct kxpc_window *own, u32 nentries, u32 entry_size);
bool kxpc_window_read(const struct kxpc_window *peer, struct kxpc_view *view);
void kxpc_window_pair(struct kxpc_window *own, u32 peer_epoch);
void kxpc_window_status(struct kxpc_window *own, u32 state, u32 reason);

void kxpc_ring_reset(struct kxpc_ring *ring);
void kxpc_ring_announce(struct kxpc_ring *ring, u32 epoch);
int kxpc_ring_room(struct kxpc_ring *ring);
u32 kxpc_ring_used(const struct kxpc_ring *ring);
bool kxpc_ring_full(const struct kxpc_ring *ring);
void *kxpc_ring_slot(struct kxpc_ring *ring);
void kxpc_ring_publish(struct kxpc_ring *ring, u32 len);
int kxpc_ring_avail(const struct kxpc_ring *ring);
int kxpc_ring_copy(const struct kxpc_ring *ring, void *buf);
void kxpc_ring_ack(struct kxpc_ring *ring);

#endif /* KXPC_RING_H */
