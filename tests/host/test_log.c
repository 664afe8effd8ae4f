/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: its line format, levels, overwriting and reading in pieces, several writers, panic
 * mode, and the limiter. Time, hart and console are fakes. The state of the log lives on from
 * test to test, as it does from boot on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hv/console.h>
#include <hv/log.h>
#include <hv/timer.h>

static u64 now;
static u64 timebase = 10000000;
static _Thread_local u32 hart;
static char console[4096];
static size_t console_used;
static bool panic_in_console;

u64 arch_time(void)
{
	return now;
}

u64 arch_timebase(void)
{
	return timebase;
}

u64 arch_hart_id(void)
{
	return hart;
}

void console_hv_write(const char *text, size_t len)
{
	if (panic_in_console) {
		panic_in_console = false;
		log_panic_mode();
		log_err("panic inside of the log");
	}
	assert_true(console_used + len < sizeof(console));
	memcpy(console + console_used, text, len);
	console_used += len;
	console[console_used] = '\0';
}

void console_hv_line(const char *text, size_t len)
{
	console_hv_write(text, len);
	console_hv_write("\n", 1);
}

static int reset(void **state)
{
	(void)state;
	now = 12345678;
	timebase = 10000000;
	hart = 2;
	console_used = 0;
	console[0] = '\0';
	log_level_set(LOG_WARN);
	return 0;
}

/* The sequence number behind all that is there. */
static u64 skip_all(void)
{
	static char all[1 << 17];
	u64 seq = 0;

	while (log_read(&seq, LOG_DEBUG, all, sizeof(all)))
		;
	return seq;
}

/* Reads what is newer than seq; it fits. */
static const char *newer(u64 seq)
{
	static char text[4096];

	text[log_read(&seq, LOG_DEBUG, text, sizeof(text) - 1)] = '\0';
	return text;
}

static void line_format(void **state)
{
	u64 seq = skip_all();

	(void)state;
	log_info("hello %s %d", "world", 42);
	assert_string_equal(newer(seq), "[   1.234567] hart 2: hello world 42\n");
	seq = skip_all();
	now = 123456ull * 10000000 + 9;
	log_info("one newline\n");
	assert_string_equal(newer(seq), "[123456.000000] hart 2: one newline\n");
	seq = skip_all();
	timebase = 0;
	log_info("early");
	assert_string_equal(newer(seq), "[   0.000000] hart 2: early\n");
}

static void one_call_is_one_line(void **state)
{
	u64 seq = skip_all();

	(void)state;
	log_info("a\nb\rc\x1b[2J\x7f");
	assert_string_equal(newer(seq), "[   1.234567] hart 2: a?b?c?[2J?\n");
	seq = skip_all();
	log_info("%s", "");
	assert_string_equal(newer(seq), "[   1.234567] hart 2: \n");
}

static void long_lines_are_cut(void **state)
{
	char text[2 * LOG_LINE];
	u64 seq = skip_all();

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	assert_int_equal(strlen(newer(seq)), LOG_LINE);
	assert_int_equal(newer(seq)[LOG_LINE - 2], 'x');
	assert_int_equal(newer(seq)[LOG_LINE - 1], '\n');
}

static void levels_choose_the_console(void **state)
{
	u64 seq = skip_all();

	(void)state;
	log_err("e");
	log_warn("w");
	log_info("i");
	log_debug("d");
	assert_string_equal(console, "[   1.234567] hart 2: e\n[   1.234567] hart 2: w\n");
	log_level_set(LOG_DEBUG);
	log_debug("d2");
	assert_non_null(strstr(console, "d2\n"));
	log_level_set(LOG_ERR);
	log_warn("w2");
	assert_null(strstr(console, "w2\n"));
	/* The ring has them all. */
	assert_non_null(strstr(newer(seq), "i\n"));
	assert_non_null(strstr(newer(seq), "d\n"));
	assert_non_null(strstr(newer(seq), "w2\n"));
}

/* Size is what is looked at, so that a reader of few lines does not hold the lock for long. */
static void levels_choose_what_is_read(void **state)
{
	char buf[2 * LOG_LINE] = "";
	u64 seq = skip_all(), from = seq;

	(void)state;
	log_debug("d");
	log_err("e");
	log_info("i");
	assert_int_equal(log_read(&seq, LOG_WARN, buf, sizeof(buf) - 1), 24);
	assert_string_equal(buf, "[   1.234567] hart 2: e\n");
	assert_int_equal(seq, skip_all());
	seq = from;
	assert_int_equal(log_read(&seq, LOG_WARN, buf, 47), 0);
	assert_int_equal(seq, from + 24);
	assert_int_equal(log_read(&seq, LOG_WARN, buf, 47), 24);
	assert_int_equal(seq, from + 48);
}

static void levels_have_names(void **state)
{
	enum log_level level;

	(void)state;
	for (u32 i = 0; i < LOG_LEVELS; i++) {
		assert_true(log_level_parse(log_level_name[i], strlen(log_level_name[i]), &level));
		assert_int_equal(level, i);
	}
	level = LOG_WARN;
	assert_false(log_level_parse("info", 3, &level));
	assert_false(log_level_parse("infos", 5, &level));
	assert_false(log_level_parse("", 0, &level));
	assert_int_equal(level, LOG_WARN);
}

static u64 heard_seq;
static char heard_text[LOG_LINE];

/* Reading here shows that the log's lock is free. */
static void hear(void)
{
	size_t n = log_read(&heard_seq, LOG_DEBUG, heard_text, sizeof(heard_text) - 1);

	heard_text[n] = '\0';
}

static void a_listener_hears_each_line(void **state)
{
	(void)state;
	heard_seq = skip_all();
	log_listen(hear);
	log_debug("one");
	assert_string_equal(heard_text, "[   1.234567] hart 2: one\n");
	log_err("two");
	assert_string_equal(heard_text, "[   1.234567] hart 2: two\n");
	log_listen(NULL);
	log_err("three");
	assert_string_equal(heard_text, "[   1.234567] hart 2: two\n");
}

static void not_to_be_called(void)
{
	fail();
}

static void reading_in_pieces(void **state)
{
	char all[4096] = "", piece[100];
	u64 seq = skip_all(), at = seq;
	size_t n;

	(void)state;
	for (int i = 0; i < 20; i++)
		log_info("line %d", i);
	while ((n = log_read(&at, LOG_DEBUG, piece, sizeof(piece) - 1))) {
		assert_int_equal(piece[n - 1], '\n');
		piece[n] = '\0';
		strcat(all, piece);
	}
	assert_string_equal(all, newer(seq));
	/* A place too small for the next line yields nothing and moves nowhere. */
	at = seq;
	assert_int_equal(log_read(&at, LOG_DEBUG, piece, 10), 0);
	assert_int_equal(at, seq);
	assert_int_equal(log_read(&at, LOG_DEBUG, piece, 0), 0);
}

static void wrong_sequence_numbers(void **state)
{
	char buf[LOG_LINE];
	u64 end, seq = ~(u64)0;

	(void)state;
	log_info("the last line");
	end = skip_all();
	assert_int_equal(log_read(&seq, LOG_DEBUG, buf, sizeof(buf)), 0);
	assert_int_equal(seq, end);
	seq = end - 5;
	assert_int_equal(log_read(&seq, LOG_DEBUG, buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "line\n", 5);
	for (seq = 0; seq < end; seq += 1 + (u64)rand() % 97) {
		u64 at = seq;

		assert_true(log_read(&at, LOG_DEBUG, buf, sizeof(buf)) <= sizeof(buf));
		assert_true(at <= end);
	}
}

/* Only whole lines, the newest ones, and not much less than 64 KiB of them. */
static void oldest_lines_go(void **state)
{
	static char all[1 << 17];
	u64 seq = 0;
	size_t n;
	int first, last = 0;

	(void)state;
	for (int i = 0; i < 5000; i++)
		log_info("number %d%*s", i, i % 50, "");
	n = log_read(&seq, LOG_DEBUG, all, sizeof(all));
	all[n] = '\0';
	assert_true(n > 65536 - LOG_LINE && n <= 65536);
	assert_int_equal(all[0], '[');
	first = atoi(strstr(all, "number ") + 7);
	for (char *p = all; (p = strstr(p, "number ")); p++) {
		last = atoi(p + 7);
		assert_int_equal(last, first++);
	}
	assert_int_equal(last, 4999);
	assert_int_equal(seq, skip_all());
}

#define WRITERS 2
#define LINES 300	/* what all write together fits into the ring */

static void *writer(void *arg)
{
	hart = (u32)(uintptr_t)arg;
	for (int i = 0; i < LINES; i++) {
		log_info("line %d of many", i);
		if (i % 64 == 0)
			usleep(1);
	}
	return NULL;
}

/* Reads while they write: each line whole, each writer's in order. */
static void writers_do_not_mingle(void **state)
{
	pthread_t threads[WRITERS];
	int next[WRITERS] = { 0 };
	u64 seq = skip_all();
	char buf[4 * LOG_LINE + 1];
	size_t n;
	int idle = 0;

	(void)state;
	for (uintptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, writer, (void *)i), 0);
	while (idle < 1000) {
		n = log_read(&seq, LOG_DEBUG, buf, sizeof(buf) - 1);
		buf[n] = '\0';
		for (char *line = buf; *line; line = strchr(line, '\n') + 1) {
			int w, i, used = 0;

			assert_int_equal(sscanf(line, "[   1.234567] hart %d: line %d of many%n",
						&w, &i, &used), 2);
			assert_int_equal(line[used], '\n');
			assert_int_equal(i, next[w]);
			next[w] = i + 1;
		}
		idle = n ? 0 : idle + 1;
		if (!n)
			usleep(100);
	}
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(next[i], LINES);
	}
}

static void limiter_allows_a_burst(void **state)
{
	struct log_limit limit = { 0 };
	int allowed = 0;

	(void)state;
	now = 7 * timebase;
	for (int i = 0; i < 1000; i++)
		allowed += log_allowed(&limit);
	assert_int_equal(allowed, LOG_BURST);
	assert_int_equal(limit.dropped, 990);
	assert_int_equal(console_used, 0);
	/* Then one each second, with the number of the suppressed ones before it. */
	for (int second = 1; second <= 5; second++) {
		allowed = 0;
		now += timebase - 1;
		assert_false(log_allowed(&limit));
		now += 1;
		for (int i = 0; i < 100; i++)
			allowed += log_allowed(&limit);
		assert_int_equal(allowed, 1);
	}
	assert_non_null(strstr(console, "991 lines like the next one were suppressed\n"));
	assert_non_null(strstr(console, "100 lines like the next one were suppressed\n"));
	/* And a new burst after a pause. */
	now += 60 * timebase;
	allowed = 0;
	for (int i = 0; i < 100; i++)
		allowed += log_allowed(&limit);
	assert_int_equal(allowed, LOG_BURST);
}

static void limiter_is_ready_before_the_timebase(void **state)
{
	struct log_limit limit = { 0 };

	(void)state;
	timebase = 0;
	now = 0;
	assert_true(log_allowed(&limit));
	now = ~(u64)0;
	assert_true(log_allowed(&limit));
	now = 5;
	assert_true(log_allowed(&limit));
}

static void *log_on_another_hart(void *arg)
{
	hart = 3;
	log_err("%s", (const char *)arg);
	return NULL;
}

/*
 * A hart panics in the middle of logging, with the lock held: its own lines and another hart's
 * still come out. The last test, because there is no way back.
 */
static void panic_takes_no_lock(void **state)
{
	pthread_t other;
	u64 seq = skip_all();

	(void)state;
	panic_in_console = true;
	log_listen(not_to_be_called);
	log_err("before");
	assert_int_equal(pthread_create(&other, NULL, log_on_another_hart, "elsewhere"), 0);
	pthread_join(other, NULL);
	assert_string_equal(console, "[   1.234567] hart 2: panic inside of the log\n"
				     "[   1.234567] hart 2: before\n"
				     "[   1.234567] hart 3: elsewhere\n");
	assert_non_null(strstr(newer(seq), "elsewhere\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(line_format, reset),
		cmocka_unit_test_setup(one_call_is_one_line, reset),
		cmocka_unit_test_setup(long_lines_are_cut, reset),
		cmocka_unit_test_setup(levels_choose_the_console, reset),
		cmocka_unit_test_setup(levels_choose_what_is_read, reset),
		cmocka_unit_test_setup(levels_have_names, reset),
		cmocka_unit_test_setup(a_listener_hears_each_line, reset),
		cmocka_unit_test_setup(reading_in_pieces, reset),
		cmocka_unit_test_setup(wrong_sequence_numbers, reset),
		cmocka_unit_test_setup(oldest_lines_go, reset),
		cmocka_unit_test_setup(writers_do_not_mingle, reset),
		cmocka_unit_test_setup(limiter_allows_a_burst, reset),
		cmocka_unit_test_setup(limiter_is_ready_before_the_timebase, reset),
		cmocka_unit_test_setup(panic_takes_no_lock, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
