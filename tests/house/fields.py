#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The two forms of a register's fields say the same: the masks that the code uses (src/cpu/sysreg_fields.h) and the
names that people use (src/cpu/field.def). Every mask REGISTER_FIELD of one field stands in both."""
import os
import re
import sys

# Masks that are no field: several at once, positions, values, and shared layouts (SCTLR_, TCR_, TCR2_).
NO_FIELD = re.compile(r'WRITABLE|RESET|RES1|VHE_ONLY|SHIFT|_EN_(SW|CR|ER)$|EL0xCTEN|IRQ_FIQ')
SHARED = {'SCTLR_': ('SCTLR_EL1', 'SCTLR_EL2', 'SCTLR_EL3'), 'TCR2_': ('TCR2_EL1', 'TCR2_EL2'), 'SCTLR2_': ('SCTLR2_EL1', 'SCTLR2_EL2')}


def bits_of(text):
    m = re.fullmatch(r'BIT\((\d+)\)', text) or re.fullmatch(r'MASK\((\d+), (\d+)\)', text)
    return m and (int(m.group(1)), int(m.group(m.lastindex)))


def main():
    root = os.path.join(sys.argv[1], 'src', 'cpu')
    fields, errors, compared = {}, [], 0
    with open(os.path.join(root, 'field.def'), encoding='utf-8') as file:
        for reg, name, hi, lo in re.findall(r'^FIELD\((\w+), (\w+), (\d+), (\d+), \w+\)', file.read(), re.M):
            fields.setdefault(reg, {}).setdefault(name.upper(), set()).add((int(hi), int(lo)))
    with open(os.path.join(root, 'sysreg_fields.h'), encoding='utf-8') as file:
        text = file.read()
    masks = re.findall(r'^#define (\w+) ((?:BIT|MASK)\([\d, ]+\))\s*(?://.*)?$', text, re.M)
    for name, value in masks:
        if NO_FIELD.search(name):
            continue
        bits = bits_of(value)
        reg = next((r for r in sorted(fields, key=len, reverse=True) if name.startswith(r + '_')), None)
        if reg is not None:
            regs, field = (reg,), name[len(reg) + 1:]
        else:
            prefix = next((p for p in SHARED if name.startswith(p)), None)
            if prefix is None:
                continue
            regs, field = SHARED[prefix], name[len(prefix):]
        # A second layout has _E2H behind the name of the field.
        field = re.sub(r'_E2H$', '', field).upper()
        known = [fields.get(r, {}).get(field) for r in regs]
        if not any(known):
            errors.append(f'{name}: field.def has no {regs[0]}.{field}')
        elif bits not in set().union(*(k for k in known if k)):
            errors.append(f'{name} is {value}, and something else in field.def')
        compared += 1
    for error in errors:
        print(error)
    print(f'{compared} masks compared with field.def: {len(errors)} wrong')
    return 1 if errors or compared < 150 else 0


if __name__ == '__main__':
    sys.exit(main())
