// SPDX-License-Identifier: Apache-2.0
//
// guest.c - the guest kernel at EL1. It knows nothing of being a guest, but for the hypercalls that
// it makes.
//
// Nothing here may call the hypervisor's functions or read its data: stage 2 does not map them.

#include "arch.h"
#include "user.h"

#include <stdbool.h>

#define KIND_SYNC_EL1 4
#define KIND_IRQ_EL1 5
#define KIND_SYNC_EL0 8
#define KIND_IRQ_EL0 9

#define EC_SVC 0x15
#define EC_DABT_LOWER 0x24

// As guest.S saves it.
struct frame {
	uint64_t x[19]; // x0 to x18
	uint64_t x29, x30;
	uint64_t elr, spsr;
};

uint64_t guest_hvc(uint64_t function, uint64_t a, uint64_t b);
uint64_t guest_smc(uint64_t function, uint64_t a, uint64_t b);
void guest_run_task(uint64_t entry, uint64_t stack);
void guest_leave_task(void) __attribute__((noreturn));
void guest_main(void) __attribute__((noreturn));
void guest_handle(struct frame *frame, uint64_t kind);

extern char guest_code_start[], guest_code_end[], guest_data_start[], guest_data_end[];
extern char user_code_start[], user_code_end[], user_data_start[], user_data_end[];
extern char user_stack_top[];

static volatile bool alarm_seen, timer_seen;

// ---- Output: one hypercall a line ---------------------------------------------------------------

static struct {
	char text[160];
	uint64_t size;
} line;

static void say(const char *text)
{
	while (*text && line.size < sizeof(line.text)) {
		line.text[line.size++] = *text++;
	}
}

static void say_hex(uint64_t value)
{
	char digits[17];
	unsigned n = sizeof(digits) - 1;

	digits[n] = '\0';
	do {
		digits[--n] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	say("0x");
	say(&digits[n]);
}

static void end_line(void)
{
	say("\n");
	guest_hvc(HYPERCALL_PRINT, (uint64_t)line.text, line.size);
	line.size = 0;
}

static void say_line(const char *text)
{
	say(text);
	end_line();
}

// ---- The guest's own stage 1: identity, 4 KiB granule, 39 bits ----------------------------------

#define DESC_BLOCK 1ul
#define DESC_TABLE 3ul
#define DESC_PAGE 3ul
#define ATTR_DEVICE (0ul << 2)
#define ATTR_NORMAL (1ul << 2)
#define AP_EL0 (1ul << 6) // EL0 may access
#define AP_RO (1ul << 7)
#define SH_INNER (3ul << 8)
#define AF (1ul << 10)
#define PXN (1ul << 53)
#define UXN (1ul << 54)
#define PAGE (AF | SH_INNER | ATTR_NORMAL | DESC_PAGE)

static uint64_t level1[512] __attribute__((aligned(4096)));
static uint64_t level2[3][512] __attribute__((aligned(4096))); // for each GiB
static uint64_t level3[512] __attribute__((aligned(4096))); // for the image

static void map(const char *start, const char *end, uint64_t attrs)
{
	for (uint64_t at = (uint64_t)start; at < (uint64_t)end; at += 4096) {
		level3[at >> 12 & 511] = at | PAGE | attrs;
	}
}

static void enable_mmu(void)
{
	map(guest_code_start, guest_code_end, AP_RO | UXN);
	map(guest_data_start, guest_data_end, PXN | UXN);
	map(user_code_start, user_code_end, AP_EL0 | AP_RO | PXN);
	map(user_data_start, user_data_end, AP_EL0 | PXN | UXN);
	for (unsigned gib = 0; gib < 3; gib++) {
		level1[gib] = (uint64_t)level2[gib] | DESC_TABLE;
	}
	level2[0][GUEST_DEVICE >> 21] = GUEST_DEVICE | AF | ATTR_DEVICE | PXN | UXN | DESC_BLOCK;
	level2[1][(uint64_t)guest_code_start >> 21 & 511] = (uint64_t)level3 | DESC_TABLE;
	for (uint64_t n = 0; n < 2; n++) {
		level2[2][n] = (GUEST_RAM + (n << 21)) | AF | SH_INNER | ATTR_NORMAL | PXN | UXN |
			       DESC_BLOCK;
	}
	// TCR: T0SZ, walks cacheable, TTBR1 unused (EPD1), IPS 40 bits.
	write_sysreg(mair_el1, 0xff00);
	write_sysreg(tcr_el1, (64 - 39) | 1ul << 8 | 1ul << 10 | 3ul << 12 | 1ul << 23 | 2ul << 32);
	write_sysreg(ttbr0_el1, level1);
	dsb();
	isb();
	__asm__ volatile("tlbi vmalle1\n\tdsb ish\n\tisb" ::: "memory");
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1ul << 0 | 1ul << 2 | 1ul << 12);
	isb();
}

// ---- Exceptions ---------------------------------------------------------------------------------

static void handle_irq(void)
{
	uint64_t intid = read_sysreg(ICC_IAR1_EL1);

	if (intid == INTID_ALARM) {
		say_line("[EL1] virtual IRQ: the alarm");
		alarm_seen = true;
	} else if (intid == INTID_CNTV) {
		say_line("[EL1] virtual IRQ: my own timer");
		write_sysreg(cntv_ctl_el0, 0);
		isb();
		timer_seen = true;
	} else if (intid >= 1020) {
		return;
	}
	write_sysreg(ICC_EOIR1_EL1, intid);
}

static void handle_svc(struct frame *frame)
{
	switch (frame->x[8]) {
	case SYSCALL_WRITE:
		frame->x[0] = guest_hvc(HYPERCALL_PRINT, frame->x[0], frame->x[1]);
		break;
	case SYSCALL_EXIT:
		say("[EL1] SVC from the task: exit with ");
		say_hex(frame->x[0]);
		end_line();
		guest_leave_task();
	default:
		frame->x[0] = (uint64_t)-1;
		break;
	}
}

void guest_handle(struct frame *frame, uint64_t kind)
{
	uint64_t esr = read_sysreg(esr_el1);

	if (kind == KIND_IRQ_EL1 || kind == KIND_IRQ_EL0) {
		handle_irq();
	} else if (kind == KIND_SYNC_EL0 && esr >> 26 == EC_SVC) {
		handle_svc(frame);
	} else if (kind == KIND_SYNC_EL0 && esr >> 26 == EC_DABT_LOWER) {
		say("[EL1] the task may not touch ");
		say_hex(read_sysreg(far_el1));
		say(": ESR ");
		say_hex(esr);
		end_line();
		frame->elr += 4; // forgiven
	} else {
		say("[EL1] unexpected exception: ESR ");
		say_hex(esr);
		say(" ELR ");
		say_hex(frame->elr);
		end_line();
		guest_hvc(PSCI_SYSTEM_OFF, 0, 0);
	}
}

// ---- What there is to see -----------------------------------------------------------------------

static void show_calls(void)
{
	say("[EL1] HVC: the hypervisor's id is ");
	say_hex(guest_hvc(HYPERCALL_GET_ID, 0, 0));
	end_line();
	say("[EL1] SMC: PSCI version ");
	say_hex(guest_smc(PSCI_VERSION, 0, 0));
	end_line();
	say("[EL1] ID_AA64PFR0_EL1 reads ");
	say_hex(read_sysreg(id_aa64pfr0_el1));
	end_line();
}

static void show_memory(void)
{
	volatile uint64_t *ram = (uint64_t *)GUEST_RAM, *demand = (uint64_t *)GUEST_DEMAND_PAGE;

	ram[1] = 0x1111; // a stage-2 block: no exit
	demand[2] = 0x2222; // one exit
	demand[3] = 0x3333; // none any more
	say("[EL1] memory: ");
	say_hex(ram[1]);
	say(", ");
	say_hex(demand[2]);
	say(", ");
	say_hex(demand[3]);
	end_line();
}

// Loads of several kinds, since the hypervisor has to do what each would have done. In assembly, so
// that each is a form that the syndrome describes: one register, no write-back.
static void show_device(void)
{
	uint64_t device = GUEST_DEVICE, id, word, half, byte;

	__asm__ volatile("str wzr, [%0, #8]" ::"r"(device) : "memory");
	__asm__ volatile("str %w1, [%0, #4]" ::"r"(device), "r"(0x12340000) : "memory");
	__asm__ volatile("strh %w1, [%0, #4]" ::"r"(device), "r"(0x80ff) : "memory");
	__asm__ volatile("ldr %w0, [%1]" : "=r"(id) : "r"(device) : "memory");
	__asm__ volatile("ldr %w0, [%1, #4]" : "=r"(word) : "r"(device) : "memory");
	__asm__ volatile("ldrsh %w0, [%1, #4]" : "=r"(half) : "r"(device) : "memory");
	__asm__ volatile("ldrb %w0, [%1, #4]" : "=r"(byte) : "r"(device) : "memory");
	say("[EL1] device: id ");
	say_hex(id);
	say(", word ");
	say_hex(word);
	say(", signed half ");
	say_hex(half);
	say(", byte ");
	say_hex(byte);
	end_line();
}

// Interrupts stay masked around WFI: it wakes for a masked one too, and none can slip in between
// test and wait.
static void wait_for(volatile bool *seen)
{
	while (!*seen) {
		__asm__ volatile("wfi" ::: "memory");
		__asm__ volatile("msr DAIFClr, #2\n\tisb\n\tmsr DAIFSet, #2" ::: "memory");
	}
}

static void show_interrupts(void)
{
	uint64_t millisecond = read_sysreg(cntfrq_el0) / 1000;

	write_sysreg(ICC_SRE_EL1, 7);
	isb();
	write_sysreg(ICC_PMR_EL1, 0xff);
	write_sysreg(ICC_IGRPEN1_EL1, 1);
	isb();
	guest_hvc(HYPERCALL_ALARM, millisecond, 0);
	wait_for(&alarm_seen);
	write_sysreg(cntv_cval_el0, read_sysreg(cntvct_el0) + millisecond);
	write_sysreg(cntv_ctl_el0, 1);
	isb();
	wait_for(&timer_seen);
}

void guest_main(void)
{
	enable_mmu();
	say_line("[EL1] guest kernel, MMU on");
	show_calls();
	show_memory();
	show_device();
	show_interrupts();
	say_line("[EL1] starting the task at EL0");
	guest_run_task((uint64_t)user_main, (uint64_t)user_stack_top);
	guest_hvc(HYPERCALL_PUTC, '.', 0);
	guest_hvc(HYPERCALL_PUTC, '\n', 0);
	guest_hvc(PSCI_SYSTEM_OFF, 0, 0);
	for (;;) {
	}
}
