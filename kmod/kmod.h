/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of shyper_riscv64.ko offer each other. The module marshals: it knows which VMs
 * exist, shows their memory and passes calls on; what to do with VMs is user space's business.
 *
 * Locks: shyper_lock is taken by every entry from user space around its work on VMs, and never
 * while user memory is copied, since a VM's memory is user memory too.
 */
#ifndef SHYPER_KMOD_H
#define SHYPER_KMOD_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <abi/shyper.h>

struct page;
struct platform_device;
struct seq_file;
struct shyper_section;
struct vm_area_struct;

/* Serializes calls to Shyper and guards the table of VMs. */
extern struct mutex shyper_lock;

/* Why the last call on a descriptor was refused, in words; under shyper_lock. */
struct shyper_refusal {
	u32 size;		/* bytes, no NUL */
	char text[256];
};

/* A VM that exists in Shyper, or existed and still has descriptors. */
struct shyper_vm {
	/* Fixed. */
	u32 id;
	char name[SHYPER_NAME];
	struct kref ref;	/* by the table while it exists, and by descriptors */

	/* Its memory, of memory.c; fixed while mappings are possible. */
	struct shyper_memory *piece;	/* by guest address; neighbours in both worlds are one */
	u32 pieces;		/* 0: not for us to see */
	u64 base;		/* guest address at offset 0 */
	u64 size;		/* bytes from there to the end of the last piece */
	struct shyper_section **section;	/* give the pieces struct pages */
	u32 sections;		/* 0: it has none */
	atomic_t maps;		/* memory areas that map it; below 0: none may begin */

	struct mutex disk_lock;	/* inside shyper_lock: no disk begins to be served meanwhile */

	/* Changed under shyper_lock, read anywhere. */
	bool gone;		/* destroyed: the id may be another's */

	/* Lock-free. */
	atomic_t served;	/* disks with a queue in use, back-ends: may use the memory */
	atomic_t changes;	/* of its state, counted */
	wait_queue_head_t wait;	/* for changes and gone */
};

/* --- hypercall.c: calls to Shyper; with shyper_lock, but for init and exit. 0 or -errno. ---- */

/* hc_init() - find Shyper. -ENODEV, and a line that says why: not there, or not for this VM. */
int hc_init(void);
void hc_exit(void);

/* hc_refused() - keep Shyper's words about its last refusal. */
void hc_refused(struct shyper_refusal *refusal);

/* hc_create() - returns the id of the VM. The tree is kmalloc memory. */
int hc_create(const void *tree, u32 size, phys_addr_t floor);

/* hc_vm() - a call that has a VM's id as its only argument. */
int hc_vm(unsigned long function, u32 id);

int hc_boot(u32 id, const struct shyper_boot *boot);
int hc_system_info(struct shyper_system_info *info);
int hc_vm_info(u32 id, struct shyper_vm_info *info);
int hc_net_info(u32 id, u32 card, struct shyper_net_info *info);
int hc_net_set(u32 id, u32 card, u32 what, u32 value);
int hc_sched_info(u32 number, struct shyper_sched_info *info);
int hc_sched_set(const struct shyper_sched_set *set);
int hc_schedule_info(struct shyper_schedule_info *info);
int hc_schedule_switch(unsigned long table);
int hc_schedule_shift(s64 us);

/* hc_schedule_set(), _read() - the tree is kmalloc memory; _read() returns the bytes of it. */
int hc_schedule_set(const void *tree, u32 size);
int hc_schedule_read(void *tree, u32 size);

int hc_trace_start(u32 events, u32 slots);
void hc_trace_stop(void);
int hc_trace_read(struct shyper_trace_read *out);
int hc_vm_pin(u32 id, u32 vcpu, u64 hart);
int hc_memory(u32 id, u32 index, struct shyper_memory *memory);
int hc_events(phys_addr_t page, u32 source);
int hc_log_read(struct shyper_log *log);
int hc_device_setup(u32 id, u32 number, const struct shyper_device_setup *setup);

/* The following need no lock; what they write to is kmalloc memory. */
int hc_vm_info_to(u32 id, struct shyper_vm_info *info);
int hc_device_info(u32 id, u32 number, struct shyper_device_info *info);
void hc_device_reset_done(u32 id, u32 number);
void hc_device_abandon(u32 id, u32 number);

/* hc_device_interrupt() - buffers were used. Any context. */
void hc_device_interrupt(u32 id, u32 number);

/* hc_show() - how often each was called since the module was loaded, for people. */
void hc_show(struct seq_file *out);

/* --- events.c ------------------------------------------------------------------------------- */

/* shyper_events_start() - listen, with the interrupt that the device names. */
int shyper_events_start(struct platform_device *pdev);
void shyper_events_stop(void);

/*
 * shyper_events_doorbells_heard(), _device_heard() - who is about to look at a VM's device says so
 * first. Until then Shyper keeps the event to itself when it comes again: that bounds how often a
 * guest can interrupt the MVM. The former returns which queues were notified, as bits.
 */
#define SHYPER_DOORBELLS(device) \
	(GENMASK(SHYPER_DEVICE_QUEUES - 1, 0) << SHYPER_DOORBELL(device, 0))
unsigned long shyper_events_doorbells_heard(u32 id, u32 device);
void shyper_events_device_heard(u32 id, u32 device);

/* --- server.c: who serves which device of a VM ------------------------------------------------ */

/* Embedded in what serves a device. */
struct shyper_server {
	const struct shyper_server_ops *ops;
};

/* Called with a spinlock, interrupts off. */
struct shyper_server_ops {
	const char *what;	/* device 3 is …, for refusals */
	/* Queues were notified, since the last doorbells_heard() at least once. */
	void (*rung)(struct shyper_server *server);
	/* The driver has changed something else, or the VM's state has changed. */
	void (*changed)(struct shyper_server *server);
};

/* With shyper_lock. On return from _remove() no op is called any more. */
void shyper_server_add(u32 id, u32 number, struct shyper_server *server);
void shyper_server_remove(u32 id, u32 number);

/* shyper_server_of() - NULL: nobody. With shyper_lock. */
struct shyper_server *shyper_server_of(u32 id, u32 number);

/*
 * shyper_servers_tell() - these bits of a word of the event page are set. Returns those that are
 * nobody's. shyper_servers_changed() - the VM's state has changed. Any context.
 */
unsigned long shyper_servers_tell(u32 id, unsigned long bits, bool doorbells);
void shyper_servers_changed(u32 id);

/* --- memory.c: pages of VMs' memory --------------------------------------------------------- */

/*
 * shyper_memory_open() - ask Shyper for a VM's memory and give it struct pages. With shyper_lock.
 * -ENOENT: Shyper keeps it to itself; others: the kernel cannot take it, and said so.
 */
int shyper_memory_open(struct shyper_vm *vm);

/*
 * shyper_memory_close() - take the struct pages away, once nobody has any; waits for that. No
 * mapping may exist or begin.
 */
void shyper_memory_close(struct shyper_vm *vm);

/* shyper_memory_floor() - the lowest address of memory that this kernel can take. */
phys_addr_t shyper_memory_floor(void);

/* shyper_memory_used() - pages that somebody holds, by mappings or for I/O under way. */
unsigned long shyper_memory_used(const struct shyper_vm *vm);

/*
 * shyper_memory_freeze() - no mapping may begin from now on. -EBUSY: there are some, or pages are
 * held; then nothing has changed. shyper_memory_thaw() undoes it.
 */
int shyper_memory_freeze(struct shyper_vm *vm);
void shyper_memory_thaw(struct shyper_vm *vm);

/* shyper_memory_page() - the page at this offset, in pages, of the VM's file; NULL: a hole. */
struct page *shyper_memory_page(const struct shyper_vm *vm, unsigned long offset);

/* shyper_memory_map() - mmap of a VM's descriptor, whose private data are the VM's for as long. */
int shyper_memory_map(struct shyper_vm *vm, struct vm_area_struct *area);

/* --- vm.c: the VMs; with shyper_lock, but for the last two ----------------------------------- */

/* shyper_vms_find() - take over the VMs that exist. shyper_vms_forget() - let go; they go on. */
int shyper_vms_find(void);
void shyper_vms_forget(void);

/* shyper_vm_create() - returns the VM, or an error with its words in *refusal. */
struct shyper_vm *shyper_vm_create(const void *tree, u32 size, struct shyper_refusal *refusal);

/* shyper_vm_destroy() - the object remains until its last reference goes. */
int shyper_vm_destroy(struct shyper_vm *vm, struct shyper_refusal *refusal);

/* shyper_vm_runs() - 1: it does, or is about to end; 0; or an error. */
int shyper_vm_runs(struct shyper_vm *vm);

/* shyper_vm_get() - a reference to VM id; NULL: there is none. shyper_vm_put() needs no lock. */
struct shyper_vm *shyper_vm_get(unsigned long id);
void shyper_vm_put(struct shyper_vm *vm);

/* shyper_vm_changed() - Shyper reports that VM id has news. Any context. */
void shyper_vm_changed(unsigned int id);

/* shyper_vm_let_go() - one fewer that is counted in vm->served. */
void shyper_vm_let_go(struct shyper_vm *vm);

/* --- blk.c: disks of VMs, served in the guests' memory --------------------------------------- */

int shyper_disks_init(void);
void shyper_disks_exit(void);

/* shyper_disk_set() - SHYPER_VM_SET_DISK of a VM that does not run. With shyper_lock. */
int shyper_disk_set(struct shyper_vm *vm, const struct shyper_disk *values,
		    struct shyper_refusal *refusal);

/* shyper_disks_forget() - of a VM that is gone. None is served. With shyper_lock. */
void shyper_disks_forget(struct shyper_vm *vm);

/* shyper_disks_show() - lines of a table for people. With shyper_lock. */
void shyper_disks_show(struct seq_file *out, struct shyper_vm *vm);

/* --- backend.c: devices that user space serves; with shyper_lock, but for init and exit ------ */

/* Who has set devices up: a descriptor of their VM. */
struct shyper_owner {
	unsigned long news;	/* atomic bits: its devices that have changed since it asked */
};

int shyper_backends_init(void);
void shyper_backends_exit(void);

/* SHYPER_VM_DEVICE_SETUP, of a VM that does not run, and the other calls of that kind. */
int shyper_backend_setup(struct shyper_vm *vm, struct shyper_owner *owner,
			 const struct shyper_vm_device_setup *values,
			 struct shyper_refusal *refusal);
int shyper_backend_info(struct shyper_vm *vm, struct shyper_owner *owner, u32 number,
			struct shyper_device_info *info, struct shyper_refusal *refusal);
int shyper_backend_reset_done(struct shyper_vm *vm, struct shyper_owner *owner, u32 number,
			      struct shyper_refusal *refusal);
int shyper_backend_ioeventfd(struct shyper_vm *vm, struct shyper_owner *owner,
			     const struct shyper_ioeventfd *values,
			     struct shyper_refusal *refusal);
int shyper_backend_irqfd(struct shyper_vm *vm, struct shyper_owner *owner,
			 const struct shyper_irqfd *values, struct shyper_refusal *refusal);

/* shyper_backends_lend() - the VM runs: it has not ended before its back-ends have let go. */
void shyper_backends_lend(struct shyper_vm *vm);

/* shyper_backends_forget() - all of a VM's, or those of one owner. */
void shyper_backends_forget(struct shyper_vm *vm, const struct shyper_owner *owner);

/* shyper_backends_show() - lines of a table for people. */
void shyper_backends_show(struct seq_file *out, struct shyper_vm *vm);

/* --- call.c: calls on descriptors ------------------------------------------------------------- */

/*
 * A call. enter() takes shyper_lock and empties the descriptor's refusal, or fails; run() works
 * under it. values: those of the command's type, copied in and out as the command's number says
 * (_IOC_SIZE, _IOC_DIR), or the unsigned long that stands in place of their address.
 */
struct shyper_call {
	unsigned int command;
	int (*enter)(void *file);
	int (*run)(void *file, void *values);
};

/* shyper_call() - make the one of these calls that command names; -ENOTTY: none. Without locks. */
long shyper_call(const struct shyper_call *calls, size_t count, void *file, unsigned int command,
		 unsigned long argument);

/* --- vm_file.c, device.c, schedule.c, trace.c, state.c: what user space sees ------------------ */

/* shyper_vm_file() - a new open file for a VM, which takes over the caller's reference. */
struct file *shyper_vm_file(struct shyper_vm *vm);

/* shyper_refuse() - note words of our own; returns err. With shyper_lock. */
int __printf(3, 4) shyper_refuse(struct shyper_refusal *refusal, int err, const char *fmt, ...);

/* shyper_reason() - SHYPER_REASON on any descriptor. Without shyper_lock. */
int shyper_reason(const struct shyper_refusal *refusal, void __user *user);

/* Of a descriptor that is a refusal and no more: enter(), and err with Shyper's words for it. */
int shyper_enter(void *refusal);
int shyper_told(struct shyper_refusal *refusal, int err);

/* SHYPER_SCHEDULE_SET, _READ: their trees are user memory. Without locks. */
int shyper_schedule_set(struct shyper_refusal *refusal, const void __user *user);
int shyper_schedule_read(struct shyper_refusal *refusal, void __user *user);

/* shyper_trace_open() - run() of SHYPER_TRACE_OPEN. */
int shyper_trace_open(void *refusal, void *values);

int shyper_device_init(void);
void shyper_device_exit(void);

void shyper_state_init(void);
void shyper_state_exit(void);

#endif
