#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boot Debian's arm64 kernel to user space and power off, in one of several configurations.

Each case says how the machine is set up and what the kernel must say about it. The kernel judges
the machine from inside: at which level it started, whether KVM could set itself up, which timer and
interrupt controller it found, and how many processors came up. /init then makes a SHA-256 and a sum
of doubles, whose values are known.
"""

import re

import harness
from harness import Failure, check

STARTED_EL1 = "CPU: All CPU(s) started at EL1"
STARTED_EL2 = "CPU: All CPU(s) started at EL2"
NO_HYP = "kvm [1]: HYP mode not available"
NVHE = "kvm [1]: Hyp mode initialized successfully"
VHE = "kvm [1]: VHE mode initialized successfully"

HIGH_RAM = 0x100000000
HIGHER_RAM = 0x8000000000

# Name: machine, lines that must be there, lines that must not be there.
CASES = {
    "el1": (dict(boot_el=1), (STARTED_EL1, NO_HYP), (NVHE, VHE)),
    "el1-max": (dict(boot_el=1, cpu="max"), (STARTED_EL1, NO_HYP), (NVHE, VHE)),
    "el2-a53": (dict(cpu="cortex-a53"), (STARTED_EL2, NVHE), (VHE,)),
    "el2-a72": (dict(), (STARTED_EL2, NVHE), (VHE,)),
    "el2-n1": (dict(cpu="neoverse-n1"), (STARTED_EL2, VHE), (NVHE,)),
    "el2-v1": (dict(cpu="neoverse-v1"), (STARTED_EL2, VHE), (NVHE,)),
    "el2-max": (dict(cpu="max"), (STARTED_EL2, VHE), (NVHE,)),
    "smp4": (dict(smp=4), (STARTED_EL2, NVHE), (VHE,)),
    "smp4-el1": (dict(smp=4, boot_el=1), (STARTED_EL1,), (NVHE, VHE)),
    "smp4-max": (dict(smp=4, cpu="max"), (STARTED_EL2, VHE), (NVHE,)),
    "smp8": (dict(smp=8), (STARTED_EL2, NVHE), (VHE,)),
    "high-ram": (dict(ram_base=HIGH_RAM), (STARTED_EL2, NVHE), (VHE,)),
    "high-ram-max": (dict(ram_base=HIGHER_RAM, cpu="max"), (STARTED_EL2, VHE), (NVHE,)),
    "high-ram-el1": (dict(ram_base=HIGH_RAM, boot_el=1), (STARTED_EL1,), (NVHE, VHE)),
}

# SHA-256 and doubles as /init prints them; the harmonic number is 5.187377517639620...
WORK = ("STRATA-SHA256-OK", "STRATA-HARMONIC 5.187377517640")


def check_boot(result, machine, wanted, unwanted):
    out = result.out
    check(harness.MARKER in out, "user space was not reached")
    harness.check_healthy(out)
    for line in wanted:
        check(line in out, "missing in the kernel's log: %s" % line)
    for line in unwanted:
        check(line not in out, "should not be in the kernel's log: %s" % line)
    smp = machine.get("smp", 1)
    for line in ("psci: PSCIv1.", "GICv3: GICv3 features: 16 PPIs", "arch_timer: cp15 timer(s)",
                 "GICv3: CPU%d: found redistributor %d " % (smp - 1, smp - 1),
                 "SMP: Total of %d processors activated." % smp,
                 "processors: %d\n" % smp) + WORK:
        check(line in out, "missing on the console: %s" % line.strip())
    ticks = re.search(r"^ *\d+: +([\d ]+?) +GICv3 .*arch_timer$", out, re.MULTILINE)
    check(ticks and all(int(count) > 0 for count in ticks.group(1).split()),
          "a processor got no timer interrupt")
    check_ram(out, machine)
    check(harness.END_MARKER in out, "/init did not get to its end")
    check("reboot: Power down" in out.rsplit(harness.END_MARKER)[-1],
          "the kernel did not power off")
    check(result.status == 0, "exit status is %d, not 0" % result.status)


def check_ram(out, machine):
    """All RAM must lie where it was asked for, nothing below or above."""
    base = machine.get("ram_base", 0x40000000)
    ranges = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) : System RAM$", out, re.MULTILINE)
    check(ranges, "the kernel shows no RAM")
    for first, last in ranges:
        check(base <= int(first, 16) <= int(last, 16) < base + (1 << 30),
              "RAM at %s-%s is not in the gibibyte at 0x%x" % (first, last, base))


def main():
    parser = harness.parser(__doc__.splitlines()[0])
    parser.add_argument("case", choices=sorted(CASES))
    arguments = parser.parse_args()
    options, wanted, unwanted = CASES[arguments.case]
    machine = harness.Machine(arguments, harness.Images())
    result = harness.run(machine.command(**options), arguments.timeout)
    try:
        check_boot(result, options, wanted, unwanted)
    except Failure:
        harness.show(result.argv, result.out, result.err, lines=80)
        raise
    print("%s: user space reached and powered off in %.1f s" % (arguments.case, result.seconds))


harness.main(main)
