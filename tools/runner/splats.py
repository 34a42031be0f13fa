# SPDX-License-Identifier: GPL-2.0-only
"""Kernel reports on the console.

Most of them fail nothing by themselves: a test during which lockdep complains
is still "ok".  So every line of the console is held against a deny-list.

A test that provokes a report on purpose says so in the kernel log:

    kpool-expect-begin: <regex>
    ... the report ...
    kpool-expect-end

In between, reports are allowed, and one line must match the regex.
"""

import re
from dataclasses import dataclass

_STAMP = re.compile(r"^(\[ *\d+\.\d+\](\[ *[TC]\d+\])? ?)+")
_BEGIN = re.compile(r"kpool-expect-begin: (.+)")
_END = re.compile(r"kpool-expect-end\b")


@dataclass(frozen=True)
class Finding:
    """A line that must not be there, or an expected one that is not."""
    number: int
    text: str


def patterns(text):
    """The regexes of a list: one in a line, # begins a comment line."""
    return [re.compile(line) for line in map(str.strip, text.splitlines())
            if line and not line.startswith("#")]


def scan(console, deny, allow):
    """The findings in the text @console, in order."""
    findings = []
    expected = None
    for number, line in enumerate(console.splitlines(), start=1):
        line = _STAMP.sub("", line.strip())
        if match := _BEGIN.search(line):
            findings += _missing(expected)
            expected = _Expectation(number, match[1])
        elif _END.search(line):
            if not expected:
                findings.append(Finding(number,
                                        "kpool-expect-end without begin"))
            elif not expected.met:
                findings += _missing(expected)
            expected = None
        elif expected:
            expected.look_at(line)
        elif (any(regex.search(line) for regex in deny)
              and not any(regex.search(line) for regex in allow)):
            findings.append(Finding(number, line))
    return findings + _missing(expected)


class _Expectation:
    """What a test announced, between its two markers."""

    def __init__(self, number, regex):
        self.number = number
        self.text = regex
        self.met = False
        try:
            self._regex = re.compile(regex)
        except re.error:
            self._regex = None

    def look_at(self, line):
        """One line between the markers."""
        if self._regex and self._regex.search(line):
            self.met = True

    def complaint(self):
        """What is wrong with an expectation that does not end well."""
        if not self._regex:
            return "is no regular expression"
        return "has no kpool-expect-end" if self.met else "did not come"


def _missing(expected):
    """The findings of an expectation that was not met, or never closed."""
    if not expected:
        return []
    return [Finding(expected.number, f"expected report /{expected.text}/ "
                                     f"{expected.complaint()}")]
