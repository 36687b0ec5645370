// SPDX-License-Identifier: Apache-2.0
// EOR3, BCAX, RAX1, XAR (FEAT_SHA3): the bitwise steps of Keccak.
#include "cpu/crypto/crypto.h"

#include "base/bits.h"
#include "cpu/crypto/crypto_internal.h"

void crypto_eor3(union vreg *dst, const union vreg *n, const union vreg *m, const union vreg *a)
{
	dst->d[0] = n->d[0] ^ m->d[0] ^ a->d[0];
	dst->d[1] = n->d[1] ^ m->d[1] ^ a->d[1];
}

void crypto_bcax(union vreg *dst, const union vreg *n, const union vreg *m, const union vreg *a)
{
	dst->d[0] = n->d[0] ^ (m->d[0] & ~a->d[0]);
	dst->d[1] = n->d[1] ^ (m->d[1] & ~a->d[1]);
}

void crypto_rax1(union vreg *dst, const union vreg *n, const union vreg *m)
{
	dst->d[0] = n->d[0] ^ crypto_rol64(m->d[0], 1);
	dst->d[1] = n->d[1] ^ crypto_rol64(m->d[1], 1);
}

void crypto_xar(union vreg *dst, const union vreg *n, const union vreg *m, unsigned rotate)
{
	dst->d[0] = ror64(n->d[0] ^ m->d[0], rotate);
	dst->d[1] = ror64(n->d[1] ^ m->d[1], rotate);
}
