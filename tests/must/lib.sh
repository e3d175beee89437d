# shellcheck shell=bash disable=SC2317
# SPDX-License-Identifier: Apache-2.0
# What the promises are tested with. `try NAME FUNCTION` runs a function MUST_REPEAT times, as the
# user the product is promised to; the function prints what went wrong and fails.
#
# A file is started by tests/must/run inside the fence, with $test (its name), $work (a scratch
# directory of the user) and $SUBPID set; `subpid` is in the PATH. It ends with `finish`.
set -u
: "${test:?}" "${work:?}" "${SUBPID:?}"

# shellcheck disable=SC2034 # for the test files
src=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/src
repeat=${MUST_REPEAT:-5}
bad=0
# What runs away must not fill the disk.
ulimit -f 1048576
fenced=
[ $$ != 1 ] || fenced=yes
# Seconds until nothing may be left of a small tree whose front or supervisor was killed; on a machine
# that others load as well, a killed process takes its time.
linger=0.5
[ "$(awk -v n="$(nproc)" '{ print ($1 > 2 * n) }' /proc/loadavg 2>/dev/null)" != 1 ] || linger=3
export PATH=$work/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LC_ALL=C.UTF-8
export SUBPID_MUST_MARK=$work
# What `subpid` in the commands below means.
mkdir -p "$work/bin"
ln -s "$SUBPID" "$work/bin/subpid"
cd "$work" || exit 1

# In the foreground, a hang is a failure; what is started with `command subpid ... &` is waited for
# with `ended`.
subpid() {
	timeout --foreground -k 2 30 "$work/bin/subpid" "$@"
}

# ended PID: waits for a child, with a limit.
ended() {
	local i state
	for ((i = 0; i < 1500; i++)); do
		{ read -r _ _ state _ <"/proc/$1/stat"; } 2>/dev/null || break
		[ "$state" != Z ] || break
		sleep .01
	done
	if [ "$i" = 1500 ]; then
		echo "process $1 did not end within 15 s"
		kill -9 "$1"
	fi
	wait "$1"
}

try() {
	tries "$repeat" "$@"
}

# For what takes seconds.
try_slow() {
	tries $(((repeat + 4) / 5)) "$@"
}

tries() {
	local times=$1 name=$2 i rc began=$EPOCHREALTIME
	shift 2
	for ((i = 1; i <= times; i++)); do
		"$@" >"$work/log" 2>&1 </dev/null
		rc=$?
		[ $rc = 0 ] || break
		if ! gone "$linger" >>"$work/log"; then
			rc=left
			break
		fi
	done
	if [ "$rc" = 0 ]; then
		printf 'ok - must: %s: %s\n' "$test" "$name"
	else
		bad=1
		printf 'not ok - must: %s: %s\n' "$test" "$name"
		printf '# run %s of %s, status %s\n' "$i" "$times" "$rc"
		head -c 4000 "$work/log" | head -n 40 | sed 's/^/#     /'
	fi
	[ -z "${SUBPID_TIMES:-}" ] || printf '# %s ms for %s runs\n' \
		$(((${EPOCHREALTIME/./} - ${began/./}) / 1000)) "$times"
	sweep
}

skip() {
	if [ "${SUBPID_MUST_RUN:-0}" = 1 ]; then
		bad=1
		printf 'not ok - must: %s: %s\n# skipped: %s\n' "$test" "$1" "$2"
	else
		printf 'ok - must: %s: %s # SKIP %s\n' "$test" "$1" "$2"
	fi
}

# equal GOT WANT [WHAT]
equal() {
	[ "$1" != "$2" ] || return 0
	printf '%s: got\n%s\nwanted\n%s\n' "${3:-output}" "$1" "$2"
	return 1
}

# is WHAT CMD...: the command succeeds.
is() {
	local what=$1
	shift
	"$@" && return 0
	printf 'not true: %s\n' "$what"
	return 1
}

# Every process that a test started and that still runs, one a line. Inside the fence that is
# everything but ourselves; without one, whatever has our mark in its environment.
others() {
	local p
	if [ -n "$fenced" ]; then
		ps -e --no-headers -o pid,ppid,stat,args >"$work/ps" &
		wait $!
		awk -v ps=$! '$1 != 1 && $1 != ps && $3 !~ /^Z/' "$work/ps"
		return
	fi
	for p in /proc/[0-9]*; do
		[ "${p#/proc/}" != $$ ] || continue
		if tr '\0' '\n' <"$p/environ" 2>/dev/null | grep -qxF "SUBPID_MUST_MARK=$work"; then
			printf '%s %s\n' "${p#/proc/}" "$(tr '\0' ' ' <"$p/cmdline")"
		fi
	done 2>/dev/null
}

# gone SECONDS: nothing is left, at the latest after so long.
gone() {
	local until=$((${EPOCHREALTIME/./} + $(awk "BEGIN { print int($1 * 1000000) }")))
	while :; do
		others >"$work/left"
		[ -s "$work/left" ] || return 0
		[ "${EPOCHREALTIME/./}" -lt "$until" ] || break
		sleep .02
	done
	printf 'left after %s s:\n' "$1"
	head -n 20 "$work/left"
	return 1
}

# Nothing may be left at this moment, right after the command returned.
nobody() {
	gone 0
}

# Clears the field after a failure, by number.
sweep() {
	local pid _
	gone 0 >/dev/null && return
	while read -r pid _; do
		kill -KILL "$pid"
	done <"$work/left" 2>/dev/null
	gone 2 >/dev/null
}

# random FROM TO: milliseconds, as seconds.
random() {
	printf '%d.%03d' 0 $(($1 + RANDOM % ($2 - $1)))
}

finish() {
	exit $bad
}
