/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to monitor*.c: what can be asked. */
#ifndef MONITOR_COMMANDS_H
#define MONITOR_COMMANDS_H

#include <hv/log.h>
#include <hv/types.h>

struct monitor_command {
	const char *usage;	/* the command's word, a blank and its argument if it takes one */
	const char *help;
	/*
	 * Line `step`, counted from 0, of the answer, into a text of size bytes that is "" before;
	 * stays so: nothing to say at this step. False: the answer has ended. Looks at everything
	 * anew each time, for much may happen between two lines.
	 */
	bool (*show)(const char *argument, u32 step, char *text, size_t size);
};

/*
 * monitor_command() - what a line of input asks for, never NULL; *argument: what to call it with.
 */
const struct monitor_command *monitor_command(const char *line, const char **argument);

/* What is shown of the log. Belongs to whoever calls the stream's event. */
struct monitor_log {
	enum log_level level;	/* lines up to this one */
	u64 next;		/* sequence number of where the next line is */
};
extern struct monitor_log monitor_log;

#endif
