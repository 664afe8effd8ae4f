/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's interrupt controller and what is wired to it (drivers/guest/machine_irq.c): a PLIC, or an
 * APLIC with the guest's IMSICs or without, as vmdef_choose_irqchip() has settled.
 */
#ifndef HV_MACHINE_IRQ_H
#define HV_MACHINE_IRQ_H

#include <hv/irqchip.h>
#include <hv/vaplic.h>
#include <hv/vimsic.h>
#include <hv/vplic.h>

struct vm;

/* Private to machine_irq.c. */
struct machine_irq {
	union {
		struct vplic plic;
		struct {
			struct vaplic aplic;
			struct vimsic imsic;
		};
	};
	u32 wires;	/* of the board, attached */
};

/*
 * machine_irq_init() - make the controller; sets vm->irqchip and vm->irqchip_data, and puts
 * registers on the bus. The VM's vCPUs have their hardware interrupt files by now. 0 or -errno,
 * refused. By the VM's maker.
 */
int __must_check machine_irq_init(struct vm *vm, struct machine_irq *irq);

/* machine_irq_line() - the wire into this source of the VM; source 0: not connected. */
struct irq_line machine_irq_line(const struct vm *vm, u32 source);

/* machine_irq_edge() - the same of a virtio device, which the guest's tree may call an edge. */
struct irq_line machine_irq_edge(const struct vm *vm, u32 source);

/*
 * machine_irq_attach() - connect the definition's interrupts of the board. 0 or -errno, refused;
 * what was attached stays so until machine_irq_detach(), which may be called more than once.
 */
int __must_check machine_irq_attach(struct vm *vm, struct machine_irq *irq);
void machine_irq_detach(struct vm *vm, struct machine_irq *irq);

/* See machine_vcpu_reroute(). */
void machine_irq_reroute(struct vm *vm, struct machine_irq *irq, u32 vcpu);
void machine_irq_rerouted(struct vm *vm, const struct machine_irq *irq, u32 vcpu, u32 hart_index);

/* machine_add_device() - put a device of the definition on the bus. 0 or -errno, refused. */
struct vmdef_device;
int __must_check machine_add_device(struct vm *vm, const struct vmdef_device *def,
				    const struct mmio_ops *ops, void *dev);

/* machine_add_virtio() - the same for a virtio device, whose page the guest reads by itself. */
struct virtio_dev;
int __must_check machine_add_virtio(struct vm *vm, const struct vmdef_device *def,
				    struct virtio_dev *dev);

/*
 * machine_show_page() - let the guest read the page at this offset of a device by itself, until
 * machine_stop(), so that only its writes exit. Where that cannot be, all of its accesses do.
 * 0 or -errno, refused.
 */
int __must_check machine_show_page(struct vm *vm, const struct vmdef_device *def, u64 offset,
				   const void *page);

#endif
