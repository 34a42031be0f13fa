/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a pool's groups should look like, by the definitions and without any
 * of the product's bookkeeping: slow, for comparison.
 */
#ifndef _KPOOL_KUNIT_MODEL_H
#define _KPOOL_KUNIT_MODEL_H

#include "helpers.h"

#define MODEL_GROUPS	12

/* All groups of a pool, parents first, so the root is the first. */
struct model {
	struct kpool *pool;
	struct kpool_group *groups[MODEL_GROUPS];
	unsigned int n;
};

void model_init(struct model *m, struct kpool *pool);
struct kpool_group *model_add(struct kunit *test, struct model *m,
			      struct kpool_group *parent, int max_active,
			      int reserve);

/*
 * Compare, under the lock: NULL, or what is wrong.  Right after any operation,
 * unless a hook or a release function is called, or a group destroyed.
 */
const char *model_check(struct model *m);

#endif /* _KPOOL_KUNIT_MODEL_H */
