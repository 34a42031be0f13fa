# SPDX-License-Identifier: GPL-2.0-only
"""make demo: kpool at work on Debian's kernel, as a user would have it."""

import random
from pathlib import Path

import distro
import gates
import guest
import modules
import packages
import paths
import qemu
import topguest
import ui

FILE_BYTES = 8 << 20
FILE_LIMIT = 256 << 20


def demo(run, options):
    """Show it, with the user's own file if there is one."""
    packages.require(packages.COMPILE + packages.BOOT + packages.TOP,
                     run.log("packages"))
    on_stock_kernel(run, _content(options.file), ui.plain)


def on_stock_kernel(run, content, show=None):
    """Run demo.sh on Debian's kernel, sending @content; count its checks.

    @show is called with each line that the demo says.
    """
    log = run.log("demo")
    tree = distro.stock_kernel(log)
    built = modules.build(tree, "stock", log)
    staged = guest.stage(tree.release, built, paths.BUILD / "stage" / "stock",
                         log)
    image = guest.build(staged, paths.BUILD / "stage" / "stock.cpio.gz",
                        {"demo/file": content, **topguest.files()})
    boot = qemu.boot(
        qemu.Guest(f"demo on {tree.release}", tree.image, image, "demo.sh",
                   {"guest.top": "yes"}, cpus=2, show=show),
        run.folder / "demo")
    gates.judge(boot, gates.STOCK, run.verdict)


def noise(size):
    """Bytes that do not repeat, and are the same every time."""
    return random.Random(0).randbytes(size)


def _content(file):
    """The file to send: the user's, or one made up."""
    if not file:
        return noise(FILE_BYTES)
    path = Path(file).expanduser()
    try:
        size = path.stat().st_size
        if size > FILE_LIMIT:
            raise ui.Failure(f"{file}: has more than {FILE_LIMIT >> 20} MiB; "
                             "the guest keeps it in memory")
        return path.read_bytes()
    except OSError as error:
        raise ui.Failure(f"{file}: {error.strerror}") from error
