/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which extensions of the host's ISA a guest may be told of: those that work in VS- and VU-mode
 * with nothing but what Shyper switches and enables. An extension not listed here is not passed on.
 */
#include <asm/guest_fdt.h>

#include <hv/errno.h>
#include <hv/isa.h>
#include <hv/string.h>

/* What has to be there besides the host's own extension. */
enum condition {
	ALWAYS,
	SSTC,
	SVPBMT,
	SVADU,
	NO_SVADU,	/* the guest's page tables are updated by faults alone */
	CBOM,
	CBOZ,
	VECTOR,
	SSAIA,
};

/*
 * Left out on purpose: h and all sh*; sm*, which is machine mode's; sscofpmf, sscsrind, ssctr,
 * ssccfg, zihpm (counters reach guests through the SBI); ssnpm, supm, sspm, ssdbltrp, zicfilp,
 * zicfiss, zcmt (state or henvcfg bits that are not handled); zkr and zk, which contains it (the
 * seed CSR traps in a guest); ssstateen (no state is withheld by the guest's supervisor).
 */
static const struct {
	const char *name;	/* ends in '*': all that begin so */
	enum condition condition;
} extensions[] = {
	{ "i", ALWAYS },
	{ "m", ALWAYS },
	{ "a", ALWAYS },
	{ "f", ALWAYS },
	{ "d", ALWAYS },
	{ "c", ALWAYS },
	{ "b", ALWAYS },
	{ "v", VECTOR },
	{ "zic64b", ALWAYS },
	{ "zicbom", CBOM },
	{ "zicbop", ALWAYS },
	{ "zicboz", CBOZ },
	{ "ziccamoa", ALWAYS },
	{ "ziccamoc", ALWAYS },
	{ "ziccif", ALWAYS },
	{ "zicclsm", ALWAYS },
	{ "ziccrse", ALWAYS },
	{ "zicntr", ALWAYS },
	{ "zicond", ALWAYS },
	{ "zicsr", ALWAYS },
	{ "zifencei", ALWAYS },
	{ "zihintntl", ALWAYS },
	{ "zihintpause", ALWAYS },
	{ "zimop", ALWAYS },
	{ "zmmul", ALWAYS },
	{ "za64rs", ALWAYS },
	{ "za128rs", ALWAYS },
	{ "zaamo", ALWAYS },
	{ "zabha", ALWAYS },
	{ "zacas", ALWAYS },
	{ "zalasr", ALWAYS },
	{ "zalrsc", ALWAYS },
	{ "zama16b", ALWAYS },
	{ "zawrs", ALWAYS },
	{ "zba", ALWAYS },
	{ "zbb", ALWAYS },
	{ "zbc", ALWAYS },
	{ "zbkb", ALWAYS },
	{ "zbkc", ALWAYS },
	{ "zbkx", ALWAYS },
	{ "zbs", ALWAYS },
	{ "zca", ALWAYS },
	{ "zcb", ALWAYS },
	{ "zcd", ALWAYS },
	{ "zcmop", ALWAYS },
	{ "zcmp", ALWAYS },
	{ "zfa", ALWAYS },
	{ "zfbfmin", ALWAYS },
	{ "zfh", ALWAYS },
	{ "zfhmin", ALWAYS },
	{ "zkn", ALWAYS },
	{ "zknd", ALWAYS },
	{ "zkne", ALWAYS },
	{ "zknh", ALWAYS },
	{ "zks", ALWAYS },
	{ "zksed", ALWAYS },
	{ "zksh", ALWAYS },
	{ "zkt", ALWAYS },
	{ "ztso", ALWAYS },
	{ "zv*", VECTOR },
	{ "ssaia", SSAIA },
	{ "ssccptr", ALWAYS },
	{ "sscounterenw", ALWAYS },
	{ "sstc", SSTC },
	{ "sstvala", ALWAYS },
	{ "sstvecd", ALWAYS },
	{ "ssu64xl", ALWAYS },
	{ "svade", NO_SVADU },
	{ "svadu", SVADU },
	{ "svinval", ALWAYS },
	{ "svnapot", ALWAYS },
	{ "svpbmt", SVPBMT },
	{ "svvptc", ALWAYS },
};

static bool granted(enum condition condition, const struct guest_isa_caps *caps)
{
	switch (condition) {
	case ALWAYS:
		return true;
	case SSTC:
		return caps->sstc;
	case SVPBMT:
		return caps->svpbmt;
	case SVADU:
		return caps->svadu;
	case NO_SVADU:
		return !caps->svadu;
	case CBOM:
		return caps->cbom;
	case CBOZ:
		return caps->cboz;
	case VECTOR:
		return caps->vector;
	case SSAIA:
		return caps->ssaia;
	}
	return false;
}

static bool ends_in_star(const char *pattern)
{
	return pattern[strlen(pattern) - 1] == '*';
}

static bool matches(const char *pattern, const char *name)
{
	if (*pattern != *name)
		return false;
	return ends_in_star(pattern) ? !strncmp(pattern, name, strlen(pattern) - 1) :
				       !strcmp(pattern, name);
}

/* In `told` is what has been, so that hardly any name has to be searched for. */
static bool wanted(const char *name, const struct guest_isa_caps *caps, const char *out,
		   bool told[ARRAY_SIZE(extensions)])
{
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
		const char *pattern = extensions[i].name;
		bool before = told[i];

		if (!matches(pattern, name))
			continue;
		told[i] = true;
		return granted(extensions[i].condition, caps) &&
		       !(before && (!ends_in_star(pattern) || isa_has(out, name)));
	}
	return false;
}

/* Single letters come first in a string; firmware does not always keep to that. */
int guest_isa_build(const char *host_isa, const struct guest_isa_caps *caps, char *out, size_t size)
{
	struct isa_cursor cursor;
	bool told[ARRAY_SIZE(extensions)] = { false };
	char name[ISA_NAME];

	if (size < 5)
		return -E2BIG;
	memcpy(out, "rv64", 5);
	for (u32 pass = 0; pass < 2; pass++) {
		if (!isa_begin(&cursor, host_isa))
			return -EINVAL;
		while (isa_next(&cursor, name)) {
			bool letter = !name[1];

			if (letter == (pass == 0) && wanted(name, caps, out, told) &&
			    isa_append(out, size, name))
				return -E2BIG;
		}
	}
	return 0;
}
