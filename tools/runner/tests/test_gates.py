# SPDX-License-Identifier: GPL-2.0-only
"""Verdicts over what guests might have written."""

import tempfile
import unittest
from pathlib import Path

import gates
import qemu

SUITE = """\
KTAP-BEGIN s 1
KTAP version 1
1..1
    KTAP version 1
    # Subtest: s
    1..2
    ok 1 a
    ok 2 b
ok 1 s
KTAP-END
"""
SCANS = "LEAK-BEGIN loaded\nLEAK-END\nLEAK-BEGIN unloaded\nLEAK-END\n"
REST = "UNLOADED\nLOCKDEP 1\nKPOOL-END abc 0\n"
GOOD = "STEP load s\nOK load s\n" + SUITE + SCANS + REST


class Judge(unittest.TestCase):
    """gates.judge()"""

    def judge(self, results, console="", expected=None, **boot):
        verdict = gates.Verdict(show=lambda text: None)
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            report = qemu.Boot("t", "abc", folder / "c", folder / "r", **boot)
            report.console.write_text(console)
            report.results.write_text(results.replace("\n", "\r\n"))
            expected = expected or gates.Expectation(frozenset(["s"]))
            gates.judge(report, expected, verdict)
        return verdict

    def fails(self, results, *wanted, **more):
        """The failures are exactly @wanted, in this order."""
        failures = self.judge(results, **more).failures
        self.assertEqual(len(failures), len(wanted), failures)
        for failure, regex in zip(failures, wanted):
            self.assertRegex(failure, regex)

    def test_good(self):
        verdict = self.judge(GOOD)
        self.assertEqual((verdict.failures, verdict.passed), ([], 3))

    def test_silence(self):
        self.fails("", "t: end: .*without its token; last heard: nothing")

    def test_other_nonce(self):
        self.fails(GOOD.replace("abc", "old"), "without its token")

    def test_token_is_not_last(self):
        self.fails(GOOD + "more\n", "without its token")

    def test_script_failed(self):
        self.fails(GOOD.replace("abc 0", "abc 1"), "the guest's script failed")

    def test_script_crashed(self):
        self.fails(GOOD.replace("abc 0", "abc 139"), "script ended with 139")

    def test_hang(self):
        self.fails("STEP load s\n", "the guest hangs; last heard: load s",
                   reason=qemu.HUNG)

    def test_timeout(self):
        self.fails("STEP x\n", "took too long; last heard: x",
                   reason=qemu.TIMED_OUT)

    def test_qemu_died(self):
        self.fails("STEP x\n", "QEMU died: killed by signal 9", status=-9)
        self.fails("STEP x\n", "QEMU died: status 1", status=1)

    def test_step(self):
        self.fails(GOOD.replace("OK load s", "FAIL load s: No such device"),
                   "t: load s: No such device")

    def test_suite_did_not_run(self):
        self.fails(GOOD.replace(SUITE, ""), "suite s: did not run")

    def test_suite_is_a_surprise(self):
        self.fails(GOOD, "suite s: not expected", expected=gates.Expectation())

    def test_suite_did_not_run_again(self):
        self.fails(GOOD, r"suite s: did not run \(run 2\)",
                   expected=gates.Expectation(frozenset(["s"]), runs=2))

    def test_suite_of_another_name(self):
        self.fails(GOOD.replace("ok 1 s\n", "ok 1 z\n"), "reports results of z")

    def test_all_skipped(self):
        skipped = GOOD.replace("1 a", "1 a # SKIP")
        self.fails(skipped.replace("2 b", "2 b # SKIP"),
                   "all cases were skipped")

    def test_one_skipped(self):
        verdict = self.judge(GOOD.replace("1 a", "1 a # SKIP why"))
        self.assertEqual((verdict.failures, verdict.skipped), ([], 1))

    def test_cut_short(self):
        self.fails("KTAP-BEGIN s 1\nKTAP version 1\n", "without its token",
                   "suite s: results: is cut short")

    def test_why_a_case_failed(self):
        why = ("    # a: EXPECTATION FAILED at x.c:1\n"
               "    Expected 1 == 2, but\n\n        2 == 2\n"
               "    # a: ASSERTION FAILED at x.c:2\n    Expected 3\n"
               "    not ok 1 a\n")
        failed = GOOD.replace("ok 1 s\n", "not ok 1 s\n")
        self.fails(failed.replace("    ok 1 a\n", why),
                   r"suite s: a: x\.c:1: Expected 1 == 2, but: 2 == 2")
        why = why.partition("    # a: ASSERTION")[0] + (
               "    c\n    d\n    not ok 1 a\n")
        self.fails(failed.replace("    ok 1 a\n", why),
                   r"x\.c:1: Expected 1 == 2, but: 2 == 2: c \(log")

    def test_suite_failed_by_itself(self):
        self.fails(GOOD.replace("ok 1 s\n", "not ok 1 s\n"), "no case did")

    def test_console(self):
        self.fails(GOOD, "t: console: line 2: WARNING: x .and 1 more",
                   console="fine\n[ 1.0] WARNING: x\nCall Trace:\n")

    def test_lockdep_off(self):
        self.fails(GOOD.replace("LOCKDEP 1", "LOCKDEP 0"), "debug_locks is 0")

    def test_lockdep_absent(self):
        self.fails(GOOD.replace("LOCKDEP 1\n", ""), "no /proc/lockdep_stats")

    def test_lockdep_expected_off(self):
        off = gates.Expectation(frozenset(["s"]), lockdep="off")
        self.fails(GOOD, "debug_locks is 1, expected 0", expected=off)
        self.fails(GOOD.replace("LOCKDEP 1", "LOCKDEP 0"), expected=off)

    def test_leak(self):
        leak = "unreferenced object 0xff (size 128):\n  comm x\n"
        self.fails(GOOD.replace("LEAK-BEGIN unloaded\n",
                                "LEAK-BEGIN unloaded\n" + leak),
                   r"kmemleak: 1 objects leaked \(modules unloaded\)")

    def test_no_scan(self):
        self.fails(GOOD.replace(SCANS, ""), "no scan with modules loaded",
                   "no scan with modules unloaded")

    def test_scan_failed(self):
        self.fails(GOOD.replace("LEAK-END", "cat: I/O error\nLEAK-END", 1),
                   "report is unreadable")

    def test_left_behind(self):
        self.fails(GOOD.replace("UNLOADED", "LEFT thread kpool/x\nUNLOADED"),
                   "left behind: thread kpool/x")

    def test_not_unloaded(self):
        self.fails(GOOD.replace("UNLOADED\n", ""), "was not looked at")

    def test_stock_kernel(self):
        self.fails("UNLOADED\nKPOOL-END abc 0\n", expected=gates.STOCK)
