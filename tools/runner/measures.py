# SPDX-License-Identifier: GPL-2.0-only
"""What the benchmark's guest says, and the statistics of it.

A measure is what one side has of one metric in one row: a figure for each
round, which is the median of the samples of that round.
"""

from collections import Counter
from dataclasses import dataclass, field
from statistics import median

FLOOR = "floor"
HEAD = ("row", "metric", "side", "round", "samples", "minimum", "median",
        "maximum")


@dataclass
class Measure:
    """Of one side; rounds maps the number of a round to its figures."""
    row: str
    metric: str
    side: str
    rounds: dict = field(default_factory=dict)  # number: (n, min, mid, max)
    histogram: dict = field(default_factory=dict)  # from: count

    @property
    def minimum(self):
        return min(figures[1] for figures in self.rounds.values())

    @property
    def median(self):
        return median(figures[2] for figures in self.rounds.values())

    @property
    def spread(self):
        """From the 10th to the 90th percentile of the rounds, as a fraction."""
        figures = sorted(figures[2] for figures in self.rounds.values())
        edge = len(figures) // 10
        width = figures[len(figures) - 1 - edge] - figures[edge]
        return width / self.median if self.median else 0.0

    def quantile(self, part):
        """What a @part of all samples is not above, as far as it was kept."""
        counts = self.histogram or Counter(
            figures[2] for figures in self.rounds.values())
        left = part * sum(counts.values())
        for value in sorted(counts):
            left -= counts[value]
            if left <= 0:
                break
        return value

    def ratio(self, other):
        """To @other: the median of the ratios of each round."""
        both = self.rounds.keys() & other.rounds.keys()
        if not both:
            return self.median / other.median
        return median(self.rounds[number][2] / other.rounds[number][2]
                      for number in both)

    def least_ratio(self, other):
        """To @other, of the minima of all rounds."""
        return self.minimum / other.minimum


class Rows(dict):
    """Measures by (row, metric), each a dictionary by side, in order."""

    def find(self, row, metric, side):
        return self.get((row, metric), {}).get(side)


def parse(texts):
    """The measures in the texts of tools/bench/main.c, or those of lines()."""
    rows = Rows()
    for text in texts:
        for line in text.splitlines():
            words = line.split("\t")
            if words[0] == "hist":
                measure = _measure(rows, *words[1:4])
                measure.histogram = {
                    int(start): int(count) for start, _, count in
                    (word.partition(":") for word in words[4:])}
            elif len(words) == len(HEAD) and words != list(HEAD):
                measure = _measure(rows, *words[:3])
                measure.rounds[int(words[3])] = tuple(map(int, words[4:]))
    return rows


def _measure(rows, row, metric, side):
    sides = rows.setdefault((row, metric), {})
    return sides.setdefault(side, Measure(row, metric, side))


def lines(rows):
    """All rounds, and the histograms, as words with tabs between."""
    yield "\t".join(HEAD)
    for sides in rows.values():
        for measure in sides.values():
            for number, figures in measure.rounds.items():
                yield "\t".join(map(str, (measure.row, measure.metric,
                                          measure.side, number, *figures)))
    for sides in rows.values():
        for measure in sides.values():
            if measure.histogram:
                yield "\t".join(
                    ("hist", measure.row, measure.metric, measure.side,
                     *(f"{start}:{count}"
                       for start, count in measure.histogram.items())))
