# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the parts of tests/cli/run are written with.

ok() { printf 'ok - cli: %s\n' "$1"; }
not_ok() {
	printf 'not ok - cli: %s\n' "$1"
	failed=1
	shift
	printf '%s\n' "$@" | head -n 20 | sed 's/^/# /'
}
skip() {
	if [ "${SUBPID_MUST_RUN:-}" = 1 ]; then
		not_ok "$1" "must run, but: $2"
	else
		printf 'ok - cli: %s # SKIP %s\n' "$1" "$2"
	fi
}
# same NAME WANTED GOT
same() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted: $2" "got: $3"; fi
}
user() { "$root/tests/lib/as-user" "$@"; }
# run CMD...: as the user, bounded; status, stdout and stderr in $rc, $out, $err; stdout
# as one line in $flat.
run() {
	rc=0
	user timeout -k 2 20 "$@" </dev/null >"$tmp/out" 2>"$tmp/err" || rc=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
	flat=$(xargs -d '\n' <"$tmp/out")
}
# says NAME STATUS STDERR-PATTERN CMD...: one line on stderr at most, nothing on stdout.
says() {
	local name=$1 status=$2 pattern=$3
	shift 3
	run "$@"
	# shellcheck disable=SC2053 # a pattern
	if [ "$rc" = "$status" ] && [[ $err == $pattern ]] && [ -z "$out" ] &&
		[ "$(wc -l <"$tmp/err")" -le 1 ]; then
		ok "$name"
	else
		not_ok "$name" "status $rc, not $status" "stdout: $out" "stderr: $err"
	fi
}
# Processes whose arguments hold $1 and that are more than a zombie.
holding() { ps -eo stat=,args= | awk -v m="$1" '$1 !~ /^[ZX]/ && index($0, m) && !index($0, "awk")'; }
# exactly N ARGS: waits until N processes have just these arguments.
exactly() {
	local i
	for i in {1..250}; do
		# shellcheck disable=SC2009 # whole lines, as they are
		[ "$(ps -eo args= | grep -cxF -- "$2")" != "$1" ] || return 0
		sleep .02
	done
	return 1
}
# gone NAME MARK: nothing with the mark is left (half a second later at most).
gone() {
	local i left=
	for i in {1..50}; do
		left=$(holding "$2")
		[ -n "$left" ] || break
		sleep .01
	done
	if [ -z "$left" ]; then ok "$1"; else not_ok "$1" "left after ${i}0 ms: $left"; fi
}

# The stand-in for the resident, and builds with fault points: $standin carries the stand-in, $faulty
# the product's resident.
build_faulty() {
	local common=(-std=gnu17 -O1 -g -static -D_GNU_SOURCE "-I$root/src")
	local core=("$root"/src/core/*.c "$root/src/base/fmt.c")
	local hosted=("$root"/src/cli/*.c "$root"/src/supervisor/*.[cS] "$root"/src/lib/*.c)
	mkdir -p "$tmp/standin" "$tmp/faulty"
	standin=$tmp/standin/subpid
	faulty=$tmp/faulty/subpid
	gcc "${common[@]}" -o "$tmp/standin/subpid-resident.blob" "$here/stand-in.c" "${core[@]}" &&
		gcc "${common[@]}" -DSV_FAULT -Wa,-I"$tmp/standin" -o "$standin" "${hosted[@]}" "${core[@]}" &&
		objcopy --strip-all "$(dirname "$SUBPID")/subpid-resident" "$tmp/faulty/subpid-resident.blob" &&
		gcc "${common[@]}" -DSV_FAULT -Wa,-I"$tmp/faulty" -o "$faulty" "${hosted[@]}" "${core[@]}"
}
