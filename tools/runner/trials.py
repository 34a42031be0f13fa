# SPDX-License-Identifier: GPL-2.0-only
"""Many trials in one boot: a case on a broken module, and on the unbroken one.

The guest (kunit/qemu/mutants.sh) first runs the case on the unbroken modules,
the control, and then on the broken ones.  So what a mutant leaves behind is
never taken for what the next one does: where the control fails, the boot is
over, and the rest is tried in a new one.

Each run is judged like a boot, on its part of the two logs.
"""

import re
from dataclasses import dataclass, replace

import gates
import qemu
from mutations import Mutation

CONTROL, MUTANT = "control", "mutant"
_RESULTS = re.compile(r"^TRIAL (\S+)$", re.M)
_CONSOLE = re.compile(r"^.*kpool-trial: (\S+)$", re.M)

# They provoke, unless they are broken, what ends lockdep.
_ENDS_LOCKDEP = ("kpool_misuse", "kpool_splat")


@dataclass(frozen=True)
class Trial:
    """A mutation, and one case that has to notice it."""
    number: int
    mutation: Mutation
    case: str
    module: str

    @property
    def label(self):
        return f"{self.mutation.name}: {self.case}"

    @property
    def suite(self):
        return self.case.partition(".")[0]

    @property
    def alone(self):
        """Whether it needs a boot of its own."""
        return self.mutation.leaks or self.suite in _ENDS_LOCKDEP

    def expectation(self):
        return gates.Expectation(
            frozenset([self.suite]),
            lockdep="any" if self.suite in _ENDS_LOCKDEP else "on",
            kmemleak=("loaded", "unloaded") if self.mutation.leaks else ())

    def line(self, folder):
        """What the guest reads, with the @folder of the broken modules."""
        return f"{self.number} {self.module} {self.case} {folder}\n"


@dataclass(frozen=True)
class Outcome:
    """What became of a trial: the first failure of its runs, if any."""
    trial: Trial
    control: str
    mutant: str
    results: object  # the log of the mutant's run


def judge(boot, trials, folder):
    """The outcomes of the @trials, in order, as far as the @boot counts.

    The last may be one whose control failed; it says nothing about the mutant.
    """
    runs = split(boot, folder)
    outcomes = []
    for trial in trials:
        control = runs.get(f"{trial.number}-{CONTROL}")
        if not control:
            break
        failure = first_failure(control, trial)
        if failure:
            outcomes.append(Outcome(trial, failure, None, control.results))
            break
        mutant = runs.get(f"{trial.number}-{MUTANT}")
        if not mutant:
            break
        outcomes.append(Outcome(trial, None, first_failure(mutant, trial),
                                mutant.results))
    return outcomes


def begun(boot):
    """Did the @boot come to its first run?"""
    return bool(_RESULTS.search(boot.results_text()))


def first_failure(boot, trial):
    """Why the @boot of a @trial did not pass; None if it did."""
    verdict = gates.Verdict(show=lambda text: None)
    gates.judge(boot, trial.expectation(), verdict)
    return verdict.failures[0] if verdict.failures else None


def split(boot, folder):
    """The runs of a @boot, in order, each as a boot with logs in @folder.

    How the boot ended is how the last one did; so that one has its nonce.
    """
    console = boot.console_text()
    shown = dict(_parts(_CONSOLE, console))
    runs = {name: _run(boot, folder / name, name, text,
                       shown.get(name, console))
            for name, text in _parts(_RESULTS, boot.results_text())}
    if runs:
        last = list(runs)[-1]
        runs[last] = replace(runs[last], nonce=boot.nonce, reason=boot.reason,
                             status=boot.status)
    return runs


def _run(boot, folder, name, results, console):
    folder.mkdir(parents=True, exist_ok=True)
    run = replace(boot, name=name, nonce=f"{boot.nonce}.{name}",
                  reason=qemu.ENDED, status=None,
                  console=folder / "console.log",
                  results=folder / "results.log")
    run.console.write_text(console, encoding="utf-8")
    run.results.write_text(results, encoding="utf-8")
    return run


def _parts(mark, text):
    """What follows each @mark in a @text, by the name that it gives."""
    found = list(mark.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [(match[1], text[match.end() + 1:end])
            for match, end in zip(found, ends)]
