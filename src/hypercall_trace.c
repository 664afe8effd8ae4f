/* SPDX-License-Identifier: BSD-2-Clause */
/* The MVM's calls about the trace. */
#include <abi/hypercall.h>
#include <hv/errno.h>
#include <hv/refuse.h>
#include <hv/trace.h>
#include <hv/vm.h>

#include "hypercall_calls.h"

_Static_assert(sizeof(struct shyper_trace_read) <= PAGE_SIZE, "fits a page");

struct hypercall_result hc_trace_start(struct vm *caller, const u64 *arg)
{
	int err = trace_start(arg[0], arg[1]);

	(void)caller;
	if (err == -EBUSY)
		refuse("a trace is being recorded; one at a time");
	else if (err == -EINVAL)
		refuse("a trace has events of the first %u bits, and rings of %u to %u records, "
		       "a power of two", SHYPER_TRACE_EVENTS, SHYPER_TRACE_RING_MIN,
		       SHYPER_TRACE_RING_MAX);
	else if (err)
		refuse("there is no memory for the rings of the trace; make them smaller");
	return hypercall_done(err);
}

struct hypercall_result hc_trace_stop(struct vm *caller, const u64 *arg)
{
	(void)caller;
	(void)arg;
	trace_stop();
	return hypercall_done(0);
}

struct hypercall_result hc_trace_read(struct vm *caller, const u64 *arg)
{
	static struct shyper_trace_read out;	/* a page; under the management lock */
	int err;

	if (arg[1] < sizeof(out))
		return hypercall_done(-EINVAL);
	err = gmap_read(&caller->gmap, GPA(arg[0]), &out,
			offsetof(struct shyper_trace_read, lost));
	if (!err)
		err = trace_read(&out);
	if (err)
		return hypercall_done(err);
	return hypercall_give(caller, arg[0], arg[1], &out, sizeof(out));
}
