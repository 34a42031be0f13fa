# SPDX-License-Identifier: GPL-2.0-only
"""Tests of qemu.boot(): which boots count."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import qemu


class BootTest(unittest.TestCase):
    """Guests that die, with or without having said a word."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.guest = qemu.Guest("guest", Path("k"), Path("i"), "check.sh")

    def boots(self, *words, started=None):
        """What boots that say @words come to, and how many there were."""
        said = iter(words)

        def once(guest, folder, _started):
            report = qemu.Boot(guest.name, "nonce", folder / "console.log",
                               folder / "results.log", qemu.PANICKED)
            report.console.write_text("Kernel panic", encoding="ascii")
            report.results.write_text(next(said), encoding="ascii")
            return report

        with mock.patch("qemu._boot", side_effect=once) as made, \
                mock.patch("ui.line"):
            report = qemu.boot(self.guest, self.folder, started)
        return report.results_text(), made.call_count

    def test_a_guest_that_began_counts(self):
        self.assertEqual(self.boots("STEP load"), ("STEP load", 1))

    def test_one_that_said_nothing_is_booted_again(self):
        self.assertEqual(self.boots("", "STEP load"), ("STEP load", 2))
        self.assertTrue((self.folder / "console-1.log").exists())

    def test_but_not_for_ever(self):
        self.assertEqual(self.boots(*[""] * 9), ("", qemu.BOOTS))

    def test_one_that_is_disturbed_counts(self):
        self.assertEqual(self.boots("", started=lambda qemu: None), ("", 1))


if __name__ == "__main__":
    unittest.main()
