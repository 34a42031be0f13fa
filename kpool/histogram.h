/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long things take, in histograms; while that is switched on.
 *
 * Off, each place below is a no-op instruction, and no clock is read.
 */
#ifndef _KPOOL_HISTOGRAM_H
#define _KPOOL_HISTOGRAM_H

#include <linux/jiffies.h>
#include <linux/jump_label.h>

#include "internal.h"

enum hist {
	HIST_QUEUED,	/* from the queueing to the call of the function */
	HIST_RUN,	/* from there until it returns */
	HIST_TELL,	/* from the tell to the end of the run */
	HIST_CREATE,	/* creation of a thread, by those that succeeded */
	NR_HISTS
};

/* Bucket 0 is below 1 us, bucket n from 2^(n-1) to 2^n us, the last all above. */
#define HIST_BUCKETS	32

/*
 * Of a pool; allocated when histograms are switched on, or by the creation of
 * a pool while they are, and freed with the pool.
 */
struct kpool_hists {
	u64	since;				/* I: what began before is left out */
	u64	n[NR_HISTS][HIST_BUCKETS];	/* L */
};

DECLARE_STATIC_KEY_FALSE(kpool_hist_key);

u32 hist_stamp(void);
u64 hist_clock(void);
void hist_commit(struct kpool_worker *worker, struct kpool_work *work);
void hist_enter(struct kpool_worker *worker);
void hist_tell(struct kpool_worker *worker);
void hist_end(struct kpool_worker *worker);
void hist_created(struct kpool *pool, u64 since);
void hist_pool_add(struct kpool *pool);
void hist_pool_free(struct kpool *pool);
int hist_switch(bool on);
unsigned long stamp_age(u32 stamp);
struct dentry;
void hist_debugfs_init(struct dentry *dir);

static __always_inline bool hist_on(void)
{
	return static_branch_unlikely(&kpool_hist_key);
}

/*
 * When a work was queued, in the four bytes that its structure has to spare.
 * Even: jiffies, 31 bits of them; odd: while histograms are on, 31 bits of a
 * clock in units of 1,024 ns, which come round in 36 minutes.
 */
static __always_inline u32 stamp_now(void)
{
	return hist_on() ? hist_stamp() : 2 * (u32)jiffies;
}

#endif /* _KPOOL_HISTOGRAM_H */
