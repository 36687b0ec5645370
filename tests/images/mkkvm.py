#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the user space in which Debian's QEMU for arm64 runs a guest with KVM, as a "newc" cpio archive.

usage: mkkvm.py ROOT IMAGES INIT OUTPUT

ROOT is where the packages were unpacked; of them QEMU and the libraries that it loads are taken. IMAGES has busybox,
and Image and initramfs.cpio.gz, which become the guest's.
"""

import os
import struct
import sys

import mkcpio

QEMU = "usr/bin/qemu-system-aarch64"
LIBRARIES = ("usr/lib/aarch64-linux-gnu", "lib/aarch64-linux-gnu", "usr/lib", "lib")
DT_NEEDED, DT_STRTAB, PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 5, 1, 2, 3


def read(path):
    with open(path, "rb") as f:
        return f.read()


def string(data, at):
    return data[at:data.index(b"\0", at)].decode()


def needs(data):
    """What an ELF file loads: its interpreter's path or None, and the names of its libraries."""
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<2H", data, 54)
    segments = [struct.unpack_from("<2I6Q", data, offset + size * i) for i in range(count)]
    interpreter = next((string(data, s[2]) for s in segments if s[0] == PT_INTERP), None)
    dynamic = next((s for s in segments if s[0] == PT_DYNAMIC), None)
    if dynamic is None:
        return interpreter, []
    entries = [struct.unpack_from("<qQ", data, dynamic[2] + at) for at in range(0, dynamic[5] & ~15, 16)]
    address = next(value for tag, value in entries if tag == DT_STRTAB)
    strings = next(s[2] + address - s[3] for s in segments if s[0] == PT_LOAD and s[3] <= address < s[3] + s[5])
    return interpreter, [string(data, strings + value) for tag, value in entries if tag == DT_NEEDED]


def find(root, name):
    for directory in LIBRARIES:
        path = os.path.join(root, directory, name)
        if os.path.exists(path):
            return path
    sys.exit("mkkvm.py: no package has %s" % name)


def closure(root):
    """QEMU, its libraries and theirs, at the paths at which the loader looks for them."""
    files = {QEMU: read(os.path.join(root, QEMU))}
    interpreter, todo = needs(files[QEMU])
    seen = {os.path.basename(interpreter)}
    files[interpreter.lstrip("/")] = read(find(root, os.path.basename(interpreter)))
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            data = read(find(root, name))
            files["lib/aarch64-linux-gnu/" + name] = data
            todo += needs(data)[1]
    return files


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__.strip().splitlines()[2])
    root, images, init, output = sys.argv[1:]
    files = closure(root)
    files["guest/Image"] = read(os.path.join(images, "Image"))
    files["guest/initramfs"] = read(os.path.join(images, "initramfs.cpio.gz"))
    data = mkcpio.archive(read(os.path.join(images, "busybox")), read(init), files)
    with open(output, "wb") as f:
        f.write(data)


if __name__ == "__main__":
    main()
