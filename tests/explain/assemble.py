#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The small assembler's words against two that are not ours: the GNU assembler and capstone.

Every form and every system register is assembled by both; the words have to be equal. Where capstone knows the word,
its mnemonic has to be the same one (or an alias of it, below)."""
import os
import re
import struct
import subprocess
import sys
import tempfile

# 'all' has Armv8-R, which has no EL3: what it refuses is tried as Armv8.7-A.
MARCH = ('all', 'armv8.7-a+memtag')
# What capstone calls an instruction that is one and the same word.
ALIASES = {('hint', None), ('dsb', 'ssbb'), ('dsb', 'pssbb'), ('dsb', 'msr'), ('udf', None), ('mov', 'movz'), ('mov', 'orr'), ('mov', 'add'),
           ('mov', 'ins'),
           ('movz', 'mov'), ('movn', 'mov'), ('sys', None), ('sysl', None), ('ldr', None), ('str', 'stur'), ('add', 'mov'), ('orr', 'mov'),
           ('adds', 'cmn'), ('subs', 'cmp'), ('cas', 'cas'), ('csinc', 'cset'), ('subps', 'cmpp')}
ALIASES |= {(op + size, op[:2] + 'u' + op[2:] + size) for op, sizes in (('ldr', ('b', 'h', 'sb', 'sh', 'sw')), ('str', ('b', 'h')))
            for size in sizes}
# Names that capstone 4 has from a draft.
OLD = re.compile(r'^(psb|tsb|esb|bti|wfet|wfit|sb|dgh|csdb|ssbb|pssbb)$')


def gnu(texts, march, assembler, objcopy):
    """The words of GNU as, None where it refuses the text; `S...` names stand for registers that it does not know."""
    texts, refused = list(texts), set()
    with tempfile.TemporaryDirectory() as folder:
        source, obj, raw = (os.path.join(folder, n) for n in ('a.s', 'a.o', 'a.bin'))
        while True:
            with open(source, 'w', encoding='utf-8') as file:
                for n, text in enumerate(texts):
                    file.write(('.inst 0' if n in refused else text) + '\n')
            done = subprocess.run([assembler, '-march=' + march, '-o', obj, source], text=True, capture_output=True,
                                  check=False)
            bad = {int(m.group(1)) - 1 for m in re.finditer(r':(\d+): Error', done.stderr)}
            if done.returncode == 0:
                break
            if not bad - refused:
                raise SystemExit('the GNU assembler fails: ' + done.stderr[:300])
            refused |= bad
        subprocess.run([objcopy, '-O', 'binary', obj, raw], check=True)
        with open(raw, 'rb') as file:
            data = file.read()
    words = struct.unpack(f'<{len(texts)}I', data)
    return [None if n in refused else words[n] for n in range(len(texts))]


def main():
    listing, assembler, objcopy = sys.argv[1:4]
    done = subprocess.run([listing], text=True, capture_output=True, check=False)
    rows = [line.split('\t') for line in done.stdout.splitlines()]
    errors = [f'{text}: {rest}' for word, text, rest in rows if word == 'error']
    rows = [row for row in rows if row[0] != 'error']
    texts = [re.sub(r'(?i)^((?:b|bl) )#', r'\1.+', re.sub(r'(?i)^((?:cbn?z \w+|ldr \w+), ?)#-?(\d+)$', r'\1.-\2', text))
             for _, text, _ in rows]
    passes, known, seen = [gnu(texts, march, assembler, objcopy) for march in MARCH], 0, 0
    theirs = [first if first is not None else second for first, second in zip(*passes)]
    refused = []
    for (word, text, capstone), other in zip(rows, theirs):
        if other is None:
            refused.append(text)
        else:
            known += 1
            if int(word, 16) != other:
                errors.append(f'{text}: ours {word}, of the GNU assembler {other:08x}')
        if capstone:
            seen += 1
            ours, its = text.split()[0].lower(), capstone.split()[0].lower()
            if ours != its and (ours, its) not in ALIASES and (ours, None) not in ALIASES and not OLD.match(ours) \
                    and its not in ('hint', 'sys', 'sysl'):
                errors.append(f'{text}: capstone reads {word} as {capstone}')
    for error in errors:
        print(error)
    if len(sys.argv) > 4:
        print('refused:', *refused, sep='\n  ')
    print(f'{len(rows)} examples, {known} of them known to the GNU assembler, {seen} to capstone: {len(errors)} wrong')
    if known < len(rows) * 0.9:
        print('too few are known to the GNU assembler')
        return 1
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
