// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

#include "../kpool/compat.h"

MODULE_DESCRIPTION("KUnit suites of kpool");
MODULE_AUTHOR("The kpool developers");
MODULE_LICENSE("GPL");
KPOOL_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
