// SPDX-License-Identifier: Apache-2.0
// Crypto instructions: operands of the functions in cpu/crypto.
#include "cpu/crypto/crypto.h"
#include "cpu/simd_internal.h"

#define DEF_CRYPTO(name, call) \
	static OP(op_##name) \
	{ \
		call; \
		NEXT; \
	} \
	bool tr_##name(struct tr *t, uint32_t insn) \
	{ \
		struct uop *u = simd_emit_op(t, insn, op_##name); \
\
		u->ra = (uint8_t)F_RA(insn); \
		u->aux = (uint32_t)bits(insn, 15, 10); \
		return true; \
	}

#define DEF_CRYPTO_DN(name) DEF_CRYPTO(name, crypto_##name(&VD, &VD, &VN))
#define DEF_CRYPTO_N(name) DEF_CRYPTO(name, crypto_##name(&VD, &VN))
#define DEF_CRYPTO_NM(name) DEF_CRYPTO(name, crypto_##name(&VD, &VN, &VM))
#define DEF_CRYPTO_DNM(name) DEF_CRYPTO(name, crypto_##name(&VD, &VD, &VN, &VM))
#define DEF_CRYPTO_NMA(name) DEF_CRYPTO(name, crypto_##name(&VD, &VN, &VM, &VAD))

DEF_CRYPTO_DN(aese)
DEF_CRYPTO_DN(aesd)
DEF_CRYPTO_N(aesmc)
DEF_CRYPTO_N(aesimc)

DEF_CRYPTO(sha1c, crypto_sha1c(&VD, &VD, VN.s[0], &VM))
DEF_CRYPTO(sha1p, crypto_sha1p(&VD, &VD, VN.s[0], &VM))
DEF_CRYPTO(sha1m, crypto_sha1m(&VD, &VD, VN.s[0], &VM))
DEF_CRYPTO_DNM(sha1su0)
DEF_CRYPTO_DN(sha1su1)
DEF_CRYPTO_DNM(sha256h)
DEF_CRYPTO_DNM(sha256h2)
DEF_CRYPTO_DN(sha256su0)
DEF_CRYPTO_DNM(sha256su1)

static OP(op_sha1h)
{
	VD.d[0] = crypto_sha1h(VN.s[0]);
	VD.d[1] = 0;
	NEXT;
}

bool tr_sha1h(struct tr *t, uint32_t insn)
{
	simd_emit_op(t, insn, op_sha1h);
	return true;
}

DEF_CRYPTO_DNM(sha512h)
DEF_CRYPTO_DNM(sha512h2)
DEF_CRYPTO_DN(sha512su0)
DEF_CRYPTO_DNM(sha512su1)

DEF_CRYPTO_NMA(eor3)
DEF_CRYPTO_NMA(bcax)
DEF_CRYPTO_NM(rax1)
DEF_CRYPTO(xar, crypto_xar(&VD, &VN, &VM, op->aux))

DEF_CRYPTO_NMA(sm3ss1)
DEF_CRYPTO(sm3tt1a, crypto_sm3tt1a(&VD, &VD, &VN, &VM, op->aux >> 2 & 3))
DEF_CRYPTO(sm3tt1b, crypto_sm3tt1b(&VD, &VD, &VN, &VM, op->aux >> 2 & 3))
DEF_CRYPTO(sm3tt2a, crypto_sm3tt2a(&VD, &VD, &VN, &VM, op->aux >> 2 & 3))
DEF_CRYPTO(sm3tt2b, crypto_sm3tt2b(&VD, &VD, &VN, &VM, op->aux >> 2 & 3))
DEF_CRYPTO_DNM(sm3partw1)
DEF_CRYPTO_DNM(sm3partw2)

DEF_CRYPTO_DN(sm4e)
DEF_CRYPTO_NM(sm4ekey)
