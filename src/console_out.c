/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of what waits for the terminal. A UART takes 16 bytes in a millisecond or more, far too
 * long for an exit; so whoever prints leaves them here, and none of this waits but the flush.
 */
#include "console_out.h"

#include <hv/console.h>
#include <hv/string.h>
#include <hv/timer.h>

static struct {
	const struct console_port *port;
	char ring[CONSOLE_QUEUE];
	u32 head;	/* bytes ever put, and ever taken */
	u32 tail;
	u32 lost;
	bool full;	/* the port took not all when it was asked last */
	bool refuses;	/* none */
	u64 since;	/* and that was the first time */
} out;

void console_out_use(const struct console_port *port)
{
	out.port = port;
}

/* A panic may have interfered with a hart that was just here: it begins anew. */
static u32 used(void)
{
	if (out.head - out.tail > CONSOLE_QUEUE)
		out.tail = out.head;
	return out.head - out.tail;
}

u32 console_out_room(void)
{
	return CONSOLE_QUEUE - used();
}

bool console_out_waits(void)
{
	return used();
}

void console_out_lose(size_t n)
{
	out.lost += (u32)n;
}

void console_out_put(const char *text, size_t n)
{
	u32 at = out.head % CONSOLE_QUEUE, first = MIN((u32)n, CONSOLE_QUEUE - at);

	if (n > console_out_room()) {
		console_out_lose(n);
		return;
	}
	memcpy(out.ring + at, text, first);
	memcpy(out.ring, text + first, n - first);
	out.head += (u32)n;
}

u32 console_out_lost(void)
{
	u32 lost = out.lost;

	out.lost = 0;
	return lost;
}

/* A panic may do the same at the same time: then bytes go twice, but no others do. */
bool console_out_step(void)
{
	u32 n = MIN(used(), out.port->step), from = out.tail, tail = from, end = from + n;

	while (tail != end) {
		u32 at = tail % CONSOLE_QUEUE, taken;

		n = MIN(end - tail, CONSOLE_QUEUE - at);
		taken = (u32)out.port->put(out.ring + at, n);
		tail += taken;
		if (taken < n)
			break;
	}
	out.tail = tail;
	if (tail != end && tail == from && !out.refuses)
		out.since = arch_time();
	out.full = tail != end;
	out.refuses = out.full && tail == from;
	return tail != from;
}

bool console_out_full(void)
{
	return out.full;
}

bool console_out_stuck(void)
{
	return out.refuses && arch_time() - out.since > arch_timebase() / 10;
}

/* One that was stuck before gets its chance, and nobody waits for it again. */
void console_out_flush(void)
{
	while (console_out_waits() && (console_out_step() || !console_out_stuck()))
		;
}
