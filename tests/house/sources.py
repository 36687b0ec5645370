#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What every source file has to be: licensed, headed, short enough, formatted, without mutable globals."""
import os
import re
import shutil
import subprocess
import sys

LINES_MAX = 1200
SUFFIXES = ('.c', '.h', '.S', '.py', '.sh', '.def')
FOLDERS = ('src', 'include', 'tests', 'examples', 'bench', 'tools')
GLOBAL = re.compile(r'^(?:static )?(?!const)(?:unsigned |signed |struct )?(?:bool|int|char|u?int\d+_t|size_t|[a-z_]+)'
                    r' \*?[a-z_0-9]+(?:\[[^\]]*\])?(?: = [^;(]*)?;$', re.M)


def files(root):
    for base in FOLDERS:
        for folder, _, names in os.walk(os.path.join(root, base)):
            for name in sorted(names):
                if name.endswith(SUFFIXES):
                    yield os.path.join(folder, name)


def check_file(root, path):
    errors = []
    name = os.path.relpath(path, root)
    with open(path, encoding='utf-8') as file:
        text = file.read()
    lines = text.split('\n')
    if 'SPDX-License-Identifier: Apache-2.0' not in '\n'.join(lines[:3]):
        errors.append(f'{name}: no licence line')
    if len(lines) - 1 > LINES_MAX:
        errors.append(f'{name}: {len(lines) - 1} lines, two subjects?')
    if name.startswith('src/') and name.endswith('.c'):
        head = lines[1] if len(lines) > 1 else ''
        if not head.startswith('//'):
            errors.append(f'{name}: no head comment that says what the file is for')
        for match in GLOBAL.finditer(text):
            if not match.group(0).startswith(('return', 'goto', 'typedef', 'extern', 'struct ')):
                errors.append(f'{name}: mutable global: {match.group(0)}')
    return errors


def is_assembly(path):
    """Headers of the assembler are not C to be formatted."""
    with open(path, encoding='utf-8') as file:
        return re.search(r'^\s*\.macro\b', file.read(), re.M) is not None


def check_format(root):
    tool = shutil.which('clang-format-14') or shutil.which('clang-format')
    if tool is None:
        return ['clang-format is not installed']
    sources = [p for p in files(root) if p.endswith(('.c', '.h')) and not is_assembly(p)]
    done = subprocess.run([tool, '--dry-run', '-Werror', *sources], text=True, capture_output=True, check=False)
    if done.returncode == 0:
        return []
    wrong = sorted({line.split(':')[0] for line in done.stderr.split('\n') if ': error:' in line})
    return [f'{os.path.relpath(path, root)}: not formatted (clang-format -i)' for path in wrong]


def main():
    root = sys.argv[1]
    errors = [e for path in files(root) for e in check_file(root, path)] + check_format(root)
    for error in errors:
        print(error)
    print(f'{len(list(files(root)))} files: {len(errors)} wrong')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
