# SPDX-License-Identifier: GPL-2.0-only
"""Results of suites: whole ones, and every way to be incomplete."""

import unittest

import ktap

GOOD = """\
KTAP version 1
1..1
    KTAP version 1
    # Subtest: kpool_work
    1..4
    ok 1 queues
    # fails: EXPECTATION FAILED at kunit/work_kunit.c:42
    Expected 1 == 2, but
    not ok 2 fails
        KTAP version 1
        # Subtest: sizes
        ok 1 one
        ok 2 two
    # sizes: pass:2 fail:0 skip:0 total:2
    ok 3 sizes
    ok 4 later # SKIP needs two CPUs
# kpool_work: pass:2 fail:1 skip:1 total:4
# Totals: pass:2 fail:1 skip:1 total:4
not ok 1 kpool_work
"""


class Parse(unittest.TestCase):
    """ktap.parse()"""

    def test_whole_document(self):
        suite = ktap.parse(GOOD)
        self.assertEqual(suite.name, "kpool_work")
        self.assertEqual([(case.name, case.status) for case in suite.subtests],
                         [("queues", ktap.PASSED), ("fails", ktap.FAILED),
                          ("sizes", ktap.PASSED), ("later", ktap.SKIPPED)])
        self.assertEqual(suite.subtests[3].reason, "needs two CPUs")
        self.assertEqual([test.name for test in suite.subtests[2].subtests],
                         ["one", "two"])
        self.assertIn("Expected 1 == 2, but", suite.subtests[1].notes)

    def test_name_with_dash(self):
        text = "KTAP version 1\n1..1\n    1..1\n    ok 1 - a\nok 1 - s\n"
        self.assertEqual(ktap.parse(text).subtests[0].name, "a")

    def refuse(self, text, why):
        with self.assertRaisesRegex(ktap.KtapError, why):
            ktap.parse(text)

    def test_empty(self):
        self.refuse("", "does not begin")

    def test_free_text(self):
        self.refuse("cat: no such file\n", "does not begin")

    def test_no_results(self):
        self.refuse("KTAP version 1\n1..0\n", "holds 0 suites")

    def test_cut_short(self):
        self.refuse("".join(GOOD.splitlines(True)[:7]), "middle of a suite")

    def test_case_is_missing(self):
        self.refuse(GOOD.replace("    ok 4 later # SKIP needs two CPUs\n", ""),
                    "planned 4 tests, ran 3")

    def test_case_out_of_order(self):
        self.refuse(GOOD.replace("    ok 1 queues\n", ""),
                    "is number 2, expected 1")

    def test_suite_without_plan(self):
        self.refuse(GOOD.replace("    1..4\n", ""), "has no plan")

    def test_two_documents(self):
        self.refuse(GOOD + GOOD, "is number 1, expected 2|holds 2|planned 1")
