/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI BASE: versions, probe, unknown extensions; and that a call keeps the other registers. */
#include "guest.h"

static const struct {
	const char *name;
	unsigned long id;
} wanted[] = {
	{"base", SBI_EXT_BASE}, {"time", SBI_EXT_TIME}, {"ipi", SBI_EXT_IPI},
	{"rfence", SBI_EXT_RFENCE}, {"hsm", SBI_EXT_HSM}, {"srst", SBI_EXT_SRST},
	{"dbcn", SBI_EXT_DBCN}, {"pmu", SBI_EXT_PMU}, {"legacy_putchar", SBI_EXT_LEGACY_PUTCHAR},
	{"legacy_getchar", SBI_EXT_LEGACY_GETCHAR}, {"legacy_shutdown", SBI_EXT_LEGACY_SHUTDOWN},
};

/* HPPCF is not in v2.0; the others lie beside real ids or beyond 32 bits. */
static const unsigned long unknown[] = {
	0x9, 0xf, 0x11, 0x54494d44, 0x735048, 0x09fffffe, 0x0a123456, 0x7fffffff,
	0x80000000, 0xffffffff,
};

static void check_probe(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct sbiret r = sbi(SBI_EXT_BASE, SBI_BASE_PROBE, wanted[i].id);

		CHECK("probe", !r.error && r.value, "%s: error %ld value %ld", wanted[i].name,
		      r.error, r.value);
	}
	CHECK_SHYPER("probe susp", sbi_probe(SBI_EXT_SUSP), "missing");
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		struct sbiret r = sbi(SBI_EXT_BASE, SBI_BASE_PROBE, unknown[i]);

		CHECK("probe unknown", !r.error && !r.value, "0x%lx: error %ld value %ld",
		      unknown[i], r.error, r.value);
		check_err("call unknown", sbi(unknown[i], 0), SBI_ERR_NOT_SUPPORTED);
	}
}

static void check_ids(void)
{
	struct sbiret r = sbi(SBI_EXT_BASE, SBI_BASE_SPEC_VERSION);

	CHECK("spec version", !r.error && r.value >= 0x02000000 && r.value <= 0x7fffffff,
	      "error %ld value 0x%lx", r.error, r.value);
	r = sbi(SBI_EXT_BASE, SBI_BASE_IMPL_VERSION);
	CHECK("impl version", !r.error && r.value >= 1, "error %ld value 0x%lx", r.error, r.value);
	for (unsigned long fid = SBI_BASE_MVENDORID; fid <= SBI_BASE_MIMPID; fid++)
		check_err("machine id", sbi(SBI_EXT_BASE, fid), SBI_SUCCESS);
	check_err("base fid 7", sbi(SBI_EXT_BASE, 7), SBI_ERR_NOT_SUPPORTED);
	check_err("base fid -1", sbi(SBI_EXT_BASE, -1UL), SBI_ERR_NOT_SUPPORTED);
	check_err("time fid 1", sbi(SBI_EXT_TIME, 1), SBI_ERR_NOT_SUPPORTED);
	check_err("ipi fid 1", sbi(SBI_EXT_IPI, 1), SBI_ERR_NOT_SUPPORTED);
	check_err("hsm fid 4", sbi(SBI_EXT_HSM, 4), SBI_ERR_NOT_SUPPORTED);
	check_err("srst fid 1", sbi(SBI_EXT_SRST, 1), SBI_ERR_NOT_SUPPORTED);
	check_err("dbcn fid 3", sbi(SBI_EXT_DBCN, 3), SBI_ERR_NOT_SUPPORTED);
}

static void check_registers(void)
{
	check_eq("registers kept: base", sbi_changed_registers(SBI_EXT_BASE, 0, 0, 0), 0);
	check_eq("registers kept: time", sbi_changed_registers(SBI_EXT_TIME, 0, 0, 0), 0);
	check_eq("registers kept: ipi", sbi_changed_registers(SBI_EXT_IPI, 0, 0, 0), 0);
	check_eq("registers kept: rfence", sbi_changed_registers(SBI_EXT_RFENCE, 0, 0, 0), 0);
	check_eq("registers kept: hsm", sbi_changed_registers(SBI_EXT_HSM, 2, 0, 0), 0);
	check_eq("registers kept: unknown", sbi_changed_registers(0x12345, 0, 0, 0), 0);
	set_timer(-1UL);
}

void payload(void)
{
	say("impl id 0x%lx version 0x%lx\n", sbi(SBI_EXT_BASE, SBI_BASE_IMPL_ID).value,
	    sbi(SBI_EXT_BASE, SBI_BASE_IMPL_VERSION).value);
	check_ids();
	check_probe();
	check_registers();
}
