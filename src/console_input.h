/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to console*.c: what is typed at the board's console. All on hart 0, no lock held. */
#ifndef CONSOLE_INPUT_H
#define CONSOLE_INPUT_H

#include <hv/types.h>

/*
 * In console.c. console_get() - the next byte typed, or -1. console_focus() - the VM that gets the
 * input; console_focus_on() - from now on this one.
 */
int console_get(void);
u32 console_focus(void);
void console_focus_on(u32 id);

/* console_input_stop() - the UART's interrupt is another's from now on. Any hart. */
void console_input_stop(void);

/* console_answer() - one more piece of the answer to a command. True: there are more. */
bool console_answer(void);

#endif
