# SPDX-License-Identifier: GPL-2.0-only
"""One run of a command: its folder of logs, and its verdict."""

import contextlib
import shutil
import sys

import gates
import paths
import process
import ui


class Run:
    """What the parts of a command share."""

    def __init__(self, command):
        self.command = command
        self.folder = paths.LOGS / command
        self.verdict = gates.Verdict()
        self._keep_one_before()

    def _keep_one_before(self):
        """Logs always have the same place; those of the last run have .old."""
        old = self.folder.with_suffix(".old")
        if self.folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            self.folder.rename(old)
        self.folder.mkdir(parents=True)

    def log(self, name):
        return self.folder / f"{name}.log"

    @contextlib.contextmanager
    def part(self):
        """A part of the run whose failure does not stop the other parts."""
        try:
            yield
        except ui.Failure as failure:
            self.verdict.error(failure)

    def unit_tests(self):
        """The runner's own tests: they need no kernel and take a second."""
        log = self.log("unit-tests")
        folder = paths.ROOT / "tools" / "runner"
        status = process.run([sys.executable, "-B", "-m", "unittest",
                              "discover", "-s", folder / "tests", "-t", folder],
                             log, "the runner's unit tests")
        last = process.tail(log, 1)
        if status:
            self.verdict.fail("the runner's unit tests", last, log)
        else:
            count = process.tail(log, 3).splitlines()[0]
            ui.line(f"the runner's unit tests: {count}")
            self.verdict.ok()
