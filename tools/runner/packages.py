# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages: which ones a command needs, and how they get installed."""

import os
import re
from functools import cmp_to_key
from pathlib import Path

import process
import ui

COMPILE = ["gcc", "make", "bc", "bison", "flex", "libelf-dev", "libssl-dev",
           "perl", "xz-utils", "kmod", "binutils"]
BOOT = ["qemu-system-x86", "busybox-static", "kmod", "util-linux"]
TOP = ["python3", "ncurses-base"]  # in the guest: topguest.py
SPARSE = ["sparse"]
PLOT = ["gnuplot-nox"]


def installed(name):
    """The installed version of the package @name, or None."""
    text = process.answer(["dpkg-query", "-W",
                           "-f=${db:Status-Status} ${Version}", name])
    state, _, version = (text or "").partition(" ")
    return version if state == "installed" else None


def files(name):
    """The files, not folders, of the installed package @name."""
    text = process.answer(["dpkg", "-L", name]) or ""
    return [path for path in map(Path, text.splitlines()) if path.is_file()]


def _by_version(left, right):
    if left == right:
        return 0
    newer = process.answer(["dpkg", "--compare-versions", left, "gt", right])
    return 1 if newer is not None else -1


def newest(versions):
    """The highest of @versions, as dpkg orders them."""
    return max(versions, key=cmp_to_key(_by_version))


def available(pattern):
    """What the group of @pattern matches, of packages that can be had."""
    names = process.answer(["apt-cache", "pkgnames", "linux-"]) or ""
    found = [match for match in (re.fullmatch(pattern, name)
                                 for name in names.split()) if match]
    return {match[1] for match in found
            if installed(match[0]) or candidate(match[0])}


def candidate(name):
    """The version of @name that apt would install, or None."""
    text = process.answer(["apt-cache", "policy", name]) or ""
    match = re.search(r"Candidate: (\S+)", text)
    return match[1] if match and match[1] != "(none)" else None


def codename():
    """The name of the running Debian release."""
    text = process.answer(["cat", "/etc/os-release"]) or ""
    match = re.search(r"(?m)^VERSION_CODENAME=(\w+)", text)
    return match[1] if match else "bookworm"


def _apt_get():
    if os.geteuid() == 0:
        return ["apt-get"]
    if process.answer(["sudo", "-n", "true"]) is not None:
        return ["sudo", "-n", "apt-get"]
    return None


def require(names, log):
    """Make sure that the packages @names are installed.

    KPOOL_NO_INSTALL=1 forbids installing: then, as without root rights, the
    failure says what to type.
    """
    if process.answer(["dpkg-query", "--version"]) is None:
        raise ui.Failure("needs Debian 12 (or a container of it): "
                         "there is no dpkg-query")
    missing = sorted({name for name in names if not installed(name)})
    if not missing:
        return
    command = ["install", "-y", "--no-install-recommends", *missing]
    apt_get = None if os.environ.get("KPOOL_NO_INSTALL") == "1" else _apt_get()
    if not apt_get:
        raise ui.Failure("packages are missing; type: sudo apt-get "
                         + " ".join(command))
    ui.line("packages: installing " + " ".join(missing))
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    for attempt in (["update"], command):
        status = process.run(apt_get + attempt, log, "packages", env=env)
        if status and attempt == command:
            raise ui.Failure("packages: apt-get could not install "
                             f"{' '.join(missing)} (log: {log})")
