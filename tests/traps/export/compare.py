#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of trap tests in QEMU and compares what comes of each with what comes of it in Strata.

    compare.py --strata PROGRAM --work DIRECTORY [--qemu PROGRAM] [--exceptions FILE]... [--only TEXT] FILE.traps...

`strata test --export` gives the values of all registers when a case's instruction begins. They are linked to
cases_guest.c, and the image is booted in both machines. A case is left out where this machine cannot say (an interrupt
line, EL3's own MMU), where QEMU lacks a feature that the case requires (by its ID registers, features.py), a register or a
bit that the case sets, and where the file says no-qemu. What remains must be equal: the level, ESR, ELR and SPSR of an
exception, FAR of an abort; otherwise what is stored, the general registers, and, where the case asks for them, Rt and
the registers written. FILE of the exceptions has lines NAME-PATTERN: REASON; there may be several, as what one version
of QEMU does is not what another does.

Exit status 0, 1 (differences, or an exception that excuses nothing), 77 (no QEMU or no cross compiler; 1 if
STRATA_REQUIRE_QEMU=1).
"""
import argparse
import collections
import fnmatch
import json
import os
import select
import shutil
import subprocess
import sys

from features import id_code, read_features

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'guest', 'lib')
GCC = 'aarch64-linux-gnu-gcc'
QEMU = 'qemu-system-aarch64'
FLAGS = ('-march=armv8-a -mgeneral-regs-only -mstrict-align -mbranch-protection=none -ffreestanding -fno-pic -fno-pie '
         '-fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -std=gnu11 -O2 -Wall '
         '-Wextra').split()
USUAL_X = 0x5555555555555555
# What the runner itself needs at EL3.
OWN = {'VBAR_EL3', 'ELR_EL3', 'SPSR_EL3', 'TPIDR_EL3', 'OSLSR_EL1', 'VBAR_EL1', 'VBAR_EL2', 'ESR_EL3', 'FAR_EL3',
       'TTBR0_EL3', 'TCR_EL3', 'MAIR_EL3'}
FIRST = ['SCR_EL3', 'HCR_EL2']
ABORTS = {0x20, 0x21, 0x24, 0x25, 0x34, 0x35}


def why_not(case):
    """Why this runner can't run the case, or None."""
    changed = {name for name, _ in case['registers']}
    if case['others']:
        return 'an interrupt line or a tag is set'
    if changed & OWN:
        return f'sets {sorted(changed & OWN)[0]}'
    if case['from'] == 3 and (case['mmu'] or 'SCTLR_EL3' in changed):
        return "EL3's own translation"
    if dict(case['registers']).get('SCR_EL3', 0) & 1 << 7:
        return 'SCR_EL3.SMD: there is no way back'
    if case['pc'] != 0x40010000:
        return 'begins elsewhere'
    insn = case['insn']
    if case['outcome'] == 'ok' and (insn & 0xfe000000 == 0xd6000000 or insn & 0xfc000000 in (0x14000000, 0x94000000)):
        return 'goes elsewhere'
    if case['outcome'] == 'ok' and (insn in (0xd503207f, 0xd503205f) or insn & 0xffffffc0 == 0xd5031000):
        return 'waits'
    if insn == 0xd503205f or insn & 0xffffffe0 == 0xd5031000:
        return 'WFE: the exception return before it sets the event register'
    if case['outcome'] == 'ok' and insn & 0xffe0001f == 0xd4400000:
        return 'HLT'
    if case['outcome'] == 'ok' and case['from'] == 3 and insn & 0xfff00000 == 0xd5100000:
        return 'changes what the runner stands on'
    return None


def access_of(insn):
    """The encoding of an MRS or MSR, or None."""
    if insn & 0xffd00000 == 0xd5100000:
        return insn >> 5 & 0x7fff | 0x8000
    return None


def array(name, kind, rows):
    return f'const {kind} {name}[] = {{\n' + ''.join(f'\t{row},\n' for row in rows) + f'\t{{{"0"}}}\n}};\n'


class Image:
    """The tables of one image."""

    def __init__(self, registers, tables, cases):
        used = {name for case in cases for name, _ in case['registers']}
        used |= {name for case in cases for name in case['writes'] or ()}
        used |= {'SCR_EL3', 'HCR_EL2', 'SCTLR_EL1', 'SCTLR_EL2', 'CPTR_EL2', 'CPACR_EL1', 'CPTR_EL3', 'MDCR_EL2',
                 'MDCR_EL3', 'CNTHCTL_EL2', 'CNTKCTL_EL1', 'HCRX_EL2', 'HFGRTR_EL2', 'HFGWTR_EL2', 'HFGITR_EL2',
                 'HDFGRTR_EL2', 'HDFGWTR_EL2', 'PMUSERENR_EL0', 'ICC_SRE_EL1', 'ICC_SRE_EL2', 'ICC_SRE_EL3', 'SP_EL0',
                 'SP_EL1', 'SP_EL2', 'HSTR_EL2'}
        self.by_enc = {enc: name for name, enc, _, _ in registers}
        used |= {self.by_enc[enc] for enc in (access_of(case['insn']) for case in cases) if enc in self.by_enc}
        rows = [row for row in registers if row[0] in used and row[0] not in OWN and row[2] == 3]
        rows.sort(key=lambda row: FIRST.index(row[0]) if row[0] in FIRST else len(FIRST))
        self.names = [row[0] for row in rows]
        self.index = {name: i for i, name in enumerate(self.names)}
        self.rows, self.tables, self.cases = rows, tables, cases

    def source(self):
        changes, x, memory, written, cases = [], [], [], [], []
        for number, case in enumerate(self.cases):
            own_changes = sorted(((self.index[name], value) for name, value in case['registers'] if name in self.index))
            own_x = [(i, value) for i, value in enumerate(case['x']) if value != USUAL_X]
            own_written = [self.index[name] for name in case['writes'] or () if name in self.index]
            cases.append(f'{{{number}, {case["insn"]:#x}, {case["pc"]:#x}, {case["pstate"]:#x}, {len(changes)}, '
                         f'{len(own_changes)}, {len(x)}, {len(own_x)}, {len(memory)}, {len(case["memory"])}, '
                         f'{len(written)}, {len(own_written)}}}')
            changes += [f'{{{i}, {value:#x}}}' for i, value in own_changes]
            x += [f'{{{i}, {value:#x}}}' for i, value in own_x]
            memory += [f'{{{address:#x}, {value:#x}, {size}}}' for address, size, value in case['memory']]
            written += [str(i) for i in own_written]
        code = ['\t.section .text.cases, "ax"\n\t.balign 16\n\t.global case_escape\ncase_escape:\n\tsmc #0x7e57\n\tb .\n']
        for i, (_, enc, _, _) in enumerate(self.rows):
            word = 0xd5100000 | (enc & 0x7fff) << 5
            code.append(f'case_read{i}:\n\t.inst {word | 1 << 21:#x}\n\tret\n'
                        f'case_write{i}:\n\t.inst {word:#x}\n\tisb\n\tret\n')
        text = '#include "cases_guest.h"\n__asm__(' + '\n'.join(
            '"' + line.replace('"', '\\"').replace('\t', '\\t') + '\\n"' for line in ''.join(code).splitlines()) + ');\n'
        text += id_code('case')
        text += ''.join(f'extern const char case_read{i}[], case_write{i}[];\n' for i in range(len(self.rows)))
        text += array('case_register_code', 'struct case_register_code',
                      [f'{{case_read{i}, case_write{i}}}' for i in range(len(self.rows))])
        text += 'const uint64_t case_open[] = {' + ', '.join(f'{value:#x}' for _, _, _, value in self.rows) + '};\n'
        text += f'const unsigned case_register_count = {len(self.rows)};\n'
        text += array('case_tables', 'struct case_word', [f'{{{a:#x}, {v:#x}}}' for a, v in self.tables])
        text += f'const unsigned case_table_count = {len(self.tables)};\n'
        text += array('case_changes', 'struct case_value', changes) + array('case_x', 'struct case_value', x)
        text += 'const uint16_t case_written[] = {' + ', '.join(written + ['0']) + '};\n'
        text += array('case_memory', 'struct case_memory', memory) + array('cases', 'struct test_case', cases)
        return text + f'const unsigned case_count = {len(self.cases)};\n'

    def build(self, work):
        source, script, elf = (os.path.join(work, name) for name in ('tables.c', 'link.ld', 'cases.elf'))
        with open(source, 'w', encoding='utf-8') as file:
            file.write(self.source())
        with open(os.path.join(LIB, 'link.ld'), encoding='utf-8') as file:
            text = file.read()
        with open(script, 'w', encoding='utf-8') as file:
            file.write(text.replace('. = 0x40080000;', '. = 0x44000000;'))
        subprocess.run([GCC, *FLAGS, f'-I{LIB}', f'-I{HERE}', '-nostdlib', '-static', '-no-pie', '-Wl,--build-id=none',
                        '-Wl,--no-warn-rwx-segments', '-T', script, source, os.path.join(HERE, 'cases_guest.c'),
                        *(os.path.join(LIB, name) for name in ('start.S', 'runtime.c', 'pgtable.c', 'gic.c')),
                        '-o', elf], check=True)
        return elf


class Outcomes:
    """What one machine printed."""

    def __init__(self):
        self.absent, self.lacks, self.seen, self.hung, self.features = set(), {}, {}, set(), read_features([])

    def take(self, text):
        """Returns whether it came to the end, and the case that had begun last."""
        last = None
        self.features = read_features(text.splitlines())
        for line in text.splitlines():
            words = line.split()
            if words[:1] == ['absent']:
                self.absent.add(int(words[1]))
            elif words[:1] == ['begin']:
                last = int(words[1])
            elif words[:1] == ['end']:
                return True, last
            elif len(words) > 3 and words[0] == 'case' and words[2] == 'lacks':
                self.lacks[int(words[1])] = int(words[3])
            elif len(words) == 24 and words[0] == 'case':
                values = dict(zip(words[4::2], (int(word, 16) for word in words[5::2])))
                values['el'] = int(words[3])
                self.seen[int(words[1])] = values
        return False, last


def output_of(command, seconds):
    """What the command prints until it ends or prints nothing for so long."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    text = b''
    while select.select([process.stdout], [], [], seconds)[0]:
        part = os.read(process.stdout.fileno(), 65536)
        if not part:
            break
        text += part
    process.kill()
    process.wait()
    process.stdout.close()
    return text.decode('latin-1')


def run_all(command, seconds):
    """All cases, beginning anew after one that hangs or breaks the runner."""
    outcomes, first = Outcomes(), 0
    while True:
        text = output_of(command(first), seconds)
        complete, last = outcomes.take(text)
        if complete:
            return outcomes
        if last is None or last < first or len(outcomes.hung) > 60:
            sys.exit(f'{command(first)[0]}: no progress at case {first}: {text[-300:]!r}')
        outcomes.hung.add(last)
        first = last + 1


def differences(case, ours, theirs):
    """What differs in what the case is about."""
    names = ['el']
    if ours['el'] >= 0 and theirs['el'] >= 0:
        names += ['esr', 'elr', 'offset']
        if ours['esr'] >> 26 in ABORTS and not ours['esr'] >> 10 & 1:
            names += ['far']
    elif ours['el'] < 0 and theirs['el'] < 0:
        names += ['elr', 'x', 'stored'] + (['rt'] if case['rt'] else []) + (['changed'] if case['writes'] is not None else [])
    found = [f'{name} {ours[name]:#x}, QEMU {theirs[name]:#x}' for name in names if ours[name] != theirs[name]]
    if ours['el'] >= 0 and theirs['el'] >= 0 and (ours['spsr'] ^ theirs['spsr']) & 0xf00003df:
        found.append(f'spsr {ours["spsr"]:#x}, QEMU {theirs["spsr"]:#x}')
    return found


def read_exceptions(paths):
    exceptions = []
    for path in paths:
        with open(path, encoding='utf-8') as file:
            for number, line in enumerate(file, start=1):
                line = line.strip()
                if line and not line.startswith('#'):
                    pattern, colon, reason = line.partition(': ')
                    if not colon:
                        sys.exit(f'{path}:{number}: expected NAME-PATTERN: REASON')
                    exceptions.append([pattern, reason, 0])
    return exceptions


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--strata', required=True)
    parser.add_argument('--work', required=True)
    parser.add_argument('--qemu', default=QEMU)
    parser.add_argument('--exceptions', action='append', default=[])
    parser.add_argument('--only', default='')
    parser.add_argument('--verbose', action='store_true')
    parser.add_argument('files', nargs='+')
    arguments = parser.parse_args()
    if shutil.which(arguments.qemu) is None or shutil.which(GCC) is None:
        print(f'SKIP: {arguments.qemu} or {GCC} is not installed')
        return 1 if os.environ.get('STRATA_REQUIRE_QEMU') == '1' else 77
    os.makedirs(arguments.work, exist_ok=True)
    exported = subprocess.run([arguments.strata, 'test', '--export', *arguments.files], capture_output=True, text=True,
                              check=True).stdout
    lines = [json.loads(line) for line in exported.splitlines()]
    skipped, cases = collections.Counter(), []
    for case in lines[2:]:
        if arguments.only not in case['name']:
            continue
        reason = case['skip'] if 'skip' in case else why_not(case)
        if reason:
            skipped[reason] += 1
        else:
            cases.append(case)
    image = Image(lines[0]['registers'], lines[1]['tables'], cases)
    elf = image.build(arguments.work)
    ours = run_all(lambda first: [arguments.strata, 'run', elf, '--cpu', 'max', '--boot-el', '3', '--secure',
                                  '--semihosting', '--memory', '256M', '--append', f'guest from={first}'], 10)
    theirs = run_all(lambda first: [arguments.qemu, '-M', 'virt,secure=on,virtualization=on,gic-version=3,mte=on', '-cpu', 'max',
                                    '-m', '256', '-semihosting-config',
                                    f'enable=on,target=native,arg=guest,arg=under=qemu,arg=from={first}',
                                    '-display', 'none', '-serial', 'none', '-monitor', 'none', '-kernel', elf], 10)
    exceptions = read_exceptions(arguments.exceptions)
    compared, excused, bad = 0, 0, 0
    for number, case in enumerate(cases):
        wanted = [name for name in case['requires'].split() if not theirs.features.has(name)]
        if wanted:
            skipped[f'QEMU has no {wanted[0]}'] += 1
            continue
        enc = access_of(case['insn'])
        own = image.index.get(image.by_enc.get(enc)) if enc else None
        if number in theirs.lacks:
            skipped[f'QEMU lacks {image.names[theirs.lacks[number]]}, or a bit of it'] += 1
            continue
        if own is not None and own in theirs.absent and own not in ours.absent:
            skipped[f'QEMU lacks {image.names[own]}'] += 1
            continue
        if number not in ours.seen:
            skipped['Strata did not come back, or lacks something' if number not in ours.lacks else
                    f'sets what does not stay in {image.names[ours.lacks[number]]}'] += 1
            continue
        expected = -1 if case['outcome'] == 'ok' else case['el']
        if ours.seen[number]['el'] != expected:
            skipped['the runner disturbs it'] += 1
            if arguments.verbose:
                print(f'DISTURBED {case["name"]}: {case["text"]}: {ours.seen[number]}')
            continue
        found = ['QEMU did not come back'] if number not in theirs.seen else differences(case, ours.seen[number],
                                                                                          theirs.seen[number])
        compared += 1
        if found:
            rule = next((rule for rule in exceptions if fnmatch.fnmatch(case['name'], rule[0])), None)
            if rule:
                rule[2] += 1
                excused += 1
            else:
                bad += 1
                print(f'DIFFERS {case["name"]}: {case["text"]} at EL{case["from"]}: {"; ".join(found)}')
    for pattern, reason, count in exceptions:
        if count == 0 and not arguments.only:
            bad += 1
            print(f'the exception {pattern} ({reason}) excuses nothing')
    if arguments.verbose:
        for reason, count in skipped.most_common():
            print(f'{count:6} left out: {reason}')
    print(f'{compared} cases compared, {compared - excused - bad} agree, {excused} differ as listed, {bad} differ; '
          f'{sum(skipped.values())} left out')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
