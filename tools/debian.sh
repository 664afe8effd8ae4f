# SPDX-License-Identifier: BSD-2-Clause
# Debian packages for the build, sourced by tools/deps.sh and the recipes under images/: install
# tools on the host, download riscv64 packages. Apt keeps its lists in a private folder, so that
# the host's own sources and lists stay as they are. Run from the top of the source tree.

CACHE=$PWD/build/cache
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
GUEST_SUITE=trixie		# Debian 13: the release that riscv64 packages come from

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

host_codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

# The mirror that the host itself uses: the address of its first source for its own release.
host_mirror() {
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
		sed 's/\[[^]]*\]//' | awk -v suite="$1" '$1 == "deb" && $3 == suite { print $2 }'
	cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk -v suite="$1" '
		/^$/ { uri = "" }
		tolower($1) == "uris:" { uri = $2 }
		tolower($1) == "suites:" && uri {
			for (i = 2; i <= NF; i++) if ($i == suite) print uri
		}'
}

mirror() {
	[ -z "${MIRROR:-}" ] || { say "$MIRROR"; return; }
	found=$(host_mirror "$(host_codename)" | head -n 1)
	[ -n "$found" ] || die "no Debian mirror in /etc/apt; name one: MIRROR=http://…/debian"
	say "$found"
}

# as_root COMMAND… - run it as root, or say what root should run.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "needs root; as root run: make deps"
	fi
}

# debian_install SUITE PACKAGE… - install on the host, preferring SUITE, which joins the host's
# sources for this once; an empty SUITE stands for the host's own release. Apt's words go to a log.
debian_install() {
	apt=$(mktemp -d)
	mkdir -p "$apt/lists/partial" "$apt/parts" build/deps
	host_sources "$1" "$apt/parts"
	log=build/deps/apt.log
	as_root env DEBIAN_FRONTEND=noninteractive \
		sh -c "$INSTALL" sh "$apt" "$@" >>$log 2>&1 || {
		tail -n 20 $log >&2
		die "the installation failed; more in $log"
	}
	as_root rm -rf "$apt"
}

# host_sources SUITE FOLDER - write the sources to install from: the host's, or MIRROR's.
host_sources() {
	if [ -n "${MIRROR:-}" ]; then
		for s in "$(host_codename)" "$(host_codename)-updates"; do
			say "deb [signed-by=$KEYRING] $MIRROR $s main"
		done >"$2/mirror.list"
	else
		cp /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources "$2" \
			2>/dev/null || :
		[ ! -f /etc/apt/sources.list ] || cp /etc/apt/sources.list "$2/main.list"
	fi
	if [ -n "$1" ] && ! grep -Eqs "^[^#]* $1( |\$)" "$2"/*; then
		say "deb [signed-by=$KEYRING] $(mirror) $1 main" >"$2/extra.list"
	fi
}

# As root: $1 is the folder with sources and lists, $2 the suite or nothing, the rest packages.
# shellcheck disable=SC2016 # expanded by the inner shell
INSTALL='set -eu
	apt=$1 suite=$2; shift 2
	run() {
		apt-get -o Dir::Etc::SourceList=/dev/null \
			-o Dir::Etc::SourceParts="$apt/parts" -o Dir::State::Lists="$apt/lists" \
			-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
			-o Acquire::Languages=none -o Acquire::Retries=3 \
			-o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 -q -y "$@"
	}
	run update || echo "a source failed; going on with the others"
	run --no-install-recommends ${suite:+-t "$suite"} install "$@"'

# guest_apt TOOL ARGUMENT… - apt-get or apt-cache on riscv64 packages of GUEST_SUITE alone.
guest_apt() {
	tool=$1; shift
	"$tool" -o Dir::Etc::SourceList="$CACHE/apt/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null -o Dir::State="$CACHE/apt" \
		-o Dir::State::Lists="$CACHE/apt/lists" \
		-o Dir::State::status="$CACHE/apt/status" -o Dir::Cache="$CACHE/apt/cache" \
		-o APT::Architecture=riscv64 -o APT::Architectures::=riscv64 \
		-o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Acquire::Languages=none \
		-o Acquire::Retries=3 "$@"
}

guest_apt_update() {
	mkdir -p "$CACHE/apt/lists/partial" "$CACHE/apt/cache/archives/partial"
	say "deb [signed-by=$KEYRING] $(mirror) $GUEST_SUITE main" >"$CACHE/apt/sources.list"
	: >"$CACHE/apt/status"
	guest_apt apt-get -q -q update
}

# fetch APT FOLDER PACKAGE[=VERSION]… - packages into a folder of the cache; apt checks their
# signatures, shows its progress on a terminal, and takes up the next time what was cut off.
fetch() {
	apt=$1 folder=$2; shift 2
	mkdir -p "$folder/partial"
	quiet=-qq
	[ ! -t 1 ] || quiet=
	# shellcheck disable=SC2086 # an option or nothing
	(cd "$folder/partial" && "$apt" apt-get $quiet download "$@" && mv ./*.deb ..)
}

# guest_get PACKAGE[=VERSION]… - fetch riscv64 packages into the cache.
guest_get() { fetch guest_apt "$CACHE/debs" "$@"; }

# guest_solve PACKAGE… - what apt would install for them: "name version architecture" lines. The
# packages of images/unwanted count as installed, whatever version somebody asks for; those with an
# equals sign in the version that apt would take, for some ask for exactly that.
guest_solve() {
	grep -v '^#' images/unwanted | while read -r package; do
		version=99:1
		[ "$package" = "${package%=}" ] || version=$(guest_apt apt-cache policy \
			"${package%=}" | sed -n 's/^ *Candidate: //p')
		printf 'Package: %s\nStatus: hold ok installed\n' "${package%=}"
		printf 'Version: %s\nArchitecture: all\n' "$version"
		printf 'Multi-Arch: foreign\nProvides: awk, debconf-2.0\n'
		printf 'Maintainer: none\nDescription: unwanted\n\n'
	done >"$CACHE/apt/unwanted"
	guest_apt apt-get -q -q -s -o Dir::State::status="$CACHE/apt/unwanted" \
		-o APT::Install-Recommends=0 install "$@" >"$CACHE/apt/solution" ||
		die "apt finds no way to install $*"
	sed -n 's/^Inst \([^ :]*\)[^ ]* (\([^ ]*\) [^)]*\[\([a-z0-9]*\)\]).*/\1 \2 \3/p' \
		"$CACHE/apt/solution"
}

# guest_closure NAME FILE - the packages that a file names, with all that they need, in the cache;
# NAME.list there gets the files' names. What is listed and there is not looked for again.
guest_closure() {
	list=$CACHE/$1.list wanted=$(grep -v '^#' "$2" | tr '\n' ' ')
	key="# $wanted$(cksum <images/unwanted)"
	if [ "$(head -n 1 "$list" 2>/dev/null)" = "$key" ] && guest_complete "$list"; then
		return 0
	fi
	[ -n "${updated:-}" ] || guest_apt_update
	updated=yes
	# shellcheck disable=SC2086 # a list
	guest_solve $wanted >"$list.new"
	say "deps: downloading $(wc -l <"$list.new") packages for $1 (riscv64, $GUEST_SUITE)"
	# shellcheck disable=SC2046 # a list
	guest_get $(awk '{ print $1 "=" $2 }' "$list.new")
	{
		say "$key"
		awk '{ gsub(/:/, "%3a", $2); print $1 "_" $2 "_" $3 ".deb" }' "$list.new"
	} >"$list"
	rm "$list.new"
}

guest_complete() {
	grep -v '^#' "$1" | while read -r deb; do
		[ -e "$CACHE/debs/$deb" ] || return 1
	done
}

# newest PATTERN - the newest file that matches, or failure.
newest() {
	# shellcheck disable=SC2086 # a pattern
	ls -t $1 2>/dev/null | head -n 1 | grep .
}

# guest_cached PATTERN - the newest cached riscv64 package whose file name matches, or failure.
guest_cached() { newest "$CACHE/debs/$1"; }

. tools/kernel.sh
