# SPDX-License-Identifier: GPL-2.0-only
"""Finding the mirror in both formats of apt's sources."""

import unittest
from unittest import mock

import apt

DEB822 = """\
Types: deb
# a comment
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://mirror.example/main-archive
Suites: bookworm bookworm-updates
Components: main
"""

ONE_LINE = """\
# deb http://old.example/archive bookworm main
deb http://mirror.example/security bookworm-security main
deb [signed-by=/x.gpg] http://mirror.example/main-archive bookworm main
"""


@mock.patch("packages.codename", return_value="bookworm")
class Mirror(unittest.TestCase):
    """apt.mirror_in()"""

    def test_both_formats(self, _codename):
        for text in (DEB822, ONE_LINE):
            self.assertEqual("http://mirror.example/main-archive",
                             apt.mirror_in(text))

    def test_none(self, _codename):
        self.assertIsNone(apt.mirror_in("deb http://x.example/y stable main\n"))
