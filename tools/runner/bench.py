# SPDX-License-Identifier: GPL-2.0-only
"""make bench: kpool beside its peers and the floor, held to its bars.

One boot of Debian's own kernel, with a clock that counts instructions, measures
all rows of tools/bench.  The results are kept in build/bench.
"""

import bars
import distro
import gates
import guest
import measures
import modules
import packages
import paths
import process
import qemu
import ui

SOURCES = (*modules.SOURCES, "tools/bench")
FOLDER = paths.BUILD / "bench"
TABLE = "performance-table.rst"
# What the guest's clock is: the processor's counter, and nothing that slows it.
CLOCK = {"tsc": "reliable"}


def bench(run, options):
    """Measure, print the table, and fail for each bar that is missed."""
    packages.require(packages.COMPILE + packages.BOOT, run.log("packages"))
    tree = distro.stock_kernel(run.log("kernel"))
    said = _boot(run, tree, options.rows)
    rows = measures.parse(document.text for document in said.benches)
    judged = bars.judge(rows, options.rows is None)
    table = list(bars.table(rows, judged))
    for line in table:
        ui.plain(line)
    _keep(tree, rows, judged, table)
    bars.pass_on(judged, run.verdict)


def _boot(run, tree, rows):
    built = modules.build(tree, "bench", run.log("modules-bench"), SOURCES,
                          arguments=("KPOOL_BENCH=m",))
    staged = guest.stage(tree.release, built, paths.BUILD / "stage" / "bench",
                         run.log("stage"))
    image = guest.build(staged, paths.BUILD / "stage" / "bench.cpio.gz")
    boot = qemu.boot(
        qemu.Guest(f"bench on {tree.release}", tree.image, image, "bench.sh",
                   {**CLOCK, **({"guest.rows": rows} if rows else {})},
                   cpus=2, seconds=3600, silent_seconds=900, counted=True),
        run.folder / "bench")
    return gates.judge(boot, gates.STOCK, run.verdict)


def _keep(tree, rows, judged, table):
    """The table, for people and with tabs, and what it was made of."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    version = process.answer(["qemu-system-x86_64", "--version"]) or ""
    head = [f"# kernel {tree.release}, 2 CPUs",
            f"# {version.splitlines()[0]} {' '.join(qemu.COUNTED)}",
            "# 1 ns is 1 instruction"]
    for name, lines in (("bench.tsv", bars.tsv(rows, judged)),
                        ("rounds.tsv", measures.lines(rows))):
        (FOLDER / name).write_text("\n".join([*head, *lines]) + "\n", "utf-8")
        ui.line(f"kept: {paths.shown(FOLDER / name)}")
    (FOLDER / TABLE).write_text(
        "::\n\n" + "".join(f"  {line}".rstrip() + "\n" for line in table),
        "utf-8")
