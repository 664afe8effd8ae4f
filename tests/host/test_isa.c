/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISA strings as firmware of all ages writes them, and what of them a guest is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <asm/guest_fdt.h>

#include <hv/errno.h>
#include <hv/isa.h>

/* The string taken apart and joined by blanks; "-" when it does not even begin well. */
static const char *taken_apart(const char *isa)
{
	static char text[2048];
	struct isa_cursor cursor;
	char name[ISA_NAME];

	text[0] = 0;
	if (!isa_begin(&cursor, isa))
		return "-";
	while (isa_next(&cursor, name)) {
		strcat(text, text[0] ? " " : "");
		strcat(text, name);
	}
	return text;
}

static void test_strings(void **state)
{
	static const struct {
		const char *isa, *expected;
	} rows[] = {
		{ "rv64i", "i" },
		{ "rv64imac", "i m a c" },
		{ "rv64imafdch_zicsr_zifencei", "i m a f d c h zicsr zifencei" },
		{ "RV64IMAC_Zba", "i m a c zba" },
		{ "rv64gc", "i m a f d zicsr zifencei c" },
		{ "rv64gch_sstc", "i m a f d zicsr zifencei c h sstc" },
		{ "rv64imafdcsuh", "i m a f d c h" },
		{ "rv64imafdcsuh_svinval", "i m a f d c h svinval" },
		{ "rv64imafdcsstc_svinval", "i m a f d c sstc svinval" },
		{ "rv64imafdczicsr_zifencei", "i m a f d c zicsr zifencei" },
		{ "rv64i_m_a_c_zba", "i m a c zba" },
		{ "rv64i2p1m2p0a2p1_zicsr2p0_zifencei2p0", "i m a zicsr zifencei" },
		{ "rv64i2m2_zicsr2", "i m zicsr" },
		{ "rv64ip", "i p" },
		{ "rv64i2pv", "i p v" },
		{ "rv64i_zve64x_zvl128b_za64rs_ssu64xl", "i zve64x zvl128b za64rs ssu64xl" },
		{ "rv64i_supm", "i supm" },
		{ "rv64ima_xtheadba1p0", "i m a xtheadba" },
		{ "rv64i_zabcdefghijklmnopqrstuvwxyzabcdefgh_zba", "i zba" },
		{ "rv64i__zba", "i" },
		{ "rv64i_", "i" },
		{ "rv64i zba", "i" },
		{ "rv32imac", "-" },
		{ "rv64e", "-" },
		{ "rv64", "-" },
		{ "rv6", "-" },
		{ "", "-" },
		{ "riscv", "-" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(taken_apart(rows[i].isa), rows[i].expected);
}

static void test_has(void **state)
{
	(void)state;
	assert_true(isa_has("rv64imafdch_sstc", "h"));
	assert_true(isa_has("rv64imafdch_sstc", "sstc"));
	assert_true(isa_has("rv64gc", "zicsr"));
	assert_false(isa_has("rv64imafdc_sstc", "h"));
	assert_false(isa_has("rv64imac_zbahh", "zba"));
	assert_false(isa_has("rv64imac_zba", "zb"));
	assert_false(isa_has("nonsense", "i"));
}

static void test_append(void **state)
{
	char isa[16] = "rv64";

	(void)state;
	assert_int_equal(isa_append(isa, sizeof(isa), "i"), 0);
	assert_int_equal(isa_append(isa, sizeof(isa), "m"), 0);
	assert_int_equal(isa_append(isa, sizeof(isa), "zba"), 0);
	assert_string_equal(isa, "rv64im_zba");
	assert_int_equal(isa_append(isa, sizeof(isa), "zicsr"), -E2BIG);
	assert_string_equal(isa, "rv64im_zba");
	assert_int_equal(isa_append(isa, sizeof(isa), "zbab"), 0);
	assert_string_equal(isa, "rv64im_zba_zbab");
}

/* --- What a guest is told -------------------------------------------------------------------- */

/* QEMU 10.0 -cpu max. */
static const char qemu_max[] =
	"rv64imafdcbvh_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_zicclsm_ziccrse_zicfilp_zicfiss"
	"_zicond_zicntr_zicsr_zifencei_zihintntl_zihintpause_zihpm_zimop_zmmul_za64rs_zaamo_zabha"
	"_zacas_zama16b_zalrsc_zawrs_zfa_zfbfmin_zfh_zfhmin_zca_zcb_zcd_zcmop_zba_zbb_zbc_zbkb_zbkc"
	"_zbkx_zbs_zk_zkn_zknd_zkne_zknh_zkr_zks_zksed_zksh_zkt_ztso_zvbb_zvbc_zve32f_zve32x_zve64f"
	"_zve64d_zve64x_zvfbfmin_zvfbfwma_zvfh_zvfhmin_zvkb_zvkg_zvkn_zvknc_zvkned_zvkng_zvknha"
	"_zvknhb_zvks_zvksc_zvksed_zvksg_zvksh_zvkt_shcounterenw_sha_shgatpa_shtvala_shvsatpa"
	"_shvstvala_shvstvecd_smaia_smcdeleg_smcntrpmf_smcsrind_smepmp_smmpm_smnpm_smstateen_ssaia"
	"_ssccfg_ssccptr_sscofpmf_sscounterenw_sscsrind_ssdbltrp_ssnpm_sspm_ssstateen_sstc_sstvala"
	"_sstvecd_ssu64xl_supm_smctr_ssctr_svadu_svinval_svnapot_svpbmt_svvptc";

static const struct guest_isa_caps none, all = {
	.sstc = true, .svpbmt = true, .svadu = true, .cbom = true, .cboz = true, .vector = true,
	.ssaia = true,
};

static const char *told(const char *isa, const struct guest_isa_caps *caps)
{
	static char text[2048];

	assert_int_equal(guest_isa_build(isa, caps, text, sizeof(text)), 0);
	return text;
}

static void test_qemu_max_without_caps(void **state)
{
	(void)state;
	assert_string_equal(
		told(qemu_max, &none),
		"rv64imafdcb_zic64b_zicbop_ziccamoa_ziccif_zicclsm_ziccrse_zicond_zicntr_zicsr"
		"_zifencei_zihintntl_zihintpause_zimop_zmmul_za64rs_zaamo_zabha_zacas_zama16b"
		"_zalrsc_zawrs_zfa_zfbfmin_zfh_zfhmin_zca_zcb_zcd_zcmop_zba_zbb_zbc_zbkb_zbkc_zbkx"
		"_zbs_zkn_zknd_zkne_zknh_zks_zksed_zksh_zkt_ztso_ssccptr_sscounterenw_sstvala"
		"_sstvecd_ssu64xl_svinval_svnapot_svvptc");
}

static void test_qemu_max_with_all_caps(void **state)
{
	static const char *const gone[] = {
		"h", "sha", "shgatpa", "zicfilp", "zicfiss", "zihpm", "zk", "zkr", "smaia",
		"smstateen", "ssccfg", "sscofpmf", "sscsrind", "ssdbltrp", "ssnpm", "sspm",
		"ssstateen", "supm", "smctr", "ssctr", "smepmp",
	};
	static const char *const there[] = {
		"i", "v", "zicbom", "zicboz", "zve64d", "zvkt", "zvfh", "sstc", "svpbmt", "svadu",
		"ssaia", "svnapot",
	};
	const char *isa;

	(void)state;
	isa = told(qemu_max, &all);
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		assert_false(isa_has(isa, gone[i]));
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		assert_true(isa_has(isa, there[i]));
}

/* Each capability lets through its own extension and nothing else. */
static void test_each_cap(void **state)
{
	static const struct {
		struct guest_isa_caps caps;
		const char *expected;
	} rows[] = {
		{ { .sstc = true }, "rv64i_sstc_svade" },
		{ { .svpbmt = true }, "rv64i_svpbmt_svade" },
		{ { .svadu = true }, "rv64i_svadu" },
		{ { .cbom = true }, "rv64i_zicbom_svade" },
		{ { .cboz = true }, "rv64i_zicboz_svade" },
		{ { .vector = true }, "rv64iv_zvbb_svade" },
		{ { .ssaia = true }, "rv64i_ssaia_svade" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(told("rv64ivh_sstc_svpbmt_svadu_zicbom_zicboz_zvbb_ssaia_svade",
					 &rows[i].caps), rows[i].expected);
	}
}

static void test_old_strings(void **state)
{
	(void)state;
	assert_string_equal(told("rv64gch", &none), "rv64imafdc_zicsr_zifencei");
	assert_string_equal(told("rv64imafdcsuh", &none), "rv64imafdc");
	assert_string_equal(told("rv64imafdqch_zba_zba", &none), "rv64imafdc_zba");
	assert_string_equal(told("rv64i_zba_m", &none), "rv64im_zba");
	assert_string_equal(told("rv64imac_xtheadba_xyz_zcmt_zunknown", &none), "rv64imac");
}

static void test_guest_isa_errors(void **state)
{
	char out[12];

	(void)state;
	assert_int_equal(guest_isa_build("rv32i", &none, out, sizeof(out)), -EINVAL);
	assert_int_equal(guest_isa_build("rv64imac", &none, out, 4), -E2BIG);
	assert_int_equal(guest_isa_build("rv64imac_zba", &none, out, sizeof(out)), -E2BIG);
	assert_int_equal(guest_isa_build("rv64ima_zba", &none, out, sizeof(out)), 0);
	assert_string_equal(out, "rv64ima_zba");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_has),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_qemu_max_without_caps),
		cmocka_unit_test(test_qemu_max_with_all_caps),
		cmocka_unit_test(test_each_cap),
		cmocka_unit_test(test_old_strings),
		cmocka_unit_test(test_guest_isa_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
