#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""trace_insn.py STRATA ELF...: --trace insn shows every instruction once, and disturbs nothing.

The exceptions and returns of such a trace are those of --trace exc to the byte; every instruction of a PE has one line
more than the one before it in its count of instructions, wherever its block was cut or joined.
"""
import json
import os
import subprocess
import sys
import tempfile


def trace(strata, elf, detail, form):
    with tempfile.NamedTemporaryFile(suffix='.trace') as out:
        run = subprocess.run([strata, 'run', elf, '--cpu', 'max', '--boot-el', '2', '--semihosting', '--trace', detail,
                              '--trace-format', form, '--trace-out', out.name],
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        if run.returncode != 0:
            sys.exit(f'{elf}: status {run.returncode}: {run.stderr.decode(errors="replace")}')
        with open(out.name, encoding='utf-8') as file:
            return file.read().splitlines()


def check(strata, elf):
    wrong = []
    insns = [json.loads(line) for line in trace(strata, elf, 'insn', 'jsonl')]
    others = [record for record in insns if record['type'] != 'insn']
    plain = [json.loads(line) for line in trace(strata, elf, 'exc', 'jsonl')]
    if others != plain:
        wrong.append('the exceptions differ from those of --trace exc')
    text = [line for line in trace(strata, elf, 'insn', 'text') if ' INSN ' not in line]
    if text != trace(strata, elf, 'exc', 'text'):
        wrong.append('in text, the exceptions differ from those of --trace exc')
    executed = [record for record in insns if record['type'] == 'insn']
    for before, after in zip(executed, executed[1:]):
        # An instruction that faults is shown but not counted.
        if after['insns'] - before['insns'] not in (0, 1):
            wrong.append(f'{before["pc"]}: {before["insns"]} instructions, then {after["insns"]} at {after["pc"]}')
            break
    if len(executed) < 1000:
        wrong.append(f'{len(executed)} instructions only')
    for problem in wrong:
        print(f'{os.path.basename(elf)}: {problem}')
    print(f'{os.path.basename(elf)}: {len(executed)} instructions, {len(others) - 1} exceptions and returns')
    return not wrong


def main():
    return 0 if all([check(sys.argv[1], elf) for elf in sys.argv[2:]]) else 1


if __name__ == '__main__':
    sys.exit(main())
