# SPDX-License-Identifier: GPL-2.0-only
"""make check-mutations: break the code on purpose, and see the tests fail.

kunit/mutations/*.toml lists small replacements, each with the cases that have
to notice.  Each case is run alone against the broken code.  It has noticed if
that run fails, by whichever gate: a failed case, a report on the console, a
guest that hangs.
"""

import re
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import gates
import guest
import kernels
import modules
import packages
import paths
import process
import qemu
import ui

AT_ONCE = 2
SILENT_SECONDS = 100
SECONDS = 300
_CASE = re.compile(r"KUNIT_CASE\w*\(\s*(\w+)")
_lock = threading.Lock()


@dataclass(frozen=True)
class Mutation:
    """One replacement in one file, and the cases that have to notice it."""
    name: str
    file: str
    old: str
    new: str
    fails: tuple
    leaks: bool  # whether it takes kmemleak to notice

    def apply(self, folder):
        path = folder / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ui.Failure(f"mutation {self.name}: its text is found "
                             f"{text.count(self.old)} times in {self.file}")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


def load():
    """All mutations there are; names are unique."""
    found = {}
    for file in sorted((paths.ROOT / "kunit" / "mutations").glob("*.toml")):
        for entry in tomllib.loads(file.read_text("utf-8")).get("mutation", ()):
            mutation = Mutation(entry["name"], entry["file"], entry["old"],
                                entry["new"], tuple(entry["fails"]),
                                entry.get("leaks", False))
            if mutation.name in found:
                raise ui.Failure(f"{file.name}: {mutation.name} is there twice")
            found[mutation.name] = mutation
    return list(found.values())


def cases_in_sources():
    """Every case as suite.case, taken from the sources."""
    found = {}
    for file in sorted((paths.ROOT / "kunit").glob("*_kunit.c")):
        text = file.read_text(encoding="utf-8")
        suite = re.search(r'\.name\s*=\s*"([^"]+)"', text)
        if suite:
            found.update({f"{suite[1]}.{case}": file.stem
                          for case in _CASE.findall(text)})
    return found


def check_mutations(run, options):
    """Try all mutations, or those whose name or cases contain options.only."""
    packages.require(packages.COMPILE + packages.BOOT, run.log("packages"))
    tree = kernels.test_kernel(options.kernel, run.log("kernel"))
    mutations, cases = load(), cases_in_sources()
    named = {case for mutation in mutations for case in mutation.fails}
    for case in sorted(named - set(cases)):
        run.verdict.fail(f"case {case}", "a mutation names it; there is none")
    for case in sorted(set(cases) - named):
        run.verdict.fail(f"case {case}", "no mutation makes it fail")
    wanted = [mutation for mutation in mutations if not options.only or
              any(options.only in text
                  for text in (mutation.name, *mutation.fails))]
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        for job in [pool.submit(_try, run, tree, mutation, cases)
                    for mutation in wanted]:
            with run.part():
                job.result()
    except BaseException:
        process.end_all()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _slot():
    """Each thread has a copy of the sources of its own."""
    return threading.current_thread().name.rpartition("_")[2]


def _try(run, tree, mutation, cases):
    label = f"mutant-{tree.name}-{_slot()}"
    log = run.log(mutation.name)
    folder = modules.copy_of_sources(label)
    modules.refresh(paths.ROOT, modules.SOURCES, folder)
    mutation.apply(folder)
    # What a mutation leaves unused is nobody's fault.
    built = modules.build(tree, label, log, sources=None,
                          arguments=("KCFLAGS=-w",))
    stage = paths.BUILD / "stage" / label
    image = stage.with_name(f"{stage.name}.cpio.gz")
    guest.build(guest.stage(tree.release, built, stage, log), image)
    for case in mutation.fails:
        if case in cases:
            _expect_noticed(run, tree, image, mutation, case, cases[case])


def _expect_noticed(run, tree, image, mutation, case, source):
    suite = case.partition(".")[0]
    loaded = f"kpool,{_module_of(source)}"
    boot = qemu.boot(
        qemu.Guest(f"{mutation.name}: {case}", tree.image, image, "check.sh",
                   {"guest.modules": loaded, "guest.runs": 1,
                    "guest.leaks": "yes" if mutation.leaks else "no",
                    "kunit.filter_glob": case},
                   seconds=SECONDS, silent_seconds=SILENT_SECONDS),
        run.folder / mutation.name / case)
    verdict = gates.Verdict(show=lambda text: None)
    # What these provoke, unless they are broken, ends lockdep.
    lockdep = "any" if suite in ("kpool_misuse", "kpool_splat") else "on"
    leaks = ("loaded", "unloaded") if mutation.leaks else ()
    gates.judge(boot, gates.Expectation(frozenset([suite]), lockdep=lockdep,
                                        kmemleak=leaks), verdict)
    with _lock:
        if verdict.failed:
            run.verdict.ok()
            ui.line(f"noticed: {mutation.name}: {verdict.failures[0]}")
        else:
            run.verdict.fail(f"mutation {mutation.name}",
                             f"{case} passes", boot.results)


def _module_of(source):
    """The test module that a source file is linked into."""
    alone = f"obj-m += {source}.o"
    kbuild = (paths.ROOT / "kunit" / "Kbuild").read_text(encoding="utf-8")
    return source if alone in kbuild else "kpool_kunit"
