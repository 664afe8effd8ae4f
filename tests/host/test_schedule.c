/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedules: one that is accepted, as it is read, and refusals. Every row of these changes the
 * source of the tree in one place, and names the node, property and reason that must follow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libfdt.h>

#include <hv/errno.h>
#include <hv/schedule.h>

#include "dts.h"

/* Harts 1 and 2 have "pair" together; "one" is on 1, "two" on 2. */
static const char source[] =
	"/ { compatible = \"shyper,schedule-v1\"; switch-us = <5>; late-us = <7>;\n"
	"partitions {\n"
	"	pair: pair { harts = <1 2>; period-us = <5000>; duration-us = <1000>; };\n"
	"	one: one { harts = <1>; period-us = <10000>; duration-us = <3000>; };\n"
	"	two: two { vm-name = \"number two\"; harts = <2>;\n"
	"		period-us = <20000>; duration-us = <8000>; };\n"
	"};\n"
	"tables {\n"
	"	calm { frame-us = <20000>;\n"
	"		hart1 { hart = <1>; windows = <0 1000 &pair>, <5000 1000 &pair>,\n"
	"			<1000 3000 &one>, <10000 1000 &pair>, <11000 3000 &one>,\n"
	"			<15000 1000 &pair>; };\n"
	"		hart2 { hart = <2>; windows = <0 1000 &pair>, <5000 1000 &pair>,\n"
	"			<6000 4000 &two>, <10000 1000 &pair>, <11000 4000 &two>,\n"
	"			<15000 1000 &pair>; }; };\n"
	"	busy { frame-us = <40000>; correction-us = <100>; relaxed;\n"
	"		hart1 { hart = <1>; windows = <0 1000 &pair>, <5000 1000 &pair>,\n"
	"			<10000 1000 &pair>, <15000 1000 &pair>, <20000 1000 &pair>,\n"
	"			<25000 1000 &pair>, <30000 1000 &pair>, <35000 1000 &pair>,\n"
	"			<1000 4000 &one>, <11000 4000 &one>, <21000 4000 &one>,\n"
	"			<36000 4000 &one>; };\n"
	"		hart2 { hart = <2>; windows = <0 1000 &pair>, <5000 1000 &pair>,\n"
	"			<10000 1000 &pair>, <15000 1000 &pair>, <20000 1000 &pair>,\n"
	"			<25000 1000 &pair>, <30000 1000 &pair>, <35000 1000 &pair>,\n"
	"			<1000 4000 &two>, <6000 4000 &two>, <31000 4000 &two>,\n"
	"			<36000 4000 &two>; }; };\n"
	"}; };\n";

static struct schedule s;
static struct vmdef_error error;

static int parse_text(const char *text)
{
	size_t size;
	void *tree = dts_compile(text, &size);
	int err;

	memset(&error, 0, sizeof(error));
	err = schedule_parse(&s, tree, size, &error);
	free(tree);
	return err;
}

/* source with the first `from` replaced by `to`. */
static int parse_with(const char *from, const char *to)
{
	static char text[2 * sizeof(source)];
	const char *at = strstr(source, from);

	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - source), source, to,
		 at + strlen(from));
	return parse_text(text);
}

static void test_accepted(void **state)
{
	const struct schedule_list *list;

	(void)state;
	if (parse_text(source))
		fail_msg("%s %s: %s", error.node, error.property, error.reason);
	assert_int_equal(s.switch_time, 5);
	assert_int_equal(s.late, 7);
	assert_int_equal(s.partitions, 3);
	assert_string_equal(s.partition[2].name, "number two");
	assert_int_equal(s.partition[0].harts, 2);
	assert_int_equal(s.partition[0].hart[1], 2);
	assert_int_equal(s.partition[2].duration, 8000);
	assert_int_equal(s.tables, 2);
	assert_int_equal(s.table[0].correction, 0);
	assert_false(s.table[0].relaxed);
	assert_true(s.table[1].relaxed);
	assert_int_equal(s.table[1].longest, 4000);
	assert_string_equal(s.table[1].name, "busy");
	assert_null(schedule_partition(&s, "two"));
	assert_null(schedule_list(&s, 0, 3));
	list = schedule_list(&s, 0, 1);
	assert_int_equal(list->count, 6);
	/* Sorted. */
	assert_int_equal(s.window[list->first + 1].begin, 1000);
	assert_int_equal(s.window[list->first + 1].end, 4000);
	assert_int_equal(s.window[list->first + 1].partition, 1);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse_with("switch-us = <5>; late-us = <7>;", ""), 0);
	assert_int_equal(s.switch_time, SCHEDULE_SWITCH_DEFAULT);
	assert_int_equal(s.late, SCHEDULE_SWITCH_DEFAULT);
}

static void test_ticks(void **state)
{
	(void)state;
	assert_int_equal(parse_text(source), 0);
	schedule_scale(&s, 10000000);
	assert_int_equal(s.switch_time, 50);
	assert_int_equal(s.table[0].frame, 200000);
	assert_int_equal(s.table[1].correction, 1000);
	assert_int_equal(s.window[1].begin, 10000);
	/* A slow timer rounds down, and what touched still does. */
	assert_int_equal(parse_text(source), 0);
	schedule_scale(&s, 32768);
	assert_int_equal(s.window[0].end, 32);
	assert_int_equal(s.window[1].begin, 32);
	assert_int_equal(s.window[1].end, 131);
}

static void test_is(void **state)
{
	size_t size;
	void *tree = dts_compile("/ { compatible = \"shyper,vm-v1\"; };", &size);

	(void)state;
	assert_false(schedule_is(tree, size));
	assert_false(schedule_is("no tree at all", 14));
	free(tree);
	tree = dts_compile(source, &size);
	assert_true(schedule_is(tree, size));
	assert_false(schedule_is(tree, size - 1));
	free(tree);
}

static const struct refusal {
	const char *name, *from, *to, *node, *property, *reason;
} refusals[] = {
	/* The tree. */
	{ "another kind", "schedule-v1", "vm-v1", "/", "compatible", "must be" },
	{ "unknown property", "late-us", "later-us", "/", "later-us", "unknown" },
	{ "unknown node", "tables {", "plans {", "/plans", "", "unknown node" },
	{ "no time to switch", "switch-us = <5>", "switch-us = <0>", "/", "switch-us",
	  "is 0; possible are 1 to 1000" },
	{ "lateness of none", "late-us = <7>", "late-us = <0>", "/", "late-us", "possible are" },
	{ "no harts", "harts = <1 2>; ", "", "/partitions/pair", "harts", "missing" },
	{ "half a hart", "harts = <1 2>", "harts = [00 01]", "/partitions/pair", "harts",
	  "must be 1 to 16 cells, is 2 bytes" },
	{ "hart twice", "harts = <1 2>", "harts = <1 1>", "/partitions/pair", "harts",
	  "names hart 1 twice" },
	{ "no period", "period-us = <5000>; ", "", "/partitions/pair", "period-us", "missing" },
	{ "period of 0", "period-us = <5000>", "period-us = <0>", "/partitions/pair", "period-us",
	  "is 0; possible are 1 to 1000000" },
	{ "two partitions of a name", "number two", "pair", "/partitions/pair", "",
	  "is there twice" },
	{ "hart twice in a table", "hart = <2>; windows", "hart = <1>; windows",
	  "/tables/calm/hart2", "hart", "is 1, as in another node" },
	{ "no frame", "frame-us = <20000>;", "", "/tables/calm", "frame-us", "missing" },
	{ "long frame", "frame-us = <20000>", "frame-us = <1000001>", "/tables/calm", "frame-us",
	  "is 1000001; possible are 100 to 1000000" },
	{ "window without partition", "<0 1000 &pair>", "<0 1000>", "/tables/calm/hart1",
	  "windows", "must be a list of <offset duration partition>" },
	{ "relaxed a little", "relaxed;", "relaxed = <1>;", "/tables/busy", "relaxed", "flag" },
	/* What the numbers mean. */
	{ "unknown partition", "<0 1000 &pair>", "<0 1000 0x77>", "/tables", "windows",
	  "0 + 1000 us is of partition 0x77, which is not there" },
	{ "partition elsewhere", "<1000 3000 &one>", "<1000 3000 &two>", "/tables/calm", "windows",
	  "1000 + 3000 us on hart 1 is of number two, which has no vCPU there" },
	{ "shorter than a switch", "<1000 3000 &one>", "<1000 3000 &one>, <9000 5 &one>",
	  "/tables/calm", "windows", "9000 + 5 us of one on hart 1: a switch alone costs 5 us" },
	{ "past the frame", "<15000 1000 &pair>; };\n",
	  "<15000 1000 &pair>, <19500 501 &one>; };\n", "/tables/calm", "windows",
	  "19500 + 501 us of one on hart 1 ends behind the frame of 20000 us" },
	{ "overlap", "<1000 3000 &one>", "<999 3001 &one>", "/tables/calm", "windows",
	  "999 + 3001 us of one on hart 1 overlaps 0 + 1000 us of pair" },
	{ "twice the same time", "<1000 3000 &one>", "<1000 3000 &one>, <1000 3000 &one>",
	  "/tables/calm", "windows", "overlaps 1000 + 3000 us of one" },
	{ "frame no multiple of a period", "frame-us = <20000>", "frame-us = <22000>",
	  "/tables/calm", "frame-us", "is 22000, no multiple of the period of pair, 5000" },
	{ "a period without the duration", "<11000 3000 &one>", "<11000 2999 &one>",
	  "/tables/calm", "windows",
	  "one has 2999 us on hart 1 in its period from 10000 to 20000 us, needs 3000" },
	{ "window over the end of a period", "<1000 3000 &one>, <10000 1000 &pair>, <11000",
	  "<8000 2000 &one>, <10000 1000 &pair>, <11000", "/tables/calm", "windows",
	  "one has 2000 us on hart 1 in its period from 0 to 10000 us, needs 3000" },
	{ "nothing on one of its harts", "<0 1000 &pair>, <5000 1000 &pair>,\n\t\t\t<6000",
	  "<6000", "/tables/calm", "windows",
	  "pair has 0 us on hart 2 in its period from 0 to 5000 us, needs 1000" },
	{ "out of line", "<0 1000 &pair>, <5000 1000 &pair>,\n\t\t\t<6000",
	  "<1 1000 &pair>, <5000 1000 &pair>,\n\t\t\t<6000", "/tables/calm", "windows",
	  "pair has 0 + 1000 us on hart 1, but 1 + 1000 us on hart 2" },
	{ "more on one of its harts", "<15000 1000 &pair>; }; };",
	  "<15000 1000 &pair>, <17000 100 &pair>; }; };", "/tables/calm", "windows",
	  "pair has 0 + 0 us on hart 1, but 17000 + 100 us on hart 2" },
	{ "more than its period", "duration-us = <3000>", "duration-us = <10001>",
	  "/partitions/one", "duration-us", "is 10001, more than the period, 10000" },
	{ "more than the hart", "duration-us = <3000>", "duration-us = <8001>", "/partitions",
	  "duration-us", "hart 1 is used by 100.01 %: more than 100" },
	{ "correction too large", "correction-us = <100>", "correction-us = <401>",
	  "/tables/busy", "correction-us", "is 401, more than a tenth of the longest window" },
	{ "starved by the change", "<1000 4000 &one>", "<6000 4000 &one>", "/tables/busy",
	  "windows", "the change from table calm leaves one without time for 12000 us; its "
	  "period is 10000" },
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *r = &refusals[i];
		int err = parse_with(r->from, r->to);

		if (err != -EINVAL || strcmp(error.node, r->node) ||
		    strcmp(error.property, r->property) || !strstr(error.reason, r->reason))
			fail_msg("%s: %d, %s %s: %s", r->name, err, error.node, error.property,
				 error.reason);
	}
}

static void test_empty(void **state)
{
	(void)state;
	assert_int_equal(parse_text("/ { compatible = \"shyper,schedule-v1\"; };"), -EINVAL);
	assert_string_equal(error.node, "/partitions");
	assert_int_equal(parse_text("/ { compatible = \"shyper,schedule-v1\"; partitions { p { "
				    "harts = <1>; period-us = <9>; duration-us = <9>; }; }; };"),
			 -EINVAL);
	assert_string_equal(error.node, "/tables");
}

/* Too many of anything: `count` nodes made by this format, inside this. */
static void refuse_many(const char *head, const char *node, u32 count, const char *tail,
			const char *reason)
{
	char *text = malloc(1 << 20);
	int n = sprintf(text, "/ { compatible = \"shyper,schedule-v1\"; %s", head);

	for (u32 i = 0; i < count; i++)
		n += sprintf(text + n, node, i, i);
	sprintf(text + n, "%s };", tail);
	assert_int_equal(parse_text(text), -EINVAL);
	if (!strstr(error.reason, reason))
		fail_msg("%s: %s", error.node, error.reason);
	free(text);
}

#define P "partitions { p: p { harts = <1>; period-us = <100>; duration-us = <1>; }; }; "

static void test_too_many(void **state)
{
	(void)state;
	refuse_many("partitions {", "p%u { harts = <%u>; period-us = <9>; duration-us = <9>; };",
		    SCHEDULE_PARTITIONS + 1, "};", "possible are 16");
	refuse_many(P "tables {", "t%u { frame-us = <1%02u>; };", SCHEDULE_TABLES + 1, "};",
		    "possible are 8");
	refuse_many(P "tables { t { frame-us = <100>;", "h%u { hart = <%u>; windows = <1 2 &p>; };",
		    64 + 1, "}; };", "more than 64 nodes");
	refuse_many(P "tables { t { frame-us = <100>; h { hart = <1>; windows = ", "<%u %u &p>,",
		    SCHEDULE_WINDOWS, "<1 2 &p>; }; }; };", "more than 512 in all");
	refuse_many("partitions {", "ppppppppppppppppppppppppppppppp%u { harts = <%u>; };", 1,
		    "};", "more than 31 characters");
}

/* Between schedules as between tables; partitions that only one of them has do not count. */
static void test_change_of_schedule(void **state)
{
	static struct schedule old;

	(void)state;
	assert_int_equal(parse_text(source), 0);
	old = s;
	assert_int_equal(schedule_check_change(&old, &s, &error), 0);
	strcpy(old.partition[2].name, "another");
	old.window[s.list[0].first + 4].end = 12000;	/* "one" ends 2 ms earlier */
	assert_int_equal(schedule_check_change(&old, &s, &error), 0);
	old.window[s.list[0].first + 4].end = 10999;
	assert_int_equal(schedule_check_change(&old, &s, &error), -EINVAL);
	assert_non_null(strstr(error.reason, "without time for 10001 us"));
}

/* Whatever a tree says, it is read or refused: no number is too large for the sums. */
static void test_extremes(void **state)
{
	static const char *const values[] = { "0", "1", "0x7fffffff", "0xffffffff" };

	(void)state;
	for (u32 i = 0; i < 4; i++)
		for (u32 j = 0; j < 4; j++) {
			char window[64];

			snprintf(window, sizeof(window), "<%s %s &one>", values[i], values[j]);
			assert_int_equal(parse_with("<1000 3000 &one>", window), -EINVAL);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_ticks),
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_change_of_schedule),
		cmocka_unit_test(test_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
