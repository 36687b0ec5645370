#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random accesses to system registers, at every level under random controls, in Strata and in QEMU.

    random_accesses.py --strata PROGRAM --work DIRECTORY [--qemu PROGRAM] [--differs FILE]... [--count N] [--seed N] [--stale]

random_guest.c makes up words and controls from the seed; booted in both machines it must print the same: the level that
an exception is taken to, ESR, ELR, SPSR and vector, or that the instruction retired, PSTATE then, which register it
changed, which register a read came from, and the fields of PSTATE that it read; of the page of VNCR_EL2 the same. Only
bits vary that both machines have (asked at run time) and that QEMU implements (the tables here). Encodings that QEMU has not are left out and counted. FILE
has lines INSTRUCTION | FROM | STRATA | QEMU | CONDITIONS | REASON (see there) for differences that have a rule.

Exit status 0, 1 (differences, or with --stale a line of FILE that explains nothing), 77 (no QEMU or no cross compiler;
1 if STRATA_REQUIRE_QEMU=1).
"""
import argparse
import collections
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys

from compare import FLAGS, GCC, LIB, QEMU, output_of
from features import id_code, read_features

HERE = os.path.dirname(os.path.abspath(__file__))
NONE = 0xff
PSTATE_VALUE = 0xfe
VNCR_VALUE = 0xfd
VNCR_CHANGED = 0x1000
SECONDS = 15 # without a line of output: the machine hangs


def bits(*positions):
    return sum(1 << position for position in positions)


EVERY = (1 << 64) - 1
# The bits that vary: those that steer accesses and that QEMU 7.2 implements, and nothing that takes the way back from
# EL3's program: translation, big-endian data, AArch32, SMC disabled, interrupts and debug exceptions.
HCR_EL2 = bits(3, 4, 5, 9, 13, 14, 16, 17, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33, 34, 35, 36, 37, 38, 40,
               41, 46, 49, 50, 52, 53, 54, 55, 56, 58)
SCTLR = bits(9, 10, 14, 15, 16, 18, 20, 23, 26, 42, 43)
CONTROLS = {
    'SCR_EL3': bits(0, 1, 2, 3, 8, 11, 12, 13, 14, 15, 16, 17, 18, 25, 26),
    'HCR_EL2': HCR_EL2,
    'SCTLR_EL1': SCTLR,
    'SCTLR_EL2': SCTLR,
    'CPACR_EL1': bits(20, 21),
    'CPTR_EL2': (bits(10, 31), bits(20, 21, 31)),
    'CPTR_EL3': bits(10, 31),
    'MDCR_EL2': bits(6, 7, 8, 9, 10, 11),
    'MDCR_EL3': bits(6, 9, 10),
    'CNTKCTL_EL1': bits(0, 1, 8, 9),
    'CNTHCTL_EL2': (bits(0, 1), bits(0, 1, 8, 9, 10, 11)),
    'PMUSERENR_EL0': bits(0, 1, 2, 3),
    'ICC_SRE_EL1': bits(0, 1, 2),
    'ICC_SRE_EL2': bits(0, 1, 2, 3),
    'ICC_SRE_EL3': bits(0, 1, 2, 3),
    'ICH_HCR_EL2': bits(10, 11, 12, 13, 14),
}
# More of them, where QEMU has a feature.
CONTROLS_WITH = {
    'FEAT_FGT': {'SCR_EL3': bits(27), 'HFGRTR_EL2': EVERY, 'HFGWTR_EL2': EVERY, 'HFGITR_EL2': EVERY, 'HDFGRTR_EL2': EVERY,
                 'HDFGWTR_EL2': EVERY, 'MDCR_EL2': bits(27), 'MDCR_EL3': bits(27), 'MDSCR_EL1': bits(12)},
    'FEAT_HCX': {'SCR_EL3': bits(38)},
    'FEAT_TCR2': {'SCR_EL3': bits(43), 'HCRX_EL2': bits(14), 'TCR2_EL1': EVERY, 'TCR2_EL2': EVERY},
    'FEAT_SCTLR2': {'SCR_EL3': bits(44), 'HCRX_EL2': bits(15), 'SCTLR2_EL1': EVERY, 'SCTLR2_EL2': EVERY},
    'FEAT_S1PIE': {'SCR_EL3': bits(45), 'PIR_EL1': EVERY, 'PIRE0_EL1': EVERY, 'PIR_EL2': EVERY, 'PIRE0_EL2': EVERY,
                   'S2PIR_EL2': EVERY},
    'FEAT_ECV': {'SCR_EL3': bits(28), 'CNTHCTL_EL2': bits(13, 14, 15, 16)},
    'FEAT_TIDCP1': {'HCR_EL2': bits(20), 'SCTLR_EL1': bits(63), 'SCTLR_EL2': bits(63)},
    'FEAT_NMI': {'HCRX_EL2': bits(6), 'SCTLR_EL1': bits(61, 62), 'SCTLR_EL2': bits(61, 62)},
    'FEAT_RNG_TRAP': {'SCR_EL3': bits(40)},
    'FEAT_XS': {'HCRX_EL2': bits(4)},
    # MDCR_EL2.TPMCR is older, but not in QEMU.
    'FEAT_NV2': {'HCR_EL2': bits(42, 43, 44, 45), 'MDCR_EL2': bits(5)},
}
PSTATE_ALLINT = bits(13) # with FEAT_NMI
# Registers that hold what is written: which of them an access reaches.
STORAGE = ('TTBR0_EL1 TTBR1_EL1 TCR_EL1 MAIR_EL1 CONTEXTIDR_EL1 TPIDR_EL0 TPIDR_EL1 TPIDRRO_EL0 FAR_EL1 TTBR0_EL2 TTBR1_EL2 '
           'TCR_EL2 MAIR_EL2 FAR_EL2 CONTEXTIDR_EL2 TPIDR_EL2 VTTBR_EL2 CNTVOFF_EL2 CNTV_CVAL_EL0 CNTP_CVAL_EL0 '
           'CNTHP_CVAL_EL2 CNTHV_CVAL_EL2 CNTPS_CVAL_EL1 SCXTNUM_EL0 SCXTNUM_EL1 SCXTNUM_EL2 SCXTNUM_EL3 PAR_EL1 '
           'APIAKEYLO_EL1 APIAKEYHI_EL1 APGAKEYLO_EL1 APGAKEYHI_EL1 GCR_EL1 RGSR_EL1 VPIDR_EL2 VMPIDR_EL2 '
           'AFSR0_EL1 AFSR1_EL1 AFSR0_EL2 AFSR1_EL2 AMAIR_EL1 AMAIR_EL2 TFSR_EL1 TFSR_EL2 SP_EL0 SP_EL1 SP_EL2 HACR_EL2').split()
# As those, but also written by the way back (SMC of EL1 goes to EL2 with HCR_EL2.TSC): looked at last.
WRITTEN_BY_EXCEPTIONS = 'ELR_EL1 ELR_EL2 SPSR_EL1 SPSR_EL2 ESR_EL1 ESR_EL2'.split()
# These only keep their values from case to case.
KEPT = ('PMSELR_EL0 CSSELR_EL1 ERRSELR_EL1 HSTR_EL2 MDSCR_EL1 HPFAR_EL2 TCR_EL3 MAIR_EL3 HCRX_EL2 HFGRTR_EL2 HFGWTR_EL2 '
        'HFGITR_EL2 HDFGRTR_EL2 HDFGWTR_EL2 HAFGRTR_EL2 AMUSERENR_EL0 VNCR_EL2 CNTPOFF_EL2 CNTP_CTL_EL0 CNTV_CTL_EL0 '
        'CNTHP_CTL_EL2 CNTHV_CTL_EL2 TCR2_EL1 TCR2_EL2 SCTLR2_EL1 SCTLR2_EL2 PIR_EL1 PIRE0_EL1 PIR_EL2 PIRE0_EL2 '
        'S2PIR_EL2').split()
VNCR_PAGE = 0x40030000
# In the layout of HCR_EL2.E2H = 1: everything permitted.
OPEN_E2H = {'CPTR_EL2': 3 << 20, 'CNTHCTL_EL2': 0xf03}
# Never written: EL3's own state, vectors, a reset.
NEVER = 'SCTLR_EL3 VBAR_EL1 VBAR_EL2 VBAR_EL3 VBAR_EL12 RMR_EL3 DBGPRCR_EL1 OSDLR_EL1'.split()
RMR = 0xf602
GCSCR = [0xc000 | op1 << 11 | 2 << 7 | 5 << 3 for op1 in (0, 4, 5, 6)] # ELx: EXLOCKEN makes exception returns illegal


def encoding(row):
    return row['op0'] << 14 | row['op1'] << 11 | row['crn'] << 7 | row['crm'] << 3 | row['op2']


class Image:
    """The guest with its tables."""

    def __init__(self, strata, work):
        empty = os.path.join(work, 'none.traps')
        with open(empty, 'w', encoding='utf-8') as file:
            file.write('strata-trap-tests 1\n')
        exported = subprocess.run([strata, 'test', '--export', empty], capture_output=True, text=True,
                                  check=True).stdout.splitlines()
        opened = {name: (enc, value) for name, enc, access, value in json.loads(exported[0])['registers'] if access == 3}
        rows = json.loads(subprocess.run([strata, 'list-sysregs', '--cpu', 'max', '--json'], capture_output=True, text=True,
                                         check=True).stdout)
        self.names = {}
        for row in rows:
            if row['op0'] != 0:
                self.names.setdefault(encoding(row), row['name'])
        self.encodings = sorted(self.names)
        upper = {name.upper(): name for name in opened}
        self.registers = [upper[name] for name in [*CONTROLS, *STORAGE, *KEPT, *WRITTEN_BY_EXCEPTIONS] if name in upper]
        opened['VNCR_EL2'] = opened['VNCR_EL2'][0], VNCR_PAGE
        self.opened, self.work, self.pstate = opened, work, 0
        self.masks = [(self.allowed(name, 0), self.allowed(name, 1)) for name in self.registers]

    @staticmethod
    def allowed(name, e2h, features=None):
        mask = CONTROLS.get(name.upper(), EVERY if name.upper() in STORAGE + WRITTEN_BY_EXCEPTIONS else 0)
        mask = mask[e2h] if isinstance(mask, tuple) else mask
        for feature, controls in CONTROLS_WITH.items():
            if features is None or features.has(feature):
                mask |= controls.get(name.upper(), 0)
        return mask

    def source(self):
        by_name = {name: enc for enc, name in self.names.items()}
        never = [by_name[name] for name in NEVER if name in by_name] + [RMR, *GCSCR]
        code = ['.section .text.random, "ax"', '.balign 16', '.global random_escape', 'random_escape:', 'smc #0x7e57', 'b .']
        rows = []
        for i, name in enumerate(self.registers):
            enc, value = self.opened[name]
            code += [f'random_read{i}:', f'.inst {0xd5200000 | enc << 5:#x}', 'ret', f'random_write{i}:',
                     f'.inst {0xd5000000 | enc << 5:#x}', 'isb', 'ret']
            rows.append(f'{{random_read{i}, random_write{i}, {enc:#x}, {{{value:#x}, {OPEN_E2H.get(name, value):#x}}}, '
                        f'{{{self.masks[i][0]:#x}, {self.masks[i][1]:#x}}}}}')
        return ('#include "random_guest.h"\n__asm__(' + '\n'.join(
            '"' + line.replace('"', '\\"') + '\\n"' for line in code + ['.text']) + ');\n'
            + ''.join(f'extern const char random_read{i}[], random_write{i}[];\n' for i in range(len(rows)))
            + 'const struct random_register random_registers[] = {\n' + ',\n'.join(rows) + '};\n'
            + f'const unsigned random_register_count = {len(rows)};\n'
            + id_code('random') + f'const uint64_t random_more_pstate = {self.pstate:#x};\n'
            + f'const uint64_t random_vncr_page = {VNCR_PAGE:#x};\n'
            + 'const uint32_t random_encodings[] = {' + ', '.join(map(hex, self.encodings)) + '};\n'
            + f'const unsigned random_encoding_count = {len(self.encodings)};\n'
            + 'const uint32_t random_never_written[] = {' + ', '.join(map(hex, never)) + '};\n'
            + f'const unsigned random_never_written_count = {len(never)};\n')

    def build(self):
        source, script, elf = (os.path.join(self.work, name) for name in ('random_tables.c', 'random.ld', 'random.elf'))
        with open(source, 'w', encoding='utf-8') as file:
            file.write(self.source())
        with open(os.path.join(LIB, 'link.ld'), encoding='utf-8') as file:
            text = file.read()
        with open(script, 'w', encoding='utf-8') as file:
            file.write(text.replace('. = 0x40080000;', '. = 0x44000000;'))
        subprocess.run([GCC, *FLAGS, f'-I{LIB}', f'-I{HERE}', '-nostdlib', '-static', '-no-pie', '-Wl,--build-id=none',
                        '-Wl,--no-warn-rwx-segments', '-T', script, source, os.path.join(HERE, 'random_guest.c'),
                        *(os.path.join(LIB, name) for name in ('start.S', 'runtime.c', 'pgtable.c', 'gic.c')),
                        '-o', elf], check=True)
        return elf


def strata_command(strata, elf):
    return lambda *words: [strata, 'run', elf, '--cpu', 'max', '--boot-el', '3', '--secure', '--semihosting', '--memory',
                           '256M', '--append', ' '.join(('guest',) + words)]


def qemu_command(qemu, elf):
    return lambda *words: [qemu, '-M', 'virt,secure=on,virtualization=on,gic-version=3,mte=on', '-cpu', 'max', '-m', '256',
                           '-semihosting-config', ','.join(['enable=on', 'target=native', 'arg=guest',
                                                            *('arg=' + word for word in words)]),
                           '-display', 'none', '-serial', 'none', '-monitor', 'none', '-kernel', elf]


def lines_of(command):
    text = output_of(command, SECONDS)
    lines = text.splitlines()
    return lines, 'end' in lines[-4:]


def complete_lines_of(command):
    lines, ended = lines_of(command)
    if not ended:
        sys.exit(f'{command[0]}: did not end: {lines[-2:]}')
    return [line.split() for line in lines]


class Run:
    """What one machine printed: cases by number, values of the registers by round."""

    def __init__(self):
        self.cases, self.rounds, self.hung = {}, {}, set()

    def take(self, lines):
        last = None
        for line in lines:
            words = line.split()
            if words[:1] == ['c'] and len(words) == 12:
                last = int(words[1], 16)
                self.cases[last] = tuple(int(word, 16) for word in words[2:])
            elif words[:1] == ['r']:
                self.rounds[int(words[1], 16)] = [int(word, 16) for word in words[2:]]
        return last

    def run(self, command, seed, count):
        start = 0
        while start < count:
            lines, ended = lines_of(command(f'seed={seed}', f'from={start}', f'to={count}'))
            last = self.take(lines)
            if ended:
                return self
            # It hangs within the next round: one by one, to see where.
            start = start if last is None else last + 1
            lines, ended = lines_of(command(f'seed={seed}', f'from={start}', f'to={min(count, start + 256)}', 'slow=1'))
            last = self.take(lines)
            if ended:
                sys.exit(f'{command()[0]}: hangs near case {start}, but not there')
            last = start if last is None else last + 1
            self.hung.add(last)
            if len(self.hung) > 8:
                sys.exit(f'{command()[0]}: hangs at the cases {sorted(self.hung)}')
            start = last + 1
        return self


class Rules:
    """The list of differences."""

    def __init__(self, paths):
        self.rows = []
        for path in paths:
            self.read(path)

    def read(self, path):
        with open(path, encoding='utf-8') as file:
            for number, line in enumerate(file, start=1):
                line = line.strip()
                if not line or line.startswith('#'):
                    continue
                columns = [column.strip() for column in line.split('|')]
                if len(columns) != 6:
                    sys.exit(f'{path}:{number}: expected INSTRUCTION | FROM | STRATA | QEMU | CONDITIONS | REASON')
                conditions = [re.fullmatch(r'(\w+)\[(\d+)\]=([01])', part.strip()) for part in columns[4].split(',')
                              if part.strip()]
                if None in conditions:
                    sys.exit(f'{path}:{number}: expected conditions REGISTER[BIT]=0 or 1')
                self.rows.append([f'{path}:{number}', columns[:4], [(c[1], int(c[2]), int(c[3])) for c in conditions], 0])

    def explains(self, what, controls):
        for row in self.rows:
            if all(fnmatch.fnmatchcase(text, pattern) for text, pattern in zip(what, row[1])) and all(
                    controls[name] >> bit & 1 == wanted for name, bit, wanted in row[2]):
                row[3] += 1
                return True
        return False


class Comparison:
    def __init__(self, image, ours, theirs, absent):
        self.image, self.ours, self.theirs, self.absent = image, ours, theirs, absent

    def instruction(self, word):
        enc = word >> 5 & 0xffff
        if enc < 0x4000:
            return f'MSR PSTATE op1={enc >> 11 & 7} op2={enc & 7}'
        name = self.image.names.get(enc) or (f'S{enc >> 14}_{enc >> 11 & 7}_C{enc >> 7 & 15}_C{enc >> 3 & 15}_{enc & 7}')
        if enc < 0x8000:
            return ('SYSL ' if word >> 21 & 1 else 'SYS ') + name
        return ('MRS ' if word >> 21 & 1 else 'MSR ') + name

    def outcome(self, case):
        el, esr, elr, _, _, offset, changed, source = case[2:]
        names = self.image.registers
        if el == 0:
            return ('ok' + ('' if changed == NONE else f' stores VNCR_EL2+{changed - VNCR_CHANGED:#x}'
                            if changed >= VNCR_CHANGED else f' changes {names[changed]}')
                    + (f' value {source >> 8:#x}' if source & 0xff == PSTATE_VALUE else '' if source == NONE else
                       f' reads VNCR_EL2+{source >> 8:#x}' if source & 0xff == VNCR_VALUE else f' reads {names[source]}'))
        return (f'EL{el - 1} {esr >> 26:#04x}' + (f' vector {offset & 0x180:#x}' if offset & 0x180 else '')
                + (f' elr {elr:+#x}' if elr not in (0, 4) else ''))

    def controls(self, number):
        return dict(zip(self.image.registers, self.ours.rounds[number // 64]))

    def left_out(self, word):
        return (word >> 5 & 0xffff, word >> 21 & 1) in self.absent


def read_masks(lines):
    found = {}
    for words in lines:
        if words[:1] == ['m']:
            index, e2h, there, mask = (int(word, 16) for word in words[1:])
            found[index, e2h] = mask if there else 0
    return found


def read_words(lines, image):
    return {(image.encodings[int(words[1], 16)], int(words[2], 16)): False for words in lines if words[:1] == ['w']} | {
        (image.encodings[int(words[1], 16)], int(words[2], 16)): True for words in lines
        if words[:1] == ['w'] and words[3] == '0'}


def prepare(image, strata, qemu):
    """Bits that both machines have, and what only Strata has."""
    elf = image.build()
    lines = [complete_lines_of(command('probe=1')) for command in (strata_command(strata, elf), qemu_command(qemu, elf))]
    ours, theirs = map(read_masks, lines)
    features = read_features(map(' '.join, lines[1]))
    image.masks = [tuple(ours[i, e2h] & theirs[i, e2h] & image.allowed(name, e2h, features) for e2h in (0, 1))
                   for i, name in enumerate(image.registers)]
    image.pstate = PSTATE_ALLINT if features.has('FEAT_NMI') else 0
    elf = image.build()
    ours, theirs = (read_words(complete_lines_of(command('words=1')), image)
                    for command in (strata_command(strata, elf), qemu_command(qemu, elf)))
    return elf, {key for key, there in ours.items() if there and not theirs.get(key, False)}


def compare(comparison, rules, verbose):
    counts, unexplained, examples = collections.Counter(), collections.Counter(), {}
    both = comparison.ours.cases.keys() | comparison.theirs.cases.keys() | comparison.ours.hung | comparison.theirs.hung
    for number in sorted(both):
        ours, theirs = comparison.ours.cases.get(number), comparison.theirs.cases.get(number)
        if ours is None or theirs is None:
            key = ' | '.join('no answer' if case is None else comparison.instruction(case[0]) + f' EL{case[1]}: '
                             + comparison.outcome(case) for case in (ours, theirs))
            unexplained[key] += 1
            examples.setdefault(key, number)
            continue
        if comparison.left_out(ours[0]):
            counts['absent'] += 1
            continue
        counts['cases'] += 1
        if ours == theirs:
            counts['agree'] += 1
            counts[f'EL{ours[1]}'] += 1
            counts['trapped' if ours[2] else 'done'] += 1
            continue
        controls = comparison.controls(number)
        state = ('NS' if controls['SCR_EL3'] & 1 or ours[1] == 3 else 'S') + f' EL{ours[1]}'
        seen = [comparison.outcome(ours), comparison.outcome(theirs)]
        if seen[0] == seen[1]:
            seen = [f'{text} iss {case[3] & 0x1ffffff:#x} elr {case[4]:#x} spsr {case[5]:#x} pstate {case[6]:#x} '
                    f'offset {case[7]:#x}'
                    for text, case in zip(seen, (ours, theirs))]
        if ours[:2] != theirs[:2]:
            seen = [f'{text} (word {case[0]:#x} at EL{case[1]})' for text, case in zip(seen, (ours, theirs))]
        what = [comparison.instruction(ours[0]), state, *seen]
        if rules.explains(what, controls):
            counts['explained'] += 1
        else:
            key = ' | '.join(what)
            unexplained[key] += 1
            examples.setdefault(key, number)
    for key, count in unexplained.most_common(None if verbose else 60):
        number = examples[key]
        print(f'DIFFERS {count} times: {key}  (case {number})')
        if verbose and number // 64 in comparison.ours.rounds:
            print('   ' + ' '.join(f'{name}={value:#x}' for name, value in comparison.controls(number).items()
                                   if name in CONTROLS))
    return counts, sum(unexplained.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--strata', required=True)
    parser.add_argument('--work', required=True)
    parser.add_argument('--qemu', default=QEMU)
    parser.add_argument('--differs', action='append', default=[])
    parser.add_argument('--count', type=int, default=200000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--stale', action='store_true', help='a line of the list that explains nothing is an error')
    parser.add_argument('--verbose', action='store_true')
    arguments = parser.parse_args()
    if shutil.which(arguments.qemu) is None or shutil.which(GCC) is None:
        print(f'SKIP: {arguments.qemu} or {GCC} is not installed')
        return 1 if os.environ.get('STRATA_REQUIRE_QEMU') == '1' else 77
    os.makedirs(arguments.work, exist_ok=True)
    rules = Rules(arguments.differs)
    image = Image(arguments.strata, arguments.work)
    elf, absent = prepare(image, arguments.strata, arguments.qemu)
    comparison = Comparison(image, Run().run(strata_command(arguments.strata, elf), arguments.seed, arguments.count),
                            Run().run(qemu_command(arguments.qemu, elf), arguments.seed, arguments.count), absent)
    counts, bad = compare(comparison, rules, arguments.verbose)
    for place, _, _, used in rules.rows:
        if not used and arguments.stale:
            bad += 1
            print(f'{place}: explains nothing')
    print(f'seed {arguments.seed}: {counts["cases"]} accesses compared, {counts["agree"]} agree ({counts["trapped"]} '
          f'exceptions, {counts["done"]} done; EL0 {counts["EL0"]}, EL1 {counts["EL1"]}, EL2 {counts["EL2"]}, EL3 '
          f'{counts["EL3"]}), {counts["explained"]} differ by a rule, {bad} differ; {counts["absent"]} not in QEMU')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
