# SPDX-License-Identifier: GPL-2.0-only
"""Debian's own kernels: headers to compile against, and one to boot."""

import os
from pathlib import Path

import apt
import kernels
import packages
import paths
import ui

# Which packages of a series are used; the group is the kernel's release.
HEADERS = {
    "6.12": r"linux-headers-(6\.12\.\d+\S*-cloud-amd64)",
    "6.1": r"linux-headers-(6\.1\.\d+-\d+-amd64)",
}
IMAGE = r"linux-image-(6\.12\.\d+\S*-cloud-amd64)"


def headers(series, log):
    """The tree of Debian's headers of @series, the newest that can be had."""
    return _headers(series, packages.available(HEADERS[series]), log)


def _headers(series, releases, log):
    if not releases:
        raise ui.Failure(f"no headers of a {series} kernel can be had; perhaps "
                         "apt-get update helps")
    release = packages.newest(releases)
    packages.require([f"linux-headers-{release}", *packages.COMPILE], log)
    return kernels.Tree(f"Debian {series}",
                        Path("/usr/src") / f"linux-headers-{release}", release)


def stock_kernel(log):
    """Debian's kernel as users have it: the headers' tree, with an image."""
    releases = (packages.available(IMAGE)
                & packages.available(HEADERS["6.12"]))
    tree = _headers("6.12", releases, log)
    return kernels.Tree(f"stock {tree.release}", tree.path, tree.release,
                        image=_image(tree.release, log))


def _image(release, log):
    """The image of @release: installed, or unpacked from its package."""
    image = f"vmlinuz-{release}"
    installed = Path("/boot") / image
    if os.access(installed, os.R_OK):
        return installed
    folder = paths.cache() / "stock" / release
    package = f"linux-image-{release}"
    with kernels.lock(f"stock-{release}"):
        version = apt.MACHINE.version(package, log)
        unpacked = apt.MACHINE.unpack(package, version, folder, log)
    return unpacked / "boot" / image
