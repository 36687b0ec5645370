// SPDX-License-Identifier: Apache-2.0
//
// arch.h - names for the architecture's bits, and how the two builds name the same registers.
//
// The classic build (HYP_VHE = 0) runs with HCR_EL2.E2H = 0: the hypervisor's own registers are
// called *_EL2 and the guest's *_EL1. With E2H = 1 (HYP_VHE = 1) the names *_EL1 mean, when used at
// EL2, the EL2 registers; the guest's are reached by *_EL12 (and its timers by *_EL02). That lets
// an operating system kernel written for EL1 run at EL2 unchanged. Here OWN() and GUEST() spell the
// difference, so that all other source is common.
#ifndef ARCH_H
#define ARCH_H

#if HYP_VHE
#define OWN(reg) reg##_el1
#define GUEST(reg) reg##_el12
#else
#define OWN(reg) reg##_el2
#define GUEST(reg) reg##_el1
#endif

#ifdef __ASSEMBLER__
#define ONE 1
#else
#define ONE 1ul
#endif

#define HCR_VM (1 << 0) // stage 2 on
#define HCR_FMO (1 << 3) // physical FIQ, IRQ and SError to EL2; virtual ones to the guest
#define HCR_IMO (1 << 4)
#define HCR_AMO (1 << 5)
#define HCR_TWI (1 << 13) // trap WFI
#define HCR_TID3 (1 << 18) // trap reads of the ID registers
#define HCR_TSC (1 << 19) // trap SMC
#define HCR_TVM (1 << 26) // trap writes of the guest's translation registers
#define HCR_TGE (1 << 27) // EL0 belongs to EL2: no EL1 below
#define HCR_RW (ONE << 31) // EL1 is AArch64
#define HCR_E2H (ONE << 34)
#define HCR_APK (ONE << 40) // do not trap pointer authentication
#define HCR_API (ONE << 41)

// HCR_EL2 while the hypervisor itself runs. With E2H a host has no guest beside it: TGE is set, and
// cleared on the way into the guest. Without E2H the bits have no meaning at EL2, and the guest's
// value can stay.
#define HCR_HOST (HCR_E2H | HCR_TGE | HCR_RW | HCR_API | HCR_APK)
#define HCR_GUEST_BASE \
	(HCR_VM | HCR_FMO | HCR_IMO | HCR_AMO | HCR_TWI | HCR_TID3 | HCR_TSC | HCR_TVM | HCR_RW | \
	 HCR_API | HCR_APK)

#define SPSR_DAIF 0x3c0
#define SPSR_EL0T 0x0
#define SPSR_EL1H 0x5
#define SPSR_EL2H 0x9

// Causes by which the EL2 vectors call trap_handle().
#define EXIT_SYNC 0
#define EXIT_IRQ 1
#define EXIT_OTHER 2

// Offsets in struct vcpu.
#define VCPU_ELR 248
#define VCPU_SPSR 256
#define VCPU_HCR 264

// Hypercalls (x0) beside PSCI: arguments in x1, x2.
#define HYPERCALL_GET_ID 0xc6000001
#define HYPERCALL_PRINT 0xc6000002 // x1 address, x2 bytes
#define HYPERCALL_PUTC 0xc6000003 // x1 character
#define HYPERCALL_ALARM 0xc6000004 // x1 ticks from now: interrupt INTID_ALARM then

#define PSCI_VERSION 0x84000000
#define PSCI_SYSTEM_OFF 0x84000008

// What the guest sees: an alarm interrupt that exists in no hardware, a device that exists in no
// hardware, and memory.
#define INTID_ALARM 40
#define GUEST_DEVICE 0x0a000000
#define GUEST_RAM 0x80000000
#define GUEST_RAM_BLOCK 0x40400000 // where that lies
#define GUEST_DEMAND_PAGE 0x80200000 // mapped when first touched

#define INTID_CNTHP 26
#define INTID_CNTV 27

#define GICD_BASE 0x08000000
#define GICR_BASE 0x080a0000
#define PL011_BASE 0x09000000
#define SECURE_PL061_BASE 0x090b0000

#ifndef __ASSEMBLER__

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

// GICv3 CPU interface: names that every assembler takes.
#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define ICC_EOIR1_EL1 S3_0_C12_C12_1
#define ICC_DIR_EL1 S3_0_C12_C11_1
#define ICC_BPR1_EL1 S3_0_C12_C12_3
#define ICC_CTLR_EL1 S3_0_C12_C12_4
#define ICC_SRE_EL1 S3_0_C12_C12_5
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7
#define ICC_SRE_EL2 S3_4_C12_C9_5
#define ICC_SRE_EL3 S3_6_C12_C12_5
#define ICH_HCR_EL2 S3_4_C12_C11_0
#define ICH_VMCR_EL2 S3_4_C12_C11_7
#define ICH_ELRSR_EL2 S3_4_C12_C11_5
#define ICH_LR0_EL2 S3_4_C12_C12_0

static inline void isb(void)
{
	__asm__ volatile("isb" ::: "memory");
}

static inline void dsb(void)
{
	__asm__ volatile("dsb ish" ::: "memory");
}

static inline void write32(uint64_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

static inline uint32_t read32(uint64_t address)
{
	return *(volatile uint32_t *)address;
}

#endif
#endif
