# SPDX-License-Identifier: GPL-2.0-only
"""The bars that kpool is held to, and the table that shows it."""

from dataclasses import dataclass

import measures

KPOOL = "kpool"
BEST_PEER = "best peer"


@dataclass(frozen=True)
class Bar:
    """What one figure must not be above.

    @against: a side of the same row, or the best peer, whose multiple the limit
    is; None: the limit is a number.
    """
    row: str
    metric: str
    limit: float
    against: str = measures.FLOOR
    of: str = "median"  # or minimum
    side: str = KPOOL


BARS = (
    Bar("ping-cross", "start", 1.09),
    Bar("ping-cross", "start", 1.0, BEST_PEER),
    Bar("ping-cross", "round", 1.07),
    Bar("call", "round", 1.0, "workqueue per CPU", "minimum"),
    Bar("call", "round", 1.15, "workqueue per CPU"),
    Bar("noop-8x1", "item", 260, None),
    Bar("burst-cold", "all run", 1.03),
    Bar("burst-warm", "all run", 1.05),
    Bar("stop-msleep-256", "all ended", 1.1),
    Bar("stop-interruptible-256", "all ended", 1.15),
    Bar("pool-256", "destroy", 1.05),
    Bar("threads", "start", 1.05, "8 threads", side="4096 threads"),
    Bar("groups", "start", 1.05, "1 group", side="1000 groups"),
    Bar("size", "bytes", 96, None),
)


@dataclass
class Judged:
    """A bar beside what was measured."""
    bar: Bar
    value: float = None
    limit: float = None
    spread_of: str = ""  # whose made the limit what it is
    against: str = ""

    @property
    def name(self):
        of = "" if self.bar.of == "median" else f", {self.bar.of}"
        return f"{self.bar.row}, {self.bar.metric}{of}: {self.bar.side}"

    @property
    def met(self):
        return self.value is not None and self.value <= self.limit

    @property
    def widened(self):
        return self.limit is not None and self.limit > self.bar.limit

    @property
    def why(self):
        if self.value is None:
            return "was not measured"
        return (f"{_figure(self)} is above the bar, {_limit(self)}"
                f" {'of ' + self.against if self.against else ''}".rstrip())


def peers(sides):
    """Those that are neither the floor nor of kpool."""
    return [side for name, side in sides.items()
            if name != measures.FLOOR and not name.startswith(KPOOL)]


def best_peer(sides):
    """The peer with the least median, or None."""
    return min(peers(sides), key=lambda side: side.median, default=None)


def judge(rows, all_rows):
    """Each bar whose row was measured, or, with @all_rows, each bar."""
    return [_judge(bar, rows) for bar in BARS
            if all_rows or (bar.row, bar.metric) in rows]


def _judge(bar, rows):
    sides = rows.get((bar.row, bar.metric), {})
    side = sides.get(bar.side)
    if not side:
        return Judged(bar)
    if bar.against is None:
        return Judged(bar, getattr(side, bar.of), bar.limit)
    other = (best_peer(sides) if bar.against == BEST_PEER
             else sides.get(bar.against))
    if not other:
        return Judged(bar)
    if bar.of == "minimum":
        return Judged(bar, side.least_ratio(other), bar.limit,
                      against=other.side)
    # A margin that is less than how the floor itself varies proves nothing.
    still = sides.get(measures.FLOOR, other)
    limit = bar.limit
    if bar.limit > 1:
        limit = max(bar.limit, 1 + still.spread)
    return Judged(bar, side.ratio(other), limit, still.side, other.side)


def pass_on(judged, verdict):
    """Each bar counts as a check, and one that is missed as a failure."""
    for one in judged:
        if one.met:
            verdict.ok()
        else:
            verdict.fail(one.name, one.why)


def _figure(judged):
    return (f"{judged.value:.0f}" if judged.bar.against is None
            else f"{judged.value:.3f} x")


def _limit(judged):
    return (f"{judged.limit:.0f}" if judged.bar.against is None
            else f"{judged.limit:.2f} x"
            + (f" (widened: spread of {judged.spread_of})" if judged.widened
               else ""))


def table(rows, judged):
    """For people: what was measured, then what it is held to."""
    yield ""
    yield from _columns(list(_measured(rows)), "<>>>>")
    yield ""
    yield from _columns([("bar", "measured", "limit", ""),
                         *map(_held, judged)], "<><<")
    yield ""


def _measured(rows):
    yield "", "median", "minimum", "spread", "ratio"
    for (row, metric), sides in rows.items():
        yield (f"{row}, {metric}",)
        reference = sides.get(measures.FLOOR) or next(iter(sides.values()))
        for side in sides.values():
            yield (f"    {side.side}", f"{side.median:,.0f}",
                   f"{side.minimum:,.0f}", f"{side.spread:.1%}",
                   f"{side.ratio(reference):.3f}")


def _held(judged):
    return (judged.name,
            "none" if judged.value is None else _figure(judged),
            "" if judged.limit is None else _limit(judged),
            ("met" if judged.met else "MISSED")
            + (f", to {judged.against}" if judged.against else ""))


def _columns(lines, sides):
    """Lines of cells, as wide as the widest of their column, and apart."""
    widths = [max(len(line[i]) for line in lines if i < len(line))
              for i in range(len(sides))]
    for line in lines:
        yield "  ".join(f"{cell:{side}{width}}" for cell, side, width
                        in zip(line, sides, widths)).rstrip()


def tsv(rows, judged):
    """The same, as words with tabs between."""
    yield ("row\tmetric\tside\tmedian\tminimum\tspread\tratio to floor"
           "\tbest peer\tratio to it")
    for (row, metric), sides in rows.items():
        floor, peer = sides.get(measures.FLOOR), best_peer(sides)
        for side in sides.values():
            yield "\t".join((
                row, metric, side.side, f"{side.median:.0f}",
                f"{side.minimum:.0f}", f"{side.spread:.4f}",
                f"{side.ratio(floor):.4f}" if floor else "",
                peer.side if peer else "",
                f"{side.ratio(peer):.4f}" if peer else ""))
    yield "bar\tmetric\tside\tof\tto\tvalue\tlimit\tmet"
    for one in judged:
        bar = one.bar
        yield "\t".join((
            bar.row, bar.metric, bar.side, bar.of, one.against,
            "" if one.value is None else f"{one.value:.4f}",
            "" if one.limit is None else f"{one.limit:.4f}",
            "met" if one.met else "missed"))
