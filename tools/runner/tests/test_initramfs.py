# SPDX-License-Identifier: GPL-2.0-only
"""The archive format, held against the kernel's documentation of it."""

import stat
import unittest

import initramfs


def members(data):
    """A reader of newc archives: {name: (mode, device, content)}."""
    found, offset = {}, 0
    while True:
        assert data[offset:offset + 6] == b"070701"
        fields = [int(data[offset + 6 + 8 * i:offset + 14 + 8 * i], 16)
                  for i in range(13)]
        size, length = fields[6], fields[11]
        name = data[offset + 110:offset + 109 + length].decode()
        begin = offset + (110 + length + 3 & ~3)
        if name == "TRAILER!!!":
            return found
        found[name] = (fields[1], tuple(fields[9:11]), data[begin:begin + size])
        offset = begin + (size + 3 & ~3)


class Archive(unittest.TestCase):
    """initramfs.Archive"""

    def setUp(self):
        self.archive = initramfs.Archive()

    def test_file(self):
        self.archive.file("init", b"hello", 0o755)
        self.assertEqual({"init": (stat.S_IFREG | 0o755, (0, 0), b"hello")},
                         members(self.archive.cpio()))

    def test_parents_come_first(self):
        self.archive.file("lib/modules/x", b"1")
        self.assertEqual(["lib", "lib/modules", "lib/modules/x"],
                         list(members(self.archive.cpio())))

    def test_device(self):
        self.archive.character_device("dev/console", 5, 1)
        mode, device, _ = members(self.archive.cpio())["dev/console"]
        self.assertTrue(stat.S_ISCHR(mode))
        self.assertEqual(device, (5, 1))

    def test_symlink(self):
        self.archive.symlink("sh", "busybox")
        mode, _, content = members(self.archive.cpio())["sh"]
        self.assertTrue(stat.S_ISLNK(mode))
        self.assertEqual(content, b"busybox")

    def test_many_sizes(self):
        wanted = {f"f{'x' * size}": b"y" * size for size in range(9)}
        for name, content in wanted.items():
            self.archive.file(name, content)
        found = {name: content for name, (_, _, content)
                 in members(self.archive.cpio()).items()}
        self.assertEqual(wanted, found)
