/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices of one VM and their wiring: which device drives which source, and what of a VM each
 * device may move. The devices themselves know nothing of VMs.
 */
#include <asm/hart.h>
#include <hv/board.h>
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/fiber.h>
#include <hv/finisher.h>
#include <hv/log.h>
#include <hv/machine.h>
#include <hv/machine_console.h>
#include <hv/machine_irq.h>
#include <hv/machine_net.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <hv/quiesce.h>
#include <hv/refuse.h>
#include <hv/rtc_goldfish.h>
#include <hv/timer.h>
#include <hv/uart16550.h>
#include <hv/virtio_remote.h>
#include <hv/vm.h>

/* A timer of the RTC on one hart; only that hart touches it. */
struct alarm {
	struct timer timer;
	struct rtc_goldfish *rtc;
};

/* A page that the guest sees at one of its addresses. */
struct view {
	gpa_t at;
	hpa_t page;
};

struct machine {
	struct machine_irq irq;
	struct uart16550 uart;
	struct finisher finisher;
	struct rtc_goldfish rtc;
	struct alarm alarm[VMDEF_VCPUS];	/* by vCPU */
	struct machine_console console;
	struct virtio_remote *remote[VMDEF_VIRTIO];	/* NULL: absent */
	struct machine_net net;
	struct view view[VMDEF_VIRTIO + VMDEF_NETS + 2];
	u32 views;
};

#define REMOTE_SIZE ALIGN_UP((u64)sizeof(struct virtio_remote), PAGE_SIZE)

#define MACHINE_SIZE ALIGN_UP((u64)sizeof(struct machine), PAGE_SIZE)

/* ---- Test finisher, UART, RTC ---- */

static void finisher_event(void *ctx, enum finisher_event event, u32 code)
{
	static const enum vm_reason reasons[] = {
		[FINISHER_PASS] = VM_POWEROFF,
		[FINISHER_FAIL] = VM_FAILURE,
		[FINISHER_RESET] = VM_REBOOT,
	};

	vm_end(ctx, reasons[event], code);
}

static bool uart_tx(void *ctx, u8 c)
{
	struct vm *vm = ctx;

	return machine_console_send(&vm->machine->console, &c, 1);
}

static u64 rtc_now(void *ctx)
{
	(void)ctx;
	return clock_ns();
}

static void alarm_fired(struct timer *timer)
{
	rtc_goldfish_alarm(container_of(timer, struct alarm, timer)->rtc);
}

static struct alarm *own_alarm(struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i]->hart == this_hart())
			return &vm->machine->alarm[i];
	return NULL;
}

/* A deadline set earlier on another hart fires there for nothing, which the RTC tolerates. */
static void rtc_arm(void *ctx, u64 deadline_ns)
{
	struct alarm *alarm = own_alarm(ctx);

	if (alarm)
		timer_arm(&alarm->timer, clock_ns_to_ticks(deadline_ns));
}

static void rtc_disarm(void *ctx)
{
	struct alarm *alarm = own_alarm(ctx);

	if (alarm)
		timer_cancel(&alarm->timer);
}

static const struct rtc_goldfish_hooks rtc_hooks = {
	.now_ns = rtc_now, .arm = rtc_arm, .disarm = rtc_disarm,
};

/* ---- The whole ---- */

int machine_add_device(struct vm *vm, const struct vmdef_device *def, const struct mmio_ops *ops,
		       void *dev)
{
	int err = def->size ? mmio_add(&vm->bus, GPA(def->base), def->size, ops, dev) : 0;

	if (err)
		refuse("%s refused: device %s at 0x%llx overlaps another", vm->def.name, ops->name,
			(unsigned long long)def->base);
	return err;
}

int machine_show_page(struct vm *vm, const struct vmdef_device *def, u64 offset, const void *page)
{
	struct view view = { .at = GPA(def->base + offset), .page = ptr_pa(page) };
	int err;

	if (!IS_ALIGNED(def->base, PAGE_SIZE) || def->size < offset + PAGE_SIZE)
		return 0;
	err = arch_vm_show(vm, view.at, view.page);
	if (err == -ENOMEM)
		refuse("%s refused: no memory for its devices", vm->def.name);
	if (err)
		return err == -EINVAL ? 0 : err;
	vm->machine->view[vm->machine->views++] = view;
	return 0;
}

/* In the turns of the driver's vCPU, if it is here: else it would wait in an exit. */
void virtio_complain(struct virtio_dev *dev, u32 n, const char *why)
{
	struct vcpu *vcpu = arch_vcpu_current();

	if (vcpu && vcpu->vm->def.name == dev->owner)
		vcpu_note(vcpu, &dev->log_limit, &(struct vcpu_deed){
			.kind = DEED_QUEUE, .device = dev->ops->name, .why = why, .queue = n });
	else if (log_allowed(&dev->log_limit))
		log_warn("%s: %s: queue %u: %s; the device needs a reset", dev->owner,
			 dev->ops->name, n, why);
}

int machine_add_virtio(struct vm *vm, const struct vmdef_device *def, struct virtio_dev *dev)
{
	int err = machine_add_device(vm, def, &virtio_mmio_ops, dev);

	return err ? err : machine_show_page(vm, def, 0, dev->page);
}

/* A device of the MVM's: a page for the registers, and more. */
static int add_remote(struct vm *vm, u32 n)
{
	const struct vmdef_device *def = &vm->def.virtio[n];
	struct irq_line irq = machine_irq_edge(vm, def->irq);
	hpa_t page;
	int err = page_alloc(REMOTE_SIZE, PAGE_SIZE, OWNER_HV, &page);

	if (err) {
		refuse("%s refused: no memory for its devices", vm->def.name);
		return err;
	}
	vm->machine->remote[n] = pa_ptr(page);
	virtio_remote_init(pa_ptr(page), vm->id, n, vm->def.name, &vm->gmap, &irq);
	return machine_add_virtio(vm, def, &vm->machine->remote[n]->dev);
}

static int add_devices(struct vm *vm, struct machine *m)
{
	struct vmdef *def = &vm->def;
	struct irq_line uart = machine_irq_line(vm, def->uart.irq);
	struct irq_line rtc = machine_irq_line(vm, def->rtc.irq);
	int err;

	uart16550_init(&m->uart, &uart, uart_tx, vm);
	finisher_init(&m->finisher, finisher_event, vm);
	rtc_goldfish_init(&m->rtc, &rtc, &rtc_hooks, vm);
	for (u32 i = 0; i < VMDEF_VCPUS; i++)
		m->alarm[i] = (struct alarm){ .timer.fire = alarm_fired, .rtc = &m->rtc };
	err = machine_add_device(vm, &def->uart, &uart16550_mmio_ops, &m->uart);
	if (!err)
		err = machine_add_device(vm, &def->finisher, &finisher_mmio_ops, &m->finisher);
	if (!err)
		err = machine_add_device(vm, &def->rtc, &rtc_goldfish_mmio_ops, &m->rtc);
	for (u32 i = 0; !err && i < VMDEF_VIRTIO; i++)
		err = def->virtio[i].size ? add_remote(vm, i) : 0;
	if (!err)
		err = machine_add_virtio(vm, &def->console, &m->console.device.dev);
	return err;
}

static int add_console(struct vm *vm)
{
	struct irq_line wire = machine_irq_edge(vm, vm->def.console.irq);
	struct uart16550 *uart = vm->def.uart.size ? &vm->machine->uart : NULL;
	int err = machine_console_init(&vm->machine->console, vm, &wire, uart);

	if (err)
		refuse("%s refused: its console cannot be made", vm->def.name);
	return err;
}

int machine_init(struct vm *vm)
{
	hpa_t page;
	int err = page_alloc(MACHINE_SIZE, PAGE_SIZE, OWNER_HV, &page);

	if (err) {
		refuse("%s refused: no memory for its devices", vm->def.name);
		return err;
	}
	vm->machine = pa_ptr(page);
	err = machine_irq_init(vm, &vm->machine->irq);
	if (!err)
		err = add_devices(vm, vm->machine);
	if (!err)
		err = add_console(vm);
	if (!err)
		err = machine_net_init(vm, &vm->machine->net);
	if (!err)
		err = machine_irq_attach(vm, &vm->machine->irq);
	if (err)
		machine_exit(vm);
	return err;
}

void machine_stop(struct vm *vm)
{
	if (vm->def.passthroughs)
		quiesce(&vm->gmap, &board);
	machine_console_reset(&vm->machine->console);
	machine_net_stop(&vm->machine->net);
	machine_irq_detach(vm, &vm->machine->irq);
	while (vm->machine->views) {
		const struct view *view = &vm->machine->view[--vm->machine->views];

		fiber_breathe();
		arch_vm_hide(vm, view->at, view->page);
	}
}

/* What comes for it would else go into memory that the MVM fills for the next boot. */
void machine_ended(struct vm *vm)
{
	machine_console_reset(&vm->machine->console);
	machine_net_reset(&vm->machine->net);
}

void machine_exit(struct vm *vm)
{
	machine_stop(vm);
	/* A hart may have found a card or console before, or not have come back from ending it. */
	arch_harts_sync(NULL);
	machine_net_exit(&vm->machine->net);
	machine_console_exit(&vm->machine->console);
	for (u32 i = 0; i < VMDEF_VIRTIO; i++)
		if (vm->machine->remote[i])
			page_free(ptr_pa(vm->machine->remote[i]), REMOTE_SIZE, OWNER_HV);
	vm->bus.count = 0;
	page_free(ptr_pa(vm->machine), MACHINE_SIZE, OWNER_HV);
	vm->machine = NULL;
}

void machine_reset(struct vm *vm)
{
	if (vm->def.passthroughs)
		quiesce(&vm->gmap, &board);
	fiber_breathe();
	uart16550_reset(&vm->machine->uart);
	rtc_goldfish_reset(&vm->machine->rtc);
	for (u32 i = 0; i < VMDEF_VIRTIO; i++) {
		fiber_breathe();
		if (vm->machine->remote[i])
			virtio_remote_restart(vm->machine->remote[i]);
	}
	machine_net_reset(&vm->machine->net);
	fiber_breathe();
	machine_console_reset(&vm->machine->console);
	fiber_breathe();
	vm->irqchip->reset(vm->irqchip_data);
	fiber_breathe();
}

void machine_vcpu_halt(struct vm *vm, u32 vcpu)
{
	timer_cancel(&vm->machine->alarm[vcpu].timer);
}

void machine_vcpu_depart(struct vm *vm, u32 vcpu)
{
	timer_hold(&vm->machine->alarm[vcpu].timer);
}

void machine_vcpu_arrive(struct vm *vm, u32 vcpu)
{
	timer_go_on(&vm->machine->alarm[vcpu].timer);
}

void machine_vcpu_reroute(struct vm *vm, u32 vcpu)
{
	machine_irq_reroute(vm, &vm->machine->irq, vcpu);
}

void machine_vcpu_rerouted(struct vm *vm, u32 vcpu, u32 hart_index)
{
	machine_irq_rerouted(vm, &vm->machine->irq, vcpu, hart_index);
}

struct virtio_remote *machine_remote(struct vm *vm, u64 n)
{
	return n < VMDEF_VIRTIO ? vm->machine->remote[n] : NULL;
}

struct virtio_net *machine_card(struct vm *vm, u64 n)
{
	return n < VMDEF_NETS ? vm->machine->net.device[n] : NULL;
}

size_t machine_console_write(struct vm *vm, const char *text, size_t size)
{
	return machine_console_send(&vm->machine->console, text, (u32)size);
}

size_t machine_console_input(struct vm *vm, const u8 *data, size_t size)
{
	machine_console_type(&vm->machine->console, data, (u32)size);
	return size;
}

/* One register read of the UART, as the guest itself would do it. */
static u8 uart_read(struct vm *vm, u64 offset)
{
	struct mmio_access access = { .offset = offset, .width = 1 };

	(void)uart16550_mmio_ops.access(&vm->machine->uart, &access);
	return (u8)access.value;
}

size_t machine_console_read(struct vm *vm, char *buf, size_t size)
{
	size_t n = 0;

	/* RBR at 0, LSR at 5 with DR in bit 0. */
	while (n < size && (uart_read(vm, 5) & 1))
		buf[n++] = (char)uart_read(vm, 0);
	return n;
}
