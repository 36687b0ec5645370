// SPDX-License-Identifier: Apache-2.0
// The programs of tests: their snippets, assembled by the cross assembler and laid out in memory.
#ifndef STRATA_TRAPTEST_ASSEMBLER_H
#define STRATA_TRAPTEST_ASSEMBLER_H

#include <stddef.h>

#include "traptest/test_file.h"

// Fill tt_test.code of all tests of a file, in one run of the assembler. Without an assembler tests
// that need one get a reason to skip. 0, or -EINVAL with what the assembler said first.
int tt_assemble_file(struct tt_file *file, char *error, size_t error_size);

// A test's code, from $code on: the program, then for EL1 to EL3 vectors and their handlers, 16 KiB
// each.
#define TT_AREA_SIZE 0x10000u
#define TT_AREA_VECTORS(el) ((unsigned)(el)*0x4000u)

#endif
