// SPDX-License-Identifier: Apache-2.0
// The machine as its own files see it: the parts, how they are wired, and the state of a run.
#ifndef STRATA_BOARD_BOARD_INTERNAL_H
#define STRATA_BOARD_BOARD_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/event.h"
#include "base/log.h"
#include "board/loader.h"
#include "board/symbols.h"
#include "bus/bus.h"
#include "strata/strata.h"
#include "trace/sinks.h"
#include "trace/trace.h"

struct checkpoint;
struct pe;
struct timer;
struct gicv3;
struct cpu_model;
struct code_cache;
struct pl011;
struct pl031;
struct pl061;
struct semihosting;

enum board_psci { BOARD_PSCI_NONE, BOARD_PSCI_HVC, BOARD_PSCI_SMC };

#define CONSOLE_OUT_SIZE 4096
#define CONSOLE_IN_SIZE 4096

struct board_console {
	struct strata_console host;
	uint8_t out[CONSOLE_OUT_SIZE];
	size_t out_count;
	uint8_t in[CONSOLE_IN_SIZE]; // ring
	size_t in_head, in_count;
	bool ended; // no byte will come from the host
};

struct board_pe {
	struct pe *pe;
	struct timer *timer;
};

struct strata {
	struct strata_options options; // deep copy
	bool has_el2, has_el3;
	enum board_psci psci;
	bool runnable; // something has been loaded
	bool test_hlt; // HLT #0xf0fN ends the run (board/state.h)
	struct checkpoint *checkpoint; // of strata_checkpoint

	struct bus *bus;
	struct event_queue queue;
	struct log log;
	struct cpu_model *model;
	struct code_cache *code;
	struct board_pe pes[STRATA_PES_MAX];
	unsigned pe_count;
	struct gicv3 *gic;
	struct pl011 *uart, *secure_uart;
	struct pl031 *rtc;
	struct pl061 *gpio, *secure_gpio;
	struct irq_line power_off_line, restart_line;
	struct semihosting *semihosting;
	struct board_console console;

	struct symbols *symbols;
	struct trace *trace;
	struct trace_filter *filter;
	FILE *trace_file; // opened by us; NULL: stderr or none

	// What was loaded.
	uint64_t entry;
	uint64_t dtb_address;
	bool has_dtb; // its address goes to x0
	uint64_t image_end; // above the highest byte loaded into main RAM

	// The run.
	uint64_t now; // virtual time that all PEs have reached
	uint64_t idle_since; // virtual time at which a PE ran last
	int running; // index of the PE inside pe_run, or -1
	uint64_t next_poll; // virtual time of the next look at the console
	atomic_bool stop; // set from outside
	bool ended; // outcome is valid
	bool reset_wanted;
	bool finished; // the trace's tables are printed
	enum strata_outcome outcome;
	int status;
	char message[256];
};

// options.c
int options_copy(struct strata_options *to, const struct strata_options *from);
void options_free(struct strata_options *options);

// virt.c: build the parts and connect them. 0, or -errno with a message.
int virt_create(struct strata *s, char *error, size_t error_size);
void virt_destroy(struct strata *s);
void virt_press_power_key(struct strata *s);

// board.c: load the images (again, on a reset), and put all parts into their reset state.
int board_load(struct strata *s, bool fresh, char *error, size_t error_size);
void board_reset(struct strata *s);
int board_boot_pe(struct strata *s, unsigned index, uint64_t entry, uint64_t x0); // PSCI CPU_ON

// run.c
void board_end(struct strata *s, enum strata_outcome outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
uint64_t board_insns(const struct strata *s);
uint64_t board_time(const struct strata *s);

// console.c: between the UARTs and the host.
void console_put(struct strata *s, uint8_t byte);
void console_flush(struct strata *s);
// Take input from the host, waiting up to timeout_ns of host time, and hand it to the UART as it
// listens.
void console_poll(struct strata *s, uint64_t timeout_ns);
void console_feed(struct strata *s);
// One byte for semihosting, waiting as long as it takes; -1: none will come.
int console_get(struct strata *s);

// psci.c: the firmware service. False: not ours, the architected behaviour.
bool psci_call(struct strata *s, struct pe *pe);

// semihosting.c
struct semihosting *semihosting_create(struct strata *s, char *error, size_t error_size);
void semihosting_destroy(struct semihosting *sh);
bool semihosting_call(struct semihosting *sh, struct pe *pe);

#endif
