// SPDX-License-Identifier: Apache-2.0
// Words for the facts of a trace event, shared by the sinks.
#ifndef STRATA_TRACE_DESCRIBE_H
#define STRATA_TRACE_DESCRIBE_H

#include <stddef.h>
#include <stdint.h>

#include "trace/trace.h"

// A bounded text that grows at its end; what does not fit is cut off.
struct text {
	char *data;
	size_t size, used;
};

void text_init(struct text *text, char *buffer, size_t size);
void text_add(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// ESR_ELx: name of the exception class, and the ISS fields as "name=value" words ("" where there
// are none).
const char *esr_class_name(uint64_t esr);
void esr_decode(uint64_t esr, struct text *text);

// The fault status code of an abort (DFSC, IFSC), "translation fault, level 2".
void esr_fault_status(unsigned status, struct text *text);

// "EL2" or "EL1S": Secure levels below EL3 carry an S.
void describe_level(unsigned el, bool secure, struct text *text);

// What distinguishes this event beyond its cause: the immediate, the register, the fault, the
// INTID.
void describe_detail(const struct trace_event *event, struct text *text);

// "symbol+0x10", or "" if no symbol covers it.
void describe_symbol(const struct trace_names *names, unsigned el, uint64_t address,
		     struct text *text);

// Disassembler of A64 instructions; opaque. NULL when it is not to be had.
struct disassembler;
struct disassembler *disassembler_create(void);
void disassembler_destroy(struct disassembler *d);
void disassemble(struct disassembler *d, uint32_t insn, uint64_t address, struct text *text);

#endif
