# SPDX-License-Identifier: BSD-2-Clause
# Host unit tests, two lines each: host-tests += test_x, test_x-src := the files it tests.
