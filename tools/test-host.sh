#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# test-host.sh PROGRAM… - run every cmocka program; one line each, the whole output of those that
# fail, and a sum. Fails when one of them does.
set -u
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# ThreadSanitizer of gcc 12 does not start where a kernel scatters addresses widely.
setarch=
setarch -R true 2>/dev/null && setarch="setarch -R"
tests=0 failed=0
for program; do
	status=0 start=
	case $program in *_tsan) start=$setarch ;; esac
	timeout 300 $start "$program" >"$log" 2>&1 || status=$?
	count=$(awk '/Running [0-9]+ test/ { n += $(NF - 1) } END { print n + 0 }' "$log")
	tests=$((tests + count))
	if [ $status = 0 ] && [ "$count" -gt 0 ]; then
		printf '  %-28s %4d tests passed\n' "${program##*/}" "$count"
	else
		failed=$((failed + 1))
		cat "$log"
		printf '  %-28s FAILED (status %d)\n' "${program##*/}" $status
	fi
done
printf 'host tests: %d tests in %d programs, %d programs failed\n' $tests $# $failed
[ $failed = 0 ] && [ $# -gt 0 ]
