/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request being served, by the daemon or by the CLI itself: /dev/shyper, what goes back to
 * whoever asked while it runs, and why it failed.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <jansson.h>

#include "def.h"
#include "device.h"
#include "error.h"

struct session {
	int fd;			/* /dev/shyper, or -1 */
	json_t *notes;		/* list of texts */
	struct error error;
	/* a line for whoever asked; takes it over. False: nobody listens any more */
	bool (*send)(struct session *s, json_t *line);
	void *ctx;
};

/* A VM that a request is about, and its lock. */
struct session_vm {
	uint32_t id;
	int fd;
	int lock;		/* or -1 */
	struct shyper_vm_info info;
};

/* session_begin(), session_end() - around one request. */
void session_begin(struct session *s);
void session_end(struct session *s);

void session_note(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * session_progress() - of the work called what, done of total bytes are done.
 */
void session_progress(struct session *s, const char *what, uint64_t done, uint64_t total);

/* session_device() - open /dev/shyper unless it is. 0, or -1 with words on what to do. */
int session_device(struct session *s);

/* session_why() - Shyper's words for a failed call on a descriptor, or else the errno's. */
void session_why(int fd, int err, char *buf, size_t size);

/*
 * session_refused() - the words for a failed call on a descriptor: "what: …". Returns -1.
 */
int session_refused(struct session *s, int fd, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

int session_system(struct session *s, struct shyper_system_info *info);

/*
 * session_find() - the VM that the argument "vm" (name or id) of a request means, locked when
 * change, which VM 0 cannot be. 0, or -1 with the error set. session_done() lets go of it.
 */
int session_find(struct session *s, const json_t *args, bool change, struct session_vm *vm);
int session_open(struct session *s, uint32_t id, bool change, struct session_vm *vm);
void session_done(struct session_vm *vm);

/* session_info() - look at its state again. */
int session_info(struct session *s, struct session_vm *vm);

/*
 * session_poll_end() - look at it again, after at most so many ms. 1: it has ended, even if it runs
 * again by now, 0: it has not, -1: the error is set.
 */
int session_poll_end(struct session *s, struct session_vm *vm, int ms);

/* session_await_end() - wait until it has ended, ten seconds at most. */
int session_await_end(struct session *s, struct session_vm *vm);

/* session_record() - its record, when it is this VM's; or NULL with the error set. */
json_t *session_record(struct session *s, const struct session_vm *vm);

/* Words for states and ends. */
const char *session_state(const struct shyper_vm_info *info);
const char *session_reason(uint32_t reason);

/* session_set_cause() - "cause" of an object about an end, when the guest has crashed. */
void session_set_cause(json_t *out, const struct shyper_vm_info *info);

#endif
