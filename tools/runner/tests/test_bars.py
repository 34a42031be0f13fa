# SPDX-License-Identifier: GPL-2.0-only
"""What kpool is held to, and how that is shown."""

import unittest
from unittest import mock

import bars
import gates
import measures
import paths
from bars import Bar


def rows(**sides):
    """One row, r, with a metric, m: names of sides, with medians of rounds."""
    text = "".join(f"r\tm\t{name.replace('_', ' ')}\t{i}\t1\t{n}\t{n}\t{n}\n"
                   for name, medians in sides.items()
                   for i, n in enumerate(medians))
    return measures.parse([text])


class Judge(unittest.TestCase):
    """bars.judge()"""

    def judge(self, bar, all_rows=False, **sides):
        with mock.patch.object(bars, "BARS", (bar,)):
            judged = bars.judge(rows(**sides), all_rows)
        self.assertEqual(len(judged), 1)
        return judged[0]

    def test_met(self):
        one = self.judge(Bar("r", "m", 1.1), floor=[100], kpool=[110])
        self.assertEqual((one.met, one.value, one.against),
                         (True, 1.1, "floor"))

    def test_missed(self):
        one = self.judge(Bar("r", "m", 1.1), floor=[100], kpool=[111])
        self.assertFalse(one.met)
        self.assertEqual(one.name, "r, m: kpool")
        self.assertEqual(one.why,
                         "1.110 x is above the bar, 1.10 x of floor")

    def test_missed_is_a_failure_that_names_it(self):
        one = self.judge(Bar("r", "m", 1.1), floor=[100], kpool=[111])
        verdict = gates.Verdict(show=lambda text: None)
        bars.pass_on([one], verdict)
        self.assertEqual((verdict.passed, verdict.failed), (0, 1))
        self.assertRegex(verdict.failures[0], r"r, m: kpool: 1\.110 x is above")

    def test_met_is_no_failure(self):
        one = self.judge(Bar("r", "m", 1.1), floor=[100], kpool=[100])
        verdict = gates.Verdict(show=lambda text: None)
        bars.pass_on([one], verdict)
        self.assertEqual((verdict.passed, verdict.failed), (1, 0))

    def test_each_round_for_itself(self):
        one = self.judge(Bar("r", "m", 1.1), floor=[100, 200, 300],
                         kpool=[210, 420, 100])
        self.assertEqual(one.value, 2.1)

    def test_widened_to_the_floors_spread(self):
        bar = Bar("r", "m", 1.1)
        one = self.judge(bar, floor=[90, 100, 110], kpool=[104, 115, 127])
        self.assertTrue(one.met and one.widened)
        self.assertAlmostEqual(one.limit, 1.2)
        one = self.judge(bar, floor=[90, 100, 110], kpool=[110, 130, 140])
        self.assertFalse(one.met)
        self.assertEqual(one.why, "1.273 x is above the bar, 1.20 x "
                         "(widened: spread of floor) of floor")

    def test_not_widened(self):
        one = self.judge(Bar("r", "m", 1.1), floor=[99, 100, 101], kpool=[100])
        self.assertFalse(one.widened)
        self.assertEqual(one.limit, 1.1)

    def test_as_fast_as_another_is_never_widened(self):
        one = self.judge(Bar("r", "m", 1.0), floor=[50, 100, 150],
                         kpool=[51, 101, 151])
        self.assertFalse(one.met or one.widened)

    def test_spread_of_the_other_where_there_is_no_floor(self):
        one = self.judge(Bar("r", "m", 1.1, "wq"), wq=[90, 100, 110],
                         kpool=[90, 100, 110])
        self.assertAlmostEqual(one.limit, 1.2)
        self.assertEqual(one.spread_of, "wq")

    def test_best_peer(self):
        bar = Bar("r", "m", 1.0, bars.BEST_PEER)
        sides = {"floor": [10], "kpool": [21], "kpool_sync": [15],
                 "slow": [30], "fast": [20]}
        one = self.judge(bar, **sides)
        self.assertEqual((one.met, one.value, one.against),
                         (False, 1.05, "fast"))
        self.assertEqual(one.why, "1.050 x is above the bar, 1.00 x of fast")
        self.assertTrue(self.judge(bar, **{**sides, "kpool": [20]}).met)

    def test_no_peer(self):
        one = self.judge(Bar("r", "m", 1.0, bars.BEST_PEER), floor=[1],
                         kpool=[1])
        self.assertFalse(one.met)

    def test_minimum(self):
        bar = Bar("r", "m", 1.0, "wq", "minimum")
        one = self.judge(bar, wq=[100, 300], kpool=[400, 100])
        self.assertEqual((one.met, one.value), (True, 1.0))
        self.assertEqual(one.name, "r, m, minimum: kpool")
        self.assertFalse(self.judge(bar, wq=[100], kpool=[101]).met)

    def test_number(self):
        bar = Bar("r", "m", 260, None)
        one = self.judge(bar, floor=[1], kpool=[250, 260, 270])
        self.assertEqual((one.met, one.value), (True, 260))
        one = self.judge(bar, kpool=[261])
        self.assertFalse(one.met)
        self.assertEqual(one.why, "261 is above the bar, 260")

    def test_side_of_the_same_row(self):
        bar = Bar("r", "m", 1.05, "8 threads", side="4096 threads")
        one = self.judge(bar, **{"8_threads": [100], "4096_threads": [106]})
        self.assertFalse(one.met)
        self.assertEqual(one.name, "r, m: 4096 threads")

    def test_missing_row(self):
        bar = Bar("other", "m", 1.1)
        one = self.judge(bar, True, floor=[100], kpool=[100])
        self.assertFalse(one.met)
        self.assertEqual((one.name, one.why),
                         ("other, m: kpool", "was not measured"))
        with mock.patch.object(bars, "BARS", (bar,)):
            self.assertEqual(bars.judge(rows(kpool=[1]), False), [])

    def test_missing_side(self):
        for sides in ({"floor": [1]}, {"kpool": [1]}):
            one = self.judge(Bar("r", "m", 1.1), **sides)
            self.assertFalse(one.met)
            self.assertEqual(one.why, "was not measured")

    def test_nothing_was_measured(self):
        judged = bars.judge(measures.parse([]), True)
        self.assertEqual(len(judged), len(bars.BARS))
        self.assertFalse(any(one.met for one in judged))


class Shown(unittest.TestCase):
    """bars.table() and bars.tsv()"""

    BARS = (Bar("r", "m", 1.1), Bar("r", "m", 1.15, "wq", "minimum"),
            Bar("r", "m", 12345678, None), Bar("gone", "m", 1.1))

    def setUp(self):
        self.rows = rows(floor=[90_000_000_000, 100_000_000_000,
                                110_000_000_000],
                         a_side_with_a_very_long_name_of_many_words=[1],
                         wq=[100], kpool=[111_000_000_000])
        with mock.patch.object(bars, "BARS", self.BARS):
            self.judged = bars.judge(self.rows, True)

    def lines(self, begin):
        """Those from the one that begins with @begin, to an empty one."""
        shown = list(bars.table(self.rows, self.judged))
        first = next(i for i, line in enumerate(shown)
                     if line.startswith(begin))
        return shown[first:shown.index("", first)]

    def test_columns_are_apart(self):
        head, *lines = self.lines("bar ")
        for number, name in enumerate(("measured", "limit")):
            at = [head.index(name), head.index(name) + len(name)][number == 0]
            for line in lines:
                with self.subTest(line, column=name):
                    self.assertEqual(line[at:at + 2] if number == 0
                                     else line[at - 2:at], "  ")

    def test_cells(self):
        _, *lines = self.lines("bar ")
        cells = [[cell.strip() for cell in line.split("  ") if cell.strip()]
                 for line in lines]
        self.assertEqual(cells, [
            ["r, m: kpool", "1.233 x",
             "1.20 x (widened: spread of floor)", "MISSED, to floor"],
            ["r, m, minimum: kpool", "1110000000.000 x", "1.15 x",
             "MISSED, to wq"],
            ["r, m: kpool", "111000000000", "12345678", "MISSED"],
            ["gone, m: kpool", "none", "MISSED"]])

    def test_long_names_and_figures_do_not_touch(self):
        shown = list(bars.table(self.rows, []))
        line = next(line for line in shown if "many words" in line)
        self.assertRegex(line, r"many words +1 +1 +0\.0% +0\.000$")
        line = next(line for line in shown if "floor" in line)
        self.assertRegex(
            line, r"floor +100,000,000,000  +90,000,000,000 +20\.0% +1\.000$")

    def test_tsv(self):
        lines = [line.split("\t") for line in bars.tsv(self.rows, self.judged)]
        self.assertEqual({len(line) for line in lines[:5]}, {9})
        self.assertEqual({len(line) for line in lines[5:]}, {8})
        self.assertEqual(lines[6], ["r", "m", "kpool", "median", "floor",
                                    "1.2333", "1.2000", "missed"])
        self.assertEqual(lines[9], ["gone", "m", "kpool", "median", "", "", "",
                                    "missed"])

    def test_every_bar_is_shown(self):
        judged = bars.judge(measures.parse([]), True)
        shown = "\n".join(bars.table({}, judged))
        for bar in bars.BARS:
            self.assertIn(f"{bar.row}, {bar.metric}", shown)


class Bars(unittest.TestCase):
    """bars.BARS"""

    def test_each_is_of_a_row_that_there_is(self):
        sources = "".join(path.read_text("utf-8") for path in
                          (paths.ROOT / "tools" / "bench").glob("*.c"))
        for bar in bars.BARS:
            # macros put the numbers of a name behind it
            stem = bar.row.rstrip("0123456789x")
            with self.subTest(bar.row):
                self.assertIn(f'"{stem.partition("-")[0]}', sources)
                self.assertIn(f'"{bar.metric}"', sources)
