#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every example of docs/trap-tests.md does what is written there: the tests pass, the failure is shown as it is shown
there, and the C program builds against the installed library, passes, and fails when its expectation is wrong."""
import argparse
import os
import re
import shlex
import subprocess
import tempfile

MAIN = r"""
int main(void)
{
    Suite *suite = suite_create("docs");
    TCase *tcase = tcase_create("docs");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, NAME);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}
"""


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=250, check=False, **options)


def blocks(text):
    for match in re.finditer(r'(?m)(?:^    .*\n|^\n(?=    ))+', text):
        yield re.sub(r'(?m)^    ', '', match[0]).strip('\n') + '\n'


def test_files(strata, examples, directory):
    whole = [text for text in examples if text.startswith('strata-trap-tests 1\n')]
    tests = [text for text in examples if re.match(r'test \S+\n', text)]
    assert whole and tests, 'the examples are gone'
    for text in whole + ['strata-trap-tests 1\n' + test for test in tests]:
        path = os.path.join(directory, 'example.traps')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        result = run(strata, 'test', path)
        assert result.returncode == 0, f'{text}\n{result.stdout}{result.stderr}'


def test_failure(strata, examples, directory):
    shown, = [text for text in examples if text.startswith('FAIL ')]
    name, path, line = re.match(r'FAIL  (\S+)  \((\S+):(\d+)\)', shown).groups()
    insn, state, settings = re.search(r'(?m)^ +(.*) \(0x\w+\) at (.*) with (.*)$', shown).groups()
    expected = re.search(r'(?m)^ +- (.*)$', shown)[1]
    os.makedirs(os.path.join(directory, os.path.dirname(path)))
    with open(os.path.join(directory, path), 'w', encoding='utf-8') as file:
        file.write('strata-trap-tests 1\n' + '\n' * (int(line) - 2) +
                   f'case {name.partition("/")[2]}: {settings} | {state} | {insn} | {expected}\n')
    result = run(strata, 'test', path, cwd=directory)
    seen = '\n'.join(line.rstrip() for line in result.stdout.splitlines()[:-1]) + '\n'
    assert result.returncode == 1 and seen == shown, f'documented:\n{shown}\nseen:\n{result.stdout}{result.stderr}'


def test_c(arguments, examples, directory):
    program, = [text for text in examples if 'START_TEST' in text]
    command, = [text for text in examples if text.startswith('cc ')]
    prefix = os.path.join(directory, 'prefix')
    result = run(arguments.cmake, '--install', arguments.build, '--prefix', prefix)
    assert result.returncode == 0, result.stdout + result.stderr
    found = [root for root, _, files in os.walk(prefix) if 'strata.pc' in files]
    environment = dict(os.environ, PKG_CONFIG_PATH=':'.join(found + [os.environ.get('PKG_CONFIG_PATH', '')]))
    name = re.search(r'START_TEST\((\w+)\)', program)[1]
    for text, status in ((program, 0), (program.replace('ec=0x18', 'ec=0x19'), 1)):
        with open(os.path.join(directory, 'test_traps.c'), 'w', encoding='utf-8') as file:
            file.write(text + MAIN.replace('NAME', name))
        line = command.replace('cc ', arguments.cc + ' -Wall -Wextra -Werror ', 1)
        result = run('sh', '-c', line, cwd=directory, env=environment)
        assert result.returncode == 0, f'{line}\n{result.stderr}'
        result = run(os.path.join(directory, 'test_traps'), env=environment)
        assert result.returncode == status, result.stdout + result.stderr
        assert (status == 0) == ('seen:     ec=0x18' not in result.stdout), result.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--strata', required=True)
    parser.add_argument('--build', required=True)
    parser.add_argument('--cmake', default='cmake')
    parser.add_argument('--cc', default='cc')
    parser.add_argument('docs')
    arguments = parser.parse_args()
    arguments.cc = shlex.join(shlex.split(arguments.cc))
    with open(arguments.docs, encoding='utf-8') as file:
        examples = list(blocks(file.read()))
    with tempfile.TemporaryDirectory() as directory:
        test_files(arguments.strata, examples, directory)
        test_failure(arguments.strata, examples, directory)
        test_c(arguments, examples, directory)


main()
