/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shyper's own console in the MVM, /dev/hvc0: the log as it grows, and a few commands that only
 * look. It is the machine's end of a stream (hv/stream.h), so it needs nothing of the MVM but the
 * driver of its console.
 *
 * The log itself keeps what nobody reads: lines wait there until the terminal has room, and a
 * terminal that opens anew gets all that there is. Input waits for output.
 *
 * Who has the terminal open may not have told it to stop echoing yet. Shyper must not take its own
 * words for commands then: each of its lines begins with '[' or a blank, and no line of input that
 * does is looked at.
 */
#ifndef HV_MONITOR_H
#define HV_MONITOR_H

#include <hv/types.h>

struct hart;
struct stream;

#define MONITOR_LINE 64	/* bytes of a command with its NUL */

/*
 * monitor_init() - be the stream's machine; lines of the log are a hart_errand() of this hart. By
 * the MVM's maker, before anybody wakes the stream. 0; -EBUSY: that end is taken. monitor_exit()
 * undoes it, if it was done.
 */
int __must_check monitor_init(struct stream *stream, struct hart *hart);
void monitor_exit(void);

/* monitor_serve() - the errand: hand over what is new. That hart's, with no lock held. */
void monitor_serve(void);

#endif
