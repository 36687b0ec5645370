#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Handlers reach the next one by a jump: an indirect call inside op_* or a handler table member costs stack and speed.

Looks at the optimised library: an indirect call (call *) in a function that also ends in an indirect jump is a
handler that was not compiled as a tail call.
"""
import re
import subprocess
import sys

FUNCTION = re.compile(r'^[0-9a-f]+ <(\w[\w.]*)>:$')
# These call through a pointer that is no dispatch: the board's services, the worker function of a SIMD instruction.
ALLOWED = {'op_sev', 'op_mrs', 'op_simd_call', 'op_simd_merging', 'op_simd_element_h', 'op_simd_element_s',
           'op_simd_element_d'}


def main():
    text = subprocess.run(['objdump', '-d', '--no-show-raw-insn', sys.argv[1]], text=True, capture_output=True,
                          check=True).stdout
    name, handlers, wrong, body = '', 0, [], []

    def finish():
        nonlocal handlers
        if not body or not name.startswith('op_'):
            return
        handlers += 1
        if any(re.search(r'\bcall\s+\*', line) for line in body) and name not in ALLOWED:
            wrong.append(name)

    for line in text.split('\n'):
        match = FUNCTION.match(line)
        if match:
            finish()
            name, body = match.group(1), []
        elif line:
            body.append(line)
    finish()
    for function in wrong:
        print(f'{function}: calls through a pointer instead of jumping')
    print(f'{handlers} handlers: {len(wrong)} wrong')
    return 1 if wrong or handlers < 500 else 0


if __name__ == '__main__':
    sys.exit(main())
