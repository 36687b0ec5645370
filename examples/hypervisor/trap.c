// SPDX-License-Identifier: Apache-2.0
//
// trap.c - why the guest left, read from ESR_EL2, and what to do about it.
//
// ESR_EL2.EC (bits 31:26) names the class, the ISS (bits 24:0) the particulars. Calls (HVC) return
// behind the instruction; traps (SMC under TSC, registers, WFI, aborts) return to it, so that the
// handler steps ELR where it has done the instruction's work, and leaves it where the instruction
// shall be tried again.

#include "hyp.h"

#define EC_WFX 0x01
#define EC_HVC 0x16
#define EC_SMC 0x17
#define EC_SYSREG 0x18
#define EC_DABT_LOWER 0x24

#define ISS_ISV (1ul << 24)
#define ISS_SSE (1ul << 21)
#define ISS_SF (1ul << 15)
#define ISS_WNR (1ul << 6)
#define ISS_FSC 0x3ful
#define FSC_TRANSLATION_LEVEL_0 0x04ul

#define SCTLR_M 1ul

enum exit_cause {
	EXIT_CAUSE_HVC,
	EXIT_CAUSE_SMC,
	EXIT_CAUSE_SYSREG,
	EXIT_CAUSE_DEMAND_PAGE,
	EXIT_CAUSE_MMIO,
	EXIT_CAUSE_WFI,
	EXIT_CAUSE_IRQ,
	EXIT_CAUSE_COUNT,
};

static uint64_t exit_count[EXIT_CAUSE_COUNT];

static void fail(const struct vcpu *vcpu, const char *what)
{
	uart_print("[EL2] %s: ESR %x ELR %x FAR %x HPFAR %x\n", what, read_sysreg(OWN(esr)),
		   vcpu->elr, read_sysreg(OWN(far)), read_sysreg(hpfar_el2));
	hyp_power_off();
}

// Register 31 in a trapped access is XZR, never SP.
static uint64_t get_reg(const struct vcpu *vcpu, unsigned n)
{
	return n == 31 ? 0 : vcpu->x[n];
}

static void set_reg(struct vcpu *vcpu, unsigned n, uint64_t value)
{
	if (n != 31) {
		vcpu->x[n] = value;
	}
}

// ---- Calls --------------------------------------------------------------------------------------

// The guest's text comes as an IPA; only memory that stage 2 maps for the guest is read.
static uint64_t print_for_guest(uint64_t ipa, uint64_t size)
{
	for (uint64_t i = 0; i < size && i < 256; i++) {
		uint64_t pa = stage2_lookup(ipa + i);
		if (!pa) {
			return (uint64_t)-1;
		}
		uart_putc(*(const char *)pa);
	}
	return 0;
}

static void handle_call(struct vcpu *vcpu)
{
	switch (vcpu->x[0]) {
	case PSCI_VERSION:
		vcpu->x[0] = 0x00010001;
		break;
	case PSCI_SYSTEM_OFF:
		uart_print("[EL2] the guest asks for power off\n");
		trap_print_summary();
		hyp_power_off();
	case HYPERCALL_GET_ID:
		vcpu->x[0] = 0x53545241; // "STRA"
		break;
	case HYPERCALL_PRINT:
		vcpu->x[0] = print_for_guest(vcpu->x[1], vcpu->x[2]);
		break;
	case HYPERCALL_PUTC:
		uart_putc((char)vcpu->x[1]);
		vcpu->x[0] = 0;
		break;
	case HYPERCALL_ALARM:
		alarm_set(vcpu->x[1]);
		vcpu->x[0] = 0;
		break;
	default:
		vcpu->x[0] = (uint64_t)-1; // NOT_SUPPORTED
		break;
	}
}

// ---- Trapped registers --------------------------------------------------------------------------

// The encoding as it stands in the ISS: Op0 [21:20], Op2 [19:17], Op1 [16:14], CRn [13:10], CRm
// [4:1].
#define ENC(op0, op1, crn, crm, op2) \
	((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)
#define ENC_MASK 0x3ffc1eul
#define ENC_ID_GROUP ENC(3, 0, 0, 0, 0) // HCR_EL2.TID3: op0 3, op1 0, CRn 0, CRm 1 to 7
#define ENC_ID_GROUP_MASK ENC(3, 7, 15, 0, 0)
#define ENC_ID_AA64PFR0_EL1 ENC(3, 0, 0, 4, 0)
#define ENC_ID_AA64MMFR0_EL1 ENC(3, 0, 0, 7, 0)

// ID registers: the guest is told of no EL2 and EL3, no SVE, and nothing at all outside PFR0 and
// MMFR0.
static uint64_t read_id(uint64_t encoding)
{
	uint64_t value;

	switch (encoding) {
	case ENC_ID_AA64PFR0_EL1:
		value = read_sysreg(id_aa64pfr0_el1) & ~(0xff00ul | 0xful << 32);
		uart_print("[EL2] trapped read of ID_AA64PFR0_EL1 (HCR_EL2.TID3): "
			   "is %x, shown %x\n",
			   read_sysreg(id_aa64pfr0_el1), value);
		return value;
	case ENC_ID_AA64MMFR0_EL1:
		return read_sysreg(id_aa64mmfr0_el1);
	default:
		return 0;
	}
}

// Writes that HCR_EL2.TVM traps are carried out for the guest. KVM watches them for the moment when
// the guest's caches and MMU come on, and then stops trapping; so do we.
static bool write_vm_register(struct vcpu *vcpu, uint64_t encoding, uint64_t value)
{
	const char *name;

	switch (encoding) {
	case ENC(3, 0, 1, 0, 0):
		write_sysreg(GUEST(sctlr), value);
		name = "SCTLR_EL1";
		if (value & SCTLR_M) {
			vcpu->hcr &= ~(uint64_t)HCR_TVM;
		}
		break;
	case ENC(3, 0, 2, 0, 0):
		write_sysreg(GUEST(ttbr0), value);
		name = "TTBR0_EL1";
		break;
	case ENC(3, 0, 2, 0, 1):
		write_sysreg(GUEST(ttbr1), value);
		name = "TTBR1_EL1";
		break;
	case ENC(3, 0, 2, 0, 2):
		write_sysreg(GUEST(tcr), value);
		name = "TCR_EL1";
		break;
	case ENC(3, 0, 10, 2, 0):
		write_sysreg(GUEST(mair), value);
		name = "MAIR_EL1";
		break;
	case ENC(3, 0, 13, 0, 1):
		write_sysreg(GUEST(contextidr), value);
		name = "CONTEXTIDR_EL1";
		break;
	default:
		return false;
	}
	uart_print("[EL2] trapped write of %s (HCR_EL2.TVM): %x%s\n", name, value,
		   vcpu->hcr & HCR_TVM ? "" : "; MMU on, no more of these");
	return true;
}

static void handle_sysreg(struct vcpu *vcpu, uint64_t iss)
{
	bool is_read = iss & 1;
	unsigned rt = iss >> 5 & 31;
	uint64_t encoding = iss & ENC_MASK;

	exit_count[EXIT_CAUSE_SYSREG]++;
	if (is_read && (encoding & ENC_ID_GROUP_MASK) == ENC_ID_GROUP) {
		set_reg(vcpu, rt, read_id(encoding));
	} else if (is_read || !write_vm_register(vcpu, encoding, get_reg(vcpu, rt))) {
		fail(vcpu, "access to a register that is not emulated");
	}
	vcpu->elr += 4;
}

// ---- Stage-2 faults -----------------------------------------------------------------------------

// Carries out the guest's load or store from what the syndrome says of it: size, register, sign
// extension, width.
static void emulate_mmio(struct vcpu *vcpu, uint64_t iss, uint64_t offset)
{
	unsigned size = 1u << (iss >> 22 & 3);
	unsigned rt = iss >> 16 & 31;

	exit_count[EXIT_CAUSE_MMIO]++;
	if (!(iss & ISS_ISV)) {
		fail(vcpu, "device access without a syndrome (a pair or write-back form?)");
	}
	if (iss & ISS_WNR) {
		uint64_t value = get_reg(vcpu, rt);
		vdev_write(offset, size, value);
		uart_print("[EL2] device: %u bytes to offset %x from x%u\n", (uint64_t)size, offset,
			   (uint64_t)rt);
	} else {
		uint64_t value = vdev_read(offset, size);
		unsigned unused = 64 - 8 * size;
		if (iss & ISS_SSE) {
			value = (uint64_t)((int64_t)(value << unused) >> unused);
		}
		if (!(iss & ISS_SF)) {
			value &= 0xffffffff;
		}
		set_reg(vcpu, rt, value);
		uart_print("[EL2] device: %u bytes from offset %x to x%u: %x\n", (uint64_t)size,
			   offset, (uint64_t)rt, value);
	}
	vcpu->elr += 4;
}

static void handle_data_abort(struct vcpu *vcpu, uint64_t iss)
{
	// HPFAR_EL2 has the page of the IPA from bit 4 up, FAR_EL2 the guest's virtual address and
	// so the offset.
	uint64_t ipa = (read_sysreg(hpfar_el2) & ~0xful) << 8 | (read_sysreg(OWN(far)) & 0xfff);

	if ((iss & ISS_FSC & ~3ul) != FSC_TRANSLATION_LEVEL_0) {
		fail(vcpu, "stage-2 fault that is not a translation fault");
	}
	if ((ipa & ~0xffful) == GUEST_DEVICE) {
		emulate_mmio(vcpu, iss, ipa & 0xfff);
	} else if ((ipa & ~0xffful) == GUEST_DEMAND_PAGE) {
		uint64_t *page = page_alloc();
		exit_count[EXIT_CAUSE_DEMAND_PAGE]++;
		stage2_map_page(GUEST_DEMAND_PAGE, (uint64_t)page, true, false);
		uart_print("[EL2] stage-2 fault, level %u, IPA %x: now mapped to %x\n", iss & 3,
			   ipa, (uint64_t)page);
		// ELR stays: the guest's instruction runs again, and this time it works.
	} else {
		fail(vcpu, "guest touched an address that it does not have");
	}
}

// ---- WFI ----------------------------------------------------------------------------------------

// The guest has nothing to do. With more guests another would run now; here EL2 itself waits.
// Interrupts are masked at EL2, but a pending one ends WFI all the same; it is taken as soon as the
// guest is back.
static void handle_wfi(struct vcpu *vcpu)
{
	exit_count[EXIT_CAUSE_WFI]++;
	if (!vgic_has_pending()) {
		uart_print("[EL2] trapped WFI (HCR_EL2.TWI): waiting for the guest\n");
		dsb();
		__asm__ volatile("wfi" ::: "memory");
	}
	vcpu->elr += 4;
}

static void handle_sync(struct vcpu *vcpu)
{
	uint64_t esr = read_sysreg(OWN(esr));
	uint64_t iss = esr & 0x1ffffff;

	switch (esr >> 26 & 0x3f) {
	case EC_HVC:
		exit_count[EXIT_CAUSE_HVC]++;
		handle_call(vcpu);
		break;
	case EC_SMC:
		exit_count[EXIT_CAUSE_SMC]++;
		uart_print("[EL2] trapped SMC (HCR_EL2.TSC), function %x\n", vcpu->x[0]);
		vcpu->elr += 4; // unlike HVC
		handle_call(vcpu);
		break;
	case EC_SYSREG:
		handle_sysreg(vcpu, iss);
		break;
	case EC_DABT_LOWER:
		handle_data_abort(vcpu, iss);
		break;
	case EC_WFX:
		handle_wfi(vcpu);
		break;
	default:
		fail(vcpu, "unexpected exit");
	}
}

void trap_handle(struct vcpu *vcpu, uint64_t cause)
{
	if (cause == EXIT_SYNC) {
		handle_sync(vcpu);
	} else if (cause == EXIT_IRQ) {
		exit_count[EXIT_CAUSE_IRQ]++;
		gic_handle_irq();
	} else {
		fail(vcpu, "exit of a kind that is not handled");
	}
}

void trap_print_summary(void)
{
	static const char *const name[EXIT_CAUSE_COUNT] = {
		[EXIT_CAUSE_HVC] = "HVC",
		[EXIT_CAUSE_SMC] = "SMC (TSC)",
		[EXIT_CAUSE_SYSREG] = "register (TID3, TVM)",
		[EXIT_CAUSE_DEMAND_PAGE] = "stage-2 fault, mapped",
		[EXIT_CAUSE_MMIO] = "stage-2 fault, device",
		[EXIT_CAUSE_WFI] = "WFI (TWI)",
		[EXIT_CAUSE_IRQ] = "IRQ",
	};

	uart_print("[EL2] exits of the guest:\n");
	for (unsigned i = 0; i < EXIT_CAUSE_COUNT; i++) {
		uart_print("        %u\t%s\n", exit_count[i], name[i]);
	}
}
