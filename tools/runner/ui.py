# SPDX-License-Identifier: GPL-2.0-only
"""What the user sees.

Permanent lines carry the elapsed time.  Between them a status line says what
is going on: rewritten in place on a terminal, and elsewhere repeated now and
then, so that a long step never looks like a hang and never floods a log.
"""

import shutil
import sys
import threading
import time

QUIET_SECONDS = 20

_start = time.monotonic()
_lock = threading.RLock()
_status_shown = False
_status_time = _start


class Failure(Exception):
    """An error that one line explains: shown as it is, without a traceback."""


def elapsed():
    return time.monotonic() - _start


def _print(text):
    global _status_shown
    with _lock:
        if _status_shown:
            sys.stdout.write("\r\033[K")
            _status_shown = False
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def line(text):
    """One permanent line of progress."""
    global _status_time
    with _lock:
        _status_time = time.monotonic()
        _print(f"[{elapsed():6.1f}s] {text}")


def status(text):
    """Say what is going on now; may be called as often as one likes."""
    global _status_shown, _status_time
    with _lock:
        now = time.monotonic()
        if sys.stdout.isatty():
            width = shutil.get_terminal_size().columns - 1
            shown = f"[{elapsed():6.1f}s] {text}"[:width]
            sys.stdout.write(f"\r\033[K{shown}")
            sys.stdout.flush()
            _status_shown = True
        elif now - _status_time >= QUIET_SECONDS:
            _status_time = now
            _print(f"[{elapsed():6.1f}s] ... {text}")


def plain(text):
    """One permanent line without the time: results, and guests' own words."""
    _print(text)
