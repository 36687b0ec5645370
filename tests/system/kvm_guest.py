#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel as a host: KVM runs the same kernel as a guest, under Debian's own QEMU for arm64, to its end.

  nvhe       the host at EL1, KVM split between EL1 and EL2 (cortex-a72)
  vhe        the host at EL2 (max)
  protected  the host at EL1 behind a stage 2 of its own (pKVM, cortex-a72)
  smp        the host on two PEs (max)
  nested     the guest is a hypervisor at a virtual EL2, and starts KVM itself (FEAT_NV2)

Debian 12's kernel does not know FEAT_NV2: "nested" wants a newer release's images, which tests/images/fetch.sh --kvm
brings with $STRATA_APT_SOURCES and $STRATA_IMAGE_CACHE set.
"""

import os
import re

import harness
from harness import Skip, check

HOST = "STRATA-HOST-OK"
HOST_END = "STRATA-HOST-END 0"

# The CPU model, more options of the command line, the host's words and what KVM must say there.
CASES = {
    "nvhe": ("cortex-a72", [], "", "Hyp (nVHE )?mode initialized successfully"),
    "vhe": ("max", [], "", "VHE mode initialized successfully"),
    "protected": ("cortex-a72", [], "kvm-arm.mode=protected", "Protected nVHE mode initialized successfully"),
    "smp": ("max", ["--smp", "2"], "", "VHE mode initialized successfully"),
    "nested": ("max", [], "kvm-arm.mode=nested strata.guest=,virtualization=on", "mode initialized successfully"),
}


def check_console(console, case, says):
    host, _, rest = console.partition(HOST)
    check(rest, "the host's user space was not reached")
    check(re.search(r"kvm \[\d+\]: .*" + says, rest), "KVM does not say: " + says)
    guest, _, tail = rest.partition(HOST_END)
    check(tail, "the guest's QEMU did not end well")
    check(harness.MARKER in guest, "the guest's user space was not reached")
    check("STRATA-SHA256-OK" in guest and "STRATA-HARMONIC 5.187377517640" in guest, "the guest calculates wrongly")
    check(harness.END_MARKER in guest, "the guest did not come to its end")
    level = "EL2" if case == "nested" else "EL1"
    check("CPU: All CPU(s) started at " + level in guest, "the guest did not start at " + level)
    if case == "nested":
        check(re.search(r"kvm \[\d+\]: .*mode initialized successfully", guest.partition(harness.MARKER)[2]),
              "KVM did not start in the guest")
    harness.check_healthy(host)
    harness.check_healthy(guest)


def check_transitions(counts, case):
    """What a guest cannot do without: calls (PSCI), its console in emulated memory, its interrupts."""
    check(counts.get(("EL1", "EL2", "DATA-ABORT"), 0) > 1000, "too few stage 2 aborts: %s" % counts)
    check(counts.get(("EL1", "EL2", "IRQ"), 0) > 10, "no interrupts taken from the guest: %s" % counts)
    check(counts.get(("EL1", "EL1", "VIRQ"), 0) > 100, "no virtual interrupts in the guest: %s" % counts)
    if case == "nested":
        check(counts.get(("EL1", "EL2", "ERET-TRAP"), 0) > 100, "no ERET of the guest hypervisor: %s" % counts)


def main():
    parser = harness.parser(__doc__.splitlines()[0])
    parser.add_argument("case", choices=sorted(CASES))
    arguments = parser.parse_args()
    cpu, options, words, says = CASES[arguments.case]

    def body():
        if arguments.qemu:
            raise Skip("made for Strata alone")
        kernel, user_space = (os.path.join(harness.fetch("--kvm"), name) for name in ("Image", "kvm.cpio"))

        def checks(result):
            check_console(result.out, arguments.case, says)
            check_transitions(harness.transitions(result.err), arguments.case)

        harness.run_checked([arguments.strata, "run", kernel, "--cpu", cpu, "--memory", "2G", "--initrd", user_space,
                             "--append", ("console=ttyAMA0 panic=-1 quiet " + words).strip(), "--stats", *options],
                            arguments.timeout, checks)

    harness.main(body)


if __name__ == "__main__":
    main()
