# SPDX-License-Identifier: Apache-2.0
"""What the system tests share: images, command lines, runs with a time limit, verdicts.

A test ends with status 0 (passed), 1 (failed) or 77 (skipped: the images can't be had).
STRATA_REQUIRE_IMAGES=1 makes a skip a failure.

Every test can run with QEMU in place of Strata (--qemu), which says whether an expectation is
right: what neither machine shows is a fault of the test.
"""

import argparse
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FETCH = os.path.join(HERE, "..", "images", "fetch.sh")

MARKER = "STRATA-INITRAMFS-OK"
END_MARKER = "STRATA-INITRAMFS-END"
APPEND = "console=ttyAMA0 earlycon=pl011,0x9000000 panic=-1"

# The first lines of trouble in a kernel's log. None of them is in the log of a healthy boot.
TROUBLE = (
    "Kernel panic", "Internal error", "Oops", "BUG:", "WARNING:", "Call trace:", "soft lockup",
    "detected stalls", "Unable to handle", "unhandled exception", "Bad mode", "SError Interrupt",
    "undefined instruction", "failed to come online", "failed to boot", "Spurious", "UBSAN",
)


class Failure(Exception):
    """The machine did not do what the test expects."""


class Skip(Exception):
    """The test can't run here."""


def fetch(*options):
    """Have tests/images/fetch.sh bring what the options say; the directory that it is in."""
    run = subprocess.run([FETCH, *options], stdout=subprocess.PIPE, universal_newlines=True)
    if run.returncode == 77:
        raise Skip(run.stdout.strip().replace("SKIP: ", "", 1))
    if run.returncode != 0:
        raise Failure("tests/images/fetch.sh ended with status %d" % run.returncode)
    return subprocess.check_output([FETCH, "--print-dir"], universal_newlines=True).strip()


class Images:
    """The kernel, its symbols and the initramfs, fetched if need be."""

    def __init__(self):
        where = fetch()
        self.kernel = os.path.join(where, "Image")
        self.initramfs = os.path.join(where, "initramfs.cpio.gz")
        self.system_map = os.path.join(where, "System.map")


class Machine:
    """Builds the command line of the same machine for Strata or for QEMU."""

    def __init__(self, arguments, images):
        self.strata = None if arguments.qemu else arguments.strata
        self.images = images

    @property
    def is_qemu(self):
        return self.strata is None

    def command(self, cpu="cortex-a72", boot_el=2, smp=1, memory="1G", ram_base=None,
                append="", extra=()):
        append = (APPEND + " " + append).strip()
        if self.is_qemu:
            if ram_base is not None:
                raise Skip("QEMU has its RAM at 1 GiB only")
            board = "virt,gic-version=3,virtualization=%s" % ("on" if boot_el == 2 else "off")
            # Without the implementation-defined algorithm QEMU spends its time on QARMA5.
            cpu = "max,pauth-impdef=on" if cpu == "max" else cpu
            return ["qemu-system-aarch64", "-M", board, "-cpu", cpu, "-smp", str(smp),
                    "-m", memory, "-nographic", "-kernel", self.images.kernel,
                    "-initrd", self.images.initramfs, "-append", append, *extra]
        argv = [self.strata, "run", self.images.kernel, "--cpu", cpu,
                "--boot-el", str(boot_el), "--smp", str(smp), "--memory", memory,
                "--initrd", self.images.initramfs, "--append", append]
        if ram_base is not None:
            argv += ["--ram-base", "0x%x" % ram_base]
        return argv + list(extra)


class Result:
    """How a run ended. `out` has the console without carriage returns."""

    def __init__(self, argv, status, out, err, seconds):
        self.argv, self.status, self.seconds = argv, status, seconds
        self.raw = out
        self.out = out.decode("utf-8", "replace").replace("\r", "")
        self.err = err.decode("utf-8", "replace")


def run(argv, timeout):
    """Run to the end, with no input. Too long is a failure that shows the last lines."""
    begin = time.monotonic()
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        show(argv, out, err)
        raise Failure("not finished after %d s" % timeout) from None
    return Result(argv, process.returncode, out, err, time.monotonic() - begin)


def run_checked(argv, timeout, checks):
    """Run to the end, which has to be a good one; checks(result) looks at what was said."""
    result = run(argv, timeout)
    try:
        check(result.status == 0, "exit status %d" % result.status)
        checks(result)
    except Failure:
        show(result.argv, result.out, result.err)
        raise
    print("%.1f s" % result.seconds)


def show(argv, out, err, lines=40):
    """Print what a person needs to see of a run that went wrong."""
    print("command: " + " ".join("'%s'" % word if " " in word else word for word in argv))
    for name, data in (("console", out), ("standard error", err)):
        if isinstance(data, bytes):
            data = data.decode("utf-8", "replace")
        print("---- last lines of %s" % name)
        print("\n".join(data.replace("\r", "").splitlines()[-lines:]))
    print("----")


def check(condition, message):
    if not condition:
        raise Failure(message)


def transitions(text):
    """Counts of the table of --stats: {(from, to, cause): count}."""
    rows = re.findall(r"^(EL\d) +(EL\d) +(\S+) +(\d+) ", text, re.M)
    return {(source, target, cause): int(count) for source, target, cause, count in rows}


def check_healthy(console):
    """No line of the console may tell of trouble in the kernel."""
    for line in console.splitlines():
        for words in TROUBLE:
            check(words not in line, "the kernel complains: %s" % line.strip())


def parser(description):
    """The command line that all tests have in common."""
    out = argparse.ArgumentParser(description=description)
    out.add_argument("--qemu", action="store_true",
                     help="run with qemu-system-aarch64, to try the test's expectations")
    out.add_argument("--timeout", type=float, metavar="SECONDS",
                     default=float(os.environ.get("STRATA_TEST_TIMEOUT", "600")),
                     help="give up a run after this time (default: $STRATA_TEST_TIMEOUT or 600)")
    out.add_argument("strata", help="the strata program (of no meaning with --qemu)")
    return out


def main(body):
    """Run body() and turn its verdict into a message and an exit status."""
    try:
        body()
    except Skip as skip:
        if os.environ.get("STRATA_REQUIRE_IMAGES") == "1":
            print("FAIL: can't run: %s" % skip)
            sys.exit(1)
        print("SKIP: %s" % skip)
        sys.exit(77)
    except Failure as failure:
        print("FAIL: %s" % failure)
        sys.exit(1)
    print("PASS")
