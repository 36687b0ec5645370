// SPDX-License-Identifier: Apache-2.0
//
// hyp.h - what the parts of the hypervisor know of each other.
#ifndef HYP_H
#define HYP_H

#include "arch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096ul

// The guest's registers while it does not run. The EL1 system registers stay in the PE: there is
// one guest only.
struct vcpu {
	uint64_t x[31];
	uint64_t elr;
	uint64_t spsr;
	uint64_t hcr; // HCR_EL2 for the guest
};

_Static_assert(offsetof(struct vcpu, elr) == VCPU_ELR, "vectors.S");
_Static_assert(offsetof(struct vcpu, spsr) == VCPU_SPSR, "vectors.S");
_Static_assert(offsetof(struct vcpu, hcr) == VCPU_HCR, "vectors.S");

// uart.c: the board's PL011. %s, %c, %u (uint64_t), %x (uint64_t).
void uart_init(void);
void uart_putc(char c);
void uart_print(const char *format, ...);

// hyp_mmu.c: the hypervisor's own translation, identity, from TTBR0_EL2.
void hyp_mmu_enable(void);
// One zeroed page, never given back.
uint64_t *page_alloc(void);

// stage2.c: what the guest's addresses (IPA) mean.
void stage2_init(void);
void stage2_map_page(uint64_t ipa, uint64_t pa, bool writable, bool executable);
void stage2_map_block(uint64_t ipa, uint64_t pa); // 2 MiB
// The physical address, or 0 where nothing is mapped.
uint64_t stage2_lookup(uint64_t ipa);

// vgic.c: the physical GICv3 as the hypervisor uses it, and the virtual interrupts of the guest.
void gic_init(void);
void gic_handle_irq(void);
bool vgic_has_pending(void);
void alarm_set(uint64_t ticks);

// vdev.c: a device made of nothing: accesses fault in stage 2 and are carried out here.
uint64_t vdev_read(uint64_t offset, unsigned size);
void vdev_write(uint64_t offset, unsigned size, uint64_t value);

// trap.c: every exit of the guest comes here.
void trap_handle(struct vcpu *vcpu, uint64_t cause);
void trap_print_summary(void);

// vectors.S
void vcpu_run(struct vcpu *vcpu) __attribute__((noreturn));
extern const char el2_vectors[];

// hyp_main.c
void hyp_power_off(void) __attribute__((noreturn));

#endif
