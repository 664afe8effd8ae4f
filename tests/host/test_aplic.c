/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver of the board's APLIC, under host_irq.c as ever. The APLIC is played here: its WARL
 * registers hold what the test lets them hold, and it is as slow as the test wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <asm/features.h>
#include <asm/hart.h>
#include <asm/imsic.h>
#include <asm/io.h>
#include <hv/board.h>
#include <hv/errno.h>
#include <hv/host_irq.h>
#include <hv/log.h>
#include <hv/timer.h>

#define BASE 0xd000000ull
#define SOURCES 96u
#define IDS 255u
#define SYNC IDS		/* the identity of the driver's own messages */
#define MS 10000u		/* ticks in 1 ms */
#define NEVER (~(u64)0)

#define TARGET_OF(hart) ((u32)(hart) << 18)
#define ALL_MODES 0xf3u
#define EDGE 4u
#define LEVEL 6u
#define SOURCE 11u

struct board board;
struct features features;
struct hart *hart_now;
struct hart harts[HARTS];
u32 hart_count = 4;

/* The controller, and the interrupt file of the hart that runs. */
static struct {
	u32 domaincfg;
	u32 sourcecfg[SOURCES + 1];
	u32 target[SOURCES + 1];
	bool enabled[SOURCES + 1];
	bool pended[SOURCES + 1];	/* by software */
	u32 modes;			/* bit n: sourcecfg holds mode n */
	u32 targets;			/* bits that target holds */
	u32 idelivery[4];
	u32 claimi;
	u64 idle_at;			/* genmsi is busy until then */
	u64 delay;			/* until a message has arrived */
	u64 arrives_at;
	u32 genmsi;
	u32 messages;			/* sent by genmsi */
	bool file[IDS + 1];		/* pending in the hart's file */
} chip;

static u64 now;
static char logged[256];
static u32 lines, kicks, handled;

void log_write(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	assert_int_equal(level, LOG_ERR);
	va_start(ap, fmt);
	vsnprintf(logged, sizeof(logged), fmt, ap);
	va_end(ap);
	lines++;
}

/* Whoever waits sees time pass. */
u64 arch_time(void)
{
	return now++;
}

u64 arch_timebase(void)
{
	return 1000 * MS;
}

void hart_kicked(void)
{
	kicks++;
}

static void deliver(void)
{
	if (now < chip.arrives_at)
		return;
	chip.file[chip.genmsi & 0x7ff] = true;
	chip.arrives_at = NEVER;
}

bool imsic_take(u32 identity)
{
	bool was;

	assert_in_range(identity, 1, IDS);
	deliver();
	was = chip.file[identity];
	chip.file[identity] = false;
	return was;
}

u32 imsic_claim(void)
{
	for (u32 id = 1; id <= IDS; id++)
		if (imsic_take(id))
			return id;
	return 0;
}

const struct host_irqchip_ops *plic_probe(const struct board *from)
{
	(void)from;
	fail();
	return NULL;
}

static u32 *source_reg(u64 offset)
{
	if (offset >= 4 && offset <= 4 * SOURCES)
		return &chip.sourcecfg[offset / 4];
	if (offset > 0x3000 && offset <= 0x3000 + 4 * SOURCES)
		return &chip.target[(offset - 0x3000) / 4];
	return NULL;
}

u32 io_read(u64 address)
{
	u64 offset = address - BASE;
	u32 *reg = source_reg(offset);

	if (reg)
		return *reg;
	if (offset == 0x3000)
		return now < chip.idle_at ? 1u << 12 : 0;
	assert_in_range(offset, 0x4000, 0x4fff);
	assert_int_equal(offset % 0x20, 0x1c);
	return chip.claimi;
}

static u32 held(u64 offset, u32 value)
{
	if (offset > 0x3000)
		return value & chip.targets;
	return chip.modes >> value & 1 ? value : 0;
}

static void send(u32 value)
{
	assert_true(now >= chip.idle_at);	/* else it would be lost */
	chip.genmsi = value;
	chip.arrives_at = chip.delay == NEVER ? NEVER : now + chip.delay;
	chip.messages++;
}

void io_write(u64 address, u32 value)
{
	u64 offset = address - BASE;
	u32 *reg = source_reg(offset);

	if (reg)
		*reg = held(offset, value);
	else if (offset == 0)
		chip.domaincfg = value;
	else if (offset == 0x1edc)
		chip.enabled[value] = chip.sourcecfg[value] != 0;
	else if (offset == 0x1fdc)
		chip.enabled[value] = false;
	else if (offset == 0x2000)
		chip.pended[value] = chip.sourcecfg[value] != 0;
	else if (offset == 0x1ddc)
		chip.pended[value] = false;
	else if (offset == 0x3000)
		send(value);
	else if (offset % 0x20 == 0)
		chip.idelivery[(offset - 0x4000) / 0x20] = value;
	else
		assert_int_equal(offset % 0x20, 0x08);	/* ithreshold */
}

static bool handler(u32 source, void *ctx)
{
	assert_int_equal(source, SOURCE);
	assert_ptr_equal(ctx, &handled);
	handled++;
	return false;
}

static int attach(u32 source, u32 hart)
{
	return host_irq_attach(source, &(struct host_irq_target){
		.hart_index = hart, .handler = handler, .ctx = &handled });
}

/* A board with four harts, of which the APLIC knows the first three. */
static void start(enum board_irqchip kind)
{
	memset(&chip, 0, sizeof(chip));
	memset(chip.sourcecfg, 0xff, sizeof(chip.sourcecfg));
	chip.modes = ALL_MODES;
	chip.targets = ~0u;
	chip.arrives_at = NEVER;
	now = 1000;
	lines = kicks = handled = 0;
	features.bits = BIT(FEATURE_AIA);
	board = (struct board){ .irqchip = kind, .aplic = { BASE, 0x4060 }, .sources = SOURCES,
				.imsic_ids = IDS };
	for (u32 i = 0; i < hart_count; i++) {
		harts[i].index = i;
		harts[i].board = &board.hart[i];
		board.hart[i].aplic_index = 2 - i;
	}
	board.hart[3].aplic_index = BOARD_NO_CONTEXT;
	hart_now = &harts[1];
	assert_int_equal(host_irq_init(&board), 0);
	host_irq_hart_init();
}

static int setup_msi(void **state)
{
	(void)state;
	start(BOARD_IMSIC);
	return 0;
}

static int setup_direct(void **state)
{
	(void)state;
	start(BOARD_APLIC);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	chip.modes = ALL_MODES;
	host_irq_detach(SOURCE);
	assert_int_equal(chip.sourcecfg[SOURCE], 0);
	return 0;
}

static void test_start(void **state)
{
	(void)state;
	for (u32 source = 1; source <= SOURCES; source++)
		assert_int_equal(chip.sourcecfg[source], 0);
	assert_int_equal(chip.domaincfg, board.irqchip == BOARD_IMSIC ? 0x104 : 0x100);
	assert_int_equal(chip.idelivery[1], board.irqchip == BOARD_APLIC);
}

/* Of what boards lack, and of what is not theirs. */
static void test_attach_refuses(void **state)
{
	(void)state;
	assert_int_equal(attach(0, 0), -ERANGE);
	assert_int_equal(attach(SOURCES + 1, 0), -ERANGE);
	assert_int_equal(attach(SOURCE, 0), 0);
	assert_int_equal(attach(SOURCE, 0), -EBUSY);
	board.irqchip = BOARD_NO_IRQCHIP;
	assert_int_equal(host_irq_init(&board), -ENODEV);
	board.irqchip = BOARD_IMSIC;
	features.bits = 0;
	assert_int_equal(host_irq_init(&board), -ENODEV);
	start(BOARD_IMSIC);
}

/* A source needs an identity beside Shyper's own two. */
static void test_few_identities(void **state)
{
	(void)state;
	board.imsic_ids = 63;
	assert_int_equal(host_irq_init(&board), 0);
	assert_int_equal(attach(62, 0), -ERANGE);
	assert_int_equal(attach(61, 0), 0);
	assert_int_equal(chip.target[61] & 0x7ff, 62);
	host_irq_detach(61);
}

static void test_mode_that_is_not_held(void **state)
{
	(void)state;
	chip.modes = ALL_MODES & ~(1u << LEVEL);
	assert_int_equal(attach(SOURCE, 0), -EIO);
	assert_false(chip.enabled[SOURCE]);
	chip.modes = ALL_MODES;
	assert_int_equal(attach(SOURCE, 0), 0);	/* nothing is left of the first */
	assert_true(chip.enabled[SOURCE]);

	chip.modes = ALL_MODES & ~(1u << EDGE);
	assert_false(host_irq_route(SOURCE, &(struct host_irq_route){
		.trigger = IRQ_TRIGGER_RISING, .enabled = true }));
	assert_false(chip.enabled[SOURCE]);
	host_irq_complete(SOURCE);
	assert_false(chip.enabled[SOURCE]);
}

/* Its hart has number 2 in the APLIC, which has one bit for it. */
static void test_target_that_is_not_held(void **state)
{
	(void)state;
	chip.targets = TARGET_OF(1) | 0x3ffff;
	assert_int_equal(attach(SOURCE, 0), -EIO);
	assert_false(chip.enabled[SOURCE]);
	assert_int_equal(attach(SOURCE, 1), 0);
	assert_int_equal(chip.target[SOURCE] >> 18, 1);
	assert_true(chip.enabled[SOURCE]);

	assert_false(host_irq_move(SOURCE, 0));
	assert_false(chip.enabled[SOURCE]);
	host_irq_complete(SOURCE);	/* by the old hart, or as asked for too often */
	assert_false(chip.enabled[SOURCE]);
	assert_true(host_irq_move(SOURCE, 2));
	assert_true(chip.enabled[SOURCE]);
	assert_int_equal(chip.target[SOURCE] >> 18, 0);
}

static void test_disabled_stays_so(void **state)
{
	struct host_irq_route route = { .trigger = IRQ_TRIGGER_HIGH, .hart_index = 1 };

	(void)state;
	assert_int_equal(attach(SOURCE, 1), 0);
	assert_true(host_irq_route(SOURCE, &route));
	host_irq_complete(SOURCE);
	assert_false(chip.enabled[SOURCE]);
	assert_int_equal(chip.sourcecfg[SOURCE], LEVEL);
	route.enabled = true;
	assert_true(host_irq_route(SOURCE, &route));
	assert_true(chip.enabled[SOURCE]);
}

static void test_guest_file(void **state)
{
	struct host_irq_route route = { .trigger = IRQ_TRIGGER_HIGH, .enabled = true,
					.hart_index = 1, .guest_file = 3, .identity = 200 };

	(void)state;
	assert_int_equal(attach(SOURCE, 1), 0);
	assert_int_equal(chip.target[SOURCE], TARGET_OF(1) | (SOURCE + IMSIC_KICK));
	assert_true(host_irq_route(SOURCE, &route));
	assert_int_equal(chip.target[SOURCE], TARGET_OF(1) | 3 << 12 | 200);
	/* Two bits of guest index are too few for this one: Shyper passes it on. */
	chip.targets = ~(0x3cu << 12);
	route.guest_file = 4;
	assert_true(host_irq_route(SOURCE, &route));
	assert_int_equal(chip.target[SOURCE], TARGET_OF(1) | (SOURCE + IMSIC_KICK));
	assert_true(chip.enabled[SOURCE]);
	/* Neither is held. */
	chip.targets = 0x7ff;
	assert_false(host_irq_route(SOURCE, &route));
	assert_false(chip.enabled[SOURCE]);
}

static void test_complete_asks_levels_again(void **state)
{
	struct host_irq_route edge = { .trigger = IRQ_TRIGGER_FALLING, .enabled = true,
				       .hart_index = 1 };

	(void)state;
	assert_int_equal(attach(SOURCE, 1), 0);
	assert_true(chip.pended[SOURCE]);	/* it may have been high all the time */
	chip.pended[SOURCE] = false;
	host_irq_complete(SOURCE);
	assert_true(chip.pended[SOURCE]);
	assert_true(host_irq_route(SOURCE, &edge));
	assert_false(chip.pended[SOURCE]);	/* of the earlier mode */
	host_irq_complete(SOURCE);
	assert_false(chip.pended[SOURCE]);
}

/* Kicks come first, and as many as you like of them leave the devices their turn. */
static void test_claim(void **state)
{
	(void)state;
	assert_int_equal(attach(SOURCE, 1), 0);
	chip.file[IMSIC_KICK] = chip.file[SOURCE + IMSIC_KICK] = true;
	host_irq_handle();
	assert_int_equal(kicks, 1);
	assert_int_equal(handled, 1);
	host_irq_handle();
	assert_int_equal(handled, 1);
}

static void test_direct_claim(void **state)
{
	(void)state;
	assert_int_equal(attach(SOURCE, 1), 0);
	assert_int_equal(chip.target[SOURCE], TARGET_OF(1) | 1);
	chip.claimi = SOURCE << 16 | 1;
	hart_now = &harts[3];	/* of which the APLIC knows nothing */
	host_irq_hart_init();
	host_irq_handle();
	assert_int_equal(handled, 0);
	hart_now = &harts[1];
	host_irq_handle();
	assert_true(handled > 0);
	assert_false(chip.enabled[SOURCE]);	/* until its level was served */
	host_irq_complete(SOURCE);
	assert_true(chip.enabled[SOURCE]);
}

static void test_direct_harts(void **state)
{
	(void)state;
	assert_int_equal(attach(SOURCE, 3), -EIO);
	board.hart[3].aplic_index = 3;	/* behind the end of its registers */
	assert_int_equal(attach(SOURCE, 3), -EIO);
	assert_false(chip.enabled[SOURCE]);
	assert_int_equal(attach(SOURCE, 0), 0);
}

/* --- The order of messages, 4.9.3 ------------------------------------------------------------ */

static void test_sync(void **state)
{
	(void)state;
	chip.delay = MS / 2;
	host_irq_sync();
	assert_int_equal(chip.messages, 1);
	assert_int_equal(chip.genmsi, TARGET_OF(1) | SYNC);
	assert_in_range(now, 1000 + MS / 2, 1000 + MS);
	assert_int_equal(lines, 0);
}

static void test_sync_awaits_another_harts(void **state)
{
	(void)state;
	chip.idle_at = now + MS / 2;
	host_irq_sync();
	assert_int_equal(chip.messages, 1);
	assert_in_range(now, 1000 + MS / 2, 1000 + MS);
	assert_int_equal(lines, 0);
}

static void test_sync_does_not_wait_for_ever(void **state)
{
	(void)state;
	chip.idle_at = NEVER;
	host_irq_sync();
	assert_int_equal(chip.messages, 0);
	assert_in_range(now, 1000 + MS, 1000 + MS + 10);
	assert_int_equal(lines, 1);
	assert_string_equal(logged, "APLIC: a message of its own could not be sent for 1 ms; "
			    "others may come late too");
	chip.idle_at = 0;	/* and the next hart's turn comes */
	host_irq_sync();
	assert_int_equal(chip.messages, 1);
	assert_int_equal(lines, 1);
}

static void test_sync_of_a_message_that_is_late(void **state)
{
	u64 begin;

	(void)state;
	chip.delay = 3 * MS;
	host_irq_sync();
	assert_in_range(now, 1000 + MS, 1000 + MS + 10);
	assert_int_equal(lines, 1);
	assert_string_equal(logged, "APLIC: a message of its own was under way for 1 ms; "
			    "others may come late too");
	/* It comes at last, and is not taken for the next one. */
	begin = now += 3 * MS;
	chip.delay = MS / 4;
	host_irq_sync();
	assert_in_range(now, begin + MS / 4, begin + MS);
	assert_int_equal(lines, 1);
}

static void test_sync_without_messages(void **state)
{
	(void)state;
	host_irq_sync();
	assert_int_equal(now, 1000);
}

static void test_forget(void **state)
{
	(void)state;
	assert_int_equal(attach(SOURCE, 1), 0);
	chip.file[SOURCE + IMSIC_KICK] = true;
	host_irq_forget(SOURCE);
	host_irq_handle();
	assert_int_equal(handled, 0);
}

#define MSI(test) cmocka_unit_test_setup_teardown(test, setup_msi, teardown)
#define DIRECT(test) cmocka_unit_test_setup_teardown(test, setup_direct, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MSI(test_start),
		DIRECT(test_start),
		MSI(test_attach_refuses),
		MSI(test_few_identities),
		MSI(test_mode_that_is_not_held),
		DIRECT(test_mode_that_is_not_held),
		MSI(test_target_that_is_not_held),
		DIRECT(test_target_that_is_not_held),
		MSI(test_disabled_stays_so),
		DIRECT(test_disabled_stays_so),
		MSI(test_guest_file),
		MSI(test_complete_asks_levels_again),
		MSI(test_claim),
		DIRECT(test_direct_claim),
		DIRECT(test_direct_harts),
		MSI(test_sync),
		MSI(test_sync_awaits_another_harts),
		MSI(test_sync_does_not_wait_for_ever),
		MSI(test_sync_of_a_message_that_is_late),
		DIRECT(test_sync_without_messages),
		MSI(test_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
