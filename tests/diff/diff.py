#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Differential test of random instructions: Strata against qemu-system-aarch64 -cpu max.

Random instruction words are drawn from the rows of src/cpu/a64.def (fields at random, reserved values included), put
into a bare-metal image and run at EL0, alone or in short sequences, from random states, on both emulators. Registers,
flags, FPCR, FPSR, memory around the base registers and the exception syndrome are compared. What is left out stands in
exclusions.txt and, by version of QEMU, exclusions_7.txt and exclusions_11.txt.

    diff.py --strata build/strata --count 2000000 --seed 1
"""
import argparse
import fnmatch
import multiprocessing
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# Where things are (virtual == physical), as diff_guest.S knows them.
CODE, VARS, TABLES, SLOTS = 0x40200000, 0x40400000, 0x40410000, 0x40600000
SCRATCH, STATES, TESTS, RESULTS, RESULTS_END = 0x40800000, 0x40a00000, 0x40e00000, 0x41200000, 0x44000000
WINDOW, WINDOW_SIZE = SCRATCH + 0x100000 - 128, 256  # across a page boundary
DUMP, DUMP_SIZE = WINDOW - 0x1000, 0x12000
SLOT_SIZE, STATE_SIZE, RESULT_SIZE = 64, 1056, 1072
BATCH = 32768  # tests
SEQUENCES, SEQUENCE_MAX = 4096, 13  # tests of several instructions, and how many; two SVCs follow
STATE_COUNT = 1024

SVC = [0xd4000001 | n << 5 for n in range(3)]
EC_SVC = 0x15
UNDEFINED = struct.pack('<Q', 0x02000000)  # ESR_EL1 of an UNDEFINED instruction

# Rows of the classes that the harness can run, and how often relative to each other.
CLASS_WEIGHTS = {'DPIMM': 1.0, 'DPREG': 1.6, 'BRANCH': 0.2, 'SYSTEM': 0.2, 'LDST': 1.6, 'ATOMIC': 1.0, 'FP': 2.2,
                 'SIMD': 6.0, 'CRYPTO': 0.5, 'SIMD_LDST': 1.0, 'NONE': 0.5}
# Rows that stand for many instructions are drawn more often.
ROW_WEIGHTS = {'simd_shift_imm': 14, 'simd_shift_imm_x': 8, 'simd_modified_imm': 4, 'simd_ldst_*': 3, 'fmadd': 3,
               'fcvt': 2, 'frint': 3, 'fp_to_int*': 3, 'fp_from_*': 2, 'ldst_*': 3, 'atomic': 6, 'bitfield': 2,
               'addsub_*': 2, 'logic_*': 2, 'csel': 2, 'crc32': 2}


class Row:
    """One INSN row: mask, value and the position of each field."""

    def __init__(self, name, pattern, cls):
        self.name, self.cls = name, cls
        self.mask = self.value = 0
        self.fields = {}
        at = 32
        for token in pattern.split():
            if re.fullmatch('[01]+', token):
                at -= len(token)
                self.mask |= ((1 << len(token)) - 1) << at
                self.value |= int(token, 2) << at
            else:
                field, width = token.split(':')
                at -= int(width)
                self.fields[field] = (at, int(width))
        self.free = ~self.mask & 0xffffffff
        self.exclusions = []
        self.left_out = self.by_state = False
        self.setup()

    def setup(self):
        """What is worth knowing of a row when its fields are chosen."""
        self.memory = self.cls in ('LDST', 'ATOMIC', 'SIMD_LDST') and 'rn' in self.fields
        self.aligned = self.cls == 'ATOMIC' or self.name in ('ldst_ordered', 'ldapur', 'ldapr')

    def get(self, insn, field):
        at, width = self.fields[field]
        return insn >> at & ((1 << width) - 1)

    def put(self, insn, field, value):
        at, width = self.fields[field]
        mask = ((1 << width) - 1) << at
        return insn & ~mask | value << at & mask

    def excluded(self, insn, state):
        if not self.exclusions:
            return False
        names = {f: self.get(insn, f) for f in self.fields}
        names['insn'] = insn
        names['fpcr'] = struct.unpack_from('<Q', state, 776)[0]
        names['x'] = lambda n: struct.unpack_from('<Q', state, 8 * n)[0]
        names['v'] = lambda n: struct.unpack_from('<Q', state, 256 + 16 * n)[0]
        return any(eval(code, {'__builtins__': {}}, names) for code in self.exclusions)


def read_rows(path):
    rows = []
    pattern = re.compile(r'^INSN\((\w+),\s*"([^"]+)",\s*(\w+),')
    with open(path, encoding='ascii') as file:
        for line in file:
            include = re.match(r'^#include\s+"cpu/([\w.]+)"', line)
            if include:
                rows += read_rows(os.path.join(os.path.dirname(path), include.group(1)))
                continue
            match = pattern.match(line)
            if match:
                rows.append(Row(*match.groups()))
    return rows


# Encoding groups by bits 28:25, for words that no row allocates: they must be UNDEFINED on both sides.
GROUPS = {'none_dpimm': 'a:3 100 rest:26', 'none_ldst': 'a:4 1 b:1 0 rest:25', 'none_dpreg': 'a:4 101 rest:25',
          'none_simd': 'a:4 111 rest:25'}


def unallocated_rows():
    return [Row(name, pattern, 'NONE') for name, pattern in GROUPS.items()]


def read_exclusions(path, rows):
    """Lines `row-glob : expression over the row's fields : reason`. Each must name a row that exists."""
    with open(path, encoding='ascii') as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line.startswith('#'):
                continue
            parts = [part.strip() for part in line.split(' : ')]
            if len(parts) != 3 or not parts[2]:
                sys.exit(f'{path}:{number}: not `row : expression : reason`')
            matched = [row for row in rows if fnmatch.fnmatchcase(row.name, parts[0])]
            if not matched:
                sys.exit(f'{path}:{number}: no row is called {parts[0]}')
            for row in matched:
                row.left_out |= parts[1] == '1'
                row.by_state |= re.search(r'\b(fpcr|x|v)\b', parts[1]) is not None
                row.exclusions.append(compile(parts[1], f'{path}:{number}', 'eval'))


def shadows(rows):
    """For each row, the more special rows that take words out of it."""
    result = {}
    for a in rows:
        result[a.name] = [b for b in rows if b.cls != 'NONE' and b is not a and not (a.value ^ b.value) & a.mask & b.mask and
                          bin(b.mask).count('1') > bin(a.mask).count('1')]
    return result


# ---- states ---------------------------------------------------------------------------------------------------

DOUBLES = [0, 1 << 63, 0x3ff0 << 48, 0xbff0 << 48, 0x7ff0 << 48, 0xfff0 << 48, 0x7ff8 << 48, 0xfff8dead00000001,
           0x7ff0000000000001, 0xfff4000000000000, 1, 0x800fffffffffffff, 0x0010 << 48, 0x7fefffffffffffff,
           0x41dfffffffc00000, 0x41e0 << 48, 0xc1e0 << 48, 0x43e0 << 48, 0x43f0 << 48, 0xc3e0 << 48, 0x3fe0 << 48,
           0x4004 << 48, 0xbfe0 << 48, 0x3ff8 << 48, 0x47efffffe0000000, 0x3810 << 48, 0x36a0 << 48, 0x7fe0 << 48,
           0x40effc0000000000, 0x3f10 << 48, 0x3e70 << 48]
SINGLES = [0, 1 << 31, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x7f800001, 0xffa00000,
           1, 0x807fffff, 0x00800000, 0x7f7fffff, 0x4effffff, 0x4f000000, 0xcf000000, 0x5f000000, 0x5f800000, 0x3f000000,
           0xbf000000, 0x40200000, 0x3fc00000, 0x477fe000, 0x477ff000, 0x38800000, 0x33800000, 0x7f000000, 0x00400000]
HALVES = [0, 1 << 15, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 0x7e00, 0xfe12, 0x7c01, 0xfd00, 1, 0x83ff, 0x0400, 0x7bff, 0x7800,
          0xf800, 0x3800, 0xb800, 0x4100, 0x3e00, 0x6400, 0x0200]
INTEGERS = [0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
            0xffffffff, 0x100000000, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 2, 0xfffffffffffffff0]


class StateMaker:
    def __init__(self, rng, alternate_fp):
        self.rng, self.alternate_fp = rng, alternate_fp

    def double(self):
        rng = self.rng
        pick = rng.random()
        if pick < 0.45:
            return rng.choice(DOUBLES)
        if pick < 0.75:  # near one another, so that sums cancel and compares tie
            return rng.getrandbits(1) << 63 | (1023 + rng.randint(-4, 4)) << 52 | rng.getrandbits(8) << 44
        return rng.getrandbits(1) << 63 | (1023 + rng.randint(-70, 70)) << 52 | rng.getrandbits(52)

    def single(self):
        rng = self.rng
        pick = rng.random()
        if pick < 0.45:
            return rng.choice(SINGLES)
        if pick < 0.75:
            return rng.getrandbits(1) << 31 | (127 + rng.randint(-4, 4)) << 23 | rng.getrandbits(6) << 17
        return rng.getrandbits(1) << 31 | (127 + rng.randint(-70, 70)) << 23 | rng.getrandbits(23)

    def half(self):
        rng = self.rng
        return rng.choice(HALVES) if rng.random() < 0.5 else rng.getrandbits(16)

    def integer(self):
        rng = self.rng
        pick = rng.random()
        if pick < 0.4:
            return rng.choice(INTEGERS)
        if pick < 0.6:
            return rng.getrandbits(rng.randint(1, 64))
        return rng.getrandbits(64)

    def vector(self, kind):
        rng = self.rng
        if kind == 'double':
            return self.double() | self.double() << 64
        if kind == 'single':
            return sum(self.single() << 32 * i for i in range(4))
        if kind == 'half':
            return sum(self.half() << 16 * i for i in range(8))
        if kind == 'bytes':  # extremes, for saturation
            return sum(rng.choice((0, 1, 0x7f, 0x80, 0x81, 0xff, rng.getrandbits(8))) << 8 * i for i in range(16))
        if kind == 'shifts':
            width = rng.choice((8, 16, 32, 64))
            return sum((rng.randint(-width - 4, width + 4) & ((1 << width) - 1)) << i for i in range(0, 128, width))
        return rng.getrandbits(128)

    def state(self):
        rng = self.rng
        x = []
        for r in range(31):
            if r % 4 == 1:  # a pointer into the window, every other one aligned
                offset = rng.randint(64, 160)
                x.append(WINDOW + (offset & ~15 if r % 8 == 1 else offset))
            elif r % 4 == 2:  # a small index
                x.append(rng.randint(-64, 63) & rng.choice((0xffffffffffffffff, 0xffffffff)))
            elif r in (3, 7):  # where atomics may fault without being misaligned
                x.append(rng.getrandbits(rng.choice((20, 40, 64))) & ~15)
            else:
                x.append(self.integer())
        x.append(WINDOW + 64 + 16 * rng.randint(0, 6))
        mode = rng.choice(('double', 'single', 'half', 'bytes', 'random', 'mixed', 'shifts'))
        kinds = ('double', 'single', 'half', 'bytes', 'random', 'shifts')
        v = [self.vector(rng.choice(kinds) if mode in ('mixed', 'shifts') else mode) for _ in range(32)]
        fpcr = 0
        if rng.random() < 0.6:
            fpcr = rng.getrandbits(8) << 19 & 0x07c80000  # AHP, DN, FZ, RMode, FZ16
        if self.alternate_fp:
            fpcr |= rng.getrandbits(3)  # NEP, AH, FIZ
        fpsr = 0 if rng.random() < 0.6 else rng.getrandbits(32) & 0x0800009f
        blob = struct.pack('<32Q', *x) + b''.join(n.to_bytes(16, 'little') for n in v)
        blob += struct.pack('<4Q', rng.getrandbits(4) << 28, fpcr, fpsr, 0) + rng.randbytes(WINDOW_SIZE)
        return blob


# ---- tests ----------------------------------------------------------------------------------------------------

POINTERS = [1, 5, 9, 13, 17, 21, 25, 29, 31]
ALIGNED_POINTERS = [1, 9, 17, 25, 31]
INDEXES = [2, 6, 10, 14, 18, 22, 26, 30]


class Generator:
    def __init__(self, rows, rng, only):
        self.rng = rng
        self.shadow = shadows(rows)
        self.rows, self.weights = [], []
        for cls, weight in CLASS_WEIGHTS.items():
            members = [r for r in rows if r.cls == cls and not r.left_out and any(fnmatch.fnmatchcase(r.name, o) for o in only)]
            scale = {}
            for row in members:
                scale[row.name] = max([w for glob, w in ROW_WEIGHTS.items() if fnmatch.fnmatchcase(row.name, glob)],
                                      default=1)
            total = sum(scale.values())
            for row in members:
                self.rows.append(row)
                self.weights.append(weight * scale[row.name] / total)
        self.exclusives = next((r for r in self.rows if r.name == 'ldst_excl'), None)

    def tune_memory(self, row, insn):
        """Point the base into the scratch memory, mostly, and keep offsets near."""
        rng = self.rng
        faults = rng.random() < 0.03
        if row.aligned:
            # FEAT_LSE2, which QEMU 7.2 lacks, allows misaligned atomics within 16 bytes. A store exclusive that would
            # fault but whose monitor check fails may do either (AArch64.ExclusiveMonitorsPass).
            store_exclusive = row.name.startswith('ldst_excl') and not row.get(insn, 'l')
            insn = row.put(insn, 'rn', rng.choice((3, 7) if faults and not store_exclusive else ALIGNED_POINTERS))
        elif not faults:
            insn = row.put(insn, 'rn', rng.choice(POINTERS))
        if row.name in ('ldst_reg', 'ldst_reg_v'):
            if rng.random() < 0.95:
                insn = row.put(insn, 'rm', rng.choice(INDEXES))
        if 'imm12' in row.fields and rng.random() < 0.9:
            insn = row.put(insn, 'imm12', rng.randint(0, 4))
        if 'imm9' in row.fields:
            if row.aligned:
                insn = row.put(insn, 'imm9', 16 * rng.randint(-3, 3))
            elif rng.random() < 0.9:
                insn = row.put(insn, 'imm9', rng.randint(-64, 64))
        if 'imm7' in row.fields and rng.random() < 0.9:
            insn = row.put(insn, 'imm7', rng.randint(-4, 4))
        return insn

    def words(self, row, state):
        """The one or two instructions of a test."""
        rng = self.rng
        while True:
            insn = row.value | rng.getrandbits(32) & row.free
            if row.memory:
                insn = self.tune_memory(row, insn)
            elif 'imm19' in row.fields:  # ADR's, too: within the slot
                insn = row.put(insn, 'imm19', rng.choice((2, 3)) if row.cls == 'BRANCH' else rng.randint(0, 3))
            elif 'imm14' in row.fields:
                insn = row.put(insn, 'imm14', rng.choice((2, 3)))
            elif 'imm26' in row.fields:
                insn = row.put(insn, 'imm26', rng.choice((2, 3)))
            if any(insn & s.mask == s.value for s in self.shadow[row.name]) or row.excluded(insn, state):
                continue
            if row is self.exclusives and insn >> 22 & 1 and rng.random() < 0.7:
                store = self.store_exclusive(row, insn, state)
                if store is not None:
                    return [insn, store]
            return [insn]

    def store_exclusive(self, row, load, state):
        """A store exclusive to the same address after a load exclusive. Of the same size: else either outcome is right,
        and QEMU stores although it reports failure."""
        rng = self.rng
        store = row.put(load, 'l', 0)
        store = row.put(store, 'rs', rng.choice((3, 7, 11, 15)))
        store = row.put(store, 'rt', rng.choice((0, 4, 8, 12, 16)))
        # The load must not change the base.
        if row.get(load, 'rn') in (3, 7) or row.get(load, 'rt') == row.get(load, 'rn') or row.excluded(store, state):
            return None
        return store

    def singles(self, count, states):
        """Tests of one instruction, or a pair of exclusives: (row, words) and the state that each starts from."""
        rows = self.rng.choices(self.rows, self.weights, k=count)
        picks = [self.rng.randrange(len(states)) for _ in rows]
        return [(row, self.words(row, states[pick])) for row, pick in zip(rows, picks)], picks

    def sequences(self, count, states, pool):
        """Tests of several instructions out of `pool`, tests of one instruction that came to their end.

        Within a sequence registers hold anything, so that rows whose exclusions look at the state, atomics (FEAT_LSE2)
        and accesses through SP (QEMU has no SP alignment check) stay out."""
        rng = self.rng
        pool = [(row, words) for row, words in pool if not row.by_state and not row.aligned and
                not (row.memory and row.get(words[0], 'rn') == 31)]
        tests = []
        for _ in range(count if pool else 0):
            chosen = rng.choices(pool, k=rng.randint(3, SEQUENCE_MAX))
            tests.append((chosen[0][0], [word for _, words in chosen for word in words][:SEQUENCE_MAX]))
        return tests, [rng.randrange(len(states)) for _ in tests]


# ---- the image ------------------------------------------------------------------------------------------------

def page_tables():
    """Identity map of 1 GiB at 0x40000000 in 2 MiB blocks; everything else faults."""
    base, el0, read_only, uxn, pxn = 0x701, 1 << 6, 1 << 7, 1 << 54, 1 << 53  # AF, inner shareable, Attr0, block
    level2 = [0] * 512

    def map_range(start, end, flags):
        for address in range(start, end, 0x200000):
            level2[(address - 0x40000000) >> 21] = address | base | flags

    map_range(CODE, VARS, read_only | uxn)
    map_range(VARS, SLOTS, uxn | pxn)
    map_range(SLOTS, SCRATCH, el0 | read_only | pxn)
    map_range(SCRATCH, STATES, el0 | uxn | pxn)
    map_range(STATES, RESULTS_END, uxn | pxn)
    level1 = [0] * 512
    level1[1] = TABLES + 4096 | 3
    return struct.pack('<1024Q', *level1, *level2)


def make_elf(segments, entry):
    header = struct.pack('<16sHHIQQQIHHHHHH', b'\x7fELF\x02\x01\x01', 2, 183, 1, entry, 64, 0, 0, 64, 56, len(segments),
                         64, 0, 0)
    offset = 4096
    table, body = b'', b''
    for address, data in segments:
        table += struct.pack('<IIQQQQQQ', 1, 7, offset + len(body), address, address, len(data), len(data), 4096)
        body += data + bytes(-len(data) % 4096)
    return (header + table).ljust(offset, b'\0') + body


def make_image(code, tests, states, picks):
    slots = bytearray()
    for _, words in tests:
        slots += struct.pack('<16I', *(words + SVC + [0] * 16)[:16])
    variables = struct.pack('<13Q', 0, 0, 0, len(tests), RESULTS, SLOTS, STATES, TESTS, WINDOW, RESULTS, TABLES, DUMP,
                            DUMP_SIZE)
    return make_elf([(CODE, code), (VARS, variables), (TABLES, page_tables()), (SLOTS, bytes(slots)),
                     (SCRATCH, bytes(STATES - SCRATCH)), (STATES, b''.join(states)),
                     (TESTS, struct.pack(f'<{len(picks)}I', *picks))], CODE)


def assemble_guest(directory):
    elf, binary = os.path.join(directory, 'guest.elf'), os.path.join(directory, 'guest.bin')
    subprocess.run(['aarch64-linux-gnu-gcc', '-nostdlib', '-static', f'-Wl,-Ttext={CODE:#x}', '-Wl,--build-id=none',
                    '-o', elf, os.path.join(HERE, 'diff_guest.S')], check=True)
    subprocess.run(['aarch64-linux-gnu-objcopy', '-O', 'binary', elf, binary], check=True)
    with open(binary, 'rb') as file:
        return file.read()


# ---- running and comparing ------------------------------------------------------------------------------------

def commands(options):
    return {
        'qemu': [options.qemu, '-M', 'virt,mte=on', '-cpu', 'max', '-m', '256M', '-display', 'none', '-serial', 'null',
                 '-monitor', 'none', '-semihosting-config', 'enable=on,target=native', '-kernel', '../image.elf'],
        'strata': [os.path.abspath(options.strata), 'run', '../image.elf', '--cpu', 'max', '--boot-el', '1', '--memory',
                   '256M', '--semihosting', '--semihosting-dir', '.'],
    }


def run_emulator(name, command, directory, timeout):
    where = os.path.join(directory, name)
    os.makedirs(where, exist_ok=True)
    result = os.path.join(where, 'result.bin')
    if os.path.exists(result):
        os.remove(result)
    with open(os.path.join(where, 'log'), 'wb') as log:
        done = subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=timeout,
                              check=False)
    if done.returncode != 0:
        with open(os.path.join(where, 'log'), 'rb') as log:
            text = log.read().decode(errors='replace')[-2000:]
        raise RuntimeError(f'{name} ended with status {done.returncode}: {text}')
    with open(result, 'rb') as file:
        return file.read()


def disassemble(words):
    with tempfile.NamedTemporaryFile(suffix='.bin') as file:
        file.write(struct.pack(f'<{len(words)}I', *words))
        file.flush()
        out = subprocess.run(['aarch64-linux-gnu-objdump', '-D', '-b', 'binary', '-m', 'aarch64', '-M', 'no-aliases',
                              file.name], capture_output=True, text=True, check=False).stdout
    lines = [line.split('\t', 2)[-1].replace('\t', ' ') for line in out.splitlines() if re.match(r'\s+\w+:\t', line)]
    return '; '.join(lines)


def describe(record):
    """The fields of a result by name."""
    values = struct.unpack_from('<32Q', record)
    fields = {f'x{i}': value for i, value in enumerate(values[:31])}
    fields['sp'] = values[31]
    for i in range(32):
        fields[f'v{i}'] = int.from_bytes(record[256 + 16 * i:272 + 16 * i], 'little')
    names = ('pstate', 'fpcr', 'fpsr', 'esr', 'pc', 'far')
    fields.update(zip(names, struct.unpack_from('<6Q', record, 768)))
    for i in range(WINDOW_SIZE // 8):
        fields[f'window[{8 * i}]'] = struct.unpack_from('<Q', record, 816 + 8 * i)[0]
    return fields


def describe_state(state):
    padded = state[:768] + state[768:792] + bytes(24) + state[800:]
    return describe(padded)


def hexes(name, value):
    return f'{value:032x}' if re.fullmatch(r'v\d+', name) else f'{value:016x}'


def report(row, words, state, got, want):
    lines = [f'{row.name}: {" ".join(f"{w:08x}" for w in words)}  {disassemble(words)}']
    before, strata, qemu = describe_state(state), describe(got), describe(want)
    for name in strata:
        if strata[name] != qemu[name]:
            lines.append(f'    {name:12} strata {hexes(name, strata[name])}  qemu {hexes(name, qemu[name])}  '
                         f'before {hexes(name, before[name])}')
    used = sorted({row.get(words[0], f) for f in row.fields if f in ('rd', 'rn', 'rm', 'ra', 'rt', 'rt2', 'rs')})
    kinds = 'v' if row.cls in ('FP', 'SIMD', 'CRYPTO') else 'x'
    for register in used:
        for kind in kinds + ('x' if row.cls == 'FP' else ''):
            name = f'{kind}{register}'
            if name in before:
                lines.append(f'    input {name:6} {hexes(name, before[name])}')
    lines.append(f'    input nzcv {before["pstate"] >> 28:x} fpcr {before["fpcr"]:08x} fpsr {before["fpsr"]:08x}')
    return '\n'.join(lines)


def run_both(options, directory, code, tests, states, picks):
    """The outputs of both emulators for these tests, by name."""
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, 'image.elf'), 'wb') as file:
        file.write(make_image(code, tests, states, picks))
    outputs = {name: run_emulator(name, command, directory, options.timeout)
               for name, command in commands(options).items()}
    size = len(tests) * RESULT_SIZE + DUMP_SIZE
    for name, output in outputs.items():
        if len(output) != size:
            raise RuntimeError(f'{name}: result.bin has {len(output)} bytes instead of {size}')
    return outputs


def result_of(outputs, name, index):
    return outputs[name][index * RESULT_SIZE:(index + 1) * RESULT_SIZE]


def localise(options, directory, code, row, words, state):
    """Run every prefix of a sequence that differs; returns the report of the first one that does."""
    prefixes = [(row, words[:n]) for n in range(1, len(words) + 1)]
    outputs = run_both(options, os.path.join(directory, 'prefixes'), code, prefixes, [state], [0] * len(prefixes))
    for i, (_, prefix) in enumerate(prefixes):
        got, want = result_of(outputs, 'strata', i), result_of(outputs, 'qemu', i)
        if got != want:
            return report(row, prefix, state, got, want)
    return f'{" ".join(f"{w:08x}" for w in words)} differs only among other tests'


def executed(words, record):
    """How many of the words a test ran, the one that faulted included."""
    esr, pc = struct.unpack_from('<2Q', record, 792)
    return min(len(words), pc // 4 + (esr >> 26 != EC_SVC))


class Tally:
    """What a run, or a part of it, found."""

    def __init__(self):
        self.instructions = 0
        self.failures, self.counts, self.legal, self.reports = {}, {}, {}, []

    def add(self, table, name, n=1):
        table[name] = table.get(name, 0) + n

    def merge(self, other):
        self.instructions += other.instructions
        for mine, its in ((self.failures, other.failures), (self.counts, other.counts), (self.legal, other.legal)):
            for name, n in its.items():
                self.add(mine, name, n)
        self.reports += other.reports


def compare(options, directory, code, tests, states, picks, tally):
    """Run the tests and tally differences; returns the tests that came to their end."""
    outputs = run_both(options, directory, code, tests, states, picks)
    size = len(tests) * RESULT_SIZE
    complete = []
    for i, (row, words) in enumerate(tests):
        got, want = result_of(outputs, 'strata', i), result_of(outputs, 'qemu', i)
        tally.instructions += executed(words, want)
        tally.add(tally.counts, row.name)
        if want[792:800] != UNDEFINED:
            tally.add(tally.legal, row.name)
        if want[795] >> 2 == EC_SVC:
            complete.append((row, words))
        if got != want:
            tally.add(tally.failures, row.name)
            if len(tally.reports) < options.reports and tally.failures[row.name] <= 3:
                state = states[picks[i]]
                tally.reports.append(localise(options, directory, code, row, words, state) if len(words) > 2 else
                                     report(row, words, state, got, want))
    if outputs['strata'][size:] != outputs['qemu'][size:]:
        tally.add(tally.failures, '(memory outside the window)')
        at = next(i for i in range(DUMP_SIZE) if outputs['strata'][size + i] != outputs['qemu'][size + i])
        tally.reports.append(f'memory at {DUMP + at:#x} differs after {directory}')
    return complete


def run_batch(job):
    """Generate, run and compare one batch: single instructions, then sequences of those that were allocated."""
    options, number, code = job
    rng = random.Random(f'{options.seed}/{number}')
    rows = read_rows(os.path.join(ROOT, 'src', 'cpu', 'a64.def')) + unallocated_rows()
    for name in ('exclusions.txt', f'exclusions_{options.peer}.txt'):
        read_exclusions(os.path.join(HERE, name), rows)
    generator = Generator(rows, rng, options.rows.split(','))
    maker = StateMaker(rng, options.alternate_fp)
    states = [maker.state() for _ in range(STATE_COUNT)]
    directory = os.path.join(options.directory, f'batch{number}')
    tally = Tally()
    tests, picks = generator.singles(min(BATCH, options.count), states)
    complete = compare(options, os.path.join(directory, 'singles'), code, tests, states, picks, tally)
    if options.sequences:
        tests, picks = generator.sequences(options.sequences, states, complete)
        if tests:
            compare(options, os.path.join(directory, 'sequences'), code, tests, states, picks, tally)
    if not options.keep:
        shutil.rmtree(directory)
    return tally


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--strata', default=os.path.join(ROOT, 'build', 'strata'))
    parser.add_argument('--qemu', default='qemu-system-aarch64')
    parser.add_argument('--peer', default='7', choices=('7', '11'), help='the major version of QEMU: exclusions_N.txt')
    parser.add_argument('--alternate-fp', action='store_true', help='set FPCR.NEP, AH and FIZ too, for a QEMU with FEAT_AFP')
    parser.add_argument('--seed', default='1')
    parser.add_argument('--count', type=int, default=2000000, help='instructions to run')
    parser.add_argument('--rows', default='*', help='only these rows: names or globs, comma separated')
    parser.add_argument('--sequences', type=int, default=SEQUENCES, help='sequences in each batch')
    parser.add_argument('--jobs', type=int, default=os.cpu_count())
    parser.add_argument('--reports', type=int, default=10, help='failures to print from each batch')
    parser.add_argument('--directory', default=None, help='where images and results go (default: a temporary one)')
    parser.add_argument('--keep', action='store_true', help='keep the images')
    parser.add_argument('--timeout', type=float, default=300)
    options = parser.parse_args()
    if shutil.which(options.qemu) is None or shutil.which('aarch64-linux-gnu-gcc') is None:
        print('SKIP: needs qemu-system-aarch64 and aarch64-linux-gnu-gcc')
        return 77
    own = options.directory is None
    if own:
        options.directory = tempfile.mkdtemp(prefix='strata-diff-')
    started = time.monotonic()
    try:
        code = assemble_guest(options.directory)
        total, printed = Tally(), 0
        jobs = ((options, n, code) for n in range(10 ** 9))
        with multiprocessing.Pool(options.jobs) as pool:
            running = [pool.apply_async(run_batch, (next(jobs),)) for _ in range(options.jobs)]
            while running:
                # In order, so that the same seed, count and number of jobs always run the same tests.
                tally = running.pop(0).get()
                total.merge(tally)
                for text in tally.reports[:max(0, 4 * options.reports - printed)]:
                    print(text, flush=True)
                    printed += 1
                if total.instructions + len(running) * tally.instructions < options.count:
                    running.append(pool.apply_async(run_batch, (next(jobs),)))
    finally:
        if own and not options.keep:
            shutil.rmtree(options.directory, ignore_errors=True)
    counts, legal, failures = total.counts, total.legal, total.failures
    print(f'{total.instructions} instructions of {len(counts)} rows in {sum(counts.values())} tests '
          f'({sum(legal.values())} not UNDEFINED), seed {options.seed}, {time.monotonic() - started:.0f} s')
    never = sorted(set(counts) - set(legal) - set(GROUPS))
    if never and total.instructions >= 1000000:
        print('UNDEFINED in every test, so that nothing was compared: ' + ', '.join(never))
        return 1
    if failures:
        print(f'{sum(failures.values())} differ:')
        for name, count in sorted(failures.items(), key=lambda item: -item[1]):
            print(f'  {name:28} {count} of {counts.get(name, 1)}')
        return 1
    print('all agree')
    return 0


if __name__ == '__main__':
    sys.exit(main())
