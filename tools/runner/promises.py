# SPDX-License-Identifier: GPL-2.0-only
"""make promises: write the tables of Documentation/promises.rst anew.

Which cases there are comes from the test sources, and what each notices from
kunit/mutations.  Sections, their text, and the order of cases are kept; a new
case goes to the last table of its suite.
"""

import re

import mutations
import paths
import ui

FILE = paths.ROOT / "Documentation" / "promises.rst"
HEAD = ("case", "noticed this mutation")
_TABLE = re.compile(r"(?<=Suite ``)(?P<suite>\w+)``:\n\n"
                    r"=+  =+\ncase .*\n=+  =+\n(?P<rows>(?:\w.*\n)*)=+  =+\n")


def promises(run, _options):
    """Write the file, if that changes it."""
    text = FILE.read_text("utf-8")
    new = rewritten(text, noticed())
    if new != text:
        FILE.write_text(new, "utf-8")
        ui.line(f"{paths.shown(FILE)}: written")
    run.verdict.ok()


def noticed():
    """For each case, suite.case, the names of the mutations it notices."""
    cases = {case: [] for case in mutations.cases_in_sources()}
    for mutation in mutations.load():
        for case in mutation.fails:
            cases.setdefault(case, []).append(mutation.name)
    return cases


def rewritten(text, cases):
    """@text with the tables for @cases."""
    tables = list(_TABLE.finditer(text))
    last = {table["suite"]: table.start() for table in tables}
    placed = {f"{table['suite']}.{name}" for table in tables
              for name in _names(table)}
    lost = {case.partition(".")[0] for case in cases} - set(last)
    if lost:
        raise ui.Failure(f"{FILE.name}: no table for the suite "
                         + ", ".join(sorted(lost)))

    def table(match):
        suite = match["suite"]
        names = [name for name in _names(match) if f"{suite}.{name}" in cases]
        if match.start() == last[suite]:
            names += [case.partition(".")[2] for case in cases
                      if case.startswith(suite + ".") and case not in placed]
        rows = [(name, ", ".join(cases[f"{suite}.{name}"]) or "none")
                for name in names]
        return f"{suite}``:\n\n" + _drawn(rows)

    return _TABLE.sub(table, text)


def _names(match):
    return [row.split()[0] for row in match["rows"].splitlines()]


def _drawn(rows):
    widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in (0, 1)]
    bar = "  ".join("=" * width for width in widths)
    body = [f"{name:{widths[0]}}  {text}" for name, text in [HEAD, *rows]]
    return "\n".join([bar, body[0], bar, *body[1:], bar]) + "\n"
