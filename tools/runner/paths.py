# SPDX-License-Identifier: GPL-2.0-only
"""Where things are.

Kernels are big and slow to build, so they live outside the clone and are
shared by all clones of one user.  Logs and module builds belong to the clone.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUEST = ROOT / "kunit" / "qemu"
BROKEN = ROOT / "kunit" / "broken"
BUILD = ROOT / "build"
LOGS = BUILD / "logs"


def cache():
    """The folder that keeps kernels; it may be deleted at any time."""
    chosen = os.environ.get("KPOOL_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kpool"


def shown(path):
    """@path as a person in the clone would type it."""
    path = Path(path)
    try:
        return str(path.relative_to(ROOT))
    except ValueError:
        return str(path)
