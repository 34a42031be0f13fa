// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows and rings: the only code that touches shared memory.
 *
 * No locks, no waiting, no kpool; the callers see to who may call what when
 * (struct kxpc_ring, and engine.h).
 */
#include <linux/align.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include <asm/barrier.h>

#include "ring.h"

/* Slots share no line: their writer and their reader are different machines. */
static size_t slot_stride(u32 entry_size)
{
	return ALIGN(sizeof(struct kxpc_slot) + (size_t)entry_size, KXPC_LINE);
}

/* Our own idea of the size, whatever the window says about itself. */
static size_t slot_offset(const struct kxpc_ring *ring, u32 index)
{
	return (index & (ring->nentries - 1)) * slot_stride(ring->entry_size);
}

/**
 * kxpc_window_size() - how much memory a window needs
 * @nentries: slots
 * @entry_size: longest record
 */
size_t kxpc_window_size(u32 nentries, u32 entry_size)
{
	return sizeof(struct kxpc_window) + nentries * slot_stride(entry_size);
}

/**
 * kxpc_window_init() - say what a window is, once
 * @own: the window, which nobody reads yet
 * @nentries: slots, a power of two
 * @entry_size: longest record
 */
void kxpc_window_init(struct kxpc_window *own, u32 nentries, u32 entry_size)
{
	memset(own, 0, sizeof(*own));
	own->magic = KXPC_WINDOW_MAGIC;
	own->version = KXPC_WINDOW_VERSION;
	own->nentries = nentries;
	own->entry_size = entry_size;
}

/**
 * kxpc_window_read() - read what the peer says about itself
 * @peer: the peer's window
 * @view: where to
 *
 * Return: false if the peer was changing its epoch meanwhile.  It rings when
 * it is done, so the caller need not try again.
 */
bool kxpc_window_read(const struct kxpc_window *peer, struct kxpc_view *view)
{
	u32 status;

	/* Pairs with kxpc_ring_announce(): all words are of this epoch. */
	view->epoch = virt_load_acquire(&peer->epoch);
	view->magic = READ_ONCE(peer->magic);
	view->version = READ_ONCE(peer->version);
	view->nentries = READ_ONCE(peer->nentries);
	view->entry_size = READ_ONCE(peer->entry_size);
	/*
	 * Pairs with the release in kxpc_window_status(): who sees that the
	 * peer has closed also sees whether it was paired before that, and
	 * the last record that it put.
	 */
	status = virt_load_acquire(&peer->status);
	view->state = status & 0xff;
	view->reason = status >> 8;
	/* Pairs with kxpc_window_pair(). */
	view->paired = virt_load_acquire(&peer->paired);

	/* Pairs with virt_wmb() in kxpc_ring_announce(). */
	virt_rmb();
	return READ_ONCE(peer->epoch) == view->epoch;
}

/**
 * kxpc_window_pair() - say which epoch of the peer we talk to
 * @own: our window
 * @peer_epoch: the peer's epoch
 */
void kxpc_window_pair(struct kxpc_window *own, u32 peer_epoch)
{
	/* Pairs with kxpc_window_read(). */
	virt_store_release(&own->paired, peer_epoch);
}

/**
 * kxpc_window_status() - say how we are
 * @own: our window
 * @state: enum kxpc_window_state
 * @reason: enum kxpc_reason
 *
 * Everything that was published before is seen by who sees this.
 */
void kxpc_window_status(struct kxpc_window *own, u32 state, u32 reason)
{
	/* Pairs with kxpc_window_read(). */
	virt_store_release(&own->status, state | reason << 8);
}

/**
 * kxpc_ring_reset() - empty both directions
 * @ring: the ring, which nobody uses
 */
void kxpc_ring_reset(struct kxpc_ring *ring)
{
	ring->put = 0;
	ring->acked = 0;
	ring->pulled = 0;
	ring->get = 0;
}

/**
 * kxpc_ring_announce() - begin a new epoch
 * @ring: the ring, unused since it was reset; the peer does not read records
 *	in our window
 * @epoch: the new epoch, not 0
 *
 * The peer may look at the control words all the same, at any time.  It takes
 * nothing for true that it read between the 0 and the new epoch, nor if the
 * epoch was another one before than after.
 */
void kxpc_ring_announce(struct kxpc_ring *ring, u32 epoch)
{
	struct kxpc_window *own = ring->own;

	WRITE_ONCE(own->epoch, 0);
	/* Pairs with virt_rmb() in kxpc_window_read() and kxpc_ring_copy(). */
	virt_wmb();

	WRITE_ONCE(own->put, 0);
	WRITE_ONCE(own->get, 0);
	WRITE_ONCE(own->paired, 0);
	WRITE_ONCE(own->status, KXPC_WINDOW_OPEN);
	/* Pairs with the acquire of the epoch in kxpc_window_read(). */
	virt_store_release(&own->epoch, epoch);
}

/* An index is impossible: is the peer bad, or is it another incarnation? */
static int impossible(const struct kxpc_ring *ring)
{
	return READ_ONCE(ring->peer->epoch) == ring->peer_epoch ?
		-EBADMSG : -ESTALE;
}

/**
 * kxpc_ring_room() - how many records may be sent
 * @ring: the ring
 *
 * Return: as many; -EBADMSG if the peer acked what was never sent, or took an
 * ack back; -ESTALE if the peer has begun another epoch.
 */
int kxpc_ring_room(struct kxpc_ring *ring)
{
	/*
	 * Pairs with kxpc_ring_ack(): the peer has done with a slot before we
	 * write to it again.
	 */
	u32 get = virt_load_acquire(&ring->peer->get);
	u32 used = ring->put - get;

	if (used > ring->put - ring->acked)
		return impossible(ring);

	ring->acked = get;
	return ring->nentries - used;
}

/**
 * kxpc_ring_used() - how many records were sent and not acked
 * @ring: the ring
 *
 * For people: also of a channel that is closed.
 */
u32 kxpc_ring_used(const struct kxpc_ring *ring)
{
	return min(ring->put - READ_ONCE(ring->peer->get),
		   ring->put - ring->acked);
}

/**
 * kxpc_ring_full() - is there no room?
 * @ring: the ring
 *
 * A hint that needs no lock, for conditions of waits.  Impossible indices are
 * "not full", so that whoever waits comes to see kxpc_ring_room() complain.
 */
bool kxpc_ring_full(const struct kxpc_ring *ring)
{
	/* Pairs with kxpc_ring_ack(). */
	return READ_ONCE(ring->put) - virt_load_acquire(&ring->peer->get) ==
		ring->nentries;
}

/**
 * kxpc_ring_slot() - where the next record goes
 * @ring: the ring, with room
 *
 * Return: room for entry_size bytes.
 */
void *kxpc_ring_slot(struct kxpc_ring *ring)
{
	struct kxpc_slot *slot;

	slot = (void *)ring->own->slots + slot_offset(ring, ring->put);
	return slot->data;
}

/**
 * kxpc_ring_publish() - send the record in the next slot
 * @ring: the ring
 * @len: the record's length
 */
void kxpc_ring_publish(struct kxpc_ring *ring, u32 len)
{
	struct kxpc_slot *slot;

	slot = (void *)ring->own->slots + slot_offset(ring, ring->put);
	slot->index = ring->put;
	slot->len = len;
	WRITE_ONCE(ring->put, ring->put + 1);
	/* Pairs with kxpc_ring_avail(): the record before its number. */
	virt_store_release(&ring->own->put, ring->put);
}

/**
 * kxpc_ring_avail() - how many records can be received
 * @ring: the ring
 *
 * Return: as many; -EBADMSG if the peer has overrun the window or gone back;
 * -ESTALE if it has begun another epoch.
 */
int kxpc_ring_avail(const struct kxpc_ring *ring)
{
	/* Pairs with kxpc_ring_publish(). */
	u32 put = virt_load_acquire(&ring->peer->put);
	u32 avail = put - ring->pulled;
	/*
	 * Read after put: the peer cannot have used an ack that we do not see
	 * here, as it had the ack before it put.
	 */
	u32 held = ring->pulled - READ_ONCE(ring->get);

	if (avail > ring->nentries - held)
		return impossible(ring);
	return avail;
}

/**
 * kxpc_ring_copy() - copy the next record out of the peer's window
 * @ring: the ring, with a record available
 * @buf: room for entry_size bytes
 *
 * Return: its length; -EBADMSG if there is no sense in it; -ESTALE if the
 * peer has begun another epoch, and what was copied is worth nothing.
 */
int kxpc_ring_copy(const struct kxpc_ring *ring, void *buf)
{
	const struct kxpc_slot *slot;
	u32 index, len;

	slot = (const void *)ring->peer->slots + slot_offset(ring, ring->pulled);
	index = READ_ONCE(slot->index);
	len = READ_ONCE(slot->len);
	if (index != ring->pulled || !len || len > ring->entry_size)
		return impossible(ring);
	memcpy(buf, slot->data, len);

	/*
	 * Pairs with virt_wmb() in kxpc_ring_announce(): a byte of another
	 * epoch shows that epoch, or 0, here.
	 */
	virt_rmb();
	if (READ_ONCE(ring->peer->epoch) != ring->peer_epoch)
		return -ESTALE;
	return len;
}

/**
 * kxpc_ring_ack() - a record was taken out: tell the peer that its slot is free
 * @ring: the ring
 */
void kxpc_ring_ack(struct kxpc_ring *ring)
{
	/*
	 * Pairs with rx_full() in io.c: the copy in the receive queue is
	 * not needed any more.
	 */
	smp_store_release(&ring->get, ring->get + 1);
	/* Pairs with kxpc_ring_room(). */
	virt_store_release(&ring->own->get, ring->get);
}
