// SPDX-License-Identifier: Apache-2.0
// The memory behind VNCR_EL2 (Arm ARM, NVMem and CreateAccDescNV2): privileged accesses in EL2's
// translation regime while the PE is at EL1. PSTATE.PAN does not count, SCTLR_EL1.A neither: the
// address is aligned by construction.
#include "cpu/vncr.h"

#include "cpu/debug.h"
#include "cpu/exec_internal.h"
#include "cpu/mem.h"
#include "cpu/sysreg_fields.h"

#define VNCR_BADDR MASK(56, 12)
#define VNCR_SIZE 8

// SignExtend(VNCR_EL2.BADDR:offset). The bits above, RESS, are not looked at, which is one of the
// choices when they differ from bit 56.
static uint64_t vncr_address(const struct pe *pe, unsigned offset)
{
	return (uint64_t)sext((pe->sr[SR_VNCR_EL2] & VNCR_BADDR) | offset, 57);
}

// EL2's regime in the current Security state, as long as no control register changes.
static struct mmu_view *vncr_view(struct pe *pe)
{
	struct vncr_view *view = &pe->vncr;

	if (view->epoch != pe->view_epoch) {
		pe_regime_build(pe, 2, pe_is_secure(pe), &view->regime);
		mmu_view_set(view->mmu, &view->regime);
		view->epoch = pe->view_epoch;
	}
	return view->mmu;
}

// The abort is EL2's own in its class (Exception_NV2DataAbort, EC 0x25 from EL1), and taken to EL2
// unless SCR_EL3.EA has an external one, which is to EL3 as any other (AArch64.TakeException).
static void vncr_abort(struct pe *pe, uint64_t va, const struct mmu_fault *mf)
{
	mem_abort(pe, va, mf, false, false);
	pe->fault.iss |= ISS_VNCR;
	if (pe->fault.target_el != 3) {
		pe->fault.target_el = 2;
		pe->fault.ec = EC_DATA_ABORT_SAME;
	}
	if (pe->fault.control == NULL) {
		pe->fault.control = "HCR_EL2.NV2";
	}
}

static bool vncr_translate(struct pe *pe, uint64_t va, bool write, struct mmu_result *result)
{
	struct mmu_access access = {.va = va_make(va),
				    .type = write ? MMU_WRITE : MMU_READ,
				    .size = VNCR_SIZE};
	struct mmu_fault mf;

	if (mmu_view_translate(pe->tlb, vncr_view(pe), &access, result, &mf)) {
		return !debug_watchpoint_nv2(pe, va, VNCR_SIZE, write);
	}
	vncr_abort(pe, va, &mf);
	return false;
}

static bool vncr_bus(struct pe *pe, uint64_t va, const struct mmu_result *r, bool write,
		     uint64_t *value)
{
	struct bus_attrs attrs = {.pas = r->pas, .pe = pe->index, .privileged = true};
	enum bus_result result = write ? bus_write(pe->bus, r->pa.v, VNCR_SIZE, attrs, *value)
				       : bus_read(pe->bus, r->pa.v, VNCR_SIZE, attrs, value);

	if (result != BUS_OK) {
		vncr_abort(pe, va, &(struct mmu_fault){.type = MMU_FAULT_EXTERNAL, .write = write});
		return false;
	}
	return true;
}

bool vncr_load(struct pe *pe, const struct uop *op, unsigned offset, uint64_t *value)
{
	uint64_t va = vncr_address(pe, offset);
	struct mmu_result r;
	struct bus_ram *ram;

	pe->cur = op;
	if (!vncr_translate(pe, va, false, &r)) {
		return false;
	}
	ram = bus_ram_find(pe->bus, r.pas, r.pa.v);
	if (ram != NULL) {
		*value = host_load(ram->host + (r.pa.v - ram->base), 8);
	} else if (!vncr_bus(pe, va, &r, false, value)) {
		return false;
	}
	pe->cur = NULL;
	return true;
}

bool vncr_store(struct pe *pe, const struct uop *op, unsigned offset, uint64_t value)
{
	uint64_t va = vncr_address(pe, offset), page;
	struct mmu_result r;
	struct bus_ram *ram;

	pe->cur = op;
	if (!vncr_translate(pe, va, true, &r)) {
		return false;
	}
	ram = bus_ram_find(pe->bus, r.pas, r.pa.v);
	if (ram != NULL && !ram->read_only) {
		page = (r.pa.v - ram->base) >> PAGE_SHIFT;
		ram->page_flags[page] |= BUS_PAGE_WRITTEN;
		if ((ram->page_flags[page] & BUS_PAGE_CODE) &&
		    code_overlaps(ram->page_code[page], (unsigned)(r.pa.v & PAGE_MASK),
				  VNCR_SIZE)) {
			bus_code_written(pe->bus, ram, r.pa.v);
		}
		host_store(ram->host + (r.pa.v - ram->base), 8, value);
	} else if (!vncr_bus(pe, va, &r, true, &value)) {
		return false;
	}
	pe->cur = NULL;
	return true;
}
