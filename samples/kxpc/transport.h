/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the engine asks of a machine: memory that its owner alone writes and
 * that others read, and a way to make another partition look at it.
 *
 * All of the protocol is in the windows (ring.h), so a transport never
 * allocates per record, and knows neither channels nor records.
 */
#ifndef KXPC_TRANSPORT_H
#define KXPC_TRANSPORT_H

#include <linux/types.h>

struct kxpc_transport;

/**
 * struct kxpc_handler - what is called when a partition was rung
 * @event: called in any context but NMI, must not sleep.  Rings may be
 *	coalesced, doubled or late: it only means "look again".
 */
struct kxpc_handler {
	void	(*event)(struct kxpc_handler *handler);
};

/**
 * struct kxpc_transport_ops - one partition's view of a transport
 * @own_window: the partition's window, to write
 * @peer_window: another partition's window, to read; NULL if there is none
 * @ring: make a partition look; any context but NMI, never sleeps or fails
 * @set_handler: whom to call for rings; NULL for nobody.  May sleep.  On
 *	return the former handler is not executing and will not be called.
 */
struct kxpc_transport_ops {
	void		*(*own_window)(struct kxpc_transport *tp);
	const void	*(*peer_window)(struct kxpc_transport *tp,
					unsigned int node);
	void		(*ring)(struct kxpc_transport *tp, unsigned int node);
	void		(*set_handler)(struct kxpc_transport *tp,
				       struct kxpc_handler *handler);
};

/**
 * struct kxpc_transport - one partition's end of a transport
 *
 * Constant.  Owned by the transport; it outlives every channel over it.
 *
 * @ops: see there
 * @own_id: the partition's number
 * @max_nodes: partition numbers are below this
 * @window_size: bytes in each window
 */
struct kxpc_transport {
	const struct kxpc_transport_ops	*ops;
	unsigned int			own_id;
	unsigned int			max_nodes;
	size_t				window_size;
};

/* loop.c: any number of partitions inside one kernel */
struct kxpc_loop;

struct kxpc_loop *kxpc_loop_create(unsigned int nr, size_t window_size);
void kxpc_loop_destroy(struct kxpc_loop *loop);
struct kxpc_transport *kxpc_loop_node(struct kxpc_loop *loop,
				      unsigned int node);

#endif /* KXPC_TRANSPORT_H */
