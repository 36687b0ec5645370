// SPDX-License-Identifier: Apache-2.0
// The options of a machine: defaults and deep copies.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "board/board_internal.h"
#include "board/virt_map.h"

#define RTC_DEFAULT UINT32_C(1704067200) // 2024-01-01 00:00:00 UTC

void strata_options_init(struct strata_options *options)
{
	memset(options, 0, sizeof(*options));
	options->cpu = "max";
	options->memory = UINT64_C(1) << 30;
	options->ram_base = VIRT_RAM_BASE;
	options->smp = 1;
	options->boot_el = 2;
	options->rtc = RTC_DEFAULT;
}

static bool copy_string(const char **string)
{
	if (*string != NULL) {
		*string = strdup(*string);
		return *string != NULL;
	}
	return true;
}

static bool copy_strings(const char *const **strings, size_t count)
{
	const char **copy = NULL;
	bool ok = true;

	if (count != 0) {
		copy = calloc(count, sizeof(*copy));
		ok = copy != NULL;
	}
	for (size_t i = 0; ok && i < count; i++) {
		copy[i] = strdup((*strings)[i]);
		ok = copy[i] != NULL;
	}
	*strings = copy;
	return ok;
}

static bool copy_loads(const struct strata_load **loads, size_t count)
{
	struct strata_load *copy = NULL;
	bool ok = true;

	if (count != 0) {
		copy = calloc(count, sizeof(*copy));
		ok = copy != NULL;
	}
	for (size_t i = 0; ok && i < count; i++) {
		copy[i] = (*loads)[i];
		ok = copy_string(&copy[i].path);
	}
	*loads = copy;
	return ok;
}

int options_copy(struct strata_options *to, const struct strata_options *from)
{
	bool ok;

	// Every pointer is replaced even after a failure, so that options_free frees nothing of the
	// caller's.
	*to = *from;
	ok = copy_string(&to->image);
	ok &= copy_string(&to->cpu);
	ok &= copy_string(&to->initrd);
	ok &= copy_string(&to->append);
	ok &= copy_string(&to->dtb);
	ok &= copy_string(&to->dump_dtb);
	ok &= copy_string(&to->semihosting_dir);
	ok &= copy_string(&to->trace_out);
	ok &= copy_strings(&to->symbols, to->symbol_count);
	ok &= copy_strings(&to->trace_filters, to->trace_filter_count);
	ok &= copy_loads(&to->loads, to->load_count);
	return ok ? 0 : -ENOMEM;
}

static void free_const(const void *p)
{
	free((void *)(uintptr_t)p);
}

void options_free(struct strata_options *options)
{
	free_const(options->image);
	free_const(options->cpu);
	free_const(options->initrd);
	free_const(options->append);
	free_const(options->dtb);
	free_const(options->dump_dtb);
	free_const(options->semihosting_dir);
	free_const(options->trace_out);
	for (size_t i = 0; options->symbols != NULL && i < options->symbol_count; i++) {
		free_const(options->symbols[i]);
	}
	for (size_t i = 0; options->trace_filters != NULL && i < options->trace_filter_count; i++) {
		free_const(options->trace_filters[i]);
	}
	for (size_t i = 0; options->loads != NULL && i < options->load_count; i++) {
		free_const(options->loads[i].path);
	}
	free_const(options->symbols);
	free_const(options->trace_filters);
	free_const(options->loads);
	memset(options, 0, sizeof(*options));
}
