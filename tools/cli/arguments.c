/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the command line by the table of verbs, and the help that the same table gives. */
#include "arguments.h"

#include <stdio.h>
#include <string.h>

#include "lib/reader.h"

#define NAME_MAX_BYTES 64

/* "vm" or "system" alone: what may follow. False: it is neither. */
static bool refuse_group(const char *word, struct error *error)
{
	size_t size = strlen(word), used;

	error_set(error, "%s needs one of", word);
	for (size_t i = 0; verbs[i]; i++) {
		if (strncmp(verbs[i]->name, word, size) || verbs[i]->name[size] != ' ')
			continue;
		used = strlen(error->text);
		snprintf(error->text + used, sizeof(error->text) - used, " %s",
			 verbs[i]->name + size + 1);
	}
	return strlen(error->text) > size + strlen(" needs one of");
}

static int refuse_verb(const char *name, struct error *error)
{
	const char *names[64], *meant;
	size_t count = 0;

	if (refuse_group(name, error))
		return -1;

	for (size_t i = 0; verbs[i] && count < 62; i++) {
		names[count++] = verbs[i]->name;
		if (verbs[i]->alias)
			names[count++] = verbs[i]->alias;
	}
	meant = similar(name, names, count, sizeof(names[0]));
	if (meant)
		return error_set(error, "there is no command \"%s\"; did you mean \"%s\"?", name,
				 meant);
	return error_set(error, "there is no command \"%s\"; `shyper help` lists them", name);
}

/* One word or two make a verb. Returns how many, or -1. */
static int find_verb(struct arguments *a, char **words, int count, struct error *error)
{
	char name[NAME_MAX_BYTES];

	a->verb = verb_find(words[0]);
	if (a->verb)
		return 1;
	if (count > 1 && words[1][0] == '-')
		count = 1;
	snprintf(name, sizeof(name), "%s%s%s", words[0], count > 1 ? " " : "",
		 count > 1 ? words[1] : "");
	a->verb = verb_find(name);
	return a->verb ? 2 : refuse_verb(name, error);
}

static const struct verb_option *find_option(const struct verb *verb, const char *word)
{
	const struct verb_option *option = verb->options;

	for (; option && option->name; option++) {
		if (word[0] == '-' && word[1] == option->letter && word[1] && !word[2])
			return option;
		if (!strncmp(word, "--", 2) && !strcmp(word + 2, option->name))
			return option;
	}
	return NULL;
}

static int refuse_option(const struct verb *verb, const char *word, struct error *error)
{
	return error_set(error, "%s has no option %s; `shyper %s --help` lists them", verb->name,
			 word, verb->name);
}

/* An option at words[i]; returns how many words it takes, or -1. */
static int take_option(struct arguments *a, char **words, int left, struct error *error)
{
	const struct verb_option *option = find_option(a->verb, words[0]);

	if (!option)
		return refuse_option(a->verb, words[0], error);
	if (!option->value) {
		json_object_set_new(a->args, option->name, json_true());
		return 1;
	}
	if (left < 2)
		return error_set(error, "--%s needs a value: %s", option->name, option->value);
	json_object_set_new(a->args, option->name, json_string(words[1]));
	return 2;
}

/* The key of the first argument that is missing; NULL: none is. */
static const char *missing(const struct arguments *a)
{
	if (!json_object_get(a->args, a->verb->key))
		return a->verb->key;
	for (size_t i = 0; a->verb->more && i < 2; i++) {
		if (!json_object_get(a->args, a->verb->more[i]))
			return a->verb->more[i];
	}
	return NULL;
}

static int take_argument(struct arguments *a, const char *word, struct error *error)
{
	const char *key = a->verb->key ? missing(a) : NULL;

	if (!a->verb->key)
		return error_set(error, "%s takes no argument, but \"%s\" is one", a->verb->name,
				 word);
	if (!key)
		return error_set(error, "%s takes %s; \"%s\" is one too many", a->verb->name,
				 a->verb->more ? "three arguments" : "one argument", word);
	if (json_object_set_new(a->args, key, json_string(word)))
		return error_set(error, "\"%s\" is not UTF-8", word);
	return 0;
}

/* Options that every verb has, at any place. */
static bool take_common(struct arguments *a, const char *word)
{
	if (!strcmp(word, "--json"))
		return a->json = true;
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		return a->help = true;
	if (!strcmp(word, "--version"))
		return a->version = true;
	return false;
}

static int take_words(struct arguments *a, int count, char **words, struct error *error)
{
	bool only_arguments = false;

	for (int i = 0; i < count;) {
		const char *word = words[i];
		int taken = 1;

		if (!only_arguments && !strcmp(word, "--"))
			only_arguments = true;
		else if (!only_arguments && take_common(a, word))
			taken = 1;
		else if (!only_arguments && word[0] == '-' && word[1])
			taken = take_option(a, words + i, count - i, error);
		else if (take_argument(a, word, error))
			return -1;
		if (taken < 0)
			return -1;
		i += taken;
	}
	return 0;
}

/* Known before anything can be wrong with the rest. */
static bool wants_json(int count, char **words)
{
	for (int i = 0; i < count && strcmp(words[i], "--"); i++) {
		if (!strcmp(words[i], "--json"))
			return true;
	}
	return false;
}

int arguments_parse(struct arguments *a, int argc, char **argv, struct error *error)
{
	int i = 1, words;

	*a = (struct arguments){
		.args = json_object(),
		.json = wants_json(argc - 1, argv + 1),
	};
	while (i < argc && take_common(a, argv[i]))
		i++;
	if (i < argc && !strcmp(argv[i], "help")) {
		a->help = true;
		i++;
	}
	if (i == argc)
		return a->help || a->version ? 0 : error_set(error, "a command is missing; "
							     "`shyper help` lists them");
	words = find_verb(a, argv + i, argc - i, error);
	if (words < 0 || take_words(a, argc - i - words, argv + i + words, error))
		return -1;
	if (a->help || !a->verb->argument || a->verb->argument[0] == '[' || !missing(a))
		return 0;
	return error_set(error, "%s needs %s", a->verb->name, a->verb->argument);
}

/* --- Help ------------------------------------------------------------------------------------ */

static void help_line(const struct verb *verb)
{
	char usage[NAME_MAX_BYTES];

	snprintf(usage, sizeof(usage), "%s%s%s", verb->name, verb->argument ? " " : "",
		 verb->argument ? verb->argument : "");
	printf("  %-28s %s\n", usage, verb->help);
}

static void help_all(void)
{
	puts("usage: shyper COMMAND [OPTION…]\n");
	for (size_t i = 0; verbs[i]; i++)
		help_line(verbs[i]);
	puts("\nAll commands know --json, --help and --version. A VM is named by its name or id.\n"
	     "Exit status: 0 done, 1 failed, 2 wrong usage. More: man shyper");
}

void arguments_help(const struct verb *verb)
{
	const struct verb_option *option;

	if (!verb) {
		help_all();
		return;
	}
	printf("usage: shyper %s%s%s%s\n%s\n", verb->name, verb->argument ? " " : "",
	       verb->argument ? verb->argument : "", verb->options ? " [OPTION…]" : "",
	       verb->help);
	if (verb->alias)
		printf("The same: shyper %s\n", verb->alias);
	for (option = verb->options; option && option->name; option++) {
		char name[NAME_MAX_BYTES];

		snprintf(name, sizeof(name), "--%s%s%s", option->name, option->value ? " " : "",
			 option->value ? option->value : "");
		printf("  %c%c%s %-18s %s\n", option->letter ? '-' : ' ',
		       option->letter ? option->letter : ' ', option->letter ? "," : " ", name,
		       option->help);
	}
}
