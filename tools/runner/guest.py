# SPDX-License-Identifier: GPL-2.0-only
"""What is inside a guest: busybox, the scripts, and modules of one kernel."""

import shutil
from pathlib import Path

import initramfs
import paths
import process
import ui

BUSYBOX = Path("/bin/busybox")


def stage(release, modules, folder, log):
    """Lay out /lib/modules/@release for @modules below @folder.

    With depmod's tables, so that guests use modprobe as a user would.
    """
    shutil.rmtree(folder, ignore_errors=True)
    target = folder / "lib" / "modules" / release
    (target / "extra").mkdir(parents=True)
    for module in modules:
        strip(module, target / "extra" / module.name, log)
    for table in ("modules.order", "modules.builtin"):
        (target / table).touch()
    if process.run(["depmod", "-b", folder, release], log, "modules"):
        raise ui.Failure(f"depmod failed (log: {log})")
    return folder


def strip(module, target, log):
    """Copy a @module without what only a debugger wants."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if process.run(["strip", "--strip-debug", "-o", target, module], log,
                   "modules"):
        raise ui.Failure(f"{module.name}: strip failed (log: {log})")


def build(staged, target, extra=None):
    """Write the initramfs @target with the modules of @staged.

    @extra maps further paths of the guest to files of the host or bytes.
    """
    _check_static(BUSYBOX)
    archive = initramfs.Archive()
    for folder in ("dev", "proc", "sys", "tmp"):
        archive.directory(folder)
    archive.character_device("dev/console", 5, 1)
    archive.character_device("dev/null", 1, 3)
    archive.file("bin/busybox", BUSYBOX, 0o755)
    archive.file("init", paths.GUEST / "init", 0o755)
    archive.file("lib/kpool/lib.sh", paths.GUEST / "lib.sh")
    for script in sorted(paths.GUEST.glob("*.sh")):
        archive.file(f"scripts/{script.name}", script)
    if staged:
        archive.tree("lib/modules", staged / "lib" / "modules")
    for path, content in (extra or {}).items():
        archive.file(path, content, 0o755)
    archive.write(target)
    return target


def _check_static(program):
    """A guest has no libraries: a busybox that needs some would not start."""
    if b"/ld-linux" in program.read_bytes():
        raise ui.Failure(f"{program} is not static; type: "
                         "sudo apt-get install busybox-static")
