// SPDX-License-Identifier: Apache-2.0
// The device tree of the board, with the bindings that Linux documents for each node
// (Documentation/devicetree). Sequential writing by libfdt: a failure sticks and is looked at once,
// at the end.
#include "board/dtb.h"

#include <errno.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board/virt_map.h"

enum { PHANDLE_GIC = 1, PHANDLE_CLOCK, PHANDLE_GPIO, PHANDLE_SECURE_GPIO };

enum { IRQ_SPI = 0, IRQ_PPI = 1 };
enum { IRQ_LEVEL_HIGH = 4 };

#define FREE_SPACE 8192 // for nodes and properties that dtb_adopt adds
#define KEY_POWER 116 // Linux input event code

struct writer {
	char *buffer;
	int error; // first libfdt error
};

static void note(struct writer *w, int err)
{
	if (err != 0 && w->error == 0) {
		w->error = err;
	}
}

static void node(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void node(struct writer *w, const char *fmt, ...)
{
	char name[64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	note(w, fdt_begin_node(w->buffer, name));
}

static void end(struct writer *w)
{
	note(w, fdt_end_node(w->buffer));
}

static void string(struct writer *w, const char *name, const char *value)
{
	note(w, fdt_property_string(w->buffer, name, value));
}

// Several strings in one property: size counts the last one's terminator too.
static void strings(struct writer *w, const char *name, const char *value, size_t size)
{
	note(w, fdt_property(w->buffer, name, value, (int)size));
}

static void flag(struct writer *w, const char *name)
{
	note(w, fdt_property(w->buffer, name, NULL, 0));
}

static void cells(struct writer *w, const char *name, unsigned count, ...)
{
	fdt32_t value[32];
	va_list args;

	va_start(args, count);
	for (unsigned i = 0; i < count; i++) {
		value[i] = cpu_to_fdt32(va_arg(args, uint32_t));
	}
	va_end(args);
	note(w, fdt_property(w->buffer, name, value, (int)(count * sizeof(value[0]))));
}

static void reg(struct writer *w, uint64_t base, uint64_t size)
{
	cells(w, "reg", 4, (uint32_t)(base >> 32), (uint32_t)base, (uint32_t)(size >> 32),
	      (uint32_t)size);
}

static void spi(struct writer *w, unsigned number)
{
	cells(w, "interrupts", 3, IRQ_SPI, number, IRQ_LEVEL_HIGH);
}

// Visible in the Secure state only.
static void secure_only(struct writer *w)
{
	string(w, "status", "disabled");
	string(w, "secure-status", "okay");
}

static void write_cpus(struct writer *w, const struct dtb_config *c)
{
	node(w, "cpus");
	cells(w, "#address-cells", 1, 1);
	cells(w, "#size-cells", 1, 0);
	for (unsigned i = 0; i < c->pe_count; i++) {
		uint32_t affinity = (uint32_t)virt_affinity(i);

		node(w, "cpu@%x", affinity);
		string(w, "device_type", "cpu");
		string(w, "compatible", c->cpu_compatible);
		cells(w, "reg", 1, affinity);
		if (c->psci != DTB_PSCI_NONE) {
			string(w, "enable-method", "psci");
		}
		end(w);
	}
	end(w);
}

static void write_psci(struct writer *w, const struct dtb_config *c)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2\0arm,psci";

	if (c->psci == DTB_PSCI_NONE) {
		return;
	}
	node(w, "psci");
	strings(w, "compatible", compatible, sizeof(compatible));
	string(w, "method", c->psci == DTB_PSCI_SMC ? "smc" : "hvc");
	cells(w, "cpu_suspend", 1, 0xc4000001u);
	cells(w, "cpu_off", 1, 0x84000002u);
	cells(w, "cpu_on", 1, 0xc4000003u);
	cells(w, "migrate", 1, 0xc4000005u);
	end(w);
}

static void write_gic(struct writer *w, const struct dtb_config *c)
{
	node(w, "intc@%llx", (unsigned long long)VIRT_GIC_DIST_BASE);
	string(w, "compatible", "arm,gic-v3");
	cells(w, "#interrupt-cells", 1, 3);
	cells(w, "#address-cells", 1, 2);
	cells(w, "#size-cells", 1, 2);
	flag(w, "ranges");
	flag(w, "interrupt-controller");
	cells(w, "#redistributor-regions", 1, 1);
	cells(w, "reg", 8, 0, (uint32_t)VIRT_GIC_DIST_BASE, 0, (uint32_t)VIRT_GIC_DIST_SIZE, 0,
	      (uint32_t)VIRT_GIC_REDIST_BASE, 0, (uint32_t)(VIRT_GIC_REDIST_STRIDE * c->pe_count));
	if (c->el2) {
		cells(w, "interrupts", 3, IRQ_PPI, VIRT_PPI_MAINTENANCE, IRQ_LEVEL_HIGH);
	}
	cells(w, "phandle", 1, PHANDLE_GIC);
	end(w);
}

static void write_timer(struct writer *w, const struct dtb_config *c)
{
	static const char compatible[] = "arm,armv8-timer\0arm,armv7-timer";

	node(w, "timer");
	strings(w, "compatible", compatible, sizeof(compatible));
	flag(w, "always-on");
	// Secure physical, Non-secure physical, virtual, hypervisor physical, hypervisor virtual.
	cells(w, "interrupts", c->el2 && c->vhe ? 15 : 12, IRQ_PPI, VIRT_PPI_TIMER_SECURE,
	      IRQ_LEVEL_HIGH, IRQ_PPI, VIRT_PPI_TIMER_PHYS, IRQ_LEVEL_HIGH, IRQ_PPI,
	      VIRT_PPI_TIMER_VIRT, IRQ_LEVEL_HIGH, IRQ_PPI, VIRT_PPI_TIMER_HYP, IRQ_LEVEL_HIGH,
	      IRQ_PPI, VIRT_PPI_TIMER_HYP_VIRT, IRQ_LEVEL_HIGH);
	end(w);
}

static void write_uart(struct writer *w, uint64_t base, unsigned number, bool secure)
{
	static const char compatible[] = "arm,pl011\0arm,primecell";
	static const char clocks[] = "uartclk\0apb_pclk";

	node(w, "pl011@%llx", (unsigned long long)base);
	strings(w, "compatible", compatible, sizeof(compatible));
	reg(w, base, 0x1000);
	spi(w, number);
	cells(w, "clocks", 2, PHANDLE_CLOCK, PHANDLE_CLOCK);
	strings(w, "clock-names", clocks, sizeof(clocks));
	if (secure) {
		secure_only(w);
	}
	end(w);
}

static void write_rtc(struct writer *w)
{
	static const char compatible[] = "arm,pl031\0arm,primecell";

	node(w, "pl031@%llx", (unsigned long long)VIRT_RTC_BASE);
	strings(w, "compatible", compatible, sizeof(compatible));
	reg(w, VIRT_RTC_BASE, 0x1000);
	spi(w, VIRT_SPI_RTC);
	cells(w, "clocks", 1, PHANDLE_CLOCK);
	string(w, "clock-names", "apb_pclk");
	end(w);
}

static void write_gpio(struct writer *w, uint64_t base, unsigned number, unsigned phandle,
		       bool secure)
{
	static const char compatible[] = "arm,pl061\0arm,primecell";

	node(w, "pl061@%llx", (unsigned long long)base);
	strings(w, "compatible", compatible, sizeof(compatible));
	reg(w, base, 0x1000);
	cells(w, "#gpio-cells", 1, 2);
	flag(w, "gpio-controller");
	cells(w, "#interrupt-cells", 1, 2);
	flag(w, "interrupt-controller");
	cells(w, "#address-cells", 1, 0);
	spi(w, number);
	cells(w, "clocks", 1, PHANDLE_CLOCK);
	string(w, "clock-names", "apb_pclk");
	cells(w, "phandle", 1, phandle);
	if (secure) {
		secure_only(w);
	}
	end(w);
}

static void write_keys(struct writer *w, const struct dtb_config *c)
{
	node(w, "gpio-keys");
	string(w, "compatible", "gpio-keys");
	node(w, "poweroff");
	cells(w, "gpios", 3, PHANDLE_GPIO, VIRT_GPIO_POWER_KEY, 0);
	cells(w, "linux,code", 1, KEY_POWER);
	string(w, "label", "GPIO Key Poweroff");
	end(w);
	end(w);
	if (!c->secure) {
		return;
	}
	node(w, "gpio-poweroff");
	string(w, "compatible", "gpio-poweroff");
	cells(w, "gpios", 3, PHANDLE_SECURE_GPIO, VIRT_SECURE_GPIO_POWEROFF, 0);
	secure_only(w);
	end(w);
	node(w, "gpio-restart");
	string(w, "compatible", "gpio-restart");
	cells(w, "gpios", 3, PHANDLE_SECURE_GPIO, VIRT_SECURE_GPIO_RESTART, 0);
	secure_only(w);
	end(w);
}

static void write_memory(struct writer *w, const struct dtb_config *c)
{
	node(w, "memory@%llx", (unsigned long long)c->ram_base);
	string(w, "device_type", "memory");
	reg(w, c->ram_base, c->ram_size);
	end(w);
	if (c->secure) {
		node(w, "secram@%llx", (unsigned long long)VIRT_SECURE_RAM_BASE);
		string(w, "device_type", "memory");
		reg(w, VIRT_SECURE_RAM_BASE, VIRT_SECURE_RAM_SIZE);
		secure_only(w);
		end(w);
	}
}

// The splitmix64 generator: a long seed out of a short one, the same on every run.
static uint64_t next_random(uint64_t *state)
{
	uint64_t z;

	*state += UINT64_C(0x9e3779b97f4a7c15);
	z = *state;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

struct chosen {
	fdt32_t rng_seed[8];
	fdt32_t kaslr_seed[2];
	fdt32_t initrd_start[2], initrd_end[2];
};

static void make_cell_pair(fdt32_t *pair, uint64_t value)
{
	pair[0] = cpu_to_fdt32((uint32_t)(value >> 32));
	pair[1] = cpu_to_fdt32((uint32_t)value);
}

static void make_chosen(struct chosen *chosen, const struct dtb_config *c)
{
	uint64_t state = c->seed;

	for (unsigned i = 0; i < 8; i++) {
		chosen->rng_seed[i] = (fdt32_t)next_random(&state);
	}
	make_cell_pair(chosen->kaslr_seed, next_random(&state));
	make_cell_pair(chosen->initrd_start, c->initrd_start);
	make_cell_pair(chosen->initrd_end, c->initrd_end);
}

static void write_chosen(struct writer *w, const struct dtb_config *c)
{
	struct chosen chosen;
	char path[32];

	make_chosen(&chosen, c);
	snprintf(path, sizeof(path), "/pl011@%llx", (unsigned long long)VIRT_UART_BASE);
	node(w, "chosen");
	string(w, "stdout-path", path);
	if (c->append != NULL) {
		string(w, "bootargs", c->append);
	}
	if (c->initrd_end != c->initrd_start) {
		note(w, fdt_property(w->buffer, "linux,initrd-start", chosen.initrd_start, 8));
		note(w, fdt_property(w->buffer, "linux,initrd-end", chosen.initrd_end, 8));
	}
	note(w, fdt_property(w->buffer, "rng-seed", chosen.rng_seed, sizeof(chosen.rng_seed)));
	if (c->has_kaslr_seed) {
		note(w, fdt_property(w->buffer, "kaslr-seed", chosen.kaslr_seed,
				     sizeof(chosen.kaslr_seed)));
	}
	end(w);
}

static void write_root(struct writer *w, const struct dtb_config *c)
{
	node(w, "%s", "");
	cells(w, "interrupt-parent", 1, PHANDLE_GIC);
	string(w, "model", "linux,dummy-virt");
	cells(w, "#address-cells", 1, 2);
	cells(w, "#size-cells", 1, 2);
	string(w, "compatible", "linux,dummy-virt");
	write_chosen(w, c);
	write_memory(w, c);
	write_cpus(w, c);
	write_psci(w, c);
	write_timer(w, c);
	if (c->pmu) {
		node(w, "pmu");
		string(w, "compatible", "arm,armv8-pmuv3");
		cells(w, "interrupts", 3, IRQ_PPI, VIRT_PPI_PMU, IRQ_LEVEL_HIGH);
		end(w);
	}
	write_gic(w, c);
	node(w, "apb-pclk");
	string(w, "compatible", "fixed-clock");
	cells(w, "#clock-cells", 1, 0);
	cells(w, "clock-frequency", 1, 24000000);
	string(w, "clock-output-names", "clk24mhz");
	cells(w, "phandle", 1, PHANDLE_CLOCK);
	end(w);
	write_uart(w, VIRT_UART_BASE, VIRT_SPI_UART, false);
	write_rtc(w);
	write_gpio(w, VIRT_GPIO_BASE, VIRT_SPI_GPIO, PHANDLE_GPIO, false);
	if (c->secure) {
		write_uart(w, VIRT_SECURE_UART_BASE, VIRT_SPI_SECURE_UART, true);
		write_gpio(w, VIRT_SECURE_GPIO_BASE, VIRT_SPI_SECURE_GPIO, PHANDLE_SECURE_GPIO,
			   true);
	}
	write_keys(w, c);
	end(w);
}

int dtb_build(const struct dtb_config *config, void **dtb, size_t *size)
{
	size_t space = 16384 + 256 * (size_t)config->pe_count +
		       (config->append != NULL ? strlen(config->append) : 0);
	struct writer w = {.buffer = calloc(1, space)};

	if (w.buffer == NULL) {
		return -ENOMEM;
	}
	note(&w, fdt_create(w.buffer, (int)space));
	note(&w, fdt_finish_reservemap(w.buffer));
	write_root(&w, config);
	note(&w, fdt_finish(w.buffer));
	if (w.error != 0) {
		free(w.buffer);
		return -ENOMEM; // the only thing that can go wrong is the space
	}
	*dtb = w.buffer;
	*size = fdt_totalsize(w.buffer);
	return 0;
}

// Remove the memory nodes of a foreign tree; those of other states or buses stay.
static int remove_memory(void *fdt)
{
	int at = fdt_first_subnode(fdt, 0);

	while (at >= 0) {
		const char *name = fdt_get_name(fdt, at, NULL);
		int err;

		if (name != NULL &&
		    (strcmp(name, "memory") == 0 || strncmp(name, "memory@", 7) == 0)) {
			err = fdt_del_node(fdt, at);
			if (err != 0) {
				return err;
			}
			at = fdt_first_subnode(fdt, 0);
		} else {
			at = fdt_next_subnode(fdt, at);
		}
	}
	return at == -FDT_ERR_NOTFOUND ? 0 : at;
}

// A number in as many cells as the tree's root says (1 or 2).
static unsigned put_cells(fdt32_t *to, int cell_count, uint64_t value)
{
	if (cell_count == 1) {
		to[0] = cpu_to_fdt32((uint32_t)value);
		return 1;
	}
	make_cell_pair(to, value);
	return 2;
}

static int replace_memory(void *fdt, const struct dtb_config *c)
{
	int address_cells = fdt_address_cells(fdt, 0);
	int size_cells = fdt_size_cells(fdt, 0);
	fdt32_t value[4];
	char name[32];
	unsigned n;
	int err = remove_memory(fdt);
	int at;

	if (err != 0) {
		return err;
	}
	if (address_cells < 1 || address_cells > 2 || size_cells < 1 || size_cells > 2 ||
	    (address_cells == 1 && c->ram_base >> 32 != 0) ||
	    (size_cells == 1 && c->ram_size >> 32 != 0)) {
		return -FDT_ERR_BADNCELLS;
	}
	snprintf(name, sizeof(name), "memory@%llx", (unsigned long long)c->ram_base);
	at = fdt_add_subnode(fdt, 0, name);
	if (at < 0) {
		return at;
	}
	n = put_cells(value, address_cells, c->ram_base);
	n += put_cells(value + n, size_cells, c->ram_size);
	err = fdt_setprop_string(fdt, at, "device_type", "memory");
	return err != 0 ? err : fdt_setprop(fdt, at, "reg", value, (int)(n * sizeof(value[0])));
}

static int complete_chosen(void *fdt, const struct dtb_config *c)
{
	struct chosen chosen;
	int at = fdt_path_offset(fdt, "/chosen");
	int err = 0;

	make_chosen(&chosen, c);
	if (at == -FDT_ERR_NOTFOUND) {
		at = fdt_add_subnode(fdt, 0, "chosen");
	}
	if (at < 0) {
		return at;
	}
	if (c->append != NULL) {
		err = fdt_setprop_string(fdt, at, "bootargs", c->append);
	}
	if (err == 0 && c->initrd_end != c->initrd_start) {
		err = fdt_setprop(fdt, at, "linux,initrd-start", chosen.initrd_start, 8);
		if (err == 0) {
			err = fdt_setprop(fdt, at, "linux,initrd-end", chosen.initrd_end, 8);
		}
	}
	if (err == 0 && fdt_getprop(fdt, at, "rng-seed", NULL) == NULL) {
		err = fdt_setprop(fdt, at, "rng-seed", chosen.rng_seed, sizeof(chosen.rng_seed));
	}
	if (err == 0 && c->has_kaslr_seed) {
		err = fdt_setprop(fdt, at, "kaslr-seed", chosen.kaslr_seed,
				  sizeof(chosen.kaslr_seed));
	}
	return err;
}

int dtb_adopt(const struct dtb_config *config, const void *data, size_t data_size, void **dtb,
	      size_t *size, char *error, size_t error_size)
{
	size_t space =
		data_size + FREE_SPACE + (config->append != NULL ? strlen(config->append) : 0);
	char *buffer;
	int err;

	if (data_size > DTB_SIZE_MAX || space > DTB_SIZE_MAX) {
		snprintf(error, error_size, "is too big for a device tree (the limit is 2 MiB)");
		return -EINVAL;
	}
	if (fdt_check_full(data, data_size) != 0) {
		snprintf(error, error_size, "is not a device tree blob, or a damaged one");
		return -EINVAL;
	}
	buffer = calloc(1, space);
	if (buffer == NULL) {
		return -ENOMEM;
	}
	err = fdt_open_into(data, buffer, (int)space);
	err = err != 0 ? err : replace_memory(buffer, config);
	err = err != 0 ? err : complete_chosen(buffer, config);
	err = err != 0 ? err : fdt_pack(buffer);
	if (err != 0) {
		snprintf(error, error_size, "can't be completed: %s", fdt_strerror(err));
		free(buffer);
		return -EINVAL;
	}
	*dtb = buffer;
	*size = fdt_totalsize(buffer);
	return 0;
}
