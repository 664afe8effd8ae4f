/* SPDX-License-Identifier: BSD-2-Clause */
/* The debug console: whole and partial writes, reads, and every address that is not guest RAM. */
#include "guest.h"

static char text[8192] __attribute__((aligned(4096)));

static struct sbiret dbcn(unsigned long fid, unsigned long size, unsigned long at,
			  unsigned long high)
{
	return sbi(SBI_EXT_DBCN, fid, size, at, high);
}

static void write_all(const char *what, const char *from, unsigned long size)
{
	unsigned long done = 0;

	while (done < size) {
		struct sbiret r = dbcn(SBI_DBCN_WRITE, size - done, (unsigned long)from + done, 0);

		if (r.error || r.value <= 0)
			break;
		done += (unsigned long)r.value;
	}
	check_eq(what, done, size);
}

static void check_write(void)
{
	static const char line[] = "dbcn says hello\n";

	write_all("write a line", line, sizeof(line) - 1);
	check_err("write nothing", dbcn(SBI_DBCN_WRITE, 0, (unsigned long)line, 0), SBI_SUCCESS);
	check_eq("value of nothing",
		 (unsigned long)dbcn(SBI_DBCN_WRITE, 0, (unsigned long)line, 0).value, 0);
	check_err("write byte", sbi(SBI_EXT_DBCN, SBI_DBCN_WRITE_BYTE, '*'), SBI_SUCCESS);
	check_err("write byte of a word", sbi(SBI_EXT_DBCN, SBI_DBCN_WRITE_BYTE, 0x112233440aUL),
		  SBI_SUCCESS);
	for (size_t i = 0; i < 200; i++)
		text[4096 - 100 + i] = (char)(i % 64 == 63 ? '\n' : 'a' + i % 26);
	write_all("write across pages", text + 4096 - 100, 200);
	write_all("first page of RAM's payload", (char *)0x80200000, 0);
}

/* End of RAM: the last address that can be read is found by doubling from the image. */
static unsigned long ram_end(void)
{
	unsigned long end = 0x80400000UL;

	while (end < RAM_BASE + (1UL << 30) &&
	       TRY(*(volatile u8 *)end).cause == TRAP_NONE)
		end += 0x200000;
	return end;
}

static void check_bad(const char *what, unsigned long size, unsigned long at, unsigned long high)
{
	for (unsigned long fid = SBI_DBCN_WRITE; fid <= SBI_DBCN_READ; fid++) {
		if (under_shyper())
			check_err(what, dbcn(fid, size, at, high), SBI_ERR_INVALID_PARAM);
	}
}

static void check_addresses(void)
{
	unsigned long end = ram_end();

	say("# RAM ends at 0x%lx\n", end);
	check_bad("at 0", 16, 0, 0);
	check_bad("at a device", 1, UART_BASE, 0);
	check_bad("before RAM", 16, RAM_BASE - 16, 0);
	check_bad("into RAM", 17, RAM_BASE - 16, 0);
	check_bad("at the end", 1, end, 0);
	check_bad("across the end", 2, end - 1, 0);
	check_bad("far beyond", 1UL << 32, end - 4096, 0);
	check_bad("size -1", -1UL, (unsigned long)text, 0);
	check_bad("wrapping to itself", -16UL, (unsigned long)text, 0);
	check_bad("address -1", 1, -1UL, 0);
	check_bad("address -1, 2 bytes", 2, -1UL, 0);
	check_bad("high word 1", 16, (unsigned long)text, 1);
	check_bad("high word -1", 16, (unsigned long)text, -1UL);
	check_err("fid 3", sbi(SBI_EXT_DBCN, 3), SBI_ERR_NOT_SUPPORTED);
	check_err("last byte of RAM", dbcn(SBI_DBCN_READ, 1, end - 1, 0), SBI_SUCCESS);
}

/* The runner answers `send` with a line. */
static void check_read(void)
{
	struct sbiret r = dbcn(SBI_DBCN_READ, 16, (unsigned long)text, 0);
	unsigned long got = 0;

	CHECK("read without input", !r.error && !r.value, "error %ld value %ld", r.error, r.value);
	memset(text, 0, 64);
	say("dbcn send\n");
	WAIT_FOR((r = dbcn(SBI_DBCN_READ, 6 - got, (unsigned long)text + got, 0),
		  got += (unsigned long)r.value, r.error || got >= 6),
		 20000);
	check_err("read", r, SBI_SUCCESS);
	CHECK("what was read", got == 6 && !memcmp(text, "shyper", 6), "%lu bytes, %s", got, text);
	check_eq("not one byte more", (unsigned long)text[6], 0);
}

void payload(void)
{
	check_write();
	check_addresses();
	check_read();
}
