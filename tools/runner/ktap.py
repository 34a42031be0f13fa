# SPDX-License-Identifier: GPL-2.0-only
"""A parser for the results file of one KUnit suite (KTAP version 1).

It distrusts its input: a document that is cut short, or whose plan does not
match what was run, is an error and not a shorter list of tests.
"""

import re
from dataclasses import dataclass, field

_RESULT = re.compile(r"(?P<indent> *)(?P<status>ok|not ok) (?P<number>\d+)"
                     r"(?: - | )?(?P<name>.*?)"
                     r"(?: *# (?P<directive>SKIP|TODO)\b *(?P<reason>.*))?")
_PLAN = re.compile(r"(?P<indent> *)1\.\.(?P<count>\d+)")
_VERSION = re.compile(r" *KTAP version \d+")
_INDENT = 4

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class KtapError(Exception):
    """The document is not a whole, consistent result."""


@dataclass
class Test:
    """A result, and the results below it: suite, case, parameter."""
    name: str
    status: str
    reason: str = ""
    subtests: list = field(default_factory=list)
    notes: list = field(default_factory=list)


def parse(text):
    """The suite that the document @text is about."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if not lines or not _VERSION.fullmatch(lines[0]):
        raise KtapError("does not begin with a KTAP version")
    results, plans, notes = {}, {}, []
    for line in lines:
        if match := _PLAN.fullmatch(line):
            plans[_depth(match)] = int(match["count"])
        elif match := _RESULT.fullmatch(line):
            depth = _depth(match)
            done = results.setdefault(depth, [])
            below = results.pop(depth + 1, [])
            _check_plan(match["name"], below, plans.pop(depth + 1, None),
                        required=depth == 0)
            if int(match["number"]) != len(done) + 1:
                raise KtapError(f"{match['name']}: is number {match['number']}"
                                f", expected {len(done) + 1}")
            done.append(Test(match["name"], _status(match),
                             match["reason"] or "", below, notes))
            notes = []
        elif not _VERSION.fullmatch(line):
            notes.append(line.strip().removeprefix("# "))
    if any(depth for depth in results):
        raise KtapError("ends in the middle of a suite")
    suites = results.get(0, [])
    _check_plan("document", suites, plans.get(0), required=True)
    if len(suites) != 1:
        raise KtapError(f"holds {len(suites)} suites, expected 1")
    return suites[0]


def _depth(match):
    return len(match["indent"]) // _INDENT


def _status(match):
    if match["status"] == "not ok":
        return FAILED
    return SKIPPED if match["directive"] == "SKIP" else PASSED


def _check_plan(name, done, planned, required):
    """KUnit gives no plan for the parameters of a case, but for all else."""
    if planned is None and required:
        raise KtapError(f"{name}: has no plan")
    if planned is not None and planned != len(done):
        raise KtapError(f"{name}: planned {planned} tests, ran {len(done)}")
