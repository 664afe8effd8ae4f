/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot console: where Shyper's own lines appear before, and beside, any better place.
 */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <hv/types.h>

/*
 * console_hv_write() - write text to the boot console; "\n" goes out as "\r\n". Called by the log
 * under its lock, in panic mode without; must not log. Never fails, drops what cannot be written.
 */
void console_hv_write(const char *text, size_t len);

#endif
