// SPDX-License-Identifier: GPL-2.0-only
/* Names and parameters that are refused, each with its one error. */
#include <linux/err.h>
#include <linux/string.h>

#include "helpers.h"

static const struct kpool_params one_thread = {
	.min_threads = 1,
	.max_threads = 1,
};

static void expect_name_free(struct kunit *test, const char *name)
{
	struct kpool *pool = kpool_create(name, &one_thread);

	KUNIT_EXPECT_FALSE_MSG(test, IS_ERR(pool), "%s: %pe", name, pool);
	KUNIT_EXPECT_EQ(test, 0, kpool_destroy(pool));
}

struct bad_pool {
	const char *what;
	const char *name;
	struct kpool_params params;
};

static const struct bad_pool bad_pools[] = {
	{ "no threads", "input", { .max_threads = 0 } },
	{ "negative max_threads", "input", { .max_threads = -1 } },
	{ "too many threads", "input", { .max_threads = KPOOL_MAX_THREADS + 1 } },
	{ "negative min_threads", "input",
	  { .min_threads = -1, .max_threads = 1 } },
	{ "min above max", "input", { .min_threads = 2, .max_threads = 1 } },
	{ "negative idle_timeout", "input",
	  { .max_threads = 1, .idle_timeout = -1 } },
	{ "negative max_queued", "input",
	  { .max_threads = 1, .max_queued = -1 } },
	{ "no name", NULL, { .max_threads = 1 } },
	{ "empty name", "", { .max_threads = 1 } },
	{ "long name", "0123456789abcdef0123456789abcdef",
	  { .max_threads = 1 } },
	{ "slash in name", "a/b", { .max_threads = 1 } },
	{ "blank in name", "a b", { .max_threads = 1 } },
	{ "dot before name", ".a", { .max_threads = 1 } },
	{ "newline in name", "a\n", { .max_threads = 1 } },
	{ "not ASCII", "caf\xc3\xa9", { .max_threads = 1 } },
};

KUNIT_ARRAY_PARAM_DESC(bad_pool, bad_pools, what);

static void bad_pool_is_einval(struct kunit *test)
{
	const struct bad_pool *bad = test->param_value;
	struct kpool *pool = kpool_create(bad->name, &bad->params);

	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL), pool);
	kpool_destroy(pool);
}

static void pool_without_params_is_einval(struct kunit *test)
{
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    kpool_create("input", NULL));
	expect_name_free(test, "input");
}

static void longest_name_is_good(struct kunit *test)
{
	expect_name_free(test, "0123456789abcdef0123456789abcde");
}

static void taken_pool_name_is_eexist(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	char name[KPOOL_NAME_MAX + 1];

	strscpy(name, pool->name, sizeof(name));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EEXIST),
			    kpool_create(name, &one_thread));
	test_pool_destroy(test, pool);
	expect_name_free(test, name);
}

struct bad_group {
	const char *what;
	const char *name;
	struct kpool_group_params params;
};

static const struct bad_group bad_groups[] = {
	{ "negative max_active", "input", { .max_active = -1 } },
	{ "negative max_queued", "input", { .max_queued = -1 } },
	{ "no name", NULL, { } },
	{ "empty name", "", { } },
	{ "long name", "0123456789abcdef0123456789abcdef", { } },
	{ "slash in name", "a/b", { } },
	{ "blank in name", "a b", { } },
	{ "dot before name", ".a", { } },
};

KUNIT_ARRAY_PARAM_DESC(bad_group, bad_groups, what);

static void bad_group_is_einval(struct kunit *test)
{
	const struct bad_group *bad = test->param_value;
	struct kpool_group *root = kpool_root(test_pool(test, 0, 1));
	struct kpool_group *group;

	group = kpool_group_create(root, bad->name, &bad->params);
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL), group);
	kpool_group_destroy(group);
}

static void bad_parent_is_einval(struct kunit *test)
{
	struct kpool_group *deep = kpool_root(test_pool(test, 0, 1));
	int level;

	for (level = 1; level < KPOOL_GROUP_LEVELS; level++)
		deep = test_subgroup(test, deep, "a", NULL);
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    kpool_group_create(NULL, "b", NULL));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    kpool_group_create(ERR_PTR(-ENOMEM), "b", NULL));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    kpool_group_create(deep, "b", NULL));
}

static void taken_group_name_is_eexist(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct kpool *other = test_pool(test, 0, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);

	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EEXIST),
			    kpool_group_create(kpool_root(pool), "a", NULL));
	test_group(test, other, "a", 0, 0);
	test_group_destroy(test, group);
	test_group(test, pool, "a", 0, 0);
}

static void group_below_stopped_is_eshutdown(struct kunit *test)
{
	struct kpool_group *root = kpool_root(test_pool(test, 0, 1));

	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(root, DEADLINE));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ESHUTDOWN),
			    kpool_group_create(root, "a", NULL));
}

static void root_is_not_destroyed(struct kunit *test)
{
	struct kpool_group *root = kpool_root(test_pool(test, 1, 1));
	struct gated *g = gated_array(test, 1);

	KUNIT_EXPECT_EQ(test, -EINVAL, kpool_group_destroy(root));
	gated_open(g);
	expect_queued(test, root, g, 1);
	expect_over(test, g, 1);
}

static void destroy_ignores_errors(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, kpool_destroy(NULL));
	KUNIT_EXPECT_EQ(test, 0, kpool_destroy(ERR_PTR(-ENOMEM)));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_destroy(NULL));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_destroy(ERR_PTR(-EINTR)));
}

static struct kunit_case input_cases[] = {
	KUNIT_CASE_PARAM(bad_pool_is_einval, bad_pool_gen_params),
	KUNIT_CASE(pool_without_params_is_einval),
	KUNIT_CASE(longest_name_is_good),
	KUNIT_CASE(taken_pool_name_is_eexist),
	KUNIT_CASE_PARAM(bad_group_is_einval, bad_group_gen_params),
	KUNIT_CASE(bad_parent_is_einval),
	KUNIT_CASE(taken_group_name_is_eexist),
	KUNIT_CASE(group_below_stopped_is_eshutdown),
	KUNIT_CASE(root_is_not_destroyed),
	KUNIT_CASE(destroy_ignores_errors),
	{}
};

static struct kunit_suite input_suite = {
	.name = "kpool_input",
	.test_cases = input_cases,
};

kunit_test_suite(input_suite);
