/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Refusals in words: what was asked of Shyper, what is wrong with it and what to change. They go to
 * the log, and the last one is kept for whoever asked (the MVM, by SHYPER_HC_REASON).
 */
#ifndef HV_REFUSE_H
#define HV_REFUSE_H

#include <hv/types.h>

/*
 * refuse() - log the line, at boot as an error, and keep it. Boot hart, or a hypercall with the
 * management lock held.
 */
void refuse(const char *fmt, ...) __printf(1, 2);

/*
 * refuse_status() - a call ends with a status, which words of its own come before: else these. They
 * are for debugging: the end of a list is such a status, too.
 */
void refuse_status(const char *call, const char *text);

/* refuse_forget() - a hypercall begins; refuse_text() - the words since, "" when there are none. */
void refuse_forget(void);
const char *refuse_text(void);

#endif
