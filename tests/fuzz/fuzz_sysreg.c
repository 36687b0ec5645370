// SPDX-License-Identifier: Apache-2.0
// Fuzzes system instructions: random MRS, MSR, SYS, exception-generating and exception-returning
// words at every level, with random control registers. The machine must not crash (sanitizers
// look), and where it goes must be what sysreg_permitted says: the level, EC and ISS of a trap, no
// exception for an access to a register that is permitted.
//
//	fuzz_sysreg [--seed N] [--seconds N] [--iterations N] [CPU]
#include "base/bits.h"
#include "board/state.h"
#include "cpu/model.h"
#include "cpu/pe_internal.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"
#include "fuzz_common.h"

#define CODE UINT64_C(0x40010000)
#define DATA UINT64_C(0x40020000)
#define VECTORS UINT64_C(0x40080000)
#define ROUND 32 // instructions on one set of controls

struct driver {
	struct fuzz fuzz;
	struct strata *machine;
	struct pe *pe;
	bool quiet; // no level can fault on its vector
	unsigned long compared, trapped, undefined, permitted, memory;
};

// What steers traps. Few bits, many bits and none are equally likely.
static const uint16_t controls[] = {
	SR_SCTLR_EL1,     SR_SCTLR_EL2,     SR_SCTLR_EL3,   SR_HCR_EL2,      SR_HCR_EL2,
	SR_HCRX_EL2,      SR_SCR_EL3,       SR_CPACR_EL1,   SR_CPTR_EL2,     SR_CPTR_EL3,
	SR_MDCR_EL2,      SR_MDCR_EL3,      SR_CNTKCTL_EL1, SR_CNTHCTL_EL2,  SR_HFGRTR_EL2,
	SR_HFGWTR_EL2,    SR_HFGITR_EL2,    SR_HDFGRTR_EL2, SR_HDFGWTR_EL2,  SR_HAFGRTR_EL2,
	SR_PMUSERENR_EL0, SR_AMUSERENR_EL0, SR_ICH_HCR_EL2, SR_ICC_SRE_EL2,  SR_ICC_SRE_EL3,
	SR_HSTR_EL2,      SR_MDSCR_EL1,     SR_VNCR_EL2,    SR_TCR_EL2,      SR_VTCR_EL2,
	SR_TCR_EL1,       SR_VTTBR_EL2,     SR_ESR_EL1,     SR_SPSR_EL1,     SR_SPSR_EL2,
	SR_SPSR_EL3,      SR_ELR_EL1,       SR_ELR_EL2,     SR_CNTP_CTL_EL0, SR_ICC_SRE_EL1,
};

static uint64_t random_bits(struct fuzz *f)
{
	uint64_t value = fuzz_random(f);

	switch (fuzz_random(f) % 5) {
	case 0:
		return 0;
	case 1:
		return BIT(value % 64);
	case 2:
		return value & fuzz_random(f) & fuzz_random(f);
	case 3:
		return ~BIT(value % 64);
	default:
		return value;
	}
}

static void set_controls(struct driver *d)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		enum sysreg reg = (enum sysreg)controls[i];
		uint64_t value = random_bits(&d->fuzz), writable = d->pe->model->writable[reg];

		if (fuzz_random(&d->fuzz) % 3 == 0) {
			continue;
		}
		if (reg == SR_HCR_EL2 && value % 4 == 0) {
			value |= HCR_EL2_NV | (value >> 2 & (HCR_EL2_NV1 | HCR_EL2_NV2));
		}
		if (reg == SR_VNCR_EL2) {
			value = fuzz_random(&d->fuzz) % 4 == 0 ? value : DATA;
		}
		d->pe->sr[reg] = (d->pe->sr[reg] & ~writable) | (value & writable);
	}
}

// Translation would mostly fault on the instruction itself or on the vector. EL2's own is on now
// and then, for the page of VNCR_EL2; then nothing is compared.
static void keep_fetching(struct driver *d)
{
	static const uint16_t vbar[4] = {0, SR_VBAR_EL1, SR_VBAR_EL2, SR_VBAR_EL3};

	for (unsigned el = 1; el <= 3; el++) {
		d->pe->sr[vbar[el]] = VECTORS + el * 0x10000;
	}
	d->pe->sr[SR_SCTLR_EL1] &= ~SCTLR_M;
	d->pe->sr[SR_SCTLR_EL3] &= ~SCTLR_M;
	d->pe->sr[SR_HCR_EL2] &= ~(HCR_EL2_VM | HCR_EL2_DC);
	if (d->quiet) {
		d->pe->sr[SR_SCTLR_EL2] &= ~SCTLR_M;
	}
}

// A level that the controls allow, and PSTATE with everything masked.
static void set_level(struct driver *d)
{
	struct pe *pe = d->pe;
	uint64_t *scr = &pe->sr[SR_SCR_EL3];
	unsigned el = (unsigned)(fuzz_random(&d->fuzz) & 3);

	keep_fetching(d);
	if (el == 2 && !(*scr & SCR_EL3_NS)) {
		*scr |= SCR_EL3_EEL2;
	}
	if (el == 1) {
		pe->sr[SR_HCR_EL2] &= ~HCR_EL2_TGE;
	}
	if (el == 2 || (el == 0 && (pe->sr[SR_HCR_EL2] & HCR_EL2_TGE))) {
		pe->sr[SR_SCTLR_EL2] &= ~SCTLR_M;
	}
	pe_set_pstate(pe, 0x3c0 | el << 2 | (el != 0 && fuzz_random(&d->fuzz) % 4 != 0) |
				  (fuzz_random(&d->fuzz) & (BIT(22) | BIT(23) | MASK(31, 28))));
	pe_poked(pe);
}

static uint32_t random_word(struct driver *d)
{
	struct fuzz *f = &d->fuzz;
	uint32_t rt = (uint32_t)(fuzz_random(f) & 31), random = (uint32_t)fuzz_random(f);

	switch (random >> 28) {
	case 0: // anything of the system instructions
		return 0xd5000000u | (random & 0x3fffff);
	case 1: { // exceptions and returns
		static const uint32_t words[] = {0xd4000001, 0xd4000002, 0xd4000003, 0xd4200000,
						 0xd4400000, 0xd69f03e0, 0xd69f0bff, 0xd69f0fff,
						 0xd503207f, 0xd503205f, 0xd503203f, 0xd5033fdf};

		return words[fuzz_random(f) % 12] |
		       (random % 16 == 0 ? (random >> 4 & 0xffff) << 5 : 0);
	}
	default: { // an encoding of the table, or one beside it
		uint32_t enc = sysreg_rows[fuzz_random(f) % SYSREG_COUNT].enc;

		if (random % 16 == 0) {
			enc ^= 1u << (random >> 4 & 15);
		}
		return 0xd5000000u | (random >> 8 & 1) << 21 | (enc & 0xffff) << 5 | rt |
		       (enc >> 14 == 0 ? 1u << 19 : 0);
	}
	}
}

static bool is_access(uint32_t word)
{
	return (word & 0xffc00000) == 0xd5000000 && (word >> 19 & 3) != 0;
}

static void fail(struct driver *d, uint32_t word, const char *what, const char *control)
{
	printf("seed %llu, input %llu: %08x: %s (%s); now EL%u pc 0x%llx ESR_EL1 %llx ESR_EL2 %llx "
	       "ESR_EL3 %llx HCR_EL2 %llx SCR_EL3 %llx\n",
	       (unsigned long long)d->fuzz.seed, (unsigned long long)d->fuzz.iterations, word, what,
	       control != NULL ? control : "-", d->pe->el, (unsigned long long)d->pe->pc,
	       (unsigned long long)d->pe->sr[SR_ESR_EL1], (unsigned long long)d->pe->sr[SR_ESR_EL2],
	       (unsigned long long)d->pe->sr[SR_ESR_EL3], (unsigned long long)d->pe->sr[SR_HCR_EL2],
	       (unsigned long long)d->pe->sr[SR_SCR_EL3]);
	exit(1);
}

static uint64_t esr_at(const struct pe *pe, unsigned el)
{
	static const uint16_t esr[4] = {0, SR_ESR_EL1, SR_ESR_EL2, SR_ESR_EL3};

	return el == 0 ? 0 : pe->sr[esr[el]];
}

// Did the access go where the decision sent it? Only where nothing else may happen first: debug
// exceptions, an illegal state, an access in memory that aborts.
static void compare(struct driver *d, uint32_t word, const struct sysreg_decision *decision,
		    unsigned from)
{
	const struct pe *pe = d->pe;
	uint64_t esr = esr_at(pe, pe->el);
	unsigned own = from != 0 ? from : (pe->el == 2 ? 2 : 1);

	d->compared++;
	switch (decision->outcome) {
	case SYSREG_TRAPPED:
		d->trapped++;
		if (pe->el != decision->target_el || bits(esr, 31, 26) != decision->ec ||
		    bits(esr, 24, 0) != decision->iss) {
			fail(d, word, "not trapped as decided", decision->control);
		}
		break;
	case SYSREG_UNDEFINED:
		d->undefined++;
		if (pe->el != own || bits(esr, 31, 0) != BIT(25)) {
			fail(d, word, "not UNDEFINED as decided", decision->control);
		}
		break;
	case SYSREG_IN_MEMORY:
		d->memory++;
		// An abort is EL2's own; an external one that EL3 takes is there of a lower level.
		if (pe->pc != CODE + 4 &&
		    bits(esr, 31, 26) != (pe->el == 3 ? EC_DATA_ABORT : EC_DATA_ABORT_SAME)) {
			fail(d, word, "neither done in memory nor aborted", decision->control);
		}
		break;
	case SYSREG_PERMITTED:
		d->permitted++;
		if (pe->pc != CODE + 4 && (word >> 19 & 3) != 1) {
			fail(d, word, "permitted and not done", decision->control);
		}
		break;
	}
}

// Instead of the instruction: an NMI is not masked.
static bool took_interrupt(const struct pe *pe)
{
	return pe->pc >= VECTORS && (pe->pc & 0x180) != 0;
}

static void one(struct driver *d)
{
	struct pe *pe = d->pe;
	uint32_t word = random_word(d);
	unsigned from = pe->el;
	bool comparable = d->quiet && is_access(word) && !pe->il && !pe->ss &&
			  !(pe->sr[SR_MDSCR_EL1] & (MDSCR_EL1_SS | MDSCR_EL1_MDE));
	struct sysreg_decision decision;

	for (unsigned n = 0; n < 31; n++) {
		uint64_t value = fuzz_random(&d->fuzz);

		pe_set_x(pe, n, value % 4 == 0 ? value : DATA + (value >> 50 & ~UINT64_C(7)));
	}
	strata_write(d->machine, CODE, &word, sizeof(word));
	pe_set_pc(pe, CODE);
	decision = sysreg_permitted(pe, (uint16_t)bits(word, 20, 5), bit(word, 21), word & 31);
	pe->sr[SR_ESR_EL1] = pe->sr[SR_ESR_EL2] = pe->sr[SR_ESR_EL3] = 0;
	board_step(d->machine, 0);
	if (pe->el > 3 || pe->x[X_ZERO] != 0) {
		fail(d, word, "a PE that cannot be", NULL);
	}
	if (comparable && !took_interrupt(pe)) {
		compare(d, word, &decision, from);
	}
}

static void start_machine(struct driver *d, const char *cpu)
{
	struct strata_options options;
	char error[256];

	strata_options_init(&options);
	options.cpu = cpu;
	options.memory = 4u << 20;
	options.boot_el = 3;
	options.secure = true;
	if (strata_create(&d->machine, &options, error, sizeof(error)) != 0) {
		fprintf(stderr, "%s\n", error);
		exit(2);
	}
	board_start_bare(d->machine, CODE);
	d->pe = board_pe(d->machine, 0);
	if (strata_checkpoint(d->machine) != 0) {
		fprintf(stderr, "no checkpoint\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	static struct driver d;
	int next = fuzz_init(&d.fuzz, argc, argv);

	start_machine(&d, next < argc ? argv[next] : "max");
	for (unsigned n = 0; fuzz_next(&d.fuzz); n++) {
		if (n % ROUND == 0) {
			strata_restore(d.machine);
			set_controls(&d);
			d.quiet = fuzz_random(&d.fuzz) % 8 != 0;
		}
		set_level(&d);
		one(&d);
	}
	printf("%lu compared: %lu trapped, %lu UNDEFINED, %lu done, %lu in memory\n", d.compared,
	       d.trapped, d.undefined, d.permitted, d.memory);
	fuzz_done(&d.fuzz);
	strata_destroy(d.machine);
	return 0;
}
