// SPDX-License-Identifier: Apache-2.0
// The bus: mapping and its errors, RAM anywhere, dispatch to devices, address spaces, code-page
// tracking.
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "bus/bus.h"

#define NS BIT(PAS_NONSECURE)
#define SECURE BIT(PAS_SECURE)

struct probe {
	uint64_t offset;
	uint64_t data;
	unsigned size;
	unsigned reads, writes, resets;
	struct bus_attrs attrs;
};

static enum bus_result probe_read(void *device, uint64_t offset, unsigned size,
				  struct bus_attrs attrs, uint64_t *data)
{
	struct probe *probe = device;

	probe->offset = offset;
	probe->size = size;
	probe->attrs = attrs;
	probe->reads++;
	*data = probe->data;
	return offset == 0xff8 ? BUS_ERROR : BUS_OK;
}

static enum bus_result probe_write(void *device, uint64_t offset, unsigned size,
				   struct bus_attrs attrs, uint64_t data)
{
	struct probe *probe = device;

	probe->offset = offset;
	probe->size = size;
	probe->attrs = attrs;
	probe->data = data;
	probe->writes++;
	return BUS_OK;
}

static void probe_reset(void *device)
{
	struct probe *probe = device;

	probe->resets++;
}

static const struct bus_device_type probe_type = {.name = "probe",
						  .read = probe_read,
						  .write = probe_write,
						  .min_size = 1,
						  .max_size = 8,
						  .reset = probe_reset};
static const struct bus_device_type word_type = {
	.name = "word", .read = probe_read, .write = probe_write, .min_size = 4, .max_size = 4};

static const struct bus_attrs ns = {.pas = PAS_NONSECURE, .pe = 0};
static const struct bus_attrs secure = {.pas = PAS_SECURE, .pe = 0};

static struct bus *bus;

static void setup(void)
{
	bus = bus_create();
	ck_assert_ptr_nonnull(bus);
}

static void teardown(void)
{
	bus_destroy(bus);
}

START_TEST(mapping_errors)
{
	struct probe probe = {0};

	ck_assert_int_eq(bus_map_ram(bus, 0x1800, 0x1000, NS, false), -EINVAL);
	ck_assert_int_eq(bus_map_ram(bus, 0x1000, 0x1800, NS, false), -EINVAL);
	ck_assert_int_eq(bus_map_ram(bus, 0x1000, 0, NS, false), -EINVAL);
	ck_assert_int_eq(bus_map_ram(bus, 0x1000, 0x1000, 0, false), -EINVAL);
	ck_assert_int_eq(bus_map_ram(bus, BIT(52) - 0x1000, 0x2000, NS, false), -EINVAL);
	ck_assert_int_eq(bus_map_ram(bus, BIT(52), 0x1000, NS, false), -EINVAL);
	ck_assert_int_eq(bus_map_ram(bus, UINT64_MAX - 0xfff, 0x1000, NS, false), -EINVAL);
	ck_assert_int_eq(bus_map_ram(bus, 0x10000, 0x4000, NS, false), 0);
	ck_assert_int_eq(bus_map_ram(bus, 0x13000, 0x1000, NS, false), -EEXIST);
	ck_assert_int_eq(bus_map_ram(bus, 0xf000, 0x2000, NS, false), -EEXIST);
	ck_assert_int_eq(bus_map(bus, 0x11000, 0x1000, NS | SECURE, &probe_type, &probe), -EEXIST);
	// Neighbours touch without overlapping; another address space is another place.
	ck_assert_int_eq(bus_map_ram(bus, 0x14000, 0x1000, NS, false), 0);
	ck_assert_int_eq(bus_map_ram(bus, 0xf000, 0x1000, NS, false), 0);
	ck_assert_int_eq(bus_map(bus, 0x10000, 0x4000, SECURE, &probe_type, &probe), 0);
}
END_TEST

START_TEST(ram_anywhere)
{
	static const uint64_t bases[] = {0, 0x40000000, UINT64_C(0x100000000), BIT(40) + 0x3000,
					 BIT(51)};
	uint64_t data;

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		uint64_t size = i == 4 ? BIT(40) : 0x203000;

		ck_assert_int_eq(bus_map_ram(bus, bases[i], size, NS, false), 0);
		ck_assert_int_eq(bus_write(bus, bases[i], 8, ns, 0x1122334455667788 + i), BUS_OK);
		ck_assert_int_eq(bus_write(bus, bases[i] + size - 8, 8, ns, i), BUS_OK);
	}
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		uint64_t size = i == 4 ? BIT(40) : 0x203000;

		ck_assert_int_eq(bus_read(bus, bases[i], 8, ns, &data), BUS_OK);
		ck_assert_uint_eq(data, 0x1122334455667788 + i);
		ck_assert_int_eq(bus_read(bus, bases[i] + size - 8, 8, ns, &data), BUS_OK);
		ck_assert_uint_eq(data, i);
		ck_assert_int_eq(bus_read(bus, bases[i] + size, 1, ns, &data), BUS_ERROR);
		ck_assert_int_eq(bus_read(bus, bases[i], 8, secure, &data), BUS_ERROR);
	}
	ck_assert_int_eq(bus_read(bus, BIT(52), 1, ns, &data), BUS_ERROR);
	ck_assert_int_eq(bus_read(bus, UINT64_MAX, 1, ns, &data), BUS_ERROR);
}
END_TEST

START_TEST(ram_is_little_endian)
{
	uint64_t data;
	uint8_t *host;

	ck_assert_int_eq(bus_map_ram(bus, 0x1000, 0x1000, NS, false), 0);
	ck_assert_int_eq(bus_write(bus, 0x1008, 8, ns, UINT64_C(0x8877665544332211)), BUS_OK);
	host = bus_ram_ptr(bus, PAS_NONSECURE, 0x1008, 8);
	ck_assert_uint_eq(host[0], 0x11);
	ck_assert_uint_eq(host[7], 0x88);
	ck_assert_int_eq(bus_read(bus, 0x100a, 2, ns, &data), BUS_OK);
	ck_assert_uint_eq(data, 0x4433);
	ck_assert_int_eq(bus_read(bus, 0x100c, 4, ns, &data), BUS_OK);
	ck_assert_uint_eq(data, 0x88776655);
	ck_assert_int_eq(bus_read(bus, 0x100f, 1, ns, &data), BUS_OK);
	ck_assert_uint_eq(data, 0x88);
	ck_assert_int_eq(bus_write(bus, 0x100f, 1, ns, 0xfff), BUS_OK);
	ck_assert_int_eq(bus_read(bus, 0x1010, 1, ns, &data), BUS_OK);
	ck_assert_uint_eq(data, 0);
}
END_TEST

START_TEST(ram_pointers)
{
	struct bus_ram *ram;

	ck_assert_int_eq(bus_map_ram(bus, 0x10000, 0x2000, NS, false), 0);
	ck_assert_int_eq(bus_map_ram(bus, 0x12000, 0x1000, NS, false), 0);
	ram = bus_ram_find(bus, PAS_NONSECURE, 0x11fff);
	ck_assert_ptr_nonnull(ram);
	ck_assert_uint_eq(ram->base, 0x10000);
	ck_assert_ptr_eq(bus_ram_ptr(bus, PAS_NONSECURE, 0x11ff8, 8), ram->host + 0x1ff8);
	ck_assert_ptr_null(bus_ram_ptr(bus, PAS_NONSECURE, 0x11ff8, 9));
	ck_assert_ptr_null(bus_ram_ptr(bus, PAS_NONSECURE, 0x11ff8, UINT64_MAX));
	ck_assert_ptr_null(bus_ram_ptr(bus, PAS_SECURE, 0x10000, 1));
	ck_assert_ptr_null(bus_ram_find(bus, PAS_NONSECURE, 0xffff));
	ck_assert_ptr_null(bus_ram_find(bus, PAS_NONSECURE, 0x13000));
}
END_TEST

START_TEST(ranges_of_ram)
{
	uint8_t out[0x30];
	uint8_t in[0x30];

	memset(in, 0xa5, sizeof(in));
	ck_assert_int_eq(bus_map_ram(bus, 0x10000, 0x1000, NS, false), 0);
	ck_assert_int_eq(bus_map_ram(bus, 0x11000, 0x1000, NS, true), 0);
	// Across two regions, one of them read-only: loaders may.
	ck_assert_int_eq(bus_ram_write(bus, PAS_NONSECURE, 0x10ff1, in, sizeof(in)), 0);
	ck_assert_int_eq(bus_ram_read(bus, PAS_NONSECURE, 0x10ff1, out, sizeof(out)), 0);
	ck_assert_mem_eq(in, out, sizeof(in));
	// One byte too far: nothing is written.
	memset(in, 0x5a, sizeof(in));
	ck_assert_int_eq(bus_ram_write(bus, PAS_NONSECURE, 0x12000 - 0x2f, in, sizeof(in)),
			 -EFAULT);
	ck_assert_int_eq(bus_ram_read(bus, PAS_NONSECURE, 0x12000 - 0x2f, out, 0x2f), 0);
	ck_assert_uint_eq(out[0], 0);
	ck_assert_int_eq(bus_ram_read(bus, PAS_NONSECURE, 0x12000, out, 1), -EFAULT);
	ck_assert_int_eq(bus_ram_read(bus, PAS_NONSECURE, 0x50000, out, 0), 0);
}
END_TEST

START_TEST(read_only_ram)
{
	uint64_t data;

	ck_assert_int_eq(bus_map_ram(bus, 0, 0x1000, NS, true), 0);
	ck_assert_int_eq(bus_write(bus, 0, 4, ns, 7), BUS_ERROR);
	ck_assert_int_eq(bus_read(bus, 0, 4, ns, &data), BUS_OK);
	ck_assert_uint_eq(data, 0);
}
END_TEST

START_TEST(devices)
{
	struct probe a = {.data = 0xaaaa};
	struct probe b = {.data = 0xbbbb};
	struct probe c = {.data = 0xcccc};
	uint64_t data;

	ck_assert_int_eq(bus_map(bus, 0x09000000, 0x1000, NS | SECURE, &probe_type, &a), 0);
	ck_assert_int_eq(bus_map(bus, 0x09001000, 0x1000, NS, &probe_type, &b), 0);
	// A big window that covers whole 2 MiB and 1 GiB slots and ends in the middle of one.
	ck_assert_int_eq(bus_map(bus, UINT64_C(0x3ffff000), UINT64_C(0x80203000), NS, &probe_type,
				 &c),
			 0);
	ck_assert_int_eq(bus_read(bus, 0x09000ff0, 8, ns, &data), BUS_OK);
	ck_assert_uint_eq(data, 0xaaaa);
	ck_assert_uint_eq(a.offset, 0xff0);
	ck_assert_int_eq(bus_read(bus, 0x09000018, 4, secure, &data), BUS_OK);
	ck_assert_uint_eq(a.size, 4);
	ck_assert_uint_eq(a.attrs.pas, PAS_SECURE);
	ck_assert_int_eq(bus_write(bus, 0x09001004, 2, ns, 0x12345678), BUS_OK);
	ck_assert_uint_eq(b.data, 0x5678);
	ck_assert_uint_eq(b.offset, 4);
	ck_assert_int_eq(bus_read(bus, 0x09001004, 2, secure, &data), BUS_ERROR);
	ck_assert_int_eq(bus_read(bus, 0x09002000, 4, ns, &data), BUS_ERROR);
	// The device itself may refuse; a misaligned access does not reach it.
	ck_assert_int_eq(bus_read(bus, 0x09000ff8, 8, ns, &data), BUS_ERROR);
	ck_assert_int_eq(bus_read(bus, 0x09000ff2, 4, ns, &data), BUS_ERROR);
	ck_assert_int_eq(bus_read(bus, 0x3ffff000, 4, ns, &data), BUS_OK);
	ck_assert_uint_eq(c.offset, 0);
	ck_assert_int_eq(bus_read(bus, 0x80000000, 4, ns, &data), BUS_OK);
	ck_assert_uint_eq(c.offset, 0x40001000);
	ck_assert_int_eq(bus_read(bus, 0xc0201ffc, 4, ns, &data), BUS_OK);
	ck_assert_uint_eq(c.offset, 0x80202ffc);
	ck_assert_int_eq(bus_read(bus, 0xc0202000, 4, ns, &data), BUS_ERROR);
	ck_assert_int_eq(bus_read(bus, 0x3fffeffc, 4, ns, &data), BUS_ERROR);
	ck_assert_uint_eq(c.reads, 3);
}
END_TEST

START_TEST(device_access_sizes)
{
	struct probe probe = {0};
	uint64_t data;

	ck_assert_int_eq(bus_map(bus, 0x1000, 0x1000, NS, &word_type, &probe), 0);
	ck_assert_int_eq(bus_read(bus, 0x1000, 1, ns, &data), BUS_ERROR);
	ck_assert_int_eq(bus_read(bus, 0x1000, 8, ns, &data), BUS_ERROR);
	ck_assert_int_eq(bus_write(bus, 0x1000, 2, ns, 0), BUS_ERROR);
	ck_assert_int_eq(bus_read(bus, 0x1000, 4, ns, &data), BUS_OK);
	ck_assert_uint_eq(probe.reads, 1);
	ck_assert_uint_eq(probe.writes, 0);
}
END_TEST

START_TEST(reset_reaches_each_device_once)
{
	struct probe probe = {0};
	struct probe other = {0};

	ck_assert_int_eq(bus_map_ram(bus, 0, 0x1000, NS, false), 0);
	ck_assert_int_eq(bus_map(bus, 0x1000, 0x1000, NS, &probe_type, &probe), 0);
	ck_assert_int_eq(bus_map(bus, 0x8000, 0x1000, NS, &probe_type, &probe), 0);
	ck_assert_int_eq(bus_map(bus, 0x9000, 0x1000, NS, &word_type, &other), 0);
	bus_reset_devices(bus);
	ck_assert_uint_eq(probe.resets, 1);
	ck_assert_uint_eq(other.resets, 0);
}
END_TEST

static uint64_t heard_pa;
static unsigned heard;

static void code_written(void *opaque, struct bus_ram *ram, uint64_t pa)
{
	ck_assert_ptr_eq(opaque, &heard);
	ram->page_flags[(pa - ram->base) >> PAGE_SHIFT] &= (uint8_t)~BUS_PAGE_CODE;
	heard_pa = pa;
	heard++;
}

START_TEST(code_pages)
{
	struct bus_ram *ram;
	uint8_t zeros[0x3000] = {0};

	heard = 0;
	bus_set_code_listener(bus, code_written, &heard);
	ck_assert_int_eq(bus_map_ram(bus, 0x40000000, 0x10000, NS, false), 0);
	ram = bus_ram_find(bus, PAS_NONSECURE, 0x40000000);
	ram->page_flags[2] |= BUS_PAGE_CODE;
	ck_assert_int_eq(bus_write(bus, 0x40001ff8, 8, ns, 1), BUS_OK);
	ck_assert_int_eq(bus_write(bus, 0x40003000, 8, ns, 1), BUS_OK);
	ck_assert_uint_eq(heard, 0);
	ck_assert_int_eq(bus_write(bus, 0x40002ffc, 4, ns, 1), BUS_OK);
	ck_assert_uint_eq(heard, 1);
	ck_assert_uint_eq(heard_pa, 0x40002ffc);
	ck_assert_int_eq(bus_write(bus, 0x40002000, 4, ns, 1), BUS_OK);
	ck_assert_uint_eq(heard, 1);
	// A long write tells of every page it touches, from any byte of it.
	ram->page_flags[2] |= BUS_PAGE_CODE;
	ram->page_flags[4] |= BUS_PAGE_CODE;
	ck_assert_int_eq(bus_ram_write(bus, PAS_NONSECURE, 0x40001fff, zeros, 0x2002), 0);
	ck_assert_uint_eq(heard, 3);
	ram->page_flags[2] |= BUS_PAGE_CODE;
	ram->page_flags[4] |= BUS_PAGE_CODE;
	ck_assert_int_eq(bus_ram_write(bus, PAS_NONSECURE, 0x40001fff, zeros, 0x2001), 0);
	ck_assert_uint_eq(heard, 4);
	ck_assert(ram->page_flags[4] & BUS_PAGE_CODE);
}
END_TEST

START_TEST(regions_in_address_order)
{
	struct probe probe = {0};
	struct bus_region_info info;

	ck_assert_int_eq(bus_map_ram(bus, 0x40000000, 0x1000, NS, false), 0);
	ck_assert_int_eq(bus_map(bus, 0x9000000, 0x1000, NS, &probe_type, &probe), 0);
	ck_assert_int_eq(bus_map_ram(bus, 0, 0x1000, NS, true), 0);
	ck_assert(bus_region(bus, 0, &info));
	ck_assert_uint_eq(info.base, 0);
	ck_assert_str_eq(info.name, "rom");
	ck_assert(bus_region(bus, 1, &info));
	ck_assert_uint_eq(info.base, 0x9000000);
	ck_assert_str_eq(info.name, "probe");
	ck_assert(!info.is_ram);
	ck_assert(bus_region(bus, 2, &info));
	ck_assert_str_eq(info.name, "ram");
	ck_assert_uint_eq(info.size, 0x1000);
	ck_assert(!bus_region(bus, 3, &info));
}
END_TEST

static void line_set(void *opaque, unsigned number, bool level)
{
	unsigned *calls = opaque;

	*calls += 1 + number * 10 + (level ? 100 : 0);
}

START_TEST(irq_lines_tell_changes_only)
{
	unsigned calls = 0;
	struct irq_line line = {.set = line_set, .opaque = &calls, .number = 2};

	irq_set(&line, false);
	ck_assert_uint_eq(calls, 0);
	irq_set(&line, true);
	irq_set(&line, true);
	ck_assert_uint_eq(calls, 121);
	irq_set(&line, false);
	ck_assert_uint_eq(calls, 142);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus");
	TCase *tcase = tcase_create("bus");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, mapping_errors);
	tcase_add_test(tcase, ram_anywhere);
	tcase_add_test(tcase, ram_is_little_endian);
	tcase_add_test(tcase, ram_pointers);
	tcase_add_test(tcase, ranges_of_ram);
	tcase_add_test(tcase, read_only_ram);
	tcase_add_test(tcase, devices);
	tcase_add_test(tcase, device_access_sizes);
	tcase_add_test(tcase, reset_reaches_each_device_once);
	tcase_add_test(tcase, code_pages);
	tcase_add_test(tcase, regions_in_address_order);
	tcase_add_test(tcase, irq_lines_tell_changes_only);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
