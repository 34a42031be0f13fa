# SPDX-License-Identifier: GPL-2.0-only
"""Console lines that fail a run, and those that may be there."""

import unittest

import paths
import splats

REPORTS = """\
[    1.0] WARNING: CPU: 1 PID: 9 at kpool/work.c:10 fn+0x1/0x2 [kpool]
[    1.0][   T12] BUG: KASAN: slab-use-after-free in fn+0x1/0x2 [kpool]
[    1.0] WARNING: possible circular locking dependency detected
[    1.0] WARNING: inconsistent lock state
[    1.0] WARNING: possible recursive locking detected
[    1.0] WARNING: suspicious RCU usage
[    1.0] [ BUG: Invalid wait context ]
[    1.0] WARNING: held lock freed!
[    1.0] BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck
[    1.0] DEBUG_LOCKS_WARN_ON(1)
[    1.0] BUG: sleeping function called from invalid context at x.c:1
[    1.0] BUG: scheduling while atomic: kpool/a/1/77/0x00000002
[    1.0] ODEBUG: free active (active state 0) object: 0 object type: timer_list
[    1.0] refcount_t: underflow; use-after-free.
[    1.0] list_add corruption. prev->next should be next
[    1.0] list_del corruption, 0000 is LIST_POISON1
[    1.0] INFO: task kpool/a/1:77 blocked for more than 120 seconds.
[    1.0] watchdog: BUG: soft lockup - CPU#0 stuck for 26s!
[    1.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
[    1.0] rcu: INFO: rcu_preempt self-detected stall on CPU
[    1.0] Oops: general protection fault, probably for non-canonical address
[    1.0] BUG: unable to handle page fault for address: 0000000000000008
[    1.0] kernel BUG at kpool/work.c:10!
[    1.0] UBSAN: array-index-out-of-bounds in kpool/work.c:10:1
[    1.0] Kernel panic - not syncing: Fatal exception
[    1.0] bad: scheduling from the idle thread!
[    1.0] Call Trace:
[    1.0] kpool: Unknown symbol nothing (err -2)
"""

HARMLESS = """\
[    0.0] Linux version 6.12.1 (gcc (Debian 12.2.0-14+deb12u1) 12.2.0)
[    0.0] ... MAX_LOCKDEP_SUBCLASSES:  8
[    0.1] rcu: 	RCU callback double-/use-after-free debug is enabled.
[    0.2] kmemleak: Kernel memory leak detector initialized
[    1.0] kpool: loading out-of-tree module taints kernel.
[    2.0]     # debug_lock: pass:1 fail:0 skip:0 total:1
"""


def _list(name):
    return splats.patterns((paths.GUEST / name).read_text(encoding="utf-8"))


class DenyList(unittest.TestCase):
    """The lists that the project ships."""

    def test_every_report_is_found(self):
        for line in REPORTS.splitlines():
            with self.subTest(line):
                found = splats.scan(line, _list("splat.deny"),
                                    _list("splat.allow"))
                self.assertEqual(len(found), 1)

    def test_harmless_lines(self):
        self.assertEqual([], splats.scan(HARMLESS, _list("splat.deny"), []))


class Scan(unittest.TestCase):
    """splats.scan()"""

    deny = splats.patterns("# a comment\n\nWARNING: \n")

    def texts(self, *lines):
        return [finding.text
                for finding in splats.scan("\n".join(lines), self.deny, [])]

    def test_line_number(self):
        found = splats.scan("one\n[ 1.0] WARNING: two\n", self.deny, [])
        self.assertEqual(found, [splats.Finding(2, "WARNING: two")])

    def test_allow_list(self):
        allow = splats.patterns("WARNING: harmless")
        self.assertEqual([], splats.scan("WARNING: harmless", self.deny, allow))

    def test_expected(self):
        self.assertEqual([], self.texts("x: kpool-expect-begin: two",
                                        "WARNING: one", "WARNING: two",
                                        "x: kpool-expect-end"))

    def test_expected_did_not_come(self):
        self.assertEqual(["expected report /two/ did not come"],
                         self.texts("kpool-expect-begin: two", "WARNING: one",
                                    "kpool-expect-end"))

    def test_expectation_ends(self):
        self.assertEqual(["WARNING: three"],
                         self.texts("kpool-expect-begin: two", "WARNING: two",
                                    "kpool-expect-end", "WARNING: three"))

    def test_expectation_left_open(self):
        self.assertEqual(["expected report /two/ has no kpool-expect-end"],
                         self.texts("kpool-expect-begin: two", "WARNING: two"))

    def test_end_alone(self):
        self.assertEqual(["kpool-expect-end without begin"],
                         self.texts("kpool-expect-end"))

    def test_marker_is_no_report(self):
        self.assertEqual([], self.texts("kpool-expect-begin: WARNING: .*",
                                        "WARNING: x", "kpool-expect-end"))

    def test_bad_regex(self):
        self.assertEqual(["expected report /(/ is no regular expression"],
                         self.texts("kpool-expect-begin: (", "WARNING: x",
                                    "kpool-expect-end"))
