/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every extension with function ids 0 to 40 and extreme arguments, except calls that would
 * rightly end or stop this guest. Each must return an error code that the specification knows,
 * and the guest must live on.
 */
#include "guest.h"

#define FIDS 41UL

static const unsigned long exts[] = {
	SBI_EXT_BASE, SBI_EXT_TIME, SBI_EXT_IPI, SBI_EXT_RFENCE, SBI_EXT_HSM, SBI_EXT_SRST,
	SBI_EXT_PMU, SBI_EXT_DBCN, SBI_EXT_SUSP, 0x43505043, 0x4e41434c, 0x535441, 0x46574654,
	0x535345, 0x4d505859, 0x44425452, 0x9, 0xf, 0x08000000, 0x08ffffff, 0x09000000,
	0x0a000000, 0x0a535950, 0x0affffff, 0x53485950, 0xdeadbeef, -1UL,
};

static const unsigned long values[] = {
	0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 1UL << 32, 0x7fffffffffffffff,
	0x8000000000000000, -2UL, -1UL, RAM_BASE, NOWHERE, UART_BASE,
};

static u64 random_state = 88172645463325252UL;

static u64 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static unsigned long pick(void)
{
	u64 r = next_random();

	if (r & 0x100)
		return r >> 9;
	return values[(r & 0xff) % ARRAY_SIZE(values)];
}

/* Calls that work as asked would stop this hart or the test. */
static bool fatal(unsigned long ext, unsigned long fid, const unsigned long *a)
{
	if (ext == SBI_EXT_SRST && fid == 0)
		return (u32)a[0] <= SBI_SRST_WARM_REBOOT && (u32)a[1] <= SBI_SRST_SYSTEM_FAILURE;
	if (ext == SBI_EXT_HSM && fid == SBI_HSM_STOP)
		return true;
	if (ext == SBI_EXT_HSM && fid == SBI_HSM_SUSPEND)
		return !((u32)a[0] << 1);
	if (ext == SBI_EXT_SUSP)
		return !(u32)a[0];
	/* A hart started at an address that is RAM would run whatever lies there. */
	return ext == SBI_EXT_HSM && fid == SBI_HSM_START && a[1] >= RAM_BASE && a[1] < 1UL << 32;
}

/* The bare board's OpenSBI would write where it is told, or starts harts at devices. */
static bool trusted_only(unsigned long ext, unsigned long fid)
{
	return ext == SBI_EXT_DBCN || ext == 0x535441 || ext == 0x4e41434c || ext == 0x44425452 ||
	       (ext == SBI_EXT_PMU && fid == 7) || (ext == SBI_EXT_HSM && fid == SBI_HSM_START) ||
	       (ext == SBI_EXT_SUSP) || ext == 0x4d505859 || ext == 0x46574654 || ext == 0x535345;
}

static unsigned long wrong;

static void try(unsigned long ext, unsigned long fid, const unsigned long *a)
{
	struct sbiret r;

	if (fatal(ext, fid, a) || (trusted_only(ext, fid) && !under_shyper()))
		return;
	r = sbi_call(ext, fid, a[0], a[1], a[2], a[3], a[4], a[5]);
	if ((r.error > 0 || r.error < -13) && wrong++ < 5)
		say("# ext 0x%lx fid %lu: error %ld\n", ext, fid, r.error);
}

static void fuzz(unsigned long ext)
{
	unsigned long a[6];

	wrong = 0;
	for (unsigned long fid = 0; fid < FIDS; fid++) {
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			for (size_t i = 0; i < 6; i++)
				a[i] = values[v];
			try(ext, fid, a);
		}
		for (int n = 0; n < 20; n++) {
			for (size_t i = 0; i < 6; i++)
				a[i] = pick();
			try(ext, fid, a);
		}
	}
	for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
		for (size_t i = 0; i < 6; i++)
			a[i] = pick();
		if (values[v] >= FIDS)
			try(ext, values[v], a);
	}
	csr_clear(sip, SIE_SSIE);
	set_timer(-1UL);
	CHECK("survived", !wrong, "ext 0x%lx: %lu odd errors", ext, wrong);
}

void payload(void)
{
	unsigned long version = (unsigned long)sbi(SBI_EXT_BASE, 0).value;

	for (size_t i = 0; i < ARRAY_SIZE(exts); i++)
		fuzz(exts[i]);
	check_eq("still the same machine", (unsigned long)sbi(SBI_EXT_BASE, 0).value, version);
}
