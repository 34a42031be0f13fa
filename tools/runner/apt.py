# SPDX-License-Identifier: GPL-2.0-only
"""Getting packages without installing them.

A source package of another Debian release, or a kernel image to boot in QEMU,
must not change the machine.  The backports have an apt configuration of their
own, in the cache, that uses the mirror which the machine uses already.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import packages
import paths
import process
import ui

BACKPORTS = "trixie-backports"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class Archive:
    """A set of packages; @options make apt look at it and nothing else."""
    name: str
    options: tuple = ()

    def download(self, package, log):
        """Fetch the file that @package carries; (version, path of tarball)."""
        version = self.version(package, log)
        folder = paths.cache() / "packages" / f"{package}-{version}"
        unpacked = self.unpack(package, version, folder, log)
        tarballs = list((unpacked / "usr/src").glob(f"{package}.tar.*"))
        if not tarballs:
            raise ui.Failure(f"{package}: has no tarball")
        return version, tarballs[0]

    def version(self, package, log):
        """The version that can be had; asks the network once if needed."""
        for attempt in range(2):
            text = process.answer(["apt-cache", *self.options, "policy",
                                   package])
            match = re.search(r"Candidate: (\d\S*)", text or "")
            if match:
                return match[1]
            if attempt == 0 and self.options:
                process.run(["apt-get", *self.options, "update"], log,
                            f"{self.name}: reading the package lists")
        raise ui.Failure(f"{package}: not available from {self.name} "
                         f"(log: {log})")

    def unpack(self, package, version, folder, log):
        """Download @package and unpack it into @folder, once."""
        if folder.exists():
            return folder
        scratch = folder.with_name(folder.name + ".partial")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        ui.line(f"{package} {version}: downloading")
        # As root, apt fetches as a user that may not write everywhere.
        command = ["apt-get", *self.options, "-o", "APT::Sandbox::User=root",
                   "download", f"{package}={version}"]
        if process.run(command, log, f"downloading {package}", cwd=scratch):
            raise ui.Failure(f"{package}: download failed; perhaps "
                             f"apt-get update helps (log: {log})")
        archive = next(scratch.glob("*.deb"))
        if process.run(["dpkg", "-x", archive, scratch], log,
                       f"unpacking {package}"):
            raise ui.Failure(f"{package}: cannot be unpacked (log: {log})")
        archive.unlink()
        scratch.rename(folder)
        return folder


MACHINE = Archive("this machine's sources")


def backports():
    """The backports of a newer release, which has the newest kernels."""
    folder = paths.cache() / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    sources = folder / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {_mirror()} "
                       f"{BACKPORTS} main\n", encoding="ascii")
    return Archive(BACKPORTS, tuple(
        word for option in (f"Dir::Etc::sourcelist={sources}",
                            "Dir::Etc::sourceparts=/dev/null",
                            f"Dir::State::lists={folder / 'lists'}",
                            f"Dir::Cache={folder / 'cache'}")
        for word in ("-o", option)))


def _mirror():
    """The address of the Debian mirror in the machine's own apt sources."""
    etc = Path("/etc/apt")
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for file in files:
        if file.suffix not in (".list", ".sources") or not file.is_file():
            continue
        address = mirror_in(file.read_text(encoding="utf-8"))
        if address:
            return address
    raise ui.Failure("no Debian mirror in /etc/apt/sources.list or "
                     "/etc/apt/sources.list.d")


def mirror_in(text):
    """The mirror of Debian's main archive in a text of either format."""
    release = packages.codename()
    one_line = re.compile(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+" + release + r"\s")
    for line in text.splitlines():
        if match := one_line.match(line + " "):
            return match[1]
    for stanza in re.split(r"\n\s*\n", text):
        field = dict(re.findall(r"(?m)^([\w-]+):[ \t]*(.*)$", stanza))
        if release in field.get("Suites", "").split():
            return field["URIs"].split()[0]
    return None
