// SPDX-License-Identifier: Apache-2.0
// Bare-metal program that runs each cryptographic and pointer-authentication instruction on a model
// other than ours and prints inputs and results as rows for crypto_vectors.def or
// pauth_vectors.def; see regenerate.sh.
#include <stddef.h>
#include <stdint.h>

union vec {
	uint64_t d[2];
	uint8_t b[16];
} __attribute__((aligned(16)));

static uint64_t random_state = UINT64_C(0x0123456789abcdef);

static uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static void print(const char *s)
{
	register uint64_t op __asm__("x0") = 4; // SYS_WRITE0
	register const char *arg __asm__("x1") = s;

	__asm__ volatile("hlt #0xf000" : "+r"(op) : "r"(arg) : "memory");
}

static void print_hex(uint64_t v)
{
	char s[19];

	s[0] = '0';
	s[1] = 'x';
	for (int i = 0; i < 16; i++) {
		s[2 + i] = "0123456789abcdef"[(v >> (60 - 4 * i)) & 15];
	}
	s[18] = 0;
	print(s);
}

#ifdef VECTORS_crypto
static void print_vec(const union vec *v)
{
	print("V(");
	print_hex(v->d[0]);
	print(", ");
	print_hex(v->d[1]);
	print(")");
}

typedef void vector_op(union vec *out, const union vec *in);

// v0 is Vd, v1 Vn, v2 Vm, v3 Va.
#define OP(name, insn) \
	static void op_##name(union vec *out, const union vec *in) \
	{ \
		__asm__ volatile("ldp q0, q1, [%1]\n\tldp q2, q3, [%1, #32]\n\t" insn \
				 "\n\tstr q0, [%0]" \
				 : \
				 : "r"(out), "r"(in) \
				 : "v0", "v1", "v2", "v3", "memory"); \
	}
#define CRC(name, insn) \
	static void op_##name(union vec *out, const union vec *in) \
	{ \
		uint64_t r; \
		__asm__ volatile(insn : "=r"(r) : "r"(in[0].d[0]), "r"(in[1].d[0])); \
		out->d[0] = r; \
		out->d[1] = 0; \
	}
#include "vectors_ops.def"
#undef OP
#undef CRC

static const struct {
	const char *name;
	vector_op *op;
} ops[] = {
#define OP(name, insn) {#name, op_##name},
#define CRC(name, insn) {#name, op_##name},
#include "vectors_ops.def"
#undef OP
#undef CRC
};

void generate(void)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		for (int n = 0; n < 2; n++) {
			union vec in[4], out;

			for (int k = 0; k < 8; k++) {
				in[k / 2].d[k % 2] = random64();
			}
			ops[i].op(&out, in);
			print("\t{ OP_");
			print(ops[i].name);
			print(",\n\t  { ");
			for (int k = 0; k < 4; k++) {
				print_vec(&in[k]);
				print(k == 3 ? " },\n\t  " : k == 1 ? ",\n\t    " : ", ");
			}
			print_vec(&out);
			print(" },\n");
		}
	}
}
#endif

#ifdef VECTORS_pauth
static uint64_t run(int op, uint64_t ptr, uint64_t mod)
{
	switch (op) {
	case 0:
		__asm__ volatile("pacia %0, %1" : "+r"(ptr) : "r"(mod));
		break;
	case 1:
		__asm__ volatile("pacib %0, %1" : "+r"(ptr) : "r"(mod));
		break;
	case 2:
		__asm__ volatile("pacda %0, %1" : "+r"(ptr) : "r"(mod));
		break;
	case 3:
		__asm__ volatile("pacdb %0, %1" : "+r"(ptr) : "r"(mod));
		break;
	case 4:
		__asm__ volatile("autia %0, %1" : "+r"(ptr) : "r"(mod));
		break;
	case 5:
		__asm__ volatile("autib %0, %1" : "+r"(ptr) : "r"(mod));
		break;
	case 6:
		__asm__ volatile("autda %0, %1" : "+r"(ptr) : "r"(mod));
		break;
	case 7:
		__asm__ volatile("autdb %0, %1" : "+r"(ptr) : "r"(mod));
		break;
	case 8:
		__asm__ volatile("xpaci %0" : "+r"(ptr));
		break;
	case 9:
		__asm__ volatile("xpacd %0" : "+r"(ptr));
		break;
	default:
		__asm__ volatile("pacga %0, %0, %1" : "+r"(ptr) : "r"(mod));
		break;
	}
	return ptr;
}

static const char *const op_name[11] = {"PACIA", "PACIB", "PACDA", "PACDB", "AUTIA", "AUTIB",
					"AUTDA", "AUTDB", "XPACI", "XPACD", "PACGA"};

static uint64_t row(unsigned tbi, unsigned tbid, unsigned txsz, int op, uint64_t ptr, uint64_t mod,
		    uint64_t hi, uint64_t lo)
{
	uint64_t out = run(op, ptr, mod);
	char t[3] = {'0' + txsz / 10, '0' + txsz % 10, 0};

	print("\t{ ");
	print(op_name[op]);
	print(tbi ? ", true, " : ", false, ");
	print(tbid ? "true, " : "false, ");
	print(t);
	print(", ");
	print_hex(ptr);
	print(", ");
	print_hex(mod);
	print(",\n\t  ");
	print_hex(hi);
	print(", ");
	print_hex(lo);
	print(", ");
	print_hex(out);
	print(" },\n");
	return out;
}

// The ranges' sizes and what the top byte is: T0SZ = T1SZ, TBI0 = TBI1, TBID0 = TBID1.
static const struct {
	unsigned tbi, tbid, txsz;
} layout[] = {{0, 0, 16}, {1, 0, 16}, {1, 1, 16}, {0, 0, 25}, {1, 0, 25}, {1, 1, 39}};

static void set_keys(uint64_t hi, uint64_t lo)
{
	__asm__ volatile("msr apiakeyhi_el1, %0\n\tmsr apiakeylo_el1, %1\n\t"
			 "msr apibkeyhi_el1, %0\n\tmsr apibkeylo_el1, %1\n\t"
			 "msr apdakeyhi_el1, %0\n\tmsr apdakeylo_el1, %1\n\t"
			 "msr apdbkeyhi_el1, %0\n\tmsr apdbkeylo_el1, %1\n\t"
			 "msr apgakeyhi_el1, %0\n\tmsr apgakeylo_el1, %1\n\tisb" ::"r"(hi),
			 "r"(lo));
}

void generate(void)
{
	for (size_t i = 0; i < sizeof(layout) / sizeof(layout[0]); i++) {
		unsigned tbi = layout[i].tbi, tbid = layout[i].tbid, txsz = layout[i].txsz;
		uint64_t tcr = (uint64_t)txsz << 0 | (uint64_t)txsz << 16 | UINT64_C(2) << 30;
		uint64_t hi = random64(), lo = random64(), mod = random64();
		uint64_t low = random64() & ((UINT64_C(1) << (64 - txsz)) - 1);
		uint64_t high = random64() | ~((UINT64_C(1) << (64 - txsz)) - 1);

		tcr |= (uint64_t)tbi * (UINT64_C(3) << 37) | (uint64_t)tbid * (UINT64_C(3) << 51);
		__asm__ volatile("msr tcr_el1, %0\n\tisb" ::"r"(tcr));
		set_keys(hi, lo);
		for (int op = 0; op < 4; op++) {
			uint64_t ptr = op & 1 ? high : low;
			uint64_t signed_ptr = row(tbi, tbid, txsz, op, ptr, mod, hi, lo);

			row(tbi, tbid, txsz, op + 4, signed_ptr, mod, hi, lo);
			row(tbi, tbid, txsz, op + 4, signed_ptr, mod + 1, hi, lo);
			row(tbi, tbid, txsz, op + 4, signed_ptr ^ (UINT64_C(1) << 54), mod, hi, lo);
			row(tbi, tbid, txsz, op + 4, signed_ptr ^ (UINT64_C(1) << 60), mod, hi, lo);
			row(tbi, tbid, txsz, 8 + op / 2, signed_ptr, mod, hi, lo);
			// Signing what is signed already corrupts the code.
			signed_ptr = row(tbi, tbid, txsz, op, signed_ptr, mod, hi, lo);
			row(tbi, tbid, txsz, op + 4, signed_ptr, mod, hi, lo);
			// A tag in the top byte.
			row(tbi, tbid, txsz, op, ptr ^ (UINT64_C(0x5a) << 56), mod, hi, lo);
			// Bits 55 and 63 that disagree about the range.
			row(tbi, tbid, txsz, op, ptr ^ (UINT64_C(1) << 63), mod, hi, lo);
			row(tbi, tbid, txsz, op, ptr ^ (UINT64_C(1) << 55), mod, hi, lo);
			row(tbi, tbid, txsz, op + 4, ptr ^ (UINT64_C(1) << 55), mod, hi, lo);
			row(tbi, tbid, txsz, 8 + op / 2, ptr ^ (UINT64_C(1) << 55), mod, hi, lo);
		}
		row(tbi, tbid, txsz, 10, random64(), random64(), hi, lo);
	}
}
#endif
