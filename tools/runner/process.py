# SPDX-License-Identifier: GPL-2.0-only
"""Child processes that never outlive the runner.

Every child leads a process group of its own, is on one list, and is ended with
its group in every exit path.  setpriv arranges that even a runner that was
killed outright takes its direct children with it.
"""

import os
import signal
import subprocess
import threading
import time

import ui

GRACE_SECONDS = 5

_children = set()
_lock = threading.Lock()
_ending = threading.Event()


def start(argv, **kwargs):
    """Popen, in a process group that end() and end_all() know."""
    with _lock:
        go_on()
        child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *argv],
                                 stdin=subprocess.DEVNULL, process_group=0,
                                 **kwargs)
        _children.add(child)
    return child


def _signal(child, number):
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        pass


def end(child, grace=GRACE_SECONDS):
    """End @child and its group: politely, then not.  Returns its status."""
    if child.poll() is None:
        _signal(child, signal.SIGTERM)
        try:
            child.wait(grace)
        except subprocess.TimeoutExpired:
            _signal(child, signal.SIGKILL)
            child.wait()
    with _lock:
        _children.discard(child)
    return child.returncode


def end_all():
    """End every child and let no new one start: the runner is leaving."""
    _ending.set()
    with _lock:
        children = list(_children)
    for child in children:
        _signal(child, signal.SIGTERM)
    for child in children:
        end(child, grace=2)


def go_on():
    """Raise if the runner is leaving: what ended then, was ended."""
    if _ending.is_set():
        raise ui.Failure("interrupted")


def run(argv, log, what, on_line=None, env=None, cwd=None):
    """Run @argv with its output in the file @log; returns the exit status.

    @on_line sees each line of output as it comes and may return a text for
    the status line.
    """
    environment = dict(os.environ, LC_ALL="C", **(env or {}))
    began = time.monotonic()
    with open(log, "a", buffering=1, encoding="utf-8",
              errors="replace") as out:
        out.write(f"$ {' '.join(map(str, argv))}\n")
        child = start(list(map(str, argv)), stdout=subprocess.PIPE,
                      stderr=subprocess.STDOUT, env=environment, cwd=cwd,
                      text=True, errors="replace")
        try:
            for text in child.stdout:
                out.write(text)
                note = on_line(text) if on_line else None
                seconds = time.monotonic() - began
                ui.status(f"{what}: {note or 'running'} ({seconds:.0f} s)")
            child.wait()
        finally:
            end(child)
    return child.returncode


def tail(log, count=15):
    """The last lines of a log, for a failure that has to be explained."""
    with open(log, encoding="utf-8", errors="replace") as lines:
        return "".join(lines.readlines()[-count:]).rstrip()


def answer(argv):
    """The output of a short command; None if it failed or does not exist."""
    try:
        done = subprocess.run(list(map(str, argv)), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False,
                              env=dict(os.environ, LC_ALL="C"))
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
