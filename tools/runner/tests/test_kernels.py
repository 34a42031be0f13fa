# SPDX-License-Identifier: GPL-2.0-only
"""The kernels to test on, and what of a run is done on each."""

import contextlib
import types
import unittest
from unittest import mock

import check
import gates
import kconfig
import kernels
import ui


class Fragments(unittest.TestCase):
    """The options of each test kernel."""

    def options(self, name):
        return kconfig.parse(kernels.fragments_of(kernels.TEST_KERNELS[name]))

    def test_all_kernels_have_the_checkers(self):
        for name in kernels.TEST_KERNELS:
            with self.subTest(name):
                options = self.options(name)
                for option in ("KUNIT", "PROVE_LOCKING", "KASAN",
                               "PROVE_RAW_LOCK_NESTING", "DEBUG_ATOMIC_SLEEP",
                               "DEBUG_OBJECTS_WORK", "DEBUG_KMEMLEAK"):
                    self.assertEqual("y", options[f"CONFIG_{option}"])

    def test_one_model_of_preemption_each(self):
        for name in kernels.TEST_KERNELS:
            with self.subTest(name):
                models = [option for option, value in self.options(name).items()
                          if value == "y" and option.startswith("CONFIG_PREEMPT")]
                self.assertEqual(["CONFIG_PREEMPT_RT" if name.endswith("-rt")
                                  else "CONFIG_PREEMPT"], models)

    def test_the_last_word_counts(self):
        self.assertEqual("n", self.options("7.3")["CONFIG_PROC_SYSCTL"])
        self.assertEqual("y", self.options("6.12")["CONFIG_PROC_SYSCTL"])

    def test_unknown_kernel(self):
        with self.assertRaisesRegex(ui.Failure, "6.13: unknown; there is 6.12"):
            kernels.test_kernel("6.13", None)


class Matrix(unittest.TestCase):
    """check.check_matrix()"""

    def run_it(self, on_kernel):
        """What is done, in order, and the verdict."""
        done = []
        verdict = gates.Verdict(show=lambda text: None)

        @contextlib.contextmanager
        def part():
            try:
                yield
            except ui.Failure as failure:
                verdict.error(failure)

        run = types.SimpleNamespace(
            unit_tests=lambda: done.append("unit tests"), verdict=verdict,
            part=part, log=lambda name: name)

        def kernel(_run, name):
            done.append(name)
            on_kernel(name)

        with mock.patch.object(check.packages, "require"), \
             mock.patch.object(check, "_check_test_kernel", kernel), \
             mock.patch.object(check, "_check_headers",
                               lambda run: done.append("headers")), \
             mock.patch.object(check.demo, "noise"), \
             mock.patch.object(check.demo, "on_stock_kernel",
                               lambda run, content: done.append("demo")):
            check.check_matrix(run, None)
        return done, verdict

    def test_each_kernel_and_the_rest_once(self):
        done, verdict = self.run_it(lambda name: None)
        self.assertEqual(["unit tests", *kernels.TEST_KERNELS, "headers",
                          "demo"], done)
        self.assertEqual(0, verdict.failed)

    def test_a_kernel_that_fails_does_not_stop_the_others(self):
        def on_kernel(name):
            if name == "6.12":
                raise ui.Failure("no such luck")

        done, verdict = self.run_it(on_kernel)
        self.assertEqual(["unit tests", *kernels.TEST_KERNELS, "headers",
                          "demo"], done)
        self.assertEqual(["FAILED: no such luck"], verdict.failures)
