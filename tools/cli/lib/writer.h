/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of writes with libfdt: the first error of it; after that, nothing more is written. */
#ifndef CLI_WRITER_H
#define CLI_WRITER_H

struct writer {
	void *fdt;
	int error;
};

#define WRITE(w, call)                           \
	do {                                     \
		if (!(w)->error)                 \
			(w)->error = (call);     \
	} while (0)

#endif
