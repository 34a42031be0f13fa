# SPDX-License-Identifier: GPL-2.0-only
"""Rewriting the tables of promises."""

import unittest

import promises
import ui

TABLE = """\
Text.

Suite ``s``:

====  =====================
case  noticed this mutation
====  =====================
b     old
gone  old
====  =====================

More.
"""


class Rewrite(unittest.TestCase):
    """rewritten()"""

    def test_keeps_the_order_and_adds_at_the_end(self):
        new = promises.rewritten(TABLE, {"s.a": ["x", "y"], "s.b": ["z"]})
        rows = [line.split() for line in new.splitlines()[6:]]
        self.assertEqual(rows[1:3], [["b", "z"], ["a", "x,", "y"]])
        self.assertNotIn("gone", new)
        self.assertTrue(new.startswith("Text."))
        self.assertTrue(new.endswith("\nMore.\n"))

    def test_says_that_nothing_notices(self):
        self.assertIn("b     none",
                      promises.rewritten(TABLE, {"s.b": []}))

    def test_is_stable(self):
        cases = {"s.b": ["z"], "s.a": ["x"]}
        once = promises.rewritten(TABLE, cases)
        self.assertEqual(promises.rewritten(once, cases), once)

    def test_wants_a_table_for_each_suite(self):
        with self.assertRaises(ui.Failure):
            promises.rewritten(TABLE, {"s.b": ["z"], "t.c": ["z"]})
