// SPDX-License-Identifier: Apache-2.0
// ESR_ELx in words: exception classes and ISS encodings (Arm ARM D19, ESR_EL1).
#include "base/bits.h"
#include "trace/describe.h"

enum {
	EC_UNKNOWN = 0x00,
	EC_WFX = 0x01,
	EC_CP15_32 = 0x03,
	EC_CP15_64 = 0x04,
	EC_FP = 0x07,
	EC_PAUTH = 0x09,
	EC_LS64 = 0x0a,
	EC_BTI = 0x0d,
	EC_ILLEGAL = 0x0e,
	EC_SVC64 = 0x15,
	EC_HVC64 = 0x16,
	EC_SMC64 = 0x17,
	EC_SYSREG = 0x18,
	EC_SVE = 0x19,
	EC_ERET = 0x1a,
	EC_FPAC = 0x1c,
	EC_IABORT_LOWER = 0x20,
	EC_IABORT_SAME = 0x21,
	EC_PC_ALIGNMENT = 0x22,
	EC_DABORT_LOWER = 0x24,
	EC_DABORT_SAME = 0x25,
	EC_SP_ALIGNMENT = 0x26,
	EC_MOPS = 0x27,
	EC_FP_EXCEPTION = 0x2c,
	EC_SERROR = 0x2f,
	EC_BREAKPOINT_LOWER = 0x30,
	EC_BREAKPOINT_SAME = 0x31,
	EC_STEP_LOWER = 0x32,
	EC_STEP_SAME = 0x33,
	EC_WATCHPOINT_LOWER = 0x34,
	EC_WATCHPOINT_SAME = 0x35,
	EC_BRK64 = 0x3c
};

const char *esr_class_name(uint64_t esr)
{
	static const char *const names[64] = {
		[EC_UNKNOWN] = "Unknown",
		[EC_WFX] = "WFx",
		[EC_CP15_32] = "CP15-32",
		[EC_CP15_64] = "CP15-64",
		[EC_FP] = "FP/SIMD",
		[EC_PAUTH] = "PAuth",
		[EC_LS64] = "LS64",
		[EC_BTI] = "BTI",
		[EC_ILLEGAL] = "IllegalState",
		[EC_SVC64] = "SVC64",
		[EC_HVC64] = "HVC64",
		[EC_SMC64] = "SMC64",
		[EC_SYSREG] = "SysReg",
		[EC_SVE] = "SVE",
		[EC_ERET] = "ERET",
		[EC_FPAC] = "FPAC",
		[EC_IABORT_LOWER] = "InsnAbort-lower",
		[EC_IABORT_SAME] = "InsnAbort-same",
		[EC_PC_ALIGNMENT] = "PCAlignment",
		[EC_DABORT_LOWER] = "DataAbort-lower",
		[EC_DABORT_SAME] = "DataAbort-same",
		[EC_SP_ALIGNMENT] = "SPAlignment",
		[EC_MOPS] = "MOPS",
		[EC_FP_EXCEPTION] = "FPException",
		[EC_SERROR] = "SError",
		[EC_BREAKPOINT_LOWER] = "Breakpoint-lower",
		[EC_BREAKPOINT_SAME] = "Breakpoint-same",
		[EC_STEP_LOWER] = "Step-lower",
		[EC_STEP_SAME] = "Step-same",
		[EC_WATCHPOINT_LOWER] = "Watchpoint-lower",
		[EC_WATCHPOINT_SAME] = "Watchpoint-same",
		[EC_BRK64] = "BRK64",
	};
	const char *name = names[bits(esr, 31, 26)];

	return name != NULL ? name : "reserved";
}

void esr_fault_status(unsigned status, struct text *text)
{
	static const char *const kinds[] = {"address size fault", "translation fault",
					    "access flag fault", "permission fault"};

	if (status < 0x10) {
		text_add(text, "%s, level %u", kinds[status >> 2], status & 3);
		return;
	}
	switch (status) {
	case 0x10:
		text_add(text, "external abort");
		break;
	case 0x11:
		text_add(text, "tag check fault");
		break;
	case 0x13:
		text_add(text, "external abort on a walk, level -1");
		break;
	case 0x14:
	case 0x15:
	case 0x16:
	case 0x17:
		text_add(text, "external abort on a walk, level %u", status & 3);
		break;
	case 0x21:
		text_add(text, "alignment fault");
		break;
	case 0x22:
		text_add(text, "debug exception");
		break;
	case 0x29:
		text_add(text, "address size fault, level -1");
		break;
	case 0x2b:
		text_add(text, "translation fault, level -1");
		break;
	case 0x30:
		text_add(text, "TLB conflict");
		break;
	case 0x31:
		text_add(text, "unsupported hardware update");
		break;
	case 0x34:
		text_add(text, "lockdown");
		break;
	case 0x35:
		text_add(text, "unsupported exclusive or atomic");
		break;
	default:
		text_add(text, "fault status 0x%02x", status);
		break;
	}
}

static unsigned field(uint64_t esr, unsigned high, unsigned low)
{
	return (unsigned)bits(esr, high, low);
}

static void decode_wfx(uint64_t esr, struct text *text)
{
	static const char *const kinds[] = {"WFI", "WFE", "WFIT", "WFET"};

	text_add(text, "TI=%s", kinds[field(esr, 1, 0)]);
	if (bit(esr, 2)) {
		text_add(text, " Rd=x%u", field(esr, 9, 5));
	}
}

static void decode_sysreg(uint64_t esr, struct text *text)
{
	text_add(text, "%s S%u_%u_C%u_C%u_%u Rt=x%u", bit(esr, 0) ? "read" : "write",
		 field(esr, 21, 20), field(esr, 16, 14), field(esr, 13, 10), field(esr, 4, 1),
		 field(esr, 19, 17), field(esr, 9, 5));
}

// ISS2 of a Permission fault.
static void decode_permission(uint64_t esr, struct text *text)
{
	if (bit(esr, 32 + 5)) {
		text_add(text, " DirtyBit");
	}
	if (bit(esr, 32 + 6)) {
		text_add(text, " Overlay");
	}
}

static void decode_abort(uint64_t esr, bool data, struct text *text)
{
	esr_fault_status(field(esr, 5, 0), text);
	if (data) {
		text_add(text, " WnR=%u", field(esr, 6, 6));
	}
	if (bit(esr, 7)) {
		text_add(text, " S1PTW");
	}
	if (data && bit(esr, 8)) {
		text_add(text, " CM");
	}
	if (bit(esr, 9)) {
		text_add(text, " EA");
	}
	if (bit(esr, 10)) {
		text_add(text, " FnV");
	}
	if (data && bit(esr, 13) && !bit(esr, 24)) {
		text_add(text, " VNCR");
	}
	if (data && bit(esr, 24)) {
		text_add(text, " ISV SAS=%u SSE=%u SRT=x%u SF=%u AR=%u", field(esr, 23, 22),
			 field(esr, 21, 21), field(esr, 20, 16), field(esr, 15, 15),
			 field(esr, 14, 14));
	}
	decode_permission(esr, text);
}

static void decode_mops(uint64_t esr, struct text *text)
{
	text_add(text, "%s%s options=%u %s%s Rd=x%u", bit(esr, 24) ? "SET" : "CPY",
		 bit(esr, 23) ? "G" : "", field(esr, 22, 19), bit(esr, 18) ? "epilogue" : "main",
		 bit(esr, 17) ? " wrong-option" : "", field(esr, 14, 10));
	text_add(text, " Rs=x%u Rn=x%u", field(esr, 9, 5), field(esr, 4, 0));
}

static void decode_debug(uint64_t esr, struct text *text)
{
	unsigned ec = field(esr, 31, 26);

	if (ec == EC_WATCHPOINT_LOWER || ec == EC_WATCHPOINT_SAME) {
		text_add(text, "WnR=%u%s%s", field(esr, 6, 6), bit(esr, 8) ? " CM" : "",
			 bit(esr, 13) ? " VNCR" : "");
	} else if ((ec == EC_STEP_LOWER || ec == EC_STEP_SAME) && bit(esr, 24)) {
		text_add(text, "ISV EX=%u", field(esr, 6, 6));
	}
}

static void decode_serror(uint64_t esr, struct text *text)
{
	if (bit(esr, 24)) {
		text_add(text, "IDS ISS=0x%06x", field(esr, 23, 0));
	} else {
		text_add(text, "AET=%u DFSC=0x%02x%s", field(esr, 12, 10), field(esr, 5, 0),
			 bit(esr, 9) ? " EA" : "");
	}
}

void esr_decode(uint64_t esr, struct text *text)
{
	switch (field(esr, 31, 26)) {
	case EC_WFX:
		decode_wfx(esr, text);
		break;
	case EC_SVC64:
	case EC_HVC64:
	case EC_SMC64:
		text_add(text, "imm=0x%x", field(esr, 15, 0));
		break;
	case EC_BRK64:
		text_add(text, "comment=0x%x", field(esr, 15, 0));
		break;
	case EC_SYSREG:
		decode_sysreg(esr, text);
		break;
	case EC_IABORT_LOWER:
	case EC_IABORT_SAME:
		decode_abort(esr, false, text);
		break;
	case EC_DABORT_LOWER:
	case EC_DABORT_SAME:
		decode_abort(esr, true, text);
		break;
	case EC_BREAKPOINT_LOWER:
	case EC_BREAKPOINT_SAME:
	case EC_STEP_LOWER:
	case EC_STEP_SAME:
	case EC_WATCHPOINT_LOWER:
	case EC_WATCHPOINT_SAME:
		decode_debug(esr, text);
		break;
	case EC_MOPS:
		decode_mops(esr, text);
		break;
	case EC_SERROR:
		decode_serror(esr, text);
		break;
	case EC_BTI:
		text_add(text, "BTYPE=%u", field(esr, 1, 0));
		break;
	case EC_ERET:
		text_add(text, "%s", bit(esr, 1) ? (bit(esr, 0) ? "ERETAB" : "ERETAA") : "ERET");
		break;
	case EC_FPAC:
		text_add(text, "%s key %s", bit(esr, 1) ? "data" : "instruction",
			 bit(esr, 0) ? "B" : "A");
		break;
	default:
		if (field(esr, 24, 0) != 0) {
			text_add(text, "ISS=0x%07x", field(esr, 24, 0));
		}
		break;
	}
}
