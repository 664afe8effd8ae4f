# SPDX-License-Identifier: BSD-2-Clause
# Completion of the shyper command for bash.

# Names of the VMs, of which the management VM can only be looked at.
_shyper_vms() {
	shyper vm list --json 2>/dev/null | sed -n 's/^ *"name": "\(.*\)",$/\1/p'
}

_shyper() {
	local word=${COMP_WORDS[COMP_CWORD]} verb="${COMP_WORDS[1]} ${COMP_WORDS[2]}" choice=
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		choice="vm system events help --json --help --version"
	elif ((COMP_CWORD == 2)) && [[ ${COMP_WORDS[1]} == vm ]]; then
		choice="config boot start list info console pause resume reboot reset shutdown stop remove
			getvmid getdefconfig delconfig"
	elif ((COMP_CWORD == 2)) && [[ ${COMP_WORDS[1]} == system ]]; then
		choice="info log daemon reboot shutdown"
	else
		choice="--json --help"
		case $verb in
		"vm config" | "system daemon")
			[[ $word == -* ]] || compopt -o default
			;;
		"vm shutdown" | "vm stop") choice="$choice --force --wait --timeout $(_shyper_vms)" ;;
		"vm reboot") choice="$choice --force --timeout $(_shyper_vms)" ;;
		"vm delconfig") choice="$choice --force $(_shyper_vms)" ;;
		"vm list" | "vm getvmid") ;;
		"vm "*) choice="$choice $(_shyper_vms)" ;;
		"system reboot" | "system shutdown") choice="$choice --force" ;;
		"system log" | "events "*) choice="$choice --follow" ;;
		esac
		[[ $verb != "vm config" && $verb != "system daemon" || $word == -* ]] || return
	fi
	# shellcheck disable=SC2207 # words without blanks
	COMPREPLY=($(compgen -W "$choice" -- "$word"))
}

complete -F _shyper shyper
