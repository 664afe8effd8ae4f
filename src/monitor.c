/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor: lines of the log and answers to commands, one at a time, each whole. All of it
 * happens in the stream's event. What is written waits in a small buffer until the stream has taken
 * it, and nothing else is begun before; so a terminal that nobody reads stops the monitor alone.
 */
#include <hv/monitor.h>

#include <asm/hart.h>
#include <hv/log.h>
#include <hv/stream.h>
#include <hv/string.h>

#include "monitor_commands.h"

#define PROMPT "[shyper] "
#define TURNS 1024	/* in one event: lines written, bytes taken, pieces of the log looked at */

#define CTRL_C 0x03
#define CTRL_U 0x15
#define ESC 0x1b
#define DEL 0x7f

/* What becomes of the line that is being typed. */
enum line_fate {
	LINE_COMMAND,
	LINE_IGNORED,	/* begins as Shyper's own do */
	LINE_TOO_LONG,
};

/* From one opening of the terminal to the next. */
struct session {
	char line[MONITOR_LINE];
	u32 used;		/* bytes of the line */
	enum line_fate fate;
	bool visible;		/* the terminal shows prompt and line, and the cursor behind them */
	bool cr;		/* the last byte was '\r' */
	bool escape;		/* within the sequence that a key like an arrow sends */

	const struct monitor_command *command;	/* being answered; NULL: none */
	const char *argument;	/* in line, which rests meanwhile */
	u32 step;

	char out[2 * LOG_LINE];	/* also more than it takes to erase a line */
	u32 size;
	u32 sent;
};

/* Fixed after init; the session belongs to whoever calls the stream's event. */
static struct {
	struct stream *stream;
	struct hart *hart;
	struct session session;
} monitor;

/* ---- Output ---- */

/* At most a piece of the log, or a line of an answer, and what goes in front of it. */
static void put(const char *text, size_t n)
{
	struct session *s = &monitor.session;

	for (; n && s->size < sizeof(s->out) - 1; n--, text++) {
		if (*text == '\n')
			s->out[s->size++] = '\r';
		s->out[s->size++] = *text;
	}
}

static void say(const char *text)
{
	put(text, strlen(text));
}

static void show_line(void)
{
	struct session *s = &monitor.session;

	if (s->visible)
		return;
	say(PROMPT);
	put(s->line, s->used);
	s->visible = true;
}

static void leave_line(void)
{
	if (monitor.session.visible)
		say("\n");
	monitor.session.visible = false;
}

/* True: all is gone. Else the stream calls when there is room. */
static bool flush(void)
{
	struct session *s = &monitor.session;

	s->sent += stream_write(monitor.stream, STREAM_MACHINE, s->out + s->sent,
				s->size - s->sent);
	if (s->sent < s->size)
		return false;
	s->size = s->sent = 0;
	return true;
}

/* ---- Input ---- */

static void erase(void)
{
	show_line();
	monitor.session.used--;
	say("\b \b");
}

static void type(char c)
{
	struct session *s = &monitor.session;

	if (!s->used && s->fate == LINE_COMMAND && (c == '[' || c == ' '))
		s->fate = LINE_IGNORED;
	if (s->used == MONITOR_LINE - 1)
		s->fate = LINE_TOO_LONG;
	if (s->fate != LINE_COMMAND)
		return;
	show_line();
	s->line[s->used++] = c;
	put(&c, 1);
}

static void enter(void)
{
	struct session *s = &monitor.session;
	enum line_fate fate = s->fate;

	s->fate = LINE_COMMAND;
	if (fate == LINE_IGNORED)
		return;
	show_line();
	/* An empty line shows the prompt and no more: an echo of more would go round for ever. */
	if (!s->used)
		return;
	leave_line();
	s->line[s->used] = '\0';
	s->used = 0;
	if (fate == LINE_TOO_LONG) {
		say("  refused: a command has at most 63 characters\n");
		return;
	}
	s->command = monitor_command(s->line, &s->argument);
	s->step = 0;
}

static void input(u8 c)
{
	struct session *s = &monitor.session;
	bool line_end = c == '\r' || (c == '\n' && !s->cr);

	s->cr = c == '\r';
	if (s->escape && c >= ' ') {
		s->escape = c == '[' || c < '@';
		return;
	}
	s->escape = c == ESC;
	if (line_end)
		enter();
	else if ((c == '\b' || c == DEL) && s->used)
		erase();
	else if (c >= ' ' && c < DEL)
		type((char)c);
	else if (c == CTRL_U || c == CTRL_C)
		for (s->fate = LINE_COMMAND; s->used;)
			erase();
}

/* ---- What there is to do, in this order; each returns false when there is nothing ---- */

static bool answer(void)
{
	struct session *s = &monitor.session;
	char text[LOG_LINE];

	if (!s->command)
		return false;
	text[0] = '\0';
	if (!s->command->show(s->argument, s->step++, text, sizeof(text))) {
		s->command = NULL;
	} else if (text[0]) {
		say("  ");
		say(text);
		say("\n");
	}
	return true;
}

static bool show_log(void)
{
	char text[LOG_LINE];
	u64 from = monitor_log.next;
	size_t n = log_read(&monitor_log.next, monitor_log.level, text, sizeof(text));

	if (n)
		leave_line();
	put(text, n);
	return monitor_log.next != from;
}

static bool take_input(void)
{
	u8 c;

	if (!stream_read(monitor.stream, STREAM_MACHINE, &c, 1))
		return false;
	input(c);
	return true;
}

/* ---- The whole ---- */

/* From the log: any context. */
static void news(void)
{
	hart_errand(monitor.hart, ERRAND_MONITOR);
}

static void event(void *ctx)
{
	u32 turns = TURNS;

	(void)ctx;
	/* A Linux that starts anew has not seen the log yet. */
	if (!stream_is_open(monitor.stream, STREAM_TERMINAL)) {
		monitor.session = (struct session){ 0 };
		monitor_log.next = 0;
		return;
	}
	while (turns && flush() && (answer() || show_log() || take_input()))
		turns--;
	/* The rest after the guest has had the hart. */
	if (!turns)
		news();
}

int monitor_init(struct stream *stream, struct hart *hart)
{
	/* Nobody wakes the stream before its maker is done, so the event is not called yet. */
	int err = stream_connect(stream, STREAM_MACHINE, event, NULL);

	if (err)
		return err;
	monitor.stream = stream;
	monitor.hart = hart;
	stream_set_open(stream, STREAM_MACHINE, true);
	log_listen(news);
	return 0;
}

void monitor_exit(void)
{
	if (!monitor.stream)
		return;
	log_listen(NULL);
	stream_disconnect(monitor.stream, STREAM_MACHINE);
}

void monitor_serve(void)
{
	stream_call(monitor.stream, STREAM_MACHINE);
	stream_wake(monitor.stream);
}
