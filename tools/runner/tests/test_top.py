# SPDX-License-Identifier: GPL-2.0-only
"""tools/kpool-top, over files as the kernel writes them."""

import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import paths

TOP = paths.ROOT / "tools" / "kpool-top"

POOL = {"min_threads": 1, "max_threads": 4, "max_active": 0, "max_queued": 0,
        "idle_timeout_ms": 30000, "nr_threads": 2, "nr_idle": 0, "over": 0,
        "nr_running": 2, "nr_pending": 3, "nr_created": 5, "nr_failed": 0,
        "creating_since_ms": 0, "busy": 1, "state": "open"}
GROUP = {"max_active": 1, "max_queued": 9, "nr_running": 1, "nr_pending": 3,
         "busy": 1, "state": "stopped"}
WORKS = """\
kpool/t1/0[77] D t1: fast_fn [mod] for 3 jiffies
    fast_fn+0x1/0x2 [mod]
kpool/t1/1[78] S t1/a/b: slow_fn [mod] (release function) for 900 jiffies, \
signalled, awaited by 2
"""
LATENCY = """\
pool t1
    below_us     queued        run       told    created
           1          2          3          0          0
           2          0          4          0          1
"""


ON_A_TERMINAL = """\
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
"""


def load():
    """The program, as a module."""
    loader = importlib.machinery.SourceFileLoader("kpool_top", str(TOP))
    spec = importlib.util.spec_from_loader("kpool_top", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def record(folder, values):
    """Write files with one value each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n", "ascii")


class Top(unittest.TestCase):
    """What it reads, and what it shows."""

    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.root = Path(held.name)
        self.pool = self.root / "sys/kernel/kpool/t1"
        record(self.pool, POOL)
        record(self.pool / "groups/a", GROUP)
        record(self.pool / "groups/a/groups/b", GROUP)
        self.debug = self.root / "sys/kernel/debug/kpool"
        record(self.debug / "t1", {"works": WORKS})
        record(self.debug, {"latency": LATENCY})
        self.top = load()

    def test_groups_have_paths(self):
        pool, = self.top.look(self.root)["pools"]
        self.assertEqual([g["name"] for g in pool["groups"]], ["a", "a/b"])
        self.assertEqual(pool["groups"][1]["max_queued"], 9)

    def test_oldest_work_comes_first(self):
        pool, = self.top.look(self.root)["pools"]
        old, new = pool["works"]
        self.assertEqual((old["function"], old["age"], old["told"]),
                         ("slow_fn", 900, "signalled"))
        self.assertEqual((old["group"], old["pid"], old["state"]),
                         ("t1/a/b", 78, "S"))
        self.assertEqual((new["function"], new["told"]), ("fast_fn", ""))

    def test_rates_need_two_looks(self):
        before = self.top.look(self.root)
        record(self.pool, {"nr_created": 9})
        record(self.debug, {"latency": LATENCY.replace("  4  ", " 24  ")})
        after = self.top.look(self.root)
        self.assertEqual(after["pools"][0]["runs"], 27)
        line = self.top.lines(after, before, 2)[1].split()
        self.assertEqual(line[-2:], ["2.0", "10.0"])
        line = self.top.lines(after, None, 0)[1].split()
        self.assertEqual(line[-2:], ["-", "-"])

    def test_trouble_is_shown(self):
        record(self.pool, {"creating_since_ms": 700, "nr_failed": 3, "over": 2})
        text = "\n".join(self.top.lines(self.top.look(self.root), None, 0))
        self.assertIn("wanted for 700 ms, 3 creations have failed", text)
        self.assertIn("2 threads over the limit", text)

    def test_without_debugfs(self):
        (self.debug / "t1" / "works").unlink()
        (self.debug / "latency").unlink()
        seen = self.top.look(self.root)
        self.assertIsNone(seen["pools"][0]["works"])
        self.assertIn("  (what runs is for root to see)",
                      self.top.lines(seen, None, 0))

    def test_pool_that_goes_meanwhile(self):
        (self.root / "sys/kernel/kpool/t2").mkdir()
        self.assertEqual(len(self.top.look(self.root)["pools"]), 1)

    def run_top(self, *options):
        return subprocess.run([TOP, "--root", self.root, *options],
                              capture_output=True, text=True, check=False)

    def test_json(self):
        shown = self.run_top("--json")
        self.assertEqual(shown.returncode, 0)
        self.assertEqual(json.loads(shown.stdout)["pools"][0]["nr_pending"], 3)

    def test_once(self):
        shown = self.run_top("--once")
        self.assertEqual(shown.returncode, 0)
        self.assertIn("slow_fn in t1/a/b for 900 jiffies, signalled",
                      shown.stdout)

    def test_live_until_q(self):
        for terminal in "linux", "vt100":
            with self.subTest(terminal):
                shown = subprocess.run(
                    [sys.executable, "-c", ON_A_TERMINAL, TOP, "--root",
                     self.root], input=b"q", capture_output=True, timeout=60,
                    env={**os.environ, "TERM": terminal}, check=False)
                self.assertEqual(shown.returncode, 0, shown.stdout)
                self.assertIn(b"t1", shown.stdout)
                self.assertIn(b"slow_fn", shown.stdout)

    def test_not_loaded(self):
        self.root /= "empty"
        shown = self.run_top("--once")
        self.assertEqual((shown.returncode, shown.stdout), (1, ""))
        self.assertIn("not loaded", shown.stderr)
