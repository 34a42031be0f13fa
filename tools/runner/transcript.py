# SPDX-License-Identifier: GPL-2.0-only
"""What a guest writes on its second serial port (see kunit/qemu/lib.sh)."""

from dataclasses import dataclass, field


@dataclass
class Document:
    """The lines between a BEGIN and its END."""
    name: str
    run: int = 1
    text: str = ""
    closed: bool = False


@dataclass
class Transcript:
    """Takes in one line after the other; what it found is in its fields."""
    # Of (name, why it failed or None).
    steps: list = field(default_factory=list)
    # Documents: results of suites, kmemleak's reports, rows that were measured.
    suites: list = field(default_factory=list)
    leaks: list = field(default_factory=list)
    benches: list = field(default_factory=list)
    # What was not unloaded, and whether anybody looked.
    left: list = field(default_factory=list)
    unloaded: bool = False
    # The value of debug_locks.
    lockdep: str = None
    # (nonce, status), and whether anything followed, which must not be.
    end: tuple = None
    after_end: bool = False
    # The step that goes on.
    doing: str = ""
    _document: Document = None

    def take(self, line):
        """One more line; True if it is free text, meant for a person."""
        word, _, rest = line.partition(" ")
        self.after_end = self.after_end or self.end is not None
        if self._document:
            self._take_into_document(word, line)
            return False
        take = getattr(self, "_take_" + word.lower().replace("-", "_"), None)
        if not word.isupper() or not take:
            return True
        take(rest)
        return False

    def _take_into_document(self, word, line):
        if word in ("KTAP-END", "LEAK-END", "BENCH-END"):
            self._document.closed = True
            self._document = None
        else:
            self._document.text += line + "\n"

    def _take_step(self, rest):
        self.doing = rest

    _take_scan = _take_trial = _take_step

    def _take_ok(self, rest):
        self.steps.append((rest, None))

    def _take_fail(self, rest):
        name, _, why = rest.partition(": ")
        self.steps.append((name, why or "failed"))

    def _take_ktap_begin(self, rest):
        name, _, run = rest.partition(" ")
        self._document = Document(name, int(run) if run.isdigit() else 1)
        self.suites.append(self._document)
        self.doing = f"results of {name}"

    def _take_leak_begin(self, rest):
        self._document = Document(rest)
        self.leaks.append(self._document)

    def _take_bench_begin(self, rest):
        self._document = Document(rest)
        self.benches.append(self._document)

    def _take_left(self, rest):
        if rest not in self.left:
            self.left.append(rest)

    def _take_unloaded(self, _rest):
        self.unloaded = True

    def _take_lockdep(self, rest):
        self.lockdep = rest

    def _take_kpool_end(self, rest):
        nonce, _, status = rest.partition(" ")
        self.end = (nonce, status)


def parse(text):
    """The transcript of a whole results log."""
    found = Transcript()
    for line in text.splitlines():
        found.take(line.rstrip())
    return found
