/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /dev/shyper (abi/shyper.h) as a struct of functions, so that tests can put another in its place:
 * exactly one object file of a program defines `device`. All return -errno when they fail.
 */
#ifndef CLI_DEVICE_H
#define CLI_DEVICE_H

#include <abi/shyper.h>
#include <stddef.h>
#include <stdint.h>

enum device_command {
	DEVICE_STOP,
	DEVICE_PAUSE,
	DEVICE_RESUME,
	DEVICE_DESTROY,
};

struct device {
	short poll_events;	/* for poll() on a VM's descriptor: its state has changed */
	int (*open)(void);	/* → descriptor */
	int (*system_info)(int fd, struct shyper_system_info *info);
	int (*log_read)(int fd, struct shyper_log *log);
	/* a network card of any VM; ENOENT: there is none */
	int (*net_info)(int fd, struct shyper_net_card *card);
	int (*net_set)(int fd, const struct shyper_net_set *set);
	/* a hart and who is on it; ENOENT: there are not so many */
	int (*sched_info)(int fd, struct shyper_sched_hart *hart);
	int (*sched_set)(int fd, const struct shyper_sched_set *set);
	/* the schedule; ENOENT: there is none. schedule_read: → bytes of its tree */
	int (*schedule_info)(int fd, struct shyper_schedule_info *info);
	int (*schedule_set)(int fd, const void *tree, size_t size);
	int (*schedule_switch)(int fd, uint32_t table);
	int (*schedule_shift)(int fd, int64_t us);
	int (*schedule_read)(int fd, void *tree, size_t size);
	/* → the descriptor of a trace, which ends when it is closed */
	int (*trace_open)(int fd, const struct shyper_trace_open *open);
	int (*trace_read)(int trace, struct shyper_trace_read *read);
	/* → the VM's descriptor; ENOENT: no such VM */
	int (*create)(int fd, const void *tree, size_t size, uint32_t *id);
	int (*open_vm)(int fd, uint32_t id);
	/* of either descriptor: the words for the last refusal into buf, with a NUL; bytes */
	int (*reason)(int fd, char *buf, size_t size);

	/* on a VM's descriptor */
	int (*info)(int vm, struct shyper_vm_info *info);
	int (*boot)(int vm, const struct shyper_boot *boot);
	int (*command)(int vm, enum device_command command);
	int (*pin)(int vm, const struct shyper_vm_pin *pin);
	/* ENOENT behind the last block */
	int (*memory)(int vm, struct shyper_vm_memory *memory);
	/* ENOENT: no disk to take away; ENOTTY: the module knows no disks */
	int (*set_disk)(int vm, const struct shyper_disk *disk);
	/* size bytes of the guest's RAM at a page's offset, until munmap(); NULL and errno */
	void *(*map)(int vm, uint64_t offset, size_t size);

	/* the terminal or port of a VM's console → descriptor; ENOENT, ENODEV: it has none here */
	int (*console)(uint32_t id);
	/* the port of a VM's guest agent → descriptor; ENOENT as above, EBUSY: another has it */
	int (*agent)(uint32_t id);
};

extern const struct device device;

#endif
