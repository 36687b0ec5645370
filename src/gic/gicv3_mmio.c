// SPDX-License-Identifier: Apache-2.0
// GICv3: the register frames of the distributor and the redistributors (IHI 0069, chapter 12). The
// registers that hold a field for each interrupt are rows of one table, walked by one function; the
// same rows serve GICD_<name><n> for SPIs and GICR_<name>0 for SGIs and PPIs, whose offsets in GICD
// and in SGI_base are equal.
#include <stddef.h>

#include "gic/gicv3_internal.h"

#define FRAME_SIZE UINT64_C(0x10000)

// ---- registers with a field per interrupt -------------------------------------------------------

// One 32-bit register of a row: the fields of the interrupts `first`, first + 1, ... of the bank.
struct bank_access {
	const struct gicv3 *gic;
	struct gicv3_bank *bank;
	unsigned first;
	bool ns_view; // Non-secure access with two Security states
};

// Which interrupts a Non-secure access may reach (GICD_NSACR): those of Non-secure Group 1, and
// those whose NS_access field is at least a value; or none.
enum visible { VISIBLE_GROUP, VISIBLE_NSACR1, VISIBLE_NSACR2, VISIBLE_SECURE_ONLY };

struct bank_row {
	uint16_t offset; // of the field of INTID 0
	uint8_t width; // bits in a field: 1, 2 or 8
	uint8_t width_shift; // its logarithm
	enum visible read, write;
	uint32_t (*get)(const struct bank_access *a);
	// mask: the bits of value to be written
	void (*set)(const struct bank_access *a, uint32_t value, uint32_t mask);
};

static uint32_t group_get(const struct bank_access *a)
{
	return a->bank->group;
}

static void group_set(const struct bank_access *a, uint32_t value, uint32_t mask)
{
	a->bank->group = (a->bank->group & ~mask) | (value & mask);
}

static uint32_t grpmod_get(const struct bank_access *a)
{
	return gicv3_one_state(a->gic) ? 0 : a->bank->grpmod;
}

static void grpmod_set(const struct bank_access *a, uint32_t value, uint32_t mask)
{
	if (!gicv3_one_state(a->gic)) {
		a->bank->grpmod = (a->bank->grpmod & ~mask) | (value & mask);
	}
}

static uint32_t enabled_get(const struct bank_access *a)
{
	return a->bank->enabled;
}

static void enabled_set(const struct bank_access *a, uint32_t value, uint32_t mask)
{
	a->bank->enabled |= value & mask;
}

static void enabled_clear(const struct bank_access *a, uint32_t value, uint32_t mask)
{
	a->bank->enabled &= ~(value & mask);
}

static uint32_t pending_get(const struct bank_access *a)
{
	return a->bank->pending | (a->bank->level & ~a->bank->edge);
}

static void pending_set(const struct bank_access *a, uint32_t value, uint32_t mask)
{
	a->bank->pending |= value & mask;
}

static void pending_clear(const struct bank_access *a, uint32_t value, uint32_t mask)
{
	a->bank->pending &= ~(value & mask);
}

static uint32_t active_get(const struct bank_access *a)
{
	return a->bank->active;
}

static void active_set(const struct bank_access *a, uint32_t value, uint32_t mask)
{
	a->bank->active |= value & mask;
}

static void active_clear(const struct bank_access *a, uint32_t value, uint32_t mask)
{
	a->bank->active &= ~(value & mask);
}

// Non-secure software sees and sets the lower half of the priorities (4.8.6), shifted so that it
// looks whole.
static uint32_t priority_get(const struct bank_access *a)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 4; i++) {
		uint32_t priority = a->bank->priority[a->first + i];

		value |= (a->ns_view ? (priority << 1) & 0xff : priority) << (8 * i);
	}
	return value;
}

static void priority_set(const struct bank_access *a, uint32_t value, uint32_t mask)
{
	for (unsigned i = 0; i < 4; i++, value >>= 8, mask >>= 8) {
		uint32_t priority = value & 0xff;

		if (mask & 0xff) {
			priority = a->ns_view ? 0x80 | (priority >> 1) : priority;
			a->bank->priority[a->first + i] = priority & PRIORITY_MASK;
		}
	}
}

// Bit 1 of each field: edge-triggered. Bit 0 is RES0 (it meant a model of handling in older GICs).
static uint32_t config_get(const struct bank_access *a)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 16; i++) {
		value |= ((a->bank->edge >> (a->first + i)) & 1) << (2 * i + 1);
	}
	return value;
}

static void config_set(const struct bank_access *a, uint32_t value, uint32_t mask)
{
	for (unsigned i = 0; i < 16; i++) {
		if ((mask >> (2 * i + 1)) & 1) {
			uint32_t edge = (value >> (2 * i + 1)) & 1;

			a->bank->edge =
				(uint32_t)bits_set(a->bank->edge, a->first + i, a->first + i, edge);
		}
	}
}

static uint32_t nsacr_get(const struct bank_access *a)
{
	return gicv3_one_state(a->gic) ? 0 : (uint32_t)(a->bank->nsacr >> (2 * a->first));
}

static void nsacr_set(const struct bank_access *a, uint32_t value, uint32_t mask)
{
	if (!gicv3_one_state(a->gic)) {
		uint64_t old = a->bank->nsacr >> (2 * a->first);

		a->bank->nsacr = bits_set(a->bank->nsacr, 2 * a->first + 31, 2 * a->first,
					  (old & ~(uint64_t)mask) | (value & mask));
	}
}

static uint32_t nmi_get(const struct bank_access *a)
{
	return gicv3_bank_nmi(a->gic, a->bank);
}

// RES0 for Group 0, and without NMIs.
static void nmi_set(const struct bank_access *a, uint32_t value, uint32_t mask)
{
	mask &= a->bank->group | grpmod_get(a);
	if (a->gic->has_nmi) {
		a->bank->nmi = (a->bank->nmi & ~mask) | (value & mask);
	}
}

static const struct bank_row bank_rows[] = {
	// IGROUPR, ISENABLER, ICENABLER, ISPENDR, ICPENDR, ISACTIVER, ICACTIVER, IPRIORITYR, ICFGR,
	// IGRPMODR, NSACR, INMIR
	{0x080, 1, 0, VISIBLE_SECURE_ONLY, VISIBLE_SECURE_ONLY, group_get, group_set},
	{0x100, 1, 0, VISIBLE_GROUP, VISIBLE_GROUP, enabled_get, enabled_set},
	{0x180, 1, 0, VISIBLE_GROUP, VISIBLE_GROUP, enabled_get, enabled_clear},
	{0x200, 1, 0, VISIBLE_NSACR1, VISIBLE_NSACR1, pending_get, pending_set},
	{0x280, 1, 0, VISIBLE_NSACR2, VISIBLE_NSACR2, pending_get, pending_clear},
	{0x300, 1, 0, VISIBLE_NSACR2, VISIBLE_GROUP, active_get, active_set},
	{0x380, 1, 0, VISIBLE_NSACR2, VISIBLE_GROUP, active_get, active_clear},
	{0x400, 8, 3, VISIBLE_GROUP, VISIBLE_GROUP, priority_get, priority_set},
	{0xc00, 2, 1, VISIBLE_GROUP, VISIBLE_GROUP, config_get, config_set},
	{0xd00, 1, 0, VISIBLE_SECURE_ONLY, VISIBLE_SECURE_ONLY, grpmod_get, grpmod_set},
	{0xe00, 2, 1, VISIBLE_SECURE_ONLY, VISIBLE_SECURE_ONLY, nsacr_get, nsacr_set},
	{0xf80, 1, 0, VISIBLE_GROUP, VISIBLE_GROUP, nmi_get, nmi_set},
};

// The interrupts of a bank whose NS_access field is at least `least` (1 or 2).
static uint32_t nsacr_at_least(const struct gicv3_bank *bank, unsigned least)
{
	uint32_t mask = 0;

	for (unsigned i = 0; bank->nsacr != 0 && i < 32; i++) {
		if (((bank->nsacr >> (2 * i)) & 3) >= least) {
			mask |= (uint32_t)BIT(i);
		}
	}
	return mask;
}

static uint32_t visible_mask(const struct bank_access *a, enum visible visible)
{
	const struct gicv3_bank *bank = a->bank;

	if (!a->ns_view) {
		return bank->valid;
	}
	switch (visible) {
	case VISIBLE_GROUP:
		return bank->valid & bank->group;
	case VISIBLE_NSACR1:
		return bank->valid & (bank->group | nsacr_at_least(bank, 1));
	case VISIBLE_NSACR2:
		return bank->valid & (bank->group | nsacr_at_least(bank, 2));
	default:
		return 0;
	}
}

// The bits of a register of `width`-bit fields from interrupt `first` on, of those interrupts that
// are in `mask`.
static uint32_t widen(uint32_t mask, unsigned first, unsigned width)
{
	uint32_t wide = 0;

	if (width == 1 || mask == UINT32_MAX) {
		return mask;
	}
	for (unsigned i = 0; i < 32 / width; i++) {
		if ((mask >> (first + i)) & 1) {
			wide |= ((UINT32_C(1) << width) - 1) << (i * width);
		}
	}
	return wide;
}

// The place in bank_rows of each 128 bytes of a frame's first 4096, plus one; 0: no row. Every row
// begins at a multiple of 128, and takes one in GICD.
#define ROW_INDEX_SHIFT 7
#define FIRST_ROW 0x80

static const uint8_t row_index[0x1000 >> ROW_INDEX_SHIFT] = {
	[0x080 >> ROW_INDEX_SHIFT] = 1,  [0x100 >> ROW_INDEX_SHIFT] = 2,
	[0x180 >> ROW_INDEX_SHIFT] = 3,  [0x200 >> ROW_INDEX_SHIFT] = 4,
	[0x280 >> ROW_INDEX_SHIFT] = 5,  [0x300 >> ROW_INDEX_SHIFT] = 6,
	[0x380 >> ROW_INDEX_SHIFT] = 7,  [0x400 >> ROW_INDEX_SHIFT] = 8,
	[0x480 >> ROW_INDEX_SHIFT] = 8,  [0x500 >> ROW_INDEX_SHIFT] = 8,
	[0x580 >> ROW_INDEX_SHIFT] = 8,  [0x600 >> ROW_INDEX_SHIFT] = 8,
	[0x680 >> ROW_INDEX_SHIFT] = 8,  [0x700 >> ROW_INDEX_SHIFT] = 8,
	[0x780 >> ROW_INDEX_SHIFT] = 8,  [0xc00 >> ROW_INDEX_SHIFT] = 9,
	[0xc80 >> ROW_INDEX_SHIFT] = 9,  [0xd00 >> ROW_INDEX_SHIFT] = 10,
	[0xe00 >> ROW_INDEX_SHIFT] = 11, [0xe80 >> ROW_INDEX_SHIFT] = 11,
	[0xf80 >> ROW_INDEX_SHIFT] = 12,
};

// Find the row of an offset, and the bank and first interrupt of its 32-bit register. p: a PE's own
// bank, else SPIs.
static inline const struct bank_row *bank_find(struct gicv3 *gic, struct gicv3_pe *p,
					       uint64_t offset, struct bank_access *a,
					       unsigned *bank_number)
{
	unsigned place = offset < 0x1000 ? row_index[offset >> ROW_INDEX_SHIFT] : 0;
	const struct bank_row *row;
	unsigned first;

	if (place == 0) {
		return NULL;
	}
	row = &bank_rows[place - 1];
	first = (((unsigned)offset - row->offset) & ~3u) * 8 >> row->width_shift;
	// A row takes 1024 fields in GICD; in SGI_base, 32, and NSACR has the 16 SGIs only.
	if (p != NULL && first >= (row->get == nsacr_get ? 16u : 32u)) {
		return NULL;
	}
	*bank_number = first / 32;
	a->gic = gic;
	a->bank = p != NULL ? &p->bank : &gic->banks[*bank_number];
	a->first = first % 32;
	return row;
}

static bool bank_size_valid(const struct bank_row *row, unsigned size)
{
	return size == 4 || (row->width == 8 && size < 4);
}

static bool bank_read(struct gicv3 *gic, struct gicv3_pe *p, uint64_t offset, unsigned size,
		      bool ns_view, uint64_t *data)
{
	struct bank_access a = {.ns_view = ns_view};
	unsigned n;
	const struct bank_row *row = bank_find(gic, p, offset, &a, &n);
	uint32_t mask;

	if (row == NULL || !bank_size_valid(row, size)) {
		return false;
	}
	mask = widen(visible_mask(&a, row->read), a.first, row->width);
	*data = zext((row->get(&a) & mask) >> (8 * (offset & 3)), 8 * size);
	return true;
}

static bool bank_write(struct gicv3 *gic, struct gicv3_pe *p, uint64_t offset, unsigned size,
		       bool ns_view, uint64_t data)
{
	struct bank_access a = {.ns_view = ns_view};
	unsigned n;
	const struct bank_row *row = bank_find(gic, p, offset, &a, &n);
	unsigned shift = 8 * (offset & 3);
	uint32_t mask;

	if (row == NULL || !bank_size_valid(row, size)) {
		return false;
	}
	mask = widen(visible_mask(&a, row->write), a.first, row->width);
	mask &= (uint32_t)(zext(~UINT64_C(0), 8 * size) << shift);
	if (p != NULL && row->set == config_set && a.first == 0) {
		mask = 0; // SGIs are edge-triggered, always
	}
	row->set(&a, (uint32_t)(data << shift), mask);
	if (p != NULL) {
		gicv3_own_changed(p);
	} else {
		gicv3_spis_changed(gic, n, ~UINT32_C(0));
	}
	return true;
}

// ---- distributor --------------------------------------------------------------------------------

#define GICD_CTLR 0x0000
#define GICD_TYPER 0x0004
#define GICD_IIDR 0x0008
#define GICD_TYPER2 0x000c
#define GICD_STATUSR 0x0010
#define GICD_SETSPI_NSR 0x0040
#define GICD_CLRSPI_NSR 0x0048
#define GICD_SETSPI_SR 0x0050
#define GICD_CLRSPI_SR 0x0058
#define GICD_IROUTER 0x6000
#define GICD_IROUTER_END 0x8000
#define ID_REGISTERS 0xffd0

// Implementer Arm, as QEMU's: software that knows product numbers must not find one that it works
// around.
#define IIDR_ARM 0x43b

#define TYPER_NMI BIT(9)
#define TYPER_SECURITY_EXTN BIT(10)
#define TYPER_MBIS BIT(16)
#define TYPER_IDBITS ((uint64_t)15 << 19)
#define TYPER_A3V BIT(24)
#define TYPER_NO1N BIT(25)
#define TYPER_RSS BIT(26)

// PIDR4..7, PIDR0..3, CIDR0..3: GICv3 (ArchRev 3) by Arm. part: the low byte of the part number.
static uint64_t id_register(uint64_t offset, uint8_t part)
{
	static const uint8_t id[12] = {0x44, 0, 0, 0, 0, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};
	size_t i = (offset - ID_REGISTERS) / 4;

	return i == 4 ? part : id[i];
}

static uint64_t dist_ctlr_read(const struct gicv3 *gic, bool ns_view)
{
	if (ns_view) {
		return (gic->ctlr & GICD_CTLR_ENABLE_G1NS) | GICD_CTLR_ARE;
	}
	return gic->ctlr | GICD_CTLR_ARE | (gicv3_one_state(gic) ? 0 : GICD_CTLR_ARE_NS);
}

static void dist_ctlr_write(struct gicv3 *gic, bool ns_view, uint64_t data)
{
	uint64_t mask = GICD_CTLR_ENABLE_G0 | GICD_CTLR_ENABLE_G1NS;

	if (ns_view) {
		mask = GICD_CTLR_ENABLE_G1NS;
	} else if (!gicv3_one_state(gic)) {
		mask |= GICD_CTLR_ENABLE_G1S | GICD_CTLR_DS;
	}
	gic->ctlr = (gic->ctlr & ~mask) | (data & mask);
	if (gicv3_one_state(gic)) {
		gic->ctlr &= ~GICD_CTLR_ENABLE_G1S;
	}
	gicv3_select_all(gic);
}

// May a Non-secure access reach this SPI, for something that NSACR values from `least` on permit?
static bool spi_reachable(const struct gicv3 *gic, uint32_t intid, bool ns_view, unsigned least)
{
	const struct gicv3_bank *bank = &gic->banks[intid / 32];

	return !ns_view || bit(bank->group, intid % 32) ||
	       ((bank->nsacr >> (2 * (intid % 32))) & 3) >= least;
}

// A message-based SPI (SETSPI, CLRSPI): an edge, or a level that stays until it is cleared.
static void dist_message(struct gicv3 *gic, uint64_t data, bool ns_view, bool set)
{
	uint32_t intid = data & 0x3ff;
	uint32_t mask = (uint32_t)BIT(intid % 32);
	struct gicv3_bank *bank;

	if (intid < INTID_SPI || intid >= gic->intid_count ||
	    !spi_reachable(gic, intid, ns_view, set ? 1 : 2)) {
		return;
	}
	bank = &gic->banks[intid / 32];
	if (bank->edge & mask) {
		bank->pending = set ? bank->pending | mask : bank->pending & ~mask;
	} else {
		bank->level = set ? bank->level | mask : bank->level & ~mask;
	}
	gicv3_spis_changed(gic, intid / 32, mask);
}

// IROUTER<n> as one 64-bit register or two halves. Returns whether the offset is one; intid 0:
// RES0.
static bool dist_is_router(const struct gicv3 *gic, uint64_t offset, unsigned size, bool ns_view,
			   uint32_t *intid)
{
	if (offset < GICD_IROUTER || offset >= GICD_IROUTER_END || size < 4) {
		return false;
	}
	*intid = (uint32_t)((offset - GICD_IROUTER) / 8);
	if (*intid < INTID_SPI || *intid >= gic->intid_count ||
	    !spi_reachable(gic, *intid, ns_view, 3)) {
		*intid = 0;
	}
	return true;
}

static bool dist_read_single(struct gicv3 *gic, uint64_t offset, bool ns_view, uint64_t *data)
{
	if (offset >= ID_REGISTERS) {
		*data = id_register(offset, 0x92);
		return true;
	}
	switch (offset) {
	case GICD_CTLR:
		*data = dist_ctlr_read(gic, ns_view);
		return true;
	case GICD_TYPER:
		*data = gic->config.spi_count / 32 |
			(gicv3_one_state(gic) ? 0 : TYPER_SECURITY_EXTN) | TYPER_MBIS |
			(gic->has_nmi ? TYPER_NMI : 0) | TYPER_IDBITS | TYPER_A3V | TYPER_NO1N |
			TYPER_RSS;
		return true;
	case GICD_IIDR:
		*data = IIDR_ARM;
		return true;
	case GICD_TYPER2:
	case GICD_STATUSR:
	case GICD_SETSPI_NSR:
	case GICD_CLRSPI_NSR:
	case GICD_SETSPI_SR:
	case GICD_CLRSPI_SR:
		*data = 0;
		return true;
	default:
		return false;
	}
}

static bool dist_write_single(struct gicv3 *gic, uint64_t offset, bool ns_view, uint64_t data)
{
	switch (offset) {
	case GICD_CTLR:
		dist_ctlr_write(gic, ns_view, data);
		return true;
	case GICD_STATUSR:
		return true; // no error is ever recorded
	case GICD_SETSPI_NSR:
	case GICD_CLRSPI_NSR:
		dist_message(gic, data, ns_view, offset == GICD_SETSPI_NSR);
		return true;
	case GICD_SETSPI_SR:
	case GICD_CLRSPI_SR:
		// WI for Non-secure accesses, and with one Security state.
		if (!ns_view && !gicv3_one_state(gic)) {
			dist_message(gic, data, false, offset == GICD_SETSPI_SR);
		}
		return true;
	default:
		return false;
	}
}

static bool ns_view_of(const struct gicv3 *gic, struct bus_attrs attrs)
{
	return attrs.pas != PAS_SECURE && !gicv3_one_state(gic);
}

// What no register answers reads as zero and ignores writes, as reserved locations do (12.1.3), but
// a person who writes a driver will want to know.
static void log_reserved(const struct gicv3 *gic, const char *frame, const char *what,
			 uint64_t offset, unsigned size)
{
	log_line(gic->log, LOG_LEVEL_GUEST,
		 "gic: %u-byte %s at offset 0x%llx of %s, which is reserved", size, what,
		 (unsigned long long)offset, frame);
}

static enum bus_result dist_read(void *device, uint64_t offset, unsigned size,
				 struct bus_attrs attrs, uint64_t *data)
{
	struct gicv3 *gic = device;
	bool ns_view = ns_view_of(gic, attrs);
	uint32_t intid;

	*data = 0;
	if (offset < FIRST_ROW && size == 4 && dist_read_single(gic, offset, ns_view, data)) {
		return BUS_OK;
	}
	if (bank_read(gic, NULL, offset, size, ns_view, data)) {
		return BUS_OK;
	}
	if (dist_is_router(gic, offset, size, ns_view, &intid)) {
		*data = intid == 0 ? 0 : zext(gic->router[intid] >> (8 * (offset & 4)), 8 * size);
		return BUS_OK;
	}
	if (size != 4 || !dist_read_single(gic, offset, ns_view, data)) {
		log_reserved(gic, "GICD", "read", offset, size);
	}
	return BUS_OK;
}

static enum bus_result dist_write(void *device, uint64_t offset, unsigned size,
				  struct bus_attrs attrs, uint64_t data)
{
	struct gicv3 *gic = device;
	bool ns_view = ns_view_of(gic, attrs);
	uint32_t intid;

	if (bank_write(gic, NULL, offset, size, ns_view, data)) {
		return BUS_OK;
	}
	if (dist_is_router(gic, offset, size, ns_view, &intid)) {
		if (intid != 0) {
			unsigned low = 8 * (offset & 4);

			gicv3_route(gic, intid,
				    bits_set(gic->router[intid], low + 8 * size - 1, low, data));
		}
		return BUS_OK;
	}
	if (size != 4 || !dist_write_single(gic, offset, ns_view, data)) {
		log_reserved(gic, "GICD", "write", offset, size);
	}
	return BUS_OK;
}

const struct bus_device_type gicv3_mmio_dist_type = {
	.name = "gic-distributor",
	.read = dist_read,
	.write = dist_write,
	.min_size = 1,
	.max_size = 8,
};

// ---- redistributors -----------------------------------------------------------------------------

#define GICR_CTLR 0x0000
#define GICR_IIDR 0x0004
#define GICR_TYPER 0x0008
#define GICR_TYPER_HIGH 0x000c
#define GICR_STATUSR 0x0010
#define GICR_WAKER 0x0014

#define GICR_TYPER_LAST BIT(4)

static uint64_t redist_typer(const struct gicv3_pe *p)
{
	uint64_t affinity = (bits(p->affinity, 39, 32) << 24) | bits(p->affinity, 23, 0);

	return affinity << 32 | (uint64_t)p->index << 8 |
	       (p->index + 1 == p->gic->config.pe_count ? GICR_TYPER_LAST : 0);
}

static bool redist_read_single(struct gicv3_pe *p, uint64_t offset, unsigned size, bool ns_view,
			       uint64_t *data)
{
	if (offset == GICR_TYPER && size == 8) {
		*data = redist_typer(p);
		return true;
	}
	if (size != 4) {
		return false;
	}
	if (offset >= ID_REGISTERS) {
		*data = id_register(offset, 0x93);
		return true;
	}
	switch (offset) {
	case GICR_CTLR:
	case GICR_STATUSR:
		return true;
	case GICR_IIDR:
		*data = IIDR_ARM;
		return true;
	case GICR_TYPER:
		*data = (uint32_t)redist_typer(p);
		return true;
	case GICR_TYPER_HIGH:
		*data = redist_typer(p) >> 32;
		return true;
	case GICR_WAKER:
		*data = ns_view ? 0 : p->waker;
		return true;
	default:
		return false;
	}
}

static bool redist_write_single(struct gicv3_pe *p, uint64_t offset, unsigned size, bool ns_view,
				uint64_t data)
{
	if (size != 4) {
		return false;
	}
	switch (offset) {
	case GICR_CTLR: // nothing in it without LPIs and 1 of N
	case GICR_STATUSR:
		return true;
	case GICR_WAKER:
		if (!ns_view) {
			// The children follow at once.
			p->waker = (data & GICR_WAKER_SLEEP) ? GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP
							     : 0;
			gicv3_select(p);
		}
		return true;
	default:
		return false;
	}
}

static enum bus_result redist_read(void *device, uint64_t offset, unsigned size,
				   struct bus_attrs attrs, uint64_t *data)
{
	struct gicv3 *gic = device;
	struct gicv3_pe *p = &gic->pes[offset / GICV3_REDIST_SIZE];
	bool ns_view = ns_view_of(gic, attrs);
	bool sgi_frame = offset % GICV3_REDIST_SIZE >= FRAME_SIZE;
	bool done;

	offset %= FRAME_SIZE;
	*data = 0;
	done = sgi_frame ? bank_read(gic, p, offset, size, ns_view, data)
			 : redist_read_single(p, offset, size, ns_view, data);
	if (!done) {
		log_reserved(gic, sgi_frame ? "GICR SGI_base" : "GICR RD_base", "read", offset,
			     size);
	}
	return BUS_OK;
}

static enum bus_result redist_write(void *device, uint64_t offset, unsigned size,
				    struct bus_attrs attrs, uint64_t data)
{
	struct gicv3 *gic = device;
	struct gicv3_pe *p = &gic->pes[offset / GICV3_REDIST_SIZE];
	bool ns_view = ns_view_of(gic, attrs);
	bool sgi_frame = offset % GICV3_REDIST_SIZE >= FRAME_SIZE;
	bool done;

	offset %= FRAME_SIZE;
	done = sgi_frame ? bank_write(gic, p, offset, size, ns_view, data)
			 : redist_write_single(p, offset, size, ns_view, data);
	if (!done) {
		log_reserved(gic, sgi_frame ? "GICR SGI_base" : "GICR RD_base", "write", offset,
			     size);
	}
	return BUS_OK;
}

const struct bus_device_type gicv3_mmio_redist_type = {
	.name = "gic-redistributor",
	.read = redist_read,
	.write = redist_write,
	.min_size = 1,
	.max_size = 8,
};
