/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's console: Shyper's own lines and the consoles of all VMs on one terminal. With one VM
 * its bytes pass as they are; with several, each line carries its VM's name, and input goes to
 * the VM that has the focus. ^T begins a command (^T ? lists them).
 */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <hv/types.h>

struct board;
struct vm;

/* What carries bytes to and from the terminal. */
struct console_port {
	size_t (*put)(const char *text, size_t size);	/* how many it took; never waits */
	int (*get)(void);				/* next byte, or -1. Own hart's interrupt */
	void (*reset)(void);				/* as it was at boot, silent; may be NULL */
	u32 step;					/* bytes at a time: put() is short */
};

/* console_early_init() - the firmware's console, output only, until console_init(). */
void console_early_init(void);

/*
 * console_init() - use the board's own UART where it has one; console_input_init() - take its
 * interrupt. Boot hart; the second after host_irq_init().
 */
void console_init(const struct board *board);
void console_input_init(const struct board *board);

/*
 * console_run() - guests run on this hart, the boot hart, from now on: whoever prints does not wait
 * for the terminal any more. Its queue is served by console_serve(), an errand of hart 0; that
 * comes soon after console_call(), which anybody may call who holds no lock of the console's.
 */
void console_run(void);
void console_serve(void);
void console_call(void);

/* console_flush() - the machine ends: wait until the terminal has all, or takes nothing more. */
void console_flush(void);

/*
 * console_hv_write() - print text; "\n" goes out as "\r\n". Called by the log under its lock, in
 * panic mode without; must not log. Never fails; what finds no room in the queue is counted, and
 * the terminal told. Waits for the terminal at boot and in a panic only. console_hv_line() - the
 * same for one line without its end.
 */
void console_hv_write(const char *text, size_t len);
void console_hv_line(const char *text, size_t len);

/*
 * console_vm_write() - what VM id's guest prints. Any hart; takes the console's lock. Returns how
 * much of it was taken: some of a line or its end, so that an exit stays short, and less when the
 * terminal is behind; the guest has to come again. console_vm_ready() - it would take some, if
 * nobody else comes first.
 */
size_t console_vm_write(u32 id, const char *text, size_t size);
bool console_vm_ready(void);

/* console_vm_gone() - VM id is over: its unfinished line is shown and forgotten. Any hart. */
void console_vm_gone(u32 id);

/* console_vm_read() - received bytes for an SBI call of this VM's vCPU; returns how many. */
size_t console_vm_read(struct vm *vm, char *buf, size_t size);

/*
 * console_lend() - the VM gets the UART: Shyper takes no more input, and writes nothing while the
 * VM runs but what that VM itself prints by SBI calls; the log keeps its lines. console_return() -
 * the end of it, when it is this VM that has it. The VM does not run.
 */
void console_lend(struct vm *vm);
void console_return(const struct vm *vm);

/* drivers/host/ns16550.c: the board's UART; NULL when it has none. */
const struct console_port *ns16550_probe(const struct board *board);
void ns16550_input_enable(void);

/* The architecture supplies the firmware's console (arch/riscv64/sbi_console.c). */
const struct console_port *arch_early_console(void);

#endif
