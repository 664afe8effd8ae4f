/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a JSON value into C, checked: every refusal names file, line, column and what is wrong.
 * Readers return 0, or -1 with the reader's error set.
 */
#ifndef CLI_READER_H
#define CLI_READER_H

#include <stdint.h>

#include "document.h"

struct reader {
	const struct document *doc;
	struct error *error;
	json_t *notes;		/* list of texts: what the user should know, but no error */
};

/* One member that an object may have. */
struct key {
	const char *name;
	bool required;
	int (*read)(struct reader *r, const struct where *where, const json_t *value, void *into);
};

/* reader_refuse() - returns -1. _key: the key is what is wrong, not its value. */
int reader_refuse(struct reader *r, const struct where *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int reader_refuse_key(struct reader *r, const struct where *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* reader_note() - remember something for the user, with its position. */
void reader_note(struct reader *r, const struct where *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * reader_object() - read the members that keys (up to a NULL name) lists, in that order. strict:
 * a member that is not listed is refused, with the name that was probably meant.
 */
int reader_object(struct reader *r, const struct where *where, const json_t *value,
		  const struct key *keys, bool strict, void *into);

/* reader_list() - read each of at most max items. */
int reader_list(struct reader *r, const struct where *where, const json_t *value, size_t max,
		int (*read)(struct reader *r, const struct where *where, const json_t *value,
			    void *into),
		void *into);

/* A number, or a text with one: decimal, 0x…, 0b…; from low to high. */
int reader_number(struct reader *r, const struct where *where, const json_t *value, uint64_t low,
		  uint64_t high, uint64_t *out);

/* A size in bytes, a number or a text; K, M, G or T may follow the text's number. */
int reader_size(struct reader *r, const struct where *where, const json_t *value, uint64_t *out);

/* A text of at most size - 1 bytes, without NUL. */
int reader_text(struct reader *r, const struct where *where, const json_t *value, char *out,
		size_t size);

/* A name for Shyper: no empty one, and nothing that a terminal could take for an order. */
int reader_check_name(struct reader *r, const struct where *where, const char *name);

/* One of several words (up to a NULL), by its number. */
int reader_word(struct reader *r, const struct where *where, const json_t *value,
		const char *const *words, unsigned int *out);

int reader_flag(struct reader *r, const struct where *where, const json_t *value, bool *out);

/*
 * similar() - the word among count words, stride bytes apart, that was probably meant, or NULL.
 * Each element begins with a const char *.
 */
const char *similar(const char *word, const void *words, size_t count, size_t stride);

#endif
