#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone."""
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def compile_alone(job):
    cc, root, path = job
    done = subprocess.run(
        [cc, '-std=gnu11', '-fsyntax-only', '-Wall', '-Wextra', '-Wshadow', '-Werror', '-DSTRATA_TAIL_CALLS=1',
         '-I', os.path.join(root, 'src'), '-I', os.path.join(root, 'include'), '-x', 'c', '-'],
        input=f'#include "{path}"\nint strata_header_alone;\n', text=True, capture_output=True, check=False)
    return path, done.stderr if done.returncode else ''


def main():
    root = sys.argv[1]
    cc = sys.argv[sys.argv.index('--cc') + 1] if '--cc' in sys.argv else 'cc'
    jobs = []
    for base in ('src', 'include'):
        for folder, _, names in os.walk(os.path.join(root, base)):
            jobs += [(cc, root, os.path.relpath(os.path.join(folder, name), os.path.join(root, base)))
                     for name in names if name.endswith('.h')]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [(path, error) for path, error in pool.map(compile_alone, sorted(jobs)) if error]
    for path, error in wrong:
        print(f'{path} does not compile alone:\n{error}')
    print(f'{len(jobs)} headers: {len(wrong)} wrong')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
