#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's Xen boots Debian's kernel as its Dom0, to the end of the initramfs, and powers the machine off.

  a72       one PE, without VHE
  max       every feature, four PEs, two of them for Dom0
  high-ram  all RAM above 4 GiB

Xen finds Dom0's kernel and initramfs in the device tree (docs/misc/arm/device-tree/booting.txt of Xen); a boot loader
would write it. Here it is Strata's own, with two modules added.
"""

import os
import re
import subprocess
import tempfile

import harness
from harness import Skip, check

RAM = 0x40000000
# The CPU model, PEs, the base of RAM.
CASES = {
    "a72": ("cortex-a72", 1, RAM),
    "max": ("max", 4, RAM),
    "high-ram": ("cortex-a72", 1, 0x100000000),
}
XEN_WORDS = "console=dtuart dom0_mem=512M dom0_max_vcpus=%d loglvl=all guest_loglvl=all"
DOM0_WORDS = "console=hvc0"


def dtc(source, *options):
    try:
        return subprocess.run(["dtc", *options], input=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=True).stdout
    except FileNotFoundError as error:
        raise Skip("dtc is missing (device-tree-compiler)") from error


def module(kind, address, path):
    size = os.path.getsize(path)
    return '\t\tmodule@%x { compatible = "multiboot,%s", "multiboot,module"; reg = <%#x %#x 0x0 %#x>; };\n' % (
        address, kind, address >> 32, address & 0xffffffff, size)


def device_tree(machine, path, modules, vcpus):
    """Strata's device tree with /chosen as Xen wants it, in the file."""
    run = subprocess.run([*machine, "--dump-dtb", path, "--max-insns", "1"], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, universal_newlines=True)
    check(os.path.exists(path), "no device tree: " + run.stdout)
    with open(path, "rb") as file:
        source = dtc(file.read(), "-I", "dtb", "-O", "dts").decode()
    source += ('/ {\n\tchosen {\n\t\t#address-cells = <2>;\n\t\t#size-cells = <2>;\n\t\txen,xen-bootargs = "%s";\n'
               '\t\txen,dom0-bootargs = "%s";\n' % (XEN_WORDS % vcpus, DOM0_WORDS))
    source += "".join(module(*m) for m in modules) + "\t};\n};\n"
    with open(path, "wb") as file:
        file.write(dtc(source.encode(), "-I", "dts", "-O", "dtb"))


def check_console(console, cpus):
    check("(XEN) Brought up %d CPU" % cpus in console, "Xen did not bring up %d CPUs" % cpus)
    dom0 = console.partition("*** LOADING DOMAIN 0 ***")[2]
    check(dom0, "Xen did not come to Dom0")
    check(harness.MARKER in dom0, "Dom0's user space was not reached")
    check("CPU: All CPU(s) started at EL1" in dom0, "Dom0 did not start at EL1")
    check("STRATA-SHA256-OK" in dom0 and "STRATA-HARMONIC 5.187377517640" in dom0, "Dom0 calculates wrongly")
    check(harness.END_MARKER in dom0, "Dom0 did not come to its end")
    check("(XEN) Hardware Dom0 halted" in dom0.partition(harness.END_MARKER)[2], "Xen does not know of Dom0's end")
    check(not re.search(r"\(XEN\).*(Panic|Assertion|BUG)", console), "Xen panicked")
    harness.check_healthy(console)


def check_transitions(counts):
    """Dom0's hypercalls, its SGIs, its emulated GIC, and interrupts by way of Xen."""
    for cause, least in (("HVC", 500), ("SYSREG", 50), ("DATA-ABORT", 100), ("IRQ", 50)):
        check(counts.get(("EL1", "EL2", cause), 0) > least, "too few of EL1 -> EL2 %s: %s" % (cause, counts))
    check(counts.get(("EL1", "EL1", "VIRQ"), 0) > 100, "no virtual interrupts in Dom0: %s" % counts)


def main():
    parser = harness.parser(__doc__.splitlines()[0])
    parser.add_argument("case", choices=sorted(CASES))
    arguments = parser.parse_args()
    cpu, cpus, ram = CASES[arguments.case]

    def body():
        if arguments.qemu:
            raise Skip("made for Strata alone")
        where = harness.fetch("--xen")
        xen, kernel, initramfs = (os.path.join(where, name) for name in ("xen", "Image", "initramfs.cpio.gz"))
        modules = [("kernel", ram + 0x10000000, kernel), ("ramdisk", ram + 0x18000000, initramfs)]
        machine = [arguments.strata, "run", xen, "--cpu", cpu, "--smp", str(cpus), "--memory", "2G",
                   "--ram-base", hex(ram)]

        def checks(result):
            check_console(result.out, cpus)
            check_transitions(harness.transitions(result.err))

        with tempfile.TemporaryDirectory() as directory:
            tree = os.path.join(directory, "xen.dtb")
            device_tree(machine, tree, modules, min(cpus, 2))
            loads = [option for _, address, path in modules for option in ("--load", "%s@%#x" % (path, address))]
            harness.run_checked([*machine, "--dtb", tree, *loads, "--stats"], arguments.timeout, checks)

    harness.main(body)


if __name__ == "__main__":
    main()
