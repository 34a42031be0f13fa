// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows on demand:
 *
 *	# cat /sys/kernel/debug/kpool_bench/rows
 *	# echo ping-cross >/sys/kernel/debug/kpool_bench/run
 *	# cat /sys/kernel/debug/kpool_bench/run
 *
 * The result is lines of words with tabs between.  For each round, side and
 * metric:
 *
 *	row metric side round samples minimum median maximum
 *
 * and, where a round has many samples, for each side and metric how they are
 * distributed, in steps of 50:
 *
 *	hist row metric side value:count ...
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "bench.h"

#define TEXT_SIZE	BIT(20)
#define MAX_SIDES	ARRAY_SIZE(((struct bench_row *)NULL)->side)
#define STEP		50
#define MAX_NAME	40

static const struct bench_row * const all_rows[] = {
	ping_rows, call_rows, noop_rows, burst_rows, stop_rows, pool_rows,
	scale_rows, memory_rows, cancel_rows,
};

/* Under run_lock. */
static DEFINE_MUTEX(run_lock);
static char *text;
static size_t text_len;
static struct dentry *dir;

static __printf(1, 2) void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	text_len += vscnprintf(text + text_len, TEXT_SIZE - text_len, fmt,
			       args);
	va_end(args);
}

/* One more, of each metric that the row has. */
void sample_add(struct samples *samples, u64 first, u64 second, u64 third)
{
	if (WARN_ON_ONCE(samples->n == MAX_SAMPLES))
		return;
	samples->value[0][samples->n] = first;
	samples->value[1][samples->n] = second;
	samples->value[2][samples->n] = third;
	samples->n++;
}

/* Let what was woken go to sleep again. */
void bench_pause(void)
{
	ktime_t time = ns_to_ktime(50 * NSEC_PER_USEC);

	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_hrtimeout(&time, HRTIMER_MODE_REL);
}

int bench_pool_begin(struct bench_pool *p, const char *name,
		     const struct kpool_params *params)
{
	p->pool = kpool_create(name, params);
	if (IS_ERR(p->pool))
		return PTR_ERR(p->pool);
	p->group = kpool_group_create(kpool_root(p->pool), "bench", NULL);
	if (IS_ERR(p->group)) {
		kpool_destroy(p->pool);
		return PTR_ERR(p->group);
	}
	return 0;
}

void bench_pool_end(struct bench_pool *p)
{
	kpool_group_destroy(p->group);
	kpool_destroy(p->pool);
}

/* ------------------------------------------------------------------------
 * Results
 */

/* The samples of all rounds of a row, by side and metric; sorted at the end. */
struct history {
	u64		*value[MAX_SIDES][MAX_METRICS];
	unsigned int	n[MAX_SIDES];
};

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void report_round(const struct bench_row *row, unsigned int side,
			 unsigned int round, struct samples *samples,
			 struct history *history)
{
	unsigned int m, n = samples->n;

	for (m = 0; m < MAX_METRICS && row->metric[m]; m++) {
		u64 *value = samples->value[m];

		memcpy(history->value[side][m] + history->n[side], value,
		       n * sizeof(*value));
		sort(value, n, sizeof(*value), by_value, NULL);
		say("%s\t%s\t%s\t%u\t%u\t%llu\t%llu\t%llu\n", row->name,
		    row->metric[m], row->side[side]->name, round, n, value[0],
		    value[n / 2], value[n - 1]);
	}
	history->n[side] += n;
}

static void report_histogram(const char *row, const char *metric,
			     const char *side, u64 *value, unsigned int n)
{
	unsigned int i, count = 0;

	sort(value, n, sizeof(*value), by_value, NULL);
	say("hist\t%s\t%s\t%s", row, metric, side);
	for (i = 0; i < n; i++) {
		count++;
		if (i + 1 < n && value[i + 1] / STEP == value[i] / STEP)
			continue;
		say("\t%llu:%u", value[i] / STEP * STEP, count);
		count = 0;
	}
	say("\n");
}

static void report_history(const struct bench_row *row,
			   struct history *history)
{
	unsigned int s, m;

	for (s = 0; s < MAX_SIDES && row->side[s]; s++) {
		if (history->n[s] <= row->rounds)
			continue;
		for (m = 0; m < MAX_METRICS && row->metric[m]; m++)
			report_histogram(row->name, row->metric[m],
					 row->side[s]->name,
					 history->value[s][m], history->n[s]);
	}
}

/* ------------------------------------------------------------------------
 * One row
 */

static int history_alloc(const struct bench_row *row, struct history *history)
{
	size_t size = row->rounds * MAX_SAMPLES * sizeof(u64);
	unsigned int s, m;

	for (s = 0; s < MAX_SIDES && row->side[s]; s++) {
		for (m = 0; m < MAX_METRICS && row->metric[m]; m++) {
			history->value[s][m] = vzalloc(size);
			if (!history->value[s][m])
				return -ENOMEM;
		}
	}
	return 0;
}

static void history_free(struct history *history)
{
	unsigned int s, m;

	for (s = 0; s < MAX_SIDES; s++)
		for (m = 0; m < MAX_METRICS; m++)
			vfree(history->value[s][m]);
}

static int measure_rounds(const struct bench_row *row, struct samples *samples,
			  struct history *history)
{
	unsigned int round, s;
	int err;

	for (round = 0; round < row->rounds; round++) {
		for (s = 0; s < MAX_SIDES && row->side[s]; s++) {
			samples->n = 0;
			err = row->side[s]->measure(row, row->side[s],
						    samples);
			if (err) {
				pr_err("%s: %s: %pe\n", row->name,
				       row->side[s]->name, ERR_PTR(err));
				return err;
			}
			if (samples->n)
				report_round(row, s, round, samples, history);
		}
	}
	return 0;
}

static int measure_sides(const struct bench_row *row, struct samples *samples,
			 struct history *history)
{
	unsigned int s;
	int err = 0;

	for (s = 0; s < MAX_SIDES && row->side[s]; s++) {
		if (!row->side[s]->begin)
			continue;
		err = row->side[s]->begin(row, row->side[s]);
		if (err) {
			pr_err("%s: %s does not begin: %pe\n", row->name,
			       row->side[s]->name, ERR_PTR(err));
			break;
		}
	}
	if (!err)
		err = measure_rounds(row, samples, history);
	while (s--)
		if (row->side[s]->end)
			row->side[s]->end(row->side[s]);
	return err;
}

static int measure_row(const struct bench_row *row)
{
	struct history *history = kzalloc(sizeof(*history), GFP_KERNEL);
	struct samples samples = { };
	unsigned int m;
	int err = -ENOMEM;

	if (!history)
		return -ENOMEM;
	samples.value[0] = vzalloc(MAX_METRICS * MAX_SAMPLES * sizeof(u64));
	if (samples.value[0]) {
		for (m = 1; m < MAX_METRICS; m++)
			samples.value[m] = samples.value[0] + m * MAX_SAMPLES;
		err = history_alloc(row, history);
	}
	if (!err)
		err = measure_sides(row, &samples, history);
	if (!err)
		report_history(row, history);
	history_free(history);
	vfree(samples.value[0]);
	kfree(history);
	return err;
}

/* ------------------------------------------------------------------------
 * debugfs
 */

static const struct bench_row *find_row(const char *name)
{
	const struct bench_row *row;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all_rows); i++)
		for (row = all_rows[i]; row->name; row++)
			if (!strcmp(row->name, name))
				return row;
	return NULL;
}

static int rows_show(struct seq_file *m, void *unused)
{
	const struct bench_row *row;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all_rows); i++)
		for (row = all_rows[i]; row->name; row++)
			seq_printf(m, "%s\n", row->name);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(rows);

struct request {
	const struct bench_row	*row;
	struct completion	done;
	int			err;
};

/* Bound, so that the submitter is always on the same CPU. */
static int measure_thread(void *data)
{
	struct request *request = data;

	request->err = measure_row(request->row);
	kthread_complete_and_exit(&request->done, 0);
}

static int run_row(const struct bench_row *row)
{
	struct request request = { .row = row };
	struct task_struct *task;

	init_completion(&request.done);
	task = kthread_create(measure_thread, &request, "bench");
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, BENCH_CPU);
	wake_up_process(task);
	wait_for_completion(&request.done);
	return request.err;
}

static ssize_t run_write(struct file *file, const char __user *buf,
			 size_t size, loff_t *pos)
{
	const struct bench_row *row;
	char name[MAX_NAME];
	int err;

	if (!size || size > sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, buf, size))
		return -EFAULT;
	name[size - 1] = '\0';	/* the end of the line */
	row = find_row(name);
	if (!row)
		return -ENOENT;
	mutex_lock(&run_lock);
	text_len = 0;
	err = run_row(row);
	mutex_unlock(&run_lock);
	return err ?: size;
}

static ssize_t run_read(struct file *file, char __user *buf, size_t size,
			loff_t *pos)
{
	ssize_t ret;

	mutex_lock(&run_lock);
	ret = simple_read_from_buffer(buf, size, pos, text, text_len);
	mutex_unlock(&run_lock);
	return ret;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.read = run_read,
	.write = run_write,
};

static int __init bench_init(void)
{
	text = vzalloc(TEXT_SIZE);
	if (!text)
		return -ENOMEM;
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("rows", 0400, dir, NULL, &rows_fops);
	debugfs_create_file("run", 0600, dir, NULL, &run_fops);
	return 0;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	/* on return nobody is in the files */
	debugfs_remove(dir);
	vfree(text);
}
module_exit(bench_exit);

MODULE_DESCRIPTION("Measures kpool beside its peers and the floor");
MODULE_AUTHOR("The kpool developers");
MODULE_LICENSE("GPL");
