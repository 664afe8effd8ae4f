/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware's console: SBI DBCN, else the legacy call. Output only. */
#include <asm/sbi_def.h>
#include <asm/sbi_host.h>
#include <hv/console.h>

static bool has_dbcn;

static size_t put(const char *text, size_t size)
{
	size_t done;

	for (done = 0; done < size; done++)
		if (sbi_call(has_dbcn ? SBI_EXT_DBCN : SBI_EXT_LEGACY_CONSOLE_PUTCHAR,
			     has_dbcn ? SBI_EXT_DBCN_CONSOLE_WRITE_BYTE : 0, (u8)text[done], 0,
			     0).error)
			break;
	return done;
}

static int get(void)
{
	return -1;
}

/* The firmware waits for its UART: no more bytes at a time than leave one of 115200 baud. */
static const struct console_port port = { .put = put, .get = get, .step = 4 };

const struct console_port *arch_early_console(void)
{
	has_dbcn = sbi_probe(SBI_EXT_DBCN);
	return &port;
}
