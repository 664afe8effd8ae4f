/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: a ring of lines, kept in memory and readable later, the oldest overwritten first; lines
 * up to the console level also go to the boot console. Any hart may log at any time, except from
 * inside the console driver. Lines look like "[   1.234567] hart 2: text" and are cut at LOG_LINE
 * bytes; control characters in the text become '?'.
 */
#ifndef HV_LOG_H
#define HV_LOG_H

#include <hv/types.h>

#define LOG_LINE 256	/* bytes of the longest line with its '\n' */

enum log_level {
	LOG_ERR,	/* somebody must act */
	LOG_WARN,	/* a guest or the board did something wrong; contained */
	LOG_INFO,	/* life cycle: boot steps, VM starts and stops */
	LOG_DEBUG,
	LOG_LEVELS,
};

/* Their names: "err", "warn", "info", "debug". log_level_parse() - by name; false: none has it. */
extern const char *const log_level_name[LOG_LEVELS];
bool log_level_parse(const char *name, size_t len, enum log_level *level);

/*
 * log_write() - append one line (no trailing newline needed).
 *
 * Called from any hart, any context but the console driver; takes the log's lock. Never fails.
 */
void log_write(enum log_level level, const char *fmt, ...) __printf(2, 3);

#define log_err(...) log_write(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/*
 * A line in steps, each short enough for those who wait. log_begin() - what stands before the text,
 * as of a time; log_compose() - some of the text; log_put() - append the line, like log_write().
 */
struct log_line {
	char text[LOG_LINE] __attribute__((aligned(8)));
	u32 size;
	enum log_level level;
};
void log_begin(struct log_line *line, enum log_level level, u64 at);
void log_compose(struct log_line *line, const char *fmt, ...) __printf(2, 3);
void log_put(struct log_line *line);

/* log_level_set() - lines up to this level go to the boot console too (default: LOG_WARN). */
void log_level_set(enum log_level level);

/*
 * log_listen() - from now on heard() is called after each line: on any hart, in any context, with
 * whatever locks the writer holds but the log's. It must not log nor wait. NULL: nobody listens.
 */
void log_listen(void (*heard)(void));

/*
 * log_panic_mode() - from now on no hart takes the log's lock, which may be held by one that will
 * never run again. Panic path only; lines of harts that still log may mingle.
 */
void log_panic_mode(void);

/*
 * log_read() - look at size bytes of kept lines from sequence number *seq on, and copy those up to
 * a level into buf (whole lines, each ended by '\n'); *seq moves past what was looked at, or over
 * lines already overwritten. It starts at 0, grows for ever and may come from outside: a wrong one
 * yields part of a line or nothing. Returns the number of bytes; when *seq has not moved either:
 * nothing newer, or size is less than the next line, which LOG_LINE bytes always hold. Takes the
 * log's lock.
 */
size_t log_read(u64 *seq, enum log_level level, char *buf, size_t size);

/*
 * A limiter for messages that a guest can cause: allows LOG_BURST lines, then one per second.
 * Zero-initialised is ready to use. Lock-free; an occasional line too many is accepted.
 */
struct log_limit {
	u64 window;	/* start of the current second, host timer ticks */
	u32 count;	/* lines let through, less one for each second that passed */
	u32 dropped;	/* lines suppressed since the last one let through */
};
#define LOG_BURST 10
#define LOG_DROPPED "%u lines like the next one were suppressed"

/*
 * log_allowed() - true when a line may be written now. The suppressed ones are counted, and a line
 * with their number precedes the next one that is allowed. log_admits() - the same for who writes
 * that line himself, if their number is not 0.
 */
bool log_allowed(struct log_limit *limit);
bool log_admits(struct log_limit *limit, u32 *dropped);

/*
 * The architecture supplies: arch_hart_id() the calling hart's id, as the device tree has it, which
 * any context may ask for. Time comes from hv/timer.h.
 */
u64 arch_hart_id(void);

#endif
