# SPDX-License-Identifier: GPL-2.0-only
"""Build warnings, and the copy of the sources."""

import tempfile
import unittest
from pathlib import Path

import modules


class Warnings(unittest.TestCase):
    """modules.warnings_in()"""

    def test_found(self):
        lines = ["  CC [M]  a.o\n", "a.c:1:2: warning: unused variable 'x'\n",
                 "WARNING: modpost: missing MODULE_DESCRIPTION() in a.o\n"]
        self.assertEqual(2, len(modules.warnings_in(lines)))

    def test_not_ours(self):
        lines = ["warning: the compiler differs from the one used to build\n"]
        self.assertEqual([], modules.warnings_in(lines))

    def test_no_symbols(self):
        lines = ['WARNING: modpost: "printk" [/x/a.ko] undefined!\n']
        self.assertEqual(lines[0].strip(), modules.warnings_in(lines)[0])
        self.assertEqual([], modules.warnings_in(lines, symbols=False))


class Refresh(unittest.TestCase):
    """The copy follows the sources, and keeps what was built."""

    def test_follows(self):
        with tempfile.TemporaryDirectory() as folder:
            root, copy = Path(folder) / "root", Path(folder) / "copy"
            (root / "kpool").mkdir(parents=True)
            for name in ("a.c", "b.c", "a.o", ".a.o.cmd"):
                (root / "kpool" / name).write_text(name)
            modules.refresh(root, ["kpool"], copy)
            (copy / "kpool" / "b.o").write_text("built")
            (root / "kpool" / "b.c").unlink()
            (root / "kpool" / "a.c").write_text("new")
            modules.refresh(root, ["kpool"], copy)
            self.assertEqual({"a.c": "new", "b.o": "built"},
                             {file.name: file.read_text()
                              for file in (copy / "kpool").iterdir()})
