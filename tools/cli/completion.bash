# SPDX-License-Identifier: BSD-2-Clause
# Completion of the shyper command for bash.

# Names of the VMs but the management VM, one on each line, as the shell wants them written.
_shyper_vms() {
	local name
	shyper vm list --json 2>/dev/null | sed -n '/^ *"id": 0,$/,/^ *"name"/d
		s/^ *"name": "\(.*\)",$/\1/; t found; d; :found; s/\\\(["\\]\)/\1/g; p' |
		while IFS= read -r name; do
			printf '%q\n' "$name"
		done
}

# Those of the lines of $1 that begin like the word.
_shyper_offer() {
	local one
	while IFS= read -r one; do
		[[ -z $one || $one != "$word"* ]] || COMPREPLY+=("$one")
	done <<<"$1"
}

# Whether an option takes a value.
_shyper_takes() {
	case $1 in
	--timeout | -t | --display | --card | -c | --interval | -i) ;;
	--duration | -d | --events | -e | --ring | -r | --from | --to | --output | -o) ;;
	--priority | -p | --budget | -b | --period | -P | --strict | -s) ;;
	*) return 1 ;;
	esac
}

# Whether a VM is named before the word.
_shyper_has_vm() {
	local i
	for ((i = 3; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] || _shyper_takes "${COMP_WORDS[i - 1]}" || return 0
	done
	return 1
}

_shyper() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local verb="${COMP_WORDS[1]} ${COMP_WORDS[2]}" choice=''
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		choice="vm sched trace net system events help --json --help --version"
	elif ((COMP_CWORD == 2)) && [[ ${COMP_WORDS[1]} == vm ]]; then
		choice="config boot start list info stats set console pause resume pin reboot
			reset shutdown stop remove getvmid getdefconfig delconfig"
	elif ((COMP_CWORD == 2)) && [[ ${COMP_WORDS[1]} == sched ]]; then
		choice="show set switch shift"
	elif ((COMP_CWORD == 2)) && [[ ${COMP_WORDS[1]} == trace ]]; then
		choice="record report svg"
	elif ((COMP_CWORD == 2)) && [[ ${COMP_WORDS[1]} == net ]]; then
		choice="list info stats mirror link serve"
	elif ((COMP_CWORD == 2)) && [[ ${COMP_WORDS[1]} == system ]]; then
		choice="info log daemon test update reboot shutdown"
	elif _shyper_takes "$before"; then
		[[ $before != --display ]] || choice=sdl
		[[ $before != --events && $before != -e ]] ||
			choice="switch wake sleep exit interrupt state window idle"
		[[ $before != --output && $before != -o ]] || {
			compopt -o default
			return
		} 2>/dev/null
	else
		choice="--json --help"
		case $verb in
		"vm shutdown" | "vm stop") choice="$choice --force --wait --timeout" ;;
		"vm reboot") choice="$choice --force --timeout" ;;
		"vm boot" | "vm start") choice="$choice --display" ;;
		"vm set") choice="$choice --priority --budget --period --strict" ;;
		"sched show") choice="$choice --interval" ;;
		"trace record") choice="$choice --output --duration --events --ring" ;;
		"trace svg") choice="$choice --output --from --to" ;;
		"net mirror") choice="$choice --off --card" ;;
		"net link") choice="$choice --down --card" ;;
		"vm delconfig" | "system reboot" | "system shutdown") choice="$choice --force" ;;
		"system log" | "events "*) choice="$choice --follow" ;;
		esac
		case $verb in
		"vm config" | "sched set" | "trace report" | "trace svg" | "system daemon" | "system update")
			[[ $word == -* ]] || {
				compopt -o default
				return
			} 2>/dev/null
			;;
		"vm list" | "vm getvmid" | "net list") ;;
		"vm "* | "net "*) [[ $word == -* ]] || _shyper_has_vm || _shyper_offer "$(_shyper_vms)" ;;
		esac
	fi
	# shellcheck disable=SC2086 # a line for each word
	_shyper_offer "$(printf '%s\n' $choice)"
}

complete -F _shyper shyper
