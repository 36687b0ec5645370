# SPDX-License-Identifier: Apache-2.0
"""Which features a machine has, from its identification registers, read by a guest.

FEATURES is written from the Arm ARM's descriptions of ID_AA64*_EL1. It says what is compared, never what is expected.
"""
import sys

ID = {'PFR0': 0xc020, 'PFR1': 0xc021, 'DFR0': 0xc028, 'ISAR0': 0xc030, 'ISAR1': 0xc031, 'ISAR2': 0xc032, 'MMFR0': 0xc038,
      'MMFR1': 0xc039, 'MMFR2': 0xc03a, 'MMFR3': 0xc03b} # op0:op1:CRn:CRm:op2

# Register, lowest bit of the field, least value; one of several.
FEATURES = {
    'FEAT_AMUv1': [('PFR0', 44, 1)],
    'FEAT_AMUv1p1': [('PFR0', 44, 2)],
    'FEAT_CCIDX': [('MMFR2', 20, 1)],
    'FEAT_CSSC': [('ISAR2', 52, 1)],
    'FEAT_CSV2_2': [('PFR0', 56, 2)],
    'FEAT_ECV': [('MMFR0', 60, 1)],
    'FEAT_ECV_POFF': [('MMFR0', 60, 2)],
    'FEAT_EVT': [('MMFR2', 56, 1)],
    'FEAT_FGT': [('MMFR0', 56, 1)],
    'FEAT_FGT2': [('MMFR0', 56, 2)],
    'FEAT_GICv3_NMI': [('PFR1', 36, 1)], # GICD_TYPER.NMI; no machine here has one without the other
    'FEAT_HBC': [('ISAR2', 20, 1)],
    'FEAT_HCX': [('MMFR1', 40, 1)],
    'FEAT_LS64': [('ISAR1', 60, 1)],
    'FEAT_LS64_ACCDATA': [('ISAR1', 60, 3)],
    'FEAT_MOPS': [('ISAR2', 16, 1)],
    'FEAT_MTE2': [('PFR1', 8, 2)],
    'FEAT_MTE3': [('PFR1', 8, 3)],
    'FEAT_NMI': [('PFR1', 36, 1)],
    'FEAT_NV': [('MMFR2', 24, 1)],
    'FEAT_NV2': [('MMFR2', 24, 2)],
    'FEAT_PAuth': [('ISAR1', 4, 1), ('ISAR1', 8, 1), ('ISAR2', 12, 1)],
    'FEAT_RNG': [('ISAR0', 60, 1)],
    'FEAT_RNG_TRAP': [('PFR1', 28, 1)],
    'FEAT_S1PIE': [('MMFR3', 8, 1)],
    'FEAT_S1POE': [('MMFR3', 16, 1)],
    'FEAT_S2PIE': [('MMFR3', 12, 1)],
    'FEAT_S2POE': [('MMFR3', 20, 1)],
    'FEAT_SCTLR2': [('MMFR3', 4, 1)],
    'FEAT_SPECRES2': [('ISAR1', 40, 2)],
    'FEAT_TCR2': [('MMFR3', 0, 1)],
    'FEAT_TIDCP1': [('MMFR1', 52, 1)],
    'FEAT_WFxT': [('ISAR2', 0, 2)],
    'FEAT_XS': [('ISAR1', 56, 1)],
}


class Features:
    """What a machine has: `values` are by the names of ID."""

    def __init__(self, values):
        self.values = values

    def has(self, name):
        if name not in FEATURES:
            sys.exit(f'{__file__}: nothing says how to tell {name}')
        return any(self.values.get(register, 0) >> low & 15 >= least for register, low, least in FEATURES[name])


def read_features(lines):
    """Of lines `id ENCODING VALUE', in hexadecimal."""
    by_encoding = {encoding: name for name, encoding in ID.items()}
    return Features({by_encoding[int(words[1], 16)]: int(words[2], 16) for words in map(str.split, lines)
                     if len(words) == 3 and words[0] == 'id'})


def id_code(prefix):
    """C: a table PREFIX_ids of the encodings, functions that read them, and its size."""
    code = ''.join(f'{prefix}_id{i}: .inst {0xd5200000 | encoding << 5:#x}\\n ret\\n' for i, encoding in
                   enumerate(ID.values()))
    return (f'__asm__(".section .text.{prefix}, \\"ax\\"\\n{code}.text");\n'
            f'extern const char {", ".join(f"{prefix}_id{i}[]" for i in range(len(ID)))};\n'
            f'const struct {prefix}_id {prefix}_ids[] = {{'
            + ', '.join(f'{{{encoding:#x}, {prefix}_id{i}}}' for i, encoding in enumerate(ID.values()))
            + f'}};\nconst unsigned {prefix}_id_count = {len(ID)};\n')
