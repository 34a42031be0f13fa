# SPDX-License-Identifier: GPL-2.0-only
"""Kernels built from Debian's source packages.

A test kernel is small and has every checker switched on.  It is built once:
its folder is named after everything that went into it, a stamp says that it is
finished, and an interrupted build goes on where it stopped.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import apt
import kconfig
import packages
import paths
import process
import ui

STAMP = ".kpool-complete"


@dataclass(frozen=True)
class Recipe:
    """How a kernel is made; fragments are files of kunit/qemu."""
    source: str
    fragments: tuple = ()
    backports: bool = False


# A further kernel to test on is one more line here.
TEST_KERNELS = {
    "6.12": Recipe("linux-source-6.12",
                   ("base.config", "debug.config", "preempt.config")),
    "6.12-rt": Recipe("linux-source-6.12",
                      ("base.config", "debug.config", "rt.config")),
    "7.3": Recipe("linux-source-7.3",
                  ("base.config", "debug.config", "preempt.config",
                   "7.3.config"), backports=True),
}

# Kernels that are only compiled against: newer than the distribution's own.
PREPARED_TREES = {
    "7.3": Recipe("linux-source-7.3", backports=True),
}


@dataclass(frozen=True)
class Tree:
    """A kernel to build modules against, and to boot if it has an image."""
    name: str
    path: Path
    release: str
    image: Path = None
    symbols: bool = True


def jobs():
    return f"-j{(os.cpu_count() or 1) + 1}"


@contextlib.contextmanager
def lock(name):
    """Hold the cache's lock @name: two runs never build the same thing."""
    folder = paths.cache() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / name, "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            ui.line(f"{name}: waiting for another run that is making it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_kernel(name, log):
    """The test kernel @name, built if it does not exist yet."""
    recipe = TEST_KERNELS.get(name)
    if not recipe:
        raise ui.Failure(f"kernel {name}: unknown; there is "
                         + ", ".join(TEST_KERNELS))
    packages.require(packages.COMPILE, log)
    version, archive = _source(recipe, log)
    fragments = fragments_of(recipe)
    output = _output_folder(name, version, fragments)
    with lock(output.name):
        if not (output / STAMP).exists():
            source = _unpacked(recipe.source, version, archive, log)
            _configure(name, source, output, fragments, log)
            _build(name, output, log)
            (output / STAMP).touch()
    return Tree(name, output, _release(output),
                image=output / "arch/x86/boot/bzImage")


def fragments_of(recipe):
    """The options of a test kernel; of several for one the last counts."""
    return "\n".join((paths.GUEST / file).read_text(encoding="ascii")
                     for file in recipe.fragments)


def prepared_tree(name, log):
    """A tree to compile against only: configured, its kernel not built.

    There are no symbol versions without a kernel, so modpost's complaints
    about unknown symbols mean nothing here (Tree.symbols is false).
    """
    recipe = PREPARED_TREES[name]
    packages.require(packages.COMPILE, log)
    version, archive = _source(recipe, log)
    output = _output_folder(f"{name}-prepared", version, "defconfig")
    with lock(output.name):
        if not (output / STAMP).exists():
            source = _unpacked(recipe.source, version, archive, log)
            output.mkdir(parents=True, exist_ok=True)
            for target in ("defconfig", "modules_prepare"):
                _make(f"kernel {name}", source, output, [target], log)
            (output / STAMP).touch()
    return Tree(name, output, _release(output), symbols=False)


def configure_only(name, folder, fragments, log):
    """Configure the kernel @name with other options than its own."""
    recipe = TEST_KERNELS[name]
    version, archive = _source(recipe, log)
    source = _unpacked(recipe.source, version, archive, log)
    _configure(name, source, folder, fragments, log)


def _output_folder(name, version, fragments):
    compiler = process.answer(["gcc", "--version"]).splitlines()[0]
    options = sorted(kconfig.parse(fragments).items())
    made_of = "\n".join([version, compiler, repr(options)])
    digest = hashlib.sha256(made_of.encode()).hexdigest()[:12]
    return paths.cache() / "kernels" / f"{name}-{version}-{digest}"


def _source(recipe, log):
    """The version of a recipe's source, and the tarball with it."""
    if recipe.backports:
        return apt.backports().download(recipe.source, log)
    packages.require([recipe.source], log)
    return (packages.installed(recipe.source),
            Path("/usr/src") / f"{recipe.source}.tar.xz")


def _unpacked(package, version, archive, log):
    """The folder with the source of @package, unpacked once."""
    target = paths.cache() / "src" / f"{package}-{version}"
    with lock(target.name):
        if not target.exists():
            ui.line(f"{package} {version}: unpacking")
            scratch = target.with_name(target.name + ".partial")
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            if process.run(["tar", "-C", scratch, "--strip-components=1",
                            "-xf", archive], log, f"unpacking {package}"):
                raise ui.Failure(f"{package}: cannot unpack {archive}: "
                                 f"{process.tail(log, 1)}")
            scratch.rename(target)
    return target


def _configure(name, source, output, fragments, log):
    output.mkdir(parents=True, exist_ok=True)
    wanted = output / "kpool.config"
    wanted.write_text(fragments, encoding="ascii")
    _make(f"kernel {name}", source, output, ["allnoconfig"], log,
          {"KCONFIG_ALLCONFIG": str(wanted)})
    final = (output / ".config").read_text(encoding="utf-8")
    lost = kconfig.dropped(fragments, final)
    if lost:
        raise ui.Failure(f"kernel {name}: options that did not take effect: "
                         + ", ".join(lost))


def _build(name, output, log):
    ui.line(f"kernel {name}: building in {output} (once; about ten minutes)")
    _make(f"kernel {name}", output, None, [jobs(), "bzImage", "modules"], log)


def _make(what, folder, output, arguments, log, env=None):
    """Run make in @folder; a failure shows the end of the log."""
    objects = 0

    def count(text):
        nonlocal objects
        objects += text.startswith("  CC ")
        return f"building ({objects} objects)"

    where = ["-C", folder] + ([f"O={output}"] if output else [])
    if process.run(["make", *where, *arguments], log, what, count, env):
        ui.plain(process.tail(log))
        raise ui.Failure(f"{what}: make {arguments[-1]} failed (log: {log})")


def _release(output):
    return (output / "include/config/kernel.release").read_text().strip()
