# SPDX-License-Identifier: BSD-2-Clause
# Prints the help of a Makefile: `## Title` lines, `target: … ## text` and `VAR ?= default## text`.
/^## / { printf "\n%s\n", substr($0, 4); next }
/^[A-Za-z_]+ \?=.*##/ {
	text = $0; sub(/.*##[ \t]*/, "", text)
	value = $0; sub(/^[^=]*=[ \t]*/, "", value); sub(/[ \t]*##.*/, "", value)
	printf "  %-15s %s%s\n", $1, text, value == "" ? "" : " [" value "]"
}
/^[a-z-]+:.* ## / {
	name = $1; sub(/:.*/, "", name)
	text = $0; sub(/.* ## /, "", text)
	printf "  %-15s %s\n", name, text
}
