# SPDX-License-Identifier: GPL-2.0-only
"""Figures from what a guest might have written."""

import unittest

import measures


def side(*medians, name="kpool", histogram=None):
    """A side with these medians, one for each round."""
    return measures.Measure("r", "m", name, {
        number: (10, median - 1, median, median + 1)
        for number, median in enumerate(medians)}, histogram or {})


class Parse(unittest.TestCase):
    """measures.parse() and measures.lines()"""

    TEXT = ("ping\tstart\tfloor\t0\t200\t90\t100\t300\n"
            "ping\tstart\tkpool\t0\t200\t100\t110\t900\n"
            "ping\tstart\tfloor\t1\t200\t80\t102\t300\n"
            "hist\tping\tstart\tfloor\t50:30\t100:170\n")

    def test_rounds(self):
        rows = measures.parse([self.TEXT])
        floor = rows.find("ping", "start", "floor")
        self.assertEqual(floor.rounds, {0: (200, 90, 100, 300),
                                        1: (200, 80, 102, 300)})
        self.assertEqual(floor.histogram, {50: 30, 100: 170})
        self.assertEqual(rows.find("ping", "start", "kpool").histogram, {})

    def test_sides_are_in_order(self):
        rows = measures.parse([self.TEXT])
        self.assertEqual(list(rows[("ping", "start")]), ["floor", "kpool"])

    def test_many_documents(self):
        rows = measures.parse([self.TEXT, "call\tround\tkpool\t0\t1\t1\t2\t3"])
        self.assertEqual(list(rows), [("ping", "start"), ("call", "round")])

    def test_other_lines(self):
        rows = measures.parse(["", "# kernel 6.12\n\n",
                               "bar\tmetric\tside\tof\tto\tvalue\tlimit\n"])
        self.assertEqual(rows, {})

    def test_what_is_not_there(self):
        rows = measures.parse([self.TEXT])
        self.assertIsNone(rows.find("ping", "start", "workqueue"))
        self.assertIsNone(rows.find("pong", "start", "floor"))

    def test_what_was_kept_is_the_same(self):
        rows = measures.parse([self.TEXT])
        kept = "\n".join(["# a comment", *measures.lines(rows)])
        self.assertTrue(kept.splitlines()[1].startswith("row\tmetric\tside"))
        self.assertEqual(measures.parse([kept]), rows)

    def test_nonsense_is_no_figure(self):
        with self.assertRaises(ValueError):
            measures.parse(["ping\tstart\tfloor\t0\t200\tfew\t100\t300\n"])


class Statistics(unittest.TestCase):
    """measures.Measure"""

    def test_median_of_the_rounds(self):
        self.assertEqual(side(5, 100, 7).median, 7)
        self.assertEqual(side(5, 8).median, 6.5)

    def test_minimum_of_all(self):
        self.assertEqual(side(50, 40, 60).minimum, 39)

    def test_spread_of_few_is_all(self):
        self.assertAlmostEqual(side(90, 100, 120).spread, 0.3)
        self.assertEqual(side(100).spread, 0)

    def test_spread_leaves_out_the_ends(self):
        medians = [1, 96, *[100] * 16, 104, 10000]
        self.assertAlmostEqual(side(*medians).spread, 0)
        medians = [1, 2, 96, *[100] * 14, 104, 9999, 10000]
        self.assertAlmostEqual(side(*medians).spread, 0.08)

    def test_spread_of_nothing(self):
        self.assertEqual(side(0, 0).spread, 0)

    def test_ratio_is_of_each_round(self):
        # one ratio of two medians would be 1
        self.assertEqual(side(100, 200, 300).ratio(side(200, 100, 150)), 2)

    def test_ratio_of_rounds_in_common(self):
        one, other = side(100, 200, 300), side(100)
        self.assertEqual(one.ratio(other), 1)

    def test_ratio_without_a_round_in_common(self):
        other = measures.Measure("r", "m", "o", {7: (1, 50, 50, 50)})
        self.assertEqual(side(100).ratio(other), 2)

    def test_least_ratio(self):
        self.assertEqual(side(101, 500).least_ratio(side(51, 300)), 2)

    def test_quantile_of_the_samples(self):
        many = side(10, histogram={0: 10, 50: 80, 100: 5, 150: 5})
        for part, value in ((0.1, 0), (0.5, 50), (0.9, 50), (0.95, 100),
                            (1.0, 150)):
            with self.subTest(part):
                self.assertEqual(many.quantile(part), value)

    def test_quantile_of_the_rounds(self):
        self.assertEqual(side(30, 10, 20, 40).quantile(0.5), 20)
