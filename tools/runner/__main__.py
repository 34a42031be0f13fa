# SPDX-License-Identifier: GPL-2.0-only
"""The test runner: python3 tools/runner COMMAND

Each command ends with one line, "N passed, N failed", and with status 0 only
if nothing failed.  Logs are in build/logs/<command>.
"""

import argparse
import contextlib
import fcntl
import os
import signal
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import bench
import check
import demo
import mutate
import paths
import plot
import process
import promises
import selftest
import ui
from run import Run

INTERRUPTED = 128 + signal.SIGINT


def main():
    """Run one command; returns the exit status."""
    options = _options()
    _catch_signals()
    try:
        with _alone(options):
            return _run(options)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        process.end_all()
        ui.plain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # nobody reads on, as in "make check | head"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    finally:
        process.end_all()


def _options():
    parser = argparse.ArgumentParser(prog="runner", description=__doc__,
                                     formatter_class=argparse
                                     .RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("check", help="build, boot and test it all")
    command.add_argument("--kernel", default="6.12",
                         help="test kernel to use (default: %(default)s)")
    command.set_defaults(action=check.check)
    command = commands.add_parser("check-matrix",
                                  help="the same on every test kernel")
    command.set_defaults(action=check.check_matrix)
    command = commands.add_parser("check-build",
                                  help="compile against every kernel")
    command.set_defaults(action=check.check_build)
    command = commands.add_parser("check-mutations",
                                  help="break the code, and see tests fail")
    command.add_argument("--kernel", default="6.12", help=argparse.SUPPRESS)
    command.add_argument("--only", help="mutations or cases with this in them,"
                         " or one of these: a,b")
    command.set_defaults(action=mutate.check_mutations)
    command = commands.add_parser("promises",
                                  help="write the tables of promises anew")
    command.set_defaults(action=promises.promises)
    command = commands.add_parser("demo", help="show kpool at work")
    command.add_argument("--file", help="a file to send")
    command.set_defaults(action=demo.demo)
    command = commands.add_parser("bench", help="measure, and hold to bars")
    command.add_argument("--rows", help="these alone, with commas between")
    command.set_defaults(action=bench.bench)
    command = commands.add_parser("bench-plot", help="draw what was measured")
    command.add_argument("--keep", action="store_true",
                         help="into Documentation/images")
    command.set_defaults(action=plot.plot)
    command = commands.add_parser("check-runner",
                                  help="see that every gate can fail")
    command.add_argument("--kernel", default="6.12", help=argparse.SUPPRESS)
    command.add_argument("--hold", action="store_true", help=argparse.SUPPRESS)
    command.set_defaults(action=selftest.check_runner)
    return parser.parse_args()


def _run(options):
    if getattr(options, "hold", False):
        return selftest.hold(options)
    run = Run(options.command)
    try:
        options.action(run, options)
    except ui.Failure as failure:
        run.verdict.error(failure)
    except BrokenPipeError:
        raise
    except Exception as error:  # pylint: disable=broad-except
        if os.environ.get("KPOOL_DEBUG") == "1":
            raise
        run.verdict.fail("the runner itself", f"{type(error).__name__}: {error}"
                         " (KPOOL_DEBUG=1 shows where)")
    verdict = run.verdict
    if not verdict.passed and not verdict.failed:
        verdict.fail(options.command, "nothing was checked")
    if verdict.skipped:
        ui.line(f"{verdict.skipped} skipped")
    ui.line(f"logs: {paths.shown(run.folder)}")
    ui.plain(verdict.summary())
    return 1 if verdict.failed else 0


@contextlib.contextmanager
def _alone(options):
    """Two runs in one clone would build in each other's folders."""
    if getattr(options, "hold", False):
        yield
        return
    paths.BUILD.mkdir(exist_ok=True)
    with open(paths.BUILD / ".lock", "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            ui.line("waiting for another run in this clone")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _catch_signals():
    """Leave in order, also when started in the background of a script.

    There SIGINT is ignored at first; nohup's SIGHUP has to stay ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        ignored = signal.getsignal(number) == signal.SIG_IGN
        if not (ignored and number == signal.SIGHUP):
            signal.signal(number, _interrupt)


def _interrupt(_number, _frame):
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
