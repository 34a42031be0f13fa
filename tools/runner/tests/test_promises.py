# SPDX-License-Identifier: GPL-2.0-only
"""The table of promises says what the sources say."""

import re
import unittest

import mutations
import paths


class Promises(unittest.TestCase):
    """Documentation/promises.rst, kunit/*_kunit.c and kunit/mutations."""

    def setUp(self):
        text = (paths.ROOT / "Documentation" / "promises.rst").read_text("utf-8")
        self.rows = {}
        suite = None
        for line in text.splitlines():
            named = re.match(r"Suite ``(\w+)``:", line)
            suite = named[1] if named else suite
            row = re.match(r"(\w+)  +(\S.*)$", line)
            if row and suite and row[1] != "case":
                self.rows[f"{suite}.{row[1]}"] = set(row[2].split(", "))

    def test_every_case_is_there(self):
        self.assertEqual(set(mutations.cases_in_sources()), set(self.rows))

    def test_mutations_are_those_of_the_lists(self):
        wanted = {}
        for mutation in mutations.load():
            for case in mutation.fails:
                wanted.setdefault(case, set()).add(mutation.name)
        self.assertEqual(wanted, self.rows)

    def test_mutations_apply(self):
        for mutation in mutations.load():
            text = (paths.ROOT / mutation.file).read_text("utf-8")
            with self.subTest(mutation.name):
                self.assertEqual(text.count(mutation.old), 1)
