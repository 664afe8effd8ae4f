#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# coverage.sh FOLDER - lines run by the host tests built with GCOV=1 there, file by file.
set -eu
cd "$1"
top=$OLDPWD
find src arch drivers -name '*.gcda' 2>/dev/null | sort | while read -r data; do
	(cd "$top" && gcov -n -o "$1/$data" "${data%.gcda}.c" 2>/dev/null)
done | awk '
	/^File / { file = $2; gsub(/\047/, "", file) }
	/^Lines executed:/ && file ~ /^(src|arch|drivers)\/.*\.c$/ {
		split($0, part, /[:% ]+/); percent = part[3]; lines = $NF
		printf "  %6.2f%% of %4d  %s\n", percent, lines, file
		run += percent * lines / 100; all += lines
	}
	/^Lines executed:/ { file = "" }
	END {
		if (!all) { print "coverage: no data; run make coverage"; exit 1 }
		printf "coverage: %.1f%% of %d lines\n", 100 * run / all, all
	}'
