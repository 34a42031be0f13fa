// SPDX-License-Identifier: GPL-2.0-only
/* What the tests see of the inside; only in kernels with KUnit. */
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/module.h>

#include "compat.h"
#include "internal.h"
#include "testpoint.h"

void (*kpool_test_hook)(enum kpool_test_point point, struct kpool *pool);
KPOOL_EXPORT_KUNIT(kpool_test_hook);

/* for comparison with a slow model of it */
KPOOL_EXPORT_KUNIT(next_group);

struct module * const kpool_test_module = THIS_MODULE;
KPOOL_EXPORT_KUNIT(kpool_test_module);
