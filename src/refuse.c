/* SPDX-License-Identifier: BSD-2-Clause */
/* Refusals in words. */
#include <hv/format.h>
#include <hv/log.h>
#include <hv/refuse.h>

static char last[LOG_LINE];	/* under the management lock */

void refuse(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vformat(last, sizeof(last), fmt, ap);
	va_end(ap);
	log_err("%s", last);
}

void refuse_forget(void)
{
	last[0] = '\0';
}

const char *refuse_text(void)
{
	return last;
}
