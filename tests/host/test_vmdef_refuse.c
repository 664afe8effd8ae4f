/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM definitions that are refused: every row changes the complete tree in one place and names the
 * node, property and reason that must follow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include <hv/errno.h>
#include <hv/vmdef.h>

#include "vmdef_tree.h"

#define LONG_31 "abcdefghijklmnopqrstuvwxyz01234"
#define X16 "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16
#define X2048 X256 X256 X256 X256 X256 X256 X256 X256

struct refusal {
	const char *name;
	struct edit edits[6];
	const char *node;
	const char *property;
	const char *reason;	/* part of it */
};

#define MEMORY "/memory@80000000"
#define NET "/passthrough/net@20000000"
#define GPIO "/passthrough/gpio@21000000"
#define CLOCK "/passthrough/clock"
#define PORT "/devices/net0"

static const struct refusal refusals[] = {
	/* root */
	{ "no compatible", { WITHOUT("/", "compatible") }, "/", "compatible", "missing" },
	{ "another compatible", { TEXT("/", "compatible", "shyper,vm-v2") }, "/", "compatible",
	  "must be" },
	{ "compatible with two strings", { TEXT("/", "compatible", "shyper,vm-v1\0x") }, "/",
	  "compatible", "NUL inside" },
	{ "other cells", { CELLS("/", "#address-cells", 1) }, "/", "#address-cells", "must be 2" },
	{ "other cells of devices", { CELLS("/devices", "#size-cells", 1) }, "/devices",
	  "#size-cells", "must be 2" },
	{ "unknown property", { CELLS("/", "colour", 1) }, "/", "colour", "unknown" },
	{ "unknown node", { NODE("/colours") }, "/colours", "", "unknown" },
	{ "unknown nested node", { NODE("/devices/gpu") }, "/devices/gpu", "", "unknown" },
	{ "node in a leaf", { NODE("/kernel/x") }, "/kernel/x", "", "unknown" },
	{ "node name that only begins like one", { NODE("/kernels") }, "/kernels", "", "unknown" },
	{ "control characters in a name", { CELLS("/", "a\nb", 1) }, "/", "a?b", "unknown" },
	/* network devices */
	{ "switch without a name", { TEXT(PORT, "switch", "") }, PORT, "switch", "empty" },
	{ "long switch name", { TEXT(PORT, "switch", LONG_31 "5") }, PORT, "switch", "at most 31" },
	{ "switch name with a control character", { TEXT(PORT, "switch", "lan\n") }, PORT,
	  "switch", "printable" },
	{ "switch name beyond ASCII", { TEXT(PORT, "switch", "\xff") }, PORT, "switch",
	  "printable" },
	{ "two switches", { TEXT(PORT, "switch", "lan\0dmz") }, PORT, "switch", "NUL inside" },
	{ "short address", { BYTES(PORT, "mac", "\x52\x54\x00\x12\x34") }, PORT, "mac", "is 5" },
	{ "group address", { BYTES(PORT, "mac", "\x01\x00\x5e\x00\x00\x01") }, PORT, "mac",
	  "no address" },
	{ "zero address", { BYTES(PORT, "mac", "\0\0\0\0\0\0") }, PORT, "mac", "no address" },
	{ "VLAN 0", { CELLS(PORT, "vlan", 0) }, PORT, "vlan", "possible are 1 to 4094" },
	{ "VLAN 4095", { CELLS(PORT, "vlan", 4095) }, PORT, "vlan", "possible are 1 to 4094" },
	{ "rate 0", { CELLS(PORT, "rate", 0) }, PORT, "rate", "possible are 1 to 100000000" },
	{ "too fast", { CELLS(PORT, "rate", 100000001) }, PORT, "rate", "possible are" },
	{ "MTU 67", { CELLS(PORT, "mtu", 67) }, PORT, "mtu", "possible are 68 to 65535" },
	{ "MTU 65536", { CELLS(PORT, "mtu", 65536) }, PORT, "mtu", "possible are" },
	{ "locked with a value", { CELLS(PORT, "locked", 1) }, PORT, "locked", "no value" },
	{ "monitor on a switch", { TEXT(PORT, "switch", "lan"), FLAG(PORT, "monitor") }, PORT,
	  "monitor", "excludes switch" },
	{ "fifth network device", { NODE("/devices/net4") }, "/devices/net4", "", "unknown" },
	{ "network device in another's place",
	  { CELLS(PORT, "reg", 0, 0x10000000, 0, 0x1000) }, PORT, "reg", "overlaps" },
	{ "network device that is too short",
	  { CELLS(PORT, "reg", 0, 0x30000000, 0, 0x100) }, PORT, "reg", "needed are 0x200" },
	/* vm-name */
	{ "no name", { WITHOUT("/", "vm-name") }, "/", "vm-name", "missing" },
	{ "empty name", { TEXT("/", "vm-name", "") }, "/", "vm-name", "empty" },
	{ "name without bytes", { FLAG("/", "vm-name") }, "/", "vm-name", "NUL at its end" },
	{ "name without NUL", { BYTES("/", "vm-name", "guest") }, "/", "vm-name",
	  "NUL at its end" },
	{ "long name", { TEXT("/", "vm-name", LONG_31 "5") }, "/", "vm-name", "at most 31" },
	{ "unprintable name", { TEXT("/", "vm-name", "a\033[2J") }, "/", "vm-name", "printable" },
	{ "name beyond ASCII", { TEXT("/", "vm-name", "\xc3\xbc") }, "/", "vm-name", "printable" },
	/* vcpus, harts */
	{ "no vCPU", { CELLS("/", "vcpus", 0) }, "/", "vcpus", "1 to 16" },
	{ "17 vCPUs", { CELLS("/", "vcpus", 17) }, "/", "vcpus", "1 to 16" },
	{ "vcpus of two cells", { CELLS("/", "vcpus", 0, 2) }, "/", "vcpus", "one cell" },
	{ "vcpus of three bytes", { BYTES("/", "vcpus", "\0\0\1") }, "/", "vcpus", "one cell" },
	{ "vcpus without value", { FLAG("/", "vcpus") }, "/", "vcpus", "one cell" },
	{ "a hart too few", { CELLS("/", "harts", 1) }, "/", "harts", "2 vCPUs" },
	{ "a hart too many", { CELLS("/", "harts", 1, 2, 3) }, "/", "harts", "2 vCPUs" },
	{ "harts without value", { FLAG("/", "harts") }, "/", "harts", "2 vCPUs" },
	{ "the same hart twice", { CELLS("/", "harts", 7, 7) }, "/", "harts", "hart 7 twice" },
	/* sched */
	{ "no policy", { WITHOUT("/sched", "policy") }, "/sched", "policy", "missing" },
	{ "unknown policy", { TEXT("/sched", "policy", "fair") }, "/sched", "policy", "must be" },
	{ "sharing MVM", { FLAG("/", "management") }, "/sched", "policy", "must be \"pinned\"" },
	{ "pinned with priority", { TEXT("/sched", "policy", "pinned") }, "/sched", "priority",
	  "\"priority\" only" },
	{ "pinned with budget", { TEXT("/sched", "policy", "pinned"),
	  WITHOUT("/sched", "priority") }, "/sched", "budget-us", "\"priority\" only" },
	{ "pinned with period", { TEXT("/sched", "policy", "pinned"),
	  WITHOUT("/sched", "priority"), WITHOUT("/sched", "budget-us") }, "/sched", "period-us",
	  "\"priority\" only" },
	{ "priority 32", { CELLS("/sched", "priority", 32) }, "/sched", "priority", "0 to 31" },
	{ "priority of two cells", { CELLS("/sched", "priority", 0, 1) }, "/sched", "priority",
	  "one cell" },
	{ "no budget", { CELLS("/sched", "budget-us", 0) }, "/sched", "budget-us", "100 to" },
	{ "small budget", { CELLS("/sched", "budget-us", 99) }, "/sched", "budget-us", "is 99" },
	{ "large budget", { CELLS("/sched", "budget-us", 10001) }, "/sched", "budget-us",
	  "is 10001, more than the period, 10000" },
	{ "short period", { CELLS("/sched", "period-us", 999) }, "/sched", "period-us", "is 999" },
	{ "long period", { CELLS("/sched", "period-us", 10000001) }, "/sched", "period-us",
	  "1000 to 10000000" },
	{ "budget without period", { WITHOUT("/sched", "period-us") }, "/sched", "period-us",
	  "come together" },
	{ "period without budget", { WITHOUT("/sched", "budget-us") }, "/sched", "budget-us",
	  "come together" },
	{ "strict without budget", { WITHOUT("/sched", "budget-us"),
	  WITHOUT("/sched", "period-us") }, "/sched", "strict", "beside budget-us" },
	{ "strict with a value", { CELLS("/sched", "strict", 1) }, "/sched", "strict", "" },
	{ "two of it", { TEXT("/sched@1", "policy", "pinned") }, "/sched", "", "twice" },
	/* bootargs, actions, flags */
	{ "long command line", { TEXT("/", "bootargs", X2048) }, "/", "bootargs", "at most 2047" },
	{ "command line without NUL", { BYTES("/", "bootargs", "a") }, "/", "bootargs", "NUL" },
	{ "command line with NUL inside", { TEXT("/", "bootargs", "a\0b") }, "/", "bootargs",
	  "NUL inside" },
	{ "autostart with value", { CELLS("/", "autostart", 1) }, "/", "autostart", "flag" },
	{ "unknown reboot action", { TEXT("/", "on-reboot", "panic") }, "/", "on-reboot",
	  "\"restart\" or \"stop\"" },
	{ "unknown crash action", { TEXT("/", "on-crash", "") }, "/", "on-crash", "\"restart\"" },
	{ "action as number", { CELLS("/", "on-crash", 1) }, "/", "on-crash", "NUL inside" },
	{ "max-restarts as text", { TEXT("/", "max-restarts", "many") }, "/", "max-restarts",
	  "one cell" },
	{ "unknown time", { TEXT("/", "time", "stops") }, "/", "time",
	  "\"runs\" or \"stops-while-paused\"" },
	{ "unknown leaf", { TEXT("/", "max-leaf", "4M") }, "/", "max-leaf", "\"2M\"" },
	/* memory */
	{ "memory without reg", { WITHOUT(MEMORY, "reg") }, MEMORY, "reg", "missing" },
	{ "memory of size 0", { CELLS(MEMORY, "reg", 0, 0x80000000, 0, 0) }, MEMORY, "reg",
	  "size 0" },
	{ "memory with short reg", { CELLS(MEMORY, "reg", 0x80000000, 0x1000) }, MEMORY, "reg",
	  "one <address size>" },
	{ "memory with two ranges", { CELLS(MEMORY, "reg", 0, 0, 0, 0x1000, 0, 0x1000, 0, 0x1000) },
	  MEMORY, "reg", "one <address size>" },
	{ "unaligned memory base", { CELLS(MEMORY, "reg", 0, 0x80000800, 0, 0x1000) }, MEMORY,
	  "reg", "4 KiB" },
	{ "unaligned memory size", { CELLS(MEMORY, "reg", 0, 0x80000000, 0, 0x1001) }, MEMORY,
	  "reg", "4 KiB" },
	{ "wrapping memory", { CELLS(MEMORY, "reg", 0xffffffff, 0xfffff000, 0, 0x2000) }, MEMORY,
	  "reg", "wraps" },
	{ "memory up to the last byte", { CELLS(MEMORY, "reg", 0xffffffff, 0xfffff000, 0, 0x1000) },
	  MEMORY, "reg", "56 address bits" },
	{ "excessive memory base", { CELLS(MEMORY, "reg", 0x1000000, 0, 0, 0x1000) }, MEMORY, "reg",
	  "56 address bits" },
	{ "excessive memory size", { CELLS(MEMORY, "reg", 0, 0x80000000, 0x1000000, 0) }, MEMORY,
	  "reg", "56 address bits" },
	{ "identity-map with value", { CELLS("/memory@90000000", "identity-map", 1) },
	  "/memory@90000000", "identity-map", "flag" },
	{ "overlapping memory", { CELLS("/memory@90000000", "reg", 0, 0x87fff000, 0, 0x2000) },
	  "/memory@90000000", "reg", "overlaps /memory@80000000" },
	{ "memory inside memory", { CELLS("/memory@90000000", "reg", 0, 0x80001000, 0, 0x1000) },
	  "/memory@90000000", "reg", "overlaps /memory@80000000" },
	{ "memory over the default UART",
	  { NO_NODE("/devices/uart"), CELLS("/memory@10000000", "reg", 0, 0x10000000, 0, 0x1000) },
	  "/devices/uart", "reg", "overlaps /memory@10000000" },
	/* kernel and initrd */
	{ "kernel with empty image", { TEXT("/kernel", "image", "") }, "/kernel", "image",
	  "empty" },
	{ "kernel image as number", { CELLS("/kernel", "image", 1) }, "/kernel", "image", "NUL" },
	{ "long image name", { TEXT("/kernel", "image", LONG_31 "5") }, "/kernel", "image",
	  "at most 31" },
	{ "kernel below memory", { CELLS("/kernel", "load", 0x7fffffff) }, "/kernel", "load",
	  "not in the VM's memory" },
	{ "kernel behind memory", { CELLS("/kernel", "load", 0x88000000) }, "/kernel", "load",
	  "not in the VM's memory" },
	{ "odd load without entry", { CELLS("/kernel", "load", 0x80200001),
	  WITHOUT("/kernel", "entry") }, "/kernel", "load", "odd" },
	{ "load of three cells", { CELLS("/kernel", "load", 0, 0, 1) }, "/kernel", "load",
	  "one or two cells" },
	{ "entry outside memory", { CELLS("/kernel", "entry", 0x1000) }, "/kernel", "entry",
	  "not in the VM's memory" },
	{ "odd entry", { CELLS("/kernel", "entry", 0x80200001) }, "/kernel", "entry", "odd" },
	{ "initrd without image", { WITHOUT("/initrd", "image") }, "/initrd", "image", "missing" },
	{ "unaligned initrd", { CELLS("/initrd", "load", 0x84000010) }, "/initrd", "load",
	  "4 KiB" },
	{ "initrd outside memory", { CELLS("/initrd", "load", 0x8000000) }, "/initrd", "load",
	  "not in the VM's memory" },
	{ "initrd on the kernel", { CELLS("/initrd", "load", 0x80200000) }, "/initrd", "load",
	  "kernel's" },
	{ "entry of an initrd", { CELLS("/initrd", "entry", 0x84000000) }, "/initrd", "entry",
	  "unknown" },
	/* devices */
	{ "unknown status", { TEXT("/devices/uart", "status", "ok") }, "/devices/uart", "status",
	  "\"disabled\"" },
	{ "PLIC too small for its contexts",
	  { CELLS("/devices/plic@c000000", "reg", 0, 0xc000000, 0, 0x203000) },
	  "/devices/plic@c000000", "reg", "needed are 0x204000" },
	{ "excessive device", { CELLS("/devices/plic@c000000", "reg", 0, 0xc000000, 0, 0x4001000) },
	  "/devices/plic@c000000", "reg", "at most" },
	{ "UART too small", { CELLS("/devices/uart", "reg", 0, 0x10000000, 0, 7) },
	  "/devices/uart", "reg", "needed are 0x8" },
	{ "RTC too small", { CELLS("/devices/rtc", "reg", 0, 0x101000, 0, 0x20) }, "/devices/rtc",
	  "reg", "needed are 0x24" },
	{ "test finisher too small", { CELLS("/devices/test", "reg", 0, 0x100000, 0, 2) },
	  "/devices/test", "reg", "needed are 0x4" },
	{ "unaligned device", { CELLS("/devices/uart", "reg", 0, 0x10000004, 0, 0x100) },
	  "/devices/uart", "reg", "multiple of 8" },
	{ "device of size 0", { CELLS("/devices/uart", "reg", 0, 0x10000000, 0, 0) },
	  "/devices/uart", "reg", "size 0" },
	{ "wrapping device", { CELLS("/devices/uart", "reg", 0xffffffff, 0xffffff00, 0, 0x1000) },
	  "/devices/uart", "reg", "wraps" },
	{ "overlapping devices", { CELLS("/devices/rtc", "reg", 0, 0x100800, 0, 0x1000) },
	  "/devices/rtc", "reg", "overlaps /devices/test" },
	{ "device in memory", { CELLS("/devices/uart", "reg", 0, 0x80001000, 0, 0x100) },
	  "/devices/uart", "reg", "overlaps /memory@80000000" },
	{ "device in a page of passthrough",
	  { CELLS("/devices/uart", "reg", 0, 0x21000f00, 0, 0x100) }, GPIO, "reg",
	  "overlaps /devices/uart" },
	{ "device on the last byte of memory",
	  { CELLS("/devices/uart", "reg", 0, 0x87fffff8, 0, 0x10) }, "/devices/uart", "reg",
	  "overlaps /memory@80000000" },
	{ "interrupt that does not exist", { CELLS("/devices/uart", "interrupt", 96) },
	  "/devices/uart", "interrupt", "1 to 95" },
	{ "interrupt used twice", { CELLS("/devices/uart", "interrupt", 11) }, "/devices/rtc",
	  "interrupt", "used twice" },
	{ "interrupt of two cells", { CELLS("/devices/uart", "interrupt", 10, 4) }, "/devices/uart",
	  "interrupt", "one cell" },
	{ "interrupt of a device without one", { CELLS("/devices/test", "interrupt", 3) },
	  "/devices/test", "interrupt", "unknown" },
	{ "interrupt without PLIC", { TEXT("/devices/plic@c000000", "status", "disabled") },
	  "/devices/uart", "interrupt", "no interrupt controller" },
	{ "two numbers of sources", { CELLS("/devices/aplic", "sources", 95) },
	  "/devices/plic@c000000", "sources", "is 96, and 95 of the other controller" },
	{ "small APLIC", { CELLS("/devices/aplic", "reg", 0, 0xd000000, 0, 0x4000) },
	  "/devices/aplic", "reg", "needed are 0x4040" },
	{ "small IMSIC", { NODE("/devices/aplic"),
			   CELLS("/devices/imsic", "reg", 0, 0x28000000, 0, 0x1000) },
	  "/devices/imsic", "reg", "needed are 0x2000" },
	{ "small IMSIC of wide stride", { NODE("/devices/aplic"),
					  CELLS("/devices/imsic", "guest-index-bits", 4),
					  CELLS("/devices/imsic", "reg", 0, 0x28000000, 0,
						0x10000) },
	  "/devices/imsic", "reg", "needed are 0x11000" },
	{ "too many guest files", { CELLS("/devices/imsic", "guest-index-bits", 7) },
	  "/devices/imsic", "guest-index-bits", "0 to 6" },
	{ "crooked IMSIC", { NODE("/devices/aplic"),
			     CELLS("/devices/imsic", "reg", 0, 0x28000000, 0, 0x4800) },
	  "/devices/imsic", "reg", "whole pages" },
	{ "IMSIC between pages", { NODE("/devices/aplic"),
				   CELLS("/devices/imsic", "reg", 0, 0x28000800, 0, 0x4000) },
	  "/devices/imsic", "reg", "not a multiple of 0x2000, which the pages of 2 vCPUs need" },
	{ "IMSIC across a power of two", { NODE("/devices/aplic"),
					   CELLS("/devices/imsic", "guest-index-bits", 2),
					   CELLS("/devices/imsic", "reg", 0, 0x28004000, 0,
						 0x10000) },
	  "/devices/imsic", "reg", "not a multiple of 0x8000, which the pages of 2 vCPUs need" },
	{ "overlapping IMSIC", { NODE("/devices/aplic"),
				 CELLS("/devices/imsic", "reg", 0, 0xd004000, 0, 0x4000) },
	  "/devices/imsic", "reg", "overlaps" },
	{ "too many sources", { CELLS("/devices/plic@c000000", "sources", 129) },
	  "/devices/plic@c000000", "sources", "2 to 128" },
	{ "too few sources", { CELLS("/devices/plic@c000000", "sources", 1) },
	  "/devices/plic@c000000", "sources", "2 to 128" },
	{ "sources below the UART's", { CELLS("/devices/plic@c000000", "sources", 10) },
	  "/devices/uart", "interrupt", "1 to 9" },
	/* passthrough */
	{ "empty passthrough", { NODE("/passthrough/x") }, "/passthrough/x", "reg", "neither" },
	{ "unaligned passthrough", { CELLS(GPIO, "reg", 0, 0x21000100, 0, 0x1000) }, GPIO, "reg",
	  "4 KiB" },
	{ "passthrough of half a page", { CELLS(GPIO, "reg", 0, 0x21000000, 0, 0x800) }, GPIO,
	  "reg", "4 KiB" },
	{ "malformed passthrough", { CELLS(GPIO, "reg", 0, 0x21000000, 0) }, GPIO, "reg",
	  "16-byte entries" },
	{ "passthrough without bytes", { FLAG(GPIO, "reg") }, GPIO, "reg", "16-byte entries" },
	{ "excessive passthrough", { CELLS(GPIO, "reg", 0x1000000, 0, 0, 0x1000) }, GPIO, "reg",
	  "56 address bits" },
	{ "host-reg of another count", { CELLS(NET, "host-reg", 0, 0x30000000, 0, 0x1000) }, NET,
	  "host-reg", "as many ranges" },
	{ "host-reg of another size",
	  { CELLS(NET, "host-reg", 0, 0x30000000, 0, 0x1000, 0, 0x30002000, 0, 0x1000) }, NET,
	  "host-reg", "range 1" },
	{ "unaligned host-reg",
	  { CELLS(NET, "host-reg", 0, 0x30000800, 0, 0x1000, 0, 0x30002000, 0, 0x2000) }, NET,
	  "host-reg", "4 KiB" },
	{ "host-reg without reg", { WITHOUT(GPIO, "reg"), CELLS(GPIO, "interrupts", 30),
				    CELLS(GPIO, "host-reg", 0, 0x30000000, 0, 0x1000) }, GPIO,
	  "host-reg", "as many ranges" },
	{ "passthrough over memory", { CELLS(GPIO, "reg", 0, 0x80000000, 0, 0x1000) }, GPIO, "reg",
	  "overlaps /memory@80000000" },
	{ "passthrough over a device", { CELLS(GPIO, "reg", 0, 0xc000000, 0, 0x1000) }, GPIO, "reg",
	  "overlaps /devices/plic@c000000" },
	{ "the same host page twice", { CELLS(GPIO, "host-reg", 0, 0x30000000, 0, 0x1000) }, NET,
	  "host-reg", "passed through twice" },
	{ "host page of identity memory", { CELLS(GPIO, "host-reg", 0, 0x90000000, 0, 0x1000) },
	  GPIO, "host-reg", "identity memory" },
	{ "host-node that is no path", { TEXT(CLOCK, "host-node", "serial0") }, CLOCK, "host-node",
	  "must be a path" },
	{ "host-node that is the root", { TEXT(CLOCK, "host-node", "/") }, CLOCK, "host-node",
	  "must be a path" },
	{ "empty host-node", { TEXT(CLOCK, "host-node", "") }, CLOCK, "host-node", "empty" },
	{ "long host-node", { TEXT(CLOCK, "host-node", "/" X16 X16 X16 X16 X16 X16 X16 X16) },
	  CLOCK, "host-node", "at most 127" },
	{ "unprintable host-node", { TEXT(CLOCK, "host-node", "/soc\x01") }, CLOCK, "host-node",
	  "printable" },
	{ "host-node twice", { TEXT("/passthrough/again", "host-node", "/soc/rtc@101000"),
			       FLAG("/passthrough/again", "no-dma") }, CLOCK,
	  "host-node", "given already, by again" },
	{ "host-node and reg", { CELLS(CLOCK, "reg", 0, 0x22000000, 0, 0x1000) }, CLOCK,
	  "host-node", "excludes reg" },
	{ "host-node and interrupts", { CELLS(CLOCK, "interrupts", 40) }, CLOCK, "host-node",
	  "excludes reg" },
	{ "no-dma with value", { CELLS(CLOCK, "no-dma", 1) }, CLOCK, "no-dma", "flag" },
	{ "no-dma without host-node", { FLAG(GPIO, "no-dma") }, GPIO, "no-dma", "host-node only" },
	{ "DMA without identity memory", { WITHOUT(CLOCK, "no-dma") }, CLOCK, "host-node",
	  "identity-map in all memory" },
	{ "unknown poweroff action", { TEXT("/", "on-poweroff", "restart") }, "/", "on-poweroff",
	  "\"stop\" or \"machine-off\"" },
	{ "guest interrupt used twice", { CELLS(NET, "interrupts", 20, 20) }, NET, "interrupts",
	  "source 20 is used twice" },
	{ "guest interrupt of the UART", { CELLS(NET, "interrupts", 20, 10) }, NET, "interrupts",
	  "source 10 is used twice" },
	{ "guest interrupt 0", { CELLS(NET, "interrupts", 20, 0) }, NET, "interrupts", "1 to 95" },
	{ "excessive guest interrupt", { CELLS(NET, "interrupts", 20, 0xffffffff) }, NET,
	  "interrupts", "1 to 95" },
	{ "malformed interrupts", { BYTES(NET, "interrupts", "12345") }, NET, "interrupts",
	  "4-byte entries" },
	{ "host-interrupts of another count", { CELLS(NET, "host-interrupts", 33) }, NET,
	  "host-interrupts", "as many cells" },
	{ "host interrupt twice", { CELLS(NET, "host-interrupts", 33, 33) }, NET,
	  "host-interrupts", "passed through twice" },
	{ "host interrupt 0", { CELLS(NET, "host-interrupts", 0, 33) }, NET, "host-interrupts",
	  "1 to 1023" },
	{ "excessive host interrupt", { CELLS(NET, "host-interrupts", 1024, 33) }, NET,
	  "host-interrupts", "1 to 1023" },
};

static void test_refusal(void **state)
{
	const struct refusal *row = *state;
	static struct vmdef def;
	struct vmdef_error error;

	assert_int_equal(parse_edited(complete, row->edits, &def, &error), -EINVAL);
	assert_string_equal(error.node, row->node);
	assert_string_equal(error.property, row->property);
	if (!strstr(error.reason, row->reason))
		fail_msg("reason is \"%s\", expected \"%s\"", error.reason, row->reason);
}

/* --- Refusals that libfdt's editor cannot make ----------------------------------------------- */

static void begin_minimal(void *fdt, size_t size)
{
	assert_int_equal(fdt_create(fdt, (int)size), 0);
	assert_int_equal(fdt_finish_reservemap(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	assert_int_equal(fdt_property_string(fdt, "compatible", "shyper,vm-v1"), 0);
	assert_int_equal(fdt_property_string(fdt, "vm-name", "guest"), 0);
}

static void add_node(void *fdt, const char *name, const char *image)
{
	assert_int_equal(fdt_begin_node(fdt, name), 0);
	if (image)
		assert_int_equal(fdt_property(fdt, "image", image, (int)strlen(image) + 1), 0);
	assert_int_equal(fdt_end_node(fdt), 0);
}

static void expect_refusal(void *fdt, const char *node, const char *property, const char *reason)
{
	static struct vmdef def;
	struct vmdef_error error;

	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	assert_int_equal(parse_exact(fdt, fdt_totalsize(fdt), &def, &error), -EINVAL);
	assert_string_equal(error.node, node);
	assert_string_equal(error.property, property);
	assert_non_null(strstr(error.reason, reason));
}

static void test_property_twice(void **state)
{
	u64 fdt[512];

	(void)state;
	begin_minimal(fdt, sizeof(fdt));
	assert_int_equal(fdt_property_string(fdt, "vm-name", "other"), 0);
	add_node(fdt, "kernel", "k");
	expect_refusal(fdt, "/", "vm-name", "twice");
}

static void test_node_twice(void **state)
{
	u64 fdt[512];

	(void)state;
	begin_minimal(fdt, sizeof(fdt));
	add_node(fdt, "kernel", "k");
	add_node(fdt, "kernel@1", "l");
	expect_refusal(fdt, "/kernel@1", "", "twice");
}

static void test_memory_node_twice(void **state)
{
	fdt64_t a[2] = { cpu_to_fdt64(0x80000000), cpu_to_fdt64(0x1000) };
	fdt64_t b[2] = { cpu_to_fdt64(0x90000000), cpu_to_fdt64(0x1000) };
	u64 fdt[512];

	(void)state;
	begin_minimal(fdt, sizeof(fdt));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fdt_begin_node(fdt, "memory@80000000"), 0);
		assert_int_equal(fdt_property(fdt, "reg", i ? b : a, sizeof(a)), 0);
		assert_int_equal(fdt_end_node(fdt), 0);
	}
	expect_refusal(fdt, "/memory@80000000", "", "twice");
}

/* One too many of everything that is counted. */
static void add_many(void *fdt, u32 count, const char *property, size_t size)
{
	u8 *data = calloc(1, size);

	for (u32 i = 0; i < count; i++) {
		char name[32];
		fdt64_t reg[2] = { cpu_to_fdt64(0x100000000 + i * 0x1000), cpu_to_fdt64(0x1000) };

		snprintf(name, sizeof(name), "%s@%x",
			 property ? "dev" : "memory", 0x1000 * i);
		assert_int_equal(fdt_begin_node(fdt, name), 0);
		if (property)
			assert_int_equal(fdt_property(fdt, property, data, (int)size), 0);
		else
			assert_int_equal(fdt_property(fdt, "reg", reg, sizeof(reg)), 0);
		assert_int_equal(fdt_end_node(fdt), 0);
	}
	free(data);
}

static void test_too_many_memories(void **state)
{
	u64 fdt[1024];

	(void)state;
	begin_minimal(fdt, sizeof(fdt));
	add_many(fdt, VMDEF_RAM + 1, NULL, 0);
	expect_refusal(fdt, "/memory@8000", "reg", "too many");
}

static void test_too_many_passthroughs(void **state)
{
	u64 fdt[1024];

	(void)state;
	begin_minimal(fdt, sizeof(fdt));
	assert_int_equal(fdt_begin_node(fdt, "passthrough"), 0);
	add_many(fdt, 1, "reg", 16 * (VMDEF_PASSTHROUGH + 1));
	assert_int_equal(fdt_end_node(fdt), 0);
	expect_refusal(fdt, "/passthrough/dev@0", "reg", "more than 32");
}

static void test_too_many_interrupts(void **state)
{
	u64 fdt[1024];

	(void)state;
	begin_minimal(fdt, sizeof(fdt));
	assert_int_equal(fdt_begin_node(fdt, "passthrough"), 0);
	add_many(fdt, 2, "interrupts", 4 * (VMDEF_IRQS / 2 + 1));
	assert_int_equal(fdt_end_node(fdt), 0);
	expect_refusal(fdt, "/passthrough/dev@1000", "interrupts", "more than 64");
}

static void test_too_many_host_nodes(void **state)
{
	u64 fdt[2048];

	(void)state;
	begin_minimal(fdt, sizeof(fdt));
	assert_int_equal(fdt_begin_node(fdt, "passthrough"), 0);
	for (u32 i = 0; i <= VMDEF_HOST_NODES; i++) {
		char path[16];

		snprintf(path, sizeof(path), "/soc/d@%u", i);
		assert_int_equal(fdt_begin_node(fdt, path + 5), 0);
		assert_int_equal(fdt_property(fdt, "host-node", path, (int)strlen(path) + 1),
				 0);
		assert_int_equal(fdt_end_node(fdt), 0);
	}
	assert_int_equal(fdt_end_node(fdt), 0);
	expect_refusal(fdt, "/passthrough/d@32", "host-node", "too many");
}

static void test_too_many_nodes(void **state)
{
	u64 fdt[2048];

	(void)state;
	begin_minimal(fdt, sizeof(fdt));
	assert_int_equal(fdt_begin_node(fdt, "passthrough"), 0);
	for (u32 i = 0; i < 65; i++) {
		fdt32_t irq = cpu_to_fdt32(i);
		char name[16];

		snprintf(name, sizeof(name), "d%u", i);
		assert_int_equal(fdt_begin_node(fdt, name), 0);
		assert_int_equal(fdt_property(fdt, "interrupts", &irq, 4), 0);
		assert_int_equal(fdt_end_node(fdt), 0);
	}
	assert_int_equal(fdt_end_node(fdt), 0);
	expect_refusal(fdt, "/passthrough/d64", "", "more than 64 nodes");
}

static void test_too_long_tree(void **state)
{
	size_t size = VMDEF_TREE_SIZE + 4096;
	void *fdt = malloc(size);

	(void)state;
	begin_minimal(fdt, size);
	add_many(fdt, 1, "reg", VMDEF_TREE_SIZE);
	expect_refusal(fdt, "/", "", "possible are 65536");
	free(fdt);
}

static void test_long_path_in_message(void **state)
{
	u64 fdt[512];

	(void)state;
	begin_minimal(fdt, sizeof(fdt));
	add_node(fdt, X16 X16 X16 X16 X16, NULL);
	expect_refusal(fdt, ".../" X16 X16 X16 "xxxxxxxxxxx", "", "unknown node");
}

static void test_no_tree(void **state)
{
	static struct vmdef def;
	struct vmdef_error error;
	u64 zeros[16] = { 0 };

	(void)state;
	for (size_t size = 0; size <= sizeof(zeros); size += 8)
		assert_int_equal(parse_exact(zeros, size, &def, &error), -EINVAL);
	assert_non_null(strstr(error.reason, "not a sound device tree"));
}

int main(void)
{
	static const struct CMUnitTest plain[] = {
		cmocka_unit_test(test_property_twice),
		cmocka_unit_test(test_node_twice),
		cmocka_unit_test(test_memory_node_twice),
		cmocka_unit_test(test_too_many_memories),
		cmocka_unit_test(test_too_many_passthroughs),
		cmocka_unit_test(test_too_many_interrupts),
		cmocka_unit_test(test_too_many_host_nodes),
		cmocka_unit_test(test_too_many_nodes),
		cmocka_unit_test(test_too_long_tree),
		cmocka_unit_test(test_long_path_in_message),
		cmocka_unit_test(test_no_tree),
	};
	static struct CMUnitTest tests[ARRAY_SIZE(plain) + ARRAY_SIZE(refusals)];

	memcpy(tests, plain, sizeof(plain));
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		tests[ARRAY_SIZE(plain) + i] = (struct CMUnitTest){
			.name = refusals[i].name,
			.test_func = test_refusal,
			.initial_state = (void *)(uintptr_t)&refusals[i],
		};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
