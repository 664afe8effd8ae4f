/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shyper system daemon [CFG]: serves the CLI on a UNIX socket, writes the log of events, boots VMs
 * again by their policies. In the foreground. It holds nothing that is not in Shyper or in the
 * store, so it may be killed and started at any moment.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "daemon/mediated.h"
#include "daemon/server.h"
#include "daemon/watch.h"
#include "lib/store.h"
#include "report.h"
#include "verb.h"

#define DEFAULT_CFG "cli-config.json"	/* Rust-Shyper's */

struct state {
	struct watch watch;
	int lock;
	int signals;
};

/* The disks: a file that is named must be right, the one of that default name may be absent. */
static int read_cfg(const json_t *args, struct error *error)
{
	const char *path = json_string_value(json_object_get(args, "cfg"));
	int count;

	if (!path && access(DEFAULT_CFG, F_OK))
		return 0;
	count = mediated_load(path ? path : DEFAULT_CFG, error);
	if (count > 0)
		fprintf(stderr, "shyper daemon: %d mediated disk(s)\n", count);
	return count < 0 ? -1 : 0;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int start(struct state *d, const json_t *args, struct error *error)
{
	for (unsigned int i = 0; i < SHYPER_VMS; i++)
		d->watch.vm[i].fd = -1;
	session_begin(&d->watch.s);
	/* First: commands that find it wait until it listens. */
	d->lock = store_daemon_lock(error);
	if (d->lock < 0 || read_cfg(args, error))
		return -1;
	if (session_device(&d->watch.s)) {
		*error = d->watch.s.error;
		return -1;
	}
	d->watch.listener = server_listen(error);
	if (d->watch.listener < 0)
		return -1;
	d->signals = open_signals();
	return d->signals < 0 ? error_set(error, "signals: %s", strerror(errno)) : 0;
}

/* False: it is time to go. */
static bool take_signals(struct state *d)
{
	struct signalfd_siginfo info;
	bool stay = true;

	while (read(d->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			stay = false;
	}
	server_reap();
	return stay;
}

/*
 * Everything that wakes the daemon may have changed a VM, a request served by a child above all:
 * so all of them are looked at each time, and nothing can be missed.
 */
static void loop(struct state *d)
{
	struct pollfd pfds[2 + SHYPER_VMS];

	for (;;) {
		unsigned int count;
		int wait;

		watch_scan(&d->watch);
		wait = watch_due(&d->watch);
		pfds[0] = (struct pollfd){ .fd = d->signals, .events = POLLIN };
		pfds[1] = (struct pollfd){
			.fd = server_busy() ? -1 : d->watch.listener,
			.events = POLLIN,
		};
		count = watch_fill(&d->watch, pfds + 2);
		if (poll(pfds, 2 + count, wait) < 0 && errno != EINTR)
			return;
		if ((pfds[0].revents & POLLIN) && !take_signals(d))
			return;
		if (pfds[1].revents & POLLIN)
			server_accept(d->watch.listener);
	}
}

static int run(const json_t *args)
{
	static struct state d;
	struct error error = { 0 };

	if (start(&d, args, &error))
		return report_failure(error.text, false);
	fprintf(stderr, "shyper daemon: listening on %s\n", store_socket());
	loop(&d);
	unlink(store_socket());
	return 0;
}

const struct verb verb_system_daemon = {
	.name = "system daemon",
	.argument = "[CFG]",
	.key = "cfg",
	.help = "serve commands and restart VMs by their policies, in the foreground",
	.run = run,
};
