// SPDX-License-Identifier: Apache-2.0
// Words for the facts of a trace event.
#include "trace/describe.h"

#include <capstone/capstone.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bits.h"

void text_init(struct text *text, char *buffer, size_t size)
{
	text->data = buffer;
	text->size = size;
	text->used = 0;
	buffer[0] = '\0';
}

void text_add(struct text *text, const char *fmt, ...)
{
	size_t room = text->size - text->used;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text->data + text->used, room, fmt, args);
	va_end(args);
	if (n > 0) {
		text->used += (size_t)n < room ? (size_t)n : room - 1;
	}
}

void describe_level(unsigned el, bool secure, struct text *text)
{
	text_add(text, "EL%u%s", el, secure && el != 3 ? "S" : "");
}

static void describe_abort(const struct trace_event *event, struct text *text)
{
	if (event->fault_stage != 0) {
		text_add(text, "stage %u ", event->fault_stage);
	}
	if (event->has_esr) {
		esr_fault_status((unsigned)bits(event->esr, 5, 0), text);
	}
	if (event->fault_s1ptw) {
		text_add(text, " on a stage 1 walk");
	}
	if (event->cause == TRACE_CAUSE_DATA_ABORT) {
		text_add(text, ", %s", event->fault_write ? "write" : "read");
	}
	if (event->has_far) {
		text_add(text, ", VA 0x%llx", (unsigned long long)event->far);
	}
	if (event->has_ipa) {
		text_add(text, ", IPA 0x%llx", (unsigned long long)event->ipa);
	}
}

void describe_detail(const struct trace_event *event, struct text *text)
{
	switch (event->cause) {
	case TRACE_CAUSE_SVC:
	case TRACE_CAUSE_HVC:
	case TRACE_CAUSE_SMC:
	case TRACE_CAUSE_BRK:
		if (event->has_esr) {
			text_add(text, "#0x%x", (unsigned)bits(event->esr, 15, 0));
		}
		break;
	case TRACE_CAUSE_SYSREG:
		text_add(text, "%s %s", event->sysreg_read ? "read of" : "write to",
			 event->sysreg != NULL ? event->sysreg : "?");
		break;
	case TRACE_CAUSE_WFX:
		if (event->has_esr) {
			static const char *const kinds[] = {"WFI", "WFE", "WFIT", "WFET"};

			text_add(text, "%s", kinds[bits(event->esr, 1, 0)]);
		}
		break;
	case TRACE_CAUSE_INSN_ABORT:
	case TRACE_CAUSE_DATA_ABORT:
		describe_abort(event, text);
		break;
	case TRACE_CAUSE_PC_ALIGNMENT:
	case TRACE_CAUSE_WATCHPOINT:
		if (event->has_far) {
			text_add(text, "address 0x%llx", (unsigned long long)event->far);
		}
		break;
	case TRACE_CAUSE_IRQ:
	case TRACE_CAUSE_FIQ:
	case TRACE_CAUSE_VIRQ:
	case TRACE_CAUSE_VFIQ:
		if (event->has_intid) {
			text_add(text, "INTID %u", event->intid);
		}
		break;
	default:
		break;
	}
}

void describe_symbol(const struct trace_names *names, unsigned el, uint64_t address,
		     struct text *text)
{
	uint64_t offset;
	const char *name;

	if (names == NULL || names->symbol == NULL) {
		return;
	}
	name = names->symbol(names->opaque, el, address, &offset);
	if (name == NULL) {
		return;
	}
	text_add(text, "%s", name);
	if (offset != 0) {
		text_add(text, "+0x%llx", (unsigned long long)offset);
	}
}

struct disassembler {
	csh handle;
	cs_insn *insn;
};

struct disassembler *disassembler_create(void)
{
	struct disassembler *d = calloc(1, sizeof(*d));

	if (d == NULL || cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &d->handle) != CS_ERR_OK) {
		free(d);
		return NULL;
	}
	d->insn = cs_malloc(d->handle);
	if (d->insn == NULL) {
		disassembler_destroy(d);
		return NULL;
	}
	return d;
}

void disassembler_destroy(struct disassembler *d)
{
	if (d != NULL) {
		if (d->insn != NULL) {
			cs_free(d->insn, 1);
		}
		cs_close(&d->handle);
		free(d);
	}
}

void disassemble(struct disassembler *d, uint32_t insn, uint64_t address, struct text *text)
{
	uint8_t code[4] = {(uint8_t)insn, (uint8_t)(insn >> 8), (uint8_t)(insn >> 16),
			   (uint8_t)(insn >> 24)};
	const uint8_t *p = code;
	size_t size = sizeof(code);

	if (d != NULL && cs_disasm_iter(d->handle, &p, &size, &address, d->insn)) {
		text_add(text, "%s%s%s", d->insn->mnemonic, d->insn->op_str[0] != '\0' ? " " : "",
			 d->insn->op_str);
	} else {
		text_add(text, ".inst 0x%08x", insn);
	}
}
