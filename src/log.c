/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log ring: a stream of bytes, of which the last LOG_SIZE at most are kept, always from the
 * beginning of a line. A sequence number is a position in that stream. Where a line ends, the ring
 * has its level, which no other byte of a line equals. The console is written under the same lock,
 * so that lines of several harts stay whole.
 */
#include <hv/console.h>
#include <hv/format.h>
#include <hv/log.h>
#include <hv/spinlock.h>
#include <hv/string.h>
#include <hv/timer.h>

#define LOG_SIZE 65536u	/* a power of two */

static struct spinlock lock;

/* Under lock. */
static char ring[LOG_SIZE];
static u64 oldest;	/* position of the oldest line that is whole */
static u64 end;		/* position of the next line */

/* Lock-free: single words, changed rarely. */
static u32 console_level = LOG_WARN;
static bool panicking;
static void (*listener)(void);

const char *const log_level_name[LOG_LEVELS] = { "err", "warn", "info", "debug" };

static void log_lock(void)
{
	if (!__atomic_load_n(&panicking, __ATOMIC_RELAXED))
		spin_lock(&lock);
}

/* In panic mode the lock may be another's, taken before; it is never used again. */
static void log_unlock(void)
{
	if (!__atomic_load_n(&panicking, __ATOMIC_RELAXED))
		spin_unlock(&lock);
}

void log_panic_mode(void)
{
	__atomic_store_n(&panicking, true, __ATOMIC_RELAXED);
}

void log_level_set(enum log_level level)
{
	__atomic_store_n(&console_level, (u32)level, __ATOMIC_RELAXED);
}

bool log_level_parse(const char *name, size_t len, enum log_level *level)
{
	for (enum log_level i = LOG_ERR; i < LOG_LEVELS; i++) {
		if (len == strlen(log_level_name[i]) && !memcmp(name, log_level_name[i], len)) {
			*level = i;
			return true;
		}
	}
	return false;
}

void log_listen(void (*heard)(void))
{
	__atomic_store_n(&listener, heard, __ATOMIC_RELEASE);
}

static u8 byte_at(u64 position)
{
	return (u8)ring[position % LOG_SIZE];
}

/* Bytes of the line at this position, with its end; position is below end. */
static size_t line_length(u64 position)
{
	u64 at = position, last = end - 1;

	while (at < last && byte_at(at) >= LOG_LEVELS)
		at++;
	return (size_t)(at + 1 - position);
}

/* A line of n bytes, of which the last is '\n'. */
static void append(enum log_level level, const char *line, size_t n)
{
	size_t at = end % LOG_SIZE, first = MIN(n, LOG_SIZE - at);

	while (end + n - oldest > LOG_SIZE)
		oldest += line_length(oldest);
	memcpy(ring + at, line, first);
	memcpy(ring, line + first, n - first);
	end += n;
	ring[(end - 1) % LOG_SIZE] = (char)level;
}

/* "[   1.234567] hart 2: "; before the board's timebase is known, time 0. */
void log_begin(struct log_line *line, enum log_level level, u64 at)
{
	u64 hz = arch_timebase(), seconds = 0, micros = 0;

	if (hz) {
		seconds = at / hz;
		micros = at % hz * 1000000 / hz;
	}
	line->level = level;
	line->size = (u32)format(line->text, LOG_LINE, "[%4llu.%06llu] hart %llu: ",
				 (unsigned long long)seconds, (unsigned long long)micros,
				 (unsigned long long)arch_hart_id());
}

typedef u64 __attribute__((may_alias)) word_t;

/* Eight bytes: one may be below ' ' or 0x7f. (None is when they are ASCII and this is false.) */
static bool has_control(word_t bytes)
{
	const u64 ones = 0x0101010101010101, high = ones << 7;

	return ((bytes - ones * ' ') | (bytes + ones) | bytes) & high;
}

/* One line, with its '\n' at the end. Words are read whole, but only bytes of text count. */
static void finish(struct log_line *line)
{
	char *text = line->text;
	size_t n = line->size;

	if (n && text[n - 1] == '\n')
		n--;
	for (size_t at = 0; at < n; at += sizeof(word_t)) {
		if (likely(!has_control(*(const word_t *)(const void *)(text + at))))
			continue;
		for (size_t i = at; i < MIN(n, at + sizeof(word_t)); i++)
			if ((u8)text[i] < ' ' || text[i] == 0x7f)
				text[i] = '?';
	}
	text[n] = '\n';
	line->size = (u32)n + 1;
}

static void compose(struct log_line *line, const char *fmt, va_list ap)
{
	size_t n = line->size;

	n += (size_t)vformat(line->text + n, LOG_LINE - n, fmt, ap);
	line->size = (u32)MIN(n, (size_t)LOG_LINE - 1);
}

void log_compose(struct log_line *line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	compose(line, fmt, ap);
	va_end(ap);
}

void log_put(struct log_line *line)
{
	void (*heard)(void);

	finish(line);
	log_lock();
	append(line->level, line->text, line->size);
	if ((u32)line->level <= __atomic_load_n(&console_level, __ATOMIC_RELAXED))
		console_hv_line(line->text, line->size - 1);
	log_unlock();
	heard = __atomic_load_n(&listener, __ATOMIC_ACQUIRE);
	if (heard && !__atomic_load_n(&panicking, __ATOMIC_RELAXED))
		heard();
}

void log_write(enum log_level level, const char *fmt, ...)
{
	struct log_line line;
	va_list ap;

	log_begin(&line, level, arch_time());
	va_start(ap, fmt);
	compose(&line, fmt, ap);
	va_end(ap);
	log_put(&line);
}

size_t log_read(u64 *seq, enum log_level level, char *buf, size_t size)
{
	char *to = buf;

	log_lock();
	*seq = MIN(MAX(*seq, oldest), end);
	while (*seq < end) {
		size_t n = line_length(*seq);

		if (n > size)
			break;
		size -= n;
		*seq += n;
		if (byte_at(*seq - 1) > level)
			continue;
		while (--n)
			*to++ = (char)byte_at(*seq - 1 - n);
		*to++ = '\n';
	}
	log_unlock();
	return (size_t)(to - buf);
}

/* Forgives one line for each whole second since the last time. */
static void log_limit_age(struct log_limit *limit)
{
	u64 now = arch_time(), hz = MAX(arch_timebase(), (u64)1);
	u64 window = __atomic_load_n(&limit->window, __ATOMIC_RELAXED);
	u64 seconds = (now - window) / hz;
	u32 count = __atomic_load_n(&limit->count, __ATOMIC_RELAXED);

	if (now < window || !seconds)
		return;
	__atomic_store_n(&limit->window, window + seconds * hz, __ATOMIC_RELAXED);
	__atomic_store_n(&limit->count, count > seconds ? count - (u32)seconds : 0,
			 __ATOMIC_RELAXED);
}

bool log_admits(struct log_limit *limit, u32 *dropped)
{
	log_limit_age(limit);
	if (__atomic_load_n(&limit->count, __ATOMIC_RELAXED) >= LOG_BURST) {
		__atomic_fetch_add(&limit->dropped, 1, __ATOMIC_RELAXED);
		return false;
	}
	__atomic_fetch_add(&limit->count, 1, __ATOMIC_RELAXED);
	*dropped = __atomic_exchange_n(&limit->dropped, 0, __ATOMIC_RELAXED);
	return true;
}

bool log_allowed(struct log_limit *limit)
{
	u32 dropped;

	if (!log_admits(limit, &dropped))
		return false;
	if (dropped)
		log_warn(LOG_DROPPED, dropped);
	return true;
}
