# SPDX-License-Identifier: GPL-2.0-only
"""make check: everything that has to hold before a change goes in."""

import re
from dataclasses import dataclass

import demo
import distro
import gates
import guest
import kernels
import modules
import packages
import paths
import qemu
import ui


# Suites that provoke reports, and are not run with the others.
ALONE = ("kunit/misuse_kunit.c", "kunit/splat_kunit.c")


@dataclass(frozen=True)
class Plan:
    """One boot of the test kernel."""
    name: str
    cpus: int
    script: str = "check.sh"
    modules: tuple = ("kpool", "kpool_kunit", "kxpc_kunit")
    sources: str = "kunit/*_kunit.c"  # whose suites must all have run ...
    but: tuple = ALONE  # ... without those of these
    case: str = None  # this one alone, as suite.case
    runs: int = 1
    nodes: int = 1  # of memory
    lockdep: str = "on"
    kmemleak: tuple = ("loaded", "unloaded")


# What the misuse suite provokes switches lockdep off for the rest of its boot,
# and leaves behind what was misused.
PLANS = (
    Plan("4 CPUs", 4, runs=2, nodes=2),
    Plan("1 CPU", 1),
    Plan("misuse", 2, modules=("kpool", "misuse_kunit"),
         sources="kunit/misuse_kunit.c", but=(), lockdep="off"),
    Plan("rmmod under load", 4, script="rmmod.sh", modules=(), sources=None,
         kmemleak=("unloaded",)),
    Plan("the demo", 4, script="demo.sh", modules=(), sources=None,
         kmemleak=("unloaded",)),
)

# Lockdep reports once and is off: a boot for each report.
SPLATS = tuple(
    Plan(case.replace("_", " "), 2, modules=("kpool", "splat_kunit"),
         sources="kunit/splat_kunit.c", but=(), case=f"kpool_splat.{case}",
         lockdep="off", kmemleak=())
    for case in ("stop_under_a_lock_of_its_work",
                 "wait_under_a_lock_of_the_work",
                 "cancel_under_a_lock_of_the_work",
                 "stop_under_a_lock_of_a_release_function",
                 "lock_is_left_held"))

SENT_BYTES = 1 << 20  # by the demo on a test kernel, which is slow


def check(run, options):
    """All of it, on one test kernel."""
    _check(run, [options.kernel])


def check_matrix(run, _options):
    """All of it, on every test kernel there is."""
    _check(run, kernels.TEST_KERNELS)


def _check(run, names):
    run.unit_tests()
    packages.require(packages.COMPILE + packages.BOOT + packages.SPARSE
                     + packages.TOP, run.log("packages"))
    for name in names:
        with run.part():
            _check_test_kernel(run, name)
    _check_headers(run)
    with run.part():
        demo.on_stock_kernel(run, demo.noise(demo.FILE_BYTES))


def check_build(run, _options):
    """Only compile, with the extra checks, against every kernel there is."""
    packages.require(packages.COMPILE + packages.SPARSE, run.log("packages"))
    _check_headers(run)
    for name in kernels.PREPARED_TREES:
        with run.part():
            tree = kernels.prepared_tree(name, run.log(f"kernel-{name}"))
            _build(run, tree, f"prepared-{name}", ("W=1",), modules.PRODUCTS)


def _check_test_kernel(run, name):
    tree = kernels.test_kernel(name, run.log(f"kernel-{name}"))
    label = f"test-{name}"
    built = _build(run, tree, label, (), modules.PRODUCTS + modules.TESTS)
    staged = guest.stage(tree.release, built, paths.BUILD / "stage" / label,
                         run.log(f"stage-{name}"))
    image = guest.build(staged, paths.BUILD / "stage" / f"{label}.cpio.gz",
                        {"demo/file": demo.noise(SENT_BYTES)})
    for plan in PLANS + SPLATS:
        title = f"{name}, {plan.name}"
        arguments = {"guest.modules": ",".join(plan.modules),
                     "guest.runs": plan.runs}
        if plan.case:
            arguments["kunit.filter_glob"] = plan.case
        if not plan.kmemleak:
            arguments["guest.leaks"] = "no"
        boot = qemu.boot(
            qemu.Guest(title, tree.image, image, plan.script, arguments,
                       cpus=plan.cpus, nodes=plan.nodes),
            run.folder / title.replace(", ", "-").replace(" ", ""))
        expected = gates.Expectation(
            _suites(plan, modules.copy_of_sources(label)), plan.runs,
            plan.lockdep, plan.kmemleak)
        before = run.verdict.passed
        gates.judge(boot, expected, run.verdict)
        ui.line(f"{title}: {run.verdict.passed - before} passed"
                f" in {boot.seconds:.0f} s")


def _suites(plan, folder):
    if not plan.sources:
        return frozenset()
    return suites_in(folder, plan.sources).difference(
        *(suites_in(folder, pattern) for pattern in plan.but))


def _check_headers(run):
    for series in distro.HEADERS:
        with run.part():
            tree = distro.headers(series, run.log("packages"))
            _build(run, tree, f"debian-{series}", ("W=1", "C=2"),
                   modules.PRODUCTS)


def _build(run, tree, label, arguments, wanted):
    built = modules.build(tree, label, run.log(f"modules-{label}"),
                          arguments=arguments)
    missing = set(wanted) - {module.stem for module in built}
    if missing:
        raise ui.Failure(f"modules for {tree.name}: not built: "
                         + ", ".join(sorted(missing)))
    run.verdict.ok()
    return built


def suites_in(folder, pattern):
    """The names of the KUnit suites that the sources @pattern define.

    Taken from the sources and not from the guest, so that a suite which was
    never compiled or never ran is noticed.
    """
    definition = re.compile(r"struct kunit_suite \w+ = \{(.*?)\n\};", re.S)
    name = re.compile(r'\.name\s*=\s*"([^"]+)"')
    found = [match for file in sorted(folder.glob(pattern))
             for body in definition.findall(file.read_text(encoding="utf-8"))
             for match in name.findall(body)]
    if not found:
        raise ui.Failure(f"{pattern}: no KUnit suite is defined there")
    return frozenset(found)
