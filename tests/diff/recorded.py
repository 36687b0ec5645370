#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random instructions whose results were recorded in a QEMU newer than the one at hand, run again in Strata.

A recording holds the states that tests start from, the tests (a state and an instruction word) and, for each, what
changed. It is made as diff.py makes its tests, and only of tests in which Strata and that QEMU agreed or whose
difference stands in diff.py's exclusions.

    recorded.py --strata build/strata recorded/alternate_fp.json.gz
    recorded.py --record FILE --qemu QEMU --peer 11 --alternate-fp --rows 'f*,simd_f*' --count 20000 --seed 1
"""
import argparse
import base64
import gzip
import json
import os
import random
import sys
import tempfile

import diff

STATES = 64
# What most tests leave: the SVC after the instruction.
USUAL = {'esr': diff.EC_SVC << 26 | 1 << 25, 'pc': 8}


def changes(state, record):
    """What a test changed: {name: value}, without what is as usual."""
    before, after = diff.describe_state(state), diff.describe(record)
    return {name: value for name, value in after.items() if value != USUAL.get(name, before[name])}


def expected(state, changed):
    return {**diff.describe_state(state), **USUAL, **changed}


def record(options):
    rows = diff.read_rows(os.path.join(diff.ROOT, 'src', 'cpu', 'a64.def'))
    for name in ('exclusions.txt', f'exclusions_{options.peer}.txt'):
        diff.read_exclusions(os.path.join(diff.HERE, name), rows + diff.unallocated_rows())
    rng = random.Random(options.seed)
    maker = diff.StateMaker(rng, options.alternate_fp)
    states = [maker.state() for _ in range(STATES)]
    tests, picks = diff.Generator(rows, rng, options.rows.split(',')).singles(options.count, states)
    tests = [(row, words[:1]) for row, words in tests]
    with tempfile.TemporaryDirectory(prefix='strata-record-') as directory:
        code = diff.assemble_guest(directory)
        with open(os.path.join(directory, 'image.elf'), 'wb') as file:
            file.write(diff.make_image(code, tests, states, picks))
        output = diff.run_emulator('qemu', diff.commands(options)['qemu'], directory, options.timeout)
    results = []
    for i, ((_, words), pick) in enumerate(zip(tests, picks)):
        changed = changes(states[pick], output[i * diff.RESULT_SIZE:(i + 1) * diff.RESULT_SIZE])
        results.append([pick, words[0], {name: f'{value:x}' for name, value in changed.items()}])
    data = {'peer': options.title, 'states': [base64.b64encode(state).decode() for state in states], 'tests': results}
    with gzip.GzipFile(options.recording, 'wb', mtime=0) as file:
        file.write(json.dumps(data, separators=(',', ':')).encode())
    print(f'{len(results)} results of {options.title} in {options.recording}')
    return 0


def replay(options):
    with gzip.open(options.recording) as file:
        data = json.load(file)
    states = [base64.b64decode(state) for state in data['states']]
    tests = [(None, [word]) for _, word, _ in data['tests']]
    picks = [pick for pick, _, _ in data['tests']]
    failures = 0
    with tempfile.TemporaryDirectory(prefix='strata-replay-') as directory:
        code = diff.assemble_guest(directory)
        with open(os.path.join(directory, 'image.elf'), 'wb') as file:
            file.write(diff.make_image(code, tests, states, picks))
        output = diff.run_emulator('strata', diff.commands(options)['strata'], directory, options.timeout)
    if len(output) < len(tests) * diff.RESULT_SIZE:
        sys.exit(f'{options.recording}: the image gave {len(output)} bytes of results')
    for i, (pick, word, changed) in enumerate(data['tests']):
        want = expected(states[pick], {name: int(value, 16) for name, value in changed.items()})
        got = diff.describe(output[i * diff.RESULT_SIZE:(i + 1) * diff.RESULT_SIZE])
        if got == want:
            continue
        failures += 1
        if failures <= options.reports:
            fpcr = diff.describe_state(states[pick])['fpcr']
            print(f'{word:08x}  {diff.disassemble([word])}  fpcr {fpcr:08x}')
            for name in got:
                if got[name] != want[name]:
                    print(f'    {name:6} strata {diff.hexes(name, got[name])}  recorded {diff.hexes(name, want[name])}')
    print(f'{len(tests) - failures} of {len(tests)} results are those of {data["peer"]}')
    return failures != 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('recording')
    parser.add_argument('--strata', default=os.path.join(diff.ROOT, 'build', 'strata'))
    parser.add_argument('--reports', type=int, default=10, help='differences to print')
    parser.add_argument('--timeout', type=float, default=300)
    parser.add_argument('--record', action='store_true', help='make the recording')
    parser.add_argument('--qemu', default='qemu-system-aarch64')
    parser.add_argument('--title', default='QEMU', help='what to call it in the recording')
    parser.add_argument('--peer', default='11')
    parser.add_argument('--alternate-fp', action='store_true')
    parser.add_argument('--rows', default='*')
    parser.add_argument('--count', type=int, default=20000)
    parser.add_argument('--seed', default='1')
    options = parser.parse_args()
    return record(options) if options.record else replay(options)


if __name__ == '__main__':
    sys.exit(main())
