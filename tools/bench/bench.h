/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark: rows, sides, and samples.
 *
 * A row is one question, such as "how long from queueing to running?".  Its
 * sides are those who answer it: the floor, which is what the hardware and
 * the scheduler take without any facility, the peers, and kpool.  A row is
 * measured in rounds; in each round every side has one turn, so that what
 * changes while the system runs changes for all of them.
 *
 * Time is the processor's counter.  Under QEMU's -icount it counts the
 * instructions of all CPUs, and is the same on every machine.
 *
 * One row is measured at a time, by a thread of its own that is bound to
 * BENCH_CPU; all state of a row is that thread's.
 */
#ifndef _KPOOL_BENCH_H
#define _KPOOL_BENCH_H

#include <linux/completion.h>
#include <linux/kpool.h>
#include <linux/timex.h>
#include <linux/types.h>

#define BENCH_CPU	0	/* submits */
#define OTHER_CPU	1
#define MAX_METRICS	3
#define MAX_SAMPLES	1000	/* of one side in one round */

struct bench_row;

/* What one side has measured in one round. */
struct samples {
	unsigned int	n;			/* of each metric */
	u64		*value[MAX_METRICS];	/* MAX_SAMPLES of each */
};

struct bench_side {
	const char	*name;
	/* before the first round and after the last one, or NULL */
	int		(*begin)(const struct bench_row *row,
				 const struct bench_side *side);
	void		(*end)(const struct bench_side *side);
	/* one round; 0 or -errno */
	int		(*measure)(const struct bench_row *row,
				   const struct bench_side *side,
				   struct samples *samples);
	/* for some rows: queue the work with this number */
	void		(*queue)(const struct bench_side *side, unsigned int i);
	unsigned int	index;	/* of what it keeps, if there are several */
	unsigned int	n;
	unsigned int	flags;
};

struct bench_row {
	const char	*name;
	const char	*metric[MAX_METRICS];	/* up to the first NULL */
	unsigned int	rounds;
	unsigned int	n;	/* threads or works; what else, see the row */
	unsigned int	cpu;	/* where it runs */
	unsigned int	arg;
	const struct bench_side *side[8];	/* up to the first NULL */
};

/* Each ends with a row without a name. */
extern const struct bench_row ping_rows[];
extern const struct bench_row call_rows[];
extern const struct bench_row noop_rows[];
extern const struct bench_row burst_rows[];
extern const struct bench_row stop_rows[];
extern const struct bench_row pool_rows[];
extern const struct bench_row scale_rows[];
extern const struct bench_row memory_rows[];
extern const struct bench_row cancel_rows[];

static inline u64 now(void)
{
	return get_cycles();
}

void sample_add(struct samples *samples, u64 first, u64 second, u64 third);

/* A pool with a group, as many sides have. */
struct bench_pool {
	struct kpool		*pool;
	struct kpool_group	*group;
};

int bench_pool_begin(struct bench_pool *p, const char *name,
		     const struct kpool_params *params);
void bench_pool_end(struct bench_pool *p);
void bench_pause(void);

/* ping.c */
int ping_kpool_fn(struct kpool_work *work);
int ping_measure(const struct bench_row *row, const struct bench_side *side,
		 struct samples *samples);

#endif /* _KPOOL_BENCH_H */
