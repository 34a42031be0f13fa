// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints.  Exported, for modules that measure what their pools do.
 */
#include <linux/export.h>

#include "compat.h"
#include "internal.h"

#define CREATE_TRACE_POINTS
#include <trace/events/kpool.h>

EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_work_queue);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_work_requeue);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_work_cancel);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_work_tell);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_work_release);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_work_start);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_work_enter);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_work_end);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_thread_create);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_thread_created);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_create_failed);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_thread_park);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_thread_leave);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_tell_sent);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_group_state);
EXPORT_TRACEPOINT_SYMBOL_GPL(kpool_group_idle);
