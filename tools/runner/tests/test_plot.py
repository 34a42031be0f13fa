# SPDX-License-Identifier: GPL-2.0-only
"""What gnuplot is told to draw."""

import unittest

import measures
import plot


def rows(*lines):
    """Of lines: row metric side median."""
    return measures.parse(
        "\t".join((row, metric, side, "0", "1", median, median, median))
        for row, metric, side, median in
        (line.split("|") for line in lines))


class Panels(unittest.TestCase):
    """plot.teardown(), latency() and size()"""

    def test_nothing_was_measured(self):
        for draw in (plot.teardown, plot.latency, plot.size):
            picture = draw(measures.Rows())
            script = plot.gnuplot(picture, "x.svg", "")
            with self.subTest(picture.name):
                self.assertFalse(any(panel.drawn for panel in picture.panels))
                self.assertEqual(script.count("not measured"),
                                 len(picture.panels))

    def test_lines_are_in_order_of_the_numbers(self):
        stop, *others = plot.teardown(rows(
            "stop-msleep-1000|all ended|kpool|3000000",
            "stop-msleep-64|all ended|kpool|2000000",
            "stop-msleep-64|all ended|floor|1000000")).panels
        self.assertEqual(stop.tables, {"line0": [(64, 1.0)],
                                       "line1": [(64, 2.0), (1000, 3.0)]})
        self.assertIn("title 'floor'", stop.drawn[0])
        self.assertIn("title 'kpool'", stop.drawn[1])
        self.assertFalse(any(panel.drawn for panel in others))

    def test_bars_are_best_first(self):
        start, _ = plot.latency(rows("ping-cross|start|kpool|7",
                                     "ping-cross|start|floor|5")).panels
        # they are drawn from below
        self.assertEqual(start.tables, {"bar0": [(7, 0, 7, 7)],
                                        "bar1": [(5, 1, 5, 5)]})

    def test_sizes(self):
        threads, groups, noops = plot.size(rows(
            "threads|start|8 threads|6000", "threads|start|64 threads|6001",
            "groups|round|1 group|6000", "noop-8x1|item|kpool|200",
            "noop-8x2|item|kpool|300")).panels
        self.assertEqual(threads.tables, {"line0": [(8, 6000), (64, 6001)]})
        self.assertEqual(groups.tables, {"line0": [(1, 6000)]})
        self.assertEqual(noops.tables, {"line0": [(8, 200)]})


class Words(unittest.TestCase):
    """What stands in the pictures"""

    def test_where(self):
        self.assertEqual(
            plot.where("# kernel 6.12.1-amd64, 2 CPUs\n"
                       "# QEMU emulator version 7.2 (Debian 7.2) -accel tcg\n"),
            "Linux 6.12.1-amd64, 2 CPUs, QEMU 7.2 with -icount")
        self.assertEqual(plot.where(""), "Linux")

    def test_quotes(self):
        picture = plot.Picture("p", "it's $5", 1, 0.1, "", [
            plot.Panel("a 'b'", "x")])
        script = plot.gnuplot(picture, "/tmp/o'brien.svg", "")
        self.assertIn("title 'it''s $5'", script)
        self.assertIn("'/tmp/o''brien.svg'", script)
        self.assertIn("set title 'a ''b'''", script)
