// SPDX-License-Identifier: GPL-2.0-only
/* Promise 12: a managed group ends when its driver is unbound. */
#include <kunit/device.h>
#include <linux/err.h>

#include "cancelcb_fixture.h"

static struct device *test_device(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "kpool-test");

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	return dev;
}

static struct kpool_group *managed(struct kunit *test, struct device *dev,
				   struct cancelcb *cb,
				   struct kpool_group *parent)
{
	struct kpool_group_params params = {
		.cancel = cancelcb_fn,
		.data = cb,
	};
	struct kpool_group *group;

	group = devm_kpool_group_create(dev, parent, "g", &params);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(group), "%pe", group);
	return group;
}

/* There is no group any more: its name is free. */
static void expect_gone(struct kunit *test, struct kpool *pool)
{
	struct kpool_group *group;

	group = kpool_group_create(kpool_root(pool), "g", NULL);
	KUNIT_EXPECT_EQ(test, 0, PTR_ERR_OR_ZERO(group));
	kpool_group_destroy(group);
}

static void destroyed_at_unbind(struct kunit *test)
{
	struct cancelcb *cb = cancelcb(test);
	struct kpool *pool = test_pool(test, 2, 2);
	struct device *dev = test_device(test);
	struct gated *g = gated_array(test, 3);
	struct kpool_group *group;

	group = managed(test, dev, cb, kpool_root(pool));
	expect_queued(test, group, g, 3);
	expect_started(test, g, 2);
	expect_calls(test, cb, 0);
	kunit_device_unregister(test, dev);
	KUNIT_EXPECT_EQ(test, 2, pool_idle(pool));
	expect_told(test, g, 2);
	expect_never_ran(test, &g[2], 1);
	expect_calls(test, cb, 1);
	expect_gone(test, pool);
}

static void child_goes_before_its_parent(struct kunit *test)
{
	struct cancelcb *above = cancelcb(test), *below = cancelcb(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct device *dev = test_device(test);
	struct gated *g = gated_array(test, 1);
	struct kpool_group *parent, *child;

	parent = managed(test, dev, above, kpool_root(pool));
	child = managed(test, dev, below, parent);
	expect_queued(test, child, g, 1);
	expect_started(test, g, 1);
	kunit_device_unregister(test, dev);
	expect_told(test, g, 1);
	expect_calls(test, above, 1);
	expect_calls(test, below, 1);
	KUNIT_EXPECT_LT(test, below->order, above->order);
	expect_gone(test, pool);
}

static void failure_leaves_nothing(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct device *dev = test_device(test);
	struct kpool_group *group;
	int after;

	/* each that there is, up to the last: what would destroy the group */
	for (after = 0; after < 10; after++) {
		fail_creations(test, after);
		group = devm_kpool_group_create(dev, kpool_root(pool), "g",
						NULL);
		fail_no_more();
		if (!IS_ERR(group))
			break;
		KUNIT_EXPECT_EQ(test, -ENOMEM, PTR_ERR(group));
		expect_gone(test, pool);
	}
	KUNIT_EXPECT_GE(test, after, 2);
	KUNIT_EXPECT_LT(test, after, 10);
	group = devm_kpool_group_create(dev, kpool_root(pool), "a/b", NULL);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(group));
	kunit_device_unregister(test, dev);
	expect_gone(test, pool);
}

static struct kunit_case devres_cases[] = {
	KUNIT_CASE(destroyed_at_unbind),
	KUNIT_CASE(child_goes_before_its_parent),
	KUNIT_CASE(failure_leaves_nothing),
	{}
};

static struct kunit_suite devres_suite = {
	.name = "kpool_devres",
	.test_cases = devres_cases,
};

kunit_test_suite(devres_suite);
