#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the test initramfs as a "newc" cpio archive, the same bytes for the same inputs.

usage: mkcpio.py BUSYBOX INIT OUTPUT

Only what the kernel must find before /init runs is in it: directories, /dev/console, busybox and
/init.  Everything else (applet links, mounts) /init makes itself.
"""

import sys

S_IFDIR, S_IFCHR, S_IFREG = 0o040000, 0o020000, 0o100000


def entry(ino, name, mode, data=b"", rdev=(0, 0)):
    """One archive member: header, name and data, the latter two padded to four bytes."""
    encoded = name.encode() + b"\0"
    links = 2 if mode & 0o170000 == S_IFDIR else 1
    fields = (ino, mode, 0, 0, links, 0, len(data), 0, 0, rdev[0], rdev[1], len(encoded), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def archive(busybox, init, files=None):
    """All members in sorted order, closed by the trailer and padded to a 512-byte block.

    files: more of them, {path without the first slash: contents}; their directories are made."""
    members = {name: (S_IFDIR | 0o755, b"", (0, 0)) for name in
               ("bin", "dev", "proc", "root", "sbin", "sys", "tmp", "usr", "usr/bin", "usr/sbin")}
    for name, data in (files or {}).items():
        parts = name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            members.setdefault("/".join(parts[:depth]), (S_IFDIR | 0o755, b"", (0, 0)))
        members[name] = (S_IFREG | 0o755, data, (0, 0))
    members["bin/busybox"] = (S_IFREG | 0o755, busybox, (0, 0))
    members["dev/console"] = (S_IFCHR | 0o600, b"", (5, 1))
    members["init"] = (S_IFREG | 0o755, init, (0, 0))
    out = b""
    for ino, name in enumerate(sorted(members), start=1):
        mode, data, rdev = members[name]
        out += entry(ino, name, mode, data, rdev)
    out += entry(0, "TRAILER!!!", 0)
    return out + b"\0" * (-len(out) % 512)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip().splitlines()[2])
    with open(sys.argv[1], "rb") as f:
        busybox = f.read()
    with open(sys.argv[2], "rb") as f:
        init = f.read()
    with open(sys.argv[3], "wb") as f:
        f.write(archive(busybox, init))


if __name__ == "__main__":
    main()
