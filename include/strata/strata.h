// SPDX-License-Identifier: Apache-2.0
// libstrata: an AArch64 machine as a library. Describe it with struct strata_options, create it
// (which loads the images), run it, look at it. Two machines can live in one process; one machine
// belongs to one thread.
#ifndef STRATA_STRATA_H
#define STRATA_STRATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct strata;

#define STRATA_PES_MAX 64

// What a console's read answers besides a count of bytes.
#define STRATA_CONSOLE_END (-1) // no byte will ever come
#define STRATA_CONSOLE_QUIT (-2) // the user asks for the end of the run
#define STRATA_CONSOLE_POWER_KEY (-3) // the user presses the board's power key
#define STRATA_WAIT_FOREVER UINT64_MAX

// The outside end of the UARTs. All NULL: output is dropped, input ended.
struct strata_console {
	void (*write)(void *opaque, const void *data, size_t size);
	// Take up to size bytes, waiting up to timeout_ns of the host's time for the first (0: do
	// not wait). Returns the count, 0 for none yet, or STRATA_CONSOLE_*.
	int (*read)(void *opaque, void *data, size_t size, uint64_t timeout_ns);
	void *opaque;
	bool paced; // a person is typing: an idle guest sleeps instead of rushing to its next timer
};

// A flat binary at a physical address.
struct strata_load {
	const char *path;
	uint64_t address;
};

enum strata_tlb { STRATA_TLB_SIZED, STRATA_TLB_FORGET, STRATA_TLB_KEEP };
enum strata_trace { STRATA_TRACE_OFF, STRATA_TRACE_EL, STRATA_TRACE_EXC, STRATA_TRACE_INSN };
enum strata_trace_format { STRATA_TRACE_TEXT, STRATA_TRACE_JSONL };

// One exception taken or returned from, as given to strata_options.event. Strings are valid during
// the call.
struct strata_event {
	uint64_t time; // virtual nanoseconds since reset
	uint64_t cycles, insns; // of this PE since reset
	unsigned pe;
	bool is_return;
	uint8_t from_el, to_el;
	bool from_secure, to_secure;
	const char *cause; // "HVC", "IRQ", "ERET", ... (docs/trace.md)
	const char *control; // the control that routed it, "HCR_EL2.TWI"; or NULL
	const char *sysreg; // of a trapped access; or NULL
	bool has_esr, has_far, has_ipa;
	uint64_t esr, elr, pc, spsr, far, ipa, vector;
	uint64_t level_time; // nanoseconds spent in the level that was left
};

// Every string is copied by strata_create. Initialise with strata_options_init and change what
// differs.
struct strata_options {
	const char *image; // ELF, arm64 Image, compressed kernel, or with an address a flat binary;
			   // NULL: only `loads`
	bool image_is_flat;
	uint64_t image_address; // of a flat image
	const char *cpu; // model with switches, "max,pauth=off"
	uint64_t memory; // bytes of RAM, a multiple of 4 KiB
	uint64_t ram_base;
	unsigned smp; // 1..STRATA_PES_MAX
	unsigned boot_el; // 1..3
	bool secure; // EL3 and the Secure state are there even when not booted at 3
	const char *initrd;
	const char *append; // the kernel's command line
	const char *dtb; // in place of the generated device tree
	const char *dump_dtb; // write the device tree here
	const struct strata_load *loads;
	size_t load_count;
	bool has_entry;
	uint64_t entry;
	const char *const *symbols; // files: System.map, or ELF with symbols
	size_t symbol_count;
	bool semihosting;
	const char *
		semihosting_dir; // the only directory in which the guest may open files; NULL: none
	uint64_t max_insns; // over all PEs; 0: no limit
	uint64_t max_time; // virtual nanoseconds; 0: no limit
	enum strata_tlb tlb;
	enum strata_trace trace;
	enum strata_trace_format trace_format;
	const char *trace_out; // NULL: stderr
	const char *const *trace_filters; // "pe=0,from=1,cause=HVC"
	size_t trace_filter_count;
	bool stats; // table of transitions and a summary, on stderr at the end
	bool has_seed; // without it the device tree has no kaslr-seed, so that kernels lie where
		       // their symbols say
	uint64_t seed; // of rng-seed and kaslr-seed
	uint32_t rtc; // seconds since 1970 at virtual time 0
	bool no_reboot; // the guest's reset ends the run
	unsigned verbose; // 0: only what the guest did wrong at length; 1: all of the log
	struct strata_console console;
	// Called for every event, whatever the trace options; NULL: not.
	void (*event)(void *opaque, const struct strata_event *event);
	void *event_opaque;
};

void strata_options_init(struct strata_options *options);

// Build a machine and load it. Returns 0, or -errno with one line (no newline) in error. When only
// dump_dtb was to be done (no image, no loads), the machine can't be run.
int strata_create(struct strata **strata, const struct strata_options *options, char *error,
		  size_t error_size);
void strata_destroy(struct strata *strata);

enum strata_outcome {
	STRATA_POWERED_OFF, // by PSCI, or by the power-off line
	STRATA_EXITED, // semihosting SYS_EXIT: status
	STRATA_LIMIT, // max_insns or max_time reached
	STRATA_STUCK, // no progress is possible: message
	STRATA_QUIT, // strata_stop, or the console asked for it
	STRATA_RESET, // the guest asked for a reset and no_reboot is set
	STRATA_FAILED // the host failed: message
};

struct strata_result {
	enum strata_outcome outcome;
	int status; // STRATA_EXITED: the guest's status
	char message[256]; // one line for STRATA_LIMIT, STRATA_STUCK, STRATA_FAILED; else empty
	uint64_t insns; // executed by all PEs
	uint64_t time; // virtual nanoseconds
	double host_seconds;
};

// Run to the end.
void strata_run(struct strata *strata, struct strata_result *result);

// Print the tables of --stats and complete the trace's file. Done by strata_destroy if it was not
// done before.
void strata_finish(struct strata *strata);

// Ask a running machine to stop soon. May be called from another thread or a signal handler.
void strata_stop(struct strata *strata);

// Press the board's power key (a pulse of the GPIO's line 3). Not while strata_run is running.
void strata_power_key(struct strata *strata);

unsigned strata_pe_count(const struct strata *strata);
uint64_t strata_x(const struct strata *strata, unsigned pe, unsigned n); // X0..X30
uint64_t strata_pc(const struct strata *strata, unsigned pe);
unsigned strata_el(const struct strata *strata, unsigned pe);
uint64_t strata_time(const struct strata *strata); // virtual nanoseconds
void strata_dump(const struct strata *strata, FILE *file); // every PE's registers

// Physical memory, RAM only. 0, or -EFAULT when any byte is not RAM.
int strata_read(struct strata *strata, uint64_t address, void *data, size_t size);
int strata_write(struct strata *strata, uint64_t address, const void *data, size_t size);

// Registers as they are stored: X0 to X30, SP and PC, and system registers under their own names
// ("HCR_EL2"), which mean the register itself whatever HCR_EL2.E2H says. No permission is asked and
// nothing happens that a write by the guest would cause, but all that is derived of the registers
// follows. Not while strata_run is running. 0; -ENOENT: there is no such register; -EINVAL: it
// can't hold this value, or is no storage.
int strata_set_register(struct strata *strata, unsigned pe, const char *name, uint64_t value);
int strata_get_register(struct strata *strata, unsigned pe, const char *name, uint64_t *value);

// Remember the whole state of the machine (PEs, RAM, devices, events; not what the host holds:
// files of semihosting, output already written), in place of what was remembered before; and put
// it back, any number of times. What runs after a restore is what ran after the checkpoint, to the
// last byte of the trace. Not while strata_run is running. 0, -ENOMEM, or -EINVAL without a
// checkpoint.
int strata_checkpoint(struct strata *strata);
int strata_restore(struct strata *strata);

// Names of the CPU models and their switches.
void strata_list_cpus(void (*fn)(void *opaque, const char *name, const char *description),
		      void *opaque);

#ifdef __cplusplus
}
#endif

#endif
