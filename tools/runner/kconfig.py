# SPDX-License-Identifier: GPL-2.0-only
"""Kernel configuration fragments.

Kconfig drops an option whose dependencies are unmet without a word.  So each
requested line is looked up in the final .config, and a dropped one is an error.
"""

import re

_SET = re.compile(r"(CONFIG_\w+)=(.*)")
_UNSET = re.compile(r"# (CONFIG_\w+) is not set")


def parse(text):
    """{option: value} of a fragment or a .config; "not set" is the value n."""
    options = {}
    for line in text.splitlines():
        line = line.strip()
        if match := _SET.fullmatch(line):
            options[match[1]] = match[2]
        elif match := _UNSET.fullmatch(line):
            options[match[1]] = "n"
    return options


def dropped(requested, final):
    """The options of @requested that @final does not have as requested.

    Both are texts.  An option that is absent counts as not set.  The result
    is a list of "CONFIG_X=y (is n)".
    """
    have = parse(final)
    return [f"{option}={value} (is {have.get(option, 'n')})"
            for option, value in parse(requested).items()
            if have.get(option, "n") != value]
