// SPDX-License-Identifier: Apache-2.0
// A small assembler: one instruction of text to its word. It knows the instructions that matter to
// the exception levels, and common forms of the rest; anything else can be given as a word.
#ifndef STRATA_EXPLAIN_ASSEMBLE_H
#define STRATA_EXPLAIN_ASSEMBLE_H

#include <stddef.h>
#include <stdint.h>

// "MSR TTBR0_EL1, X3", "TLBI VAE1, X0", "LDR X0, [SP, #8]!", or "0xd5182003". Returns 0, or -EINVAL
// with one line (no newline) in error and in *column (from 1) where it was noticed.
int assemble(const char *text, uint32_t *word, unsigned *column, char *error, size_t error_size);

// Call fn with an example of every form that the assembler knows: for tests.
void assemble_examples(void (*fn)(void *opaque, const char *text), void *opaque);

#endif
