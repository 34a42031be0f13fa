# SPDX-License-Identifier: GPL-2.0-only
"""A writer of initramfs archives (cpio "newc").

Written here rather than with cpio(1) so that device nodes need no root and
the result depends on nothing but what it is given.
"""

import gzip
import stat
from pathlib import Path


class Archive:
    """The files of a guest, by path without the leading slash."""

    def __init__(self):
        self._entries = {}

    def directory(self, path):
        self._add(path, stat.S_IFDIR | 0o755)

    def file(self, path, content, mode=0o644):
        """@content is bytes, or the path of a file of the host."""
        if isinstance(content, Path):
            content = content.read_bytes()
        self._add(path, stat.S_IFREG | mode, content)

    def symlink(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, path, major, minor):
        self._add(path, stat.S_IFCHR | 0o600, device=(major, minor))

    def tree(self, path, folder):
        """Everything below the folder @folder of the host."""
        for item in sorted(folder.rglob("*")):
            inside = f"{path}/{item.relative_to(folder)}"
            if item.is_symlink():
                self.symlink(inside, str(item.readlink()))
            elif item.is_dir():
                self.directory(inside)
            else:
                self.file(inside, item, stat.S_IMODE(item.stat().st_mode))

    def _add(self, path, mode, content=b"", device=(0, 0)):
        parent = path.rpartition("/")[0]
        if parent and parent not in self._entries:
            self.directory(parent)
        self._entries[path] = (mode, content, device)

    def cpio(self):
        """The archive as bytes, not compressed."""
        out = bytearray()
        for number, (path, entry) in enumerate(self._entries.items(), start=1):
            out += _member(number, path, *entry)
        return bytes(out + _member(0, "TRAILER!!!", 0, b"", (0, 0)))

    def write(self, target):
        target.write_bytes(gzip.compress(self.cpio(), compresslevel=1, mtime=0))


def _member(inode, path, mode, content, device):
    name = path.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device,
              len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(content)


def _padded(data):
    return data + b"\0" * (-len(data) % 4)
