# SPDX-License-Identifier: BSD-2-Clause
# Objects of drivers/host and drivers/guest, one line each, full path.
objs += drivers/guest/vplic.o
