#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`strata explain` and `strata list-sysregs` from the command line: answers written from the Arm ARM, the two forms of
the output against each other, bad input, and garbage."""
import json
import random
import re
import shlex
import subprocess
import sys

STRATA = sys.argv[1]

# Arguments, where it goes: level, EC, ISS (None: it completes), the control that decides, words of the text.
CASES = [
    # Registers. ISS of EC 0x18: Op0<<20 | Op2<<17 | Op1<<14 | CRn<<10 | Rt<<5 | CRm<<1 | read.
    ('--set HCR_EL2.TVM=1 MSR TTBR0_EL1, X3', (2, 0x18, 0x300860), 'HCR_EL2.TVM',
     'without HCR_EL2.TVM: permitted, writes TTBR0_EL1 (HCR_EL2.E2H=0)'),
    ('--set HCR_EL2.TVM=1 MRS X3, TTBR0_EL1', None, '', 'permitted, reads TTBR0_EL1'),
    ('--set HCR_EL2.TRVM=1 MRS X3, TTBR0_EL1', (2, 0x18, 0x300861), 'HCR_EL2.TRVM', ''),
    ('--set HCR_EL2.TVM=1 --set HFGWTR_EL2.TTBR0_EL1=1 MSR TTBR0_EL1, X3', (2, 0x18, 0x300860), 'HFGWTR_EL2.TTBR0_EL1',
     'without HFGWTR_EL2.TTBR0_EL1 and HCR_EL2.TVM: permitted'),
    ('--el 0 MSR TTBR0_EL1, X3', (1, 0, 0), '', 'UNDEFINED'),
    ('--el 0 --set HCR_EL2.TGE=1 MSR TTBR0_EL1, X3', (2, 0, 0), 'HCR_EL2.TGE', 'UNDEFINED'),
    ('--el 2 --set HCR_EL2.E2H=1 MSR TTBR0_EL1, X3', None, '', 'writes TTBR0_EL2 (HCR_EL2.E2H=1)'),
    ('--el 2 --set HCR_EL2.E2H=1 MSR TTBR0_EL12, X3', None, '', 'writes TTBR0_EL1'),
    ('--el 2 MSR TTBR0_EL12, X3', (2, 0, 0), '', 'UNDEFINED'),
    ('--el 0 --set SCTLR_EL1.UCT=0 MRS X0, CTR_EL0', (1, 0x18, 0x32c001), 'SCTLR_EL1.UCT', ''),
    ('--el 0 --set HCR_EL2.TID2=1 MRS X0, CTR_EL0', (2, 0x18, 0x32c001), 'HCR_EL2.TID2', ''),
    ('--el 0 --set CNTKCTL_EL1.EL0VCTEN=0 MRS X1, CNTVCT_EL0', (1, 0x18, 0x34f821), 'CNTKCTL_EL1.EL0VCTEN', ''),
    ('--set CNTHCTL_EL2.EL1PCTEN=0 MRS X1, CNTPCT_EL0', (2, 0x18, 0x32f821), 'CNTHCTL_EL2.EL1PCTEN', ''),
    ('--set HCR_EL2.TID3=1 MRS X0, ID_AA64PFR0_EL1', (2, 0x18, 0x300009), 'HCR_EL2.TID3', ''),
    ('--el 0 MRS X0, ID_AA64PFR0_EL1', (1, 0x18, 0x300009), 'FEAT_IDST', ''),
    ('--el 0 --cpu cortex-a53 MRS X0, ID_AA64PFR0_EL1', (1, 0, 0), '', 'UNDEFINED'),
    ('--set HCR_EL2.TTLB=1 TLBI VAE1, X0', (2, 0x18, 0x12200e), 'HCR_EL2.TTLB', 'executes TLBI VAE1'),
    ('--set HCR_EL2.TSW=1 DC ISW, X5', (2, 0x18, 0x141cac), 'HCR_EL2.TSW', ''),
    ('--el 0 --set SCTLR_EL1.UCI=0 DC CVAU, X0', (1, 0x18, 0x12dc16), 'SCTLR_EL1.UCI', ''),
    ('--set SCR_EL3.TERR=1 MRS X0, ERRIDR_EL1', (3, 0x18, 0x301407), 'SCR_EL3.TERR', ''),
    ('--set MDCR_EL2.TDA=1 MSR MDSCR_EL1, X0', (2, 0x18, 0x240004), 'MDCR_EL2.TDA', ''),
    ('--set MDCR_EL3.TPM=1 MRS X0, PMCR_EL0', (3, 0x18, 0x30e419), 'MDCR_EL3.TPM', ''),
    ('--set CPACR_EL1.FPEN=0 MRS X0, FPCR', (1, 0x07, 0x1e00000), 'CPACR_EL1.FPEN', ''),
    ('--set CPTR_EL3.TFP=1 --el 3 MRS X0, FPCR', (3, 0x07, 0x1e00000), 'CPTR_EL3.TFP', ''),
    ('MSR S3_0_C15_C0_0, X0', (1, 0, 0), '', 'UNDEFINED'),
    ('--set HCR_EL2.TIDCP=1 MSR S3_0_C15_C0_0, X0', (2, 0x18, 0x303c00), 'HCR_EL2.TIDCP', ''),
    ('--secure MRS X0, TTBR0_EL1', None, '', 'at Secure EL1'),
    ('--el 3 MRS X0, VTTBR_EL2', None, '', 'reads VTTBR_EL2'),
    ('--el 1 MRS X0, VTTBR_EL2', (1, 0, 0), '', ''),
    # Not of registers.
    ('SVC 7', (1, 0x15, 7), '', ''),
    ('--el 0 --set HCR_EL2.TGE=1 SVC 7', (2, 0x15, 7), 'HCR_EL2.TGE', ''),
    ('HVC #0x1234', (2, 0x16, 0x1234), '', 'with SCR_EL3.HCE=0: UNDEFINED'),
    ('--set SCR_EL3.HCE=0 HVC 1', (1, 0, 0), '', 'with SCR_EL3.HCE=1: EL2, EC 0x16'),
    ('--el 0 HVC 1', (1, 0, 0), '', ''),
    ('SMC 2', (3, 0x17, 2), '', 'with HCR_EL2.TSC=1: EL2, EC 0x17'),
    ('--set HCR_EL2.TSC=1 SMC 2', (2, 0x17, 2), 'HCR_EL2.TSC', 'without HCR_EL2.TSC: EL3'),
    ('--set SCR_EL3.SMD=1 SMC 2', (1, 0, 0), '', 'with SCR_EL3.SMD=0: EL3'),
    ('BRK 3', (1, 0x3c, 3), '', 'with MDCR_EL2.TDE=1: EL2'),
    ('--el 0 --set SCTLR_EL1.nTWI=0 WFI', (1, 0x01, 0x1e00000), 'SCTLR_EL1.nTWI', ''),
    ('--set HCR_EL2.TWE=1 WFE', (2, 0x01, 0x1e00001), 'HCR_EL2.TWE', ''),
    ('--set SCR_EL3.TWI=1 --el 2 WFI', (3, 0x01, 0x1e00000), 'SCR_EL3.TWI', ''),
    ('--el 0 --set SCTLR_EL1.UMA=0 MSR DAIFSet, #3', (1, 0x18, 0xcd3e6), 'SCTLR_EL1.UMA', ''),
    ('--el 0 --set CPACR_EL1.FPEN=1 FADD D0, D1, D2', (1, 0x07, 0x1e00000), 'CPACR_EL1.FPEN', ''),
    ('--set CPTR_EL2.TFP=1 FMOV D0, X1', (2, 0x07, 0x1e00000), 'CPTR_EL2.TFP', ''),
    ('--set SCTLR_EL1.EnIA=1 --set HCR_EL2.API=0 PACIA X0, X1', (2, 0x09, 0), 'HCR_EL2.API', 'completes'),
    ('--set HCR_EL2.API=0 PACIA X0, X1', None, '', 'with SCTLR_EL1.EnIA=1: EL2, EC 0x09'),
    ('LDR X0, [X1]', None, '', 'completes'),
    ('--set SP=8 --set SCTLR_EL1.SA=1 LDR X0, [SP]', (1, 0x26, 0), '', ''),
    ('--set PSTATE.IL=1 NOP', (1, 0x0e, 0), '', 'illegal execution state'),
    ('--set SPSR_EL1=0x3c9 ERET', (1, 0x0e, 0), '', 'illegal return'),
    ('--el 2 --set SPSR_EL2=0x3c0 ERET', None, '', 'returns to EL0'),
    ('0x00000000', (1, 0, 0), '', ''),
    ('0x0badc0de', (1, 0, 0), '', 'no instruction has this encoding'),
    ('--cpu cortex-a53 CAS X0, X1, [X2]', (1, 0, 0), '', 'needs FEAT_LSE'),
    ('--cpu cortex-a53 MRS X0, LORID_EL1', (1, 0, 0), '', 'needs FEAT_LOR'),
    ('MSR MIDR_EL1, X0', (1, 0, 0), '', 'it is read-only'),
    ('--el 0 MRS X0, TPIDR_EL1', (1, 0, 0), '', 'not accessible from EL0'),
    ('ISB', None, '', 'completes'),
    # What a machine lacks. AArch64.CheckForHVC (HaveEL(EL2)), CheckForSMCUndefOrTrap, TLBI VAE2 at EL3 (EL2Enabled()).
    ('--no-el2 HVC 1', (1, 0, 0), '', 'this machine has no EL2'),
    ('--no-el2 --el 3 HVC 1', (3, 0, 0), '', 'this machine has no EL2'),
    ('--no-el2 --el 3 TLBI VAE2, X1', (3, 0, 0), '', 'needs FEAT_EL2'),
    ('--no-el2 --el 3 MRS X0, SCTLR_EL12', (3, 0, 0), '', 'UNDEFINED'),
    ('--no-el2 --el 3 MRS X0, HCR_EL2', None, '', 'reads HCR_EL2'),
    ('--no-el2 MSR TTBR0_EL1, X0', None, '', 'permitted, writes TTBR0_EL1\n'),
    ('--no-el2 --secure --el 0 SVC 3', (1, 0x15, 3), '', 'at Secure EL0'),
    ('--cpu cortex-a53 MSR TTBR0_EL1, X0', None, '', 'permitted, writes TTBR0_EL1\n'),
    ('--no-el3 SMC 1', (1, 0, 0), '', 'this machine has no EL3'),
    ('--no-el3 --set HCR_EL2.TSC=1 SMC 1', (1, 0, 0), '', 'with HCR_EL2.NV=1: EL2, EC 0x17 (SMC), ISS 0x1, by HCR_EL2.TSC'),
    ('--no-el3 --set HCR_EL2.TSC=1 --set HCR_EL2.NV=1 SMC 1', (2, 0x17, 1), 'HCR_EL2.TSC', ''),
    ('--el 0 SMC 1', (1, 0, 0), '', 'it is not accessible from EL0'),
    ('--el 0 ERET', (1, 0, 0), '', 'it is not accessible from EL0'),
    ('--el 0 MSR SPSel, 1', (1, 0, 0), '', 'it is not accessible from EL0'),
    ('--cpu cortex-a53 MSR PAN, 1', (1, 0, 0), '', 'needs FEAT_PAN'),
    ('--cpu max,mte=off MSR TCO, 1', (1, 0, 0), '', 'needs FEAT_MTE'),
    ('UDF 5', (1, 0, 0), '', 'permanently UNDEFINED'),
    ('HLT 1', (1, 0, 0), '', 'halting debug'),
    ('DCPS2', (1, 0, 0), '', 'Debug state'),
    ('--el 0 --set SCTLR_EL1.MSCEn=0 CPYP [X0]!, [X1]!, X2!', (1, 0, 0), '', 'with SCTLR_EL1.MSCEn=1: completes'),
    # Rules of existence: what would have to be otherwise.
    ('--el 3 MRS X0, VSTTBR_EL2', (3, 0, 0), '', 'without SCR_EL3.EEL2: permitted'),
    ('--el 2 MRS X0, VSTTBR_EL2', (2, 0, 0), '', 'without SCR_EL3.NS: permitted'),
    ('--el 2 MRS X0, CNTPS_CTL_EL1', (2, 0, 0), '', 'EL1 and EL3 only'),
    ('MRS X0, CNTPS_CTL_EL1', (1, 0, 0), '', 'SCR_EL3.{NS,EEL2}={1,0} '),
    ('--el 0 --set PMUSERENR_EL0=0 MRS X0, PMCCNTR_EL0', (1, 0x18, 0x30e41b), 'PMUSERENR_EL0.{EN,CR}', '{EN,CR}={0,0} '),
    # VNCR_EL2 points to memory, as X registers do.
    ('--set HCR_EL2.NV=1 --set HCR_EL2.NV2=1 MRS X0, HCR_EL2', None, '', 'done in memory, at VNCR_EL2.BADDR + 0x78\n'),
    ('--set HCR_EL2.NV=1 --set HCR_EL2.NV2=1 --set VNCR_EL2=0 MRS X0, HCR_EL2', (2, 0x25, 0x2010), 'HCR_EL2.NV2', 'FAR 0x78: external abort'),
    # Whole registers, in three bases; a later setting wins.
    ('--set HCR_EL2=0x84000000 MSR TTBR0_EL1, X0', (2, 0x18, 0x300800), 'HCR_EL2.TVM', ''),
    ('--set HCR_EL2=2214592512 MSR TTBR0_EL1, X0', (2, 0x18, 0x300800), 'HCR_EL2.TVM', ''),
    ('--set HCR_EL2=0b1000_0100_0000_0000_0000_0000_0000_0000 MSR TTBR0_EL1, X0', (2, 0x18, 0x300800), 'HCR_EL2.TVM', ''),
    ('--set HCR_EL2=0x84000000 --set HCR_EL2[26]=0 MSR TTBR0_EL1, X0', None, '', 'permitted'),
    ('--set HCR_EL2[27:26]=1 MSR TTBR0_EL1, X0', (2, 0x18, 0x300800), 'HCR_EL2.TVM', ''),
    # One control after the other, where the instruction is no register access; fields of two bits; PSTATE.
    ('--el 0 --set CPACR_EL1.FPEN=1 LDR Q0, [X1]', (1, 0x07, 0x1e00000), 'CPACR_EL1.FPEN', 'without CPACR_EL1.FPEN: completes'),
    ('--set HCR_EL2.E2H=1 --set CPTR_EL2.FPEN=2 FADD D0, D1, D2', (2, 0x07, 0x1e00000), 'CPTR_EL2.FPEN',
     'without CPTR_EL2.FPEN: completes'),
    ('--set CPACR_EL1.FPEN=0 --set CPTR_EL2.TFP=1 --set CPTR_EL3.TFP=1 FMOV D0, X1', (1, 0x07, 0x1e00000), 'CPACR_EL1.FPEN',
     'without CPACR_EL1.FPEN and CPTR_EL2.TFP: EL3, EC 0x07 (trapped FP or SIMD), ISS 0x1e00000, by CPTR_EL3.TFP'),
    ('--el 0 --set SCTLR_EL1.nTWI=0 --set HCR_EL2.TWI=1 WFI', (1, 0x01, 0x1e00000), 'SCTLR_EL1.nTWI',
     'without SCTLR_EL1.nTWI and HCR_EL2.TWI: completes and waits'),
    ('--mmu --set X1=0x40030000 --set PSTATE.PAN=1 LDR X0, [X1]', (1, 0x25, 0x0f), 'PSTATE.PAN', 'without PSTATE.PAN: completes'),
    ('--mmu --set X1=0x0100000040050000 --set SCTLR_EL1.TCF=1 --set TCR_EL1.TBI0=1 LDR X0, [X1]', (1, 0x25, 0x11), '',
     'tag check fault'),
    # Aborts, with the map: 0x40200000 is not mapped, 0x40210000 not at stage 2, 0x40040000 is read-only.
    ('--mmu LDR X0, [X1]', None, '', 'completes'),
    ('--mmu --set X1=0x40200000 LDR X0, [X1]', (1, 0x25, 0x07), '', 'translation fault, level 3'),
    ('--mmu --set X1=0x40040000 STR X0, [X1]', (1, 0x25, 0x4f), '', 'permission fault, level 3'),
    ('--mmu --el 0 LDR X0, [X1]', (1, 0x24, 0x0f), '', 'permission fault, level 3'),
    ('--mmu --el 0 --set HCR_EL2.TGE=1 --set HCR_EL2.E2H=1 --set X1=0x40200000 LDR X0, [X1]', (2, 0x24, 0x07), 'HCR_EL2.TGE', ''),
    ('--mmu --stage2 --set X1=0x40210000 STR W3, [X1]', (2, 0x24, 0x1830047), '', 'translation fault, level 3'),
    ('--mmu --el 2 --set X1=0x40200000 LDR X0, [X1]', (2, 0x25, 0x07), '', ''),
    ('--mmu --el 3 --set X1=0x40200000 LDR X0, [X1]', (3, 0x25, 0x07), '', ''),
]

# What is wrong, and words of the one line that says so.
BAD = [
    ('', 'no instruction'), ('FROB X0', 'FROB'), ('MSR TTBR9_EL1, X0', 'TTBR9_EL1'), ('--el 4 NOP', 'levels are 0 to 3'),
    ('--el', 'needs a value'), ('--set HCR_EL2.TVN=1 NOP', "no field 'TVN'"), ('--set HCR_EL9.X=1 NOP', 'no such register'),
    ('--set HCR_EL2.TVM=2 NOP', '1 bit'), ('--set HCR_EL2.TVM NOP', 'REGISTER=VALUE'), ('--set HCR_EL2=zz NOP', 'no number'),
    ('--set PMUSERENR_EL0=0x8000_0000 NOP', 'RES0'), ('--cpu cortex-a53 --set HCR_EL2.E2H=1 NOP', 'fixed to 0'),
    ('--cpu max,pauth=off --set SCR_EL3.API=1 NOP', 'fixed to 0'), ('--cpu vax NOP', "unknown CPU model 'vax'"),
    ('--set CNTHCTL_EL2.EL1PTEN=1 NOP', 'while HCR_EL2.E2H is 0'), ('--set HCR_EL2.TGE=1 NOP', 'HCR_EL2.TGE'),
    ('--set SCR_EL3.NS=0 NOP', 'Security state'), ('--no-el3 --el 3 NOP', 'no such level'), ('--no-el3 --secure NOP', 'no such level'),
    ('--cpu cortex-a53 --secure --el 2 NOP', 'Secure EL2'), ('--frob NOP', "unknown option '--frob'"),
    ('--matrix FROB', "'FROB'"), ('--matrix TTBR0_EL1 NOP', 'takes no instruction'), ('--matrix', 'needs a value'),
    ('--set ID_AA64PFR0_EL1=0 NOP', 'follows from the CPU model'), ('--set MIDR_EL1=1 NOP', 'follows from the CPU model'),
    ('--set SCTLR_EL12.M=1 NOP', 'another name of SCTLR_EL1'), ('--set HCR_EL2[+3]=1 NOP', '[HIGH:LOW]'),
    ('--set HCR_EL2[64]=1 NOP', '[HIGH:LOW]'), ('--set HCR_EL2[3:]=1 NOP', '[HIGH:LOW]'), ('--set HCR_EL2[3:4]=1 NOP', '[HIGH:LOW]'),
    ('--set HCR_EL2[27:26]=4 NOP', '2 bits'), ('--cpu cortex-a53 --set PSTATE.PAN=1 NOP', 'needs FEAT_PAN'),
    ('--cpu max,mte=off --set PSTATE.TCO=1 NOP', 'needs FEAT_MTE'), ('--el 0 --set PSTATE.SP=1 NOP', 'SP_EL0'),
    ('--no-el2 --stage2 NOP', 'no stage 2'), ('--no-el2 --set HCR_EL2.TVM=1 NOP', 'fixed to 0'),
    ('--el 2 --matrix TTBR0_EL1', '--el has no meaning'), ('--set HCR_EL2.TVM=1 --matrix TTBR0_EL1', '--set has no meaning'),
    ('--mmu --matrix TTBR0_EL1', '--mmu has no meaning'),
    ('--set X31=1 NOP', 'no such register'), ('--set PSTATE.M=5 NOP', "no field 'M'"), ('LDR X0, [X1', "']'"),
]


def run(*words):
    return subprocess.run([STRATA, *words], text=True, capture_output=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL, errors='replace')


def words_of(line):
    words, rest = [], line.split(' ')
    while rest and rest[0].startswith('--'):
        words.append(rest.pop(0))
        if words[-1] in ('--set', '--el', '--cpu', '--matrix') and rest:
            words.append(rest.pop(0))
    return words + [' '.join(rest)] if rest and rest[0] else words


def check_case(line, wanted, control, text):
    args = words_of(line)
    plain, wide, data = run('explain', *args), run('explain', '--all', *args), run('explain', '--json', *args)
    if plain.returncode or wide.returncode or data.returncode or plain.stderr or data.stderr:
        return [f'status {plain.returncode}: {plain.stderr}{data.stderr}'.strip()]
    end = (answer := json.loads(data.stdout))['end']
    errors = []
    seen = (end['el'], end['ec'], int(end['iss'], 16)) if 'ec' in end else None
    if seen != wanted:
        errors.append(f'goes to {seen}, not {wanted}: {end["text"]}')
    if end.get('control', '') != control:
        errors.append(f'decided by "{end.get("control", "")}", not "{control}"')
    if any(plain.stdout.count(line) > 1 for line in plain.stdout.splitlines() if line.startswith('  without')):
        errors.append('the same twice')
    if 'MDSCR_EL1.SS' in wide.stdout:
        errors.append('software step is no switch of an instruction')
    if text not in plain.stdout:
        errors.append(f'"{text}" is not in: {plain.stdout}')
    if end['text'] not in plain.stdout.split('\n')[0]:
        errors.append('the text and the JSON differ')
    if not set(plain.stdout.split('\n')) <= set(wide.stdout.split('\n')):
        errors.append('--all leaves something out')
    if answer.get('access') and not answer['chain_agrees']:
        errors.append('the controls say something else than the machine does')
    deciding = [c['name'] for c in answer['controls'] if c['decides']]
    if deciding and control and deciding != [control] and end['outcome'] != 'undefined':
        errors.append(f'{deciding} decide, not {control}')
    return errors


def check_bad(line, text):
    done = run('explain', *words_of(line))
    if done.returncode != 2 or done.stdout or done.stderr.count('\n') != 1 or text not in done.stderr:
        return [f'status {done.returncode}, {done.stderr.strip()!r}{done.stdout[:80]!r}; wanted: {text}']
    return []


def check_garbage():
    """Nothing crashes, nothing is silent: status 0 with output, or 2 with one line."""
    draw, errors = random.Random(4), []
    pieces = ['MSR', 'MRS', 'X0', ',', 'TTBR0_EL1', '#', '1', '[', ']', '!', 'S3_0_C1', '_C0_0', '--set', '--el', '=', 'HCR_EL2',
              '.TVM', '-', '0x', 'ffffffffffffffffff', '\t', '\n', '\x7f', '"', "'", '%s%n', 'é', 'TLBI', 'V0.16b', '{', '--matrix',
              '--json', 'A' * 300, '', '[63:0]', '[64]', '..', 'PSTATE.', '--cpu', 'max,', 'lse=off', '0b2', '1_', 'ERET', ' ']
    for _ in range(300):
        args = [''.join(draw.choice(pieces) for _ in range(draw.randint(1, 5))) for _ in range(draw.randint(1, 5))]
        done = run(draw.choice(['explain', 'explain', 'explain', 'list-sysregs']), *args)
        good = done.returncode == 0 and done.stdout and not done.stderr
        bad = done.returncode == 2 and not done.stdout and done.stderr.count('\n') == 1
        if not good and not bad:
            errors.append(f'{args}: status {done.returncode}: {done.stderr[:200]!r}')
    return errors


def check_pages(pages):
    """What the pages show is what is printed; what they and the help name as settings can be set."""
    errors, shown, settings = [], 0, set()
    for page in pages:
        with open(page, encoding='utf-8') as file:
            text = file.read()
        for command, output in re.findall(r'^    (?:\$ )?(?:build/)?strata (explain [^[\n]*)\n((?:    [^$\n].*\n)*)', text, re.M):
            if command.startswith('explain '):
                done = run(*shlex.split(command))
                output = re.sub(r'^    ', '', output, flags=re.M)
                shown += 1
                if done.returncode or (output.strip() and not output.startswith('strata ') and done.stdout != output):
                    errors.append(f'{page}: {command}: {done.stderr}{done.stdout}')
        settings |= set(re.findall(r'`([A-Z][A-Z0-9_]*(?:\.[A-Z]+|\[[0-9:]+\])?=[0-9][0-9a-fx_]*)`', text))
    settings |= set(re.findall(r'[A-Z][A-Z0-9_]*(?:\.[A-Z]+|\[[0-9:]+\])?=[0-9][0-9a-fx]*', run('explain', '--help').stdout))
    for setting in settings:
        done = run('explain', '--set', setting, 'NOP')
        if done.returncode:
            errors.append(f'{setting}, which is documented: {done.stderr}')
    if shown < 4 or len(settings) < 7:
        errors.append(f'{shown} commands and {len(settings)} settings were found in the pages')
    return errors


# The keys that the page names; those in the second set may be missing.
END = {'outcome', 'el', 'secure', 'text'}, {'ec', 'iss', 'far', 'control'}
KEYS = {
    'answer': ({'instruction', 'word', 'cpu', 'from', 'end', 'controls', 'without', 'with', 'chain_agrees'}, {'access', 'why'}),
    'end': END, 'then': END, 'open': END,
    'without': (END[0] | {'controls'}, END[1]), 'with': (END[0] | {'controls'}, END[1]),
    'control': ({'name', 'involved', 'holds', 'decides', 'then'}, {'about', 'value', 'when'}),
    'matrix': ({'name', 'op0', 'op1', 'crn', 'crm', 'op2', 'states'}, {'e2h', 'alias_of', 'vncr'}),
    'state': ({'state', 'el', 'secure', 'e2h', 'tge', 'eel2', 'direction', 'open', 'controls'}, set()),
    'acting': ({'name', 'then'}, {'about', 'acts_at'}),
    'row': ({'name', 'op0', 'op1', 'crn', 'crm', 'op2', 'kind', 'access', 'groups'}, {'fgt', 'feature', 'e2h', 'alias_of', 'vncr', 'kvm'}),
}


def check_keys():
    errors = []

    def check(kind, item):
        if not KEYS[kind][0] <= set(item) <= KEYS[kind][0] | KEYS[kind][1]:
            errors.append(f'the keys of {kind}: {sorted(item)}')

    for line in ('--set HCR_EL2.TVM=1 MSR TTBR0_EL1, X3', '--mmu --set X1=0x40200000 LDR X0, [X1]', '--no-el3 SMC 0', 'ERET'):
        answer = json.loads(run('explain', '--json', *words_of(line)).stdout)
        check('answer', answer)
        check('end', answer['end'])
        for kind, key in (('control', 'controls'), ('without', 'without'), ('with', 'with')):
            for item in answer[key]:
                check(kind, item)
    matrix = json.loads(run('explain', '--json', '--matrix', 'SCTLR_EL12').stdout)
    check('matrix', matrix)
    for state in matrix['states']:
        check('state', state)
        check('open', state['open'])
        for control in state['controls']:
            check('acting', control)
    for row in json.loads(run('list-sysregs', '--json', '--all').stdout):
        check('row', row)
    return errors


def check_tables():
    errors = []
    listing = run('list-sysregs', '--json')
    rows = json.loads(listing.stdout)
    text = run('list-sysregs').stdout.splitlines()
    if len(text) != len(rows) + 1:
        errors.append(f'{len(text) - 1} lines and {len(rows)} JSON rows')
    by_name = {row['name']: row for row in rows}
    # ARM64_SYS_REG(3, 0, 1, 0, 0) of Linux: KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM64_SYSREG | encoding
    for name, kvm in (('SCTLR_EL1', '0x603000000013c080'), ('TTBR0_EL1', '0x603000000013c100'), ('MPIDR_EL1', '0x603000000013c005'),
                      ('PMCR_EL0', '0x603000000013dce0'),
                      # KVM_REG_ARM_TIMER_CVAL and KVM_REG_ARM_TIMER_CNT are swapped; core registers by their offsets.
                      ('CNTV_CVAL_EL0', '0x603000000013df02'), ('CNTVCT_EL0', '0x603000000013df1a'),
                      ('SP_EL0', '0x603000000010003e'), ('ELR_EL1', '0x6030000000100046'), ('FPCR', '0x60200000001000d5')):
        if by_name[name]['kvm'] != kvm:
            errors.append(f'{name}: {by_name[name]["kvm"]}')
    for name in ('SCTLR_EL12', 'CNTV_CTL_EL02', 'DAIF', 'TLBI VAE1'):
        if 'kvm' in by_name[name]:
            errors.append(f'{name} has an id: {by_name[name]["kvm"]}')
    if len(json.loads(run('list-sysregs', '--json', '--cpu', 'cortex-a53').stdout)) >= len(rows):
        errors.append('an old core has no fewer registers')
    matrix = json.loads(run('explain', '--json', '--matrix', 'TTBR0_EL1').stdout)
    states = {(s['state'], s['direction']): s for s in matrix['states']}
    if states['NS EL2, E2H=1', 'write']['open']['text'].split()[2] != 'TTBR0_EL2':
        errors.append('the matrix of TTBR0_EL1 at EL2 with E2H')
    if 'HCR_EL2.TVM' not in [c['name'] for c in states['NS EL1', 'write']['controls']]:
        errors.append('the matrix of TTBR0_EL1 without HCR_EL2.TVM')
    for name, words in (('PMEVCNTR3_EL0', 'MDCR_EL2.HPMN=0 to 3 -> EL2'), ('TTBR0_EL1', 'HCR_EL2.NV2=1 with NV=1, NV1=1 -> done in'),
                        ('SCTLR_EL12', 'HCR_EL2.NV2=1 with NV=1 -> done in'), ('FPCR', 'CPACR_EL1.FPEN=0, 1 or 2 -> EL1, EC 0x07'),
                        ('FPCR', 'CPACR_EL1.FPEN=0 or 2 -> EL1, EC 0x07'), ('TTBR0_EL1', '  Secure EL1, EEL2=1, write: permitted'),
                        ('VSTTBR_EL2', 'SCR_EL3.EEL2=0 -> UNDEFINED: EL3')):
        text = run('explain', '--matrix', name).stdout
        if words not in text:
            errors.append(f'"{words}" is not in the matrix of {name}')
        if 'PMCR_EL0.N' in text or max(map(len, text.splitlines())) > 120:
            errors.append(f'the matrix of {name} says what can never be, or is wide')
    for name in ('CNTPS_CTL_EL1', 'SCTLR_EL12'):
        if [c for s in json.loads(run('explain', '--json', '--matrix', name).stdout)['states'] for c in s['controls']
                if s['el'] != 1 and s['state'][:3] != 'EL3' and 'EEL2' in c['name']]:
            errors.append(f'the matrix of {name} has a control of another level')
    for name in list(by_name)[::7]:
        done = run('explain', '--json', '--matrix', name)
        if done.returncode or done.stderr or not done.stdout:
            errors.append(f'--matrix {name}: {done.stderr}')
            continue
        for control in (c for s in json.loads(done.stdout)['states'] for c in s['controls']):
            if 'about' not in control and not re.match(r'H[AD]?FG[RWI]TR_EL2\.|.* ', control['name']):
                errors.append(f'{control["name"]} has no words (control_text.def)')
    if run('explain', 'LDR', 'X0,', '[X1,', '-8]').stdout != run('explain', 'LDR X0, [X1, -8]').stdout:
        errors.append('a negative operand without quotes')
    for name in ('explain', 'list-sysregs'):
        done = run(name, '--help')
        if done.returncode or done.stderr or 'Usage' not in done.stdout:
            errors.append(f'{name} --help')
    return errors


def main():
    errors = []
    for case in CASES:
        errors += [f'{case[0]}: {e}' for e in check_case(*case)]
    for case in BAD:
        errors += [f'{case[0]}: {e}' for e in check_bad(*case)]
    errors += check_keys() + check_tables() + check_garbage() + check_pages(sys.argv[2:])
    for error in errors:
        print(error)
    print(f'{len(CASES)} cases, {len(BAD)} errors of the user, 300 of garbage: {len(errors)} wrong')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
