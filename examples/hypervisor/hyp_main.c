// SPDX-License-Identifier: Apache-2.0
//
// hyp_main.c - sets EL2 up, makes the guest, lets it run.

#include "hyp.h"

#define PSCI_CALL_RETURNED "[EL2] power off did not work; waiting for ever\n"

extern const char guest_entry[];

void hyp_main(uint64_t boot_el) __attribute__((noreturn));
void hyp_report_panic(uint64_t esr, uint64_t elr, uint64_t far) __attribute__((noreturn));

static struct vcpu vcpu;

// Who may be trapped to EL2 beside what HCR_EL2 says. E2H changes the layout of two of these
// registers.
static void init_el2_controls(void)
{
	if (HYP_VHE) {
		write_sysreg(cptr_el2, 3ul << 20 | 3ul << 16); // as CPACR_EL1: FPEN, ZEN
		write_sysreg(cnthctl_el2, 3ul << 10); // EL1PCTEN, EL1PTEN
	} else {
		write_sysreg(cptr_el2, 0x32ff); // RES1; TFP and TZ clear
		write_sysreg(cnthctl_el2, 3); // EL1PCTEN, EL1PCEN
	}
	write_sysreg(hstr_el2, 0);
	write_sysreg(mdcr_el2, 0);
	write_sysreg(vpidr_el2, read_sysreg(midr_el1)); // what the guest reads as its identity
	write_sysreg(vmpidr_el2, read_sysreg(mpidr_el1));
	write_sysreg(cntvoff_el2, read_sysreg(cntpct_el0)); // the guest's time starts now
	write_sysreg(OWN(vbar), el2_vectors);
	isb();
}

// The guest's EL1 as after a reset: MMU off. Nothing else of it needs a value.
static void init_guest(void)
{
	write_sysreg(GUEST(sctlr), 0x30d00800);
	write_sysreg(GUEST(cpacr), 3ul << 20);
	write_sysreg(GUEST(vbar), 0);
	write_sysreg(GUEST(cntkctl), 0);
#if HYP_VHE
	write_sysreg(cntv_ctl_el02, 0);
#else
	write_sysreg(cntv_ctl_el0, 0);
#endif
	vcpu.elr = (uint64_t)guest_entry;
	vcpu.spsr = SPSR_DAIF | SPSR_EL1H;
	vcpu.hcr = HCR_GUEST_BASE | (HYP_VHE ? HCR_E2H : 0);
}

// The same name, two registers: at EL2 with E2H set VBAR_EL1 is VBAR_EL2, and VBAR_EL12 is the
// guest's.
static void show_redirection(void)
{
#if HYP_VHE
	uart_print("[EL2] E2H: VBAR_EL1 reads %x, VBAR_EL2 %x, VBAR_EL12 (the guest's) %x\n",
		   read_sysreg(vbar_el1), read_sysreg(vbar_el2), read_sysreg(vbar_el12));
#else
	uart_print("[EL2] no E2H: VBAR_EL1 (the guest's) reads %x, VBAR_EL2 %x\n",
		   read_sysreg(vbar_el1), read_sysreg(vbar_el2));
#endif
}

void hyp_main(uint64_t boot_el)
{
	init_el2_controls();
	hyp_mmu_enable();
	uart_init();
	uart_print("[EL2] hypervisor (%s), entered at EL%u, MMU on\n", HYP_VHE ? "E2H" : "no E2H",
		   boot_el);
	init_guest();
	show_redirection();
	stage2_init();
	gic_init();
	uart_print("[EL2] guest enters at %x, EL1, behind stage 2\n", vcpu.elr);
	vcpu_run(&vcpu);
}

// PSCI by SMC: to the platform's firmware, or to the few lines that we left at EL3.
void hyp_power_off(void)
{
	register uint64_t x0 __asm__("x0") = PSCI_SYSTEM_OFF;

	__asm__ volatile("smc #0" : "+r"(x0)::"x1", "x2", "x3", "memory");
	uart_print(PSCI_CALL_RETURNED);
	for (;;) {
		__asm__ volatile("wfi");
	}
}

// An exception from EL2 itself.
void hyp_report_panic(uint64_t esr, uint64_t elr, uint64_t far)
{
	uart_print("[EL2] panic: ESR %x ELR %x FAR %x\n", esr, elr, far);
	hyp_power_off();
}
