/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shyper net serve NAME|ID: serve the VM's vhost devices until it has run. `vm boot` starts it; it
 * says "ready", or why not, in one line.
 */
#include <stdio.h>

#include "lib/vhost.h"
#include "verb.h"

/* As `vm boot` reads it, which holds the VM's lock and waits for us. */
static int serve(struct session *s, const struct session_vm *vm)
{
	static struct def def;	/* large */
	json_t *record = session_record(s, vm), *notes = NULL;
	struct document doc = { .name = "stored configuration" };
	int err = -1;

	doc.root = json_object_get(record, "definition");
	if (record && !def_parse(&def, &doc, &notes, &s->error))
		err = vhost_serve(s, vm, &def);
	json_decref(notes);
	json_decref(record);
	return err;
}

static bool send_nowhere(struct session *s, json_t *line)
{
	(void)s;
	json_decref(line);
	return true;
}

static int run(const json_t *args)
{
	struct session s = { .send = send_nowhere };
	struct session_vm vm;
	int err = -1;

	session_begin(&s);
	if (!session_find(&s, args, false, &vm)) {
		err = serve(&s, &vm);
		session_done(&vm);
	}
	if (err)
		printf("%s\n", s.error.text);
	session_end(&s);
	return err ? 1 : 0;
}

const struct verb verb_net_serve = {
	.name = "net serve",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "serve a VM's vhost devices; vm boot does that by itself",
	.run = run,
};
