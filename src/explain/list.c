// SPDX-License-Identifier: Apache-2.0
// The list of all system registers and system instructions of a model.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/field.h"
#include "cpu/model.h"
#include "explain/explain.h"
#include "trace/describe.h"

// KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM64_SYSREG, as in ARM64_SYS_REG().
#define KVM_SYSREG UINT64_C(0x6030000000130000)
#define KVM_CORE_U64 UINT64_C(0x6030000000100000)
#define KVM_CORE_U32 UINT64_C(0x6020000000100000)

// "EL1 rw, EL2 rw": for a column, the lowest level that has each direction.
static void levels_text(const struct sysreg_info *info, char *buffer, size_t size)
{
	struct text text;

	text_init(&text, buffer, size);
	for (unsigned el = 0; el < 4; el++) {
		bool r = (info->read_els >> el) & 1, w = (info->write_els >> el) & 1;

		text_add(&text, "%s", r && w ? "rw" : r ? "r-" : w ? "-w" : "--");
		text_add(&text, "%s", el < 3 ? " " : "");
	}
}

static bool is_system_instruction(const struct sysreg_info *info)
{
	return (info->enc >> 14) == 1;
}

// Registers that KVM_GET_ONE_REG knows by other ids than their encodings: those of struct kvm_regs
// (KVM_REG_ARM_CORE with the offset in words), two of the virtual timer, whose ids are swapped for
// good, and fields of PSTATE, which are a part of kvm_regs.regs.pstate and have none (0). Nor have
// the _EL12 and _EL02 names of other registers.
static const struct {
	uint16_t reg;
	uint64_t id;
} kvm_others[] = {
	{SR_SP_EL0, KVM_CORE_U64 | 0x3e},
	{SR_SP_EL1, KVM_CORE_U64 | 0x44},
	{SR_ELR_EL1, KVM_CORE_U64 | 0x46},
	{SR_SPSR_EL1, KVM_CORE_U64 | 0x48},
	{SR_SPSR_abt, KVM_CORE_U64 | 0x4a},
	{SR_SPSR_und, KVM_CORE_U64 | 0x4c},
	{SR_SPSR_irq, KVM_CORE_U64 | 0x4e},
	{SR_SPSR_fiq, KVM_CORE_U64 | 0x50},
	{SR_FPSR, KVM_CORE_U32 | 0xd4},
	{SR_FPCR, KVM_CORE_U32 | 0xd5},
	{SR_CNTV_CVAL_EL0, KVM_SYSREG | SYSREG_ENC(3, 3, 14, 0, 2)},
	{SR_CNTVCT_EL0, KVM_SYSREG | SYSREG_ENC(3, 3, 14, 3, 2)},
	{SR_NZCV, 0},
	{SR_DAIF, 0},
	{SR_CurrentEL, 0},
	{SR_SPSel, 0},
	{SR_PAN, 0},
	{SR_UAO, 0},
	{SR_DIT, 0},
	{SR_SSBS, 0},
	{SR_TCO, 0},
	{SR_ALLINT, 0},
};

// 0: none.
static uint64_t kvm_id(const struct sysreg_info *info)
{
	enum sysreg reg = sysreg_find((uint16_t)info->enc);

	if (is_system_instruction(info) || info->alias != SYSREG_NONE) {
		return 0;
	}
	for (size_t i = 0; i < sizeof(kvm_others) / sizeof(kvm_others[0]); i++) {
		if (kvm_others[i].reg == reg) {
			return kvm_others[i].id;
		}
	}
	return KVM_SYSREG | info->enc;
}

static void traps_text(const struct sysreg_info *info, char *buffer, size_t size)
{
	struct text text;

	text_init(&text, buffer, size);
	for (unsigned i = 0; info->groups[i] != NULL; i++) {
		text_add(&text, "%s%s", i > 0 ? "," : "", info->groups[i]);
	}
	if (text.used == 0) {
		text_add(&text, "-");
	}
}

static void list_text(const struct sysreg_info *info, FILE *file)
{
	char encoding[32], levels[24], traps[96], vncr[16], kvm[32];
	unsigned enc = info->enc;

	snprintf(encoding, sizeof(encoding), "%u,%u,%u,%u,%u", enc >> 14, enc >> 11 & 7,
		 enc >> 7 & 15, enc >> 3 & 15, enc & 7);
	levels_text(info, levels, sizeof(levels));
	traps_text(info, traps, sizeof(traps));
	snprintf(vncr, sizeof(vncr), info->has_vncr ? "0x%x" : "-", info->vncr);
	snprintf(kvm, sizeof(kvm), kvm_id(info) == 0 ? "-" : "0x%llx",
		 (unsigned long long)kvm_id(info));
	fprintf(file, "%-18s %-12s %-17s %-12s %-18s %-18s %-6s %s\n", info->name, encoding,
		info->feature != FEAT_NONE ? feature_name(info->feature) : "-", levels, traps,
		info->fgt != NULL ? info->fgt : "-", vncr, kvm);
}

static void list_json(const struct sysreg_info *info, struct json *json)
{
	static const char *const names[4] = {"el0", "el1", "el2", "el3"};
	unsigned enc = info->enc;

	json_open(json, NULL, '{');
	json_text(json, "name", info->name);
	json_number(json, "op0", enc >> 14);
	json_number(json, "op1", enc >> 11 & 7);
	json_number(json, "crn", enc >> 7 & 15);
	json_number(json, "crm", enc >> 3 & 15);
	json_number(json, "op2", enc & 7);
	json_text(json, "kind", is_system_instruction(info) ? "instruction" : "register");
	if (info->feature != FEAT_NONE) {
		json_text(json, "feature", feature_name(info->feature));
	}
	json_open(json, "access", '{');
	for (unsigned el = 0; el < 4; el++) {
		bool r = (info->read_els >> el) & 1, w = (info->write_els >> el) & 1;

		json_text(json, names[el], r && w ? "rw" : r ? "r" : w ? "w" : "");
	}
	json_close(json, '}');
	json_open(json, "groups", '[');
	for (unsigned i = 0; info->groups[i] != NULL; i++) {
		json_text(json, NULL, info->groups[i]);
	}
	json_close(json, ']');
	if (info->fgt != NULL) {
		json_text(json, "fgt", info->fgt);
	}
	if (info->e2h != SYSREG_NONE) {
		json_text(json, "e2h", sysreg_name(info->e2h));
	}
	if (info->alias != SYSREG_NONE) {
		json_text(json, "alias_of", sysreg_name(info->alias));
	}
	if (info->has_vncr) {
		json_hex(json, "vncr", info->vncr);
	}
	if (kvm_id(info) != 0) {
		json_hex(json, "kvm", kvm_id(info));
	}
	json_close(json, '}');
}

int strata_list_sysregs(const struct strata_explain_options *options, FILE *file, bool json,
			bool all, char *error, size_t error_size)
{
	struct cpu_model *model =
		cpu_model_parse(options->cpu != NULL ? options->cpu : "max", !options->no_el2,
				!options->no_el3, error, error_size);
	struct json j = {.file = file};

	if (model == NULL) {
		return -EINVAL;
	}
	if (json) {
		json_open(&j, NULL, '[');
	} else {
		fprintf(file, "%-18s %-12s %-17s %-12s %-18s %-18s %-6s %s\n", "name", "encoding",
			"feature", "EL0 1  2  3", "trap groups", "fine-grained trap", "VNCR",
			"KVM id");
	}
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		struct sysreg_info info;

		sysreg_describe((enum sysreg)reg, &info);
		if (!all && sysreg_lacks(&model->features, (enum sysreg)reg) != FEAT_NONE) {
			continue;
		}
		if (json) {
			fputs(j.begun ? "" : "\n", file);
			list_json(&info, &j);
		} else {
			list_text(&info, file);
		}
	}
	if (json) {
		json_close(&j, ']');
		fputc('\n', file);
	}
	free(model);
	return 0;
}
