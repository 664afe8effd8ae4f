/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log ring: a stream of bytes, of which the last LOG_SIZE at most are kept, always from the
 * beginning of a line. A sequence number is a position in that stream. The console is written
 * under the same lock, so that lines of several harts stay whole.
 */
#include <hv/console.h>
#include <hv/format.h>
#include <hv/log.h>
#include <hv/spinlock.h>
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

/* Bytes of the line at this position, with its '\n'; position is below end. */
static size_t line_length(u64 position)
{
	u64 at = position;

	while (at < end && ring[at % LOG_SIZE] != '\n')
		at++;
	return (size_t)(MIN(at + 1, end) - position);
}

static void append(const char *line, size_t n)
{
	while (end + n - oldest > LOG_SIZE)
		oldest += line_length(oldest);
	for (size_t i = 0; i < n; i++)
		ring[(end + i) % LOG_SIZE] = line[i];
	end += n;
}

/* "[   1.234567] hart 2: "; before the board's timebase is known, time 0. */
static size_t print_stamp(char *line)
{
	u64 now = arch_time(), hz = arch_timebase(), seconds = 0, micros = 0;

	if (hz) {
		seconds = now / hz;
		micros = now % hz * 1000000 / hz;
	}
	return (size_t)format(line, LOG_LINE, "[%4llu.%06llu] hart %u: ",
			      (unsigned long long)seconds, (unsigned long long)micros,
			      arch_hart_index());
}

/* Ends the line of n bytes with '\n', and makes sure that it is one line. Returns its length. */
static size_t finish(char *line, size_t n)
{
	if (n && line[n - 1] == '\n')
		n--;
	for (size_t i = 0; i < n; i++) {
		if ((u8)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	}
	line[n] = '\n';
	return n + 1;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	char line[LOG_LINE];
	size_t n = print_stamp(line);
	va_list ap;

	va_start(ap, fmt);
	n += (size_t)vformat(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	n = finish(line, MIN(n, sizeof(line) - 1));

	log_lock();
	append(line, n);
	if ((u32)level <= __atomic_load_n(&console_level, __ATOMIC_RELAXED))
		console_hv_write(line, n);
	log_unlock();
}

/* Copies whole lines; returns the position behind the last. */
static u64 copy_lines(u64 from, char *buf, size_t size)
{
	u64 at = from;

	while (at < end) {
		size_t n = line_length(at);

		if (n > size)
			break;
		for (size -= n; n; n--)
			*buf++ = ring[at++ % LOG_SIZE];
	}
	return at;
}

size_t log_read(u64 *seq, char *buf, size_t size)
{
	u64 from, to;

	log_lock();
	from = MIN(MAX(*seq, oldest), end);
	to = copy_lines(from, buf, size);
	log_unlock();
	*seq = to;
	return (size_t)(to - from);
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

bool log_allowed(struct log_limit *limit)
{
	u32 dropped;

	log_limit_age(limit);
	if (__atomic_load_n(&limit->count, __ATOMIC_RELAXED) >= LOG_BURST) {
		__atomic_fetch_add(&limit->dropped, 1, __ATOMIC_RELAXED);
		return false;
	}
	__atomic_fetch_add(&limit->count, 1, __ATOMIC_RELAXED);
	dropped = __atomic_exchange_n(&limit->dropped, 0, __ATOMIC_RELAXED);
	if (dropped)
		log_warn("%u lines like the next one were suppressed", dropped);
	return true;
}
