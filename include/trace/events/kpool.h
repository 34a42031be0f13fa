/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kpool

#if !defined(_TRACE_KPOOL_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_KPOOL_H

#include <linux/kpool.h>
#include <linux/tracepoint.h>

/**
 * kpool_create_failed - a thread that was needed could not be created
 * @pool: name of the pool
 * @err: why, a negative errno
 * @threads: threads of the pool without it
 * @pending: works that wait
 *
 * The spawner will try again, after a while that doubles up to a second.
 */
TRACE_EVENT(kpool_create_failed,

	TP_PROTO(const char *pool, int err, unsigned int threads,
		 unsigned int pending),

	TP_ARGS(pool, err, threads, pending),

	TP_STRUCT__entry(
		__array(char,		pool,	KPOOL_NAME_MAX + 1)
		__field(int,		err)
		__field(unsigned int,	threads)
		__field(unsigned int,	pending)
	),

	TP_fast_assign(
		strscpy(__entry->pool, pool, KPOOL_NAME_MAX + 1);
		__entry->err = err;
		__entry->threads = threads;
		__entry->pending = pending;
	),

	TP_printk("pool=%s err=%d threads=%u pending=%u", __entry->pool,
		  __entry->err, __entry->threads, __entry->pending)
);

#endif /* _TRACE_KPOOL_H */

#include <trace/define_trace.h>
