// SPDX-License-Identifier: Apache-2.0
// The functions behind the A64 cryptographic, CRC32 and polynomial-multiply instructions. They are
// pure: no CPU state, no errors, any input is legal.
//
// Pointers: the first is the destination; the sources follow in the order of the instruction's
// registers, and a destructive instruction names its Vd again as the first source (handlers pass
// the same pointer twice). Any of the pointers may be equal. All
// 128 bits of the destination are written.
#ifndef STRATA_CPU_CRYPTO_CRYPTO_H
#define STRATA_CPU_CRYPTO_CRYPTO_H

#include <stdint.h>

#include "cpu/vreg.h"

// FEAT_AES. AESE and AESD add the round key before the substitution, so a block's last round is one
// of them without the (inverse) mix, and a final EOR with the last round key.
void crypto_aese(union vreg *dst, const union vreg *state, const union vreg *key);
void crypto_aesd(union vreg *dst, const union vreg *state, const union vreg *key);
void crypto_aesmc(union vreg *dst, const union vreg *n);
void crypto_aesimc(union vreg *dst, const union vreg *n);

// FEAT_SHA1. `n` of the hash updates is Sn, hash word E; SHA1H is a scalar operation on S
// registers.
void crypto_sha1c(union vreg *dst, const union vreg *d, uint32_t n, const union vreg *m);
void crypto_sha1p(union vreg *dst, const union vreg *d, uint32_t n, const union vreg *m);
void crypto_sha1m(union vreg *dst, const union vreg *d, uint32_t n, const union vreg *m);
uint32_t crypto_sha1h(uint32_t n);
void crypto_sha1su0(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m);
void crypto_sha1su1(union vreg *dst, const union vreg *d, const union vreg *n);

// FEAT_SHA256.
void crypto_sha256h(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m);
void crypto_sha256h2(union vreg *dst, const union vreg *d, const union vreg *n,
		     const union vreg *m);
void crypto_sha256su0(union vreg *dst, const union vreg *d, const union vreg *n);
void crypto_sha256su1(union vreg *dst, const union vreg *d, const union vreg *n,
		      const union vreg *m);

// FEAT_SHA512.
void crypto_sha512h(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m);
void crypto_sha512h2(union vreg *dst, const union vreg *d, const union vreg *n,
		     const union vreg *m);
void crypto_sha512su0(union vreg *dst, const union vreg *d, const union vreg *n);
void crypto_sha512su1(union vreg *dst, const union vreg *d, const union vreg *n,
		      const union vreg *m);

// FEAT_SHA3. `rotate` is XAR's imm6; only its low six bits count.
void crypto_eor3(union vreg *dst, const union vreg *n, const union vreg *m, const union vreg *a);
void crypto_bcax(union vreg *dst, const union vreg *n, const union vreg *m, const union vreg *a);
void crypto_rax1(union vreg *dst, const union vreg *n, const union vreg *m);
void crypto_xar(union vreg *dst, const union vreg *n, const union vreg *m, unsigned rotate);

// FEAT_SM3. `index` selects the 32-bit element of Vm; only its low two bits count.
void crypto_sm3ss1(union vreg *dst, const union vreg *n, const union vreg *m, const union vreg *a);
void crypto_sm3tt1a(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m,
		    unsigned index);
void crypto_sm3tt1b(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m,
		    unsigned index);
void crypto_sm3tt2a(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m,
		    unsigned index);
void crypto_sm3tt2b(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m,
		    unsigned index);
void crypto_sm3partw1(union vreg *dst, const union vreg *d, const union vreg *n,
		      const union vreg *m);
void crypto_sm3partw2(union vreg *dst, const union vreg *d, const union vreg *n,
		      const union vreg *m);

// FEAT_SM4. For SM4E `d` is the state and `n` four round keys; for SM4EKEY `n` is the key state and
// `m` four constants.
void crypto_sm4e(union vreg *dst, const union vreg *d, const union vreg *n);
void crypto_sm4ekey(union vreg *dst, const union vreg *n, const union vreg *m);

// FEAT_CRC32. The bare instruction: no inversion of the accumulator before or after.
uint32_t crypto_crc32b(uint32_t acc, uint8_t value);
uint32_t crypto_crc32h(uint32_t acc, uint16_t value);
uint32_t crypto_crc32w(uint32_t acc, uint32_t value);
uint32_t crypto_crc32x(uint32_t acc, uint64_t value);
uint32_t crypto_crc32cb(uint32_t acc, uint8_t value);
uint32_t crypto_crc32ch(uint32_t acc, uint16_t value);
uint32_t crypto_crc32cw(uint32_t acc, uint32_t value);
uint32_t crypto_crc32cx(uint32_t acc, uint64_t value);

// PMUL on all sixteen bytes (for the 8B form the caller clears the upper half), PMULL on the eight
// bytes of the half that the instruction selects, and FEAT_PMULL's PMULL on one doubleword.
void crypto_pmul8(union vreg *dst, const union vreg *n, const union vreg *m);
void crypto_pmull8(union vreg *dst, uint64_t n, uint64_t m);
void crypto_pmull64(union vreg *dst, uint64_t n, uint64_t m);

#endif
