// SPDX-License-Identifier: Apache-2.0
//
// host.c - a host at EL2 that runs the example hypervisor, unchanged, at EL1: nested
// virtualization with FEAT_NV2.
//
// The hypervisor believes that it is at EL2: CurrentEL says so. Of what it does with registers of
// EL2,
//
//	- most goes to the page of VNCR_EL2 and needs nobody: HCR_EL2, VTTBR_EL2, list registers,
//	  its guest's SCTLR_EL1 (SCTLR_EL12) ...
//	- what exceptions leave, ESR_EL2 and its like, means EL1's registers, which hold it
//	- what acts on the hypervisor itself traps to emulate(): its translation, its vectors
//	- ERET traps to enter_guest(): here the page becomes the machine's registers
//
// An exception of its guest comes to us first, and leave_guest() makes it one of virtual EL2. The
// host itself owns no memory and no device: what the hypervisor takes for physical is physical.
#include <stdbool.h>
#include <stdint.h>

#define STR_(x) #x
#define STR(x) STR_(x)

#define read_sysreg(reg) \
	({ \
		uint64_t value_; \
		__asm__ volatile("mrs %0, " STR(reg) : "=r"(value_)::"memory"); \
		value_; \
	})
#define write_sysreg(reg, value) \
	__asm__ volatile("msr " STR(reg) ", %x0" ::"rZ"((uint64_t)(value)) : "memory")

#define VNCR_EL2 S3_4_C2_C2_0
#define ICC_SRE_EL2 S3_4_C12_C9_5
#define ICH_HCR_EL2 S3_4_C12_C11_0
#define ICH_VMCR_EL2 S3_4_C12_C11_7
#define ICH_LR0_EL2 S3_4_C12_C12_0
#define ICH_AP1R0_EL2 S3_4_C12_C9_0

// HCR_EL2
#define HCR_RW (1ul << 31)
#define HCR_E2H (1ul << 34)
#define HCR_APK (1ul << 40)
#define HCR_API (1ul << 41)
#define HCR_NV (1ul << 42)
#define HCR_NV1 (1ul << 43)
#define HCR_NV2 (1ul << 45)
#define HCR_TGE (1ul << 27)
// While the hypervisor runs. One for an EL2 without E2H has tables with one execute-never bit and
// uses _EL1 names for its guest: NV1.
#define HCR_HYPERVISOR (HCR_RW | HCR_APK | HCR_API | HCR_NV | HCR_NV2 | (HYP_VHE ? 0 : HCR_NV1))
// While its guest runs: what the hypervisor wants of HCR_EL2, but for its own regime.
#define HCR_NOT_GUESTS (HCR_E2H | HCR_TGE)

#define SPSR_DAIF_EL1H 0x3c5
#define VECTOR_SYNC_LOWER 0x400
#define VECTOR_IRQ_LOWER 0x480

// CNTHCTL_EL2 (E2H = 0): the counter, and the EL1 physical timer, which to a hypervisor with E2H is
// its own EL2 timer and so traps.
#define CNTHCTL_HYPERVISOR 1
#define CNTHCTL_GUEST 3

#define EC_SYSREG 0x18
#define EC_ERET 0x1a

// The page, by the offsets of the Arm ARM.
#define P_VTTBR_EL2 0x020
#define P_VTCR_EL2 0x040
#define P_VMPIDR_EL2 0x050
#define P_CNTVOFF_EL2 0x060
#define P_HCR_EL2 0x078
#define P_VPIDR_EL2 0x088
#define P_CPACR_EL1 0x100
#define P_CONTEXTIDR_EL1 0x108
#define P_SCTLR_EL1 0x110
#define P_TCR_EL1 0x120
#define P_ESR_EL1 0x138
#define P_MAIR_EL1 0x140
#define P_SPSR_EL1 0x160
#define P_CNTV_CVAL_EL0 0x168
#define P_CNTV_CTL_EL0 0x170
#define P_TTBR0_EL1 0x200
#define P_TTBR1_EL1 0x210
#define P_FAR_EL1 0x220
#define P_ELR_EL1 0x230
#define P_SP_EL1 0x240
#define P_VBAR_EL1 0x250
#define P_ICH_LR0_EL2 0x400
#define P_ICH_AP1R0_EL2 0x4a0
#define P_ICH_HCR_EL2 0x4c0
#define P_ICH_VMCR_EL2 0x4c8

extern const char payload[]; // the hypervisor, from its first instruction

void host_main(void);
void host_sync(void);
void host_irq(void);
void host_unexpected(void) __attribute__((noreturn));

uint64_t host_x[31]; // general registers of whoever was interrupted

static uint64_t page[512] __attribute__((aligned(4096)));
static bool guest_runs; // else the hypervisor
static uint64_t hpfar; // of the guest's last exit

// The hypervisor's own EL1 registers while its guest has the PE.
static struct {
	uint64_t sctlr, cpacr, ttbr0, ttbr1, tcr, mair, vbar, sp, contextidr;
} hypervisor;

#define PAGE(offset) page[(offset) / 8]
#define LOAD(reg, offset) write_sysreg(reg, PAGE(offset))
#define SAVE(reg, offset) (PAGE(offset) = read_sysreg(reg))

// ---- Words for a person -------------------------------------------------------------------------

static void put(const char *text)
{
	for (; *text; text++) {
		*(volatile uint32_t *)0x09000000 = (unsigned char)*text;
	}
}

static void put_hex(const char *name, uint64_t value)
{
	put(name);
	for (int shift = 60; shift >= 0; shift -= 4) {
		char digit[2] = {"0123456789abcdef"[value >> shift & 15], 0};

		put(digit);
	}
}

void host_unexpected(void)
{
	put_hex("[host] no answer to ESR ", read_sysreg(esr_el2));
	put_hex(" ELR ", read_sysreg(elr_el2));
	put_hex(" FAR ", read_sysreg(far_el2));
	put("\n");
	register uint64_t x0 __asm__("x0") = 0x84000008; // PSCI SYSTEM_OFF
	__asm__ volatile("smc #0" : "+r"(x0)::"memory");
	for (;;) {
		__asm__ volatile("wfi");
	}
}

// ---- Registers of virtual EL2 -------------------------------------------------------------------

// As in the ISS: Op0 [21:20], Op2 [19:17], Op1 [16:14], CRn [13:10], CRm [4:1].
#define ENC(op0, op1, crn, crm, op2) \
	((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)
#define ENC_MASK 0x3ffc1eul

// TCR_EL2 of a regime with one range, as a TCR_EL1 whose second range is off.
static uint64_t tcr_el1_of_el2(uint64_t tcr)
{
	return (tcr & 0xffff) | (tcr >> 16 & 7) << 32 | (tcr >> 20 & 1) << 37 | 1ul << 23;
}

static bool emulate_write(uint64_t encoding, uint64_t value)
{
	switch (encoding) {
	case ENC(3, 4, 12, 0, 0): // VBAR_EL2
		write_sysreg(vbar_el1, value);
		return true;
	case ENC(3, 4, 1, 0, 0): // SCTLR_EL2
		write_sysreg(sctlr_el1, value);
		return true;
	case ENC(3, 4, 2, 0, 0): // TTBR0_EL2
		write_sysreg(ttbr0_el1, value);
		return true;
	case ENC(3, 4, 2, 0, 2): // TCR_EL2
		write_sysreg(tcr_el1, tcr_el1_of_el2(value));
		return true;
	case ENC(3, 4, 10, 2, 0): // MAIR_EL2
		write_sysreg(mair_el1, value);
		return true;
	case ENC(3, 4, 14, 2, 1): // CNTHP_CTL_EL2
	case ENC(3, 3, 14, 2, 1): // CNTP_CTL_EL0, with E2H the same
		write_sysreg(cnthp_ctl_el2, value);
		return true;
	case ENC(3, 4, 14, 2, 2): // CNTHP_CVAL_EL2
	case ENC(3, 3, 14, 2, 2): // CNTP_CVAL_EL0
		write_sysreg(cnthp_cval_el2, value);
		return true;
	case ENC(3, 5, 14, 1, 0): // CNTKCTL_EL12
		write_sysreg(cntkctl_el1, value);
		return true;
	case ENC(1, 4, 8, 7, 0): // TLBI ALLE2
	case ENC(1, 4, 8, 3, 0): // TLBI ALLE2IS
		__asm__ volatile("tlbi vmalle1\n\tdsb ish" ::: "memory");
		return true;
	case ENC(3, 4, 1, 1, 1): // MDCR_EL2
	case ENC(3, 4, 1, 1, 2): // CPTR_EL2
	case ENC(3, 4, 14, 1, 0): // CNTHCTL_EL2
	case ENC(3, 4, 12, 9, 5): // ICC_SRE_EL2
		return true; // nothing of this hypervisor's is trapped by them
	default:
		return false;
	}
}

static bool emulate_read(uint64_t encoding, uint64_t *value)
{
	switch (encoding) {
	case ENC(3, 4, 12, 0, 0): // VBAR_EL2
		*value = read_sysreg(vbar_el1);
		return true;
	case ENC(3, 4, 6, 0, 4): // HPFAR_EL2
		*value = hpfar;
		return true;
	case ENC(3, 4, 12, 11, 5): // ICH_ELRSR_EL2: the states are in LR<n>[63:62]
		*value = PAGE(P_ICH_LR0_EL2) >> 62 == 0;
		return true;
	default:
		return false;
	}
}

static void emulate(uint64_t iss)
{
	unsigned rt = iss >> 5 & 31;
	uint64_t value = 0;

	if (iss & 1) {
		if (!emulate_read(iss & ENC_MASK, &value)) {
			host_unexpected();
		}
		if (rt != 31) {
			host_x[rt] = value;
		}
	} else if (!emulate_write(iss & ENC_MASK, rt == 31 ? 0 : host_x[rt])) {
		host_unexpected();
	}
	write_sysreg(elr_el2, read_sysreg(elr_el2) + 4);
}

// ---- From the hypervisor to its guest and back --------------------------------------------------

static void keep_hypervisor(void)
{
	hypervisor.sctlr = read_sysreg(sctlr_el1);
	hypervisor.cpacr = read_sysreg(cpacr_el1);
	hypervisor.ttbr0 = read_sysreg(ttbr0_el1);
	hypervisor.ttbr1 = read_sysreg(ttbr1_el1);
	hypervisor.tcr = read_sysreg(tcr_el1);
	hypervisor.mair = read_sysreg(mair_el1);
	hypervisor.vbar = read_sysreg(vbar_el1);
	hypervisor.sp = read_sysreg(sp_el1);
	hypervisor.contextidr = read_sysreg(contextidr_el1);
}

static void restore_hypervisor(void)
{
	write_sysreg(sctlr_el1, hypervisor.sctlr);
	write_sysreg(cpacr_el1, hypervisor.cpacr);
	write_sysreg(ttbr0_el1, hypervisor.ttbr0);
	write_sysreg(ttbr1_el1, hypervisor.ttbr1);
	write_sysreg(tcr_el1, hypervisor.tcr);
	write_sysreg(mair_el1, hypervisor.mair);
	write_sysreg(vbar_el1, hypervisor.vbar);
	write_sysreg(sp_el1, hypervisor.sp);
	write_sysreg(contextidr_el1, hypervisor.contextidr);
}

// The hypervisor's ERET. Where to and in which state stands where it wrote "ELR_EL2" and
// "SPSR_EL2": in EL1's registers. The guest's own come out of the page.
static void enter_guest(void)
{
	keep_hypervisor();
	write_sysreg(elr_el2, read_sysreg(elr_el1));
	write_sysreg(spsr_el2, read_sysreg(spsr_el1));
	LOAD(sctlr_el1, P_SCTLR_EL1);
	LOAD(cpacr_el1, P_CPACR_EL1);
	LOAD(ttbr0_el1, P_TTBR0_EL1);
	LOAD(ttbr1_el1, P_TTBR1_EL1);
	LOAD(tcr_el1, P_TCR_EL1);
	LOAD(mair_el1, P_MAIR_EL1);
	LOAD(vbar_el1, P_VBAR_EL1);
	LOAD(sp_el1, P_SP_EL1);
	LOAD(contextidr_el1, P_CONTEXTIDR_EL1);
	LOAD(esr_el1, P_ESR_EL1);
	LOAD(far_el1, P_FAR_EL1);
	LOAD(elr_el1, P_ELR_EL1);
	LOAD(spsr_el1, P_SPSR_EL1);
	LOAD(vttbr_el2, P_VTTBR_EL2);
	LOAD(vtcr_el2, P_VTCR_EL2);
	LOAD(vpidr_el2, P_VPIDR_EL2);
	LOAD(vmpidr_el2, P_VMPIDR_EL2);
	LOAD(cntvoff_el2, P_CNTVOFF_EL2);
	LOAD(cntv_cval_el0, P_CNTV_CVAL_EL0);
	LOAD(cntv_ctl_el0, P_CNTV_CTL_EL0);
	LOAD(ICH_VMCR_EL2, P_ICH_VMCR_EL2);
	LOAD(ICH_AP1R0_EL2, P_ICH_AP1R0_EL2);
	LOAD(ICH_LR0_EL2, P_ICH_LR0_EL2);
	LOAD(ICH_HCR_EL2, P_ICH_HCR_EL2);
	write_sysreg(cnthctl_el2, CNTHCTL_GUEST);
	write_sysreg(hcr_el2, PAGE(P_HCR_EL2) & ~HCR_NOT_GUESTS);
	guest_runs = true;
}

// The guest's timer goes on: its interrupt is to find the hypervisor, which looks for it.
static void save_guest(void)
{
	SAVE(sctlr_el1, P_SCTLR_EL1);
	SAVE(cpacr_el1, P_CPACR_EL1);
	SAVE(ttbr0_el1, P_TTBR0_EL1);
	SAVE(ttbr1_el1, P_TTBR1_EL1);
	SAVE(tcr_el1, P_TCR_EL1);
	SAVE(mair_el1, P_MAIR_EL1);
	SAVE(vbar_el1, P_VBAR_EL1);
	SAVE(sp_el1, P_SP_EL1);
	SAVE(contextidr_el1, P_CONTEXTIDR_EL1);
	SAVE(esr_el1, P_ESR_EL1);
	SAVE(far_el1, P_FAR_EL1);
	SAVE(elr_el1, P_ELR_EL1);
	SAVE(spsr_el1, P_SPSR_EL1);
	SAVE(cntv_cval_el0, P_CNTV_CVAL_EL0);
	SAVE(cntv_ctl_el0, P_CNTV_CTL_EL0);
	SAVE(ICH_VMCR_EL2, P_ICH_VMCR_EL2);
	SAVE(ICH_AP1R0_EL2, P_ICH_AP1R0_EL2);
	SAVE(ICH_LR0_EL2, P_ICH_LR0_EL2);
	write_sysreg(ICH_HCR_EL2, 0);
}

// An exception of the guest, taken to virtual EL2: what EL2 would have it in, EL1's registers get.
static void leave_guest(uint64_t vector)
{
	save_guest();
	restore_hypervisor();
	hpfar = read_sysreg(hpfar_el2);
	write_sysreg(esr_el1, read_sysreg(esr_el2));
	write_sysreg(far_el1, read_sysreg(far_el2));
	write_sysreg(elr_el1, read_sysreg(elr_el2));
	write_sysreg(spsr_el1, read_sysreg(spsr_el2));
	write_sysreg(elr_el2, hypervisor.vbar + vector);
	write_sysreg(spsr_el2, SPSR_DAIF_EL1H);
	write_sysreg(vttbr_el2, 0);
	write_sysreg(cnthctl_el2, CNTHCTL_HYPERVISOR);
	write_sysreg(hcr_el2, HCR_HYPERVISOR);
	guest_runs = false;
}

// ---- Exits --------------------------------------------------------------------------------------

void host_sync(void)
{
	uint64_t esr = read_sysreg(esr_el2);

	if (guest_runs) {
		leave_guest(VECTOR_SYNC_LOWER);
		return;
	}
	switch (esr >> 26 & 0x3f) {
	case EC_SYSREG:
		emulate(esr & 0x1ffffff);
		break;
	case EC_ERET:
		enter_guest();
		break;
	default:
		host_unexpected();
	}
}

// The hypervisor runs with HCR_EL2.IMO = 0 and has the GIC to itself; only what comes while its
// guest runs comes here, and stays pending for it.
void host_irq(void)
{
	if (!guest_runs) {
		host_unexpected();
	}
	leave_guest(VECTOR_IRQ_LOWER);
}

void host_main(void)
{
	if ((read_sysreg(id_aa64mmfr2_el1) >> 24 & 15) < 2) {
		put("[host] this PE has no FEAT_NV2\n");
		host_unexpected();
	}
	write_sysreg(VNCR_EL2, page);
	write_sysreg(cptr_el2, 0x32ff);
	write_sysreg(mdcr_el2, 0);
	write_sysreg(hstr_el2, 0);
	write_sysreg(vttbr_el2, 0);
	write_sysreg(vpidr_el2, read_sysreg(midr_el1));
	write_sysreg(vmpidr_el2, read_sysreg(mpidr_el1));
	write_sysreg(cnthctl_el2, CNTHCTL_HYPERVISOR);
	write_sysreg(ICC_SRE_EL2, 0xf);
	write_sysreg(sctlr_el1, 0x30d00800);
	put("[host] the hypervisor starts at EL1, which it takes for EL2\n");
	write_sysreg(elr_el2, payload);
	write_sysreg(spsr_el2, SPSR_DAIF_EL1H);
	write_sysreg(hcr_el2, HCR_HYPERVISOR);
}
