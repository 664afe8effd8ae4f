# SPDX-License-Identifier: BSD-2-Clause
# Objects of src/ and src/lib: one line each, full path: objs += src/lib/format.o
objs += src/mmio.o
objs += src/lib/string.o
objs += src/lib/format.o
