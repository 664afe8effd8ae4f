/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shyper: the command that manages VMs from the management VM. Exit status: 0 done, 1 failed,
 * 2 wrong usage.
 */
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "client.h"
#include "report.h"
#include "version.h"

#define BAR 30	/* columns of the progress bar */
#define WORTH_A_BAR (1 << 20)	/* bytes: less is done at once */

static const struct arguments *arguments;	/* for the lines that arrive */
static bool bar_shown;

static void clear_bar(void)
{
	if (bar_shown)
		fputs("\r\033[K", stderr);
	fflush(stderr);
	bar_shown = false;
}

static void show_progress(const json_t *progress)
{
	double done = (double)json_integer_value(json_object_get(progress, "done"));
	double total = (double)json_integer_value(json_object_get(progress, "total"));
	int filled;

	if (arguments->json || total < WORTH_A_BAR || !isatty(STDERR_FILENO))
		return;
	filled = (int)(done / total * BAR);
	fprintf(stderr, "\r%-8s[", json_string_value(json_object_get(progress, "what")));
	for (int i = 0; i < BAR; i++)
		fputc(i < filled ? '#' : ' ', stderr);
	fprintf(stderr, "] %5.1f of %.1f MiB", done / (1 << 20), total / (1 << 20));
	fflush(stderr);
	bar_shown = true;
}

static void show_line(const json_t *line)
{
	const json_t *progress = json_object_get(line, "progress");

	if (progress) {
		show_progress(progress);
	} else if (arguments->json) {
		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
	} else if (arguments->verb->show) {
		arguments->verb->show(line);
	}
}

static void show_result(const json_t *reply)
{
	const json_t *result = json_object_get(reply, "result"), *note;
	size_t i;

	if (arguments->json && !arguments->verb->show) {
		json_dumpf(result, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (arguments->verb->print && !arguments->json) {
		arguments->verb->print(result);
	}
	json_array_foreach(json_object_get(reply, "notes"), i, note)
		report_note(json_string_value(note));
}

static json_t *make_request(const struct arguments *a)
{
	char folder[PATH_MAX];

	if (!getcwd(folder, sizeof(folder)))
		strcpy(folder, "/");
	return json_pack("{ss sO ss}", "verb", a->verb->name, "args", a->args, "cwd", folder);
}

static int ask(const struct arguments *a)
{
	json_t *request = make_request(a), *reply;
	const char *error;
	int status = 0;

	if (!request)
		return report_failure("the name of the current folder is not UTF-8", false);
	reply = client_ask(request, a->verb->here, show_line);
	clear_bar();
	error = json_string_value(json_object_get(reply, "error"));
	if (!reply)
		status = report_failure("the daemon went away before it had answered; try again",
					false);
	else if (error)
		status = report_failure(error, json_is_true(json_object_get(reply, "usage")));
	else
		show_result(reply);
	json_decref(reply);
	json_decref(request);
	return status;
}

static int run(const struct arguments *a)
{
	if (a->version) {
		printf("shyper %s\n", SHYPER_VERSION);
		return 0;
	}
	if (a->help) {
		arguments_help(a->verb);
		return 0;
	}
	return a->verb->run ? a->verb->run(a->args) : ask(a);
}

int main(int argc, char **argv)
{
	struct arguments a;
	struct error error = { 0 };
	int wrong, status;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	/* Whole lines: the daemon's may go to the same terminal. */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	arguments = &a;
	wrong = arguments_parse(&a, argc, argv, &error);
	report_as_json(a.json);
	status = wrong ? report_failure(error.text, true) : run(&a);
	json_decref(a.args);
	if (fflush(stdout) && errno != EPIPE)
		status = report_failure("the output could not be written", false);
	return status;
}
