# SPDX-License-Identifier: GPL-2.0-only
"""make check-mutations: break the code on purpose, and see the tests fail.

Each case that a mutation names is run alone against the broken code.  It has
noticed if that run fails, by whichever gate: a failed case, a report on the
console, a guest that hangs.  Many share a boot; a case that did not notice is
tried again in a boot of its own before that is called a failure.
"""

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import guest
import kernels
import modules
import mutations
import packages
import paths
import process
import qemu
import trials
import ui

AT_ONCE = 2
TOGETHER = 20  # mutations in one boot, at most

# Unbroken, a case takes a few seconds.  Broken, it may let one deadline pass
# after the other.
DEADLINE_SECONDS = 8
STEP_SECONDS = 40
BOOTS = 3  # until one comes to its first trial
TRIAL_SECONDS = 100


def check_mutations(run, options):
    """Try all mutations, or those that options.only is about."""
    packages.require(packages.COMPILE + packages.BOOT, run.log("packages"))
    tree = kernels.test_kernel(options.kernel, run.log("kernel"))
    wanted = _wanted(run, (options.only or "").split(","))
    count = sum(len(todo) for _, todo in wanted)
    campaign = Campaign(run, tree, count)
    size = min(TOGETHER, math.ceil(len(wanted) / AT_ONCE)) or 1
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        for job in [pool.submit(campaign.batch, wanted[first:first + size])
                    for first in range(0, len(wanted), size)]:
            with run.part():
                job.result()
    except BaseException:
        process.end_all()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _wanted(run, only):
    """The mutations with some text of @only, each with its trials."""
    listed, cases = mutations.load(), mutations.cases_in_sources()
    named = {case for mutation in listed for case in mutation.fails}
    for case in sorted(named - set(cases)):
        run.verdict.fail(f"case {case}", "a mutation names it; there is none")
    for case in sorted(set(cases) - named):
        run.verdict.fail(f"case {case}", "no mutation makes it fail")
    wanted, number = [], 0
    for mutation in listed:
        todo = []
        for case in mutation.fails:
            if case in cases and any(text in name for text in only
                                     for name in (mutation.name, case)):
                number += 1
                todo.append(trials.Trial(number, mutation, case,
                                         mutations.module_of(cases[case])))
        if todo:
            wanted.append((mutation, todo))
    return wanted


class Campaign:
    """What the trials of a run share; used by several threads at once."""

    def __init__(self, run, tree, count):
        self._run = run
        self._tree = tree
        self._count = count
        self._done = 0
        self._lock = threading.Lock()

    def batch(self, wanted):
        """Try these mutations in as few boots as it takes."""
        batch = _Batch(self._run, self._tree)
        todo = []
        for mutation, its_trials in wanted:
            try:
                batch.add(mutation, its_trials)
            except ui.Failure as failure:
                self._failed(f"mutation {mutation.name}", failure,
                             trials_done=len(its_trials))
            else:
                todo += its_trials
        if not todo:
            return
        batch.pack()
        alone = [trial for trial in todo if trial.alone]
        alone += self.together(batch, [trial for trial in todo
                                       if not trial.alone])
        self.one_by_one(batch, alone)

    def one_by_one(self, batch, todo):
        """Try each of @todo in a boot of its own."""
        for trial in todo:
            boot = batch.boot(trial, trial, alone=True)
            failure = trials.first_failure(boot, trial)
            if failure and trials.begun(boot):
                self._noticed(trial, failure)
            else:
                self._failed(f"mutation {trial.mutation.name}", trial.case
                             + (" was not run" if failure else " passes"),
                             boot.results)

    def together(self, batch, todo):
        """Try @todo in boots that they share; those that did not notice."""
        passed = []
        while todo:
            boot = batch.boot(todo[0], todo[-1])
            outcomes = trials.judge(boot, todo, boot.results.parent)
            for outcome in outcomes:
                if outcome.mutant:
                    self._noticed(outcome.trial, outcome.mutant)
                elif not outcome.control:
                    passed.append(outcome.trial)
            if outcomes and outcomes[-1].control and outcomes[1:]:
                outcomes.pop()  # for what ran before it
            elif not outcomes or outcomes[-1].control:
                # In a fresh boot, it is the case itself or the guest.
                self._failed(f"case {todo[0].case}",
                             outcomes[0].control if outcomes
                             else "was not run", boot.results)
                outcomes = outcomes or todo[:1]
            todo = todo[len(outcomes):]
        return passed

    def _noticed(self, trial, failure):
        with self._lock:
            self._done += 1
            self._run.verdict.ok()
            ui.line(f"{self._done} of {self._count}: noticed: "
                    f"{trial.label}: {failure}")

    def _failed(self, what, why, log=None, trials_done=1):
        with self._lock:
            self._done += trials_done
            ui.line(f"{self._done} of {self._count}: failed")
            self._run.verdict.fail(what, why, log)


class _Batch:
    """Mutants that are in one initramfs, and its boots."""

    def __init__(self, run, tree):
        self._run = run
        self._tree = tree
        # Each thread has a copy of the sources of its own.
        slot = threading.current_thread().name.rpartition("_")[2]
        self._label = f"mutant-{tree.name}-{slot}"
        self._sources = modules.copy_of_sources(self._label)
        self._stage = paths.BUILD / "stage" / self._label
        self._image = self._stage.with_name(f"{self._label}.cpio.gz")
        self._files = {}  # of the guest
        self._lines = []
        modules.refresh(paths.ROOT, modules.SOURCES, self._sources)
        log = run.log(f"unbroken-{slot}")
        built = self._build(log)
        self._unbroken = {file.name: file.read_bytes() for file in built}
        guest.stage(tree.release, built, self._stage, log)

    def _build(self, log):
        # What a mutation leaves unused is nobody's fault.
        return modules.build(
            self._tree, self._label, log, sources=None, show=ui.status,
            arguments=(f"KCFLAGS=-w -DDEADLINE_SECONDS={DEADLINE_SECONDS}",))

    def add(self, mutation, its_trials):
        """Build a mutant; what comes out differently goes to the guest."""
        log = self._run.log(mutation.name)
        modules.refresh(paths.ROOT, modules.SOURCES, self._sources)
        mutation.apply(self._sources)
        changed = [file for file in self._build(log)
                   if file.read_bytes() != self._unbroken[file.name]]
        if not changed:
            raise ui.Failure(f"{mutation.file}: no module changes")
        for file in changed:
            stripped = self._stage / "mutants" / mutation.name / file.name
            guest.strip(file, stripped, log)
            self._files[f"mutants/{mutation.name}/{file.name}"] = (
                stripped.read_bytes())
        self._lines += [trial.line(f"/mutants/{mutation.name}")
                        for trial in its_trials]

    def pack(self):
        """Write the initramfs."""
        self._files["mutants/trials"] = "".join(self._lines).encode()
        guest.build(self._stage, self._image, self._files)

    def boot(self, first, last, alone=False):
        """Boot for the trials from @first to @last.

        A guest that dies before the first is no mutant's fault.
        """
        for _ in range(BOOTS):
            boot = self._boot(first, last, alone)
            process.go_on()
            if trials.begun(boot):
                break
        return boot

    def _boot(self, first, last, alone):
        leaks = alone and first.mutation.leaks
        name = (first.label if alone else
                f"trials {first.number} to {last.number}")
        count = last.number - first.number + 1
        folder = (f"{first.mutation.name}/{first.case}" if alone else
                  f"{first.number}-{last.number}")
        return qemu.boot(
            qemu.Guest(name, self._tree.image, self._image, "mutants.sh",
                       {"guest.first": first.number, "guest.last": last.number,
                        "guest.control": "no" if alone else "yes",
                        "guest.leaks": "yes" if leaks else "no"},
                       seconds=TRIAL_SECONDS * (count + 1),
                       step_seconds=math.inf if leaks else STEP_SECONDS,
                       nodes=2),
            self._run.folder / folder)
