/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports that a case provokes on purpose: it announces them to whoever reads
 * the console, and finds them in the kernel log, so that it fails if they do
 * not come.
 */
#ifndef _KPOOL_KUNIT_KMSG_H
#define _KPOOL_KUNIT_KMSG_H

#include <linux/kmsg_dump.h>
#include <linux/printk.h>
#include <linux/string.h>

#define REPORT_BEGIN	"kpool-expect-begin: "
#define REPORT_END	"kpool-expect-end"

/* From here to report_end() a report is expected that matches @regex. */
static inline void report_begin(const char *regex)
{
	pr_info(REPORT_BEGIN "%s\n", regex);
}

static inline void report_end(void)
{
	pr_info(REPORT_END "\n");
}

/* How many lines of the log since the last report_begin() have this in them. */
static inline unsigned int report_lines(const char *what)
{
	struct kmsg_dump_iter iter;
	unsigned int n = 0;
	char line[256];
	size_t len;

	kmsg_dump_rewind(&iter);
	while (kmsg_dump_get_line(&iter, false, line, sizeof(line) - 1, &len)) {
		line[len] = '\0';
		if (strstr(line, REPORT_BEGIN))
			n = 0;
		else if (strstr(line, what))
			n++;
	}
	return n;
}

#endif /* _KPOOL_KUNIT_KMSG_H */
