// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loop transport: partitions inside one kernel.
 *
 * Each window is mapped twice, writable for its owner and read-only for all
 * others.  The machines that XPC was made for enforce "one writer" in the
 * same way, and an engine that forgets the rule faults here, on its author's
 * desk.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "transport.h"

/*
 * One partition.  All fields but @handler are set at creation and constant.
 * @handler is written by set_handler(), which its one caller serialises, and
 * read by rings under RCU.
 */
struct loop_node {
	struct kxpc_transport		tp;
	struct kxpc_loop		*loop;
	void				*rw;	/* for the owner */
	void				*ro;	/* for all others */
	struct kxpc_handler __rcu	*handler;
};

/* Owned by its creator, who frees it when no channel uses it any more. */
struct kxpc_loop {
	unsigned int		nr;
	struct loop_node	node[];
};

static struct loop_node *to_node(struct kxpc_transport *tp)
{
	return container_of(tp, struct loop_node, tp);
}

static void *loop_own_window(struct kxpc_transport *tp)
{
	return to_node(tp)->rw;
}

static const void *loop_peer_window(struct kxpc_transport *tp,
				    unsigned int node)
{
	struct kxpc_loop *loop = to_node(tp)->loop;

	return node < loop->nr ? loop->node[node].ro : NULL;
}

static void loop_ring(struct kxpc_transport *tp, unsigned int node)
{
	struct kxpc_loop *loop = to_node(tp)->loop;
	struct kxpc_handler *handler;

	if (WARN_ON_ONCE(node >= loop->nr))
		return;

	rcu_read_lock();
	handler = rcu_dereference(loop->node[node].handler);
	if (handler)
		handler->event(handler);
	rcu_read_unlock();
}

static void loop_set_handler(struct kxpc_transport *tp,
			     struct kxpc_handler *handler)
{
	rcu_assign_pointer(to_node(tp)->handler, handler);
	/* A ring that still saw the former handler is over after this. */
	synchronize_rcu();
}

static const struct kxpc_transport_ops loop_ops = {
	.own_window	= loop_own_window,
	.peer_window	= loop_peer_window,
	.ring		= loop_ring,
	.set_handler	= loop_set_handler,
};

static void *map_read_only(void *rw, size_t size)
{
	unsigned int i, nr = size >> PAGE_SHIFT;
	struct page **pages;
	void *ro;

	pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;

	for (i = 0; i < nr; i++)
		pages[i] = vmalloc_to_page(rw + ((size_t)i << PAGE_SHIFT));
	ro = vmap(pages, nr, VM_MAP, PAGE_KERNEL_RO);
	kvfree(pages);
	return ro;
}

static int loop_node_init(struct kxpc_loop *loop, unsigned int id, size_t size)
{
	struct loop_node *node = &loop->node[id];

	node->loop = loop;
	node->tp.ops = &loop_ops;
	node->tp.own_id = id;
	node->tp.max_nodes = loop->nr;
	node->tp.window_size = size;

	node->rw = vzalloc(size);
	if (!node->rw)
		return -ENOMEM;
	node->ro = map_read_only(node->rw, size);
	return node->ro ? 0 : -ENOMEM;
}

/**
 * kxpc_loop_create() - make partitions inside this kernel
 * @nr: how many
 * @window_size: bytes in each window
 *
 * Return: the transport, or ERR_PTR(-ENOMEM).
 */
struct kxpc_loop *kxpc_loop_create(unsigned int nr, size_t window_size)
{
	struct kxpc_loop *loop;
	unsigned int i;

	loop = kzalloc(struct_size(loop, node, nr), GFP_KERNEL);
	if (!loop)
		return ERR_PTR(-ENOMEM);

	loop->nr = nr;
	window_size = PAGE_ALIGN(window_size);
	for (i = 0; i < nr; i++) {
		if (loop_node_init(loop, i, window_size)) {
			kxpc_loop_destroy(loop);
			return ERR_PTR(-ENOMEM);
		}
	}
	return loop;
}

/**
 * kxpc_loop_destroy() - free the partitions
 * @loop: the transport, used by no channel any more, or NULL
 */
void kxpc_loop_destroy(struct kxpc_loop *loop)
{
	unsigned int i;

	for (i = 0; loop && i < loop->nr; i++) {
		vunmap(loop->node[i].ro);
		vfree(loop->node[i].rw);
	}
	kfree(loop);
}

/**
 * kxpc_loop_node() - one partition's end of the transport
 * @loop: the transport
 * @node: the partition's number
 */
struct kxpc_transport *kxpc_loop_node(struct kxpc_loop *loop,
				      unsigned int node)
{
	return &loop->node[node].tp;
}
