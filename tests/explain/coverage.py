#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every control that can trap an access, as `strata explain --matrix` knows it for each register and system instruction
of `max`, each level and each direction, is in the settings of at least one case of the golden suite with that access.

The cases' expectations are not looked at here: running them does that. A control without a case fails."""
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys


def accesses(paths):
    """{(name, direction, level): names of the settings of all its cases}, names in capitals"""
    found = collections.defaultdict(set)
    for path in paths:
        with open(path, encoding='utf-8') as file:
            lines = file.read().splitlines()
        default = ''
        for line in lines:
            if line.startswith('section'):
                default = ''
            elif line.startswith('default '):
                default = line.partition(' ')[2]
            elif line.startswith('case '):
                settings, state, insn = (part.strip() for part in line.partition(':')[2].split('|')[:3])
                names = {s.partition('=')[0].strip() for s in f'{default},{settings}'.split(',') if '=' in s}
                level = int(re.search(r'EL(\d)', state)[1])
                found[access_of(insn) + (level,)] |= names
    return found


def access_of(insn):
    read = re.match(r'MRS\s+\w+,\s*(\S+)$', insn, re.I)
    write = re.match(r'MSR\s+(\w+),\s*X\w+$', insn, re.I)
    if read:
        return read[1].upper(), 'read'
    if write:
        return write[1].upper(), 'write'
    return re.sub(r',\s*X\w+$', '', insn).upper(), 'execute'


def run(strata, *arguments):
    done = subprocess.run([strata, *arguments, '--json'], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f'strata {" ".join(arguments)}: {done.stderr}')
    return json.loads(done.stdout)


def controls(matrix):
    """(level, direction, control) of all that trap or defer; Secure states have the same controls."""
    for state in matrix['states']:
        for control in state['controls']:
            # MDCR_EL2.HPMN = 0 is reserved without FEAT_HPMN0.
            if (control['then']['outcome'] in ('exception', 'memory') and not state['secure'] and
                    control.get('acts_at') != '0 to 0'):
                yield state['el'], state['direction'], control['name']


def is_set(control, names):
    register, _, fields = control.partition('.')
    if register == 'FEAT_IDST': # no setting: the model has it
        return True
    return register in names or any(f'{register}.{field}' in names for field in fields.strip('{}').split(','))


def main():
    strata, folder = sys.argv[1:3]
    found = accesses(os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith('.traps'))
    registers = [row['name'] for row in run(strata, 'list-sysregs')]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        tables = list(pool.map(lambda name: run(strata, 'explain', '--matrix', name), registers))
    wanted, lacking = set(), []
    for name, table in zip(registers, tables):
        wanted |= {(name, *control) for control in controls(table)}
    for name, level, direction, control in sorted(wanted):
        key = (name.upper(), direction, level)
        if key not in found or not is_set(control, found[key]):
            lacking.append(f'{name}, {direction} at EL{level}: no case with {control}')
    for line in lacking:
        print(line)
    print(f'{len(registers)} registers and instructions, {len(wanted)} controls of an access at a level: '
          f'{len(lacking)} without a case')
    return 1 if lacking or not wanted else 0


if __name__ == '__main__':
    sys.exit(main())
