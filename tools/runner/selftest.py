# SPDX-License-Identifier: GPL-2.0-only
"""make check-runner: the runner, tested on what must not pass.

Every gate is shown something broken (kunit/broken, or a guest that misbehaves)
and has to say so, with the right line and no other.
"""

import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import gates
import guest
import kernels
import modules
import packages
import paths
import process
import qemu
import ui

AT_ONCE = 2  # guests; more only slow each other down


@dataclass(frozen=True)
class Defect:
    """What is broken, and the failures (regexes) that must come of it."""
    what: str
    how: str = "good"
    failures: tuple = ()
    passed: int = None
    script: str = "check.sh"
    leaks: bool = False
    silent_seconds: int = 120
    kill: bool = False


DEFECTS = (
    Defect("a good module passes", leaks=True, passed=3),
    Defect("an announced warning passes", "expected", passed=3),
    Defect("a leak", "leak", (r"kmemleak: \d+ objects leaked",), leaks=True),
    Defect("a guest that hangs", "hang", ("end: the guest hangs",),
           silent_seconds=20),
    Defect("a failing case", "case",
           ("suite broken: defect: .*Expected 1 == 2",)),
    Defect("a skipped suite", "skip",
           ("suite broken: all cases were skipped",)),
    Defect("a warning", "warn", ("console: line .*WARNING: ",)),
    Defect("a lock inversion", "lockdep",
           ("console: line .*possible circular locking",
            "lockdep: debug_locks is 0")),
    Defect("a thread and a module that stay", "thread",
           ("unload broken: ", "unloading: left behind: module broken",
            r"unloading: left behind: thread \(kpool/broken\)")),
    Defect("a panic", "panic", ("end: Kernel panic", "console: line .*panic")),
    Defect("a guest without its token", script="no-token.sh",
           failures=("end: the guest ended without its token",)),
    Defect("QEMU killed", "hang", ("end: QEMU died: killed by signal 9",),
           kill=True),
)


@dataclass(frozen=True)
class Bench:
    """What all these guests have in common."""
    tree: kernels.Tree
    image: Path


def check_runner(run, options):
    """All defects, two at a time; one line for each."""
    run.unit_tests()
    packages.require(packages.COMPILE + packages.BOOT, run.log("packages"))
    _judge(run, "an option that is dropped",
           _dropped_option(options.kernel, run))
    bench = _bench(options.kernel, run.log("build"))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        _judge(run, f"a runner ended by {number.name}", _ended_by(number))
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        jobs = {pool.submit(_try, defect, bench, run.folder): defect
                for defect in DEFECTS}
        for job in as_completed(jobs):
            with run.part():
                _judge(run, jobs[job].what, job.result())
    except BaseException:
        process.end_all()  # or the pool would wait for its guests
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def hold(options):
    """Boot a guest that never ends, for a runner that is to be interrupted."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        bench = _bench(options.kernel, folder / "build.log")
        qemu.boot(_guest(Defect("held", "hang"), bench), folder,
                  lambda child: ui.plain(f"QEMU is process {child.pid}"))
    return 0


def _judge(run, what, complaint):
    if complaint:
        run.verdict.fail(what, complaint)
    else:
        run.verdict.ok()
        ui.line(f"ok: {what}")


def _bench(name, log):
    tree = kernels.test_kernel(name, log)
    built = modules.build(tree, f"broken-{name}", log, ("Kbuild", "broken.c"),
                          paths.BROKEN)
    stage = paths.BUILD / "stage" / f"broken-{name}"
    image = stage.with_name(f"{stage.name}.cpio.gz")
    guest.build(guest.stage(tree.release, built, stage, log), image)
    return Bench(tree, image)


def _guest(defect, bench):
    arguments = {"guest.modules": "broken", "guest.runs": 1,
                 "guest.leaks": "yes" if defect.leaks else "no",
                 "broken.how": defect.how}
    return qemu.Guest(defect.what, bench.tree.image, bench.image, defect.script,
                      arguments, cpus=2, silent_seconds=defect.silent_seconds)


def _try(defect, bench, folder):
    """Boot with @defect; what is wrong with the runner's verdict, or None."""
    verdict = gates.Verdict(show=lambda text: None)
    expected = gates.Expectation(
        frozenset(["broken"]),
        kmemleak=("loaded", "unloaded") if defect.leaks else ())
    boot = qemu.boot(_guest(defect, bench),
                     folder / defect.what.replace(" ", "-"),
                     _kill_soon if defect.kill else None)
    gates.judge(boot, expected, verdict)
    return complaint(verdict, defect.failures, defect.passed)


def complaint(verdict, failures, passed=None):
    """How @verdict differs from the wanted one, or None."""
    for wanted in failures:
        if not any(re.search(wanted, line) for line in verdict.failures):
            return f"no failure says /{wanted}/, only {verdict.failures}"
    for line in verdict.failures:
        if not any(re.search(wanted, line) for wanted in failures):
            return f"did not expect: {line}"
    if passed is not None and verdict.passed != passed:
        return f"counted {verdict.passed} passed, not {passed}"
    return None


def _kill_soon(child):
    """What an impatient user, or a lack of memory, would do."""
    time.sleep(2)
    child.kill()


def _dropped_option(name, run):
    """Kconfig drops what it does not know: configuring has to fail."""
    log = run.log("dropped-option")
    with tempfile.TemporaryDirectory() as folder:
        try:
            kernels.configure_only(
                name, Path(folder),
                "CONFIG_PCI=y\nCONFIG_NO_SUCH_THING=y\n", log)
        except ui.Failure as failure:
            if str(failure).endswith("CONFIG_NO_SUCH_THING=y (is n)"):
                return None
            return f"failed with: {failure}"
    return "was not noticed"


def _ended_by(number):
    """End a runner by the signal @number: its QEMU must go with it."""
    runner = subprocess.Popen(
        [sys.executable, paths.ROOT / "tools" / "runner", "check-runner",
         "--hold"], stdout=subprocess.PIPE, text=True, process_group=0)
    pid, lines = None, []
    try:
        for line in runner.stdout:
            lines.append(line.strip())
            match = re.match(r"QEMU is process (\d+)", line)
            if match:
                pid = int(match[1])
                time.sleep(1)
                runner.send_signal(number)
        status = runner.wait(30)
    finally:
        runner.kill()
        runner.wait()
    if pid is None:
        return f"it did not start QEMU: {lines[-1:]}"
    if _runs_on(pid):
        return f"QEMU (process {pid}) runs on"
    orderly = status == 130 and lines[-1] == "interrupted"
    if number != signal.SIGKILL and not orderly:
        return f"it ended with status {status}, saying {lines[-1]}"
    return None


def _runs_on(pid, seconds=5):
    """Whether the process @pid is still there; a zombie is not."""
    state = Path(f"/proc/{pid}/stat")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if state.read_text().rpartition(") ")[2].startswith("Z"):
                return False
        except OSError:
            return False
        time.sleep(0.2)
    return True
