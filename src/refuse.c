/* SPDX-License-Identifier: BSD-2-Clause */
/* Refusals in words. */
#include <hv/format.h>
#include <hv/log.h>
#include <hv/refuse.h>

/* Under the management lock. The MVM hears of its own refusals; at boot somebody must act. */
static char last[LOG_LINE];
static enum log_level level = LOG_ERR;

void refuse(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vformat(last, sizeof(last), fmt, ap);
	va_end(ap);
	log_write(level, "%s", last);
}

void refuse_status(const char *call, const char *text)
{
	if (last[0])
		return;
	level = LOG_DEBUG;
	refuse("%s: %s", call, text);
}

void refuse_forget(void)
{
	last[0] = '\0';
	level = LOG_INFO;
}

const char *refuse_text(void)
{
	return last;
}
