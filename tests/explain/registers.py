#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`strata list-sysregs` against lists that are not ours: every name and encoding in them has to be one of ours, or to
stand in registers-missing.txt with the reason why it is not.

Fails for a name without a row and without a reason, for another encoding or another name, for a row that no list
knows, and for a reason that nothing needs."""
import fnmatch
import json
import os
import subprocess
import sys


def read_list(path):
    rows = {}
    with open(path, encoding='utf-8') as file:
        for line in file:
            line = line.split('#')[0].strip()
            if line:
                name, encoding = line.replace(':', '').rsplit(' ', 1)
                rows[name.upper()] = encoding
    return rows


def read_reasons(path):
    reasons = []
    with open(path, encoding='utf-8') as file:
        for line in file:
            line = line.split('#')[0].strip()
            if line:
                patterns, reason = line.split('|', 1)
                reasons += [(p.strip(), reason.strip()) for p in patterns.split(';') if p.strip()]
    return reasons


def main():
    strata, folder = sys.argv[1:3]
    done = subprocess.run([strata, 'list-sysregs', '--json', '--all'],
                          text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit('strata list-sysregs: ' + done.stderr)
    ours = {}
    for row in json.loads(done.stdout):
        ours[row['name'].upper()] = ','.join(str(row[k]) for k in ('op0', 'op1', 'crn', 'crm', 'op2'))
    by_encoding = {e: n for n, e in ours.items()}
    reasons, used = read_reasons(os.path.join(folder, 'registers-missing.txt')), set()
    outside, errors, missing = {}, [], {}
    for path in ('registers-2024-09.txt', 'registers-binutils.txt', 'registers-llvm.txt'):
        outside.update(read_list(os.path.join(folder, path)))
    for name, encoding in sorted(outside.items()):
        if name in ours:
            if ours[name] != encoding:
                errors.append(f'{name} is {ours[name]} here and {encoding} there')
            continue
        found = [(p, r) for p, r in reasons if fnmatch.fnmatchcase(name, p)]
        used |= {p for p, _ in found}
        if found:
            missing.setdefault(found[0][1], []).append(name)
        elif encoding in by_encoding:
            errors.append(f'{name} ({encoding}) is called {by_encoding[encoding]} here')
        else:
            errors.append(f'{name} ({encoding}) is missing, without a reason')
    for name in sorted(set(ours) - set(outside)):
        found = [p for p, _ in reasons if fnmatch.fnmatchcase('+' + name, p)]
        used |= set(found)
        if not found:
            errors.append(f'{name} ({ours[name]}) is in no list')
    errors += [f"the reason for '{p}' is stale: nothing needs it" for p, _ in reasons if p not in used]
    for reason, names in sorted(missing.items()):
        print(f'missing, {reason}: {" ".join(names)}')
    for error in errors:
        print(error)
    print(f'{len(ours)} of ours, {len(outside)} names in the lists, '
          f'{sum(len(n) for n in missing.values())} missing with a reason: {len(errors)} wrong')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
