// SPDX-License-Identifier: Apache-2.0
// Where one instruction goes and why: what happens when it is executed, the controls that were
// asked for it, and what happens when the ones that decided are undone.
#include "explain/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "board/state.h"
#include "cpu/field.h"
#include "cpu/model.h"
#include "cpu/pe.h"
#include "explain/assemble.h"
#include "explain/open.h"
#include "strata/strata.h"
#include "trace/describe.h"

#define RAM_COPIED ((size_t)4 << 20)

struct strata_explainer {
	struct scene *scene;
	char cpu[64];
};

void *explain_grow(void **array, size_t *count, size_t size)
{
	void *more = realloc(*array, (*count + 1) * size);

	if (more == NULL) {
		return NULL;
	}
	*array = more;
	more = (char *)more + *count * size;
	memset(more, 0, size);
	++*count;
	return more;
}

bool explain_is_access(uint32_t word, uint16_t *enc, bool *read, unsigned *rt)
{
	if (bits(word, 31, 22) != 0x354 || bits(word, 20, 19) == 0) {
		return false;
	}
	*enc = (uint16_t)bits(word, 20, 5);
	*read = bit(word, 21);
	*rt = (unsigned)bits(word, 4, 0);
	return true;
}

const char *explain_class_text(unsigned ec)
{
	static const char *const texts[64] = {
		[0x00] = "unknown reason",
		[0x01] = "trapped WFI or WFE",
		[0x07] = "trapped FP or SIMD",
		[0x09] = "trapped pointer authentication",
		[0x0a] = "trapped 64-byte load or store",
		[0x0d] = "branch target exception",
		[0x0e] = "illegal execution state",
		[0x15] = "SVC",
		[0x16] = "HVC",
		[0x17] = "SMC",
		[0x18] = "trapped MSR/MRS/system",
		[0x19] = "trapped SVE",
		[0x1a] = "trapped ERET",
		[0x1c] = "pointer authentication failed",
		[0x20] = "instruction abort from a lower level",
		[0x21] = "instruction abort",
		[0x22] = "PC alignment fault",
		[0x24] = "data abort from a lower level",
		[0x25] = "data abort",
		[0x26] = "SP alignment fault",
		[0x27] = "memory copy or set",
		[0x2c] = "FP exception",
		[0x2f] = "SError",
		[0x30] = "breakpoint from a lower level",
		[0x31] = "breakpoint",
		[0x32] = "software step from a lower level",
		[0x33] = "software step",
		[0x34] = "watchpoint from a lower level",
		[0x35] = "watchpoint",
		[0x3c] = "BRK",
	};

	return texts[ec & 63] != NULL ? texts[ec & 63] : "reserved class";
}

static const char *level_text(unsigned el, bool secure)
{
	static const char *const texts[2][4] = {{"EL0", "EL1", "EL2", "EL3"},
						{"Secure EL0", "Secure EL1", "Secure EL2", "EL3"}};

	return texts[secure][el & 3];
}

// ---- ends ---------------------------------------------------------------------------------------

static void exception_text(struct strata_explain_end *end)
{
	struct text text;

	text_init(&text, end->text, sizeof(end->text));
	text_add(&text, "%s%s, EC 0x%02x (%s), ISS 0x%x",
		 end->outcome == STRATA_EXPLAIN_UNDEFINED ? "UNDEFINED: " : "",
		 level_text(end->el, end->secure), end->ec, explain_class_text(end->ec), end->iss);
	if (end->has_far) {
		text_add(&text, ", FAR 0x%llx", (unsigned long long)end->far);
	}
	if (end->ec == 0x20 || end->ec == 0x21 || end->ec == 0x24 || end->ec == 0x25) {
		text_add(&text, ": ");
		esr_fault_status(end->iss & 0x3f, &text);
	}
}

static void end_exception(struct strata_explain_end *end, unsigned el, bool secure, uint64_t esr)
{
	end->outcome = bits(esr, 31, 26) == 0 ? STRATA_EXPLAIN_UNDEFINED : STRATA_EXPLAIN_EXCEPTION;
	end->el = el;
	end->secure = secure;
	end->ec = (unsigned)bits(esr, 31, 26);
	end->iss = (uint32_t)bits(esr, 24, 0);
}

// A permitted access: which register is meant.
static void access_text(struct strata_explain_end *end, uint16_t enc, bool read, enum sysreg reg,
			const struct pe *pe)
{
	enum sysreg named = sysreg_find(enc);
	struct sysreg_info info;

	if ((enc >> 14) == 1) {
		snprintf(end->text, sizeof(end->text), "permitted, executes %s", sysreg_name(reg));
		return;
	}
	sysreg_describe(named, &info);
	snprintf(end->text, sizeof(end->text), "permitted, %s %s%s", read ? "reads" : "writes",
		 sysreg_name(reg),
		 (info.e2h == SYSREG_NONE && info.alias == SYSREG_NONE) || !pe_has(pe, FEAT_VHE)
			 ? ""
		 : (pe_hcr(pe) >> 34) & 1 ? " (HCR_EL2.E2H=1)"
					  : " (HCR_EL2.E2H=0)");
}

static uint64_t esr_of(const struct sysreg_control *c, uint16_t enc, bool read, unsigned rt)
{
	uint64_t iss = c->ec == 0x18 ? (uint64_t)(enc >> 14) << 20 | bits(enc, 2, 0) << 17 |
					       bits(enc, 13, 11) << 14 | bits(enc, 10, 7) << 10 |
					       (uint64_t)rt << 5 | bits(enc, 6, 3) << 1 | read
		       : c->ec == 0x07 ? UINT64_C(0x1e00000)
				       : 0;

	return (uint64_t)c->ec << 26 | iss;
}

void explain_end_of_control(const struct sysreg_control *c, uint16_t enc, bool read, unsigned rt,
			    const struct pe *pe, struct strata_explain_end *end)
{
	unsigned el = pe_el(pe);

	memset(end, 0, sizeof(*end));
	end->el = el;
	end->secure = pe_is_secure(pe);
	if (c->name != NULL) {
		snprintf(end->control, sizeof(end->control), "%s", c->name);
	}
	switch (c->outcome) {
	case SYSREG_PERMITTED:
		access_text(end, enc, read, c->instead, pe);
		break;
	case SYSREG_IN_MEMORY:
		end->outcome = STRATA_EXPLAIN_MEMORY;
		snprintf(end->text, sizeof(end->text), "done in memory, at VNCR_EL2.BADDR + 0x%x",
			 c->vncr);
		break;
	case SYSREG_UNDEFINED:
		end_exception(end, el != 0 ? el : (pe_hcr(pe) >> 27 & 1) ? 2 : 1, end->secure, 0);
		exception_text(end);
		break;
	case SYSREG_TRAPPED:
		end_exception(end, c->target_el, c->target_el == 3 || end->secure,
			      esr_of(c, enc, read, rt));
		exception_text(end);
		break;
	}
}

// Execute it, and say what happened.
static void end_of_run(struct scene *scene, struct strata_explanation *e,
		       struct strata_explain_end *end)
{
	struct pe *pe = scene_pe(scene);
	struct sysreg_decision d = {.outcome = SYSREG_UNDEFINED};
	struct scene_outcome o;
	uint16_t enc = 0;
	bool read = false, access;
	unsigned rt;

	memset(end, 0, sizeof(*end));
	access = explain_is_access(e->word, &enc, &read, &rt);
	if (access) {
		d = sysreg_permitted(pe, enc, read, rt);
	}
	scene_run(scene, &o);
	end->el = o.el;
	end->secure = o.secure;
	if (o.exception) {
		end_exception(end, o.el, o.secure, o.esr);
		end->has_far = o.has_far;
		end->far = o.far;
		snprintf(end->control, sizeof(end->control), "%s",
			 o.control != NULL ? o.control : "");
		exception_text(end);
		if (o.returned && end->ec == 0x0e) {
			memmove(end->text + 16, end->text, sizeof(end->text) - 17);
			memcpy(end->text, "illegal return: ", 16);
		}
		return;
	}
	if (o.returned) {
		end->outcome = STRATA_EXPLAIN_RETURNS;
		snprintf(end->text, sizeof(end->text), "returns to %s with SP_EL%u, PC 0x%llx",
			 level_text(o.el, o.secure), o.sp_sel ? o.el : 0, (unsigned long long)o.pc);
	} else if (access && d.outcome == SYSREG_IN_MEMORY) {
		end->outcome = STRATA_EXPLAIN_MEMORY;
		snprintf(end->text, sizeof(end->text), "done in memory, at VNCR_EL2.BADDR + 0x%x",
			 d.vncr);
	} else if (access && d.outcome == SYSREG_PERMITTED) {
		access_text(end, enc, read, d.reg, pe);
	} else {
		snprintf(end->text, sizeof(end->text), "completes%s%s", o.waits ? " and waits" : "",
			 o.el != e->el ? ", at another level" : "");
	}
}

bool explain_same_end(const struct strata_explain_end *a, const struct strata_explain_end *b)
{
	return a->outcome == b->outcome && a->el == b->el && a->secure == b->secure &&
	       a->ec == b->ec && a->iss == b->iss && a->has_far == b->has_far &&
	       strcmp(a->text, b->text) == 0 && strcmp(a->control, b->control) == 0;
}

// ---- the chain of a register access -------------------------------------------------------------

uint64_t explain_named_bits(const struct pe *pe, const struct sysreg_control *c)
{
	const char *dot = c->name != NULL ? strchr(c->name, '.') : NULL;
	const struct sysreg_field *field =
		dot != NULL && c->reg != SYSREG_NONE
			? sysreg_field_find(c->reg, dot + 1, (pe_hcr(pe) >> 34) & 1)
			: NULL;
	uint64_t named = field != NULL ? c->mask & sysreg_field_mask(field) : 0;

	return named != 0 ? named : c->mask;
}

static uint64_t control_value(struct scene *scene, const struct sysreg_control *c)
{
	uint64_t mask = explain_named_bits(scene_pe(scene), c);

	return (scene_value(scene, c->reg) & mask) >> ctz64(mask);
}

// "1", or of a name such as "SCR_EL3.{NS,EEL2}" "{1,0}".
static void control_value_text(struct scene *scene, const struct sysreg_control *c, char *buffer,
			       size_t size)
{
	const char *at = strchr(c->name, '{');
	uint64_t value = control_value(scene, c);
	struct text text;

	text_init(&text, buffer, size);
	if (at == NULL) {
		text_add(&text, value > 9 ? "0x%llx" : "%llu", (unsigned long long)value);
		return;
	}
	for (char sign = '{'; *at == sign; sign = ',') {
		size_t n = strcspn(at + 1, ",}");
		char name[32];
		const struct sysreg_field *field;

		snprintf(name, sizeof(name), "%.*s", (int)n, at + 1);
		field = sysreg_field_find(c->reg, name, (pe_hcr(scene_pe(scene)) >> 34) & 1);
		value = field != NULL ? scene_value(scene, c->reg) & sysreg_field_mask(field) : 0;
		text_add(&text, "%c%llu", sign,
			 (unsigned long long)(field != NULL ? value >> field->lo : 0));
		at += n + 1;
	}
	text_add(&text, "}");
}

static int collect_chain(struct scene *scene, struct strata_explanation *e, uint16_t enc, bool read,
			 unsigned rt)
{
	struct sysreg_chain chain;
	struct sysreg_control c;
	bool decided = false;

	sysreg_chain_begin(&chain, scene_pe(scene), enc, read);
	while (sysreg_chain_next(&chain, &c)) {
		struct strata_explain_control *slot =
			explain_grow((void **)&e->controls, &e->control_count, sizeof(*slot));

		if (slot == NULL) {
			return -ENOMEM;
		}
		snprintf(slot->name, sizeof(slot->name), "%s",
			 c.name != NULL ? c.name : "the encoding, or its level");
		snprintf(slot->when, sizeof(slot->when), "%s", c.when != NULL ? c.when : "");
		slot->has_value = c.reg != SYSREG_NONE && c.mask != 0;
		if (slot->has_value) {
			slot->value = control_value(scene, &c);
			control_value_text(scene, &c, slot->value_text, sizeof(slot->value_text));
		}
		slot->involved = c.involved;
		slot->holds = c.holds;
		slot->decides = !decided && c.involved && c.holds;
		decided |= slot->decides;
		explain_end_of_control(&c, enc, read, rt, scene_pe(scene), &slot->then);
	}
	return 0;
}

bool explain_deciding_control(struct scene *scene, uint16_t enc, bool read,
			      struct sysreg_control *c)
{
	struct sysreg_chain chain;

	sysreg_chain_begin(&chain, scene_pe(scene), enc, read);
	while (sysreg_chain_next(&chain, c)) {
		if (c->involved && c->holds) {
			return true;
		}
	}
	return false;
}

// ---- the whole of it ----------------------------------------------------------------------------

// Does the chain's answer fit what happened? Faults of the operation itself are another matter.
static bool chain_fits(struct scene *scene, const struct strata_explanation *e, uint16_t enc,
		       bool read)
{
	struct strata_explain_end end;
	struct sysreg_control c;

	if (!explain_deciding_control(scene, enc, read, &c) || c.outcome == SYSREG_PERMITTED) {
		return e->end.outcome == STRATA_EXPLAIN_COMPLETES ||
		       (e->end.outcome == STRATA_EXPLAIN_EXCEPTION && e->end.ec != 0x18);
	}
	explain_end_of_control(&c, enc, read, e->word & 31, scene_pe(scene), &end);
	if (c.outcome == SYSREG_IN_MEMORY) {
		// An external abort that goes to EL3 is there one of a lower level.
		return e->end.outcome == STRATA_EXPLAIN_MEMORY || e->end.ec == 0x25 ||
		       (e->end.ec == 0x24 && e->end.el == 3);
	}
	return e->end.outcome == end.outcome && e->end.el == end.el && e->end.ec == end.ec &&
	       e->end.iss == end.iss;
}

// The scene stands in its state, before the instruction e->word.
static int explain(struct scene *scene, struct strata_explanation *e, bool experiments)
{
	struct pe *pe = scene_pe(scene);
	uint16_t enc = 0;
	bool read = false;
	unsigned rt = 0;
	int err = 0;

	e->el = pe_el(pe);
	e->secure = pe_is_secure(pe);
	e->is_access = explain_is_access(e->word, &enc, &read, &rt);
	e->chain_agrees = true;
	scene_instruction(scene, e->word);
	if (e->is_access) {
		snprintf(e->reg, sizeof(e->reg), "%s",
			 sysreg_find(enc) != SYSREG_NONE ? sysreg_name(sysreg_find(enc)) : "");
		err = collect_chain(scene, e, enc, read, rt);
	}
	end_of_run(scene, e, &e->end);
	scene_undo(scene);
	if (e->is_access) {
		e->chain_agrees = chain_fits(scene, e, enc, read);
	}
	if (err == 0) {
		err = explain_without(scene, e, enc, read, end_of_run);
	}
	if (err == 0 && experiments) {
		explain_experiment(scene, e, end_of_run);
	}
	explain_why(scene, e, enc, read, end_of_run);
	return err;
}

// ---- the interface ------------------------------------------------------------------------------

static void name_instruction(struct strata_explanation *e, const char *given)
{
	struct disassembler *d;
	struct text text;

	if (given != NULL &&
	    (given[strspn(given, " \t")] < '0' || given[strspn(given, " \t")] > '9')) {
		size_t skip = strspn(given, " \t"), n = strlen(given + skip);

		while (n > 0 && (given[skip + n - 1] == ' ' || given[skip + n - 1] == '\n')) {
			n--;
		}
		snprintf(e->instruction, sizeof(e->instruction), "%.*s", (int)n, given + skip);
		return;
	}
	text_init(&text, e->instruction, sizeof(e->instruction));
	d = disassembler_create();
	if (d != NULL) {
		disassemble(d, e->word, OPEN_CODE, &text);
		disassembler_destroy(d);
	}
	if (text.used == 0) {
		text_add(&text, "0x%08x", e->word);
	}
}

static int out_of_memory(char *error, size_t error_size)
{
	snprintf(error, error_size, "out of memory");
	return -ENOMEM;
}

int strata_explain(struct strata_explanation **out, const struct strata_explain_options *options,
		   const char *instruction, char *error, size_t error_size)
{
	const struct scene_state state = {.el = options->el,
					  .secure = options->secure,
					  .sp0 = options->sp0,
					  .mmu = options->mmu,
					  .stage2 = options->stage2,
					  .settings = options->settings,
					  .setting_count = options->setting_count};
	struct strata_explanation *e = calloc(1, sizeof(*e));
	const char *cpu = options->cpu != NULL ? options->cpu : "max";
	struct scene *scene = NULL;
	int err;

	*out = NULL;
	if (e == NULL) {
		return out_of_memory(error, error_size);
	}
	snprintf(e->cpu, sizeof(e->cpu), "%s", cpu);
	err = assemble(instruction, &e->word, NULL, error, error_size);
	if (err == 0) {
		err = scene_create(&scene, cpu, !options->no_el2, !options->no_el3, error,
				   error_size);
	}
	if (err == 0) {
		err = scene_set(scene, &state, error, error_size);
	}
	if (err == 0) {
		name_instruction(e, instruction);
		err = explain(scene, e, true);
		if (err != 0) {
			out_of_memory(error, error_size);
		}
	}
	scene_destroy(scene);
	if (err != 0) {
		strata_explain_free(e);
		return err;
	}
	*out = e;
	return 0;
}

void strata_explain_free(struct strata_explanation *e)
{
	if (e != NULL) {
		free(e->controls);
		free(e->without);
		free(e->changes);
		free(e);
	}
}

int strata_explainer_create(struct strata_explainer **out,
			    const struct strata_explain_options *options, char *error,
			    size_t error_size)
{
	struct strata_explainer *x = calloc(1, sizeof(*x));
	const char *cpu = options->cpu != NULL ? options->cpu : "max";
	int err;

	*out = NULL;
	if (x == NULL) {
		return out_of_memory(error, error_size);
	}
	snprintf(x->cpu, sizeof(x->cpu), "%s", cpu);
	err = scene_create(&x->scene, cpu, !options->no_el2, !options->no_el3, error, error_size);
	if (err != 0) {
		free(x);
		return err;
	}
	*out = x;
	return 0;
}

int strata_explain_machine(struct strata_explainer *x, struct strata_explanation **out,
			   struct strata *machine, unsigned pe, char *error, size_t error_size)
{
	struct strata_explanation *e = calloc(1, sizeof(*e));
	int err;

	*out = NULL;
	if (e == NULL) {
		return out_of_memory(error, error_size);
	}
	scene_copy(x->scene, machine, pe, RAM_COPIED);
	if (pe_read_memory(scene_pe(x->scene), pe_pc(scene_pe(x->scene)), &e->word, 4) != 4) {
		snprintf(error, error_size, "there is no instruction at the PC");
		strata_explain_free(e);
		return -EINVAL;
	}
	snprintf(e->cpu, sizeof(e->cpu), "%s", x->cpu);
	name_instruction(e, NULL);
	err = explain(x->scene, e, false);
	if (err != 0) {
		strata_explain_free(e);
		return out_of_memory(error, error_size);
	}
	*out = e;
	return 0;
}

void strata_explainer_destroy(struct strata_explainer *x)
{
	if (x != NULL) {
		scene_destroy(x->scene);
		free(x);
	}
}
