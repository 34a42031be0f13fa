# SPDX-License-Identifier: GPL-2.0-only
"""What tools/kpool-top needs in a guest: Debian's own Python, and terminals."""

import re
from pathlib import Path

import packages
import paths
import process
import ui

PYTHON = Path("/usr/bin/python3")
TERMINALS = ("l/linux", "v/vt100")


def files():
    """The files by their paths in the guest, as guest.build() takes them."""
    program = PYTHON.resolve()
    libraries = f"/usr/lib/{program.name}"
    found = [file for package in (f"lib{program.name}-minimal",
                                  f"lib{program.name}-stdlib")
             for file in packages.files(package)
             if file.is_relative_to(libraries)]
    curses = [file for file in found if file.name.startswith("_curses.")]
    if not curses:
        raise ui.Failure(f"{program.name}: has no curses")
    found += [PYTHON, *_shared(program, *curses)]
    found += [Path("/lib/terminfo") / name for name in TERMINALS]
    return {"bin/kpool-top": paths.ROOT / "tools" / "kpool-top",
            **{str(file).lstrip("/"): file for file in found}}


def _shared(*programs):
    """The shared libraries that @programs load, with the loader."""
    text = process.answer(["ldd", *programs]) or ""
    found = {Path(path) for path in re.findall(r"(/\S+) \(0x", text)}
    if not found:
        raise ui.Failure(f"ldd: says nothing of {programs[0]}")
    return sorted(found)
