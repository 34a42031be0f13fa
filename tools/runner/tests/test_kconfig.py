# SPDX-License-Identifier: GPL-2.0-only
"""Options that Kconfig dropped."""

import unittest

import kconfig

FINAL = """\
CONFIG_KUNIT=y
CONFIG_NR_CPUS=16
# CONFIG_SLUB_TINY is not set
CONFIG_MODULES=m
"""


class Dropped(unittest.TestCase):
    """kconfig.dropped()"""

    def test_all_there(self):
        self.assertEqual([], kconfig.dropped(
            "# a comment\nCONFIG_KUNIT=y\nCONFIG_NR_CPUS=16\n", FINAL))

    def test_absent(self):
        self.assertEqual(["CONFIG_KASAN=y (is n)"],
                         kconfig.dropped("CONFIG_KASAN=y\n", FINAL))

    def test_other_value(self):
        wanted = "CONFIG_MODULES=y\nCONFIG_NR_CPUS=8\n"
        self.assertEqual(
            ["CONFIG_MODULES=y (is m)", "CONFIG_NR_CPUS=8 (is 16)"],
            kconfig.dropped(wanted, FINAL))

    def test_not_set(self):
        wanted = ("# CONFIG_SLUB_TINY is not set\n# CONFIG_ABSENT is not set\n"
                  "CONFIG_ALSO_ABSENT=n\n")
        self.assertEqual([], kconfig.dropped(wanted, FINAL))

    def test_should_not_be_set(self):
        self.assertEqual(["CONFIG_KUNIT=n (is y)"],
                         kconfig.dropped("# CONFIG_KUNIT is not set\n", FINAL))
