#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The trace of a Linux boot at EL2 must show how Linux takes, leaves and uses EL2.

Without VHE (cortex-a72) Linux 6.1 does, and the trace must show in this order:

  1. ERET from EL2 to EL1 back into primary_entry, MMU off: init_kernel_el has put the hyp stub's
     vectors into VBAR_EL2 and drops to EL1 (arch/arm64/kernel/head.S);
  2. HVC in finalise_el2, answered by the stub: no VHE here (arch/arm64/kernel/hyp-stub.S);
  3. HVC in __hyp_reset_vectors and __hyp_set_vectors: the stub lets KVM put its own initialisation
     vectors in its place (arch/arm64/kvm/arm.c, cpu_hyp_reinit);
  4. HVC in cpu_hyp_init_context: __kvm_hyp_init turns on KVM's EL2 translation;
  5. hypercalls to KVM's EL2 code, in kvm_arm_init_debug and vgic_v3_probe;
  6. HVC in __hyp_reset_vectors: KVM is idle again and gives EL2 back to the stub.

After each HVC an ERET from EL2 goes to where the HVC was made. With VHE (max) the HVC in
finalise_el2 is the last time that the kernel is at EL1: the stub returns to EL2.

The addresses are checked against System.map here, apart from the names that the trace prints.
"""

import bisect
import json
import os
import re
import tempfile

import harness
from harness import Failure, check

EC_HVC64 = 0x16
IMAGE_ALIGN = 0x200000

# Where the kernel makes its HVCs in a boot without VHE, in order. The stub's and the first of KVM's
# are certain; what KVM asks for afterwards may grow with the kernel, so more may be in between.
STUB_CALLS = ["finalise_el2", "__hyp_reset_vectors", "__hyp_set_vectors", "cpu_hyp_init_context"]
KVM_CALLS = ["kvm_arm_init_debug", "vgic_v3_probe", "__hyp_reset_vectors"]


class Symbols:
    """System.map, and the same code at physical addresses where the MMU is still off."""

    def __init__(self, path):
        self.table = []
        with open(path, encoding="ascii") as f:
            for line in f:
                address, _, name = line.split()
                self.table.append((int(address, 16), name))
        self.table.sort(key=lambda entry: entry[0])
        self.addresses = [entry[0] for entry in self.table]
        self.by_name = {name: address for address, name in reversed(self.table)}
        # The image starts at a 2 MiB boundary both in virtual and in physical memory.
        self.start = self.by_name["_stext"] & ~(IMAGE_ALIGN - 1)
        self.end = self.addresses[-1]

    def names(self, address):
        """All names that stand at the greatest symbol not above a virtual address."""
        at = bisect.bisect_right(self.addresses, address) - 1
        if at < 0 or address > self.end:
            return set()
        found = self.addresses[at]
        return {name for start, name in self.table[max(0, at - 8):at + 1] if start == found}

    def physical_names(self, address):
        """The same for a physical address, of which only the distance from 2 MiB is known."""
        out = set()
        for base in range(self.start, self.end, IMAGE_ALIGN):
            out |= self.names(base + address % IMAGE_ALIGN)
        return out


class Move:
    """One change of level: what the checks below need, from either machine."""

    def __init__(self, kind, from_el, to_el, elr, cause="", esr=None, record=None):
        self.kind, self.from_el, self.to_el = kind, from_el, to_el
        self.elr, self.cause, self.esr = elr, cause, esr
        self.record = record or {}

    def __repr__(self):
        return "%s EL%d->EL%d %s elr=0x%x" % (
            self.kind, self.from_el, self.to_el, self.cause, self.elr)


def number(value):
    return int(value, 0) if isinstance(value, str) else value


def level(value):
    return int(str(value).upper().replace("EL", ""))


def read_jsonl(path):
    """The moves in a trace of `--trace el --trace-format jsonl` (docs/trace.md)."""
    moves, clock = [], None
    with open(path, encoding="utf-8") as f:
        for line_number, line in enumerate(f, start=1):
            try:
                record = json.loads(line)
            except ValueError as error:
                raise Failure("line %d of the trace is not JSON: %s" % (
                    line_number, error)) from None
            if record.get("type") not in ("exception", "return"):
                continue
            for field in ("time", "cycles", "insns", "pe", "from_el", "to_el", "cause", "elr"):
                check(field in record, "line %d of the trace lacks %r" % (line_number, field))
            check(clock is None or clock <= number(record["time"]),
                  "time goes backwards in line %d of the trace" % line_number)
            clock = number(record["time"])
            esr = number(record["esr"]) if record.get("esr") is not None else None
            moves.append(Move(record["type"], level(record["from_el"]), level(record["to_el"]),
                              number(record["elr"]), str(record["cause"]), esr, record))
    return moves


def read_qemu(path):
    """The moves in a log of QEMU's `-d int`."""
    names = {"Hypervisor Call": "HVC", "SVC": "SVC", "IRQ": "IRQ"}
    moves, text = [], ""
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            text = line if line.startswith(("Taking", "Exception return")) else text + line
            found = re.search(r"return from AArch64 EL(\d) to AArch64 EL(\d) PC (\S+)", line)
            if found:
                moves.append(Move("return", int(found[1]), int(found[2]), int(found[3], 16),
                                  "ERET"))
            elif re.match(r"\.\.\.to EL\d PC", line):
                cause = re.search(r"exception \d+ \[(.*?)\]", text)[1]
                levels = re.search(r"from EL(\d) to EL(\d)", text)
                esr = int(re.search(r"ESR 0x[0-9a-f]+/(0x[0-9a-f]+)", text)[1], 16)
                elr = int(re.search(r"with ELR (\S+)", text)[1], 16)
                moves.append(Move("exception", int(levels[1]), int(levels[2]), elr,
                                  names.get(cause, cause), esr))
    return [move for move in moves if move.from_el != move.to_el]


def is_hvc(move):
    return (move.kind == "exception" and move.to_el == 2 and "HVC" in move.cause.upper()
            and move.esr is not None and move.esr >> 26 == EC_HVC64)


def check_symbol(move, names, symbols_given):
    """The record must name the symbol itself, with an offset that leads to the address."""
    if not symbols_given:
        return
    printed = move.record.get("elr_sym")
    check(printed, "the trace has no symbol for %r" % move)
    name, _, _ = str(printed).partition("+")
    check(name in names, "the trace calls %r %s, System.map says %s" % (
        move, printed, " or ".join(sorted(names))))


def check_drop(moves, symbols):
    """The first move of all: from EL2 to EL1, back into the kernel's entry, MMU off."""
    check(moves, "the trace shows no change of level")
    first = moves[0]
    check(first.kind == "return" and (first.from_el, first.to_el) == (2, 1),
          "the first move is not the drop from EL2 to EL1: %r" % first)
    check(first.elr < 1 << 48, "the drop to EL1 is not at a physical address: %r" % first)
    check("primary_entry" in symbols.physical_names(first.elr),
          "the drop to EL1 does not lead back to primary_entry: %r" % first)


def check_calls(moves, symbols, wanted, rest, symbols_given):
    """HVCs from EL1 in `wanted` order without others between, then `rest` in order; returns all."""
    calls = [(index, move) for index, move in enumerate(moves) if is_hvc(move)]
    made = [symbols.names(move.elr) for _, move in calls]
    shown = ", ".join("/".join(sorted(names)) or "?" for names in made)
    for place, name in enumerate(wanted):
        check(place < len(made) and name in made[place],
              "HVC number %d should be in %s; HVCs are in: %s" % (place + 1, name, shown))
    place = len(wanted)
    for name in rest:
        while place < len(made) and name not in made[place]:
            place += 1
        check(place < len(made), "no HVC in %s in its place; HVCs are in: %s" % (name, shown))
        place += 1
    for (_, move), names in zip(calls, made):
        check(move.from_el == 1, "an HVC to EL2 from elsewhere than EL1: %r" % move)
        check(move.esr & 0x2000000, "ESR_EL2.IL is clear for an A64 instruction: %r" % move)
        check_symbol(move, names, symbols_given)
    print("HVCs are in: " + shown)
    return calls


def check_returns(moves, calls):
    """What EL2 was asked for by HVC it does at once, and returns to where the HVC was."""
    for index, call in calls:
        check(index + 1 < len(moves), "no return after %r" % call)
        back = moves[index + 1]
        check(back.kind == "return" and (back.from_el, back.to_el) == (2, 1)
              and back.elr == call.elr, "after %r comes %r, not its return" % (call, back))


def check_nvhe(moves, symbols, symbols_given):
    check_drop(moves, symbols)
    calls = check_calls(moves, symbols, STUB_CALLS, KVM_CALLS, symbols_given)
    check_returns(moves, calls)
    check(any((move.from_el, move.to_el) == (1, 0) for move in moves),
          "EL0 was not reached from EL1")


def check_vhe(moves, symbols, symbols_given):
    check_drop(moves, symbols)
    calls = check_calls(moves, symbols, ["finalise_el2"], [], symbols_given)
    check(len(calls) == 1, "more than one HVC, though the kernel is at EL2 itself")
    after = moves[calls[0][0] + 1:]
    check(not any(1 in (move.from_el, move.to_el) for move in after),
          "EL1 is in use after the kernel has moved to EL2")
    check(any((move.from_el, move.to_el) == (2, 0) for move in after),
          "EL0 was not reached from EL2")


CASES = {"nvhe": ("cortex-a72", check_nvhe), "vhe": ("max", check_vhe)}


def main():
    parser = harness.parser(__doc__.splitlines()[0])
    parser.add_argument("case", choices=sorted(CASES))
    arguments = parser.parse_args()
    images = harness.Images()
    machine = harness.Machine(arguments, images)
    symbols = Symbols(images.system_map)
    cpu, check_moves = CASES[arguments.case]
    with tempfile.TemporaryDirectory() as directory:
        trace = os.path.join(directory, "trace")
        extra = ["-d", "int", "-D", trace] if machine.is_qemu else [
            "--trace", "el", "--trace-format", "jsonl", "--trace-out", trace,
            "--symbols", images.system_map]
        # A randomised kernel is not where System.map says.
        argv = machine.command(cpu=cpu, append="nokaslr", extra=extra)
        result = harness.run(argv, arguments.timeout)
        try:
            check(harness.MARKER in result.out, "user space was not reached")
            check(result.status == 0, "exit status is %d, not 0" % result.status)
            check(os.path.exists(trace), "no trace was written")
            moves = read_qemu(trace) if machine.is_qemu else read_jsonl(trace)
            print("%d moves between levels" % len(moves))
            check_moves(moves, symbols, symbols_given=not machine.is_qemu)
        except Failure:
            harness.show(result.argv, result.out, result.err)
            raise


harness.main(main)
