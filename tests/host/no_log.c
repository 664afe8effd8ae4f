/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of code that may say something in steps: nobody does. */
#include <stdlib.h>

#include <hv/log.h>

bool log_admits(struct log_limit *limit, u32 *dropped)
{
	(void)limit;
	(void)dropped;
	abort();
}

void log_begin(struct log_line *line, enum log_level level, u64 at)
{
	(void)line;
	(void)level;
	(void)at;
	abort();
}

void log_compose(struct log_line *line, const char *fmt, ...)
{
	(void)line;
	(void)fmt;
	abort();
}

void log_put(struct log_line *line)
{
	(void)line;
	abort();
}
