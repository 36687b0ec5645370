// SPDX-License-Identifier: Apache-2.0
// PL061 GPIO (Arm DDI 0190).
#include "device/pl061.h"

#include <stdlib.h>

#include "base/bits.h"
#include "base/check.h"
#include "base/checkpoint.h"

enum {
	REG_DIR = 0x400,
	REG_IS = 0x404,
	REG_IBE = 0x408,
	REG_IEV = 0x40c,
	REG_IE = 0x410,
	REG_RIS = 0x414,
	REG_MIS = 0x418,
	REG_IC = 0x41c,
	REG_AFSEL = 0x420,
	REG_ID = 0xfd0
};

struct pl061 {
	struct irq_line irq;
	struct irq_line out[PL061_LINES];
	uint8_t data; // output latch
	uint8_t input; // levels of the pins from outside
	uint8_t seen; // pin levels when edges were last looked for
	uint8_t dir, is, ibe, iev, ie, edge, afsel;
};

static uint8_t pins(const struct pl061 *gpio)
{
	return (uint8_t)((gpio->data & gpio->dir) | (gpio->input & ~gpio->dir));
}

static uint8_t raw_status(const struct pl061 *gpio)
{
	// A level-sensitive line follows its pin: active high where IEV is 1 (DDI 0190, 3.3.5).
	uint8_t level = (uint8_t) ~(pins(gpio) ^ gpio->iev) & gpio->is;

	return (uint8_t)(level | (gpio->edge & ~gpio->is));
}

static void update(struct pl061 *gpio)
{
	uint8_t now = pins(gpio);
	uint8_t changed = now ^ gpio->seen;
	uint8_t wanted = (uint8_t)(gpio->ibe | (uint8_t) ~(now ^ gpio->iev));

	gpio->edge |= changed & wanted & ~gpio->is;
	gpio->seen = now;
	for (unsigned i = 0; i < PL061_LINES; i++) {
		irq_set(&gpio->out[i], (gpio->data & gpio->dir) >> i & 1);
	}
	irq_set(&gpio->irq, (raw_status(gpio) & gpio->ie) != 0);
}

static uint8_t register_read(const struct pl061 *gpio, uint64_t reg)
{
	static const uint8_t id[12] = {0, 0, 0, 0, 0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

	if (reg < REG_DIR) {
		return (uint8_t)(pins(gpio) & (reg >> 2)); // the address is the mask
	}
	switch (reg) {
	case REG_DIR:
		return gpio->dir;
	case REG_IS:
		return gpio->is;
	case REG_IBE:
		return gpio->ibe;
	case REG_IEV:
		return gpio->iev;
	case REG_IE:
		return gpio->ie;
	case REG_RIS:
		return raw_status(gpio);
	case REG_MIS:
		return raw_status(gpio) & gpio->ie;
	case REG_AFSEL:
		return gpio->afsel;
	default:
		return reg >= REG_ID ? id[(reg - REG_ID) / 4] : 0;
	}
}

static enum bus_result pl061_read(void *device, uint64_t offset, unsigned size,
				  struct bus_attrs attrs, uint64_t *data)
{
	(void)size;
	(void)attrs;
	*data = (offset & 3) == 0 ? register_read(device, offset) : 0;
	return BUS_OK;
}

static enum bus_result pl061_write(void *device, uint64_t offset, unsigned size,
				   struct bus_attrs attrs, uint64_t data)
{
	struct pl061 *gpio = device;
	uint8_t value = (uint8_t)data;

	(void)size;
	(void)attrs;
	if ((offset & 3) != 0) {
		return BUS_OK;
	}
	if (offset < REG_DIR) {
		uint8_t mask = (uint8_t)((offset >> 2) & gpio->dir);

		gpio->data = (uint8_t)((gpio->data & ~mask) | (value & mask));
		update(gpio);
		return BUS_OK;
	}
	switch (offset) {
	case REG_DIR:
		gpio->dir = value;
		break;
	case REG_IS:
		gpio->is = value;
		break;
	case REG_IBE:
		gpio->ibe = value;
		break;
	case REG_IEV:
		gpio->iev = value;
		break;
	case REG_IE:
		gpio->ie = value;
		break;
	case REG_IC:
		gpio->edge &= (uint8_t)~value;
		break;
	case REG_AFSEL:
		gpio->afsel = value;
		break;
	default:
		break;
	}
	update(gpio);
	return BUS_OK;
}

static void pl061_reset(void *device)
{
	struct pl061 *gpio = device;

	gpio->data = gpio->dir = gpio->is = gpio->ibe = gpio->iev = gpio->ie = gpio->edge =
		gpio->afsel = 0;
	gpio->seen = gpio->input;
	update(gpio);
}

const struct bus_device_type pl061_type = {
	.name = "pl061",
	.read = pl061_read,
	.write = pl061_write,
	.min_size = 1,
	.max_size = 4,
	.reset = pl061_reset,
};

struct pl061 *pl061_create(void)
{
	return calloc(1, sizeof(struct pl061));
}

void pl061_destroy(struct pl061 *gpio)
{
	free(gpio);
}

void pl061_checkpoint(struct pl061 *gpio, struct checkpoint *checkpoint)
{
	checkpoint_add(checkpoint, gpio, sizeof(*gpio));
}

struct irq_line *pl061_irq(struct pl061 *gpio)
{
	return &gpio->irq;
}

struct irq_line *pl061_output(struct pl061 *gpio, unsigned line)
{
	CHECK(line < PL061_LINES);
	return &gpio->out[line];
}

void pl061_set_input(struct pl061 *gpio, unsigned line, bool level)
{
	CHECK(line < PL061_LINES);
	gpio->input = (uint8_t)((gpio->input & ~(1u << line)) | ((unsigned)level << line));
	update(gpio);
}
