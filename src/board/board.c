// SPDX-License-Identifier: Apache-2.0
// Loading a machine and putting it into its reset state: what a boot loader and the firmware before
// it would have done.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "board/board_internal.h"
#include "board/dtb.h"
#include "board/loader.h"
#include "board/virt_map.h"
#include "cpu/model.h"
#include "cpu/pe.h"
#include "gic/gicv3.h"
#include "timer/timer.h"

#define INITRD_DISTANCE (UINT64_C(128) << 20) // above the start of RAM, out of the way of kernels
#define DTB_ALIGN (UINT64_C(2) << 20)
#define KERNEL_ALIGN (UINT64_C(2) << 20)

static int load_image(struct strata *s, struct loader *loader, struct image_info *info)
{
	const struct strata_options *o = &s->options;
	struct loader_file file;
	int err = loader_map(loader, o->image, &file);

	if (err == 0) {
		err = image_load(loader, o->image, file.data, file.size, o->image_is_flat,
				 o->image_address, info);
		loader_unmap(&file);
	}
	return err;
}

static int load_flat(struct loader *loader, const char *path, uint64_t address)
{
	struct loader_file file;
	int err = loader_map(loader, path, &file);

	if (err == 0) {
		err = loader_claim(loader, address, file.size, path);
		if (err == 0) {
			loader_write(loader, address, file.data, file.size);
		}
		loader_unmap(&file);
	}
	return err;
}

static int load_initrd(struct strata *s, struct loader *loader, const struct image_info *info,
		       uint64_t *start, uint64_t *end)
{
	const struct strata_options *o = &s->options;
	struct loader_file file;
	uint64_t from = o->memory / 2 < INITRD_DISTANCE ? o->memory / 2 : INITRD_DISTANCE;
	int err = loader_map(loader, o->initrd, &file);

	if (err != 0) {
		return err;
	}
	from = o->ram_base + from;
	if (info->is_linux && info->base + info->size > from) {
		from = info->base + info->size;
	}
	if (!loader_place(loader, file.size, PAGE_SIZE, from, start)) {
		err = loader_fail(loader, EINVAL, "%s: no room in RAM for its 0x%llx bytes",
				  o->initrd, (unsigned long long)file.size);
	} else {
		err = loader_claim(loader, *start, file.size, o->initrd);
	}
	if (err == 0) {
		loader_write(loader, *start, file.data, file.size);
		*end = *start + file.size;
	}
	loader_unmap(&file);
	return err;
}

static int load_symbols(struct loader *loader, const char *path)
{
	struct loader_file file;
	int n = loader_map(loader, path, &file);

	if (n != 0) {
		return n;
	}
	if (elf_recognise(file.data, file.size)) {
		n = elf_symbols(loader, path, file.data, file.size);
	} else {
		n = symbols_add_map(loader->symbols, (const char *)file.data, file.size);
		if (n < 0) {
			n = loader_fail(loader, -n, "%s: %s", path,
					n == -ENOMEM ? "out of memory"
						     : "neither an ELF nor a System.map");
		}
	}
	loader_unmap(&file);
	if (n == 0) {
		n = loader_fail(loader, EINVAL, "%s: has no symbols", path);
	}
	return n < 0 ? n : 0;
}

// What the symbols of a kernel say of the code that runs before its MMU is on. A table without the
// image's first symbol may still have that of its code, which begins less than 2 MiB into it.
static void alias_kernel(struct strata *s, const struct image_info *info)
{
	uint64_t start, end;

	if (!info->is_linux) {
		return;
	}
	if (symbols_range(s->symbols, "_text", &start, &end)) {
		symbols_alias(s->symbols, info->base, info->size, start);
	} else if (symbols_range(s->symbols, "_stext", &start, &end)) {
		symbols_alias(s->symbols, info->base, info->size, align_down(start, KERNEL_ALIGN));
	}
}

static const char *cpu_compatible(const struct strata *s, char *buffer, size_t size)
{
	if (strcmp(s->model->name, "max") == 0) {
		return "arm,armv8";
	}
	snprintf(buffer, size, "arm,%s", s->model->name);
	return buffer;
}

static int make_dtb(struct strata *s, struct loader *loader, const struct dtb_config *config,
		    void **dtb, size_t *size)
{
	struct loader_file file;
	char message[128];
	int err;

	if (s->options.dtb == NULL) {
		err = dtb_build(config, dtb, size);
		return err == 0 ? 0
				: loader_fail(loader, -err, "can't build the device tree: %s",
					      strerror(-err));
	}
	err = loader_map(loader, s->options.dtb, &file);
	if (err == 0) {
		snprintf(message, sizeof(message), "out of memory");
		err = dtb_adopt(config, file.data, file.size, dtb, size, message, sizeof(message));
		if (err != 0) {
			err = loader_fail(loader, -err, "%s: %s", s->options.dtb, message);
		}
		loader_unmap(&file);
	}
	return err;
}

static int dump_dtb(struct loader *loader, const char *path, const void *dtb, size_t size)
{
	FILE *f = fopen(path, "wb");
	bool ok = f != NULL && fwrite(dtb, 1, size, f) == size;

	if (f != NULL && fclose(f) != 0) {
		ok = false;
	}
	return ok ? 0 : loader_fail(loader, EIO, "%s: can't write: %s", path, strerror(errno));
}

// A kernel's tree lies behind its initrd; every other image finds it at the start of RAM, where
// that is free.
static bool place_dtb(const struct strata *s, const struct loader *loader,
		      const struct image_info *info, uint64_t initrd_end, size_t size,
		      uint64_t *address)
{
	uint64_t from = s->options.ram_base;

	if (info->is_linux) {
		from = align_up(info->base + info->size, DTB_ALIGN);
		from = initrd_end > from ? align_up(initrd_end, DTB_ALIGN) : from;
		if (loader_place(loader, size, DTB_ALIGN, from, address)) {
			return true;
		}
	}
	return loader_place(loader, size, 8, from, address);
}

static int load_dtb(struct strata *s, struct loader *loader, const struct image_info *info,
		    uint64_t initrd_start, uint64_t initrd_end)
{
	const struct strata_options *o = &s->options;
	char compatible[64];
	const struct dtb_config config = {
		.ram_base = o->ram_base,
		.ram_size = o->memory,
		.pe_count = s->pe_count,
		.cpu_compatible = cpu_compatible(s, compatible, sizeof(compatible)),
		.psci = s->psci == BOARD_PSCI_SMC   ? DTB_PSCI_SMC
			: s->psci == BOARD_PSCI_HVC ? DTB_PSCI_HVC
						    : DTB_PSCI_NONE,
		.el2 = s->has_el2,
		.vhe = feature_in(&s->model->features, FEAT_VHE),
		.secure = s->has_el3,
		.pmu = feature_in(&s->model->features, FEAT_PMUv3),
		.has_kaslr_seed = o->has_seed,
		.seed = o->seed,
		.append = o->append,
		.initrd_start = initrd_start,
		.initrd_end = initrd_end,
	};
	void *dtb;
	size_t size;
	int err = make_dtb(s, loader, &config, &dtb, &size);

	if (err != 0) {
		return err;
	}
	if (o->dump_dtb != NULL && loader->fresh) {
		err = dump_dtb(loader, o->dump_dtb, dtb, size);
	}
	s->has_dtb = place_dtb(s, loader, info, initrd_end, size, &s->dtb_address);
	if (err == 0 && !s->has_dtb && (info->is_linux || o->dtb != NULL)) {
		err = loader_fail(loader, EINVAL,
				  "no room in RAM for the device tree's 0x%zx bytes", size);
	}
	if (err == 0 && s->has_dtb) {
		err = loader_claim(loader, s->dtb_address, size, "the device tree");
	}
	if (err == 0 && s->has_dtb) {
		loader_write(loader, s->dtb_address, dtb, size);
	}
	free(dtb);
	return err;
}

static int load_all(struct strata *s, struct loader *loader)
{
	const struct strata_options *o = &s->options;
	struct image_info info = {0};
	uint64_t initrd_start = 0;
	uint64_t initrd_end = 0;
	int err = o->image != NULL ? load_image(s, loader, &info) : 0;

	for (size_t i = 0; err == 0 && i < o->load_count; i++) {
		err = load_flat(loader, o->loads[i].path, o->loads[i].address);
	}
	if (err == 0 && o->initrd != NULL) {
		err = load_initrd(s, loader, &info, &initrd_start, &initrd_end);
	}
	if (err == 0) {
		err = load_dtb(s, loader, &info, initrd_start, initrd_end);
	}
	for (size_t i = 0; loader->fresh && err == 0 && i < o->symbol_count; i++) {
		err = load_symbols(loader, o->symbols[i]);
	}
	if (err != 0) {
		return err;
	}
	if (loader->fresh) {
		alias_kernel(s, &info);
	}
	s->runnable = o->image != NULL || o->load_count != 0;
	s->entry = o->has_entry ? o->entry : info.entry;
	if (o->image == NULL && o->load_count != 0 && !o->has_entry) {
		return loader_fail(loader, EINVAL,
				   "nothing says where to start: give an image or --entry ADDRESS");
	}
	if (s->runnable && (s->entry & 3) != 0) {
		return loader_fail(loader, EINVAL, "the entry 0x%llx is not a multiple of 4",
				   (unsigned long long)s->entry);
	}
	s->image_end = 0;
	for (size_t i = 0; i < loader->range_count; i++) {
		s->image_end =
			loader->ranges[i].end > s->image_end ? loader->ranges[i].end : s->image_end;
	}
	return 0;
}

int board_load(struct strata *s, bool fresh, char *error, size_t error_size)
{
	struct loader loader;
	int err;

	loader_init(&loader, s->bus, s->options.ram_base, s->options.memory, fresh, error,
		    error_size);
	loader.symbols = fresh ? s->symbols : NULL;
	err = load_all(s, &loader);
	loader_done(&loader);
	return err;
}

// The highest Non-secure level, or EL3 itself.
static bool boots_secure(const struct strata *s)
{
	return s->options.boot_el == 3;
}

void board_reset(struct strata *s)
{
	uint64_t now = s->now;

	bus_reset_devices(s->bus);
	for (unsigned i = 0; i < s->pe_count; i++) {
		struct pe *pe = s->pes[i].pe;

		pe_reset(pe, s->options.boot_el, boots_secure(s), s->entry);
		timer_reset(s->pes[i].timer);
		// Kernels and firmware find the device tree's address in x0; x1 to x3 are zero.
		pe_set_x(pe, 0, s->has_dtb ? s->dtb_address : 0);
		// Where firmware runs first, it starts on every PE and finds out itself; else PSCI
		// starts the others.
		if (i != 0 && s->psci != BOARD_PSCI_NONE) {
			pe_halt(pe);
		}
		pe_advance(pe, now);
	}
	gicv3_reset(s->gic);
	if (!boots_secure(s)) {
		gicv3_hand_over(s->gic);
	}
}

int board_boot_pe(struct strata *s, unsigned index, uint64_t entry, uint64_t x0)
{
	struct pe *pe = s->pes[index].pe;

	pe_reset(pe, s->options.boot_el, false, entry);
	timer_reset(s->pes[index].timer);
	gicv3_reset_pe(s->gic, index);
	pe_set_x(pe, 0, x0);
	pe_advance(pe, event_queue_time(&s->queue));
	return 0;
}
