# SPDX-License-Identifier: BSD-2-Clause
# Objects of src/ and src/lib: one line each, full path: objs += src/lib/format.o
objs += src/mmio.o
objs += src/lib/string.o
objs += src/lib/format.o
objs += src/vmdef.o
objs += src/vmdef_value.o
objs += src/vmdef_check.o
objs += src/log.o
objs += src/fit.o
objs += src/lib/crc32.o
objs += src/owner.o
objs += src/page.o
objs += src/page_init.o
objs += src/board.o
objs += src/lib/isa.o
objs += src/gmap.o
