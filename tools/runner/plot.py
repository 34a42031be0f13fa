# SPDX-License-Identifier: GPL-2.0-only
"""make bench-plot: pictures of what make bench has measured.

They are drawn by gnuplot from build/bench/rounds.tsv.  A row that is not there
is not in the picture; a panel without any row says so.
"""

import math
import re
import shutil
from dataclasses import dataclass, field

import bench
import measures
import packages
import paths
import process
import ui

KEPT = paths.ROOT / "Documentation" / "images"
WIDTH = 1080

# Colours that also those can tell apart who see fewer of them (Okabe and Ito),
# and points of different shapes.
LOOKS = {
    "kpool": ("#0072b2", 7),
    measures.FLOOR: ("#555555", 4),
    "kthread_stop": ("#d55e00", 9),
    "kthread_worker": ("#e69f00", 11),
    "workqueue unbound": ("#009e73", 13),
    "workqueue per CPU": ("#cc79a7", 5),
    "queue": ("#009e73", 5),
    "start": ("#d55e00", 9),
    "round": ("#0072b2", 7),
}
WORDS = {
    measures.FLOOR: "floor",
    "kthread_stop": "kthread_stop(), one by one",
    "queue": "the call of kpool_queue()",
    "start": "until it runs",
    "round": "until the caller knows",
}
KEY = "set key top left reverse Left"
INSTRUCTIONS = "instructions (= ns of the guest's clock)"


@dataclass
class Panel:
    """One pair of axes: settings of gnuplot, tables by name, what is drawn."""
    title: str
    x: str
    settings: list = field(default_factory=list)
    tables: dict = field(default_factory=dict)
    drawn: list = field(default_factory=list)


@dataclass
class Picture:
    """Panels side by side."""
    name: str
    title: str
    height: int
    left: float  # where the first panel begins, as part of the width
    y: str
    panels: list
    note: str = "medians of all rounds"


def plot(run, options):
    """Draw each picture, to build/bench or to where they are kept."""
    source = bench.FOLDER / "rounds.tsv"
    if not source.exists():
        raise ui.Failure("nothing was measured; type: make bench")
    packages.require(packages.PLOT, run.log("packages"))
    text = source.read_text("utf-8")
    rows = measures.parse([text])
    folder = KEPT if options.keep else bench.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    if options.keep:
        shutil.copy(bench.FOLDER / bench.TABLE, KEPT.parent)
    for picture in (teardown(rows), latency(rows), size(rows)):
        path = folder / f"{picture.name}.svg"
        script = run.folder / f"{picture.name}.gnuplot"
        script.write_text(gnuplot(picture, path, where(text)), "utf-8")
        if process.run(["gnuplot", script], run.log("gnuplot"), picture.name):
            run.verdict.fail(picture.name, "gnuplot failed",
                             run.log("gnuplot"))
            continue
        run.verdict.ok()
        ui.line(f"drawn: {paths.shown(path)}")
        for panel in picture.panels:
            if not panel.drawn:
                ui.line(f"    not measured: {panel.title}; type: make bench")


def where(text):
    """What it was measured on, from the head of a file of results."""
    kernel = re.search(r"(?m)^# kernel (\S+), (.*)", text)
    emulator = re.search(r"(?m)^# QEMU emulator version (\S+)", text)
    return ((f"Linux {kernel[1]}, {kernel[2]}" if kernel else "Linux")
            + (f", QEMU {emulator[1]} with -icount" if emulator else ""))


# ---------------------------------------------------------------------------
# The pictures

def teardown(rows):
    """How long it takes to stop, or to destroy, more and more threads."""
    return Picture("teardown", "Teardown: until the last of n threads is done",
                   430, 0.08, "ms of the guest's clock", [
        _teardown(rows, "stop works in msleep(20)", r"stop-msleep-(\d+)",
                  "all ended"),
        _teardown(rows, "stop works in msleep_interruptible()",
                  r"stop-interruptible-(\d+)", "all ended"),
        _teardown(rows, "destroy a pool of idle threads", r"pool-(\d+)",
                  "destroy")])


def latency(rows):
    """How long until a work runs on another CPU, and until that is known."""
    return Picture("latency", "Dispatch to an idle thread of another CPU",
                   380, 0.15, "", [
        _bars(rows, "from queueing until the function runs", "start"),
        _bars(rows, "round trip: until the caller runs again", "round")],
                   "medians of all rounds, and from the minimum to the 90th"
                   " percentile")


def size(rows):
    """What one dispatch costs in pools that are bigger and bigger."""
    return Picture("size", "What a dispatch costs in pools of different size",
                   430, 0.08, INSTRUCTIONS, [
        _scale(rows, "a ping, more threads", "threads", "threads of the pool"),
        _scale(rows, "a ping, more groups", "groups", "groups of the pool"),
        _noops(rows)])


# ---------------------------------------------------------------------------
# Their panels

def _numbered(rows, pattern, metric):
    """The rows whose name has a number: of (number, sides), in order."""
    found = {int(match[1]): sides for (row, other), sides in rows.items()
             if other == metric and (match := re.fullmatch(pattern, row))}
    return sorted(found.items())


def _by_side(found, scale=1):
    """{side: its points}, of (number, sides)."""
    lines = {}
    for number, sides in found:
        for side in sides.values():
            lines.setdefault(side.side, []).append(
                (number, side.median / scale))
    return lines


def _teardown(rows, title, pattern, metric):
    lines = _by_side(_numbered(rows, pattern, metric), 1e6)
    panel = Panel(title, "threads", ["set logscale xy", KEY])
    _draw_lines(panel, lines)
    values = [y for points in lines.values() for _, y in points]
    if values:
        low = math.floor(math.log10(min(values)))
        high = math.ceil(math.log10(max(values)))
        panel.settings += [
            _tics("y", [10.0 ** i for i in range(low, high + 1)]),
            # above it is the key
            f"set yrange [{min(values) / 1.5}:{10 ** high * 10}]"]
    return panel


def _scale(rows, title, row, x):
    lines = {}
    for metric in ("round", "start", "queue"):
        for side in rows.get((row, metric), {}).values():
            lines.setdefault(metric, []).append(
                (int(side.side.split()[0]), side.median))
    panel = Panel(title, x, ["set logscale x", KEY])
    _draw_lines(panel, lines)
    _from_zero(panel, lines)
    return panel


def _noops(rows):
    lines = _by_side(_numbered(rows, r"noop-(\d+)x1", "item"))
    panel = Panel("one of 50,000 works that do nothing", "threads of the pool",
                  ["set logscale x", KEY])
    _draw_lines(panel, lines)
    _from_zero(panel, lines)
    return panel


def _from_zero(panel, lines):
    values = [y for points in lines.values() for _, y in points]
    if values:
        # above them is the key, a line for each
        top = max(values) * (1.25 + 0.14 * len(lines))
        panel.settings += [_tics("y", _steps(top)), f"set yrange [0:{top}]"]


def _steps(top):
    """Round numbers from 0 to @top, about six."""
    step = 10 ** math.floor(math.log10(top / 5))
    step *= next(times for times in (1, 2, 5, 10) if step * times >= top / 7)
    return range(0, int(top) + 1, int(max(step, 1)))


def _tics(axis, values):
    return f"set {axis}tics (" + ", ".join(
        f"'{value:,.{0 if value >= 1 or not value else 1}f}' {value}"
        for value in values) + ")"


def _draw_lines(panel, lines):
    """A line with points for each side, kpool on top of the others."""
    ticks = sorted({x for points in lines.values() for x, _ in points})
    if not ticks:
        return
    panel.settings += [_tics("x", ticks),
                       f"set xrange [{ticks[0] / 1.5}:{ticks[-1] * 1.5}]"]
    for number, name in enumerate(_in_order(lines)):
        color, point = LOOKS.get(name, ("#000000", 1))
        panel.tables[f"line{number}"] = sorted(lines[name])
        panel.drawn.append(
            f"$line{number} using 1:2 with linespoints lc rgb '{color}'"
            f" pt {point} ps 0.8 lw 2 title {_quoted(WORDS.get(name, name))}")


def _in_order(names):
    """kpool last, so that it is drawn on top."""
    return sorted(names, key=lambda name: name == "kpool")


def _bars(rows, title, metric):
    """One bar for each side: its median, and from the minimum to 90 %."""
    sides = list(rows.get(("ping-cross", metric), {}).values())
    panel = Panel(title, INSTRUCTIONS,
                  ["unset key", "set ytics scale 0", "set grid x noy"])
    if not sides:
        return panel
    sides.sort(key=lambda side: side.median, reverse=True)
    most = max(side.quantile(0.9) for side in sides)
    panel.settings += [
        "set ytics (" + ", ".join(
            f"{_quoted(WORDS.get(side.side, side.side))} {i}"
            for i, side in enumerate(sides)) + ")",
        f"set yrange [-0.6:{len(sides) - 0.4}]",
        _tics("x", _steps(most)), f"set xrange [0:{most * 1.2}]"]
    for i, side in enumerate(sides):
        color, _ = LOOKS.get(side.side, ("#000000", 1))
        middle, low, high = side.median, side.minimum, side.quantile(0.9)
        panel.tables[f"bar{i}"] = [(middle, i, low, max(high, middle))]
        panel.drawn += [
            f"$bar{i} using ($1/2):2:(0):1:($2-0.3):($2+0.3) with boxxyerror"
            f" fs solid 0.75 noborder lc rgb '{color}' notitle",
            f"$bar{i} using 1:2:3:4 with xerrorbars pt 0 lw 1.5"
            " lc rgb '#000000' notitle",
            f"$bar{i} using 4:2:({_quoted(f' {middle:,.0f}')}) with labels"
            " left offset 0.6,0 notitle"]
    return panel


# ---------------------------------------------------------------------------
# What gnuplot is told

def gnuplot(picture, path, place):
    """The script that draws @picture into the file @path."""
    note = f"{place}; {picture.note}"
    lines = [f"set terminal svg size {WIDTH},{picture.height}"
             " noenhanced font 'sans-serif,13' background '#ffffff'",
             f"set output {_quoted(path)}",
             "set decimalsign '.'", "set border 3 lc rgb '#555555'",
             "set grid y lc rgb '#dddddd' lt 1", "set bars 0.6",
             f"set label 1 {_quoted(note)} at screen 0.99, screen 0.035 right"
             " tc rgb '#555555' font ',11'",
             f"set label 2 {_quoted(picture.y)} at screen 0.015, screen 0.53"
             " center rotate by 90",
             f"set multiplot layout 1,{len(picture.panels)}"
             f" title {_quoted(picture.title)} font ',17'"
             f" margins screen {picture.left},0.98,0.26,0.80"
             f" spacing screen {picture.left - 0.01}"]
    for number, panel in enumerate(picture.panels):
        lines += _panel(panel, number)
        # once for the whole picture
        lines += ["unset label 1", "unset label 2"]
    return "\n".join([*lines, "unset multiplot"]) + "\n"


def _panel(panel, number):
    yield from ("unset logscale", "unset xrange", "unset yrange")
    yield f"set title {_quoted(panel.title)} font ',13'"
    yield f"set xlabel {_quoted(panel.x)}"
    if not panel.drawn:
        yield from ("set xrange [0:1]", "set yrange [0:1]", "unset tics",
                    "set label 3 'not measured' at graph 0.5, graph 0.5 center",
                    "plot NaN notitle", "unset label 3")
        return
    yield from (f"set {axis}tics nomirror out scale 0.7 tc rgb '#222222'"
                for axis in "xy")
    yield from panel.settings
    for name, table in panel.tables.items():
        yield f"${name}_{number} << END"
        yield from (" ".join(map(str, row)) for row in table)
        yield "END"
    yield "plot " + ", \\\n     ".join(
        re.sub(r"^\$(\w+)", rf"$\1_{number}", drawn) for drawn in panel.drawn)


def _quoted(text):
    """In quotes in which nothing but they themselves means anything."""
    return "'" + str(text).replace("'", "''") + "'"
