# SPDX-License-Identifier: BSD-2-Clause
# Host unit tests, two lines each: host-tests += test_x, test_x-src := the files it tests.
host-tests += test_mmio
test_mmio-src := src/mmio.c
