/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to vmdef*.c: the state of one parse, and how a refusal is made.
 */
#ifndef VMDEF_PARSE_H
#define VMDEF_PARSE_H

#include <hv/vmdef.h>

#define VMDEF_CHILDREN 64			/* nodes in one node */

/* The devices. A VM has them unless its definition disables them, or if it names them. */
enum {
	VMDEF_PLIC,
	VMDEF_APLIC,
	VMDEF_IMSIC,
	VMDEF_UART,
	VMDEF_FINISHER,
	VMDEF_RTC,
	VMDEF_CONSOLE,
	VMDEF_VIRTIO0,	/* the first of VMDEF_VIRTIO */
	VMDEF_NET0 = VMDEF_VIRTIO0 + VMDEF_VIRTIO,	/* the first of VMDEF_NETS */
	VMDEF_DEVICES = VMDEF_NET0 + VMDEF_NETS,
};

extern const struct vmdef_standard {
	const char *path;
	struct vmdef_device standard;	/* QEMU's virt machine */
	u64 min_size;			/* bytes that the device's registers take */
	bool has_irq;
	bool optional;			/* there only if the tree has its node */
} vmdef_devices[VMDEF_DEVICES];

/* The device of this index in a definition. */
struct vmdef_device *vmdef_device_get(struct vmdef *def, u32 index);

/* A range of the guest's physical address space that something occupies. */
struct vmdef_region {
	u64 base;
	u64 size;
	int node;		/* that it came from; 0: a default */
	const char *path;	/* of a default */
};
#define VMDEF_REGIONS (VMDEF_RAM + VMDEF_DEVICES + VMDEF_PASSTHROUGH)

struct schedule;

struct vmdef_parse {
	struct vmdef *def;			/* of a VM's */
	struct schedule *schedule;		/* of a schedule's */
	const void *fdt;
	struct vmdef_error *error;
	u32 disabled;				/* bit per device: status = "disabled" */
	u32 irq_given;				/* bit per device: it has an interrupt property */
	bool sources_given;
	int device_node[VMDEF_DEVICES];		/* 0: not in the tree */
	int ram_node[VMDEF_RAM];
	int passthrough_node[VMDEF_PASSTHROUGH];
	int irq_node[VMDEF_IRQS];
	int host_node_node[VMDEF_HOST_NODES];
	u32 first_passthrough;			/* of the passthrough node being read */
	u32 first_irq;
	u32 first_host_node;
	u32 irq_used[VMDEF_SOURCES / 32];	/* bit per source of the VM's chip */
	u32 regions;
	struct vmdef_region region[VMDEF_REGIONS];
};

/* The value of a property; data points into the tree. */
struct vmdef_value {
	int node;
	u32 device;	/* index, when the node is a device's */
	const char *name;
	const u8 *data;
	u32 size;
};

/* The shape of the tree: what may be in it, and who reads it. */
struct vmdef_property {
	const char *name;
	bool required;
	int (*read)(struct vmdef_parse *p, const struct vmdef_value *v);
};

struct vmdef_kind {
	const char *name;	/* of the node, without unit address; NULL: any */
	bool many;		/* may occur more than once, then its unit address tells which */
	u32 device;		/* index into vmdef_devices[], of a device */
	const struct vmdef_property *properties;	/* up to a NULL name */
	const struct vmdef_kind *children;		/* up to a NULL properties */
	/* It begins; may be NULL. */
	int (*enter)(struct vmdef_parse *p, int node);
	/* The properties have been read; what must they be together? May be NULL. */
	int (*check)(struct vmdef_parse *p, int node, const struct vmdef_kind *kind);
};

extern const struct vmdef_kind vmdef_device_kinds[];	/* vmdef_devices.c */

/* vmdef_refuse_in() - fill in the error; always -EINVAL. */
int vmdef_refuse_in(struct vmdef_error *error, const char *path, const char *property,
		    const char *fmt, ...) __printf(4, 5);

#define vmdef_refuse_path(p, ...) vmdef_refuse_in((p)->error, __VA_ARGS__)

/* vmdef_refuse_node() - the same for a node of the tree. */
int vmdef_refuse_node(const struct vmdef_parse *p, int node, const char *property,
		      const char *fmt, ...) __printf(4, 5);

#define vmdef_refuse(p, v, ...) vmdef_refuse_node(p, (v)->node, (v)->name, __VA_ARGS__)

/* vmdef_node_path() - path of a node, printable, cut when it is too long. */
void vmdef_node_path(const struct vmdef_parse *p, int node, char *buf, size_t size);

/*
 * Readers: 0 and the value, or the refusal. vmdef_string_of() returns NULL with the refusal made.
 * words of vmdef_read_word() ends with NULL, choices is the same for the message.
 */
u32 vmdef_cell(const u8 *data);
u64 vmdef_cells2(const u8 *data);
int vmdef_read_u32(struct vmdef_parse *p, const struct vmdef_value *v, u32 *out);
int vmdef_read_address(struct vmdef_parse *p, const struct vmdef_value *v, u64 *out);
int vmdef_read_flag(struct vmdef_parse *p, const struct vmdef_value *v, bool *out);
const char *vmdef_string_of(struct vmdef_parse *p, const struct vmdef_value *v);
int vmdef_read_string(struct vmdef_parse *p, const struct vmdef_value *v, char *out, size_t size);
int vmdef_read_name(struct vmdef_parse *p, const struct vmdef_value *v, char *out, size_t size);
int vmdef_read_word(struct vmdef_parse *p, const struct vmdef_value *v, const char *const *words,
		    const char *choices, u32 *out);
int vmdef_read_range(struct vmdef_parse *p, const struct vmdef_value *v, const u8 *data, u64 *base,
		     u64 *size);
int vmdef_read_one_range(struct vmdef_parse *p, const struct vmdef_value *v, u64 *base, u64 *size);
int vmdef_check_pages(struct vmdef_parse *p, const struct vmdef_value *v, u64 base, u64 size);

/* vmdef_walk() - read a whole tree of at most size bytes into p. */
int vmdef_walk(struct vmdef_parse *p, size_t size, const struct vmdef_kind *root);

/* vmdef_check() - relations between all that was read; fills in what was left to defaults. */
int vmdef_check(struct vmdef_parse *p);

#endif
