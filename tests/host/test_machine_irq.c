/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's interrupt controller, wired: to its own sources and files alone, and to wires of a board
 * that refuses what it cannot do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <hv/check.h>
#include <hv/errno.h>
#include <hv/host_irq.h>
#include <hv/machine_irq.h>
#include <hv/refuse.h>
#include <hv/vm.h>

#define IDS 255u
#define SOURCES 96u
#define UART 10u
#define WIRE 20u		/* the guest's numbers of two wires; the board's are 100 more */
#define WIRE2 21u
#define FILE_PAGE 0x28005000ull	/* of vCPU 1; vCPU 0 has its file in memory */

#define DOMAINCFG 0x0u
#define SOURCECFG(source) (4 * (source))
#define SETIENUM 0x1edcu
#define SETIPNUM 0x1cdcu
#define GENMSI 0x3000u
#define TARGET(source) (0x3000u + 4 * (source))
#define TO(vcpu, eiid) ((u32)(vcpu) << 18 | (eiid))

static struct vm vm;
static struct vcpu vcpus[2];
static struct machine_irq irq;
static char said[256];

/* The board: what it answers, and what it was asked for last. */
static struct {
	int attach[2];
	bool routes;
	struct host_irq_target target;
	struct host_irq_route route[2];
	u32 attached, detached, completed;
	u64 message_page;
	u32 message;
} host;

struct device {
	const struct mmio_ops *ops;
	void *dev;
};
static struct device aplic, imsic;

void panic(const char *fmt, ...)
{
	fail_msg("%s", fmt);
	__builtin_unreachable();
}

void refuse(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	assert_int_equal(level, LOG_WARN);
	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

bool log_allowed(struct log_limit *limit)
{
	return limit != NULL;
}

void vcpu_request(struct vcpu *vcpu, enum vcpu_request request)
{
	(void)vcpu;
	assert_int_equal(request, VCPU_REQ_EXTERNAL);
}

u32 arch_imsic_ids(void)
{
	return IDS;
}

u32 arch_vcpu_hart(const struct vcpu *vcpu)
{
	return 2 + vcpu->index;
}

u32 arch_vcpu_file(const struct vcpu *vcpu)
{
	return vcpu->index ? 5 : 0;
}

u64 arch_vcpu_file_page(const struct vcpu *vcpu)
{
	assert_int_equal(vcpu->index, 1);
	return FILE_PAGE;
}

void arch_vcpu_imsic(struct vcpu *vcpu, struct vimsic *files)
{
	(void)vcpu;
	assert_ptr_equal(files, &irq.imsic);
}

void arch_msi_send(u64 page, u32 id)
{
	host.message_page = page;
	host.message = id;
}

static u32 wire_of(u32 source)
{
	assert_in_range(source, WIRE + 100, WIRE2 + 100);
	return source - WIRE - 100;
}

int host_irq_attach(u32 source, const struct host_irq_target *target)
{
	int err = host.attach[wire_of(source)];

	host.target = *target;
	host.attached += !err;
	return err;
}

void host_irq_detach(u32 source)
{
	wire_of(source);
	host.detached++;
}

bool host_irq_route(u32 source, const struct host_irq_route *route)
{
	host.route[wire_of(source)] = *route;
	return host.routes || !route->trigger;
}

bool host_irq_move(u32 source, u32 hart_index)
{
	host.route[wire_of(source)].hart_index = hart_index;
	return host.routes;
}

void host_irq_moved(u32 source, u32 old_hart_index)
{
	wire_of(source);
	assert_in_range(old_hart_index, 2, 3);
}

void host_irq_complete(u32 source)
{
	wire_of(source);
	host.completed++;
}

void host_irq_pend(u32 source, bool pending)
{
	(void)pending;
	wire_of(source);
}

bool host_irq_pending(u32 source)
{
	wire_of(source);
	return false;
}

bool host_irq_input(u32 source)
{
	wire_of(source);
	return false;
}

int machine_add_device(struct vm *its, const struct vmdef_device *def, const struct mmio_ops *ops,
		       void *dev)
{
	assert_ptr_equal(its, &vm);
	*(def == &vm.def.imsic ? &imsic : &aplic) = (struct device){ ops, dev };
	return 0;
}

int machine_show_page(struct vm *its, const struct vmdef_device *def, u64 offset, const void *page)
{
	(void)its;
	(void)def;
	(void)offset;
	(void)page;
	return 0;
}

static enum mmio_result access(const struct device *device, struct mmio_access *acc)
{
	return device->ops->access(device->dev, acc);
}

static void wr(u64 offset, u32 value)
{
	assert_int_equal(access(&aplic, &(struct mmio_access){ .offset = offset, .width = 4,
							       .write = true, .value = value }),
			 MMIO_OK);
}

static u32 rd(u64 offset)
{
	struct mmio_access acc = { .offset = offset, .width = 4 };

	assert_int_equal(access(&aplic, &acc), MMIO_OK);
	return (u32)acc.value;
}

/* Two vCPUs, an UART of its own, two wires of the board. */
static void make(enum vmdef_irqchip kind)
{
	memset(&vm, 0, sizeof(vm));
	memset(&host, 0, sizeof(host));
	said[0] = '\0';
	host.routes = true;
	snprintf(vm.def.name, sizeof(vm.def.name), "abuser");
	vm.vcpus = vm.def.vcpus = 2;
	for (u32 i = 0; i < 2; i++) {
		vcpus[i].index = i;
		vm.vcpu[i] = &vcpus[i];
	}
	vm.def.irqchip = kind;
	vm.def.sources = SOURCES;
	vm.def.uart = (struct vmdef_device){ .base = 0x10000000, .size = 0x100, .irq = UART };
	vm.def.irqs = 2;
	vm.def.irq[0] = (struct vmdef_irq){ .host = WIRE + 100, .guest = WIRE };
	vm.def.irq[1] = (struct vmdef_irq){ .host = WIRE2 + 100, .guest = WIRE2 };
}

static int setup_imsic(void **state)
{
	(void)state;
	make(VMDEF_IRQCHIP_APLIC);
	vm.def.imsic = (struct vmdef_device){ .base = 0x28000000, .size = 0x4000 };
	vm.def.imsic_bits = 1;
	assert_int_equal(machine_irq_init(&vm, &irq), 0);
	assert_int_equal(machine_irq_attach(&vm, &irq), 0);
	wr(DOMAINCFG, 0x104);
	return 0;
}

static int setup_plic(void **state)
{
	(void)state;
	make(VMDEF_IRQCHIP_PLIC);
	assert_int_equal(machine_irq_init(&vm, &irq), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_irq_detach(&vm, &irq);
	machine_irq_detach(&vm, &irq);
	assert_int_equal(host.detached, host.attached);
	return 0;
}

static void test_attach_refused(void **state)
{
	static const struct {
		int err;
		const char *text;
	} refusals[] = {
		{ -EBUSY, "abuser refused: the board's interrupt 121 is in use" },
		{ -EIO, "abuser refused: the board's interrupt 121 cannot be sent to the hart of "
			"vCPU 0; give it another" },
		{ -ERANGE, "abuser refused: the board's interrupt 121 is absent" },
		{ -ENODEV, "abuser refused: the board's interrupt 121 is absent" },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(refusals); i++) {
		host.attach[1] = refusals[i].err;
		assert_int_equal(machine_irq_attach(&vm, &irq), refusals[i].err);
		assert_string_equal(said, refusals[i].text);
		machine_irq_detach(&vm, &irq);	/* of the first */
		assert_int_equal(host.attached, i + 1);
		assert_int_equal(host.detached, i + 1);
	}
}

/* A guest chooses a mode, or has a hart, that the board's controller does not hold. */
static void test_route_refused(void **state)
{
	static const char words[] =
		"abuser: the board's interrupt 120 is off: the controller does not take its "
		"trigger or hart; give the vCPU another hart";

	(void)state;
	host.routes = false;
	wr(SOURCECFG(WIRE), 6);
	assert_string_equal(said, words);
	said[0] = '\0';
	wr(SOURCECFG(WIRE), 0);		/* which each can */
	assert_string_equal(said, "");
	host.routes = true;
	wr(SOURCECFG(WIRE), 6);
	wr(TARGET(WIRE), TO(1, 77));
	wr(SETIENUM, WIRE);
	assert_string_equal(said, "");
	host.routes = false;
	machine_irq_reroute(&vm, &irq, 1);
	assert_string_equal(said, words);
}

static void test_plic_route_refused(void **state)
{
	(void)state;
	assert_int_equal(machine_irq_attach(&vm, &irq), 0);
	host.routes = false;
	machine_irq_reroute(&vm, &irq, 1);	/* no wire is with vCPU 1 */
	assert_string_equal(said, "");
	machine_irq_reroute(&vm, &irq, 0);
	assert_string_equal(said, "abuser: the board's interrupt 121 is off: the controller does "
			    "not take its trigger or hart; give the vCPU another hart");
}

/* Straight to the file that the vCPU has, or to Shyper; never to a vCPU or EIID that is not. */
static void test_routes(void **state)
{
	const struct host_irq_route *to = &host.route[0];

	(void)state;
	wr(SOURCECFG(WIRE), 4);
	wr(TARGET(WIRE), TO(1, 77));
	assert_false(to->enabled);
	wr(SETIENUM, WIRE);
	assert_true(to->enabled);
	assert_int_equal(to->trigger, IRQ_TRIGGER_RISING);
	assert_int_equal(to->hart_index, 3);
	assert_int_equal(to->guest_file, 5);
	assert_int_equal(to->identity, 77);
	wr(TARGET(WIRE), TO(0, 78));
	assert_int_equal(to->hart_index, 2);
	assert_int_equal(to->guest_file, 0);
	for (u32 i = 0; i < 64; i++) {
		static const u32 eiids[] = { 0, 1, 255, 256, 257, 0x7fe, 0x7ff };
		u32 hart = i < 32 ? i : 0x3fff - (i - 32);

		wr(TARGET(WIRE), TO(hart, eiids[i % ARRAY_SIZE(eiids)]) | 0x3f000);
		assert_in_range(to->hart_index, 2, 3);
		assert_int_equal(to->guest_file, to->enabled && to->hart_index == 3 ? 5 : 0);
		if (to->enabled)
			assert_in_range(to->identity, 1, IDS);
	}
}

static void test_own_sources_alone(void **state)
{
	(void)state;
	for (u32 source = 1; source < 1024; source++) {
		bool own = source == UART || source == WIRE || source == WIRE2;

		wr(SOURCECFG(source), 1);
		assert_int_equal(rd(SOURCECFG(source)), own);
		wr(TARGET(source), TO(1, 9));
		assert_int_equal(rd(TARGET(source)), own ? TO(1, 9) : 0);
		wr(SETIENUM, source);
		host.message = 0;
		wr(SETIPNUM, source);
		assert_int_equal(host.message, source == UART ? 9 : 0);
	}
}

/* Messages to a file in hardware go to its page, to one in memory they stay with Shyper. */
static void test_messages(void **state)
{
	(void)state;
	wr(GENMSI, TO(1, IDS));
	assert_int_equal(host.message_page, FILE_PAGE);
	assert_int_equal(host.message, IDS);
	host.message = 0;
	wr(GENMSI, TO(0, 3));
	wr(GENMSI, TO(1, IDS + 1));
	wr(GENMSI, TO(1, 0));
	wr(GENMSI, TO(2, 3));
	wr(GENMSI, TO(0x3fff, 3));
	assert_int_equal(host.message, 0);
}

/* Two pages for each of two vCPUs: the second is that of a guest file, which a guest has not. */
static void test_pages(void **state)
{
	struct mmio_access acc = { .width = 4, .write = true, .value = 9 };

	(void)state;
	for (u64 at = 0; at < 0x8000; at += 0x800) {
		bool good = at < 0x4000 && at % 0x2000 < 0x1000;

		acc.offset = at;
		host.message = 0;
		assert_int_equal(access(&imsic, &acc), good ? MMIO_OK : MMIO_FAULT);
		assert_int_equal(acc.offset, at);
		assert_int_equal(host.message, at == 0x2000 ? 9 : 0);
	}
}

/* Of a board's interrupt that has nothing to do with the VM, nothing comes. */
static void test_interrupt(void **state)
{
	(void)state;
	wr(SOURCECFG(WIRE), 4);
	wr(TARGET(WIRE), TO(1, 77));
	wr(SETIENUM, WIRE);
	assert_false(host.target.handler(WIRE, host.target.ctx));
	assert_int_equal(host.message, 0);
	assert_true(host.target.handler(WIRE + 100, host.target.ctx));
	assert_int_equal(host.message, 77);
}

#define IMSIC(test) cmocka_unit_test_setup_teardown(test, setup_imsic, teardown)
#define PLIC(test) cmocka_unit_test_setup_teardown(test, setup_plic, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLIC(test_attach_refused),
		IMSIC(test_route_refused),
		PLIC(test_plic_route_refused),
		IMSIC(test_routes),
		IMSIC(test_own_sources_alone),
		IMSIC(test_messages),
		IMSIC(test_pages),
		IMSIC(test_interrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
