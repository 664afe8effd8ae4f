/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controller of one VM and its wiring: to the vCPUs, whose interrupt files are the
 * hardware's or in memory, and to the wires of the board that the VM has.
 */
#include <hv/machine_irq.h>

#include <hv/errno.h>
#include <hv/host_irq.h>
#include <hv/refuse.h>
#include <hv/vm.h>

struct irq_line machine_irq_line(const struct vm *vm, u32 source)
{
	return (struct irq_line){ .ops = source ? vm->irqchip : NULL,
				  .chip = vm->irqchip_data,
				  .source = source };
}

/* As arch/riscv64/guest_fdt.c tells the guest. */
struct irq_line machine_irq_edge(const struct vm *vm, u32 source)
{
	struct irq_line line = machine_irq_line(vm, source);

	line.edge = vm->def.irqchip == VMDEF_IRQCHIP_APLIC;
	return line;
}

static void kick(void *ctx, u32 vcpu)
{
	struct vm *vm = ctx;

	vcpu_request(vm->vcpu[vcpu], VCPU_REQ_EXTERNAL);
}

/* --- PLIC ------------------------------------------------------------------------------------ */

/* The guest is done with a source: the board's interrupt behind it may come again. */
static void plic_completed(void *ctx, u32 source)
{
	struct vm *vm = ctx;
	const struct machine_irq *irq = vm->irqchip_data;

	for (u32 i = 0; i < irq->wires; i++)
		if (vm->def.irq[i].guest == source)
			host_irq_complete(vm->def.irq[i].host);
}

static const struct vplic_hooks plic_hooks = { .kick = kick, .completed = plic_completed };

static int plic_init(struct vm *vm, struct machine_irq *irq)
{
	u32 sources = vm->def.sources ? vm->def.sources : 2;	/* no PLIC, and no wires */
	int err;

	vplic_init(&irq->plic, vm->def.vcpus, sources, &plic_hooks, vm);
	vm->irqchip = &vplic_irqchip_ops;
	err = machine_add_device(vm, &vm->def.plic, &vplic_mmio_ops, &irq->plic);
	if (err)
		return err;
	return machine_show_page(vm, &vm->def.plic, VPLIC_ENABLES, irq->plic.enables);
}

/* --- APLIC ----------------------------------------------------------------------------------- */

static void aplic_msi(void *ctx, u32 vcpu, u32 eiid)
{
	struct vm *vm = ctx;
	struct machine_irq *irq = vm->irqchip_data;

	vimsic_send(&irq->imsic, vcpu, eiid);
}

static void imsic_forward(void *ctx, u64 hw, u32 id)
{
	(void)ctx;
	arch_msi_send(hw, id);
}

static const struct vaplic_hooks aplic_hooks = { .kick = kick, .msi = aplic_msi };
static const struct vimsic_hooks imsic_hooks = { .kick = kick, .forward = imsic_forward };

/* The wire of the board behind a source that is attached. */
static u32 host_of(const struct vm *vm, u32 source)
{
	u32 i = 0;

	while (i < vm->def.irqs - 1 && vm->def.irq[i].guest != source)
		i++;
	return vm->def.irq[i].host;
}

static enum irq_trigger trigger_of(enum vaplic_mode mode)
{
	switch (mode) {
	case VAPLIC_DETACHED:
		return IRQ_TRIGGER_DETACHED;
	case VAPLIC_EDGE1:
		return IRQ_TRIGGER_RISING;
	case VAPLIC_EDGE0:
		return IRQ_TRIGGER_FALLING;
	case VAPLIC_LEVEL1:
		return IRQ_TRIGGER_HIGH;
	case VAPLIC_LEVEL0:
		return IRQ_TRIGGER_LOW;
	case VAPLIC_INACTIVE:
		break;
	}
	return IRQ_TRIGGER_NONE;
}

/* A guest chooses modes and targets, of which the board's controller need not have all. */
static void check_routed(struct vm *vm, u32 host, bool routed)
{
	if (!routed)
		vm_warn(vm, "the board's interrupt %u is off: the controller does not take its "
			"trigger or hart; give the vCPU another hart", host);
}

/*
 * Straight into the vCPU's interrupt file when the hardware has one for it, else to Shyper. Of a
 * vCPU that moves meanwhile the file is read first: its new one tells of its new hart, and no old
 * one is another's before the chip's lock has been ours for the reroute that comes with the move.
 */
static void wire_configure(void *ctx, u32 source, const struct vaplic_route *route)
{
	struct vm *vm = ctx;
	const struct vcpu *vcpu = vm->vcpu[route->enabled ? route->vcpu : 0];
	u32 file = route->enabled && route->msi ? arch_vcpu_file(vcpu) : 0;
	struct host_irq_route to = {
		.trigger = trigger_of(route->mode),
		.enabled = route->enabled,
		.hart_index = arch_vcpu_hart(vcpu),
		.guest_file = file,
	};

	if (route->enabled && route->msi)
		to.identity = route->eiid;
	check_routed(vm, host_of(vm, source), host_irq_route(host_of(vm, source), &to));
}

static void wire_set_pending(void *ctx, u32 source)
{
	host_irq_pend(host_of(ctx, source), true);
}

static void wire_clear_pending(void *ctx, u32 source)
{
	host_irq_pend(host_of(ctx, source), false);
}

static bool wire_pending(void *ctx, u32 source)
{
	return host_irq_pending(host_of(ctx, source));
}

static bool wire_input(void *ctx, u32 source)
{
	return host_irq_input(host_of(ctx, source));
}

static void wire_rearm(void *ctx, u32 source)
{
	host_irq_complete(host_of(ctx, source));
}

static const struct vaplic_wire_ops wire_ops = {
	.configure = wire_configure,
	.set_pending = wire_set_pending,
	.clear_pending = wire_clear_pending,
	.pending = wire_pending,
	.input = wire_input,
	.rearm = wire_rearm,
};

/* With IMSICs the external interrupt of a vCPU is that of its file, be it in memory. */
static void imsic_set_line(void *chip, u32 source, bool level)
{
	vaplic_irqchip_ops.set_line(&((struct machine_irq *)chip)->aplic, source, level);
}

static void imsic_pulse(void *chip, u32 source)
{
	vaplic_irqchip_ops.pulse(&((struct machine_irq *)chip)->aplic, source);
}

static bool imsic_pending(void *chip, u32 vcpu)
{
	return vimsic_pending(&((struct machine_irq *)chip)->imsic, vcpu);
}

/* Files in hardware are emptied by arch_vm_reset(). */
static void imsic_reset(void *chip)
{
	vaplic_irqchip_ops.reset(&((struct machine_irq *)chip)->aplic);
	vimsic_reset(&((struct machine_irq *)chip)->imsic);
}

static const struct irqchip_ops imsic_irqchip_ops = {
	.name = "IMSIC",
	.set_line = imsic_set_line,
	.pulse = imsic_pulse,
	.pending = imsic_pending,
	.reset = imsic_reset,
};

/* Between the pages of the vCPUs' files there may be room for guest files, which nobody has. */
static enum mmio_result imsic_access(void *dev, struct mmio_access *access)
{
	const struct vm *vm = dev;
	struct machine_irq *irq = vm->irqchip_data;
	u64 stride = vmdef_imsic_stride(&vm->def), offset = access->offset;
	enum mmio_result result;

	if (offset / stride >= vm->vcpus || offset % stride >= PAGE_SIZE)
		return MMIO_FAULT;
	access->offset = offset / stride * PAGE_SIZE + offset % stride;
	result = vimsic_mmio_ops.access(&irq->imsic, access);
	access->offset = offset;
	return result;
}

static const struct mmio_ops imsic_mmio_ops = { .name = "imsic", .access = imsic_access };

static int imsic_init(struct vm *vm, struct machine_irq *irq)
{
	struct vimsic_state nothing;

	vimsic_init(&irq->imsic, vm->vcpus, arch_imsic_ids(), &imsic_hooks, vm);
	for (u32 i = 0; i < vm->vcpus; i++) {
		struct vcpu *vcpu = vm->vcpu[i];

		arch_vcpu_imsic(vcpu, &irq->imsic);
		if (arch_vcpu_file(vcpu))
			vimsic_export(&irq->imsic, i, arch_vcpu_file_page(vcpu), &nothing);
	}
	vm->irqchip = &imsic_irqchip_ops;
	/* Pages of files in hardware are mapped, so that accesses to them never come here. */
	return machine_add_device(vm, &vm->def.imsic, &imsic_mmio_ops, vm);
}

static void add_source(u64 *own, const struct vmdef_device *device)
{
	if (device->size)
		own[device->irq / 64] |= BIT(device->irq % 64);
}

/* Those with a device or a wire of the board behind them: the others are nothing to the guest. */
static void own_sources(const struct vmdef *def, u64 *own)
{
	add_source(own, &def->uart);
	add_source(own, &def->rtc);
	add_source(own, &def->console);
	for (u32 i = 0; i < VMDEF_VIRTIO; i++)
		add_source(own, &def->virtio[i]);
	for (u32 i = 0; i < VMDEF_NETS; i++)
		add_source(own, &def->net[i].device);
	for (u32 i = 0; i < def->irqs; i++)
		own[def->irq[i].guest / 64] |= BIT(def->irq[i].guest % 64);
}

static int aplic_init(struct vm *vm, struct machine_irq *irq)
{
	u64 own[VAPLIC_WORDS] = { 0 };
	struct vaplic_geometry geometry = {
		.vcpus = vm->def.vcpus,
		.sources = vm->def.sources,
		.direct = !vm->def.imsic.size,
		.eiids = vm->def.imsic.size ? arch_imsic_ids() : 0,
		.own = vm->def.management ? NULL : own,	/* see events_attach() */
	};

	own_sources(&vm->def, own);
	vaplic_init(&irq->aplic, &geometry, &aplic_hooks, &wire_ops, vm);
	vm->irqchip = &vaplic_irqchip_ops;
	return machine_add_device(vm, &vm->def.aplic, &vaplic_mmio_ops, &irq->aplic);
}

/* --- All together ---------------------------------------------------------------------------- */

/* The controller's struct comes first in each variant: irqchip_data fits all ops. */
_Static_assert(offsetof(struct machine_irq, plic) == 0, "irqchip_data");
_Static_assert(offsetof(struct machine_irq, aplic) == 0, "irqchip_data");

int machine_irq_init(struct vm *vm, struct machine_irq *irq)
{
	int err;

	irq->wires = 0;
	vm->irqchip_data = irq;
	if (vm->def.irqchip != VMDEF_IRQCHIP_APLIC)
		return plic_init(vm, irq);
	err = aplic_init(vm, irq);
	if (!err && vm->def.imsic.size)
		err = imsic_init(vm, irq);
	return err;
}

/* A wire of a PLIC's guest is one request; completed when the guest says so. */
static bool wire_interrupt(u32 source, void *ctx)
{
	struct vm *vm = ctx;
	struct machine_irq *irq = vm->irqchip_data;
	bool again = false;

	for (u32 i = 0; i < vm->def.irqs; i++) {
		struct irq_line line = machine_irq_line(vm, vm->def.irq[i].guest);

		if (vm->def.irq[i].host != source)
			continue;
		if (vm->def.irqchip == VMDEF_IRQCHIP_APLIC)
			again = vaplic_wire_interrupt(&irq->aplic, line.source);
		else
			irq_line_pulse(&line);
	}
	return again;
}

static int attach_wire(struct vm *vm, struct machine_irq *irq, const struct vmdef_irq *wire)
{
	struct host_irq_target target = {
		.hart_index = arch_vcpu_hart(vm->vcpu[0]),
		.trigger = (enum irq_trigger)wire->trigger,
		.handler = wire_interrupt,
		.ctx = vm,
	};
	int err = host_irq_attach(wire->host, &target);

	if (err) {
		refuse("%s refused: the board's interrupt %u %s", vm->def.name, wire->host,
		       err == -EBUSY ? "is in use" :
		       err == -EIO ? "cannot be sent to the hart of vCPU 0; give it another" :
				     "is absent");
		return err;
	}
	irq->wires++;
	if (vm->def.irqchip != VMDEF_IRQCHIP_APLIC)
		return 0;
	check_routed(vm, wire->host, host_irq_route(wire->host, &(struct host_irq_route){
						    .hart_index = target.hart_index }));
	return vaplic_attach(&irq->aplic, wire->guest);
}

int machine_irq_attach(struct vm *vm, struct machine_irq *irq)
{
	int err = 0;

	while (!err && irq->wires < vm->def.irqs)
		err = attach_wire(vm, irq, &vm->def.irq[irq->wires]);
	return err;
}

/* A PLIC's guest has its wires with vCPU 0, who may be asked to have any other vCPU look. */
void machine_irq_reroute(struct vm *vm, struct machine_irq *irq, u32 vcpu)
{
	u32 hart = arch_vcpu_hart(vm->vcpu[vcpu]);

	if (vm->def.irqchip == VMDEF_IRQCHIP_APLIC)
		vaplic_reroute(&irq->aplic, vcpu);
	else if (vcpu == 0)
		for (u32 i = 0; i < irq->wires; i++)
			check_routed(vm, vm->def.irq[i].host,
				     host_irq_move(vm->def.irq[i].host, hart));
}

void machine_irq_rerouted(struct vm *vm, const struct machine_irq *irq, u32 vcpu, u32 hart_index)
{
	if (vm->def.irqchip == VMDEF_IRQCHIP_APLIC || vcpu != 0)
		return;
	for (u32 i = 0; i < irq->wires; i++)
		host_irq_moved(vm->def.irq[i].host, hart_index);
}

void machine_irq_detach(struct vm *vm, struct machine_irq *irq)
{
	while (irq->wires) {
		const struct vmdef_irq *wire = &vm->def.irq[--irq->wires];

		if (vm->def.irqchip == VMDEF_IRQCHIP_APLIC)
			vaplic_detach(&irq->aplic, wire->guest);
		host_irq_detach(wire->host);
	}
}
