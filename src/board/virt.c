// SPDX-License-Identifier: Apache-2.0
// The board `virt`: creates the parts, maps them, and connects their lines.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "board/board_internal.h"
#include "board/state.h"
#include "board/virt_map.h"
#include "cpu/code.h"
#include "cpu/model.h"
#include "cpu/pe.h"
#include "cpu/pmu.h"
#include "device/pl011.h"
#include "device/pl031.h"
#include "device/pl061.h"
#include "gic/gicv3.h"
#include "timer/timer.h"

#define BOTH_STATES (BIT(PAS_NONSECURE) | BIT(PAS_SECURE))

static int fail(char *error, size_t error_size, int err, const char *text)
{
	snprintf(error, error_size, "%s", text);
	return err;
}

static struct strata *machine_of(void *opaque)
{
	return opaque;
}

// ---- services for the PEs -----------------------------------------------------------------------

static bool service_smc(struct pe *pe, void *opaque, uint16_t imm)
{
	struct strata *s = machine_of(opaque);

	return s->psci == BOARD_PSCI_SMC && imm == 0 && psci_call(s, pe);
}

static bool service_hvc(struct pe *pe, void *opaque, uint16_t imm)
{
	struct strata *s = machine_of(opaque);

	return s->psci == BOARD_PSCI_HVC && imm == 0 && psci_call(s, pe);
}

static bool service_hlt(struct pe *pe, void *opaque, uint16_t imm)
{
	struct strata *s = machine_of(opaque);

	if (s->test_hlt && (imm & ~0xfu) == BOARD_TEST_HLT) {
		s->status = imm & 0xf;
		board_end(s, STRATA_EXITED, "%s", "");
		return true;
	}
	return s->semihosting != NULL && imm == 0xf000 && semihosting_call(s->semihosting, pe);
}

static void service_dvm(struct pe *pe, void *opaque, const struct mmu_tlbi *message)
{
	struct strata *s = machine_of(opaque);

	for (unsigned i = 0; i < s->pe_count; i++) {
		if (s->pes[i].pe != pe) {
			pe_dvm(s->pes[i].pe, message);
		}
	}
}

static void service_sev(struct pe *pe, void *opaque)
{
	struct strata *s = machine_of(opaque);

	for (unsigned i = 0; i < s->pe_count; i++) {
		if (s->pes[i].pe != pe) {
			pe_signal_event(s->pes[i].pe);
		}
	}
}

static void service_stuck(struct pe *pe, void *opaque, const char *why)
{
	struct strata *s = machine_of(opaque);

	(void)pe;
	board_end(s, STRATA_STUCK, "the guest is stuck: %s", why);
}

// ---- virtual time -------------------------------------------------------------------------------

static uint64_t time_source(void *opaque)
{
	struct strata *s = machine_of(opaque);

	return s->running >= 0 ? pe_time(s->pes[s->running].pe) : s->queue.now;
}

static void earlier_deadline(void *opaque, uint64_t deadline)
{
	struct strata *s = machine_of(opaque);

	if (s->running >= 0) {
		pe_set_deadline(s->pes[s->running].pe, deadline);
	}
}

// ---- devices ------------------------------------------------------------------------------------

static void transmit(void *opaque, uint8_t byte)
{
	console_put(machine_of(opaque), byte);
}

static void power_off_line(void *opaque, unsigned number, bool level)
{
	(void)number;
	if (level) {
		board_end(machine_of(opaque), STRATA_POWERED_OFF, "%s", "");
	}
}

static void restart_line(void *opaque, unsigned number, bool level)
{
	struct strata *s = machine_of(opaque);

	(void)number;
	if (!level) {
		return;
	}
	if (s->options.no_reboot) {
		board_end(s, STRATA_RESET, "%s", "");
	}
	s->reset_wanted = true;
	if (s->running >= 0) {
		pe_request_stop(s->pes[s->running].pe);
	}
}

void virt_press_power_key(struct strata *s)
{
	// The driver looks at both edges of the pin.
	pl061_set_input(s->gpio, VIRT_GPIO_POWER_KEY, true);
	pl061_set_input(s->gpio, VIRT_GPIO_POWER_KEY, false);
}

static int create_devices(struct strata *s)
{
	int err;

	s->uart = pl011_create(&s->queue, transmit, s);
	s->rtc = pl031_create(&s->queue, s->options.rtc);
	s->gpio = pl061_create();
	if (s->uart == NULL || s->rtc == NULL || s->gpio == NULL) {
		return -ENOMEM;
	}
	err = bus_map(s->bus, VIRT_UART_BASE, PL011_SIZE, BOTH_STATES, &pl011_type, s->uart);
	err = err != 0 ? err
		       : bus_map(s->bus, VIRT_RTC_BASE, PL031_SIZE, BOTH_STATES, &pl031_type,
				 s->rtc);
	err = err != 0 ? err
		       : bus_map(s->bus, VIRT_GPIO_BASE, PL061_SIZE, BOTH_STATES, &pl061_type,
				 s->gpio);
	if (err != 0 || !s->has_el3) {
		return err;
	}
	s->secure_uart = pl011_create(&s->queue, transmit, s);
	s->secure_gpio = pl061_create();
	if (s->secure_uart == NULL || s->secure_gpio == NULL) {
		return -ENOMEM;
	}
	err = bus_map(s->bus, VIRT_SECURE_UART_BASE, PL011_SIZE, BIT(PAS_SECURE), &pl011_type,
		      s->secure_uart);
	err = err != 0 ? err
		       : bus_map(s->bus, VIRT_SECURE_GPIO_BASE, PL061_SIZE, BIT(PAS_SECURE),
				 &pl061_type, s->secure_gpio);
	return err != 0 ? err
			: bus_map_ram(s->bus, VIRT_SECURE_RAM_BASE, VIRT_SECURE_RAM_SIZE,
				      BIT(PAS_SECURE), false);
}

static void connect(struct irq_line *line, void (*set)(void *opaque, unsigned number, bool level),
		    void *opaque)
{
	line->set = set;
	line->opaque = opaque;
}

static void wire(struct strata *s)
{
	gicv3_spi_line(s->gic, VIRT_SPI_UART, pl011_irq(s->uart));
	gicv3_spi_line(s->gic, VIRT_SPI_RTC, pl031_irq(s->rtc));
	gicv3_spi_line(s->gic, VIRT_SPI_GPIO, pl061_irq(s->gpio));
	if (s->has_el3) {
		gicv3_spi_line(s->gic, VIRT_SPI_SECURE_UART, pl011_irq(s->secure_uart));
		gicv3_spi_line(s->gic, VIRT_SPI_SECURE_GPIO, pl061_irq(s->secure_gpio));
		connect(pl061_output(s->secure_gpio, VIRT_SECURE_GPIO_POWEROFF), power_off_line, s);
		connect(pl061_output(s->secure_gpio, VIRT_SECURE_GPIO_RESTART), restart_line, s);
	}
	for (unsigned i = 0; i < s->pe_count; i++) {
		for (unsigned t = 0; t < TIMER_COUNT; t++) {
			gicv3_ppi_line(s->gic, i, timer_ppi(t), timer_line(s->pes[i].timer, t));
		}
		if (pmu_line(s->pes[i].pe) != NULL) {
			gicv3_ppi_line(s->gic, i, VIRT_PPI_PMU, pmu_line(s->pes[i].pe));
		}
	}
}

// ---- PEs ----------------------------------------------------------------------------------------

static int create_pe(struct strata *s, unsigned index, char *error, size_t error_size)
{
	static const enum mmu_tlb_mode modes[] = {
		[STRATA_TLB_SIZED] = MMU_TLB_SIZED,
		[STRATA_TLB_FORGET] = MMU_TLB_FORGET,
		[STRATA_TLB_KEEP] = MMU_TLB_KEEP,
	};
	const struct pe_config config = {
		.index = index,
		.affinity = virt_affinity(index),
		.model = s->model,
		.bus = s->bus,
		.queue = &s->queue,
		.code = s->code,
		.trace = s->trace,
		.log = &s->log,
		.services =
			{
				.smc = service_smc,
				.hvc = service_hvc,
				.hlt = service_hlt,
				.dvm = service_dvm,
				.sev = service_sev,
				.stuck = service_stuck,
				.opaque = s,
			},
		.tlb_mode = modes[s->options.tlb],
		.has_el2 = s->has_el2,
		.has_el3 = s->has_el3,
	};
	const char *message = "out of memory";
	int err = pe_create(&s->pes[index].pe, &config, &message);

	if (err != 0) {
		return fail(error, error_size, err, message);
	}
	s->pe_count = index + 1;
	s->pes[index].timer = timer_new(s->pes[index].pe, &s->queue);
	return s->pes[index].timer != NULL ? 0 : fail(error, error_size, -ENOMEM, "out of memory");
}

static int create_gic(struct strata *s)
{
	struct pe *pes[STRATA_PES_MAX];
	const struct gicv3_config config = {
		.pe_count = s->pe_count,
		.spi_count = VIRT_SPI_COUNT,
		.has_security = s->has_el3,
		.bus = s->bus,
		.dist_base = VIRT_GIC_DIST_BASE,
		.redist_base = VIRT_GIC_REDIST_BASE,
		.pes = pes,
		.log = &s->log,
	};

	for (unsigned i = 0; i < s->pe_count; i++) {
		pes[i] = s->pes[i].pe;
	}
	return gicv3_create(&s->gic, &config);
}

static int create_ram(struct strata *s, char *error, size_t error_size)
{
	const struct strata_options *o = &s->options;
	int err;

	if (o->memory == 0 || (o->memory | o->ram_base) & PAGE_MASK) {
		return fail(error, error_size, -EINVAL,
			    "RAM size and base must be multiples of 4 KiB");
	}
	if (o->ram_base >= BIT(s->model->pa_bits) ||
	    o->memory > BIT(s->model->pa_bits) - o->ram_base) {
		snprintf(error, error_size,
			 "RAM of 0x%llx bytes at 0x%llx is beyond the %u address bits of %s",
			 (unsigned long long)o->memory, (unsigned long long)o->ram_base,
			 s->model->pa_bits, s->model->name);
		return -EINVAL;
	}
	err = bus_map_ram(s->bus, o->ram_base, o->memory, BOTH_STATES, false);
	if (err == -EEXIST) {
		snprintf(error, error_size,
			 "RAM of 0x%llx bytes at 0x%llx overlaps the board's devices",
			 (unsigned long long)o->memory, (unsigned long long)o->ram_base);
	} else if (err != 0) {
		snprintf(error, error_size, "can't have 0x%llx bytes of RAM at 0x%llx: %s",
			 (unsigned long long)o->memory, (unsigned long long)o->ram_base,
			 strerror(-err));
	}
	return err;
}

int virt_create(struct strata *s, char *error, size_t error_size)
{
	int err;

	s->running = -1;
	event_queue_init(&s->queue);
	s->queue.time_source = time_source;
	s->queue.time_source_opaque = s;
	s->queue.earlier = earlier_deadline;
	s->queue.earlier_opaque = s;
	s->model = cpu_model_parse(s->options.cpu, s->has_el2, s->has_el3, error, error_size);
	if (s->model == NULL) {
		return -EINVAL;
	}
	s->bus = bus_create();
	s->code = s->bus == NULL ? NULL : code_cache_create(s->bus, &s->model->features);
	if (s->code == NULL) {
		return fail(error, error_size, -ENOMEM, "out of memory");
	}
	if (s->options.trace == STRATA_TRACE_INSN) {
		code_cache_trace_insns(s->code);
	}
	for (unsigned i = 0; i < s->options.smp; i++) {
		err = create_pe(s, i, error, error_size);
		if (err != 0) {
			return err;
		}
	}
	err = create_gic(s);
	err = err != 0 ? err : create_devices(s);
	if (err != 0) {
		snprintf(error, error_size, "can't create the board's devices: %s", strerror(-err));
		return err;
	}
	wire(s);
	return create_ram(s, error, error_size);
}

void virt_destroy(struct strata *s)
{
	for (unsigned i = 0; i < s->pe_count; i++) {
		timer_destroy(s->pes[i].timer);
	}
	gicv3_destroy(s->gic);
	for (unsigned i = 0; i < s->pe_count; i++) {
		pe_destroy(s->pes[i].pe);
	}
	pl011_destroy(s->uart);
	pl011_destroy(s->secure_uart);
	pl031_destroy(s->rtc);
	pl061_destroy(s->gpio);
	pl061_destroy(s->secure_gpio);
	code_cache_destroy(s->code);
	bus_destroy(s->bus);
	event_queue_done(&s->queue);
	free(s->model);
}
