// SPDX-License-Identifier: Apache-2.0
//
// bench.h - what a benchmark guest has to work with.
//
// A program is a function bench_NAME(), called at EL2 with the MMU on (identity map, 2 MiB blocks,
// caches on). Most go on to EL1, whose stage 1 uses the same tables, by enter_el1(). A program ends
// in bench_done(), which prints
//
//	bench: OPERATIONS operations, checksum CHECKSUM
//
// and exits. The words "percent=N" on the command line scale the operations; with 0 only the
// preparations are left, which the runner subtracts.
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n) (1ul << (n))
#define PAGE 4096ul
#define MIB (1ul << 20)

// ---- RAM, 512 MiB of it -------------------------------------------------------------------------
// 0x40000000: device tree and image; then the translation tables; then what programs work on.
#define TABLES 0x41000000ul
#define TABLES_END 0x44000000ul
#define ARENA 0x44000000ul
#define ARENA_END 0x60000000ul

// Virtual windows that no program shares with the identity map. 39-bit addresses.
#define USER_VA 0x1000000000ul // EL0's code, read-only
#define WINDOW_VA 0x2000000000ul // pages of 4 KiB, as programs map them
#define WINDOW_IPA 0x3000000000ul // the same of stage 2

// ---- The frame of a program (runtime.c, start.S) ------------------------------------------------
uint64_t bench_count(uint64_t full); // of the operations asked for
_Noreturn void bench_done(uint64_t operations, uint64_t checksum);
_Noreturn void bench_fail(const char *why, uint64_t value);
_Noreturn void enter_el1(void (*fn)(void));
_Noreturn void enter_el0(uint64_t pc, uint64_t x0, uint64_t x1);
extern char user_start[], user_end[];
// The address at which EL0 sees a label of section .user.
#define USER(label) (USER_VA + (uint64_t)(label) - (uint64_t)user_start)

static inline uint64_t mix(uint64_t sum, uint64_t value)
{
	return (sum ^ value) * 0x9e3779b97f4a7c15ul + (sum >> 29);
}

// xorshift64*: numbers that are the same on every run.
static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dul;
}

// ---- System registers ---------------------------------------------------------------------------
#define read_sysreg(name) \
	({ \
		uint64_t value_; \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory"); \
		value_; \
	})
#define write_sysreg(name, value) \
	__asm__ volatile("msr " #name ", %x0" ::"rZ"((uint64_t)(value)) : "memory")

static inline void isb(void)
{
	__asm__ volatile("isb" ::: "memory");
}

static inline void dsb(void)
{
	__asm__ volatile("dsb ish" ::: "memory");
}

#define HCR_VM BIT(0)
#define HCR_FMO BIT(3)
#define HCR_IMO BIT(4)
#define HCR_TID3 BIT(18)
#define HCR_TVM BIT(26)
#define HCR_RW BIT(31)
#define HCR_APK BIT(40)
#define HCR_API BIT(41)
#define HCR_BASE (HCR_RW | HCR_APK | HCR_API)

// ---- Translation tables (memory.c): 4 KiB granule, 39-bit input, start at level 1 ---------------
// Stage-1 leaf attributes. AttrIndx 0 is Device-nGnRE, 1 Normal Write-Back.
#define PT_NORMAL (BIT(10) | 3ul << 8 | 1ul << 2)
#define PT_DEVICE (BIT(10) | 0ul << 2)
#define PT_EL0 BIT(6)
#define PT_READ_ONLY BIT(7)
#define PT_NOT_GLOBAL BIT(11)
#define PT_PXN BIT(53)
#define PT_UXN BIT(54)
#define PT_DATA (PT_NORMAL | PT_PXN | PT_UXN)
// Stage-2 leaf attributes.
#define S2_NORMAL (BIT(10) | 3ul << 8 | 0xful << 2 | 3ul << 6)
#define S2_DEVICE (BIT(10) | 1ul << 2 | 3ul << 6)

uint64_t *table_new(void);
// The descriptor for an address at level 2 (2 MiB) or 3 (4 KiB); tables above it are made where
// they are missing.
uint64_t *table_entry(uint64_t *root, uint64_t address, int level);
void map_pages(uint64_t *root, uint64_t address, uint64_t pa, uint64_t size, uint64_t attributes);
void map_blocks(uint64_t *root, uint64_t address, uint64_t pa, uint64_t size, uint64_t attributes);
uint64_t *stage1_new(void); // with the identity map and EL0's code
extern uint64_t *stage1_root; // in use at EL3, EL2 and EL1
// Stage 2: everything at its own address by blocks; what lies in [pages, pages_end) by pages.
uint64_t *stage2_new(uint64_t pages, uint64_t pages_end);
void stage2_on(uint64_t *root); // from EL2, VMID 1
void memory_on_el1(void); // from EL2
void memory_on_el2(void);
void memory_on_el3(void);

static inline uint64_t page_descriptor(uint64_t pa, uint64_t attributes)
{
	return pa | attributes | 3;
}

#endif
