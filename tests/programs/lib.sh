# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What a test of a real program is written with. Each check runs a command as the unprivileged user
# twice, in a fresh directory of the same name: once as reference (natively, or in a PID namespace
# of the kernel where the output names numbers) and once under subpid; standard output and exit
# status must be the same. Expected text is never written down here.
#
# A test file is started by tests/programs/run inside the fence, with $test (its name), $work (a
# scratch directory) and $SUBPID set. It sources this file and ends with `finish`.
set -u
: "${test:?}" "${work:?}" "${SUBPID:?}"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034 # for the test files
src=$root/tests/programs/src
user=${SUBPID_TEST_USER:-subpid-test}
limit=${SUBPID_PROGRAM_LIMIT:-25}
bad=0
# What runs away must not fill the disk.
ulimit -f 1048576
export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LC_ALL=C.UTF-8 TERM=xterm
unset MAKEFLAGS MAKELEVEL MFLAGS PYENV_ROOT PYTHONUNBUFFERED NODE_OPTIONS NODE_EXTRA_CA_CERTS

drop=(env)
if [ "$(id -u)" = 0 ]; then
	drop=(setpriv "--reuid=$user" "--regid=$user" --init-groups --inh-caps=-all
		--bounding-set=-all env)
	chown "$user:" "$work"
fi
drop+=("HOME=$work/home" "USER=$user" "LOGNAME=$user" "TMPDIR=$work/tmp")
namespace=(unshare --pid --fork --kill-child --mount-proc)
[ "$(id -u)" = 0 ] || namespace+=(--user --map-current-user)

say() {
	printf '%s - %s: %s\n' "$1" "programs: $test" "$2"
	[ "$1" = ok ] || bad=1
}

skip() {
	if [ "${SUBPID_MUST_RUN:-0}" = 1 ]; then
		say 'not ok' "$1"
		printf '# skipped: %s\n' "$2"
	else
		printf 'ok - programs: %s: %s # SKIP %s\n' "$test" "$1" "$2"
	fi
}

# Skips the whole file unless all commands named are there.
needs() {
	local c
	for c in "$@"; do
		command -v "$c" >/dev/null && continue
		skip "all of it" "no $c"
		finish
	done
}

# fresh: an empty directory for the next run, always of the same name.
fresh() {
	rm -rf "${work:?}"/{here,home,tmp}
	"${drop[@]}" mkdir -p "$work/here" "$work/home" "$work/tmp"
	cd "$work/here" || exit 1
}

native() {
	timeout -k 2 "$limit" "${drop[@]}" "$@"
}

# The reference for whatever prints numbers.
oracle() {
	timeout -k 2 "$limit" "${namespace[@]}" "${drop[@]}" "$@"
}

inside() {
	timeout -k 2 "$limit" "${drop[@]}" "$SUBPID" run -- "$@"
}

# report FILE: the head of a file as diagnostics.
report() {
	head -c 3000 "$1" | head -n 30 | sed 's/^/#     /'
}

# compare REFERENCE NAME CMD...: one check. The reference has to succeed and to print something,
# lest two failures of the same kind count as agreement.
compare() {
	local reference=$1 name=$2 expected got began took
	shift 2
	fresh
	"$reference" "$@" </dev/null >"$work/expected" 2>"$work/expected.err"
	expected=$?
	fresh
	began=$EPOCHREALTIME
	inside "$@" </dev/null >"$work/got" 2>"$work/got.err"
	got=$?
	took=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
	if [ $expected != 0 ] || [ ! -s "$work/expected" ]; then
		say 'not ok' "$name"
		printf '# the %s run is no reference: status %s, output and errors:\n' "$reference" "$expected"
		report "$work/expected"
		report "$work/expected.err"
	elif [ $got = $expected ] && cmp -s "$work/expected" "$work/got"; then
		say ok "$name"
		return 0
	else
		say 'not ok' "$name"
		printf '# command: %s\n' "$(printf '%s' "$*" | head -c 600 | tr '\n' ' ')"
		printf '# expected (%s): status %s, output:\n' "$reference" "$expected"
		report "$work/expected"
		printf '# got after %s ms: status %s, output:\n' "$took" "$got"
		report "$work/got"
		printf '# standard error under subpid:\n'
		report "$work/got.err"
	fi
	return 1
}

# same NAME CMD...: natively and under subpid alike.
same() {
	compare native "$@"
}

# numbers NAME CMD...: in a kernel namespace and under subpid alike.
numbers() {
	if [ -z "${have_oracle:-}" ]; then
		have_oracle=no
		oracle true >/dev/null 2>&1 && have_oracle=yes
	fi
	if [ "$have_oracle" = no ]; then
		skip "$1" 'no kernel PID namespace to compare with'
		return 0
	fi
	compare oracle "$@"
}

# build NAME CMD...: a step that is not under test, run natively in $work.
build() {
	local name=$1
	shift
	"${drop[@]}" mkdir -p "$work/home" "$work/tmp"
	cd "$work" || exit 1
	if ! native "$@" >"$work/build.log" 2>&1; then
		say 'not ok' "$name"
		printf '# cannot be built natively: %s\n' "$*"
		report "$work/build.log"
		finish
	fi
}

# Ends a test file: nothing it started may be left.
finish() {
	cd / || exit 1
	if [ $$ = 1 ]; then
		sleep .1
		ps -e --no-headers -o pid,ppid,user,stat,args >"$work/ps" &
		wait $!
		awk -v ps=$! '$1 != 1 && $1 != ps' "$work/ps" >"$work/left"
		if [ -s "$work/left" ]; then
			say 'not ok' 'nothing is left behind'
			report "$work/left"
		else
			say ok 'nothing is left behind'
		fi
	fi
	exit $bad
}
