#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write a System.map from the symbol table that an arm64 kernel Image carries within itself.

usage: kallsyms.py IMAGE OUTPUT

Debian's System.map is empty but for a line that points to the package with debugging information,
which is many hundred megabytes.  The kernel needs names for its own messages, though: Image holds
them, packed, in tables that stand one after the other (each aligned to eight bytes):

  offsets      u32 for each symbol: its address less the base
  base         u64: filled in by a relocation when the kernel starts
  num_syms     u32
  names        for each symbol a length and as many token numbers; first character is the type
  markers      u32 for every 256th symbol: where its name begins in names
  seqs         three bytes for each symbol, which order them by name (not in every kernel)
  token_table  256 strings
  token_index  u16 for each of the 256: where its string begins in token_table
"""

import struct
import sys

TOKENS = 256
MARKER_STRIDE = 256
FEWEST_MARKERS = 16
LONGEST_NAME = 130
IMAGE_ALIGN = 0x200000
HEADER_MOST = 0x10000
R_AARCH64_RELATIVE = 1027


class NotFound(Exception):
    """A table is not where, or not what, it should be."""


def align(offset):
    return (offset + 7) & ~7


def find_tokens(image):
    """Return (start of token_table, list of tokens).

    A character that occurs in names keeps its own code as its token number, so the digits stand
    in the table one after the other.
    """
    digits = b"".join(b"%d\0" % digit for digit in range(10))
    at = image.find(b"\0" + digits)
    while at >= 0:
        start = at + 1
        for _ in range(ord("0")):
            start = image.rfind(b"\0", 0, start - 1) + 1
        tokens, offsets, end = [], [], start
        for _ in range(TOKENS):
            stop = image.index(b"\0", end)
            tokens.append(image[end:stop])
            offsets.append(end - start)
            end = stop + 1
        index = struct.unpack_from("<%dH" % TOKENS, image, align(end))
        # The first token may have been found one padding byte early; the index knows better.
        if list(index) == offsets:
            return start, tokens
        at = image.find(b"\0" + digits, at + 1)
    raise NotFound("no token table")


def find_markers(image, token_table):
    """Return (start of markers, the markers), looking back from the token table.

    A table of three bytes a symbol, ordered by name, may stand between the two.  Markers begin
    with zero and ascend in steps of 256 names, each of which has 2 to LONGEST_NAME bytes.
    """
    for start in range((token_table & ~7) - 8, 0, -8):
        if struct.unpack_from("<I", image, start)[0] != 0:
            continue
        markers = [0]
        for at in range(start + 4, token_table, 4):
            step = struct.unpack_from("<I", image, at)[0] - markers[-1]
            if not 2 * MARKER_STRIDE <= step <= LONGEST_NAME * MARKER_STRIDE:
                break
            markers.append(markers[-1] + step)
        if len(markers) >= FEWEST_MARKERS:
            return start, markers
    raise NotFound("no markers")


def unpack_names(image, start, count, markers, tokens):
    """Return (names with their type letter, where they end), or None when it does not fit."""
    names = []
    at = start
    for number in range(count):
        if number % MARKER_STRIDE == 0 and at - start != markers[number // MARKER_STRIDE]:
            return None
        length = image[at]
        at += 1
        if length & 0x80:
            length = (length & 0x7F) | (image[at] << 7)
            at += 1
        names.append(b"".join(tokens[code] for code in image[at:at + length]))
        at += length
    return names, at


def find_names(image, markers_start, markers, tokens):
    """Return (offset of num_syms, the names)."""
    most = len(markers) * MARKER_STRIDE
    start = (markers_start - markers[-1]) & ~7
    for candidate in range(start, max(start - MARKER_STRIDE * LONGEST_NAME, 8), -8):
        count, pad = struct.unpack_from("<II", image, candidate - 8)
        if pad == 0 and most - MARKER_STRIDE < count <= most:
            found = unpack_names(image, candidate, count, markers, tokens)
            if found and align(found[1]) == markers_start:
                return candidate - 8, found[0]
    raise NotFound("no names before the markers")


def find_base(image, at):
    """The base that offsets count from: in place, or in the relocation that puts it in place.

    That relocation's place is the address of the table, so it lies as far above the start of the
    image in memory (2 MiB aligned) as the table lies in the file.  Its value is the first symbol,
    _text or _stext, which the header only separates.
    """
    base = struct.unpack_from("<Q", image, at)[0]
    if base:
        return base
    info = struct.pack("<Q", R_AARCH64_RELATIVE)
    found = image.find(info)
    while found >= 0:
        if found >= 8 and found % 8 == 0:
            place, _, value = struct.unpack_from("<QQQ", image, found - 8)
            start = place - at
            if start > 0 and start % IMAGE_ALIGN == 0 and start <= value <= start + HEADER_MOST:
                return value
        found = image.find(info, found + 1)
    raise NotFound("no base address")


def symbols(image):
    """All symbols of the image as (address, type letter, name), by address."""
    token_table, tokens = find_tokens(image)
    markers_start, markers = find_markers(image, token_table)
    num_syms, names = find_names(image, markers_start, markers, tokens)
    base = find_base(image, num_syms - 8)
    offsets_start = num_syms - 8 - align(4 * len(names))
    offsets = struct.unpack_from("<%dI" % len(names), image, offsets_start)
    out = [(base + offset, name[:1].decode(), name[1:].decode())
           for offset, name in zip(offsets, names)]
    if sorted(offsets) != list(offsets) or offsets[0] != 0:
        raise NotFound("addresses do not ascend from the base")
    return out


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip().splitlines()[2])
    with open(sys.argv[1], "rb") as f:
        image = f.read()
    try:
        table = symbols(image)
    except (NotFound, ValueError, IndexError, struct.error) as error:
        sys.exit("kallsyms.py: error: %s: no symbol table found: %s" % (sys.argv[1], error))
    with open(sys.argv[2], "w", encoding="ascii") as f:
        for address, kind, name in table:
            f.write("%016x %s %s\n" % (address, kind, name))


if __name__ == "__main__":
    main()
