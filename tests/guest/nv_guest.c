// SPDX-License-Identifier: Apache-2.0
//
// nv_guest.c - a whole nested virtualization: a small host at EL2 runs a guest hypervisor at EL1
// (virtual EL2) with NV2, and the guest hypervisor runs a guest of its own at EL1. Both kinds of
// guest hypervisor: one for an EL2 without E2H (NV1 = 1) and one that is itself a host (NV1 = 0).
//
// The host takes the traps of the guest hypervisor, emulates its registers and its ERET, and hands
// the exceptions of the inner guest to it. What the inner guest's registers hold while the guest
// hypervisor runs is in the page of VNCR_EL2.

#include "nv.h"

#define HOST_END 0x77
#define INNER_SP 0x12340
#define INNER_TTBR 0x5000
#define SPSR_EL1H (SPSR_DAIF | SPSR_M_EL1H)
#define VNCR(offset) NV_PAGE[(offset) / 8]
#define VNCR_HCR_EL2 0x078
#define VNCR_ESR_EL1 0x138
#define VNCR_SPSR_EL1 0x160
#define VNCR_TTBR0_EL1 0x200
#define VNCR_FAR_EL1 0x220
#define VNCR_ELR_EL1 0x230
#define VNCR_SP_EL1 0x240
#define VNCR_VBAR_EL1 0x250

// The PE as the host lends it out, and what it counted. x comes first: assembly knows.
struct lent {
	uint64_t x[31];
	uint64_t hcr; // while the guest hypervisor runs
	uint64_t vbar, sp; // of the guest hypervisor, while the inner guest runs
	bool inner;
	unsigned sysregs, returns, calls, forwarded;
	uint64_t unexpected; // syndrome that the host has no answer to
};

struct lent nv_lent;

extern const char nv_host_start[], nv_host_vectors[], nv_hyp_start[], nv_vhe_hyp_start[];

// ---- the host -----------------------------------------------------------------------------------

__asm__(".pushsection .text, \"ax\"\n"
	".macro other_vector\n"
	"	.balign 128\n"
	"	mov x0, #0\n"
	"	b nv_host_lost\n"
	".endm\n"
	".balign 2048\n"
	".global nv_host_vectors\n"
	"nv_host_vectors:\n"
	"	.rept 8\n"
	"	other_vector\n"
	"	.endr\n"
	"	.balign 128\n"
	"	b nv_host_entry\n" // synchronous, from EL1
	"	.rept 7\n"
	"	other_vector\n"
	"	.endr\n"
	"	.balign 128\n"
	"nv_host_entry:\n"
	"	msr tpidr_el2, x0\n"
	"	ldr x0, =nv_lent\n"
	"	stp x1, x2, [x0, #8]\n"
	"	stp x3, x4, [x0, #24]\n"
	"	stp x5, x6, [x0, #40]\n"
	"	stp x7, x8, [x0, #56]\n"
	"	stp x9, x10, [x0, #72]\n"
	"	stp x11, x12, [x0, #88]\n"
	"	stp x13, x14, [x0, #104]\n"
	"	stp x15, x16, [x0, #120]\n"
	"	stp x17, x18, [x0, #136]\n"
	"	stp x19, x20, [x0, #152]\n"
	"	stp x21, x22, [x0, #168]\n"
	"	stp x23, x24, [x0, #184]\n"
	"	stp x25, x26, [x0, #200]\n"
	"	stp x27, x28, [x0, #216]\n"
	"	stp x29, x30, [x0, #232]\n"
	"	mrs x1, tpidr_el2\n"
	"	str x1, [x0]\n"
	"	bl nv_host_handle\n"
	"	b nv_host_resume\n"
	".global nv_host_start\n"
	"nv_host_start:\n"
	"	bl nv_host_setup\n"
	"nv_host_resume:\n"
	"	ldr x0, =nv_lent\n"
	"	ldp x1, x2, [x0, #8]\n"
	"	ldp x3, x4, [x0, #24]\n"
	"	ldp x5, x6, [x0, #40]\n"
	"	ldp x7, x8, [x0, #56]\n"
	"	ldp x9, x10, [x0, #72]\n"
	"	ldp x11, x12, [x0, #88]\n"
	"	ldp x13, x14, [x0, #104]\n"
	"	ldp x15, x16, [x0, #120]\n"
	"	ldp x17, x18, [x0, #136]\n"
	"	ldp x19, x20, [x0, #152]\n"
	"	ldp x21, x22, [x0, #168]\n"
	"	ldp x23, x24, [x0, #184]\n"
	"	ldp x25, x26, [x0, #200]\n"
	"	ldp x27, x28, [x0, #216]\n"
	"	ldp x29, x30, [x0, #232]\n"
	"	ldr x0, [x0]\n"
	"	eret\n"
	"	.ltorg\n"
	".popsection\n");

static void end(void)
{
	__asm__ volatile("smc #" GUEST_STR(ESC_DONE)::: "memory");
}

__attribute__((used)) void nv_host_lost(void)
{
	nv_lent.unexpected = ~0ul;
	end();
}

// x0: where the guest hypervisor starts, x1: its HCR_EL2 bits.
__attribute__((used)) void nv_host_setup(uint64_t start, uint64_t hcr)
{
	nv_lent = (struct lent){.hcr = HCR_RW | HCR_NV | HCR_NV2 | hcr};
	write_sysreg(vbar_el2, nv_host_vectors);
	write_sysreg(VNCR_EL2, (uint64_t)NV_PAGE);
	write_sysreg(hcr_el2, nv_lent.hcr);
	write_sysreg(elr_el2, start);
	write_sysreg(spsr_el2, SPSR_EL1H);
}

// A register access of the guest hypervisor: VBAR_EL2 is the only one that comes.
static void emulate(uint64_t esr)
{
	const uint64_t vbar_write = ISS_SYSREG_WRITE(3, 4, 12, 0, 0, 0);
	unsigned rt = esr >> 5 & 31;

	nv_lent.sysregs++;
	if ((esr & 0x1ffffff & ~(31ul << 5)) != vbar_write) {
		nv_lent.unexpected = esr;
		end();
	}
	write_sysreg(vbar_el1, rt == 31 ? 0 : nv_lent.x[rt]);
	write_sysreg(elr_el2, read_sysreg(elr_el2) + 4);
}

// The guest hypervisor's ERET to its guest, whose registers come out of the page.
static void enter_inner(void)
{
	nv_lent.returns++;
	if ((read_sysreg(spsr_el1) & SPSR_M_MASK) != SPSR_M_EL1H) {
		nv_lent.unexpected = read_sysreg(spsr_el1);
		end();
	}
	nv_lent.inner = true;
	nv_lent.vbar = read_sysreg(vbar_el1);
	nv_lent.sp = read_sysreg(sp_el1);
	write_sysreg(elr_el2, read_sysreg(elr_el1));
	write_sysreg(spsr_el2, read_sysreg(spsr_el1));
	write_sysreg(vbar_el1, VNCR(VNCR_VBAR_EL1));
	write_sysreg(ttbr0_el1, VNCR(VNCR_TTBR0_EL1));
	write_sysreg(elr_el1, VNCR(VNCR_ELR_EL1));
	write_sysreg(spsr_el1, VNCR(VNCR_SPSR_EL1));
	write_sysreg(esr_el1, VNCR(VNCR_ESR_EL1));
	write_sysreg(far_el1, VNCR(VNCR_FAR_EL1));
	write_sysreg(sp_el1, VNCR(VNCR_SP_EL1));
	write_sysreg(hcr_el2, HCR_RW | (VNCR(VNCR_HCR_EL2) & (HCR_TVM | HCR_TRVM | HCR_TSC)));
}

// An exception of the inner guest is taken to virtual EL2.
static void forward(uint64_t esr)
{
	nv_lent.forwarded++;
	nv_lent.inner = false;
	VNCR(VNCR_VBAR_EL1) = read_sysreg(vbar_el1);
	VNCR(VNCR_TTBR0_EL1) = read_sysreg(ttbr0_el1);
	VNCR(VNCR_ELR_EL1) = read_sysreg(elr_el1);
	VNCR(VNCR_SPSR_EL1) = read_sysreg(spsr_el1);
	VNCR(VNCR_ESR_EL1) = read_sysreg(esr_el1);
	VNCR(VNCR_FAR_EL1) = read_sysreg(far_el1);
	VNCR(VNCR_SP_EL1) = read_sysreg(sp_el1);
	write_sysreg(esr_el1, esr);
	write_sysreg(elr_el1, read_sysreg(elr_el2));
	write_sysreg(spsr_el1, read_sysreg(spsr_el2));
	write_sysreg(far_el1, read_sysreg(far_el2));
	write_sysreg(vbar_el1, nv_lent.vbar);
	write_sysreg(sp_el1, nv_lent.sp);
	write_sysreg(elr_el2, nv_lent.vbar + VECTOR_LOWER_A64);
	write_sysreg(spsr_el2, SPSR_EL1H);
	write_sysreg(hcr_el2, nv_lent.hcr);
}

__attribute__((used)) void nv_host_handle(void)
{
	uint64_t esr = read_sysreg(esr_el2);

	if (nv_lent.inner) {
		forward(esr);
		return;
	}
	switch (esr >> 26) {
	case EC_SYSREG:
		emulate(esr);
		break;
	case EC_ERET:
		enter_inner();
		break;
	case EC_HVC:
		nv_lent.calls++;
		nv_lent.unexpected = (esr & 0xffff) == HOST_END ? 0 : esr;
		end();
		break;
	default:
		nv_lent.unexpected = esr;
		end();
		break;
	}
}

// ---- the inner guest ----------------------------------------------------------------------------

// x22: its CurrentEL, x23: its SP, x26 and x27: ESR and SPSR of its own SVC, x28: TTBR0_EL1 read
// back, x0: 41, then what its hypervisor makes of it.
__asm__(".pushsection .snippets, \"ax\"\n"
	".balign 2048\n"
	"nv_inner_vectors:\n"
	"	.space 0x200\n"
	"	mrs x26, esr_el1\n"
	"	mrs x27, spsr_el1\n"
	"	eret\n"
	"	.balign 2048\n"
	"nv_inner_start:\n"
	"	mrs x22, CurrentEL\n"
	"	mov x23, sp\n"
	"	svc #3\n"
	"	mov x3, #" GUEST_STR(
		INNER_TTBR) "\n"
			    "	msr ttbr0_el1, x3\n" // trapped by its hypervisor's HCR_EL2.TVM
			    "	mrs x28, ttbr0_el1\n"
			    "	mov x0, #41\n"
			    "	hvc #1\n"
			    "	hvc #2\n"
			    "	b .\n"
			    ".popsection\n");

// ---- the guest hypervisors ----------------------------------------------------------------------

// x20: its CurrentEL, x21: HCR_EL2 read back, x24: what its guest gave at the end, x25: trapped
// writes, x19: ESR_EL2 of the first exception. The two differ in the names they use.
#define HYPERVISOR(prefix, own_vbar, guest_vbar, guest_ttbr0, hcr) \
	__asm__(".pushsection .snippets, \"ax\"\n" \
		".balign 2048\n" #prefix "_vectors:\n" \
		"	.space 0x400\n" \
		"	mrs x10, esr_el2\n" \
		"	cmp x19, #0\n" \
		"	csel x19, x10, x19, eq\n" \
		"	lsr x11, x10, #26\n" \
		"	cmp x11, #0x16\n" \
		"	b.eq 1f\n" \
		"	cmp x11, #0x18\n" \
		"	b.eq 2f\n" \
		"	hvc #0xbad\n" \
		"1:	and x12, x10, #0xffff\n" \
		"	cmp x12, #1\n" \
		"	b.ne 3f\n" \
		"	add x0, x0, #1\n" \
		"	eret\n" \
		"3:	mov x24, x0\n" \
		"	hvc #0x77\n" \
		"2:	mrs x12, elr_el2\n" \
		"	add x12, x12, #4\n" \
		"	msr elr_el2, x12\n" \
		"	msr " #guest_ttbr0 ", x3\n" \
		"	add x25, x25, #1\n" \
		"	eret\n" \
		"	.balign 2048\n" \
		".global " #prefix "_start\n" #prefix "_start:\n" \
		"	mrs x20, CurrentEL\n" \
		"	adr x1, " #prefix "_vectors\n" \
		"	msr " #own_vbar ", x1\n" \
		"	ldr x1, =" #hcr "\n" \
		"	msr hcr_el2, x1\n" \
		"	mrs x21, hcr_el2\n" \
		"	ldr x1, =nv_inner_vectors\n" \
		"	msr " #guest_vbar ", x1\n" \
		"	ldr x1, =0x12340\n" \
		"	msr sp_el1, x1\n" \
		"	ldr x1, =nv_inner_start\n" \
		"	msr elr_el2, x1\n" \
		"	mov x1, #0x3c5\n" \
		"	msr spsr_el2, x1\n" \
		"	eret\n" \
		"	.ltorg\n" \
		".popsection\n")

#define HYP_HCR 0x84000000 // RW, TVM
#define VHE_HYP_HCR 0x484000000 // and E2H

HYPERVISOR(nv_hyp, vbar_el2, vbar_el1, ttbr0_el1, 0x84000000);
// VBAR_EL12, TTBR0_EL12
HYPERVISOR(nv_vhe_hyp, vbar_el1, S3_5_C12_C0_0, S3_5_C2_C0_0, 0x484000000);

static void expect_success(void)
{
	EXPECT_EQ(nv_lent.unexpected, 0);
	EXPECT_EQ(nv_lent.x[20], 2 << 2); // the guest hypervisor is at EL2, as far as it can see
	EXPECT_EQ(nv_lent.x[22], 1 << 2); // its guest at EL1
	EXPECT_EQ(nv_lent.x[23], INNER_SP);
	EXPECT_EQ(nv_lent.x[26], ESR(EC_SVC, 3));
	EXPECT_MASKED(nv_lent.x[27], SPSR_M_MASK, SPSR_M_EL1H);
	EXPECT_EQ(nv_lent.x[19], ESR(EC_SYSREG, ISS_SYSREG_WRITE(3, 0, 2, 0, 0, 3)));
	EXPECT_EQ(nv_lent.x[25], 1);
	EXPECT_EQ(nv_lent.x[28], INNER_TTBR);
	EXPECT_EQ(nv_lent.x[24], 42);
	EXPECT_EQ(nv_lent.returns, 3);
	EXPECT_EQ(nv_lent.forwarded, 3);
	EXPECT_EQ(nv_lent.calls, 1);
}

TEST(a_guest_hypervisor_without_e2h_runs_a_guest)
{
	NEEDS_NV2;
	nv_page_clear();
	struct exc e = run_at(EL2, nv_host_start, nv_hyp_start, HCR_NV1);

	EXPECT_NO_EXC(e);
	expect_success();
	EXPECT_EQ(nv_lent.x[21], HYP_HCR);
	EXPECT_EQ(nv_lent.sysregs, 1); // VBAR_EL2; all others were in memory or its own
}

TEST(a_guest_hypervisor_that_is_a_host_runs_a_guest)
{
	NEEDS_NV2;
	nv_page_clear();
	struct exc e = run_at(EL2, nv_host_start, nv_vhe_hyp_start, 0);

	EXPECT_NO_EXC(e);
	expect_success();
	EXPECT_EQ(nv_lent.x[21], VHE_HYP_HCR);
	EXPECT_EQ(nv_lent.sysregs, 0); // VBAR_EL1 is its own register
}
