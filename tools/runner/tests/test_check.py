# SPDX-License-Identifier: GPL-2.0-only
"""Which suites have to run."""

import tempfile
import unittest
from pathlib import Path

import check
import mutations
import ui

SOURCE = """\
static struct kunit_case cases[] = {
	KUNIT_CASE(one),
	{}
};

static struct kunit_suite one = {
	.name = "kpool_one",
	.test_cases = cases,
};

static struct kunit_suite two = {
	.init = init,
	.name	= "kpool_two",
};
"""


class Suites(unittest.TestCase):
    """check.suites_in()"""

    def test_found(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "a.c").write_text(SOURCE)
            Path(folder, "b.c").write_text("int x;\n")
            self.assertEqual({"kpool_one", "kpool_two"},
                             check.suites_in(Path(folder), "*.c"))

    def test_none(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(ui.Failure, "no KUnit suite"):
                check.suites_in(Path(folder), "*.c")

    def test_each_splat_has_a_boot(self):
        cases = {case for case in mutations.cases_in_sources()
                 if case.startswith("kpool_splat.")}
        self.assertEqual(cases, {plan.case for plan in check.SPLATS})
