# SPDX-License-Identifier: GPL-2.0-only
"""Verdicts: what has to hold before a run counts as passed.

The guest proves that it came to its end, each suite that it ran in full, and
the kernel that it stayed silent.  What is missing has failed.
"""

import itertools
import re
from dataclasses import dataclass

import ktap
import paths
import qemu
import splats
import transcript
import ui

_FAILED = re.compile(r"(?:EXPECTATION|ASSERTION) FAILED at (?P<place>.*)")
_LINES_OF_A_FAILURE = 3


class Verdict:
    """Counts what passed and failed; each failure is one line."""

    def __init__(self, show=ui.plain):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self._show = show

    def ok(self, count=1):
        self.passed += count

    def fail(self, what, detail, log=None):
        self.failed += 1
        text = f"FAILED: {what}: {detail}"
        if log:
            text += f" (log: {paths.shown(log)})"
        self.failures.append(text)
        self._show(text)

    def skip(self, what, reason):
        """A test that says itself that it cannot run here."""
        self.skipped += 1
        self._show(f"skipped: {what}: {reason}")

    def error(self, failure):
        """Count a ui.Failure, which says itself what it is about."""
        self.failed += 1
        self.failures.append(f"FAILED: {failure}")
        self._show(self.failures[-1])

    def summary(self):
        return f"{self.passed} passed, {self.failed} failed"


@dataclass(frozen=True)
class Expectation:
    """What a boot is held to, beside a clean end and a clean console."""
    suites: frozenset = frozenset()  # these, no more and no less
    runs: int = 1                    # of each suite
    lockdep: str = "on"              # "off": a test provokes it; "any"; "absent"
    kmemleak: tuple = ("loaded", "unloaded")
    unloads: bool = True


# A distribution's kernel has none of the checkers, and runs no suites.
STOCK = Expectation(lockdep="absent", kmemleak=())


def judge(boot, expected, verdict):
    """Hold the @boot against what is @expected of it."""
    said = transcript.parse(boot.results_text())
    ended = _judge_end(boot, said, verdict)
    _judge_steps(boot, said, verdict)
    _judge_suites(boot, said, expected, verdict, ended)
    _judge_console(boot, verdict)
    # What a guest that died did not say any more needs no lines of its own.
    if ended:
        _judge_lockdep(boot, said, expected, verdict)
        _judge_leaks(boot, said, expected, verdict)
        _judge_unloading(boot, said, expected, verdict)
    return said


def _judge_end(boot, said, verdict):
    """The token, with this boot's nonce, as the last line."""
    what = f"{boot.name}: end"
    if said.end and said.end[0] == boot.nonce and not said.after_end:
        if said.end[1] not in ("0", "1"):
            verdict.fail(what, f"the guest's script ended with {said.end[1]}",
                         boot.results)
        elif said.end[1] == "1" and not any(why for _, why in said.steps):
            verdict.fail(what, "the guest's script failed", boot.results)
        return True
    last = said.doing or "nothing"
    if boot.reason == qemu.PANICKED:
        panic = qemu.PANIC.search(boot.console_text())
        detail, log = panic[0], boot.console
    elif boot.reason == qemu.HUNG:
        detail, log = f"the guest hangs; last heard: {last}", boot.console
    elif boot.reason == qemu.TIMED_OUT:
        detail, log = f"took too long; last heard: {last}", boot.results
    elif boot.status:
        cause = (f"killed by signal {-boot.status}" if boot.status < 0
                 else f"status {boot.status}")
        detail, log = f"QEMU died: {cause}", boot.console.with_name("qemu.log")
    else:
        detail = f"the guest ended without its token; last heard: {last}"
        log = boot.results
    verdict.fail(what, detail, log)
    return False


def _judge_steps(boot, said, verdict):
    for name, why in said.steps:
        if why is None:
            verdict.ok()
        else:
            verdict.fail(f"{boot.name}: {name}", why, boot.results)


def _judge_suites(boot, said, expected, verdict, ended):
    whole = set()
    for document in said.suites:
        what = f"{boot.name}: suite {document.name}"
        if document.run > 1:
            what += f", run {document.run}"
        if _judge_document(what, document, boot, verdict):
            whole.add((document.name, document.run))
    wanted = {(name, run) for name in expected.suites
              for run in range(1, expected.runs + 1)}
    heard = {(document.name, document.run) for document in said.suites}
    for name, run in sorted(wanted - heard) if ended else ():
        verdict.fail(f"{boot.name}: suite {name}", f"did not run (run {run})",
                     boot.results)
    for name, run in sorted(heard - wanted):
        verdict.fail(f"{boot.name}: suite {name}",
                     f"not expected to run (run {run})", boot.results)


def _judge_document(what, document, boot, verdict):
    try:
        if not document.closed:
            raise ktap.KtapError("is cut short")
        suite = ktap.parse(document.text)
    except ktap.KtapError as error:
        verdict.fail(what, f"results: {error}", boot.results)
        return False
    if suite.name != document.name:
        verdict.fail(what, f"reports results of {suite.name}", boot.results)
        return False
    for case in suite.subtests:
        if case.status == ktap.FAILED:
            verdict.fail(f"{what}: {case.name}", _why(case), boot.results)
        elif case.status == ktap.SKIPPED:
            verdict.skip(f"{what}: {case.name}", case.reason)
        else:
            verdict.ok()
    states = {case.status for case in suite.subtests}
    if not states:
        verdict.fail(what, "has no cases", boot.results)
    elif states == {ktap.SKIPPED}:
        verdict.fail(what, "all cases were skipped", boot.results)
    elif suite.status == ktap.FAILED and ktap.FAILED not in states:
        verdict.fail(what, "failed, although no case did", boot.results)
    return True


def _why(case):
    """The first thing that a failed case said about it, up to some lines."""
    tests = [case, *(test for test in case.subtests
                     if test.status == ktap.FAILED)]
    notes = [note for test in tests for note in test.notes]
    for index, note in enumerate(notes):
        if match := _FAILED.search(note):
            said = itertools.takewhile(lambda line: not _FAILED.search(line),
                                       notes[index + 1:])
            return ": ".join([match["place"],
                              *itertools.islice(said, _LINES_OF_A_FAILURE)])
    return notes[0] if notes else "not ok"


def _judge_console(boot, verdict):
    deny, allow = (splats.patterns((paths.GUEST / name).read_text("utf-8"))
                   for name in ("splat.deny", "splat.allow"))
    found = splats.scan(boot.console_text(), deny, allow)
    if found:
        more = f" (and {len(found) - 1} more)" if found[1:] else ""
        verdict.fail(f"{boot.name}: console",
                     f"line {found[0].number}: {found[0].text}{more}",
                     boot.console)


def _judge_lockdep(boot, said, expected, verdict):
    wanted = {"on": "1", "off": "0", "absent": None,
              "any": said.lockdep}[expected.lockdep]
    if said.lockdep == wanted:
        return
    if said.lockdep is None:
        detail = "the kernel has no /proc/lockdep_stats"
    elif wanted == "1":
        detail = ("debug_locks is 0: lockdep reported something, "
                  "and is off since")
    else:
        detail = f"debug_locks is {said.lockdep}, expected {wanted}"
    verdict.fail(f"{boot.name}: lockdep", detail, boot.console)


def _judge_leaks(boot, said, expected, verdict):
    scans = {scan.name: scan for scan in said.leaks}
    for when in expected.kmemleak:
        if when not in scans:
            verdict.fail(f"{boot.name}: kmemleak",
                         f"no scan with modules {when}", boot.results)
    for scan in said.leaks:
        objects = scan.text.count("unreferenced object")
        if objects:
            verdict.fail(f"{boot.name}: kmemleak",
                         f"{objects} objects leaked (modules {scan.name})",
                         boot.results)
            return
        if scan.text.strip() or not scan.closed:
            verdict.fail(f"{boot.name}: kmemleak", "its report is unreadable",
                         boot.results)
            return


def _judge_unloading(boot, said, expected, verdict):
    for what in said.left:
        verdict.fail(f"{boot.name}: unloading", f"left behind: {what}",
                     boot.results)
    if expected.unloads and not said.unloaded:
        verdict.fail(f"{boot.name}: unloading", "was not looked at",
                     boot.results)
