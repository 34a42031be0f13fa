# SPDX-License-Identifier: GPL-2.0-only
"""One boot of a guest in QEMU.

QEMU's exit status says nothing (it is 0 after a panic), so a boot only reports
how it ended; whether it passed is for gates.py to say, from what the guest
wrote on its second serial port.
"""

import math
import os
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import paths
import process
import transcript
import ui

PANIC = re.compile(r"Kernel panic - not syncing.*")
_CASE = re.compile(r"(?:not )?ok \d+(?: -)? (\S+)")
POLL_SECONDS = 0.2
EXIT_GRACE_SECONDS = 10
BOOTS = 3

# The cmpxchg16b of QEMU 7.2 leaves garbage in the flags.  An interrupt that comes
# before the next change of them may return to that, and double faults.
EMULATED_CPU = "max,-cx16"

# One virtual CPU at a time, and 1 ns for each instruction of any of them.
COUNTED = ["-accel", "tcg,thread=single", "-cpu", EMULATED_CPU,
           "-icount", "shift=0,sleep=off"]

# How a boot can end.
ENDED = "ended"        # QEMU left by itself, or was told to after the token
PANICKED = "panicked"
HUNG = "hung"          # nothing was written for too long
TIMED_OUT = "timed out"


@dataclass
class Guest:
    """What to boot."""
    name: str
    kernel: Path
    initramfs: Path
    script: str
    arguments: dict = field(default_factory=dict)
    cpus: int = 4
    memory: str = "2G"
    seconds: int = 1500
    silent_seconds: int = 180
    step_seconds: float = math.inf
    counted: bool = False  # its clock counts instructions, whatever the host
    nodes: int = 1  # of memory, with as many CPUs each
    show: Callable = None  # is called with each line of the guest's free text


@dataclass
class Boot:
    """What became of it."""
    name: str
    nonce: str
    console: Path
    results: Path
    reason: str = ENDED
    status: int = None
    seconds: float = 0.0

    def console_text(self):
        return _read(self.console)

    def results_text(self):
        return _read(self.results)


def boot(guest, folder, started=None):
    """Boot @guest with its logs in @folder, and wait until it has ended.

    A guest that dies before its script has said a word has executed nothing of
    ours, and is booted again: kernels patch code while they boot, and emulated
    CPUs that execute it at that moment do not always bear it.

    @started is called with QEMU's process, for those who want to disturb it.
    """
    for attempt in range(1, BOOTS + 1):
        report = _boot(guest, folder, started)
        if started or attempt == BOOTS or report.results_text():
            return report
        ui.line(f"{guest.name}: {report.reason} before anything began;"
                f" once more (log: {paths.shown(_keep(report, attempt))})")


def _keep(report, attempt):
    """Put the console of a boot that did not count aside."""
    return report.console.replace(
        report.console.with_name(f"console-{attempt}.log"))


def _boot(guest, folder, started):
    folder.mkdir(parents=True, exist_ok=True)
    report = Boot(guest.name, secrets.token_hex(8), folder / "console.log",
                  folder / "results.log")
    for log in (report.console, report.results):
        log.write_bytes(b"")
    accel = COUNTED if guest.counted else accelerator(guest.kernel, folder)
    command = _command(guest, report, accel)
    ui.line(f"{guest.name}: booting with {guest.cpus} CPU"
            + ("s" if guest.cpus > 1 else ""))
    began = time.monotonic()
    with open(folder / "qemu.log", "w", encoding="utf-8") as log:
        log.write(" ".join(command) + "\n")
        log.flush()
        qemu = process.start(command, stdout=log, stderr=log)
        try:
            if started:
                started(qemu)
            report.reason = _watch(qemu, guest, report)
        finally:
            # A status of our own making would only mislead.
            report.status = qemu.poll()
            process.end(qemu)
    report.seconds = time.monotonic() - began
    return report


def _command(guest, report, accel):
    arguments = {"guest.script": guest.script, "guest.nonce": report.nonce,
                 **guest.arguments}
    # On a busy machine the kernel's probe of the timer may see no tick in time.
    line = ("console=ttyS0 panic=-1 no_timer_check kunit.enable=1 "
            "kunit.autorun=1 "
            + " ".join(f"{key}={value}" for key, value in arguments.items()))
    return ["qemu-system-x86_64", *accel,
            "-smp", f"{guest.cpus},sockets={guest.nodes}",
            "-m", guest.memory, *_nodes(guest),
            "-nodefaults", "-nographic", "-no-reboot", "-bios", "qboot.rom",
            "-kernel", str(guest.kernel), "-initrd", str(guest.initramfs),
            "-append", line,
            "-serial", f"file:{report.console}",
            "-serial", f"file:{report.results}"]


def _nodes(guest):
    """Memory in several nodes; each is a socket with its share of the CPUs."""
    cpus = guest.cpus // guest.nodes
    size = int(guest.memory.removesuffix("G")) * 1024 // guest.nodes
    options = []
    for node in range(guest.nodes if guest.nodes > 1 else 0):
        first = node * cpus
        options += ["-object", f"memory-backend-ram,id=node{node},size={size}M",
                    "-numa", f"node,nodeid={node},memdev=node{node},"
                             f"cpus={first}-{first + cpus - 1}"]
    return options


def _watch(qemu, guest, report):
    """Follow both logs until the guest has ended; says how it did."""
    follower = _Follower(guest, report)
    began = spoke = time.monotonic()
    leaving = None
    while qemu.poll() is None:
        time.sleep(POLL_SECONDS)
        now = time.monotonic()
        if follower.read():
            spoke = now
        if follower.panicked or follower.token:
            leaving = leaving or now
        if leaving and now - leaving > EXIT_GRACE_SECONDS:
            break
        if not leaving and now - spoke > guest.silent_seconds:
            return HUNG
        if not leaving and (now - began > guest.seconds
                            or now - follower.stepped > guest.step_seconds):
            return TIMED_OUT
        ui.status(f"{guest.name}: {follower.doing}")
    follower.read()
    return PANICKED if follower.panicked else ENDED


class _Follower:
    """Reads what the two logs grew by, to show where the guest is."""

    def __init__(self, guest, report):
        self.doing = "booting"
        self.panicked = False
        self.stepped = math.inf  # when the last step began
        self._nonce = report.nonce
        self._show = guest.show
        self._suite = ""
        self._said = transcript.Transcript()
        self._logs = {report.console: self._console_line,
                      report.results: self._results_line}
        self._offsets = dict.fromkeys(self._logs, 0)

    @property
    def token(self):
        """The guest came to its end."""
        return bool(self._said.end and self._said.end[0] == self._nonce)

    def read(self):
        """Take in what is new; True if there was anything."""
        grown = False
        for path, take in self._logs.items():
            with open(path, "rb") as log:
                log.seek(self._offsets[path])
                data = log.read()
            whole = data[:data.rfind(b"\n") + 1]
            self._offsets[path] += len(whole)
            grown = grown or bool(whole)
            for line in whole.decode(errors="replace").splitlines():
                take(line.rstrip())
        return grown

    def _console_line(self, line):
        if PANIC.search(line):
            self.panicked = True
        elif "# Subtest: " in line:
            self._suite = self.doing = line.rpartition("# Subtest: ")[2]
        elif self._suite and (match := _CASE.search(line)):
            self.doing = f"{self._suite}: {match[1]}"

    def _results_line(self, line):
        before = self._said.doing
        if self._said.take(line) and self._show:
            self._show(line)
        if self._said.doing != before:
            self.stepped = time.monotonic()
            self.doing = self._said.doing
            if self._show:
                self._show(f"==> {self.doing}")


def accelerator(kernel, folder):
    """QEMU's options for the machine's CPU.

    /dev/kvm may exist and not work, so KVM (asked for with KPOOL_KVM=1) must
    first boot a kernel to the point where it finds no init.
    """
    slow = ["-accel", "tcg,thread=multi", "-cpu", EMULATED_CPU]
    if os.environ.get("KPOOL_KVM") != "1":
        return slow
    fast = ["-accel", "kvm", "-cpu", "host"]
    console = folder / "kvm-probe.log"
    probe = process.start(
        ["qemu-system-x86_64", *fast, "-m", "512M", "-nodefaults",
         "-nographic", "-no-reboot", "-bios", "qboot.rom", "-kernel",
         str(kernel), "-append", "console=ttyS0 panic=-1",
         "-serial", f"file:{console}"])
    deadline = time.monotonic() + 15
    while probe.poll() is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    process.end(probe)
    works = console.exists() and PANIC.search(_read(console))
    if not works:
        ui.line("KVM: does not boot a kernel here; using TCG")
    return fast if works else slow


def _read(path):
    return path.read_bytes().decode(errors="replace").replace("\r", "")
