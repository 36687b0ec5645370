#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two runs of one command must give the same trace and the same console, to the last byte.

The boot is cut off by --max-insns, long after the other processors have come up, so that their
interleaving counts. The host differs between the two runs in what a machine that peeks at it would
show: environment, working directory, and load.
"""

import filecmp
import multiprocessing
import os
import re
import tempfile

import harness
from harness import Skip, check


def spin():
    while True:
        pass


def run_once(machine, options, directory, arguments, disturbed):
    """One run; returns (result, path of its trace)."""
    trace = os.path.join(directory, "trace")
    argv = machine.command(extra=[
        "--trace", arguments.level, "--trace-out", trace, "--trace-format", arguments.format,
        "--symbols", machine.images.system_map, "--max-insns", str(arguments.max_insns)],
        **options)
    if not disturbed:
        return harness.run(argv, arguments.timeout), trace
    spinner = multiprocessing.Process(target=spin, daemon=True)
    environment = dict(os.environ)
    directory_before = os.getcwd()
    spinner.start()
    try:
        os.environ["STRATA_TEST_PADDING"] = "x" * 5000
        os.chdir("/")
        return harness.run(argv, arguments.timeout), trace
    finally:
        os.chdir(directory_before)
        os.environ.clear()
        os.environ.update(environment)
        spinner.terminate()
        spinner.join()


def first_difference(path_a, path_b):
    """The number and text of the first line that differs."""
    with open(path_a, "rb") as a, open(path_b, "rb") as b:
        number = 0
        while True:
            number += 1
            line_a, line_b = a.readline(), b.readline()
            if line_a != line_b or not line_a:
                return "line %d:\n  first:  %s\n  second: %s" % (
                    number, line_a.decode("utf-8", "replace").rstrip(),
                    line_b.decode("utf-8", "replace").rstrip())


def compare(first, second, trace_a, trace_b):
    check(first.status == second.status,
          "exit status %d, then %d" % (first.status, second.status))
    check(first.raw == second.raw, "the two consoles differ")
    check(os.path.getsize(trace_a) > 0, "the trace is empty")
    check(filecmp.cmp(trace_a, trace_b, shallow=False),
          "the two traces differ at " + first_difference(trace_a, trace_b))


def check_pes(trace, smp):
    """A jsonl trace must have records of every processor, or the comparison says little."""
    with open(trace, encoding="utf-8") as f:
        seen = set(re.findall(r'"pe": ?(\d+)', f.read()))
    check(seen >= {str(pe) for pe in range(smp)},
          "the trace has records of processors %s only" % ", ".join(sorted(seen)))


def main():
    parser = harness.parser(__doc__.splitlines()[0])
    parser.add_argument("--smp", type=int, default=1, help="number of processors (default: 1)")
    parser.add_argument("--cpu", default="cortex-a72", help="CPU model (default: cortex-a72)")
    parser.add_argument("--level", default="el", choices=("el", "exc"), help="what is traced")
    parser.add_argument("--format", default="jsonl", choices=("text", "jsonl"))
    parser.add_argument("--max-insns", type=int, default=150000000,
                        help="length of the runs (default: 150 million instructions)")
    arguments = parser.parse_args()
    if arguments.qemu:
        raise Skip("QEMU writes no such trace")
    machine = harness.Machine(arguments, harness.Images())
    machine.strata = os.path.abspath(machine.strata)
    options = dict(smp=arguments.smp, cpu=arguments.cpu)
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        first, trace_a = run_once(machine, options, a, arguments, disturbed=False)
        if not os.path.exists(trace_a):
            harness.show(first.argv, first.out, first.err)
        check(os.path.exists(trace_a), "no trace was written")
        second, trace_b = run_once(machine, options, b, arguments, disturbed=True)
        compare(first, second, trace_a, trace_b)
        if arguments.format == "jsonl":
            check_pes(trace_a, arguments.smp)
        print("%d bytes of trace, %d bytes of console are the same in both runs" % (
            os.path.getsize(trace_a), len(first.raw)))


harness.main(main)
