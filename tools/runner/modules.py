# SPDX-License-Identifier: GPL-2.0-only
"""Building the modules against a kernel.

Each kernel has a copy of the sources of its own, so that nothing is ever built
in the user's tree, different kernels do not collide, and a second run compiles
only what changed.
"""

import os
import re
import shutil

import kernels
import paths
import process
import ui

SOURCES = ("Kbuild", "kpool", "include", "kunit", "samples")

# What must come out of a build: everywhere, and where the kernel has KUnit.
PRODUCTS = ("kpool", "kpool_minimal", "kxpc", "kpool_teardown")
TESTS = ("kpool_kunit", "kxpc_kunit", "misuse_kunit", "splat_kunit",
         "kpool_client")

_ARTEFACT = re.compile(r".*\.(o|ko|a|mod|mod\.c|cmd|symvers|order|d|tmp)"
                       r"|\..*|__pycache__")
_WARNING = re.compile(r"\b(warning|WARNING): ?")

# Said by the build about the machine or the tree, not about our code.
_NOT_OURS = [re.compile(r"the compiler differs from the one used")]
_NO_SYMBOLS = [re.compile(r"modpost: .* undefined!"),
               re.compile(r"suppressed \d+ unresolved symbol warnings"),
               re.compile(r"Module\.symvers\"? is missing")]


def copy_of_sources(label):
    """Where the build @label has its copy of the sources."""
    return paths.BUILD / "modules" / label


def build(tree, label, log, sources=SOURCES, root=paths.ROOT, arguments=(),
          show=ui.line):
    """Build @sources of @root against @tree; the modules' paths.

    Warnings are failures.  @label names the build's folder; without @sources
    that has them already.
    """
    folder = copy_of_sources(label)
    if sources:
        refresh(root, sources, folder)
    what = f"modules for {tree.name}"
    show(f"{what}: building" + (" with " + " ".join(arguments)
                                if arguments else ""))
    environment = {} if tree.symbols else {"KBUILD_MODPOST_WARN": "1"}
    lines = []
    status = process.run(
        ["make", "-C", tree.path, f"M={folder}", kernels.jobs(), *arguments,
         "modules"], log, what, lambda text: lines.append(text), environment)
    if status:
        errors = [text.strip() for text in lines
                  if re.search(r"\berror\b|\bERROR\b|\*\*\*", text)]
        raise ui.Failure(f"{what}: does not build: "
                         f"{(errors or lines or ['make failed'])[0].strip()}"
                         f" (log: {paths.shown(log)})")
    warnings = warnings_in(lines, tree.symbols)
    if warnings:
        # Built objects would hide the warnings from the next run.
        shutil.rmtree(folder)
        more = f" (and {len(warnings) - 1} more)" if warnings[1:] else ""
        raise ui.Failure(f"{what}: {_relative(warnings[0], folder)}{more}"
                         f" (log: {paths.shown(log)})")
    return sorted(folder.rglob("*.ko"))


def warnings_in(lines, symbols=True):
    """The warnings among a build's lines that count."""
    ignored = _NOT_OURS if symbols else _NOT_OURS + _NO_SYMBOLS
    return [line.strip() for line in lines if _WARNING.search(line)
            and not any(regex.search(line) for regex in ignored)]


def _relative(text, folder):
    return text.replace(f"{folder}/", "")


def refresh(root, sources, folder):
    """Make the copy @folder of @sources what the sources are now."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = set()
    for name in sources:
        item = root / name
        files = [item] if item.is_file() else sorted(item.rglob("*"))
        for file in files:
            inside = file.relative_to(root)
            if file.is_file() and not any(_ARTEFACT.fullmatch(part)
                                          for part in inside.parts):
                wanted.add(str(inside))
                _copy(file, folder / inside)
    listing = folder / ".sources"
    before = listing.read_text().splitlines() if listing.exists() else []
    for gone in set(before) - wanted:
        (folder / gone).unlink(missing_ok=True)
    listing.write_text("\n".join(sorted(wanted)) + "\n")


def _copy(file, target):
    """Copy @file if it changed, and let make see that it did."""
    content = file.read_bytes()
    if target.exists() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    os.chmod(target, file.stat().st_mode & 0o777)
