#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The reports of `strata test`: TAP and JUnit XML are well-formed and say the same, the order does not depend on the
number of workers, a file that can't be used is reported and the others are run, and the exit status says how it went."""
import os
import re
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

TESTS = r"""strata-trap-tests 1
case passes: HCR_EL2.TVM=1 | NS EL1 | MSR TTBR0_EL1, X3 | EL2 ec=0x18 iss=insn
case fails: - | NS EL1 | MSR TTBR0_EL1, X3 | EL2 ec=0x18
case skipped: - | EL1 | NOP | ok | requires !FEAT_PAN
test hangs
  state EL1
  hex
    14000000
  end
  limit insns=10000
end
test broken
  image /no/such/"image"&<x>
end
case last: - | EL1 | NOP | ok
"""
WANTED = [('passes', 'ok'), ('fails', 'not ok'), ('skipped', 'ok'), ('hangs', 'not ok'), ('broken', 'not ok'), ('last', 'ok')]
errors = []


def check(condition, text):
    if not condition:
        errors.append(text)


def run(strata, *arguments):
    return subprocess.run([strata, 'test', *arguments], capture_output=True, text=True, timeout=120, check=False)


def check_yaml(lines):
    # The block says its indentation: the first line of a message is often the deepest.
    check(re.fullmatch(r'  outcome: [A-Z]+', lines[0]) and re.fullmatch(r'  at: "([^"\\]|\\.)*"', lines[1]) and
          lines[2] == '  message: |2' and len(lines) > 3, f'a block begins with {lines[:3]}')
    check(all(line.startswith('    ') for line in lines[3:]), f'lines of a block are not indented: {lines[3:]}')
    check(all(char == '\t' or char >= ' ' and not '\x7f' <= char < '\xa0' for line in lines for char in line),
          f'a block has characters that YAML has not: {lines}')


def check_tap(text, wanted=None):
    wanted = wanted or WANTED
    lines = text.split('\n')[:-1]
    check(lines[0] == 'TAP version 13' and lines[1] == f'1..{len(wanted)}', f'the head of TAP is {lines[:2]}')
    found, inside = [], False
    for line in lines[2:]:
        match = re.fullmatch(r'(ok|not ok) (\d+) - ([^#]+?)( # SKIP .+)?', line)
        if inside:
            inside = line != '  ...'
            block.append(line)
            if not inside:
                check_yaml(block[:-1])
        elif line == '  ---':
            inside, block = True, []
        else:
            check(match is not None, f'TAP has the line {line!r}')
            if match:
                found.append((match[3].partition('/')[2], match[1]))
                check(int(match[2]) == len(found), f'number {match[2]} stands where {len(found)} should')
    check(not inside, 'a block does not end')
    check(found == wanted, f'TAP says {found}')


def check_junit(path):
    root = xml.parse(path).getroot()
    cases = root.findall('testcase')
    check(root.tag == 'testsuite' and root.get('tests') == '6' and root.get('failures') == '1' and
          root.get('errors') == '2' and root.get('skipped') == '1', f'the suite says {root.attrib}')
    check([case.get('name') for case in cases] == [name for name, _ in WANTED], 'JUnit has other names')
    tags = [[child.tag for child in case] for case in cases]
    check(tags == [[], ['failure'], ['skipped'], ['error'], ['error'], []], f'JUnit has {tags}')
    check(all(float(case.get('time')) >= 0 and case.get('classname') == 'reports' for case in cases), 'times, classes')
    failure = cases[1].find('failure')
    check(failure.get('message') == 'MSR TTBR0_EL1, X3 (0xd5182003) at NS EL1' and
          failure.text.splitlines()[1:3] == ['    - EL2 ec=0x18', '    + ok'], f'{failure.attrib} {failure.text}')


def check_unusable(strata, directory):
    # Names that XML has to escape, a guest that prints anything, files that can't be used before and after.
    odd, bad = os.path.join(directory, 'a & <"b"> \u00e5.traps'), os.path.join(directory, 'bad.traps')
    tap, junit = os.path.join(directory, 'odd.tap'), os.path.join(directory, 'odd.xml')
    with open(odd, 'w', encoding='utf-8') as file:
        file.write('strata-trap-tests 1\ntest prints\n  state EL1\n  hex\n  d2a12001 52800360 b9000020 528001a0 b9000020\n'
                   '  end\n  output "\u00e5\\n"\nend\n')
    with open(bad, 'w', encoding='utf-8') as file:
        file.write('strata-trap-tests 1\ncase a: - | EL1 | NOP | ok\ncase x\n')
    result = run(strata, '--tap', tap, '--junit', junit, bad, odd, '/no/such/file')
    check(result.returncode == 2, f'exit status {result.returncode} with unusable files')
    check(result.stderr == f"{bad}:3:7: expected a colon after the name\n"
                           "/no/such/file: can't read: No such file or directory\n", f'errors: {result.stderr}')
    check(result.stdout.endswith('1 tests: 0 passed, 1 failed; 2 files could not be used\n'), result.stdout)
    with open(tap, encoding='utf-8', newline='') as file:
        check_tap(file.read(), [('', 'not ok'), ('prints', 'not ok'), ('', 'not ok')])
    cases = xml.parse(junit).getroot().findall('testcase')
    check([(case.get('classname'), case.get('name'), case[0].tag) for case in cases] ==
          [('bad', 'bad', 'error'), ('a & <"b"> \u00e5', 'prints', 'failure'), ('file', 'file', 'error')],
          f'JUnit has {[case.attrib for case in cases]}')


def check_record(strata, directory):
    # A flat image that ends by PSCI, under names that have to be quoted, twice the same, from elsewhere.
    code = struct.pack('<4I', 0xd2b08000, 0xf2800100, 0xd4000003, 0x14000000)  # MOV X0, #0x84000008; SMC #0; B .
    images = [os.path.join(directory, *parts) for parts in (('a b', 'hyp.one.bin'), ('a b', 'hyp.two.bin'), ('hyp.one.bin',))]
    os.mkdir(os.path.join(directory, 'a b'))
    for image in images:
        with open(image, 'wb') as file:
            file.write(code)
    here = os.getcwd()
    os.chdir(directory)
    relative = [os.path.relpath(image, directory) + '@0x40080000' for image in images]
    result = run(strata, '--record', '--tlb', 'keep', '--append', 'a "b" c\\d', '--load', 'a b/hyp.one.bin@0x41000000', '--',
                 *relative)
    missing = run(strata, '--record', 'missing.bin@0x40080000')
    os.chdir(here)
    check(missing.returncode == 2 and missing.stdout == '' and 'missing.bin' in missing.stderr, f'no image: {missing}')
    check(result.returncode == 0 and re.findall(r'(?m)^test (.*)', result.stdout) == ['hyp.one', 'hyp.two', 'hyp.one-2'] and
          ' tlb=keep' in result.stdout, f'recorded: {result}')
    path = os.path.join(directory, 'a b', 'recorded.traps')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(result.stdout)
    again = run(strata, path)
    check(again.returncode == 0 and again.stdout == '3 tests: 3 passed, 0 failed\n', f'what was recorded: {again}')


def main():
    strata = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        path, tap, junit = (os.path.join(directory, name) for name in ('reports.traps', 'tap', 'junit.xml'))
        with open(path, 'w', encoding='utf-8') as file:
            file.write(TESTS)
        one = run(strata, '--jobs', '1', '--tap', tap, '--junit', junit, path)
        check(one.returncode == 1, f'exit status {one.returncode} with failures')
        check('6 tests: 2 passed, 1 failed, 1 hung, 1 could not be run, 1 skipped' in one.stdout, one.stdout[-200:])
        with open(tap, encoding='utf-8') as file:
            check_tap(file.read())
        check_junit(junit)
        several = run(strata, '--jobs', '4', path)
        check(several.stdout == one.stdout, 'four workers print something else than one')
        check_tap(run(strata, '--tap', '-', path).stdout)
        good = run(strata, '--filter', 'passes', '--filter', '*/las?', '--verbose', path)
        check(good.returncode == 0 and '2 tests: 2 passed' in good.stdout, f'filters: {good.stdout}')
        names = run(strata, '--list', path)
        check([line.split()[0] for line in names.stdout.splitlines()] == [f'reports/{n}' for n, _ in WANTED], 'names')
        with open(path, 'a', encoding='utf-8') as file:
            file.write('case x\n')
        bad = run(strata, path)
        check(bad.returncode == 2 and bad.stdout == '0 tests: 0 passed, 0 failed; 1 file could not be used\n' and
              bad.stderr == f'{path}:16:7: expected a colon after the name\n', f'a malformed file: {bad}')
        check_unusable(strata, directory)
        check_record(strata, directory)
        none = run(strata, '--filter', 'nothing', os.path.join(directory, 'a & <"b"> \u00e5.traps'))
        check(none.returncode == 2 and '--filter' in none.stderr, f'no name that a filter asks for: {none}')
        for arguments in ([], ['--jobs', 'x', path], ['--jobs', '1.5', path], ['--no-such', path], ['/no/such/file'],
                          ['--tap'], ['--tap', '-', '--junit', '-', path]):
            check(run(strata, *arguments).returncode == 2, f'exit status with {arguments}')
        check(run(strata, '--tap', '/no/such/dir/x', '--filter', 'none', path).returncode == 2, 'an unwritable report')
    for error in errors:
        print(error)
    return 1 if errors else 0


sys.exit(main())
