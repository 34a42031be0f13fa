# SPDX-License-Identifier: GPL-2.0-only
"""Which trials go to which boot."""

import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

import gates
import mutate
import qemu
import ui
from tests.test_trials import BAD, GOOD, runs, trial


class Batch:
    """Boots that end as they are told to, one after the other."""

    def __init__(self, folder, *results):
        self._folder = folder
        self._results = list(results)
        self.asked = []

    def boot(self, first, last, alone=False):
        assert first is last or not alone
        self.asked.append((first.number, last.number))
        folder = self._folder / str(len(self.asked))
        folder.mkdir()
        boot = qemu.Boot("t", "abc", folder / "console.log",
                         folder / "results.log")
        boot.console.write_text("")
        boot.results.write_text(self._results.pop(0))
        return boot


def tried(method, *results):
    """What was asked for, noticed, failed; and what is left of two trials."""
    verdict = gates.Verdict(show=lambda text: None)
    campaign = mutate.Campaign(types.SimpleNamespace(verdict=verdict), None, 2)
    with (tempfile.TemporaryDirectory() as folder,
          mock.patch.object(ui, "line")):
        batch = Batch(Path(folder), *results)
        left = method(campaign, batch, [trial(1), trial(2)])
    return (batch.asked, verdict.passed, verdict.failed,
            [one.number for one in left or ()])


class Together(unittest.TestCase):
    """mutate.Campaign.together()"""

    def together(self, *results):
        return tried(mutate.Campaign.together, *results)

    def test_one_boot_does(self):
        self.assertEqual(
            self.together(runs(("1-control", GOOD), ("1-mutant", BAD),
                               ("2-control", GOOD), ("2-mutant", GOOD))),
            ([(1, 2)], 1, 0, [2]))

    def test_rest_goes_on_after_a_wreck(self):
        self.assertEqual(
            self.together(runs(("1-control", GOOD), ("1-mutant", BAD)),
                          runs(("2-control", GOOD), ("2-mutant", BAD))),
            ([(1, 2), (2, 2)], 2, 0, []))

    def test_wreck_is_seen_by_the_next_control(self):
        self.assertEqual(
            self.together(runs(("1-control", GOOD), ("1-mutant", BAD),
                               ("2-control", BAD), ("2-mutant", BAD)),
                          runs(("2-control", GOOD), ("2-mutant", GOOD))),
            ([(1, 2), (2, 2)], 1, 0, [2]))

    def test_case_that_fails_unbroken(self):
        self.assertEqual(
            self.together(runs(("1-control", BAD), ("1-mutant", BAD)),
                          runs(("2-control", GOOD), ("2-mutant", BAD))),
            ([(1, 2), (2, 2)], 1, 1, []))

    def test_guest_that_never_begins(self):
        self.assertEqual(self.together("", ""),
                         ([(1, 2), (2, 2)], 0, 2, []))


class OneByOne(unittest.TestCase):
    """mutate.Campaign.one_by_one()"""

    def test_noticed_and_not(self):
        self.assertEqual(tried(mutate.Campaign.one_by_one,
                               runs(("1-mutant", BAD)),
                               runs(("2-mutant", GOOD))),
                         ([(1, 1), (2, 2)], 1, 1, []))

    def test_guest_that_never_begins_notices_nothing(self):
        self.assertEqual(tried(mutate.Campaign.one_by_one, "",
                               runs(("2-mutant", BAD))),
                         ([(1, 1), (2, 2)], 1, 1, []))
