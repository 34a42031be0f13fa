// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of pools and groups.
 */
#include <linux/ctype.h>
#include <linux/string.h>

#include "internal.h"

/* Of what the caller calls a name; at most one more than may be. */
int name_len(const char *name)
{
	return name ? strnlen(name, KPOOL_NAME_MAX + 1) : 0;
}

/* A name becomes part of thread names and of paths. */
bool name_is_valid(const char *name)
{
	int len = name_len(name), i;

	if (!len || len > KPOOL_NAME_MAX || name[0] == '.')
		return false;
	for (i = 0; i < len; i++)
		if (!isascii(name[i]) || !isgraph(name[i]) || name[i] == '/')
			return false;
	return true;
}
