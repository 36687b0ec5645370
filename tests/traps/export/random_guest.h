// SPDX-License-Identifier: Apache-2.0
//
// random_guest.h - the tables that random_accesses.py generates for random_guest.c.
#ifndef RANDOM_GUEST_H
#define RANDOM_GUEST_H

#include <stdint.h>

#define REGISTER_MAX 256

// A register that gets random values: code that reads it to x0 and writes it from x0, the value in
// which it permits everything and the bits that vary; both again for HCR_EL2.E2H = 1.
struct random_register {
	const void *read, *write;
	uint32_t enc; // bits 20:5 of an MRS word
	uint64_t open[2], mask[2];
};
extern const struct random_register random_registers[];
extern const unsigned random_register_count; // SCR_EL3 and HCR_EL2 are the first two
extern const char random_escape[]; // SMC #ESC_DONE

// Identification registers.
struct random_id {
	uint32_t enc;
	const void *read;
};
extern const struct random_id random_ids[];
extern const unsigned random_id_count;

extern const uint64_t random_more_pstate; // bits that vary and are compared, of features
extern const uint64_t random_vncr_page; // for VNCR_EL2

extern const uint32_t random_encodings[]; // known ones: bits 20:5
extern const unsigned random_encoding_count;
extern const uint32_t random_never_written[]; // bits 20:5
extern const unsigned random_never_written_count;

#endif
