/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading JSON files. Jansson keeps no positions, so a position is looked up in the text when
 * somebody asks for it: the text is valid JSON by then, which keeps the scanner small.
 */
#include "document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ordinary.h"

/* Behind the closing quote of a string that begins here. */
static char *string_end(char *p)
{
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
	}
	return *p ? p + 1 : p;
}

/* The end of a comment that begins here, or the place itself. */
static char *comment_end(char *p)
{
	char *end;

	if (p[0] == '/' && p[1] == '/')
		return p + strcspn(p, "\n");
	if (p[0] != '/' || p[1] != '*')
		return p;
	end = strstr(p + 2, "*/");
	return end ? end + 2 : p;
}

static void blank_comments(char *p)
{
	while (*p) {
		char *end = *p == '"' ? string_end(p) : p + 1;
		char *behind = comment_end(p);

		for (; p < behind; p++) {
			if (*p != '\n')
				*p = ' ';
		}
		if (p < end)
			p = end;
	}
}

static int parse_failed(const struct document *doc, const json_error_t *why, struct error *error)
{
	if (why->line < 1)
		return error_set(error, "%s: %s", doc->name, why->text);
	return error_set(error, "%s:%d:%d: %s", doc->name, why->line,
			 why->column < 1 ? 1 : why->column, why->text);
}

int document_parse(struct document *doc, const char *name, char *text, size_t size,
		   struct error *error)
{
	json_error_t why;

	*doc = (struct document){ .name = name, .text = text };
	if (memchr(text, 0, size))
		return error_set(error, "%s: is not a text file (it has NUL bytes)", name);
	blank_comments(text);
	if (text[strspn(text, " \t\r\n")] == '\0')
		return error_set(error, "%s:1:1: the file is empty", name);
	doc->root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
	return doc->root ? 0 : parse_failed(doc, &why, error);
}

static char *read_text(const char *path, size_t *size, struct error *error)
{
	struct stat st;
	FILE *file = ordinary_open(path, &st, error);
	char *text;

	if (!file)
		return NULL;
	text = malloc(DOCUMENT_MAX + 1);
	if (!text) {
		error_set(error, "%s: not enough memory", path);
		fclose(file);
		return NULL;
	}
	*size = fread(text, 1, DOCUMENT_MAX + 1, file);
	if (ferror(file) || *size > DOCUMENT_MAX) {
		error_set(error, "%s: %s", path, ferror(file) ? strerror(errno) :
			  "is larger than 2 MiB, which no VM's configuration is");
		free(text);
		text = NULL;
	} else {
		text[*size] = '\0';
	}
	fclose(file);
	return text;
}

int document_read(struct document *doc, const char *path, struct error *error)
{
	size_t size = 0;
	char *text;

	*doc = (struct document){ .name = path };
	text = read_text(path, &size, error);
	return text ? document_parse(doc, path, text, size, error) : -1;
}

void document_free(struct document *doc)
{
	json_decref(doc->root);
	free(doc->text);
	*doc = (struct document){ 0 };
}

/* --- Positions ------------------------------------------------------------------------------- */

static char *skip_blank(char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* Behind the value that begins here. */
static char *value_end(char *p)
{
	int depth = 0;

	while (*p) {
		if (*p == '"') {
			p = string_end(p);
		} else {
			depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
			p++;
		}
		if (depth == 0 && strchr(",}] \t\r\n", *p))
			break;
	}
	return p;
}

/* The member of the object that begins here, or NULL. A key with escapes is not found. */
static char *find_member(char *p, const char *name, bool key)
{
	size_t length = strlen(name);

	for (p = skip_blank(p + 1); *p == '"';) {
		char *begin = p, *value;

		p = string_end(p);
		value = skip_blank(skip_blank(p) + 1);
		if ((size_t)(p - begin) == length + 2 && !memcmp(begin + 1, name, length))
			return key ? begin : value;
		p = skip_blank(value_end(value));
		if (*p == ',')
			p = skip_blank(p + 1);
	}
	return NULL;
}

static char *find_item(char *p, size_t index)
{
	for (p = skip_blank(p + 1); *p && *p != ']'; index--) {
		if (index == 0)
			return p;
		p = skip_blank(value_end(p));
		if (*p == ',')
			p = skip_blank(p + 1);
	}
	return NULL;
}

static char *find(const struct document *doc, const struct where *where, bool key)
{
	char *outer, *inner = NULL;

	if (!where)
		return skip_blank(doc->text);
	outer = find(doc, where->up, false);
	if (where->key && *outer == '{')
		inner = find_member(outer, where->key, key);
	else if (!where->key && *outer == '[')
		inner = find_item(outer, where->index);
	return inner ? inner : outer;
}

void document_position(const struct document *doc, const struct where *where, bool key, char *buf,
		       size_t size)
{
	unsigned int line = 1;
	const char *at, *start, *p;

	if (!doc->text) {
		snprintf(buf, size, "%s", doc->name);
		return;
	}
	at = find(doc, where, key);
	start = doc->text;
	for (p = doc->text; p < at; p++) {
		if (*p == '\n') {
			line++;
			start = p + 1;
		}
	}
	snprintf(buf, size, "%s:%u:%zu", doc->name, line, (size_t)(at - start) + 1);
}
