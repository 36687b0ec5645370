#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The cases of trap-test files in qemu-system-aarch64: builds the guest, runs it, compares (qemu_cases.c).

usage: run_qemu.py --tool PATH/qemu_cases [--work FOLDER] FILE...
A case that hangs has no answer; the run goes on with the next one.
"""
import argparse
import os
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
QUIET = 5  # seconds without an answer: the case hangs
HANGS_MAX = 40


def build(work):
    image = os.path.join(work, 'guest.elf')
    subprocess.run(['aarch64-linux-gnu-gcc', '-march=armv8-a', '-mgeneral-regs-only', '-mstrict-align', '-ffreestanding',
                    '-fno-pic', '-fno-pie', '-fno-stack-protector', '-fno-asynchronous-unwind-tables',
                    '-mbranch-protection=none', '-O1', '-std=gnu11', '-Wall', '-Wextra', '-nostdlib', '-static', '-no-pie',
                    '-Wl,--build-id=none', '-Wl,--no-warn-rwx-segments', '-T', os.path.join(HERE, 'guest.ld'),
                    os.path.join(HERE, 'guest.S'), os.path.join(HERE, 'guest.c'), '-o', image], check=True)
    return image


def run_once(image, cases, results):
    """Appends the guest's lines to results. The number of the last answer, and whether it came to its end."""
    last, text = -1, b''
    qemu = subprocess.Popen(['qemu-system-aarch64', '-M', 'virt,secure=on,virtualization=on,gic-version=3,mte=on', '-cpu', 'max,sve=off,sme=off',
                             '-m', '1G', '-semihosting-config', 'enable=on,target=native', '-nographic', '-kernel', image,
                             '-device', f'loader,file={cases},addr=0x50000000,force-raw=on'],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        while True:
            ready, _, _ = select.select([qemu.stdout], [], [], QUIET)
            data = os.read(qemu.stdout.fileno(), 1 << 16) if ready else None
            if not data:
                ended = ready != []
                break
            text += data
            *lines, text = text.split(b'\n')
            for line in lines:
                if line.startswith(b' '):
                    results.write(line + b'\n')
                    last = int(line.split()[0], 16)
    finally:
        qemu.kill()
        qemu.wait()
    return last, ended


def run(image, cases, results_path):
    with open(cases, 'rb') as file:
        data = bytearray(file.read())
    count, first, hangs = struct.unpack_from('<I', data, 4)[0], 0, 0
    with open(results_path, 'wb') as results:
        while first < count and hangs < HANGS_MAX:
            struct.pack_into('<I', data, 8, first)
            with open(cases, 'wb') as file:
                file.write(data)
            last, ended = run_once(image, cases, results)
            last = max(last, first - 1)
            if ended and last + 1 >= count:
                return
            hangs += 1
            first = last + 2


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--tool', required=True)
    parser.add_argument('--work')
    parser.add_argument('files', nargs='+')
    args = parser.parse_args()
    for program in ('qemu-system-aarch64', 'aarch64-linux-gnu-gcc'):
        if shutil.which(program) is None:
            print(f'{program} not found: skipped')
            return 77
    work = args.work or tempfile.mkdtemp(prefix='strata-traps-')
    os.makedirs(work, exist_ok=True)
    cases, results = os.path.join(work, 'cases.bin'), os.path.join(work, 'results.txt')
    start = time.time()
    subprocess.run([args.tool, 'dump', cases, *args.files], check=True)
    run(build(work), cases, results)
    status = subprocess.run([args.tool, 'check', results, os.path.join(HERE, 'differs.txt'), *args.files],
                            check=False).returncode
    print(f'{time.time() - start:.1f} s')
    if not args.work:
        shutil.rmtree(work)
    return status


if __name__ == '__main__':
    sys.exit(main())
