// SPDX-License-Identifier: Apache-2.0
// PL031 real-time clock (Arm DDI 0224). Counts virtual seconds, so that two runs read the same
// times.
#include "device/pl031.h"

#include <stdlib.h>

#include "base/bits.h"
#include "base/checkpoint.h"

enum {
	REG_DR = 0x00,
	REG_MR = 0x04,
	REG_LR = 0x08,
	REG_CR = 0x0c,
	REG_IMSC = 0x10,
	REG_RIS = 0x14,
	REG_MIS = 0x18,
	REG_ICR = 0x1c,
	REG_ID = 0xfe0
};

#define NS_PER_S UINT64_C(1000000000)

struct pl031 {
	struct irq_line irq;
	struct event_queue *queue;
	struct event alarm;
	uint32_t offset; // DR = offset + virtual seconds
	uint32_t match, load, imsc, ris;
};

static void update(struct pl031 *rtc)
{
	irq_set(&rtc->irq, (rtc->ris & rtc->imsc) != 0);
}

static uint32_t count(const struct pl031 *rtc)
{
	return rtc->offset + (uint32_t)(event_queue_time(rtc->queue) / NS_PER_S);
}

// The match interrupt is raised when DR becomes equal to MR: at once if it is so now.
static void alarm_set(struct pl031 *rtc)
{
	uint64_t second = event_queue_time(rtc->queue) / NS_PER_S;
	uint32_t distance = rtc->match - count(rtc);

	if (distance == 0) {
		event_cancel(rtc->queue, &rtc->alarm);
		rtc->ris = 1;
		update(rtc);
	} else {
		event_set(rtc->queue, &rtc->alarm, (second + distance) * NS_PER_S);
	}
}

static void alarm_fired(struct event *event, void *opaque)
{
	struct pl031 *rtc = opaque;

	(void)event;
	rtc->ris = 1;
	update(rtc);
}

static enum bus_result pl031_read(void *device, uint64_t offset, unsigned size,
				  struct bus_attrs attrs, uint64_t *data)
{
	static const uint8_t id[8] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
	struct pl031 *rtc = device;
	uint64_t reg = offset & ~UINT64_C(3);
	uint32_t value = 0;

	(void)attrs;
	switch (reg) {
	case REG_DR:
		value = count(rtc);
		break;
	case REG_MR:
		value = rtc->match;
		break;
	case REG_LR:
		value = rtc->load;
		break;
	case REG_CR:
		value = 1; // always running
		break;
	case REG_IMSC:
		value = rtc->imsc;
		break;
	case REG_RIS:
		value = rtc->ris;
		break;
	case REG_MIS:
		value = rtc->ris & rtc->imsc;
		break;
	default:
		value = reg >= REG_ID ? id[(reg - REG_ID) / 4] : 0;
		break;
	}
	*data = zext(value >> (8 * (offset & 3)), size * 8);
	return BUS_OK;
}

static enum bus_result pl031_write(void *device, uint64_t offset, unsigned size,
				   struct bus_attrs attrs, uint64_t data)
{
	struct pl031 *rtc = device;
	uint32_t value = (uint32_t)data;

	(void)size;
	(void)attrs;
	switch (offset) {
	case REG_MR:
		rtc->match = value;
		alarm_set(rtc);
		break;
	case REG_LR:
		rtc->load = value;
		rtc->offset += value - count(rtc);
		alarm_set(rtc);
		break;
	case REG_IMSC:
		rtc->imsc = value & 1;
		update(rtc);
		break;
	case REG_ICR:
		rtc->ris &= ~(value & 1);
		update(rtc);
		break;
	default:
		break;
	}
	return BUS_OK;
}

static void pl031_reset(void *device)
{
	struct pl031 *rtc = device;

	// The date survives a reset: a real clock has its battery.
	event_cancel(rtc->queue, &rtc->alarm);
	rtc->match = rtc->load = rtc->imsc = rtc->ris = 0;
	update(rtc);
}

const struct bus_device_type pl031_type = {
	.name = "pl031",
	.read = pl031_read,
	.write = pl031_write,
	.min_size = 1,
	.max_size = 4,
	.reset = pl031_reset,
};

struct pl031 *pl031_create(struct event_queue *queue, uint32_t base)
{
	struct pl031 *rtc = calloc(1, sizeof(*rtc));

	if (rtc == NULL) {
		return NULL;
	}
	rtc->queue = queue;
	rtc->offset = base;
	event_init(&rtc->alarm, "pl031 alarm", alarm_fired, rtc);
	return rtc;
}

void pl031_destroy(struct pl031 *rtc)
{
	if (rtc != NULL) {
		event_cancel(rtc->queue, &rtc->alarm);
		free(rtc);
	}
}

void pl031_checkpoint(struct pl031 *rtc, struct checkpoint *checkpoint)
{
	checkpoint_add(checkpoint, rtc, sizeof(*rtc));
}

struct irq_line *pl031_irq(struct pl031 *rtc)
{
	return &rtc->irq;
}
