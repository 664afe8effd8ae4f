/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting the process that serves vhost devices: `shyper net serve`, of this very program. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "vhost.h"

/* Whoever boots holds the VM's lock; the process may wait for that of the run before. */
#define READY_MS 30000

static bool has_devices(const struct def *def)
{
	for (uint32_t i = 0; i < def->nics; i++)
		if (def->nic[i].vhost)
			return true;
	return def->vsock;
}

/* Nothing of whoever asked stays open in it; what goes wrong later is the daemon's log's. */
static void become(uint32_t vm, int out)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", vm);
	setsid();
	dup2(out, STDOUT_FILENO);
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	close_range(3, ~0U, 0);
	execl("/proc/self/exe", "shyper", "net", "serve", number, NULL);
	printf("cannot be started: %s", strerror(errno));
	fflush(stdout);
	_exit(1);
}

/* There is more to read, or nothing ever will be. */
static bool more(int fd, int64_t end)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;
	int n;

	do {
		left = end - clock_ms();
		n = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

void vhost_hear(int fd, char *buf, size_t size, int limit_ms)
{
	int64_t end = clock_ms() + limit_ms;
	size_t done = 0;
	ssize_t n;

	while (done < size - 1 && !memchr(buf, '\n', done)) {
		if (!more(fd, end)) {
			snprintf(buf, size, "not ready after %d s", limit_ms / 1000);
			return;
		}
		n = read(fd, buf + done, size - 1 - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	buf[done] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

int vhost_start(struct session *s, const struct session_vm *vm, const struct def *def, pid_t *pid)
{
	char said[512];
	int ends[2];

	*pid = 0;
	if (!has_devices(def))
		return 0;
	if (pipe2(ends, O_CLOEXEC))
		return error_set(&s->error, "a pipe: %s", strerror(errno));
	*pid = fork();
	if (*pid == 0)
		become(vm->id, ends[1]);
	close(ends[1]);
	said[0] = '\0';
	if (*pid > 0)
		vhost_hear(ends[0], said, sizeof(said), READY_MS);
	close(ends[0]);
	if (!strcmp(said, "ready"))
		return 0;
	vhost_stop(*pid);
	return error_set(&s->error, "VM %u (%s): its vhost devices: %s", vm->id, vm->info.name,
			 said[0] ? said : "the process that should serve them has died");
}

void vhost_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}
