# SPDX-License-Identifier: GPL-2.0-only
"""Many trials in one boot, over logs as guests might write them."""

import tempfile
import unittest
from pathlib import Path

import qemu
import trials
from mutations import Mutation

GOOD, BAD = "ok", "not ok"


def trial(number, **more):
    wanted = {"case": "s.a", "leaks": False, **more}
    mutation = Mutation(f"m{number}", "f.c", "x", "y", ("s.a",),
                        wanted["leaks"])
    return trials.Trial(number, mutation, wanted["case"], "s_kunit")


def run(name, status=GOOD, end="abc"):
    """What the guest writes in one run."""
    ending = f"UNLOADED\nLOCKDEP 1\nKPOOL-END {end} 0\n" if end else ""
    return (f"TRIAL {name}\nSTEP load s\nOK load s\nKTAP-BEGIN s 1\n"
            "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: s\n"
            f"    1..1\n    {status} 1 a\n{status} 1 s\nKTAP-END\n{ending}")


def runs(*wanted):
    """Runs in one boot; those with others after them have ends of their own."""
    texts = [run(name, status, f"abc.{name}") for name, status in wanted[:-1]]
    return "".join([*texts, run(*wanted[-1])])


class Judge(unittest.TestCase):
    """trials.judge()"""

    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = Path(held.name)

    def boot(self, results, console="", **more):
        boot = qemu.Boot("t", "abc", self.folder / "c", self.folder / "r",
                         **more)
        boot.results.write_text(results.replace("\n", "\r\n"))
        boot.console.write_text(console)
        return boot

    def judge(self, results, console="", count=2, **more):
        """For each outcome: trial, whether control and mutant failed."""
        outcomes = trials.judge(self.boot(results, console, **more),
                                [trial(n + 1) for n in range(count)],
                                self.folder)
        return [(outcome.trial.number, bool(outcome.control),
                 bool(outcome.mutant)) for outcome in outcomes]

    def test_noticed_and_not(self):
        self.assertEqual(
            self.judge(runs(("1-control", GOOD), ("1-mutant", BAD),
                            ("2-control", GOOD), ("2-mutant", GOOD))),
            [(1, False, True), (2, False, False)])

    def test_control_fails_and_ends_it(self):
        self.assertEqual(
            self.judge(runs(("1-control", GOOD), ("1-mutant", BAD),
                            ("2-control", BAD), ("2-mutant", BAD))),
            [(1, False, True), (2, True, False)])

    def test_only_the_last_run_hangs(self):
        hung = (runs(("1-control", GOOD), ("1-mutant", GOOD)).replace(
            "END abc ", "END abc.1-mutant ")
            + run("2-control", GOOD, "abc.2-control") + "TRIAL 2-mutant\n")
        self.assertEqual(self.judge(hung, reason=qemu.HUNG),
                         [(1, False, False), (2, False, True)])

    def test_hang_of_the_control(self):
        self.assertEqual(self.judge("TRIAL 1-control\n", reason=qemu.HUNG),
                         [(1, True, False)])

    def test_guest_stopped_before_the_mutant(self):
        self.assertEqual(self.judge(runs(("1-control", GOOD))), [])

    def test_guest_did_not_come_that_far(self):
        self.assertEqual(self.judge("", reason=qemu.PANICKED), [])

    def test_begun(self):
        self.assertFalse(trials.begun(self.boot("")))
        self.assertTrue(trials.begun(self.boot("TRIAL 1-control\n")))

    def test_run_without_its_end(self):
        text = runs(("1-control", GOOD), ("1-mutant", GOOD))
        text = text.replace("abc.1-control", "abc")
        self.assertEqual(self.judge(text, count=1), [(1, True, False)])

    def test_console_is_divided(self):
        console = ("booting\n[ 1.0] kpool-trial: 1-control\nfine\n"
                   "[ 2.0][ T9] kpool-trial: 1-mutant\nWARNING: x\n"
                   "[ 3.0] kpool-trial: 2-control\nfine\n"
                   "[ 4.0] kpool-trial: 2-mutant\n")
        self.assertEqual(
            self.judge(runs(("1-control", GOOD), ("1-mutant", GOOD),
                            ("2-control", GOOD), ("2-mutant", GOOD)), console),
            [(1, False, True), (2, False, False)])

    def test_console_without_marks_is_everybodys(self):
        self.assertEqual(
            self.judge(runs(("1-control", GOOD), ("1-mutant", GOOD)),
                       "WARNING: x\n", 1),
            [(1, True, False)])


class Alone(unittest.TestCase):
    """Which trials share a boot."""

    def test_most_do(self):
        self.assertFalse(trial(1).alone)

    def test_not_where_lockdep_ends_or_kmemleak_looks(self):
        self.assertTrue(trial(1, case="kpool_splat.a").alone)
        self.assertTrue(trial(1, leaks=True).alone)
