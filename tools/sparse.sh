#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# sparse.sh ARGUMENT… - sparse as Kbuild's CHECK. It knows the names of fewer extensions than gcc.
for argument; do
	shift
	case $argument in -march=*) argument=-march=rv64gc ;; esac
	set -- "$@" "$argument"
done
exec sparse "$@"
