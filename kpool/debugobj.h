/* SPDX-License-Identifier: GPL-2.0-only */
/* Debug objects: a work that is freed or initialised again while in use. */
#ifndef _KPOOL_DEBUGOBJ_H
#define _KPOOL_DEBUGOBJ_H

#include <linux/types.h>

struct kpool_work;

#ifdef CONFIG_DEBUG_OBJECTS
void debug_work_init(struct kpool_work *work, bool onstack);
void debug_work_activate(struct kpool_work *work);
void debug_work_deactivate(struct kpool_work *work);
#else
static inline void debug_work_init(struct kpool_work *work, bool onstack) { }
static inline void debug_work_activate(struct kpool_work *work) { }
static inline void debug_work_deactivate(struct kpool_work *work) { }
#endif

#endif /* _KPOOL_DEBUGOBJ_H */
