#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fields that Strata names (src/cpu/field.def, src/cpu/fgt.def) against lists that are not ours: every field of
fields-linux.txt and fields-arm.txt has to be one of ours, at the same bits and in the same layout of HCR_EL2.E2H, or to
stand in fields-missing.txt with the reason.

Fails for another position, for a field without a row and without a reason, for one of ours in a register of the lists
that they have not, for a register of ours in none, and for a reason that nothing needs."""
import fnmatch
import os
import re
import sys

# fgt.def: registers of a field, by the direction in which it exists.
FINE_GRAINED = {'HFG': ('HFGRTR_EL2', 'HFGWTR_EL2'), 'HDFG': ('HDFGRTR_EL2', 'HDFGWTR_EL2'),
                'HFGI': ('HFGITR_EL2', 'HFGITR_EL2'), 'HAFG': ('HAFGRTR_EL2', 'HAFGRTR_EL2')}

LAYOUTS = {'E2H0': {'E2H0'}, 'E2H1': {'E2H1'}, 'ANY': {'E2H0', 'E2H1'}}


def place(high, low, layout):
    """A field's place in each layout that has it"""
    return {(int(high), int(low), word) for word in LAYOUTS[layout]}


def show(places):
    both = [p[:2] for p in places if p[2] == 'E2H0' and (*p[:2], 'E2H1') in places]
    return sorted(both) if 2 * len(both) == len(places) else sorted(places)


def read_ours(folder):
    """{register: {field: {(highest bit, lowest bit, layout)}}}, names in capitals"""
    fields = {}

    def add(register, name, high, low, layout='ANY'):
        fields.setdefault(register.upper(), {}).setdefault(name.upper(), set()).update(place(high, low, layout))

    with open(os.path.join(folder, 'field.def'), encoding='utf-8') as file:
        for row in re.findall(r'^FIELD\((\w+), (\w+), (\d+), (\d+), (\w+)\)', file.read(), re.M):
            add(*row)
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
    lists = {}
    reasons, used = [], set()
    for line in read_lines(os.path.join(folder, 'fields-missing.txt')):
        patterns, reason = line.split('|', 1)
        reasons += [(p.strip(), reason.strip()) for p in patterns.split(';')]
    for list_name in ('fields-linux.txt', 'fields-arm.txt'):
        for line in read_lines(os.path.join(folder, list_name)):
            register, name, *where = line.split()
            if len(where) == 2:
                where.append('ANY')
            pattern = re.compile(register.upper().replace('N_EL', r'\d+_EL') if 'n_EL' in register else register.upper())
            for each in [r for r in ours if pattern.fullmatch(r)] or [register.upper()]:
                if lists.setdefault(each, list_name) != list_name:
                    errors.append(f'{each} is in {list_name} and in {lists[each]}')
                outside.setdefault(each, {}).setdefault(name.upper(), set()).update(place(*where))

    def excused(name):
        found = [(p, r) for p, r in reasons if fnmatch.fnmatchcase(name, p.upper())]
        used.update(p for p, _ in found)
        return found[0][1] if found else None

    for register, fields in sorted(outside.items()):
        for name, places in fields.items():
            full, known = f'{register}.{name}', ours.get(register, {}).get(name)
            # Linux's file has no layouts: a name of two is in one of ours.
            if known is not None and (places == known or (
                    lists[register] == 'fields-linux.txt' and {p[:2] for p in places} <= {p[:2] for p in known})):
                agree += 1
                continue
            reason = excused(full)
            if reason is not None:
                missing.setdefault(reason, []).append(full)
            elif known is None:
                errors.append(f'{full} ({show(places)}) is missing, without a reason')
            else:
                errors.append(f'{full} is {show(known)} here and {show(places)} there')
        for name in sorted(set(ours.get(register, {})) - set(fields)):
            if excused(f'+{register}.{name}') is None:
                errors.append(f'{register}.{name} is not in the list')
    errors += [f'{register} is in no list' for register in sorted(set(ours) - set(outside))]
    errors += [f"the reason for '{p}' is stale: nothing needs it" for p, _ in reasons if p not in used]
    for reason, names in sorted(missing.items()):
        print(f'missing, {reason}: {" ".join(names)}')
    for error in errors:
        print(error)
    print(f'{agree} fields agree, {sum(map(len, missing.values()))} missing with a reason: {len(errors)} wrong')
    return 1 if errors or agree == 0 else 0


if __name__ == '__main__':
    sys.exit(main())
