/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware's console: SBI DBCN, else the legacy call. Output only. */
#include <asm/sbi_def.h>
#include <asm/sbi_host.h>
#include <hv/console.h>

static bool has_dbcn;

static void put(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sbi_call(has_dbcn ? SBI_EXT_DBCN : SBI_EXT_LEGACY_CONSOLE_PUTCHAR,
			 has_dbcn ? SBI_EXT_DBCN_CONSOLE_WRITE_BYTE : 0, (u8)text[i], 0, 0);
}

static int get(void)
{
	return -1;
}

static const struct console_port port = { .put = put, .get = get };

const struct console_port *arch_early_console(void)
{
	has_dbcn = sbi_probe(SBI_EXT_DBCN);
	return &port;
}
