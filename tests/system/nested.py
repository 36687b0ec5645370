#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nested.py STRATA HYPERVISOR NESTED...: the example hypervisor says the same inside a host as on the machine.

Pairs of ELFs: the hypervisor, and the host that runs it at EL1 with nested virtualization. Of the console, the host's
own lines are left out; everything else is the same to the byte.
"""
import subprocess
import sys


def console(strata, elf):
    run = subprocess.run([strata, 'run', elf, '--cpu', 'max', '--max-insns', '20000000'], stdin=subprocess.DEVNULL,
                         capture_output=True, timeout=120)
    if run.returncode != 0:
        sys.exit(f'{elf}: status {run.returncode}: {run.stderr.decode(errors="replace")}')
    return run.stdout.decode(errors='replace').splitlines()


def main():
    strata, elfs = sys.argv[1], sys.argv[2:]
    wrong = 0
    for plain, nested in zip(elfs[::2], elfs[1::2]):
        expected = console(strata, plain)
        seen = [line for line in console(strata, nested) if not line.startswith('[host]')]
        if not expected or seen != expected:
            wrong += 1
            print(f'{nested}: not as {plain}')
            for line, (one, other) in enumerate(zip(expected, seen), 1):
                if one != other:
                    print(f'line {line}: expected {one!r}, seen {other!r}')
                    break
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
