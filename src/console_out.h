/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What waits for the terminal (src/console_out.c): one queue of bytes, in the order in which they
 * were printed. All of it under the console's lock, but in a panic.
 */
#ifndef CONSOLE_OUT_H
#define CONSOLE_OUT_H

#include <hv/types.h>

struct console_port;

#define CONSOLE_QUEUE 16384u	/* bytes; a power of two */

/* console_out_use() - where the bytes go from now on. */
void console_out_use(const struct console_port *port);

/*
 * console_out_put() - n more bytes, or none of them when there is no room. console_out_lose() -
 * these are lost; console_out_lost() - how many were since it was asked last.
 */
void console_out_put(const char *text, size_t n);
void console_out_lose(size_t n);
u32 console_out_lost(void);

/* console_out_room() - bytes that find room; console_out_waits() - some wait. */
u32 console_out_room(void);
bool console_out_waits(void);

/* console_out_step() - the port gets what it takes at once, one step at most. It took some. */
bool console_out_step(void);

/*
 * console_out_flush() - the port gets all, for which it is waited, until it takes nothing any more.
 * console_out_full() - it did not take all when it was offered some last. console_out_stuck() -
 * bytes wait, and it has taken none for 100 ms: 16 at 1600 baud.
 */
void console_out_flush(void);
bool console_out_full(void);
bool console_out_stuck(void);

#endif
