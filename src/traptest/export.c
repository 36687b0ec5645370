// SPDX-License-Identifier: Apache-2.0
// Cases for other machines. What a case sets is exported as the values that registers have when its
// instruction begins, so that who runs it needs to know nothing of fields, words of the state and
// the open state.
#include "traptest/export.h"

#include <errno.h>
#include <string.h>

#include "board/state.h"
#include "cpu/field.h"
#include "cpu/pe.h"
#include "cpu/sysreg.h"
#include "explain/open.h"
#include "strata/strata.h"
#include "traptest/prepared.h"

#define TABLES_SIZE 0x20000u

static void write_text(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\') {
			fputc('\\', file);
		}
		fputc(*text == '\t' ? ' ' : *text, file);
	}
	fputc('"', file);
}

static void snapshot(struct pe *pe, uint64_t *values)
{
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		values[reg] = 0;
		(void)pe_peek(pe, (enum sysreg)reg, &values[reg]);
	}
}

static void export_registers(struct pe *pe, const uint64_t *values, FILE *file)
{
	const char *comma = "";
	uint64_t value;

	fprintf(file, "{\"registers\":[");
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		struct sysreg_info info;

		if (!pe_has_register(pe, (enum sysreg)reg) ||
		    !pe_peek(pe, (enum sysreg)reg, &value)) {
			continue;
		}
		sysreg_describe((enum sysreg)reg, &info);
		fprintf(file, "%s[\"%s\",%u,%u,%llu]", comma, info.name, info.enc,
			(info.write_els >> 3 & 1) | (info.read_els >> 3 & 1) << 1,
			(unsigned long long)values[reg]);
		comma = ",";
	}
	fprintf(file, "]}\n");
}

static void export_tables(struct strata *strata, FILE *file)
{
	static uint64_t words[TABLES_SIZE / 8];
	const char *comma = "";

	memset(words, 0, sizeof(words));
	(void)strata_read(strata, OPEN_TABLES, words, sizeof(words));
	fprintf(file, "{\"tables\":[");
	for (size_t i = 0; i < TABLES_SIZE / 8; i++) {
		if (words[i] != 0) {
			fprintf(file, "%s[%llu,%llu]", comma,
				(unsigned long long)(OPEN_TABLES + 8 * i),
				(unsigned long long)words[i]);
			comma = ",";
		}
	}
	fprintf(file, "]}\n");
}

static void export_changes(const uint64_t *open, const uint64_t *now, FILE *file)
{
	const char *comma = "";

	fprintf(file, ",\"registers\":[");
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		if (open[reg] != now[reg]) {
			fprintf(file, "%s[\"%s\",%llu]", comma, sysreg_name((enum sysreg)reg),
				(unsigned long long)now[reg]);
			comma = ",";
		}
	}
	fprintf(file, "]");
}

static void export_settings(const struct tt_settings *settings, FILE *file)
{
	const char *comma = "";
	bool others = false;

	fprintf(file, ",\"memory\":[");
	for (size_t i = 0; i < settings->count; i++) {
		const struct tt_setting *s = &settings->items[i];

		if (s->kind == TT_SET_MEM) {
			fprintf(file, "%s[%llu,%u,%llu]", comma, (unsigned long long)s->address,
				s->size, (unsigned long long)s->value);
			comma = ",";
		}
		others = others || s->kind == TT_SET_LINE || s->kind == TT_SET_TAG;
	}
	fprintf(file, "],\"others\":%s", others ? "true" : "false");
}

static void export_checks(const struct tt_case *k, FILE *file)
{
	bool rt = k->has_reads;
	const char *comma = "";

	for (size_t i = 0; i < k->checks.count; i++) {
		rt = rt || (k->checks.items[i].subject == TT_X &&
			    k->checks.items[i].reg == (k->insn & 31));
	}
	fprintf(file, ",\"outcome\":\"%s\",\"el\":%u,\"rt\":%s,\"writes\":",
		k->outcome == TT_OK ? "ok" : "exception", k->el, rt ? "true" : "false");
	if (!k->checks_writes) {
		fprintf(file, "null");
		return;
	}
	fprintf(file, "[");
	for (size_t i = 0; i < k->write_count; i++) {
		fprintf(file, "%s\"%s\"", comma, sysreg_name((enum sysreg)k->writes[i]));
		comma = ",";
	}
	fprintf(file, "]");
}

static void export_requires(const struct tt_item *item, FILE *file)
{
	fprintf(file, ",\"requires\":\"");
	for (size_t i = 0; i < sizeof(item->requires) / sizeof(*item->requires); i++) {
		if (item->requires[i] != NULL) {
			fputs(item->requires[i], file);
		}
	}
	fputc('"', file);
}

static void export_case(struct tt_prepared *m, const struct tt_entry *entry, const uint64_t *open,
			FILE *file)
{
	const struct tt_item *item = entry->item;
	const struct tt_case *k = &item->c;
	uint64_t now[SYSREG_COUNT];

	tt_apply(m, &k->state, &k->settings);
	snapshot(m->pe, now);
	fprintf(file, "{\"name\":");
	write_text(file, entry->name);
	fprintf(file, ",\"line\":%u,\"text\":", item->line);
	write_text(file, k->insn_text);
	fprintf(file, ",\"insn\":%u,\"from\":%u,\"secure\":%s,\"mmu\":%s,\"pstate\":%llu", k->insn,
		k->state.el, k->state.secure ? "true" : "false", k->state.mmu ? "true" : "false",
		(unsigned long long)pe_pstate(m->pe));
	fprintf(file, ",\"pc\":%llu,\"sp\":%llu,\"x\":[", (unsigned long long)pe_pc(m->pe),
		(unsigned long long)pe_sp(m->pe));
	for (unsigned i = 0; i < 31; i++) {
		fprintf(file, "%s%llu", i != 0 ? "," : "", (unsigned long long)pe_x(m->pe, i));
	}
	fprintf(file, "]");
	export_changes(open, now, file);
	export_settings(&k->settings, file);
	export_checks(k, file);
	export_requires(entry->item, file);
	fprintf(file, "}\n");
}

static void export_skipped(const struct tt_entry *entry, const char *reason, FILE *file)
{
	fprintf(file, "{\"name\":");
	write_text(file, entry->name);
	fprintf(file, ",\"skip\":");
	write_text(file, reason);
	fprintf(file, "}\n");
}

int tt_export(const struct tt_suite *suite, FILE *file, char *error, size_t error_size)
{
	const struct tt_machine machine = {.cpu = "max", .el2 = true, .el3 = true, .smp = 1};
	struct tt_pool *pool = tt_pool_create();
	struct tt_prepared *m = tt_pool_get(pool, &machine, error, error_size);
	uint64_t open[SYSREG_COUNT];

	if (m == NULL) {
		tt_pool_destroy(pool);
		return -EINVAL;
	}
	snapshot(m->pe, open);
	export_registers(m->pe, open, file);
	export_tables(m->strata, file);
	for (size_t i = 0; i < suite->count; i++) {
		const struct tt_entry *entry = &suite->entries[i];
		const struct tt_machine *its = &entry->file->machine;

		if (!entry->item->is_case) {
			continue;
		}
		if (entry->item->skip != NULL || entry->item->no_qemu != NULL) {
			export_skipped(entry,
				       entry->item->skip != NULL ? entry->item->skip
								 : entry->item->no_qemu,
				       file);
		} else if (strcmp(its->cpu, machine.cpu) != 0 || !its->el2 || !its->el3) {
			export_skipped(entry, "another machine", file);
		} else {
			m = tt_pool_get(pool, &machine, error, error_size);
			export_case(m, entry, open, file);
		}
	}
	tt_pool_destroy(pool);
	return 0;
}
