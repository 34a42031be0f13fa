# SPDX-License-Identifier: GPL-2.0-only
"""The list of mutations, and the cases that they are for.

kunit/mutations/*.toml lists small replacements in the product, each with the
cases that have to notice.
"""

import re
import tomllib
from dataclasses import dataclass

import paths
import ui

_CASE = re.compile(r"KUNIT_CASE\w*\(\s*(\w+)")


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
    """Every case as suite.case, and the source file that it is in."""
    found = {}
    for file in sorted((paths.ROOT / "kunit").glob("*_kunit.c")):
        text = file.read_text(encoding="utf-8")
        suite = re.search(r'\.name\s*=\s*"([^"]+)"', text)
        if suite:
            found.update({f"{suite[1]}.{case}": file.stem
                          for case in _CASE.findall(text)})
    return found


def module_of(source):
    """The test module that a source file is linked into."""
    alone = f"obj-m += {source}.o"
    kbuild = (paths.ROOT / "kunit" / "Kbuild").read_text(encoding="utf-8")
    return source if alone in kbuild else "kpool_kunit"
