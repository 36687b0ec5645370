#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fields that Strata names (src/cpu/field.def, src/cpu/fgt.def) against a list that is not ours: every field of
fields-linux.txt has to be one of ours, at the same bits, or to stand in fields-missing.txt with the reason.

Fails for another position, for a field without a row and without a reason, for one of ours in a register of the list
that the list has not, and for a reason that nothing needs."""
import fnmatch
import os
import re
import sys

# fgt.def: registers of a field, by the direction in which it exists.
FINE_GRAINED = {'HFG': ('HFGRTR_EL2', 'HFGWTR_EL2'), 'HDFG': ('HDFGRTR_EL2', 'HDFGWTR_EL2'),
                'HFGI': ('HFGITR_EL2', 'HFGITR_EL2'), 'HAFG': ('HAFGRTR_EL2', 'HAFGRTR_EL2')}


def read_ours(folder):
    """{register: {field: {(highest bit, lowest bit)}}}, names in capitals"""
    fields = {}

    def add(register, name, high, low):
        fields.setdefault(register.upper(), {}).setdefault(name.upper(), set()).add((int(high), int(low)))

    with open(os.path.join(folder, 'field.def'), encoding='utf-8') as file:
        for register, name, high, low in re.findall(r'^FIELD\((\w+), (\w+), (\d+), (\d+),', file.read(), re.M):
            add(register, name, high, low)
    with open(os.path.join(folder, 'fgt.def'), encoding='utf-8') as file:
        for group, name, bit, direction in re.findall(r'^FGT\((\w+), (\w+), (\d+), \w+, (\w+),', file.read(), re.M):
            for letter, register in zip('RW', FINE_GRAINED[group]):
                if letter in direction:
                    add(register, name, bit, bit)
    return fields


def read_lines(path):
    with open(path, encoding='utf-8') as file:
        lines = [line.split('#')[0].strip() for line in file]
    return [line for line in lines if line]


def main():
    source, folder = sys.argv[1:3]
    ours, outside, errors, agree, missing = read_ours(source), {}, [], 0, {}
    reasons, used = [], set()
    for line in read_lines(os.path.join(folder, 'fields-missing.txt')):
        patterns, reason = line.split('|', 1)
        reasons += [(p.strip(), reason.strip()) for p in patterns.split(';')]
    for line in read_lines(os.path.join(folder, 'fields-linux.txt')):
        register, name, high, low = line.split()
        outside.setdefault(register.upper(), {})[name.upper()] = (int(high), int(low))

    def excused(name):
        found = [(p, r) for p, r in reasons if fnmatch.fnmatchcase(name, p.upper())]
        used.update(p for p, _ in found)
        return found[0][1] if found else None

    for register, fields in sorted(outside.items()):
        for name, bits in fields.items():
            full, known = f'{register}.{name}', ours.get(register, {}).get(name)
            if known is not None and bits in known:
                agree += 1
                continue
            reason = excused(full)
            if reason is not None:
                missing.setdefault(reason, []).append(full)
            elif known is None:
                errors.append(f'{full} (bits {bits}) is missing, without a reason')
            else:
                errors.append(f'{full} is bits {sorted(known)} here and {bits} there')
        for name in sorted(set(ours.get(register, {})) - set(fields)):
            if excused(f'+{register}.{name}') is None:
                errors.append(f'{register}.{name} is not in the list')
    errors += [f"the reason for '{p}' is stale: nothing needs it" for p, _ in reasons if p not in used]
    for reason, names in sorted(missing.items()):
        print(f'missing, {reason}: {" ".join(names)}')
    for error in errors:
        print(error)
    print(f'{agree} fields agree, {sum(map(len, missing.values()))} missing with a reason: {len(errors)} wrong')
    return 1 if errors or agree == 0 else 0


if __name__ == '__main__':
    sys.exit(main())
