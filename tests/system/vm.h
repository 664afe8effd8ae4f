/* SPDX-License-Identifier: BSD-2-Clause */
/* What test programs that make VMs by /dev/shyper share. They end at the first defect. */
#ifndef TEST_VM_H
#define TEST_VM_H

#include <stddef.h>
#include <sys/types.h>

#include <abi/shyper.h>

#define RAM 0x80000000ul
#define KERNEL 0x00200000ul	/* offsets */
#define INITRD 0x08000000ul
#define FDT 0x0f000000ul

extern int device;	/* /dev/shyper */
extern int failures;

void open_device(void);

/* die() - say what failed, and why; fd is the descriptor that refused, or -1. */
void die(int fd, const char *what) __attribute__((noreturn));

/* refused() - a call was to fail with this errno; else it counts as a failure. */
void refused(long result, int why, const char *what);

/* contents() - a file, mapped, private. */
void *contents(const char *path, size_t *size);

/*
 * create() - a VM from a compiled definition tree whose name is "disk-vm", and its descriptor.
 * create_as() - names are unique: the last letter of this one's is given.
 */
int create(const char *path);
int create_as(const char *path, char letter);

/* load() - copy a file into the VM's memory; returns its size. */
size_t load(int vm, const char *path, off_t offset);

/* boot() - what was loaded to KERNEL. */
void boot(int vm, size_t initrd_size);

/* await_end() - sleep until the VM has ended. destroy() - and it is gone. */
struct shyper_vm_info await_end(int vm);
void destroy(int vm);

#endif
